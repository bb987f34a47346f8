/* A byte buffer with a ceiling, and the little-endian encoding that frames, layer indexes and
 * segments are written in. What ck_put_* writes, view.h's ck_cur_* reads.
 */
#ifndef CK_BASE_BUF_H
#define CK_BASE_BUF_H

#include "base/err.h"
#include "base/view.h"

struct ck_buf {
    uint8_t *p;
    size_t n, cap;
    enum ck_limit limit; /* CK_LIMIT_NONE: only for what our own code produces */
};

static inline struct ck_buf ck_buf_new(enum ck_limit limit)
{
    return (struct ck_buf){ .limit = limit };
}
void ck_buf_free(struct ck_buf *b);
#define ck_autobuf __attribute__((cleanup(ck_buf_free)))

static inline ck_view ck_buf_view(const struct ck_buf *b) { return ck_view_of(b->p, b->n); }
static inline void ck_buf_clear(struct ck_buf *b) { b->n = 0; }

/* Appends; fails with the buffer's limit when it would grow past it. */
CK_MUST ck_err *ck_buf_add(struct ck_buf *b, ck_view v);

/* Appends where the caller knows that the ceiling holds, or there is none: going past it is
 * our own bug and aborts. */
void ck_put_bytes(struct ck_buf *b, ck_view v);
void ck_put_u8(struct ck_buf *b, uint8_t x);
void ck_put_u16(struct ck_buf *b, uint16_t x);
void ck_put_u32(struct ck_buf *b, uint32_t x);
void ck_put_u64(struct ck_buf *b, uint64_t x);
void ck_put_str(struct ck_buf *b, ck_view v); /* 32-bit length, then the bytes */

/* Room for n more bytes at the end; b->n is unchanged. Aborts past the ceiling. */
uint8_t *ck_buf_room(struct ck_buf *b, size_t n);

/* The content as a NUL-terminated string that the caller frees; the buffer is empty after. */
char *ck_buf_steal_str(struct ck_buf *b);

#endif
