/* An image's report, and the parts of it. All of it on one thread, which has the reports that it
 * made last (api_rebuilt.h).
 */
#include "gateway/api_rebuilt.h"

#include "report/parts.h"

#include <strings.h>

static ck_err *take_report(struct ck_api *r, const struct ck_report **ret)
{
    struct ck_store_row row;
    CK_TRY(ck_api_image(r, &row));
    return ck_api_rebuilt(r, &row, ret);
}

static ck_err *report(struct ck_api *r)
{
    const struct ck_report *rep;
    CK_TRY(take_report(r, &rep));
    return ck_report_json(rep, &r->out);
}

/* --- searching -------------------------------------------------------------------------------- */

static bool has(ck_view text, ck_view part)
{
    for (size_t i = 0; part.n && i + part.n <= text.n; i++)
        if (strncasecmp((const char *)text.p + i, (const char *)part.p, part.n) == 0)
            return true;
    return part.n == 0;
}

static bool any_has(const ck_view *v, size_t n, ck_view part)
{
    for (size_t i = 0; i < n; i++)
        if (has(v[i], part))
            return true;
    return false;
}

/* A page of those of a list that fit. */
struct page {
    size_t from, most;
    uint64_t total;
};

static struct page page_of(const struct ck_api *r)
{
    return (struct page){ ck_api_from(r), ck_api_n(r), 0 };
}

static bool is_on(struct page *p)
{
    uint64_t at = p->total++;
    return at >= p->from && at - p->from < p->most;
}

/* --- findings --------------------------------------------------------------------------------- */

static const char *const fixes[] = { "fixed", "not-fixed", "wont-fix", "unknown", NULL };

static bool is_in_layer(const struct ck_report *rep, size_t layer, ck_view name)
{
    return layer != SIZE_MAX && ck_view_eq(ck_report_layer_name(&rep->layers[layer]), name);
}

static bool finding_fits(const struct ck_api *r, const struct ck_report *rep,
                         const struct ck_finding *f)
{
    const struct ck_api_value *severity = ck_api_get(r, "severity"), *fix = ck_api_get(r, "fix"),
                              *layer = ck_api_get(r, "layer");
    const struct ck_report_package *p = &rep->packages[f->package];
    ck_view q = ck_api_get(r, "q")->text;
    return (!severity->has || (uint64_t)f->severity >= severity->number) &&
           (!fix->has || ck_view_eq(fix->text, ck_view_str(ck_report_fix_word(f->fix_state)))) &&
           (!ck_api_get(r, "kev")->has || f->kev) &&
           (!layer->has || is_in_layer(rep, p->layer, layer->text)) &&
           (has(f->id, q) || any_has(f->aliases, f->n_aliases, q) || has(p->p.name, q) ||
            has(p->p.source_name, q));
}

static void put_raw(struct ck_buf *out, const struct ck_buf *one)
{
    ck_out_raw(out, NULL, ck_buf_view(one));
}

static ck_err *findings(struct ck_api *r)
{
    const struct ck_report *rep;
    struct page page = page_of(r);
    CK_TRY(take_report(r, &rep));
    CK_TRY(ck_report_check(rep));
    ck_api_page_begin(r);
    for (size_t i = 0; i < ck_report_findings(rep); i++) {
        const struct ck_finding *f = &rep->match->findings[i];
        if (!finding_fits(r, rep, f) || !is_on(&page))
            continue;
        ck_autobuf struct ck_buf one = ck_buf_new(CK_LIMIT_NONE);
        ck_report_json_finding(rep, f, &one);
        put_raw(&r->out, &one);
    }
    ck_api_page_end(r, page.total);
    return NULL;
}

static ck_err *suppressed(struct ck_api *r)
{
    const struct ck_report *rep;
    struct page page = page_of(r);
    ck_view q = ck_api_get(r, "q")->text;
    CK_TRY(take_report(r, &rep));
    CK_TRY(ck_report_check(rep));
    ck_api_page_begin(r);
    for (size_t i = 0; i < ck_report_suppressed(rep); i++) {
        const struct ck_suppressed *s = &rep->match->suppressed[i];
        bool fits = has(s->id, q) || has(s->rule, q) || has(rep->packages[s->package].p.name, q);
        if (!fits || !is_on(&page))
            continue;
        ck_autobuf struct ck_buf one = ck_buf_new(CK_LIMIT_NONE);
        ck_report_json_suppressed(rep, s, &one);
        put_raw(&r->out, &one);
    }
    ck_api_page_end(r, page.total);
    return NULL;
}

/* --- packages and layers ---------------------------------------------------------------------- */

typedef uint32_t counts[CK_SEVERITY_COUNT_];

static void put_layer(struct ck_buf *b, const struct ck_report *rep, size_t layer)
{
    ck_out_text_or_null(b, "layer", layer == SIZE_MAX ? CK_V("")
                                                      : ck_report_layer_name(&rep->layers[layer]));
}

static void put_package(struct ck_buf *b, const struct ck_report *rep,
                        const struct ck_report_package *x, const counts severities)
{
    const struct ck_package *p = &x->p;
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    ck_report_purl(rep, p, &purl);
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "name", p->name);
    ck_out_text(b, "version", p->version);
    ck_out_word(b, "type", ck_package_type_name(p->type));
    ck_out_text(b, "purl", ck_buf_view(&purl));
    ck_out_open(b, "source", '{');
    ck_out_text(b, "name", p->source_name.n ? p->source_name : p->name);
    ck_out_text(b, "version", p->source_version.n ? p->source_version : p->version);
    ck_out_close(b, '}');
    put_layer(b, rep, x->layer);
    ck_out_text_or_null(b, "location", x->n_locations ? x->locations[0] : CK_V(""));
    ck_api_put_severities(b, "severities", severities);
    ck_out_close(b, '}');
}

static ck_err *packages(struct ck_api *r)
{
    const struct ck_report *rep;
    struct page page = page_of(r);
    ck_view q = ck_api_get(r, "q")->text;
    CK_TRY(take_report(r, &rep));
    CK_TRY(ck_report_check(rep));
    counts *of = ck_arena_alloc(r->a, rep->n_packages + 1, sizeof *of);
    for (size_t i = 0; i < ck_report_findings(rep); i++)
        of[rep->match->findings[i].package][rep->match->findings[i].severity]++;
    ck_api_page_begin(r);
    for (size_t i = 0; i < rep->n_packages; i++) {
        const struct ck_package *p = &rep->packages[i].p;
        if ((has(p->name, q) || has(p->source_name, q)) && is_on(&page))
            put_package(&r->out, rep, &rep->packages[i], of[i]);
    }
    ck_api_page_end(r, page.total);
    return NULL;
}

struct in_layer {
    uint64_t packages;
    counts severities;
};

static ck_err *layers(struct ck_api *r)
{
    const struct ck_report *rep;
    CK_TRY(take_report(r, &rep));
    CK_TRY(ck_report_check(rep));
    struct in_layer *in = ck_arena_alloc(r->a, rep->n_layers + 1, sizeof *in);
    for (size_t i = 0; i < rep->n_packages; i++)
        if (rep->packages[i].layer != SIZE_MAX)
            in[rep->packages[i].layer].packages++;
    for (size_t i = 0; i < ck_report_findings(rep); i++) {
        const struct ck_finding *f = &rep->match->findings[i];
        if (rep->packages[f->package].layer != SIZE_MAX)
            in[rep->packages[f->package].layer].severities[f->severity]++;
    }
    ck_out_open(&r->out, NULL, '[');
    for (size_t i = 0; i < rep->n_layers; i++) {
        const struct ck_report_layer *l = &rep->layers[i];
        ck_out_open(&r->out, NULL, '{');
        ck_out_u64(&r->out, "index", i);
        ck_out_text_or_null(&r->out, "digest", l->digest);
        ck_out_text_or_null(&r->out, "diff_id", l->diff_id);
        ck_out_u64(&r->out, "size", l->size);
        ck_out_text_or_null(&r->out, "created_by", l->created_by);
        ck_out_u64(&r->out, "packages", in[i].packages);
        ck_api_put_severities(&r->out, "severities", in[i].severities);
        ck_out_close(&r->out, '}');
    }
    ck_out_close(&r->out, ']');
    return NULL;
}

/* --- as other programs read it ---------------------------------------------------------------- */

static const char *const formats[] = { "cyclonedx", "spdx", NULL };

static ck_err *sbom(struct ck_api *r)
{
    const struct ck_report *rep;
    bool spdx = ck_api_get(r, "format")->number == 1;
    CK_TRY(take_report(r, &rep));
    r->content_type = spdx ? "application/spdx+json" : "application/vnd.cyclonedx+json";
    return spdx ? ck_report_spdx(rep, &r->out) : ck_report_cyclonedx(rep, &r->out);
}

const struct ck_api_route ck_api_reports_routes[] = {
    { "GET", "images/{digest}/report", CK_ROLE_PULL, CK_API_SLOW, report, { { 0 } } },
    { "GET", "images/{digest}/findings", CK_ROLE_PULL, CK_API_SLOW, findings,
      { CK_API_PAGE, CK_API_SEARCH,
        { "severity", CK_API_WORD, 0, 0, ck_api_severities, false },
        { "fix", CK_API_WORD, 0, 0, fixes, false },
        { "kev", CK_API_FLAG, 0, 0, NULL, false },
        { "layer", CK_API_DIGEST, 0, 0, NULL, false } } },
    { "GET", "images/{digest}/packages", CK_ROLE_PULL, CK_API_SLOW, packages,
      { CK_API_PAGE, CK_API_SEARCH } },
    { "GET", "images/{digest}/suppressed", CK_ROLE_PULL, CK_API_SLOW, suppressed,
      { CK_API_PAGE, CK_API_SEARCH } },
    { "GET", "images/{digest}/layers", CK_ROLE_PULL, CK_API_SLOW, layers, { { 0 } } },
    { "GET", "images/{digest}/sbom", CK_ROLE_PULL, CK_API_SLOW, sbom,
      { { "format", CK_API_WORD, 0, 0, formats, false } } },
    { .method = NULL },
};
