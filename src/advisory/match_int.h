/* Shared by the files of the matching only: match.c (what is affected), decide.c (what is
 * reported), why.c (sentences and addresses), gaps.c, explain.c, distro.c.
 */
#ifndef CK_ADVISORY_MATCH_INT_H
#define CK_ADVISORY_MATCH_INT_H

#include "advisory/db_read.h"
#include "advisory/match.h"
#include "base/mem.h"

/* What a statement says of an installed version. */
enum ck_verdict {
    CK_V_AFFECTED,
    CK_V_NOT_AFFECTED, /* the source says so */
    CK_V_FIXED,        /* the installed version is not older than a fixed one */
    CK_V_OUTSIDE,      /* older than what is affected, or not among the versions named */
    CK_V_MODULE,       /* affected by version, but of another module stream */
};

/* Who is believed first, about a package of the distribution itself. */
enum ck_rank { CK_RANK_TRACKER, CK_RANK_ARCHIVE, CK_RANK_SECDB, CK_RANK_OTHER };

/* A statement that names an installed package, and what it comes to. */
struct ck_candidate {
    uint32_t ordinal; /* of the advisory */
    size_t feed;
    enum ck_rank rank;
    enum ck_verdict verdict;
    struct ck_affected affected; /* without versions */
    const struct ck_range *range; /* that decided, or NULL: the list of versions did */
    ck_view compared;             /* the installed version that was compared */
    const struct ck_advisory *advisory; /* read when it is needed */
};
typedef CK_VEC(struct ck_candidate) ck_candidates;

/* A candidate's word about one vulnerability. */
struct ck_claim {
    ck_view id;
    const struct ck_candidate *c;
};

typedef CK_VEC(struct ck_finding) ck_findings;
typedef CK_VEC(struct ck_suppressed) ck_suppressions;
typedef CK_VEC(struct ck_gap) ck_gaps;

/* A hash table by ordinal: a database has hundreds of thousands, an image meets some hundreds. */
struct ck_read_advisories {
    struct ck_read_advisory {
        const struct ck_advisory *advisory; /* NULL: free */
        uint32_t ordinal;
    } *slots;
    size_t size, n; /* size: a power of two */
};

struct ck_job {
    const struct ck_db *db;
    const struct ck_distro *distro;
    const struct ck_package *packages;
    size_t n_packages;
    ck_view *ecosystems;
    size_t n_ecosystems;
    enum ck_rank *ranks; /* by feed */
    enum ck_rank weakest; /* of them */
    struct ck_read_advisories read; /* so far */
    struct ck_arena *arena; /* the result's */
    ck_findings findings;
    ck_suppressions suppressed;
    ck_gaps gaps;
};

/* --- match.c ---------------------------------------------------------------------------------- */

/* What is compared of a package for one kind of name. */
struct ck_subject {
    enum ck_package_type type;
    enum ck_name_kind kind;
    ck_view name, version;
    ck_view module;
    bool no_epoch; /* of a source rpm: the epoch of the advisory's versions is left out too */
};
/* The subject of a package; false where there is none of this kind. */
bool ck_subject_of(const struct ck_package *p, enum ck_name_kind kind, struct ck_arena *a,
                   struct ck_subject *ret);
enum ck_version_scheme ck_scheme_of(enum ck_package_type type);
/* Whether packages of this kind are the distribution's; others are not matched. */
bool ck_is_matched(const struct ck_distro *d, const struct ck_package *p);
/* Each name of a package that is asked of the database, for one kind: what the matcher does and
 * what keys.c says of it are both made from this. */
typedef ck_err *ck_on_lookup(void *ctx, const struct ck_subject *s, ck_view ecosystem);
CK_MUST ck_err *ck_each_lookup(const ck_view *ecosystems, size_t n, const struct ck_package *p,
                               enum ck_name_kind kind, struct ck_arena *a, ck_on_lookup *each,
                               void *ctx);
/* Decides a statement by versions, and then by modules; ret->advisory stays NULL. */
CK_MUST ck_err *ck_evaluate(const struct ck_subject *s, struct ck_db_package *p,
                            const struct ck_db_entry *e, struct ck_arena *a,
                            struct ck_candidate *ret);
void ck_evaluate_module(const struct ck_subject *s, struct ck_candidate *c);
CK_MUST ck_err *ck_job_init(struct ck_job *j, const struct ck_db *db,
                            const struct ck_distro *distro, const struct ck_package *packages,
                            size_t n, struct ck_arena *arena);
void ck_job_free(struct ck_job *j);
CK_MUST ck_err *ck_job_advisory(struct ck_job *j, uint32_t ordinal,
                                const struct ck_advisory **ret);

/* --- decide.c --------------------------------------------------------------------------------- */

/* Turns the candidates of one package into findings and suppressions. */
CK_MUST ck_err *ck_decide(struct ck_job *j, size_t package, ck_candidates *c);
bool ck_is_cve_id(ck_view id);

/* --- why.c ------------------------------------------------------------------------------------ */

/* Text in the result's arena. */
ck_view ck_job_text(struct ck_job *j, const char *fmt, ...) CK_PRINTF(2, 3);
ck_view ck_why_affected(struct ck_job *j, const struct ck_package *p, const struct ck_claim *c);
ck_view ck_why_clean(struct ck_job *j, const struct ck_package *p, const struct ck_claim *strong,
                     const struct ck_claim *weak);
ck_view ck_why_module(struct ck_job *j, const struct ck_package *p, const struct ck_claim *c);
ck_view ck_advisory_link(struct ck_job *j, const struct ck_claim *c);
/* The suite of a debian-archive feed that serves the distribution, else the feed's kind. */
ck_view ck_feed_label(struct ck_job *j, size_t feed);

/* --- gaps.c, distro.c ------------------------------------------------------------------------- */

void ck_find_gaps(struct ck_job *j);
/* The ecosystems whose advisories count; the first is the distribution's own. */
size_t ck_distro_ecosystems(const struct ck_distro *d, struct ck_arena *a, ck_view **ret);
/* Every day (seconds since the epoch) on which the support of some distribution ends. */
size_t ck_distro_ends(struct ck_arena *a, int64_t **ret);

#endif
