/* The order of versions, by the rules of their own ecosystem; one file each. */
#ifndef CK_VERSION_VERSION_H
#define CK_VERSION_VERSION_H

#include "base/view.h"

enum ck_version_scheme {
    CK_VERSION_DPKG, /* deb-version(7), Debian policy 5.6.12 */
    CK_VERSION_RPM,  /* rpm-version(7): [epoch:]version[-release], "~", "^" */
    CK_VERSION_APK,  /* apk-package(5): digits{.digits}[letter]{_suffix[n]}[~hash][-rN] */
    CK_VERSION_UNKNOWN, /* no order is known: only equal strings are equal */
};

/* < 0, 0, > 0. Total over all byte strings, also over those that are no versions of the scheme
 * (then by the fallback that the ecosystem's own tool uses). */
int ck_version_cmp(enum ck_version_scheme s, ck_view a, ck_view b);

/* Whether the ecosystem's own tool would accept it. */
bool ck_version_valid(enum ck_version_scheme s, ck_view v);

const char *ck_version_scheme_name(enum ck_version_scheme s);

int ck_dpkg_cmp(ck_view a, ck_view b);
bool ck_dpkg_valid(ck_view v);
/* Whole [epoch:]version[-release]. An absent epoch is 0; an absent release is older than any, as
 * where rpm compares versions ("matches any" holds for dependencies only and is no order). */
int ck_rpm_cmp(ck_view a, ck_view b);
int ck_rpmvercmp(ck_view a, ck_view b); /* one part */
bool ck_rpm_valid(ck_view v);
int ck_apk_cmp(ck_view a, ck_view b);
/* apk's operator "~": 0 where b is a prefix of a, token by token, too. No order. */
int ck_apk_cmp_prefix(ck_view a, ck_view b);
bool ck_apk_valid(ck_view v);

#endif
