/* Strings stored once, for the writer of the advisory database. */
#ifndef CK_ADVISORY_DB_POOL_H
#define CK_ADVISORY_DB_POOL_H

#include "advisory/db_layout.h"

struct ck_pool_string {
    ck_view v;
    uint64_t hash;
    uint32_t uses; /* references that will be written; strings without one are not stored */
    uint32_t rank; /* after ck_pool_rank */
    uint32_t at;   /* offset in the section, after ck_pool_write */
};

struct ck_pool {
    struct ck_arena arena;
    struct ck_db_key key;
    struct ck_pool_string *v; /* [0] is the empty string */
    size_t n, cap;
    uint32_t *slots;
    size_t n_slots;
};

void ck_pool_init(struct ck_pool *p);
void ck_pool_free(struct ck_pool *p);

/* The number of the string, which is copied. */
uint32_t ck_pool_add(struct ck_pool *p, ck_view v);
/* The same, and one more reference to it. */
static inline uint32_t ck_pool_use(struct ck_pool *p, ck_view v)
{
    uint32_t i = ck_pool_add(p, v);
    p->v[i].uses++;
    return i;
}

/* Gives each string its rank, by use and then bytes, or by bytes alone; returns the order. Free
 * with free(). */
uint32_t *ck_pool_rank(struct ck_pool *p, bool by_use);
/* Writes those in use, in the order of their rank. */
void ck_pool_write(struct ck_pool *p, struct ck_buf *out);

#endif
