/* Shared by the files of gateway/ only. */
#ifndef CK_GATEWAY_GATEWAY_INT_H
#define CK_GATEWAY_GATEWAY_INT_H

#include "gateway/gateway.h"
#include "store/store.h"
#include "verdict/verdict.h"

#include <stdatomic.h>

struct ck_flights;  /* flight.c: fetches and scans under way, one for each image */
struct ck_sessions; /* auth.c */
struct ck_uploads;  /* push.c */
struct ck_harbor;   /* harbor.c */

/* A policy or database in force; replaced as a whole, freed when nobody uses it any more. */
struct ck_rules {
    atomic_uint users;
    struct ck_policy *policy;
    struct ck_db *db; /* NULL: there is none */
};

struct ck_gateway {
    const struct ck_gateway_options *o;
    struct ck_store *store;
    struct ck_lease *lease; /* for as long as the gate runs */
    struct ck_flights *flights;
    struct ck_sessions *sessions;
    struct ck_uploads *uploads;
    struct ck_harbor *harbor;
    struct ck_gateway_core *core; /* core.h: of the files that run the gate */
};

struct ck_rules *ck_rules_get(struct ck_gateway *g);
void ck_rules_put(struct ck_rules *r);

/* One question under way. Whoever handles it answers once, at once or later, from any thread. */
struct ck_call {
    struct ck_gateway *g;
    struct ck_arena arena; /* lives as long as the call; the ask's views too */
    struct ck_ask ask;
    ck_view user;   /* of the session; "anonymous" */
    uint32_t roles; /* CK_ROLE_* */
};
/* Sends the answer (id is filled in; its fd is closed) and frees the call. */
void ck_call_answer(struct ck_call *c, struct ck_answer *w);
/* An error as the registry's error, with a status by its class; frees both. What is our own fault
 * (class OURS) is said in the log, not to the client. */
void ck_call_fail(struct ck_call *c, ck_err *e);
void ck_call_refuse(struct ck_call *c, uint16_t status, enum ck_oci_error code, const char *fmt,
                    ...) CK_PRINTF(4, 5);
/* 200 and the like, with a body of any length. */
void ck_answer_bytes(struct ck_call *c, struct ck_answer *w, ck_view bytes);
/* What the gate serves changed: kept answers are forgotten. */
void ck_gateway_forget(struct ck_gateway *g);
/* One line of the structured log; pairs of key and value, NULL ends. */
void ck_gateway_say(struct ck_gateway *g, const char *event, ...) __attribute__((sentinel));
/* Prometheus counters and gauges of the hub: adds to the one of that name, with its labels
 * ("cocket_pulls_total{result=\"denied\"}"). */
void ck_gateway_count(struct ck_gateway *g, const char *metric, int64_t add);
/* Feeds, stored images and tags are looked at again soon, in the background (`POST watch`). */
void ck_gateway_look_again(struct ck_gateway *g);
/* How clients reach the gate, without a slash at the end. */
const char *ck_gateway_url(const struct ck_gateway *g);

/* Where a request leads: what the store calls it. */
struct ck_place {
    bool hosted;            /* pushed here: below gate.internal/ */
    const char *repository; /* "docker.io/library/debian", "gate.internal/hosted/app" */
    const char *upstream;   /* "docker.io"; "gate.internal" */
};
#define CK_HOSTED_HOST "gate.internal"
/* From ns, host and path (reference/gateway.md, 2.1 and 2.5): ?ns= of another registry; the hosted
 * prefix; a Host header that is one of the upstreams; a first component with a dot, a colon or
 * "localhost" is a registry; else docker.io, with library/ where there is one component. What the
 * user is bound to (struct ck_user, repository) is looked at too. False: it has answered
 * (NAME_INVALID; DENIED for an upstream or repository that is not allowed). */
CK_MUST bool ck_place_of(struct ck_call *c, struct ck_place *ret);
/* The same for a call that is not answered; false: nowhere. */
CK_MUST bool ck_place_find(struct ck_call *c, struct ck_place *ret);

/* A hosted repository that the options name as one of artifacts: served without a verdict. */
bool ck_is_unjudged(const struct ck_gateway *g, ck_view repository);

/* Whether the session may; else answers 401 or 403 and returns false. */
CK_MUST bool ck_call_may(struct ck_call *c, uint32_t role);

/* The verdict on an image under a name for this caller, with the rules in force. */
CK_MUST ck_err *ck_call_verdict(struct ck_call *c, ck_view name, const struct ck_digest *d,
                                struct ck_verdict *ret);

/* Whether this caller may have what lies under the digest in that repository now: an image by its
 * verdict, an index unless all of its images that were judged are held back, an artifact as what it
 * belongs to. `name` is what it was asked for by. *ret_verdict says why (or why not); *ret_known is
 * false where an image of the store was never examined, or is not there. */
CK_MUST ck_err *ck_call_judge(struct ck_call *c, ck_view repository, ck_view name,
                              const struct ck_digest *d, struct ck_verdict *ret_verdict,
                              bool *ret_known);
/* Answers with 403 DENIED, the reasons, and where more is said; notes the denied pull. */
void ck_call_deny(struct ck_call *c, ck_view name, const struct ck_digest *d,
                  const struct ck_verdict *v);

/* --- flight.c: at most one fetch and scan an image at a time ---------------------------------- */

/* Has the image (name with tag or digest) fetched and scanned, unless that is under way, and calls
 * `done` (from another thread, once) when it has come out or `wait_ms` are over (then `e` is NULL
 * and `pending`). `done` may ask the store at once for what came out. Where too much is under way:
 * class LIMIT, GATE_FLIGHTS. */
struct ck_flight_result {
    bool pending;
    struct ck_digest digest; /* of what the name means */
    unsigned percent;        /* of a pending one; 0 where not known */
};
CK_MUST ck_err *ck_flight_join(struct ck_gateway *g, const char *name, unsigned wait_ms,
                               void (*done)(void *ctx, ck_err *e,
                                            const struct ck_flight_result *r),
                               void *ctx);
/* An image that is whole in the store but not examined (pushed, imported): scans it, the same
 * way. */
CK_MUST ck_err *ck_flight_scan(struct ck_gateway *g, const struct ck_digest *d, unsigned wait_ms,
                               void (*done)(void *ctx, ck_err *e,
                                            const struct ck_flight_result *r),
                               void *ctx);

/* --- handlers: each answers or keeps the call ------------------------------------------------- */

void ck_auth_ask(struct ck_call *c);     /* auth.c: AUTH, TOKEN */
void ck_manifest_ask(struct ck_call *c); /* manifest.c */
void ck_blob_ask(struct ck_call *c);     /* blob.c */
void ck_listing_ask(struct ck_call *c);  /* listing.c: TAGS, REFERRERS, CATALOG */
void ck_push_ask(struct ck_call *c);     /* push.c, upload.c: UPLOAD_*, MANIFEST_PUT, *_DELETE */
void ck_admit_ask(struct ck_call *c);    /* admit.c: VERDICTS */
void ck_harbor_ask(struct ck_call *c);   /* harbor.c: HARBOR_* */
void ck_explain_ask(struct ck_call *c);  /* explain.c: EXPLAIN */
void ck_pulled_ask(struct ck_call *c);   /* pulls.c: PULLED */
void ck_health_ask(struct ck_call *c);   /* health.c: METRICS, READY */
void ck_api_ask(struct ck_call *c);      /* api.c: API */

struct ck_sessions *ck_logins_new(void);
/* Logins that wait are answered with 503, later ones too. Before the calls they keep are gone. */
void ck_logins_stop(struct ck_sessions *s);
void ck_logins_free(struct ck_sessions *s);
/* False: unknown or expired. user lives in `a`. */
bool ck_session_of(struct ck_gateway *g, uint64_t session, struct ck_arena *a, ck_view *ret_user,
                   uint32_t *ret_roles);
/* A login by a page: a token for the session of a password, which the API's cookie holds. Status
 * 401: the session is none, or rests on such a token itself. */
CK_MUST ck_err *ck_login_begin(struct ck_call *c, char *ret_token); /* CK_SECRET_TEXT bytes */
void ck_login_end(struct ck_gateway *g, ck_view token);
struct ck_uploads *ck_uploads_new(void);
void ck_uploads_free(struct ck_uploads *u); /* those that still come in are given up */
/* Ends uploads and claims that nobody goes on with. The clock calls it, and every push. */
void ck_uploads_tick(struct ck_gateway *g);
/* Whether the blob was pushed to (or mounted in) this repository lately. Who may push there may
 * have it, although no manifest reaches it yet. */
bool ck_upload_claimed(struct ck_gateway *g, ck_view repository, const struct ck_digest *d);
/* Whether the account may push, whatever the token at hand is for: clients ask whether a blob is
 * there with one for pulls. */
bool ck_call_is_pusher(struct ck_call *c);
struct ck_harbor *ck_harbor_new(void);
void ck_harbor_free(struct ck_harbor *h);

#endif
