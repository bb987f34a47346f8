/* Statements and transactions over SQLite. */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

ck_err *ck_sql_error(struct ck_store *s, const char *doing)
{
    int code = sqlite3_extended_errcode(s->db), os = sqlite3_system_errno(s->db);
    if ((code & 0xff) == SQLITE_BUSY)
        return ck_err_new(CK_ERR_OURS, "store %s: %s: another process has kept it locked for %d s",
                          s->dir, doing, CK_BUSY_MS / 1000);
    bool io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    return ck_err_new(CK_ERR_OURS, "store %s: %s: %s%s%s", s->dir, doing, sqlite3_errmsg(s->db),
                      io && os ? ": " : "", io && os ? strerror(os) : "");
}

/* --- transactions ----------------------------------------------------------------------------- */

static ck_err *exec(struct ck_store *s, const char *sql, const char *doing)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? NULL : ck_sql_error(s, doing);
}

static ck_err *begin(struct ck_store *s, const char *sql, bool relaxed)
{
    pthread_mutex_lock(&s->mutex);
    s->relaxed = relaxed;
    ck_err *e = relaxed ? exec(s, "PRAGMA synchronous=NORMAL", "opening") : NULL;
    if (!e)
        e = exec(s, sql, "locking");
    if (!e)
        return NULL;
    ck_tx_drop(s);
    return e;
}

ck_err *ck_tx_write(struct ck_store *s) { return begin(s, "BEGIN IMMEDIATE", false); }
ck_err *ck_tx_write_relaxed(struct ck_store *s) { return begin(s, "BEGIN IMMEDIATE", true); }
ck_err *ck_tx_read(struct ck_store *s) { return begin(s, "BEGIN", false); }

void ck_tx_drop(struct ck_store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    if (s->relaxed)
        sqlite3_exec(s->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
    s->relaxed = false;
    pthread_mutex_unlock(&s->mutex);
}

ck_err *ck_tx_end(struct ck_store *s, ck_err *e)
{
    if (!e)
        e = exec(s, "COMMIT", "writing");
    ck_tx_drop(s);
    return e;
}

/* --- statements ------------------------------------------------------------------------------- */

static ck_err *prepare(struct ck_store *s, const char *sql, sqlite3_stmt **ret)
{
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL) != SQLITE_OK)
        return ck_sql_error(s, "preparing");
    return NULL;
}

ck_err *ck_query_new(struct ck_store *s, const char *sql, struct ck_query *ret)
{
    struct ck_query q = { .s = s, .own = true };
    for (size_t i = 0; i < CK_STATEMENTS; i++) {
        if (!s->cache[i].sql) {
            CK_TRY(prepare(s, sql, &s->cache[i].st));
            s->cache[i].sql = sql;
        }
        if (s->cache[i].sql != sql)
            continue;
        if (sqlite3_stmt_busy(s->cache[i].st))
            break;
        q.st = s->cache[i].st;
        q.own = false;
        *ret = q;
        return NULL;
    }
    CK_TRY(prepare(s, sql, &q.st));
    *ret = q;
    return NULL;
}

void ck_query_end(struct ck_query *q)
{
    if (!q->st)
        return;
    if (q->own) {
        sqlite3_finalize(q->st);
    } else {
        sqlite3_reset(q->st);
        sqlite3_clear_bindings(q->st);
    }
    q->st = NULL;
}

void ck_bind_text(struct ck_query *q, ck_view v)
{
    sqlite3_bind_text64(q->st, ++q->bound, v.n ? (const char *)v.p : "", v.n, SQLITE_TRANSIENT,
                        SQLITE_UTF8);
}

void ck_bind_blob(struct ck_query *q, ck_view v)
{
    sqlite3_bind_blob64(q->st, ++q->bound, v.n ? v.p : (const uint8_t *)"", v.n, SQLITE_TRANSIENT);
}

void ck_bind_int(struct ck_query *q, int64_t x) { sqlite3_bind_int64(q->st, ++q->bound, x); }

void ck_bind_digest(struct ck_query *q, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    if (d)
        ck_bind_text(q, ck_view_str(ck_digest_text(d, text)));
    else
        sqlite3_bind_null(q->st, ++q->bound);
}

ck_err *ck_query_step(struct ck_query *q, bool *ret_row)
{
    int rc = sqlite3_step(q->st);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return ck_sql_error(q->s, "reading and writing");
    *ret_row = rc == SQLITE_ROW;
    return NULL;
}

ck_err *ck_query_run(struct ck_query *q)
{
    bool row = true;
    while (row)
        CK_TRY(ck_query_step(q, &row));
    return NULL;
}

ck_err *ck_query_page(struct ck_query *q, uint64_t from, size_t max, int64_t *ret, size_t *ret_n)
{
    bool row = true;
    ck_bind_int(q, (int64_t)max);
    ck_bind_int(q, from < INT64_MAX ? (int64_t)from : INT64_MAX);
    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        CK_TRY(ck_query_step(q, &row));
        if (!row)
            break;
        ret[*ret_n] = ck_column_int(q, 0);
    }
    return NULL;
}

ck_err *ck_query_count(struct ck_query *q, uint64_t *ret)
{
    bool row = false;
    CK_TRY(ck_query_step(q, &row));
    *ret = row ? (uint64_t)ck_column_int(q, 0) : 0;
    return NULL;
}

static ck_err *find_number(struct ck_store *s, const char *find, ck_view text, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t n = 0;
    CK_TRY(ck_query_new(s, find, &q));
    ck_bind_text(&q, text);
    CK_TRY(ck_query_count(&q, &n));
    *ret = (int64_t)n;
    return NULL;
}

ck_err *ck_number_of(struct ck_store *s, const char *find, const char *make, ck_view text,
                     int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(find_number(s, find, text, ret));
    if (*ret)
        return NULL;
    CK_TRY(ck_query_new(s, make, &q));
    ck_bind_text(&q, text);
    CK_TRY(ck_query_run(&q));
    *ret = sqlite3_last_insert_rowid(s->db);
    return NULL;
}

ck_err *ck_query_texts(struct ck_query *q, size_t max, struct ck_arena *a, ck_view **ret,
                       size_t *ret_n, bool *ret_more)
{
    CK_VEC(ck_view) all = { 0 };
    bool row = true;
    ck_err *e = NULL;
    while (!(e = ck_query_step(q, &row)) && row && all.n < max)
        *ck_push(&all) = ck_arena_dup(a, ck_column_text(q, 0));
    if (!e) {
        *ret = ck_arena_alloc(a, all.n + 1, sizeof **ret);
        if (all.n)
            memcpy(*ret, all.v, all.n * sizeof **ret);
        *ret_n = all.n;
    }
    if (!e && ret_more)
        *ret_more = row && max > 0;
    free(all.v);
    return e;
}

ck_err *ck_query_digests(struct ck_query *q, struct ck_arena *a, struct ck_digest **ret,
                         size_t *ret_n)
{
    CK_VEC(struct ck_digest) all = { 0 };
    bool row = true;
    ck_err *e = NULL;
    while (!(e = ck_query_step(q, &row)) && row) {
        struct ck_digest d;
        e = ck_column_digest(q, 0, &d);
        if (e)
            break;
        *ck_push(&all) = d;
    }
    if (!e) {
        *ret = ck_arena_alloc(a, all.n + 1, sizeof **ret);
        if (all.n)
            memcpy(*ret, all.v, all.n * sizeof **ret);
        *ret_n = all.n;
    }
    free(all.v);
    return e;
}

ck_view ck_column_text(struct ck_query *q, int i)
{
    const void *p = sqlite3_column_blob(q->st, i);
    int n = sqlite3_column_bytes(q->st, i);
    return p ? ck_view_of(p, (size_t)n) : CK_V("");
}

int64_t ck_column_int(struct ck_query *q, int i) { return sqlite3_column_int64(q->st, i); }

bool ck_column_null(struct ck_query *q, int i)
{
    return sqlite3_column_type(q->st, i) == SQLITE_NULL;
}

ck_err *ck_column_digest(struct ck_query *q, int i, struct ck_digest *ret)
{
    ck_err *e = ck_digest_parse(ck_column_text(q, i), ret);
    return e ? ck_err_wrap(ck_err_reclass(e, CK_ERR_OURS), "store %s: state.db", q->s->dir) : NULL;
}
