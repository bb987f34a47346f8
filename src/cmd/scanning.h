/* What the verbs that scan have in common. */
#ifndef CK_CMD_SCANNING_H
#define CK_CMD_SCANNING_H

#include "cmd/bars.h"
#include "cmd/cmd.h"
#include "cmd/remote.h"
#include "scan/scan.h"

/* The database at `path`, which must be there; NULL: the default one, or *ret NULL where there is
 * none. */
CK_MUST ck_err *ck_scanning_db(const char *path, struct ck_db **ret);

/* What is shown while it goes on. */
struct ck_scanning {
    struct ck_progress_line line;
    struct ck_bars bars;
};
/* Fills in where to fetch from, where to, and the progress, which is shown until the end. */
void ck_scanning_begin(struct ck_scanning *s, const struct ck_remote_args *remote, bool quiet,
                       struct ck_scan_options *o);
void ck_scanning_end(struct ck_scanning *s);

#endif
