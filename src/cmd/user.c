/* Who may ask the gate, and for what. */
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "cmd/secret.h"
#include "cmd/times.h"
#include "gateway/credentials.h"
#include "gateway/password.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char page[] = "cocket-user";

struct args {
    const char *store, *roles, *repository, *expires;
    bool robot, stdin_password, json, revoke;
    const char *name;
    struct ck_arena arena;
    struct ck_store *s;
};

enum opt {
    OPT_STORE = 256, OPT_ROLES, OPT_ROBOT, OPT_REPOSITORY, OPT_EXPIRES, OPT_STDIN, OPT_FORMAT,
    OPT_REVOKE,
};
static const struct option options[] = {
    { "roles", required_argument, NULL, OPT_ROLES },
    { "robot", no_argument, NULL, OPT_ROBOT },
    { "repository", required_argument, NULL, OPT_REPOSITORY },
    { "expires", required_argument, NULL, OPT_EXPIRES },
    { "password-stdin", no_argument, NULL, OPT_STDIN },
    { "revoke", no_argument, NULL, OPT_REVOKE },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    const char **texts[] = { [OPT_STORE - OPT_STORE] = &a->store,
                             [OPT_ROLES - OPT_STORE] = &a->roles,
                             [OPT_REPOSITORY - OPT_STORE] = &a->repository,
                             [OPT_EXPIRES - OPT_STORE] = &a->expires };
    bool *flags[] = { [OPT_ROBOT - OPT_STORE] = &a->robot,
                      [OPT_STDIN - OPT_STORE] = &a->stdin_password,
                      [OPT_REVOKE - OPT_STORE] = &a->revoke };
    size_t i = (size_t)(opt - OPT_STORE);
    if (opt == OPT_FORMAT) {
        return ck_cmd_format(optarg, "table", &a->json);
    } else if (i < sizeof texts / sizeof *texts && texts[i]) {
        *texts[i] = optarg;
    } else {
        *flags[i] = true;
    }
    return NULL;
}

/* --- what the options mean -------------------------------------------------------------------- */

static ck_err *take_roles(const struct args *a, uint32_t *into)
{
    if (a->roles)
        CK_TRY_WRAP(ck_roles_parse(ck_view_str(a->roles), into), "--roles");
    return NULL;
}

static ck_err *take_expires(const struct args *a, int64_t *into)
{
    int64_t span = 0;
    if (!a->expires)
        return NULL;
    CK_TRY_WRAP(ck_times_span(a->expires, &span), "--expires");
    *into = time(NULL) + span;
    return NULL;
}

/* A star stands at the end only: what is pulled and pushed is compared from its beginning. */
static ck_err *take_repository(const struct args *a, ck_view *into)
{
    if (!a->repository)
        return NULL;
    ck_view v = ck_view_str(a->repository);
    if (ck_view_find(v, '*') + 1 < v.n || v.n > CK_MAX_REFERENCE || !ck_utf8_valid(v))
        return ck_err_new(CK_ERR_USAGE, "--repository %s: it is a repository, or the beginning of "
                          "some with * behind it", a->repository);
    *into = v;
    return NULL;
}

static ck_err *take_password(struct args *a, ck_view *ret)
{
    ck_view password;
    if (a->stdin_password)
        CK_TRY(ck_secret_read_stdin(&a->arena, &password));
    else
        CK_TRY(ck_secret_ask(a->name, &a->arena, &password));
    return ck_password_hash(password, &a->arena, ret);
}

static ck_err *find_user(struct args *a, struct ck_user *ret)
{
    bool found = false;
    CK_TRY(ck_store_get_user(a->s, ck_view_str(a->name), &a->arena, ret, &found));
    return found ? NULL : ck_err_new(CK_ERR_UNAVAILABLE, "there is no user %s", a->name);
}

/* --- the verbs -------------------------------------------------------------------------------- */

static ck_err *add(struct args *a)
{
    struct ck_user u = { .name = ck_view_str(a->name), .robot = a->robot }, was;
    bool found = false;
    if (!a->roles)
        return ck_err_new(CK_ERR_USAGE, "say what %s may: --roles pull,push,release,admin",
                          a->name);
    CK_TRY(take_roles(a, &u.roles));
    CK_TRY(take_expires(a, &u.expires));
    CK_TRY(take_repository(a, &u.repository));
    CK_TRY(ck_store_get_user(a->s, u.name, &a->arena, &was, &found));
    if (found)
        return ck_err_new(CK_ERR_USAGE, "there is a user %s already", a->name);
    if (!a->robot || a->stdin_password) /* a robot's own are tokens */
        CK_TRY(take_password(a, &u.password));
    return ck_store_put_user(a->s, &u);
}

static ck_err *change_password(struct args *a)
{
    struct ck_user u;
    CK_TRY(find_user(a, &u));
    CK_TRY(take_password(a, &u.password));
    return ck_store_put_user(a->s, &u);
}

static ck_err *set_disabled(struct args *a, bool disabled)
{
    struct ck_user u;
    CK_TRY(find_user(a, &u));
    u.disabled = disabled;
    return ck_store_put_user(a->s, &u);
}

static ck_err *disable(struct args *a) { return set_disabled(a, true); }
static ck_err *enable(struct args *a) { return set_disabled(a, false); }

static ck_err *remove_user(struct args *a)
{
    bool was = false;
    CK_TRY(ck_store_remove_user(a->s, ck_view_str(a->name), &was));
    return was ? NULL : ck_err_new(CK_ERR_UNAVAILABLE, "there is no user %s", a->name);
}

/* The secret goes out before anybody can use it: what could not be printed is not kept. */
static ck_err *print_secret(const char *secret)
{
    ck_autofree char *line = ck_format("%s\n", secret);
    ck_err *e = ck_cmd_print(ck_view_str(line));
    explicit_bzero(line, strlen(line));
    return e;
}

static ck_err *token(struct args *a)
{
    struct ck_user u;
    char secret[CK_SECRET_TEXT];
    uint8_t hash[32];
    int64_t expires = 0;
    CK_TRY(find_user(a, &u));
    if (a->revoke)
        return ck_store_drop_tokens(a->s, u.name);
    uint32_t roles = a->roles ? 0 : u.roles;
    CK_TRY(take_roles(a, &roles));
    if (roles & ~u.roles && !(u.roles & 8 /* admin */))
        return ck_err_new(CK_ERR_USAGE, "--roles %s: %s has only %s", a->roles, a->name,
                          ck_roles_text(u.roles, &a->arena));
    CK_TRY(take_expires(a, &expires));
    CK_TRY(ck_secret_new(secret, hash));
    CK_TRY(ck_store_drop_tokens(a->s, CK_V("")));
    CK_TRY(ck_store_put_token(a->s, hash, u.name, roles, expires));
    ck_err *e = print_secret(secret);
    explicit_bzero(secret, sizeof secret);
    return e;
}

/* --- ls --------------------------------------------------------------------------------------- */

static const char *state_of(const struct ck_user *u)
{
    return u->disabled ? "disabled" : u->expires && u->expires <= time(NULL) ? "expired" : "active";
}

static const char *time_or(struct args *a, int64_t t, const char *none)
{
    char text[32];
    if (!t)
        return none;
    ck_format_time(text, t);
    return ck_arena_format(&a->arena, "%s", text);
}

static void put_table(struct args *a, const struct ck_user *u, size_t n, struct ck_buf *out)
{
    struct ck_listing t = { .a = &a->arena, .columns = 5, .never = 1u | 1u << 1 | 1u << 3,
                            .heads = { "NAME", "STATE", "ROLES", "EXPIRES", "REPOSITORY" } };
    for (size_t i = 0; i < n; i++) {
        const char *cells[] = { ck_listing_text(&a->arena, u[i].name), state_of(&u[i]),
                                ck_roles_text(u[i].roles, &a->arena),
                                time_or(a, u[i].expires, "never"),
                                u[i].repository.n ? ck_listing_text(&a->arena, u[i].repository)
                                                  : "*" };
        ck_listing_row(&t, cells);
    }
    ck_listing_print(&t, ck_cmd_columns(), out);
    ck_listing_free(&t);
}

static void put_json_user(struct args *a, const struct ck_user *u, struct ck_buf *b)
{
    const char *expires = time_or(a, u->expires, NULL), *comma = "";
    ck_put_bytes(b, CK_V("{\"name\": "));
    ck_buf_json_str(b, u->name);
    ck_buf_format(b, ", \"robot\": %s, \"state\": \"%s\", \"roles\": [",
                  u->robot ? "true" : "false", state_of(u));
    for (ck_view rest = ck_view_str(ck_roles_text(u->roles, &a->arena)); rest.n; comma = ", ") {
        ck_view role = ck_view_split(rest, ',', &rest);
        ck_buf_format(b, "%s\"%.*s\"", comma, CK_VF(role));
    }
    ck_put_bytes(b, CK_V("], \"repository\": "));
    ck_buf_json_or_null(b, u->repository);
    ck_buf_format(b, ", \"password\": %s, \"expires\": %s%s%s}", u->password.n ? "true" : "false",
                  expires ? "\"" : "", expires ? expires : "null", expires ? "\"" : "");
}

static ck_err *list(struct args *a)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_user *users = NULL;
    size_t n = 0;
    CK_TRY(ck_store_list_users(a->s, &a->arena, &users, &n));
    if (!a->json)
        put_table(a, users, n, &out);
    for (size_t i = 0; a->json && i < n; i++) {
        ck_put_bytes(&out, i ? CK_V(",\n  ") : CK_V("[\n  "));
        put_json_user(a, &users[i], &out);
    }
    if (a->json)
        ck_put_bytes(&out, n ? CK_V("\n]\n") : CK_V("[]\n"));
    return ck_cmd_print(ck_buf_view(&out));
}

/* --- the command ------------------------------------------------------------------------------ */

/* The options that each knows, beside --store. */
enum {
    TAKES_ROLES = 1, TAKES_ROBOT = 2, TAKES_REPOSITORY = 4, TAKES_EXPIRES = 8, TAKES_STDIN = 16,
    TAKES_REVOKE = 32, TAKES_FORMAT = 64,
};
static const struct verb {
    const char *name;
    ck_err *(*run)(struct args *a);
    unsigned takes;
    bool no_name;
} verbs[] = {
    { "add", add, TAKES_ROLES | TAKES_ROBOT | TAKES_REPOSITORY | TAKES_EXPIRES | TAKES_STDIN,
      false },
    { "ls", list, TAKES_FORMAT, true },
    { "rm", remove_user, 0, false },
    { "passwd", change_password, TAKES_STDIN, false },
    { "token", token, TAKES_ROLES | TAKES_EXPIRES | TAKES_REVOKE, false },
    { "disable", disable, 0, false },
    { "enable", enable, 0, false },
};

static unsigned given(const struct args *a)
{
    return (a->roles ? TAKES_ROLES : 0u) | (a->robot ? TAKES_ROBOT : 0u) |
           (a->repository ? TAKES_REPOSITORY : 0u) | (a->expires ? TAKES_EXPIRES : 0u) |
           (a->stdin_password ? TAKES_STDIN : 0u) | (a->revoke ? TAKES_REVOKE : 0u) |
           (a->json ? TAKES_FORMAT : 0u);
}

static int run(const struct verb *v, int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != !v->no_name)
        return ck_cmd_usage(page, v->no_name ? "it takes no arguments" : "say which user, one at "
                                               "a time");
    if (given(&a) & ~v->takes)
        return ck_cmd_usage(page, "\"user %s\" does not know one of these options", v->name);
    a.name = v->no_name ? NULL : argv[optind];
    ck_err *e = ck_store_open(a.store, &a.s);
    if (!e)
        e = v->run(&a);
    ck_store_close(a.s);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}

int ck_cmd_user(int argc, char **argv)
{
    size_t i;
    int status = ck_cmd_verb(argc, argv, page, verbs, sizeof verbs / sizeof *verbs, sizeof *verbs,
                             &i);
    return status >= 0 ? status : run(&verbs[i], argc - 1, argv + 1);
}
