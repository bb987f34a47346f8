#include "cmd/lock_file.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

ck_err *ck_lock_file_read(const char *path, bool may_be_missing, struct ck_arena *a,
                          struct ck_buf *bytes, struct ck_lock_entry **ret, size_t *ret_n)
{
    if (may_be_missing && access(path, F_OK) != 0 && errno == ENOENT) {
        *ret = NULL;
        *ret_n = 0;
        return NULL;
    }
    CK_TRY(ck_file_read(path, bytes));
    CK_TRY_WRAP(ck_lock_decode(ck_buf_view(bytes), a, ret, ret_n), "%s", path);
    return NULL;
}

ck_err *ck_lock_resolve(struct ck_resolver *r, const struct ck_name *n, struct ck_arena *a,
                        struct ck_resolved *ret)
{
    struct ck_name full = *n;
    full.host_given = true;
    return ck_resolve_name(r, &full, a, ret);
}

const char *ck_lock_short_digest(const struct ck_digest *d, struct ck_arena *a)
{
    char text[CK_DIGEST_TEXT];
    return ck_arena_format(a, "%.19s", ck_digest_text(d, text));
}

/* --- a file of the user's --------------------------------------------------------------------- */

static ck_err *read_real(struct ck_user_file *f)
{
    int fd = open(f->real, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ck_err *e = NULL;
    if (fd < 0 || fstat(fd, &f->st) != 0)
        e = ck_err_errno(CK_ERR_UNAVAILABLE, "%s", f->path);
    else if (!S_ISREG(f->st.st_mode))
        e = ck_err_new(CK_ERR_USAGE, "%s: it is no regular file", f->path);
    if (fd >= 0)
        close(fd);
    return e ? e : ck_file_read(f->real, &f->content);
}

ck_err *ck_user_file_read(const char *path, struct ck_user_file *ret)
{
    *ret = (struct ck_user_file){ .path = path, .content = ck_buf_new(CK_LIMIT_LOCK_FILE) };
    ret->real = realpath(path, NULL);
    if (!ret->real)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", path);
    return read_real(ret);
}

void ck_user_file_free(struct ck_user_file *f)
{
    free(f->real);
    ck_buf_free(&f->content);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

ck_err *ck_user_file_unchanged(const struct ck_user_file *f)
{
    struct ck_user_file now;
    ck_err *e = ck_user_file_read(f->path, &now);
    bool same = !e && same_file(&f->st, &now.st) &&
                ck_view_eq(ck_buf_view(&f->content), ck_buf_view(&now.content));
    ck_user_file_free(&now);
    ck_err_free(e);
    return same ? NULL : ck_err_new(CK_ERR_OURS, "%s has changed since it was read: left alone",
                                    f->path);
}

/* As the old one: owner first, because changing it clears the set-user-ID bits. */
static ck_err *dress(int fd, const char *temp, const struct stat *old)
{
    struct stat st;
    if (fstat(fd, &st) != 0 ||
        ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
         fchown(fd, old->st_uid, old->st_gid) != 0) ||
        fchmod(fd, old->st_mode & 07777) != 0 || fsync(fd) != 0)
        return ck_err_errno(CK_ERR_OURS, "%s: giving it the old file's owner and mode", temp);
    return NULL;
}

ck_err *ck_user_file_replace(const struct ck_user_file *f, ck_view content)
{
    if (f->st.st_nlink > 1)
        return ck_err_new(CK_ERR_OURS,
                          "%s has %lu names (hard links) that replacing it would part: left alone",
                          f->path, (unsigned long)f->st.st_nlink);
    ck_autofree char *temp = ck_format("%s.XXXXXX", f->real);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", temp);
    ck_err *e = ck_write_all(fd, content);
    if (!e)
        e = dress(fd, temp, &f->st);
    if (close(fd) != 0 && !e)
        e = ck_err_errno(CK_ERR_OURS, "%s", temp);
    if (!e)
        e = ck_user_file_unchanged(f);
    if (!e && rename(temp, f->real) != 0)
        e = ck_err_errno(CK_ERR_OURS, "%s", f->path);
    if (e)
        unlink(temp);
    return e;
}
