/* First byte: the size of the pieces; then the archive. Checksums are set right, so that what is
 * behind them is reached; names go on into layer/path.h and the index, as in a room. */
#include "layer/index.h"
#include "layer/path.h"
#include "layer/tar.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
    struct ck_index_writer *w;
    uint64_t left; /* content still to come of the current entry */
    ck_view all;
};

static enum ck_node_type node_type(enum ck_tar_type t)
{
    static const enum ck_node_type types[] = {
        [CK_TAR_FILE] = CK_NODE_FILE,       [CK_TAR_HARDLINK] = CK_NODE_HARDLINK,
        [CK_TAR_SYMLINK] = CK_NODE_SYMLINK, [CK_TAR_CHAR] = CK_NODE_DEVICE,
        [CK_TAR_BLOCK] = CK_NODE_DEVICE,    [CK_TAR_DIR] = CK_NODE_DIR,
        [CK_TAR_FIFO] = CK_NODE_FIFO,
    };
    return types[t];
}

static ck_err *on_entry(void *ctx, const struct ck_tar_entry *e)
{
    struct target *t = ctx;
    struct ck_arena ck_autoarena a = { 0 };
    struct ck_node n = { .type = node_type(e->type), .mode = e->mode, .size = e->real_size };
    enum ck_whiteout kind = CK_WHITEOUT_NONE;
    bool ignored = false;
    ck_view path, target;
    if (t->left || !e->name.n || e->mode > 07777)
        abort();
    t->left = e->size;
    CK_TRY(ck_path_normalise(e->name, &a, &path));
    CK_TRY(ck_path_whiteout(path, &a, &kind, &target, &ignored));
    n.path = kind == CK_WHITEOUT_NONE ? path : target;
    n.link = e->link;
    if (kind != CK_WHITEOUT_NONE)
        n.type = CK_NODE_NONE;
    n.whiteout = kind == CK_WHITEOUT_FILE;
    n.opaque = kind == CK_WHITEOUT_OPAQUE;
    if (e->type == CK_TAR_HARDLINK)
        CK_TRY(ck_path_normalise(e->link, &a, &n.link));
    return ignored ? NULL : ck_index_add(t->w, &n);
}

static ck_err *on_data(void *ctx, ck_view piece)
{
    struct target *t = ctx;
    if (piece.n > t->left || piece.p < t->all.p || piece.p + piece.n > t->all.p + t->all.n)
        abort();
    t->left -= piece.n;
    return NULL;
}

static ck_err *on_end(void *ctx)
{
    if (((struct target *)ctx)->left)
        abort();
    return NULL;
}

/* Sets the checksum of every block that is not all zeros. */
static void mend(uint8_t *p, size_t n)
{
    for (size_t at = 0; at + 512 <= n; at += 512) {
        unsigned sum = ' ' * 8;
        for (size_t i = 0; i < 512; i++)
            sum += i >= 148 && i < 156 ? 0 : p[at + i];
        if (sum != ' ' * 8)
            snprintf((char *)p + at + 148, 8, "%06o", sum);
    }
}

/* What the writer encodes, the reader must take, every node of it. */
static void read_back(struct ck_index_writer *w)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_index_walk ck_autofree *walk = ck_new(struct ck_index_walk);
    struct ck_index ix;
    struct ck_node n;
    bool end = false;
    ck_err *e = ck_index_finish(w, &b);
    if (e) {
        ck_err_free(e);
        return;
    }
    if (ck_index_open(ck_buf_view(&b), &ix) || ck_index_walk_start(&ix, CK_V(""), walk))
        abort();
    while (!end)
        if (ck_index_walk_next(walk, &n, &end))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { SIZE_MAX, 1, 511, 700 };
    if (!size)
        return 0;
    ck_autofree uint8_t *copy = ck_calloc(1, size);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 4)
        mend(copy, size - 1);
    ck_view in = ck_view_of(copy, size - 1);
    struct target t = { ck_index_writer_new(), 0, in };
    struct ck_tar *tar = ck_tar_new(&(struct ck_tar_ops){ on_entry, on_data, on_end }, &t);
    size_t piece = pieces[data[0] & 3];
    ck_err *e = NULL;
    for (; !e && in.n; in = ck_view_from(in, piece))
        e = ck_tar_feed(tar, ck_view_head(in, piece));
    if (!e)
        e = ck_tar_finish(tar);
    if (!e)
        read_back(t.w);
    ck_err_free(e);
    ck_tar_free(tar);
    ck_index_writer_free(t.w);
    return 0;
}
