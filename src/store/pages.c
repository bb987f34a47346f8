/* Images, a page at a time. All of them are looked at for each page, in a table that has some 200
 * bytes of each; what is shown of a row is then read for that row alone. */
#include "store/pages_int.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- what a reader may see and searches for --------------------------------------------------- */

void ck_bind_bound(struct ck_query *q, ck_view bound)
{
    bool star = bound.n && bound.p[bound.n - 1] == '*';
    ck_bind_text(q, ck_view_head(bound, bound.n - star));
    ck_bind_int(q, bound.n == 0 ? 2 : star);
}

ck_err *ck_bind_search(struct ck_query *q, ck_view search)
{
    ck_autobuf struct ck_buf like = ck_buf_new(CK_LIMIT_NONE);
    if (search.n > CK_MAX_PAGE_SEARCH)
        return ck_err_limit(CK_LIMIT_PAGE_SEARCH, "a search for %zu bytes", search.n);
    if (search.n)
        ck_put_u8(&like, '%');
    for (size_t i = 0; i < search.n; i++) {
        if (search.p[i] == '%' || search.p[i] == '_' || search.p[i] == '\\')
            ck_put_u8(&like, '\\');
        ck_put_u8(&like, search.p[i]);
    }
    if (search.n)
        ck_put_u8(&like, '%');
    ck_bind_text(q, ck_buf_view(&like));
    return NULL;
}

bool ck_column_summary(struct ck_query *q, int i, struct ck_arena *a,
                       struct ck_store_summary *ret)
{
    if (!ck_column_int(q, i))
        return false;
    for (int k = 0; k < 6; k++)
        ret->severities[k] = (uint32_t)ck_column_int(q, i + 1 + k);
    ret->fixable = (uint32_t)ck_column_int(q, i + 7);
    ret->kev = (uint32_t)ck_column_int(q, i + 8);
    ret->packages = (uint32_t)ck_column_int(q, i + 9);
    ret->complete = ck_column_int(q, i + 10);
    ret->scanned = ck_column_int(q, i + 11);
    ret->created = ck_column_int(q, i + 12);
    ret->distro = ck_arena_dup(a, ck_column_text(q, i + 13));
    return true;
}

bool ck_is_worse(const struct ck_store_summary *x, const struct ck_store_summary *y)
{
    for (int i = 5; i >= 0; i--)
        if (x->severities[i] != y->severities[i])
            return x->severities[i] > y->severities[i];
    return false;
}

/* --- images ----------------------------------------------------------------------------------- */

/* ?4 repository, ?5 state or -1, ?6 incomplete, ?7 severity or -1 */
#define FROM_LISTING                                                                             \
    " FROM listing AS l WHERE"                                                                    \
    " (?2=2 OR l.number IN (SELECT image FROM place WHERE repository IN " CK_SEEN_REPOSITORIES "))"\
    " AND (?4='' OR l.number IN (SELECT image FROM place WHERE repository="                       \
    "(SELECT number FROM repository WHERE name=?4) AND"                                           \
    " (?2=2 OR repository IN " CK_SEEN_REPOSITORIES ")))"                                         \
    " AND (?3='' OR l.image LIKE ?3 ESCAPE '\\' OR (l.examined AND l.distro LIKE ?3 ESCAPE '\\')" \
    " OR l.number IN (SELECT image FROM place WHERE name!='' AND name LIKE ?3 ESCAPE '\\' AND"    \
    " (?2=2 OR repository IN " CK_SEEN_REPOSITORIES ")))"                                         \
    " AND (?5<0 OR l.state=?5) AND (NOT ?6 OR (l.examined AND NOT l.whole))"                   \
    " AND (?7<0 OR (l.examined AND (l.critical OR (?7<=4 AND l.high) OR (?7<=3 AND l.medium)"     \
    " OR (?7<=2 AND l.low) OR (?7<=1 AND l.negligible) OR (?7<=0 AND l.unknown))))"
#define PAGE "SELECT l.number" FROM_LISTING " ORDER BY "
#define LIMITED " LIMIT ?8 OFFSET ?9"

static const char *const page_sql[CK_PAGE_ORDER_COUNT_] = {
    [CK_PAGE_NEWEST] = PAGE "l.added DESC, l.number DESC" LIMITED,
    [CK_PAGE_WORST] = PAGE "l.examined DESC, l.critical DESC, l.high DESC, l.medium DESC,"
                           " l.low DESC, l.negligible DESC, l.unknown DESC, l.added DESC,"
                           " l.number DESC" LIMITED,
    [CK_PAGE_NAME] = PAGE "l.name='', l.name, l.image" LIMITED,
};

static ck_err *bind_filter(struct ck_query *q, const struct ck_page_filter *f)
{
    ck_bind_bound(q, f->bound);
    CK_TRY(ck_bind_search(q, f->search));
    ck_bind_text(q, f->repository);
    ck_bind_int(q, f->has_state ? (int64_t)f->state : -1);
    ck_bind_int(q, f->incomplete);
    ck_bind_int(q, f->min_severity);
    return NULL;
}

static ck_err *count_images(struct ck_store *s, const struct ck_page_filter *f, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT count(*)" FROM_LISTING, &q));
    CK_TRY(bind_filter(&q, f));
    return ck_query_count(&q, ret);
}

static ck_err *find_numbers(struct ck_store *s, const struct ck_page_filter *f, size_t max,
                            int64_t *ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, page_sql[f->order], &q));
    CK_TRY(bind_filter(&q, f));
    return ck_query_page(&q, f->from, max, ret, ret_n);
}

/* Of the repository that is asked for, where one is; those that the reader may see. */
static ck_err *read_names(struct ck_store *s, const struct ck_page_filter *f, int64_t number,
                          struct ck_arena *a, struct ck_store_row *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT min(CASE WHEN ?3='' OR repository.name=?3 THEN place.name END),"
                           " min(place.name), count(DISTINCT place.name) FROM place"
                           " CROSS JOIN repository ON repository.number=place.repository"
                           " WHERE place.image=?4 AND place.name!='' AND " CK_SEEN, &q));
    ck_bind_bound(&q, f->bound);
    ck_bind_text(&q, f->repository);
    ck_bind_int(&q, number);
    CK_TRY(ck_query_step(&q, &row));
    ret->name = ck_arena_dup(a, ck_column_text(&q, ck_column_null(&q, 0) ? 1 : 0));
    ret->n_names = (size_t)ck_column_int(&q, 2);
    return NULL;
}

static ck_err *read_row(struct ck_store *s, int64_t number, struct ck_arena *a,
                        struct ck_store_row *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT digest, platform, image.state, person, reason, image.added,"
                           " decided, " CK_SUMMARY_COLUMNS " FROM listing CROSS JOIN image"
                           " ON image.digest=listing.image WHERE number=?", &q));
    ck_bind_int(&q, number);
    CK_TRY(ck_query_step(&q, &row));
    if (!row)
        return ck_err_new(CK_ERR_OURS, "store %s: listings show an image that is not there",
                          s->dir);
    *ret = (struct ck_store_row){
        .platform = ck_arena_dup(a, ck_column_text(&q, 1)),
        .state = (enum ck_state_of_image)ck_column_int(&q, 2),
        .by_person = ck_column_int(&q, 3),
        .reason = ck_arena_dup(a, ck_column_text(&q, 4)),
        .added = ck_column_int(&q, 5),
        .decided = ck_column_int(&q, 6),
    };
    ret->has_summary = ck_column_summary(&q, 7, a, &ret->summary);
    return ck_column_digest(&q, 0, &ret->digest);
}

static ck_err *read_page(struct ck_store *s, const struct ck_page_filter *f, struct ck_arena *a,
                         struct ck_store_row **ret, size_t *ret_n, uint64_t *ret_total)
{
    size_t max = f->max < CK_MAX_PAGE_ROWS ? f->max : CK_MAX_PAGE_ROWS, n = 0;
    int64_t *numbers = ck_arena_alloc(a, max + 1, sizeof *numbers);
    CK_TRY(count_images(s, f, ret_total));
    CK_TRY(find_numbers(s, f, max, numbers, &n));
    struct ck_store_row *rows = ck_arena_alloc(a, n + 1, sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        CK_TRY(read_row(s, numbers[i], a, &rows[i]));
        CK_TRY(read_names(s, f, numbers[i], a, &rows[i]));
    }
    *ret = rows;
    *ret_n = n;
    return NULL;
}

ck_err *ck_store_page(struct ck_store *s, const struct ck_page_filter *f, struct ck_arena *a,
                      struct ck_store_row **ret, size_t *ret_n, uint64_t *ret_total)
{
    struct ck_store_row *rows = NULL;
    size_t n = 0;
    uint64_t total = 0;
    if ((unsigned)f->order >= CK_PAGE_ORDER_COUNT_)
        return ck_err_new(CK_ERR_USAGE, "there is no such order");
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, read_page(s, f, a, &rows, &n, &total)));
    *ret = rows;
    *ret_n = n;
    *ret_total = total;
    return NULL;
}

static ck_err *page_row(struct ck_store *s, const struct ck_digest *d, ck_view bound,
                        struct ck_arena *a, struct ck_store_row *ret, bool *ret_found)
{
    const struct ck_page_filter f = { .bound = bound };
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT number FROM listing WHERE image=?3 AND (?2=2 OR EXISTS(SELECT 1"
                           " FROM place CROSS JOIN repository ON repository.number=place.repository"
                           " WHERE place.image=listing.number AND " CK_SEEN "))", &q));
    ck_bind_bound(&q, bound);
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    int64_t number = ck_column_int(&q, 0);
    CK_TRY(read_row(s, number, a, ret));
    return read_names(s, &f, number, a, ret);
}

ck_err *ck_store_page_row(struct ck_store *s, const struct ck_digest *d, ck_view bound,
                          struct ck_arena *a, struct ck_store_row *ret, bool *ret_found)
{
    struct ck_store_row row;
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, page_row(s, d, bound, a, &row, &found)));
    if (found)
        *ret = row;
    *ret_found = found;
    return NULL;
}

/* --- how many there are ----------------------------------------------------------------------- */

static ck_err *count(struct ck_store *s, ck_view bound, struct ck_store_counts *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT count(*), sum(state=0), sum(state=1), sum(state=2),"
                           " sum(examined AND NOT whole), sum(NOT examined),"
                           " sum(examined AND worst=0), sum(examined AND worst=1),"
                           " sum(examined AND worst=2), sum(examined AND worst=3),"
                           " sum(examined AND worst=4), sum(examined AND worst=5),"
                           " sum(examined AND whole AND worst<0) FROM (SELECT state, examined,"
                           " whole, CASE WHEN critical THEN 5 WHEN high THEN 4 WHEN medium"
                           " THEN 3 WHEN low THEN 2 WHEN negligible THEN 1 WHEN unknown THEN 0"
                           " ELSE -1 END AS worst FROM listing WHERE ?2=2 OR number IN"
                           " (SELECT image FROM place WHERE repository IN " CK_SEEN_REPOSITORIES
                           "))", &q));
    ck_bind_bound(&q, bound);
    CK_TRY(ck_query_step(&q, &row));
    ret->images = (uint64_t)ck_column_int(&q, 0);
    for (int i = 0; i < 3; i++)
        ret->states[i] = (uint64_t)ck_column_int(&q, 1 + i);
    ret->incomplete = (uint64_t)ck_column_int(&q, 4);
    ret->unexamined = (uint64_t)ck_column_int(&q, 5);
    for (int i = 0; i < 6; i++)
        ret->with_severity[i] = (uint64_t)ck_column_int(&q, 6 + i);
    ret->clean = (uint64_t)ck_column_int(&q, 12);
    return NULL;
}

ck_err *ck_store_count(struct ck_store *s, ck_view bound, struct ck_store_counts *ret)
{
    struct ck_store_counts c = { 0 };
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, count(s, bound, &c)));
    *ret = c;
    return NULL;
}

/* --- ids -------------------------------------------------------------------------------------- */

#define FROM_IDS " FROM vulnerability WHERE ?1=?1 AND ?2=?2 AND images>0 AND " CK_SEARCHED("id")

static ck_err *count_ids(struct ck_store *s, ck_view search, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT count(*)" FROM_IDS, &q));
    ck_bind_bound(&q, CK_V(""));
    CK_TRY(ck_bind_search(&q, search));
    return ck_query_count(&q, ret);
}

static ck_err *read_ids(struct ck_store *s, ck_view search, size_t from, size_t max,
                        struct ck_arena *a, struct ck_store_id *ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT id, images" FROM_IDS " ORDER BY images DESC, id"
                           " LIMIT ?4 OFFSET ?5", &q));
    ck_bind_bound(&q, CK_V(""));
    CK_TRY(ck_bind_search(&q, search));
    ck_bind_int(&q, (int64_t)max);
    ck_bind_int(&q, from < INT64_MAX ? (int64_t)from : INT64_MAX);
    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        ret[*ret_n] = (struct ck_store_id){ ck_arena_dup(a, ck_column_text(&q, 0)),
                                            (uint64_t)ck_column_int(&q, 1) };
    }
    return NULL;
}

static ck_err *id_page(struct ck_store *s, ck_view search, size_t from, size_t max,
                       struct ck_arena *a, struct ck_store_id *ret, size_t *ret_n,
                       uint64_t *ret_total)
{
    CK_TRY(count_ids(s, search, ret_total));
    return read_ids(s, search, from, max, a, ret, ret_n);
}

ck_err *ck_store_id_page(struct ck_store *s, ck_view search, size_t from, size_t max,
                         struct ck_arena *a, struct ck_store_id **ret, size_t *ret_n,
                         uint64_t *ret_total)
{
    size_t most = max < CK_MAX_PAGE_ROWS ? max : CK_MAX_PAGE_ROWS, n = 0;
    struct ck_store_id *all = ck_arena_alloc(a, most + 1, sizeof *all);
    uint64_t total = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, id_page(s, search, from, most, a, all, &n, &total)));
    *ret = all;
    *ret_n = n;
    *ret_total = total;
    return NULL;
}
