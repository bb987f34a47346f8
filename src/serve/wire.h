/* The words between the serve room, which speaks HTTP, and the hub's gateway, which decides.
 *
 * A socket pair (SOCK_SEQPACKET) carries them both ways, one packet a message, with at most one
 * descriptor. Any number of questions may be open; answers come in any order. The room knows HTTP
 * and nothing else; the hub parses no byte of HTTP, JSON or an image. What does not decode exactly
 * ends the room (the hub starts another) or, from the hub, the program.
 */
#ifndef CK_SERVE_WIRE_H
#define CK_SERVE_WIRE_H

#include "base/arena.h"
#include "base/buf.h"
#include "image/digest.h"

enum { CK_WIRE_PACKET = 65536, CK_WIRE_BODY = 32768, CK_WIRE_WORDS = 256 };

enum ck_wire_type {
    CK_WIRE_ASK,        /* room -> hub */
    CK_WIRE_ANSWER,     /* hub -> room */
    CK_WIRE_LISTENER,   /* hub -> room: struct ck_wire_listener, with the listening socket */
    CK_WIRE_OPEN,       /* hub -> room: all listeners are there: begin */
    CK_WIRE_FORGET,     /* hub -> room: answers that were to be kept count no more */
    CK_WIRE_DRAIN,      /* hub -> room: accept nothing more, finish what is open, end */
    CK_WIRE_TYPE_COUNT_
};

enum ck_ask_kind {
    /* Who is it. words[0]: the Authorization header's value. Answer: 200 with session, roles,
     * message (the user's name), keep_ms; or 401. */
    CK_ASK_AUTH,
    /* A bearer token for this session. words: scopes as asked ("repository:a/b:pull,push").
     * Answer: body is the JSON of the token protocol. */
    CK_ASK_TOKEN,
    /* GET and HEAD of a manifest: ns, host, repository, reference. Answer: 200 with digest,
     * content_type, size, and fd (its bytes); 403, 404, 429 with retry_after, 502, 503. */
    CK_ASK_MANIFEST,
    /* reference: the digest. Answer: 200 with digest, size, fd; 403, 404. */
    CK_ASK_BLOB,
    CK_ASK_TAGS,      /* n, last. Answer: 200, JSON in body or fd; link: the next page's `last` */
    CK_ASK_REFERRERS, /* reference: the digest; artifact_type. Answer: JSON; filtered */
    CK_ASK_CATALOG,   /* n, last */
    /* Answer: 202, upload; 201 with digest where a mount (reference: digest, from) succeeded. */
    CK_ASK_UPLOAD_START,
    /* The room has bytes: has_range, first, length as Content-Range says. Answer: 100 with fd, a
     * pipe that takes them; or 404, 416 with offset. One at a time an upload. */
    CK_ASK_UPLOAD_DATA,
    /* The pipe is closed after `length` bytes; words[0] "abort": the client went away, they do not
     * count. Answer: 202 with upload, offset. */
    CK_ASK_UPLOAD_END,
    CK_ASK_UPLOAD_STATUS, /* Answer: 204, offset */
    CK_ASK_UPLOAD_FINISH, /* reference: the digest. Answer: 201 with digest; 400 */
    CK_ASK_UPLOAD_CANCEL, /* Answer: 204 */
    /* reference: tag or digest; words: further tags; content_type; fd: sealed memory with the
     * bytes. Answer: 201 with digest, subject */
    CK_ASK_MANIFEST_PUT,
    CK_ASK_MANIFEST_DELETE, /* reference: tag or digest. Answer: 202 */
    CK_ASK_BLOB_DELETE,
    /* Why: reference is a digest, or repository and reference. Answer: 200, JSON: what is known,
     * the verdict with all reasons, whether work goes on. */
    CK_ASK_EXPLAIN,
    /* Admission: words are image references as typed in a pod; namespace_; first: milliseconds
     * that there are to wait. Answer: 200, body or fd: JSON array in the same order, objects with
     * "image", "decision", "digest" (the image is pinned to it), "reasons": [], "warnings": []. */
    CK_ASK_VERDICTS,
    /* The image verifier and the docker plugin ask by digest too: words as above,
       "NAME@sha256:...". */
    /* words: registry URL, its Authorization, repository, digest. 202: message is the scan's id.
     * No words: 200, message is when the database was built (RFC 3339), or empty. */
    CK_ASK_HARBOR_SCAN,
    /* words: the id; "harbor" or "raw", which report. 200: body or fd; 202 retry_after; 404; 500
     * message */
    CK_ASK_HARBOR_REPORT,
    CK_ASK_METRICS, /* Answer: body or fd: lines of the hub's own metrics */
    CK_ASK_READY,   /* 200 or 503 with message */
    /* What the room gave out by itself, of kept answers, to one client of one session: ns, host and
     * repository as they were asked for; words are "manifest|blob REPOSITORY@REFERENCE DIGEST
     * COUNT". No answer. */
    CK_ASK_PULLED,
    /* The HTTP API (doc/openapi.json). words[0]: "GET", "POST" or "DELETE"; words[1]: the path
     * below /api/v1/; then "name=text", "name:=12", "name[]=text" for each parameter of the query,
     * or each member of the body; fd: sealed memory with the `length` bytes of its member "yaml".
     * Answer: content_type, body or fd; 405 with link: the methods. POST login: upload is the
     * cookie that stands for the session from now on; POST logout takes it as "token=...". */
    CK_ASK_API,
    CK_ASK_KIND_COUNT_
};

struct ck_ask {
    uint32_t id; /* the room's; not 0 */
    enum ck_ask_kind kind;
    uint64_t session; /* from AUTH; 0: anonymous */
    ck_view client;   /* the peer's address, without port; empty: a unix socket */
    ck_view agent;    /* User-Agent, at most 256 bytes */
    bool head;
    ck_view ns;         /* ?ns=, or empty */
    ck_view host;       /* Host header, without port */
    ck_view repository; /* as in the path, of the grammar of names */
    ck_view reference;  /* tag or digest, of their grammar */
    ck_view content_type, artifact_type, from, last, namespace_, upload;
    bool has_n, has_range;
    uint64_t n, first, length;
    ck_view *words;
    size_t n_words;
    int fd; /* -1: none; the receiver owns it */
};

enum ck_oci_error { /* distribution-spec, "Error Codes" */
    CK_OCI_NONE, CK_OCI_BLOB_UNKNOWN, CK_OCI_BLOB_UPLOAD_INVALID, CK_OCI_BLOB_UPLOAD_UNKNOWN,
    CK_OCI_DIGEST_INVALID, CK_OCI_MANIFEST_BLOB_UNKNOWN, CK_OCI_MANIFEST_INVALID,
    CK_OCI_MANIFEST_UNKNOWN, CK_OCI_NAME_INVALID, CK_OCI_NAME_UNKNOWN, CK_OCI_SIZE_INVALID,
    CK_OCI_UNAUTHORIZED, CK_OCI_DENIED, CK_OCI_UNSUPPORTED, CK_OCI_TOOMANYREQUESTS,
    CK_OCI_UNKNOWN, CK_OCI_ERROR_COUNT_
};
const char *ck_oci_error_name(enum ck_oci_error e);

enum { CK_ROLE_PULL = 1, CK_ROLE_PUSH = 2, CK_ROLE_RELEASE = 4, CK_ROLE_ADMIN = 8 };

struct ck_answer {
    uint32_t id;
    uint16_t status; /* of HTTP */
    enum ck_oci_error code;
    ck_view message; /* one line for a person, escaped, at most 2048 bytes */
    ck_view explain; /* path on this gate where more is said: "/explain/sha256:..." */
    ck_view content_type, ns, location, upload, link, warning;
    bool has_digest, has_subject, filtered;
    struct ck_digest digest, subject;
    uint64_t size, offset;
    uint32_t retry_after; /* seconds; 0: none */
    uint32_t keep_ms; /* the room may give the same answer to the same question of the same session
                         for so long, unless FORGET comes; 0: not at all */
    uint64_t session;
    uint32_t roles;
    ck_view body; /* at most CK_WIRE_BODY; more goes through fd */
    int fd;       /* -1: none; `size` bytes of a file from its start; the receiver owns it */
};

struct ck_wire_listener {
    bool tls, local; /* local: a unix socket */
    enum ck_wire_routes {
        CK_ROUTES_GATE,    /* the registry, admission, Harbor, explain, healthz, readyz, metrics */
        CK_ROUTES_METRICS, /* metrics, healthz and readyz only, without credentials */
        CK_ROUTES_DOCKER,  /* Docker's authorization plugin */
        CK_ROUTES_COUNT_
    } routes;
};

/* The serve room's job (CK_MSG_JOB's payload; its descriptor is the wire). */
struct ck_serve_config {
    ck_view certificate, key; /* PEM; empty: no listener has tls */
    ck_view url;              /* how clients reach the gate: "https://gate.example:5443", no slash
                                 at the end */
    ck_view service;          /* of the token protocol */
    bool anonymous_pull;
    bool head_deny_405;       /* a denied HEAD is answered with 405, for containerd before 2.2 */
    uint32_t threads;         /* 0: as many as cores */
    uint32_t connections, connections_per_client;
    uint32_t requests_per_second; /* of one client address, with a burst of ten times that; 0: no
                                     limit */
    uint32_t idle_seconds;
    uint32_t drain_seconds;
};
void ck_serve_config_encode(const struct ck_serve_config *c, struct ck_buf *out);
CK_MUST ck_err *ck_serve_config_decode(ck_view bytes, struct ck_serve_config *ret);

/* What the decoders hold every packet to, for those who send: enums, counts, the limits of each
 * field (SERVE_AGENT, SERVE_MESSAGE, REGISTRY_NAME, HTTP_FIELD), the grammars of names, and no
 * control character in anything that may become part of a header. */
bool ck_ask_sound(const struct ck_ask *q);

/* Encoding appends a whole packet (type first); a message or warning that is too long is cut.
 * Decoders check that it is sound and that nothing is left over; views point into the packet,
 * arrays into `a`. The descriptor comes beside it: fd is -1. */
void ck_ask_encode(const struct ck_ask *q, struct ck_buf *out);
CK_MUST ck_err *ck_ask_decode(ck_view packet, struct ck_arena *a, struct ck_ask *ret);
void ck_answer_encode(const struct ck_answer *w, struct ck_buf *out);
CK_MUST ck_err *ck_answer_decode(ck_view packet, struct ck_answer *ret);
void ck_wire_listener_encode(const struct ck_wire_listener *l, struct ck_buf *out);
CK_MUST ck_err *ck_wire_listener_decode(ck_view packet, struct ck_wire_listener *ret);
void ck_wire_word_encode(enum ck_wire_type t, struct ck_buf *out); /* OPEN, FORGET, DRAIN */
CK_MUST ck_err *ck_wire_type_of(ck_view packet, enum ck_wire_type *ret);

/* Sends one packet, with fd or -1 (which stays the caller's). Blocks. Class OURS when the other
 * end is gone. Any thread; packets are whole. */
CK_MUST ck_err *ck_wire_send(int socket, ck_view packet, int fd);
/* The same without waiting: *ret_sent is false where the other end has too much to read. */
CK_MUST ck_err *ck_wire_try_send(int socket, ck_view packet, int fd, bool *ret_sent);
/* Receives one into `frame` (CK_WIRE_PACKET bytes); blocks. *ret_fd is the caller's, or -1.
 * *ret_end: the other end is closed, there is no packet. Class HOSTILE: longer than a packet, or
 * more than one descriptor. */
CK_MUST ck_err *ck_wire_receive(int socket, uint8_t *frame, ck_view *ret, int *ret_fd,
                                bool *ret_end);

#endif
