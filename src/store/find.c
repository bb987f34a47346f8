/* Looking images up. */
#include "store/store_int.h"

#include "base/mem.h"
#include "image/name.h"

#include <stdlib.h>

#define COLUMNS                                                                                 \
    "SELECT digest, media_type, size, is_index, platform, subject, artifact_type, complete,"     \
    " state, reason, who, person, decided, added FROM image "

/* --- one entry -------------------------------------------------------------------------------- */

static ck_err *read_names(struct ck_store *s, struct ck_arena *a, struct ck_store_entry *e)
{
    CK_VEC(ck_view) names = { 0 };
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT name FROM name WHERE digest=? ORDER BY name", &q));
    ck_bind_digest(&q, &e->image.digest);
    ck_err *err = NULL;
    while (!(err = ck_query_step(&q, &row)) && row)
        *ck_push(&names) = ck_arena_dup(a, ck_column_text(&q, 0));
    e->names = ck_arena_alloc(a, names.n + 1, sizeof *e->names);
    for (size_t i = 0; i < names.n; i++)
        e->names[i] = names.v[i];
    e->n_names = names.n;
    free(names.v);
    return err;
}

/* What of it and of all below it is in the store, each blob once. */
static ck_err *read_total(struct ck_store *s, struct ck_store_entry *e)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "WITH RECURSIVE below(d) AS (VALUES(?) UNION SELECT part.digest"
                           " FROM below JOIN part ON part.image=below.d)"
                           " SELECT coalesce(sum(size),0) FROM below JOIN blob ON digest=d", &q));
    ck_bind_digest(&q, &e->image.digest);
    return ck_query_count(&q, &e->total);
}

static ck_err *read_part(struct ck_query *q, struct ck_arena *a, struct ck_store_part *p)
{
    CK_TRY(ck_column_digest(q, 0, &p->digest));
    p->size = (uint64_t)ck_column_int(q, 1);
    p->media_type = ck_arena_dup(a, ck_column_text(q, 2));
    p->role = (enum ck_part_role)ck_column_int(q, 3);
    return NULL;
}

static ck_err *count_parts(struct ck_store *s, const struct ck_digest *d, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT count(*) FROM part WHERE image=?", &q));
    ck_bind_digest(&q, d);
    return ck_query_count(&q, ret);
}

static ck_err *read_parts(struct ck_store *s, struct ck_arena *a, struct ck_store_image *im)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t n = 0;
    bool row = true;
    CK_TRY(count_parts(s, &im->digest, &n));
    CK_TRY(ck_query_new(s, "SELECT digest, size, media_type, role FROM part WHERE image=?"
                           " ORDER BY number", &q));
    ck_bind_digest(&q, &im->digest);
    im->parts = ck_arena_alloc(a, n + 1, sizeof *im->parts);
    for (im->n_parts = 0; im->n_parts < n; im->n_parts++) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_part(&q, a, &im->parts[im->n_parts]));
    }
    return NULL;
}

static ck_err *read_row(struct ck_query *q, struct ck_arena *a, struct ck_store_entry *ret)
{
    struct ck_store_entry e = {
        .image = {
            .media_type = ck_arena_dup(a, ck_column_text(q, 1)),
            .size = (uint64_t)ck_column_int(q, 2),
            .index = ck_column_int(q, 3),
            .platform = ck_arena_dup(a, ck_column_text(q, 4)),
            .has_subject = !ck_column_null(q, 5),
            .artifact_type = ck_arena_dup(a, ck_column_text(q, 6)),
        },
        .complete = ck_column_int(q, 7),
        .state = (enum ck_state_of_image)ck_column_int(q, 8),
        .reason = ck_arena_dup(a, ck_column_text(q, 9)),
        .who = ck_arena_dup(a, ck_column_text(q, 10)),
        .by_person = ck_column_int(q, 11),
        .decided = ck_column_int(q, 12),
        .added = ck_column_int(q, 13),
    };
    CK_TRY(ck_column_digest(q, 0, &e.image.digest));
    if (e.image.has_subject)
        CK_TRY(ck_column_digest(q, 5, &e.image.subject));
    *ret = e;
    return NULL;
}

static ck_err *fill(struct ck_store *s, bool parts, struct ck_arena *a, struct ck_store_entry *e)
{
    CK_TRY(read_names(s, a, e));
    CK_TRY(read_total(s, e));
    return parts ? read_parts(s, a, &e->image) : NULL;
}

/* --- several ---------------------------------------------------------------------------------- */

struct entries {
    CK_VEC(struct ck_store_entry) rows;
};

static ck_err *collect(struct ck_query *q, struct ck_arena *a, struct entries *into)
{
    bool row = true;
    for (;;) {
        struct ck_store_entry e;
        CK_TRY(ck_query_step(q, &row));
        if (!row)
            return NULL;
        CK_TRY(read_row(q, a, &e));
        *ck_push(&into->rows) = e;
    }
}

/* Images without a name come last. */
static int by_name(const void *x, const void *y)
{
    const struct ck_store_entry *a = x, *b = y;
    char at[CK_DIGEST_TEXT], bt[CK_DIGEST_TEXT];
    if (!a->n_names != !b->n_names)
        return a->n_names ? -1 : 1;
    int c = a->n_names ? ck_view_cmp(a->names[0], b->names[0]) : 0;
    return c ? c : strcmp(ck_digest_text(&a->image.digest, at),
                          ck_digest_text(&b->image.digest, bt));
}

/* The rows of the query, whose values are bound, filled and sorted. */
static ck_err *read_all(struct ck_query *q, bool parts, struct ck_arena *a,
                        struct ck_store_entry **ret, size_t *ret_n)
{
    struct entries all = { 0 };
    ck_err *e = collect(q, a, &all);
    for (size_t i = 0; !e && i < all.rows.n; i++)
        e = fill(q->s, parts, a, &all.rows.v[i]);
    if (!e) {
        struct ck_store_entry *out = ck_arena_alloc(a, all.rows.n + 1, sizeof *out);
        if (all.rows.n) {
            qsort(all.rows.v, all.rows.n, sizeof *all.rows.v, by_name);
            memcpy(out, all.rows.v, all.rows.n * sizeof *out);
        }
        *ret = out;
        *ret_n = all.rows.n;
    }
    free(all.rows.v);
    return e;
}

static ck_err *list(struct ck_store *s, bool all, struct ck_arena *a, struct ck_store_entry **ret,
                    size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, COLUMNS "WHERE ?1 OR digest IN (SELECT digest FROM name) OR"
                           " (subject IS NULL AND digest NOT IN"
                           " (SELECT digest FROM part WHERE role=2))", &q));
    ck_bind_int(&q, all);
    return read_all(&q, false, a, ret, ret_n);
}

ck_err *ck_store_list(struct ck_store *s, bool all, struct ck_arena *a, struct ck_store_entry **ret,
                      size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, list(s, all, a, ret, ret_n));
}

static ck_err *referrers(struct ck_store *s, const struct ck_digest *subject, struct ck_arena *a,
                         struct ck_store_entry **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, COLUMNS "WHERE subject=?", &q));
    ck_bind_digest(&q, subject);
    return read_all(&q, true, a, ret, ret_n);
}

ck_err *ck_store_referrers(struct ck_store *s, const struct ck_digest *subject, struct ck_arena *a,
                           struct ck_store_entry **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, referrers(s, subject, a, ret, ret_n));
}

/* --- one ------------------------------------------------------------------------------------- */

static ck_err *get(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                   struct ck_store_entry *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    struct ck_store_entry e;
    bool row = false;
    CK_TRY(ck_query_new(s, COLUMNS "WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, &row));
    if (row) {
        CK_TRY(read_row(&q, a, &e));
        CK_TRY(fill(s, true, a, &e));
        *ret = e;
    }
    *ret_found = row;
    return NULL;
}

ck_err *ck_store_get(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                     struct ck_store_entry *ret, bool *ret_found)
{
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get(s, d, a, ret, &found)));
    *ret_found = found;
    return NULL;
}

static ck_err *not_found(ck_view what)
{
    return ck_err_new(CK_ERR_UNAVAILABLE, "the store has no image %.*s (see cocket ls)",
                      CK_VF(what));
}

static ck_err *digest_of_name(struct ck_store *s, ck_view name, struct ck_digest *ret,
                              bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT digest FROM name WHERE name=?", &q));
    ck_bind_text(&q, name);
    CK_TRY(ck_query_step(&q, ret_found));
    return *ret_found ? ck_column_digest(&q, 0, ret) : NULL;
}

/* "sha256:" or nothing, then 6 digits or more. */
static bool is_digest_prefix(ck_view what, ck_view *ret_digits)
{
    enum { LEAST = 6 };
    ck_view digits = what;
    for (int i = 0; i < CK_DIGEST_ALGORITHM_COUNT_; i++) {
        ck_view name = ck_view_str(ck_digest_algorithm_name((enum ck_digest_algorithm)i));
        if (ck_view_starts(what, name) && what.n > name.n && what.p[name.n] == ':')
            digits = ck_view_from(what, name.n + 1);
    }
    for (size_t i = 0; i < digits.n; i++)
        if (!strchr("0123456789abcdef", digits.p[i]) || !digits.p[i])
            return false;
    *ret_digits = digits;
    return digits.n >= LEAST;
}

static ck_err *digest_of_prefix(struct ck_store *s, ck_view what, struct ck_digest *ret,
                                bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    struct ck_digest other;
    ck_view digits;
    bool row = false;
    if (!is_digest_prefix(what, &digits))
        return NULL;
    CK_TRY(ck_query_new(s, "SELECT digest FROM image WHERE substr(digest, instr(digest, ':')+1,"
                           " length(?1))=?1 AND (?2='' OR substr(digest, 1, length(?2))=?2)"
                           " ORDER BY digest LIMIT 2", &q));
    ck_bind_text(&q, digits);
    ck_bind_text(&q, digits.n == what.n ? CK_V("") : what);
    CK_TRY(ck_query_step(&q, &row));
    if (!row)
        return NULL;
    CK_TRY(ck_column_digest(&q, 0, ret));
    *ret_found = true;
    CK_TRY(ck_query_step(&q, &row));
    if (!row)
        return NULL;
    char a[CK_DIGEST_TEXT], b[CK_DIGEST_TEXT];
    CK_TRY(ck_column_digest(&q, 0, &other));
    return ck_err_new(CK_ERR_USAGE, "%.*s means %s and %s, if not more: say more digits",
                      CK_VF(what), ck_digest_text(ret, a), ck_digest_text(&other, b));
}

/* NAME@DIGEST is the image of that digest, whatever the name means now; but the name must be one
 * of it, or of an index that has it. */
static ck_err *digest_of_pinned(struct ck_store *s, ck_view what, struct ck_digest *ret,
                                bool *ret_found)
{
    ck_view text;
    ck_view name = ck_view_split(what, '@', &text);
    uint64_t n = 0;
    ck_err *e = ck_digest_parse(text, ret);
    if (e) {
        ck_err_free(e);
        return NULL;
    }
    for (size_t i = name.n; i > 0 && name.p[i - 1] != '/'; i--)
        if (name.p[i - 1] == ':')
            name = ck_view_head(name, i - 1);
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "WITH RECURSIVE above(d) AS (VALUES(?1) UNION SELECT part.image"
                           " FROM above JOIN part ON part.digest=above.d AND part.role=2)"
                           " SELECT count(*) FROM above JOIN seen ON seen.digest=d"
                           " WHERE repository=?2", &q));
    ck_bind_text(&q, text);
    ck_bind_text(&q, name);
    CK_TRY(ck_query_count(&q, &n));
    *ret_found = n > 0;
    return NULL;
}

static ck_err *find(struct ck_store *s, ck_view what, struct ck_arena *a,
                    struct ck_store_entry *ret)
{
    struct ck_digest d = { 0 };
    bool found = false;
    CK_TRY(digest_of_name(s, what, &d, &found));
    if (!found && ck_view_find(what, '@') < what.n)
        CK_TRY(digest_of_pinned(s, what, &d, &found));
    if (!found)
        CK_TRY(digest_of_prefix(s, what, &d, &found));
    if (found)
        CK_TRY(get(s, &d, a, ret, &found));
    return found ? NULL : not_found(what);
}

ck_err *ck_store_find(struct ck_store *s, ck_view what, struct ck_arena *a,
                      struct ck_store_entry *ret)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, find(s, what, a, ret));
}

static ck_view without(ck_view v, ck_view prefix)
{
    return ck_view_starts(v, prefix) ? ck_view_from(v, prefix.n) : v;
}

/* What the user typed comes first: where it is no name, that is not worth saying. */
ck_err *ck_store_find_typed(struct ck_store *s, ck_view what, struct ck_arena *a,
                            struct ck_store_entry *ret)
{
    struct ck_name n;
    what = without(what, CK_V("store:"));
    ck_err *e = ck_store_find(s, what, a, ret);
    if (!e || ck_err_class(e) != CK_ERR_UNAVAILABLE)
        return e;
    ck_err *no_name = ck_name_parse(what, a, &n);
    if (no_name) {
        ck_err_free(no_name);
        return e;
    }
    ck_err_free(e);
    return ck_store_find(s, ck_view_str(ck_name_text(&n, a)), a, ret);
}

/* --- names ------------------------------------------------------------------------------------ */

static ck_err *repositories(struct ck_store *s, struct ck_arena *a, ck_view **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 }, count = { 0 };
    uint64_t most = 0;
    size_t n = 0;
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT count(DISTINCT repository) FROM seen", &count));
    CK_TRY(ck_query_count(&count, &most));
    CK_TRY(ck_query_new(s, "SELECT DISTINCT repository FROM seen ORDER BY 1", &q));
    ck_view *v = ck_arena_alloc(a, most + 1, sizeof *v);
    while (n < most) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        v[n++] = ck_arena_dup(a, ck_column_text(&q, 0));
    }
    *ret = v;
    *ret_n = n;
    return NULL;
}

ck_err *ck_store_repositories(struct ck_store *s, struct ck_arena *a, ck_view **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, repositories(s, a, ret, ret_n));
}

static ck_err *first_seen(struct ck_store *s, ck_view name, const struct ck_digest *d, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t t = 0;
    CK_TRY(ck_query_new(s, "SELECT first FROM seen WHERE name=? AND digest=?", &q));
    ck_bind_text(&q, name);
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_count(&q, &t));
    *ret = (int64_t)t;
    return NULL;
}

ck_err *ck_store_first_seen(struct ck_store *s, ck_view name, const struct ck_digest *d,
                            int64_t *ret)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, first_seen(s, name, d, ret));
}
