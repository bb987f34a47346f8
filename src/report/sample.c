#include "report/sample.h"

/* As CK_V, for static initialisers. */
#define V(literal) { (const uint8_t *)("" literal), sizeof(literal) - 1 }
#define LEN(array) (sizeof(array) / sizeof *(array))

static ck_view dpkg_status[] = { V("var/lib/dpkg/status") };
static ck_view distroless[] = { V("var/lib/dpkg/status.d/zlib1g"), V("var/lib/dpkg/status") };

static struct ck_report_layer debian_layers[] = {
    { .digest = V("sha256:1111111111111111111111111111111111111111111111111111111111111111"),
      .diff_id = V("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
      .media_type = V("application/vnd.oci.image.layer.v1.tar+gzip"),
      .size = 29126371,
      .created_by = V("/bin/sh -c #(nop) ADD file:4b1be1de1a1e5aa608c688cad282458726208186618"
                      "0d7368feb79d33ca05953 in / ") },
    { .digest = V("sha256:2222222222222222222222222222222222222222222222222222222222222222"),
      .diff_id = V("sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
      .media_type = V("application/vnd.oci.image.layer.v1.tar+zstd"),
      .size = 1048576,
      .created_by = V("RUN /bin/sh -c apt-get update && apt-get install -y "
                      "--no-install-recommends openssl ca-certificates linux-libc-dev "
                      "build-essential && rm -rf /var/lib/apt/lists/* && "
                      "echo \x1b[2Jdone # buildkit") },
    { .digest = V("sha256:3333333333333333333333333333333333333333333333333333333333333333"),
      .diff_id = V("sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"),
      .media_type = V("application/vnd.oci.image.layer.v1.tar"),
      .size = 512 },
};

#define DEB(name_, version_, source, its_version)                                        \
    { .type = CK_PACKAGE_DEB, .name = V(name_), .version = V(version_), .arch = V("amd64"), \
      .source_name = V(source), .source_version = V(its_version) }
#define EVIL_NAME "evil\x1b[2J\x1b]0;owned\x07name"
#define EVIL_VERSION "1.0\xe2\x80\xaetset\xff\"\\"
#define UTIL_LINUX "2.38.1-5+deb12u1"
#define OPENSSL_VERSION "3.0.15-1~deb12u1"
#define STATUS dpkg_status, 1

enum { BSDUTILS, EVIL, LIBBLKID, LIBSSL, LINUX_HEADERS, OPENSSL, PERL, ZLIB };
static struct ck_report_package debian_packages[] = {
    [BSDUTILS] = { DEB("bsdutils", "1:" UTIL_LINUX, "util-linux", UTIL_LINUX), 0, STATUS },
    [EVIL] = { DEB(EVIL_NAME, EVIL_VERSION, EVIL_NAME, EVIL_VERSION), 2, STATUS },
    [LIBBLKID] = { DEB("libblkid1", UTIL_LINUX, "util-linux", UTIL_LINUX), 0, STATUS },
    [LIBSSL] = { DEB("libssl3", OPENSSL_VERSION, "openssl", OPENSSL_VERSION), 1, STATUS },
    [LINUX_HEADERS] = { DEB("linux-libc-dev", "6.1.119-1", "linux", "6.1.119-1"), 1, STATUS },
    [OPENSSL] = { DEB("openssl", OPENSSL_VERSION, "openssl", OPENSSL_VERSION), 1, STATUS },
    [PERL] = { DEB("perl-base", "5.36.0-7+deb12u1", "perl", "5.36.0-7+deb12u1"), 0, STATUS },
    [ZLIB] = { DEB("zlib1g", "1:1.2.13.dfsg-1", "zlib", "1:1.2.13.dfsg-1"), 0, distroless, 2 },
};

#define ADVISORY(kind, id_) .id = V(id_), .advisory_source = V(kind), .advisory_id = V(id_)
#define CVSS_9_8 .cvss = V("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), .cvss_tenths = 98
#define OPENSSL_FIX                                                                             \
    .fix_state = CK_FIX_FIXED, .fix_version = V("3.0.16-1~deb12u1"), .fixed_since = 1740009600
#define OPENSSL_WHY "3.0.15-1~deb12u1 is older than 3.0.16-1~deb12u1, "
#define UTIL_LINUX_FINDING(package_)                                                            \
    { ADVISORY("debian-tracker", "CVE-2024-28085"), .package = (package_),                      \
      .severity = CK_SEVERITY_LOW, .fix_state = CK_FIX_NO_DSA,                                  \
      .why = V("Debian 12 says that util-linux is affected; a minor issue without an advisory") }

static ck_view openssl_aliases[] = { V("DSA-5764-1"), V("GHSA-xxxx-yyyy-zzzz") };
static struct ck_finding debian_findings[] = {
    { ADVISORY("debian-tracker", "CVE-2025-0001"), .package = LIBSSL, .kev = true, CVSS_9_8,
      .severity = CK_SEVERITY_CRITICAL, .aliases = openssl_aliases, .n_aliases = 2, OPENSSL_FIX,
      .why = V("libssl3 " OPENSSL_WHY "in which DSA-5764-1 fixed it") },
    { ADVISORY("debian-tracker", "CVE-2025-0001"), .package = OPENSSL, .kev = true, CVSS_9_8,
      .severity = CK_SEVERITY_CRITICAL, .aliases = openssl_aliases, .n_aliases = 2, OPENSSL_FIX,
      .why = V("openssl " OPENSSL_WHY "in which DSA-5764-1 fixed it") },
    { ADVISORY("debian-archive", "CVE-2025-10002"), .package = OPENSSL,
      .severity = CK_SEVERITY_CRITICAL, OPENSSL_FIX,
      .why = V("openssl " OPENSSL_WHY "whose changelog names it") },
    { ADVISORY("debian-tracker", "CVE-2023-45853"), .package = ZLIB,
      .severity = CK_SEVERITY_HIGH, .fix_state = CK_FIX_WONT, CVSS_9_8,
      .why = V("Debian 12 says that zlib is affected and that it will not be fixed: "
               "contrib/minizip not built") },
    { ADVISORY("debian-archive", "DEBIAN-perl-5.36.0-7+deb12u2"), .package = PERL,
      .severity = CK_SEVERITY_MEDIUM, .fix_state = CK_FIX_FIXED,
      .fix_version = V("5.36.0-7+deb12u2+really5.36.0-7+deb12u1.1~bpo11+1"),
      .why = V("a security update of perl is missing; its changelog names no CVE") },
    { ADVISORY("osv", "GHSA-aaaa-bbbb-cccc"), .package = EVIL, .severity = CK_SEVERITY_MEDIUM,
      .fix_state = CK_FIX_NONE, .advisory_url = V("javascript:alert(1)"),
      .why = V("every version of it is affected\n\x1b[31m") },
    UTIL_LINUX_FINDING(BSDUTILS),
    UTIL_LINUX_FINDING(LIBBLKID),
    { ADVISORY("debian-tracker", "CVE-2011-4116"), .package = PERL,
      .severity = CK_SEVERITY_NEGLIGIBLE, .fix_state = CK_FIX_NONE,
      .advisory_url = V("https://example.org/CVE-2011-4116"),
      .why = V("Debian 12 says that perl is affected, without consequence for security") },
    { ADVISORY("debian-tracker", "CVE-2025-9999"), .package = ZLIB,
      .severity = CK_SEVERITY_UNKNOWN, .fix_state = CK_FIX_UNDETERMINED,
      .why = V("nobody has determined yet whether zlib is affected") },
};

static struct ck_suppressed debian_suppressed[] = {
    { V("CVE-2022-0001"), LINUX_HEADERS, V("kernel-headers"),
      V("linux-libc-dev holds no kernel code") },
    { V("CVE-2022-0002"), LINUX_HEADERS, V("kernel-headers"),
      V("linux-libc-dev holds no kernel code") },
    { V("CVE-2022-0003"), ZLIB, V("not-affected"),
      V("Debian 12 says that zlib was never affected") },
};
static const struct ck_match debian_match = {
    .findings = debian_findings, .n_findings = LEN(debian_findings),
    .suppressed = debian_suppressed, .n_suppressed = LEN(debian_suppressed),
};

static struct ck_db_feed debian_feeds[] = {
    { .kind = V("debian-archive"), .source = V("http://mirror.example/debian-security"),
      .detail = V("bookworm-security,trixie-security"), .time = 1785585600,
      .digest = V("sha256:4444444444444444444444444444444444444444444444444444444444444444") },
    { .kind = V("debian-tracker"), .source = V("/srv/feeds/tracker.json"),
      .digest = V("sha256:5555555555555555555555555555555555555555555555555555555555555555"),
      .failure = V("the document shrank from 34 MiB to 2 KiB") },
};
static const struct ck_report_database debian_database = { 1785589200, debian_feeds,
                                                           LEN(debian_feeds) };

static struct ck_gap debian_gaps[] = {
    { V("feed debian-tracker"),
      V("its last update failed; the state of 2026-07-25 was used instead") },
    { V("var/lib/rpm/Packages.db"),
      V("ndb: slot 4 points behind the end of the file (offset 1073741824); "
                                            "packages listed there were not seen") },
};
static ck_view debian_reasons[] = {
    V("3 findings at or above critical"),
    V("CVE-2025-0001 in libssl3 is known to be exploited"),
};

static const struct ck_name_warning debian_warnings[] = {
    { CK_NAME_NEAR_MISS, V("debiann\x1b[2J is one letter away from the official image debian"),
      V("debian") },
    { CK_TAG_MOVES, V("the tag latest moves with each release"), V("") },
};

static const struct ck_report debian = {
    .reference = V("oci:/srv/images/app:1.4"),
    .digest = V("sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    .os = V("linux"), .architecture = V("amd64"), .created = V("2026-07-01T12:00:00Z"),
    .layers = debian_layers, .n_layers = LEN(debian_layers),
    .os_release = { .id = V("debian"), .version_id = V("12"), .version_codename = V("bookworm"),
                    .name = V("Debian GNU/Linux"),
                    .pretty_name = V("Debian GNU/Linux 12 (bookworm)") },
    .distro = { .ecosystem = V("Debian:12"), .name = V("Debian GNU/Linux 12 (bookworm)"),
                .scheme = CK_VERSION_DPKG, .known = true, .end_of_life = 1845763200 },
    .packages = debian_packages, .n_packages = LEN(debian_packages),
    .match = &debian_match,
    .gaps = debian_gaps, .n_gaps = LEN(debian_gaps),
    .decision = V("deny"), .reasons = debian_reasons, .n_reasons = LEN(debian_reasons),
    .database = &debian_database,
    .warnings = debian_warnings,
    .n_warnings = LEN(debian_warnings),
    .platforms = V("linux/arm64/v8, linux/s390x"),
};
const struct ck_report *sample_debian(void) { return &debian; }

static ck_view apk_installed[] = { V("lib/apk/db/installed") };
static struct ck_report_package alpine_packages[] = {
    { { .type = CK_PACKAGE_APK, .name = V("musl"), .version = V("1.2.5-r9"), .arch = V("x86_64"),
        .source_name = V("musl"), .source_version = V("1.2.5-r9") },
      SIZE_MAX, apk_installed, 1 },
    { { .type = CK_PACKAGE_APK, .name = V("ssl_client"), .version = V("1.37.0-r12"),
        .arch = V("x86_64"), .source_name = V("busybox"), .source_version = V("1.37.0-r12") },
      SIZE_MAX, apk_installed, 1 },
};
static const struct ck_match nothing = { 0 };
static struct ck_gap alpine_gaps[] = {
    { V("distribution Alpine Linux v3.22"), V("no feed of the database covers Alpine:v3.22") },
};
static ck_view alpine_reasons[] = { V("the assessment is incomplete: 1 gap") };
static const struct ck_report_database empty_database = { .built = 1785589200 };
static const struct ck_report alpine = {
    .reference = V("rootfs:/srv/alpine"),
    .os_release = { .id = V("alpine"), .version_id = V("3.22.1"),
                    .pretty_name = V("Alpine Linux v3.22") },
    .distro = { .ecosystem = V("Alpine:v3.22"), .known = true, .scheme = CK_VERSION_APK },
    .packages = alpine_packages, .n_packages = LEN(alpine_packages),
    .match = &nothing,
    .gaps = alpine_gaps, .n_gaps = LEN(alpine_gaps),
    .decision = V("quarantine"), .reasons = alpine_reasons, .n_reasons = LEN(alpine_reasons),
    .database = &empty_database,
};
const struct ck_report *sample_alpine_rootfs(void) { return &alpine; }

static ck_view rpm_sqlite[] = { V("usr/lib/sysimage/rpm/rpmdb.sqlite") };
static struct ck_report_package rpm_packages[] = {
    { { .type = CK_PACKAGE_RPM, .name = V("ImageMagick-libs"),
        .version = V("1:7.1.1.26-1.el9^git5"),
        .arch = V("x86_64"), .source_name = V("ImageMagick"),
        .source_version = V("1:7.1.1.26-1.el9^git5") },
      0, rpm_sqlite, 1 },
    { { .type = CK_PACKAGE_RPM, .name = V("nodejs"), .version = V("1:20.11.1-1.module_el9+1"),
        .arch = V("x86_64"), .source_name = V("nodejs"),
        .source_version = V("1:20.11.1-1.module_el9+1"), .module = V("nodejs:20") },
      0, rpm_sqlite, 1 },
};
static struct ck_report_layer rpm_layers[] = {
    { .diff_id = V("sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"),
      .size = 1024 },
};
static struct ck_gap rpm_gaps[] = {
    { V("advisory database"), V("there is none at /var/lib/cocket/advisory.db") },
};
static const struct ck_report rpm = {
    .reference = V("docker-archive:alma.tar"),
    .digest = V("sha256:eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"),
    .os = V("linux"), .architecture = V("amd64"),
    .layers = rpm_layers, .n_layers = LEN(rpm_layers),
    .os_release = { .id = V("AlmaLinux"), .version_id = V("9.6"), .name = V("AlmaLinux") },
    .distro = { .ecosystem = V("AlmaLinux:9"), .known = true, .scheme = CK_VERSION_RPM },
    .packages = rpm_packages, .n_packages = LEN(rpm_packages),
    .gaps = rpm_gaps, .n_gaps = LEN(rpm_gaps),
    .decision = V("quarantine"), .reasons = alpine_reasons, .n_reasons = LEN(alpine_reasons),
};
const struct ck_report *sample_rpm_unmatched(void) { return &rpm; }

/* Package i of the large report: sources with three binary packages each. */
static void large_package(size_t i, struct ck_arena *a, struct ck_report_package *p)
{
    static const char *const source[] = { "openssl", "glibc", "util-linux", "systemd", "linux",
                                          "imagemagick", "gnutls28", "openjdk-17", "nodejs",
                                          "ffmpeg" };
    const char *name = source[i / 3 % LEN(source)];
    const char *version = ck_arena_format(a, "%zu.%zu.%zu-%zu+deb12u%zu", 1 + i / 3 % 7, i / 3 % 11,
                                          i / 3 % 5, 1 + i / 3 % 3, 1 + i / 30);
    *p = (struct ck_report_package){
        .p = { .type = CK_PACKAGE_DEB, .arch = CK_V("amd64"),
               .name = ck_view_str(ck_arena_format(a, "lib%s%zu-%zu", name, i % 3, i / 30)),
               .version = ck_view_str(version), .source_version = ck_view_str(version),
               .source_name = ck_view_str(ck_arena_format(a, i < 30 ? "%s" : "%s-%zu", name,
                                                          i / 30)) },
        .layer = i % 3, .locations = dpkg_status, .n_locations = 1,
    };
}

static ck_view large_why(size_t package, const struct ck_package *p, const char *fix,
                         struct ck_arena *a)
{
    if (!fix)
        return ck_view_str(ck_arena_format(a, "Debian 12 says that %.*s is affected; not fixed",
                                           CK_VF(p->source_name)));
    return ck_view_str(
        ck_arena_format(a, "%.*s %.*s is older than %s, in which DSA-%zu-1 fixed it",
                        CK_VF(p->source_name), CK_VF(p->source_version), fix, 5000 + package / 3));
}

static void large_finding(size_t i, struct ck_arena *a, const struct ck_report *r,
                          struct ck_finding *f)
{
    static const enum ck_severity severities[] = {
        CK_SEVERITY_CRITICAL, CK_SEVERITY_HIGH,       CK_SEVERITY_MEDIUM,  CK_SEVERITY_MEDIUM,
        CK_SEVERITY_LOW,      CK_SEVERITY_NEGLIGIBLE, CK_SEVERITY_UNKNOWN, CK_SEVERITY_HIGH,
    };
    static const enum ck_fix_state states[] = { CK_FIX_FIXED, CK_FIX_FIXED, CK_FIX_NO_DSA,
                                                CK_FIX_NONE,  CK_FIX_FIXED, CK_FIX_POSTPONED };
    size_t package = i * 7 % 31 % r->n_packages;
    const struct ck_package *p = &r->packages[package].p;
    enum ck_fix_state state = states[package % LEN(states)];
    const char *fix = ck_arena_format(a, "%.*s.1~security1", CK_VF(p->source_version));
    fix = state == CK_FIX_FIXED ? fix : NULL;
    *f = (struct ck_finding){
        .id = ck_view_str(ck_arena_format(a, "CVE-20%02zu-%zu", 15 + i % 12, 1000 + i * 37)),
        .package = package,
        .severity = severities[(i / 3 + package) % LEN(severities)],
        .kev = i % 97 == 5,
        .fix_state = state,
        .fix_version = ck_view_str(fix ? fix : ""),
        .advisory_source = CK_V("debian-tracker"),
        .why = large_why(package, p, fix, a),
    };
}

void sample_large(size_t n, struct ck_arena *a, struct ck_report *ret)
{
    struct ck_match *m = ck_arena_alloc(a, 1, sizeof *m);
    *ret = debian;
    ret->n_packages = 90;
    ret->packages = ck_arena_alloc(a, ret->n_packages, sizeof *ret->packages);
    for (size_t i = 0; i < ret->n_packages; i++)
        large_package(i, a, &ret->packages[i]);
    m->findings = ck_arena_alloc(a, n, sizeof *m->findings);
    m->n_findings = n;
    for (size_t i = 0; i < n; i++)
        large_finding(i, a, ret, &m->findings[i]);
    ret->match = m;
}
