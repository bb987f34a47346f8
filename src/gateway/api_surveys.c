/* Surveys of registries. */
#include "gateway/api.h"

#include "gateway/surveying.h"
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
        CK_TRY(ck_store_surveys(r->store, 0, INT32_MAX, r->a, &v, &n));
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

/* --- what is begun here ----------------------------------------------------------------------- */

static ck_err *started(struct ck_api *r)
{
    ck_out_open(&r->out, NULL, '{');
    ck_out_bool(&r->out, "started", true);
    ck_out_close(&r->out, '}');
    r->status = 202;
    return NULL;
}

static ck_err *log_begun(struct ck_api *r, const char *event, ck_view name)
{
    const char *who = ck_arena_format(r->a, "%.*s", CK_VF(r->c->user));
    return ck_log_append_as(r->store, who, ck_view_str(event), NULL, name,
                            CK_V("asked for over the API"));
}

/* A gate that may ask some registries only surveys no other. */
static bool may_ask(const struct ck_gateway_options *o, ck_view registry)
{
    for (size_t i = 0; i < o->n_upstreams; i++)
        if (ck_view_eq(registry, ck_view_str(o->upstreams[i])))
            return true;
    return o->n_upstreams == 0;
}

static ck_err *begin(struct ck_api *r)
{
    ck_view registry = ck_api_get(r, "registry")->text;
    const struct ck_api_value *sample = ck_api_get(r, "sample");
    if (ck_view_find(registry, '/') < registry.n)
        return ck_err_new(CK_ERR_USAGE, "registry: it is a host, as in registry.example:5000");
    if (!may_ask(r->g->o, registry))
        return ck_api_error(409, "registry: it is not among those that this gate may ask");
    if (!ck_surveying_begin(r->g, registry, sample->number))
        return ck_api_error(409, "a survey is under way; there is one at a time");
    CK_TRY(log_begun(r, "survey", registry));
    return started(r);
}

static ck_err *watch(struct ck_api *r)
{
    ck_gateway_look_again(r->g);
    CK_TRY(log_begun(r, "watch", CK_V("")));
    return started(r);
}

const struct ck_api_route ck_api_surveys_routes[] = {
    { "POST", "surveys", CK_ROLE_ADMIN, CK_API_AT_ONCE, begin,
      { { "registry", CK_API_TEXT, 1, 255, NULL, true },
        { "sample", CK_API_NUMBER, 1, 10000, NULL, false } } },
    { "POST", "watch", CK_ROLE_ADMIN, CK_API_AT_ONCE, watch, { { 0 } } },
    { "GET", "surveys", CK_ROLE_PULL, CK_API_SLOW, surveys, { CK_API_PAGE } },
    { "GET", "surveys/{number}", CK_ROLE_PULL, CK_API_SLOW, survey, { { 0 } } },
    { .method = NULL },
};
