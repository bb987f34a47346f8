/* The report of a stored image, made anew from what is kept of it and a database: no blob is read,
 * no room started. Its bytes are those that a scan with this database and policy would give.
 */
#ifndef CK_SCAN_REBUILD_H
#define CK_SCAN_REBUILD_H

#include "report/report.h"
#include "store/inventory.h"
#include "verdict/verdict.h"

struct ck_rebuild_options {
    const struct ck_db *db;         /* NULL: packages only, and a gap that says so */
    const struct ck_policy *policy; /* NULL: the report has no verdict */
    int64_t now;                    /* seconds since the epoch */
};

struct ck_rebuilt; /* owns all that it gives; the database must outlive it */

/* *ret is NULL where the image must be scanned: there is no inventory or no facts, or they were
 * kept by another version of this program. Two threads may do it at the same time, each with a
 * handle of the store of its own. */
CK_MUST ck_err *ck_rebuild(struct ck_store *s, const struct ck_digest *d,
                           const struct ck_rebuild_options *o, struct ck_rebuilt **ret);
void ck_rebuilt_free(struct ck_rebuilt *r);

const struct ck_report *ck_rebuilt_report(const struct ck_rebuilt *r);
/* As they are with this database, and as they are kept. */
const struct ck_facts *ck_rebuilt_facts(const struct ck_rebuilt *r);
const struct ck_facts *ck_rebuilt_before(const struct ck_rebuilt *r);
/* When the database was built that it was last matched with. */
int64_t ck_rebuilt_matched(const struct ck_rebuilt *r);
/* What the policy makes of it, people left out, under the name that it was scanned under: what a
 * scan would set its state to. All zero without a policy. */
const struct ck_verdict *ck_rebuilt_verdict(const struct ck_rebuilt *r);

/* What ck_store_rematched wants but for events: `changed` is set where facts are others than before
 * (when the database was built alone is no change) or `decide` is; that, where there is a policy
 * and its decision is another state than `holds`. Lives as long as `r`. */
void ck_rebuilt_rematch(struct ck_rebuilt *r, enum ck_state_of_image holds,
                        struct ck_store_rematch *ret);

#endif
