/* The serve room writes to a pipe; what is hashed here is what is in the file, and nobody else can
 * write to that.
 */
#include "gateway/push_int.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 * 1024, PIPE = 1024 * 1024, LOOK_MS = 500 };

struct ck_transfer {
    struct ck_gateway *g;
    struct ck_upload *up;
    int fd;
    uint64_t got;
    ck_err *error;
    bool done;           /* under the mutex, as `end` */
    struct ck_call *end; /* waits for the bytes */
};

/* --- the thread ------------------------------------------------------------------------------- */

static ck_err *write_at(int fd, ck_view v, uint64_t at)
{
    while (v.n) {
        ssize_t n = pwrite(fd, v.p, v.n, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ck_err_errno(CK_ERR_OURS, "writing what is pushed");
        v = ck_view_from(v, (size_t)n);
        at += (uint64_t)n;
    }
    return NULL;
}

static ck_err *take_piece(struct ck_transfer *t, ck_view v)
{
    struct ck_upload *up = t->up;
    uint64_t max = t->g->o->scan.max_size, at = up->offset + t->got;
    if (v.n > CK_MAX_LAYER_BLOB - at)
        return ck_err_limit(CK_LIMIT_LAYER_BLOB, "a blob of more bytes");
    if (max && v.n > max - at)
        return ck_err_limit(CK_LIMIT_IMAGE_SIZE, "a blob past --max-size (%llu bytes)",
                            (unsigned long long)max);
    CK_TRY(write_at(ck_incoming_fd(up->in), v, at));
    if (up->hash)
        ck_hash_add(up->hash, v);
    t->got += v.n;
    ck_incoming_flush_hint(up->in, at + v.n);
    return NULL;
}

static ck_err *take_all(struct ck_transfer *t, uint8_t *piece)
{
    struct pollfd p = { .fd = t->fd, .events = POLLIN };
    while (!atomic_load(&t->g->uploads->ending)) {
        if (poll(&p, 1, LOOK_MS) <= 0)
            continue;
        ssize_t n = read(t->fd, piece, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "reading what is pushed");
        if (n == 0)
            return NULL;
        CK_TRY(take_piece(t, ck_view_of(piece, (size_t)n)));
    }
    return ck_err_new(CK_ERR_OURS, "the gate ends");
}

/* --- the end ---------------------------------------------------------------------------------- */

static void take_back(struct ck_upload *up)
{
    ck_hash_free(ck_steal(up->hash));
    if (ftruncate(ck_incoming_fd(up->in), (off_t)up->offset) != 0)
        up->hash = NULL; /* what lies behind `offset` is cut off at the end */
    if (!up->offset)
        up->hash = ck_hash_new(up->alg);
}

static void transfer_free(struct ck_upload *up)
{
    struct ck_transfer *t = ck_steal(up->transfer);
    ck_err_free(t->error);
    free(t);
    up->busy = false;
    up->touched = ck_push_now();
}

static ck_err *verdict(struct ck_transfer *t, bool aborted)
{
    if (t->error || aborted || t->got == t->end->ask.length)
        return ck_steal(t->error);
    return ck_err_new(CK_ERR_HOSTILE, "%llu bytes came, %llu were said",
                      (unsigned long long)t->got, (unsigned long long)t->end->ask.length);
}

/* All bytes are through, and the call is there. */
static struct ck_outcome settle(struct ck_uploads *u, struct ck_upload *up)
{
    struct ck_transfer *t = up->transfer;
    struct ck_call *c = t->end;
    bool aborted = c->ask.n_words && ck_view_eq(c->ask.words[0], CK_V("abort"));
    ck_err *e = verdict(t, aborted);
    if (e || aborted)
        take_back(up);
    else
        up->offset += t->got;
    transfer_free(up);
    struct ck_outcome o = ck_outcome_of(c, up, 202);
    o.error = e;
    o.code = CK_OCI_BLOB_UPLOAD_INVALID;
    if (e)
        ck_upload_end(u, up);
    return o;
}

void ck_transfer_forget(struct ck_upload *up)
{
    if (!up->transfer || !up->transfer->done || up->transfer->end)
        return;
    take_back(up);
    transfer_free(up);
}

bool ck_transfer_end(struct ck_uploads *u, struct ck_upload *up, struct ck_call *c,
                     struct ck_outcome *ret)
{
    up->transfer->end = c;
    if (up->transfer->done)
        *ret = settle(u, up);
    return up->transfer == NULL;
}

static void *transfer_main(void *arg)
{
    struct ck_transfer *t = arg;
    struct ck_uploads *u = t->g->uploads;
    struct ck_outcome o = { 0 };
    uint8_t *piece = ck_calloc(1, PIECE);
    ck_err *e = take_all(t, piece);
    free(piece);
    close(t->fd); /* who still writes learns that it is of no use */
    pthread_mutex_lock(&u->mutex);
    t->error = e;
    t->done = true;
    if (t->end)
        o = settle(u, t->up);
    pthread_mutex_unlock(&u->mutex);
    if (o.call)
        ck_outcome_say(&o);
    pthread_mutex_lock(&u->mutex);
    u->threads--;
    pthread_cond_signal(&u->quiet);
    pthread_mutex_unlock(&u->mutex);
    return NULL;
}

ck_err *ck_transfer_start(struct ck_gateway *g, struct ck_upload *up, int *ret_fd)
{
    int ends[2];
    pthread_t thread;
    pthread_attr_t detached;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    fcntl(ends[1], F_SETPIPE_SZ, PIPE); /* fewer turns; it works without */
    struct ck_transfer *t = ck_new(struct ck_transfer);
    *t = (struct ck_transfer){ .g = g, .up = up, .fd = ends[0] };
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &detached, transfer_main, t);
    pthread_attr_destroy(&detached);
    if (failed) {
        close(ends[0]);
        close(ends[1]);
        free(t);
        return ck_err_new(CK_ERR_OURS, "not one more thread to be had");
    }
    g->uploads->threads++;
    up->transfer = t;
    up->busy = true;
    *ret_fd = ends[1];
    return NULL;
}
