/* Package URLs (purl-spec): the types deb, apk and rpm. */
#include "report/parts.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

void ck_report_purl_part(struct ck_buf *out, ck_view v)
{
    ck_report_percent(out, v, ":");
}

static void put_lower(struct ck_buf *out, ck_view v)
{
    ck_autofree char *s = ck_strndup(v.p, v.n);
    for (size_t i = 0; i < v.n; i++)
        if (s[i] >= 'A' && s[i] <= 'Z')
            s[i] = (char)(s[i] - 'A' + 'a');
    ck_report_purl_part(out, ck_view_of(s, v.n));
}

/* "1:2.3-4" -> "1", and "2.3-4" in *rest; empty and the whole where there is no epoch. */
static ck_view split_epoch(ck_view version, ck_view *rest)
{
    size_t colon = ck_view_find(version, ':');
    *rest = colon < version.n ? ck_view_from(version, colon + 1) : version;
    return colon < version.n ? ck_view_head(version, colon) : ck_view_head(version, 0);
}

struct qualifiers {
    struct ck_buf *out;
    char sep;
};

static void key(struct qualifiers *q, const char *name)
{
    ck_buf_format(q->out, "%c%s=", q->sep, name);
    q->sep = '&';
}

static void qualifier(struct qualifiers *q, const char *name, ck_view value)
{
    if (value.n == 0)
        return;
    key(q, name);
    ck_report_purl_part(q->out, value);
}

/* "debian-12"; a release without a number by its code name ("debian-trixie"). */
static void put_distro(struct qualifiers *q, const struct ck_os_release *os)
{
    if (os->id.n == 0)
        return;
    ck_view release = os->version_id.n ? os->version_id : os->version_codename;
    key(q, "distro");
    put_lower(q->out, os->id);
    if (release.n) {
        ck_put_u8(q->out, '-');
        ck_report_purl_part(q->out, release);
    }
}

static void put_upstream(struct qualifiers *q, const struct ck_package *p)
{
    bool same_version = ck_view_eq(p->source_version, p->version) || p->source_version.n == 0;
    if (p->source_name.n == 0 || (ck_view_eq(p->source_name, p->name) && same_version))
        return;
    ck_view version = p->source_version;
    key(q, "upstream");
    ck_report_purl_part(q->out, p->source_name);
    if (p->type == CK_PACKAGE_RPM) {
        split_epoch(p->source_version.n ? p->source_version : p->version, &version);
        ck_put_u8(q->out, '-');
        ck_report_purl_part(q->out, version);
        ck_put_bytes(q->out, CK_V(".src.rpm"));
    } else if (!same_version) {
        ck_put_bytes(q->out, CK_V("%40"));
        ck_report_purl_part(q->out, version);
    }
}

void ck_report_purl(const struct ck_report *r, const struct ck_package *p, struct ck_buf *out)
{
    bool rpm = p->type == CK_PACKAGE_RPM;
    ck_view version = p->version, epoch = { 0 };
    if (rpm)
        epoch = split_epoch(p->version, &version);

    ck_buf_format(out, "pkg:%s/", ck_package_type_name(p->type));
    /* No part of a namespace may hold a slash, encoded or not. */
    ck_view vendor = r->os_release.id;
    if (vendor.n && ck_view_find(vendor, '/') == vendor.n) {
        put_lower(out, vendor);
        ck_put_u8(out, '/');
    }
    if (rpm) /* the only one of the three whose names have case */
        ck_report_purl_part(out, p->name);
    else
        put_lower(out, p->name);
    if (version.n) {
        ck_put_u8(out, '@');
        ck_report_purl_part(out, version);
    }

    /* In the order of their names, as the spec's canonical form wants it. */
    struct qualifiers q = { out, '?' };
    qualifier(&q, "arch", p->arch);
    put_distro(&q, &r->os_release);
    qualifier(&q, "epoch", epoch);
    qualifier(&q, "rpmmod", p->module);
    put_upstream(&q, p);
}
