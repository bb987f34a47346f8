/* The log: who did what, and that nobody changed it. */
#include "gateway/api.h"

#include "base/text.h"

#include <stdlib.h>

/* Records come oldest first and are shown newest first: the last ones that fit are kept. */
struct walk {
    struct ck_api *r;
    ck_view event, who;
    char digest[CK_DIGEST_TEXT]; /* empty: any */
    bool decisions;
    CK_VEC(struct ck_log_record) kept;
};

static bool is_decision(ck_view event)
{
    static const char *const events[] = { "decide", "approve" };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (ck_view_eq(event, ck_view_str(events[i])))
            return true;
    return false;
}

static bool fits(const struct walk *w, const struct ck_log_record *l)
{
    return (!w->decisions || is_decision(l->event)) &&
           (!w->event.n || ck_view_eq(l->event, w->event)) &&
           (!w->who.n || ck_view_eq(l->who, w->who)) &&
           (!w->digest[0] || ck_view_eq(l->digest, ck_view_str(w->digest)));
}

static ck_err *each(void *ctx, const struct ck_log_record *l)
{
    struct walk *w = ctx;
    struct ck_arena *a = w->r->a;
    if (atomic_load(&w->r->g->core->ending))
        return ck_api_error(503, "the gate is being closed");
    if (!fits(w, l))
        return NULL;
    struct ck_log_record copy = *l;
    copy.who = ck_arena_dup(a, l->who);
    copy.event = ck_arena_dup(a, l->event);
    copy.digest = ck_arena_dup(a, l->digest);
    copy.name = ck_arena_dup(a, l->name);
    copy.text = ck_arena_dup(a, l->text);
    *ck_push(&w->kept) = copy;
    return NULL;
}

static void put_record(struct ck_buf *b, const struct ck_log_record *l)
{
    char hex[2 * sizeof l->hash + 1];
    ck_hex(l->hash, sizeof l->hash, hex);
    ck_out_open(b, NULL, '{');
    ck_out_u64(b, "number", l->number);
    ck_out_time(b, "time", l->time);
    ck_out_text(b, "who", l->who);
    ck_out_text(b, "event", l->event);
    ck_out_text_or_null(b, "digest", l->digest);
    ck_out_text_or_null(b, "name", l->name);
    ck_out_text(b, "text", l->text);
    ck_out_word(b, "hash", hex);
    ck_out_close(b, '}');
}

/* What is decided about images that the asker does not see is not shown. */
static ck_err *is_seen(struct ck_api *r, const struct ck_log_record *l, bool *ret)
{
    struct ck_digest d;
    struct ck_store_row row;
    *ret = !r->bound.n;
    if (*ret || !l->digest.n)
        return NULL;
    ck_err *e = ck_digest_parse(l->digest, &d);
    if (!e)
        e = ck_api_image_of(r, &d, &row);
    *ret = e == NULL;
    if (e && ck_err_class(e) == CK_ERR_OURS)
        return e;
    ck_err_free(e);
    return NULL;
}

static ck_err *put_page(struct walk *w)
{
    struct ck_api *r = w->r;
    size_t from = ck_api_from(r), n = ck_api_n(r), total = 0;
    ck_api_page_begin(r);
    for (size_t i = w->kept.n; i-- > 0;) {
        bool seen;
        CK_TRY(is_seen(r, &w->kept.v[i], &seen));
        if (!seen)
            continue;
        if (total >= from && total - from < n)
            put_record(&r->out, &w->kept.v[i]);
        total++;
    }
    ck_api_page_end(r, total);
    return NULL;
}

static ck_err *page(struct walk *w)
{
    struct ck_api *r = w->r;
    const struct ck_api_value *digest = ck_api_get(r, "digest");
    w->who = ck_api_get(r, "who")->text;
    if (digest->has)
        ck_digest_text(&digest->digest, w->digest);
    ck_err *e = ck_log_read(r->store, 0, each, w);
    if (!e)
        e = put_page(w);
    free(w->kept.v);
    return e;
}

static ck_err *decisions(struct ck_api *r)
{
    struct walk w = { .r = r, .decisions = true };
    return page(&w);
}

/* Without a filter the end of the log is all that is read. */
static ck_err *put_end(struct ck_api *r)
{
    struct walk w = { .r = r };
    uint64_t last = 0, from = ck_api_from(r), n = ck_api_n(r);
    CK_TRY(ck_log_last(r->store, &last));
    uint64_t first = last > from + n ? last - from - n + 1 : 1;
    ck_err *e = ck_log_read(r->store, first, each, &w);
    ck_api_page_begin(r);
    for (size_t i = w.kept.n; !e && i-- > 0;)
        if (w.kept.v[i].number <= last - (from < last ? from : last))
            put_record(&r->out, &w.kept.v[i]);
    ck_api_page_end(r, last);
    free(w.kept.v);
    return e;
}

static ck_err *log_of(struct ck_api *r)
{
    struct walk w = { .r = r, .event = ck_api_get(r, "event")->text };
    if (!w.event.n && !ck_api_get(r, "digest")->has && !ck_api_get(r, "who")->has)
        return put_end(r);
    return page(&w);
}

static ck_err *verify(struct ck_api *r)
{
    uint64_t n = 0;
    uint8_t head[32];
    char hex[2 * sizeof head + 1] = "";
    ck_err *e = ck_log_verify(r->store, &n, head);
    if (e && ck_err_class(e) != CK_ERR_HOSTILE)
        return e;
    if (!e)
        ck_hex(head, sizeof head, hex);
    ck_out_open(&r->out, NULL, '{');
    ck_out_u64(&r->out, "records", n);
    ck_out_word(&r->out, "head", hex);
    ck_out_bool(&r->out, "ok", !e);
    ck_out_word(&r->out, "error", e ? ck_err_text(e) : NULL);
    ck_out_close(&r->out, '}');
    ck_err_free(e);
    return NULL;
}

#define OF_WHOM { "digest", CK_API_DIGEST, 0, 0, NULL, false }, \
                { "who", CK_API_TEXT, 1, 64, NULL, false }

const struct ck_api_route ck_api_log_routes[] = {
    { "GET", "decisions", CK_ROLE_PULL, CK_API_SLOW, decisions, { CK_API_PAGE, OF_WHOM } },
    { "GET", "log", CK_ROLE_ADMIN, CK_API_SLOW, log_of,
      { CK_API_PAGE, OF_WHOM, { "event", CK_API_TEXT, 1, 32, NULL, false } } },
    { "GET", "log/verify", CK_ROLE_ADMIN, CK_API_LONG, verify, { { 0 } } },
    { .method = NULL },
};
