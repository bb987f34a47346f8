/* The store's directories. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"

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

/* As much of it as there is room for: who took it may have written some of it full. */
void ck_reserve_make(struct ck_store *s)
{
    enum { RESERVE = 2 << 20 /* a journal of 500 pages */, LEAST = RESERVE / 16 };
    ck_autofree char *path = ck_format("%s/reserve", s->dir);
    struct stat st = { 0 };
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    bool made = fstat(fd, &st) == 0 && st.st_size >= RESERVE;
    for (off_t size = RESERVE; !made && size >= LEAST && size > st.st_size; size /= 2)
        made = posix_fallocate(fd, 0, size) == 0;
    if (!made && st.st_size == 0)
        unlink(path);
    close(fd);
}

bool ck_reserve_take(struct ck_store *s)
{
    ck_autofree char *path = ck_format("%s/reserve", s->dir);
    return unlink(path) == 0;
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
