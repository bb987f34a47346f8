/* Times as they are typed. */
#ifndef CK_CMD_TIMES_H
#define CK_CMD_TIMES_H

#include "base/err.h"

/* "90d", "12h", "2w", "30m" or "45s", in seconds, at least one. Class USAGE. */
CK_MUST ck_err *ck_times_span(const char *text, int64_t *ret);
/* A span (so long before `now`), "2026-08-01" or a time of RFC 3339. Class USAGE. */
CK_MUST ck_err *ck_times_since(const char *text, int64_t now, int64_t *ret);

#endif
