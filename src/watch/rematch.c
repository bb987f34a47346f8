/* Many images again, on all cores: each is rebuilt, compared and judged by itself; what came of
 * some dozens is written in one transaction. What is written is done: whoever is killed goes on
 * with the rest.
 */
#include "watch/rematch.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { BATCH = 64, MOST_THREADS = 64 };

/* What all threads of one pass share. */
struct pass {
    const struct ck_watch_options *o;
    struct ck_watch_counts *counts;
    const struct ck_rematching *how; /* NULL: only judged */
    const struct ck_digest *images;
    size_t n;
    atomic_size_t next, done;
    atomic_bool failed;
    pthread_mutex_t mutex; /* over all below, counts, notes and progress */
    ck_err *e;
    CK_VEC(struct ck_digest) over; /* images that could not be rebuilt */
};

struct batch {
    struct ck_arena arena;
    struct ck_store_rematch v[BATCH];
    struct ck_event events[BATCH][CK_AGAIN_EVENTS];
    size_t n;
};

/* --- one image -------------------------------------------------------------------------------- */

/* From an arena that goes with the image to one that goes with the batch. */
static struct ck_event kept_event(const struct ck_event *e, struct ck_arena *a)
{
    struct ck_event k = *e;
    k.kind = ck_arena_dup(a, e->kind);
    k.image = ck_arena_dup(a, e->image);
    k.name = ck_arena_dup(a, e->name);
    k.repository = ck_arena_dup(a, e->repository);
    k.summary = ck_arena_dup(a, e->summary);
    k.data = ck_arena_dup(a, e->data);
    return k;
}

static void keep(struct batch *b, const struct ck_digest *d, const struct ck_again *g)
{
    struct ck_arena *a = &b->arena;
    struct ck_event *events = b->events[b->n];
    struct ck_store_rematch *v = &b->v[b->n++];
    struct ck_store_summary *summary = ck_arena_alloc(a, 1, sizeof *summary);
    ck_view *ids = ck_arena_alloc(a, g->n_ids + 1, sizeof *ids);
    *v = (struct ck_store_rematch){ .image = *d, .changed = g->changed, .decide = g->decide,
                                    .state = g->state, .reason = ck_arena_dup(a, g->reason),
                                    .events = events, .n_events = g->n_events };
    for (size_t i = 0; i < g->n_events; i++)
        events[i] = kept_event(&g->events[i], a);
    if (!g->changed)
        return;
    for (size_t i = 0; i < g->n_ids; i++)
        ids[i] = ck_arena_dup(a, g->ids[i]);
    *summary = g->summary;
    summary->distro = ck_arena_dup(a, g->summary.distro);
    v->summary = summary;
    v->ids = ids;
    v->n_ids = g->n_ids;
    v->facts = ck_arena_dup(a, g->facts);
    v->chain = ck_arena_dup(a, g->chain);
}

static void count(struct ck_watch_counts *c, const struct ck_again *g, bool matched)
{
    c->matched += matched;
    c->judged++;
    c->first += g->first;
    c->changed += g->added || g->gone || g->other;
    c->added += g->added;
    c->gone += g->gone;
    c->verdicts += g->decide;
    c->withdrawn += g->withdrawn;
}

/* What cannot be read of one image is said, and keeps none of the others from its turn. */
static ck_err *pass_over(struct pass *p, const struct ck_digest *d, ck_err *e)
{
    char text[CK_DIGEST_TEXT];
    e = ck_err_wrap(e, "%s", ck_digest_text(d, text));
    pthread_mutex_lock(&p->mutex);
    *ck_push(&p->over) = *d;
    p->counts->stale++;
    ck_watch_note(p->o, ck_err_text(e));
    if (p->o->stale)
        p->o->stale(p->o->ctx, d);
    pthread_mutex_unlock(&p->mutex);
    ck_err_free(e);
    return NULL;
}

static ck_err *one(struct pass *p, struct ck_store *s, const struct ck_digest *d, struct batch *b,
                   struct ck_watch_counts *c)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_again g = { 0 };
    bool there = false;
    ck_err *e = ck_again_of(s, p->o, p->how, d, &a, &g, &there);
    if (e && (ck_err_class(e) == CK_ERR_HOSTILE || ck_err_class(e) == CK_ERR_LIMIT))
        return pass_over(p, d, e);
    if (e && ck_err_class(e) == CK_ERR_UNAVAILABLE) { /* gone meanwhile */
        ck_err_free(e);
        return NULL;
    }
    if (e || !there)
        return e;
    count(c, &g, p->how != NULL);
    if (p->how || g.decide || g.n_events)
        keep(b, d, &g);
    return NULL;
}

/* --- threads ---------------------------------------------------------------------------------- */

static void add_counts(struct ck_watch_counts *to, const struct ck_watch_counts *c)
{
    to->matched += c->matched;
    to->judged += c->judged;
    to->first += c->first;
    to->changed += c->changed;
    to->added += c->added;
    to->gone += c->gone;
    to->verdicts += c->verdicts;
    to->withdrawn += c->withdrawn;
}

static void report(struct pass *p, const struct ck_watch_counts *c, size_t n)
{
    size_t done = atomic_fetch_add(&p->done, n) + n;
    pthread_mutex_lock(&p->mutex);
    add_counts(p->counts, c);
    ck_watch_progress(p->o, p->how ? CK_WATCH_MATCHES : CK_WATCH_VERDICTS, done, p->n);
    pthread_mutex_unlock(&p->mutex);
}

static ck_err *batch(struct pass *p, struct ck_store *s, size_t from, size_t to, struct batch *b)
{
    struct ck_watch_counts c = { 0 };
    for (size_t i = from; i < to; i++)
        CK_TRY(one(p, s, &p->images[i], b, &c));
    if (b->n)
        CK_TRY(ck_store_rematched(s, p->how ? p->how->built : CK_STORE_NOT_MATCHED, b->v, b->n));
    report(p, &c, to - from);
    return NULL;
}

static ck_err *batches(struct pass *p, struct ck_store *s)
{
    ck_err *e = NULL;
    while (!e && !atomic_load(&p->failed) && !ck_watch_stopped(p->o)) {
        size_t from = atomic_fetch_add(&p->next, BATCH);
        if (from >= p->n)
            break;
        struct batch *b = ck_new(struct batch);
        e = batch(p, s, from, from + BATCH < p->n ? from + BATCH : p->n, b);
        ck_arena_free(&b->arena);
        free(b);
    }
    return e;
}

/* A connection of its own: threads then wait for each other only to write, and whoever keeps
 * answers (the gate) sees that the store changed. */
static void *work(void *arg)
{
    struct pass *p = arg;
    struct ck_store *s = NULL;
    ck_err *e = ck_store_open(p->o->store, &s);
    if (!e)
        e = batches(p, s);
    ck_store_close(s);
    pthread_mutex_lock(&p->mutex);
    if (e)
        atomic_store(&p->failed, true);
    if (e && !p->e)
        p->e = ck_steal(e);
    pthread_mutex_unlock(&p->mutex);
    ck_err_free(e);
    return NULL;
}

static unsigned threads_for(const struct pass *p)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = p->o->threads ? p->o->threads : cores > 0 ? (size_t)cores : 1;
    size_t batches_of_it = (p->n + BATCH - 1) / BATCH;
    n = n < batches_of_it ? n : batches_of_it;
    return (unsigned)(n < MOST_THREADS ? n : MOST_THREADS);
}

ck_err *ck_rematch_images(const struct ck_watch_options *o, const struct ck_rematching *how,
                          const struct ck_digest *images, size_t n,
                          struct ck_watch_counts *counts, struct ck_arena *a,
                          struct ck_digest **ret_over, size_t *ret_n_over)
{
    struct pass p = { .o = o, .counts = counts, .how = how, .images = images, .n = n };
    pthread_t threads[MOST_THREADS];
    unsigned wanted = threads_for(&p), started = 0;
    pthread_mutex_init(&p.mutex, NULL);
    while (started < wanted && pthread_create(&threads[started], NULL, work, &p) == 0)
        started++;
    if (n && !started)
        work(&p);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&p.mutex);
    if (!p.e) {
        struct ck_digest *over = ck_arena_alloc(a, p.over.n + 1, sizeof *over);
        for (size_t i = 0; i < p.over.n; i++)
            over[i] = p.over.v[i];
        *ret_over = over;
        *ret_n_over = p.over.n;
    }
    free(p.over.v);
    return p.e;
}
