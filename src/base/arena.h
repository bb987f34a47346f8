/* Memory that is freed all at once; views and strings in it live as long as it does. */
#ifndef CK_BASE_ARENA_H
#define CK_BASE_ARENA_H

#include "base/view.h"

struct ck_arena {
    struct ck_arena_block *blocks;
    size_t used; /* bytes handed out */
};

void ck_arena_free(struct ck_arena *a);
#define ck_autoarena __attribute__((cleanup(ck_arena_free)))

/* Zeroed, aligned for any type. Never NULL. */
void *ck_arena_alloc(struct ck_arena *a, size_t n, size_t size);
/* A copy with a NUL behind it (not counted in n). */
ck_view ck_arena_dup(struct ck_arena *a, ck_view v);
const char *ck_arena_format(struct ck_arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
