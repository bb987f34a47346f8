/* The report as JSON, schema version 1: doc/report.schema.json says the same as a schema. Every
 * key is always there; null stands for "not known" or "does not apply". */
#include "report/parts.h"

#include "base/json_write.h"
#include "base/text.h"

static void put_purl(struct ck_json_out *j, const struct ck_report *r, const struct ck_package *p)
{
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    ck_report_purl(r, p, &purl);
    ck_jw_string(j, "purl", ck_buf_view(&purl));
}

static void put_layer_of(struct ck_json_out *j, const struct ck_report *r, size_t layer)
{
    if (layer == SIZE_MAX)
        ck_jw_null(j, "layer");
    else
        ck_jw_string(j, "layer", ck_report_layer_name(&r->layers[layer]));
}

static void put_image(struct ck_json_out *j, const struct ck_report *r)
{
    ck_jw_object(j, "image");
    ck_jw_string(j, "reference", r->reference);
    ck_jw_optional(j, "digest", r->digest);
    ck_jw_optional(j, "os", r->os);
    ck_jw_optional(j, "architecture", r->architecture);
    ck_jw_optional(j, "created", r->created);
    ck_jw_array(j, "layers");
    for (size_t i = 0; i < r->n_layers; i++) {
        const struct ck_report_layer *l = &r->layers[i];
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_optional(j, "digest", l->digest);
        ck_jw_optional(j, "diffId", l->diff_id);
        ck_jw_optional(j, "mediaType", l->media_type);
        ck_jw_number(j, "size", l->size);
        ck_jw_optional(j, "createdBy", l->created_by);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

static void put_distro(struct ck_json_out *j, const struct ck_report *r)
{
    const struct ck_os_release *os = &r->os_release;
    ck_view name = ck_report_system(r);
    char day[32];
    ck_jw_object(j, "distro");
    ck_jw_optional(j, "id", os->id);
    ck_jw_optional(j, "versionId", os->version_id);
    ck_jw_optional(j, "name", name);
    ck_format_time(day, r->distro.end_of_life);
    ck_jw_optional(j, "endOfLife", r->distro.end_of_life ? ck_view_of(day, 10) : CK_V(""));
    ck_jw_end(j, '}');
}

static void put_packages(struct ck_json_out *j, const struct ck_report *r)
{
    ck_jw_array(j, "packages");
    for (size_t i = 0; i < r->n_packages; i++) {
        const struct ck_report_package *rp = &r->packages[i];
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "name", rp->p.name);
        ck_jw_string(j, "version", rp->p.version);
        ck_jw_string(j, "type", ck_view_str(ck_package_type_name(rp->p.type)));
        put_purl(j, r, &rp->p);
        ck_jw_object(j, "source");
        ck_jw_string(j, "name", rp->p.source_name.n ? rp->p.source_name : rp->p.name);
        ck_jw_string(j, "version", rp->p.source_version.n ? rp->p.source_version : rp->p.version);
        ck_jw_end(j, '}');
        put_layer_of(j, r, rp->layer);
        ck_jw_strings(j, "locations", rp->locations, rp->n_locations);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
}

static void put_package_ref(struct ck_json_out *j, const struct ck_report *r, size_t package)
{
    const struct ck_package *p = &r->packages[package].p;
    ck_jw_object(j, "package");
    ck_jw_string(j, "name", p->name);
    ck_jw_string(j, "version", p->version);
    put_purl(j, r, p);
    ck_jw_end(j, '}');
}

static void put_cvss(struct ck_json_out *j, const struct ck_finding *f)
{
    if (f->cvss.n == 0) {
        ck_jw_null(j, "cvss");
        return;
    }
    ck_jw_object(j, "cvss");
    ck_jw_string(j, "vector", f->cvss);
    ck_jw_key(j, "score");
    ck_buf_format(j->out, "%u.%u", f->cvss_tenths / 10, f->cvss_tenths % 10);
    ck_jw_end(j, '}');
}

static void put_since(struct ck_json_out *j, int64_t day)
{
    char text[32];
    ck_format_time(text, day);
    ck_jw_optional(j, "since", day > 0 ? ck_view_str(text) : CK_V(""));
}

static void put_fix_and_advisory(struct ck_json_out *j, const struct ck_report *r,
                                 const struct ck_finding *f)
{
    ck_jw_object(j, "fix");
    ck_jw_string(j, "state", ck_view_str(ck_report_fix_word(f->fix_state)));
    ck_jw_optional(j, "version", f->fix_state == CK_FIX_FIXED ? f->fix_version : CK_V(""));
    put_since(j, f->fix_state == CK_FIX_FIXED ? f->fixed_since : 0);
    ck_jw_end(j, '}');

    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE);
    ck_report_url(r, f, &url);
    ck_jw_object(j, "advisory");
    ck_jw_string(j, "source", f->advisory_source);
    ck_jw_string(j, "id", f->advisory_id.n ? f->advisory_id : f->id);
    ck_jw_optional(j, "url", ck_buf_view(&url));
    ck_jw_end(j, '}');
}

static void put_finding(struct ck_json_out *j, const struct ck_report *r,
                        const struct ck_finding *f)
{
    const struct ck_report_package *rp = &r->packages[f->package];
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "id", f->id);
    ck_jw_strings(j, "aliases", f->aliases, f->n_aliases);
    ck_jw_string(j, "kind", CK_V("vulnerability"));
    put_package_ref(j, r, f->package);
    ck_jw_string(j, "severity", ck_view_str(ck_severity_name(f->severity)));
    put_cvss(j, f);
    ck_jw_bool(j, "kev", f->kev);
    ck_jw_null(j, "epss"); /* no feed of this release gives it */
    put_fix_and_advisory(j, r, f);
    put_layer_of(j, r, rp->layer);
    ck_jw_strings(j, "locations", rp->locations, rp->n_locations);
    ck_jw_string(j, "why", f->why);
    ck_jw_end(j, '}');
}

static void put_summary(struct ck_json_out *j, const struct ck_report *r)
{
    struct ck_report_counts c = ck_report_count(r);
    ck_jw_object(j, "summary");
    for (int s = CK_SEVERITY_CRITICAL; s > CK_SEVERITY_UNKNOWN; s--)
        ck_jw_number(j, ck_severity_name((enum ck_severity)s), c.by_severity[s]);
    ck_jw_number(j, "unknown", c.by_severity[CK_SEVERITY_UNKNOWN]);
    ck_jw_number(j, "fixable", c.fixable);
    ck_jw_number(j, "packages", r->n_packages);
    ck_jw_end(j, '}');
}

static void put_suppressed_one(struct ck_json_out *j, const struct ck_report *r,
                               const struct ck_suppressed *s)
{
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "id", s->id);
    put_package_ref(j, r, s->package);
    ck_jw_string(j, "rule", s->rule);
    ck_jw_string(j, "why", s->why);
    ck_jw_end(j, '}');
}

static void put_suppressed(struct ck_json_out *j, const struct ck_report *r)
{
    ck_jw_array(j, "suppressed");
    for (size_t i = 0; i < ck_report_suppressed(r); i++)
        put_suppressed_one(j, r, &r->match->suppressed[i]);
    ck_jw_end(j, ']');
}

void ck_report_json_finding(const struct ck_report *r, const struct ck_finding *f,
                            struct ck_buf *out)
{
    struct ck_json_out j = { .out = out };
    put_finding(&j, r, f);
}

void ck_report_json_suppressed(const struct ck_report *r, const struct ck_suppressed *s,
                               struct ck_buf *out)
{
    struct ck_json_out j = { .out = out };
    put_suppressed_one(&j, r, s);
}

static void put_judgement(struct ck_json_out *j, const struct ck_report *r)
{
    ck_jw_object(j, "assessment");
    ck_jw_bool(j, "complete", r->n_gaps == 0);
    ck_jw_array(j, "gaps");
    for (size_t i = 0; i < r->n_gaps; i++) {
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "what", r->gaps[i].what);
        ck_jw_string(j, "why", r->gaps[i].why);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');

    ck_jw_object(j, "verdict");
    ck_jw_string(j, "decision", r->decision);
    ck_jw_strings(j, "reasons", r->reasons, r->n_reasons);
    ck_jw_end(j, '}');
}

static void put_warnings(struct ck_json_out *j, const struct ck_report *r)
{
    ck_jw_array(j, "warnings");
    for (size_t i = 0; i < r->n_warnings; i++) {
        const struct ck_name_warning *w = &r->warnings[i];
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "kind", ck_view_str(ck_name_warning_name(w->kind)));
        ck_jw_string(j, "text", w->text);
        ck_jw_optional(j, "like", w->like);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
}

static void put_database(struct ck_json_out *j, const struct ck_report_database *db)
{
    ck_jw_object(j, "database");
    ck_jw_time(j, "built", db ? db->built : 0);
    ck_jw_array(j, "feeds");
    for (size_t i = 0; db && i < db->n_feeds; i++) {
        ck_autobuf struct ck_buf name = ck_buf_new(CK_LIMIT_NONE);
        ck_report_feed_name(&db->feeds[i], &name);
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "name", ck_buf_view(&name));
        ck_jw_time(j, "time", db->feeds[i].time);
        ck_jw_optional(j, "digest", db->feeds[i].digest);
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

ck_err *ck_report_json(const struct ck_report *r, struct ck_buf *out)
{
    CK_TRY(ck_report_check(r));
    struct ck_json_out j = { .out = out };
    ck_jw_begin(&j, '{');
    ck_jw_number(&j, "schemaVersion", 1);
    put_image(&j, r);
    put_distro(&j, r);
    put_packages(&j, r);
    ck_jw_array(&j, "findings");
    for (size_t i = 0; i < ck_report_findings(r); i++)
        put_finding(&j, r, &r->match->findings[i]);
    ck_jw_end(&j, ']');
    put_summary(&j, r);
    put_suppressed(&j, r);
    put_judgement(&j, r);
    put_warnings(&j, r);
    put_database(&j, r->database);
    ck_jw_end(&j, '}');
    ck_put_u8(out, '\n');
    return NULL;
}
