/* Allocation.
 *
 * Running out of memory ends the process with CK_EXIT_OOM. In a room that is the memory
 * budget doing its work: the hub sees the status and names the limit. Sizes that come from
 * outside never reach these functions unchecked; they pass through a ceiling first
 * (buf.h, arena.h, limits.h).
 */
#ifndef CK_BASE_MEM_H
#define CK_BASE_MEM_H

#include <stddef.h>

#define CK_EXIT_OOM 77

/* Zeroed memory, never NULL; n * size is checked for overflow. Free with free(). */
void *ck_calloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));

/* As realloc, never NULL. The new part is not zeroed. */
void *ck_realloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull));

/* A copy of n bytes with a NUL behind them. Free with free(). */
char *ck_strndup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));

#define ck_new(T) ((T *)ck_calloc(1, sizeof(T)))

/* A growable array: CK_VEC(struct x) xs = {0}; *ck_push(&xs) = ...; free(xs.v).
 * The pointer that ck_push returns lives until the next ck_push. */
#define CK_VEC(T)     \
    struct {          \
        T *v;         \
        size_t n, cap; \
    }
#define ck_push(vec)                                                                  \
    ((vec)->n == (vec)->cap                                                           \
         ? (void)((vec)->v = ck_vec_grow((vec)->v, &(vec)->cap, sizeof *(vec)->v))    \
         : (void)0,                                                                   \
     &(vec)->v[(vec)->n++])
void *ck_vec_grow(void *v, size_t *cap, size_t size) __attribute__((returns_nonnull));

/* Cleanup: `ck_autofree char *s = ...` is freed when it leaves its scope. */
static inline void ck_freep(void *pp)
{
    extern void free(void *);
    free(*(void **)pp);
}
#define ck_autofree __attribute__((cleanup(ck_freep)))

static inline void *ck_steal_(void **pp)
{
    void *p = *pp;
    *pp = NULL;
    return p;
}
/* Hands the pointer on and forgets it here. */
#define ck_steal(p) ((__typeof__(p))ck_steal_((void **)&(p)))

#endif
