/* Facts as tests want them: nothing wrong with them, and then something. Only tests include it. */
#ifndef CK_POLICY_UNIT_FACTS_H
#define CK_POLICY_UNIT_FACTS_H

#include "policy/facts.h"

enum { UNIT_DAY = 86400, UNIT_NOW = 1800000000 }; /* 2027-01-15T08:00:00Z */

static inline struct ck_facts unit_facts(void)
{
    return (struct ck_facts){
        .platform = CK_V("linux/amd64"),
        .created = UNIT_NOW - 10 * UNIT_DAY,
        .scanned = UNIT_NOW - UNIT_DAY,
        .database_built = UNIT_NOW - 2 * UNIT_DAY,
        .distro = CK_V("debian:12"),
        .distro_known = true,
        .end_of_life = UNIT_NOW + 500 * (int64_t)UNIT_DAY,
        .complete = true,
        .user = CK_V("app"),
        .size = 123456,
    };
}

static inline struct ck_fact_finding unit_finding(const char *id, enum ck_severity severity)
{
    return (struct ck_fact_finding){ .id = ck_view_str(id),
                                     .package = CK_V("openssl"),
                                     .version = CK_V("3.0.1"),
                                     .severity = severity,
                                     .fix_state = CK_FIX_NONE };
}

static inline struct ck_fact_finding unit_fixed(const char *id, enum ck_severity severity,
                                                int64_t since)
{
    struct ck_fact_finding f = unit_finding(id, severity);
    f.fix_state = CK_FIX_FIXED;
    f.fix_version = CK_V("3.0.2");
    f.fixed_since = since;
    return f;
}

#endif
