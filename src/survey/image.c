#include "survey/image.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum { VERSION = 1 };

static int by_name(const void *a, const void *b)
{
    const struct ck_survey_cause *x = a, *y = b;
    int order = ck_view_cmp(x->package, y->package);
    return order ? order : ck_view_cmp(x->id, y->id);
}

/* Several binary packages of one source have the same cause. */
static size_t each_once(struct ck_survey_cause *v, size_t n)
{
    size_t kept = 0;
    qsort(v, n, sizeof *v, by_name);
    for (size_t i = 0; i < n; i++) {
        if (kept && by_name(&v[kept - 1], &v[i]) == 0) {
            if (v[i].severity > v[kept - 1].severity)
                v[kept - 1].severity = v[i].severity;
            continue;
        }
        v[kept++] = v[i];
    }
    return kept < CK_MAX_SURVEY_CAUSES ? kept : CK_MAX_SURVEY_CAUSES;
}

static ck_view first_gap(const struct ck_report *r, struct ck_arena *a)
{
    if (!r->n_gaps)
        return CK_V("");
    return ck_view_str(ck_arena_format(a, "%.*s: %.*s",
                                       CK_VF(ck_view_head(r->gaps[0].what, 200)),
                                       CK_VF(ck_view_head(r->gaps[0].why, 200))));
}

void ck_survey_image_of(const struct ck_report *r, struct ck_arena *a,
                        struct ck_survey_image *ret)
{
    size_t n = r->match ? r->match->n_findings : 0;
    struct ck_survey_image v = { .complete = r->match && !r->n_gaps,
                                 .packages = (uint32_t)r->n_packages,
                                 .why = first_gap(r, a) };
    v.distro = r->os_release.pretty_name.n ? r->os_release.pretty_name : r->distro.name;
    if (!ck_parse_time(r->created, &v.created))
        v.created = 0;
    v.causes = ck_arena_alloc(a, n + 1, sizeof *v.causes);
    for (size_t i = 0; i < n; i++) {
        const struct ck_finding *f = &r->match->findings[i];
        const struct ck_package *p = &r->packages[f->package].p;
        v.severities[f->severity]++;
        v.fixable += f->fix_state == CK_FIX_FIXED;
        v.kev += f->kev;
        if (f->severity >= CK_SEVERITY_HIGH)
            v.causes[v.n_causes++] = (struct ck_survey_cause){
                p->source_name.n ? p->source_name : p->name, f->id, f->severity };
    }
    v.n_causes = each_once(v.causes, v.n_causes);
    *ret = v;
}

enum ck_severity ck_survey_worst(const struct ck_survey_image *v)
{
    int s = CK_SEVERITY_COUNT_ - 1;
    while (s > CK_SEVERITY_UNKNOWN && !v->severities[s])
        s--;
    return (enum ck_severity)s;
}

bool ck_survey_clean(const struct ck_survey_image *v)
{
    return v->complete && ck_survey_worst(v) == CK_SEVERITY_UNKNOWN &&
           !v->severities[CK_SEVERITY_UNKNOWN];
}

void ck_survey_image_encode(const struct ck_survey_image *v, struct ck_buf *out)
{
    ck_put_u8(out, VERSION);
    ck_put_u8(out, v->complete);
    for (size_t i = 0; i < CK_SEVERITY_COUNT_; i++)
        ck_put_u32(out, v->severities[i]);
    ck_put_u32(out, v->fixable);
    ck_put_u32(out, v->kev);
    ck_put_u32(out, v->packages);
    ck_put_u64(out, (uint64_t)v->created);
    ck_put_str(out, ck_view_head(v->distro, CK_MAX_FIELD));
    ck_put_str(out, ck_view_head(v->why, CK_MAX_SURVEY_ERROR));
    ck_put_u32(out, (uint32_t)v->n_causes);
    for (size_t i = 0; i < v->n_causes; i++) {
        ck_put_str(out, v->causes[i].package);
        ck_put_str(out, v->causes[i].id);
        ck_put_u8(out, (uint8_t)v->causes[i].severity);
    }
}

ck_err *ck_survey_image_decode(ck_view bytes, struct ck_arena *a, struct ck_survey_image *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_survey_image v = { 0 };
    bool known = ck_cur_u8(&c) == VERSION;
    v.complete = ck_cur_u8(&c);
    for (size_t i = 0; i < CK_SEVERITY_COUNT_; i++)
        v.severities[i] = ck_cur_le32(&c);
    v.fixable = ck_cur_le32(&c);
    v.kev = ck_cur_le32(&c);
    v.packages = ck_cur_le32(&c);
    v.created = (int64_t)ck_cur_le64(&c);
    v.distro = ck_cur_str(&c, CK_MAX_FIELD);
    v.why = ck_cur_str(&c, CK_MAX_SURVEY_ERROR);
    size_t n = ck_cur_le32(&c);
    if (!known || !ck_cur_ok(&c) || n > CK_MAX_SURVEY_CAUSES)
        return ck_err_new(CK_ERR_OURS, "store: what a survey kept of an image is damaged");
    v.causes = ck_arena_alloc(a, n + 1, sizeof *v.causes);
    for (; v.n_causes < n && ck_cur_ok(&c); v.n_causes++) {
        struct ck_survey_cause *k = &v.causes[v.n_causes];
        k->package = ck_cur_str(&c, CK_MAX_FIELD);
        k->id = ck_cur_str(&c, CK_MAX_FIELD);
        k->severity = (enum ck_severity)ck_cur_u8(&c);
        if (k->severity >= CK_SEVERITY_COUNT_)
            c.bad = true;
    }
    if (!ck_cur_ok(&c) || !ck_cur_end(&c))
        return ck_err_new(CK_ERR_OURS, "store: what a survey kept of an image is damaged");
    *ret = v;
    return NULL;
}
