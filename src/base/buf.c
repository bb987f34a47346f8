#include "base/buf.h"

#include "base/mem.h"

#include <stdlib.h>

void ck_buf_free(struct ck_buf *b)
{
    free(b->p);
    *b = (struct ck_buf){ .limit = b->limit };
}

static bool fits(const struct ck_buf *b, size_t n)
{
    if (n > SIZE_MAX / 2 - b->n)
        return false;
    return b->limit == CK_LIMIT_NONE || b->n + n <= ck_limit_value(b->limit);
}

static void reserve(struct ck_buf *b, size_t n)
{
    if (b->n + n <= b->cap)
        return;
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->n + n)
        cap *= 2;
    if (b->limit != CK_LIMIT_NONE && cap > ck_limit_value(b->limit))
        cap = ck_limit_value(b->limit);
    b->p = ck_realloc(b->p, cap, 1);
    b->cap = cap;
}

uint8_t *ck_buf_room(struct ck_buf *b, size_t n)
{
    if (!fits(b, n))
        abort();
    reserve(b, n);
    return b->p + b->n;
}

ck_err *ck_buf_add(struct ck_buf *b, ck_view v)
{
    if (!fits(b, v.n))
        return ck_err_limit(b->limit, "%zu more bytes do not fit", v.n);
    ck_put_bytes(b, v);
    return NULL;
}

void ck_put_bytes(struct ck_buf *b, ck_view v)
{
    if (v.n == 0)
        return;
    memcpy(ck_buf_room(b, v.n), v.p, v.n);
    b->n += v.n;
}

static void put_le(struct ck_buf *b, uint64_t x, size_t width)
{
    uint8_t *p = ck_buf_room(b, width);
    for (size_t i = 0; i < width; i++)
        p[i] = (uint8_t)(x >> (8 * i));
    b->n += width;
}

void ck_put_u8(struct ck_buf *b, uint8_t x) { put_le(b, x, 1); }
void ck_put_u16(struct ck_buf *b, uint16_t x) { put_le(b, x, 2); }
void ck_put_u32(struct ck_buf *b, uint32_t x) { put_le(b, x, 4); }
void ck_put_u64(struct ck_buf *b, uint64_t x) { put_le(b, x, 8); }

void ck_put_str(struct ck_buf *b, ck_view v)
{
    if (v.n > UINT32_MAX)
        abort();
    put_le(b, v.n, 4);
    ck_put_bytes(b, v);
}

char *ck_buf_steal_str(struct ck_buf *b)
{
    char *s = ck_strndup(b->p, b->n);
    ck_buf_free(b);
    return s;
}
