/* The findings as a person acts on them: one group for each severity, source package, installed
 * version and fix. Four hundred findings are some sixty updates.
 */
#ifndef CK_REPORT_GROUPS_H
#define CK_REPORT_GROUPS_H

#include "report/parts.h"

struct ck_group {
    const struct ck_finding **findings; /* by id (known exploited ones first), then package */
    size_t n;
    enum ck_severity severity;
    bool kev; /* at least one is known to be exploited */
};

struct ck_groups {
    struct ck_group *v; /* worst severity first; in it known exploited, then fixable,
        then by name */
    size_t n;
};

/* In `a`, which must be empty-initialised or in use already. */
void ck_report_groups(const struct ck_report *r, struct ck_arena *a, struct ck_groups *ret);

/* The package that a group is about, as its first finding names it. */
const struct ck_package *ck_group_package(const struct ck_report *r, const struct ck_group *g);

/* How many different ids `n` findings have; they must stand in the order of a group. */
size_t ck_group_ids(const struct ck_group *g);

#endif
