/* What a database says, as fingerprints, and what changed from one to the next: a 64-bit hash of
 * the content of every key (advisory/keys.h), the known-exploited ids, which feeds there are. The
 * fingerprints of 300,000 names are 5 MB and outlive the database that they were taken of.
 *
 * In the content of a name is all that a finding about it may say: its statements, their
 * advisories but for summaries and days of modification, and what other advisories about the same
 * vulnerabilities say of their severity.
 */
#ifndef CK_ADVISORY_CHANGES_H
#define CK_ADVISORY_CHANGES_H

#include "advisory/keys.h"

/* Appends, within the buffer's limit. */
CK_MUST ck_err *ck_changes_take(const struct ck_db *db, struct ck_buf *out);

/* What is matched alike under both databases: images of which no package has a key, and no finding
 * an id (or alias), that is named here; but nothing where `everything` is set. */
struct ck_changes {
    bool everything;
    ck_view why;   /* it is, for people; else empty */
    int64_t from, to; /* when the databases were built */
    ck_view *keys; /* sorted, each once: of packages (ck_match_keys) and images (ck_distro_keys) */
    size_t n_keys;
    ck_view *ids;  /* known to be exploited in one of both only; sorted */
    size_t n_ids;
};
/* Both as ck_changes_take made them; views point into them or into `a`. Class OURS: they are
 * damaged. Those of another version of this program give `everything`. */
CK_MUST ck_err *ck_changes_between(ck_view before, ck_view after, struct ck_arena *a,
                                   struct ck_changes *ret);

#endif
