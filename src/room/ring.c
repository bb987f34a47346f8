#include "room/ring.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdatomic.h>

struct ck_ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ck_ring_buf bufs[CK_RING_BUFS];
    size_t head, tail; /* next to fill, next to take; head - tail are full */
    bool working, abandon;
    ck_err *(*produce)(void *ctx, struct ck_ring *r); /* NULL: nothing to do */
    void *ctx;
    ck_err *result;
    _Atomic uint64_t progress;
};

static void *thread_main(void *arg)
{
    struct ck_ring *r = arg;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        while (!r->produce)
            pthread_cond_wait(&r->changed, &r->lock);
        ck_err *(*produce)(void *, struct ck_ring *) = r->produce;
        r->produce = NULL;
        pthread_mutex_unlock(&r->lock);
        ck_err *e = produce(r->ctx, r);
        pthread_mutex_lock(&r->lock);
        r->result = e;
        if (r->head - r->tail < CK_RING_BUFS && r->bufs[r->head % CK_RING_BUFS].n)
            r->head++; /* the begun buffer */
        r->working = false;
        pthread_cond_broadcast(&r->changed);
    }
    return NULL;
}

ck_err *ck_ring_new(struct ck_ring **ret)
{
    struct ck_ring *r = ck_new(struct ck_ring);
    pthread_attr_t attr;
    pthread_t thread;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    for (size_t i = 0; i < CK_RING_BUFS; i++)
        r->bufs[i].p = ck_calloc(1, CK_RING_BUF);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 512 * 1024);
    int rc = pthread_create(&thread, &attr, thread_main, r);
    pthread_attr_destroy(&attr);
    if (rc != 0)
        return ck_err_new(CK_ERR_OURS, "no thread could be made");
    *ret = r;
    return NULL;
}

void ck_ring_start(struct ck_ring *r, ck_err *(*produce)(void *ctx, struct ck_ring *r), void *ctx)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < CK_RING_BUFS; i++)
        r->bufs[i].n = 0;
    r->head = r->tail = 0;
    r->abandon = false;
    r->working = true;
    r->progress = 0;
    r->produce = produce;
    r->ctx = ctx;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

ck_err *ck_ring_finish(struct ck_ring *r, bool abandon)
{
    pthread_mutex_lock(&r->lock);
    r->abandon = r->abandon || abandon;
    pthread_cond_broadcast(&r->changed);
    while (r->working)
        pthread_cond_wait(&r->changed, &r->lock);
    ck_err *e = r->result;
    r->result = NULL;
    pthread_mutex_unlock(&r->lock);
    return e;
}

struct ck_ring_buf *ck_ring_writable(struct ck_ring *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->head - r->tail == CK_RING_BUFS && !r->abandon)
        pthread_cond_wait(&r->changed, &r->lock);
    struct ck_ring_buf *b = r->abandon ? NULL : &r->bufs[r->head % CK_RING_BUFS];
    pthread_mutex_unlock(&r->lock);
    return b;
}

void ck_ring_publish(struct ck_ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->head++;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

bool ck_ring_abandoned(struct ck_ring *r)
{
    pthread_mutex_lock(&r->lock);
    bool abandon = r->abandon;
    pthread_mutex_unlock(&r->lock);
    return abandon;
}

void ck_ring_set_progress(struct ck_ring *r, uint64_t at)
{
    r->progress = at;
}

uint64_t ck_ring_progress(struct ck_ring *r)
{
    return r->progress;
}

const struct ck_ring_buf *ck_ring_readable(struct ck_ring *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->head == r->tail && r->working)
        pthread_cond_wait(&r->changed, &r->lock);
    const struct ck_ring_buf *b = r->head == r->tail ? NULL : &r->bufs[r->tail % CK_RING_BUFS];
    pthread_mutex_unlock(&r->lock);
    return b;
}

void ck_ring_release(struct ck_ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->bufs[r->tail % CK_RING_BUFS].n = 0;
    r->tail++;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}
