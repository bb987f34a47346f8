/* Looking again, behind what clients wait for: whenever the database is another one, and where the
 * gate is to do so by itself, every so often with fresh feeds and the upstreams' tags. What changed
 * is in the books at once, so the next question is answered by it.
 */
#include "gateway/watching.h"

#include "base/clock.h"
#include "base/file.h"
#include "gateway/flights.h"
#include "store/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct ck_watching {
    pthread_t thread;
    bool has_thread;
    atomic_bool now;      /* somebody wants it at once */
    int64_t built;        /* of the database that was last looked with */
    int64_t next_ms;      /* when the next whole round is due */
    int64_t retry_ms;     /* not before: the last one failed, or somebody else was at it */
    struct ck_digest *unknown; /* images without an inventory, each scanned once */
    size_t n_unknown, at_unknown;
    struct ck_arena arena; /* of `unknown` */
    pthread_mutex_t mutex; /* over the rest: */
    struct ck_watching_state state;
};

void ck_gateway_look_again(struct ck_gateway *g)
{
    atomic_store(&g->core->watching->now, true);
}

/* --- how far it is ---------------------------------------------------------------------------- */

void ck_watching_look(struct ck_gateway *g, struct ck_watching_state *ret)
{
    struct ck_watching *w = g->core->watching;
    pthread_mutex_lock(&w->mutex);
    *ret = w->state;
    pthread_mutex_unlock(&w->mutex);
    if (ret->running || !atomic_load(&w->now))
        return;
    ret->running = true;
    ret->phase = "waiting";
    ret->done = ret->total = 0;
}

static void on_progress(void *ctx, enum ck_watch_phase phase, uint64_t done, uint64_t total)
{
    struct ck_watching *w = ((struct ck_gateway *)ctx)->core->watching;
    pthread_mutex_lock(&w->mutex);
    w->state.running = true;
    w->state.phase = ck_watch_phase_name(phase);
    w->state.done = done;
    w->state.total = total;
    pthread_mutex_unlock(&w->mutex);
}

static void on_feeds(void *ctx, size_t done, size_t total)
{
    on_progress(ctx, done < total ? CK_WATCH_FEEDS : CK_WATCH_DATABASE, done < total ? done : 0,
                done < total ? total : 0);
}

static void end_progress(struct ck_watching *w, const struct ck_watch_counts *c, bool failed)
{
    pthread_mutex_lock(&w->mutex);
    w->state = (struct ck_watching_state){ .rounds = w->state.rounds + 1, .ended = time(NULL),
                                           .failed = failed, .counts = *c };
    pthread_mutex_unlock(&w->mutex);
}

/* --- what is said ----------------------------------------------------------------------------- */

static void on_note(void *ctx, const char *text)
{
    ck_gateway_say(ctx, "watch-note", "text", text, NULL);
}

/* As a flight, which finds that it cannot be matched. */
static void on_stale(void *ctx, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    ck_flights_start(ctx, CK_FLIGHT_SCAN, ck_digest_text(d, text));
}

static ck_err *say_event(void *ctx, const struct ck_event *e)
{
    struct ck_gateway *g = ctx;
    ck_autoarena struct ck_arena a = { 0 };
    ck_gateway_say(g, (const char *)ck_arena_dup(&a, e->kind).p, "digest",
                   (const char *)ck_arena_dup(&a, e->image).p, "name",
                   (const char *)ck_arena_dup(&a, e->name).p, "text",
                   (const char *)ck_arena_dup(&a, e->summary).p, NULL);
    return NULL;
}

static const char *number(struct ck_arena *a, uint64_t n)
{
    return ck_arena_format(a, "%llu", (unsigned long long)n);
}

static void say_round(struct ck_gateway *g, const struct ck_watch_counts *c, int64_t began,
                      const ck_err *e)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct { const char *metric; uint64_t n; } counts[] = {
        { "cocket_watch_matched_total", c->matched },
        { "cocket_watch_changed_total", c->changed },
        { "cocket_watch_withdrawn_total", c->withdrawn },
        { "cocket_watch_moved_total", c->moved },
        { "cocket_watch_unmatched_total", c->without + c->stale },
        { "cocket_watch_feeds_failed_total", c->feeds_failed },
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ck_gateway_count(g, counts[i].metric, (int64_t)counts[i].n);
    ck_gateway_count(g, e ? "cocket_watch_rounds_total{result=\"failed\"}"
                          : "cocket_watch_rounds_total{result=\"done\"}", 1);
    ck_gateway_say(g, e ? "watch-failed" : "watched", "matched", number(&a, c->matched), "changed",
                   number(&a, c->changed), "withdrawn", number(&a, c->withdrawn), "moved",
                   number(&a, c->moved), "bases", number(&a, c->bases),
                   "without-inventory", number(&a, c->without), "other-version",
                   number(&a, c->stale), "tags-not-had", number(&a, c->unasked), "ms",
                   number(&a, (uint64_t)(ck_clock_ms() - began)), "error", e ? ck_err_text(e) : "",
                   NULL);
}

/* --- images from before there were inventories ------------------------------------------------ */

static void find_unknown(struct ck_gateway *g)
{
    struct ck_watching *w = g->core->watching;
    ck_arena_free(&w->arena);
    w->arena = (struct ck_arena){ 0 };
    w->n_unknown = w->at_unknown = 0;
    ck_err_free(ck_store_without_inventory(g->store, &w->arena, &w->unknown, &w->n_unknown));
}

/* --- a round ---------------------------------------------------------------------------------- */

static char *db_path(const struct ck_gateway *g)
{
    return g->o->db ? ck_strndup(g->o->db, strlen(g->o->db))
                    : ck_xdg_path(CK_XDG_DATA, "advisory.db");
}

/* Feeds that cannot be had are no reason not to look. */
static void update(struct ck_gateway *g, struct ck_watch_counts *c)
{
    struct ck_feed_specs configured = { 0 };
    struct ck_update_options u = { .no_sandbox = g->o->scan.no_sandbox, .now = time(NULL),
                                   .note = on_note, .feeds = on_feeds, .ctx = g };
    ck_autofree char *path = db_path(g);
    ck_err *e = path ? ck_watch_feeds(g->store, &configured, &u, path, u.now, c)
                     : ck_err_new(CK_ERR_USAGE, "nothing says where the database is");
    if (e)
        on_note(g, ck_err_text(e));
    ck_err_free(e);
    ck_gateway_look_at_db(g);
}

static ck_err *look_with(struct ck_gateway *g, const struct ck_watch_options *o, bool whole,
                         struct ck_watch_counts *c)
{
    struct ck_watch_tags tags = { .remote = g->o->scan.remote,
                                  .every = g->o->watch_ms / 1000,
                                  .upstreams = g->o->upstreams,
                                  .n_upstreams = g->o->n_upstreams };
    on_progress(g, CK_WATCH_MATCHES, 0, 0);
    CK_TRY(ck_watch_rematch(g->store, o, c));
    if (whole) {
        on_progress(g, CK_WATCH_TAGS, 0, 0);
        CK_TRY(ck_watch_tags(g->store, &tags, o, c));
    }
    on_progress(g, CK_WATCH_BASES, 0, 0);
    return ck_watch_bases(g->store, o, c);
}

static ck_err *look(struct ck_gateway *g, bool whole, struct ck_watch_counts *c)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t after = 0;
    CK_TRY(ck_store_last_event(g->store, &after));
    if (whole)
        update(g, c);
    struct ck_rules *r = ck_rules_get(g);
    struct ck_watch_options o = {
        .store = ck_store_dir(g->store), .db = r->db, .policy = r->policy, .now = time(NULL),
        .threads = cores > 3 ? (unsigned)cores / 2 : 1, /* clients come first */
        .stop = &g->core->ending, .note = on_note, .stale = on_stale,
        .progress = on_progress, .ctx = g,
    };
    ck_err *e = look_with(g, &o, whole, c);
    if (!e)
        g->core->watching->built = r->db ? ck_db_built(r->db) : 0;
    ck_rules_put(r);
    struct ck_event_filter f = { .after = after };
    return e ? e : ck_store_events(g->store, &f, say_event, g);
}

/* Another process may be at it: its work is in the books then, and the next turn finds little. Who
 * asked for a whole round gets one all the same. */
static void round_of(struct ck_gateway *g, bool whole)
{
    enum { RETRY_MS = 5000 };
    struct ck_watch_counts c = { 0 };
    struct ck_watching *w = g->core->watching;
    int lock = -1;
    int64_t began = ck_clock_ms();
    ck_err *e = ck_watch_lock(g->store, &lock);
    w->retry_ms = e || lock < 0 ? began + RETRY_MS : 0;
    if (!e && lock < 0) {
        if (whole)
            atomic_store(&w->now, true);
        return;
    }
    if (!e)
        e = look(g, whole, &c);
    if (lock >= 0)
        close(lock);
    find_unknown(g);
    c.without = w->n_unknown;
    say_round(g, &c, began, e);
    end_progress(w, &c, e != NULL);
    ck_gateway_forget(g);
    if (whole)
        w->next_ms = began + g->o->watch_ms;
    if (e)
        w->retry_ms = ck_clock_ms() + RETRY_MS;
    ck_err_free(e);
}

/* A few at a time, as any scan that nobody waits for. */
static void scan_unknown(struct ck_gateway *g)
{
    enum { AT_A_TIME = 8 };
    struct ck_watching *w = g->core->watching;
    if (ck_flights_count(g->flights).queued)
        return;
    for (int i = 0; i < AT_A_TIME && w->at_unknown < w->n_unknown; i++) {
        char text[CK_DIGEST_TEXT];
        ck_flights_start(g, CK_FLIGHT_SCAN, ck_digest_text(&w->unknown[w->at_unknown++], text));
    }
}

/* --- the thread ------------------------------------------------------------------------------- */

static int64_t built_now(struct ck_gateway *g)
{
    struct ck_rules *r = ck_rules_get(g);
    int64_t built = r->db ? ck_db_built(r->db) : 0;
    ck_rules_put(r);
    return built;
}

static void turn(struct ck_gateway *g)
{
    struct ck_watching *w = g->core->watching;
    int64_t now = ck_clock_ms();
    if (now < w->retry_ms)
        return;
    bool due = g->o->watch_ms && now >= w->next_ms;
    if (atomic_exchange(&w->now, false) || due)
        round_of(g, true);
    else if (built_now(g) != w->built)
        round_of(g, false);
    scan_unknown(g);
}

static void *watch_main(void *arg)
{
    enum { TURN_NS = 250000000 };
    struct ck_gateway *g = arg;
    while (!atomic_load(&g->core->ending)) {
        turn(g);
        nanosleep(&(struct timespec){ .tv_nsec = TURN_NS }, NULL);
    }
    return NULL;
}

ck_err *ck_watching_new(struct ck_gateway *g, struct ck_watching **ret)
{
    struct ck_watching *w = ck_new(struct ck_watching);
    pthread_mutex_init(&w->mutex, NULL);
    *ret = w; /* the thread looks there */
    w->has_thread = pthread_create(&w->thread, NULL, watch_main, g) == 0;
    return w->has_thread ? NULL : ck_err_new(CK_ERR_OURS, "not one more thread to be had");
}

/* Feeds that are on their way cannot be stopped. */
bool ck_watching_end(struct ck_watching *w)
{
    enum { PATIENCE_SECONDS = 2 };
    struct timespec until;
    if (!w || !w->has_thread)
        return true;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    w->has_thread = pthread_timedjoin_np(w->thread, NULL, &until) != 0;
    return !w->has_thread;
}

void ck_watching_free(struct ck_watching *w)
{
    if (!w)
        return;
    ck_arena_free(&w->arena);
    pthread_mutex_destroy(&w->mutex);
    free(w);
}
