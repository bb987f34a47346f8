/* What the store's tags mean at their registries now. One at a time, and never fast: a registry
 * that is asked by thousands counts each question.
 */
#include "watch/watch_int.h"

#include "base/clock.h"
#include "base/mem.h"
#include "source/resolve.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { PAUSE_MS = 200, FAILURES = 3, NOT_FOUND = 404 };

struct host {
    ck_view name;
    int64_t next_ms;   /* not before */
    unsigned failures; /* in a row */
};

struct tags {
    struct ck_store *s;
    const struct ck_watch_tags *t;
    const struct ck_watch_options *o;
    struct ck_watch_counts *counts;
    struct ck_arena arena; /* of the hosts */
    struct ck_lease *lease;
    struct ck_resolver *resolver;
    CK_VEC(struct host) hosts;
    size_t asked;
};

/* --- politeness ------------------------------------------------------------------------------- */

static struct host *host_of(struct tags *w, ck_view name)
{
    for (size_t i = 0; i < w->hosts.n; i++)
        if (ck_view_eq(w->hosts.v[i].name, name))
            return &w->hosts.v[i];
    struct host *h = ck_push(&w->hosts);
    *h = (struct host){ .name = ck_arena_dup(&w->arena, name) };
    return h;
}

/* Half of the pause is chance, so that many who look at the same hour do not ask in step. */
static int64_t pause_ms(const struct tags *w)
{
    uint32_t chance = 0;
    unsigned pause = w->t->pause_ms ? w->t->pause_ms : PAUSE_MS;
    if (getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance)
        return pause; /* no chance to be had: the whole of it */
    return pause / 2 + chance % (pause / 2 + 1);
}

static void wait_turn(struct tags *w, const struct host *h)
{
    enum { STEP_MS = 50 };
    for (int64_t left; (left = h->next_ms - ck_clock_ms()) > 0 && !ck_watch_stopped(w->o);) {
        int64_t ms = left < STEP_MS ? left : STEP_MS;
        nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
    }
}

static bool may_ask(const struct tags *w, ck_view host)
{
    for (size_t i = 0; i < w->t->n_upstreams; i++)
        if (ck_view_eq(host, ck_view_str(w->t->upstreams[i])))
            return true;
    return w->t->n_upstreams == 0;
}

/* --- what was said of a name already ---------------------------------------------------------- */

static const char *key_of(ck_view name, struct ck_arena *a)
{
    return ck_arena_format(a, "watch.tag:%.*s", CK_VF(name));
}

/* Whether `word` is new of this name; from now on it is not. */
static ck_err *is_news(struct tags *w, ck_view name, ck_view word, struct ck_arena *a, bool *ret)
{
    ck_autobuf struct ck_buf kept = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    CK_TRY(ck_store_get_note(w->s, key_of(name, a), &kept, &found));
    *ret = !ck_view_eq(ck_buf_view(&kept), word);
    return NULL;
}

static ck_err *said(struct tags *w, ck_view name, ck_view word, struct ck_arena *a)
{
    bool news = false;
    CK_TRY(is_news(w, name, word, a, &news));
    return news ? ck_store_put_note(w->s, key_of(name, a), word) : NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

static ck_err *not_had(struct tags *w, ck_view name, struct host *h, ck_err *why,
                       struct ck_arena *a)
{
    bool news = false;
    ck_autoerr ck_err *e = why;
    w->counts->unasked++;
    h->failures = ck_err_status(e) == NOT_FOUND ? 0 : h->failures + 1;
    CK_TRY(is_news(w, name, CK_V("failed"), a, &news));
    if (!news)
        return NULL;
    CK_TRY(said(w, name, CK_V("failed"), a));
    ck_watch_note(w->o, ck_err_text(e));
    return NULL;
}

static ck_err *tell_moved(struct tags *w, const struct ck_upstream_name *n,
                          const struct ck_digest *to, bool held, struct ck_arena *a)
{
    char was[CK_DIGEST_TEXT], is[CK_DIGEST_TEXT];
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_standing st = { .names = &(ck_view){ n->name.p, n->name.n }, .n_names = 1 };
    ck_digest_text(&n->digest, was);
    ck_digest_text(to, is);
    ck_buf_format(&b, "{\"from\":\"%s\",\"to\":\"%s\",\"held\":%s}", was, is,
                  held ? "true" : "false");
    const char *line = ck_arena_format(a, "means %s now%s; it was %s", is,
                                       held ? "" : ", which is not in the store", was);
    struct ck_event e = ck_watch_event("moved", &n->digest, &st, w->o->now, line, ck_buf_view(&b),
                                       a);
    w->counts->moved++;
    return ck_store_add_events(w->s, &e, 1);
}

/* A digest that nothing vouches for names nothing new here: only what is in the store may be what
 * the tag means; that is also what a pull would find. */
static ck_err *had(struct tags *w, const struct ck_upstream_name *n, const struct ck_digest *is,
                   struct ck_arena *a)
{
    struct ck_standing st;
    struct ck_digest from;
    char text[CK_DIGEST_TEXT];
    bool held = false, news = false, moved = false;
    bool same = ck_digest_eq(is, &n->digest);
    ck_view word = same ? CK_V("") : ck_view_str(ck_digest_text(is, text));
    CK_TRY(ck_store_standing(w->s, is, a, &st, &held));
    CK_TRY(is_news(w, n->name, word, a, &news));
    if (!same && news)
        CK_TRY(tell_moved(w, n, is, held, a));
    CK_TRY(said(w, n->name, word, a));
    return held ? ck_store_set_name(w->lease, n->name, is, &moved, &from) : NULL;
}

static ck_err *ask(struct tags *w, const struct ck_upstream_name *n)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name name;
    struct ck_digest is;
    ck_autoerr ck_err *none = ck_name_parse(n->name, &a, &name);
    if (none || !name.tag.n || !may_ask(w, name.host))
        return NULL; /* of an archive or a layout: nobody else knows it */
    struct host *h = host_of(w, name.host);
    if (h->failures >= FAILURES) {
        w->counts->unasked++;
        return NULL;
    }
    wait_turn(w, h);
    if (ck_watch_stopped(w->o))
        return NULL;
    ck_err *e = ck_resolve_digest(w->resolver, &name, &a, &is);
    h->next_ms = ck_clock_ms() + pause_ms(w);
    w->asked++;
    if (e)
        return not_had(w, n->name, h, e, &a);
    h->failures = 0;
    w->counts->asked++;
    return had(w, n, &is, &a);
}

static ck_err *ask_all(struct tags *w, const struct ck_upstream_name *v, size_t n)
{
    for (size_t i = 0; i < n && w->asked < CK_MAX_WATCH_TAGS && !ck_watch_stopped(w->o); i++) {
        CK_TRY(ask(w, &v[i]));
        ck_watch_progress(w->o, CK_WATCH_TAGS, i + 1, n);
    }
    return NULL;
}

ck_err *ck_watch_tags(struct ck_store *s, const struct ck_watch_tags *t,
                      const struct ck_watch_options *o, struct ck_watch_counts *counts)
{
    enum { MOST = 1000000 }; /* what cannot be asked about must not keep the rest from its turn */
    struct tags w = { .s = s, .t = t, .o = o, .counts = counts };
    struct ck_resolve_options ro = { .remote = t->remote };
    struct ck_upstream_name *v = NULL;
    ck_autoarena struct ck_arena a = { 0 };
    size_t n = 0;
    CK_TRY(ck_store_upstream_names(s, o->now - t->every, MOST, &a, &v, &n));
    CK_TRY(ck_lease_new(s, &w.lease));
    ck_err *e = ck_resolver_new(&ro, &w.resolver);
    if (!e)
        e = ask_all(&w, v, n);
    ck_resolver_free(w.resolver);
    ck_lease_end(w.lease);
    free(w.hosts.v);
    ck_arena_free(&w.arena);
    return e;
}
