/* Detectors: one file per kind of package database. A detector sees the whole content of one file
 * (at most `limit` bytes), without I/O, and says facts.
 *
 * Error contract of `run`: broken input is no reason to fail the image; the detector says what it
 * could read and adds a CK_FACT_GAP that names the place and the rule (at most 17 a file; the last
 * one counts the rest). It returns an error only for limits that cost the image its verdict:
 * PACKAGES, and the ceiling of `out` (FACTS). Nothing else; it never goes past the ceiling.
 */
#ifndef CK_DETECT_DETECT_H
#define CK_DETECT_DETECT_H

#include "detect/facts.h"

typedef ck_err *(*ck_detect_fn)(ck_view content, struct ck_buf *out);

enum ck_detector_id {
    CK_DETECT_OS_RELEASE = 1,
    CK_DETECT_DPKG,     /* var/lib/dpkg/status */
    CK_DETECT_DPKG_D,   /* var/lib/dpkg/status.d/NAME; *.md5sums there are not packages */
    CK_DETECT_APK,
    CK_DETECT_RPM_BDB,
    CK_DETECT_RPM_NDB,
    CK_DETECT_RPM_SQLITE,
    CK_DETECT_COUNT_
};

struct ck_detector {
    enum ck_detector_id id;
    const char *name;    /* "rpm-ndb" */
    enum ck_limit limit; /* of the file's size */
    ck_detect_fn run;
};

/* NULL for an unknown id. */
const struct ck_detector *ck_detector_by_id(unsigned id);

/* Where the merged tree is asked for a detector's file. `dir`: every file right in the directory
 * for which ck_detector_for_path is not NULL. Several places may resolve to the same file; it
 * counts once. Of the places of os-release only the first that exists counts (os-release(5)); of
 * all other kinds every one that exists. */
struct ck_detect_place {
    const char *path;
    enum ck_detector_id id;
    bool dir;
};
extern const struct ck_detect_place ck_detect_places[];
extern const size_t ck_detect_places_count;

/* A file that, where it exists and is not empty in the merged tree, makes what the database beside
 * it says incomplete: the hub adds the gap "PATH WHY". Its content is not read. */
struct ck_detect_pending {
    const char *path; /* "var/lib/rpm/rpmdb.sqlite-wal" */
    const char *why;
};
extern const struct ck_detect_pending ck_detect_pendings[];
extern const size_t ck_detect_pendings_count;

/* The detector that reads the file at this (normalised) path in a layer, by its path alone, or
 * NULL. It is how the first pass knows what to read; what links lead to elsewhere is read in a
 * second pass. */
const struct ck_detector *ck_detector_for_path(ck_view path);

ck_err *ck_detect_os_release(ck_view content, struct ck_buf *out);
ck_err *ck_detect_dpkg(ck_view content, struct ck_buf *out);
ck_err *ck_detect_apk(ck_view content, struct ck_buf *out);
ck_err *ck_detect_rpm_bdb(ck_view content, struct ck_buf *out);
ck_err *ck_detect_rpm_ndb(ck_view content, struct ck_buf *out);
ck_err *ck_detect_rpm_sqlite(ck_view content, struct ck_buf *out);

#endif
