#include "room/unpack_dirs.h"

#include "base/mem.h"

#include <stdlib.h>

void ck_unpack_dirs_free(struct ck_unpack_dirs *t)
{
    free(t->v);
    *t = (struct ck_unpack_dirs){ 0 };
}

/* Open addressing; cap is a power of two and never full. The inode numbers are the kernel's choice,
 * the multiplier is Knuth's. */
static struct ck_unpack_dir *slot(const struct ck_unpack_dirs *t, ino_t ino)
{
    size_t i = (size_t)((uint64_t)ino * 0x9E3779B97F4A7C15u >> 32) & (t->cap - 1);
    while (t->v[i].ino && t->v[i].ino != ino)
        i = (i + 1) & (t->cap - 1);
    return &t->v[i];
}

static void grow(struct ck_unpack_dirs *t)
{
    enum { FIRST = 256 };
    struct ck_unpack_dirs old = *t;
    t->cap = old.cap ? old.cap * 2 : FIRST;
    t->v = ck_calloc(t->cap, sizeof *t->v);
    for (size_t i = 0; i < old.cap; i++)
        if (old.v[i].ino)
            *slot(t, old.v[i].ino) = old.v[i];
    free(old.v);
}

void ck_unpack_dirs_put(struct ck_unpack_dirs *t, const struct ck_unpack_dir *d)
{
    if (t->n * 4 >= t->cap * 3)
        grow(t);
    struct ck_unpack_dir *s = slot(t, d->ino);
    t->n += s->ino == 0;
    *s = *d;
}

struct ck_unpack_dir *ck_unpack_dirs_find(const struct ck_unpack_dirs *t, ino_t ino)
{
    if (!t->cap)
        return NULL;
    struct ck_unpack_dir *s = slot(t, ino);
    return s->ino ? s : NULL;
}
