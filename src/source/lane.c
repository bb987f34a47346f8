#include "source/lane.h"

#include "base/mem.h"
#include "proc/spawn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

struct ck_lane {
    struct ck_arrivals *arrivals;
    struct ck_lease *lease;
    const struct ck_remote *remote;
    int stop;
    struct ck_room_proc *room;
    uint8_t piece[PIECE];
};

/* A blob under way. */
struct load {
    size_t index;
    const struct ck_digest *digest;
    uint64_t size, at; /* bytes hashed and in the file */
    struct ck_incoming *in;
    struct ck_hash *hash;
};

struct ck_lane *ck_lane_new(struct ck_arrivals *a, struct ck_lease *lease,
                            const struct ck_remote *remote, int stop)
{
    struct ck_lane *l = ck_new(struct ck_lane);
    l->arrivals = a;
    l->lease = lease;
    l->remote = remote;
    l->stop = stop;
    return l;
}

void ck_lane_free(struct ck_lane *l)
{
    ck_room_stop(l->room);
    free(l);
}

static const char gave_up[] = "given up";

bool ck_lane_gave_up(const ck_err *e)
{
    size_t n = strlen(ck_err_text(e)), k = sizeof gave_up - 1;
    return n >= k && strcmp(ck_err_text(e) + n - k, gave_up) == 0;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static ck_err *write_at(int fd, ck_view v, uint64_t at)
{
    while (v.n) {
        ssize_t n = pwrite(fd, v.p, v.n, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "writing into the store");
        at += (uint64_t)n;
        v = ck_view_from(v, (size_t)n);
    }
    return NULL;
}

static ck_err *take(struct ck_lane *l, struct load *d, ck_view v)
{
    if (v.n > d->size - d->at)
        return ck_err_new(CK_ERR_HOSTILE,
                          "the registry sends more than the %llu bytes that the descriptor says "
                          "(OCI image-spec, descriptor, size)",
                          (unsigned long long)d->size);
    ck_hash_add(d->hash, v);
    CK_TRY(write_at(ck_incoming_fd(d->in), v, d->at));
    d->at += v.n;
    ck_incoming_flush_hint(d->in, d->at);
    ck_arrival_progress(l->arrivals, d->index, d->at);
    return NULL;
}

/* What an earlier try brought is hashed first; nobody has verified it. */
static ck_err *hash_earlier(struct ck_lane *l, struct load *d, uint64_t have)
{
    while (d->at < have) {
        size_t want = have - d->at < PIECE ? (size_t)(have - d->at) : PIECE;
        ssize_t n = pread(ck_incoming_fd(d->in), l->piece, want, (off_t)d->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ck_err_errno(CK_ERR_OURS, "reading what an earlier try brought");
        ck_hash_add(d->hash, ck_view_of(l->piece, (size_t)n));
        d->at += (uint64_t)n;
    }
    return NULL;
}

/* --- one endpoint ------------------------------------------------------------------------------
 * */

static ck_err *read_body(struct ck_lane *l, struct load *d, int body, bool *ret_end)
{
    ssize_t n = read(body, l->piece, PIECE);
    if (n < 0 && errno == EINTR)
        return NULL;
    if (n < 0)
        return ck_err_errno(CK_ERR_OURS, "reading from the registry room");
    *ret_end = n == 0;
    return take(l, d, ck_view_of(l->piece, (size_t)n));
}

static ck_err *take_answer(void *ctx, ck_view bytes)
{
    return ck_buf_add(ctx, bytes);
}

/* Waits for the body, the channel or the word to stop. */
static ck_err *await(struct ck_lane *l, struct pollfd p[3], bool done)
{
    int n = poll(p, 3, done ? -1 : ck_room_patience(l->room));
    if (n == 0)
        return ck_room_stuck(l->room);
    if (n < 0 && errno != EINTR)
        return ck_err_errno(CK_ERR_OURS, "poll");
    if (n > 0 && p[2].revents)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s", gave_up);
    if (n < 0)
        p[0].revents = p[1].revents = 0;
    return NULL;
}

/* Until the room has said DONE and the pipe has ended. When the room fails, what is in the pipe is
 * taken all the same: the next endpoint goes on behind it. */
static ck_err *converse(struct ck_lane *l, struct load *d, int body, struct ck_buf *answer)
{
    const struct ck_room_consumer c = { .piece = take_answer, .ctx = answer };
    bool done = false, end = false;
    ck_err *failed = NULL;
    while (!done || !end) {
        struct pollfd p[3] = { { .fd = done ? -1 : ck_room_fd(l->room), .events = POLLIN },
                               { .fd = end ? -1 : body, .events = POLLIN },
                               { .fd = l->stop, .events = POLLIN } };
        ck_err *e = await(l, p, done);
        if (!e && p[1].revents)
            e = read_body(l, d, body, &end);
        else if (!e && p[0].revents && (failed = ck_room_step(l->room, &c, &done)))
            done = true;
        if (e) {
            ck_err_free(failed);
            return e;
        }
    }
    return failed;
}

static ck_err *from_endpoint(struct ck_lane *l, struct load *d, struct ck_job_registry *j,
                             struct ck_arena *a, struct ck_registry_answer *ret)
{
    ck_autobuf struct ck_buf answer = ck_buf_new(CK_LIMIT_DOCUMENT);
    int body = -1;
    j->offset = d->at;
    ck_err *e = ck_remote_start(l->remote, j, &l->room, &body);
    if (!e) {
        e = converse(l, d, body, &answer);
        close(body);
    }
    if (!e)
        e = ck_registry_answer_decode(ck_arena_dup(a, ck_buf_view(&answer)), a, ret);
    if (e)
        ck_room_stop(ck_steal(l->room));
    return e;
}

static ck_err *check_length(const struct load *d)
{
    if (d->at == d->size)
        return NULL;
    return ck_err_new(CK_ERR_UNAVAILABLE,
                      "the blob ended after %llu of %llu bytes (OCI image-spec, descriptor, size)",
                      (unsigned long long)d->at, (unsigned long long)d->size);
}

static ck_err *download(struct ck_lane *l, struct load *d)
{
    const struct ck_registry_plan *plan = ck_remote_plan(l->remote);
    char text[CK_DIGEST_TEXT];
    struct ck_job_registry j = {
        .op = CK_REGISTRY_BLOB,
        .reference = ck_view_str(ck_digest_text(d->digest, text)),
        .max = d->size,
        .exact = true,
        .allow_private = ck_remote_options_of(l->remote)->allow_private,
    };
    for (size_t i = 0; i < plan->n; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_registry_answer answer = { 0 };
        j.endpoint = plan->v[i];
        ck_err *e = from_endpoint(l, d, &j, &a, &answer);
        if (i + 1 < plan->n && ck_remote_may_go_on(e, &answer) && !(e && ck_lane_gave_up(e))) {
            ck_err_free(e);
            continue;
        }
        if (e)
            return e;
        return ck_remote_may_go_on(NULL, &answer) ? ck_remote_refused(&j.endpoint, &j, &answer)
                                                  : check_length(d);
    }
    return ck_err_new(CK_ERR_USAGE, "the configuration names no endpoint for this image");
}

/* --- one blob ----------------------------------------------------------------------------------
 * */

static ck_err *check_digest(const struct load *d, const struct ck_digest *got)
{
    char text[CK_DIGEST_TEXT];
    if (ck_digest_eq(got, d->digest))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE,
                      "digest mismatch: the registry sent %s (OCI image-spec, descriptor, digest)",
                      ck_digest_text(got, text));
}

/* From `have` bytes on. *ret_got is the digest of the whole. */
static ck_err *receive(struct ck_lane *l, struct load *d, uint64_t have)
{
    struct ck_digest got;
    d->at = 0;
    d->hash = ck_hash_new(d->digest->alg);
    ck_err *e = hash_earlier(l, d, have);
    if (!e && (d->at < d->size || d->size == 0))
        e = download(l, d);
    ck_hash_finish(d->hash, &got);
    ck_hash_free(d->hash);
    return e ? e : check_digest(d, &got);
}

/* A file that an earlier try left may be damaged: then everything is fetched once more. */
static ck_err *receive_resumed(struct ck_lane *l, struct load *d, uint64_t have)
{
    ck_err *e = receive(l, d, have);
    if (!e || ck_err_class(e) != CK_ERR_HOSTILE)
        return e;
    ck_err_free(e);
    CK_TRY(ck_incoming_restart(d->in));
    return receive(l, d, 0);
}

static ck_err *bring(struct ck_lane *l, struct load *d)
{
    uint64_t have = ck_incoming_have(d->in);
    int reader = -1;
    if (have > d->size) {
        CK_TRY(ck_incoming_restart(d->in));
        have = 0;
    }
    CK_TRY(ck_incoming_reader(d->in, &reader));
    if (have == 0) /* what is resumed may have to be fetched again: nobody reads along */
        ck_arrival_readable(l->arrivals, d->index, reader);
    ck_err *e = have ? receive_resumed(l, d, have) : receive(l, d, 0);
    if (have && !e)
        ck_arrival_readable(l->arrivals, d->index, reader);
    else if (have)
        close(reader);
    return e;
}

ck_err *ck_lane_bring(struct ck_lane *l, size_t i, const struct ck_digest *d, uint64_t size)
{
    char text[CK_DIGEST_TEXT];
    struct load load = { .index = i, .digest = d, .size = size };
    ck_err *e = ck_incoming_new(l->lease, d, &load.in);
    if (!e && (e = bring(l, &load)))
        ck_incoming_drop(load.in, ck_err_class(e) == CK_ERR_UNAVAILABLE);
    else if (!e) {
        ck_arrival_verified(l->arrivals, i);
        e = ck_incoming_commit(load.in, d, size);
    }
    return e ? ck_err_wrap(e, "blob %s", ck_digest_text(d, text)) : NULL;
}
