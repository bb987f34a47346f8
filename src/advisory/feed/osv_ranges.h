/* The ranges of an OSV record's affected package as intervals (OSV schema,
 * "affected[].ranges[].events" and "Evaluation"). */
#ifndef CK_ADVISORY_FEED_OSV_RANGES_H
#define CK_ADVISORY_FEED_OSV_RANGES_H

#include "advisory/feed/json_tree.h"
#include "advisory/record.h"
#include "version/version.h"

struct ck_osv_ranges {
    struct ck_range *v; /* in the arena */
    size_t n;
    bool fixed; /* an interval ends with a fixed version */
    bool never; /* an interval is empty because it was fixed in "0": never affected */
};

/* From affected[].ranges without the GIT ones; at most `max` events altogether
 * (ADVISORY_RANGES). Events are sorted where the scheme has an order, and taken as they stand
 * where it has none: real records alternate (all 17,466 such ranges of the fixtures do). `limit`
 * caps what is affected; without an order it is left out, which affects more, not less. */
CK_MUST ck_err *ck_osv_ranges(const struct ck_jnode *affected, enum ck_version_scheme scheme,
                              struct ck_arena *a, size_t max, struct ck_osv_ranges *ret);

bool ck_range_holds(const struct ck_range *r, enum ck_version_scheme scheme, ck_view version);

#endif
