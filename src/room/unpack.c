/* The unpack room: the layers of one image, lowest first, into one directory, which is the only
 * place that it may write to. It can open nothing else, and talks to nobody but the hub. */
#include "room/unpack.h"

#include "base/mem.h"
#include "layer/path.h"
#include "room/input.h"
#include "room/rooms.h"

#include <stdlib.h>

/* --- messages --------------------------------------------------------------------------------- */

void ck_job_unpack_encode(const struct ck_job_unpack *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->op);
    ck_put_u8(out, j->setuid);
    ck_put_u64(out, j->blob.offset);
    ck_put_u64(out, j->blob.length);
    ck_put_u8(out, (uint8_t)j->compression);
    ck_put_u8(out, (uint8_t)j->diff_id.alg);
    ck_put_bytes(out, ck_view_of(j->diff_id.bytes, sizeof j->diff_id.bytes));
}

ck_err *ck_job_unpack_decode(ck_view job, struct ck_job_unpack *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_unpack j = { .op = (enum ck_unpack_op)ck_cur_u8(&c) };
    uint8_t setuid = ck_cur_u8(&c);
    j.setuid = setuid;
    j.blob.offset = ck_cur_le64(&c);
    j.blob.length = ck_cur_le64(&c);
    j.compression = (enum ck_compression)ck_cur_u8(&c);
    j.diff_id.alg = (enum ck_digest_algorithm)ck_cur_u8(&c);
    ck_view digest = ck_cur_take(&c, sizeof j.diff_id.bytes);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || j.op >= CK_UNPACK_OP_COUNT_ || setuid > 1 ||
        j.compression >= CK_COMPRESSION_COUNT_ || j.diff_id.alg >= CK_DIGEST_ALGORITHM_COUNT_)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: unpack job");
    memcpy(j.diff_id.bytes, digest.p, digest.n);
    *ret = j;
    return NULL;
}

void ck_unpacked_encode(const struct ck_unpacked *u, struct ck_buf *out)
{
    ck_put_u64(out, u->entries);
    ck_put_u64(out, u->bytes);
    ck_put_u64(out, u->skipped);
    ck_put_u64(out, u->stripped);
    ck_put_u64(out, u->capabilities);
}

ck_err *ck_unpacked_decode(ck_view bytes, struct ck_unpacked *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_unpacked u = { 0 };
    u.entries = ck_cur_le64(&c);
    u.bytes = ck_cur_le64(&c);
    u.skipped = ck_cur_le64(&c);
    u.stripped = ck_cur_le64(&c);
    u.capabilities = ck_cur_le64(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c))
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: unpacked");
    *ret = u;
    return NULL;
}

/* --- reading a layer -------------------------------------------------------------------------- */

struct reader {
    const struct ck_job_unpack *job;
    int in;
    ck_err *(*progress)(void *ctx, uint64_t bytes_done);
    void *ctx;
    uint64_t before, told; /* bytes of earlier passes; last report */
    uint8_t raw[128 * 1024], out[256 * 1024];
};

struct pass {
    struct reader *r;
    struct ck_inflate *z;
    struct ck_tar *tar;
    struct ck_hash *hash;
};

static ck_err *feed(struct pass *p, ck_view in)
{
    struct reader *r = p->r;
    size_t n = 0;
    do {
        CK_TRY(ck_inflate_step(p->z, &in, r->out, sizeof r->out, &n));
        ck_hash_add(p->hash, ck_view_of(r->out, n));
        CK_TRY(ck_tar_feed(p->tar, ck_view_of(r->out, n)));
    } while (n == sizeof r->out);
    return NULL;
}

static ck_err *tell(struct reader *r, uint64_t at)
{
    static const uint64_t step = 4 * CK_MIB;
    if (r->before + at - r->told < step)
        return NULL;
    r->told = r->before + at;
    return r->progress(r->ctx, r->told);
}

static ck_err *check_diff_id(const struct ck_job_unpack *j, struct ck_hash *hash)
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

static ck_err *run_pass(struct pass *p)
{
    struct reader *r = p->r;
    struct ck_input input = { .fd = r->in, .slice = r->job->blob };
    size_t n = 0;
    do {
        CK_TRY(ck_input_read(&input, r->raw, sizeof r->raw, &n));
        CK_TRY(feed(p, ck_view_of(r->raw, n)));
        CK_TRY(tell(r, input.at));
    } while (n);
    CK_TRY(ck_inflate_finish(p->z));
    CK_TRY(ck_tar_finish(p->tar));
    CK_TRY(check_diff_id(r->job, p->hash));
    r->before += input.at;
    return NULL;
}

/* Reads the whole layer, its entries to `ops`. */
static ck_err *read_layer(struct reader *r, const struct ck_tar_ops *ops, void *ctx)
{
    struct pass p = { .r = r,
                      .z = ck_inflate_new(r->job->compression),
                      .tar = ck_tar_new(ops, ctx),
                      .hash = ck_hash_new(r->job->diff_id.alg) };
    ck_err *e = run_pass(&p);
    ck_hash_free(p.hash);
    ck_tar_free(p.tar);
    ck_inflate_free(p.z);
    return e;
}

/* --- what an entry is ------------------------------------------------------------------------- */

struct entry {
    ck_view path, link;
    enum ck_whiteout whiteout;
    ck_view hidden; /* what a whiteout hides */
    bool ignored;
};

/* The same rules as the inspect room's: what was scanned is what is unpacked. */
static ck_err *judge(const struct ck_tar_entry *e, struct ck_arena *a, struct entry *ret)
{
    struct entry n = { .link = e->link };
    CK_TRY(ck_path_normalise(e->name, a, &n.path));
    CK_TRY(ck_path_whiteout(n.path, a, &n.whiteout, &n.hidden, &n.ignored));
    if (!n.ignored && n.whiteout == CK_WHITEOUT_NONE) {
        if (n.path.n == 0 && e->type != CK_TAR_DIR)
            return ck_err_new(CK_ERR_HOSTILE, "the root is not a directory (CVE-2021-29136)");
        if (e->type == CK_TAR_HARDLINK)
            CK_TRY_WRAP(ck_path_normalise(e->link, a, &n.link), "hard link");
        if (n.link.n > CK_MAX_PATH)
            return ck_err_limit(CK_LIMIT_PATH, "target of a link");
    }
    *ret = n;
    return NULL;
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

static ck_err *wrap_entry(ck_err *inner, const struct ck_tar_entry *e)
{
    return inner ? ck_err_wrap(inner, "entry %llu at byte %llu of the tar, \"%.*s\"",
                               (unsigned long long)e->number, (unsigned long long)e->offset,
                               CK_VF(e->name))
                 : NULL;
}

/* --- first pass: the layer's index ------------------------------------------------------------ */

struct indexer {
    struct ck_arena names;
    struct ck_index_writer *writer;
};

static ck_err *index_entry(struct indexer *ix, const struct ck_tar_entry *e)
{
    struct entry n;
    ck_arena_free(&ix->names);
    CK_TRY(judge(e, &ix->names, &n));
    if (n.ignored)
        return NULL;
    struct ck_node node = { .path = n.path, .type = node_type(e->type), .mode = e->mode,
                            .size = e->real_size, .link = n.link };
    if (n.whiteout != CK_WHITEOUT_NONE)
        node = (struct ck_node){ .path = n.hidden,
                                 .whiteout = n.whiteout == CK_WHITEOUT_FILE,
                                 .opaque = n.whiteout == CK_WHITEOUT_OPAQUE };
    return ck_index_add(ix->writer, &node);
}

static ck_err *on_index_entry(void *ctx, const struct ck_tar_entry *e)
{
    return wrap_entry(index_entry(ctx, e), e);
}

static ck_err *ignore_data(void *ctx, ck_view piece)
{
    (void)ctx, (void)piece;
    return NULL;
}

static ck_err *ignore_end(void *ctx)
{
    (void)ctx;
    return NULL;
}

static ck_err *make_index(struct reader *r, struct ck_buf *out)
{
    static const struct ck_tar_ops ops = { on_index_entry, ignore_data, ignore_end };
    struct indexer ix = { .writer = ck_index_writer_new() };
    ck_err *e = read_layer(r, &ops, &ix);
    if (!e)
        e = ck_index_finish(ix.writer, out);
    ck_index_writer_free(ix.writer);
    ck_arena_free(&ix.names);
    return e;
}

/* --- second pass: writing --------------------------------------------------------------------- */

struct writer {
    struct ck_arena names;
    struct ck_unpack_tree *tree;
};

static ck_err *on_write_entry(void *ctx, const struct ck_tar_entry *e)
{
    struct writer *w = ctx;
    struct entry n = { 0 };
    ck_arena_free(&w->names);
    ck_err *err = judge(e, &w->names, &n);
    if (!err && !n.ignored && n.whiteout == CK_WHITEOUT_NONE)
        err = ck_unpack_tree_entry(w->tree, e, n.path, n.link);
    return wrap_entry(err, e);
}

static ck_err *on_write_data(void *ctx, ck_view piece)
{
    struct writer *w = ctx;
    return ck_unpack_tree_data(w->tree, piece);
}

static ck_err *on_write_end(void *ctx)
{
    struct writer *w = ctx;
    return ck_unpack_tree_end(w->tree);
}

static ck_err *write_entries(struct reader *r, struct ck_unpack_tree *t)
{
    static const struct ck_tar_ops ops = { on_write_entry, on_write_data, on_write_end };
    struct writer w = { .tree = t };
    ck_err *e = read_layer(r, &ops, &w);
    ck_arena_free(&w.names);
    return e;
}

static ck_err *both_passes(struct reader *r, struct ck_unpack_tree *t)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_index index;
    CK_TRY(make_index(r, &bytes));
    CK_TRY(ck_index_open(ck_buf_view(&bytes), &index));
    CK_TRY(ck_unpack_tree_layer(t, &index));
    return write_entries(r, t);
}

ck_err *ck_unpack_layer(struct ck_unpack_tree *t, const struct ck_job_unpack *j, int in,
                        ck_err *(*progress)(void *ctx, uint64_t bytes_done), void *ctx)
{
    struct reader *r = ck_new(struct reader);
    r->job = j;
    r->in = in;
    r->progress = progress;
    r->ctx = ctx;
    ck_err *e = both_passes(r, t);
    free(r);
    return e;
}

/* --- the room --------------------------------------------------------------------------------- */

ck_err *ck_room_unpack_prepare(void **ret_state)
{
    *ret_state = ck_new(struct ck_unpack_tree *);
    return NULL;
}

static ck_err *to_hub(void *ctx, uint64_t bytes_done)
{
    return ck_room_progress(ctx, bytes_done);
}

ck_err *ck_room_unpack(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    struct ck_unpack_tree **tree = state;
    struct ck_job_unpack j;
    ck_autobuf struct ck_buf result = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(ck_job_unpack_decode(job, &j));
    if (out < 0)
        return ck_err_new(CK_ERR_OURS, "unpack job without its descriptor");
    if (!*tree)
        *tree = ck_unpack_tree_new(j.setuid);
    ck_unpack_tree_at(*tree, out);
    CK_TRY(j.op == CK_UNPACK_SEAL ? ck_unpack_tree_seal(*tree)
                                  : ck_unpack_layer(*tree, &j, in, to_hub, ch));
    ck_unpacked_encode(ck_unpack_tree_sum(*tree), &result);
    return ck_room_send(ch, ck_buf_view(&result));
}
