#include "advisory/changes.h"

#include "advisory/changes_int.h"
#include "advisory/cut.h"
#include "advisory/match_int.h"

#include <stdlib.h>

struct prints {
    uint8_t version;
    int64_t built;
    uint64_t feeds;
    ck_view entries;
    ck_view *ids;
    size_t n_ids;
};

typedef CK_VEC(ck_view) views;

/* --- reading ---------------------------------------------------------------------------------- */

static ck_err *damaged(const char *what, size_t at)
{
    return ck_err_at(CK_ERR_OURS, at, "fingerprints of an advisory database are damaged: %s", what);
}

static ck_view entry_key(ck_view entries, size_t i)
{
    return ck_view_of(entries.p + i * CK_CHANGES_ENTRY, CK_KEY_BYTES);
}

static ck_view entry_content(ck_view entries, size_t i)
{
    return ck_view_of(entries.p + i * CK_CHANGES_ENTRY + CK_KEY_BYTES,
                      CK_CHANGES_ENTRY - CK_KEY_BYTES);
}

static ck_err *read_entries(ck_cur *c, struct prints *p)
{
    size_t n = ck_cur_le32(c);
    if (n > ck_cur_left(c) / CK_CHANGES_ENTRY)
        return damaged("more keys than bytes", c->at);
    p->entries = ck_cur_take(c, n * CK_CHANGES_ENTRY);
    for (size_t i = 1; i < n; i++)
        if (ck_view_cmp(entry_key(p->entries, i - 1), entry_key(p->entries, i)) >= 0)
            return damaged("keys are not sorted", c->at);
    return NULL;
}

static ck_err *read_ids(ck_cur *c, struct ck_arena *a, struct prints *p)
{
    size_t n = ck_cur_le32(c);
    if (n > ck_cur_left(c) / 4)
        return damaged("more ids than bytes", c->at);
    p->ids = ck_arena_alloc(a, n, sizeof *p->ids);
    p->n_ids = n;
    for (size_t i = 0; i < n; i++) {
        p->ids[i] = ck_cur_str(c, CK_MAX_STRING);
        if (!ck_cur_ok(c) || (i && ck_view_cmp(p->ids[i - 1], p->ids[i]) >= 0))
            return damaged("ids", c->at);
    }
    return NULL;
}

static ck_err *read_prints(ck_view bytes, struct ck_arena *a, struct prints *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct prints p = { .version = ck_cur_u8(&c) };
    p.built = (int64_t)ck_cur_le64(&c);
    p.feeds = ck_cur_le64(&c);
    if (!ck_cur_ok(&c))
        return damaged("cut off", bytes.n);
    if (p.version == CK_CHANGES_VERSION) {
        CK_TRY(read_entries(&c, &p));
        CK_TRY(read_ids(&c, a, &p));
        if (!ck_cur_ok(&c) || !ck_cur_end(&c))
            return damaged("their end", c.at);
    }
    *ret = p;
    return NULL;
}

/* --- comparing -------------------------------------------------------------------------------- */

static void compare_entries(ck_view before, ck_view after, views *out)
{
    size_t n = before.n / CK_CHANGES_ENTRY, m = after.n / CK_CHANGES_ENTRY, i = 0, k = 0;
    while (i < n || k < m) {
        int c = i == n ? 1 : k == m ? -1 : ck_view_cmp(entry_key(before, i), entry_key(after, k));
        if (c || !ck_view_eq(entry_content(before, i), entry_content(after, k)))
            *ck_push(out) = c <= 0 ? entry_key(before, i) : entry_key(after, k);
        i += c <= 0;
        k += c >= 0;
    }
}

static void compare_ids(const struct prints *before, const struct prints *after, views *out)
{
    size_t i = 0, k = 0;
    while (i < before->n_ids || k < after->n_ids) {
        int c = i == before->n_ids  ? 1
                : k == after->n_ids ? -1
                                    : ck_view_cmp(before->ids[i], after->ids[k]);
        if (c)
            *ck_push(out) = c < 0 ? before->ids[i] : after->ids[k];
        i += c <= 0;
        k += c >= 0;
    }
}

/* "Now" is when the database was built: support that has ended meanwhile is a gap. */
static void compare_ends(int64_t from, int64_t to, struct ck_arena *a, views *out)
{
    ck_autocut struct ck_cut cut = ck_cut_new();
    int64_t *ends;
    size_t n = ck_distro_ends(a, &ends);
    for (size_t i = 0; i < n; i++) {
        if ((from > ends[i]) == (to > ends[i]))
            continue;
        uint64_t key = ck_key_of_end(&cut, ends[i]);
        ck_key_put(&cut.b, key);
        *ck_push(out) = ck_arena_dup(a, ck_buf_view(&cut.b));
        ck_buf_clear(&cut.b);
    }
}

static int by_bytes(const void *pa, const void *pb)
{
    return ck_view_cmp(*(const ck_view *)pa, *(const ck_view *)pb);
}

/* Sorted, each once, in the arena. */
static ck_view *settle(views *v, struct ck_arena *a, size_t *ret_n)
{
    ck_view *out = ck_arena_alloc(a, v->n, sizeof *out);
    size_t n = 0;
    if (v->n)
        qsort(v->v, v->n, sizeof *v->v, by_bytes);
    for (size_t i = 0; i < v->n; i++)
        if (n == 0 || !ck_view_eq(out[n - 1], v->v[i]))
            out[n++] = v->v[i];
    free(v->v);
    *ret_n = n;
    return out;
}

ck_err *ck_changes_between(ck_view before, ck_view after, struct ck_arena *a,
                           struct ck_changes *ret)
{
    struct prints p = { 0 }, q = { 0 };
    views keys = { 0 }, ids = { 0 };
    CK_TRY(read_prints(before, a, &p));
    CK_TRY(read_prints(after, a, &q));
    struct ck_changes c = { .from = p.built, .to = q.built, .why = CK_V("") };
    if (p.version != CK_CHANGES_VERSION || q.version != CK_CHANGES_VERSION)
        c.why = CK_V("this program matches in another way than the one before");
    else if (p.feeds != q.feeds)
        c.why = CK_V("the feeds are others, or one of them failed or works again");
    c.everything = c.why.n > 0;
    if (!c.everything) {
        compare_entries(p.entries, q.entries, &keys);
        compare_ids(&p, &q, &ids);
        compare_ends(p.built, q.built, a, &keys);
        c.keys = settle(&keys, a, &c.n_keys);
        c.ids = settle(&ids, a, &c.n_ids);
    }
    *ret = c;
    return NULL;
}
