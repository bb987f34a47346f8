/* Who is told of what. Secrets go in and never come out. */
#include "gateway/api.h"

#include "base/text.h"
#include "notify/notify.h"

#include <time.h>

/* A command runs on this machine as the gate: only who may start the gate may choose it. */
static const char *const ways[] = { "webhook", "slack", "smtp", NULL };

static void put_kinds(struct ck_buf *b, ck_view kinds)
{
    ck_out_open(b, "kinds", '[');
    while (kinds.n)
        ck_out_text(b, NULL, ck_view_split(kinds, ',', &kinds));
    ck_out_close(b, ']');
}

static void put_subscription(struct ck_api *r, const struct ck_subscription *s)
{
    struct ck_buf *b = &r->out;
    ck_out_open(b, NULL, '{');
    ck_out_u64(b, "id", (uint64_t)s->id);
    ck_out_text(b, "name", s->name);
    ck_out_text(b, "way", s->way);
    ck_out_word(b, "target", ck_notify_shown(s, r->a)); /* a chat's hook is a secret itself */
    ck_out_bool(b, "has_secret", s->secret.n > 0);
    put_kinds(b, s->kinds);
    ck_out_text_or_null(b, "repository", s->repository);
    ck_out_word(b, "severity", s->severity < 0 ? NULL
                                               : ck_severity_name((enum ck_severity)s->severity));
    ck_out_u64(b, "digest_seconds", (uint64_t)s->digest_seconds);
    ck_out_bool(b, "disabled", s->disabled);
    ck_out_time(b, "made", s->made);
    ck_out_u64(b, "delivered", s->delivered);
    ck_out_u64(b, "failed", s->failed);
    ck_out_u64(b, "waiting", s->waiting);
    ck_out_time(b, "last_time", s->last_time);
    ck_out_text_or_null(b, "last_error", s->last_error);
    ck_out_close(b, '}');
}

static ck_err *list(struct ck_api *r)
{
    struct ck_subscription *v = NULL;
    size_t n = 0, from = ck_api_from(r), most = ck_api_n(r);
    CK_TRY(ck_store_subscriptions(r->store, r->a, &v, &n));
    ck_api_page_begin(r);
    for (size_t i = from; i < n && i - from < most; i++)
        put_subscription(r, &v[i]);
    ck_api_page_end(r, n);
    return NULL;
}

/* With id, or with name; NULL: there is none. */
static ck_err *find(struct ck_api *r, int64_t id, ck_view name, const struct ck_subscription **ret)
{
    struct ck_subscription *v = NULL;
    size_t n = 0;
    *ret = NULL;
    CK_TRY(ck_store_subscriptions(r->store, r->a, &v, &n));
    for (size_t i = 0; i < n; i++)
        if (id ? v[i].id == id : ck_view_eq(v[i].name, name))
            *ret = &v[i];
    return NULL;
}

static ck_view joined(struct ck_api *r, const struct ck_api_value *kinds)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < kinds->n_list; i++) {
        ck_put_bytes(&b, i ? CK_V(",") : CK_V(""));
        ck_put_bytes(&b, kinds->list[i]);
    }
    return ck_arena_dup(r->a, ck_buf_view(&b));
}

static ck_err *take(struct ck_api *r, struct ck_subscription *ret)
{
    const struct ck_api_value *severity = ck_api_get(r, "severity");
    *ret = (struct ck_subscription){
        .name = ck_api_get(r, "name")->text, .way = ck_api_get(r, "way")->text,
        .target = ck_api_get(r, "target")->text, .secret = ck_api_get(r, "secret")->text,
        .kinds = joined(r, ck_api_get(r, "kinds")),
        .repository = ck_api_get(r, "repository")->text,
        .severity = severity->has ? (int)severity->number : -1,
        .digest_seconds = (int64_t)ck_api_get(r, "digest_seconds")->number, .made = time(NULL),
    };
    return ck_notify_check(ret);
}

static ck_err *log_change(struct ck_api *r, const char *what, const struct ck_subscription *s)
{
    const char *who = ck_arena_format(r->a, "%.*s", CK_VF(r->c->user));
    const char *text = ck_arena_format(r->a, "%s: %.*s by %.*s", what, CK_VF(s->name),
                                       CK_VF(s->way));
    return ck_log_append_as(r->store, who, CK_V("subscription"), NULL, CK_V(""),
                            ck_view_str(text));
}

static ck_err *add(struct ck_api *r)
{
    struct ck_subscription s;
    const struct ck_subscription *known;
    int64_t id = 0;
    CK_TRY(take(r, &s));
    CK_TRY(find(r, 0, s.name, &known));
    if (known)
        return ck_api_error(409, "name: there is one of that name");
    CK_TRY(ck_store_put_subscription(r->store, &s, &id));
    CK_TRY(log_change(r, "added", &s));
    CK_TRY(find(r, id, s.name, &known));
    if (!known)
        return ck_api_error(409, "it was removed at once");
    put_subscription(r, known);
    r->status = 201;
    return NULL;
}

static ck_err *find_its(struct ck_api *r, const struct ck_subscription **ret)
{
    return find(r, (int64_t)r->number, CK_V(""), ret);
}

static ck_err *none(void) { return ck_api_error(404, "there is no such subscription"); }

static ck_err *drop(struct ck_api *r)
{
    const struct ck_subscription *s = NULL;
    bool was = false;
    CK_TRY(find_its(r, &s));
    if (!s)
        return none();
    CK_TRY(ck_store_remove_subscription(r->store, s->id, &was));
    if (was)
        CK_TRY(log_change(r, "removed", s));
    r->status = 204;
    return NULL;
}

static ck_err *try_it(struct ck_api *r)
{
    const struct ck_subscription *s = NULL;
    CK_TRY(find_its(r, &s));
    if (!s)
        return none();
    CK_TRY(ck_notify_test(r->store, s->name, time(NULL)));
    ck_notifier_wake(r->g->core->notifier);
    ck_out_open(&r->out, NULL, '{');
    ck_out_bool(&r->out, "started", true);
    ck_out_close(&r->out, '}');
    r->status = 202;
    return NULL;
}

#define KIND { "kinds", CK_API_LIST, 0, 0, ck_api_event_kinds, false }

const struct ck_api_route ck_api_subscriptions_routes[] = {
    { "GET", "subscriptions", CK_ROLE_ADMIN, CK_API_AT_ONCE, list, { CK_API_PAGE } },
    { "POST", "subscriptions", CK_ROLE_ADMIN, CK_API_AT_ONCE, add,
      { { "name", CK_API_TEXT, 1, 64, NULL, true },
        { "way", CK_API_WORD, 0, 0, ways, true },
        { "target", CK_API_TEXT, 1, 2048, NULL, true },
        { "secret", CK_API_TEXT, 0, 1024, NULL, false },
        KIND,
        { "repository", CK_API_TEXT, 0, 512, NULL, false },
        { "severity", CK_API_WORD, 0, 0, ck_api_severities, false },
        { "digest_seconds", CK_API_NUMBER, 0, 604800, NULL, false } } },
    { "POST", "subscriptions/{number}/test", CK_ROLE_ADMIN, CK_API_AT_ONCE, try_it, { { 0 } } },
    { "DELETE", "subscriptions/{number}", CK_ROLE_ADMIN, CK_API_AT_ONCE, drop, { { 0 } } },
    { .method = NULL },
};
