/* Who waits for what. A flight is one name or digest that is being fetched and scanned; whoever
 * asks for it meanwhile waits for the same one. A few threads fly, one looks at deadlines.
 */
#include "gateway/flights.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    JOBS = 2, JOBS_MAX = 16,
    REMEMBERED = 128,      /* failures */
    REMEMBER_MS = 5000,    /* a client's retries do not reach the upstream */
    END_MS = 2000,         /* what is about to finish may, when the gate ends */
};

struct ck_flight_waiter {
    void (*done)(void *ctx, ck_err *e, const struct ck_flight_result *r);
    void *ctx;
    int64_t deadline; /* ms */
    struct ck_flight_waiter *next;
};

struct failure {
    enum ck_flight_kind kind;
    char *name, *text;
    enum ck_err_class cls;
    enum ck_limit limit;
    unsigned status;
    int64_t until;
};

struct ck_flights {
    struct ck_gateway *g;
    pthread_mutex_t mutex; /* over all that follows */
    pthread_cond_t work;   /* something is queued, or it ends */
    pthread_cond_t timer;  /* a deadline may be nearer than the last */
    pthread_cond_t free;   /* an image is no longer busy; a flight has ended */
    struct ck_flight *list;
    size_t n, running;
    struct failure failures[REMEMBERED];
    size_t next_failure;
    struct ck_digest busy[2 * JOBS_MAX]; /* an index and one of its images a job */
    size_t n_busy;
    bool ending;
    pthread_t jobs[JOBS_MAX], clock;
    unsigned n_jobs;
    bool has_clock;
};

/* --- one image, one flight -------------------------------------------------------------------- */

static bool is_busy(const struct ck_flights *fs, const struct ck_digest *d)
{
    for (size_t i = 0; i < fs->n_busy; i++)
        if (ck_digest_eq(&fs->busy[i], d))
            return true;
    return false;
}

void ck_flights_enter(struct ck_flights *fs, struct ck_flight *f, const struct ck_digest *d)
{
    pthread_mutex_lock(&fs->mutex);
    f->digest = *d;
    f->has_digest = true;
    while (is_busy(fs, d))
        pthread_cond_wait(&fs->free, &fs->mutex);
    fs->busy[fs->n_busy++] = *d;
    pthread_mutex_unlock(&fs->mutex);
}

void ck_flights_leave(struct ck_flights *fs, const struct ck_digest *d)
{
    pthread_mutex_lock(&fs->mutex);
    size_t i = 0;
    while (!ck_digest_eq(&fs->busy[i], d))
        i++;
    fs->busy[i] = fs->busy[--fs->n_busy];
    pthread_cond_broadcast(&fs->free);
    pthread_mutex_unlock(&fs->mutex);
}

/* --- failures --------------------------------------------------------------------------------- */

static void clear_failure(struct failure *f)
{
    free(f->name);
    free(f->text);
    *f = (struct failure){ 0 };
}

/* With the mutex held. */
static void remember(struct ck_flights *fs, const struct ck_flight *f, const ck_err *e)
{
    struct failure *at = &fs->failures[fs->next_failure++ % REMEMBERED];
    const char *text = ck_err_text(e);
    clear_failure(at);
    *at = (struct failure){ .kind = f->kind,
                            .name = ck_strndup(f->name, strlen(f->name)),
                            .text = ck_strndup(text, strlen(text)),
                            .cls = ck_err_class(e),
                            .limit = ck_err_limit_of(e),
                            .status = ck_err_status(e),
                            .until = ck_clock_ms() + REMEMBER_MS };
}

/* With the mutex held: the error, where the same has failed a moment ago. */
static ck_err *failed_before(struct ck_flights *fs, enum ck_flight_kind kind, const char *name)
{
    int64_t now = ck_clock_ms();
    for (size_t i = 0; i < REMEMBERED; i++) {
        struct failure *f = &fs->failures[i];
        if (f->name && f->until > now && f->kind == kind && strcmp(f->name, name) == 0)
            return ck_err_with_status(ck_err_restore(f->cls, f->limit, ck_view_str(f->text)),
                                      f->status);
    }
    return NULL;
}

/* --- the jobs --------------------------------------------------------------------------------- */

static ck_err *copy_of(const ck_err *e)
{
    ck_view text = e ? ck_view_str(ck_err_text(e)) : CK_V("");
    return e ? ck_err_with_status(ck_err_restore(ck_err_class(e), ck_err_limit_of(e), text),
                                  ck_err_status(e))
             : NULL;
}

static void tell(struct ck_flight_waiter *w, ck_err *e, const struct ck_flight_result *r)
{
    w->done(w->ctx, e, r);
    free(w);
}

static void unlink_flight(struct ck_flights *fs, struct ck_flight *f)
{
    struct ck_flight **at = &fs->list;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    fs->n--;
}

static struct ck_flight *next_queued(struct ck_flights *fs)
{
    struct ck_flight *f = fs->list;
    while (f && f->running)
        f = f->next;
    return f;
}

/* Those who wait are told without the mutex: they ask the store. */
static void land(struct ck_flights *fs, struct ck_flight *f, ck_err *e,
                 const struct ck_digest *digest)
{
    struct ck_flight_result r = { .digest = *digest, .percent = 100 };
    pthread_mutex_lock(&fs->mutex);
    unlink_flight(fs, f);
    fs->running--;
    if (e)
        remember(fs, f, e);
    struct ck_flight_waiter *w = f->waiters;
    pthread_cond_broadcast(&fs->free);
    pthread_mutex_unlock(&fs->mutex);
    while (w) {
        struct ck_flight_waiter *next = w->next;
        tell(w, copy_of(e), &r);
        w = next;
    }
    ck_err_free(e);
    free(f->name);
    free(f);
}

static void note(struct ck_gateway *g, const struct ck_flight *f, const ck_err *e)
{
    static const char *const kinds[] = { "pull", "scan", "referrers" };
    char ms[24];
    snprintf(ms, sizeof ms, "%lld", (long long)(ck_clock_ms() - f->began));
    ck_gateway_count(g, e ? "cocket_flights_total{result=\"failed\"}"
                          : "cocket_flights_total{result=\"done\"}", 1);
    ck_gateway_say(g, "flight", "kind", kinds[f->kind], "name", f->name, "ms", ms, "error",
                   e ? ck_err_text(e) : "", NULL);
}

static void *job_main(void *arg)
{
    struct ck_flights *fs = arg;
    for (;;) {
        struct ck_flight *f = NULL;
        struct ck_digest digest = { 0 };
        pthread_mutex_lock(&fs->mutex);
        while (!fs->ending && !(f = next_queued(fs)))
            pthread_cond_wait(&fs->work, &fs->mutex);
        if (f) {
            f->running = true;
            f->began = ck_clock_ms();
            fs->running++;
        }
        pthread_mutex_unlock(&fs->mutex);
        if (!f)
            return NULL;
        ck_err *e = ck_fly(fs->g, f, &digest);
        note(fs->g, f, e);
        land(fs, f, e, &digest);
    }
}

/* --- deadlines -------------------------------------------------------------------------------- */

/* With the mutex held: takes those whose time is over out of their flights; *ret_next, the nearest
 * deadline of the others. */
static struct ck_flight_waiter *take_late(struct ck_flights *fs, struct ck_flight_result *r,
                                          int64_t *ret_next)
{
    int64_t now = ck_clock_ms();
    for (struct ck_flight *f = fs->list; f; f = f->next)
        for (struct ck_flight_waiter **at = &f->waiters, *w; (w = *at); at = &w->next) {
            if (w->deadline <= now || fs->ending) {
                *at = w->next;
                f->n_waiters--;
                *r = (struct ck_flight_result){ .pending = true,
                                                .digest = f->digest,
                                                .percent = atomic_load(&f->percent) };
                return w;
            }
            *ret_next = w->deadline < *ret_next ? w->deadline : *ret_next;
        }
    return NULL;
}

static void wait_until(struct ck_flights *fs, int64_t when)
{
    enum { THOUSAND = 1000, MILLION = 1000000 };
    struct timespec t = { .tv_sec = when / THOUSAND, .tv_nsec = when % THOUSAND * MILLION };
    pthread_cond_timedwait(&fs->timer, &fs->mutex, &t);
}

static void *clock_main(void *arg)
{
    enum { LONG_MS = 60000 };
    struct ck_flights *fs = arg;
    pthread_mutex_lock(&fs->mutex);
    for (;;) {
        struct ck_flight_result r = { 0 };
        int64_t next = ck_clock_ms() + LONG_MS;
        struct ck_flight_waiter *w = take_late(fs, &r, &next);
        if (w) {
            pthread_mutex_unlock(&fs->mutex);
            tell(w, NULL, &r);
            pthread_mutex_lock(&fs->mutex);
        } else if (fs->ending) {
            break;
        } else {
            wait_until(fs, next);
        }
    }
    pthread_mutex_unlock(&fs->mutex);
    return NULL;
}

/* --- joining ---------------------------------------------------------------------------------- */

/* With the mutex held. */
static ck_err *find_or_make(struct ck_flights *fs, enum ck_flight_kind kind, const char *name,
                            struct ck_flight **ret)
{
    struct ck_flight **at = &fs->list;
    for (; *at; at = &(*at)->next)
        if ((*at)->kind == kind && strcmp((*at)->name, name) == 0) {
            *ret = *at;
            return NULL;
        }
    CK_TRY(failed_before(fs, kind, name));
    if (fs->n >= CK_MAX_GATE_FLIGHTS || fs->ending)
        return ck_err_limit(CK_LIMIT_GATE_FLIGHTS, "too much is being fetched; try again");
    struct ck_flight *f = ck_new(struct ck_flight);
    f->kind = kind;
    f->name = ck_strndup(name, strlen(name));
    *at = f;
    fs->n++;
    pthread_cond_signal(&fs->work);
    *ret = f;
    return NULL;
}

ck_err *ck_flights_join(struct ck_gateway *g, enum ck_flight_kind kind, const char *name,
                        unsigned wait_ms,
                        void (*done)(void *ctx, ck_err *e, const struct ck_flight_result *r),
                        void *ctx)
{
    struct ck_flights *fs = g->flights;
    struct ck_flight *f = NULL;
    pthread_mutex_lock(&fs->mutex);
    ck_err *e = find_or_make(fs, kind, name, &f);
    if (!e && done && f && f->n_waiters >= CK_MAX_GATE_WAITERS)
        e = ck_err_limit(CK_LIMIT_GATE_WAITERS, "too many wait for %s", name);
    if (!e && done && f) {
        struct ck_flight_waiter *w = ck_new(struct ck_flight_waiter);
        *w = (struct ck_flight_waiter){ done, ctx, ck_clock_ms() + wait_ms, f->waiters };
        f->waiters = w;
        f->n_waiters++;
        pthread_cond_signal(&fs->timer);
    }
    pthread_mutex_unlock(&fs->mutex);
    return e;
}

void ck_flights_start(struct ck_gateway *g, enum ck_flight_kind kind, const char *name)
{
    ck_err_free(ck_flights_join(g, kind, name, 0, NULL, NULL)); /* too much to do: another time */
}

ck_err *ck_flight_join(struct ck_gateway *g, const char *name, unsigned wait_ms,
                       void (*done)(void *ctx, ck_err *e, const struct ck_flight_result *r),
                       void *ctx)
{
    return ck_flights_join(g, CK_FLIGHT_PULL, name, wait_ms, done, ctx);
}

ck_err *ck_flight_scan(struct ck_gateway *g, const struct ck_digest *d, unsigned wait_ms,
                       void (*done)(void *ctx, ck_err *e, const struct ck_flight_result *r),
                       void *ctx)
{
    char text[CK_DIGEST_TEXT];
    return ck_flights_join(g, CK_FLIGHT_SCAN, ck_digest_text(d, text), wait_ms, done, ctx);
}

bool ck_flights_look(struct ck_flights *fs, const char *name, const struct ck_digest *d,
                     unsigned *ret_percent)
{
    bool found = false;
    pthread_mutex_lock(&fs->mutex);
    for (struct ck_flight *f = fs->list; f && !found; f = f->next) {
        found = f->kind != CK_FLIGHT_REFERRERS &&
                ((name && strcmp(f->name, name) == 0) ||
                 (d && f->has_digest && ck_digest_eq(&f->digest, d)));
        if (found)
            *ret_percent = atomic_load(&f->percent);
    }
    pthread_mutex_unlock(&fs->mutex);
    return found;
}

void ck_flights_each(struct ck_flights *fs,
                     void (*each)(void *ctx, enum ck_flight_kind kind, const char *name,
                                  bool running, unsigned percent),
                     void *ctx)
{
    pthread_mutex_lock(&fs->mutex);
    for (const struct ck_flight *f = fs->list; f; f = f->next)
        each(ctx, f->kind, f->name, f->running, atomic_load(&f->percent));
    pthread_mutex_unlock(&fs->mutex);
}

struct ck_flights_counts ck_flights_count(struct ck_flights *fs)
{
    struct ck_flights_counts c = { 0 };
    pthread_mutex_lock(&fs->mutex);
    c.running = fs->running;
    c.queued = fs->n - fs->running;
    for (const struct ck_flight *f = fs->list; f; f = f->next)
        c.waiters += f->n_waiters;
    pthread_mutex_unlock(&fs->mutex);
    return c;
}

/* --- beginning and end ------------------------------------------------------------------------ */

ck_err *ck_flights_new(struct ck_gateway *g, struct ck_flights **ret)
{
    struct ck_flights *fs = ck_new(struct ck_flights);
    unsigned jobs = g->o->jobs ? g->o->jobs : JOBS;
    pthread_condattr_t monotonic;
    fs->g = g;
    pthread_mutex_init(&fs->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&fs->timer, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_cond_init(&fs->work, NULL);
    pthread_cond_init(&fs->free, NULL);
    while (fs->n_jobs < jobs && fs->n_jobs < JOBS_MAX &&
           pthread_create(&fs->jobs[fs->n_jobs], NULL, job_main, fs) == 0)
        fs->n_jobs++;
    fs->has_clock = pthread_create(&fs->clock, NULL, clock_main, fs) == 0;
    *ret = fs;
    return fs->n_jobs && fs->has_clock
               ? NULL
               : ck_err_new(CK_ERR_OURS, "not one more thread to be had");
}

/* With the mutex held. */
static bool wait_for_jobs(struct ck_flights *fs)
{
    enum { THOUSAND = 1000 };
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += END_MS / THOUSAND;
    while (fs->running && pthread_cond_timedwait(&fs->free, &fs->mutex, &until) == 0)
        ;
    return !fs->running;
}

bool ck_flights_free(struct ck_flights *fs)
{
    if (!fs)
        return true;
    pthread_mutex_lock(&fs->mutex);
    fs->ending = true;
    pthread_cond_broadcast(&fs->work);
    pthread_cond_broadcast(&fs->timer);
    bool idle = wait_for_jobs(fs);
    pthread_mutex_unlock(&fs->mutex);
    if (fs->has_clock)
        pthread_join(fs->clock, NULL);
    fs->has_clock = false;
    if (!idle)
        return false;
    for (unsigned i = 0; i < fs->n_jobs; i++)
        pthread_join(fs->jobs[i], NULL);
    while (fs->list) {
        struct ck_flight *f = fs->list;
        fs->list = f->next;
        free(f->name);
        free(f);
    }
    for (size_t i = 0; i < REMEMBERED; i++)
        clear_failure(&fs->failures[i]);
    pthread_cond_destroy(&fs->work);
    pthread_cond_destroy(&fs->timer);
    pthread_cond_destroy(&fs->free);
    pthread_mutex_destroy(&fs->mutex);
    free(fs);
    return true;
}
