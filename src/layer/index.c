/* Reading. See index_write.c for the other direction, index_parts.h for the encoding. */
#include "layer/index_parts.h"

/* Where a decoder stands: the next record, and the path of the one before it. */
struct spot {
    const struct ck_index *ix;
    struct ck_index_space *space;
    size_t at, path_len;
    bool fresh; /* no record was decoded yet: none to compare with */
};

static ck_err *damaged(size_t at, const char *what)
{
    return ck_err_at(CK_ERR_HOSTILE, at, "layer index: %s", what);
}

size_t ck_index_shared(ck_view a, ck_view b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    for (uint64_t x, y; i + sizeof x <= n; i += sizeof x) {
        memcpy(&x, a.p + i, sizeof x);
        memcpy(&y, b.p + i, sizeof y);
        if (x != y)
            break;
    }
    while (i < n && a.p[i] == b.p[i])
        i++;
    return i;
}

int ck_index_path_cmp(ck_view a, ck_view b)
{
    size_t i = ck_index_shared(a, b);
    if (i == a.n || i == b.n)
        return a.n < b.n ? -1 : a.n > b.n;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): i lies inside both views */
    if (a.p[i] == '/' || b.p[i] == '/')
        return a.p[i] == '/' ? -1 : 1;
    return a.p[i] < b.p[i] ? -1 : 1;
}

bool ck_index_is_below(ck_view path, ck_view dir)
{
    if (!dir.n)
        return path.n != 0;
    return path.n > dir.n && path.p[dir.n] == '/' && ck_view_starts(path, dir);
}

ck_err *ck_index_open(ck_view bytes, struct ck_index *ret)
{
    ck_cur c = ck_cur_of(bytes);
    ck_view magic = ck_cur_take(&c, CK_INDEX_MAGIC_BYTES);
    struct ck_index ix = { .bytes = bytes };
    ix.entries = ck_cur_le32(&c);
    ix.restarts = ck_cur_le32(&c);
    ix.end = ck_cur_le32(&c);
    ix.paths = CK_INDEX_HEADER;
    if (!ck_cur_ok(&c) || !ck_view_eq(magic, CK_V(CK_INDEX_MAGIC)))
        return damaged(0, "no header");
    if (bytes.n > CK_MAX_FACTS)
        return ck_err_limit(CK_LIMIT_FACTS, "layer index of %zu bytes", bytes.n);
    if (ix.entries > CK_MAX_LAYER_ENTRIES)
        return ck_err_limit(CK_LIMIT_LAYER_ENTRIES, "layer index of %u entries", ix.entries);
    ix.table = ix.end;
    uint64_t size = ix.table + 4ull * ix.restarts;
    uint32_t restarts = (ix.entries + CK_INDEX_STRIDE - 1) / CK_INDEX_STRIDE;
    if (ix.end < ix.paths || ix.restarts != restarts || size != bytes.n ||
        (ix.entries == 0) != (ix.end == ix.paths))
        return damaged(CK_INDEX_MAGIC_BYTES, "sizes do not fit together");
    *ret = ix;
    return NULL;
}

uint64_t ck_index_varint(ck_cur *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = ck_cur_u8(c);
        value |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return value;
    }
    c->bad = true;
    return 0;
}

static ck_view read_bytes(ck_cur *c)
{
    uint64_t n = ck_index_varint(c);
    if (n > ck_cur_left(c))
        c->bad = true;
    return ck_cur_take(c, ck_cur_ok(c) ? (size_t)n : 0);
}

/* The part of a record behind its path. */
static bool read_tail(ck_cur *c, struct ck_node *ret)
{
    uint8_t flags = ck_cur_u8(c);
    ret->type = flags & CK_INDEX_TYPE;
    ret->whiteout = flags & CK_INDEX_WHITEOUT;
    ret->opaque = flags & CK_INDEX_OPAQUE;
    if (ret->type >= CK_NODE_COUNT_)
        return false;
    if (ret->type != CK_NODE_NONE) {
        uint64_t mode = ck_index_varint(c);
        ret->mode = (uint32_t)(mode & 07777);
        if (mode > 07777)
            return false;
    }
    if (ret->type == CK_NODE_FILE)
        ret->size = ck_index_varint(c);
    if (ret->type == CK_NODE_SYMLINK || ret->type == CK_NODE_HARDLINK)
        ret->link = read_bytes(c);
    if (flags & CK_INDEX_HAS_FACTS)
        ret->facts = read_bytes(c);
    return ck_cur_ok(c);
}

/* Decodes the next record; there is one (at < end). */
static ck_err *next(struct spot *s, struct ck_node *ret)
{
    ck_cur c = ck_cur_of(ck_view_head(s->ix->bytes, s->ix->end));
    struct ck_node node = { 0 };
    ck_cur_seek(&c, s->at);
    uint64_t shared = ck_index_varint(&c);
    ck_view suffix = read_bytes(&c);
    if (!ck_cur_ok(&c) || shared > s->path_len || shared + suffix.n > sizeof s->space->path)
        return damaged(s->at, "a path does not fit");
    ck_view old = ck_view_of(s->space->path + shared, s->path_len - shared);
    if (!s->fresh && ck_index_path_cmp(old, suffix) >= 0)
        return damaged(s->at, "paths are out of order");
    if (!read_tail(&c, &node))
        return damaged(s->at, "a node cannot be read");
    if (suffix.n)
        memcpy(s->space->path + shared, suffix.p, suffix.n);
    s->path_len = shared + suffix.n;
    s->at = c.at;
    s->fresh = false;
    node.path = ck_view_of(s->space->path, s->path_len);
    *ret = node;
    return NULL;
}

/* Where restart `r` begins, and its path, which stands there whole. */
static ck_err *restart(const struct ck_index *ix, uint32_t r, size_t *ret_at, ck_view *ret_path)
{
    ck_cur table = ck_cur_of(ck_view_from(ix->bytes, ix->table));
    ck_cur_seek(&table, 4 * (size_t)r);
    uint32_t at = ck_cur_le32(&table);
    ck_cur c = ck_cur_of(ck_view_head(ix->bytes, ix->end));
    ck_cur_seek(&c, at);
    uint64_t shared = ck_index_varint(&c);
    ck_view path = read_bytes(&c);
    if (!ck_cur_ok(&table) || !ck_cur_ok(&c) || at < ix->paths || shared)
        return damaged(ix->table + 4 * (size_t)r, "a restart point is wrong");
    *ret_at = at;
    *ret_path = path;
    return NULL;
}

/* Puts `s` where a scan for `path` has to begin: the last restart that is not behind it. */
static ck_err *jump(struct spot *s, ck_view path)
{
    uint32_t low = 0, high = s->ix->restarts; /* the answer is in low-1 .. high-1 */
    s->at = s->ix->paths;
    s->path_len = 0;
    s->fresh = true;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        size_t at = 0;
        ck_view key = { NULL, 0 };
        CK_TRY(restart(s->ix, mid, &at, &key));
        int c = ck_index_path_cmp(key, path);
        if (c <= 0) {
            s->at = at;
            low = mid + 1;
        } else {
            high = mid;
        }
        if (c == 0)
            break;
    }
    return NULL;
}

/* The first node that does not stand before `path`. */
static ck_err *seek(struct spot *s, ck_view path, struct ck_node *ret, bool *ret_end)
{
    CK_TRY(jump(s, path));
    while (s->at < s->ix->end) {
        CK_TRY(next(s, ret));
        if (ck_index_path_cmp(ret->path, path) >= 0) {
            *ret_end = false;
            return NULL;
        }
    }
    *ret_end = true;
    return NULL;
}

ck_err *ck_index_find(const struct ck_index *ix, ck_view path, struct ck_index_space *space,
                      struct ck_node *ret, bool *ret_found)
{
    struct spot s = { .ix = ix, .space = space };
    struct ck_node node = { 0 };
    bool end = true;
    CK_TRY(seek(&s, path, &node, &end));
    *ret_found = !end && ck_view_eq(node.path, path);
    if (*ret_found)
        *ret = node;
    return NULL;
}

/* Whether the record at s->at stands below the one before it. Nothing is decoded. */
static ck_err *peek_below(const struct spot *s, bool *ret)
{
    *ret = false;
    if (s->at >= s->ix->end)
        return NULL;
    ck_cur c = ck_cur_of(ck_view_head(s->ix->bytes, s->ix->end));
    ck_cur_seek(&c, s->at);
    uint64_t shared = ck_index_varint(&c);
    ck_view suffix = read_bytes(&c);
    if (!ck_cur_ok(&c) || shared > s->path_len)
        return damaged(s->at, "a path does not fit");
    ck_view missing = ck_view_of(s->space->path + shared, s->path_len - shared);
    ck_view rest = ck_view_from(suffix, missing.n);
    *ret = rest.n && ck_view_starts(suffix, missing) && (!s->path_len || rest.p[0] == '/');
    return NULL;
}

ck_err *ck_index_probe(const struct ck_index *ix, ck_view path, struct ck_index_space *space,
                       struct ck_node *ret, bool *ret_found, bool *ret_below)
{
    struct spot s = { .ix = ix, .space = space };
    struct ck_node node = { 0 };
    bool end = true, below = false;
    CK_TRY(seek(&s, path, &node, &end));
    bool found = !end && ck_view_eq(node.path, path);
    if (found)
        CK_TRY(peek_below(&s, &below));
    else
        below = !end && ck_index_is_below(node.path, path);
    if (found)
        *ret = node;
    *ret_found = found;
    *ret_below = below;
    return NULL;
}

static struct spot spot_of(struct ck_index_walk *w)
{
    return (struct spot){ w->ix, &w->space, w->at, w->path_len, w->fresh };
}

static void keep_spot(struct ck_index_walk *w, const struct spot *s)
{
    w->at = s->at;
    w->path_len = s->path_len;
    w->fresh = s->fresh;
}

ck_err *ck_index_walk_seek(struct ck_index_walk *w, ck_view path)
{
    struct spot s = spot_of(w);
    bool end = true;
    CK_TRY(seek(&s, path, &w->node, &end));
    keep_spot(w, &s);
    w->pending = !end;
    w->done = end;
    return NULL;
}

ck_err *ck_index_walk_start(const struct ck_index *ix, ck_view path, struct ck_index_walk *w)
{
    w->ix = ix;
    w->prefix = path;
    w->at = ix->paths;
    w->path_len = 0;
    w->fresh = true;
    CK_TRY(ck_index_walk_seek(w, path));
    if (w->pending && ck_view_eq(w->node.path, path))
        w->pending = false;
    return NULL;
}

ck_err *ck_index_walk_next(struct ck_index_walk *w, struct ck_node *ret, bool *ret_end)
{
    if (!w->pending && !w->done) {
        struct spot s = spot_of(w);
        if (s.at < w->ix->end)
            CK_TRY(next(&s, &w->node));
        else
            w->done = true;
        keep_spot(w, &s);
    }
    w->pending = false;
    if (!w->done)
        w->done = !ck_index_is_below(w->node.path, w->prefix);
    *ret_end = w->done;
    if (!w->done)
        *ret = w->node;
    return NULL;
}
