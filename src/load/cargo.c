#include "load/cargo.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what belongs to it ----------------------------------------------------------------------- */

struct list {
    struct ck_source *source;
    CK_VEC(struct ck_cargo_blob) blobs;
};

/* A layer may stand in an image twice; an image has few enough layers to look through them. */
static ck_err *add(struct list *l, const struct ck_digest *d, uint64_t size)
{
    char text[CK_DIGEST_TEXT];
    bool there = false;
    uint64_t have = 0;
    for (size_t i = 0; i < l->blobs.n; i++)
        if (ck_digest_eq(&l->blobs.v[i].digest, d))
            return NULL;
    CK_TRY(ck_store_has(ck_source_lease(l->source), d, &have, &there));
    if (!there)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not in the store (cocket fetch)",
                          ck_digest_text(d, text));
    if (have != size)
        return ck_err_new(CK_ERR_HOSTILE, "%s has %llu bytes, its descriptor says %llu",
                          ck_digest_text(d, text), (unsigned long long)have,
                          (unsigned long long)size);
    *ck_push(&l->blobs) = (struct ck_cargo_blob){ *d, size };
    return NULL;
}

static ck_err *add_image(struct list *l, const struct ck_image *im)
{
    CK_TRY(add(l, &im->digest, im->manifest_size));
    CK_TRY(add(l, &im->config_digest, im->config_descriptor.size));
    for (size_t i = 0; i < im->n_layers; i++)
        CK_TRY(add(l, &im->layers[i].digest, im->layers[i].size));
    return NULL;
}

/* What the store has of it, down to the blobs. */
static ck_err *add_manifest(struct list *l, const struct ck_digest *d, struct ck_arena *a,
                            unsigned level)
{
    struct ck_store_entry e;
    char text[CK_DIGEST_TEXT];
    bool found = false;
    if (level > CK_MAX_INDEX_NESTING)
        return ck_err_limit(CK_LIMIT_INDEX_NESTING, "%s", ck_digest_text(d, text));
    CK_TRY(ck_store_get(ck_source_store(l->source), d, a, &e, &found));
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE,
                          "%s, which the index lists, is not in the store "
                          "(cocket fetch --all-platforms)", ck_digest_text(d, text));
    CK_TRY(add(l, d, e.image.size));
    for (size_t i = 0; i < e.image.n_parts; i++) {
        const struct ck_store_part *p = &e.image.parts[i];
        CK_TRY(p->role == CK_PART_MANIFEST ? add_manifest(l, &p->digest, a, level + 1)
                                           : add(l, &p->digest, p->size));
    }
    return NULL;
}

ck_err *ck_cargo_new(struct ck_source *s, struct ck_arena *a, struct ck_cargo *ret)
{
    const struct ck_image *im = ck_source_image(s);
    struct list l = { .source = s };
    struct ck_cargo c = { .store = ck_source_store(s), .image = im->has_digest ? im : NULL };
    c.top = im->has_digest ? (struct ck_descriptor){ .media_type = im->media_type,
                                                     .digest = im->digest,
                                                     .size = im->manifest_size }
                           : im->index;
    c.top.platform = im->has_digest ? im->config.platform : (struct ck_platform){ 0 };
    c.top.ref_name = c.top.image_name = (ck_view){ 0 };
    ck_err *e = im->has_digest ? add_image(&l, im) : add_manifest(&l, &im->index.digest, a, 0);
    c.blobs = ck_arena_alloc(a, l.blobs.n + 1, sizeof *c.blobs);
    c.n = l.blobs.n;
    for (size_t i = 0; i < c.n; i++) {
        c.blobs[i] = l.blobs.v[i];
        c.bytes += c.blobs[i].size;
    }
    free(l.blobs.v);
    if (!e)
        *ret = c;
    return e;
}

/* "3.20" of "docker.io/library/alpine:3.20"; empty where there is none. */
static ck_view tag_of(ck_view name)
{
    ck_view rest = ck_view_head(name, ck_view_find(name, '@')), tail;
    while (ck_view_find(rest, '/') < rest.n) {
        ck_view_split(rest, '/', &tail);
        rest = tail;
    }
    size_t colon = ck_view_find(rest, ':');
    return ck_view_from(rest, colon < rest.n ? colon + 1 : rest.n);
}

struct ck_descriptor ck_cargo_entry(const struct ck_cargo *c, ck_view tag)
{
    struct ck_descriptor d = c->top;
    d.image_name = c->name;
    d.ref_name = tag.n ? tag : tag_of(c->name);
    return d;
}

/* --- copying ---------------------------------------------------------------------------------- */

const char *ck_blob_path(const struct ck_digest *d, char out[CK_BLOB_NAME])
{
    char text[CK_DIGEST_TEXT];
    const char *hex = strchr(ck_digest_text(d, text), ':') + 1;
    snprintf(out, CK_BLOB_NAME, "blobs/%s/%s", ck_digest_algorithm_name(d->alg), hex);
    return out;
}

static ck_err *corrupt(const struct ck_cargo_blob *b, const char *what)
{
    char text[CK_DIGEST_TEXT];
    return ck_err_new(CK_ERR_OURS, "the store is damaged: %s %s (cocket fsck says more)",
                      ck_digest_text(&b->digest, text), what);
}

/* The last piece is handed on when the digest has come out. */
static ck_err *copy(int fd, const struct ck_cargo_blob *b, struct ck_hash *hash,
                    ck_err *(*put)(void *ctx, ck_view piece), void *ctx)
{
    enum { PIECE = 256 * 1024 };
    ck_autofree uint8_t *piece = ck_calloc(PIECE, 1);
    struct ck_digest got;
    for (uint64_t at = 0; at < b->size;) {
        size_t want = b->size - at < PIECE ? (size_t)(b->size - at) : PIECE;
        ssize_t n = read(fd, piece, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "reading the store");
        if (n == 0)
            return corrupt(b, "is too short");
        ck_hash_add(hash, ck_view_of(piece, (size_t)n));
        at += (uint64_t)n;
        if (at == b->size) {
            ck_hash_finish(hash, &got);
            if (!ck_digest_eq(&got, &b->digest))
                return corrupt(b, "has another content");
        }
        CK_TRY(put(ctx, ck_view_of(piece, (size_t)n)));
    }
    return NULL;
}

ck_err *ck_blob_copy(struct ck_store *s, const struct ck_cargo_blob *b,
                     ck_err *(*put)(void *ctx, ck_view piece), void *ctx)
{
    int fd = -1;
    uint64_t size = 0;
    CK_TRY(ck_store_open_blob(s, &b->digest, &fd, &size));
    struct ck_hash *hash = ck_hash_new(b->digest.alg);
    ck_err *e = size == b->size ? copy(fd, b, hash, put, ctx) : corrupt(b, "has another size");
    ck_hash_free(hash);
    close(fd);
    return e;
}
