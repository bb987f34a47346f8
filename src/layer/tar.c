#include "layer/tar.h"

#include "base/buf.h"
#include "base/mem.h"
#include "layer/tar_parts.h"

#include <stdlib.h>

enum state {
    STATE_HEADER,    /* a header block, or the first zero block */
    STATE_META,      /* content of a pax header or a GNU long name */
    STATE_EXTENSION, /* old GNU sparse: a block with more extents */
    STATE_MAP,       /* GNU sparse 1.0: a block of the map at the head of the content */
    STATE_CONTENT,
    STATE_PADDING, /* up to the next block */
    STATE_ZEROS,   /* behind the end */
    STATE_FAILED,
};

/* The names that GNU puts in front of an entry; index into struct ck_tar's `longs`. */
enum { LONG_NAME, LONG_LINK, LONG_COUNT };

struct ck_tar {
    struct ck_tar_ops ops;
    void *ctx;
    enum state state;
    bool callback_failed;

    uint64_t at;      /* bytes read */
    uint64_t number;  /* of the entry that is being read */
    uint64_t start;   /* its first header block */
    uint64_t left;    /* bytes of the present state's content still to come */
    unsigned padding; /* bytes from the content's end to the next block */

    uint8_t block[CK_TAR_BLOCK_SIZE]; /* the header; names of `header` point into it */
    uint8_t extra[CK_TAR_BLOCK_SIZE]; /* another block while the header is still needed */
    size_t have;                 /* bytes of the block that is being gathered */
    struct ck_tar_header header;
    uint8_t joined[300]; /* prefix + "/" + name */

    uint8_t meta;            /* type of the meta header that is being read */
    struct ck_buf *meta_buf; /* where its content goes */
    struct ck_buf pax_buf; /* the pending entry's pax header; `pax` points into it */
    struct ck_buf global_buf;
    struct ck_buf longs[LONG_COUNT]; /* empty where there is none */
    struct ck_tar_pax pax;
    struct ck_buf extents; /* of the pending entry, where it is sparse */
    struct ck_tar_map map;
    struct ck_tar_entry entry;
};

struct ck_tar *ck_tar_new(const struct ck_tar_ops *ops, void *ctx)
{
    struct ck_tar *t = ck_new(struct ck_tar);
    t->ops = *ops;
    t->ctx = ctx;
    t->extents = ck_buf_new(CK_LIMIT_NONE); /* at most SPARSE_ENTRIES */
    t->pax.sparse.keep = &t->extents;
    t->pax_buf = t->global_buf = ck_buf_new(CK_LIMIT_PAX_HEADER);
    for (size_t i = 0; i < LONG_COUNT; i++)
        t->longs[i] = ck_buf_new(CK_LIMIT_PAX_HEADER);
    return t;
}

void ck_tar_free(struct ck_tar *t)
{
    if (!t)
        return;
    ck_buf_free(&t->extents);
    ck_buf_free(&t->pax_buf);
    ck_buf_free(&t->global_buf);
    for (size_t i = 0; i < LONG_COUNT; i++)
        ck_buf_free(&t->longs[i]);
    free(t);
}

/* --- pieces and blocks --- */

/* Takes up to n bytes off the front of the input. */
static ck_view take(struct ck_tar *t, ck_view *in, uint64_t n)
{
    ck_view v = ck_view_head(*in, n < in->n ? (size_t)n : in->n);
    *in = ck_view_from(*in, v.n);
    t->at += v.n;
    return v;
}

/* Gathers a block; true when it is complete. */
static bool gather(struct ck_tar *t, ck_view *in, uint8_t block[CK_TAR_BLOCK_SIZE])
{
    ck_view v = take(t, in, CK_TAR_BLOCK_SIZE - t->have);
    memcpy(block + t->have, v.p, v.n);
    t->have += v.n;
    if (t->have < CK_TAR_BLOCK_SIZE)
        return false;
    t->have = 0;
    return true;
}

static unsigned padding_of(uint64_t size)
{
    return (unsigned)((CK_TAR_BLOCK_SIZE - size % CK_TAR_BLOCK_SIZE) % CK_TAR_BLOCK_SIZE);
}

static ck_err *from_callback(struct ck_tar *t, ck_err *e)
{
    if (e)
        t->callback_failed = true;
    return e;
}

/* --- meta headers --- */

static bool meta_pending(const struct ck_tar *t)
{
    return t->pax.present || t->longs[LONG_NAME].n || t->longs[LONG_LINK].n;
}

/* NULL where `flag` is not that of a meta header. */
static struct ck_buf *meta_buf(struct ck_tar *t, uint8_t flag)
{
    switch (flag) {
    case 'x':
        return &t->pax_buf;
    case 'g':
        return &t->global_buf;
    case 'L':
        return &t->longs[LONG_NAME];
    case 'K':
        return &t->longs[LONG_LINK];
    default:
        return NULL;
    }
}

/* A GNU long name ends at its first NUL; only NULs may follow. */
static ck_err *end_long(struct ck_buf *buf)
{
    ck_view v = ck_buf_view(buf);
    size_t n = ck_view_find(v, 0);
    if (n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "an empty GNU long name");
    if (!ck_tar_block_zero(ck_view_from(v, n)))
        return ck_err_new(CK_ERR_HOSTILE, "a NUL inside a GNU long name");
    if (n > CK_MAX_PATH)
        return ck_err_limit(CK_LIMIT_PATH, "a GNU long name of %zu bytes", n);
    buf->n = n;
    return NULL;
}

static ck_err *end_meta(struct ck_tar *t)
{
    struct ck_tar_pax global = { 0 };
    struct ck_buf *buf = t->meta_buf;
    t->state = STATE_PADDING;
    if (t->meta == 'x')
        return ck_tar_pax_read(ck_buf_view(buf), false, &t->pax);
    if (t->meta == 'g')
        return ck_tar_pax_read(ck_buf_view(buf), true, &global);
    return end_long(buf);
}

/* One entry has at most one of each, and a global header does not stand between an entry and what
 * belongs to it: readers disagree about what holds then. */
static ck_err *begin_meta(struct ck_tar *t, struct ck_buf *buf)
{
    uint64_t size = (uint64_t)t->header.size.value;
    t->meta = t->header.flag;
    t->meta_buf = buf;
    if (t->meta == 'g' && meta_pending(t))
        return ck_err_new(CK_ERR_HOSTILE, "a global header between an entry and its own header");
    if (t->meta == 'x' ? t->pax.present : t->meta != 'g' && buf->n)
        return ck_err_new(CK_ERR_HOSTILE, "a second header of type %c for one entry", t->meta);
    if (t->header.size.blank)
        return ck_err_new(CK_ERR_HOSTILE, "a header of type %c without a size", t->meta);
    if (size > CK_MAX_PAX_HEADER)
        return ck_err_limit(CK_LIMIT_PAX_HEADER, "a header of type %c with %llu bytes", t->meta,
                            (unsigned long long)size);
    if (t->pax.has_size)
        return ck_err_new(CK_ERR_HOSTILE, "a header of type %c behind a pax size", t->meta);
    ck_buf_clear(buf);
    t->left = size;
    t->padding = padding_of(size);
    t->state = STATE_META;
    return size ? NULL : end_meta(t);
}

static ck_err *step_meta(struct ck_tar *t, ck_view *in)
{
    ck_view v = take(t, in, t->left);
    CK_TRY(ck_buf_add(t->meta_buf, v));
    t->left -= v.n;
    return t->left ? NULL : end_meta(t);
}

/* --- entries --- */

static const struct {
    uint8_t flag;
    enum ck_tar_type type;
} types[] = {
    { '0', CK_TAR_FILE },    { 0, CK_TAR_FILE },      { '7', CK_TAR_FILE },
    { 'S', CK_TAR_FILE },    { '1', CK_TAR_HARDLINK }, { '2', CK_TAR_SYMLINK },
    { '3', CK_TAR_CHAR },    { '4', CK_TAR_BLOCK },   { '5', CK_TAR_DIR },
    { '6', CK_TAR_FIFO },
};

/* Before ustar a directory was a file whose name ends with a slash. */
static ck_err *type_of(uint8_t flag, ck_view name, enum ck_tar_type *ret)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].flag != flag)
            continue;
        bool slash = ck_view_ends(name, CK_V("/"));
        if (slash && flag && types[i].type == CK_TAR_FILE)
            return ck_err_new(CK_ERR_HOSTILE, "a file whose name ends with a slash");
        *ret = slash && !flag ? CK_TAR_DIR : types[i].type;
        return NULL;
    }
    return ck_err_new(CK_ERR_HOSTILE, "an entry of unknown type %c", flag);
}

/* Both a pax path and a GNU long name are fine if they say the same. */
static ck_err *choose(ck_view pax, ck_view gnu, ck_view ustar, const char *what, ck_view *ret)
{
    if (pax.p && gnu.n && !ck_view_eq(pax, gnu))
        return ck_err_new(CK_ERR_HOSTILE, "the pax and the GNU %s differ", what);
    *ret = pax.p ? pax : gnu.n ? gnu : ustar;
    return NULL;
}

static ck_view ustar_name(struct ck_tar *t)
{
    struct ck_tar_header *h = &t->header;
    if (!h->prefix.n)
        return h->name;
    struct ck_buf b = { .p = t->joined, .cap = sizeof t->joined };
    ck_put_bytes(&b, h->prefix);
    ck_put_u8(&b, '/');
    ck_put_bytes(&b, h->name);
    return ck_buf_view(&b);
}

/* The size that the entry's content takes, from the ustar field and the pax record.
 *
 * A reader that takes the other one of two different sizes finds its next header in the middle of
 * this entry's content: entries that one tool sees and another does not (CVE-2025-62518). So the
 * two must be equal. The one exception is a size that the ustar field's eleven octal digits cannot
 * hold (8 GiB and more), where writers leave the field blank, 0, at its maximum, or cut to the low
 * digits; base-256 holds the size itself.
 */
static ck_err *content_size(const struct ck_tar_header *h, const struct ck_tar_pax *p,
                            uint64_t *ret)
{
    const uint64_t most = 077777777777;
    uint64_t ustar = (uint64_t)h->size.value;

    if (!p->has_size && h->size.blank)
        return ck_err_new(CK_ERR_HOSTILE, "the size field is blank");
    if (p->has_size && (h->size.blank || p->size != ustar)) {
        bool stands_in = h->size.blank || ustar == 0 || ustar == most || ustar == (p->size & most);
        if (p->size <= most || !stands_in)
            return ck_err_new(CK_ERR_HOSTILE, "pax size %llu and ustar size %llu differ",
                              (unsigned long long)p->size, (unsigned long long)ustar);
        ustar = p->size;
    }
    if (ustar > CK_MAX_LAYER_TAR)
        return ck_err_limit(CK_LIMIT_LAYER_TAR, "an entry of %llu bytes",
                            (unsigned long long)ustar);
    *ret = ustar;
    return NULL;
}

static ck_err *fill_names(struct ck_tar *t, struct ck_tar_entry *e)
{
    const struct ck_tar_pax *p = &t->pax;
    ck_view path = p->sparse_name.p ? p->sparse_name : p->path;
    CK_TRY(choose(path, ck_buf_view(&t->longs[LONG_NAME]), ustar_name(t), "names", &e->name));
    CK_TRY(choose(p->link, ck_buf_view(&t->longs[LONG_LINK]), t->header.link, "links", &e->link));
    CK_TRY(type_of(t->header.flag, e->name, &e->type));
    if (!e->name.n)
        return ck_err_new(CK_ERR_HOSTILE, "an entry without a name");
    bool is_link = e->type == CK_TAR_HARDLINK || e->type == CK_TAR_SYMLINK;
    if (is_link && !e->link.n)
        return ck_err_new(CK_ERR_HOSTILE, "a link without a target: %.*s", CK_VF(e->name));
    if (!is_link)
        e->link = ck_view_head(e->link, 0);
    return NULL;
}

static ck_err *fill_size(struct ck_tar *t, struct ck_tar_entry *e)
{
    CK_TRY(content_size(&t->header, &t->pax, &e->size));
    /* Whether content follows is what readers disagree about. */
    if (e->type != CK_TAR_FILE && e->size)
        return ck_err_new(CK_ERR_HOSTILE, "an entry of type %c with %llu bytes of content",
                          t->header.flag ? t->header.flag : '0', (unsigned long long)e->size);
    e->real_size = e->size;
    e->sparse = t->pax.sparse_kind != CK_TAR_SPARSE_NO;
    if (e->sparse && e->type != CK_TAR_FILE)
        return ck_err_new(CK_ERR_HOSTILE, "a sparse entry of type %c", t->header.flag);
    return NULL;
}

static void fill_numbers(struct ck_tar *t, struct ck_tar_entry *e)
{
    const struct ck_tar_header *h = &t->header;
    const struct ck_tar_pax *p = &t->pax;
    e->number = t->number;
    e->offset = t->start;
    e->mode = h->mode;
    e->uid = p->has_uid ? p->uid : h->uid;
    e->gid = p->has_gid ? p->gid : h->gid;
    e->mtime = p->has_mtime ? p->mtime : h->mtime;
    e->dev_major = h->dev_major;
    e->dev_minor = h->dev_minor;
    e->has_capability = p->has_capability;
}

static ck_err *end_entry(struct ck_tar *t)
{
    t->state = STATE_PADDING;
    t->pax = (struct ck_tar_pax){ .sparse.keep = &t->extents };
    ck_buf_clear(&t->extents);
    for (size_t i = 0; i < LONG_COUNT; i++)
        ck_buf_clear(&t->longs[i]);
    ck_err *e = from_callback(t, t->ops.end(t->ctx));
    t->number++;
    return e;
}

/* Hands the entry on; its content comes next. */
static ck_err *announce(struct ck_tar *t)
{
    struct ck_tar_entry *e = &t->entry;
    if (e->sparse) {
        CK_TRY(ck_tar_sparse_check(&t->pax.sparse, e->size));
        e->real_size = t->pax.sparse.real_size;
        e->extents = ck_buf_view(&t->extents);
    }
    e->data = t->at;
    t->left = e->size;
    t->padding = padding_of(e->size);
    t->state = STATE_CONTENT;
    CK_TRY(from_callback(t, t->ops.entry(t->ctx, e)));
    return t->left ? NULL : end_entry(t);
}

static ck_err *begin_old_sparse(struct ck_tar *t)
{
    bool more = false;
    if (t->pax.sparse_kind != CK_TAR_SPARSE_NO)
        return ck_err_new(CK_ERR_HOSTILE, "two sparse maps for one entry");
    t->pax.sparse_kind = CK_TAR_SPARSE_OLD;
    ck_view block = ck_view_of(t->block, sizeof t->block);
    CK_TRY(ck_tar_sparse_old(block, false, &t->pax.sparse, &more));
    t->state = STATE_EXTENSION;
    return more ? NULL : announce(t);
}

static ck_err *begin_entry(struct ck_tar *t)
{
    struct ck_tar_entry *e = &t->entry;
    *e = (struct ck_tar_entry){ 0 };
    CK_TRY(fill_names(t, e));
    CK_TRY(fill_size(t, e));
    fill_numbers(t, e);
    if (t->header.flag == 'S') {
        e->sparse = true;
        return begin_old_sparse(t);
    }
    if (t->pax.sparse_kind != CK_TAR_SPARSE_CONTENT)
        return announce(t);
    t->map = (struct ck_tar_map){ 0 };
    t->state = STATE_MAP;
    return NULL;
}

/* --- the states --- */

static ck_err *step_header(struct ck_tar *t, ck_view *in)
{
    ck_view block = ck_view_of(t->block, sizeof t->block);
    if (t->have == 0 && !meta_pending(t))
        t->start = t->at;
    if (!gather(t, in, t->block))
        return NULL;
    if (ck_tar_block_zero(block)) {
        if (meta_pending(t))
            return ck_err_new(CK_ERR_HOSTILE, "the archive ends between an entry's headers");
        t->state = STATE_ZEROS;
        return NULL;
    }
    CK_TRY(ck_tar_header_read(block, &t->header));
    struct ck_buf *meta = meta_buf(t, t->header.flag);
    return meta ? begin_meta(t, meta) : begin_entry(t);
}

static ck_err *step_extension(struct ck_tar *t, ck_view *in)
{
    bool more = false;
    if (!gather(t, in, t->extra))
        return NULL;
    ck_view block = ck_view_of(t->extra, sizeof t->extra);
    CK_TRY(ck_tar_sparse_old(block, true, &t->pax.sparse, &more));
    return more ? NULL : announce(t);
}

static ck_err *step_map(struct ck_tar *t, ck_view *in)
{
    bool done = false;
    if (t->entry.size < CK_TAR_BLOCK_SIZE)
        return ck_err_new(CK_ERR_HOSTILE, "the sparse map is longer than the content");
    if (!gather(t, in, t->extra))
        return NULL;
    t->entry.size -= CK_TAR_BLOCK_SIZE;
    ck_view block = ck_view_of(t->extra, sizeof t->extra);
    CK_TRY(ck_tar_map_block(&t->map, block, &t->pax.sparse, &done));
    return done ? announce(t) : NULL;
}

static ck_err *step_content(struct ck_tar *t, ck_view *in)
{
    ck_view v = take(t, in, t->left);
    t->left -= v.n;
    CK_TRY(from_callback(t, t->ops.data(t->ctx, v)));
    return t->left ? NULL : end_entry(t);
}

static ck_err *step_padding(struct ck_tar *t, ck_view *in)
{
    t->padding -= (unsigned)take(t, in, t->padding).n;
    if (!t->padding)
        t->state = STATE_HEADER;
    return NULL;
}

static ck_err *step_zeros(struct ck_tar *t, ck_view *in)
{
    if (!ck_tar_block_zero(*in))
        return ck_err_new(CK_ERR_HOSTILE, "data behind the end of the archive");
    take(t, in, in->n);
    return NULL;
}

static ck_err *step_failed(struct ck_tar *t, ck_view *in)
{
    (void)t;
    (void)in;
    return ck_err_new(CK_ERR_HOSTILE, "went on after an error");
}

static ck_err *place(const struct ck_tar *t, ck_err *e)
{
    return ck_err_wrap(e, "tar entry %llu at byte %llu", (unsigned long long)t->number,
                       (unsigned long long)t->start);
}

ck_err *ck_tar_feed(struct ck_tar *t, ck_view piece)
{
    static ck_err *(*const steps[])(struct ck_tar *, ck_view *) = {
        [STATE_HEADER] = step_header,   [STATE_META] = step_meta,
        [STATE_EXTENSION] = step_extension, [STATE_MAP] = step_map,
        [STATE_CONTENT] = step_content, [STATE_PADDING] = step_padding,
        [STATE_ZEROS] = step_zeros,     [STATE_FAILED] = step_failed,
    };
    while (piece.n) {
        ck_err *e = steps[t->state](t, &piece);
        if (!e)
            continue;
        t->state = STATE_FAILED;
        return t->callback_failed ? e : place(t, e);
    }
    return NULL;
}

ck_err *ck_tar_finish(struct ck_tar *t)
{
    /* The last entry's content is whole; several builders (umoci) leave out the padding behind it.
     */
    bool border = ((t->state == STATE_HEADER && !t->have) || t->state == STATE_PADDING) &&
                  !meta_pending(t);
    border = border || t->state == STATE_ZEROS;
    if (border)
        return NULL;
    if (t->state == STATE_FAILED)
        return ck_err_new(CK_ERR_HOSTILE, "the archive was not read to its end");
    return place(t, ck_err_at(CK_ERR_HOSTILE, t->at, "the archive is truncated"));
}

/* The last byte is fed, so that the content ends as it always does. */
uint64_t ck_tar_skippable(const struct ck_tar *t)
{
    return t->state == STATE_CONTENT && t->left ? t->left - 1 : 0;
}

void ck_tar_skip(struct ck_tar *t, uint64_t n)
{
    t->at += n;
    t->left -= n;
}
