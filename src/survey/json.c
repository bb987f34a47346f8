/* The result as JSON: doc/survey.schema.json says the same as a schema. */
#include "survey/result.h"

#include "base/json_write.h"
#include "base/text.h"

enum { WORST = 10, CAUSES = 20, UNASSESSED = 100, DAY = 86400 };

static void put_share_value(struct ck_json_out *j, const char *name, double x)
{
    ck_jw_key(j, name);
    ck_buf_format(j->out, "%.6f", x);
}

/* A share of nothing is not known. */
static void put_share(struct ck_json_out *j, const char *name, const struct ck_share *s)
{
    ck_jw_object(j, name);
    ck_jw_number(j, "images", s->yes);
    if (s->of)
        put_share_value(j, "share", s->share);
    else
        ck_jw_null(j, "share");
    put_share_value(j, "low", s->low);
    put_share_value(j, "high", s->high);
    ck_jw_end(j, '}');
}

static void put_severities64(struct ck_json_out *j, const char *name, const uint64_t *v)
{
    ck_jw_object(j, name);
    for (int s = CK_SEVERITY_COUNT_ - 1; s >= 0; s--)
        ck_jw_number(j, ck_severity_name((enum ck_severity)s), v[s]);
    ck_jw_end(j, '}');
}

static void put_group(struct ck_json_out *j, const struct ck_survey_result *r, size_t g)
{
    const struct ck_survey_population *p = &r->plan.of[g];
    const struct ck_survey_shares *s = &r->of[g];
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "name", ck_view_str(ck_survey_group_names[g]));
    ck_jw_number(j, "repositories", p->repositories);
    ck_jw_number(j, "unlisted", p->unlisted);
    ck_jw_number(j, "population", p->names);
    ck_jw_number(j, "drawn", p->drawn);
    ck_jw_number(j, "waiting", s->waiting);
    ck_jw_number(j, "assessed", s->assessed);
    ck_jw_object(j, "unassessed");
    ck_jw_number(j, "failed", s->failed);
    ck_jw_number(j, "incomplete", s->incomplete);
    ck_jw_number(j, "incomplete_with_high", s->incomplete_high);
    ck_jw_end(j, '}');
    put_share(j, "critical", &s->critical);
    put_share(j, "high", &s->high);
    put_share(j, "clean", &s->clean);
    if (s->has_age)
        ck_jw_number(j, "median_age_days", s->median_age < 0 ? 0 : (uint64_t)s->median_age / DAY);
    else
        ck_jw_null(j, "median_age_days");
    put_severities64(j, "worst", s->worst);
    put_severities64(j, "findings", s->findings);
    ck_jw_end(j, '}');
}

static void put_image(struct ck_json_out *j, const struct ck_survey_row_image *v)
{
    uint64_t counts[CK_SEVERITY_COUNT_];
    for (size_t s = 0; s < CK_SEVERITY_COUNT_; s++)
        counts[s] = v->image.severities[s];
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "name", v->item->name);
    ck_jw_optional(j, "digest", v->item->digest);
    ck_jw_bool(j, "official", v->item->official);
    ck_jw_optional(j, "distribution", v->image.distro);
    ck_jw_time(j, "created", v->image.created > 0 ? v->image.created : 0);
    put_severities64(j, "severities", counts);
    ck_jw_number(j, "fixable", v->image.fixable);
    ck_jw_number(j, "known_exploited", v->image.kev);
    ck_jw_end(j, '}');
}

static void put_lists(struct ck_json_out *j, const struct ck_survey_result *r)
{
    ck_jw_array(j, "worst");
    for (size_t i = 0; i < r->n_images && i < WORST; i++)
        if (!ck_survey_clean(&r->images[i].image))
            put_image(j, &r->images[i]);
    ck_jw_end(j, ']');
    ck_jw_array(j, "causes");
    for (size_t i = 0; i < r->n_causes && i < CAUSES; i++) {
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "package", r->causes[i].package);
        ck_jw_string(j, "id", r->causes[i].id);
        ck_jw_string(j, "severity", ck_view_str(ck_severity_name(r->causes[i].severity)));
        ck_jw_number(j, "images", r->causes[i].images);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
    ck_jw_array(j, "distributions");
    for (size_t i = 0; i < r->n_distros; i++) {
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_optional(j, "name", r->distros[i].name);
        ck_jw_number(j, "images", r->distros[i].images);
        ck_jw_number(j, "critical", r->distros[i].critical);
        ck_jw_number(j, "high", r->distros[i].high);
        ck_jw_number(j, "clean", r->distros[i].clean);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
    ck_jw_array(j, "unassessed");
    for (size_t i = 0; i < r->n_unassessed && i < UNASSESSED; i++) {
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "name", r->unassessed[i].item->name);
        ck_jw_string(j, "why", r->unassessed[i].image.why);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
}

void ck_survey_result_json(const struct ck_survey_result *r, struct ck_buf *out)
{
    static const char *const states[CK_SURVEY_STATE_COUNT_] = { "running", "done", "given up" };
    struct ck_json_out j = { .out = out };
    ck_jw_begin(&j, '{');
    ck_jw_number(&j, "schema_version", 1);
    ck_jw_number(&j, "survey", r->row.number);
    ck_jw_string(&j, "registry", r->row.registry);
    ck_jw_string(&j, "state", ck_view_str(states[r->row.state]));
    ck_jw_time(&j, "begun", r->row.begun);
    ck_jw_time(&j, "ended", r->row.ended);
    ck_jw_key(&j, "seed"); /* as text: it is more than a double holds */
    ck_buf_format(out, "\"%llu\"", (unsigned long long)r->row.seed);
    if (r->plan.sample == UINT64_MAX)
        ck_jw_null(&j, "sample");
    else
        ck_jw_number(&j, "sample", r->plan.sample);
    ck_jw_optional(&j, "official_prefix", r->plan.official);
    ck_jw_time(&j, "database_built", r->plan.database);
    ck_jw_number(&j, "unusable_names", r->plan.unusable);
    ck_jw_array(&j, "groups");
    for (size_t g = 0; g < CK_SURVEY_GROUP_COUNT_; g++)
        put_group(&j, r, g);
    ck_jw_end(&j, ']');
    put_lists(&j, r);
    ck_jw_end(&j, '}');
    ck_put_u8(out, '\n');
}

void ck_survey_event_json(const struct ck_survey_result *r, struct ck_buf *out)
{
    struct ck_json_out j = { .out = out };
    ck_jw_begin(&j, '{');
    ck_jw_number(&j, "survey", r->row.number);
    ck_jw_string(&j, "registry", r->row.registry);
    ck_jw_object(&j, "shares");
    for (size_t g = 0; g < CK_SURVEY_GROUP_COUNT_; g++) {
        ck_jw_object(&j, ck_survey_group_names[g]);
        put_share(&j, "critical", &r->of[g].critical);
        put_share(&j, "high", &r->of[g].high);
        put_share(&j, "clean", &r->of[g].clean);
        ck_jw_end(&j, '}');
    }
    ck_jw_end(&j, '}');
    ck_jw_end(&j, '}');
}
