/* A ring of buffers between the two threads of the inspect room. The second thread is made before
 * the system call filter closes and waits for work; each job starts it again.
 */
#ifndef CK_ROOM_RING_H
#define CK_ROOM_RING_H

#include "base/err.h"

enum { CK_RING_BUFS = 8, CK_RING_BUF = 256 * 1024 }; /* together within the second-level cache */

struct ck_ring_buf {
    size_t n;
    uint8_t *p;
};

struct ck_ring;
/* Makes the ring and its thread. */
CK_MUST ck_err *ck_ring_new(struct ck_ring **ret);

/* Runs `produce` on the ring's thread. */
void ck_ring_start(struct ck_ring *r, ck_err *(*produce)(void *ctx, struct ck_ring *r), void *ctx);
/* Waits until it has returned and gives its error. `abandon`: the consumer wants no more. */
ck_err *ck_ring_finish(struct ck_ring *r, bool abandon);

/* Producer: the buffer to fill (what is in it stays until published), NULL when abandoned; hands it
 * on. A buffer that is only begun is handed on when the producer returns. */
struct ck_ring_buf *ck_ring_writable(struct ck_ring *r);
void ck_ring_publish(struct ck_ring *r);
bool ck_ring_abandoned(struct ck_ring *r);
void ck_ring_set_progress(struct ck_ring *r, uint64_t at);

/* Consumer: the next full buffer, NULL when the producer has ended and all are taken; gives it
 * back. */
const struct ck_ring_buf *ck_ring_readable(struct ck_ring *r);
void ck_ring_release(struct ck_ring *r);
uint64_t ck_ring_progress(struct ck_ring *r);

#endif
