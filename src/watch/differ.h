/* What changed between the findings of an image as they were and as they are. Pure. */
#ifndef CK_WATCH_DIFFER_H
#define CK_WATCH_DIFFER_H

#include "policy/facts.h"

enum ck_difference_kind {
    CK_DIFFERENCE_NEW,
    CK_DIFFERENCE_GONE,
    CK_DIFFERENCE_SEVERITY,  /* another one than before */
    CK_DIFFERENCE_FIXABLE,   /* there is a fix now */
    CK_DIFFERENCE_EXPLOITED, /* it is known to be exploited now */
    CK_DIFFERENCE_KIND_COUNT_
};
const char *ck_difference_name(enum ck_difference_kind k); /* "new", "gone", ... */

struct ck_difference {
    enum ck_difference_kind kind;
    const struct ck_fact_finding *was, *is; /* NULL where it is new, or gone */
};
struct ck_differences {
    struct ck_difference *v; /* by kind, then worst first; one finding may be of several kinds */
    size_t n;
    size_t counts[CK_DIFFERENCE_KIND_COUNT_];
    int worst; /* severity of the worst that is new, worse or exploited now; -1: none */
};
/* Findings are the same by id, package and version. All in `a`; the findings must outlive it. */
void ck_differ(const struct ck_facts *was, const struct ck_facts *is, struct ck_arena *a,
               struct ck_differences *ret);

/* One line for a person: "2 new, 1 gone (worst: critical): CVE-2024-1 in openssl, ...". Quotes the
 * image: escape it. */
const char *ck_differences_line(const struct ck_differences *d, struct ck_arena *a);
/* The data of an event: for each kind a list of at most EVENT_FINDINGS objects, and `counts`, which
 * count all. */
void ck_differences_json(const struct ck_differences *d, struct ck_buf *out);

#endif
