/* The report as CycloneDX 1.5 (ECMA-424's predecessor; JSON): inventory and vulnerabilities in one
 * document. No time and no random number stand in it: its serial number is made from what it says.
 */
#include "report/sbom.h"

#include "base/text.h"

#include <stdio.h>

#define REF_IMAGE "image"

static void put_ref(struct ck_json_out *j, const char *name, size_t package)
{
    char text[40];
    snprintf(text, sizeof text, "package-%zu", package);
    ck_jw_string(j, name, ck_view_str(text));
}

static void property(struct ck_json_out *j, const char *name, ck_view value)
{
    if (!value.n)
        return;
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "name", ck_view_str(name));
    ck_jw_string(j, "value", value);
    ck_jw_end(j, '}');
}

static void put_tool(struct ck_json_out *j)
{
    ck_jw_object(j, "tools");
    ck_jw_array(j, "components");
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "type", CK_V("application"));
    ck_jw_string(j, "name", CK_V("cocket"));
    ck_jw_string(j, "version", CK_V(COCKET_VERSION));
    ck_jw_end(j, '}');
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

static void put_gaps(struct ck_json_out *j, const struct ck_report *r)
{
    for (size_t i = 0; i < r->n_gaps; i++) {
        ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
        ck_put_bytes(&text, r->gaps[i].what);
        ck_put_bytes(&text, CK_V(": "));
        ck_put_bytes(&text, r->gaps[i].why);
        property(j, "cocket:gap", ck_buf_view(&text));
    }
}

static void put_metadata(struct ck_json_out *j, const struct ck_report *r)
{
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    char built[32];
    ck_sbom_image_purl(r, &purl);
    ck_jw_object(j, "metadata");
    put_tool(j);
    ck_jw_object(j, "component");
    ck_jw_string(j, "type", r->n_layers ? CK_V("container") : CK_V("operating-system"));
    ck_jw_string(j, "bom-ref", CK_V(REF_IMAGE));
    ck_jw_string(j, "name", r->reference);
    if (r->digest.n)
        ck_jw_string(j, "version", r->digest);
    if (purl.n)
        ck_jw_string(j, "purl", ck_buf_view(&purl));
    ck_jw_array(j, "properties");
    property(j, "cocket:image:os", r->os);
    property(j, "cocket:image:architecture", r->architecture);
    property(j, "cocket:image:created", r->created);
    property(j, "cocket:image:distribution", ck_report_system(r));
    for (size_t i = 0; i < r->n_layers; i++)
        property(j, "cocket:image:layer", ck_report_layer_name(&r->layers[i]));
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
    ck_jw_array(j, "properties");
    ck_format_time(built, r->database ? r->database->built : 0);
    property(j, "cocket:database:built", r->database ? ck_view_str(built) : CK_V(""));
    property(j, "cocket:verdict", r->decision);
    put_gaps(j, r);
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

static void put_component(struct ck_json_out *j, const struct ck_report *r, size_t i)
{
    const struct ck_report_package *rp = &r->packages[i];
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    ck_report_purl(r, &rp->p, &purl);
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "type", CK_V("library"));
    put_ref(j, "bom-ref", i);
    ck_jw_string(j, "name", rp->p.name);
    ck_jw_string(j, "version", rp->p.version);
    ck_jw_string(j, "purl", ck_buf_view(&purl));
    ck_jw_array(j, "properties");
    property(j, "cocket:package:source", rp->p.source_name);
    property(j, "cocket:package:source-version", rp->p.source_version);
    if (rp->layer != SIZE_MAX)
        property(j, "cocket:package:layer", ck_report_layer_name(&r->layers[rp->layer]));
    for (size_t k = 0; k < rp->n_locations; k++)
        property(j, "cocket:package:location", rp->locations[k]);
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

/* What is reported are packages of distributions; what else lies in the image nobody looked at. */
static void put_compositions(struct ck_json_out *j, const struct ck_report *r)
{
    ck_jw_array(j, "compositions");
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "aggregate", r->n_gaps ? CK_V("incomplete") : CK_V("unknown"));
    ck_jw_array(j, "assemblies");
    ck_jw_element(j);
    ck_buf_json_str(j->out, CK_V(REF_IMAGE));
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
    ck_jw_end(j, ']');
}

/* --- vulnerabilities -------------------------------------------------------------------------- */

static const struct {
    const char *vector, *method;
} methods[] = {
    { "CVSS:4.0/", "CVSSv4" }, { "CVSS:3.1/", "CVSSv31" }, { "CVSS:3.0/", "CVSSv3" },
    { "", "CVSSv2" },
};

static void put_ratings(struct ck_json_out *j, const struct ck_finding *f)
{
    size_t m = 0;
    bool known = f->severity != CK_SEVERITY_NEGLIGIBLE; /* the format's word for it is another */
    const char *severity = known ? ck_severity_name(f->severity) : "info";
    ck_jw_array(j, "ratings");
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "severity", ck_view_str(severity));
    if (f->cvss.n) {
        while (!ck_view_starts(f->cvss, ck_view_str(methods[m].vector)))
            m++;
        ck_jw_key(j, "score");
        ck_buf_format(j->out, "%u.%u", f->cvss_tenths / 10, f->cvss_tenths % 10);
        ck_jw_string(j, "method", ck_view_str(methods[m].method));
        ck_jw_string(j, "vector", f->cvss);
    }
    ck_jw_end(j, '}');
    ck_jw_end(j, ']');
}

static void put_source(struct ck_json_out *j, ck_view name, ck_view url)
{
    ck_jw_object(j, "source");
    ck_jw_string(j, "name", name);
    if (url.n)
        ck_jw_string(j, "url", url);
    ck_jw_end(j, '}');
}

static void put_aliases(struct ck_json_out *j, const struct ck_finding *f)
{
    ck_jw_array(j, "references");
    for (size_t i = 0; i < f->n_aliases; i++) {
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "id", f->aliases[i]);
        put_source(j, f->advisory_source, CK_V(""));
        ck_jw_end(j, '}');
    }
    ck_jw_end(j, ']');
}

/* What the schema allows here, though not for the version of a component; in its characters. */
enum { MOST_VERSION = 1024 };

static void put_affects(struct ck_json_out *j, const struct ck_report *r, size_t package,
                        const char *status)
{
    ck_view version = r->packages[package].p.version;
    ck_jw_array(j, "affects");
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    put_ref(j, "ref", package);
    if (version.n > 0 && version.n <= MOST_VERSION) {
        ck_jw_array(j, "versions");
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "version", version);
        ck_jw_string(j, "status", ck_view_str(status));
        ck_jw_end(j, '}');
        ck_jw_end(j, ']');
    }
    ck_jw_end(j, '}');
    ck_jw_end(j, ']');
}

static void put_finding(struct ck_json_out *j, const struct ck_report *r, size_t i)
{
    const struct ck_finding *f = &r->match->findings[i];
    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE), advice = ck_buf_new(CK_LIMIT_NONE);
    ck_report_url(r, f, &url);
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_key(j, "bom-ref");
    ck_buf_format(j->out, "\"finding-%zu\"", i);
    ck_jw_string(j, "id", f->id);
    put_source(j, f->advisory_source, ck_buf_view(&url));
    put_aliases(j, f);
    put_ratings(j, f);
    ck_jw_string(j, "detail", f->why);
    if (f->fix_state == CK_FIX_FIXED) {
        ck_put_bytes(&advice, CK_V("update to "));
        ck_put_bytes(&advice, f->fix_version);
        ck_jw_string(j, "recommendation", ck_buf_view(&advice));
    }
    put_affects(j, r, f->package, "affected");
    ck_jw_array(j, "properties");
    property(j, "cocket:severity", ck_view_str(ck_severity_name(f->severity)));
    property(j, "cocket:fix", ck_view_str(ck_report_fix_word(f->fix_state)));
    property(j, "cocket:known-exploited", f->kev ? CK_V("true") : CK_V(""));
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

/* Which word of the format a rule of the matching comes nearest to. */
static const struct {
    const char *rule, *state, *status;
} analyses[] = {
    { "backported", "resolved", "unaffected" },
    { "named-update", "false_positive", "unknown" }, /* reported under its name instead */
    { "", "not_affected", "unaffected" },
};

static void put_suppressed(struct ck_json_out *j, const struct ck_report *r, size_t i)
{
    const struct ck_suppressed *s = &r->match->suppressed[i];
    size_t k = 0;
    while (analyses[k].rule[0] && !ck_view_eq(s->rule, ck_view_str(analyses[k].rule)))
        k++;
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_key(j, "bom-ref");
    ck_buf_format(j->out, "\"suppressed-%zu\"", i);
    ck_jw_string(j, "id", s->id);
    ck_jw_object(j, "analysis");
    ck_jw_string(j, "state", ck_view_str(analyses[k].state));
    ck_jw_string(j, "detail", s->why);
    ck_jw_end(j, '}');
    put_affects(j, r, s->package, analyses[k].status);
    ck_jw_array(j, "properties");
    property(j, "cocket:rule", s->rule);
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

static void put_body(struct ck_json_out *j, const struct ck_report *r)
{
    put_metadata(j, r);
    ck_jw_array(j, "components");
    for (size_t i = 0; i < r->n_packages; i++)
        put_component(j, r, i);
    ck_jw_end(j, ']');
    put_compositions(j, r);
    ck_jw_array(j, "vulnerabilities");
    for (size_t i = 0; i < ck_report_findings(r); i++)
        put_finding(j, r, i);
    for (size_t i = 0; i < ck_report_suppressed(r); i++)
        put_suppressed(j, r, i);
    ck_jw_end(j, ']');
}

static void put_head(struct ck_json_out *j, const struct ck_report *r, const char *uuid)
{
    (void)r;
    ck_jw_string(j, "$schema", CK_V("http://cyclonedx.org/schema/bom-1.5.schema.json"));
    ck_jw_string(j, "bomFormat", CK_V("CycloneDX"));
    ck_jw_string(j, "specVersion", CK_V("1.5"));
    ck_jw_key(j, "serialNumber");
    ck_buf_format(j->out, "\"urn:uuid:%s\"", uuid);
    ck_jw_number(j, "version", 1);
}

ck_err *ck_report_cyclonedx(const struct ck_report *r, struct ck_buf *out)
{
    return ck_sbom_document(r, put_head, put_body, out);
}
