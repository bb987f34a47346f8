/* Images that were built on an image of the store whose tag means a newer build by now: what a
 * rebuild would take away. Counted, not guessed: the findings in packages that came with the base's
 * layers, against the findings of the newer one.
 */
#include "watch/watch_int.h"

#include "base/mem.h"
#include "scan/inventory_codec.h"

#include <stdlib.h>

struct bases {
    struct ck_store *s;
    const struct ck_watch_options *o;
    struct ck_watch_counts *counts;
    struct ck_moved_name *moved; /* by chain, then name */
    size_t n;
};

/* One image and the base it has. */
struct built {
    const struct ck_digest *image;
    const struct ck_moved_name *base;
    size_t layers; /* of the base */
    struct ck_facts facts, newer;
    ck_view *base_packages; /* names of what came with the base's layers, sorted */
    size_t n_base_packages;
};

static int by_chain(const void *x, const void *y)
{
    const struct ck_moved_name *a = x, *b = y;
    int c = ck_view_cmp(a->chain, b->chain);
    return c ? c : ck_view_cmp(a->name, b->name);
}

static int by_text(const void *x, const void *y)
{
    return ck_view_cmp(*(const ck_view *)x, *(const ck_view *)y);
}

static bool is_in(ck_view what, const ck_view *sorted, size_t n)
{
    return n && bsearch(&what, sorted, n, sizeof *sorted, by_text) != NULL;
}

/* --- which base ------------------------------------------------------------------------------- */

static const struct ck_moved_name *first_of(const struct bases *w, ck_view chain)
{
    size_t low = 0, high = w->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ck_view_cmp(w->moved[middle].chain, chain) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->n && ck_view_eq(w->moved[low].chain, chain) ? &w->moved[low] : NULL;
}

/* The nearest: the one with most of its layers. Itself is none. */
static bool find_base(const struct bases *w, struct built *b)
{
    for (size_t i = b->facts.n_chain ? b->facts.n_chain - 1 : 0; i > 0; i--) {
        char text[CK_DIGEST_TEXT];
        b->base = first_of(w, ck_view_str(ck_digest_text(&b->facts.chain[i - 1], text)));
        b->layers = i;
        if (b->base)
            return true;
    }
    return false;
}

static ck_err *read_facts(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                          struct ck_facts *ret, bool *ret_found)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    CK_TRY(ck_store_get_facts(s, d, &bytes, &found));
    ck_err *e = found && bytes.n ? ck_facts_decode(ck_arena_dup(a, ck_buf_view(&bytes)), a, ret)
                                 : NULL;
    *ret_found = found && bytes.n && !e;
    ck_err_free(e); /* of another version: nothing is known */
    return NULL;
}

/* *ret_known is false where what is kept is of another version of this program. */
static ck_err *read_packages(struct ck_store *s, struct built *b, struct ck_arena *a,
                             bool *ret_known)
{
    struct ck_store_inventory v = { 0 };
    struct ck_seen seen = { 0 };
    bool found = false, stale = false;
    CK_TRY(ck_store_get_inventory(s, b->image, a, &v, &found));
    if (found)
        CK_TRY(ck_seen_decode(&v, a, &seen, &stale));
    *ret_known = found && !stale;
    if (!*ret_known)
        return NULL;
    b->base_packages = ck_arena_alloc(a, seen.n_packages + 1, sizeof *b->base_packages);
    for (size_t i = 0; i < seen.n_packages; i++)
        if (seen.packages[i].layer < b->layers)
            b->base_packages[b->n_base_packages++] = seen.packages[i].p.name;
    if (b->n_base_packages)
        qsort(b->base_packages, b->n_base_packages, sizeof(ck_view), by_text);
    return NULL;
}

/* --- what a rebuild changes ------------------------------------------------------------------- */

static ck_view key_of(const struct ck_fact_finding *f, struct ck_arena *a)
{
    return ck_view_str(ck_arena_format(a, "%.*s\n%.*s", CK_VF(f->id), CK_VF(f->package)));
}

/* Id and package of each finding; all, or those that came with the base. Sorted, each once. */
static ck_view *keys_of(const struct ck_facts *f, const struct built *from_base, struct ck_arena *a,
                        size_t *ret_n)
{
    ck_view *v = ck_arena_alloc(a, f->n_findings + 1, sizeof *v);
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < f->n_findings; i++)
        if (!from_base || is_in(f->findings[i].package, from_base->base_packages,
                                from_base->n_base_packages))
            v[n++] = key_of(&f->findings[i], a);
    if (n)
        qsort(v, n, sizeof *v, by_text);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !ck_view_eq(v[kept - 1], v[i]))
            v[kept++] = v[i];
    *ret_n = kept;
    return v;
}

static size_t put_missing(const ck_view *v, size_t n, const ck_view *in, size_t n_in,
                          struct ck_buf *out)
{
    size_t missing = 0;
    for (size_t i = 0; i < n; i++) {
        ck_view package, id = ck_view_split(v[i], '\n', &package);
        if (is_in(v[i], in, n_in))
            continue;
        if (missing++ >= CK_MAX_EVENT_FINDINGS || out->n > CK_MAX_EVENT_DATA / 4)
            continue;
        ck_put_bytes(out, missing > 1 ? CK_V(",{\"id\":") : CK_V("{\"id\":"));
        ck_buf_json_str(out, id);
        ck_put_bytes(out, CK_V(",\"package\":"));
        ck_buf_json_str(out, package);
        ck_put_bytes(out, CK_V("}"));
    }
    return missing;
}

/* --- the event -------------------------------------------------------------------------------- */

static void put_head(const struct built *b, struct ck_buf *out)
{
    char was[CK_DIGEST_TEXT], is[CK_DIGEST_TEXT];
    ck_put_bytes(out, CK_V("{\"base\":"));
    ck_buf_json_str(out, b->base->name);
    ck_buf_format(out, ",\"from\":\"%s\",\"to\":\"%s\"", ck_digest_text(&b->base->was, was),
                  ck_digest_text(&b->base->is, is));
}

static struct ck_event event_of(const struct bases *w, const struct built *b,
                                const struct ck_standing *st, struct ck_arena *a)
{
    ck_autobuf struct ck_buf data = ck_buf_new(CK_LIMIT_NONE);
    size_t n_had = 0, n_all = 0, n_newer = 0;
    char is[CK_DIGEST_TEXT];
    ck_view *had = keys_of(&b->facts, b, a, &n_had), *all = keys_of(&b->facts, NULL, a, &n_all);
    ck_view *newer = keys_of(&b->newer, NULL, a, &n_newer);
    put_head(b, &data);
    ck_put_bytes(&data, CK_V(",\"gone\":["));
    size_t gone = put_missing(had, n_had, newer, n_newer, &data);
    ck_put_bytes(&data, CK_V("],\"new\":["));
    size_t added = put_missing(newer, n_newer, all, n_all, &data);
    ck_buf_format(&data, "],\"gone_count\":%zu,\"new_count\":%zu}", gone, added);
    const char *line = ck_arena_format(a, "rebuild on %.*s@%s and %zu finding%s disappear%s",
                                       CK_VF(b->base->name), ck_digest_text(&b->base->is, is),
                                       gone, gone == 1 ? "" : "s", gone == 1 ? "s" : "");
    if (added)
        line = ck_arena_format(a, "%s, %zu come%s", line, added, added == 1 ? "s" : "");
    return ck_watch_event("base", b->image, st, w->o->now, line, ck_buf_view(&data), a);
}

/* Once for each newer build. */
static ck_err *tell(const struct bases *w, const struct built *b, struct ck_arena *a)
{
    ck_autobuf struct ck_buf kept = ck_buf_new(CK_LIMIT_NOTE);
    struct ck_standing st;
    char image[CK_DIGEST_TEXT], is[CK_DIGEST_TEXT];
    bool found = false;
    const char *key = ck_arena_format(a, "watch.base:%s", ck_digest_text(b->image, image));
    ck_view word = ck_view_str(ck_digest_text(&b->base->is, is));
    CK_TRY(ck_store_get_note(w->s, key, &kept, &found));
    if (found && ck_view_eq(ck_buf_view(&kept), word))
        return NULL;
    CK_TRY(ck_store_standing(w->s, b->image, a, &st, &found));
    if (!found)
        return NULL;
    struct ck_event e = event_of(w, b, &st, a);
    w->counts->bases++;
    CK_TRY(ck_store_add_events(w->s, &e, 1));
    return ck_store_put_note(w->s, key, word);
}

static ck_err *look_at(const struct bases *w, const struct ck_digest *d)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct built b = { .image = d };
    bool found = false;
    CK_TRY(read_facts(w->s, d, &a, &b.facts, &found));
    if (!found || !find_base(w, &b) || ck_digest_eq(&b.base->is, d))
        return NULL;
    CK_TRY(read_facts(w->s, &b.base->is, &a, &b.newer, &found));
    if (!found)
        return NULL;
    CK_TRY(read_packages(w->s, &b, &a, &found));
    return found ? tell(w, &b, &a) : NULL;
}

ck_err *ck_watch_bases(struct ck_store *s, const struct ck_watch_options *o,
                       struct ck_watch_counts *counts)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct bases w = { .s = s, .o = o, .counts = counts };
    struct ck_digest *images = NULL;
    size_t n = 0;
    CK_TRY(ck_store_moved_names(s, &a, &w.moved, &w.n));
    if (!w.n)
        return NULL;
    qsort(w.moved, w.n, sizeof *w.moved, by_chain);
    CK_TRY(ck_store_unmatched(s, INT64_MIN, 0, &a, &images, &n));
    for (size_t i = 0; i < n && !ck_watch_stopped(o); i++) {
        CK_TRY(look_at(&w, &images[i]));
        ck_watch_progress(o, CK_WATCH_BASES, i + 1, n);
    }
    return NULL;
}
