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
    struct ck_hasher *hasher; /* NULL where the blob is hashed as it arrives */
    struct ck_buf result;
    uint64_t done; /* bytes of the blob */
};

struct run {
    struct ck_source *source;
    const struct ck_image *image;
    const struct ck_layers_options *o;
    const struct ck_layer_wants *wants;
    struct ck_layer_facts *facts;
    size_t *todo; /* layers to read, in order; SIZE_MAX once begun */
    size_t n_todo, begun;
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
    *ret = (!found || (l->absent && r->o->refetch)) && twin(r->image, i) == i;
    return NULL;
}

static ck_err *plan(struct run *r)
{
    r->todo = ck_calloc(r->image->n_layers + 1, sizeof *r->todo);
    for (size_t i = 0; i < r->image->n_layers; i++) {
        bool read = false;
        CK_TRY(needs_reading(r, i, &read));
        if (read) {
            ck_source_want(r->source, i);
            r->todo[r->n_todo++] = i;
            r->total += r->image->layers[i].size;
        } else if (r->o->whole && !r->wants) {
            ck_source_want(r->source, i); /* whoever records the image waits for it */
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

/* Where a room reads a layer from: in and ticks are -1 or ours to close. */
struct feed {
    int in, ticks;
    int pipe; /* the hasher hands on what it hashed */
    struct ck_slice where;
};

static void close_feed(const struct feed *f)
{
    if (f->in >= 0)
        close(f->in);
    if (f->ticks >= 0)
        close(f->ticks);
}

/* The room reads the file itself, beside the hasher or the download; a layer of a compressed
 * archive goes through the hasher, which hands on what it hashed. */
static ck_err *open_feed(struct run *r, const struct ck_image_layer *l, struct feed *f)
{
    int ends[2];
    *f = (struct feed){ .in = -1, .ticks = -1, .pipe = -1, .where = l->where };
    if (l->missing)
        return ck_err_new(CK_ERR_UNAVAILABLE, "its blob is missing");
    if (l->arrival != SIZE_MAX) {
        f->where = (struct ck_slice){ .length = l->size };
        return ck_arrivals_open(ck_source_arrivals(r->source), l->arrival, &f->in, &f->ticks);
    }
    if (!l->where.pipe) {
        f->in = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
        return f->in < 0 ? ck_err_errno(CK_ERR_OURS, "descriptor of a blob") : NULL;
    }
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    f->in = ends[0];
    f->pipe = ends[1];
    f->where = (struct ck_slice){ .pipe = true };
    return NULL;
}

static ck_err *start_room(struct run *r, struct slot *s, const struct feed *f)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    struct ck_room_options ro = { .no_sandbox = r->o->no_sandbox };
    CK_TRY(encode_job(r, s->layer, &f->where, &job));
    CK_TRY(ck_room_start(CK_ROOM_INSPECT, &ro, &s->room));
    return ck_room_job(s->room, ck_buf_view(&job), f->in, f->ticks);
}

static ck_err *start_slot(struct run *r, struct slot *s, size_t i)
{
    const struct ck_image_layer *l = &r->image->layers[i];
    struct feed f;
    *s = (struct slot){ .layer = i, .result = ck_buf_new(CK_LIMIT_FACTS) };
    CK_TRY(open_feed(r, l, &f));
    ck_err *e = start_room(r, s, &f);
    close_feed(&f);
    if (e) {
        if (f.pipe >= 0)
            close(f.pipe);
        return e;
    }
    if (l->arrival != SIZE_MAX)
        return NULL;
    return ck_hasher_start(blob_digest(l)->alg, l->where.pipe ? r->stream : l->fd,
                           l->where.pipe ? 0 : l->where.offset, l->size, f.pipe, &s->hasher);
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

/* Waits for the digest of a layer that arrives. *ret_layer is the one that the error is about. */
static ck_err *await_arrival(struct run *r, size_t layer, size_t *ret_layer)
{
    size_t which = 0;
    ck_err *e = ck_arrivals_verified(ck_source_arrivals(r->source), r->image->layers[layer].arrival,
                                     &which);
    *ret_layer = layer;
    for (size_t i = 0; e && i < r->image->n_layers; i++)
        if (r->image->layers[i].arrival == which)
            *ret_layer = i;
    return e;
}

/* Whether the blob is what its digest says. *ret_wrong: it is not, which is the reason for whatever
 * its room found in it. */
static ck_err *verify_blob(struct run *r, struct slot *s, bool *ret_wrong)
{
    const struct ck_image_layer *l = &r->image->layers[s->layer];
    struct ck_digest got;
    ck_err *e = NULL;
    if (l->arrival != SIZE_MAX) {
        e = await_arrival(r, s->layer, &s->layer);
        *ret_wrong = e != NULL;
        return e;
    }
    *ret_wrong = false;
    CK_TRY(ck_hasher_finish(ck_steal(s->hasher), &got));
    e = check_blob(l, &got);
    *ret_wrong = e != NULL;
    return e;
}

/* The room has said DONE or has failed with `e`. */
static ck_err *finish_slot(struct run *r, struct slot *s, ck_err *e)
{
    const struct ck_image_layer *l = &r->image->layers[s->layer];
    bool wrong = false;
    ck_room_stop(ck_steal(s->room));
    ck_err *blob = verify_blob(r, s, &wrong);
    if (e || blob) {
        ck_err_free(e && !wrong ? blob : e);
        return e && !wrong ? e : blob;
    }
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
    const struct ck_progress *p = &r->o->progress;
    if (p->arrivals && ck_source_arrivals(r->source)) {
        p->arrivals(p->ctx, ck_source_arrivals(r->source));
        return;
    }
    if (!p->report)
        return;
    for (size_t i = 0; i < r->n_slots; i++)
        if (r->slots[i].room)
            done += r->slots[i].done;
    p->report(p->ctx, done, r->total);
}

/* A layer on its way can be begun once it is readable; one that failed, at once, to say so. */
static bool can_begin(struct run *r, size_t layer)
{
    const struct ck_image_layer *l = &r->image->layers[layer];
    if (l->arrival == SIZE_MAX)
        return true;
    struct ck_arrival a = ck_arrivals_look(ck_source_arrivals(r->source), l->arrival);
    return a.readable || a.phase == CK_ARRIVAL_FAILED;
}

/* The next layer to begin, the lowest first; SIZE_MAX: none now. */
static size_t next_layer(struct run *r)
{
    for (size_t k = 0; k < r->n_todo; k++) {
        size_t layer = r->todo[k];
        if (layer != SIZE_MAX && can_begin(r, layer)) {
            r->todo[k] = SIZE_MAX;
            r->begun++;
            return layer;
        }
    }
    return SIZE_MAX;
}

/* What failed before it was readable is told without a room. */
static ck_err *failed_arrival(struct run *r, size_t *layer)
{
    const struct ck_image_layer *l = &r->image->layers[*layer];
    if (l->arrival == SIZE_MAX ||
        ck_arrivals_look(ck_source_arrivals(r->source), l->arrival).readable)
        return NULL;
    return await_arrival(r, *layer, layer);
}

static ck_err *fill_slots(struct run *r)
{
    for (size_t i = 0; i < r->n_slots; i++) {
        size_t layer = r->slots[i].room ? SIZE_MAX : next_layer(r);
        if (layer == SIZE_MAX)
            continue;
        ck_err *e = failed_arrival(r, &layer);
        if (!e)
            e = start_slot(r, &r->slots[i], layer);
        CK_TRY(named(r, layer, e));
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
    e = finish_slot(r, s, e);
    return named(r, s->layer, e);
}

/* Whether the room of this slot may be waiting for the network. */
static bool arriving(struct run *r, const struct slot *s)
{
    const struct ck_image_layer *l = &r->image->layers[s->layer];
    return l->arrival != SIZE_MAX &&
           ck_arrivals_look(ck_source_arrivals(r->source), l->arrival).phase < CK_ARRIVAL_VERIFIED;
}

/* Waits until a room has something to say or is stuck, or a blob has got further. */
static ck_err *poll_slots(struct run *r, struct pollfd *p)
{
    enum { PATIENCE_MS = 1000, PATIENCE_ARRIVING_MS = 100 }; /* progress is shown so often */
    struct ck_arrivals *a = ck_source_arrivals(r->source);
    for (size_t i = 0; i < r->n_slots; i++) {
        struct slot *s = &r->slots[i];
        p[i] = (struct pollfd){ .fd = s->room ? ck_room_fd(s->room) : -1, .events = POLLIN };
        if (s->room && arriving(r, s))
            ck_room_excuse(s->room);
        if (s->room && ck_room_patience(s->room) == 0)
            return named(r, s->layer, ck_room_stuck(s->room));
    }
    p[r->n_slots] = (struct pollfd){ .fd = a ? ck_arrivals_fd(a) : -1, .events = POLLIN };
    if (poll(p, r->n_slots + 1, a ? PATIENCE_ARRIVING_MS : PATIENCE_MS) < 0 && errno != EINTR)
        return ck_err_errno(CK_ERR_OURS, "poll");
    if (a)
        ck_arrivals_calm(a);
    return NULL;
}

static ck_err *read_all(struct run *r, struct pollfd *p)
{
    for (;;) {
        CK_TRY(fill_slots(r));
        if (r->busy == 0 && r->begun == r->n_todo)
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
    struct pollfd *p = ck_calloc(r->n_slots + 1, sizeof *p);
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
