#include "advisory/db_pool.h"

#include "base/mem.h"

#include <stdlib.h>
#include <sys/random.h>

enum { SLOTS_FIRST = 1024 };

void ck_pool_init(struct ck_pool *p)
{
    *p = (struct ck_pool){ 0 };
    /* The result does not depend on the key: it only keeps feeds from aiming at slots. */
    if (getrandom(&p->key, sizeof p->key, GRND_NONBLOCK) != (ssize_t)sizeof p->key)
        p->key = (struct ck_db_key){ (uintptr_t)p, (uintptr_t)&p };
    p->n_slots = SLOTS_FIRST;
    p->slots = ck_calloc(p->n_slots, sizeof *p->slots);
    ck_pool_add(p, CK_V(""));
}

void ck_pool_free(struct ck_pool *p)
{
    free(p->v);
    free(p->slots);
    ck_arena_free(&p->arena);
}

static void put_slot(struct ck_pool *p, uint32_t i)
{
    size_t s = ck_db_slot(p->v[i].hash, p->n_slots);
    while (p->slots[s])
        s = s + 1 == p->n_slots ? 0 : s + 1;
    p->slots[s] = i + 1;
}

static void grow(struct ck_pool *p)
{
    free(p->slots);
    p->n_slots *= 2;
    p->slots = ck_calloc(p->n_slots, sizeof *p->slots);
    for (size_t i = 0; i < p->n; i++)
        put_slot(p, (uint32_t)i);
}

uint32_t ck_pool_add(struct ck_pool *p, ck_view v)
{
    uint64_t hash = ck_db_hash(&p->key, v);
    for (size_t s = ck_db_slot(hash, p->n_slots); p->slots[s];
         s = s + 1 == p->n_slots ? 0 : s + 1) {
        const struct ck_pool_string *e = &p->v[p->slots[s] - 1];
        if (e->hash == hash && ck_view_eq(e->v, v))
            return p->slots[s] - 1;
    }
    if (p->n >= UINT32_MAX - 1)
        abort(); /* DATABASE is reached long before */
    if (p->n * 2 >= p->n_slots)
        grow(p);
    *ck_push(p) = (struct ck_pool_string){ .v = ck_arena_dup(&p->arena, v), .hash = hash };
    put_slot(p, (uint32_t)(p->n - 1));
    return (uint32_t)(p->n - 1);
}

static int by_bytes(const void *pa, const void *pb, void *ctx)
{
    const struct ck_pool *p = ctx;
    return ck_view_cmp(p->v[*(const uint32_t *)pa].v, p->v[*(const uint32_t *)pb].v);
}

static int by_use_first(const void *pa, const void *pb, void *ctx)
{
    const struct ck_pool *p = ctx;
    uint32_t a = p->v[*(const uint32_t *)pa].uses, b = p->v[*(const uint32_t *)pb].uses;
    return a != b ? (a > b ? -1 : 1) : by_bytes(pa, pb, ctx);
}

uint32_t *ck_pool_rank(struct ck_pool *p, bool by_use)
{
    uint32_t *order = ck_calloc(p->n, sizeof *order);
    for (size_t i = 0; i < p->n; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, p->n, sizeof *order, by_use ? by_use_first : by_bytes, p);
    for (size_t i = 0; i < p->n; i++)
        p->v[order[i]].rank = (uint32_t)i;
    return order;
}

void ck_pool_write(struct ck_pool *p, struct ck_buf *out)
{
    uint32_t *order = ck_pool_rank(p, true);
    for (size_t i = 0; i < p->n && p->v[order[i]].uses; i++) {
        struct ck_pool_string *s = &p->v[order[i]];
        s->at = (uint32_t)out->n;
        ck_put_vstr(out, s->v);
    }
    free(order);
}
