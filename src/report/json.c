/* The report as JSON, schema version 1: doc/report.schema.json says the same as a schema. Every
 * key is always there; null stands for "not known" or "does not apply". */
#include "report/parts.h"

#include "base/text.h"

#include <stdio.h>

/* Writes one document, laid out as `jq .` does. */
struct json {
    struct ck_buf *out;
    unsigned depth;
    bool filled; /* the innermost array or object has an element */
};

static void line(struct json *j)
{
    ck_put_u8(j->out, '\n');
    for (unsigned i = 0; i < j->depth; i++)
        ck_put_bytes(j->out, CK_V("  "));
}

static void element(struct json *j)
{
    if (j->filled)
        ck_put_u8(j->out, ',');
    if (j->depth)
        line(j);
    j->filled = true;
}

static void key(struct json *j, const char *name)
{
    element(j);
    ck_buf_format(j->out, "\"%s\": ", name);
}

static void begin(struct json *j, char bracket)
{
    ck_put_u8(j->out, (uint8_t)bracket);
    j->depth++;
    j->filled = false;
}

static void end(struct json *j, char bracket)
{
    j->depth--;
    if (j->filled)
        line(j);
    ck_put_u8(j->out, (uint8_t)bracket);
    j->filled = true;
}

static void put_object(struct json *j, const char *name)
{
    key(j, name);
    begin(j, '{');
}

static void put_array(struct json *j, const char *name)
{
    key(j, name);
    begin(j, '[');
}

static void put_string(struct json *j, const char *name, ck_view v)
{
    key(j, name);
    ck_buf_json_str(j->out, v);
}

static void put_null(struct json *j, const char *name)
{
    key(j, name);
    ck_put_bytes(j->out, CK_V("null"));
}

static void put_optional(struct json *j, const char *name, ck_view v)
{
    if (v.n)
        put_string(j, name, v);
    else
        put_null(j, name);
}

static void put_number(struct json *j, const char *name, uint64_t x)
{
    key(j, name);
    ck_buf_format(j->out, "%llu", (unsigned long long)x);
}

static void put_bool(struct json *j, const char *name, bool x)
{
    key(j, name);
    ck_put_bytes(j->out, x ? CK_V("true") : CK_V("false"));
}

static void put_time(struct json *j, const char *name, int64_t seconds)
{
    char text[32];
    ck_format_time(text, seconds);
    if (seconds)
        put_string(j, name, ck_view_str(text));
    else
        put_null(j, name);
}

static void put_strings(struct json *j, const char *name, const ck_view *v, size_t n)
{
    put_array(j, name);
    for (size_t i = 0; i < n; i++) {
        element(j);
        ck_buf_json_str(j->out, v[i]);
    }
    end(j, ']');
}

static void put_purl(struct json *j, const struct ck_report *r, const struct ck_package *p)
{
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    ck_report_purl(r, p, &purl);
    put_string(j, "purl", ck_buf_view(&purl));
}

static void put_layer_of(struct json *j, const struct ck_report *r, size_t layer)
{
    if (layer == SIZE_MAX)
        put_null(j, "layer");
    else
        put_string(j, "layer", ck_report_layer_name(&r->layers[layer]));
}

static void put_image(struct json *j, const struct ck_report *r)
{
    put_object(j, "image");
    put_string(j, "reference", r->reference);
    put_optional(j, "digest", r->digest);
    put_optional(j, "os", r->os);
    put_optional(j, "architecture", r->architecture);
    put_optional(j, "created", r->created);
    put_array(j, "layers");
    for (size_t i = 0; i < r->n_layers; i++) {
        const struct ck_report_layer *l = &r->layers[i];
        element(j);
        begin(j, '{');
        put_optional(j, "digest", l->digest);
        put_optional(j, "diffId", l->diff_id);
        put_optional(j, "mediaType", l->media_type);
        put_number(j, "size", l->size);
        put_optional(j, "createdBy", l->created_by);
        end(j, '}');
    }
    end(j, ']');
    end(j, '}');
}

static void put_distro(struct json *j, const struct ck_report *r)
{
    const struct ck_os_release *os = &r->os_release;
    ck_view name = ck_report_system(r);
    char day[32];
    put_object(j, "distro");
    put_optional(j, "id", os->id);
    put_optional(j, "versionId", os->version_id);
    put_optional(j, "name", name);
    ck_format_time(day, r->distro.end_of_life);
    put_optional(j, "endOfLife", r->distro.end_of_life ? ck_view_of(day, 10) : CK_V(""));
    end(j, '}');
}

static void put_packages(struct json *j, const struct ck_report *r)
{
    put_array(j, "packages");
    for (size_t i = 0; i < r->n_packages; i++) {
        const struct ck_report_package *rp = &r->packages[i];
        element(j);
        begin(j, '{');
        put_string(j, "name", rp->p.name);
        put_string(j, "version", rp->p.version);
        put_string(j, "type", ck_view_str(ck_package_type_name(rp->p.type)));
        put_purl(j, r, &rp->p);
        put_object(j, "source");
        put_string(j, "name", rp->p.source_name.n ? rp->p.source_name : rp->p.name);
        put_string(j, "version", rp->p.source_version.n ? rp->p.source_version : rp->p.version);
        end(j, '}');
        put_layer_of(j, r, rp->layer);
        put_strings(j, "locations", rp->locations, rp->n_locations);
        end(j, '}');
    }
    end(j, ']');
}

static void put_package_ref(struct json *j, const struct ck_report *r, size_t package)
{
    const struct ck_package *p = &r->packages[package].p;
    put_object(j, "package");
    put_string(j, "name", p->name);
    put_string(j, "version", p->version);
    put_purl(j, r, p);
    end(j, '}');
}

static void put_cvss(struct json *j, const struct ck_finding *f)
{
    if (f->cvss.n == 0) {
        put_null(j, "cvss");
        return;
    }
    put_object(j, "cvss");
    put_string(j, "vector", f->cvss);
    key(j, "score");
    ck_buf_format(j->out, "%u.%u", f->cvss_tenths / 10, f->cvss_tenths % 10);
    end(j, '}');
}

static void put_since(struct json *j, int64_t day)
{
    char text[32];
    ck_format_time(text, day);
    put_optional(j, "since", day > 0 ? ck_view_str(text) : CK_V(""));
}

static void put_fix_and_advisory(struct json *j, const struct ck_report *r,
                                 const struct ck_finding *f)
{
    put_object(j, "fix");
    put_string(j, "state", ck_view_str(ck_report_fix_word(f->fix_state)));
    put_optional(j, "version", f->fix_state == CK_FIX_FIXED ? f->fix_version : CK_V(""));
    put_since(j, f->fix_state == CK_FIX_FIXED ? f->fixed_since : 0);
    end(j, '}');

    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE);
    ck_report_url(r, f, &url);
    put_object(j, "advisory");
    put_string(j, "source", f->advisory_source);
    put_string(j, "id", f->advisory_id.n ? f->advisory_id : f->id);
    put_optional(j, "url", ck_buf_view(&url));
    end(j, '}');
}

static void put_finding(struct json *j, const struct ck_report *r, const struct ck_finding *f)
{
    const struct ck_report_package *rp = &r->packages[f->package];
    element(j);
    begin(j, '{');
    put_string(j, "id", f->id);
    put_strings(j, "aliases", f->aliases, f->n_aliases);
    put_string(j, "kind", CK_V("vulnerability"));
    put_package_ref(j, r, f->package);
    put_string(j, "severity", ck_view_str(ck_severity_name(f->severity)));
    put_cvss(j, f);
    put_bool(j, "kev", f->kev);
    put_null(j, "epss"); /* no feed of this release gives it */
    put_fix_and_advisory(j, r, f);
    put_layer_of(j, r, rp->layer);
    put_strings(j, "locations", rp->locations, rp->n_locations);
    put_string(j, "why", f->why);
    end(j, '}');
}

static void put_summary(struct json *j, const struct ck_report *r)
{
    struct ck_report_counts c = ck_report_count(r);
    put_object(j, "summary");
    for (int s = CK_SEVERITY_CRITICAL; s > CK_SEVERITY_UNKNOWN; s--)
        put_number(j, ck_severity_name((enum ck_severity)s), c.by_severity[s]);
    put_number(j, "unknown", c.by_severity[CK_SEVERITY_UNKNOWN]);
    put_number(j, "fixable", c.fixable);
    put_number(j, "packages", r->n_packages);
    end(j, '}');
}

static void put_suppressed(struct json *j, const struct ck_report *r)
{
    put_array(j, "suppressed");
    for (size_t i = 0; i < ck_report_suppressed(r); i++) {
        const struct ck_suppressed *s = &r->match->suppressed[i];
        element(j);
        begin(j, '{');
        put_string(j, "id", s->id);
        put_package_ref(j, r, s->package);
        put_string(j, "rule", s->rule);
        put_string(j, "why", s->why);
        end(j, '}');
    }
    end(j, ']');
}

static void put_judgement(struct json *j, const struct ck_report *r)
{
    put_object(j, "assessment");
    put_bool(j, "complete", r->n_gaps == 0);
    put_array(j, "gaps");
    for (size_t i = 0; i < r->n_gaps; i++) {
        element(j);
        begin(j, '{');
        put_string(j, "what", r->gaps[i].what);
        put_string(j, "why", r->gaps[i].why);
        end(j, '}');
    }
    end(j, ']');
    end(j, '}');

    put_object(j, "verdict");
    put_string(j, "decision", r->decision);
    put_strings(j, "reasons", r->reasons, r->n_reasons);
    end(j, '}');
}

static void put_warnings(struct json *j, const struct ck_report *r)
{
    put_array(j, "warnings");
    for (size_t i = 0; i < r->n_warnings; i++) {
        const struct ck_name_warning *w = &r->warnings[i];
        element(j);
        begin(j, '{');
        put_string(j, "kind", ck_view_str(ck_name_warning_name(w->kind)));
        put_string(j, "text", w->text);
        put_optional(j, "like", w->like);
        end(j, '}');
    }
    end(j, ']');
}

static void put_database(struct json *j, const struct ck_report_database *db)
{
    put_object(j, "database");
    put_time(j, "built", db ? db->built : 0);
    put_array(j, "feeds");
    for (size_t i = 0; db && i < db->n_feeds; i++) {
        ck_autobuf struct ck_buf name = ck_buf_new(CK_LIMIT_NONE);
        ck_report_feed_name(&db->feeds[i], &name);
        element(j);
        begin(j, '{');
        put_string(j, "name", ck_buf_view(&name));
        put_time(j, "time", db->feeds[i].time);
        put_optional(j, "digest", db->feeds[i].digest);
        end(j, '}');
    }
    end(j, ']');
    end(j, '}');
}

ck_err *ck_report_json(const struct ck_report *r, struct ck_buf *out)
{
    CK_TRY(ck_report_check(r));
    struct json j = { .out = out };
    begin(&j, '{');
    put_number(&j, "schemaVersion", 1);
    put_image(&j, r);
    put_distro(&j, r);
    put_packages(&j, r);
    put_array(&j, "findings");
    for (size_t i = 0; i < ck_report_findings(r); i++)
        put_finding(&j, r, &r->match->findings[i]);
    end(&j, ']');
    put_summary(&j, r);
    put_suppressed(&j, r);
    put_judgement(&j, r);
    put_warnings(&j, r);
    put_database(&j, r->database);
    end(&j, '}');
    ck_put_u8(out, '\n');
    return NULL;
}
