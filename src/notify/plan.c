/* From events to deliveries. */
#include "base/mem.h"
#include "base/text.h"
#include "notify/notify_int.h"
#include "store/inventory.h"

#include <stdlib.h>
#include <sys/random.h>

enum { FLOOD = 20, PAGE = 1000 };

/* --- what one subscription has before it ------------------------------------------------------ */

struct ahead {
    const struct ck_subscription *s;
    CK_VEC(uint64_t) wanted;
    int64_t since;  /* time of the first wanted one */
    uint64_t last;  /* number of the last one read */
    size_t n;       /* read */
};

static ck_err *look(void *ctx, const struct ck_event *e)
{
    struct ahead *h = ctx;
    h->n++;
    h->last = e->number;
    if (!ck_notify_wants(h->s, e))
        return NULL;
    if (h->wanted.n == 0)
        h->since = e->time;
    *ck_push(&h->wanted) = e->number;
    return NULL;
}

/* --- what becomes of it ----------------------------------------------------------------------- */

static ck_err *new_key(struct ck_arena *a, ck_view *ret)
{
    uint8_t random[16];
    char text[CK_UUID_TEXT];
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return ck_err_errno(CK_ERR_OURS, "random bytes");
    ck_uuid_of(random, text);
    *ret = ck_arena_dup(a, ck_view_str(text));
    return NULL;
}

static ck_err *make(const struct ahead *h, size_t each, int64_t now, struct ck_arena *a,
                    struct ck_delivery **ret, size_t *ret_n)
{
    size_t n = (h->wanted.n + each - 1) / each;
    struct ck_delivery *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        size_t left = h->wanted.n - i * each;
        v[i] = (struct ck_delivery){ .subscription = h->s->id, .due = now, .made = now,
                                     .events = h->wanted.v + i * each,
                                     .n_events = left < each ? left : each };
        CK_TRY(new_key(a, &v[i].key));
    }
    *ret = v;
    *ret_n = n;
    return NULL;
}

/* A digest that is not full waits until its time has come; the cursor stays before its first. */
static bool must_wait(const struct ahead *h, int64_t now, size_t most)
{
    return h->s->digest_seconds && h->wanted.n && h->wanted.n < most &&
           h->since + h->s->digest_seconds > now;
}

/* *ret_more: there may be more behind, and room for it. */
static ck_err *plan_page(struct ck_store *s, struct ck_subscription *v, size_t flood, int64_t now,
                         struct ahead *h, bool *ret_more)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_event_filter f = { .after = v->cursor, .max = PAGE };
    const size_t most = ck_way_most(ck_way_of(v->way));
    struct ck_delivery *made = NULL;
    size_t n = 0;
    bool done = false;
    *ret_more = false;
    CK_TRY(ck_store_events(s, &f, look, h));
    if (h->n == 0)
        return NULL;
    uint64_t cursor = h->last;
    if (must_wait(h, now, most))
        cursor = h->wanted.v[0] - 1;
    else
        CK_TRY(make(h, v->digest_seconds || v->waiting + h->wanted.n > flood ? most : 1, now, &a,
                    &made, &n));
    if (cursor == v->cursor)
        return NULL;
    CK_TRY(ck_store_plan(s, v->id, v->cursor, cursor, made, n, &done));
    v->cursor = cursor;
    v->waiting += n;
    *ret_more = done && h->n == PAGE && v->waiting < flood && cursor == h->last;
    return NULL;
}

/* While much waits for a receiver, what is new waits before the cursor and goes together then. */
static ck_err *plan_one(struct ck_store *s, struct ck_subscription *v, size_t flood, int64_t now)
{
    bool more = v->waiting < flood && !v->disabled && ck_way_of(v->way) < CK_WAY_COUNT_;
    while (more) {
        struct ahead h = { .s = v };
        ck_err *e = plan_page(s, v, flood, now, &h, &more);
        free(h.wanted.v);
        CK_TRY(e);
    }
    return NULL;
}

ck_err *ck_notify_plan(struct ck_store *s, const struct ck_notify_options *o, int64_t now)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_subscription *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_subscriptions(s, &a, &v, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY_WRAP(plan_one(s, &v[i], o->flood ? o->flood : FLOOD, now), "subscription %.*s",
                    CK_VF(v[i].name));
    return NULL;
}

/* --- events of our own ------------------------------------------------------------------------ */

ck_err *ck_notify_test(struct ck_store *s, ck_view subscription, int64_t now)
{
    const struct ck_event e = { .time = now, .kind = CK_V("test"), .severity = -1,
                                .name = subscription,
                                .summary = CK_V("this is a test; nothing has happened") };
    return ck_store_add_events(s, &e, 1);
}

/* The event before the note: a process that ends in between says it twice rather than never. */
ck_err *ck_notify_feed(struct ck_store *s, ck_view feed, ck_view failure, int64_t now)
{
    ck_autofree char *key = ck_format("notify.feed.%.*s", CK_VF(feed));
    ck_autofree char *shown = ck_escape(failure);
    ck_autofree char *summary =
        failure.n ? ck_format("the feed %.*s failed: %s", CK_VF(feed), shown)
                  : ck_format("the feed %.*s works again", CK_VF(feed));
    ck_autobuf struct ck_buf was = ck_buf_new(CK_LIMIT_NOTE), data = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    CK_TRY(ck_store_get_note(s, key, &was, &found));
    if ((was.n != 0) == (failure.n != 0))
        return NULL;
    ck_put_bytes(&data, CK_V("{\"feed\":"));
    ck_buf_json_str(&data, feed);
    ck_put_bytes(&data, CK_V(",\"failure\":"));
    ck_buf_json_or_null(&data, failure);
    ck_put_u8(&data, '}');
    const struct ck_event e = { .time = now, .kind = CK_V("feed"), .severity = -1, .name = feed,
                                .summary = ck_view_str(summary), .data = ck_buf_view(&data) };
    CK_TRY(ck_store_add_events(s, &e, 1));
    return ck_store_put_note(s, key, ck_view_head(failure, CK_MAX_ERROR_TEXT));
}
