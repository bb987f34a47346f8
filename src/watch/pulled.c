#include "watch/pulled.h"

#include "base/mem.h"

#include <stdlib.h>

struct pullers {
    struct ck_arena *a;
    CK_VEC(struct ck_puller) v;
};

static struct ck_puller *find(struct pullers *all, const struct ck_pull *p)
{
    for (size_t i = 0; i < all->v.n; i++)
        if (ck_view_eq(all->v.v[i].who, p->who) && ck_view_eq(all->v.v[i].client, p->client))
            return &all->v.v[i];
    return NULL;
}

static struct ck_puller *add(struct pullers *all, const struct ck_pull *p)
{
    struct ck_puller *u = ck_push(&all->v);
    *u = (struct ck_puller){ .who = ck_arena_dup(all->a, p->who),
                             .client = ck_arena_dup(all->a, p->client),
                             .first = p->time };
    return u;
}

/* Of one digest they come newest first, of several they do not. */
static ck_err *take(void *ctx, const struct ck_pull *p)
{
    struct pullers *all = ctx;
    if (p->result != CK_PULL_SERVED)
        return NULL;
    struct ck_puller *u = find(all, p);
    if (!u)
        u = add(all, p);
    if (p->time < u->first)
        u->first = p->time;
    if (p->time > u->last || !u->count) {
        u->last = p->time;
        u->name = ck_arena_dup(all->a, p->name);
    }
    u->count += p->count;
    return NULL;
}

static int latest_first(const void *x, const void *y)
{
    const struct ck_puller *a = x, *b = y;
    if (a->last != b->last)
        return a->last > b->last ? -1 : 1;
    int c = ck_view_cmp(a->who, b->who);
    return c ? c : ck_view_cmp(a->client, b->client);
}

static ck_err *collect(struct ck_store *s, const struct ck_digest *d, const struct ck_standing *st,
                       struct pullers *all)
{
    struct ck_pull_filter f = { .digest = d };
    CK_TRY(ck_store_pulls(s, &f, take, all));
    for (size_t i = 0; i < st->n_indexes; i++) {
        f.digest = &st->indexes[i];
        CK_TRY(ck_store_pulls(s, &f, take, all));
    }
    return NULL;
}

ck_err *ck_pullers(struct ck_store *s, const struct ck_digest *d, const struct ck_standing *st,
                   struct ck_arena *a, struct ck_puller **ret, size_t *ret_n)
{
    struct pullers all = { .a = a };
    ck_err *e = collect(s, d, st, &all);
    if (!e) {
        *ret = ck_arena_alloc(a, all.v.n + 1, sizeof **ret);
        if (all.v.n) {
            qsort(all.v.v, all.v.n, sizeof *all.v.v, latest_first);
            memcpy(*ret, all.v.v, all.v.n * sizeof **ret);
        }
        *ret_n = all.v.n;
    }
    free(all.v.v);
    return e;
}
