/* Repositories and their tags, a page at a time. */
#include "store/pages_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

static int64_t offset_of(size_t from) { return from < INT64_MAX ? (int64_t)from : INT64_MAX; }

/* --- repositories ----------------------------------------------------------------------------- */

#define FROM_REPOSITORY                                                                          \
    " FROM repository WHERE " CK_SEEN " AND " CK_SEARCHED("repository.name")                      \
    " AND EXISTS (SELECT 1 FROM place WHERE place.repository=repository.number)"

static ck_err *count_repositories(struct ck_store *s, ck_view search, ck_view bound, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT count(*)" FROM_REPOSITORY, &q));
    ck_bind_bound(&q, bound);
    CK_TRY(ck_bind_search(&q, search));
    return ck_query_count(&q, ret);
}

static void see_image(struct ck_query *q, struct ck_arena *a, struct ck_store_summary *worst,
                      struct ck_store_repository *r)
{
    struct ck_store_summary sum = { 0 };
    int64_t state = ck_column_int(q, 0), added = ck_column_int(q, 1);
    if (state >= 0 && state < 3)
        r->states[state]++;
    r->images++;
    if (added > r->last)
        r->last = added;
    if (ck_column_summary(q, 2, a, &sum) && ck_is_worse(&sum, worst))
        *worst = sum;
}

static ck_err *read_images(struct ck_store *s, int64_t number, struct ck_store_repository *r)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autoquery struct ck_query q = { 0 };
    struct ck_store_summary worst = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT state, added, " CK_SUMMARY_COLUMNS " FROM listing"
                           " WHERE number IN (SELECT image FROM place WHERE repository=?)", &q));
    ck_bind_int(&q, number);
    for (;;) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        see_image(&q, &a, &worst, r);
    }
    memcpy(r->worst, worst.severities, sizeof r->worst);
    return NULL;
}

/* As in tags.c: what has a '/' behind the colon belongs to a registry with a port, what has an '@'
 * is pinned. */
#define OF_REPOSITORY                                                                            \
    "name>?1||':' AND name<?1||';' AND instr(substr(name,length(?1)+2),'/')=0"                    \
    " AND instr(substr(name,length(?1)+2),'@')=0"

static ck_err *read_tags(struct ck_store *s, struct ck_store_repository *r)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT count(*), max(since) FROM name WHERE " OF_REPOSITORY, &q));
    ck_bind_text(&q, r->name);
    CK_TRY(ck_query_step(&q, &row));
    r->tags = (uint64_t)ck_column_int(&q, 0);
    if (ck_column_int(&q, 1) > r->last)
        r->last = ck_column_int(&q, 1);
    return NULL;
}

static ck_err *read_repositories(struct ck_store *s, ck_view search, ck_view bound, size_t from,
                                 size_t max, struct ck_arena *a, struct ck_store_repository *ret,
                                 size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT number, name" FROM_REPOSITORY " ORDER BY name LIMIT ?4"
                           " OFFSET ?5", &q));
    ck_bind_bound(&q, bound);
    CK_TRY(ck_bind_search(&q, search));
    ck_bind_int(&q, (int64_t)max);
    ck_bind_int(&q, offset_of(from));
    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        struct ck_store_repository *r = &ret[*ret_n];
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        *r = (struct ck_store_repository){ .name = ck_arena_dup(a, ck_column_text(&q, 1)) };
        CK_TRY(read_images(s, ck_column_int(&q, 0), r));
        CK_TRY(read_tags(s, r));
    }
    return NULL;
}

static ck_err *repository_page(struct ck_store *s, ck_view search, ck_view bound, size_t from,
                               size_t max, struct ck_arena *a, struct ck_store_repository *ret,
                               size_t *ret_n, uint64_t *ret_total)
{
    CK_TRY(count_repositories(s, search, bound, ret_total));
    return read_repositories(s, search, bound, from, max, a, ret, ret_n);
}

ck_err *ck_store_repository_page(struct ck_store *s, ck_view search, ck_view bound, size_t from,
                                 size_t max, struct ck_arena *a, struct ck_store_repository **ret,
                                 size_t *ret_n, uint64_t *ret_total)
{
    size_t most = max < CK_MAX_PAGE_ROWS ? max : CK_MAX_PAGE_ROWS, n = 0;
    struct ck_store_repository *all = ck_arena_alloc(a, most + 1, sizeof *all);
    uint64_t total = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, repository_page(s, search, bound, from, most, a, all, &n, &total)));
    *ret = all;
    *ret_n = n;
    *ret_total = total;
    return NULL;
}

/* --- tags ------------------------------------------------------------------------------------- */

struct tag_list {
    CK_VEC(struct ck_store_tag) v;
};

/* Images below an index, or the image itself. The worst stands for all: of states denied is worse
 * than quarantined, of findings the most of the most severe. */
static ck_err *read_below(struct ck_store *s, struct ck_arena *a, struct ck_store_tag *t)
{
    static const int badness[CK_STATE_OF_IMAGE_COUNT_] = { [CK_CLEARED] = 0, [CK_QUARANTINED] = 1,
                                                           [CK_DENIED] = 2 };
    ck_autoquery struct ck_query q = { 0 };
    bool row = true, any = false;
    CK_TRY(ck_query_new(s, "WITH RECURSIVE below(d) AS (VALUES(?1) UNION SELECT part.digest"
                           " FROM below CROSS JOIN part ON part.image=below.d AND part.role=2)"
                           " SELECT state, " CK_SUMMARY_COLUMNS " FROM below CROSS JOIN listing"
                           " ON listing.image=d", &q));
    ck_bind_digest(&q, &t->digest);
    for (;; any = true) {
        struct ck_store_summary sum = { 0 };
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        int64_t state = ck_column_int(&q, 0);
        if (state >= 0 && state < CK_STATE_OF_IMAGE_COUNT_ &&
            (!any || badness[state] > badness[t->state]))
            t->state = (enum ck_state_of_image)state;
        if (ck_column_summary(&q, 1, a, &sum) &&
            (!t->has_summary || ck_is_worse(&sum, &t->summary))) {
            t->has_summary = true;
            t->summary = sum;
        }
    }
}

/* The newest that the tag has meant, the oldest of them first. */
static ck_err *read_history(struct ck_store *s, ck_view name, ck_view tag, ck_view current,
                            struct ck_arena *a, struct tag_list *into)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT digest, first, EXISTS (SELECT 1 FROM image WHERE"
                           " image.digest=seen.digest), digest=?2 FROM (SELECT digest, first"
                           " FROM seen WHERE name=?1 ORDER BY digest=?2 DESC, first DESC, digest"
                           " LIMIT ?3) AS seen ORDER BY first, digest=?2, digest DESC", &q));
    ck_bind_text(&q, name);
    ck_bind_text(&q, current);
    ck_bind_int(&q, (int64_t)CK_MAX_TAG_HISTORY);
    for (;;) {
        struct ck_store_tag t = { .tag = tag };
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            return NULL;
        CK_TRY(ck_column_digest(&q, 0, &t.digest));
        t.first = ck_column_int(&q, 1);
        t.known = ck_column_int(&q, 2);
        t.current = ck_column_int(&q, 3);
        if (t.known)
            CK_TRY(read_below(s, a, &t));
        *ck_push(&into->v) = t;
    }
}

#define FROM_TAGS                                                                                \
    " FROM name WHERE " OF_REPOSITORY " AND ?2=?2 AND "                                           \
    CK_SEARCHED("substr(name,length(?1)+2)")

static ck_err *bind_tags(struct ck_query *q, ck_view repository, ck_view search)
{
    ck_bind_text(q, repository);
    ck_bind_int(q, 0);
    return ck_bind_search(q, search);
}

static ck_err *count_tags(struct ck_store *s, ck_view repository, ck_view search, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT count(*)" FROM_TAGS, &q));
    CK_TRY(bind_tags(&q, repository, search));
    return ck_query_count(&q, ret);
}

static ck_err *read_tag_rows(struct ck_store *s, ck_view repository, ck_view search, size_t from,
                             size_t max, struct ck_arena *a, struct tag_list *into)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT name, substr(name,length(?1)+2), digest" FROM_TAGS
                           " ORDER BY name LIMIT ?4 OFFSET ?5", &q));
    CK_TRY(bind_tags(&q, repository, search));
    ck_bind_int(&q, (int64_t)max);
    ck_bind_int(&q, offset_of(from));
    for (size_t n = 0; n < max; n++) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_history(s, ck_column_text(&q, 0), ck_arena_dup(a, ck_column_text(&q, 1)),
                            ck_column_text(&q, 2), a, into));
    }
    return NULL;
}

static ck_err *tag_page(struct ck_store *s, ck_view repository, ck_view search, size_t from,
                        size_t max, struct ck_arena *a, struct tag_list *into, uint64_t *ret_total)
{
    CK_TRY(count_tags(s, repository, search, ret_total));
    return read_tag_rows(s, repository, search, from, max, a, into);
}

ck_err *ck_store_tag_page(struct ck_store *s, ck_view repository, ck_view search, size_t from,
                          size_t max_tags, struct ck_arena *a, struct ck_store_tag **ret,
                          size_t *ret_n, uint64_t *ret_tags)
{
    struct tag_list all = { 0 };
    size_t most = max_tags < CK_MAX_PAGE_ROWS ? max_tags : CK_MAX_PAGE_ROWS;
    uint64_t total = 0;
    CK_TRY(ck_tx_read(s));
    ck_err *e = ck_tx_end(s, tag_page(s, repository, search, from, most, a, &all, &total));
    if (!e) {
        *ret = ck_arena_alloc(a, all.v.n + 1, sizeof **ret);
        if (all.v.n)
            memcpy(*ret, all.v.v, all.v.n * sizeof **ret);
        *ret_n = all.v.n;
        *ret_tags = total;
    }
    free(all.v.v);
    return e;
}
