#include "load/layout_write.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- opening ---------------------------------------------------------------------------------- */

static bool is_empty_dir(const char *path)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    DIR *d = opendir(path);
    bool empty = d != NULL;
    for (const struct dirent *f; d && (f = readdir(d)) != NULL;)
        if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0)
            empty = false;
    if (d)
        closedir(d);
    return empty;
}

static ck_err *open_temp_dir(struct ck_layout_out *w)
{
    w->temp = ck_format("%s.XXXXXX", w->to);
    if (!mkdtemp(w->temp)) {
        ck_err *e = ck_err_errno(CK_ERR_OURS, "%s", w->temp);
        free(ck_steal(w->temp));
        return e;
    }
    w->fd = open(w->temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->fd < 0 || fchmod(w->fd, 0755) != 0 || mkdirat(w->fd, "blobs", 0755) != 0 ||
        mkdirat(w->fd, "blobs/sha256", 0755) != 0 || mkdirat(w->fd, "blobs/sha512", 0755) != 0)
        return ck_err_errno(CK_ERR_OURS, "%s", w->temp);
    return NULL;
}

static ck_err *open_temp_file(struct ck_layout_out *w)
{
    w->temp = ck_format("%s.XXXXXX", w->to);
    w->fd = mkostemp(w->temp, O_CLOEXEC);
    if (w->fd >= 0 && fchmod(w->fd, 0644) == 0)
        return NULL;
    ck_err *e = ck_err_errno(CK_ERR_OURS, "%s", w->temp);
    if (w->fd < 0)
        free(ck_steal(w->temp));
    return e;
}

static ck_err *open_archive(struct ck_layout_out *w)
{
    struct stat st;
    if (stat(w->to, &st) != 0)
        return open_temp_file(w);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return ck_err_new(CK_ERR_USAGE, "%s is there already", w->to);
    w->fd = open(w->to, O_WRONLY | O_CLOEXEC); /* a pipe or device */
    return w->fd < 0 ? ck_err_errno(CK_ERR_OURS, "%s", w->to) : NULL;
}

static ck_err *open_directory(struct ck_layout_out *w)
{
    struct stat st;
    if (lstat(w->to, &st) == 0 && !is_empty_dir(w->to))
        return ck_err_new(CK_ERR_USAGE, "%s is there already, and is no empty directory", w->to);
    return open_temp_dir(w);
}

static void remove_temp(struct ck_layout_out *w)
{
    ck_autofree char *dir = ck_strndup(w->temp, strlen(w->temp));
    char *slash = strrchr(dir, '/');
    const char *name = slash ? slash + 1 : dir;
    if (slash)
        *slash = 0;
    int fd = open(!slash ? "." : slash == dir ? "/" : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        ck_err_free(ck_tree_remove(fd, name));
        close(fd);
    }
}

ck_err *ck_layout_out_open(const char *to, struct ck_layout_out *ret)
{
    size_t n = strlen(to);
    while (n > 1 && to[n - 1] == '/')
        n--;
    struct ck_layout_out w = { .to = ck_strndup(to, n), .fd = -1, .current = -1 };
    w.archive = ck_view_ends(ck_view_of(to, n), CK_V(".tar"));
    ck_err *e = w.archive ? open_archive(&w) : open_directory(&w);
    if (e)
        return ck_layout_out_close(&w, e);
    w.tar = (struct ck_tar_out){ .fd = w.fd };
    *ret = w;
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static ck_err *end_file(struct ck_layout_out *w)
{
    int rc = w->current >= 0 ? close(w->current) : 0;
    w->current = -1;
    return rc == 0 ? NULL : ck_err_errno(CK_ERR_OURS, "%s", w->temp);
}

ck_err *ck_layout_out_file(struct ck_layout_out *w, const char *name, uint64_t size)
{
    if (w->archive)
        return ck_tar_out_file(&w->tar, ck_view_str(name), size);
    CK_TRY(end_file(w));
    w->current = openat(w->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    return w->current < 0 ? ck_err_errno(CK_ERR_OURS, "%s/%s", w->temp, name) : NULL;
}

ck_err *ck_layout_out_data(struct ck_layout_out *w, ck_view piece)
{
    ck_err *e = w->archive ? ck_tar_out_data(&w->tar, piece) : ck_write_all(w->current, piece);
    return e ? ck_err_wrap(e, "%s", w->to) : NULL;
}

ck_err *ck_layout_out_put(struct ck_layout_out *w, const char *name, ck_view content)
{
    CK_TRY(ck_layout_out_file(w, name, content.n));
    return ck_layout_out_data(w, content);
}

/* --- the end ---------------------------------------------------------------------------------- */

static ck_err *finish(struct ck_layout_out *w)
{
    CK_TRY(end_file(w));
    if (w->archive)
        CK_TRY(ck_tar_out_end(&w->tar));
    if (!w->temp)
        return NULL;
    /* a directory's files are synced all at once; it may be a stick that is pulled out next */
    if ((w->archive ? fsync(w->fd) : syncfs(w->fd)) != 0)
        return ck_err_errno(CK_ERR_OURS, "syncing %s", w->temp);
    if (rename(w->temp, w->to) != 0)
        return ck_err_errno(CK_ERR_OURS, "%s", w->to);
    free(ck_steal(w->temp));
    return NULL;
}

ck_err *ck_layout_out_close(struct ck_layout_out *w, ck_err *e)
{
    if (!e)
        e = finish(w);
    ck_err_free(end_file(w));
    if (w->fd >= 0)
        close(w->fd);
    if (w->temp)
        remove_temp(w);
    free(w->temp);
    free(w->to);
    return e;
}
