/* Which images a new database may say something else of. */
#include "watch/watch_int.h"

#include "advisory/changes.h"
#include "base/mem.h"
#include "watch/rematch.h"

#include <stdlib.h>

#define NOTE "watch.fingerprints"
#define NOTE_BUILT "watch.built"

struct set {
    struct ck_digest *v;
    size_t n, cap;
};

static int by_digest(const void *x, const void *y)
{
    const struct ck_digest *a = x, *b = y;
    if (a->alg != b->alg)
        return a->alg < b->alg ? -1 : 1;
    return memcmp(a->bytes, b->bytes, ck_digest_size(a->alg));
}

static void add(struct set *s, const struct ck_digest *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *ck_push(s) = v[i];
}

static void settle(struct set *s)
{
    size_t kept = 0;
    if (s->n)
        qsort(s->v, s->n, sizeof *s->v, by_digest);
    for (size_t i = 0; i < s->n; i++)
        if (kept == 0 || by_digest(&s->v[kept - 1], &s->v[i]) != 0)
            s->v[kept++] = s->v[i];
    s->n = kept;
}

/* Both are sorted; what is in `a` and, as `in` says, in `b` or not. */
static void keep(struct set *a, const struct set *b, bool in)
{
    size_t kept = 0, k = 0;
    for (size_t i = 0; i < a->n; i++) {
        while (k < b->n && by_digest(&b->v[k], &a->v[i]) < 0)
            k++;
        bool there = k < b->n && by_digest(&b->v[k], &a->v[i]) == 0;
        if (there == in)
            a->v[kept++] = a->v[i];
    }
    a->n = kept;
}

/* --- asking the store ------------------------------------------------------------------------- */

static ck_err *add_unmatched(struct ck_store *s, int64_t built, struct set *into)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_digest *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_unmatched(s, built, 0, &a, &v, &n));
    add(into, v, n);
    return NULL;
}

static ck_err *add_changed(struct ck_store *s, const struct ck_changes *c, struct set *into)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_digest *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_holding(s, c->keys, c->n_keys, &a, &v, &n));
    add(into, v, n);
    for (size_t i = 0; i < c->n_ids; i++) {
        ck_autoarena struct ck_arena once = { 0 };
        CK_TRY(ck_store_having(s, c->ids[i], &once, &v, &n));
        add(into, v, n);
    }
    return NULL;
}

/* What was matched with the database of the note, and holds nothing that changed, needs nothing;
 * what was matched with any other (a scan in between, a round that was cut short) does. */
static ck_err *narrow(struct ck_store *s, const struct ck_changes *c, struct set *todo)
{
    struct set maybe = { 0 };
    ck_err *e = add_unmatched(s, c->from, &maybe);
    if (!e)
        e = add_changed(s, c, &maybe);
    settle(&maybe);
    if (!e)
        keep(todo, &maybe, true);
    free(maybe.v);
    return e;
}

static ck_err *changes_since(struct ck_store *s, ck_view now, struct ck_arena *a,
                             struct ck_changes *ret)
{
    ck_autobuf struct ck_buf before = ck_buf_new(CK_LIMIT_NOTE);
    bool found = false;
    CK_TRY(ck_store_get_note(s, NOTE, &before, &found));
    if (!found) {
        *ret = (struct ck_changes){ .everything = true };
        return NULL;
    }
    return ck_changes_between(ck_arena_dup(a, ck_buf_view(&before)), now, a, ret);
}

/* --- the passes ------------------------------------------------------------------------------- */

/* Only when all is done the database counts as the one that everything was matched with. What could
 * not be read (`over`) stays behind, and keeps the next round from nothing but itself. */
static ck_err *conclude(struct ck_store *s, int64_t built, ck_view prints,
                        const struct ck_digest *over, size_t n_over)
{
    ck_autofree char *text = ck_format("%lld", (long long)built);
    CK_TRY(ck_store_matched_all(s, built, over, n_over));
    CK_TRY(ck_store_put_note(s, NOTE, prints));
    return ck_store_put_note(s, NOTE_BUILT, ck_view_str(text));
}

static ck_err *is_concluded(struct ck_store *s, int64_t built, bool *ret)
{
    ck_autobuf struct ck_buf kept = ck_buf_new(CK_LIMIT_NOTE);
    ck_autofree char *text = ck_format("%lld", (long long)built);
    bool found = false;
    CK_TRY(ck_store_get_note(s, NOTE_BUILT, &kept, &found));
    *ret = found && ck_view_eq(ck_buf_view(&kept), ck_view_str(text));
    return NULL;
}

static ck_err *match_all(struct ck_store *s, const struct ck_watch_options *o,
                         struct ck_watch_counts *counts, struct set *todo)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf prints = ck_buf_new(CK_LIMIT_NOTE);
    struct ck_changes c = { 0 };
    struct ck_rematching how = { .db = o->db, .built = ck_db_built(o->db) };
    struct ck_digest *over = NULL;
    size_t n_over = 0;
    bool concluded = false;
    CK_TRY(add_unmatched(s, how.built, todo));
    settle(todo);
    CK_TRY(is_concluded(s, how.built, &concluded));
    if (!todo->n && concluded)
        return NULL;
    CK_TRY(ck_changes_take(o->db, &prints));
    CK_TRY(changes_since(s, ck_buf_view(&prints), &a, &c));
    how.before = c.from;
    if (!c.everything)
        CK_TRY(narrow(s, &c, todo));
    CK_TRY(ck_rematch_images(o, &how, todo->v, todo->n, counts, &a, &over, &n_over));
    return ck_watch_stopped(o) ? NULL
                               : conclude(s, how.built, ck_buf_view(&prints), over, n_over);
}

/* Days pass and policies change: what was not matched is judged all the same. */
static ck_err *judge_rest(struct ck_store *s, const struct ck_watch_options *o,
                          struct ck_watch_counts *counts, const struct set *done)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct set rest = { 0 };
    struct ck_digest *over;
    size_t n_over;
    ck_err *e = add_unmatched(s, INT64_MIN, &rest);
    settle(&rest);
    keep(&rest, done, false);
    if (!e)
        e = ck_rematch_images(o, NULL, rest.v, rest.n, counts, &a, &over, &n_over);
    free(rest.v);
    return e;
}

ck_err *ck_watch_rematch(struct ck_store *s, const struct ck_watch_options *o,
                         struct ck_watch_counts *counts)
{
    struct set done = { 0 };
    ck_err *e = o->db ? match_all(s, o, counts, &done) : NULL;
    if (!e && !ck_watch_stopped(o))
        e = judge_rest(s, o, counts, &done);
    free(done.v);
    return e;
}

ck_err *ck_watch_image(struct ck_store *s, const struct ck_digest *d,
                       const struct ck_watch_options *o, struct ck_watch_counts *counts,
                       bool *ret_matched)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_standing st = { 0 };
    struct ck_rematching how = { .db = o->db, .built = ck_db_built(o->db) };
    struct ck_digest *over = NULL;
    size_t n_over = 0;
    bool found = false;
    CK_TRY(ck_store_standing(s, d, &a, &st, &found));
    if (found && st.has_inventory && st.matched != how.built)
        CK_TRY(ck_rematch_images(o, &how, d, 1, counts, &a, &over, &n_over));
    *ret_matched = found && st.has_inventory && !n_over;
    return NULL;
}
