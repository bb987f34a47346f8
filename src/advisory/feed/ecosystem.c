#include "advisory/feed/ecosystem.h"

/* Names: AlmaLinux and Red Hat list binary packages; Rocky Linux, SUSE, openSUSE, Mageia,
 * openEuler, Azure Linux and Photon name the source package (SUSE and openEuler list its
 * binaries beside it). */
static const struct ck_ecosystem table[] = {
    { "AlmaLinux", CK_VERSION_RPM, CK_NAME_BINARY, true },
    { "Alpaquita", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "Alpine", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "Azure Linux", CK_VERSION_RPM, CK_NAME_SOURCE, true },
    { "BellSoft Hardened Containers", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "Chainguard", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "CleanStart", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "Debian", CK_VERSION_DPKG, CK_NAME_SOURCE, false },
    { "Echo", CK_VERSION_DPKG, CK_NAME_SOURCE, false },
    { "Mageia", CK_VERSION_RPM, CK_NAME_SOURCE, true },
    { "MinimOS", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "Photon OS", CK_VERSION_RPM, CK_NAME_SOURCE, true },
    { "Red Hat", CK_VERSION_RPM, CK_NAME_BINARY, true },
    { "Rocky Linux", CK_VERSION_RPM, CK_NAME_SOURCE, true },
    { "SUSE", CK_VERSION_RPM, CK_NAME_SOURCE, true },
    { "Ubuntu", CK_VERSION_DPKG, CK_NAME_SOURCE, false },
    { "Wolfi", CK_VERSION_APK, CK_NAME_SOURCE, false },
    { "openEuler", CK_VERSION_RPM, CK_NAME_SOURCE, true },
    { "openSUSE", CK_VERSION_RPM, CK_NAME_SOURCE, true },
};
static const struct ck_ecosystem other = { "", CK_VERSION_UNKNOWN, CK_NAME_BINARY, false };

const struct ck_ecosystem *ck_ecosystem_of(ck_view name)
{
    ck_view base = ck_view_head(name, ck_view_find(name, ':'));
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (ck_view_eq(base, ck_view_str(table[i].name)))
            return &table[i];
    return &other;
}

static bool digits(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return v.n > 0;
}

bool ck_is_cve(ck_view id)
{
    if (!ck_view_starts(id, CK_V("CVE-")))
        return false;
    ck_view number, year = ck_view_split(ck_view_from(id, 4), '-', &number);
    return year.n == 4 && digits(year) && number.n >= 4 && number.n <= 19 && digits(number);
}

ck_view ck_cve_tail(ck_view id)
{
    for (size_t i = 1; i + 4 < id.n; i++) {
        ck_view tail = ck_view_from(id, i);
        if (id.p[i - 1] == '-' && ck_is_cve(tail))
            return tail;
    }
    return CK_V("");
}
