/* What is told of findings that changed: the contents of an event. Pure. */
#ifndef CK_WATCH_TOLD_H
#define CK_WATCH_TOLD_H

#include "scan/difference.h"

struct ck_told {
    /* "2 new, 1 gone (worst: critical): CVE-2024-1 in openssl, ...". Quotes the image: escape
     * it. */
    const char *line;
    /* For each kind a list of at most EVENT_FINDINGS objects, worst first, and `counts`, which
     * count all. One finding may be of several kinds. */
    ck_view data;
    int worst; /* severity of the worst that is new, worse or exploited now; -1: none */
};
/* False where nothing is worth an event: nothing changed, or not for the worse or better
 * (CK_CHANGE_OTHER). All in `a`. */
bool ck_tell(const struct ck_finding_changes *c, struct ck_arena *a, struct ck_told *ret);

#endif
