#include "scan/layers.h"

#include "base/mem.h"
#include "proc/spawn.h"
#include "scan/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* One layer under way. */
struct slot {
    size_t layer;
    struct ck_room_proc *room;
    struct ck_hasher *hasher;
    struct ck_buf result;
    uint64_t done; /* bytes of the blob */
};

struct run {
    struct ck_source *source;
    const struct ck_image *image;
    const struct ck_layers_options *o;
    const struct ck_layer_wants *wants;
    struct ck_layer_facts *facts;
    size_t *todo; /* layers to read, in order */
    size_t n_todo, next;
    int stream; /* the copied blobs of a compressed archive, or -1 */
    struct slot *slots;
    size_t n_slots, busy;
    uint64_t total, finished; /* bytes */
};

/* What the hub verifies: the old docker layout names no blob digest, but its blobs are the plain
 * tar, whose digest is the diff_id. */
static const struct ck_digest *blob_digest(const struct ck_image_layer *l)
{
    return l->has_digest ? &l->digest : &l->diff_id;
}

/* --- what there is to do ---------------------------------------------------------------------- */

static bool same_layer(const struct ck_image_layer *a, const struct ck_image_layer *b)
{
    return ck_digest_eq(&a->diff_id, &b->diff_id) &&
           ck_digest_eq(blob_digest(a), blob_digest(b));
}

/* An earlier layer of this image with the same bytes, or `i` itself. */
static size_t twin(const struct ck_image *im, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_layer(&im->layers[k], &im->layers[i]))
            return k;
    return i;
}

static ck_err *open_index(struct ck_layer_facts *f)
{
    return ck_index_open(ck_buf_view(&f->bytes), &f->index);
}

static ck_err *needs_reading(struct run *r, size_t i, bool *ret)
{
    const struct ck_image_layer *l = &r->image->layers[i];
    bool found = false;
    if (r->wants) {
        *ret = r->wants[i].n > 0;
        return NULL;
    }
    r->facts[i].bytes = ck_buf_new(CK_LIMIT_FACTS);
    CK_TRY(ck_cache_get(r->o->cache, &l->diff_id, blob_digest(l), &r->facts[i].bytes, &found));
    if (found) {
        ck_err *e = open_index(&r->facts[i]);
        found = !e; /* an entry that cannot be read is read anew from the layer */
        ck_err_free(e);
    }
    *ret = !found && twin(r->image, i) == i;
    return NULL;
}

static ck_err *plan(struct run *r)
{
    r->todo = ck_calloc(r->image->n_layers + 1, sizeof *r->todo);
    for (size_t i = 0; i < r->image->n_layers; i++) {
        bool read = false;
        CK_TRY(needs_reading(r, i, &read));
        if (read) {
            r->todo[r->n_todo++] = i;
            r->total += r->image->layers[i].size;
        }
    }
    return NULL;
}

/* Layers that occur twice share what was read once. */
static ck_err *copy_to_twins(struct run *r)
{
    for (size_t i = 0; i < r->image->n_layers; i++) {
        size_t k = twin(r->image, i);
        if (k == i || r->facts[i].bytes.n)
            continue;
        ck_put_bytes(&r->facts[i].bytes, ck_buf_view(&r->facts[k].bytes));
        CK_TRY(open_index(&r->facts[i]));
    }
    return NULL;
}

/* --- one layer
 * -------------------------------------------------------------------------------------- */

static ck_err *encode_job(struct run *r, size_t i, const struct ck_slice *where, struct ck_buf *out)
{
    const struct ck_image_layer *l = &r->image->layers[i];
    struct ck_job_inspect j = { .blob = *where, .compression = l->compression,
                                .diff_id = l->diff_id };
    if (r->wants) {
        j.wanted = r->wants[i].v;
        j.n_wanted = r->wants[i].n;
    }
    ck_job_inspect_encode(&j, out);
    if (out->n > CK_FRAME_PAYLOAD)
        return ck_err_limit(CK_LIMIT_FRAME, "links lead to too many package files");
    return NULL;
}

/* The room reads the file itself, beside the hasher; a layer of a compressed archive goes through
 * the hasher, which hands on what it hashed. */
static ck_err *start_slot(struct run *r, struct slot *s, size_t i)
{
    const struct ck_image_layer *l = &r->image->layers[i];
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    struct ck_room_options ro = { .no_sandbox = r->o->no_sandbox };
    int ends[2] = { -1, -1 }, in = l->fd;
    struct ck_slice where = l->where;
    *s = (struct slot){ .layer = i, .result = ck_buf_new(CK_LIMIT_FACTS) };
    if (l->missing)
        return ck_err_new(CK_ERR_UNAVAILABLE, "its blob is missing");
    if (where.pipe) {
        if (pipe2(ends, O_CLOEXEC) != 0)
            return ck_err_errno(CK_ERR_OURS, "pipe");
        in = ends[0];
        where = (struct ck_slice){ .pipe = true };
    }
    ck_err *e = encode_job(r, i, &where, &job);
    if (!e)
        e = ck_room_start(CK_ROOM_INSPECT, &ro, &s->room);
    if (!e)
        e = ck_room_job(s->room, ck_buf_view(&job), in, -1);
    if (ends[0] >= 0)
        close(ends[0]);
    if (e) {
        if (ends[1] >= 0)
            close(ends[1]);
        return e;
    }
    return ck_hasher_start(blob_digest(l)->alg, where.pipe ? r->stream : l->fd,
                           where.pipe ? 0 : where.offset, l->size, ends[1], &s->hasher);
}

static void end_slot(struct slot *s)
{
    ck_room_stop(ck_steal(s->room));
    struct ck_digest ignored;
    if (s->hasher)
        ck_err_free(ck_hasher_finish(ck_steal(s->hasher), &ignored));
    ck_buf_free(&s->result);
}

static ck_err *check_blob(const struct ck_image_layer *l, const struct ck_digest *got)
{
    char text[CK_DIGEST_TEXT];
    if (ck_digest_eq(got, blob_digest(l)))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE, "%s mismatch: the blob's content is %s (OCI image-spec, %s)",
                      l->has_digest ? "digest" : "diff_id", ck_digest_text(got, text),
                      l->has_digest ? "descriptor, digest" : "config, rootfs.diff_ids");
}

/* The room has said DONE or has failed with `e`. A blob that is not what its digest says is the
 * reason for whatever the room found in it. */
static ck_err *finish_slot(struct run *r, struct slot *s, ck_err *e)
{
    const struct ck_image_layer *l = &r->image->layers[s->layer];
    struct ck_digest got;
    ck_room_stop(ck_steal(s->room));
    ck_err *read = ck_hasher_finish(ck_steal(s->hasher), &got);
    ck_err *wrong = read ? NULL : check_blob(l, &got);
    if (wrong || e) {
        ck_err_free(read);
        if (wrong)
            ck_err_free(e);
        return wrong ? wrong : e;
    }
    CK_TRY(read);
    struct ck_layer_facts *f = &r->facts[s->layer];
    ck_buf_free(&f->bytes);
    f->bytes = s->result;
    s->result = ck_buf_new(CK_LIMIT_FACTS);
    CK_TRY(open_index(f));
    ck_cache_put(r->o->cache, &l->diff_id, blob_digest(l), ck_buf_view(&f->bytes));
    r->finished += l->size;
    return NULL;
}

static ck_err *named(const struct run *r, size_t i, ck_err *e)
{
    char text[CK_DIGEST_TEXT];
    return e ? ck_err_wrap(e, "layer %zu (%s)", i + 1,
                           ck_digest_text(blob_digest(&r->image->layers[i]), text))
             : NULL;
}

/* --- all layers
 * ------------------------------------------------------------------------------------- */

static ck_err *take(void *ctx, ck_view bytes)
{
    struct slot *s = ctx;
    return ck_buf_add(&s->result, bytes);
}

static void note(void *ctx, uint64_t done)
{
    struct slot *s = ctx;
    s->done = done;
}

static void report(struct run *r)
{
    uint64_t done = r->finished;
    if (!r->o->progress.report)
        return;
    for (size_t i = 0; i < r->n_slots; i++)
        if (r->slots[i].room)
            done += r->slots[i].done;
    r->o->progress.report(r->o->progress.ctx, done, r->total);
}

static ck_err *fill_slots(struct run *r)
{
    for (size_t i = 0; i < r->n_slots && r->next < r->n_todo; i++) {
        if (r->slots[i].room)
            continue;
        size_t layer = r->todo[r->next++];
        CK_TRY(named(r, layer, start_slot(r, &r->slots[i], layer)));
        r->busy++;
    }
    return NULL;
}

static ck_err *step_slot(struct run *r, struct slot *s)
{
    struct ck_room_consumer c = { take, note, s };
    bool done = false;
    ck_err *e = ck_room_step(s->room, &c, &done);
    if (!e && !done)
        return NULL;
    r->busy--;
    return named(r, s->layer, finish_slot(r, s, e));
}

/* Waits until a room has something to say, or is stuck. */
static ck_err *poll_slots(struct run *r, struct pollfd *p)
{
    int patience = 1000; /* progress is shown at least so often */
    for (size_t i = 0; i < r->n_slots; i++) {
        struct slot *s = &r->slots[i];
        p[i] = (struct pollfd){ .fd = s->room ? ck_room_fd(s->room) : -1, .events = POLLIN };
        if (s->room && ck_room_patience(s->room) == 0)
            return named(r, s->layer, ck_room_stuck(s->room));
    }
    if (poll(p, r->n_slots, patience) < 0 && errno != EINTR)
        return ck_err_errno(CK_ERR_OURS, "poll");
    return NULL;
}

static ck_err *read_all(struct run *r, struct pollfd *p)
{
    for (;;) {
        CK_TRY(fill_slots(r));
        if (r->busy == 0)
            return NULL;
        CK_TRY(poll_slots(r, p));
        for (size_t i = 0; i < r->n_slots; i++)
            if (r->slots[i].room && p[i].revents)
                CK_TRY(step_slot(r, &r->slots[i]));
        report(r);
    }
}

static ck_err *read_layers(struct run *r)
{
    bool streamed = r->n_todo && r->image->layers[r->todo[0]].where.pipe;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    r->n_slots = r->o->parallel ? r->o->parallel : cores > 0 ? (size_t)cores : 1;
    if (streamed) {
        r->n_slots = 1; /* they come one behind the other */
        CK_TRY(ck_source_stream(r->source, r->todo, r->n_todo, &r->stream));
    }
    r->slots = ck_calloc(r->n_slots, sizeof *r->slots);
    struct pollfd *p = ck_calloc(r->n_slots, sizeof *p);
    ck_err *e = read_all(r, p);
    for (size_t i = 0; i < r->n_slots; i++)
        end_slot(&r->slots[i]);
    free(p);
    if (streamed) {
        close(r->stream);
        if (e)
            return e;
        e = ck_source_stream_end(r->source);
    }
    return e;
}

ck_err *ck_scan_layers(struct ck_source *s, const struct ck_layers_options *o,
                       const struct ck_layer_wants *wants, struct ck_layer_facts *facts)
{
    struct run r = { .source = s, .image = ck_source_image(s), .o = o, .wants = wants,
                     .facts = facts, .stream = -1 };
    ck_err *e = plan(&r);
    if (!e && r.n_todo)
        e = read_layers(&r);
    if (!e && !wants)
        e = copy_to_twins(&r);
    free(r.todo);
    free(r.slots);
    return e;
}
