/* Writes an OCI image layout file by file, into a directory or an archive that appears when it is
 * whole. */
#ifndef CK_LOAD_LAYOUT_WRITE_H
#define CK_LOAD_LAYOUT_WRITE_H

#include "image/digest.h"
#include "load/tar_write.h"

struct ck_layout_out {
    char *to, *temp; /* temp NULL: `to` is a pipe or device, written as it is */
    bool archive;
    int fd;      /* of the archive, or of the directory */
    int current; /* file of the directory that is being written, or -1 */
    struct ck_tar_out tar;
};

/* Class USAGE where `to` is there already. */
CK_MUST ck_err *ck_layout_out_open(const char *to, struct ck_layout_out *ret);
CK_MUST ck_err *ck_layout_out_file(struct ck_layout_out *w, const char *name, uint64_t size);
CK_MUST ck_err *ck_layout_out_data(struct ck_layout_out *w, ck_view piece);
CK_MUST ck_err *ck_layout_out_put(struct ck_layout_out *w, const char *name, ck_view content);
/* Ends it: where `e` is none, all is synced and gets its name; else it is removed. Hands `e` on. */
CK_MUST ck_err *ck_layout_out_close(struct ck_layout_out *w, ck_err *e);

#endif
