/* One HTTP request as those who handle routes see it; libmicrohttpd is behind it (http.c). Nothing
 * here blocks: a handler replies at once, or asks the hub and replies when the answer is there.
 */
#ifndef CK_SERVE_HTTP_H
#define CK_SERVE_HTTP_H

#include "serve/wire.h"

enum ck_method {
    CK_GET = 1, CK_HEAD = 2, CK_POST = 4, CK_PUT = 8, CK_PATCH = 16, CK_DELETE = 32,
};

struct ck_request; /* from its first byte until its reply is out */

struct ck_arena *ck_request_arena(struct ck_request *r); /* lives as long as the request */
enum ck_method ck_request_method(const struct ck_request *r);
ck_view ck_request_path(const struct ck_request *r); /* percent-decoded once, checked: no NUL, no
                                                        control characters, no "//", "." or ".." */
/* Of the query, decoded; false: it is not there. A parameter or header that is there twice is
 * refused
 * before any handler sees the request. */
bool ck_request_query(struct ck_request *r, const char *name, ck_view *ret);
bool ck_request_header(struct ck_request *r, const char *name, ck_view *ret);
/* The whole body, of routes that want one. */
ck_view ck_request_body(const struct ck_request *r);
ck_view ck_request_client(const struct ck_request *r); /* address; empty: a unix socket */
uint64_t ck_request_session(const struct ck_request *r);
uint32_t ck_request_roles(const struct ck_request *r);
ck_view ck_request_user(const struct ck_request *r);

/* Asks the hub; id, session, client and agent are filled in. `done` is called once, from any
 * thread, with
 * the answer (which lives until it returns; its fd is closed then unless it was taken: set to -1).
 * When the
 * hub is gone the answer is 503. */
void ck_request_ask(struct ck_request *r, struct ck_ask *q,
                    void (*done)(struct ck_request *r, void *ctx, struct ck_answer *w), void *ctx);

/* Replies; the request is gone afterwards. body is copied. */
struct ck_reply_header {
    const char *name;
    ck_view value;
};
void ck_request_reply(struct ck_request *r, unsigned status, const char *content_type, ck_view body,
                      const struct ck_reply_header *headers, size_t n_headers);

/* A route. The path is `prefix` and whatever follows it (exact: nothing). */
struct ck_route {
    unsigned methods; /* of enum ck_method */
    const char *prefix;
    bool exact;
    uint32_t role;    /* CK_ROLE_* that the session must have; 0: anybody */
    size_t max_body;  /* bytes; more is 413. 0: no body is read */
    void (*handle)(struct ck_request *r);
};
/* One table a file; http.c joins them. NULL prefix ends. */
extern const struct ck_route ck_registry_routes[];  /* registry.c: /v2/, /token */
extern const struct ck_route ck_admission_routes[]; /* admission.c: /admission/validate,
                                                       /admission/mutate, /imagepolicy */
extern const struct ck_route ck_harbor_routes[];    /* harbor.c: /harbor/api/v1/... */
extern const struct ck_route ck_docker_routes[];    /* docker.c: /Plugin.Activate, /AuthZPlugin.* */
extern const struct ck_route ck_status_routes[];    /* status.c: /explain/, /metrics, /healthz,
                                                       /readyz */

#endif
