#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "cmd/pulls.h"
#include "store/store.h"

#include <getopt.h>
#include <stdio.h>

static const char page[] = "cocket-log";

struct args {
    const char *store;
    bool verify, json, show_pulls;
    struct ck_pulls_args pulls;
    uint64_t last; /* 0: all */
    struct ck_arena arena;
    struct ck_listing table;
    struct ck_buf out;
    size_t n;
};

enum opt {
    OPT_STORE = 256, OPT_VERIFY, OPT_FORMAT, OPT_PULLS, OPT_USER, OPT_NAME, OPT_DIGEST, OPT_SINCE,
    OPT_LIMIT,
};
static const struct option options[] = {
    { "verify", no_argument, NULL, OPT_VERIFY },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "lines", required_argument, NULL, 'n' },
    { "pulls", no_argument, NULL, OPT_PULLS },
    { "user", required_argument, NULL, OPT_USER },
    { "name", required_argument, NULL, OPT_NAME },
    { "digest", required_argument, NULL, OPT_DIGEST },
    { "since", required_argument, NULL, OPT_SINCE },
    { "limit", required_argument, NULL, OPT_LIMIT },
    { "store", required_argument, NULL, OPT_STORE },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* A filter of --pulls, or NULL. */
static const char **filter(struct ck_pulls_args *p, int opt)
{
    const char **const values[] = { &p->user, &p->name, &p->digest, &p->since, &p->limit };
    return opt >= OPT_USER && opt <= OPT_LIMIT ? values[opt - OPT_USER] : NULL;
}

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    const char **value = filter(&a->pulls, opt);
    if (value)
        *value = optarg;
    switch (opt) {
    case OPT_PULLS:
        a->show_pulls = true;
        break;
    case OPT_STORE:
        a->store = optarg;
        break;
    case OPT_VERIFY:
        a->verify = true;
        break;
    case 'n':
        if (!ck_view_u64(ck_view_str(optarg), &a->last) || a->last == 0)
            return ck_err_new(CK_ERR_USAGE, "-n %s: it is a number from 1 on", optarg);
        break;
    case OPT_FORMAT:
        return ck_cmd_format(optarg, "table", &a->json);
    }
    return NULL;
}

/* --- verify ----------------------------------------------------------------------------------- */

static ck_err *verify(const struct args *a, struct ck_store *s)
{
    uint64_t n = 0;
    uint8_t head[32];
    char hex[2 * sizeof head + 1];
    CK_TRY(ck_log_verify(s, &n, head));
    ck_hex(head, sizeof head, hex);
    printf(a->json ? "{\"records\": %llu, \"head\": \"sha256:%s\"}\n"
                   : "%llu records, an unbroken chain; its head is sha256:%s\n",
           (unsigned long long)n, hex);
    return NULL;
}

/* --- records ---------------------------------------------------------------------------------- */

/* The name, and what it meant. */
static const char *shown_what(struct args *a, const struct ck_log_record *r)
{
    enum { SHORT = 7 + 12 };
    ck_view digest = ck_view_head(r->digest, SHORT);
    const char *joined = ck_arena_format(&a->arena, "%.*s%s%.*s", CK_VF(r->name),
                                         r->name.n && digest.n ? " " : "", CK_VF(digest));
    return *joined ? ck_listing_text(&a->arena, ck_view_str(joined)) : "-";
}

static void put_row(struct args *a, const struct ck_log_record *r)
{
    char time[32];
    ck_format_time(time, r->time);
    const char *cells[] = {
        ck_arena_format(&a->arena, "%llu", (unsigned long long)r->number),
        ck_listing_text(&a->arena, ck_view_str(time)),
        ck_listing_text(&a->arena, r->who),
        ck_listing_text(&a->arena, r->event),
        shown_what(a, r),
        ck_listing_text(&a->arena, r->text),
    };
    ck_listing_row(&a->table, cells);
}

static void put_text(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, ", \"%s\": ", key);
    ck_buf_json_or_null(b, v);
}

static void put_json(struct args *a, const struct ck_log_record *r)
{
    struct ck_buf *b = &a->out;
    char time[32], hex[2 * sizeof r->hash + 1];
    ck_format_time(time, r->time);
    ck_hex(r->hash, sizeof r->hash, hex);
    ck_buf_format(b, "%s\n  {\"number\": %llu, \"time\": \"%s\"", a->n ? "," : "",
                  (unsigned long long)r->number, time);
    put_text(b, "who", r->who);
    put_text(b, "event", r->event);
    put_text(b, "digest", r->digest);
    put_text(b, "name", r->name);
    put_text(b, "text", r->text);
    ck_buf_format(b, ", \"hash\": \"sha256:%s\"}", hex);
}

static ck_err *put_record(void *ctx, const struct ck_log_record *r)
{
    struct args *a = ctx;
    if (a->json)
        put_json(a, r);
    else
        put_row(a, r);
    a->n++;
    return NULL;
}

static void print_table(struct args *a)
{
    enum { NARROW = 72 };
    unsigned width = ck_cmd_columns();
    if (width < NARROW)
        a->table.never &= ~(1u << 1); /* the time */
    ck_listing_print(&a->table, width, &a->out);
}

static ck_err *print(struct args *a, struct ck_store *s)
{
    uint64_t last = 0;
    CK_TRY(ck_log_last(s, &last));
    if (a->json)
        ck_put_bytes(&a->out, CK_V("["));
    CK_TRY(ck_log_read(s, a->last && last > a->last ? last - a->last + 1 : 0, put_record, a));
    if (a->json)
        ck_put_bytes(&a->out, a->n ? CK_V("\n]\n") : CK_V("]\n"));
    else
        print_table(a);
    return ck_cmd_print(ck_buf_view(&a->out));
}

int ck_cmd_log(int argc, char **argv)
{
    struct args a = { .out = ck_buf_new(CK_LIMIT_NONE) };
    struct ck_store *s = NULL;
    a.table = (struct ck_listing){ .a = &a.arena, .columns = 6, .never = 1u | 1u << 1 | 1u << 3,
                                 .heads = { "NO", "TIME", "WHO", "EVENT", "IMAGE", "WHAT" } };
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind < argc)
        return ck_cmd_usage(page, "it takes no arguments");
    const struct ck_pulls_args *p = &a.pulls;
    if (!a.show_pulls && (p->user || p->name || p->digest || p->since || p->limit))
        return ck_cmd_usage(page, "--user, --name, --digest, --since and --limit are for --pulls");
    if (a.show_pulls && (a.verify || a.last))
        return ck_cmd_usage(page, "--pulls goes with --limit, not with --verify or -n");
    a.pulls.json = a.json;
    ck_err *e = ck_store_open(a.store, &s);
    if (!e)
        e = a.show_pulls ? ck_pulls_print(&a.pulls, s) : a.verify ? verify(&a, s) : print(&a, s);
    ck_store_close(s);
    ck_listing_free(&a.table);
    ck_buf_free(&a.out);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
