/* One HTTP exchange of the registry room, over libcurl: no redirects followed, no retries, every
 * answer capped. What it comes back with is the transport's word; nothing is interpreted here but
 * the status line and the headers that are named below.
 */
#ifndef CK_ROOM_HTTP_H
#define CK_ROOM_HTTP_H

#include "base/arena.h"
#include "room/net.h"

struct ck_http_answer;
struct ck_http_request {
    const char *url;
    bool head;
    const char *form; /* POST, application/x-www-form-urlencoded; NULL: GET */
    const char *const *headers; /* "Accept: ..."; NULL-terminated, or NULL */
    const char *authorization;  /* "Bearer ...", "Basic ..." or NULL */
    ck_view ca, client_cert, client_key; /* PEM; empty where there are none */
    bool no_verify;     /* TLS without verification */
    bool public_only;   /* no connection to a private address (ck_address_is_private) */
    bool document;      /* small: has to come within a few minutes as a whole */
    /* The body of a success goes to `body`; that of anything else is kept in the answer, cut.
     * `begin` sees the headers of a success before the first byte, also where there is no body. */
    ck_err *(*begin)(void *ctx, const struct ck_http_answer *a);
    ck_err *(*body)(void *ctx, ck_view piece);
    ck_err *(*tick)(void *ctx); /* about once a second, also while nothing comes */
    void *ctx;
};

struct ck_http_answer {
    unsigned status;
    ck_view content_type; /* without parameters, lower case */
    ck_view digest, link, location, retry_after, content_range, warning;
    ck_view challenges; /* all WWW-Authenticate, joined by ", " */
    bool has_length;
    uint64_t length; /* Content-Length */
    ck_view error_body;
};

/* What a failed exchange means for those who may try again. */
enum ck_http_failure {
    CK_HTTP_FINE,
    CK_HTTP_NO_CONNECTION, /* refused, unreachable */
    CK_HTTP_NO_TLS,        /* the handshake failed otherwise than by its certificate */
    CK_HTTP_BROKEN,        /* began and broke off, or stalled */
    CK_HTTP_FINAL,         /* trying again is of no use: certificate, name, our own refusal */
};

/* Class UNAVAILABLE for what the network did, the class of the callback's error, HOSTILE for
 * headers past their caps. Views of the answer live in `a`. *ret_failure says more, also on
 * error. */
CK_MUST ck_err *ck_http_exchange(struct ck_net *n, const struct ck_http_request *r,
                                 struct ck_arena *a, struct ck_http_answer *ret,
                                 enum ck_http_failure *ret_failure);

#endif
