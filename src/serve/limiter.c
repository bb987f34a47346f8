#include "serve/limiter.h"

#include "base/limits.h"
#include "base/mem.h"
#include "serve/hash.h"

#include <pthread.h>
#include <stdlib.h>

enum { WAYS = 8 };

struct bucket {
    uint64_t client; /* hash; 0: free */
    int64_t at;      /* ms */
    int64_t tokens;  /* thousandths */
};

struct ck_limiter {
    pthread_mutex_t mutex;
    uint32_t rate;
    uint64_t seed;
    struct bucket *v;
};

struct ck_limiter *ck_limiter_new(uint32_t rate)
{
    struct ck_limiter *l = ck_new(struct ck_limiter);
    pthread_mutex_init(&l->mutex, NULL);
    l->rate = rate;
    l->seed = ck_hash_seed();
    l->v = ck_calloc(CK_MAX_SERVE_BUCKETS, sizeof *l->v);
    return l;
}

void ck_limiter_free(struct ck_limiter *l)
{
    pthread_mutex_destroy(&l->mutex);
    free(l->v);
    free(l);
}

static struct bucket *bucket_of(struct ck_limiter *l, uint64_t client, int64_t now)
{
    struct bucket *set = l->v + client % (CK_MAX_SERVE_BUCKETS / WAYS) * WAYS, *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].client == client)
            return &set[i];
        if (set[i].at < oldest->at)
            oldest = &set[i];
    }
    *oldest = (struct bucket){ client, now, (int64_t)l->rate * 10000 };
    return oldest;
}

bool ck_limiter_take(struct ck_limiter *l, ck_view client, int64_t now_ms)
{
    if (!l->rate)
        return true;
    uint64_t hash = ck_hash_bytes(l->seed, client) | 1;
    pthread_mutex_lock(&l->mutex);
    struct bucket *b = bucket_of(l, hash, now_ms);
    int64_t most = (int64_t)l->rate * 10000, passed = now_ms - b->at;
    if (passed > 0) {
        passed = passed > 10000 ? 10000 : passed;
        b->tokens += passed * l->rate;
        b->tokens = b->tokens > most ? most : b->tokens;
        b->at = now_ms;
    }
    bool may = b->tokens >= 1000;
    b->tokens -= may ? 1000 : 0;
    pthread_mutex_unlock(&l->mutex);
    return may;
}
