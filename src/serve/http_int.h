/* Shared by the core of the serve room and the registry's routes.
 *
 * A request belongs to one thread at a time: to a worker of libmicrohttpd, or, while its connection
 * is suspended, to the room's main thread, which receives the answers.
 */
#ifndef CK_SERVE_HTTP_INT_H
#define CK_SERVE_HTTP_INT_H

#include "serve/counts.h"
#include "serve/http.h"
#include "serve/kept.h"
#include "serve/limiter.h"
#include "serve/mhd.h"
#include "serve/peers.h"
#include "serve/sessions.h"
#include "serve/uri.h"

#include <pthread.h>
#include <stdatomic.h>

struct ck_asks;   /* asks.c: the questions that are open, and the packets that wait to be sent */
struct ck_serve {
    const struct ck_mhd *mhd;
    struct ck_serve_config config;
    struct ck_asks *asks;
    struct ck_kept *kept;
    struct ck_sessions *sessions;
    struct ck_limiter *limiter;
    struct ck_peers *peers;
    struct ck_counts counts;
    uint32_t share;             /* connections of one listener of the gate */
    int epoll;                  /* the main thread's */
    atomic_size_t bodies;       /* bytes of bodies in memory, at most SERVE_BODIES */
    pthread_mutex_t waiting_mutex;
    struct ck_request *waiting; /* suspended until a pipe takes more */
    atomic_bool closing;        /* nobody waits any more */
};

struct ck_listener {
    struct ck_serve *serve;
    struct ck_wire_listener kind;
    struct MHD_Daemon *daemon;
    struct ck_listener *next;
};

/* Where a body goes that is not kept in memory. */
struct ck_sink {
    /* Takes some of it; fewer bytes: the connection was suspended and will be resumed. SIZE_MAX: it
     * has replied, what is left of the body is of no use. */
    size_t (*take)(struct ck_request *r, ck_view bytes);
    void (*end)(struct ck_request *r);  /* it is whole: asks or replies */
    void (*gone)(struct ck_request *r); /* instead of end: the client went away, or broke off */
};

enum ck_stage { CK_FRESH, CK_WORKING, CK_BODY_NEXT, CK_BODY, CK_ENDING };

struct ck_request {
    struct ck_serve *serve;
    struct ck_listener *listener;
    struct MHD_Connection *conn;
    struct ck_peer *peer;
    struct ck_arena arena;
    const char *wrong; /* with the target */
    ck_view path;
    struct ck_params params;
    enum ck_method method;
    const struct ck_route *route;
    enum ck_stage stage;
    enum ck_label label;
    int64_t began; /* microseconds */

    uint64_t session;
    uint32_t roles;
    bool authorized; /* by an Authorization header, which no other page's script can set */
    ck_view agent, host;

    bool has_length, chunked, malformed;
    bool past_head; /* of libmicrohttpd's state: its next call is for the body or the end */
    uint64_t length, discarded;
    const struct ck_sink *sink;
    struct ck_buf body;
    size_t reserved; /* of serve->bodies */
    int body_fd;     /* the sink's: a pipe or sealed memory; -1 */
    void *state;     /* the handler's, in the arena */
    struct ck_request *waiting_next;

    struct ck_buf packet; /* the question that is about to be sent */
    int packet_fd;
    void (*done)(struct ck_request *r, void *ctx, struct ck_answer *w);
    void *done_ctx;
    uint16_t unasked; /* instead of asking: the status */

    struct MHD_Response *response;
    struct ck_kept_entry *kept; /* whose response it is; NULL: it is our own */
    unsigned status;
    uint64_t sent; /* bytes of the body */
    uint8_t raw[]; /* the target */
};

/* --- replies: reply.c ------------------------------------------------------------------------- */

/* Takes over `response`, of `size` bytes. */
void ck_request_respond(struct ck_request *r, unsigned status, struct MHD_Response *response,
                        uint64_t size);
void ck_response_header(struct ck_serve *s, struct MHD_Response *response, const char *name,
                        ck_view value);
/* Copies; a header "X-Content-Type-Options: nosniff" is in it, and Content-Type where not NULL. */
struct MHD_Response *ck_response_new(struct ck_serve *s, const char *content_type, ck_view body);
/* A registry's error. */
void ck_request_refuse(struct ck_request *r, unsigned status, enum ck_oci_error code,
                       const char *message);
/* What the hub said that is no success. */
void ck_request_fail(struct ck_request *r, const struct ck_answer *w);
/* 401 with the challenge that fits the path. */
void ck_request_challenge(struct ck_request *r, const char *message);
/* Of the HTTP API, whose errors are its own. */
bool ck_request_is_api(const struct ck_request *r);
/* Headers that every answer of a registry has. */
void ck_registry_headers(struct ck_serve *s, struct MHD_Response *response);
/* Bytes of an answer, from its body or its descriptor, in the arena. False: has replied. */
bool ck_request_answer_bytes(struct ck_request *r, struct ck_answer *w, size_t max, ck_view *ret);

/* --- bodies: http.c, sink.c ------------------------------------------------------------------- */

bool ck_request_has_body(const struct ck_request *r);
/* The body is read now, into `sink`. */
void ck_request_receive(struct ck_request *r, const struct ck_sink *sink);
/* In a sink's `take`: suspends the connection until the pipe body_fd takes more. */
void ck_request_await_pipe(struct ck_request *r);
/* Closes body_fd. */
void ck_request_close_body(struct ck_request *r);
/* Of the budget for bodies in memory; false: there is no more. Given back with the request. */
bool ck_request_reserve(struct ck_request *r, size_t n);
/* The main thread: pipes take more (or all of them, on the way out). */
void ck_serve_resume(struct ck_serve *s, struct ck_request *r);
void ck_serve_resume_all(struct ck_serve *s);

/* --- questions: asks.c ------------------------------------------------------------------------ */

struct ck_asks *ck_asks_new(int wire, int wake, size_t most);
void ck_asks_free(struct ck_asks *a);
/* A question of nobody's, whose answer nobody reads. */
void ck_asks_tell(struct ck_serve *s, struct ck_ask *q, bool answered);
/* Sends the packet that the request holds: 0, or the status that comes instead of an answer. From a
 * worker the connection is suspended first; afterwards the request is the main thread's. */
uint16_t ck_asks_send(struct ck_request *r, bool suspend);
/* Whom an answer is for; NULL: nobody any more. Class HOSTILE: there is no such question. */
CK_MUST ck_err *ck_asks_take(struct ck_asks *a, uint32_t id, struct ck_request **ret);
/* Sends what waits; *ret_more: there is more, when the wire is writable. */
CK_MUST ck_err *ck_asks_flush(struct ck_asks *a, bool *ret_more);
/* No more questions; the next open one, or NULL. */
struct ck_request *ck_asks_close(struct ck_asks *a);

/* --- http.c ----------------------------------------------------------------------------------- */

CK_MUST ck_err *ck_http_listen(struct ck_serve *s, const struct ck_wire_listener *kind, int fd,
                               struct ck_listener **list);
/* The main thread: the answer to its question; closes w->fd unless it was taken. */
void ck_http_answer(struct ck_request *r, struct ck_answer *w);
void ck_http_quiesce(struct ck_listener *list);
void ck_http_stop(struct ck_listener *list);


/* --- registry.c, upload.c, token.c ------------------------------------------------------------ */

struct ck_at;
void ck_upload_handle(struct ck_request *r, const struct ck_at *at);
/* Fills in ns, host, repository, reference. */
struct ck_ask ck_registry_ask(struct ck_request *r, const struct ck_at *at, enum ck_ask_kind kind);
void ck_token_get(struct ck_request *r);
void ck_token_post(struct ck_request *r);

#endif
