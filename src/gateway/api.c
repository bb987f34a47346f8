/* From words to an operation and back. */
#include "gateway/api.h"

#include "base/file.h"
#include "base/text.h"
#include "gateway/credentials.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct ck_api_route *const tables[] = {
    ck_api_overview_routes,   ck_api_images_routes, ck_api_reports_routes,
    ck_api_diff_routes,
    ck_api_repositories_routes, ck_api_advisories_routes, ck_api_people_routes,
    ck_api_log_routes, ck_api_policy_routes, ck_api_events_routes, ck_api_stream_routes,
    ck_api_subscriptions_routes, ck_api_surveys_routes, NULL,
};

ck_err *ck_api_error(unsigned status, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return ck_err_with_status(ck_err_new(CK_ERR_USAGE, "%s", text), status);
}

/* --- answers ---------------------------------------------------------------------------------- */

static void fail(struct ck_call *c, ck_err *e)
{
    static const uint16_t by_class[CK_ERR_CLASS_COUNT_] = {
        [CK_ERR_USAGE] = 400, [CK_ERR_UNAVAILABLE] = 404, [CK_ERR_HOSTILE] = 400,
        [CK_ERR_LIMIT] = 400, [CK_ERR_OURS] = 500,
    };
    unsigned status = ck_err_status(e) ? ck_err_status(e) : by_class[ck_err_class(e)];
    if (status == 500) {
        ck_call_fail(c, e);
        return;
    }
    ck_call_refuse(c, (uint16_t)status, CK_OCI_UNKNOWN, "%s", ck_err_text(e));
    ck_err_free(e);
}

void ck_api_finish(struct ck_api *r, ck_err *e)
{
    struct ck_call *c = r->c;
    struct ck_answer w = {
        .status = r->status ? r->status : 200, .upload = r->cookie, .fd = -1,
        .content_type = ck_view_str(r->content_type ? r->content_type : "application/json"),
    };
    if (e)
        fail(c, e);
    else
        ck_answer_bytes(c, &w, ck_buf_view(&r->out));
    ck_buf_free(&r->out);
    free(r);
}

void ck_api_run(struct ck_api *r)
{
    bool kept = r->route->lane == CK_API_KEPT;
    ck_err *e = r->route->handle(r);
    if (!kept || e)
        ck_api_finish(r, e);
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool segment_fits(ck_view pattern, ck_view given)
{
    return pattern.n && pattern.p[0] == '{' ? given.n > 0 : ck_view_eq(pattern, given);
}

static bool path_fits(const char *pattern, ck_view path)
{
    ck_view p = ck_view_str(pattern);
    bool more = true;
    while (more) {
        more = ck_view_find(p, '/') < p.n;
        if (more != (ck_view_find(path, '/') < path.n) ||
            !segment_fits(ck_view_split(p, '/', &p), ck_view_split(path, '/', &path)))
            return false;
    }
    return true;
}

/* *ret_methods: of the path, where the method is another one. */
static const struct ck_api_route *find(ck_view method, ck_view path, struct ck_buf *ret_methods)
{
    for (size_t t = 0; tables[t]; t++)
        for (const struct ck_api_route *one = tables[t]; one->method; one++) {
            if (!path_fits(one->path, path))
                continue;
            if (ck_view_eq(method, ck_view_str(one->method)))
                return one;
            ck_buf_format(ret_methods, "%s%s", ret_methods->n ? ", " : "", one->method);
        }
    return NULL;
}

static ck_err *take_segment(struct ck_api *r, ck_view pattern, ck_view given)
{
    if (ck_view_eq(pattern, CK_V("{digest}")))
        return ck_digest_parse(given, &r->digest);
    if (ck_view_eq(pattern, CK_V("{number}"))) {
        if (!ck_view_u64(given, &r->number) || !r->number || r->number > INT64_MAX)
            return ck_api_error(404, "there is no such number");
    } else if (ck_view_eq(pattern, CK_V("{id}"))) {
        if (given.n > 128)
            return ck_api_error(404, "no id is so long");
        r->id = given;
    }
    return NULL;
}

static ck_err *take_path(struct ck_api *r, ck_view path)
{
    ck_view p = ck_view_str(r->route->path);
    while (p.n) {
        ck_view pattern = ck_view_split(p, '/', &p), given = ck_view_split(path, '/', &path);
        CK_TRY(take_segment(r, pattern, given));
    }
    return NULL;
}

/* --- parameters ------------------------------------------------------------------------------- */

static const struct ck_api_param *param_of(const struct ck_api_route *route, ck_view name,
                                           size_t *ret)
{
    for (size_t i = 0; i < CK_API_PARAMS && route->params[i].name; i++)
        if (ck_view_eq(name, ck_view_str(route->params[i].name)) &&
            route->params[i].type != CK_API_YAML) {
            *ret = i;
            return &route->params[i];
        }
    return NULL;
}

const struct ck_api_value *ck_api_get(const struct ck_api *r, const char *name)
{
    for (size_t i = 0; i < CK_API_PARAMS && r->route->params[i].name; i++)
        if (strcmp(name, r->route->params[i].name) == 0)
            return &r->values[i];
    abort(); /* the route's table lacks it */
}

static ck_err *take_number(const struct ck_api_param *p, ck_view text, struct ck_api_value *v)
{
    if (!ck_view_u64(text, &v->number) || v->number < p->min || v->number > p->max)
        return ck_err_new(CK_ERR_USAGE, "%s: a number from %llu to %llu", p->name,
                          (unsigned long long)p->min, (unsigned long long)p->max);
    return NULL;
}

static ck_err *take_word(const struct ck_api_param *p, ck_view text, struct ck_api_value *v)
{
    for (size_t i = 0; p->words[i]; i++)
        if (ck_view_eq(text, ck_view_str(p->words[i]))) {
            v->number = i;
            return NULL;
        }
    return ck_err_new(CK_ERR_USAGE, "%s: no such word is known here", p->name);
}

static ck_err *take_listed(struct ck_api *r, const struct ck_api_param *p, ck_view text,
                           struct ck_api_value *v)
{
    CK_TRY(take_word(p, text, v));
    if (!v->list)
        v->list = ck_arena_alloc(r->a, CK_MAX_API_WORDS, sizeof *v->list);
    v->list[v->n_list++] = text;
    return NULL;
}

static ck_err *take_value(struct ck_api *r, const struct ck_api_param *p, ck_view text,
                          struct ck_api_value *v)
{
    v->text = text;
    switch (p->type) {
    case CK_API_TEXT:
        if (text.n < p->min || text.n > p->max)
            return ck_err_new(CK_ERR_USAGE, "%s: from %llu to %llu bytes", p->name,
                              (unsigned long long)p->min, (unsigned long long)p->max);
        return NULL;
    case CK_API_NUMBER: return take_number(p, text, v);
    case CK_API_WORD: return take_word(p, text, v);
    case CK_API_LIST: return take_listed(r, p, text, v);
    case CK_API_DIGEST:
        CK_TRY_WRAP(ck_digest_parse(text, &v->digest), "%s", p->name);
        return NULL;
    case CK_API_FLAG:
        return ck_view_eq(text, CK_V("1")) ? NULL
                                           : ck_err_new(CK_ERR_USAGE, "%s: it is 1", p->name);
    case CK_API_YAML: break;
    }
    return NULL;
}

/* "name=", "name:=" or "name[]=", by the type; a query has only the first. */
static bool mark_fits(const struct ck_api *r, const struct ck_api_param *p, ck_view mark)
{
    bool query = strcmp(r->route->method, "GET") == 0;
    const char *want = p->type == CK_API_LIST               ? "[]"
                       : p->type == CK_API_NUMBER && !query ? ":"
                                                            : "";
    return ck_view_eq(mark, ck_view_str(want));
}

static ck_err *take_param(struct ck_api *r, ck_view word)
{
    ck_view text, name = ck_view_split(word, '=', &text);
    size_t n = 0, i;
    while (n < name.n && name.p[n] != ':' && name.p[n] != '[')
        n++;
    const struct ck_api_param *p = param_of(r->route, ck_view_head(name, n), &i);
    if (!p)
        return ck_err_new(CK_ERR_USAGE, "%.*s is not known here", CK_VF(ck_view_head(name, 40)));
    if (!mark_fits(r, p, ck_view_from(name, n)))
        return ck_err_new(CK_ERR_USAGE, "%s: of another type", p->name);
    if (r->values[i].has && p->type != CK_API_LIST)
        return ck_err_new(CK_ERR_USAGE, "%s: there twice", p->name);
    r->values[i].has = true;
    return take_value(r, p, text, &r->values[i]);
}

static ck_err *take_yaml(struct ck_api *r, struct ck_api_value *v)
{
    uint64_t n = r->c->ask.length;
    if (r->c->ask.fd < 0 || !n || n > CK_MAX_API_TEXT)
        return NULL;
    uint8_t *p = ck_arena_alloc(r->a, n + 1, 1);
    CK_TRY(ck_pread_all(r->c->ask.fd, p, n));
    v->text = ck_view_of(p, n);
    v->has = true;
    return NULL;
}

static ck_err *take_params(struct ck_api *r)
{
    bool yaml = false;
    for (size_t i = 2; i < r->c->ask.n_words; i++)
        CK_TRY(take_param(r, r->c->ask.words[i]));
    for (size_t i = 0; i < CK_API_PARAMS && r->route->params[i].name; i++) {
        if (r->route->params[i].type == CK_API_YAML) {
            yaml = true;
            CK_TRY(take_yaml(r, &r->values[i]));
        }
        if (r->route->params[i].required && !r->values[i].has)
            return ck_err_new(CK_ERR_USAGE, "%s is missing", r->route->params[i].name);
    }
    if (!yaml && r->c->ask.fd >= 0)
        return ck_err_new(CK_ERR_USAGE, "yaml is not known here");
    return NULL;
}

/* --- all of it -------------------------------------------------------------------------------- */

static ck_err *take_bound(struct ck_api *r)
{
    struct ck_user u;
    bool found = false;
    if (!r->c->ask.session)
        return NULL;
    CK_TRY(ck_store_get_user(r->g->store, r->c->user, r->a, &u, &found));
    if (found)
        r->bound = u.repository;
    return NULL;
}

static void begin(struct ck_call *c, const struct ck_api_route *route)
{
    struct ck_api *r = ck_new(struct ck_api);
    r->c = c;
    r->g = c->g;
    r->store = c->g->store;
    r->a = &c->arena;
    r->route = route;
    ck_err *e = take_path(r, c->ask.words[1]);
    if (!e)
        e = take_params(r);
    if (!e)
        e = take_bound(r);
    if (e)
        ck_api_finish(r, e);
    else if (route->lane == CK_API_AT_ONCE || route->lane == CK_API_KEPT)
        ck_api_run(r);
    else if (!ck_api_lanes_put(c->g->core->api, r))
        ck_api_finish(r, ck_api_error(503, "too much of this waits already; try again"));
}

/* Roles go before everything else: who may not ask learns nothing of what is there. */
void ck_api_ask(struct ck_call *c)
{
    ck_autobuf struct ck_buf methods = ck_buf_new(CK_LIMIT_NONE);
    if (c->ask.n_words < 2) {
        ck_call_refuse(c, 400, CK_OCI_UNKNOWN, "no such question");
        return;
    }
    const struct ck_api_route *route = find(c->ask.words[0], c->ask.words[1], &methods);
    if (!route && methods.n) {
        struct ck_answer w = { .status = 405, .code = CK_OCI_UNSUPPORTED, .fd = -1,
                               .message = CK_V("this method is not allowed here"),
                               .link = ck_buf_view(&methods) };
        ck_call_answer(c, &w);
    } else if (!route) {
        ck_call_refuse(c, 404, CK_OCI_UNKNOWN, "there is nothing here");
    } else if (!route->role || ck_call_may(c, route->role)) {
        begin(c, route);
    }
}
