#include "base/file.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

char *ck_xdg_path(enum ck_xdg kind, const char *name)
{
    static const struct {
        const char *variable, *under_home;
    } dirs[] = {
        [CK_XDG_CACHE] = { "XDG_CACHE_HOME", ".cache" },
        [CK_XDG_DATA] = { "XDG_DATA_HOME", ".local/share" },
        [CK_XDG_CONFIG] = { "XDG_CONFIG_HOME", ".config" },
    };
    const char *dir = getenv(dirs[kind].variable);
    if (dir && dir[0] == '/') /* relative ones are to be ignored, says the specification */
        return ck_format("%s/cocket/%s", dir, name);
    const char *home = getenv("HOME");
    if (!home || home[0] != '/')
        return NULL;
    return ck_format("%s/%s/cocket/%s", home, dirs[kind].under_home, name);
}

char *ck_login_name(void)
{
    struct passwd pw, *found = NULL;
    char text[4096];
    if (getpwuid_r(getuid(), &pw, text, sizeof text, &found) == 0 && found && *found->pw_name)
        return ck_strndup(found->pw_name, strlen(found->pw_name));
    return ck_format("%u", (unsigned)getuid());
}

static ck_err *read_fd(int fd, const char *path, struct ck_buf *out)
{
    uint8_t piece[65536];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
        if (n == 0)
            return NULL;
        CK_TRY_WRAP(ck_buf_add(out, ck_view_of(piece, (size_t)n)), "%s", path);
    }
}

ck_err *ck_file_read(const char *path, struct ck_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    ck_err *e = read_fd(fd, path, out);
    close(fd);
    return e;
}

ck_err *ck_make_parents(const char *path)
{
    ck_autofree char *copy = ck_strndup(path, strlen(path));
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            return ck_err_errno(CK_ERR_OURS, "making %s", copy);
        *slash = '/';
    }
    return NULL;
}

ck_err *ck_write_all(int fd, ck_view v)
{
    while (v.n) {
        ssize_t n = write(fd, v.p, v.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "writing");
        v = ck_view_from(v, (size_t)n);
    }
    return NULL;
}

ck_err *ck_pread_all(int fd, uint8_t *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = pread(fd, p + at, n - at, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ck_err_errno(CK_ERR_OURS, "reading");
        if (got == 0)
            return ck_err_new(CK_ERR_OURS, "the file ends at byte %zu of %zu", at, n);
        at += (size_t)got;
    }
    return NULL;
}

ck_err *ck_sealed_copy(ck_view v, int *ret_fd)
{
    const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
    int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "memfd");
    ck_err *e = ck_write_all(fd, v);
    if (!e && fcntl(fd, F_ADD_SEALS, seals) != 0)
        e = ck_err_errno(CK_ERR_OURS, "sealing memory");
    if (e)
        close(fd);
    else
        *ret_fd = fd;
    return e;
}

static ck_err *sync_parent(const char *path)
{
    ck_autofree char *dir = ck_strndup(path, strlen(path));
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    int fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return rc == 0 ? NULL : ck_err_errno(CK_ERR_OURS, "fsync of %s", dir);
}

ck_err *ck_file_write(const char *path, ck_view content, unsigned how)
{
    bool durable = how & CK_FILE_DURABLE;
    if (how & CK_FILE_PARENTS)
        CK_TRY(ck_make_parents(path));
    ck_autofree char *temp = ck_format("%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", temp);
    ck_err *e = ck_write_all(fd, content);
    if (!e && (fchmod(fd, 0644) != 0 || (durable && fsync(fd) != 0)))
        e = ck_err_errno(CK_ERR_OURS, "%s", temp);
    if (close(fd) != 0 && !e)
        e = ck_err_errno(CK_ERR_OURS, "%s", temp);
    if (!e && rename(temp, path) != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", path);
    if (e) {
        unlink(temp);
        return e;
    }
    return durable ? sync_parent(path) : NULL;
}
