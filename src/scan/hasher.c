#include "scan/hasher.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

struct ck_hasher {
    pthread_t thread;
    struct ck_hash *hash;
    int fd, out;
    uint64_t offset, length;
    ck_err *error;
    uint8_t piece[PIECE];
};

static ck_err *hand_on(struct ck_hasher *h, ck_view v)
{
    ck_err *e = h->out >= 0 ? ck_write_all(h->out, v) : NULL;
    if (!e || errno != EPIPE)
        return e;
    ck_err_free(e);
    close(h->out);
    h->out = -1;
    return NULL;
}

static ck_err *hash_all(struct ck_hasher *h)
{
    bool piped = h->out >= 0;
    for (uint64_t at = 0; at < h->length;) {
        size_t want = h->length - at < PIECE ? (size_t)(h->length - at) : PIECE;
        ssize_t n = piped ? read(h->fd, h->piece, want)
                          : pread(h->fd, h->piece, want, (off_t)(h->offset + at));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_UNAVAILABLE, "reading the blob");
        if (n == 0)
            return ck_err_at(CK_ERR_HOSTILE, at, "the blob is shorter than its %llu bytes",
                             (unsigned long long)h->length);
        ck_hash_add(h->hash, ck_view_of(h->piece, (size_t)n));
        CK_TRY(hand_on(h, ck_view_of(h->piece, (size_t)n)));
        at += (uint64_t)n;
    }
    return NULL;
}

static void *thread_main(void *arg)
{
    struct ck_hasher *h = arg;
    h->error = hash_all(h);
    if (h->out >= 0)
        close(h->out); /* the room sees the end */
    h->out = -1;
    return NULL;
}

ck_err *ck_hasher_start(enum ck_digest_algorithm alg, int fd, uint64_t offset, uint64_t length,
                        int out, struct ck_hasher **ret)
{
    struct ck_hasher *h = ck_new(struct ck_hasher);
    h->hash = ck_hash_new(alg);
    h->fd = fd;
    h->out = out;
    h->offset = offset;
    h->length = length;
    int rc = pthread_create(&h->thread, NULL, thread_main, h);
    if (rc != 0) {
        ck_hash_free(h->hash);
        free(h);
        errno = rc;
        return ck_err_errno(CK_ERR_OURS, "thread");
    }
    *ret = h;
    return NULL;
}

ck_err *ck_hasher_finish(struct ck_hasher *h, struct ck_digest *ret)
{
    pthread_join(h->thread, NULL);
    ck_err *e = h->error;
    struct ck_digest d;
    ck_hash_finish(h->hash, &d);
    ck_hash_free(h->hash);
    free(h);
    if (!e)
        *ret = d;
    return e;
}
