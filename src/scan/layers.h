/* From the layers of an image to their facts: from the cache, or by inspect rooms, as many at a
 * time as there are processor cores. The hub hashes every blob while its room parses it; facts
 * count only when both digests came out.
 */
#ifndef CK_SCAN_LAYERS_H
#define CK_SCAN_LAYERS_H

#include "layer/index.h"
#include "scan/cache.h"
#include "source/source.h"

struct ck_layer_facts {
    struct ck_buf bytes;
    struct ck_index index; /* into bytes */
};

/* Called now and then from the scanning thread: compressed bytes read of those to be read; and what
 * is on its way, where something is. Both may be NULL. */
struct ck_progress {
    void (*report)(void *ctx, uint64_t done, uint64_t total);
    void (*arrivals)(void *ctx, struct ck_arrivals *a);
    void *ctx;
};

struct ck_layers_options {
    const struct ck_cache *cache;
    struct ck_progress progress;
    unsigned parallel;           /* 0: number of cores */
    bool no_sandbox;
    bool refetch; /* what the store has not is fetched and read, also where its facts are known */
    bool whole;   /* what the store has not is fetched, also where its facts are known */
};

/* What the second pass must read beyond the first (see room/jobs.h), per layer. */
struct ck_layer_wants {
    struct ck_wanted *v;
    size_t n;
};

/* Fills facts[0 .. n_layers). `wants` is NULL in the first pass; in a second pass only layers with
 * wants are read again. An error names the layer. On error what was filled stays the caller's. */
CK_MUST ck_err *ck_scan_layers(struct ck_source *s, const struct ck_layers_options *o,
                               const struct ck_layer_wants *wants, struct ck_layer_facts *facts);

#endif
