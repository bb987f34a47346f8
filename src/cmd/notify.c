/* Who is told of what changed. */
#include "advisory/record.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "cmd/notify_env.h"
#include "cmd/secret.h"
#include "cmd/times.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char page[] = "cocket-notify";

struct args {
    const char *store, *way, *target, *kinds, *repository, *severity, *digest, *secret_file,
        *number;
    bool stdin_secret, json, no_sandbox, two_ways;
    const char *name;
    struct ck_arena arena;
    struct ck_store *s;
};

enum opt {
    OPT_STORE = 256, OPT_KINDS, OPT_REPOSITORY, OPT_SEVERITY, OPT_DIGEST, OPT_SECRET_FILE,
    OPT_NUMBER, OPT_TEXTS_END,
    OPT_WEBHOOK = OPT_TEXTS_END, OPT_SLACK, OPT_SMTP, OPT_COMMAND,
    OPT_SECRET_STDIN, OPT_FORMAT, OPT_NO_SANDBOX,
};
static const struct option options[] = {
    { "webhook", required_argument, NULL, OPT_WEBHOOK },
    { "slack", required_argument, NULL, OPT_SLACK },
    { "smtp", required_argument, NULL, OPT_SMTP },
    { "command", required_argument, NULL, OPT_COMMAND },
    { "kinds", required_argument, NULL, OPT_KINDS },
    { "repository", required_argument, NULL, OPT_REPOSITORY },
    { "severity", required_argument, NULL, OPT_SEVERITY },
    { "digest", required_argument, NULL, OPT_DIGEST },
    { "secret-file", required_argument, NULL, OPT_SECRET_FILE },
    { "secret-stdin", no_argument, NULL, OPT_SECRET_STDIN },
    { "number", required_argument, NULL, OPT_NUMBER },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "store", required_argument, NULL, OPT_STORE },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    static const char *const ways[] = { "webhook", "slack", "smtp", "command" };
    struct args *a = ctx;
    const char **texts[] = { &a->store,  &a->kinds,       &a->repository, &a->severity,
                             &a->digest, &a->secret_file, &a->number };
    if (opt < OPT_TEXTS_END) {
        *texts[opt - OPT_STORE] = optarg;
    } else if (opt <= OPT_COMMAND) {
        a->two_ways = a->two_ways || a->way;
        a->way = ways[opt - OPT_WEBHOOK];
        a->target = optarg;
    } else if (opt == OPT_FORMAT) {
        return ck_cmd_format(optarg, "table", &a->json);
    } else {
        *(opt == OPT_NO_SANDBOX ? &a->no_sandbox : &a->stdin_secret) = true;
    }
    return NULL;
}

/* --- add -------------------------------------------------------------------------------------- */

static ck_err *take_severity(const struct args *a, int *into)
{
    *into = -1;
    if (!a->severity)
        return NULL;
    for (int i = 0; i < CK_SEVERITY_COUNT_; i++)
        if (strcmp(a->severity, ck_severity_name((enum ck_severity)i)) == 0)
            *into = i;
    return *into >= 0 ? NULL
                      : ck_err_new(CK_ERR_USAGE, "--severity %s: it is unknown, negligible, low, "
                                   "medium, high or critical", a->severity);
}

/* The first line of the file: editors end the last one. */
static ck_err *read_secret_file(struct args *a, ck_view *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    ck_view rest;
    CK_TRY_WRAP(ck_file_read(a->secret_file, &b), "--secret-file");
    *ret = ck_arena_dup(&a->arena, ck_view_split(ck_buf_view(&b), '\n', &rest));
    if (b.n)
        explicit_bzero(b.p, b.n);
    return NULL;
}

/* A webhook without a secret of the user's gets one of ours. */
static ck_err *take_secret(struct args *a, ck_view *ret, bool *ret_made)
{
    char made[CK_NOTIFY_SECRET_TEXT];
    *ret_made = false;
    if (a->secret_file)
        return read_secret_file(a, ret);
    if (a->stdin_secret)
        return ck_secret_read_stdin(&a->arena, ret);
    if (strcmp(a->way, "webhook") != 0)
        return NULL;
    CK_TRY(ck_notify_new_secret(made));
    *ret = ck_arena_dup(&a->arena, ck_view_str(made));
    *ret_made = true;
    return NULL;
}

/* What stands in the arguments everybody on this machine can read. */
static ck_err *check_arguments(const struct args *a)
{
    ck_view rest, v = ck_view_str(a->target);
    size_t slashes = 0;
    while (slashes + 2 < v.n && memcmp(v.p + slashes, "://", 3) != 0)
        slashes++;
    ck_view authority = ck_view_split(ck_view_from(v, slashes + 3), '/', &rest);
    ck_view login = ck_view_split(authority, '@', &rest);
    if (login.n < authority.n && ck_view_find(login, ':') < login.n)
        return ck_err_new(CK_ERR_USAGE, "a password does not belong into the arguments: give the "
                          "address as - and write it to standard input, or use --secret-file");
    return NULL;
}

static ck_err *take_target(struct args *a, ck_view *ret)
{
    if (strcmp(a->target, "-") != 0) {
        *ret = ck_view_str(a->target);
        return check_arguments(a);
    }
    if (a->stdin_secret)
        return ck_err_new(CK_ERR_USAGE, "standard input is the address or the secret, not both");
    return ck_secret_read_stdin(&a->arena, ret);
}

static ck_err *take_subscription(struct args *a, struct ck_subscription *v, bool *ret_made)
{
    v->name = ck_view_str(a->name);
    v->way = ck_view_str(a->way);
    CK_TRY(take_target(a, &v->target));
    CK_TRY(take_severity(a, &v->severity));
    if (a->digest)
        CK_TRY_WRAP(ck_times_span(a->digest, &v->digest_seconds), "--digest");
    if (a->kinds)
        v->kinds = ck_view_str(a->kinds);
    if (a->repository)
        v->repository = ck_view_str(a->repository);
    CK_TRY(take_secret(a, &v->secret, ret_made));
    return ck_notify_check(v);
}

static ck_err *add(struct args *a)
{
    struct ck_subscription v = { 0 };
    bool made = false;
    int64_t id;
    if (!a->way || a->two_ways)
        return ck_err_new(CK_ERR_USAGE, "say one of --webhook, --slack, --smtp and --command");
    if (a->secret_file && a->stdin_secret)
        return ck_err_new(CK_ERR_USAGE, "--secret-file or --secret-stdin, not both");
    CK_TRY(take_subscription(a, &v, &made));
    CK_TRY(ck_store_put_subscription(a->s, &v, &id));
    if (!made)
        return NULL;
    const char *line = ck_arena_format(&a->arena, "%.*s\n", CK_VF(v.secret));
    return ck_cmd_print(ck_view_str(line));
}

/* --- those that are there --------------------------------------------------------------------- */

static ck_err *find(struct args *a, struct ck_subscription *ret)
{
    struct ck_subscription *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_subscriptions(a->s, &a->arena, &v, &n));
    for (size_t i = 0; i < n; i++)
        if (ck_view_eq(v[i].name, ck_view_str(a->name))) {
            *ret = v[i];
            return NULL;
        }
    return ck_err_new(CK_ERR_UNAVAILABLE, "there is no subscription %s", a->name);
}

static ck_err *remove_it(struct args *a)
{
    struct ck_subscription v;
    bool was;
    CK_TRY(find(a, &v));
    return ck_store_remove_subscription(a->s, v.id, &was);
}

static ck_err *set_disabled(struct args *a, bool disabled)
{
    struct ck_subscription v;
    int64_t id;
    CK_TRY(find(a, &v));
    v.disabled = disabled;
    return ck_store_put_subscription(a->s, &v, &id);
}

static ck_err *disable(struct args *a) { return set_disabled(a, true); }
static ck_err *enable(struct args *a) { return set_disabled(a, false); }

static const char *number(struct args *a, uint64_t n)
{
    return ck_arena_format(&a->arena, "%llu", (unsigned long long)n);
}

static const char *wishes(struct args *a, const struct ck_subscription *v)
{
    const char *severity =
        v->severity >= 0 && v->severity < CK_SEVERITY_COUNT_
            ? ck_arena_format(&a->arena, " >=%s", ck_severity_name((enum ck_severity)v->severity))
            : "";
    const char *digest = v->digest_seconds
                             ? ck_arena_format(&a->arena, " each %llds",
                                               (long long)v->digest_seconds)
                             : "";
    const char *kinds = v->kinds.n ? ck_listing_text(&a->arena, v->kinds) : "all";
    return ck_arena_format(&a->arena, "%s%s%s%s%s", kinds, v->repository.n ? " of " : "",
                           v->repository.n ? ck_listing_text(&a->arena, v->repository) : "",
                           severity, digest);
}

static void put_table(struct args *a, const struct ck_subscription *v, size_t n, struct ck_buf *out)
{
    struct ck_listing t = { .a = &a->arena, .columns = 8, .never = 0x7Bu,
                            .heads = { "NAME", "WAY", "TARGET", "THROUGH", "WAITING", "GIVEN UP",
                                       "WANTS", "LAST ERROR" } };
    for (size_t i = 0; i < n; i++) {
        const char *cells[] = { ck_listing_text(&a->arena, v[i].name),
                                v[i].disabled ? "disabled" : ck_listing_text(&a->arena, v[i].way),
                                ck_notify_shown(&v[i], &a->arena), number(a, v[i].delivered),
                                number(a, v[i].waiting), number(a, v[i].failed), wishes(a, &v[i]),
                                ck_listing_text(&a->arena, v[i].last_error) };
        ck_listing_row(&t, cells);
    }
    ck_listing_print(&t, ck_cmd_columns(), out);
    ck_listing_free(&t);
}

static void put_key(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, ", \"%s\": ", key);
    ck_buf_json_or_null(b, v);
}

static void put_json(struct args *a, const struct ck_subscription *v, struct ck_buf *b)
{
    char when[32];
    const bool severe = v->severity >= 0 && v->severity < CK_SEVERITY_COUNT_;
    ck_buf_format(b, "{\"id\": %lld", (long long)v->id);
    put_key(b, "name", v->name);
    put_key(b, "way", v->way);
    put_key(b, "target", ck_view_str(ck_notify_shown(v, &a->arena)));
    put_key(b, "kinds", v->kinds);
    put_key(b, "repository", v->repository);
    put_key(b, "severity",
            ck_view_str(severe ? ck_severity_name((enum ck_severity)v->severity) : ""));
    ck_buf_format(b, ", \"digest_seconds\": %lld, \"secret\": %s, \"disabled\": %s",
                  (long long)v->digest_seconds, v->secret.n ? "true" : "false",
                  v->disabled ? "true" : "false");
    ck_buf_format(b, ", \"delivered\": %llu, \"waiting\": %llu, \"given_up\": %llu",
                  (unsigned long long)v->delivered, (unsigned long long)v->waiting,
                  (unsigned long long)v->failed);
    ck_format_time(when, v->last_time);
    put_key(b, "last_time", ck_view_str(v->last_time ? when : ""));
    put_key(b, "last_error", v->last_error);
    ck_put_u8(b, '}');
}

static ck_err *list(struct args *a)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_subscription *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_subscriptions(a->s, &a->arena, &v, &n));
    if (!a->json)
        put_table(a, v, n, &out);
    for (size_t i = 0; a->json && i < n; i++) {
        ck_put_bytes(&out, i ? CK_V(",\n  ") : CK_V("[\n  "));
        put_json(a, &v[i], &out);
    }
    if (a->json)
        ck_put_bytes(&out, n ? CK_V("\n]\n") : CK_V("[]\n"));
    return ck_cmd_print(ck_buf_view(&out));
}

/* --- log -------------------------------------------------------------------------------------- */

struct event_log {
    struct args *a;
    struct ck_listing table;
    struct ck_buf json;
};

static void put_json_event(struct ck_buf *b, const struct ck_event *e, const char *when,
                           const char *severity)
{
    ck_buf_format(b, "%s  {\"number\": %llu, \"time\": \"%s\"", b->n ? ",\n" : "[\n",
                  (unsigned long long)e->number, when);
    put_key(b, "kind", e->kind);
    put_key(b, "severity", ck_view_str(severity));
    put_key(b, "image", e->image);
    put_key(b, "name", e->name);
    put_key(b, "repository", e->repository);
    put_key(b, "summary", e->summary);
    ck_put_bytes(b, CK_V(", \"data\": "));
    ck_put_bytes(b, e->data.n ? e->data : CK_V("null"));
    ck_put_u8(b, '}');
}

static ck_err *log_event(void *ctx, const struct ck_event *e)
{
    struct event_log *l = ctx;
    struct ck_arena *arena = &l->a->arena;
    char when[32];
    ck_format_time(when, e->time);
    const char *severity = e->severity >= 0 && e->severity < CK_SEVERITY_COUNT_
                               ? ck_severity_name((enum ck_severity)e->severity)
                               : "";
    if (l->a->json) {
        put_json_event(&l->json, e, when, severity);
        return NULL;
    }
    const char *cells[] = { number(l->a, e->number), ck_arena_format(arena, "%s", when),
                            ck_listing_text(arena, e->kind), severity,
                            e->repository.n ? ck_listing_name(arena, e->name)
                                            : ck_listing_text(arena, e->name.n ? e->name
                                                                               : e->image),
                            ck_listing_text(arena, e->summary) };
    ck_listing_row(&l->table, cells);
    return NULL;
}

static ck_err *show_log(struct args *a)
{
    uint64_t n = 50;
    struct event_log l = { .a = a, .json = ck_buf_new(CK_LIMIT_NONE),
                           .table = { .a = &a->arena, .columns = 6, .never = 0xFu,
                                      .heads = { "NUMBER", "TIME", "KIND", "SEVERITY", "NAME",
                                                 "WHAT" } } };
    if (a->number && (!ck_view_u64(ck_view_str(a->number), &n) || n == 0 || n > 100000))
        return ck_err_new(CK_ERR_USAGE, "--number %s: it is a number from 1 to 100000", a->number);
    const struct ck_event_filter f = {
        .newest_first = true, .max = (size_t)n,
        .kind = a->kinds ? ck_view_str(a->kinds) : CK_V(""),
        .repository = a->repository ? ck_view_str(a->repository) : CK_V(""),
    };
    ck_err *e = ck_store_events(a->s, &f, log_event, &l);
    if (a->json)
        ck_put_bytes(&l.json, l.json.n ? CK_V("\n]\n") : CK_V("[]\n"));
    else
        ck_listing_print(&l.table, ck_cmd_columns(), &l.json);
    ck_listing_free(&l.table);
    if (!e)
        e = ck_cmd_print(ck_buf_view(&l.json));
    ck_buf_free(&l.json);
    return e;
}

/* --- send, test ------------------------------------------------------------------------------- */

static void say_failed(void *ctx, const char *subscription, const char *error)
{
    (void)ctx;
    fprintf(stderr, "cocket: %s: %s\n", subscription, error);
}

static ck_err *deliver(struct args *a, bool say, bool *ret_busy)
{
    struct ck_notify_options o = { .no_sandbox = a->no_sandbox,
                                   .failed = say ? say_failed : NULL };
    CK_TRY(ck_notify_env(&o));
    return ck_notify_deliver(a->s, time(NULL), &o, ret_busy);
}

static ck_err *send_all(struct args *a)
{
    bool busy = false;
    CK_TRY(deliver(a, true, &busy));
    if (busy)
        fputs("cocket: another process delivers from this store\n", stderr);
    return NULL;
}

/* Until something has come of the next try, by whoever delivers. */
static ck_err *await_try(struct args *a, const struct ck_subscription *before)
{
    enum { TURN_NS = 200000000, PATIENCE_MS = 90000 };
    const struct timespec pause = { .tv_nsec = TURN_NS };
    struct ck_subscription now = *before;
    for (int64_t end = ck_clock_ms() + PATIENCE_MS; ck_clock_ms() < end; nanosleep(&pause, NULL)) {
        CK_TRY(find(a, &now));
        if (now.delivered > before->delivered)
            return NULL;
        if (now.last_error.n && now.last_time >= before->last_time && now.waiting)
            return ck_err_new(CK_ERR_UNAVAILABLE, "%s: %.*s", a->name, CK_VF(now.last_error));
    }
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s: nothing has come of it yet", a->name);
}

static ck_err *test(struct args *a)
{
    struct ck_subscription v;
    bool busy = false;
    CK_TRY(find(a, &v));
    if (v.disabled)
        return ck_err_new(CK_ERR_USAGE, "%s is disabled", a->name);
    int64_t now = time(NULL);
    CK_TRY(ck_notify_test(a->s, v.name, now));
    v.last_time = now;
    CK_TRY(deliver(a, false, &busy));
    return await_try(a, &v);
}

/* --- the command ------------------------------------------------------------------------------ */

/* The options that each knows, beside --store. */
enum { TAKES_WAY = 1, TAKES_FILTER = 2, TAKES_FORMAT = 4, TAKES_SENDING = 8, TAKES_NUMBER = 16,
       TAKES_KINDS = 32 };
static const struct verb {
    const char *name;
    ck_err *(*run)(struct args *a);
    unsigned takes;
    bool no_name;
} verbs[] = {
    { "add", add, TAKES_WAY | TAKES_FILTER | TAKES_KINDS, false },
    { "ls", list, TAKES_FORMAT, true },
    { "rm", remove_it, 0, false },
    { "disable", disable, 0, false },
    { "enable", enable, 0, false },
    { "test", test, TAKES_SENDING, false },
    { "log", show_log, TAKES_FORMAT | TAKES_NUMBER | TAKES_KINDS, true },
    { "send", send_all, TAKES_SENDING, true },
};

static unsigned given(const struct args *a)
{
    return (a->way || a->secret_file || a->stdin_secret ? TAKES_WAY : 0u) |
           (a->severity || a->digest ? TAKES_FILTER : 0u) |
           (a->kinds || a->repository ? TAKES_KINDS : 0u) | (a->json ? TAKES_FORMAT : 0u) |
           (a->no_sandbox ? TAKES_SENDING : 0u) | (a->number ? TAKES_NUMBER : 0u);
}

static int run(const struct verb *v, int argc, char **argv)
{
    struct args a = { 0 };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (argc - optind != !v->no_name)
        return ck_cmd_usage(page, v->no_name ? "it takes no arguments"
                                             : "say which subscription, one at a time");
    if (given(&a) & ~v->takes)
        return ck_cmd_usage(page, "\"notify %s\" does not know one of these options", v->name);
    a.name = v->no_name ? NULL : argv[optind];
    ck_err *e = ck_store_open(a.store, &a.s);
    if (!e)
        e = v->run(&a);
    ck_store_close(a.s);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}

int ck_cmd_notify(int argc, char **argv)
{
    size_t i;
    int status = ck_cmd_verb(argc, argv, page, verbs, sizeof verbs / sizeof *verbs, sizeof *verbs,
                             &i);
    return status >= 0 ? status : run(&verbs[i], argc - 1, argv + 1);
}
