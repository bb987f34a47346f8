#include "gateway/core.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { SEND_SECONDS = 10, WIRE_BUFFER = 1024 * 1024, REASON_MS = 300 };

void ck_front_put(struct ck_front *f)
{
    if (atomic_fetch_sub(&f->users, 1) != 1)
        return;
    close(f->socket);
    free(f);
}

void ck_front_send(struct ck_front *f, ck_view packet, int fd)
{
    ck_err *e = ck_wire_send(f->socket, packet, fd);
    if (!e)
        return;
    /* Gone, which its thread finds too; or it reads no more, and its thread is told. */
    ck_err_free(e);
    atomic_store(&f->at_fault, true);
    shutdown(f->socket, SHUT_RDWR);
}

void ck_front_word(struct ck_front *f, enum ck_wire_type word)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_wire_word_encode(word, &b);
    ck_front_send(f, ck_buf_view(&b), -1);
}

/* --- the thread ------------------------------------------------------------------------------- */

static ck_err *listen_to(struct ck_front *f, uint8_t *frame)
{
    for (;;) {
        ck_view packet;
        int fd = -1;
        bool end = false;
        CK_TRY(ck_wire_receive(f->socket, frame, &packet, &fd, &end));
        if (end)
            return NULL;
        CK_TRY(ck_dispatch_take(f, packet, fd));
    }
}

static void *front_main(void *arg)
{
    struct ck_front *f = arg;
    uint8_t *frame = ck_calloc(1, CK_WIRE_PACKET);
    ck_err *e = listen_to(f, frame);
    free(frame);
    if (e) {
        ck_gateway_say(f->g, "room-broke-protocol", "error", ck_err_text(e), NULL);
        atomic_store(&f->at_fault, true);
        shutdown(f->socket, SHUT_RDWR);
    }
    ck_err_free(e);
    atomic_store(&f->over, true);
    ck_gateway_wake(f->g);
    ck_front_put(f);
    return NULL;
}

/* --- from its start to its end ---------------------------------------------------------------- */

static void give_listeners(struct ck_front *f)
{
    const struct ck_listeners *l = &f->g->core->listeners;
    for (size_t i = 0; i < l->n; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_wire_listener_encode(&l->v[i].kind, &b);
        ck_front_send(f, ck_buf_view(&b), l->v[i].fd);
    }
    ck_front_word(f, CK_WIRE_OPEN);
}

static ck_err *give_job(struct ck_front *f, const struct ck_serve_config *config, int theirs)
{
    struct ck_room_options o = { .no_sandbox = f->g->o->scan.no_sandbox };
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    ck_serve_config_encode(config, &job);
    if (job.n > CK_FRAME_PAYLOAD)
        return ck_err_limit(CK_LIMIT_FRAME, "certificate and key have %zu bytes", job.n);
    CK_TRY(ck_room_start(CK_ROOM_SERVE, &o, &f->room));
    CK_TRY(ck_room_job(f->room, ck_buf_view(&job), theirs, -1));
    atomic_store(&f->users, 2);
    if (pthread_create(&f->thread, NULL, front_main, f) != 0)
        return ck_err_new(CK_ERR_OURS, "not one more thread to be had");
    return NULL;
}

ck_err *ck_front_start(struct ck_gateway *g, const struct ck_serve_config *config,
                       struct ck_front **ret)
{
    int pair[2], size = WIRE_BUFFER;
    struct timeval patience = { .tv_sec = SEND_SECONDS };
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return ck_err_errno(CK_ERR_OURS, "socketpair");
    setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    struct ck_front *f = ck_new(struct ck_front);
    f->g = g;
    f->socket = pair[0];
    f->started = ck_clock_ms();
    ck_err *e = give_job(f, config, pair[1]);
    close(pair[1]);
    if (e) {
        ck_room_stop(f->room);
        close(f->socket);
        free(f);
        return e;
    }
    give_listeners(f);
    *ret = f;
    return NULL;
}

static ck_err *no_piece(void *ctx, ck_view bytes)
{
    (void)ctx;
    return ck_err_new(CK_ERR_HOSTILE, "the serve room says %zu bytes more than it should",
                      bytes.n);
}

ck_err *ck_front_end(struct ck_front *f)
{
    const struct ck_room_consumer c = { .piece = no_piece };
    struct pollfd p = { .fd = ck_room_fd(f->room), .events = POLLIN };
    bool done = false;
    while (!done && poll(&p, 1, REASON_MS) > 0)
        CK_TRY(ck_room_step(f->room, &c, &done));
    return done ? NULL : ck_err_new(CK_ERR_OURS, "the serve room has closed the wire");
}

void ck_front_stop(struct ck_front *f)
{
    shutdown(f->socket, SHUT_RDWR);
    ck_room_stop(f->room);
    pthread_join(f->thread, NULL);
    ck_front_put(f);
}
