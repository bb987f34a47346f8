#include "cmd/pulls.h"

#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/listing.h"
#include "cmd/times.h"
#include "image/name.h"

#include <time.h>

struct work {
    struct ck_arena arena;
    struct ck_listing table;
    struct ck_buf out;
    bool json;
    size_t n;
};

static const char *result_name(enum ck_pull_result r)
{
    static const char *const names[CK_PULL_RESULT_COUNT_] = { "served", "denied" };
    return (unsigned)r < CK_PULL_RESULT_COUNT_ ? names[r] : "?";
}

static void put_row(struct work *w, const struct ck_pull *p)
{
    enum { ALGORITHM = 7, SHORT = 12 }; /* "sha256:", and what ls shows of it */
    char time[32], digest[CK_DIGEST_TEXT];
    struct ck_arena *a = &w->arena;
    ck_format_time(time, p->time);
    ck_view hex = ck_view_from(ck_view_str(ck_digest_text(&p->digest, digest)), ALGORITHM);
    const char *cells[] = {
        ck_listing_text(a, ck_view_str(time)),
        ck_listing_text(a, p->who),
        p->client.n ? ck_listing_text(a, p->client) : "-",
        ck_listing_name(a, p->name),
        ck_listing_text(a, ck_view_head(hex, SHORT)),
        ck_arena_format(a, "%llu", (unsigned long long)p->count),
        result_name(p->result),
    };
    ck_listing_row(&w->table, cells);
}

static void put_json(struct work *w, const struct ck_pull *p)
{
    char time[32], digest[CK_DIGEST_TEXT];
    struct ck_buf *b = &w->out;
    ck_format_time(time, p->time);
    ck_buf_format(b, "%s\n  {\"time\": \"%s\", \"user\": ", w->n ? "," : "", time);
    ck_buf_json_str(b, p->who);
    ck_put_bytes(b, CK_V(", \"client\": "));
    ck_buf_json_str(b, p->client);
    ck_put_bytes(b, CK_V(", \"agent\": "));
    ck_buf_json_str(b, p->agent);
    ck_put_bytes(b, CK_V(", \"name\": "));
    ck_buf_json_str(b, p->name);
    ck_buf_format(b, ", \"digest\": \"%s\", \"count\": %llu, \"result\": \"%s\"}",
                  ck_digest_text(&p->digest, digest), (unsigned long long)p->count,
                  result_name(p->result));
}

static ck_err *put(void *ctx, const struct ck_pull *p)
{
    struct work *w = ctx;
    if (w->json)
        put_json(w, p);
    else
        put_row(w, p);
    w->n++;
    return NULL;
}

/* "debian" is what the gate calls docker.io/library/debian; without a tag it is the repository. */
static ck_err *take_name(const char *typed, struct ck_arena *a, ck_view *ret)
{
    struct ck_name n;
    CK_TRY_WRAP(ck_name_parse(ck_view_str(typed), a, &n), "--name");
    ck_view v = ck_view_str(typed), last = v;
    while (ck_view_find(last, '/') < last.n)
        ck_view_split(last, '/', &last);
    bool exact = ck_view_find(last, ':') < last.n || ck_view_find(last, '@') < last.n;
    *ret = ck_view_str(exact ? ck_name_text(&n, a) : ck_name_repository(&n, a));
    return NULL;
}

static ck_err *take_filter(const struct ck_pulls_args *a, struct ck_arena *arena,
                           struct ck_digest *digest, struct ck_pull_filter *ret)
{
    uint64_t max = 0;
    if (a->user)
        ret->who = ck_view_str(a->user);
    if (a->name)
        CK_TRY(take_name(a->name, arena, &ret->name));
    if (a->since)
        CK_TRY_WRAP(ck_times_since(a->since, time(NULL), &ret->since), "--since");
    if (a->limit && (!ck_view_u64(ck_view_str(a->limit), &max) || max == 0))
        return ck_err_new(CK_ERR_USAGE, "--limit %s: it is a number from 1 on", a->limit);
    ret->max = (size_t)max;
    if (a->digest) {
        ck_err *e = ck_digest_parse(ck_view_str(a->digest), digest);
        if (e)
            return ck_err_wrap(ck_err_reclass(e, CK_ERR_USAGE), "--digest");
        ret->digest = digest;
    }
    return NULL;
}

static ck_err *print(const struct ck_pulls_args *a, struct ck_store *s, struct work *w)
{
    struct ck_digest digest;
    struct ck_pull_filter f = { 0 };
    CK_TRY(take_filter(a, &w->arena, &digest, &f));
    if (w->json)
        ck_put_bytes(&w->out, CK_V("["));
    CK_TRY(ck_store_pulls(s, &f, put, w));
    if (w->json)
        ck_put_bytes(&w->out, w->n ? CK_V("\n]\n") : CK_V("]\n"));
    else
        ck_listing_print(&w->table, ck_cmd_columns(), &w->out);
    return ck_cmd_print(ck_buf_view(&w->out));
}

ck_err *ck_pulls_print(const struct ck_pulls_args *a, struct ck_store *s)
{
    struct work w = { .json = a->json, .out = ck_buf_new(CK_LIMIT_NONE) };
    w.table = (struct ck_listing){ .a = &w.arena, .columns = 7,
                                   .never = 0x77, /* but the name */
                                   .heads = { "TIME", "USER", "CLIENT", "NAME", "DIGEST", "TIMES",
                                              "RESULT" } };
    ck_err *e = print(a, s, &w);
    ck_listing_free(&w.table);
    ck_buf_free(&w.out);
    ck_arena_free(&w.arena);
    return e;
}
