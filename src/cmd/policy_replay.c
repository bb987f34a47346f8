/* policy replay: what had come of the last pulls under another policy. */
#include "base/mem.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "cmd/policy_verbs.h"
#include "cmd/times.h"
#include "verdict/release.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char page[] = CK_POLICY_PAGE;

/* All pulls of one image under one name by one client. */
struct asked {
    ck_view who, client, name;
    struct ck_digest digest;
    uint64_t count;
    struct ck_replayed came; /* of it */
};

struct args {
    const char *policy, *against, *store, *since;
    bool json;
    uint64_t last;
    int64_t now;
    struct ck_arena arena;
    struct ck_policy *old_policy, *new_policy;
    CK_VEC(struct asked) pulls;
};

enum opt { OPT_POLICY = 256, OPT_AGAINST, OPT_STORE, OPT_LAST, OPT_SINCE, OPT_FORMAT };
static const struct option options[] = {
    { "policy", required_argument, NULL, OPT_POLICY },
    { "against", required_argument, NULL, OPT_AGAINST },
    { "store", required_argument, NULL, OPT_STORE },
    { "last", required_argument, NULL, OPT_LAST },
    { "since", required_argument, NULL, OPT_SINCE },
    { "format", required_argument, NULL, OPT_FORMAT },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    switch (opt) {
    case OPT_POLICY:
        a->policy = optarg;
        break;
    case OPT_AGAINST:
        a->against = optarg;
        break;
    case OPT_STORE:
        a->store = optarg;
        break;
    case OPT_LAST:
        if (!ck_view_u64(ck_view_str(optarg), &a->last) || !a->last)
            return ck_err_new(CK_ERR_USAGE, "--last %s: it is a number from 1 on", optarg);
        break;
    case OPT_SINCE:
        a->since = optarg;
        break;
    case OPT_FORMAT:
        return ck_cmd_format(optarg, "text", &a->json);
    }
    return NULL;
}

/* --- the pulls -------------------------------------------------------------------------------- */

static ck_err *take_pull(void *ctx, const struct ck_pull *p)
{
    struct args *a = ctx;
    struct asked x = { .who = ck_arena_dup(&a->arena, p->who),
                       .client = ck_arena_dup(&a->arena, p->client),
                       .name = ck_arena_dup(&a->arena, p->name),
                       .digest = p->digest,
                       .count = p->count };
    *ck_push(&a->pulls) = x;
    return NULL;
}

static int order(const void *left, const void *right)
{
    const struct asked *x = left, *y = right;
    int by = ck_view_cmp(x->name, y->name);
    if (!by)
        by = x->digest.alg != y->digest.alg
                 ? (int)x->digest.alg - (int)y->digest.alg
                 : memcmp(x->digest.bytes, y->digest.bytes, sizeof x->digest.bytes);
    if (!by)
        by = ck_view_cmp(x->who, y->who);
    return by ? by : ck_view_cmp(x->client, y->client);
}

static void merge_pulls(struct args *a)
{
    size_t n = 0;
    if (a->pulls.n)
        qsort(a->pulls.v, a->pulls.n, sizeof *a->pulls.v, order);
    for (size_t i = 0; i < a->pulls.n; i++) {
        if (n && order(&a->pulls.v[n - 1], &a->pulls.v[i]) == 0)
            a->pulls.v[n - 1].count += a->pulls.v[i].count;
        else
            a->pulls.v[n++] = a->pulls.v[i];
    }
    a->pulls.n = n;
}

static ck_err *judge(struct args *a, struct ck_store *s, struct asked *x)
{
    struct ck_verdict_question q = { .name = x->name, .user = x->who, .address = x->client,
                                     .now = a->now };
    return ck_replay(s, a->old_policy, a->new_policy, &x->digest, &q, &a->arena, &x->came);
}

static ck_err *replay(struct args *a)
{
    struct ck_pull_filter f = { .max = a->last };
    struct ck_store *s = NULL;
    CK_TRY(ck_cmd_now(&a->now));
    if (a->since)
        CK_TRY_WRAP(ck_times_since(a->since, a->now, &f.since), "--since");
    CK_TRY(ck_policy_load(a->against, &a->old_policy));
    CK_TRY(ck_policy_load(a->policy, &a->new_policy));
    CK_TRY(ck_store_open(a->store, &s));
    ck_err *e = ck_store_pulls(s, &f, take_pull, a);
    merge_pulls(a);
    for (size_t i = 0; !e && i < a->pulls.n; i++)
        e = judge(a, s, &a->pulls.v[i]);
    ck_store_close(s);
    return e;
}

/* --- what came out ---------------------------------------------------------------------------- */

struct counts {
    uint64_t of[CK_DECISION_COUNT_][CK_DECISION_COUNT_]; /* before, after; in pulls */
    uint64_t all, gone, differ;
};

static struct counts count(const struct args *a)
{
    struct counts c = { 0 };
    for (size_t i = 0; i < a->pulls.n; i++) {
        const struct asked *x = &a->pulls.v[i];
        c.all += x->count;
        if (x->came.gone) {
            c.gone += x->count;
            continue;
        }
        c.of[x->came.before.decision][x->came.after.decision] += x->count;
        c.differ += x->came.before.decision != x->came.after.decision ? x->count : 0;
    }
    return c;
}

static bool differs(const struct asked *x)
{
    return !x->came.gone && x->came.before.decision != x->came.after.decision;
}

static void put_asked(const struct asked *x, struct ck_buf *out)
{
    char digest[CK_DIGEST_TEXT];
    ck_buf_format(out, "%s -> %s: ", ck_decision_name(x->came.before.decision),
                  ck_decision_name(x->came.after.decision));
    ck_buf_escape(out, x->name);
    ck_buf_format(out, " (%.19s) for ", ck_digest_text(&x->digest, digest));
    ck_buf_escape(out, x->who.n ? x->who : CK_V("anonymous"));
    ck_buf_format(out, " at ");
    ck_buf_escape(out, x->client);
    ck_buf_format(out, ", %llu pull%s\n", (unsigned long long)x->count, x->count == 1 ? "" : "s");
    for (size_t i = 0; i < x->came.after.n_reasons; i++) {
        ck_put_bytes(out, CK_V("  "));
        ck_buf_escape(out, x->came.after.reasons[i]);
        ck_put_bytes(out, CK_V("\n"));
    }
}

static void put_text(struct args *a, const struct counts *c, struct ck_buf *out)
{
    for (size_t i = 0; i < a->pulls.n; i++)
        if (differs(&a->pulls.v[i]))
            put_asked(&a->pulls.v[i], out);
    ck_buf_format(out, "%llu pulls, %llu differ", (unsigned long long)c->all,
                  (unsigned long long)c->differ);
    for (unsigned b = 0; b < CK_DECISION_COUNT_; b++)
        for (unsigned n = 0; n < CK_DECISION_COUNT_; n++)
            if (b != n && c->of[b][n])
                ck_buf_format(out, "; %s -> %s: %llu", ck_decision_name(b), ck_decision_name(n),
                              (unsigned long long)c->of[b][n]);
    if (c->gone)
        ck_buf_format(out, "; %llu of images that are in the store no longer",
                      (unsigned long long)c->gone);
    ck_buf_format(out, "\n");
}

static void put_reasons(const struct ck_verdict *v, struct ck_buf *out)
{
    ck_buf_format(out, "[");
    for (size_t i = 0; i < v->n_reasons; i++) {
        ck_buf_format(out, i ? ", " : "");
        ck_buf_json_str(out, v->reasons[i]);
    }
    ck_buf_format(out, "]");
}

static void put_json_asked(const struct asked *x, struct ck_buf *out)
{
    char digest[CK_DIGEST_TEXT];
    ck_buf_format(out, "    {\n      \"name\": ");
    ck_buf_json_str(out, x->name);
    ck_buf_format(out, ",\n      \"digest\": \"%s\",\n      \"user\": ",
                  ck_digest_text(&x->digest, digest));
    ck_buf_json_str(out, x->who);
    ck_buf_format(out, ",\n      \"address\": ");
    ck_buf_json_str(out, x->client);
    ck_buf_format(out, ",\n      \"pulls\": %llu,\n      \"before\": \"%s\",\n      \"after\": "
                       "\"%s\",\n      \"reasons\": ",
                  (unsigned long long)x->count, ck_decision_name(x->came.before.decision),
                  ck_decision_name(x->came.after.decision));
    put_reasons(&x->came.after, out);
    ck_buf_format(out, "\n    }");
}

static void put_json(struct args *a, const struct counts *c, struct ck_buf *out)
{
    bool first = true;
    ck_buf_format(out, "{\n  \"before\": \"%s\",\n  \"after\": \"%s\",\n",
                  ck_policy_digest(a->old_policy), ck_policy_digest(a->new_policy));
    ck_buf_format(out, "  \"pulls\": %llu,\n  \"gone\": %llu,\n  \"differ\": %llu,\n",
                  (unsigned long long)c->all, (unsigned long long)c->gone,
                  (unsigned long long)c->differ);
    ck_buf_format(out, "  \"differing\": [");
    for (size_t i = 0; i < a->pulls.n; i++) {
        if (!differs(&a->pulls.v[i]))
            continue;
        ck_buf_format(out, first ? "\n" : ",\n");
        put_json_asked(&a->pulls.v[i], out);
        first = false;
    }
    ck_buf_format(out, first ? "]\n}\n" : "\n  ]\n}\n");
}

int ck_cmd_policy_replay(int argc, char **argv)
{
    enum { USUALLY = 10000 };
    struct args a = { .last = USUALLY };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    int status = ck_cmd_options(argc, argv, page, options, take_option, &a);
    if (status >= 0)
        return status;
    if (optind != argc || !a.policy)
        return ck_cmd_usage(page, "say which policy is new: cocket policy replay --policy FILE");
    ck_err *e = replay(&a);
    if (!e) {
        struct counts c = count(&a);
        if (a.json)
            put_json(&a, &c, &out);
        else
            put_text(&a, &c, &out);
        e = ck_cmd_print(ck_buf_view(&out));
    }
    ck_policy_free(a.old_policy);
    ck_policy_free(a.new_policy);
    free(a.pulls.v);
    ck_arena_free(&a.arena);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
