#include "version/version.h"

#include "version/digits.h"

static bool any_valid(ck_view v)
{
    return v.n > 0;
}

static const struct {
    const char *name;
    int (*cmp)(ck_view a, ck_view b);
    bool (*valid)(ck_view v);
} schemes[] = {
    [CK_VERSION_DPKG] = { "dpkg", ck_dpkg_cmp, ck_dpkg_valid },
    [CK_VERSION_RPM] = { "rpm", ck_rpm_cmp, ck_rpm_valid },
    [CK_VERSION_APK] = { "apk", ck_apk_cmp, ck_apk_valid },
    [CK_VERSION_UNKNOWN] = { "unknown", ck_view_cmp, any_valid },
};

/* A scheme that is none counts as unknown: the number may come from a database. */
static size_t index_of(enum ck_version_scheme s)
{
    return (size_t)s <= CK_VERSION_UNKNOWN ? (size_t)s : CK_VERSION_UNKNOWN;
}

int ck_version_cmp(enum ck_version_scheme s, ck_view a, ck_view b)
{
    return schemes[index_of(s)].cmp(a, b);
}

bool ck_version_valid(enum ck_version_scheme s, ck_view v)
{
    return schemes[index_of(s)].valid(v);
}

const char *ck_version_scheme_name(enum ck_version_scheme s)
{
    return schemes[index_of(s)].name;
}

int ck_digits_cmp(ck_view a, ck_view b)
{
    while (a.n && a.p[0] == '0')
        a = ck_view_from(a, 1);
    while (b.n && b.p[0] == '0')
        b = ck_view_from(b, 1);
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return ck_view_cmp(a, b);
}

ck_view ck_digits_take(ck_view *v)
{
    size_t n = 0;
    while (n < v->n && ck_is_digit(v->p[n]))
        n++;
    ck_view digits = ck_view_head(*v, n);
    *v = ck_view_from(*v, n);
    return digits;
}
