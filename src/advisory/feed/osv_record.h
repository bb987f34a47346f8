/* Inside the OSV feeds: one record with the caller's arena, so that many records share its
 * blocks. */
#ifndef CK_ADVISORY_FEED_OSV_RECORD_H
#define CK_ADVISORY_FEED_OSV_RECORD_H

#include "advisory/record.h"

CK_MUST ck_err *ck_osv_record(ck_view json, struct ck_arena *a,
                              const struct ck_advisory_sink *sink);

#endif
