#include "serve/room.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"
#include "serve/pulls.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { LISTENERS = 16, TICK_MS = 1000, DRAIN_TICK_MS = 50, PROGRESS_MS = 10000,
       DRAIN_IDLE_MS = 100, PRESSED_IDLE_MS = 2000, LAST_WORDS_MS = 1000 };

struct room {
    struct ck_serve s;
    int wire, wake;
    struct {
        struct ck_wire_listener kind;
        int fd;
    } given[LISTENERS]; /* until OPEN */
    size_t n_given;
    struct ck_listener *listeners;
    bool open, draining, ended;
    int64_t drained_by, ticked, told; /* ms */
    uint8_t frame[CK_WIRE_PACKET];
};

ck_err *ck_room_serve_load(void **ret_state) { return ck_mhd_load(ret_state); }

/* --- what the hub says ------------------------------------------------------------------------ */

static ck_err *take_listener(struct room *o, ck_view packet, int fd)
{
    struct ck_wire_listener kind;
    CK_TRY(ck_wire_listener_decode(packet, &kind));
    if (fd < 0 || o->open || o->n_given == LISTENERS)
        return ck_err_new(CK_ERR_HOSTILE, "a listener out of turn");
    o->given[o->n_given].kind = kind;
    o->given[o->n_given++].fd = dup(fd);
    return NULL;
}

static ck_err *open_all(struct room *o)
{
    if (o->open)
        return ck_err_new(CK_ERR_HOSTILE, "opened twice");
    o->open = true;
    size_t gates = 0;
    for (size_t i = 0; i < o->n_given; i++)
        gates += o->given[i].kind.routes == CK_ROUTES_GATE;
    o->s.share = o->s.config.connections / (uint32_t)(gates ? gates : 1);
    while (o->n_given) {
        size_t i = --o->n_given;
        ck_err *e = ck_http_listen(&o->s, &o->given[i].kind, o->given[i].fd, &o->listeners);
        if (e) {
            close(o->given[i].fd);
            return e;
        }
    }
    return NULL;
}

static ck_err *take_answer(struct room *o, ck_view packet, int *fd)
{
    struct ck_answer w;
    struct ck_request *r = NULL;
    CK_TRY(ck_answer_decode(packet, &w));
    CK_TRY(ck_asks_take(o->s.asks, w.id, &r));
    w.fd = *fd;
    *fd = -1;
    ck_http_answer(r, &w);
    return NULL;
}

static void forget(struct room *o)
{
    ck_kept_forget(o->s.kept);
    ck_sessions_forget(o->s.sessions);
}

static void drain(struct room *o)
{
    o->draining = true;
    o->drained_by = ck_clock_ms() + (int64_t)o->s.config.drain_seconds * 1000;
    ck_http_quiesce(o->listeners);
}

static ck_err *take_packet(struct room *o, ck_view packet, int *fd)
{
    enum ck_wire_type type;
    CK_TRY(ck_wire_type_of(packet, &type));
    switch (type) {
    case CK_WIRE_ANSWER:
        return take_answer(o, packet, fd);
    case CK_WIRE_LISTENER:
        return take_listener(o, packet, *fd);
    case CK_WIRE_OPEN:
        return open_all(o);
    case CK_WIRE_FORGET:
        forget(o);
        return NULL;
    case CK_WIRE_DRAIN:
        if (!o->draining)
            drain(o);
        return NULL;
    default:
        return ck_err_new(CK_ERR_HOSTILE, "a question from the hub");
    }
}

static ck_err *hear(struct room *o)
{
    ck_view packet;
    int fd = -1;
    CK_TRY(ck_wire_receive(o->wire, o->frame, &packet, &fd, &o->ended));
    if (o->ended)
        return NULL;
    ck_err *e = take_packet(o, packet, &fd);
    if (fd >= 0)
        close(fd);
    return e;
}

/* --- the loop --------------------------------------------------------------------------------- */

static ck_err *watch(struct room *o, int fd, void *what, uint32_t events, int op)
{
    struct epoll_event ev = { .events = events, .data.ptr = what };
    if (epoll_ctl(o->s.epoll, op, fd, &ev) != 0)
        return ck_err_errno(CK_ERR_OURS, "epoll");
    return NULL;
}

static ck_err *flush(struct room *o)
{
    bool more = false;
    CK_TRY(ck_asks_flush(o->s.asks, &more));
    return watch(o, o->wire, &o->wire, EPOLLIN | (more ? EPOLLOUT : 0), EPOLL_CTL_MOD);
}

static ck_err *handle_event(struct room *o, const struct epoll_event *ev)
{
    uint64_t n;
    if (ev->data.ptr == &o->wire) {
        if (ev->events & EPOLLOUT)
            CK_TRY(flush(o));
        return ev->events & ~(uint32_t)EPOLLOUT ? hear(o) : NULL;
    }
    if (ev->data.ptr == &o->wake) {
        if (read(o->wake, &n, sizeof n) < 0)
            return NULL;
        return flush(o);
    }
    ck_serve_resume(&o->s, ev->data.ptr);
    return NULL;
}

/* Connections that do not get on with their request are ended sooner when there are many. */
static void sweep(struct room *o, int64_t now)
{
    size_t n = ck_peers_count(o->s.peers), most = o->s.config.connections;
    int64_t patience = o->draining ? DRAIN_IDLE_MS : n > most - most / 4 ? PRESSED_IDLE_MS
                                                                          : INT64_MAX;
    ck_count(&o->s.counts.swept, ck_peers_sweep(o->s.peers, now, patience));
}

static ck_err *tick(struct room *o, struct ck_channel *ch)
{
    int64_t now = ck_clock_ms();
    if (now - o->ticked < (o->draining ? DRAIN_TICK_MS : TICK_MS))
        return NULL;
    o->ticked = now;
    sweep(o, now);
    ck_pulls_report(&o->s);
    if (now - o->told < PROGRESS_MS)
        return NULL;
    o->told = now;
    return ck_room_progress(ch, atomic_load(&o->s.counts.sent));
}

static bool is_over(const struct room *o)
{
    if (o->ended)
        return true;
    return o->draining && (atomic_load(&o->s.counts.in_flight) == 0 ||
                           ck_clock_ms() >= o->drained_by);
}

static ck_err *loop(struct room *o, struct ck_channel *ch)
{
    struct epoll_event events[64];
    while (!is_over(o)) {
        int n = epoll_wait(o->s.epoll, events, 64, o->draining ? DRAIN_TICK_MS : TICK_MS);
        if (n < 0 && errno != EINTR)
            return ck_err_errno(CK_ERR_OURS, "epoll");
        for (int i = 0; i < n && !o->ended; i++)
            CK_TRY(handle_event(o, &events[i]));
        CK_TRY(tick(o, ch));
    }
    return NULL;
}

/* --- beginning and end ------------------------------------------------------------------------ */

static uint32_t at_most(uint32_t wish, uint64_t most)
{
    return wish && wish < most ? wish : (uint32_t)most;
}

/* A connection takes two descriptors: itself, and a blob that is sent. */
static void settle_config(struct room *o)
{
    struct ck_serve_config *c = &o->s.config;
    uint64_t kept = CK_MAX_SERVE_KEPT_BLOBS + LISTENERS * 128, all = o->s.mhd->descriptors;
    uint64_t most = all > kept + 64 ? (all - kept) / 2 : 64;
    c->connections = at_most(c->connections, most < CK_MAX_SERVE_CONNECTIONS
                                                 ? most : CK_MAX_SERVE_CONNECTIONS);
    c->connections_per_client = at_most(c->connections_per_client, c->connections);
    c->idle_seconds = at_most(c->idle_seconds, 60);
    c->threads = at_most(c->threads, o->s.mhd->cores);
}

static ck_err *begin(struct room *o)
{
    struct ck_serve *s = &o->s;
    settle_config(o);
    pthread_mutex_init(&s->waiting_mutex, NULL);
    s->kept = ck_kept_new(s->mhd->MHD_destroy_response);
    s->sessions = ck_sessions_new();
    s->limiter = ck_limiter_new(s->config.requests_per_second);
    s->peers = ck_peers_new();
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    o->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->asks = ck_asks_new(o->wire, o->wake, (size_t)s->config.connections * 2 + LISTENERS * 64);
    if (s->epoll < 0 || o->wake < 0)
        return ck_err_errno(CK_ERR_OURS, "epoll");
    CK_TRY(watch(o, o->wire, &o->wire, EPOLLIN, EPOLL_CTL_ADD));
    return watch(o, o->wake, &o->wake, EPOLLIN, EPOLL_CTL_ADD);
}

/* What is still open is told so; libmicrohttpd must not stop before everything was resumed. */
static void end(struct room *o)
{
    struct ck_serve *s = &o->s;
    const struct timespec moment = { 0, 10 * 1000 * 1000 };
    struct ck_request *r;
    int64_t by = ck_clock_ms() + LAST_WORDS_MS;
    if (!o->draining)
        ck_http_quiesce(o->listeners);
    do {
        ck_serve_resume_all(s);
        while ((r = ck_asks_close(s->asks))) {
            struct ck_answer w = { .id = 1, .status = 503, .fd = -1, .retry_after = 5,
                                   .message = CK_V("the gate is stopping") };
            ck_http_answer(r, &w);
        }
        if (atomic_load(&s->counts.in_flight) > 0)
            nanosleep(&moment, NULL);
    } while (atomic_load(&s->counts.in_flight) > 0 && ck_clock_ms() < by);
    ck_pulls_report(s);
    ck_http_stop(o->listeners);
    ck_asks_free(s->asks);
    ck_kept_free(s->kept);
    ck_sessions_free(s->sessions);
    ck_limiter_free(s->limiter);
    ck_peers_free(s->peers);
    pthread_mutex_destroy(&s->waiting_mutex);
    close(s->epoll);
    close(o->wake);
    while (o->n_given)
        close(o->given[--o->n_given].fd);
}

ck_err *ck_room_serve(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    struct room *o = ck_new(struct room);
    (void)out;
    o->s.mhd = state;
    o->wire = in;
    ck_err *e = ck_serve_config_decode(job, &o->s.config);
    if (!e) {
        e = begin(o);
        if (!e)
            e = loop(o, ch);
        end(o);
    }
    free(o);
    return e;
}
