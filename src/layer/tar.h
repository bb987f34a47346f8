/* A tar reader that is fed: ustar, pax (POSIX.1-2017 pax), GNU long names, old and pax GNU sparse
 * maps (counted and refused past SPARSE_ENTRIES), base-256 numbers. Without I/O.
 *
 * It only says what stands in the archive. Names are given as they are; what a name may be in a
 * layer is layer/path.h's business.
 *
 * Where readers of tar disagree about what an archive holds, a scanner cannot know what a runtime
 * will unpack, so such archives are refused, with the entry's number and byte offset:
 * - a wrong checksum, numbers that are no numbers or (but for mtime) negative, a blank size;
 * - a pax size that is not the ustar size (CVE-2025-62518). Where the size does not fit into eleven
 *   octal digits (8 GiB and more) the ustar field may also be blank, 0, 077777777777 or hold the
 *   low digits, as writers leave it; for smaller sizes even 0 is refused;
 * - content behind a link, directory, device or fifo; a file whose name ends with a slash;
 * - two pax headers or two GNU long names for one entry, a pax path that is not the GNU long name,
 *   a long name behind a pax size; path, linkpath or size given twice, empty, or in a global
 *   header; a global header between an entry and its own header; a NUL inside a pax or GNU name;
 * - a sparse map that is out of order or does not add up to the stored content;
 * - types other than 0, NUL, 1-7, S and g, x, L, K;
 * - a truncated archive (the last entry's padding belongs to it), data other than zeros behind
 *   the end;
 * - every limit of limits.h: PATH, PAX_HEADER, PAX_RECORDS, SPARSE_ENTRIES, and LAYER_TAR for one
 *   entry.
 * Other records of a global header are ignored, as container runtimes do.
 */
#ifndef CK_LAYER_TAR_H
#define CK_LAYER_TAR_H

#include "base/err.h"
#include "base/view.h"

enum ck_tar_type {
    CK_TAR_FILE,
    CK_TAR_HARDLINK,
    CK_TAR_SYMLINK,
    CK_TAR_CHAR,
    CK_TAR_BLOCK,
    CK_TAR_DIR,
    CK_TAR_FIFO,
};

struct ck_tar_entry {
    uint64_t number;  /* 0 for the first entry of the archive */
    uint64_t offset;  /* of its (first) header block in the uncompressed stream */
    uint64_t data;    /* offset of its content in the uncompressed stream */
    enum ck_tar_type type;
    ck_view name;     /* never empty */
    ck_view link;     /* target of a hardlink or symlink, else empty */
    uint64_t size;    /* bytes of content that follow; 0 unless CK_TAR_FILE */
    uint64_t real_size; /* of a sparse file; else = size */
    bool sparse;      /* content is the stored extents, not the file */
    ck_view extents;  /* of a sparse file: offset and size of each, 64 bit each (base/buf.h) */
    uint32_t mode;    /* permission bits with setuid, setgid, sticky: 07777 */
    uint64_t uid, gid;
    int64_t mtime;
    uint32_t dev_major, dev_minor;
    bool has_capability; /* SCHILY.xattr.security.capability is set */
};

/* Views inside an entry live until the callback returns. A callback's error ends the reading and
 * comes back from ck_tar_feed unchanged. None may be NULL. */
struct ck_tar_ops {
    ck_err *(*entry)(void *ctx, const struct ck_tar_entry *e);
    /* Content of the current entry in order, in pieces, which point into what was fed. A caller
     * that does not want it ignores it; it costs one call per piece of input. */
    ck_err *(*data)(void *ctx, ck_view piece);
    ck_err *(*end)(void *ctx); /* the current entry is complete; called for every entry */
};

struct ck_tar;
struct ck_tar *ck_tar_new(const struct ck_tar_ops *ops, void *ctx);
void ck_tar_free(struct ck_tar *t);
CK_MUST ck_err *ck_tar_feed(struct ck_tar *t, ck_view piece);
/* For readers that can seek: how many of the next bytes of input are content that nobody reads, and
 * the way to pass over n of them (at most that many) without feeding them. */
uint64_t ck_tar_skippable(const struct ck_tar *t);
void ck_tar_skip(struct ck_tar *t, uint64_t n);

/* After the last byte: the archive must have ended on an entry's border. Two zero blocks are
 * not demanded (several builders write none), but nothing but zeros may follow the first one. */
CK_MUST ck_err *ck_tar_finish(struct ck_tar *t);

#endif
