/* Who delivers when: one thread and one room for each subscription that something is due for, a
 * bounded number at a time, so that a receiver that hangs holds nobody else.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "notify/notify_int.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum {
    TURN_MS = 500,
    LOOK_MS = 5000, /* digests become full of age without an event */
    DUE = 4096,     /* rows that one look takes */
    SLICE = 50,     /* deliveries of one subscription, then others have their turn */
    SLOW_MS = 1000, /* who fails so slowly has had its turn */
};

struct worker {
    struct ck_notifier *n;
    struct ck_arena arena;
    struct ck_subscription s;
    struct ck_delivery *v;
    size_t count;
    pthread_t thread;
    bool used, done; /* `done` under the mutex */
    ck_err *error;   /* of the store */
};

struct ck_notifier {
    struct ck_store *s;
    struct ck_notify_options o;
    char store_id[CK_UUID_TEXT];
    int lock;       /* held by who delivers; -1 */
    int64_t ahead;  /* seconds that our time is before the clock's: for whoever gives a time */
    struct worker *workers;
    size_t turn;    /* which subscription is looked at first */
    bool replan;
    uint64_t seen;  /* the last event at the last planning */
    int64_t planned; /* ms */
    uint64_t waiting;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool woken;
    bool ill; /* the last look failed: the store */
    atomic_bool ending;
    pthread_t thread;
};

static int64_t now_of(void *ctx)
{
    const struct ck_notifier *n = ctx;
    return time(NULL) + n->ahead;
}

/* --- a worker --------------------------------------------------------------------------------- */

static void *work(void *arg)
{
    struct worker *w = arg;
    struct ck_sender sender = { .o = &w->n->o, .s = &w->s, .ending = &w->n->ending };
    bool slow = false;
    for (size_t i = 0; i < w->count && !w->error && !slow && !atomic_load(&w->n->ending); i++) {
        int64_t begun = ck_clock_ms();
        bool failed = false;
        w->error = ck_outbox_try(w->n->s, &sender, w->n->store_id, &w->v[i], now_of, w->n,
                                 &failed);
        slow = failed && ck_clock_ms() - begun >= SLOW_MS;
    }
    ck_sender_close(&sender);
    pthread_mutex_lock(&w->n->mutex);
    w->done = true;
    pthread_cond_signal(&w->n->changed);
    pthread_mutex_unlock(&w->n->mutex);
    return NULL;
}

static struct ck_subscription copy_of(const struct ck_subscription *s, struct ck_arena *a)
{
    struct ck_subscription c = *s;
    ck_view *views[] = { &c.name, &c.way, &c.target, &c.secret, &c.kinds, &c.repository,
                         &c.last_error, NULL };
    for (size_t i = 0; views[i]; i++)
        *views[i] = ck_arena_dup(a, *views[i]);
    return c;
}

static void take_due(struct worker *w, const struct ck_delivery *v, size_t n)
{
    w->v = ck_arena_alloc(&w->arena, SLICE, sizeof *w->v);
    for (size_t i = 0; i < n && w->count < SLICE; i++) {
        if (v[i].subscription != w->s.id)
            continue;
        struct ck_delivery *d = &w->v[w->count++];
        *d = v[i];
        d->key = ck_arena_dup(&w->arena, v[i].key);
        d->events = ck_arena_alloc(&w->arena, v[i].n_events, sizeof *d->events);
        memcpy(d->events, v[i].events, v[i].n_events * sizeof *d->events);
    }
}

static void clear(struct worker *w)
{
    if (w->s.secret.n)
        explicit_bzero((void *)(uintptr_t)w->s.secret.p, w->s.secret.n);
    ck_arena_free(&w->arena);
    *w = (struct worker){ .n = w->n };
}

/* --- the notifier ----------------------------------------------------------------------------- */

static ck_err *begin(struct ck_notifier *n, struct worker *w, const struct ck_subscription *s,
                     const struct ck_delivery *due, size_t n_due)
{
    w->s = copy_of(s, &w->arena);
    take_due(w, due, n_due);
    if (w->count && pthread_create(&w->thread, NULL, work, w) == 0) {
        w->used = true;
        return NULL;
    }
    bool none = w->count == 0;
    clear(w);
    (void)n;
    return none ? NULL : ck_err_new(CK_ERR_OURS, "not one more thread to be had");
}

/* Ends those that are done; *ret_running: how many are not. */
static ck_err *reap(struct ck_notifier *n, unsigned *ret_running)
{
    ck_err *first = NULL;
    *ret_running = 0;
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++) {
        struct worker *w = &n->workers[i];
        pthread_mutex_lock(&n->mutex);
        bool done = w->done;
        pthread_mutex_unlock(&n->mutex);
        if (!w->used)
            continue;
        if (!done) {
            ++*ret_running;
            continue;
        }
        pthread_join(w->thread, NULL);
        if (first)
            ck_err_free(w->error);
        else
            first = w->error;
        clear(w);
        n->replan = true; /* there is room for what waited before the cursor */
    }
    return first;
}

static bool is_busy(const struct ck_notifier *n, int64_t subscription)
{
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++)
        if (n->workers[i].used && n->workers[i].s.id == subscription)
            return true;
    return false;
}

static struct worker *free_worker(struct ck_notifier *n)
{
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++)
        if (!n->workers[i].used)
            return &n->workers[i];
    return NULL;
}

static void tell_waiting(struct ck_notifier *n, const struct ck_subscription *v, size_t count)
{
    uint64_t waiting = 0;
    for (size_t i = 0; i < count; i++)
        waiting += v[i].waiting;
    if (n->o.waiting && waiting != n->waiting)
        n->o.waiting(n->o.ctx, waiting);
    n->waiting = waiting;
}

static ck_err *begin_all(struct ck_notifier *n, int64_t now)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_subscription *v = NULL;
    struct ck_delivery *due = NULL;
    size_t count = 0, n_due = 0;
    int64_t next = 0;
    CK_TRY(ck_store_subscriptions(n->s, &a, &v, &count));
    CK_TRY(ck_store_due(n->s, now, DUE, &a, &due, &n_due, &next));
    tell_waiting(n, v, count);
    n->turn++;
    for (size_t i = 0; i < count && n_due; i++) {
        const struct ck_subscription *s = &v[(i + n->turn) % count];
        struct worker *w = free_worker(n);
        if (w && !s->disabled && !is_busy(n, s->id))
            CK_TRY(begin(n, w, s, due, n_due));
    }
    return NULL;
}

static ck_err *plan(struct ck_notifier *n, int64_t now)
{
    uint64_t last = 0;
    CK_TRY(ck_store_last_event(n->s, &last));
    if (last == n->seen && !n->replan && ck_clock_ms() - n->planned < LOOK_MS)
        return NULL;
    CK_TRY(ck_notify_plan(n->s, &n->o, now));
    n->seen = last;
    n->replan = false;
    n->planned = ck_clock_ms();
    return NULL;
}

/* One look at everything. *ret_running: workers at the end of it. */
static ck_err *look(struct ck_notifier *n, int64_t now, unsigned *ret_running)
{
    ck_err *e = reap(n, ret_running);
    if (!e)
        e = plan(n, now);
    if (!e)
        e = begin_all(n, now);
    *ret_running = 0;
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++)
        *ret_running += n->workers[i].used;
    return e;
}

static void await(struct ck_notifier *n)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TURN_MS * 1000000l;
    if (until.tv_nsec >= 1000000000l) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000l;
    }
    pthread_mutex_lock(&n->mutex);
    bool done = n->woken;
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++)
        done = done || n->workers[i].done;
    if (!done && !atomic_load(&n->ending))
        pthread_cond_timedwait(&n->changed, &n->mutex, &until);
    n->woken = false;
    pthread_mutex_unlock(&n->mutex);
}

/* Whether it is we who deliver from this store; held until the end of the process or of `n`. */
static ck_err *take_lock(struct ck_notifier *n, bool *ret_ours)
{
    ck_autofree char *path = ck_format("%s/notify.lock", ck_store_dir(n->s));
    *ret_ours = n->lock >= 0;
    if (*ret_ours)
        return NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", path);
    *ret_ours = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (*ret_ours)
        n->lock = fd;
    else
        close(fd);
    return NULL;
}

static struct ck_notifier *make(struct ck_store *s, const struct ck_notify_options *o)
{
    struct ck_notifier *n = ck_new(struct ck_notifier);
    pthread_condattr_t monotonic;
    n->s = s;
    n->o = *o;
    n->lock = -1;
    n->waiting = UINT64_MAX;
    n->replan = true;
    n->workers = ck_calloc(CK_MAX_NOTIFY_ROOMS, sizeof *n->workers);
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++)
        n->workers[i].n = n;
    pthread_mutex_init(&n->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&n->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return n;
}

/* Breaks off what is under way. */
static void unmake(struct ck_notifier *n)
{
    atomic_store(&n->ending, true);
    for (size_t i = 0; i < CK_MAX_NOTIFY_ROOMS; i++) {
        struct worker *w = &n->workers[i];
        if (!w->used)
            continue;
        pthread_join(w->thread, NULL);
        ck_err_free(w->error);
        clear(w);
    }
    if (n->lock >= 0)
        close(n->lock);
    pthread_cond_destroy(&n->changed);
    pthread_mutex_destroy(&n->mutex);
    free(n->workers);
    free(n);
}

/* --- once ------------------------------------------------------------------------------------- */

static ck_err *deliver(struct ck_notifier *n, int64_t now)
{
    unsigned running = 0;
    CK_TRY(ck_outbox_store_id(n->s, n->store_id));
    do {
        CK_TRY(look(n, now, &running));
        if (running)
            await(n);
    } while (running || n->replan);
    return NULL;
}

ck_err *ck_notify_deliver(struct ck_store *s, int64_t now, const struct ck_notify_options *o,
                          bool *ret_busy)
{
    struct ck_notifier *n = make(s, o);
    bool ours = false;
    n->ahead = now - time(NULL);
    ck_err *e = take_lock(n, &ours);
    if (!e && ours)
        e = deliver(n, now);
    unmake(n);
    CK_TRY(e);
    *ret_busy = !ours;
    return NULL;
}

/* --- all the time ----------------------------------------------------------------------------- */

static ck_err *turn(struct ck_notifier *n)
{
    unsigned running = 0;
    bool ours = false;
    CK_TRY(take_lock(n, &ours));
    if (!ours)
        return NULL;
    if (!n->store_id[0])
        CK_TRY(ck_outbox_store_id(n->s, n->store_id));
    return look(n, now_of(n), &running);
}

static void *run(void *arg)
{
    struct ck_notifier *n = arg;
    while (!atomic_load(&n->ending)) {
        ck_autoerr ck_err *e = turn(n);
        if (e && !n->ill && n->o.failed) /* once, not twice a second */
            n->o.failed(n->o.ctx, "", ck_err_text(e));
        n->ill = e != NULL;
        await(n);
    }
    return NULL;
}

ck_err *ck_notifier_start(struct ck_store *s, const struct ck_notify_options *o,
                          struct ck_notifier **ret)
{
    struct ck_notifier *n = make(s, o);
    if (pthread_create(&n->thread, NULL, run, n) != 0) {
        unmake(n);
        return ck_err_new(CK_ERR_OURS, "not one more thread to be had");
    }
    *ret = n;
    return NULL;
}

void ck_notifier_wake(struct ck_notifier *n)
{
    if (!n)
        return;
    pthread_mutex_lock(&n->mutex);
    n->woken = true;
    pthread_cond_signal(&n->changed);
    pthread_mutex_unlock(&n->mutex);
}

void ck_notifier_stop(struct ck_notifier *n)
{
    if (!n)
        return;
    atomic_store(&n->ending, true);
    ck_notifier_wake(n);
    pthread_join(n->thread, NULL);
    unmake(n);
}
