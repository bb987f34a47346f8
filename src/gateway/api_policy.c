/* The policy in force, and what another one would change. */
#include "gateway/api.h"

#include "verdict/release.h"

#include <time.h>

static void put_exceptions(struct ck_buf *b, const struct ck_policy *p)
{
    int64_t now = time(NULL);
    ck_out_open(b, "exceptions", '[');
    for (size_t i = 0; i < ck_policy_exceptions(p); i++) {
        ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
        int64_t expires = ck_policy_exception(p, i, now, &text);
        ck_out_open(b, NULL, '{');
        ck_out_text(b, "text", ck_buf_view(&text));
        ck_out_time(b, "expires", expires);
        ck_out_close(b, '}');
    }
    ck_out_close(b, ']');
}

static void put_policy(struct ck_buf *b, const struct ck_policy *p)
{
    ck_out_open(b, NULL, '{');
    ck_out_word(b, "file", ck_policy_file(p));
    ck_out_word(b, "digest", ck_policy_digest(p));
    ck_out_open(b, "rules", '[');
    for (size_t i = 0; i < ck_policy_rules(p); i++) {
        ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
        ck_view name = ck_policy_rule(p, i, &text);
        ck_out_open(b, NULL, '{');
        ck_out_text(b, "name", name);
        ck_out_text(b, "text", ck_buf_view(&text));
        ck_out_close(b, '}');
    }
    ck_out_close(b, ']');
    put_exceptions(b, p);
    ck_out_text(b, "yaml", ck_policy_text(p));
    ck_out_close(b, '}');
}

static ck_err *policy(struct ck_api *r)
{
    struct ck_rules *rules = ck_rules_get(r->g);
    put_policy(&r->out, rules->policy);
    ck_rules_put(rules);
    return NULL;
}

/* --- replay ----------------------------------------------------------------------------------- */

struct trial {
    struct ck_api *r;
    const struct ck_policy *before, *after;
    int64_t now;
    uint64_t checked, changed;
    struct ck_buf lists[CK_DECISION_COUNT_]; /* by what it would come to: worst is shown first */
    size_t listed;
};

static void put_changed(struct ck_buf *b, const struct ck_store_row *row,
                        const struct ck_replayed *x)
{
    ck_out_open(b, NULL, '{');
    ck_out_digest(b, "digest", &row->digest);
    ck_out_text_or_null(b, "name", row->name);
    ck_out_word(b, "from", ck_decision_name(x->before.decision));
    ck_out_word(b, "to", ck_decision_name(x->after.decision));
    ck_out_texts(b, "reasons", x->after.reasons, x->after.n_reasons);
    ck_out_close(b, '}');
}

static ck_err *try_image(struct trial *t, const struct ck_store_row *row)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_verdict_question q = { .name = row->name, .now = t->now };
    struct ck_replayed x;
    CK_TRY(ck_replay(t->r->store, t->before, t->after, &row->digest, &q, &a, &x));
    t->checked += !x.gone;
    if (x.gone || x.before.decision == x.after.decision)
        return NULL;
    if (t->listed++ < CK_MAX_API_REPLAYED)
        put_changed(&t->lists[x.after.decision], row, &x);
    t->changed++;
    return NULL;
}

static ck_err *try_page(struct trial *t, size_t from, bool *ret_more)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_store_row *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    const struct ck_page_filter f = { .min_severity = -1, .order = CK_PAGE_NAME, .from = from,
                                      .max = CK_MAX_API_PAGE, .bound = t->r->bound };
    CK_TRY(ck_store_page(t->r->store, &f, &a, &v, &n, &total));
    for (size_t i = 0; i < n; i++) {
        if (atomic_load(&t->r->g->core->ending))
            return ck_api_error(503, "the gate is being closed");
        CK_TRY(try_image(t, &v[i]));
    }
    *ret_more = n == CK_MAX_API_PAGE;
    return NULL;
}

static ck_err *try_all(struct trial *t)
{
    bool more = true;
    for (size_t from = 0; more; from += CK_MAX_API_PAGE)
        CK_TRY(try_page(t, from, &more));
    return NULL;
}

static void put_trial(struct trial *t)
{
    struct ck_buf *b = &t->r->out;
    ck_out_open(b, NULL, '{');
    ck_out_word(b, "policy", ck_policy_digest(t->after));
    ck_out_u64(b, "checked", t->checked);
    ck_out_u64(b, "changed_total", t->changed);
    ck_out_open(b, "changed", '[');
    for (int i = CK_DECISION_COUNT_ - 1; i >= 0; i--)
        if (t->lists[i].n)
            ck_out_raw(b, NULL, ck_buf_view(&t->lists[i]));
    ck_out_close(b, ']');
    ck_out_close(b, '}');
}

static ck_err *replay(struct ck_api *r)
{
    struct ck_policy *after = NULL;
    struct trial t = { .r = r, .now = time(NULL) };
    CK_TRY(ck_policy_parse(ck_api_get(r, "yaml")->text, "yaml", &after));
    struct ck_rules *rules = ck_rules_get(r->g);
    t.before = rules->policy;
    t.after = after;
    ck_err *e = try_all(&t);
    if (!e)
        put_trial(&t);
    for (size_t i = 0; i < CK_DECISION_COUNT_; i++)
        ck_buf_free(&t.lists[i]);
    ck_rules_put(rules);
    ck_policy_free(after);
    return e;
}

const struct ck_api_route ck_api_policy_routes[] = {
    { "GET", "policy", CK_ROLE_PULL, CK_API_AT_ONCE, policy, { { 0 } } },
    { "POST", "policy/replay", CK_ROLE_ADMIN, CK_API_LONG, replay,
      { { "yaml", CK_API_YAML, 0, 0, NULL, true } } },
    { .method = NULL },
};
