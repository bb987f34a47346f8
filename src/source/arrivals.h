/* Blobs on their way from a registry into the store, several at a time.
 *
 *   registry room -> pipe -> lane (a thread of the hub): hash, file of the store -> commit
 *                                                         \-> ticks to whoever reads along
 *
 * Only the lane writes the file: neither the room that fetches nor the room that looks into the
 * layer while it arrives can change what was hashed. Each lane has a registry room of its own. What
 * is interrupted stays in the store's partial files and is gone on with next time.
 */
#ifndef CK_SOURCE_ARRIVALS_H
#define CK_SOURCE_ARRIVALS_H

#include "source/remote.h"
#include "store/store.h"

struct ck_arrivals;

/* `lease` and `remote` must outlive it. `lanes` 0: 3, as docker has it. */
struct ck_arrivals *ck_arrivals_new(struct ck_lease *lease, const struct ck_remote *remote,
                                    unsigned lanes);
/* Abandons what has not arrived. */
void ck_arrivals_free(struct ck_arrivals *a);

/* Begins as soon as a lane is free. The index; the same for the same digest. */
size_t ck_arrivals_add(struct ck_arrivals *a, const struct ck_digest *d, uint64_t size);

enum ck_arrival_phase {
    CK_ARRIVAL_WAITING,
    CK_ARRIVAL_ARRIVING,
    CK_ARRIVAL_VERIFIED, /* its digest came out; it is being made durable */
    CK_ARRIVAL_STORED,
    CK_ARRIVAL_FAILED,
};
struct ck_arrival {
    struct ck_digest digest;
    uint64_t size, done; /* bytes */
    enum ck_arrival_phase phase;
    bool readable; /* may be opened now */
};
size_t ck_arrivals_count(struct ck_arrivals *a);
struct ck_arrival ck_arrivals_look(struct ck_arrivals *a, size_t i);

/* Readable when some phase has changed since it was last read empty (ck_arrivals_calm). */
int ck_arrivals_fd(const struct ck_arrivals *a);
void ck_arrivals_calm(struct ck_arrivals *a);

/* For reading along: the file, and the ticks (room/input.h) or -1 where it is whole already. The
 * caller closes both. Only where `readable`; one reader a blob. */
CK_MUST ck_err *ck_arrivals_open(struct ck_arrivals *a, size_t i, int *ret_fd, int *ret_ticks);

/* Waits until the digest came out, or did not. The error can be had once; it names the blob. Where
 * this one was only given up, since another failed, it is that one's: *ret_which, which is else
 * `i`. */
CK_MUST ck_err *ck_arrivals_verified(struct ck_arrivals *a, size_t i, size_t *ret_which);
/* Waits until everything is stored. When one has failed the others are given up. `tick`, if given,
 * is called about ten times a second meanwhile. */
CK_MUST ck_err *ck_arrivals_finish(struct ck_arrivals *a, void (*tick)(void *ctx), void *ctx);

#endif
