/* The report as SPDX 2.3 (ISO/IEC 5962; JSON): the image, the packages it contains, and what is
 * known to be wrong with them as security references. Without a clock: "created" is the time of
 * what was known, the database's, else the image's.
 */
#include "report/sbom.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define ID_DOCUMENT "SPDXRef-DOCUMENT"
#define ID_IMAGE "SPDXRef-image"

/* The findings of each package: those of package i are order[from[i]] ... order[from[i + 1] - 1].
 */
struct by_package {
    size_t *from, *order;
};

static struct by_package sort_findings(const struct ck_report *r)
{
    size_t n = ck_report_findings(r);
    struct by_package b = { ck_calloc(r->n_packages + 2, sizeof *b.from),
                            ck_calloc(n + 1, sizeof *b.order) };
    for (size_t i = 0; i < n; i++)
        b.from[r->match->findings[i].package + 2]++;
    for (size_t i = 2; i < r->n_packages + 2; i++)
        b.from[i] += b.from[i - 1];
    for (size_t i = 0; i < n; i++)
        b.order[b.from[r->match->findings[i].package + 1]++] = i;
    return b;
}

static void reference(struct ck_json_out *j, const char *category, const char *type,
                      ck_view locator, ck_view comment)
{
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "referenceCategory", ck_view_str(category));
    ck_jw_string(j, "referenceType", ck_view_str(type));
    ck_jw_string(j, "referenceLocator", locator);
    if (comment.n)
        ck_jw_string(j, "comment", comment);
    ck_jw_end(j, '}');
}

static void put_finding(struct ck_json_out *j, const struct ck_report *r,
                        const struct ck_finding *f)
{
    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE), text = ck_buf_new(CK_LIMIT_NONE);
    ck_report_url(r, f, &url);
    bool page = url.n > 0; /* the locator of an advisory is a URI */
    if (!page)
        ck_report_percent(&url, f->id, "");
    ck_put_bytes(&text, f->id);
    ck_buf_format(&text, ", %s%s: ", ck_severity_name(f->severity),
                  f->kev ? ", known to be exploited" : "");
    ck_put_bytes(&text, f->why);
    reference(j, page ? "SECURITY" : "OTHER", page ? "advisory" : "finding", ck_buf_view(&url),
              ck_buf_view(&text));
}

static void put_sources(struct ck_json_out *j, const struct ck_report *r,
                        const struct ck_report_package *rp)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&text, CK_V("built from "));
    ck_put_bytes(&text, rp->p.source_name.n ? rp->p.source_name : rp->p.name);
    ck_put_u8(&text, ' ');
    ck_put_bytes(&text, rp->p.source_version.n ? rp->p.source_version : rp->p.version);
    for (size_t i = 0; i < rp->n_locations; i++) {
        ck_put_bytes(&text, i ? CK_V(", ") : CK_V("; listed in "));
        ck_put_bytes(&text, rp->locations[i]);
    }
    if (rp->layer != SIZE_MAX) {
        ck_put_bytes(&text, CK_V("; layer "));
        ck_put_bytes(&text, ck_report_layer_name(&r->layers[rp->layer]));
    }
    ck_jw_string(j, "sourceInfo", ck_buf_view(&text));
}

static void begin_package(struct ck_json_out *j, ck_view name, const char *id, ck_view version)
{
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "name", name);
    ck_jw_string(j, "SPDXID", ck_view_str(id));
    if (version.n)
        ck_jw_string(j, "versionInfo", version);
    ck_jw_string(j, "downloadLocation", CK_V("NOASSERTION"));
    ck_jw_bool(j, "filesAnalyzed", false);
}

static void id_of(size_t package, char out[40])
{
    snprintf(out, 40, "SPDXRef-package-%zu", package);
}

static void put_package(struct ck_json_out *j, const struct ck_report *r,
                        const struct by_package *b, size_t i)
{
    const struct ck_report_package *rp = &r->packages[i];
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    char id[40];
    id_of(i, id);
    ck_report_purl(r, &rp->p, &purl);
    begin_package(j, rp->p.name, id, rp->p.version);
    put_sources(j, r, rp);
    ck_jw_array(j, "externalRefs");
    reference(j, "PACKAGE-MANAGER", "purl", ck_buf_view(&purl), CK_V(""));
    for (size_t k = b->from[i]; k < b->from[i + 1]; k++)
        put_finding(j, r, &r->match->findings[b->order[k]]);
    ck_jw_end(j, ']');
    ck_jw_end(j, '}');
}

static void put_image(struct ck_json_out *j, const struct ck_report *r)
{
    ck_autobuf struct ck_buf purl = ck_buf_new(CK_LIMIT_NONE);
    ck_view algorithm, hex;
    ck_sbom_image_purl(r, &purl);
    begin_package(j, r->reference, ID_IMAGE, r->digest);
    ck_jw_string(j, "primaryPackagePurpose",
                 r->n_layers ? CK_V("CONTAINER") : CK_V("OPERATING-SYSTEM"));
    if (ck_sbom_digest(r, &algorithm, &hex)) {
        ck_jw_array(j, "checksums");
        ck_jw_element(j);
        ck_jw_begin(j, '{');
        ck_jw_string(j, "algorithm",
                     ck_view_eq(algorithm, CK_V("sha512")) ? CK_V("SHA512") : CK_V("SHA256"));
        ck_jw_string(j, "checksumValue", hex);
        ck_jw_end(j, '}');
        ck_jw_end(j, ']');
    }
    if (purl.n) {
        ck_jw_array(j, "externalRefs");
        reference(j, "PACKAGE-MANAGER", "purl", ck_buf_view(&purl), CK_V(""));
        ck_jw_end(j, ']');
    }
    ck_jw_end(j, '}');
}

static void relationship(struct ck_json_out *j, const char *from, const char *type, const char *to)
{
    ck_jw_element(j);
    ck_jw_begin(j, '{');
    ck_jw_string(j, "spdxElementId", ck_view_str(from));
    ck_jw_string(j, "relationshipType", ck_view_str(type));
    ck_jw_string(j, "relatedSpdxElement", ck_view_str(to));
    ck_jw_end(j, '}');
}

static void put_creation(struct ck_json_out *j, const struct ck_report *r)
{
    char time[32];
    int64_t seconds = r->database ? r->database->built : 0;
    if (!seconds && !ck_parse_time(r->created, &seconds))
        seconds = 0;
    ck_format_time(time, seconds);
    ck_jw_object(j, "creationInfo");
    ck_jw_string(j, "created", ck_view_str(time));
    ck_view creator = CK_V("Tool: cocket-" COCKET_VERSION);
    ck_jw_strings(j, "creators", &creator, 1);
    ck_jw_end(j, '}');
}

/* The format has no place for what was not looked at but the document's comment. */
static void put_gaps(struct ck_json_out *j, const struct ck_report *r)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < r->n_gaps; i++) {
        ck_put_bytes(&text, i ? CK_V("; ") : CK_V("not assessed: "));
        ck_put_bytes(&text, r->gaps[i].what);
        ck_put_bytes(&text, CK_V(": "));
        ck_put_bytes(&text, r->gaps[i].why);
    }
    if (text.n)
        ck_jw_string(j, "comment", ck_buf_view(&text));
}

static void put_body(struct ck_json_out *j, const struct ck_report *r)
{
    struct by_package b = sort_findings(r);
    put_creation(j, r);
    put_gaps(j, r);
    ck_jw_array(j, "packages");
    put_image(j, r);
    for (size_t i = 0; i < r->n_packages; i++)
        put_package(j, r, &b, i);
    ck_jw_end(j, ']');
    ck_jw_array(j, "relationships");
    relationship(j, ID_DOCUMENT, "DESCRIBES", ID_IMAGE);
    for (size_t i = 0; i < r->n_packages; i++) {
        char id[40];
        id_of(i, id);
        relationship(j, ID_IMAGE, "CONTAINS", id);
    }
    ck_jw_end(j, ']');
    free(b.from);
    free(b.order);
}

static void put_head(struct ck_json_out *j, const struct ck_report *r, const char *uuid)
{
    ck_jw_string(j, "spdxVersion", CK_V("SPDX-2.3"));
    ck_jw_string(j, "dataLicense", CK_V("CC0-1.0"));
    ck_jw_string(j, "SPDXID", CK_V(ID_DOCUMENT));
    ck_jw_string(j, "name", r->reference);
    ck_jw_key(j, "documentNamespace");
    ck_buf_format(j->out, "\"urn:uuid:%s\"", uuid);
}

ck_err *ck_report_spdx(const struct ck_report *r, struct ck_buf *out)
{
    return ck_sbom_document(r, put_head, put_body, out);
}
