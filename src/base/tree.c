#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Removing while reading may hide names from readdir on some file systems: reads until a pass finds
 * nothing new. */
static ck_err *each_of(DIR *d, ck_err *(*each)(void *ctx, int dir, const char *name), void *ctx)
{
    const struct dirent *e;
    errno = 0;
    while ((e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        CK_TRY(each(ctx, dirfd(d), e->d_name));
        errno = 0;
    }
    return errno ? ck_err_errno(CK_ERR_OURS, "reading a directory") : NULL;
}

ck_err *ck_tree_each(int dir, ck_err *(*each)(void *ctx, int dir, const char *name), void *ctx)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        ck_err *e = ck_err_errno(CK_ERR_OURS, "opening a directory");
        if (fd >= 0)
            close(fd);
        return e;
    }
    ck_err *e = each_of(d, each, ctx);
    closedir(d);
    return e;
}

static ck_err *remove_entry(void *ctx, int dir, const char *name);

static int open_to_empty(int dir, const char *name, bool force)
{
    const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat st;
    if (force && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
        (st.st_mode & 0700) != 0700 && fchmodat(dir, name, 0700, 0) != 0)
        return -1;
    return openat(dir, name, how);
}

/* Once more where the first pass was not shown all names. */
static ck_err *empty_and_remove(int dir, const char *name, bool *force)
{
    enum { PASSES = 3 };
    int fd = open_to_empty(dir, name, *force);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "opening %s to remove it", name);
    ck_err *e = NULL;
    for (int pass = 0; !e && pass < PASSES; pass++) {
        e = ck_tree_each(fd, remove_entry, force);
        if (!e && unlinkat(dir, name, AT_REMOVEDIR) == 0)
            break;
        if (!e && (errno != ENOTEMPTY || pass + 1 == PASSES))
            e = ck_err_errno(CK_ERR_OURS, "removing %s", name);
    }
    close(fd);
    return e;
}

static ck_err *remove_entry(void *ctx, int dir, const char *name)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return NULL;
    if (errno != EISDIR && errno != EPERM) /* POSIX has EPERM for directories, Linux EISDIR */
        return ck_err_errno(CK_ERR_OURS, "removing %s", name);
    return empty_and_remove(dir, name, ctx);
}

ck_err *ck_tree_remove(int dir, const char *name)
{
    bool force = false;
    return remove_entry(&force, dir, name);
}

ck_err *ck_tree_remove_force(int dir, const char *name)
{
    bool force = true;
    return remove_entry(&force, dir, name);
}
