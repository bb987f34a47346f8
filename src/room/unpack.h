/* The unpack room's work on one layer, which unit tests call directly. */
#ifndef CK_ROOM_UNPACK_H
#define CK_ROOM_UNPACK_H

#include "room/unpack_jobs.h"
#include "room/unpack_tree.h"

/* Reads the layer twice. First all of it is read and checked: compression, tar, names, what may
 * stand beside what, the diff_id. Then what it hides goes, and its entries are written. `progress`
 * gets the bytes read of both. */
CK_MUST ck_err *ck_unpack_layer(struct ck_unpack_tree *t, const struct ck_job_unpack *j, int in,
                                ck_err *(*progress)(void *ctx, uint64_t bytes_done), void *ctx);

#endif
