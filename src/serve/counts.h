/* What the room counts, for /metrics. */
#ifndef CK_SERVE_COUNTS_H
#define CK_SERVE_COUNTS_H

#include "base/buf.h"

#include <stdatomic.h>

enum ck_label {
    CK_LABEL_MANIFEST, CK_LABEL_BLOB, CK_LABEL_LISTING, CK_LABEL_UPLOAD, CK_LABEL_TOKEN,
    CK_LABEL_ADMISSION, CK_LABEL_HARBOR, CK_LABEL_DOCKER, CK_LABEL_API, CK_LABEL_STATUS,
    CK_LABEL_OTHER, CK_LABEL_COUNT_
};

enum { CK_COUNT_BUCKETS = 9 };
struct ck_counts {
    atomic_ullong requests[CK_LABEL_COUNT_][6]; /* by the first digit of the status */
    atomic_ullong took[CK_COUNT_BUCKETS + 1];   /* not cumulative; the last one: longer */
    atomic_ullong took_us;
    atomic_ullong sent, received; /* bytes of bodies */
    atomic_ullong hits, misses;   /* of kept answers */
    atomic_ullong limited, swept; /* requests, connections */
    atomic_llong in_flight;
};

static inline void ck_count(atomic_ullong *c, uint64_t add)
{
    atomic_fetch_add_explicit(c, add, memory_order_relaxed);
}
void ck_counts_request(struct ck_counts *c, enum ck_label label, unsigned status, int64_t took_us);
/* Text format 0.0.4 of Prometheus. */
void ck_counts_put(const struct ck_counts *c, size_t connections, size_t kept_entries,
                   size_t kept_bytes, struct ck_buf *out);

#endif
