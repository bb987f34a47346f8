/* The parts of the tar reader: the fields of a header block, the records of a pax header, the
 * extents of a sparse file. Only layer/tar*.c include this.
 */
#ifndef CK_LAYER_TAR_PARTS_H
#define CK_LAYER_TAR_PARTS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

enum { CK_TAR_BLOCK_SIZE = 512 };

/* A number as it stands in a field. */
struct ck_tar_number {
    bool blank; /* only blanks and NULs; value is 0 */
    int64_t value;
};

/* A header block, taken apart. Views point into the block. */
struct ck_tar_header {
    uint8_t flag; /* typeflag */
    ck_view name, prefix, link;
    uint32_t mode;
    uint64_t uid, gid;
    int64_t mtime;
    struct ck_tar_number size; /* never negative */
    uint32_t dev_major, dev_minor;
};

/* Numbers, checksum, magic. `block` is exactly one block. */
CK_MUST ck_err *ck_tar_header_read(ck_view block, struct ck_tar_header *ret);
bool ck_tar_block_zero(ck_view bytes); /* any length */

/* The map of a sparse file, as far as it was read. Extents are proven to be in order, without
 * overlap, inside the file, and to add up to what the archive stores. */
struct ck_tar_sparse {
    uint64_t count, stored, end;
    uint64_t real_size;
    struct ck_buf *keep; /* gets offset and size of each; NULL: they are not kept */
};
CK_MUST ck_err *ck_tar_sparse_add(struct ck_tar_sparse *s, uint64_t offset, uint64_t size);
CK_MUST ck_err *ck_tar_sparse_check(const struct ck_tar_sparse *s, uint64_t content);

/* The four entries in an old GNU header, or the 21 of one of its extension blocks; *ret_more says
 * whether another extension block follows. */
CK_MUST ck_err *ck_tar_sparse_old(ck_view block, bool extension, struct ck_tar_sparse *s,
                                  bool *ret_more);

/* The text map at the head of the content in GNU sparse format 1.0: a count, then offset and
 * size of each extent, a line each. */
struct ck_tar_map {
    uint64_t lines;  /* complete lines so far */
    uint64_t expect; /* lines in all, once the first one is known */
    uint64_t offset, number;
    unsigned digits; /* of the line being read */
};
/* Reads one block; *ret_done: the map is complete, the rest of the block is padding. */
CK_MUST ck_err *ck_tar_map_block(struct ck_tar_map *m, ck_view block, struct ck_tar_sparse *s,
                                 bool *ret_done);

/* How a pax header describes a sparse file. */
enum ck_tar_sparse_kind {
    CK_TAR_SPARSE_NO,
    CK_TAR_SPARSE_OLD,    /* typeflag S */
    CK_TAR_SPARSE_PAX,    /* GNU 0.0 and 0.1: the map stands in the pax header */
    CK_TAR_SPARSE_CONTENT /* GNU 1.0: at the head of the content */
};

/* What a pax header says of the next entry. Views point into the header's content. */
struct ck_tar_pax {
    bool present, has_size, has_uid, has_gid, has_mtime, has_capability;
    ck_view path, link; /* p is NULL where not given */
    uint64_t size, uid, gid;
    int64_t mtime;
    enum ck_tar_sparse_kind sparse_kind;
    ck_view sparse_name;
    bool has_offset;      /* GNU.sparse.offset without its numbytes yet */
    uint64_t offset;
    struct ck_tar_sparse sparse;
};
/* `global`: a header of type g, which may not name what belongs to one entry. Of *ret only
 * sparse.keep is read. */
CK_MUST ck_err *ck_tar_pax_read(ck_view content, bool global, struct ck_tar_pax *ret);

#endif
