#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
    static const char msg[] = "cocket: out of memory\n";
    if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
        _exit(CK_EXIT_OOM);
    _exit(CK_EXIT_OOM);
}

void *ck_calloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        out_of_memory();
    return p;
}

void *ck_realloc(void *p, size_t n, size_t size)
{
    void *q = reallocarray(p, n ? n : 1, size ? size : 1);
    if (!q)
        out_of_memory();
    return q;
}

char *ck_strndup(const void *p, size_t n)
{
    if (n == SIZE_MAX)
        out_of_memory();
    char *s = ck_calloc(n + 1, 1);
    if (n)
        memcpy(s, p, n);
    return s;
}

void *ck_vec_grow(void *v, size_t *cap, size_t size)
{
    size_t want = *cap ? *cap * 2 : 8;
    if (want < *cap)
        out_of_memory();
    v = ck_realloc(v, want, size);
    *cap = want;
    return v;
}
