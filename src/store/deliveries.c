/* What is to be sent, until it is through or given up. */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- planning --------------------------------------------------------------------------------- */

static ck_err *move_cursor(struct ck_store *s, int64_t subscription, uint64_t expected,
                           uint64_t cursor, bool *ret_done)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE subscription SET cursor=? WHERE id=? AND cursor=?", &q));
    ck_bind_int(&q, (int64_t)cursor);
    ck_bind_int(&q, subscription);
    ck_bind_int(&q, (int64_t)expected);
    CK_TRY(ck_query_run(&q));
    *ret_done = sqlite3_changes(s->db) > 0;
    return NULL;
}

static ck_err *insert(struct ck_store *s, int64_t subscription, const struct ck_delivery *d)
{
    ck_autobuf struct ck_buf events = ck_buf_new(CK_LIMIT_NONE);
    ck_autoquery struct ck_query q = { 0 };
    for (size_t i = 0; i < d->n_events; i++)
        ck_put_u64(&events, d->events[i]);
    CK_TRY(ck_query_new(s, "INSERT INTO delivery(subscription, key, events, due, tries, made)"
                           " VALUES(?,?,?,?,?,?)", &q));
    ck_bind_int(&q, subscription);
    ck_bind_text(&q, d->key);
    ck_bind_blob(&q, ck_buf_view(&events));
    ck_bind_int(&q, d->due);
    ck_bind_int(&q, d->tries);
    ck_bind_int(&q, d->made);
    return ck_query_run(&q);
}

static ck_err *plan(struct ck_store *s, int64_t subscription, uint64_t expected, uint64_t cursor,
                    const struct ck_delivery *v, size_t n, bool *ret_done)
{
    CK_TRY(move_cursor(s, subscription, expected, cursor, ret_done));
    for (size_t i = 0; *ret_done && i < n; i++)
        CK_TRY(insert(s, subscription, &v[i]));
    return NULL;
}

static ck_err *check_delivery(const struct ck_delivery *d)
{
    if (d->n_events > CK_MAX_DELIVERY_EVENTS)
        return ck_err_limit(CK_LIMIT_DELIVERY_EVENTS, "a delivery of %zu events", d->n_events);
    if (d->key.n > CK_MAX_DELIVERY_KEY)
        return ck_err_limit(CK_LIMIT_DELIVERY_KEY, "a key of %zu bytes", d->key.n);
    return NULL;
}

ck_err *ck_store_plan(struct ck_store *s, int64_t subscription, uint64_t expected, uint64_t cursor,
                      const struct ck_delivery *v, size_t n, bool *ret_done)
{
    bool done = false;
    for (size_t i = 0; i < n; i++)
        CK_TRY(check_delivery(&v[i]));
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, plan(s, subscription, expected, cursor, v, n, &done)));
    *ret_done = done;
    return NULL;
}

/* --- what is due ------------------------------------------------------------------------------ */

static ck_err *read_events(struct ck_store *s, ck_view bytes, struct ck_arena *a,
                           struct ck_delivery *d)
{
    ck_cur c = ck_cur_of(bytes);
    if (bytes.n % 8)
        return ck_err_new(CK_ERR_OURS, "store %s: the events of delivery %llu are damaged", s->dir,
                          (unsigned long long)d->number);
    d->n_events = bytes.n / 8;
    d->events = ck_arena_alloc(a, d->n_events + 1, sizeof *d->events);
    for (size_t i = 0; i < d->n_events; i++)
        d->events[i] = ck_cur_le64(&c);
    return NULL;
}

static ck_err *read_row(struct ck_query *q, struct ck_arena *a, struct ck_delivery *ret)
{
    *ret = (struct ck_delivery){
        .number = (uint64_t)ck_column_int(q, 0),
        .subscription = ck_column_int(q, 1),
        .key = ck_arena_dup(a, ck_column_text(q, 2)),
        .due = ck_column_int(q, 4),
        .tries = (unsigned)ck_column_int(q, 5),
        .made = ck_column_int(q, 6),
    };
    return read_events(q->s, ck_column_text(q, 3), a, ret);
}

/* Of one that is disabled nothing is due; it waits. */
static ck_err *read_due(struct ck_store *s, int64_t now, size_t max, struct ck_arena *a,
                        struct ck_delivery *ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT d.number, d.subscription, d.key, d.events, d.due, d.tries,"
                           " d.made FROM delivery AS d CROSS JOIN subscription AS s"
                           " ON s.id=d.subscription WHERE d.given_up=0 AND d.due<=? AND"
                           " s.disabled=0 ORDER BY d.due, d.number LIMIT ?", &q));
    ck_bind_int(&q, now);
    ck_bind_int(&q, (int64_t)max);
    for (*ret_n = 0; *ret_n < max; ++*ret_n) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_row(&q, a, &ret[*ret_n]));
    }
    return NULL;
}

static ck_err *next_due(struct ck_store *s, int64_t now, int64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT d.due FROM delivery AS d CROSS JOIN subscription AS s"
                           " ON s.id=d.subscription WHERE d.given_up=0 AND d.due>? AND"
                           " s.disabled=0 ORDER BY d.due LIMIT 1", &q));
    ck_bind_int(&q, now);
    CK_TRY(ck_query_step(&q, &row));
    *ret = row ? ck_column_int(&q, 0) : 0;
    return NULL;
}

static ck_err *read_all(struct ck_store *s, int64_t now, size_t max, struct ck_arena *a,
                        struct ck_delivery **ret, size_t *ret_n, int64_t *ret_next)
{
    struct ck_delivery *all = ck_arena_alloc(a, max + 1, sizeof *all);
    CK_TRY(read_due(s, now, max, a, all, ret_n));
    *ret = all;
    return next_due(s, now, ret_next);
}

ck_err *ck_store_due(struct ck_store *s, int64_t now, size_t max, struct ck_arena *a,
                     struct ck_delivery **ret, size_t *ret_n, int64_t *ret_next)
{
    struct ck_delivery *all = NULL;
    size_t n = 0, most = max < CK_MAX_DELIVERIES_DUE ? max : CK_MAX_DELIVERIES_DUE;
    int64_t next = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, read_all(s, now, most, a, &all, &n, &next)));
    *ret = all;
    *ret_n = n;
    *ret_next = next;
    return NULL;
}

/* --- what came of it -------------------------------------------------------------------------- */

/* A row that is not there any more was somebody else's, who said so. */
static ck_err *take(struct ck_store *s, uint64_t number, int64_t *ret_subscription, bool *ret_was)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM delivery WHERE number=? AND given_up=0"
                           " RETURNING subscription", &q));
    ck_bind_int(&q, (int64_t)number);
    CK_TRY(ck_query_step(&q, ret_was));
    if (*ret_was)
        *ret_subscription = ck_column_int(&q, 0);
    return ck_query_run(&q);
}

static ck_err *put_off(struct ck_store *s, uint64_t number, int64_t when, int64_t *ret_subscription,
                       bool *ret_was)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE delivery SET tries=tries+1, given_up=(?2=0),"
                           " due=CASE ?2 WHEN 0 THEN due ELSE ?2 END"
                           " WHERE number=?1 AND given_up=0 RETURNING subscription", &q));
    ck_bind_int(&q, (int64_t)number);
    ck_bind_int(&q, when);
    CK_TRY(ck_query_step(&q, ret_was));
    if (*ret_was)
        *ret_subscription = ck_column_int(&q, 0);
    return ck_query_run(&q);
}

/* What was given up is kept for people to see, the last of it. */
static ck_err *delete_oldest(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM delivery WHERE given_up=1 AND number<=(SELECT number FROM"
                           " delivery WHERE given_up=1 ORDER BY number DESC LIMIT 1 OFFSET ?)",
                        &q));
    ck_bind_int(&q, (int64_t)CK_MAX_DELIVERIES_GIVEN_UP);
    return ck_query_run(&q);
}

static ck_err *count_try(struct ck_store *s, int64_t subscription, ck_view error, bool given_up,
                         int64_t now)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE subscription SET delivered=delivered+(?1=''),"
                           " failed=failed+?4, last_time=?2, last_error=?1 WHERE id=?3", &q));
    ck_bind_text(&q, ck_view_head(error, CK_MAX_ERROR_TEXT));
    ck_bind_int(&q, now);
    ck_bind_int(&q, subscription);
    ck_bind_int(&q, given_up);
    return ck_query_run(&q);
}

static ck_err *delivered(struct ck_store *s, uint64_t number, ck_view error, int64_t now,
                         int64_t when)
{
    int64_t subscription = 0;
    bool was = false;
    CK_TRY(error.n ? put_off(s, number, when, &subscription, &was)
                   : take(s, number, &subscription, &was));
    if (!was)
        return NULL;
    if (error.n && when == 0)
        CK_TRY(delete_oldest(s));
    return count_try(s, subscription, error, error.n && when == 0, now);
}

ck_err *ck_store_delivered(struct ck_store *s, uint64_t number, ck_view error, int64_t now,
                           int64_t due)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, delivered(s, number, error, now, due));
}
