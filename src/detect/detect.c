#include "detect/detect.h"

static const struct ck_detector detectors[] = {
    { CK_DETECT_OS_RELEASE, "os-release", CK_LIMIT_FILE_OS_RELEASE, ck_detect_os_release },
    { CK_DETECT_DPKG, "dpkg", CK_LIMIT_FILE_DPKG, ck_detect_dpkg },
    { CK_DETECT_DPKG_D, "dpkg-status.d", CK_LIMIT_FILE_DPKG, ck_detect_dpkg },
    { CK_DETECT_APK, "apk", CK_LIMIT_FILE_APK, ck_detect_apk },
    { CK_DETECT_RPM_BDB, "rpm-bdb", CK_LIMIT_FILE_RPM, ck_detect_rpm_bdb },
    { CK_DETECT_RPM_NDB, "rpm-ndb", CK_LIMIT_FILE_RPM, ck_detect_rpm_ndb },
    { CK_DETECT_RPM_SQLITE, "rpm-sqlite", CK_LIMIT_FILE_RPM, ck_detect_rpm_sqlite },
};
#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* The directories in which rpm keeps or kept its database. */
#define RPM_PLACES(dir)                                      \
    { dir "/rpmdb.sqlite", CK_DETECT_RPM_SQLITE, false },    \
    { dir "/Packages.db", CK_DETECT_RPM_NDB, false },        \
    { dir "/Packages", CK_DETECT_RPM_BDB, false }

const struct ck_detect_place ck_detect_places[] = {
    { "etc/os-release", CK_DETECT_OS_RELEASE, false },
    { "usr/lib/os-release", CK_DETECT_OS_RELEASE, false },
    { "var/lib/dpkg/status", CK_DETECT_DPKG, false },
    { "var/lib/dpkg/status.d", CK_DETECT_DPKG_D, true },
    { "lib/apk/db/installed", CK_DETECT_APK, false },
    { "usr/lib/apk/db/installed", CK_DETECT_APK, false },
    RPM_PLACES("var/lib/rpm"),
    RPM_PLACES("usr/lib/sysimage/rpm"),
    RPM_PLACES("usr/share/rpm"),
};
const size_t ck_detect_places_count = COUNT(ck_detect_places);

#define WAL_WHY "holds changes of the rpm database that are not in the database file yet"
#define JOURNAL_WHY "holds pages of the rpm database from before a change that was not finished"
#define RPM_PENDING(dir)                        \
    { dir "/rpmdb.sqlite-wal", WAL_WHY },       \
    { dir "/rpmdb.sqlite-journal", JOURNAL_WHY }

const struct ck_detect_pending ck_detect_pendings[] = {
    RPM_PENDING("var/lib/rpm"),
    RPM_PENDING("usr/lib/sysimage/rpm"),
    RPM_PENDING("usr/share/rpm"),
};
const size_t ck_detect_pendings_count = COUNT(ck_detect_pendings);

const struct ck_detector *ck_detector_by_id(unsigned id)
{
    for (size_t i = 0; i < COUNT(detectors); i++)
        if ((unsigned)detectors[i].id == id)
            return &detectors[i];
    return NULL;
}

/* A file right in the directory; distroless images put file lists beside the packages. */
static bool is_in(ck_view path, ck_view dir)
{
    if (!ck_view_starts(path, dir) || path.n <= dir.n + 1 || path.p[dir.n] != '/')
        return false;
    ck_view name = ck_view_from(path, dir.n + 1);
    return ck_view_find(name, '/') == name.n && !ck_view_ends(name, CK_V(".md5sums"));
}

const struct ck_detector *ck_detector_for_path(ck_view path)
{
    for (size_t i = 0; i < COUNT(ck_detect_places); i++) {
        const struct ck_detect_place *place = &ck_detect_places[i];
        ck_view at = ck_view_str(place->path);
        if (place->dir ? is_in(path, at) : ck_view_eq(path, at))
            return ck_detector_by_id(place->id);
    }
    return NULL;
}
