/* The log a page at a time. Which numbers fit comes from an index of each kind of question, what is
 * shown of them from the records themselves.
 */
#include "store/pages_int.h"

enum kind { ALL, OF_EVENT, OF_WHO, OF_BOTH, OF_DIGEST, OF_BOUND, KINDS };

/* ?1 and ?2: pages_int.h; ?3 an event, ?4 another or the same, ?5 who, ?6 the digest; empty: any.
 * ?7 and ?8: how many, how many are passed over. */
#define OF_DIGEST_KEY "substr(log.digest,8,12)" /* as in the index log_digest */
#define OTHERS                                                                                   \
    " AND (?3='' OR log.event=?3 OR log.event=?4) AND (?5='' OR log.who=?5)"
#define BY_EVENT(more)                                                                           \
    "SELECT number FROM log WHERE event=?3" more                                                  \
    " UNION ALL SELECT number FROM log WHERE ?4!=?3 AND event=?4" more
/* "+": else SQLite puts ?6 into the key too, and does not know it again. */
#define BY_DIGEST                                                                                \
    "SELECT number FROM log WHERE " OF_DIGEST_KEY "=substr(?6,8,12) AND +digest=?6"               \
    " AND digest!=''" OTHERS
#define BY_BOUND                                                                                 \
    "SELECT log.number AS number FROM listing CROSS JOIN log ON " OF_DIGEST_KEY                   \
    "=substr(listing.image,8,12) AND log.digest=listing.image AND log.digest!=''"                  \
    " WHERE listing.number IN"            \
    " (SELECT image FROM place WHERE repository IN " CK_SEEN_REPOSITORIES ")"                     \
    " AND (?6='' OR listing.image=?6)" OTHERS
#define PAGE(numbers) numbers " ORDER BY number DESC LIMIT ?7 OFFSET ?8"
#define COUNT(numbers) "SELECT count(*) FROM (" numbers ")"

static const struct {
    const char *page, *count;
} sql[KINDS] = {
    /* Numbers have no gaps: whoever takes one out breaks the chain. */
    [ALL] = { "SELECT number FROM log WHERE number<=(SELECT max(number) FROM log)-?8"
              " ORDER BY number DESC LIMIT ?7", "SELECT coalesce(max(number),0) FROM log" },
    [OF_EVENT] = { PAGE(BY_EVENT("")), COUNT(BY_EVENT("")) },
    [OF_WHO] = { PAGE("SELECT number FROM log WHERE who=?5"),
                 COUNT("SELECT number FROM log WHERE who=?5") },
    [OF_BOTH] = { PAGE(BY_EVENT(" AND who=?5")), COUNT(BY_EVENT(" AND who=?5")) },
    [OF_DIGEST] = { PAGE(BY_DIGEST), COUNT(BY_DIGEST) },
    [OF_BOUND] = { PAGE(BY_BOUND), COUNT(BY_BOUND) },
};

static enum kind kind_of(const struct ck_log_filter *f)
{
    if (f->bound.n)
        return OF_BOUND;
    if (f->digest)
        return OF_DIGEST;
    if (f->event.n)
        return f->who.n ? OF_BOTH : OF_EVENT;
    return f->who.n ? OF_WHO : ALL;
}

static void bind(struct ck_query *q, const struct ck_log_filter *f)
{
    char text[CK_DIGEST_TEXT] = "";
    ck_bind_bound(q, f->bound);
    ck_bind_text(q, f->event);
    ck_bind_text(q, f->or_event.n ? f->or_event : f->event);
    ck_bind_text(q, f->who);
    ck_bind_text(q, ck_view_str(f->digest ? ck_digest_text(f->digest, text) : ""));
}

static ck_err *read_numbers(struct ck_store *s, const struct ck_log_filter *f, int64_t *ret,
                            size_t max, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql[kind_of(f)].page, &q));
    bind(&q, f);
    return ck_query_page(&q, f->from, max, ret, ret_n);
}

static ck_err *count(struct ck_store *s, const struct ck_log_filter *f, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql[kind_of(f)].count, &q));
    bind(&q, f);
    return ck_query_count(&q, ret);
}

static ck_err *read_page(struct ck_store *s, const struct ck_log_filter *f, struct ck_arena *a,
                         struct ck_log_record **ret, size_t *ret_n, uint64_t *ret_total)
{
    size_t max = f->max < CK_MAX_PAGE_ROWS ? f->max : CK_MAX_PAGE_ROWS, n = 0;
    int64_t *numbers = ck_arena_alloc(a, max + 1, sizeof *numbers);
    struct ck_log_record *v = ck_arena_alloc(a, max + 1, sizeof *v);
    CK_TRY(count(s, f, ret_total));
    CK_TRY(read_numbers(s, f, numbers, max, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(ck_log_record_of(s, numbers[i], a, &v[i]));
    *ret = v;
    *ret_n = n;
    return NULL;
}

ck_err *ck_log_page(struct ck_store *s, const struct ck_log_filter *f, struct ck_arena *a,
                    struct ck_log_record **ret, size_t *ret_n, uint64_t *ret_total)
{
    struct ck_log_record *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, read_page(s, f, a, &v, &n, &total)));
    *ret = v;
    *ret_n = n;
    *ret_total = total;
    return NULL;
}
