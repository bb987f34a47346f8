#include "source/arrivals.h"

#include "base/mem.h"
#include "proc/spawn.h"
#include "source/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { LANES = 3, LANES_MAX = 8, NOBODY = -1 };

struct blob {
    struct ck_arrival a;
    int fd;    /* to read from, once readable */
    int ticks; /* of the one who reads along */
    uint64_t told; /* last tick */
    bool gave_up;  /* failed only since another did */
    ck_err *error;
};

struct ck_arrivals {
    struct ck_lease *lease;
    const struct ck_remote *remote;
    pthread_mutex_t mutex; /* over all that follows */
    pthread_cond_t changed;
    CK_VEC(struct blob *) blobs;
    size_t next;
    bool closing, failed;
    int wake, stop; /* eventfds: to the scanning thread, to the lanes */
    pthread_t lanes[LANES_MAX];
    unsigned n_lanes, max_lanes, idle;
};

static void signal_fd(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof one);
    (void)n; /* full: it is readable already */
}

/* --- the lanes' side ---------------------------------------------------------------------------
 * */

/* The last tick must come through: the reader takes it, or has gone. */
static void last_tick(int ticks, uint64_t there)
{
    fcntl(ticks, F_SETFL, 0);
    ssize_t n = write(ticks, &there, sizeof there);
    (void)n;
    close(ticks);
}

void ck_arrival_progress(struct ck_arrivals *a, size_t i, uint64_t done)
{
    enum { EVERY = 128 * 1024 };
    pthread_mutex_lock(&a->mutex);
    struct blob *b = a->blobs.v[i];
    b->a.done = done;
    if (b->ticks >= 0 && done - b->told >= EVERY) {
        ssize_t n = write(b->ticks, &done, sizeof done); /* a full pipe: the next one will do */
        b->told = n > 0 ? done : b->told;
    }
    pthread_mutex_unlock(&a->mutex);
}

/* Changes the phase, and ends the ticks where nothing more will come. */
static void set_phase(struct ck_arrivals *a, size_t i, enum ck_arrival_phase phase, ck_err *e)
{
    pthread_mutex_lock(&a->mutex);
    struct blob *b = a->blobs.v[i];
    int ticks = phase >= CK_ARRIVAL_VERIFIED ? b->ticks : NOBODY;
    if (phase >= CK_ARRIVAL_VERIFIED)
        b->ticks = NOBODY;
    b->a.phase = phase;
    b->error = e;
    b->gave_up = e && ck_lane_gave_up(e);
    a->failed |= phase == CK_ARRIVAL_FAILED;
    if (a->failed)
        signal_fd(a->stop);
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
    if (ticks >= 0 && phase == CK_ARRIVAL_FAILED)
        close(ticks);
    else if (ticks >= 0)
        last_tick(ticks, b->a.size);
    signal_fd(a->wake);
}

void ck_arrival_readable(struct ck_arrivals *a, size_t i, int fd)
{
    pthread_mutex_lock(&a->mutex);
    a->blobs.v[i]->fd = fd;
    a->blobs.v[i]->a.readable = true;
    pthread_mutex_unlock(&a->mutex);
    signal_fd(a->wake);
}

void ck_arrival_verified(struct ck_arrivals *a, size_t i)
{
    set_phase(a, i, CK_ARRIVAL_VERIFIED, NULL);
}

/* The next blob that waits, or SIZE_MAX when there is nothing more to do. */
static size_t take_next(struct ck_arrivals *a)
{
    size_t i = SIZE_MAX;
    pthread_mutex_lock(&a->mutex);
    a->idle++;
    while (a->next == a->blobs.n && !a->closing && !a->failed)
        pthread_cond_wait(&a->changed, &a->mutex);
    a->idle--;
    if (a->next < a->blobs.n && !a->closing && !a->failed) {
        i = a->next++;
        a->blobs.v[i]->a.phase = CK_ARRIVAL_ARRIVING;
    }
    pthread_mutex_unlock(&a->mutex);
    return i;
}

static void *lane_main(void *arg)
{
    struct ck_arrivals *a = arg;
    struct ck_lane *l = ck_lane_new(a, a->lease, a->remote, a->stop);
    for (size_t i; (i = take_next(a)) != SIZE_MAX;) {
        struct ck_arrival what = ck_arrivals_look(a, i);
        ck_err *e = ck_lane_bring(l, i, &what.digest, what.size);
        set_phase(a, i, e ? CK_ARRIVAL_FAILED : CK_ARRIVAL_STORED, e);
    }
    ck_lane_free(l);
    return NULL;
}

/* --- the other side ----------------------------------------------------------------------------
 * */

struct ck_arrivals *ck_arrivals_new(struct ck_lease *lease, const struct ck_remote *remote,
                                    unsigned lanes)
{
    struct ck_arrivals *a = ck_new(struct ck_arrivals);
    a->lease = lease;
    a->remote = remote;
    a->max_lanes = lanes == 0 ? LANES : lanes > LANES_MAX ? LANES_MAX : lanes;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->changed, NULL);
    a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    a->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->wake < 0 || a->stop < 0)
        abort(); /* out of descriptors before anything was begun */
    return a;
}

void ck_arrivals_free(struct ck_arrivals *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->mutex);
    a->closing = true;
    signal_fd(a->stop);
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->mutex);
    for (unsigned i = 0; i < a->n_lanes; i++)
        pthread_join(a->lanes[i], NULL);
    for (size_t i = 0; i < a->blobs.n; i++) {
        struct blob *b = a->blobs.v[i];
        ck_err_free(b->error);
        if (b->fd >= 0)
            close(b->fd);
        if (b->ticks >= 0)
            close(b->ticks);
        free(b);
    }
    free(a->blobs.v);
    close(a->wake);
    close(a->stop);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->changed);
    free(a);
}

static size_t find(const struct ck_arrivals *a, const struct ck_digest *d)
{
    size_t i = 0;
    while (i < a->blobs.n && !ck_digest_eq(&a->blobs.v[i]->a.digest, d))
        i++;
    return i;
}

size_t ck_arrivals_add(struct ck_arrivals *a, const struct ck_digest *d, uint64_t size)
{
    pthread_mutex_lock(&a->mutex);
    size_t i = find(a, d);
    if (i == a->blobs.n) {
        struct blob *b = ck_new(struct blob);
        *b = (struct blob){ .a = { .digest = *d, .size = size }, .fd = NOBODY, .ticks = NOBODY };
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): lanes keep pointers to what they bring */
        *ck_push(&a->blobs) = b;
        if (a->idle == 0 && a->n_lanes < a->max_lanes &&
            pthread_create(&a->lanes[a->n_lanes], NULL, lane_main, a) == 0)
            a->n_lanes++;
        if (a->n_lanes == 0)
            abort(); /* not one thread to be had */
        pthread_cond_broadcast(&a->changed);
    }
    pthread_mutex_unlock(&a->mutex);
    return i;
}

size_t ck_arrivals_count(struct ck_arrivals *a)
{
    pthread_mutex_lock(&a->mutex);
    size_t n = a->blobs.n;
    pthread_mutex_unlock(&a->mutex);
    return n;
}

struct ck_arrival ck_arrivals_look(struct ck_arrivals *a, size_t i)
{
    pthread_mutex_lock(&a->mutex);
    struct ck_arrival v = a->blobs.v[i]->a;
    pthread_mutex_unlock(&a->mutex);
    return v;
}

int ck_arrivals_fd(const struct ck_arrivals *a)
{
    return a->wake;
}

void ck_arrivals_calm(struct ck_arrivals *a)
{
    uint64_t n;
    ssize_t got = read(a->wake, &n, sizeof n);
    (void)got; /* nothing there: it is calm */
}

/* A pipe of ticks for a blob that is still arriving, with what is there already as the first. */
static ck_err *begin_ticks(struct blob *b, int *ret)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    fcntl(ends[0], F_SETFL, 0);
    b->ticks = ends[1];
    b->told = b->a.done;
    ssize_t n = write(b->ticks, &b->told, sizeof b->told);
    (void)n; /* an empty pipe takes it */
    *ret = ends[0];
    return NULL;
}

ck_err *ck_arrivals_open(struct ck_arrivals *a, size_t i, int *ret_fd, int *ret_ticks)
{
    ck_err *e = NULL;
    int ticks = NOBODY;
    pthread_mutex_lock(&a->mutex);
    struct blob *b = a->blobs.v[i];
    int fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        e = ck_err_errno(CK_ERR_OURS, "descriptor of a blob");
    else if (b->a.phase < CK_ARRIVAL_VERIFIED)
        e = begin_ticks(b, &ticks);
    pthread_mutex_unlock(&a->mutex);
    if (e) {
        if (fd >= 0)
            close(fd);
        return e;
    }
    *ret_fd = fd;
    *ret_ticks = ticks;
    return NULL;
}

/* With the mutex held. */
static ck_err *take_error(struct blob *b)
{
    if (b->a.phase != CK_ARRIVAL_FAILED)
        return NULL;
    return b->error ? ck_steal(b->error)
                    : ck_err_new(CK_ERR_UNAVAILABLE, "a blob that has failed before");
}

/* With the mutex held: the first that failed of itself, not since others did; NULL: none did. */
static struct blob *first_failed(struct ck_arrivals *a, size_t *ret_which)
{
    struct blob *given_up = NULL;
    for (size_t i = 0; i < a->blobs.n; i++) {
        struct blob *b = a->blobs.v[i];
        bool failed = b->a.phase == CK_ARRIVAL_FAILED;
        if (failed && !b->gave_up) {
            *ret_which = i;
            return b;
        }
        if (failed && !given_up) {
            *ret_which = i;
            given_up = b;
        }
    }
    return given_up;
}

ck_err *ck_arrivals_verified(struct ck_arrivals *a, size_t i, size_t *ret_which)
{
    pthread_mutex_lock(&a->mutex);
    struct blob *b = a->blobs.v[i];
    *ret_which = i;
    while (b->a.phase < CK_ARRIVAL_VERIFIED && !(a->failed && b->a.phase == CK_ARRIVAL_WAITING))
        pthread_cond_wait(&a->changed, &a->mutex);
    if (b->a.phase == CK_ARRIVAL_WAITING || b->gave_up)
        b = first_failed(a, ret_which);
    ck_err *e = take_error(b);
    pthread_mutex_unlock(&a->mutex);
    return e;
}

static bool all_settled(const struct ck_arrivals *a)
{
    for (size_t i = 0; i < a->blobs.n; i++) {
        enum ck_arrival_phase p = a->blobs.v[i]->a.phase;
        if (p < CK_ARRIVAL_STORED && !(a->failed && p == CK_ARRIVAL_WAITING))
            return false;
    }
    return true;
}

ck_err *ck_arrivals_finish(struct ck_arrivals *a, void (*tick)(void *ctx), void *ctx)
{
    enum { TICK_NS = 100000000, SECOND_NS = 1000000000 };
    pthread_mutex_lock(&a->mutex);
    while (!all_settled(a)) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += TICK_NS;
        t.tv_sec += t.tv_nsec / SECOND_NS;
        t.tv_nsec %= SECOND_NS;
        pthread_cond_timedwait(&a->changed, &a->mutex, &t);
        pthread_mutex_unlock(&a->mutex);
        if (tick)
            tick(ctx);
        pthread_mutex_lock(&a->mutex);
    }
    size_t which;
    struct blob *b = first_failed(a, &which);
    ck_err *e = b ? take_error(b) : NULL;
    pthread_mutex_unlock(&a->mutex);
    return e;
}
