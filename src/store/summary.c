/* What listings show of an image's findings. */
#include "store/store_int.h"

ck_err *ck_summary_put(struct ck_store *s, const struct ck_digest *d,
                       const struct ck_store_summary *v)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_image_known(s, d));
    CK_TRY(ck_query_new(s, "UPDATE listing SET examined=1, unknown=?, negligible=?, low=?,"
                           " medium=?, high=?, critical=?, fixable=?, kev=?, packages=?,"
                           " whole=?, scanned=?, created=?, distro=? WHERE image=?", &q));
    for (size_t i = 0; i < sizeof v->severities / sizeof *v->severities; i++)
        ck_bind_int(&q, v->severities[i]);
    ck_bind_int(&q, v->fixable);
    ck_bind_int(&q, v->kev);
    ck_bind_int(&q, v->packages);
    ck_bind_int(&q, v->complete);
    ck_bind_int(&q, v->scanned);
    ck_bind_int(&q, v->created);
    ck_bind_text(&q, v->distro);
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

ck_err *ck_summary_drop(struct ck_store *s, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE listing SET examined=0 WHERE image=?", &q));
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

ck_err *ck_store_put_summary(struct ck_store *s, const struct ck_digest *d,
                             const struct ck_store_summary *v)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, ck_summary_put(s, d, v));
}
