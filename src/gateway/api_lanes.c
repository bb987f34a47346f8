/* Threads for what takes long, so that those which answer pulls are never kept: neither by a thread
 * nor by a transaction, as each has a connection to the store of its own. */
#include "gateway/api.h"

#include <stdlib.h>

struct lane {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct ck_api *first, **last;
    size_t n;
    bool running, ending;
    pthread_t thread;
    struct ck_store *store; /* the thread's */
};

struct ck_api_lanes {
    struct lane v[CK_API_LANE_COUNT_];
};

struct ck_api_lanes *ck_api_lanes_new(void)
{
    struct ck_api_lanes *l = ck_new(struct ck_api_lanes);
    for (size_t i = 0; i < CK_API_LANE_COUNT_; i++) {
        pthread_mutex_init(&l->v[i].mutex, NULL);
        pthread_cond_init(&l->v[i].more, NULL);
        l->v[i].last = &l->v[i].first;
    }
    return l;
}

static struct ck_api *take(struct lane *l)
{
    struct ck_api *r = l->first;
    if (r && !(l->first = r->next))
        l->last = &l->first;
    l->n -= r != NULL;
    return r;
}

static void *lane_main(void *arg)
{
    struct lane *l = arg;
    for (;;) {
        pthread_mutex_lock(&l->mutex);
        while (!l->first && !l->ending)
            pthread_cond_wait(&l->more, &l->mutex);
        struct ck_api *r = l->ending ? NULL : take(l);
        pthread_mutex_unlock(&l->mutex);
        if (!r)
            return NULL;
        ck_err *e = l->store ? NULL : ck_store_open(ck_store_dir(r->g->store), &l->store);
        r->store = l->store;
        if (e)
            ck_api_finish(r, e);
        else
            ck_api_run(r);
    }
}

bool ck_api_lanes_put(struct ck_api_lanes *all, struct ck_api *r)
{
    struct lane *l = &all->v[r->route->lane];
    pthread_mutex_lock(&l->mutex);
    if (!l->running && !l->ending)
        l->running = pthread_create(&l->thread, NULL, lane_main, l) == 0;
    bool ok = l->running && !l->ending && l->n < CK_MAX_API_WAITING;
    if (ok) {
        *l->last = r;
        l->last = &r->next;
        l->n++;
        pthread_cond_signal(&l->more);
    }
    pthread_mutex_unlock(&l->mutex);
    return ok;
}

static void end(struct lane *l)
{
    pthread_mutex_lock(&l->mutex);
    l->ending = true;
    pthread_cond_broadcast(&l->more);
    bool running = l->running;
    pthread_mutex_unlock(&l->mutex);
    if (running)
        pthread_join(l->thread, NULL);
    for (struct ck_api *r; (r = take(l)) != NULL;)
        ck_api_finish(r, ck_api_error(503, "the gate is being closed"));
    ck_store_close(l->store);
    pthread_cond_destroy(&l->more);
    pthread_mutex_destroy(&l->mutex);
}

void ck_api_lanes_free(struct ck_api_lanes *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < CK_API_LANE_COUNT_; i++)
        end(&l->v[i]);
    free(l);
}
