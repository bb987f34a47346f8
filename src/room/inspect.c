/* The inspect room: one layer, one pass, nothing written.
 *
 *   thread "producer": read -> inflate -> ring of buffers
 *   thread main:       ring -> diff_id hash -> tar -> paths, detectors -> layer index
 *
 * The two halves are what a processor core each can do; the hub hashes the blob meanwhile (hashing
 * is not parsing, and a room that was taken over cannot lie about it). The index leaves the room
 * only after inflate and tar have finished and the diff_id has come out as the config says.
 */
#include "base/mem.h"
#include "base/text.h"
#include "detect/detect.h"
#include "layer/index.h"
#include "layer/path.h"
#include "layer/tar.h"
#include "room/input.h"
#include "room/ring.h"
#include "room/rooms.h"

#include <stdlib.h>

/* --- the consumer's half ---------------------------------------------------------------------- */

struct inspector {
    const struct ck_job_inspect *job;
    struct ck_index_writer *index;
    struct ck_arena names; /* of the current entry */
    struct ck_node node;
    bool add; /* the current entry goes into the index */
    const struct ck_detector *detector; /* that reads the current entry, or NULL */
    uint8_t *content;
    size_t have, want;
    struct ck_buf facts;
};

static const struct ck_detector *detector_for(const struct inspector *in, ck_view path)
{
    for (size_t i = 0; i < in->job->n_wanted; i++)
        if (ck_view_eq(in->job->wanted[i].path, path))
            return ck_detector_by_id(in->job->wanted[i].detector);
    return ck_detector_for_path(path);
}

/* The mark by which the hub knows that a detector has looked, even if it had nothing to say. */
static void begin_facts(struct inspector *in, const struct ck_detector *d)
{
    ck_buf_clear(&in->facts);
    ck_put_u8(&in->facts, (uint8_t)d->id);
}

static void add_gap(struct inspector *in, const char *text)
{
    struct ck_fact f = { .kind = CK_FACT_GAP, .gap = ck_view_str(text) };
    ck_fact_encode(&f, &in->facts);
}

static void begin_content(struct inspector *in, const struct ck_tar_entry *e)
{
    const struct ck_detector *d = in->detector;
    begin_facts(in, d);
    if (e->sparse || e->size > ck_limit_value(d->limit)) {
        ck_autofree char *text = ck_format("%s of %llu bytes was not read: %s (limit %s)", d->name,
                                           (unsigned long long)e->real_size,
                                           e->sparse ? "it is a sparse file" : "it is too large",
                                           ck_limit_name(d->limit));
        add_gap(in, text);
        in->detector = NULL;
        return;
    }
    in->want = (size_t)e->size;
    in->have = 0;
    in->content = ck_calloc(in->want ? in->want : 1, 1);
}

static enum ck_node_type node_type(enum ck_tar_type t)
{
    static const enum ck_node_type map[] = {
        [CK_TAR_FILE] = CK_NODE_FILE,      [CK_TAR_HARDLINK] = CK_NODE_HARDLINK,
        [CK_TAR_SYMLINK] = CK_NODE_SYMLINK, [CK_TAR_CHAR] = CK_NODE_DEVICE,
        [CK_TAR_BLOCK] = CK_NODE_DEVICE,   [CK_TAR_DIR] = CK_NODE_DIR,
        [CK_TAR_FIFO] = CK_NODE_FIFO,
    };
    return map[t];
}

/* Whiteouts become marks on the path that they hide. */
static ck_err *take_whiteout(struct inspector *in, enum ck_whiteout kind, ck_view target)
{
    struct ck_node mark = { .path = target,
                            .whiteout = kind == CK_WHITEOUT_FILE,
                            .opaque = kind == CK_WHITEOUT_OPAQUE };
    in->add = false;
    return ck_index_add(in->index, &mark);
}

static ck_err *take_entry(struct inspector *in, const struct ck_tar_entry *e)
{
    ck_view path, target = { 0 }, link = e->link;
    enum ck_whiteout kind = CK_WHITEOUT_NONE;
    bool ignored = false;
    in->detector = NULL;
    in->add = true;
    ck_arena_free(&in->names);
    CK_TRY(ck_path_normalise(e->name, &in->names, &path));
    CK_TRY(ck_path_whiteout(path, &in->names, &kind, &target, &ignored));
    if (ignored) {
        in->add = false;
        return NULL;
    }
    if (kind != CK_WHITEOUT_NONE)
        return take_whiteout(in, kind, target);
    if (path.n == 0 && e->type != CK_TAR_DIR)
        return ck_err_new(CK_ERR_HOSTILE, "the root is not a directory (CVE-2021-29136)");
    if (e->type == CK_TAR_HARDLINK)
        CK_TRY_WRAP(ck_path_normalise(e->link, &in->names, &link), "hard link");
    if (link.n > CK_MAX_PATH)
        return ck_err_limit(CK_LIMIT_PATH, "target of a link");
    in->node = (struct ck_node){ .path = path, .type = node_type(e->type), .mode = e->mode,
                                 .size = e->real_size, .link = link };
    ck_buf_clear(&in->facts);
    if (e->type == CK_TAR_FILE && (in->detector = detector_for(in, path)))
        begin_content(in, e);
    return NULL;
}

static ck_err *on_entry(void *ctx, const struct ck_tar_entry *e)
{
    CK_TRY_WRAP(take_entry(ctx, e), "entry %llu at byte %llu of the tar, \"%.*s\"",
                (unsigned long long)e->number, (unsigned long long)e->offset, CK_VF(e->name));
    return NULL;
}

static ck_err *on_data(void *ctx, ck_view piece)
{
    struct inspector *in = ctx;
    if (!in->detector)
        return NULL;
    if (piece.n > in->want - in->have)
        return ck_err_new(CK_ERR_OURS, "tar gave more content than it announced");
    if (piece.n)
        memcpy(in->content + in->have, piece.p, piece.n);
    in->have += piece.n;
    return NULL;
}

static ck_err *on_end(void *ctx)
{
    struct inspector *in = ctx;
    if (!in->add)
        return NULL;
    ck_err *e = NULL;
    if (in->detector) {
        e = in->detector->run(ck_view_of(in->content, in->have), &in->facts);
        free(in->content);
        in->content = NULL;
    }
    if (!e) {
        in->node.facts = ck_buf_view(&in->facts);
        e = ck_index_add(in->index, &in->node);
    }
    return e ? ck_err_wrap(e, "\"%.*s\"", CK_VF(in->node.path)) : NULL;
}

/* --- the producer's half ---------------------------------------------------------------------- */


struct producer {
    struct ck_input input;
    struct ck_inflate *z;
    uint8_t in[256 * 1024];
};

/* Decompresses what was read into the ring's buffers. */
static ck_err *push(struct producer *p, struct ck_ring *ring, ck_view in)
{
    for (;;) {
        struct ck_ring_buf *b = ck_ring_writable(ring);
        if (!b)
            return NULL; /* the consumer gave up; its error counts */
        size_t n = 0;
        CK_TRY(ck_inflate_step(p->z, &in, b->p + b->n, CK_RING_BUF - b->n, &n));
        b->n += n;
        if (b->n == CK_RING_BUF)
            ck_ring_publish(ring);
        else
            return NULL; /* the output was not filled: the input is used up */
    }
}

static ck_err *produce(void *ctx, struct ck_ring *ring)
{
    struct producer *p = ctx;
    size_t n = 0;
    do {
        CK_TRY(ck_input_read(&p->input, p->in, sizeof p->in, &n));
        CK_TRY(push(p, ring, ck_view_of(p->in, n)));
        ck_ring_set_progress(ring, p->input.at);
    } while (n && !ck_ring_abandoned(ring));
    return ck_inflate_finish(p->z);
}

/* --- the job
 * -------------------------------------------------------------------------------------- */

static const uint64_t progress_step = 4 * CK_MIB;

/* Takes buffers until the producer has ended. */
static ck_err *consume(struct ck_ring *ring, struct ck_channel *ch, struct ck_hash *hash,
                       struct ck_tar *tar)
{
    uint64_t told = 0;
    const struct ck_ring_buf *b;
    while ((b = ck_ring_readable(ring))) {
        ck_view v = ck_view_of(b->p, b->n);
        ck_hash_add(hash, v);
        CK_TRY(ck_tar_feed(tar, v));
        ck_ring_release(ring);
        uint64_t at = ck_ring_progress(ring);
        if (at - told >= progress_step) {
            told = at;
            CK_TRY(ck_room_progress(ch, at));
        }
    }
    return NULL;
}

static ck_err *check_diff_id(const struct ck_job_inspect *j, struct ck_hash *hash)
{
    struct ck_digest got;
    char a[CK_DIGEST_TEXT], b[CK_DIGEST_TEXT];
    ck_hash_finish(hash, &got);
    if (ck_digest_eq(&got, &j->diff_id))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE,
                      "diff_id mismatch: the config says %s, the content is %s "
                      "(OCI image-spec, config, rootfs.diff_ids)",
                      ck_digest_text(&j->diff_id, a), ck_digest_text(&got, b));
}

/* Both halves must succeed. A broken stream makes a broken tar: the producer's error is the cause,
 * unless the consumer stopped first. */
static ck_err *run_halves(struct ck_ring *ring, struct producer *p, struct ck_channel *ch,
                          struct ck_hash *hash, struct ck_tar *tar)
{
    ck_ring_start(ring, produce, p);
    ck_err *mine = consume(ring, ch, hash, tar);
    ck_err *theirs = ck_ring_finish(ring, mine != NULL);
    if (mine) {
        ck_err_free(theirs);
        return mine;
    }
    if (theirs)
        return theirs;
    return ck_tar_finish(tar);
}

static ck_err *inspect(struct ck_ring *ring, struct ck_channel *ch, const struct ck_job_inspect *j,
                       struct producer *p, struct ck_buf *result)
{
    static const struct ck_tar_ops ops = { on_entry, on_data, on_end };
    struct inspector in = { .job = j, .index = ck_index_writer_new(),
                            .facts = ck_buf_new(CK_LIMIT_FACTS) };
    struct ck_hash *hash = ck_hash_new(j->diff_id.alg);
    struct ck_tar *tar = ck_tar_new(&ops, &in);

    ck_err *e = run_halves(ring, p, ch, hash, tar);
    if (!e)
        e = check_diff_id(j, hash);
    if (!e)
        e = ck_index_finish(in.index, result);

    ck_tar_free(tar);
    ck_hash_free(hash);
    ck_index_writer_free(in.index);
    ck_arena_free(&in.names);
    ck_buf_free(&in.facts);
    free(in.content);
    return e;
}

ck_err *ck_room_inspect_prepare(void **ret_state)
{
    struct ck_ring *ring = NULL;
    CK_TRY(ck_ring_new(&ring));
    *ret_state = ring;
    return NULL;
}

ck_err *ck_room_inspect(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    struct ck_job_inspect j;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf result = ck_buf_new(CK_LIMIT_FACTS);
    CK_TRY(ck_job_inspect_decode(job, &a, &j));

    struct producer *p = ck_new(struct producer);
    p->input = (struct ck_input){ .fd = in, .slice = j.blob, .arriving = out >= 0, .ticks = out };
    p->z = ck_inflate_new(j.compression);
    ck_err *e = inspect(state, ch, &j, p, &result);
    ck_inflate_free(p->z);
    free(p);
    if (e)
        return e;
    return ck_room_send(ch, ck_buf_view(&result));
}
