/* Which distribution it is, as the feeds name it: OSV ecosystem, order of versions, end of life. */
#include "advisory/match_int.h"

#include "base/text.h"

#include <stdio.h>

/* How the release stands in the ecosystem's name. */
enum form {
    FORM_NONE,        /* "Wolfi" */
    FORM_WHOLE,       /* VERSION_ID as it is */
    FORM_MAJOR,       /* "AlmaLinux:8" of 8.10 */
    FORM_MINOR,       /* "Alpine:v3.10" of 3.10.9 */
    FORM_DEBIAN,      /* major, or by code name in testing */
    FORM_UBUNTU,      /* "Ubuntu:22.04:LTS" */
    FORM_SERVICE_PACK /* "SUSE:Linux Enterprise Server 15 SP5" of 15.5 */
};

struct rule {
    const char *id;
    const char *prefix;
    enum form form;
    enum ck_version_scheme scheme;
    bool derived; /* matched by the advisories of another distribution */
};

/* ID of os-release(5), also for a word of ID_LIKE. */
static const struct rule rules[] = {
    { "debian", "Debian:", FORM_DEBIAN, CK_VERSION_DPKG, false },
    { "ubuntu", "Ubuntu:", FORM_UBUNTU, CK_VERSION_DPKG, false },
    { "echo", "Echo", FORM_NONE, CK_VERSION_DPKG, false },
    { "alpine", "Alpine:v", FORM_MINOR, CK_VERSION_APK, false },
    { "wolfi", "Wolfi", FORM_NONE, CK_VERSION_APK, false },
    { "chainguard", "Chainguard", FORM_NONE, CK_VERSION_APK, false },
    { "minimos", "MinimOS", FORM_NONE, CK_VERSION_APK, false },
    { "alpaquita", "Alpaquita:", FORM_WHOLE, CK_VERSION_APK, false },
    { "bellsoft-hardened-containers", "BellSoft Hardened Containers:", FORM_WHOLE, CK_VERSION_APK,
      false },
    { "almalinux", "AlmaLinux:", FORM_MAJOR, CK_VERSION_RPM, false },
    { "rocky", "Rocky Linux:", FORM_MAJOR, CK_VERSION_RPM, false },
    { "rhel", "Red Hat:enterprise_linux:", FORM_MAJOR, CK_VERSION_RPM, false },
    { "centos", "Red Hat:enterprise_linux:", FORM_MAJOR, CK_VERSION_RPM, true },
    { "ol", "Oracle Linux:", FORM_MAJOR, CK_VERSION_RPM, false },
    { "amzn", "Amazon Linux:", FORM_WHOLE, CK_VERSION_RPM, false },
    { "fedora", "Fedora:", FORM_WHOLE, CK_VERSION_RPM, false },
    { "sles", "SUSE:Linux Enterprise Server ", FORM_SERVICE_PACK, CK_VERSION_RPM, false },
    { "sles_sap", "SUSE:Linux Enterprise Server for SAP Applications ", FORM_SERVICE_PACK,
      CK_VERSION_RPM, false },
    { "sled", "SUSE:Linux Enterprise Desktop ", FORM_SERVICE_PACK, CK_VERSION_RPM, false },
    { "sle-micro", "SUSE:Linux Enterprise Micro ", FORM_WHOLE, CK_VERSION_RPM, false },
    { "sl-micro", "SUSE:Linux Micro ", FORM_WHOLE, CK_VERSION_RPM, false },
    { "opensuse-leap", "openSUSE:Leap ", FORM_WHOLE, CK_VERSION_RPM, false },
    { "opensuse-tumbleweed", "openSUSE:Tumbleweed", FORM_NONE, CK_VERSION_RPM, false },
    { "photon", "Photon OS:", FORM_WHOLE, CK_VERSION_RPM, false },
    { "azurelinux", "Azure Linux:", FORM_MAJOR, CK_VERSION_RPM, false },
    { "mariner", "Azure Linux:", FORM_MAJOR, CK_VERSION_RPM, false },
    { "openEuler", "openEuler:", FORM_WHOLE, CK_VERSION_RPM, false },
    { "mageia", "Mageia:", FORM_WHOLE, CK_VERSION_RPM, false },
};

/* Code names: testing has no VERSION_ID, and derivatives keep the name but not the number. */
static const struct {
    const char *id, *codename, *version;
} codenames[] = {
    { "debian", "wheezy", "7" },    { "debian", "jessie", "8" },    { "debian", "stretch", "9" },
    { "debian", "buster", "10" },   { "debian", "bullseye", "11" }, { "debian", "bookworm", "12" },
    { "debian", "trixie", "13" },   { "debian", "forky", "14" },    { "debian", "duke", "15" },
    { "ubuntu", "trusty", "14.04" }, { "ubuntu", "xenial", "16.04" },
    { "ubuntu", "bionic", "18.04" }, { "ubuntu", "focal", "20.04" },
    { "ubuntu", "jammy", "22.04" },  { "ubuntu", "noble", "24.04" },
    { "ubuntu", "resolute", "26.04" },
};

/* The last day of security support that reaches everybody without a contract, by ecosystem: for
 * Debian with LTS, for Ubuntu without Pro, for SUSE without LTSS. Sources: distro-info-data, the
 * vendors' life cycle pages. CentOS has its own days: "centos:8". */
static const struct {
    const char *release, *day;
} end_of_life[] = {
    { "Debian:7", "2018-05-31" },  { "Debian:8", "2020-06-30" },  { "Debian:9", "2022-06-30" },
    { "Debian:10", "2024-06-30" }, { "Debian:11", "2026-08-31" }, { "Debian:12", "2028-06-30" },
    { "Debian:13", "2030-06-30" },
    { "Ubuntu:12.04:LTS", "2017-04-28" }, { "Ubuntu:14.04:LTS", "2019-04-25" },
    { "Ubuntu:16.04:LTS", "2021-04-30" }, { "Ubuntu:16.10", "2017-07-20" },
    { "Ubuntu:17.04", "2018-01-13" },     { "Ubuntu:17.10", "2018-07-19" },
    { "Ubuntu:18.04:LTS", "2023-05-31" }, { "Ubuntu:18.10", "2019-07-18" },
    { "Ubuntu:19.04", "2020-01-23" },     { "Ubuntu:19.10", "2020-07-17" },
    { "Ubuntu:20.04:LTS", "2025-05-29" }, { "Ubuntu:20.10", "2021-07-22" },
    { "Ubuntu:21.04", "2022-01-20" },     { "Ubuntu:21.10", "2022-07-14" },
    { "Ubuntu:22.04:LTS", "2027-06-01" }, { "Ubuntu:22.10", "2023-07-20" },
    { "Ubuntu:23.04", "2024-01-25" },     { "Ubuntu:23.10", "2024-07-11" },
    { "Ubuntu:24.04:LTS", "2029-05-31" }, { "Ubuntu:24.10", "2025-07-10" },
    { "Ubuntu:25.04", "2026-01-15" },     { "Ubuntu:25.10", "2026-07-09" },
    { "Ubuntu:26.04:LTS", "2031-05-29" },
    { "Alpine:v3.0", "2016-05-01" },  { "Alpine:v3.1", "2016-11-01" },
    { "Alpine:v3.2", "2017-05-01" },  { "Alpine:v3.3", "2017-11-01" },
    { "Alpine:v3.4", "2018-05-01" },  { "Alpine:v3.5", "2018-11-01" },
    { "Alpine:v3.6", "2019-05-01" },  { "Alpine:v3.7", "2019-11-01" },
    { "Alpine:v3.8", "2020-05-01" },  { "Alpine:v3.9", "2020-11-01" },
    { "Alpine:v3.10", "2021-05-01" }, { "Alpine:v3.11", "2021-11-01" },
    { "Alpine:v3.12", "2022-05-01" }, { "Alpine:v3.13", "2022-11-01" },
    { "Alpine:v3.14", "2023-05-01" }, { "Alpine:v3.15", "2023-11-01" },
    { "Alpine:v3.16", "2024-05-23" }, { "Alpine:v3.17", "2024-11-22" },
    { "Alpine:v3.18", "2025-05-09" }, { "Alpine:v3.19", "2025-11-01" },
    { "Alpine:v3.20", "2026-04-01" }, { "Alpine:v3.21", "2026-11-01" },
    { "Alpine:v3.22", "2027-05-01" }, { "Alpine:v3.23", "2027-11-01" },
    { "AlmaLinux:8", "2029-03-01" },  { "AlmaLinux:9", "2032-05-31" },
    { "AlmaLinux:10", "2035-05-31" },
    { "Rocky Linux:8", "2029-05-31" }, { "Rocky Linux:9", "2032-05-31" },
    { "Rocky Linux:10", "2035-05-31" },
    { "centos:6", "2020-11-30" }, { "centos:7", "2024-06-30" }, { "centos:8", "2021-12-31" },
    { "centos:9", "2027-05-31" }, { "centos:10", "2030-05-31" },
    { "Red Hat:enterprise_linux:5", "2017-03-31" }, { "Red Hat:enterprise_linux:6", "2020-11-30" },
    { "Red Hat:enterprise_linux:7", "2024-06-30" }, { "Red Hat:enterprise_linux:8", "2029-05-31" },
    { "Red Hat:enterprise_linux:9", "2032-05-31" }, { "Red Hat:enterprise_linux:10", "2035-05-31" },
    { "Oracle Linux:6", "2021-03-31" }, { "Oracle Linux:7", "2024-12-31" },
    { "Oracle Linux:8", "2029-07-31" }, { "Oracle Linux:9", "2032-06-30" },
    { "Oracle Linux:10", "2035-06-30" },
    { "Amazon Linux:2018.03", "2023-12-31" }, { "Amazon Linux:2", "2026-06-30" },
    { "Amazon Linux:2023", "2029-06-30" },
    { "SUSE:Linux Enterprise Server 11 SP4", "2019-03-31" },
    { "SUSE:Linux Enterprise Server 12", "2016-06-30" },
    { "SUSE:Linux Enterprise Server 12 SP1", "2017-05-31" },
    { "SUSE:Linux Enterprise Server 12 SP2", "2018-03-31" },
    { "SUSE:Linux Enterprise Server 12 SP3", "2019-06-30" },
    { "SUSE:Linux Enterprise Server 12 SP4", "2020-06-30" },
    { "SUSE:Linux Enterprise Server 12 SP5", "2024-10-31" },
    { "SUSE:Linux Enterprise Server 15", "2019-12-31" },
    { "SUSE:Linux Enterprise Server 15 SP1", "2021-01-31" },
    { "SUSE:Linux Enterprise Server 15 SP2", "2021-12-31" },
    { "SUSE:Linux Enterprise Server 15 SP3", "2022-12-31" },
    { "SUSE:Linux Enterprise Server 15 SP4", "2023-12-31" },
    { "SUSE:Linux Enterprise Server 15 SP5", "2024-12-31" },
    { "SUSE:Linux Enterprise Server 15 SP6", "2025-12-31" },
    { "SUSE:Linux Enterprise Server 15 SP7", "2031-07-31" },
    { "openSUSE:Leap 42.1", "2017-05-17" }, { "openSUSE:Leap 42.2", "2018-01-26" },
    { "openSUSE:Leap 42.3", "2019-07-01" }, { "openSUSE:Leap 15.0", "2019-12-03" },
    { "openSUSE:Leap 15.1", "2021-02-02" }, { "openSUSE:Leap 15.2", "2022-01-04" },
    { "openSUSE:Leap 15.3", "2022-12-31" }, { "openSUSE:Leap 15.4", "2023-12-07" },
    { "openSUSE:Leap 15.5", "2024-12-31" }, { "openSUSE:Leap 15.6", "2026-04-30" },
    { "openSUSE:Leap 16.0", "2027-10-31" },
    { "Fedora:30", "2020-05-26" }, { "Fedora:31", "2020-11-24" }, { "Fedora:32", "2021-05-25" },
    { "Fedora:33", "2021-11-30" }, { "Fedora:34", "2022-06-07" }, { "Fedora:35", "2022-12-13" },
    { "Fedora:36", "2023-05-16" }, { "Fedora:37", "2023-12-05" }, { "Fedora:38", "2024-05-21" },
    { "Fedora:39", "2024-11-26" }, { "Fedora:40", "2025-05-13" }, { "Fedora:41", "2025-12-15" },
    { "Fedora:42", "2026-05-13" }, { "Fedora:43", "2026-12-09" },
    { "Photon OS:1.0", "2022-02-28" }, { "Photon OS:2.0", "2022-12-31" },
    { "Photon OS:3.0", "2024-03-01" },
    { "Azure Linux:1", "2023-07-31" }, { "Azure Linux:2", "2025-07-31" },
};

/* Products whose packages one image may hold, beside the distribution's own ecosystem: OSV names
 * Red Hat's by repository and SUSE's by module. The release stands between `other` and `tail`. */
static const struct {
    const char *prefix; /* of the ecosystem */
    const char *other, *tail;
} siblings[] = {
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", "::baseos" },
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", "::appstream" },
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", "::crb" },
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", "::supplementary" },
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", "::highavailability" },
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", "::server" },
    { "Red Hat:enterprise_linux:", "Red Hat:enterprise_linux:", ".0" },
    { "SUSE:Linux Enterprise Server ", "SUSE:Linux Enterprise Module for Basesystem ", "" },
    { "SUSE:Linux Enterprise Server ",
      "SUSE:Linux Enterprise Module for Server Applications ", "" },
    { "SUSE:Linux Enterprise Server ",
      "SUSE:Linux Enterprise Module for Development Tools ", "" },
    { "SUSE:Linux Enterprise Server ",
      "SUSE:Linux Enterprise Module for Web and Scripting ", "" },
    { "SUSE:Linux Enterprise Server ", "SUSE:Linux Enterprise Module for Containers ", "" },
    { "SUSE:Linux Enterprise Server ", "SUSE:Linux Enterprise Module for Legacy ", "" },
    { "SUSE:Linux Enterprise Server ", "SUSE:Linux Enterprise Module for Python 3 ", "" },
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct rule *rule_of(ck_view id)
{
    for (size_t i = 0; i < COUNT(rules); i++)
        if (ck_view_eq(id, ck_view_str(rules[i].id)))
            return &rules[i];
    return NULL;
}

static ck_view version_of_codename(const char *id, ck_view codename)
{
    for (size_t i = 0; i < COUNT(codenames); i++)
        if (strcmp(codenames[i].id, id) == 0 &&
            ck_view_eq(codename, ck_view_str(codenames[i].codename)))
            return ck_view_str(codenames[i].version);
    return CK_V("");
}

/* The release: VERSION_ID; for Debian and Ubuntu by code name where it is missing, or where the
 * distribution is another one, whose numbers mean nothing here. */
static ck_view version_of(const struct rule *r, const struct ck_os_release *os, bool like)
{
    bool named = r->form == FORM_DEBIAN || r->form == FORM_UBUNTU;
    ck_view by_name = named ? version_of_codename(r->id, os->version_codename) : CK_V("");
    return (like && named) || os->version_id.n == 0 ? by_name : os->version_id;
}

static ck_view major_of(ck_view version)
{
    return ck_view_head(version, ck_view_find(version, '.'));
}

static bool is_version(ck_view v)
{
    return v.n && v.p[0] >= '0' && v.p[0] <= '9';
}

/* "Alpine:v3.10"; a pre-release is the development branch. */
static ck_view minor_ecosystem(const struct rule *r, ck_view version, struct ck_arena *a)
{
    ck_view rest, minor;
    ck_view major = ck_view_split(version, '.', &rest);
    minor = ck_view_head(rest, ck_view_find(rest, '.'));
    if (ck_view_find(version, '_') < version.n)
        return CK_V("Alpine:edge");
    if (minor.n == 0)
        return CK_V("");
    return ck_view_str(ck_arena_format(a, "%s%.*s.%.*s", r->prefix, CK_VF(major), CK_VF(minor)));
}

/* Every second year's April release is supported for long. */
static ck_view ubuntu_ecosystem(ck_view version, struct ck_arena *a)
{
    uint64_t year;
    bool lts = ck_view_u64(major_of(version), &year) && year % 2 == 0 &&
               ck_view_ends(version, CK_V(".04"));
    return ck_view_str(ck_arena_format(a, "Ubuntu:%.*s%s", CK_VF(version), lts ? ":LTS" : ""));
}

static ck_view service_pack(const struct rule *r, ck_view version, struct ck_arena *a)
{
    ck_view pack;
    ck_view major = ck_view_split(version, '.', &pack);
    uint64_t number;
    bool packed = ck_view_u64(pack, &number) && number > 0;
    bool numbered = ck_view_u64(major, &number) && number >= 16; /* 16.0 has no service packs */
    if (numbered)
        return ck_view_str(ck_arena_format(a, "%s%.*s", r->prefix, CK_VF(version)));
    if (packed)
        return ck_view_str(ck_arena_format(a, "%s%.*s SP%.*s", r->prefix, CK_VF(major),
                                           CK_VF(pack)));
    return ck_view_str(ck_arena_format(a, "%s%.*s", r->prefix, CK_VF(major)));
}

/* Empty where the release is not known. */
static ck_view ecosystem_of(const struct rule *r, ck_view version, struct ck_arena *a)
{
    if (r->form == FORM_NONE)
        return ck_view_str(r->prefix);
    if (!is_version(version) || version.n > 32)
        return CK_V("");
    switch (r->form) {
    case FORM_MINOR:
        return minor_ecosystem(r, version, a);
    case FORM_UBUNTU:
        return ubuntu_ecosystem(version, a);
    case FORM_SERVICE_PACK:
        return service_pack(r, version, a);
    case FORM_MAJOR:
    case FORM_DEBIAN:
        version = major_of(version);
        break;
    case FORM_NONE:
    case FORM_WHOLE:
        break;
    }
    return ck_view_str(ck_arena_format(a, "%s%.*s", r->prefix, CK_VF(version)));
}

static int64_t end_of_day(const char *day)
{
    char text[32];
    int64_t at = 0;
    snprintf(text, sizeof text, "%sT23:59:59Z", day);
    return ck_parse_time(ck_view_str(text), &at) ? at : 0;
}

static int64_t end_of(ck_view release)
{
    for (size_t i = 0; i < COUNT(end_of_life); i++)
        if (ck_view_eq(release, ck_view_str(end_of_life[i].release)))
            return end_of_day(end_of_life[i].day);
    return 0;
}

size_t ck_distro_ends(struct ck_arena *a, int64_t **ret)
{
    int64_t *v = ck_arena_alloc(a, COUNT(end_of_life), sizeof *v);
    for (size_t i = 0; i < COUNT(end_of_life); i++)
        v[i] = end_of_day(end_of_life[i].day);
    *ret = v;
    return COUNT(end_of_life);
}

static bool apply(const struct rule *r, const struct ck_os_release *os, bool like,
                  struct ck_arena *a, struct ck_distro *ret)
{
    ck_view version = version_of(r, os, like);
    ck_view ecosystem = ecosystem_of(r, version, a);
    if (ecosystem.n == 0)
        return false;
    ret->ecosystem = ecosystem;
    ret->scheme = r->scheme;
    ret->known = true;
    ret->by_id_like = like || r->derived;
    ck_view own = ck_view_str(ck_arena_format(a, "%s:%.*s", r->id, CK_VF(major_of(version))));
    ret->end_of_life = r->derived ? end_of(own) : end_of(ecosystem);
    return true;
}

static ck_view display_name(const struct ck_os_release *os, struct ck_arena *a)
{
    if (os->pretty_name.n)
        return os->pretty_name;
    ck_view name = os->name.n ? os->name : os->id;
    if (os->version_id.n == 0)
        return name;
    return ck_view_str(ck_arena_format(a, "%.*s %.*s", CK_VF(name), CK_VF(os->version_id)));
}

void ck_distro_of(const struct ck_os_release *os, struct ck_arena *a, struct ck_distro *ret)
{
    *ret = (struct ck_distro){ .ecosystem = CK_V(""), .name = display_name(os, a),
                               .scheme = CK_VERSION_UNKNOWN };
    const struct rule *r = rule_of(os->id);
    if (r) {
        /* A known distribution in an unknown release is not judged by its ancestors'. */
        apply(r, os, false, a, ret);
        return;
    }
    ck_view words = os->id_like;
    while (words.n && !ret->known) {
        ck_view rest, word = ck_view_split(words, ' ', &rest);
        r = rule_of(word);
        if (r)
            apply(r, os, true, a, ret);
        words = rest;
    }
}

size_t ck_distro_ecosystems(const struct ck_distro *d, struct ck_arena *a, ck_view **ret)
{
    ck_view *v = ck_arena_alloc(a, 1 + COUNT(siblings), sizeof *v);
    size_t n = 0;
    v[n++] = d->ecosystem;
    for (size_t i = 0; i < COUNT(siblings); i++) {
        ck_view prefix = ck_view_str(siblings[i].prefix);
        if (!ck_view_starts(d->ecosystem, prefix))
            continue;
        ck_view release = ck_view_from(d->ecosystem, prefix.n);
        v[n++] = ck_view_str(ck_arena_format(a, "%s%.*s%s", siblings[i].other, CK_VF(release),
                                             siblings[i].tail));
    }
    *ret = v;
    return n;
}
