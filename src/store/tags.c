/* Names as the gate sees them: tags of a repository, and what one means since when. */
#include "store/store_int.h"

/* --- tags ------------------------------------------------------------------------------------- */

/* ';' comes behind ':', so this is all that begins with "REPOSITORY:". What has a '/' behind that
 * belongs to a registry with a port, what has an '@' is pinned. */
static ck_err *tags(struct ck_store *s, ck_view repository, ck_view last, size_t max,
                    struct ck_arena *a, ck_view **ret, size_t *ret_n, bool *ret_more)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT substr(name, length(?1)+2) AS tag FROM name"
                           " WHERE name>?1||':'||?2 AND name<?1||';'"
                           " AND instr(substr(name, length(?1)+2),'/')=0"
                           " AND instr(substr(name, length(?1)+2),'@')=0 ORDER BY name LIMIT ?3",
                        &q));
    ck_bind_text(&q, repository);
    ck_bind_text(&q, last);
    ck_bind_int(&q, max < INT64_MAX ? (int64_t)max + 1 : INT64_MAX);
    return ck_query_texts(&q, max, a, ret, ret_n, ret_more);
}

ck_err *ck_store_tags(struct ck_store *s, ck_view repository, ck_view last, size_t max,
                      struct ck_arena *a, ck_view **ret, size_t *ret_n, bool *ret_more)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, tags(s, repository, last, max, a, ret, ret_n, ret_more));
}

static ck_err *tags_of(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                       struct ck_arena *a, ck_view **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool more;
    CK_TRY(ck_query_new(s, "WITH RECURSIVE above(d) AS (VALUES(?1) UNION SELECT part.image"
                           " FROM above JOIN part ON part.digest=above.d AND part.role=2)"
                           " SELECT substr(name, length(?2)+2) AS tag"
                           " FROM above CROSS JOIN name ON name.digest=d"
                           " WHERE name>?2||':' AND name<?2||';' AND instr(tag,'/')=0"
                           " AND instr(tag,'@')=0 ORDER BY name", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, repository);
    return ck_query_texts(&q, SIZE_MAX, a, ret, ret_n, &more);
}

ck_err *ck_store_tags_of(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                         struct ck_arena *a, ck_view **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, tags_of(s, repository, d, a, ret, ret_n));
}

/* --- one name --------------------------------------------------------------------------------- */

static ck_err *name_of(struct ck_store *s, ck_view name, struct ck_store_name *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT n.digest, n.since, n.checked,"
                           " coalesce((SELECT first FROM seen WHERE seen.name=n.name AND"
                           " seen.digest=n.digest), n.since),"
                           " EXISTS (SELECT 1 FROM seen WHERE seen.name=n.name AND"
                           " seen.digest!=n.digest) FROM name AS n WHERE n.name=?", &q));
    ck_bind_text(&q, name);
    CK_TRY(ck_query_step(&q, ret_found));
    if (!*ret_found)
        return NULL;
    ret->since = ck_column_int(&q, 1);
    ret->checked = ck_column_int(&q, 2);
    ret->first_seen = ck_column_int(&q, 3);
    ret->moved = ck_column_int(&q, 4) ? ret->since : 0;
    return ck_column_digest(&q, 0, &ret->digest);
}

ck_err *ck_store_name_of(struct ck_store *s, ck_view name, struct ck_store_name *ret,
                         bool *ret_found)
{
    struct ck_store_name n = { 0 };
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, name_of(s, name, &n, &found)));
    if (found)
        *ret = n;
    *ret_found = found;
    return NULL;
}

/* --- the whole -------------------------------------------------------------------------------- */

static ck_err *version(struct ck_store *s, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t n = 0;
    CK_TRY(ck_query_new(s, "PRAGMA data_version", &q));
    CK_TRY(ck_query_count(&q, &n));
    *ret = (int64_t)n;
    return NULL;
}

ck_err *ck_store_version(struct ck_store *s, int64_t *ret)
{
    int64_t n = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, version(s, &n)));
    *ret = n;
    return NULL;
}
