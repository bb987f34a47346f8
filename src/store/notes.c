/* Small values of the program's own, by name. */
#include "store/store_int.h"

static ck_err *put_note(struct ck_store *s, const char *key, ck_view value)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT OR REPLACE INTO note VALUES(?,?)", &q));
    ck_bind_text(&q, ck_view_str(key));
    ck_bind_blob(&q, value);
    return ck_query_run(&q);
}

ck_err *ck_store_put_note(struct ck_store *s, const char *key, ck_view value)
{
    if (value.n > CK_MAX_NOTE)
        return ck_err_limit(CK_LIMIT_NOTE, "note %s: %zu bytes", key, value.n);
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, put_note(s, key, value));
}

static ck_err *get_note(struct ck_store *s, const char *key, struct ck_buf *out, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT value FROM note WHERE key=?", &q));
    ck_bind_text(&q, ck_view_str(key));
    CK_TRY(ck_query_step(&q, ret_found));
    return *ret_found ? ck_buf_add(out, ck_column_text(&q, 0)) : NULL;
}

ck_err *ck_store_get_note(struct ck_store *s, const char *key, struct ck_buf *out, bool *ret_found)
{
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get_note(s, key, out, &found)));
    *ret_found = found;
    return NULL;
}
