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
ck_view ck_request_path(const struct ck_request *r); /* percent-decoded once, checked: no NUL, no
                                                        control characters, no "//", "." or ".." */
/* Of the query, decoded; false: it is not there. A parameter (but scope and tag) or header that is
 * there twice is refused before any handler sees the request. */
bool ck_request_query(struct ck_request *r, const char *name, ck_view *ret);
/* All of that name, at most `max`; returns how many there are. */
size_t ck_request_query_all(struct ck_request *r, const char *name, ck_view *ret, size_t max);
bool ck_request_header(struct ck_request *r, const char *name, ck_view *ret);
/* The whole body, of routes that want one. */
ck_view ck_request_body(const struct ck_request *r);
ck_view ck_request_client(const struct ck_request *r); /* address; empty: a unix socket */

/* Asks the hub; id, session, client and agent are filled in, its fd is taken over. `done` is called
 * once, from any thread, with the answer (which lives until it returns; its fd is closed then
 * unless it was taken: set to -1). When the hub is gone the answer is 503; what cannot be put on
 * the wire is answered with 400. A request has one question open at a time, and a handler asks as
 * its last step. */
void ck_request_ask(struct ck_request *r, struct ck_ask *q,
                    void (*done)(struct ck_request *r, void *ctx, struct ck_answer *w), void *ctx);

/* Replies; the request is gone afterwards. body is copied. Headers of more than 4 KiB are left
 * out. */
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
/* Among `methods`: */
enum {
    CK_ROUTE_OPEN = 1 << 8,    /* nobody is asked who he is: credentials are not looked at */
    CK_ROUTE_STREAMS = 1 << 9, /* the handler comes before the body, which it takes by itself */
};
/* One table a file; http.c joins them. NULL prefix ends. */
extern const struct ck_route ck_registry_routes[];  /* registry.c: /v2/, /token */
extern const struct ck_route ck_status_routes[];    /* status.c: /metrics, /healthz, /readyz */
extern const struct ck_route ck_explain_routes[];   /* status.c: /explain/ */
/* admission.c: /admission/validate, /admission/mutate, /imagepolicy */
extern const struct ck_route ck_admission_routes[];
extern const struct ck_route ck_harbor_routes[];    /* harbor.c: /harbor/api/v1/... */
extern const struct ck_route ck_web_routes[];        /* web.c: /, /ui/, /assets/ */
extern const struct ck_route ck_api_routes[];       /* api.c: /api/v1/... */
extern const struct ck_route ck_docker_routes[];    /* docker.c: /Plugin.Activate, /AuthZPlugin.* */

#endif
