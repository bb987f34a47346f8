/* The normal form of an advisory: what every feed is turned into in the feed room, what crosses to
 * the hub, what a segment file holds and what the database is built from.
 */
#ifndef CK_ADVISORY_RECORD_H
#define CK_ADVISORY_RECORD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

enum ck_severity {
    CK_SEVERITY_UNKNOWN,
    CK_SEVERITY_NEGLIGIBLE,
    CK_SEVERITY_LOW,
    CK_SEVERITY_MEDIUM,
    CK_SEVERITY_HIGH,
    CK_SEVERITY_CRITICAL,
    CK_SEVERITY_COUNT_
};
const char *ck_severity_name(enum ck_severity s); /* "critical" */
/* Vendors' words too: "important", "moderate", "unimportant"; UNKNOWN where it is none. */
enum ck_severity ck_severity_parse(ck_view word);
/* From a CVSS vector of version 2, 3.0, 3.1 (base score, specification section 7) or 4.0;
 * *ret_score in tenths, e.g. 98. False where it is no valid vector. */
bool ck_cvss_score(ck_view vector, unsigned *ret_tenths);
enum ck_severity ck_cvss_severity(unsigned tenths);

/* Which name of a package an advisory means (reference/matching.md: granularity differs per feed).
 */
enum ck_name_kind {
    CK_NAME_SOURCE, /* Debian and Ubuntu source, Alpine origin */
    CK_NAME_BINARY, /* rpm package names of AlmaLinux, ... */
    CK_NAME_KIND_COUNT_
};

/* What the source says is done about it. */
enum ck_fix_state {
    CK_FIX_FIXED,         /* a fixed version stands in the range */
    CK_FIX_NONE,          /* open: affected, no fix yet */
    CK_FIX_WONT,          /* Debian <ignored>, "will not fix" */
    CK_FIX_POSTPONED,     /* Debian <postponed>, "fix deferred" */
    CK_FIX_NO_DSA,        /* Debian <no-dsa>: minor, may come with a point release */
    CK_FIX_END_OF_LIFE,   /* Debian <end-of-life>: the package is no longer supported there */
    CK_FIX_UNDETERMINED,  /* Debian <undetermined>: nobody knows yet whether it is affected */
    CK_FIX_NOT_AFFECTED,  /* fixed version "0": never affected; only suppresses */
    CK_FIX_STATE_COUNT_
};
const char *ck_fix_state_name(enum ck_fix_state s); /* "no-dsa", ... */

/* The notes of a statement about an update of the Debian archive that is known by its version
 * alone: whether its changelog names no vulnerability, or nobody has looked yet. */
#define CK_NOTE_CHANGELOG_SILENT "changelog names no CVE"
#define CK_NOTE_CHANGELOG_UNREAD "changelog not read"

/* An interval of affected versions. Empty or "0" in `introduced`: from the first version on. */
enum ck_range_end { CK_END_FIXED, CK_END_LAST_AFFECTED, CK_END_OPEN, CK_END_COUNT_ };
struct ck_range {
    ck_view introduced;
    enum ck_range_end end;
    ck_view upper; /* first version not affected / last affected one / empty */
};

struct ck_affected {
    ck_view ecosystem; /* OSV's, with release: "Debian:12", "Alpine:v3.10", "AlmaLinux:8", "Wolfi",
                          "Go" */
    ck_view name;
    enum ck_name_kind kind;
    ck_view module; /* rpm "name:stream", or empty */
    enum ck_fix_state state;
    enum ck_severity severity; /* for this package; UNKNOWN: the advisory's */
    bool unimportant;          /* Debian urgency unimportant: no security consequence there */
    ck_view note;              /* the source's reason in its own words, or empty */
    struct ck_range *ranges;
    size_t n_ranges;
    ck_view *versions; /* affected versions one by one (OSV `versions`) */
    size_t n_versions;
};

struct ck_advisory {
    ck_view id;
    ck_view url;     /* empty: made from the id when it is reported */
    ck_view summary; /* one line, or empty */
    ck_view *aliases; /* the same vulnerability under other names */
    size_t n_aliases;
    ck_view *fixes; /* an erratum: the vulnerabilities (CVE ids) that it fixes, a finding each */
    size_t n_fixes;
    enum ck_severity severity; /* the vendor's */
    ck_view severity_text;     /* the vendor's own word */
    ck_view *cvss;             /* vectors, as given */
    size_t n_cvss;
    int64_t published, modified; /* seconds since the epoch, 0 unknown */
    bool withdrawn;
    bool kev; /* a record of a known-exploited list: only marks its id */
    struct ck_affected *affected;
    size_t n_affected;
};

/* Checks limits and enums; views of the decoded advisory point into the cursor, arrays into `a`. */
void ck_advisory_encode(const struct ck_advisory *adv, struct ck_buf *out);
CK_MUST ck_err *ck_advisory_decode(ck_view bytes, struct ck_arena *a, struct ck_advisory *ret);

/* Where a feed parser puts its records; the advisory lives until the call returns. */
struct ck_advisory_sink {
    ck_err *(*put)(void *ctx, const struct ck_advisory *adv);
    void *ctx;
};

#endif
