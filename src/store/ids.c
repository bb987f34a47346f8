/* Images by what a container runtime calls their id. */
#include "store/store_int.h"

enum { MOST = 64 };

static ck_err *by_id(struct ck_store *s, ck_view hex, struct ck_arena *a, struct ck_digest **ret,
                     size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    const char *from = ck_arena_format(a, "sha256:%.*s", CK_VF(hex));
    const char *past = ck_arena_format(a, "%sg", from); /* behind every digit of hex */
    CK_TRY(ck_query_new(s, "SELECT image FROM part WHERE digest>=?1 AND digest<?2 AND role=0"
                           " UNION SELECT digest FROM image WHERE digest>=?1 AND digest<?2"
                           " ORDER BY 1 LIMIT ?3", &q));
    ck_bind_text(&q, ck_view_str(from));
    ck_bind_text(&q, ck_view_str(past));
    ck_bind_int(&q, MOST);
    return ck_query_digests(&q, a, ret, ret_n);
}

ck_err *ck_store_by_id(struct ck_store *s, ck_view hex, struct ck_arena *a, struct ck_digest **ret,
                       size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, by_id(s, hex, a, ret, ret_n));
}
