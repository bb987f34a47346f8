/* The log: who did what, and that nobody changed it. */
#include "gateway/api.h"

#include "base/text.h"

#include <stdlib.h>

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
static ck_err *page(struct ck_api *r, ck_view event, ck_view or_event)
{
    const struct ck_api_value *digest = ck_api_get(r, "digest");
    const struct ck_log_filter f = { .event = event, .or_event = or_event, .bound = r->bound,
                                     .who = ck_api_get(r, "who")->text,
                                     .digest = digest->has ? &digest->digest : NULL,
                                     .from = ck_api_from(r), .max = ck_api_n(r) };
    struct ck_log_record *v = NULL;
    size_t n = 0;
    uint64_t total = 0;
    CK_TRY(ck_log_page(r->store, &f, r->a, &v, &n, &total));
    ck_api_page_begin(r);
    for (size_t i = 0; i < n; i++)
        put_record(&r->out, &v[i]);
    ck_api_page_end(r, total);
    return NULL;
}

static ck_err *decisions(struct ck_api *r) { return page(r, CK_V("decide"), CK_V("approve")); }

static ck_err *log_of(struct ck_api *r)
{
    return page(r, ck_api_get(r, "event")->text, CK_V(""));
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
