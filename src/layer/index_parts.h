/* The encoding of a layer index, for index.c and index_write.c, and the order that its paths
 * stand in, for the overlay too.
 *
 *   magic, u32 entries, u32 restarts, u32 end of the records
 *   records, sorted by path:
 *     varint bytes shared with the path before (0 at a restart), varint n, n more bytes of path
 *     u8 flags; unless NONE: varint mode; FILE: varint size; links: varint n, target;
 *     HAS_FACTS: varint n, facts
 *   u32 offset of each STRIDE-th record, from the first
 */
#ifndef CK_LAYER_INDEX_PARTS_H
#define CK_LAYER_INDEX_PARTS_H

#include "layer/index.h"

#define CK_INDEX_MAGIC "CKLAYER1"
enum {
    CK_INDEX_MAGIC_BYTES = 8,
    CK_INDEX_HEADER = CK_INDEX_MAGIC_BYTES + 12,
    CK_INDEX_STRIDE = 16,
};

enum {
    CK_INDEX_TYPE = 0x0f,
    CK_INDEX_WHITEOUT = 0x10,
    CK_INDEX_OPAQUE = 0x20,
    CK_INDEX_HAS_FACTS = 0x40,
};

/* Bytewise, but "/" before all other bytes: what is below a directory follows it at once, and
 * names within a directory are in their own bytewise order. */
int ck_index_path_cmp(ck_view a, ck_view b);
/* How many bytes at their beginnings are the same. */
size_t ck_index_shared(ck_view a, ck_view b);
/* Whether `path` is below the directory `dir`, at any depth. */
bool ck_index_is_below(ck_view path, ck_view dir);
/* Seven bits a byte, the lowest first; the top bit says that more follow. */
uint64_t ck_index_varint(ck_cur *c);

#endif
