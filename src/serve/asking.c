#include "serve/asking.h"

#include "base/file.h"
#include "base/text.h"

ck_err *ck_asked_bytes(struct ck_request *r, const struct ck_answer *w, enum ck_limit limit,
                        ck_view *ret)
{
    if (w->fd < 0) {
        *ret = ck_arena_dup(ck_request_arena(r), w->body);
        return NULL;
    }
    if (w->size > ck_limit_value(limit))
        return ck_err_limit(limit, "%llu bytes from the hub", (unsigned long long)w->size);
    uint8_t *p = ck_arena_alloc(ck_request_arena(r), w->size + 1, 1);
    CK_TRY_WRAP(ck_pread_all(w->fd, p, w->size), "what the hub handed over");
    *ret = ck_view_of(p, w->size);
    return NULL;
}

static ck_err *take(struct ck_request *r, const struct ck_asking *q, const struct ck_answer *w,
                    struct ck_judged **ret)
{
    enum { OK = 200 };
    ck_view json;
    if (w->status != OK)
        return ck_err_new(CK_ERR_OURS, "the gate cannot judge now: %.*s", CK_VF(w->message));
    CK_TRY(ck_asked_bytes(r, w, CK_LIMIT_DOCUMENT, &json));
    return ck_judged_parse(json, q->words, q->n, ck_request_arena(r), ret);
}

static void answered(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    const struct ck_asking *q = ctx;
    struct ck_judged *j = NULL;
    ck_autoerr ck_err *e = take(r, q, w, &j);
    ck_view failed = { 0 };
    if (e)
        failed = ck_judged_short(ck_view_str(ck_err_text(e)), CK_MAX_ADMISSION_TEXT / 4,
                                 ck_request_arena(r));
    q->done(r, q->ctx, j, failed);
}

void ck_ask_verdicts(struct ck_request *r, const struct ck_asking *q)
{
    struct ck_arena *a = ck_request_arena(r);
    struct ck_asking *kept = ck_arena_alloc(a, 1, sizeof *kept);
    ck_view *words = ck_arena_alloc(a, q->n + 1, sizeof *words);
    memcpy(words, q->words, q->n * sizeof *words);
    *kept = *q;
    kept->words = words;
    struct ck_ask ask = {
        .kind = CK_ASK_VERDICTS, .namespace_ = q->namespace_, .words = words, .n_words = q->n,
        .first = q->wait_ms, .fd = -1,
    };
    ck_request_ask(r, &ask, answered, kept);
}
