/* Blobs on their way in. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct ck_incoming {
    struct ck_lease *lease;
    struct ck_digest digest;
    char *file; /* in partial/ */
    int fd;     /* locked */
    bool resumable;
    uint64_t have, flushed;
};

/* A try that was killed at its very end leaves the mode of a finished blob. */
static int open_writable(int dir, const char *name)
{
    const int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    int fd = openat(dir, name, how, 0600);
    if (fd < 0 && errno == EACCES && fchmodat(dir, name, 0600, 0) == 0)
        fd = openat(dir, name, how, 0600);
    return fd;
}

/* Opens and locks; *ret_busy where another process has it. Between open and lock the file may have
 * become a blob, or been taken away: then it is not this name's any more. */
static ck_err *lock_file(struct ck_store *s, const char *name, int *ret_fd, bool *ret_busy)
{
    for (;;) {
        int fd = open_writable(s->partial, name);
        if (fd < 0)
            return ck_err_errno(CK_ERR_OURS, "store %s: partial/%s", s->dir, name);
        bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (locked && ck_same_file(s->partial, name, fd)) {
            *ret_fd = fd;
            *ret_busy = false;
            return NULL;
        }
        int saved = errno;
        close(fd);
        if (locked)
            continue;
        *ret_busy = saved == EWOULDBLOCK;
        errno = saved;
        return *ret_busy ? NULL : ck_err_errno(CK_ERR_OURS, "store %s: locking partial/%s", s->dir,
                                               name);
    }
}

static ck_err *open_file(struct ck_incoming *in)
{
    struct ck_store *s = in->lease->s;
    char text[CK_DIGEST_TEXT];
    bool busy = false;
    const char *hex = ck_blob_file(&in->digest, text);
    in->file = ck_strndup(hex, strlen(hex));
    in->resumable = true;
    CK_TRY(lock_file(s, in->file, &in->fd, &busy));
    while (busy) {
        ck_autofree char *prefix = ck_format("%s.", hex);
        free(in->file);
        in->file = ck_random_name(prefix);
        in->resumable = false;
        CK_TRY(lock_file(s, in->file, &in->fd, &busy));
    }
    return NULL;
}

static void free_incoming(struct ck_incoming *in)
{
    if (in->fd >= 0)
        close(in->fd);
    free(in->file);
    free(in);
}

static ck_err *measure(struct ck_incoming *in)
{
    struct stat st;
    if (fstat(in->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return ck_err_new(CK_ERR_OURS, "store %s: partial/%s is no regular file", in->lease->s->dir,
                          in->file);
    in->have = (uint64_t)st.st_size;
    return NULL;
}

static struct ck_incoming *begin(struct ck_lease *l)
{
    struct ck_incoming *in = ck_new(struct ck_incoming);
    in->lease = l;
    in->fd = -1;
    return in;
}

/* Gives out what was opened, unless that failed with `e`. */
static ck_err *give_out(struct ck_incoming *in, ck_err *e, struct ck_incoming **ret)
{
    if (!e)
        e = measure(in);
    if (e)
        free_incoming(in);
    else
        *ret = in;
    return e;
}

ck_err *ck_incoming_new(struct ck_lease *l, const struct ck_digest *d, struct ck_incoming **ret)
{
    struct ck_incoming *in = begin(l);
    in->digest = *d;
    return give_out(in, open_file(in), ret);
}

/* Nobody knows its digest: nobody could go on with it. */
ck_err *ck_incoming_anonymous(struct ck_lease *l, struct ck_incoming **ret)
{
    bool busy = true;
    struct ck_incoming *in = begin(l);
    ck_err *e = NULL;
    while (busy && !e) {
        free(in->file);
        in->file = ck_random_name("push.");
        e = lock_file(l->s, in->file, &in->fd, &busy);
    }
    return give_out(in, e, ret);
}

int ck_incoming_fd(const struct ck_incoming *in) { return in->fd; }
uint64_t ck_incoming_have(const struct ck_incoming *in) { return in->have; }

ck_err *ck_incoming_reader(const struct ck_incoming *in, int *ret_fd)
{
    const struct ck_store *s = in->lease->s;
    int fd = openat(s->partial, in->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: partial/%s", s->dir, in->file);
    if (!ck_same_file(s->partial, in->file, fd) || !ck_same_file(s->partial, in->file, in->fd)) {
        close(fd);
        return ck_err_new(CK_ERR_OURS, "store %s: partial/%s was taken away", s->dir, in->file);
    }
    *ret_fd = fd;
    return NULL;
}

ck_err *ck_incoming_restart(struct ck_incoming *in)
{
    if (ftruncate(in->fd, 0) != 0 || lseek(in->fd, 0, SEEK_SET) != 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: partial/%s", in->lease->s->dir, in->file);
    in->have = in->flushed = 0;
    return NULL;
}

void ck_incoming_flush_hint(struct ck_incoming *in, uint64_t upto)
{
    enum { STEP = 8 * CK_MIB };
    if (upto < in->flushed + STEP)
        return;
    /* Only starts the writing; a file system that does not know it writes at the fsync. */
    sync_file_range(in->fd, (off64_t)in->flushed, (off64_t)(upto - in->flushed),
                    SYNC_FILE_RANGE_WRITE);
    in->flushed = upto;
}

static ck_err *check(const struct ck_incoming *in, const struct ck_digest *got, uint64_t size)
{
    char want[CK_DIGEST_TEXT], have[CK_DIGEST_TEXT];
    struct stat st;
    ck_digest_text(&in->digest, want);
    if (!ck_digest_eq(got, &in->digest))
        return ck_err_new(CK_ERR_HOSTILE, "%s: the bytes have the digest %s", want,
                          ck_digest_text(got, have));
    if (fstat(in->fd, &st) != 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: partial/%s", in->lease->s->dir, in->file);
    if ((uint64_t)st.st_size != size)
        return ck_err_new(CK_ERR_HOSTILE, "%s: %llu bytes arrived, %llu were hashed", want,
                          (unsigned long long)st.st_size, (unsigned long long)size);
    return NULL;
}

static ck_err *publish(const struct ck_incoming *in, uint64_t size)
{
    struct ck_store *s = in->lease->s;
    if (fchmod(in->fd, 0444) != 0 || fsync(in->fd) != 0)
        return ck_err_errno(CK_ERR_OURS, "store %s: writing partial/%s", s->dir, in->file);
    /* Nobody takes away what is locked; but the lock is advice. */
    if (!ck_same_file(s->partial, in->file, in->fd))
        return ck_err_new(CK_ERR_OURS, "store %s: partial/%s was taken away", s->dir, in->file);
    return ck_blob_publish(in->lease, in->file, &in->digest, size);
}

ck_err *ck_incoming_commit(struct ck_incoming *in, const struct ck_digest *got, uint64_t size)
{
    ck_err *e = check(in, got, size);
    bool keep = !e;
    if (!e)
        e = publish(in, size);
    if (e)
        ck_incoming_drop(in, keep); /* bytes that are right stay, where the disk may have room later
                                     */
    else
        free_incoming(in);
    return e;
}

ck_err *ck_incoming_commit_as(struct ck_incoming *in, const struct ck_digest *d, uint64_t size)
{
    in->digest = *d;
    return ck_incoming_commit(in, d, size);
}

void ck_incoming_drop(struct ck_incoming *in, bool keep)
{
    if (!in)
        return;
    const struct ck_store *s = in->lease->s;
    if ((!keep || !in->resumable) && ck_same_file(s->partial, in->file, in->fd))
        unlinkat(s->partial, in->file, 0);
    free_incoming(in);
}
