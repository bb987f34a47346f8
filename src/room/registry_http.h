/* One HTTP exchange of the registry room: where it may go, what of the answer is kept, and how it
 * ended. No redirect is followed and no credential added here.
 */
#ifndef CK_ROOM_REGISTRY_HTTP_H
#define CK_ROOM_REGISTRY_HTTP_H

#include "base/arena.h"
#include "registry/config.h"
#include "registry/protocol.h"
#include "room/net.h"
#include "room/stream.h"

enum ck_http_method { CK_HTTP_GET, CK_HTTP_HEAD, CK_HTTP_POST };

/* What is kept of the headers; in the arena, empty where there was none. */
struct ck_http_answer {
    unsigned status;
    bool has_length;
    uint64_t length; /* Content-Length */
    ck_view content_type, content_length, content_range, location, retry_after, reset, digest;
    ck_view challenge, link; /* several: joined by ", " */
    ck_view warning;         /* several: joined by newlines */
    ck_view body;            /* of what the sink did not take, the first REGISTRY_ERROR bytes */
};

/* Where the body goes. `begin` sees the headers, before any byte of a body; `*ret_take` true: the
 * body goes to `piece`, else into the answer. `piece` NULL: a body that is taken is not read. */
struct ck_http_sink {
    ck_err *(*begin)(void *ctx, const struct ck_http_answer *r, bool *ret_take);
    ck_err *(*piece)(void *ctx, ck_view bytes);
    void *ctx;
};

struct ck_http_request {
    enum ck_http_method method;
    struct ck_url url;
    const char *authorization; /* value of the header, or NULL */
    const char *accept;        /* or NULL */
    ck_view form;              /* POST: application/x-www-form-urlencoded */
    uint64_t from;             /* Range: bytes=FROM- where it is not 0 */
    bool any_address;          /* private ones too */
    bool trusting;             /* TLS without verification */
    bool certificate;          /* the endpoint's client certificate may be shown */
    unsigned seconds;          /* ceiling for all of it; 0: none */
    const struct ck_endpoint *endpoint; /* CA and client certificate */
};

enum ck_http_end {
    CK_HTTP_DONE,      /* a whole answer */
    CK_HTTP_CUT,       /* it broke off: worth another try */
    CK_HTTP_UNREACHED, /* there is no connection to be had */
    CK_HTTP_REFUSED,   /* nobody listens */
    CK_HTTP_NOT_TLS,   /* what listens does not speak TLS */
};

struct ck_http {
    struct ck_net *net;
    struct ck_stream *stream; /* told while the exchange goes on */
    struct ck_arena *arena;
    char error[CURL_ERROR_SIZE]; /* how it ended, where that is not DONE */
};

/* An error is one that no further try mends: an address that is not allowed, a certificate that
 * does not verify, an answer past a limit, what the sink returned. */
CK_MUST ck_err *ck_http_exchange(struct ck_http *h, const struct ck_http_request *q,
                                 const struct ck_http_sink *sink, struct ck_http_answer *ret,
                                 enum ck_http_end *ret_end);

/* "https://host:port/path"; in the arena. */
const char *ck_url_text(const struct ck_url *u, struct ck_arena *a);
/* Without the port where it is the usual one, and without the path: to be shown. */
const char *ck_url_origin(const struct ck_url *u, struct ck_arena *a);
bool ck_url_same_origin(const struct ck_url *a, const struct ck_url *b);
/* A reference (RFC 3986 section 4.2) in the answer from `base`. Class HOSTILE where it is none. */
CK_MUST ck_err *ck_url_resolve(const struct ck_url *base, ck_view reference, struct ck_arena *a,
                               struct ck_url *ret);

/* The proxy that the environment names for `u`, or NULL; as libcurl reads it. We decide and tell
 * libcurl, so that the check of addresses knows whether an address is the proxy's. */
const char *ck_proxy_for(const struct ck_url *u);

#endif
