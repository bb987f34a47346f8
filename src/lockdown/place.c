#include "lockdown/place.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

ck_err *ck_place_open(const char *root, struct ck_place *ret)
{
    int fd = open(*root ? root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_USAGE, "%s", *root ? root : "/");
    *ret = (struct ck_place){ fd, strcmp(root, "/") == 0 ? "" : root };
    return NULL;
}

void ck_place_close(struct ck_place *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

static int open_at(const struct ck_place *p, const char *path, int flags)
{
    struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, p->fd, path, &how, sizeof how);
}

static bool is_absent(int error) { return error == ENOENT || error == ENOTDIR; }

bool ck_place_stat(const struct ck_place *p, const char *path, struct stat *ret)
{
    int fd = open_at(p, path, O_PATH);
    bool there = fd >= 0 && fstat(fd, ret) == 0;
    if (fd >= 0)
        close(fd);
    return there;
}

/* --- reading ---------------------------------------------------------------------------------- */

static ck_err *read_fd(int fd, const char *path, struct ck_arena *a, ck_view *ret)
{
    enum { PIECE = 16384 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    uint8_t piece[PIECE];
    struct stat st;
    ssize_t n;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ck_err_new(CK_ERR_USAGE, "%s is no regular file", path);
    while ((n = read(fd, piece, PIECE)) > 0)
        CK_TRY_WRAP(ck_buf_add(&b, ck_view_of(piece, (size_t)n)), "%s", path);
    if (n < 0)
        return ck_err_errno(CK_ERR_USAGE, "%s", path);
    *ret = ck_arena_dup(a, ck_buf_view(&b));
    return NULL;
}

ck_err *ck_place_read(const struct ck_place *p, const char *path, struct ck_arena *a,
                      ck_view *ret, bool *ret_there)
{
    int fd = open_at(p, path, O_RDONLY | O_NONBLOCK);
    if (fd < 0 && !is_absent(errno))
        return ck_err_errno(CK_ERR_USAGE, "%s", path);
    *ret_there = fd >= 0;
    ck_err *e = fd >= 0 ? read_fd(fd, path, a, ret) : NULL;
    if (fd >= 0)
        close(fd);
    return e;
}

struct names {
    struct ck_arena *a;
    const char *dir;
    const char **v;
    size_t n, cap;
};

static ck_err *keep_name(void *ctx, int dir, const char *name)
{
    struct names *s = ctx;
    (void)dir;
    if (name[0] == '.')
        return NULL;
    if (s->n == CK_MAX_CONFIG_FILES)
        return ck_err_limit(CK_LIMIT_CONFIG_FILES, "%s", s->dir);
    *ck_push(s) = (const char *)ck_arena_dup(s->a, ck_view_str(name)).p;
    return NULL;
}

static int by_bytes(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

ck_err *ck_place_list(const struct ck_place *p, const char *path, struct ck_arena *a,
                      const char ***ret, size_t *ret_n)
{
    struct names s = { .a = a, .dir = path };
    int fd = open_at(p, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && !is_absent(errno))
        return ck_err_errno(CK_ERR_USAGE, "%s", path);
    ck_err *e = fd >= 0 ? ck_tree_each(fd, keep_name, &s) : NULL;
    if (fd >= 0)
        close(fd);
    if (!e) {
        *ret = ck_arena_alloc(a, s.n + 1, sizeof s.v[0]);
        *ret_n = s.n;
        if (s.n) {
            qsort(s.v, s.n, sizeof s.v[0], by_bytes);
            memcpy(*ret, s.v, s.n * sizeof s.v[0]);
        }
    }
    free(s.v);
    return e;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* The directory that `path` stands in, made where it is not there; *ret_name is the rest. */
static ck_err *open_parent(const struct ck_place *p, const char *path, int *ret,
                           const char **ret_name)
{
    enum { MODE = 0755 };
    ck_autofree char *copy = ck_strndup(path, strlen(path));
    int at = open_at(p, "/", O_RDONLY | O_DIRECTORY);
    char *name = copy + 1;
    for (char *slash; at >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        *slash = 0;
        int made = mkdirat(at, name, MODE), error = errno;
        close(at);
        at = made != 0 && error != EEXIST ? -1 : open_at(p, copy, O_RDONLY | O_DIRECTORY);
        *slash = '/';
    }
    if (at < 0)
        return ck_err_errno(CK_ERR_OURS, "making the directory of %s", path);
    *ret = at;
    *ret_name = path + (name - copy);
    return NULL;
}

static int open_temporary(int dir, const char *name, struct ck_arena *a, const char **ret)
{
    for (unsigned i = 0; i < 1000; i++) {
        *ret = ck_arena_format(a, ".%s.cocket-new-%u", name, i);
        int fd = openat(dir, *ret, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

static ck_err *fill(int fd, ck_view content, unsigned mode, const struct stat *owner)
{
    CK_TRY(ck_write_all(fd, content));
    if (owner && fchown(fd, owner->st_uid, owner->st_gid) != 0)
        return ck_err_errno(CK_ERR_OURS, "its owner");
    if (fchmod(fd, mode) != 0 || fsync(fd) != 0)
        return ck_err_errno(CK_ERR_OURS, "writing");
    return NULL;
}

/* Into a file of its own in `dir`; `place` gives it its name. */
static ck_err *write_in(int dir, const char *name, ck_view content, unsigned mode,
                        const struct stat *owner, bool new)
{
    ck_autoarena struct ck_arena a = { 0 };
    const char *temporary = NULL;
    int fd = open_temporary(dir, name, &a, &temporary);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", name);
    ck_err *e = fill(fd, content, mode, owner);
    close(fd);
    int rc = e ? -1 : new ? linkat(dir, temporary, dir, name, 0)
                          : renameat(dir, temporary, dir, name);
    if (!e && rc != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", name);
    int error = errno;
    if (e || new)
        unlinkat(dir, temporary, 0);
    if (!e && fsync(dir) != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", name);
    errno = error;
    return e;
}

ck_err *ck_place_write(const struct ck_place *p, const char *path, ck_view content, unsigned mode)
{
    int dir;
    const char *name;
    struct stat st;
    CK_TRY(open_parent(p, path, &dir, &name));
    bool there = fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    ck_err *e = there && !S_ISREG(st.st_mode)
                    ? ck_err_new(CK_ERR_USAGE, "it is a link or no regular file")
                    : write_in(dir, name, content, mode, there ? &st : NULL, false);
    close(dir);
    return e ? ck_err_wrap(e, "%s", path) : NULL;
}

ck_err *ck_place_write_new(const struct ck_place *p, const char *path, ck_view content,
                           unsigned mode, struct ck_arena *a, const char **ret)
{
    int dir;
    const char *name;
    CK_TRY(open_parent(p, path, &dir, &name));
    ck_err *e = NULL;
    for (unsigned i = 1; i <= CK_MAX_CONFIG_FILES; i++) {
        ck_err_free(e);
        e = write_in(dir, ck_arena_format(a, "%s%u", name, i), content, mode, NULL, true);
        if (!e)
            *ret = ck_arena_format(a, "%s%u", path, i);
        if (!e || errno != EEXIST)
            break;
    }
    close(dir);
    return e ? ck_err_wrap(e, "%s", path) : NULL;
}
