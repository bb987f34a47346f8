/* Who pulled what: collected, and written down once a second. */
#include "gateway/core.h"

#include <stdlib.h>
#include <time.h>

struct ck_pulls {
    pthread_mutex_t mutex;
    struct ck_pull *v;
    size_t n, cap;
    struct ck_arena arena; /* of their texts */
    uint64_t lost;
};

struct ck_pulls *ck_pulls_new(void)
{
    struct ck_pulls *p = ck_new(struct ck_pulls);
    pthread_mutex_init(&p->mutex, NULL);
    return p;
}

void ck_pulls_free(struct ck_pulls *p)
{
    if (!p)
        return;
    free(p->v);
    ck_arena_free(&p->arena);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static bool same(const struct ck_pull *a, const struct ck_pull *b)
{
    return a->result == b->result && ck_digest_eq(&a->digest, &b->digest) &&
           ck_view_eq(a->name, b->name) && ck_view_eq(a->who, b->who) &&
           ck_view_eq(a->client, b->client) && ck_view_eq(a->agent, b->agent);
}

void ck_pulls_add(struct ck_gateway *g, const struct ck_pull *pull)
{
    enum { LOOK_BACK = 64 };
    struct ck_pulls *p = g->core->pulls;
    pthread_mutex_lock(&p->mutex);
    for (size_t i = p->n; i > 0 && p->n - i < LOOK_BACK; i--)
        if (same(&p->v[i - 1], pull)) {
            p->v[i - 1].count += pull->count;
            pthread_mutex_unlock(&p->mutex);
            return;
        }
    if (p->n < CK_MAX_GATE_PULLS) {
        struct ck_pull *at = ck_push(p);
        *at = *pull;
        at->who = ck_arena_dup(&p->arena, pull->who);
        at->client = ck_arena_dup(&p->arena, pull->client);
        at->agent = ck_arena_dup(&p->arena, pull->agent);
        at->name = ck_arena_dup(&p->arena, pull->name);
    } else {
        p->lost += pull->count;
    }
    pthread_mutex_unlock(&p->mutex);
}

/* What cannot be written (a full disk) waits for its next chance, up to GATE_PULLS. */
static void give_back(struct ck_pulls *p, struct ck_pulls *batch)
{
    pthread_mutex_lock(&p->mutex);
    if (p->n == 0) {
        free(p->v);
        ck_arena_free(&p->arena);
        p->v = batch->v;
        p->n = batch->n;
        p->cap = batch->cap;
        p->arena = batch->arena;
        batch->v = NULL;
        batch->arena = (struct ck_arena){ 0 };
    } else {
        for (size_t i = 0; i < batch->n; i++)
            p->lost += batch->v[i].count;
    }
    pthread_mutex_unlock(&p->mutex);
}

void ck_pulls_flush(struct ck_gateway *g)
{
    struct ck_pulls *p = g->core->pulls;
    pthread_mutex_lock(&p->mutex);
    struct ck_pulls batch = { .v = p->v, .n = p->n, .cap = p->cap, .arena = p->arena };
    uint64_t lost = p->lost;
    p->v = NULL;
    p->n = p->cap = 0;
    p->arena = (struct ck_arena){ 0 };
    p->lost = 0;
    pthread_mutex_unlock(&p->mutex);
    if (lost)
        ck_gateway_count(g, "cocket_pulls_unrecorded_total", (int64_t)lost);
    ck_err *e = batch.n ? ck_store_add_pulls(g->store, batch.v, batch.n) : NULL;
    if (e)
        give_back(p, &batch);
    ck_err_free(e);
    free(batch.v);
    ck_arena_free(&batch.arena);
}

/* --- what the room gave out by itself --------------------------------------------------------- */

/* "manifest NAME@REFERENCE DIGEST COUNT"; the name as in the path, with ns and host as the first
 * ask had them. */
static void take_line(struct ck_call *c, ck_view line)
{
    ck_view rest, kind = ck_view_split(line, ' ', &rest), name = ck_view_split(rest, ' ', &rest);
    ck_view digest = ck_view_split(rest, ' ', &rest);
    ck_view reference, repository = ck_view_split(name, '@', &reference);
    struct ck_pull p = { .time = time(NULL), .who = c->user, .client = c->ask.client,
                         .agent = c->ask.agent };
    struct ck_place place;
    ck_err *e = ck_digest_parse(digest, &p.digest);
    bool ok = !e && ck_view_u64(rest, &p.count) && p.count && reference.n;
    ck_err_free(e);
    if (!ok)
        return;
    bool manifest = ck_view_eq(kind, CK_V("manifest"));
    ck_gateway_count(c->g, manifest ? "cocket_pulls_total{result=\"served\"}"
                                    : "cocket_blobs_total{result=\"served\"}", (int64_t)p.count);
    c->ask.repository = repository;
    if (!manifest || !ck_place_find(c, &place))
        return;
    bool tag = ck_view_find(reference, ':') == reference.n;
    p.name = ck_view_str(ck_arena_format(&c->arena, "%s%c%.*s", place.repository, tag ? ':' : '@',
                                         CK_VF(reference)));
    ck_pulls_add(c->g, &p);
}

void ck_pulled_ask(struct ck_call *c)
{
    for (size_t i = 0; i < c->ask.n_words; i++)
        take_line(c, c->ask.words[i]);
    ck_call_answer(c, &(struct ck_answer){ .fd = -1 });
}
