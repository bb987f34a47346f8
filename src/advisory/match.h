/* Matching: packages of an image against the database (DESIGN, section 4; reference/matching.md).
 */
#ifndef CK_ADVISORY_MATCH_H
#define CK_ADVISORY_MATCH_H

#include "advisory/db.h"
#include "detect/facts.h"
#include "version/version.h"

/* The distribution as the feeds name it. */
struct ck_distro {
    ck_view ecosystem;  /* "Debian:12"; empty: unknown */
    ck_view name;       /* "Debian GNU/Linux 12 (bookworm)", for people */
    enum ck_version_scheme scheme;
    bool known;
    bool by_id_like;    /* a derivative, matched by its parent's advisories */
    int64_t end_of_life; /* seconds since the epoch when security support ends; 0 unknown */
};
/* From os-release: ID and VERSION_ID first, then ID_LIKE. Strings live in `a` or in `os`. */
void ck_distro_of(const struct ck_os_release *os, struct ck_arena *a, struct ck_distro *ret);

struct ck_finding {
    ck_view id;        /* the CVE id where there is one, else the advisory's */
    ck_view *aliases;  /* sorted, without id */
    size_t n_aliases;
    size_t package;    /* index into the packages given */
    enum ck_severity severity;
    ck_view cvss;      /* the vector that counts, or empty */
    unsigned cvss_tenths; /* its base score; 0 none */
    bool kev;
    enum ck_fix_state fix_state;
    ck_view fix_version;     /* empty unless FIXED */
    int64_t fixed_since;     /* the day that fix came out, by the erratum or the update that brought
                                it; seconds since the epoch, 0: none of them says it */
    ck_view advisory_source; /* feed kind */
    ck_view advisory_id, advisory_url;
    ck_view why; /* one sentence a person understands */
};

struct ck_suppressed {
    ck_view id;
    size_t package;
    ck_view rule; /* "not-affected", "kernel-headers", "module", "vendor-first", ... */
    ck_view why;
};

struct ck_gap {
    ck_view what, why;
};

struct ck_match {
    struct ck_arena arena; /* owns all that is below */
    struct ck_finding *findings; /* by severity (worst first), id, package */
    size_t n_findings;
    struct ck_suppressed *suppressed; /* by id, package, rule */
    size_t n_suppressed;
    struct ck_gap *gaps; /* no feed covers the distribution, end of life, ... */
    size_t n_gaps;
};

/* Matches. The result is a function of its arguments: no clock (the database's `built` is
 * "now"), no order of arrival. `packages` and `db` must outlive the result. */
CK_MUST ck_err *ck_match_packages(const struct ck_db *db, const struct ck_distro *distro,
                                  const struct ck_package *packages, size_t n,
                                  struct ck_match *ret);
void ck_match_free(struct ck_match *m);

/* The derivation for one vulnerability id, reported or not: which statements exist about it, which
 * packages of the image they name, each comparison made, and what followed. Text in lines. */
CK_MUST ck_err *ck_match_explain(const struct ck_db *db, const struct ck_distro *distro,
                                 const struct ck_package *packages, size_t n, ck_view id,
                                 struct ck_buf *ret);

#endif
