/* Users and robots of the gate, and their tokens. */
#include "store/store_int.h"

#include "base/text.h"

#include <time.h>

/* --- roles ------------------------------------------------------------------------------------ */

static const char *const role_names[] = { "pull", "push", "release", "admin" };
enum { ROLES = sizeof role_names / sizeof *role_names };

static ck_err *parse_role(ck_view word, uint32_t *into)
{
    for (unsigned i = 0; i < ROLES; i++) {
        if (ck_view_eq(word, ck_view_str(role_names[i]))) {
            *into |= 1u << i;
            return NULL;
        }
    }
    return ck_err_new(CK_ERR_USAGE, "\"%.*s\" is no role: they are pull, push, release and admin",
                      CK_VF(word));
}

ck_err *ck_roles_parse(ck_view words, uint32_t *ret)
{
    uint32_t roles = 0;
    ck_view rest = words;
    do {
        ck_view word = ck_view_split(rest, ',', &rest);
        CK_TRY(parse_role(ck_view_trim(word), &roles));
    } while (rest.n);
    *ret = roles;
    return NULL;
}

const char *ck_roles_text(uint32_t roles, struct ck_arena *a)
{
    const char *text = "";
    for (unsigned i = 0; i < ROLES; i++)
        if (roles & 1u << i)
            text = ck_arena_format(a, "%s%s%s", text, *text ? "," : "", role_names[i]);
    return text;
}

/* --- users ------------------------------------------------------------------------------------ */

/* It stands in the Basic credentials (no colon), in log lines and in names of the log. */
static ck_err *check_name(const struct ck_user *u)
{
    bool ok = u->name.n >= 1 && u->name.n <= CK_MAX_USER_NAME;
    for (size_t i = 0; ok && i < u->name.n; i++) {
        uint8_t c = u->name.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    }
    if (!ok)
        return ck_err_new(CK_ERR_USAGE, "\"%.*s\" is no user name: 1 to %llu of a-z, 0-9, \".\", "
                          "\"_\" and \"-\"", CK_VF(u->name),
                          (unsigned long long)CK_MAX_USER_NAME);
    if (ck_view_starts(u->name, CK_V("robot-")) != u->robot)
        return ck_err_new(CK_ERR_USAGE, "%.*s: the name of a robot begins with \"robot-\", and no "
                          "other", CK_VF(u->name));
    return NULL;
}

#define COLUMNS "SELECT name, robot, roles, repository, password, expires, disabled FROM user"

static void read_row(struct ck_query *q, struct ck_arena *a, struct ck_user *ret)
{
    *ret = (struct ck_user){
        .name = ck_arena_dup(a, ck_column_text(q, 0)),
        .robot = ck_column_int(q, 1),
        .roles = (uint32_t)ck_column_int(q, 2),
        .repository = ck_arena_dup(a, ck_column_text(q, 3)),
        .password = ck_arena_dup(a, ck_column_text(q, 4)),
        .expires = ck_column_int(q, 5),
        .disabled = ck_column_int(q, 6),
    };
}

static ck_err *get_user(struct ck_store *s, ck_view name, struct ck_arena *a, struct ck_user *ret,
                        bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, COLUMNS " WHERE name=?", &q));
    ck_bind_text(&q, name);
    CK_TRY(ck_query_step(&q, ret_found));
    if (*ret_found)
        read_row(&q, a, ret);
    return NULL;
}

ck_err *ck_store_get_user(struct ck_store *s, ck_view name, struct ck_arena *a,
                          struct ck_user *ret, bool *ret_found)
{
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get_user(s, name, a, ret, &found)));
    *ret_found = found;
    return NULL;
}

static ck_err *upsert(struct ck_store *s, const struct ck_user *u)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO user(name, robot, roles, repository, password, expires,"
                           " disabled) VALUES(?,?,?,?,?,?,?) ON CONFLICT(name) DO UPDATE SET"
                           " robot=excluded.robot, roles=excluded.roles,"
                           " repository=excluded.repository, password=excluded.password,"
                           " expires=excluded.expires, disabled=excluded.disabled", &q));
    ck_bind_text(&q, u->name);
    ck_bind_int(&q, u->robot);
    ck_bind_int(&q, u->roles);
    ck_bind_text(&q, u->repository);
    ck_bind_text(&q, u->password);
    ck_bind_int(&q, u->expires);
    ck_bind_int(&q, u->disabled);
    return ck_query_run(&q);
}

/* How it is now, and whether the password is another. */
static ck_err *log_user(struct ck_store *s, const struct ck_user *u, const struct ck_user *was)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    char until[32];
    ck_buf_format(&text, "%s, roles %s", was ? "changed" : "added", ck_roles_text(u->roles, &a));
    if (u->repository.n)
        ck_buf_format(&text, ", repository %.*s", CK_VF(u->repository));
    ck_format_time(until, u->expires);
    if (u->expires)
        ck_buf_format(&text, ", until %s", until);
    if (was && !ck_view_eq(was->password, u->password))
        ck_put_bytes(&text, CK_V(", another password"));
    if (u->disabled)
        ck_put_bytes(&text, CK_V(", disabled"));
    return ck_log_add(s, CK_V("user"), NULL, u->name, ck_buf_view(&text));
}

static ck_err *put_user(struct ck_store *s, const struct ck_user *u)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_user was = { 0 };
    bool found = false;
    CK_TRY(get_user(s, u->name, &a, &was, &found));
    CK_TRY(upsert(s, u));
    return log_user(s, u, found ? &was : NULL);
}

ck_err *ck_store_put_user(struct ck_store *s, const struct ck_user *u)
{
    CK_TRY(check_name(u));
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, put_user(s, u));
}

static ck_err *count_users(struct ck_store *s, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT count(*) FROM user", &q));
    return ck_query_count(&q, ret);
}

static ck_err *list_users(struct ck_store *s, struct ck_arena *a, struct ck_user **ret,
                          size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t most = 0;
    size_t n = 0;
    bool row = true;
    CK_TRY(count_users(s, &most));
    CK_TRY(ck_query_new(s, COLUMNS " ORDER BY name", &q));
    struct ck_user *all = ck_arena_alloc(a, most + 1, sizeof *all);
    while (n < most) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        read_row(&q, a, &all[n++]);
    }
    *ret = all;
    *ret_n = n;
    return NULL;
}

ck_err *ck_store_list_users(struct ck_store *s, struct ck_arena *a, struct ck_user **ret,
                            size_t *ret_n)
{
    CK_TRY(ck_tx_read(s));
    return ck_tx_end(s, list_users(s, a, ret, ret_n));
}

static ck_err *remove_user(struct ck_store *s, ck_view name, bool *ret_was)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM user WHERE name=?", &q));
    ck_bind_text(&q, name);
    CK_TRY(ck_query_run(&q));
    *ret_was = sqlite3_changes(s->db) > 0;
    return *ret_was ? ck_log_add(s, CK_V("user"), NULL, name, CK_V("removed")) : NULL;
}

ck_err *ck_store_remove_user(struct ck_store *s, ck_view name, bool *ret_was)
{
    bool was = false;
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, remove_user(s, name, &was)));
    *ret_was = was;
    return NULL;
}

/* --- tokens ----------------------------------------------------------------------------------- */

enum { HASH = 32 };

static ck_err *insert_token(struct ck_store *s, const uint8_t hash[HASH], ck_view user,
                            uint32_t roles, int64_t expires)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO token(hash, user, roles, expires) VALUES(?,?,?,?)", &q));
    ck_bind_blob(&q, ck_view_of(hash, HASH));
    ck_bind_text(&q, user);
    ck_bind_int(&q, roles);
    ck_bind_int(&q, expires);
    return ck_query_run(&q);
}

static ck_err *put_token(struct ck_store *s, const uint8_t hash[HASH], ck_view user, uint32_t roles,
                         int64_t expires)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_user u;
    bool found = false;
    char until[32];
    CK_TRY(get_user(s, user, &a, &u, &found));
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE, "there is no user %.*s", CK_VF(user));
    CK_TRY(insert_token(s, hash, user, roles, expires));
    ck_format_time(until, expires);
    const char *text = ck_arena_format(&a, "token for %s%s%s", ck_roles_text(roles, &a),
                                       expires ? " until " : "", expires ? until : "");
    return ck_log_add(s, CK_V("user"), NULL, user, ck_view_str(text));
}

ck_err *ck_store_put_token(struct ck_store *s, const uint8_t hash[32], ck_view user, uint32_t roles,
                           int64_t expires)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, put_token(s, hash, user, roles, expires));
}

struct token {
    ck_view user;
    uint32_t roles;
    int64_t expires;
};

static ck_err *get_token(struct ck_store *s, const uint8_t hash[HASH], struct ck_arena *a,
                         struct token *ret, bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT user, roles, expires FROM token WHERE hash=?", &q));
    ck_bind_blob(&q, ck_view_of(hash, HASH));
    CK_TRY(ck_query_step(&q, ret_found));
    if (*ret_found)
        *ret = (struct token){ ck_arena_dup(a, ck_column_text(&q, 0)),
                               (uint32_t)ck_column_int(&q, 1), ck_column_int(&q, 2) };
    return NULL;
}

ck_err *ck_store_get_token(struct ck_store *s, const uint8_t hash[32], struct ck_arena *a,
                           ck_view *ret_user, uint32_t *ret_roles, int64_t *ret_expires,
                           bool *ret_found)
{
    struct token t = { 0 };
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get_token(s, hash, a, &t, &found)));
    *ret_found = found;
    if (!found)
        return NULL;
    *ret_user = t.user;
    *ret_roles = t.roles;
    *ret_expires = t.expires;
    return NULL;
}

static ck_err *delete_tokens(struct ck_store *s, ck_view user)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM token WHERE CASE ?1 WHEN '' THEN expires!=0 AND expires<=?2"
                           " ELSE user=?1 END", &q));
    ck_bind_text(&q, user);
    ck_bind_int(&q, time(NULL));
    CK_TRY(ck_query_run(&q));
    return user.n && sqlite3_changes(s->db) > 0
               ? ck_log_add(s, CK_V("user"), NULL, user, CK_V("all tokens revoked"))
               : NULL;
}

ck_err *ck_store_drop_tokens(struct ck_store *s, ck_view user)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, delete_tokens(s, user));
}
