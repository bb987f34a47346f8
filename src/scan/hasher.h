/* Hashes a blob on a thread of the hub, while a room parses it. Hashing is not parsing: no byte of
 * the blob is interpreted here.
 */
#ifndef CK_SCAN_HASHER_H
#define CK_SCAN_HASHER_H

#include "image/digest.h"

struct ck_hasher;

/* Reads `length` bytes of `fd`: from `offset` with pread; or, where `out` is >= 0, as they come,
 * and hands them on to `out`, which it takes over and closes at the end. */
CK_MUST ck_err *ck_hasher_start(enum ck_digest_algorithm alg, int fd, uint64_t offset,
                                uint64_t length, int out, struct ck_hasher **ret);

/* Waits and frees. Class HOSTILE where the blob was shorter. A reader of `out` that has gone is no
 * error: the rest is still hashed. */
CK_MUST ck_err *ck_hasher_finish(struct ck_hasher *h, struct ck_digest *ret);

#endif
