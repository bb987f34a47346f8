/* Who is to be told of what. */
#include "store/store_int.h"

#include <time.h>

/* --- keeping ---------------------------------------------------------------------------------- */

static ck_err *check_name(ck_view name)
{
    bool ok = name.n >= 1 && name.n <= CK_MAX_SUBSCRIPTION_NAME;
    for (size_t i = 0; ok && i < name.n; i++) {
        uint8_t c = name.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    }
    return ok ? NULL
              : ck_err_new(CK_ERR_USAGE, "\"%.*s\" is no name of a subscription: 1 to %llu of a-z, "
                           "0-9, \".\", \"_\" and \"-\"", CK_VF(name),
                           (unsigned long long)CK_MAX_SUBSCRIPTION_NAME);
}

static ck_err *check(const struct ck_subscription *v)
{
    const ck_view texts[] = { v->way, v->target, v->secret, v->kinds, v->repository };
    CK_TRY(check_name(v->name));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].n > CK_MAX_SUBSCRIPTION_TEXT)
            return ck_err_limit(CK_LIMIT_SUBSCRIPTION_TEXT, "subscription %.*s: %zu bytes",
                                CK_VF(v->name), texts[i].n);
    if (v->digest_seconds < 0)
        return ck_err_new(CK_ERR_USAGE, "subscription %.*s: %lld seconds", CK_VF(v->name),
                          (long long)v->digest_seconds);
    return NULL;
}

static ck_err *check_room(struct ck_store *s)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t n = 0;
    CK_TRY(ck_query_new(s, "SELECT count(*) FROM subscription", &q));
    CK_TRY(ck_query_count(&q, &n));
    return n < CK_MAX_SUBSCRIPTIONS ? NULL
                                    : ck_err_limit(CK_LIMIT_SUBSCRIPTIONS, "no more subscriptions");
}

static ck_err *check_unused(struct ck_store *s, const struct ck_subscription *v)
{
    ck_autoquery struct ck_query q = { 0 };
    bool used = false;
    CK_TRY(ck_query_new(s, "SELECT 1 FROM subscription WHERE name=? AND id!=?", &q));
    ck_bind_text(&q, v->name);
    ck_bind_int(&q, v->id);
    CK_TRY(ck_query_step(&q, &used));
    return used ? ck_err_new(CK_ERR_USAGE, "there is a subscription %.*s already", CK_VF(v->name))
                : NULL;
}

static void bind_wishes(struct ck_query *q, const struct ck_subscription *v)
{
    ck_bind_text(q, v->name);
    ck_bind_text(q, v->way);
    ck_bind_text(q, v->target);
    ck_bind_text(q, v->secret);
    ck_bind_text(q, v->kinds);
    ck_bind_text(q, v->repository);
    ck_bind_int(q, v->severity);
    ck_bind_int(q, v->digest_seconds);
    ck_bind_int(q, v->disabled);
}

static ck_err *insert(struct ck_store *s, const struct ck_subscription *v, int64_t *ret_id)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(check_room(s));
    CK_TRY(ck_query_new(s, "INSERT INTO subscription(name, way, target, secret, kinds, repository,"
                           " severity, digest_seconds, disabled, cursor, made)"
                           " VALUES(?,?,?,?,?,?,?,?,?, coalesce((SELECT seq FROM sqlite_sequence"
                           " WHERE name='event'), 0), ?)", &q));
    bind_wishes(&q, v);
    ck_bind_int(&q, time(NULL));
    CK_TRY(ck_query_run(&q));
    *ret_id = sqlite3_last_insert_rowid(s->db);
    return NULL;
}

/* Cursor and counts are the store's own. */
static ck_err *update(struct ck_store *s, const struct ck_subscription *v)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE subscription SET name=?, way=?, target=?, secret=?, kinds=?,"
                           " repository=?, severity=?, digest_seconds=?, disabled=? WHERE id=?",
                        &q));
    bind_wishes(&q, v);
    ck_bind_int(&q, v->id);
    CK_TRY(ck_query_run(&q));
    return sqlite3_changes(s->db) > 0
               ? NULL
               : ck_err_new(CK_ERR_UNAVAILABLE, "there is no subscription %lld", (long long)v->id);
}

static ck_err *put_subscription(struct ck_store *s, const struct ck_subscription *v,
                                int64_t *ret_id)
{
    CK_TRY(check_unused(s, v));
    *ret_id = v->id;
    CK_TRY(v->id ? update(s, v) : insert(s, v, ret_id));
    return ck_log_add(s, CK_V("subscription"), NULL, v->name, v->id ? CK_V("changed")
                                                                    : CK_V("added"));
}

ck_err *ck_store_put_subscription(struct ck_store *s, const struct ck_subscription *v,
                                  int64_t *ret_id)
{
    int64_t id = 0;
    CK_TRY(check(v));
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, put_subscription(s, v, &id)));
    *ret_id = id;
    return NULL;
}

static ck_err *remove_subscription(struct ck_store *s, int64_t id, bool *ret_was)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM subscription WHERE id=? RETURNING name", &q));
    ck_bind_int(&q, id);
    CK_TRY(ck_query_step(&q, ret_was));
    if (!*ret_was)
        return NULL;
    CK_TRY(ck_log_add(s, CK_V("subscription"), NULL, ck_column_text(&q, 0), CK_V("removed")));
    return ck_query_run(&q);
}

ck_err *ck_store_remove_subscription(struct ck_store *s, int64_t id, bool *ret_was)
{
    bool was = false;
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, remove_subscription(s, id, &was)));
    *ret_was = was;
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void read_row(struct ck_query *q, struct ck_arena *a, struct ck_subscription *ret)
{
    *ret = (struct ck_subscription){
        .id = ck_column_int(q, 0),
        .name = ck_arena_dup(a, ck_column_text(q, 1)),
        .way = ck_arena_dup(a, ck_column_text(q, 2)),
        .target = ck_arena_dup(a, ck_column_text(q, 3)),
        .secret = ck_arena_dup(a, ck_column_text(q, 4)),
        .kinds = ck_arena_dup(a, ck_column_text(q, 5)),
        .repository = ck_arena_dup(a, ck_column_text(q, 6)),
        .severity = (int)ck_column_int(q, 7),
        .digest_seconds = ck_column_int(q, 8),
        .disabled = ck_column_int(q, 9),
        .cursor = (uint64_t)ck_column_int(q, 10),
        .made = ck_column_int(q, 11),
        .delivered = (uint64_t)ck_column_int(q, 12),
        .failed = (uint64_t)ck_column_int(q, 13),
        .last_time = ck_column_int(q, 14),
        .last_error = ck_arena_dup(a, ck_column_text(q, 15)),
        .waiting = (uint64_t)ck_column_int(q, 16),
    };
}

static ck_err *subscriptions(struct ck_store *s, struct ck_arena *a, struct ck_subscription **ret,
                             size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    struct ck_subscription *all = ck_arena_alloc(a, CK_MAX_SUBSCRIPTIONS + 1, sizeof *all);
    size_t n = 0;
    bool row = true;
    CK_TRY(ck_query_new(s, "SELECT id, name, way, target, secret, kinds, repository, severity,"
                           " digest_seconds, disabled, cursor, made, delivered, failed, last_time,"
                           " last_error, (SELECT count(*) FROM delivery WHERE subscription=id AND"
                           " given_up=0) FROM subscription ORDER BY name LIMIT ?", &q));
    ck_bind_int(&q, (int64_t)CK_MAX_SUBSCRIPTIONS);
    while (n < CK_MAX_SUBSCRIPTIONS) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        read_row(&q, a, &all[n++]);
    }
    *ret = all;
    *ret_n = n;
    return NULL;
}

ck_err *ck_store_subscriptions(struct ck_store *s, struct ck_arena *a,
                               struct ck_subscription **ret, size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, subscriptions(s, a, ret, ret_n));
}
