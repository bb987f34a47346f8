#include "report/parts.h"

#include "base/text.h"

#include <string.h>

static ck_err *check_package(const struct ck_report *r, const char *what, size_t i, size_t package)
{
    if (package < r->n_packages)
        return NULL;
    return ck_err_new(CK_ERR_OURS, "report: %s %zu is about package %zu of %zu", what, i, package,
                      r->n_packages);
}

ck_err *ck_report_check(const struct ck_report *r)
{
    for (size_t i = 0; i < r->n_packages; i++) {
        size_t layer = r->packages[i].layer;
        if (layer != SIZE_MAX && layer >= r->n_layers)
            return ck_err_new(CK_ERR_OURS, "report: package %zu lies in layer %zu of %zu", i, layer,
                              r->n_layers);
    }
    for (size_t i = 0; i < ck_report_findings(r); i++)
        CK_TRY(check_package(r, "finding", i, r->match->findings[i].package));
    for (size_t i = 0; i < ck_report_suppressed(r); i++)
        CK_TRY(check_package(r, "suppressed", i, r->match->suppressed[i].package));
    return NULL;
}

/* Postponed and no-dsa are promises of a later update, so "not-fixed"; the end of support is
 * none. */
const char *ck_report_fix_word(enum ck_fix_state s)
{
    static const char *const word[CK_FIX_STATE_COUNT_] = {
        [CK_FIX_FIXED] = "fixed",           [CK_FIX_NONE] = "not-fixed",
        [CK_FIX_WONT] = "wont-fix",         [CK_FIX_POSTPONED] = "not-fixed",
        [CK_FIX_NO_DSA] = "not-fixed",      [CK_FIX_END_OF_LIFE] = "wont-fix",
        [CK_FIX_UNDETERMINED] = "unknown",  [CK_FIX_NOT_AFFECTED] = "unknown",
    };
    return s < CK_FIX_STATE_COUNT_ ? word[s] : "unknown";
}

struct ck_report_counts ck_report_count(const struct ck_report *r)
{
    struct ck_report_counts c = { 0 };
    for (size_t i = 0; i < ck_report_findings(r); i++) {
        const struct ck_finding *f = &r->match->findings[i];
        c.by_severity[f->severity < CK_SEVERITY_COUNT_ ? f->severity : CK_SEVERITY_UNKNOWN]++;
        c.fixable += f->fix_state == CK_FIX_FIXED;
        c.kev += f->kev;
    }
    return c;
}

/* First match counts; an empty field matches everything. */
static const struct {
    const char *feed;      /* the feed's kind starts with it */
    const char *ecosystem; /* the distribution starts with it */
    const char *id;        /* the advisory's id starts with it */
    const char *page;
} pages[] = {
    { "osv", "", "", "https://osv.dev/vulnerability/" },
    { "debian-", "", "CVE-", "https://security-tracker.debian.org/tracker/" },
    { "debian-", "", "DSA-", "https://security-tracker.debian.org/tracker/" },
    { "debian-", "", "DLA-", "https://security-tracker.debian.org/tracker/" },
    { "alpine-secdb", "Alpine", "CVE-", "https://security.alpinelinux.org/vuln/" },
    { "", "", "CVE-", "https://www.cve.org/CVERecord?id=" },
    { "", "", "GHSA-", "https://github.com/advisories/" },
};

static bool starts(ck_view v, const char *prefix)
{
    return ck_view_starts(v, ck_view_str(prefix));
}

static bool is_hex(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!v.p[i] || !strchr("0123456789ABCDEFabcdef", v.p[i]))
            return false;
    return true;
}

/* A feed's URL, with what may not stand in one (RFC 3986, 2) as %XX. */
static void put_uri(struct ck_buf *out, ck_view url)
{
    for (size_t i = 0; i < url.n; i++) {
        ck_view one = ck_view_head(ck_view_from(url, i), 1);
        bool escape = one.p[0] == '%' && url.n - i > 2 && is_hex(ck_view_of(one.p + 1, 2));
        ck_report_percent(out, one, escape ? "%" : ":/?#[]@!$&'()*+,;=");
    }
}

void ck_report_url(const struct ck_report *r, const struct ck_finding *f, struct ck_buf *out)
{
    if (starts(f->advisory_url, "https://") || starts(f->advisory_url, "http://")) {
        put_uri(out, f->advisory_url);
        return;
    }
    ck_view id = f->advisory_id.n ? f->advisory_id : f->id;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (starts(f->advisory_source, pages[i].feed) && starts(id, pages[i].id) &&
            starts(r->distro.ecosystem, pages[i].ecosystem)) {
            ck_put_bytes(out, ck_view_str(pages[i].page));
            ck_report_percent(out, id, ":");
            return;
        }
    }
    if (starts(f->advisory_source, "debian-")) {
        ck_put_bytes(out, CK_V("https://security-tracker.debian.org/tracker/source-package/"));
        ck_report_percent(out, r->packages[f->package].p.source_name, "+");
    }
}

void ck_report_feed_name(const struct ck_db_feed *f, struct ck_buf *out)
{
    ck_put_bytes(out, f->kind);
    ck_put_u8(out, '=');
    ck_put_bytes(out, f->source);
    if (f->detail.n) {
        ck_put_u8(out, ',');
        ck_put_bytes(out, f->detail);
    }
}

ck_view ck_report_system(const struct ck_report *r)
{
    if (r->os_release.pretty_name.n)
        return r->os_release.pretty_name;
    return r->distro.name.n ? r->distro.name : r->os_release.name;
}

ck_view ck_report_layer_name(const struct ck_report_layer *l)
{
    return l->diff_id.n ? l->diff_id : l->digest;
}

static bool unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void ck_report_percent(struct ck_buf *out, ck_view v, const char *keep)
{
    for (size_t i = 0; i < v.n; i++) {
        if (unreserved(v.p[i]) || (v.p[i] && strchr(keep, v.p[i])))
            ck_put_u8(out, v.p[i]);
        else
            ck_buf_format(out, "%%%02X", v.p[i]);
    }
}
