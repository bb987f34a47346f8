/* SHA-256, cut to 64 bits, for many small things; keys.c and changes_take.c only. */
#ifndef CK_ADVISORY_CUT_H
#define CK_ADVISORY_CUT_H

#include "advisory/record.h"

struct evp_md_st;
struct evp_md_ctx_st;

/* Also what is hashed: put it into `b`, then ck_cut, which empties it. */
struct ck_cut {
    struct evp_md_st *md;
    struct evp_md_ctx_st *ctx;
    struct ck_buf b;
};
struct ck_cut ck_cut_new(void);
void ck_cut_free(struct ck_cut *c);
#define ck_autocut __attribute__((cleanup(ck_cut_free)))
uint64_t ck_cut(struct ck_cut *c);

/* Keys as numbers; their bytes are big endian, so that both have one order. */
uint64_t ck_key_of_name(struct ck_cut *c, ck_view ecosystem, enum ck_name_kind kind, ck_view name);
uint64_t ck_key_of_coverage(struct ck_cut *c, ck_view ecosystem);
uint64_t ck_key_of_end(struct ck_cut *c, int64_t end_of_life);
void ck_key_put(struct ck_buf *out, uint64_t key);

#endif
