/* Verified facts of layers, kept between scans.
 *
 * Key: diff_id, blob digest and CK_DETECTORS_VERSION. The blob digest stands in it because the hub
 * itself has verified it: a layer that takes over its inspect room can then lie about its own bytes
 * only, never plant facts for the diff_id of somebody else's layer. Entries carry a checksum; a
 * broken one is as good as none. Nothing in it is needed: it may be deleted at any time.
 */
#ifndef CK_SCAN_CACHE_H
#define CK_SCAN_CACHE_H

#include "base/buf.h"
#include "image/digest.h"

struct ck_cache {
    char *dir; /* NULL: no cache */
};

/* $XDG_CACHE_HOME/cocket/layers, or nothing where there is no such place. */
struct ck_cache ck_cache_open(bool enabled);
void ck_cache_close(struct ck_cache *c);

/* *ret_found is false where there is no good entry. */
CK_MUST ck_err *ck_cache_get(const struct ck_cache *c, const struct ck_digest *diff_id,
                             const struct ck_digest *blob, struct ck_buf *ret, bool *ret_found);
/* Failing to write is no error: the next scan is slower. */
void ck_cache_put(const struct ck_cache *c, const struct ck_digest *diff_id,
                  const struct ck_digest *blob, ck_view facts);

#endif
