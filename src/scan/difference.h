/* What is different: between what was and is known of one image, and between two images. Pure.
 */
#ifndef CK_SCAN_DIFFERENCE_H
#define CK_SCAN_DIFFERENCE_H

#include "policy/facts.h"
#include "report/report.h"

/* What became of a finding; several may hold at once, but for NEW and GONE. */
enum ck_finding_event {
    CK_FINDING_NEW,
    CK_FINDING_GONE,
    CK_FINDING_SEVERITY,  /* another one */
    CK_FINDING_FIXABLE,   /* a fix came out */
    CK_FINDING_EXPLOITED, /* is now known to be */
    CK_FINDING_OTHER,     /* version (of two images), fix version, or its state without a fix */
    CK_FINDING_EVENT_COUNT_
};
const char *ck_finding_event_name(enum ck_finding_event e); /* "new", ... */

struct ck_finding_change {
    unsigned what;                         /* bits: 1 << CK_FINDING_... */
    const struct ck_fact_finding *before;  /* NULL: new */
    const struct ck_fact_finding *after;   /* NULL: gone */
};
struct ck_finding_changes {
    struct ck_finding_change *v; /* by package, id, version; what is as it was is left out */
    size_t n;
    size_t counts[CK_FINDING_EVENT_COUNT_];
};

/* A finding is the same by id, package and (of one image) version; one that is known by another of
 * its names now is the same too. Points into both; arrays in `a`. */
enum ck_difference_of { CK_OF_ONE_IMAGE, CK_OF_TWO_IMAGES };
void ck_findings_between(const struct ck_facts *before, const struct ck_facts *after,
                         enum ck_difference_of of, struct ck_arena *a,
                         struct ck_finding_changes *ret);

struct ck_package_change {
    const struct ck_report_package *before, *after; /* NULL: added; removed; else another version */
};
struct ck_package_changes {
    struct ck_package_change *v; /* by name, type, architecture */
    size_t n;
    size_t added, removed, changed;
};
void ck_packages_between(const struct ck_report *before, const struct ck_report *after,
                         struct ck_arena *a, struct ck_package_changes *ret);

/* Both append one JSON object, whose lists have at most `max` entries each; counts are whole.
 *
 * Of one image: {"counts":{"new":N,...},"new":[FINDING],"gone":[FINDING],"severity":[CHANGE],
 * "fixable":[CHANGE],"exploited":[CHANGE],"other":[CHANGE]}
 * Of two: {"packages":{"counts":{"added":N,...},"added":[PACKAGE],"removed":[PACKAGE],
 * "changed":[{name,type,arch,before,after}]},"findings":{"counts":...,"added":[FINDING],
 * "removed":[FINDING],"changed":[CHANGE]}}
 * FINDING: {id,aliases,package,version,severity,fix:{state,version},kev}; CHANGE: a FINDING as it
 * is now, with "before":{version,severity,fix,kev} and "what":["severity",...] */
void ck_changes_json(const struct ck_finding_changes *c, size_t max, struct ck_buf *out);
void ck_images_json(const struct ck_package_changes *p, const struct ck_finding_changes *f,
                    size_t max, struct ck_buf *out);

#endif
