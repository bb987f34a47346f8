/* The report of a stored image, made anew from what is kept of it and a database: no blob is read,
 * no room started. Its bytes are those that a scan with this database and policy would give.
 */
#ifndef CK_SCAN_REBUILD_H
#define CK_SCAN_REBUILD_H

#include "report/report.h"
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

#endif
