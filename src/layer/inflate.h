/* Decompression without I/O: the caller gives input and takes output, so that the same code
 * runs in the room, in a test and in a fuzz target.
 *
 * The format is what the digest-bound media type declares; nothing is sniffed.
 * Enforced here: GZIP_MEMBERS, ZSTD_WINDOW, XZ_MEMORY, LAYER_RATIO above RATIO_FLOOR, LAYER_TAR (or
 * another bound for what is no layer).
 */
#ifndef CK_LAYER_INFLATE_H
#define CK_LAYER_INFLATE_H

#include "base/err.h"
#include "base/view.h"

enum ck_compression {
    CK_COMPRESSION_NONE,
    CK_COMPRESSION_GZIP, /* RFC 1952, several members too; CRC and length of each are checked */
    CK_COMPRESSION_ZSTD, /* RFC 8878, several and skippable frames; checksums are checked */
    CK_COMPRESSION_XZ,   /* for whole archives and Debian packages; OCI has no xz layers */
    CK_COMPRESSION_COUNT_
};

const char *ck_compression_name(enum ck_compression c);

struct ck_inflate;
struct ck_inflate *ck_inflate_new(enum ck_compression c);
void ck_inflate_free(struct ck_inflate *z);
/* The limit of the whole output in place of LAYER_TAR: FEED, CHANGELOG, DEB, ... Before the first
 * step. */
void ck_inflate_bound(struct ck_inflate *z, enum ck_limit output);

/* Takes bytes from the front of *in (which it shortens) and writes at most cap bytes to out.
 * Returns when the input is used up or the output is full; *ret_n is what was written. After a
 * call that filled the output the caller calls again, even with no input left.
 * Errors: hostile data with the offset in the compressed stream; limits. An error is final. */
CK_MUST ck_err *ck_inflate_step(struct ck_inflate *z, ck_view *in, uint8_t *out, size_t cap,
                                size_t *ret_n);

/* After the last input. Must succeed before the output counts: fails where the stream is
 * truncated or something that is no member, frame or (gzip) zero padding stands behind it. */
CK_MUST ck_err *ck_inflate_finish(struct ck_inflate *z);

#endif
