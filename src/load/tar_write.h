/* Writes an archive as it goes: ustar (POSIX.1-2017 pax, "ustar Interchange Format"), with a pax
 * header where a size or a name does not fit. Nothing in it depends on the machine or the time.
 */
#ifndef CK_LOAD_TAR_WRITE_H
#define CK_LOAD_TAR_WRITE_H

#include "base/buf.h"

struct ck_tar_out {
    int fd;        /* stays the caller's; may be a pipe */
    uint64_t left; /* bytes of the current file's content that must still come */
    unsigned pad;  /* zeros behind it */
};

/* Begins a file of `size` bytes; the one before must be complete. `name` is a relative path without
 * "." or ".." components, of at most PATH bytes. */
CK_MUST ck_err *ck_tar_out_file(struct ck_tar_out *t, ck_view name, uint64_t size);
/* Its content, in pieces; more than was announced is a bug and aborts. */
CK_MUST ck_err *ck_tar_out_data(struct ck_tar_out *t, ck_view piece);
/* A whole file. */
CK_MUST ck_err *ck_tar_out_put(struct ck_tar_out *t, ck_view name, ck_view content);
CK_MUST ck_err *ck_tar_out_end(struct ck_tar_out *t);

#endif
