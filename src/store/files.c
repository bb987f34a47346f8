/* The store's directories. */
#include "store/store_int.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

const char *ck_blob_file(const struct ck_digest *d, char out[CK_DIGEST_TEXT])
{
    return strchr(ck_digest_text(d, out), ':') + 1;
}

bool ck_blob_there(struct ck_store *s, const struct ck_digest *d, uint64_t size)
{
    char text[CK_DIGEST_TEXT];
    struct stat st;
    return fstatat(s->blobs[d->alg], ck_blob_file(d, text), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
}

bool ck_same_file(int dir, const char *name, int fd)
{
    struct stat a, b;
    return fstatat(dir, name, &a, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

ck_err *ck_each_file(struct ck_store *s, int dir, const char *what,
                     ck_err *(*each)(void *ctx, const char *name), void *ctx)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* its position is ours alone */
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    ck_err *e = NULL;
    if (!d) {
        e = ck_err_errno(CK_ERR_OURS, "store %s: %s", s->dir, what);
        if (fd >= 0)
            close(fd);
        return e;
    }
    const struct dirent *f;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this call's own */
    while (!e && (errno = 0, f = readdir(d)) != NULL)
        if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0)
            e = each(ctx, f->d_name);
    if (!e && errno)
        e = ck_err_errno(CK_ERR_OURS, "store %s: %s", s->dir, what);
    closedir(d);
    return e;
}

char *ck_random_name(const char *prefix)
{
    uint8_t bytes[8] = { 0 };
    char hex[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        memcpy(bytes, &(uint64_t){ (uint64_t)getpid() }, sizeof bytes);
    ck_hex(bytes, sizeof bytes, hex);
    return ck_format("%s%s", prefix, hex);
}
