/* From the start of the gate to its end: listeners, rules, rooms, signals, the clock. */
#include "gateway/core.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
    TURN_MS = 500,          /* the main thread looks at deadlines */
    DRAIN_SECONDS = 30,
    GRACE_MS = 3000,        /* a room that drains gets so long beyond its time */
    BACK_OFF_MS = 200, BACK_OFF_MAX_MS = 10000,
    SETTLED_MS = 60000,     /* a room that lived so long begins anew at the shortest wait */
};

/* What the main thread alone knows. */
struct run {
    struct ck_gateway g;
    struct ck_gateway_core core;
    int signals;
    int64_t restart_at; /* ms; 0: no room is missing */
    int64_t back_off;
    unsigned rooms;     /* started so far */
    bool ending, at_once;
};

const char *ck_gateway_url(const struct ck_gateway *g) { return g->core->url; }

void ck_gateway_wake(struct ck_gateway *g)
{
    uint64_t one = 1;
    ssize_t n = write(g->core->wake, &one, sizeof one);
    (void)n; /* full: it is readable already */
}

void ck_gateway_forget(struct ck_gateway *g)
{
    struct ck_front *fronts[16];
    size_t n = 0;
    pthread_mutex_lock(&g->core->mutex);
    for (struct ck_front *f = g->core->front; f && n < 16; f = f->next) {
        atomic_fetch_add(&f->users, 1);
        fronts[n++] = f;
    }
    pthread_mutex_unlock(&g->core->mutex);
    for (size_t i = 0; i < n; i++) {
        if (!atomic_load(&fronts[i]->over))
            ck_front_word(fronts[i], CK_WIRE_FORGET);
        ck_front_put(fronts[i]);
    }
}

/* --- systemd (sd_notify(3)) ------------------------------------------------------------------- */

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof a.sun_path)
        return;
    memcpy(a.sun_path, path, strlen(path));
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        a.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    ssize_t n = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a, length);
    (void)n; /* nobody listens: nobody is told */
    close(fd);
}

static void notify_reloading(void)
{
    ck_autofree char *text = ck_format("RELOADING=1\nMONOTONIC_USEC=%lld",
                                       (long long)ck_clock_us());
    notify(text);
}

/* --- rooms ------------------------------------------------------------------------------------ */

static unsigned drain_seconds(const struct run *r)
{
    return r->g.o->drain_seconds ? r->g.o->drain_seconds : DRAIN_SECONDS;
}

static ck_err *start_room(struct run *r)
{
    const struct ck_gateway_options *o = r->g.o;
    ck_view url = ck_view_str(r->core.url), service = url;
    for (size_t i = 0; i + 3 <= url.n; i++)
        if (memcmp(url.p + i, "://", 3) == 0)
            service = ck_view_from(url, i + 3);
    struct ck_serve_config config = {
        .certificate = ck_buf_view(&r->core.certificate),
        .key = ck_buf_view(&r->core.key),
        .url = url,
        .service = service,
        .anonymous_pull = o->anonymous_pull,
        .head_deny_405 = o->head_deny_405,
        .connections = o->connections,
        .connections_per_client = o->connections_per_client,
        .requests_per_second = o->requests_per_second,
        .drain_seconds = drain_seconds(r),
    };
    struct ck_front *f = NULL;
    CK_TRY(ck_front_start(&r->g, &config, &f));
    f->number = ++r->rooms;
    pthread_mutex_lock(&r->core.mutex);
    f->next = r->core.front;
    r->core.front = f;
    pthread_mutex_unlock(&r->core.mutex);
    return NULL;
}

static void unlink_front(struct run *r, struct ck_front *f)
{
    pthread_mutex_lock(&r->core.mutex);
    struct ck_front **at = &r->core.front;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    pthread_mutex_unlock(&r->core.mutex);
}

static void drain(struct run *r, struct ck_front *f)
{
    if (f->deadline)
        return;
    f->deadline = ck_clock_ms() + (int64_t)drain_seconds(r) * 1000 + GRACE_MS;
    ck_front_word(f, CK_WIRE_DRAIN);
}

static bool has_room(const struct run *r)
{
    for (const struct ck_front *f = r->core.front; f; f = f->next)
        if (!f->deadline)
            return true;
    return false;
}

static void miss_room(struct run *r, struct ck_front *f)
{
    int64_t now = ck_clock_ms();
    ck_autoerr ck_err *e = ck_front_end(f);
    ck_gateway_count(&r->g, "cocket_room_restarts_total", 1);
    ck_gateway_say(&r->g, "room-ended", "error", e ? ck_err_text(e) : "it has finished", NULL);
    r->back_off = !r->back_off || now - f->started > SETTLED_MS ? BACK_OFF_MS : r->back_off * 2;
    if (r->back_off > BACK_OFF_MAX_MS)
        r->back_off = BACK_OFF_MAX_MS;
    r->restart_at = now + (f->number == 1 || r->back_off == BACK_OFF_MS ? 0 : r->back_off);
}

/* Rooms that have ended, or should have. */
static void look_at_rooms(struct run *r)
{
    for (struct ck_front *f = r->core.front, *next; f; f = next) {
        next = f->next;
        bool late = f->deadline && (ck_clock_ms() >= f->deadline || r->at_once);
        if (!atomic_load(&f->over) && !late)
            continue;
        if (!f->deadline && !r->ending)
            miss_room(r, f);
        if (late && !atomic_load(&f->over))
            ck_gateway_say(&r->g, "drain-over-time", NULL);
        unlink_front(r, f);
        ck_front_stop(f);
    }
}

static void restart(struct run *r)
{
    if (!r->restart_at || r->ending || ck_clock_ms() < r->restart_at)
        return;
    ck_autoerr ck_err *e = start_room(r);
    r->restart_at = e ? ck_clock_ms() + r->back_off : 0;
    ck_gateway_say(&r->g, e ? "room-failed" : "room-started", "error", e ? ck_err_text(e) : "",
                   NULL);
}

/* --- signals ---------------------------------------------------------------------------------- */

static ck_err *read_pem(const char *path, struct ck_buf *out)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_REGISTRY_CA);
    ck_err *e = path ? ck_file_read(path, &b) : NULL;
    if (e) {
        ck_buf_free(&b);
        return ck_err_reclass(e, CK_ERR_USAGE);
    }
    ck_buf_free(out);
    *out = b;
    return NULL;
}

static ck_err *read_credentials(struct run *r)
{
    CK_TRY(read_pem(r->g.o->certificate, &r->core.certificate));
    return read_pem(r->g.o->key, &r->core.key);
}

/* What cannot be read leaves what is in force; the rest is taken. */
static void reload(struct run *r)
{
    notify_reloading();
    ck_autoerr ck_err *policy = ck_rules_reload(&r->g);
    ck_autoerr ck_err *pem = read_credentials(r);
    ck_autoerr ck_err *room = NULL;
    struct ck_front *old = r->core.front;
    if (!pem)
        room = start_room(r);
    if (!pem && !room)
        for (struct ck_front *f = old; f; f = f->next)
            drain(r, f);
    ck_gateway_forget(&r->g);
    bool failed = policy || pem || room;
    ck_gateway_count(&r->g, failed ? "cocket_reloads_total{result=\"failed\"}"
                                   : "cocket_reloads_total{result=\"done\"}", 1);
    ck_gateway_say(&r->g, failed ? "reload-failed" : "reloaded", "policy",
                   policy ? ck_err_text(policy) : "", "certificate", pem ? ck_err_text(pem) : "",
                   "room", room ? ck_err_text(room) : "", NULL);
    if (failed)
        fprintf(stderr, "cocket: reload: what was in force stays: %s\n",
                ck_err_text(policy ? policy : pem ? pem : room));
    notify("READY=1");
}

static void take_signal(struct run *r, uint32_t number)
{
    if (number == SIGHUP) {
        if (!r->ending)
            reload(r);
        return;
    }
    if (r->ending) {
        r->at_once = true;
        return;
    }
    r->ending = true;
    r->restart_at = 0;
    notify("STOPPING=1");
    ck_gateway_say(&r->g, "draining", NULL);
    ck_streams_end(&r->g);
    for (struct ck_front *f = r->core.front; f; f = f->next)
        drain(r, f);
}

static ck_err *catch_signals(int *ret)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* all threads and rooms inherit it */
    *ret = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret < 0 ? ck_err_errno(CK_ERR_OURS, "signalfd") : NULL;
}

static int turn_ms(const struct run *r)
{
    int64_t left = r->restart_at ? r->restart_at - ck_clock_ms() : TURN_MS;
    return left < 0 ? 0 : left > TURN_MS ? TURN_MS : (int)left;
}

/* Until there is no room left, and none is to come. */
static void turn(struct run *r)
{
    struct signalfd_siginfo s;
    struct pollfd p[2] = { { .fd = r->signals, .events = POLLIN },
                           { .fd = r->core.wake, .events = POLLIN } };
    if (poll(p, 2, turn_ms(r)) > 0 && p[1].revents) {
        uint64_t n;
        ssize_t got = read(r->core.wake, &n, sizeof n);
        (void)got; /* calm already */
    }
    while (read(r->signals, &s, sizeof s) == (ssize_t)sizeof s)
        take_signal(r, s.ssi_signo);
    look_at_rooms(r);
    restart(r);
}

/* --- the clock: what nobody asks for ---------------------------------------------------------- */

static void note_store(struct ck_gateway *g, ck_err *e)
{
    bool was = atomic_exchange(&g->core->store_ok, e == NULL);
    if (e && was)
        ck_gateway_say(g, "store-failed", "error", ck_err_text(e), NULL);
    else if (!e && !was)
        ck_gateway_say(g, "store-works-again", NULL);
    ck_err_free(e);
}

/* What another process decided (`cocket deny`) holds at once. */
static void look_at_store(struct ck_gateway *g, int64_t *version)
{
    int64_t now = *version;
    ck_err *e = ck_store_version(g->store, &now);
    if (!e && now != *version)
        ck_gateway_forget(g);
    *version = now;
    note_store(g, e);
}

void ck_gateway_look_at_db(struct ck_gateway *g)
{
    bool changed = false;
    ck_err *e = ck_rules_look(g, &changed);
    if (changed)
        ck_gateway_forget(g);
    if (e || changed)
        ck_gateway_say(g, e ? "database-failed" : "database-opened", "error",
                       e ? ck_err_text(e) : "", NULL);
    ck_err_free(e);
}

static void *clock_main(void *arg)
{
    enum { TICK_NS = 200000000, TICKS_A_SECOND = 5, DB_TICKS = 15 };
    struct ck_gateway *g = arg;
    const struct timespec tick = { .tv_nsec = TICK_NS };
    int64_t version = 0;
    ck_err_free(ck_store_version(g->store, &version));
    for (unsigned i = 1; !atomic_load(&g->core->ending); i++) {
        nanosleep(&tick, NULL);
        look_at_store(g, &version);
        ck_streams_tick(g);
        if (i % TICKS_A_SECOND == 0) {
            ck_pulls_flush(g);
            ck_uploads_tick(g);
        }
        if (i % DB_TICKS == 0)
            ck_gateway_look_at_db(g);
    }
    ck_pulls_flush(g);
    return NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

static char *url_of(const struct ck_gateway_options *o, const struct ck_listeners *l)
{
    size_t i = 0;
    while (i < l->n && (l->v[i].kind.routes != CK_ROUTES_GATE || l->v[i].kind.local))
        i++;
    const char *url = o->url ? o->url : i < l->n ? l->v[i].shown : "http://localhost";
    size_t n = strlen(url);
    while (n && url[n - 1] == '/')
        n--;
    return ck_strndup(url, n);
}

static ck_err *set_up(struct run *r)
{
    struct ck_gateway *g = &r->g;
    CK_TRY(read_credentials(r));
    CK_TRY(ck_listeners_open(g->o, &r->core.listeners));
    r->core.url = url_of(g->o, &r->core.listeners);
    CK_TRY(ck_rules_open(g, &r->core.rules));
    CK_TRY(ck_store_open(g->o->scan.store, &g->store));
    CK_TRY(ck_lease_new(g->store, &g->lease));
    g->sessions = ck_logins_new();
    g->uploads = ck_uploads_new();
    g->harbor = ck_harbor_new();
    r->core.pulls = ck_pulls_new();
    CK_TRY(ck_flights_new(g, &g->flights));
    r->core.surveying = ck_surveying_new();
    r->core.api = ck_api_lanes_new();
    r->core.api_kept = ck_api_kept_new();
    r->core.streams = ck_streams_new();
    r->core.dispatch = ck_dispatch_new();
    CK_TRY(ck_tell_start(g));
    r->core.has_clock = pthread_create(&r->core.clock, NULL, clock_main, g) == 0;
    if (!r->core.has_clock)
        return ck_err_new(CK_ERR_OURS, "not one more thread to be had");
    CK_TRY(ck_watching_new(g, &r->core.watching));
    return start_room(r);
}

static void say_where(struct run *r)
{
    const struct ck_listeners *l = &r->core.listeners;
    if (r->g.o->insecure_http)
        fputs("cocket: WARNING: --insecure-http: passwords and images may cross the network in "
              "the clear\n", stderr);
    for (size_t i = 0; i < r->g.o->n_unjudged; i++) {
        fprintf(stderr, "cocket: WARNING: --unjudged: %s is served without a verdict\n",
                r->g.o->unjudged[i]);
        ck_gateway_say(&r->g, "unjudged", "repositories", r->g.o->unjudged[i], NULL);
    }
    for (size_t i = 0; i < l->n; i++)
        fprintf(stderr, "cocket: serving on %s%s\n", l->v[i].shown,
                l->v[i].kind.routes == CK_ROUTES_METRICS  ? " (metrics)"
                : l->v[i].kind.routes == CK_ROUTES_DOCKER ? " (docker plugin)"
                                                          : "");
    fflush(stderr);
    ck_gateway_say(&r->g, "started", "url", r->core.url, "version",
                   COCKET_VERSION, NULL);
    notify("READY=1");
}

/* In the order in which one may still use the other. */
static void tear_down(struct run *r)
{
    struct ck_gateway *g = &r->g;
    while (r->core.front) {
        struct ck_front *f = r->core.front;
        unlink_front(r, f);
        ck_front_stop(f);
    }
    atomic_store(&r->core.ending, true);
    if (r->core.has_clock)
        pthread_join(r->core.clock, NULL);
    ck_dispatch_end(r->core.dispatch);
    ck_api_lanes_free(r->core.api);
    ck_api_kept_free(r->core.api_kept);
    ck_streams_free(g);
    ck_tell_stop(g);
    ck_logins_stop(g->sessions);
    bool idle = ck_watching_end(r->core.watching);
    idle &= ck_surveying_end(r->core.surveying);
    idle &= ck_flights_free(g->flights);
    ck_listeners_close(&r->core.listeners);
    if (!idle) {
        /* A fetch or scan knows no way to stop. What it has written is whole or not there, and its
         * rooms end with this process. */
        ck_gateway_say(g, "ended", "under-way", "given up", NULL);
        _exit(0);
    }
    ck_uploads_free(g->uploads); /* its threads answer calls */
    ck_dispatch_free(r->core.dispatch);
    ck_harbor_free(g->harbor);
    ck_logins_free(g->sessions);
    ck_pulls_free(r->core.pulls);
    ck_watching_free(r->core.watching);
    ck_surveying_free(r->core.surveying);
    ck_lease_end(g->lease);
    ck_store_close(g->store);
    ck_rules_close(r->core.rules);
    ck_gateway_say(g, "ended", NULL);
    ck_notes_free(r->core.notes);
    ck_buf_free(&r->core.certificate);
    ck_buf_free(&r->core.key);
    free(r->core.url);
    close(r->core.wake);
    close(r->signals);
    pthread_mutex_destroy(&r->core.mutex);
}

ck_err *ck_gateway_run(const struct ck_gateway_options *o)
{
    struct run *r = ck_new(struct run);
    r->g.o = o;
    r->g.core = &r->core;
    r->signals = -1;
    r->core.certificate = r->core.key = ck_buf_new(CK_LIMIT_REGISTRY_CA);
    pthread_mutex_init(&r->core.mutex, NULL);
    atomic_store(&r->core.store_ok, true);
    r->core.notes = ck_notes_new(o->log_fd, o->log_text);
    r->core.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ck_err *e = catch_signals(&r->signals);
    if (!e)
        e = set_up(r);
    if (!e)
        say_where(r);
    while (!e && (has_room(r) || r->restart_at || r->core.front))
        turn(r);
    tear_down(r);
    free(r);
    return e;
}
