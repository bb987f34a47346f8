#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct ck_arena_block {
    struct ck_arena_block *next;
    size_t used, cap;
    _Alignas(max_align_t) uint8_t data[];
};

/* The first is small: there are many that hold a few names. */
enum { FIRST = 4 * 1024, BLOCK = 64 * 1024 };

void ck_arena_free(struct ck_arena *a)
{
    while (a->blocks) {
        struct ck_arena_block *b = a->blocks;
        a->blocks = b->next;
        free(b);
    }
    a->used = 0;
}

void *ck_arena_alloc(struct ck_arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / 4 / size)
        abort();
    const size_t align = _Alignof(max_align_t);
    size_t want = (n * size + align - 1) / align * align;
    struct ck_arena_block *b = a->blocks;
    if (!b || b->cap - b->used < want) {
        size_t block = b ? BLOCK : FIRST, cap = want > block ? want : block;
        b = ck_calloc(1, sizeof *b + cap);
        b->cap = cap;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->data + b->used;
    b->used += want;
    a->used += want;
    return p;
}

ck_view ck_arena_dup(struct ck_arena *a, ck_view v)
{
    uint8_t *p = ck_arena_alloc(a, v.n + 1, 1);
    if (v.n)
        memcpy(p, v.p, v.n);
    return ck_view_of(p, v.n);
}

const char *ck_arena_format(struct ck_arena *a, const char *fmt, ...)
{
    char text[256]; /* nearly all fit, and are formatted once */
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    char *s = ck_arena_alloc(a, (size_t)n + 1, 1);
    if ((size_t)n < sizeof text) {
        memcpy(s, text, (size_t)n + 1);
        return s;
    }
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}
