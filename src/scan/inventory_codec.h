/* What was seen of an image as the store keeps it (store/inventory.h). Equal packages of one
 * distribution have equal bytes, and so one row for all images. Beside the packages stands one item
 * for the distribution itself, whose keys are what the image depends on whatever it holds.
 */
#ifndef CK_SCAN_INVENTORY_CODEC_H
#define CK_SCAN_INVENTORY_CODEC_H

#include "scan/seen.h"
#include "store/inventory.h"

/* Raise it whenever the bytes become others, or a scan would see other things than was kept;
 * detectors and keys have versions of their own, which stand in the bytes too. */
enum { CK_INVENTORY_VERSION = 1 };

/* Everything in `a`, or as long as `seen`. ret->matched stays 0. */
void ck_seen_encode(const struct ck_seen *seen, struct ck_arena *a, struct ck_store_inventory *ret);

/* Views point into `v`, arrays into `a`. Class OURS: damaged. *ret_stale: kept by another version
 * of this program, which has to scan it again; then *ret is untouched. */
CK_MUST ck_err *ck_seen_decode(const struct ck_store_inventory *v, struct ck_arena *a,
                               struct ck_seen *ret, bool *ret_stale);

#endif
