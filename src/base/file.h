/* Files of ours: where they are, and how they are written so that nobody ever sees half of one. */
#ifndef CK_BASE_FILE_H
#define CK_BASE_FILE_H

#include "base/buf.h"

/* Base directories (XDG Base Directory Specification), with "/cocket" behind. */
enum ck_xdg { CK_XDG_CACHE, CK_XDG_DATA, CK_XDG_CONFIG };
/* "<dir>/cocket/<name>", or NULL where neither the variable nor HOME is an absolute path. free().
 */
char *ck_xdg_path(enum ck_xdg kind, const char *name);

/* Who runs this: the login name, or the uid. free(). */
char *ck_login_name(void);

/* Whole content into `out`, whose ceiling holds. Class UNAVAILABLE; errno is kept. */
CK_MUST ck_err *ck_file_read(const char *path, struct ck_buf *out);

/* All of `v` to a descriptor. Class OURS; errno is kept. */
CK_MUST ck_err *ck_write_all(int fd, ck_view v);

/* The first n bytes of a file, all of them. Class OURS. */
CK_MUST ck_err *ck_pread_all(int fd, uint8_t *p, size_t n);

/* Memory with these bytes that nobody can change any more. The caller closes it. Class OURS. */
CK_MUST ck_err *ck_sealed_copy(ck_view v, int *ret_fd);

/* Makes the directories above `path`, mode 0700. */
CK_MUST ck_err *ck_make_parents(const char *path);

/* Writes a temporary file beside `path` and renames it. */
enum ck_file_write {
    CK_FILE_PLAIN = 0,
    CK_FILE_PARENTS = 1 << 0, /* make the directories above it: for places of ours only */
    CK_FILE_DURABLE = 1 << 1, /* fsync of file and directory before it counts */
};
CK_MUST ck_err *ck_file_write(const char *path, ck_view content, unsigned how);

#endif
