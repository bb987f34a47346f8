/* What a scan has seen of an image, and the report that is made of it: the same one, whether the
 * layers were read just now or what was seen was kept (inventory_codec.h).
 */
#ifndef CK_SCAN_SEEN_H
#define CK_SCAN_SEEN_H

#include "report/report.h"

/* All that a report says beside what the packages are matched with. */
struct ck_seen {
    ck_view reference, name, digest, os, architecture, created, platforms;
    bool no_sandbox;
    struct ck_os_release os_release;
    struct ck_report_layer *layers;
    size_t n_layers;
    struct ck_report_package *packages; /* each with one location */
    size_t n_packages;
    struct ck_gap *gaps; /* of the inventory */
    size_t n_gaps;
    struct ck_name_warning *warnings;
    size_t n_warnings;
};

struct ck_assessment {
    struct ck_arena arena;
    struct ck_package *packages; /* as the matcher took them */
    struct ck_match match;
    struct ck_report_database database;
    struct ck_report report; /* without a verdict; points into the others, and into `seen` */
};

/* db may be NULL: then no vulnerability can be named, and a gap says so. *ret must not be moved,
 * and must be freed also where it failed; `seen` and `db` must outlive it. */
CK_MUST ck_err *ck_assess(const struct ck_seen *seen, const struct ck_db *db,
                          struct ck_assessment *ret);
void ck_assessment_free(struct ck_assessment *x);

#endif
