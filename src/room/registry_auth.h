/* Tokens of registries: what a 401 asks for, and whether it is given. Kept from job to job.
 *
 * Credentials go to the endpoint that they are configured for, and to a token server of its own
 * site (ck_realm_allowed), never over plain HTTP when the registry was asked over TLS.
 */
#ifndef CK_ROOM_REGISTRY_AUTH_H
#define CK_ROOM_REGISTRY_AUTH_H

#include "base/mem.h"
#include "room/http.h"
#include "room/registry_jobs.h"

struct ck_authorization; /* of one endpoint's repository */

struct ck_authorizations {
    struct ck_net *net;
    CK_VEC(struct ck_authorization *) v;
};

/* What to send now: "Bearer ...", "Basic ...", or NULL where nothing is known yet. Lives until the
 * next call. */
const char *ck_authorization_of(struct ck_authorizations *as, const struct ck_endpoint *e);

/* A request was answered with 401: gets what its challenge asks for. *ret_again: there is something
 * new to try with. `url` is the request's; `tick` as in http.h. Class HOSTILE where a stranger
 * asks, UNAVAILABLE where the token server refuses. */
CK_MUST ck_err *ck_authorize(struct ck_authorizations *as, const struct ck_job_registry *j,
                             const char *url, ck_view challenges, ck_err *(*tick)(void *ctx),
                             void *ctx, bool *ret_again);

#endif
