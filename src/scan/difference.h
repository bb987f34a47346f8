/* What is different: between the findings of one image as they were and as they are, between those
 * of two images, and between the packages of two. One way of finding what belongs together for
 * all of them. Pure.
 */
#ifndef CK_SCAN_DIFFERENCE_H
#define CK_SCAN_DIFFERENCE_H

#include "policy/facts.h"
#include "report/report.h"

/* What became of a finding; several may hold at once, but for NEW and GONE. */
enum ck_change {
    CK_CHANGE_NEW,
    CK_CHANGE_GONE,
    CK_CHANGE_SEVERITY,  /* another one */
    CK_CHANGE_FIXABLE,   /* there is a fix now */
    CK_CHANGE_EXPLOITED, /* it is known to be exploited now */
    CK_CHANGE_OTHER,     /* another fix than before, no fix any more, no longer exploited */
    CK_CHANGE_COUNT_
};
static inline unsigned ck_change_bit(enum ck_change c) { return 1u << c; }

struct ck_findings {
    const struct ck_fact_finding *v;
    size_t n;
};
struct ck_finding_change {
    unsigned what; /* ck_change_bit of each */
    const struct ck_fact_finding *was, *is; /* NULL where it is new, or gone */
};
struct ck_finding_changes {
    struct ck_finding_change *v; /* by id, package, version; what is as it was is left out */
    size_t n;
    size_t counts[CK_CHANGE_COUNT_];
};

/* A finding is the same by id, package and version, however many packages have them (two
 * architectures); else by a name that one of them has as its id and the other knows it by, as an
 * advisory gets a CVE id one day. Of two images the version may be another where there is no doubt:
 * where what has no counterpart by version is one on each side. Points into both; arrays in `a`. */
enum ck_between { CK_OF_ONE_IMAGE, CK_OF_TWO_IMAGES };
void ck_findings_between(struct ck_findings was, struct ck_findings is, enum ck_between of,
                         struct ck_arena *a, struct ck_finding_changes *ret);

struct ck_package_change {
    const struct ck_report_package *was, *is; /* NULL: added; removed; else another version */
};
struct ck_package_changes {
    struct ck_package_change *v; /* by name, type, version */
    size_t n;
};
/* A package is the same by name, type, architecture and version; then by all but the version or all
 * but the architecture, then by name and type: without the version only where there is no doubt. */
void ck_packages_between(const struct ck_report *was, const struct ck_report *is,
                         struct ck_arena *a, struct ck_package_changes *ret);

#endif
