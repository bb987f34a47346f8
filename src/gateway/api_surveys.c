/* Surveys of registries. */
#include "gateway/api.h"

#include "store/surveys.h"

static const char *const states[CK_SURVEY_STATE_COUNT_] = { "running", "done", "given-up" };

static ck_err *put_survey(struct ck_api *r, const struct ck_survey_row *v)
{
    struct ck_survey_item *items = NULL;
    size_t n = 0, done = 0;
    CK_TRY(ck_store_survey_items(r->store, v->number, r->a, &items, &n));
    for (size_t i = 0; i < n; i++)
        done += items[i].state != CK_SURVEY_WAITING;
    ck_out_open(&r->out, NULL, '{');
    ck_out_u64(&r->out, "number", v->number);
    ck_out_text(&r->out, "registry", v->registry);
    ck_out_time(&r->out, "begun", v->begun);
    ck_out_time(&r->out, "ended", v->ended);
    ck_out_word(&r->out, "state", states[v->state]);
    ck_out_u64(&r->out, "done", done);
    ck_out_u64(&r->out, "total", n);
    ck_out_raw(&r->out, "result", v->result);
    ck_out_close(&r->out, '}');
    return NULL;
}

/* They are of whole registries: not for those who are bound to a part. */
static ck_err *surveys(struct ck_api *r)
{
    struct ck_survey_row *v = NULL;
    size_t n = 0, from = ck_api_from(r), most = ck_api_n(r);
    if (!r->bound.n)
        CK_TRY(ck_store_surveys(r->store, 0, 0, r->a, &v, &n));
    ck_api_page_begin(r);
    for (size_t i = from; i < n && i - from < most; i++)
        CK_TRY(put_survey(r, &v[i]));
    ck_api_page_end(r, n);
    return NULL;
}

static ck_err *survey(struct ck_api *r)
{
    struct ck_survey_row *v = NULL;
    size_t n = 0;
    if (!r->bound.n)
        CK_TRY(ck_store_surveys(r->store, r->number, 1, r->a, &v, &n));
    if (!n)
        return ck_api_error(404, "there is no such survey");
    return put_survey(r, &v[0]);
}

const struct ck_api_route ck_api_surveys_routes[] = {
    { "GET", "surveys", CK_ROLE_PULL, CK_API_SLOW, surveys, { CK_API_PAGE } },
    { "GET", "surveys/{number}", CK_ROLE_PULL, CK_API_SLOW, survey, { { 0 } } },
    { .method = NULL },
};
