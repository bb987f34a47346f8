/* The log: a hash chain over its records.
 *
 * A record's hash is the SHA-256 of: the previous record's hash (32 bytes; zeros before the first),
 * number and time (64 bit, little-endian), then who, event, digest, name and text, each as its
 * length (32 bit, little-endian) and its bytes.
 */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>
#include <time.h>

enum { HASH = 32, PAGE = 256 };

static void hash_record(const uint8_t before[HASH], const struct ck_log_record *r,
                        uint8_t ret[HASH])
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_digest d;
    ck_put_bytes(&b, ck_view_of(before, HASH));
    ck_put_u64(&b, r->number);
    ck_put_u64(&b, (uint64_t)r->time);
    const ck_view fields[] = { r->who, r->event, r->digest, r->name, r->text };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_put_str(&b, fields[i]);
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&b), &d);
    memcpy(ret, d.bytes, HASH);
}

/* --- appending -------------------------------------------------------------------------------- */

static ck_err *head(struct ck_store *s, uint64_t *ret_number, uint8_t ret_hash[HASH])
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT number, hash FROM log ORDER BY number DESC LIMIT 1", &q));
    bool row = false;
    CK_TRY(ck_query_step(&q, &row));
    *ret_number = 0;
    memset(ret_hash, 0, HASH);
    if (!row)
        return NULL;
    ck_view hash = ck_column_text(&q, 1);
    if (hash.n != HASH)
        return ck_err_new(CK_ERR_OURS, "store %s: the log is damaged (see cocket log --verify)",
                          s->dir);
    *ret_number = (uint64_t)ck_column_int(&q, 0);
    memcpy(ret_hash, hash.p, HASH);
    return NULL;
}

static ck_err *insert(struct ck_store *s, const struct ck_log_record *r)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO log VALUES(?,?,?,?,?,?,?,?)", &q));
    ck_bind_int(&q, (int64_t)r->number);
    ck_bind_int(&q, r->time);
    ck_bind_text(&q, r->who);
    ck_bind_text(&q, r->event);
    ck_bind_text(&q, r->digest);
    ck_bind_text(&q, r->name);
    ck_bind_text(&q, r->text);
    ck_bind_blob(&q, ck_view_of(r->hash, HASH));
    return ck_query_run(&q);
}

ck_err *ck_log_add_as(struct ck_store *s, const char *who, ck_view event,
                      const struct ck_digest *digest, ck_view name, ck_view text)
{
    char digest_text[CK_DIGEST_TEXT] = "";
    uint8_t before[HASH];
    struct ck_log_record r = { .time = time(NULL), .who = ck_view_str(who ? who : s->who),
                               .event = event, .name = name, .text = text };
    CK_TRY(head(s, &r.number, before));
    r.number++;
    r.digest = ck_view_str(digest ? ck_digest_text(digest, digest_text) : "");
    hash_record(before, &r, r.hash);
    return insert(s, &r);
}

ck_err *ck_log_add(struct ck_store *s, ck_view event, const struct ck_digest *digest, ck_view name,
                   ck_view text)
{
    return ck_log_add_as(s, NULL, event, digest, name, text);
}

ck_err *ck_log_append_as(struct ck_store *s, const char *who, ck_view event,
                         const struct ck_digest *digest, ck_view name, ck_view text)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, ck_log_add_as(s, who, event, digest, name, text));
}

ck_err *ck_log_append(struct ck_store *s, ck_view event, const struct ck_digest *digest,
                      ck_view name, ck_view text)
{
    return ck_log_append_as(s, NULL, event, digest, name, text);
}

/* --- reading ---------------------------------------------------------------------------------- */

#define COLUMNS "SELECT number, time, who, event, digest, name, text, hash FROM log"

static ck_err *read_row(struct ck_query *q, struct ck_arena *a, struct ck_log_record *r)
{
    ck_view hash = ck_column_text(q, 7);
    *r = (struct ck_log_record){
        .number = (uint64_t)ck_column_int(q, 0),
        .time = ck_column_int(q, 1),
        .who = ck_arena_dup(a, ck_column_text(q, 2)),
        .event = ck_arena_dup(a, ck_column_text(q, 3)),
        .digest = ck_arena_dup(a, ck_column_text(q, 4)),
        .name = ck_arena_dup(a, ck_column_text(q, 5)),
        .text = ck_arena_dup(a, ck_column_text(q, 6)),
    };
    if (hash.n != HASH)
        return ck_err_new(CK_ERR_HOSTILE, "log record %llu: its hash does not have 32 bytes",
                          (unsigned long long)r->number);
    memcpy(r->hash, hash.p, HASH);
    return NULL;
}

/* Up to PAGE records from `from` on. */
static ck_err *read_page(struct ck_store *s, uint64_t from, struct ck_arena *a,
                         struct ck_log_record *ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, COLUMNS " WHERE number>=? ORDER BY number LIMIT ?", &q));
    ck_bind_int(&q, from > INT64_MAX ? INT64_MAX : (int64_t)from);
    ck_bind_int(&q, PAGE);
    for (*ret_n = 0; *ret_n < PAGE; ++*ret_n) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_row(&q, a, &ret[*ret_n]));
    }
    return NULL;
}

ck_err *ck_log_record_of(struct ck_store *s, int64_t number, struct ck_arena *a,
                         struct ck_log_record *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, COLUMNS " WHERE number=?", &q));
    ck_bind_int(&q, number);
    CK_TRY(ck_query_step(&q, &row));
    return row ? read_row(&q, a, ret)
               : ck_err_new(CK_ERR_OURS, "store %s: the log has no record %lld", s->dir,
                            (long long)number);
}

static ck_err *page_alone(struct ck_store *s, uint64_t from, struct ck_arena *a,
                          struct ck_log_record *ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, read_page(s, from, a, ret, ret_n));
}

ck_err *ck_log_read(struct ck_store *s, uint64_t from,
                    ck_err *(*each)(void *ctx, const struct ck_log_record *r), void *ctx)
{
    size_t n = PAGE;
    ck_autofree struct ck_log_record *page = ck_calloc(PAGE, sizeof *page);
    while (n == PAGE) {
        ck_autoarena struct ck_arena a = { 0 };
        CK_TRY(page_alone(s, from, &a, page, &n)); /* `each` may call the store */
        for (size_t i = 0; i < n; i++)
            CK_TRY(each(ctx, &page[i]));
        if (n)
            from = page[n - 1].number + 1;
    }
    return NULL;
}

static ck_err *last(struct ck_store *s, uint64_t *ret)
{
    uint8_t unused[HASH];
    return head(s, ret, unused);
}

ck_err *ck_log_last(struct ck_store *s, uint64_t *ret)
{
    uint64_t n = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, last(s, &n)));
    *ret = n;
    return NULL;
}

struct chain {
    uint64_t n;
    uint8_t head[HASH];
};

static ck_err *check_record(void *ctx, const struct ck_log_record *r)
{
    struct chain *c = ctx;
    uint8_t want[HASH];
    if (r->number != c->n + 1)
        return ck_err_new(CK_ERR_HOSTILE, "log record %llu is missing",
                          (unsigned long long)c->n + 1);
    hash_record(c->head, r, want);
    if (memcmp(want, r->hash, HASH) != 0)
        return ck_err_new(CK_ERR_HOSTILE, "log record %llu does not fit its hash: it, or what was "
                          "before it, was changed", (unsigned long long)r->number);
    c->n = r->number;
    memcpy(c->head, want, HASH);
    return NULL;
}

ck_err *ck_log_verify(struct ck_store *s, uint64_t *ret_n, uint8_t ret_head[32])
{
    struct chain c = { 0 };
    CK_TRY(ck_log_read(s, 0, check_record, &c));
    *ret_n = c.n;
    memcpy(ret_head, c.head, HASH);
    return NULL;
}
