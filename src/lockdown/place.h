/* Files of a machine that may not be this one: all names are taken below a root, and links in them
 * lead nowhere else (openat2, RESOLVE_IN_ROOT). Other users may own what is read here.
 */
#ifndef CK_LOCKDOWN_PLACE_H
#define CK_LOCKDOWN_PLACE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <sys/stat.h>

struct ck_place {
    int fd;
    const char *root; /* as given; "" for "/" */
};

/* Class USAGE where there is no such directory. */
CK_MUST ck_err *ck_place_open(const char *root, struct ck_place *ret);
void ck_place_close(struct ck_place *p);

/* A regular file, whole, in `a`; paths begin with "/". *ret_there false where there is none. Class
 * USAGE, or LIMIT (CONFIG_FILE). */
CK_MUST ck_err *ck_place_read(const struct ck_place *p, const char *path, struct ck_arena *a,
                              ck_view *ret, bool *ret_there);
/* The sorted names of a directory but those with a dot first; none where there is no directory.
 * Class USAGE, or LIMIT (CONFIG_FILES). */
CK_MUST ck_err *ck_place_list(const struct ck_place *p, const char *path, struct ck_arena *a,
                              const char ***ret, size_t *ret_n);
/* Follows links. */
bool ck_place_stat(const struct ck_place *p, const char *path, struct stat *ret);
static inline bool ck_place_has(const struct ck_place *p, const char *path)
{
    struct stat st;
    return ck_place_stat(p, path, &st);
}

/* Writes a temporary file beside it, durably, and renames it over `path`; makes the directories
 * above (0755). A file that was there lends its owner. `path` must not be a link. Class OURS,
 * USAGE. */
CK_MUST ck_err *ck_place_write(const struct ck_place *p, const char *path, ck_view content,
                               unsigned mode);
/* As ck_place_write, to a name that is not there yet: `path`N with the lowest N from 1 on. It is
 * returned in `a`. */
CK_MUST ck_err *ck_place_write_new(const struct ck_place *p, const char *path, ck_view content,
                                   unsigned mode, struct ck_arena *a, const char **ret);

#endif
