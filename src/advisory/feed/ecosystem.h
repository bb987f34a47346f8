/* What is known about the ecosystems of OSV (schema, "Defined ecosystems"). */
#ifndef CK_ADVISORY_FEED_ECOSYSTEM_H
#define CK_ADVISORY_FEED_ECOSYSTEM_H

#include "advisory/record.h"
#include "version/version.h"

struct ck_ecosystem {
    const char *name; /* without the release behind the colon */
    enum ck_version_scheme scheme;
    enum ck_name_kind kind;
    bool errata; /* records are updates: the CVE ids in `related` are what they fix */
};

/* By the part before the first colon. Never NULL: unknown ones have no order and their own
 * names. */
const struct ck_ecosystem *ck_ecosystem_of(ck_view name);

/* CVE-YYYY-N{4,} (CVE record format: 4 to 19 digits). */
bool ck_is_cve(ck_view id);
/* The CVE id that a distribution's own id ends with: "UBUNTU-CVE-2024-1234" -> "CVE-2024-1234";
 * empty where there is none, and for a CVE id itself. */
ck_view ck_cve_tail(ck_view id);

#endif
