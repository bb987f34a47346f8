/* Who is logged in: sessions, the short-lived tokens of logins, and who has failed to log in. In
 * memory, bounded; all of it survives FORGET and dies with the process. Any thread. Times are
 * seconds since the epoch.
 */
#ifndef CK_GATEWAY_SESSIONS_H
#define CK_GATEWAY_SESSIONS_H

#include "store/store.h"

/* Somebody, and what that rests on. */
struct ck_owner {
    char user[CK_DIGEST_TEXT]; /* longer than USER_NAME */
    uint32_t roles;
    int64_t expires; /* 0: never */
    bool minted;     /* by a token of a login: gets no further tokens */
    int64_t ends;    /* of a login by a page: it expires earlier, unless it is used; 0: no such */
    bool has_token;  /* by a token of the books: ends with it */
    uint8_t token[32];
    uint8_t row[32]; /* hash over all that the books say of the user: another one ends it */
};
void ck_owner_of(const struct ck_user *u, struct ck_owner *ret);
/* Whether the books still say the same, and it has not expired. */
CK_MUST ck_err *ck_owner_stands(struct ck_store *s, const struct ck_owner *o, int64_t now,
                                bool *ret);

struct ck_seats; /* sessions, tokens, failures */
CK_MUST ck_err *ck_seats_new(struct ck_seats **ret);
void ck_seats_free(struct ck_seats *s);

/* The key of a session: a hash over the credentials, which nobody outside can compute. */
void ck_seats_key(const struct ck_seats *s, ck_view kind, ck_view user, ck_view secret,
                  uint8_t ret[32]);
/* The session that has this key, or 0. */
uint64_t ck_seats_find(struct ck_seats *s, const uint8_t key[32]);
/* Never 0. */
uint64_t ck_seats_add(struct ck_seats *s, const uint8_t key[32], const struct ck_owner *o,
                      int64_t version);
/* *ret_version: of the store, when it was last known to stand. */
bool ck_seats_get(struct ck_seats *s, uint64_t id, struct ck_owner *ret, int64_t *ret_version);
void ck_seats_stands(struct ck_seats *s, uint64_t id, int64_t version);
void ck_seats_end(struct ck_seats *s, uint64_t id);

void ck_seats_add_token(struct ck_seats *s, const uint8_t hash[32], const struct ck_owner *o,
                        int64_t now);
bool ck_seats_get_token(struct ck_seats *s, const uint8_t hash[32], int64_t now,
                        struct ck_owner *ret);
/* A login by a page is used: its token, and the session that rests on it, last until `expires`, but
 * never beyond their end. */
void ck_seats_renew(struct ck_seats *s, const uint8_t hash[32], uint64_t session, int64_t expires);
void ck_seats_drop_token(struct ck_seats *s, const uint8_t hash[32]);
/* The one token that all who are anonymous share: it says nothing of anybody. */
const char *ck_seats_anonymous(const struct ck_seats *s);

/* Seconds that the client has to wait before it may try again; 0: none. An empty one (a unix
 * socket) never has to. Addresses of one /64 are one client. */
unsigned ck_seats_wait(struct ck_seats *s, ck_view client, int64_t now);
/* Counts a failure. True: it is the first of the minute, and worth a line in the log. */
bool ck_seats_failed(struct ck_seats *s, ck_view client, int64_t now);

#endif
