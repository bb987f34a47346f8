/* Uploads: a session each, with what came so far and its hash. */
#include "gateway/push_int.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

int64_t ck_push_now(void)
{
    return ck_clock_ms() / 1000;
}

/* --- all of them ------------------------------------------------------------------------------ */

struct ck_uploads *ck_uploads_new(void)
{
    struct ck_uploads *u = ck_new(struct ck_uploads);
    pthread_mutex_init(&u->mutex, NULL);
    pthread_mutex_init(&u->naming, NULL);
    pthread_cond_init(&u->quiet, NULL);
    return u;
}

void ck_upload_end(struct ck_uploads *u, struct ck_upload *up)
{
    struct ck_upload **at = &u->first;
    while (*at && *at != up)
        at = &(*at)->next;
    if (*at) {
        *at = up->next;
        u->n--;
    }
    ck_incoming_drop(up->in, false);
    ck_hash_free(up->hash);
    ck_hold_put(&u->claims, up->hold); /* the lease outlives what came in under it */
    free(up->repository);
    free(up->user);
    free(up);
}

void ck_uploads_free(struct ck_uploads *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->mutex);
    atomic_store(&u->ending, true);
    while (u->threads)
        pthread_cond_wait(&u->quiet, &u->mutex);
    pthread_mutex_unlock(&u->mutex);
    while (u->first) {
        ck_transfer_forget(u->first);
        ck_upload_end(u, u->first);
    }
    ck_claims_free(&u->claims);
    pthread_cond_destroy(&u->quiet);
    pthread_mutex_destroy(&u->naming);
    pthread_mutex_destroy(&u->mutex);
    free(u);
}

void ck_uploads_tick(struct ck_gateway *g)
{
    struct ck_uploads *u = g->uploads;
    int64_t now = ck_push_now();
    pthread_mutex_lock(&u->mutex);
    for (struct ck_upload *up = u->first, *next; up; up = next) {
        next = up->next;
        if (now - up->touched < (int64_t)CK_MAX_UPLOAD_IDLE)
            continue;
        ck_transfer_forget(up);
        if (!up->busy)
            ck_upload_end(u, up);
    }
    ck_claims_expire(&u->claims, now);
    pthread_mutex_unlock(&u->mutex);
}

bool ck_upload_claimed(struct ck_gateway *g, ck_view repository, const struct ck_digest *d)
{
    pthread_mutex_lock(&g->uploads->mutex);
    bool has = ck_claim_has(&g->uploads->claims, repository, d);
    pthread_mutex_unlock(&g->uploads->mutex);
    return has;
}

/* --- one of them ------------------------------------------------------------------------------ */

/* Of this repository and user. NULL: *ret is the answer. */
static struct ck_upload *find(struct ck_call *c, const struct ck_place *p, struct ck_outcome *ret)
{
    struct ck_upload *up = c->g->uploads->first;
    while (up && !(ck_view_eq(ck_view_str(up->id), c->ask.upload) &&
                   strcmp(up->repository, p->repository) == 0 &&
                   ck_view_eq(ck_view_str(up->user), c->user)))
        up = up->next;
    if (up)
        return up;
    *ret = (struct ck_outcome){ .call = c, .status = 404, .code = CK_OCI_BLOB_UPLOAD_UNKNOWN,
                                .fd = -1 };
    ret->error = ck_err_new(CK_ERR_UNAVAILABLE, "no such upload, or it has ended");
    return NULL;
}

/* As find, for those who change it. */
static struct ck_upload *find_idle(struct ck_call *c, const struct ck_place *p,
                                   struct ck_outcome *ret)
{
    struct ck_upload *up = find(c, p, ret);
    if (up)
        ck_transfer_forget(up);
    if (!up || !up->busy)
        return up;
    *ret = ck_outcome_of(c, up, 400);
    ret->code = CK_OCI_BLOB_UPLOAD_INVALID;
    ret->error = ck_err_new(CK_ERR_HOSTILE, "another request is at work on this upload");
    return NULL;
}

struct ck_outcome ck_outcome_of(struct ck_call *c, const struct ck_upload *up, uint16_t status)
{
    return (struct ck_outcome){ .call = c, .status = status, .offset = up->offset, .fd = -1,
                                .id = ck_arena_format(&c->arena, "%s", up->id) };
}

void ck_outcome_say(const struct ck_outcome *o)
{
    if (o->error && o->status != 416 && o->status != 404) {
        ck_push_fail(o->call, o->error, o->code);
        return;
    }
    struct ck_answer w = { .status = o->status, .offset = o->offset, .fd = o->fd,
                           .code = o->error ? o->code : CK_OCI_NONE };
    if (o->id)
        w.upload = ck_view_str(o->id);
    if (o->error)
        w.message = ck_view_str(ck_arena_format(&o->call->arena, "%s", ck_err_text(o->error)));
    ck_err_free(o->error);
    ck_call_answer(o->call, &w);
}

/* --- START ------------------------------------------------------------------------------------ */

static bool too_many(struct ck_call *c)
{
    const struct ck_uploads *u = c->g->uploads;
    size_t own = 0;
    for (const struct ck_upload *up = u->first; up; up = up->next)
        own += ck_view_eq(ck_view_str(up->user), c->user);
    return u->n >= CK_MAX_UPLOADS || own >= CK_MAX_USER_UPLOADS;
}

static ck_err *random_id(char out[33])
{
    uint8_t bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return ck_err_errno(CK_ERR_OURS, "random bytes");
    ck_hex(bytes, sizeof bytes, out);
    return NULL;
}

static ck_err *new_upload(struct ck_call *c, const struct ck_place *p, struct ck_upload **ret)
{
    struct ck_uploads *u = c->g->uploads;
    struct ck_upload *up = ck_new(struct ck_upload);
    up->touched = ck_push_now();
    up->alg = c->ask.n_words && ck_view_eq(c->ask.words[0], CK_V("sha512")) ? CK_DIGEST_SHA512
                                                                             : CK_DIGEST_SHA256;
    ck_err *e = random_id(up->id);
    if (!e)
        e = ck_hold_get(c->g, &u->claims, up->touched, &up->hold);
    if (!e)
        e = ck_incoming_anonymous(up->hold->lease, &up->in);
    if (e) {
        if (up->hold)
            ck_hold_put(&u->claims, up->hold);
        free(up);
        return e;
    }
    up->hash = ck_hash_new(up->alg);
    up->repository = ck_strndup(p->repository, strlen(p->repository));
    up->user = ck_strndup(c->user.p, c->user.n);
    up->next = u->first;
    u->first = up;
    u->n++;
    *ret = up;
    return NULL;
}

void ck_upload_start(struct ck_call *c, const struct ck_place *p)
{
    struct ck_uploads *u = c->g->uploads;
    struct ck_upload *up = NULL;
    struct ck_outcome o = { .call = c, .fd = -1 };
    pthread_mutex_lock(&u->mutex);
    bool full = too_many(c);
    if (!full)
        o.error = new_upload(c, p, &up);
    if (up)
        o = ck_outcome_of(c, up, 202);
    pthread_mutex_unlock(&u->mutex);
    if (full)
        ck_call_refuse(c, 429, CK_OCI_TOOMANYREQUESTS,
                       "too many uploads are open; end one, or wait");
    else
        ck_outcome_say(&o);
}

/* --- DATA, END -------------------------------------------------------------------------------- */

static struct ck_outcome begin_data(struct ck_call *c, const struct ck_place *p)
{
    struct ck_outcome o;
    struct ck_upload *up = find_idle(c, p, &o);
    if (!up)
        return o;
    up->touched = ck_push_now();
    if (c->ask.has_range && c->ask.first != up->offset) {
        o = ck_outcome_of(c, up, 416);
        o.code = CK_OCI_BLOB_UPLOAD_INVALID;
        o.error = ck_err_new(CK_ERR_HOSTILE, "the upload goes on at byte %llu, not at %llu",
                             (unsigned long long)up->offset, (unsigned long long)c->ask.first);
        return o;
    }
    o = ck_outcome_of(c, up, 100);
    o.error = ck_transfer_start(c->g, up, &o.fd);
    return o;
}

void ck_upload_data(struct ck_call *c, const struct ck_place *p)
{
    pthread_mutex_lock(&c->g->uploads->mutex);
    struct ck_outcome o = begin_data(c, p);
    pthread_mutex_unlock(&c->g->uploads->mutex);
    ck_outcome_say(&o);
}

void ck_upload_data_end(struct ck_call *c, const struct ck_place *p)
{
    struct ck_uploads *u = c->g->uploads;
    struct ck_outcome o;
    bool answer = true;
    pthread_mutex_lock(&u->mutex);
    struct ck_upload *up = find(c, p, &o);
    if (up && !up->transfer) {
        o = ck_outcome_of(c, up, 400);
        o.code = CK_OCI_BLOB_UPLOAD_INVALID;
        o.error = ck_err_new(CK_ERR_HOSTILE, "nothing is being sent");
    } else if (up) {
        answer = ck_transfer_end(u, up, c, &o);
    }
    pthread_mutex_unlock(&u->mutex);
    if (answer)
        ck_outcome_say(&o);
}

/* --- STATUS, CANCEL --------------------------------------------------------------------------- */

void ck_upload_status(struct ck_call *c, const struct ck_place *p)
{
    struct ck_outcome o;
    pthread_mutex_lock(&c->g->uploads->mutex);
    struct ck_upload *up = find(c, p, &o);
    if (up)
        o = ck_outcome_of(c, up, 204);
    pthread_mutex_unlock(&c->g->uploads->mutex);
    ck_outcome_say(&o);
}

void ck_upload_cancel(struct ck_call *c, const struct ck_place *p)
{
    struct ck_outcome o;
    pthread_mutex_lock(&c->g->uploads->mutex);
    struct ck_upload *up = find_idle(c, p, &o);
    if (up) {
        o = (struct ck_outcome){ .call = c, .status = 204, .fd = -1 };
        ck_upload_end(c->g->uploads, up);
    }
    pthread_mutex_unlock(&c->g->uploads->mutex);
    ck_outcome_say(&o);
}

/* --- FINISH ----------------------------------------------------------------------------------- */

/* What came is read again: for another algorithm than was hashed with, or because a request broke
 * off in the middle. */
static ck_err *hash_again(struct ck_upload *up, enum ck_digest_algorithm alg)
{
    enum { PIECE = 256 * 1024 };
    uint8_t *piece = ck_calloc(1, PIECE);
    ck_err *e = NULL;
    ck_hash_free(up->hash);
    up->hash = ck_hash_new(up->alg = alg);
    for (uint64_t at = 0; at < up->offset && !e;) {
        size_t want = up->offset - at < PIECE ? (size_t)(up->offset - at) : PIECE;
        ssize_t n = pread(ck_incoming_fd(up->in), piece, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            e = n ? ck_err_errno(CK_ERR_OURS, "reading what was pushed")
                  : ck_err_new(CK_ERR_OURS, "what was pushed is shorter than it was");
        else
            ck_hash_add(up->hash, ck_view_of(piece, (size_t)n));
        at += n > 0 ? (uint64_t)n : 0;
    }
    free(piece);
    return e;
}

static ck_err *store_it(struct ck_upload *up, const struct ck_digest *want)
{
    char said[CK_DIGEST_TEXT], have[CK_DIGEST_TEXT];
    struct ck_digest got;
    if (!up->hash || up->alg != want->alg)
        CK_TRY(hash_again(up, want->alg));
    ck_hash_finish(up->hash, &got);
    ck_hash_free(ck_steal(up->hash));
    if (!ck_digest_eq(&got, want))
        return ck_err_new(CK_ERR_HOSTILE, "%s: the bytes have the digest %s",
                          ck_digest_text(want, said), ck_digest_text(&got, have));
    if (ftruncate(ck_incoming_fd(up->in), (off_t)up->offset) != 0)
        return ck_err_errno(CK_ERR_OURS, "cutting what was pushed");
    return ck_incoming_commit_as(ck_steal(up->in), &got, up->offset);
}

void ck_upload_finish(struct ck_call *c, const struct ck_place *p)
{
    struct ck_uploads *u = c->g->uploads;
    struct ck_outcome o;
    struct ck_digest want;
    ck_err *e = ck_digest_parse(c->ask.reference, &want);
    if (e) {
        ck_push_fail(c, e, CK_OCI_DIGEST_INVALID);
        return;
    }
    pthread_mutex_lock(&u->mutex);
    struct ck_upload *up = find_idle(c, p, &o);
    if (up)
        up->busy = true;
    pthread_mutex_unlock(&u->mutex);
    if (!up) {
        ck_outcome_say(&o);
        return;
    }
    e = store_it(up, &want);
    pthread_mutex_lock(&u->mutex);
    if (!e)
        ck_claim_add(&u->claims, ck_view_str(p->repository), &want, up->hold, ck_push_now());
    ck_upload_end(u, up);
    pthread_mutex_unlock(&u->mutex);
    if (e) {
        ck_push_fail(c, e, CK_OCI_DIGEST_INVALID);
        return;
    }
    ck_gateway_count(c->g, "cocket_pushes_total{what=\"blob\"}", 1);
    struct ck_answer w = { .status = 201, .has_digest = true, .digest = want, .fd = -1 };
    ck_call_answer(c, &w);
}
