/* POST /admission/validate, /admission/mutate, /imagepolicy; GET /verdict is verdict_route.c's. */
#include "serve/asking.h"
#include "serve/http.h"
#include "serve/review.h"

enum { OK = 200, BAD_REQUEST = 400, FORBIDDEN = 403, UNAVAILABLE = 503 };

/* One review under way; lives in the request's arena. */
struct admission {
    struct ck_review review;
    ck_view rewrite;
    bool mutate, image_policy;
};

static void reply(struct ck_request *r, const struct ck_buf *body)
{
    ck_request_reply(r, OK, "application/json", ck_buf_view(body), NULL, 0);
}

static void refuse(struct ck_request *r, const struct admission *m, unsigned code, ck_view why)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (m->image_policy)
        ck_image_review_refuse(why, &out);
    else
        ck_review_refuse(m->review.uid, code, why, &out);
    reply(r, &out);
}

static void finish(struct ck_request *r, const struct admission *m, const struct ck_judged *j)
{
    struct ck_arena *a = ck_request_arena(r);
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (m->image_policy)
        ck_image_review_reply(&m->review, j, a, &out);
    else if (m->mutate)
        ck_review_mutate(&m->review, j, m->rewrite, a, &out);
    else
        ck_review_reply(&m->review, j, a, &out);
    reply(r, &out);
}

static void judged(struct ck_request *r, void *ctx, const struct ck_judged *j, ck_view failed)
{
    const struct admission *m = ctx;
    if (failed.n)
        refuse(r, m, UNAVAILABLE, failed);
    else
        finish(r, m, j);
}

/* Before the API server gives up: what it then does is its own configuration's choice. */
static bool time_to_wait(struct ck_request *r, uint64_t *ret_ms)
{
    enum { DEFAULT = 8000, MARGIN = 1000 };
    ck_view text;
    uint64_t ms = DEFAULT + MARGIN;
    if (ck_request_query(r, "timeout", &text) && !ck_review_duration(text, &ms))
        return false;
    *ret_ms = ms > MARGIN * 2 ? ms - MARGIN : ms / 2;
    return true;
}

static void bad_request(struct ck_request *r, ck_view why)
{
    ck_view line = ck_judged_short(why, CK_MAX_ADMISSION_TEXT, ck_request_arena(r));
    ck_request_reply(r, BAD_REQUEST, "text/plain; charset=utf-8", line, NULL, 0);
}

static void begin(struct ck_request *r, struct admission *m, ck_err *e)
{
    uint64_t ms = 0;
    if (e) {
        bad_request(r, ck_view_str(ck_err_text(e)));
        ck_err_free(e);
    } else if (!time_to_wait(r, &ms)) {
        bad_request(r, CK_V("timeout: no duration"));
    } else if (m->review.refusal.n) {
        refuse(r, m, FORBIDDEN, m->review.refusal);
    } else if (!m->review.n_words) {
        finish(r, m, NULL);
    } else {
        const struct ck_asking q = { m->review.words, m->review.n_words, m->review.namespace_,
                                     ms, judged, m };
        ck_ask_verdicts(r, &q);
    }
}

static void admission(struct ck_request *r, bool mutate)
{
    struct ck_arena *a = ck_request_arena(r);
    struct admission *m = ck_arena_alloc(a, 1, sizeof *m);
    m->mutate = mutate;
    if (mutate && ck_request_query(r, "rewrite", &m->rewrite) &&
        !ck_review_is_host(m->rewrite, a))
        bad_request(r, CK_V("rewrite: must be HOST or HOST:PORT of a registry"));
    else
        begin(r, m, ck_review_parse(ck_request_body(r), a, &m->review));
}

static void validate(struct ck_request *r) { admission(r, false); }
static void mutate(struct ck_request *r) { admission(r, true); }

static void image_policy(struct ck_request *r)
{
    struct ck_arena *a = ck_request_arena(r);
    struct admission *m = ck_arena_alloc(a, 1, sizeof *m);
    m->image_policy = true;
    begin(r, m, ck_image_review_parse(ck_request_body(r), a, &m->review));
}

#define BODY (3 * CK_MIB) /* ADMISSION_BODY, which is no constant expression */

const struct ck_route ck_admission_routes[] = {
    { CK_POST, "/admission/validate", true, CK_ROLE_PULL, BODY, validate },
    { CK_POST, "/admission/mutate", true, CK_ROLE_PULL, BODY, mutate },
    { CK_POST, "/imagepolicy", true, CK_ROLE_PULL, BODY, image_policy },
    { CK_GET, "/verdict", true, CK_ROLE_PULL, 0, ck_verdict_route },
    { 0, NULL, false, 0, 0, NULL },
};
