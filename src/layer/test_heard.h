/* A listener for the tar reader, for the tests of this folder. */
#ifndef CK_LAYER_TEST_HEARD_H
#define CK_LAYER_TEST_HEARD_H

#include "base/unit.h"
#include "layer/tar.h"

/* Everything that the reader said, as text, and what it handed on. */
struct heard {
    struct ck_buf text;
    uint64_t entries, ends, content, real_size;
    bool capability, sparse;
    ck_view only; /* every piece of content must lie in it */
};

static inline ck_err *on_entry(void *ctx, const struct ck_tar_entry *e)
{
    struct heard *h = ctx;
    assert_int_equal(e->number, h->entries);
    assert_int_equal(e->offset % 512, 0);
    h->entries++;
    h->capability |= e->has_capability;
    h->sparse |= e->sparse;
    uint64_t stored = 0;
    for (ck_cur c = ck_cur_of(e->extents); !ck_cur_end(&c); stored += ck_cur_le64(&c))
        ck_cur_skip(&c, 8);
    assert_int_equal(stored, e->sparse ? e->size : 0);
    h->real_size = e->real_size;
    ck_buf_format(&h->text, "%d %.*s", e->type, CK_VF(e->name));
    if (e->link.n)
        ck_buf_format(&h->text, " -> %.*s", CK_VF(e->link));
    ck_buf_format(&h->text, " %llu %o %llu;", (unsigned long long)e->size, e->mode,
                  (unsigned long long)e->uid);
    return NULL;
}

static inline ck_err *on_data(void *ctx, ck_view piece)
{
    struct heard *h = ctx;
    h->content += piece.n;
    if (h->only.p)
        assert_true(piece.p >= h->only.p && piece.p + piece.n <= h->only.p + h->only.n);
    return NULL;
}

static inline ck_err *on_end(void *ctx)
{
    struct heard *h = ctx;
    h->ends++;
    assert_int_equal(h->ends, h->entries);
    return NULL;
}

static const struct ck_tar_ops HEARD_OPS = { on_entry, on_data, on_end };

static inline void forget(struct heard *h)
{
    ck_buf_free(&h->text);
    *h = (struct heard){ 0 };
}

static inline ck_err *read_in_pieces(ck_view v, size_t piece, struct heard *h)
{
    struct ck_tar *t = ck_tar_new(&HEARD_OPS, h);
    ck_err *e = NULL;
    while (!e && v.n) {
        e = ck_tar_feed(t, ck_view_head(v, piece));
        v = ck_view_from(v, piece);
    }
    if (!e)
        e = ck_tar_finish(t);
    ck_tar_free(t);
    return e;
}

#endif
