/* Releases that more than one person must want. */
#include "store/store_int.h"

#include <time.h>

static ck_err *count_persons(struct ck_store *s, const struct ck_digest *d, unsigned *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t n = 0;
    CK_TRY(ck_query_new(s, "SELECT count(*) FROM approval WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_count(&q, &n));
    *ret = (unsigned)n;
    return NULL;
}

static ck_err *insert(struct ck_store *s, const struct ck_digest *d, const char *who,
                      ck_view reason, bool *ret_new)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO approval VALUES(?,?,?,?) ON CONFLICT DO NOTHING", &q));
    ck_bind_digest(&q, d);
    ck_bind_text(&q, ck_view_str(who));
    ck_bind_text(&q, reason);
    ck_bind_int(&q, time(NULL));
    CK_TRY(ck_query_run(&q));
    *ret_new = sqlite3_changes(s->db) > 0;
    return NULL;
}

static ck_err *approve(struct ck_store *s, const struct ck_digest *d, const char *who,
                       ck_view reason, unsigned *ret_persons)
{
    bool is_new = false;
    CK_TRY(ck_image_known(s, d));
    CK_TRY(insert(s, d, who, reason, &is_new));
    if (is_new)
        CK_TRY(ck_log_add_as(s, who, CK_V("approve"), d, CK_V(""), reason));
    return count_persons(s, d, ret_persons);
}

ck_err *ck_store_approve(struct ck_store *s, const struct ck_digest *d, const char *who,
                         ck_view reason, unsigned *ret_persons)
{
    unsigned n = 0;
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, approve(s, d, who ? who : s->who, reason, &n)));
    *ret_persons = n;
    return NULL;
}

ck_err *ck_store_approvals(struct ck_store *s, const struct ck_digest *d, unsigned *ret_persons)
{
    unsigned n = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, count_persons(s, d, &n)));
    *ret_persons = n;
    return NULL;
}

ck_err *ck_approvals_forget(struct ck_store *s, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM approval WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}
