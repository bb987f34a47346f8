/* How the registry room proves who asks: tokens and Basic, kept for as long as they are good. */
#ifndef CK_ROOM_REGISTRY_AUTH_H
#define CK_ROOM_REGISTRY_AUTH_H

#include "room/registry_http.h"

enum { CK_AUTH_ROWS = 32 };

/* By registry, repository and credentials: a job with other credentials is another user's. */
struct ck_auth {
    struct ck_auth_row {
        char *key;
        char *value; /* of the Authorization header */
        int64_t until; /* monotonic ms */
    } rows[CK_AUTH_ROWS];
    size_t next; /* where the next one goes once all are taken */
};

/* For whom: one repository of one registry, or its catalogue. */
struct ck_auth_who {
    const struct ck_endpoint *endpoint;
    struct ck_url registry; /* as it is spoken to */
    bool allow_private;
    bool catalog; /* what is asked for is the list of repositories */
};

/* NULL: none that is still good. Lives until the next call of ck_auth_get. */
const char *ck_auth_find(struct ck_auth *auth, const struct ck_auth_who *who, struct ck_arena *a);

/* Answers the challenge of a 401. DONE with *ret_denied NULL: ck_auth_find has it now. With
 * *ret_denied: the token server (or nobody, where there are no credentials for Basic) said no, and
 * the text why. Other ends: as of an exchange with the token server. Class HOSTILE where the realm
 * must not be asked. */
CK_MUST ck_err *ck_auth_get(struct ck_auth *auth, struct ck_http *h, const struct ck_auth_who *who,
                            ck_view challenge, struct ck_http_answer *ret, const char **ret_denied,
                            enum ck_http_end *ret_end);

#endif
