#include "gateway/harbor_report.h"

#include "base/text.h"
#include "report/parts.h"

static const char *const severities[CK_SEVERITY_COUNT_] = {
    [CK_SEVERITY_UNKNOWN] = "Unknown",   [CK_SEVERITY_NEGLIGIBLE] = "Negligible",
    [CK_SEVERITY_LOW] = "Low",           [CK_SEVERITY_MEDIUM] = "Medium",
    [CK_SEVERITY_HIGH] = "High",         [CK_SEVERITY_CRITICAL] = "Critical",
};

static void put_member(struct ck_buf *out, const char *key, ck_view value)
{
    ck_buf_format(out, "\"%s\":", key);
    ck_buf_json_str(out, value);
}

/* Scores of versions 3 and 2 have members of their own; of version 4 there is none. */
static void put_cvss(struct ck_buf *out, const struct ck_finding *f)
{
    bool three = ck_view_starts(f->cvss, CK_V("CVSS:3"));
    if (!f->cvss.n || ck_view_starts(f->cvss, CK_V("CVSS:4")))
        return;
    ck_buf_format(out, ",\"preferred_cvss\":{\"score_v%d\":%u.%u,", three ? 3 : 2,
                  f->cvss_tenths / 10, f->cvss_tenths % 10);
    put_member(out, three ? "vector_v3" : "vector_v2", f->cvss);
    ck_put_u8(out, '}');
}

static void put_finding(struct ck_buf *out, const struct ck_report *r, const struct ck_finding *f)
{
    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_report_package *p = &r->packages[f->package];
    ck_report_url(r, f, &url); /* Harbor shows it as a link: no javascript: of a feed's */
    ck_put_u8(out, '{');
    put_member(out, "id", f->id);
    ck_put_u8(out, ',');
    put_member(out, "package", p->p.name);
    ck_put_u8(out, ',');
    put_member(out, "version", p->p.version);
    ck_put_u8(out, ',');
    put_member(out, "fix_version", f->fix_version);
    ck_buf_format(out, ",\"severity\":\"%s\",", severities[f->severity]);
    put_member(out, "description", f->why);
    ck_put_bytes(out, CK_V(",\"links\":["));
    if (url.n)
        ck_buf_json_str(out, ck_buf_view(&url));
    ck_put_u8(out, ']');
    put_cvss(out, f);
    ck_buf_format(out, ",\"vendor_attributes\":{\"kev\":%s,\"fix_state\":\"%s\"}}",
                  f->kev ? "true" : "false", ck_fix_state_name(f->fix_state));
}

static void put_head(struct ck_buf *out, const struct ck_harbor_artifact *what,
                     enum ck_severity worst, int64_t now)
{
    char when[32];
    ck_format_time(when, now);
    ck_buf_format(out, "{\"generated_at\":\"%s\",\"artifact\":{", when);
    put_member(out, "repository", what->repository);
    ck_put_u8(out, ',');
    put_member(out, "digest", what->digest);
    ck_buf_format(out, "},\"scanner\":{\"name\":\"cocket\",\"vendor\":\"cocket\","
                       "\"version\":\"%s\"},\"severity\":\"%s\",\"vulnerabilities\":[",
                  COCKET_VERSION, severities[worst]);
}

ck_err *ck_harbor_report(const struct ck_report *r, const struct ck_harbor_artifact *what,
                         int64_t now, struct ck_buf *out)
{
    size_t n = r->match ? r->match->n_findings : 0;
    enum ck_severity worst = CK_SEVERITY_UNKNOWN;
    for (size_t i = 0; i < n; i++) {
        const struct ck_finding *f = &r->match->findings[i];
        if (f->package >= r->n_packages || (unsigned)f->severity >= CK_SEVERITY_COUNT_)
            return ck_err_new(CK_ERR_OURS, "finding %zu: package or severity out of range", i);
        worst = f->severity > worst ? f->severity : worst;
    }
    put_head(out, what, worst, now);
    for (size_t i = 0; i < n; i++) {
        const struct ck_finding *f = &r->match->findings[i];
        ck_put_bytes(out, i ? CK_V(",") : CK_V(""));
        put_finding(out, r, f);
        if (out->n > CK_MAX_HARBOR_REPORT)
            return ck_err_limit(CK_LIMIT_HARBOR_REPORT, "report of %zu findings", n);
    }
    ck_put_bytes(out, CK_V("]}"));
    return NULL;
}
