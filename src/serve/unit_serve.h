/* The real serve room with a hub that answers by the repository's name, and raw HTTP to it over the
 * loopback. This program is also the room.
 */
#ifndef CK_SERVE_UNIT_SERVE_H
#define CK_SERVE_UNIT_SERVE_H

#include "base/mem.h"
#include "base/unit.h"
#include "proc/spawn.h"
#include "serve/room.h"
#include "serve/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const struct ck_room_body serve_bodies[CK_ROOM_COUNT_] = {
    [CK_ROOM_SERVE] = { .load = ck_room_serve_load, .run = ck_room_serve },
};

enum { MARIA = 7, ROBOT = 8, HELD = 64 };
#define MARIA_BASIC "Basic bWFyaWE6cw=="
#define ROBOT_BASIC "Basic cm9ib3Q6cA=="

struct hub {
    struct ck_room_proc *room;
    int wire;
    uint16_t port, tls_port, metrics_port;
    pthread_t thread, reader;
    bool reading;
    int pipe;             /* of the upload that is under way; -1 */
    int manifest, blob;   /* memory files */
    struct ck_digest manifest_digest, blob_digest;
    char manifest_text[CK_DIGEST_TEXT], blob_text[CK_DIGEST_TEXT];
    size_t manifest_n, blob_n;
    atomic_uint asks[CK_ASK_KIND_COUNT_], aborts, pulled;
    atomic_bool slow_reader, tidy;
    pthread_mutex_t mutex;
    struct ck_buf upload, said; /* bytes of the upload; lines of questions and pulls */
    uint32_t held[HELD];
    size_t n_held;
    bool lost; /* what came did not decode */
};

/* --- answering -------------------------------------------------------------------------------- */

static inline void hub_answer(struct hub *h, const struct ck_ask *q, struct ck_answer *w, int fd)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    w->id = q->id;
    ck_answer_encode(w, &b);
    ck_err_free(ck_wire_send(h->wire, ck_buf_view(&b), fd)); /* the room may have ended */
}

static inline void hub_say(struct hub *h, const char *fmt, ...) CK_PRINTF(2, 3);
static inline void hub_say(struct hub *h, const char *fmt, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&h->mutex);
    ck_put_bytes(&h->said, ck_view_str(line));
    ck_put_u8(&h->said, '\n');
    pthread_mutex_unlock(&h->mutex);
}

static inline bool hub_said(struct hub *h, const char *part)
{
    pthread_mutex_lock(&h->mutex);
    bool found = h->said.n && memmem(h->said.p, h->said.n, part, strlen(part));
    pthread_mutex_unlock(&h->mutex);
    return found;
}

static inline void hub_auth(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 401, .code = CK_OCI_UNAUTHORIZED,
                           .message = CK_V("wrong password") };
    bool maria = ck_view_eq(q->words[0], CK_V(MARIA_BASIC)) ||
                 ck_view_eq(q->words[0], CK_V("Bearer tok"));
    if (maria || ck_view_eq(q->words[0], CK_V(ROBOT_BASIC)))
        w = (struct ck_answer){ .status = 200, .session = maria ? MARIA : ROBOT,
                                .roles = maria ? 15 : CK_ROLE_PULL,
                                .message = maria ? CK_V("maria") : CK_V("robot"),
                                .keep_ms = 60000 };
    hub_answer(h, q, &w, -1);
}

static inline void hub_content(struct hub *h, const struct ck_ask *q)
{
    bool blob = q->kind == CK_ASK_BLOB;
    struct ck_answer w = {
        .status = 200, .has_digest = true, .digest = blob ? h->blob_digest : h->manifest_digest,
        .size = blob ? h->blob_n : h->manifest_n,
        .content_type = blob ? CK_V("") : CK_V("application/vnd.oci.image.manifest.v1+json"),
        .ns = q->ns,
    };
    ck_view name = q->repository;
    int fd = blob ? h->blob : h->manifest;
    if (ck_view_starts(name, CK_V("kept")))
        w.keep_ms = 60000;
    if (ck_view_eq(name, CK_V("warned")))
        w.warning = CK_V("moves in \"May\"");
    if (ck_view_eq(name, CK_V("slow"))) {
        pthread_mutex_lock(&h->mutex);
        if (h->n_held < HELD)
            h->held[h->n_held++] = q->id;
        pthread_mutex_unlock(&h->mutex);
        return;
    }
    if (ck_view_starts(name, CK_V("denied"))) {
        w = (struct ck_answer){ .status = 403, .code = CK_OCI_DENIED,
                                .message = CK_V("rule \"no-critical\": CVE-2024-1"),
                                .explain = CK_V("/explain/sha256:00") };
        if (ck_view_eq(name, CK_V("denied/404")))
            w.status = 404;
        fd = -1;
    } else if (ck_view_eq(name, CK_V("missing"))) {
        w = (struct ck_answer){ .status = 404, .message = CK_V("there is no such thing") };
        fd = -1;
    } else if (ck_view_eq(name, CK_V("busy"))) {
        w = (struct ck_answer){ .status = 429, .retry_after = 7, .message = CK_V("42 % scanned") };
        fd = -1;
    } else if (ck_view_eq(name, CK_V("headless")) && q->head) {
        fd = -1;
    }
    hub_answer(h, q, &w, fd);
}

static inline void hub_release(struct hub *h)
{
    pthread_mutex_lock(&h->mutex);
    for (size_t i = 0; i < h->n_held; i++) {
        struct ck_ask q = { .id = h->held[i] };
        struct ck_answer w = { .status = 200, .has_digest = true, .digest = h->manifest_digest,
                               .size = h->manifest_n, .content_type = CK_V("text/plain") };
        hub_answer(h, &q, &w, h->manifest);
    }
    h->n_held = 0;
    pthread_mutex_unlock(&h->mutex);
}

/* --- uploads ---------------------------------------------------------------------------------- */

static inline void *hub_read(void *ctx)
{
    struct hub *h = ctx;
    uint8_t *p = malloc(65536);
    ssize_t n;
    if (atomic_load(&h->slow_reader))
        usleep(300000);
    while ((n = read(h->pipe, p, 65536)) > 0) {
        pthread_mutex_lock(&h->mutex);
        ck_put_bytes(&h->upload, ck_view_of(p, (size_t)n));
        pthread_mutex_unlock(&h->mutex);
    }
    free(p);
    close(h->pipe);
    return NULL;
}

static inline void hub_take_data(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 100 };
    int fds[2];
    if (h->reading)
        pthread_join(h->reader, NULL);
    h->reading = false;
    if (ck_view_eq(q->repository, CK_V("full"))) {
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        close(fds[0]); /* nobody reads */
    } else if (q->has_range && q->first != h->upload.n) {
        w = (struct ck_answer){ .status = 416, .offset = h->upload.n };
        fds[1] = -1;
    } else {
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        h->pipe = fds[0];
        h->reading = true;
        assert_int_equal(pthread_create(&h->reader, NULL, hub_read, h), 0);
    }
    hub_answer(h, q, &w, fds[1]);
    if (fds[1] >= 0)
        close(fds[1]);
}

static inline void hub_end_data(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 202, .upload = CK_V("up-1") };
    if (h->reading)
        pthread_join(h->reader, NULL);
    h->reading = false;
    if (q->n_words && ck_view_eq(q->words[0], CK_V("abort")))
        atomic_fetch_add(&h->aborts, 1);
    if (ck_view_eq(q->repository, CK_V("full")))
        w = (struct ck_answer){ .status = 507, .message = CK_V("the disk is full") };
    w.offset = h->upload.n;
    hub_answer(h, q, &w, -1);
}

static inline void hub_finish(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 201, .has_digest = true };
    char text[CK_DIGEST_TEXT];
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&h->upload), &w.digest);
    if (!ck_view_eq(ck_view_str(ck_digest_text(&w.digest, text)), q->reference))
        w = (struct ck_answer){ .status = 400, .code = CK_OCI_DIGEST_INVALID,
                                .message = CK_V("another digest") };
    hub_answer(h, q, &w, -1);
}

static inline void hub_take_manifest(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 201, .has_digest = true, .has_subject = true };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    bool sealed = (fcntl(q->fd, F_GET_SEALS) & seals) == seals;
    ssize_t n = pread(q->fd, ck_buf_room(&b, q->length + 1), q->length + 1, 0);
    b.n = n > 0 ? (size_t)n : 0;
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&b), &w.digest);
    if (!sealed || b.n != q->length)
        w = (struct ck_answer){ .status = 500, .message = CK_V("not sealed") };
    hub_answer(h, q, &w, -1);
}

/* --- the rest --------------------------------------------------------------------------------- */

static inline void hub_listing(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 200, .body = CK_V("{\"name\":\"a\",\"tags\":[\"v1\"]}"),
                           .filtered = q->artifact_type.n > 0 };
    if (q->has_n)
        w.link = CK_V("v1 x");
    hub_answer(h, q, &w, -1);
}

static inline void hub_plain(struct hub *h, const struct ck_ask *q, uint16_t status, ck_view body)
{
    struct ck_answer w = { .status = status, .body = body, .upload = CK_V("up-1"), .offset = 5 };
    if (q->kind == CK_ASK_READY)
        w.message = CK_V("no database");
    hub_answer(h, q, &w, -1);
}

static inline void hub_start(struct hub *h, const struct ck_ask *q)
{
    struct ck_answer w = { .status = 202, .upload = CK_V("up-1") };
    ck_buf_clear(&h->upload);
    if (q->reference.n && ck_view_eq(q->from, CK_V("other/one")))
        w = (struct ck_answer){ .status = 201, .has_digest = true, .digest = h->blob_digest };
    hub_answer(h, q, &w, -1);
}

static inline void hub_hear(struct hub *h, const struct ck_ask *q)
{
    atomic_fetch_add(&h->asks[q->kind], 1);
    hub_say(h, "kind=%d ns=%.*s host=%.*s repo=%.*s ref=%.*s client=%.*s agent=%.*s type=%.*s "
            "artifact=%.*s last=%.*s n=%llu session=%llu head=%d from=%.*s words=%zu",
            q->kind, CK_VF(q->ns), CK_VF(q->host), CK_VF(q->repository), CK_VF(q->reference),
            CK_VF(q->client), CK_VF(q->agent), CK_VF(q->content_type), CK_VF(q->artifact_type),
            CK_VF(q->last), (unsigned long long)q->n, (unsigned long long)q->session, q->head,
            CK_VF(q->from), q->n_words);
    switch (q->kind) {
    case CK_ASK_AUTH: hub_auth(h, q); break;
    case CK_ASK_TOKEN:
        hub_plain(h, q, 200, CK_V("{\"token\":\"tok\",\"expires_in\":60}"));
        break;
    case CK_ASK_MANIFEST: case CK_ASK_BLOB: hub_content(h, q); break;
    case CK_ASK_TAGS: case CK_ASK_REFERRERS: case CK_ASK_CATALOG: hub_listing(h, q); break;
    case CK_ASK_UPLOAD_START: hub_start(h, q); break;
    case CK_ASK_UPLOAD_DATA: hub_take_data(h, q); break;
    case CK_ASK_UPLOAD_END: hub_end_data(h, q); break;
    case CK_ASK_UPLOAD_FINISH: hub_finish(h, q); break;
    case CK_ASK_UPLOAD_STATUS: case CK_ASK_UPLOAD_CANCEL: hub_plain(h, q, 204, CK_V("")); break;
    case CK_ASK_MANIFEST_PUT: hub_take_manifest(h, q); break;
    case CK_ASK_MANIFEST_DELETE: case CK_ASK_BLOB_DELETE: hub_plain(h, q, 202, CK_V("")); break;
    case CK_ASK_EXPLAIN:
        hub_plain(h, q, 200, CK_V("{\"why\":\"<script>alert(1)</script>\",\"n\":[1,true,null]}"));
        break;
    case CK_ASK_METRICS: hub_plain(h, q, 200, CK_V("cocket_hub 1\n")); break;
    case CK_ASK_READY: hub_plain(h, q, 503, CK_V("")); break;
    case CK_ASK_PULLED:
        for (size_t i = 0; i < q->n_words; i++) {
            hub_say(h, "PULLED %.*s", CK_VF(q->words[i]));
            uint64_t n = 0;
            size_t at = q->words[i].n;
            while (at > 0 && q->words[i].p[at - 1] != ' ')
                at--;
            assert_true(ck_view_u64(ck_view_from(q->words[i], at), &n));
            atomic_fetch_add(&h->pulled, (unsigned)n);
        }
        break;
    default: hub_plain(h, q, 500, CK_V("")); break;
    }
}

static inline void *hub_run(void *ctx)
{
    struct hub *h = ctx;
    uint8_t *frame = malloc(CK_WIRE_PACKET);
    for (;;) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_ask q;
        ck_view packet;
        bool end = false;
        int fd = -1;
        ck_err *e = ck_wire_receive(h->wire, frame, &packet, &fd, &end);
        if (!e && !end && !(e = ck_ask_decode(packet, &a, &q))) {
            q.fd = fd;
            hub_hear(h, &q);
        }
        if (fd >= 0)
            close(fd);
        h->lost |= e != NULL;
        if (e)
            print_error("%s\n", ck_err_text(e));
        ck_err_free(e);
        if (e || end)
            break;
    }
    free(frame);
    return NULL;
}

/* --- starting and ending ---------------------------------------------------------------------- */

static inline int hub_listen(uint16_t *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4096), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static inline void hub_give(struct hub *h, struct ck_wire_listener kind, uint16_t *ret_port)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    int fd = hub_listen(ret_port);
    ck_wire_listener_encode(&kind, &b);
    assert_ok(ck_wire_send(h->wire, ck_buf_view(&b), fd));
    close(fd);
}

static inline void hub_word(struct hub *h, enum ck_wire_type t)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_wire_word_encode(t, &b);
    assert_ok(ck_wire_send(h->wire, ck_buf_view(&b), -1));
}

static inline int hub_file(size_t n, uint8_t fill, struct ck_digest *ret, char *text)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    int fd = memfd_create("content", MFD_CLOEXEC);
    uint8_t *p = ck_buf_room(&b, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(fill + i % 26);
    b.n = n;
    assert_int_equal(pwrite(fd, b.p, n, 0), (ssize_t)n);
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&b), ret);
    ck_digest_text(ret, text);
    return fd;
}

static inline struct ck_serve_config hub_config(void)
{
    return (struct ck_serve_config){ .url = CK_V("http://gate.example"), .service = CK_V("gate"),
                                     .anonymous_pull = true, .idle_seconds = 2,
                                     .drain_seconds = 3 };
}

static inline struct hub *hub_open(const struct ck_serve_config *c)
{
    struct hub *h = ck_new(struct hub);
    struct ck_room_options o = { .patience_ms = 60000 };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    int pair[2];
    pthread_mutex_init(&h->mutex, NULL);
    h->manifest_n = 2000;
    h->blob_n = 1 << 20;
    h->manifest = hub_file(h->manifest_n, 'a', &h->manifest_digest, h->manifest_text);
    h->blob = hub_file(h->blob_n, 'A', &h->blob_digest, h->blob_text);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    h->wire = pair[0];
    assert_ok(ck_room_start(CK_ROOM_SERVE, &o, &h->room));
    ck_serve_config_encode(c, &job);
    assert_ok(ck_room_job(h->room, ck_buf_view(&job), pair[1], -1));
    close(pair[1]);
    hub_give(h, (struct ck_wire_listener){ .routes = CK_ROUTES_GATE }, &h->port);
    hub_give(h, (struct ck_wire_listener){ .routes = CK_ROUTES_METRICS }, &h->metrics_port);
    if (c->certificate.n)
        hub_give(h, (struct ck_wire_listener){ .tls = true, .routes = CK_ROUTES_GATE },
                 &h->tls_port);
    hub_word(h, CK_WIRE_OPEN);
    assert_int_equal(pthread_create(&h->thread, NULL, hub_run, h), 0);
    return h;
}

/* Drains; the room must end its job well, and have sent nothing that does not decode. */
static inline void hub_close(struct hub *h)
{
    hub_word(h, CK_WIRE_DRAIN);
    assert_ok(ck_room_finish(h->room, NULL));
    shutdown(h->wire, SHUT_RDWR);
    pthread_join(h->thread, NULL);
    if (h->reading)
        pthread_join(h->reader, NULL);
    ck_room_stop(h->room);
    assert_false(h->lost);
    close(h->wire);
    close(h->manifest);
    close(h->blob);
    ck_buf_free(&h->upload);
    ck_buf_free(&h->said);
    free(h);
}

/* --- HTTP ------------------------------------------------------------------------------------- */

static inline int dial_from(uint16_t port, const char *from)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in own = { .sin_family = AF_INET };
    struct timeval patience = { 10, 0 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    inet_pton(AF_INET, from, &own.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}
static inline int dial(uint16_t port) { return dial_from(port, "127.0.0.1"); }

static inline void speak(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* what the other side says to it is what counts */
        p += sent;
        n -= (size_t)sent;
    }
}

/* All until the other side closes, with a NUL. */
static inline char *hear_all(int fd) __attribute__((returns_nonnull));
static inline char *hear_all(int fd)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ssize_t n;
    while ((n = recv(fd, ck_buf_room(&b, 65537), 65536, 0)) > 0)
        b.n += (size_t)n;
    close(fd);
    return ck_buf_steal_str(&b);
}

static inline char *exchange(uint16_t port, const char *bytes, size_t n)
{
    int fd = dial(port);
    speak(fd, bytes, n);
    return hear_all(fd);
}

static inline char *ask_http(uint16_t port, const char *fmt, ...) CK_PRINTF(2, 3);
/* The first line and headers with "\n"; Host, Connection: close and the last empty line come by
 * themselves. */
static inline char *ask_http(uint16_t port, const char *fmt, ...)
{
    char text[16384];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (const char *p = text; *p; p++)
        ck_put_bytes(&b, *p == '\n' ? CK_V("\r\n") : ck_view_of(p, 1));
    ck_put_bytes(&b, CK_V("\r\nHost: gate.example:5000\r\nConnection: close\r\n\r\n"));
    return exchange(port, (const char *)b.p, b.n);
}

static inline int status_of_answer(const char *text)
{
    int status = 0;
    return text && sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static inline const char *body_of(const char *text)
{
    const char *p = strstr(text, "\r\n\r\n");
    return p ? p + 4 : "";
}

static inline bool has_part(const char *text, const char *part)
{
    bool has = text && strstr(text, part);
    if (!has)
        print_error("no \"%s\" in:\n%.2000s\n", part, text ? text : "");
    return has;
}
#define assert_has(text, part) assert_true(has_part(text, part))

static inline bool get_is(uint16_t port, const char *request, int want, const char *part)
{
    ck_autofree char *a = ask_http(port, "%s", request);
    if (status_of_answer(a) != want)
        print_error("%s: not %d but %.300s\n", request, want, a ? a : "");
    return status_of_answer(a) == want && has_part(a, part);
}
/* One request: the status, and a part that must be in the answer. */
#define assert_get(port, request, want, part) assert_true(get_is(port, request, want, part))

#endif
