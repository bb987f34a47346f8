/* Which manifests a repository of the gate serves. */
#include "store/store_int.h"

#include <time.h>

/* --- linking ---------------------------------------------------------------------------------- */

static ck_err *link_image(struct ck_lease *l, ck_view repository, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_image_known(l->s, d));
    CK_TRY(ck_query_new(l->s, "INSERT INTO link VALUES(?,?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_text(&q, repository);
    ck_bind_digest(&q, d);
    ck_bind_int(&q, time(NULL));
    CK_TRY(ck_query_run(&q));
    if (sqlite3_changes(l->s->db) > 0)
        CK_TRY(ck_place_linked(l->s, repository, d));
    return ck_lease_add(l, d);
}

ck_err *ck_store_link(struct ck_lease *l, ck_view repository, const struct ck_digest *d)
{
    if (repository.n == 0 || repository.n > CK_MAX_REFERENCE)
        return ck_err_new(CK_ERR_USAGE, "a repository must have 1 to %llu bytes",
                          (unsigned long long)CK_MAX_REFERENCE);
    CK_TRY(ck_tx_write(l->s));
    return ck_tx_end(l->s, link_image(l, repository, d));
}

static ck_err *linked(struct ck_store *s, ck_view repository, const struct ck_digest *d, bool *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "WITH RECURSIVE above(d) AS (VALUES(?1) UNION SELECT part.image"
                           " FROM above JOIN part ON part.digest=above.d AND part.role=2)"
                           " SELECT 1 FROM above CROSS JOIN link ON link.repository=?2 AND"
                           " link.digest=d LIMIT 1", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, repository);
    return ck_query_step(&q, ret);
}

ck_err *ck_store_linked(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                        bool *ret)
{
    bool yes = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, linked(s, repository, d, &yes)));
    *ret = yes;
    return NULL;
}

/* --- what a blob is reached by ---------------------------------------------------------------- */

/* From the blob up: what shares it is few, where a repository may hold thousands. */
static ck_err *reaching(struct ck_store *s, ck_view repository, const struct ck_digest *blob,
                        struct ck_arena *a, struct ck_digest **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT DISTINCT image.digest FROM part CROSS JOIN image"
                           " ON image.digest=part.image WHERE part.digest=?1 AND part.role!=2"
                           " AND image.complete AND EXISTS (WITH RECURSIVE above(d) AS"
                           " (VALUES(image.digest) UNION SELECT up.image FROM above"
                           " CROSS JOIN part AS up ON up.digest=above.d AND up.role=2)"
                           " SELECT 1 FROM above CROSS JOIN link ON link.repository=?2"
                           " AND link.digest=d)"
                           " ORDER BY image.state=1 DESC, image.added DESC, 1 LIMIT ?3", &q));
    ck_bind_digest(&q, blob);
    ck_bind_text(&q, repository);
    ck_bind_int(&q, (int64_t)CK_MAX_REPOSITORY_IMAGES);
    return ck_query_digests(&q, a, ret, ret_n);
}

ck_err *ck_store_reaching(struct ck_store *s, ck_view repository, const struct ck_digest *blob,
                          struct ck_arena *a, struct ck_digest **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, reaching(s, repository, blob, a, ret, ret_n));
}

/* --- taking away ------------------------------------------------------------------------------ */

static ck_err *delete_link(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                           bool *ret_was)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM link WHERE repository=? AND digest=?", &q));
    ck_bind_text(&q, repository);
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_run(&q));
    *ret_was = sqlite3_changes(s->db) > 0;
    return NULL;
}

/* Names of the repository begin with it, then ':' or '@'. What has a '/' behind that belongs to a
 * registry with a port. */
static ck_err *delete_names(struct ck_store *s, ck_view repository, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM name WHERE digest=?1 AND substr(name,1,length(?2))=?2"
                           " AND substr(name,length(?2)+1,1) IN (':','@')"
                           " AND instr(substr(name,length(?2)+1),'/')=0", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, repository);
    return ck_query_run(&q);
}

static ck_err *unlink_image(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                            bool *ret_was)
{
    CK_TRY(delete_link(s, repository, d, ret_was));
    if (!*ret_was)
        return NULL;
    CK_TRY(delete_names(s, repository, d));
    return ck_log_add(s, CK_V("unlink"), d, repository, CK_V(""));
}

ck_err *ck_store_unlink(struct ck_store *s, ck_view repository, const struct ck_digest *d,
                        bool *ret_was)
{
    bool was = false;
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, unlink_image(s, repository, d, &was)));
    *ret_was = was;
    return NULL;
}

/* --- listing ---------------------------------------------------------------------------------- */

static int64_t one_more(size_t max)
{
    return max < INT64_MAX ? (int64_t)max + 1 : INT64_MAX;
}

static ck_err *repositories(struct ck_store *s, ck_view last, size_t max, struct ck_arena *a,
                            ck_view **ret, size_t *ret_n, bool *ret_more)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT DISTINCT repository FROM link WHERE repository>?"
                           " ORDER BY repository LIMIT ?", &q));
    ck_bind_text(&q, last);
    ck_bind_int(&q, one_more(max));
    return ck_query_texts(&q, max, a, ret, ret_n, ret_more);
}

ck_err *ck_store_linked_repositories(struct ck_store *s, ck_view last, size_t max,
                                     struct ck_arena *a, ck_view **ret, size_t *ret_n,
                                     bool *ret_more)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, repositories(s, last, max, a, ret, ret_n, ret_more));
}
