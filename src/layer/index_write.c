/* Writing. See index.c for the other direction, index_parts.h for the encoding. */
#include "layer/index_parts.h"

#include "base/mem.h"

#include <stdlib.h>

/* One call of ck_index_add. Small, since a layer may have LAYER_ENTRIES of them: the path and the
 * encoded tail of the record stand one behind the other in the writer's bytes. */
struct item {
    uint32_t at;   /* of the path; the tail follows it */
    uint32_t tail; /* bytes of tail */
    uint32_t seq;  /* how many came before it */
    uint16_t path_n;
    uint8_t flags; /* as encoded: type and marks */
};

struct ck_index_writer {
    struct ck_buf bytes;
    CK_VEC(struct item) items;
};

struct ck_index_writer *ck_index_writer_new(void)
{
    struct ck_index_writer *w = ck_new(struct ck_index_writer);
    w->bytes = ck_buf_new(CK_LIMIT_FACTS);
    return w;
}

void ck_index_writer_free(struct ck_index_writer *w)
{
    if (!w)
        return;
    ck_buf_free(&w->bytes);
    free(w->items.v);
    free(w);
}

enum { VARINT_MAX = 10 };

static size_t encode_varint(uint8_t out[VARINT_MAX], uint64_t x)
{
    size_t n = 0;
    for (; x >= 0x80; x >>= 7)
        out[n++] = (uint8_t)(x | 0x80);
    out[n++] = (uint8_t)x;
    return n;
}

static ck_err *add_varint(struct ck_buf *b, uint64_t x)
{
    uint8_t v[VARINT_MAX];
    return ck_buf_add(b, ck_view_of(v, encode_varint(v, x)));
}

static ck_err *add_bytes(struct ck_buf *b, ck_view v)
{
    CK_TRY(add_varint(b, v.n));
    return ck_buf_add(b, v);
}

/* What stands behind the flags. */
static ck_err *add_tail(struct ck_buf *b, const struct ck_node *node)
{
    if (node->type != CK_NODE_NONE)
        CK_TRY(add_varint(b, node->mode & 07777));
    if (node->type == CK_NODE_FILE)
        CK_TRY(add_varint(b, node->size));
    if (node->type == CK_NODE_SYMLINK || node->type == CK_NODE_HARDLINK)
        CK_TRY(add_bytes(b, node->link));
    return node->facts.n ? add_bytes(b, node->facts) : NULL;
}

static uint8_t flags_of(const struct ck_node *node)
{
    unsigned flags = node->type;
    if (node->whiteout)
        flags |= CK_INDEX_WHITEOUT;
    if (node->opaque)
        flags |= CK_INDEX_OPAQUE;
    if (node->facts.n)
        flags |= CK_INDEX_HAS_FACTS;
    return (uint8_t)flags;
}

static uint8_t type_of(const struct item *it) { return it->flags & CK_INDEX_TYPE; }

static bool is_leaf(const struct item *it)
{
    return type_of(it) != CK_NODE_NONE && type_of(it) != CK_NODE_DIR;
}

static ck_view path_of(const struct ck_index_writer *w, const struct item *it)
{
    return ck_view_head(ck_view_from(ck_buf_view(&w->bytes), it->at), it->path_n);
}

static ck_view tail_of(const struct ck_index_writer *w, const struct item *it)
{
    return ck_view_head(ck_view_from(ck_buf_view(&w->bytes), it->at + it->path_n), it->tail);
}

ck_err *ck_index_add(struct ck_index_writer *w, const struct ck_node *node)
{
    if (w->items.n == CK_MAX_LAYER_ENTRIES)
        return ck_err_limit(CK_LIMIT_LAYER_ENTRIES, "a layer of more entries");
    if (node->path.n > CK_MAX_PATH)
        return ck_err_limit(CK_LIMIT_PATH, "a path of %zu bytes", node->path.n);
    struct item it = {
        .at = (uint32_t)w->bytes.n,
        .seq = (uint32_t)w->items.n,
        .path_n = (uint16_t)node->path.n,
        .flags = flags_of(node),
    };
    if (!node->path.n && is_leaf(&it))
        return ck_err_new(CK_ERR_HOSTILE, "the root directory replaced by something else");
    CK_TRY(ck_buf_add(&w->bytes, node->path));
    CK_TRY(add_tail(&w->bytes, node));
    it.tail = (uint32_t)(w->bytes.n - it.at - it.path_n);
    *ck_push(&w->items) = it;
    return NULL;
}

/* --- sorting --- */

static int compare(const void *pa, const void *pb, void *ctx)
{
    const struct item *a = pa, *b = pb;
    int c = ck_index_path_cmp(path_of(ctx, a), path_of(ctx, b));
    return c ? c : a->seq < b->seq ? -1 : 1;
}

static void sort(struct ck_index_writer *w)
{
    size_t i = 1;
    while (i < w->items.n && compare(&w->items.v[i - 1], &w->items.v[i], w) < 0)
        i++;
    if (i < w->items.n) /* most layers come sorted */
        qsort_r(w->items.v, w->items.n, sizeof *w->items.v, compare, w);
}

/* --- merging duplicates --- */

/* All entries of one path, by their order in the archive. */
struct group {
    struct item *v;
    size_t n;
};

static struct group group_at(const struct ck_index_writer *w, size_t i)
{
    struct group g = { &w->items.v[i], 1 };
    while (i + g.n < w->items.n &&
           ck_view_eq(path_of(w, &g.v[0]), path_of(w, &w->items.v[i + g.n])))
        g.n++;
    return g;
}

static const char *leaf_name(const struct item *leaf)
{
    static const char *const names[] = {
        [CK_NODE_FILE] = "file", [CK_NODE_HARDLINK] = "hard link", [CK_NODE_SYMLINK] = "symlink",
        [CK_NODE_DEVICE] = "device", [CK_NODE_FIFO] = "fifo",
    };
    return names[type_of(leaf)];
}

/* The last entry of a path counts; it gets the marks of all. *ret_leaf: the first entry that is no
 * directory. */
static ck_err *merge(const struct ck_index_writer *w, struct group g, struct item *ret,
                     const struct item **ret_leaf)
{
    struct item out = g.v[0];
    const struct item *leaf = NULL;
    uint8_t marks = 0;
    for (size_t i = 0; i < g.n; i++) {
        const struct item *it = &g.v[i];
        marks |= it->flags & (CK_INDEX_WHITEOUT | CK_INDEX_OPAQUE);
        if (leaf && type_of(it) == CK_NODE_NONE && it->flags & CK_INDEX_OPAQUE)
            return ck_err_new(CK_ERR_HOSTILE, "an entry below a %s of the same layer: %.*s",
                              leaf_name(leaf), CK_VF(path_of(w, it)));
        if (leaf && type_of(it) == CK_NODE_DIR)
            return ck_err_new(CK_ERR_HOSTILE, "a directory over a %s of the same layer: %.*s",
                              leaf_name(leaf), CK_VF(path_of(w, it)));
        if (!leaf && is_leaf(it))
            leaf = it;
        if (type_of(it) != CK_NODE_NONE)
            out = *it;
    }
    out.flags |= marks;
    *ret = out;
    *ret_leaf = leaf;
    return NULL;
}

/* Entries below a path that became a leaf: earlier ones are gone with the directory, later ones
 * would be written through it. */
static ck_err *below_leaf(const struct ck_index_writer *w, struct group g, const struct item *leaf)
{
    if (g.v[g.n - 1].seq < leaf->seq)
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE, "an entry below a %s of the same layer: %.*s",
                      leaf_name(leaf), CK_VF(path_of(w, &g.v[0])));
}

/* Leaves one item a path. */
static ck_err *unite(struct ck_index_writer *w)
{
    size_t kept = 0;
    struct item leaf = { 0 };
    ck_view leaf_path = { NULL, 0 }; /* no leaf is the root */
    struct group g;
    for (size_t i = 0; i < w->items.n; i += g.n) {
        const struct item *new_leaf = NULL;
        struct item it = { 0 };
        g = group_at(w, i);
        if (leaf_path.n && ck_index_is_below(path_of(w, g.v), leaf_path)) {
            CK_TRY(below_leaf(w, g, &leaf));
            continue;
        }
        CK_TRY(merge(w, g, &it, &new_leaf));
        if (new_leaf) {
            leaf = *new_leaf;
            leaf_path = path_of(w, &leaf);
        }
        w->items.v[kept++] = it;
    }
    w->items.n = kept;
    return NULL;
}

/* --- hard links --- */

static ck_view link_of(const struct ck_index_writer *w, const struct item *it)
{
    ck_cur c = ck_cur_of(tail_of(w, it));
    (void)ck_index_varint(&c); /* mode */
    uint64_t n = ck_index_varint(&c);
    return ck_cur_take(&c, n);
}

static const struct item *find(const struct ck_index_writer *w, ck_view path)
{
    size_t low = 0, high = w->items.n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = ck_index_path_cmp(path_of(w, &w->items.v[mid]), path);
        if (c == 0)
            return &w->items.v[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static ck_err *check_links(const struct ck_index_writer *w)
{
    for (size_t i = 0; i < w->items.n; i++) {
        const struct item *it = &w->items.v[i];
        if (type_of(it) != CK_NODE_HARDLINK)
            continue;
        const struct item *target = find(w, link_of(w, it));
        if (target && type_of(target) != CK_NODE_NONE && target->seq >= it->seq)
            return ck_err_new(CK_ERR_HOSTILE, "hard link to an entry that comes later: %.*s",
                              CK_VF(path_of(w, it)));
        if (target && type_of(target) == CK_NODE_DIR)
            return ck_err_new(CK_ERR_HOSTILE, "hard link to a directory: %.*s",
                              CK_VF(path_of(w, it)));
    }
    return NULL;
}

/* --- encoding --- */

static ck_err *put_record(const struct ck_index_writer *w, const struct item *it, ck_view before,
                          struct ck_buf *out)
{
    ck_view path = path_of(w, it);
    size_t shared = ck_index_shared(before, path);
    CK_TRY(add_varint(out, shared));
    CK_TRY(add_bytes(out, ck_view_from(path, shared)));
    CK_TRY(ck_buf_add(out, ck_view_of(&it->flags, 1)));
    return ck_buf_add(out, tail_of(w, it));
}

/* `restarts` gets the offset of every STRIDE-th record. */
static ck_err *put_records(const struct ck_index_writer *w, struct ck_buf *out, size_t start,
                           uint32_t *restarts)
{
    ck_view before = { NULL, 0 };
    for (size_t i = 0; i < w->items.n; i++) {
        if (i % CK_INDEX_STRIDE == 0) {
            restarts[i / CK_INDEX_STRIDE] = (uint32_t)(out->n - start);
            before = ck_view_of(NULL, 0);
        }
        CK_TRY(put_record(w, &w->items.v[i], before, out));
        before = path_of(w, &w->items.v[i]);
    }
    return NULL;
}

static ck_err *add_u32(struct ck_buf *out, uint32_t x)
{
    uint8_t v[4] = { (uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24) };
    return ck_buf_add(out, ck_view_of(v, 4));
}

static ck_err *encode(const struct ck_index_writer *w, struct ck_buf *out)
{
    size_t start = out->n, n = (w->items.n + CK_INDEX_STRIDE - 1) / CK_INDEX_STRIDE;
    ck_autofree uint32_t *restarts = ck_calloc(n, sizeof *restarts);

    CK_TRY(ck_buf_add(out, CK_V(CK_INDEX_MAGIC)));
    CK_TRY(add_u32(out, (uint32_t)w->items.n));
    CK_TRY(add_u32(out, (uint32_t)n));
    CK_TRY(add_u32(out, 0));
    CK_TRY(put_records(w, out, start, restarts));
    size_t end = out->n - start;
    for (size_t i = 0; i < 4; i++)
        out->p[start + CK_INDEX_HEADER - 4 + i] = (uint8_t)(end >> (8 * i));
    for (size_t i = 0; i < n; i++)
        CK_TRY(add_u32(out, restarts[i]));
    if (out->n - start > CK_MAX_FACTS)
        return ck_err_limit(CK_LIMIT_FACTS, "a layer index of %zu bytes", out->n - start);
    return NULL;
}

ck_err *ck_index_finish(struct ck_index_writer *w, struct ck_buf *out)
{
    size_t start = out->n;
    sort(w);
    CK_TRY(unite(w));
    CK_TRY(check_links(w));
    ck_err *e = encode(w, out);
    if (e)
        out->n = start;
    return e;
}
