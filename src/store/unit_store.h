/* What the tests of the store share; only tests include it. */
#ifndef CK_STORE_UNIT_STORE_H
#define CK_STORE_UNIT_STORE_H

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_OCI "application/vnd.oci.image."

static inline struct ck_digest unit_digest(ck_view v)
{
    struct ck_digest d;
    ck_hash_of(CK_DIGEST_SHA256, v, &d);
    return d;
}

/* A blob as it arrives: through a partial file, in two pieces. */
static inline ck_err *unit_receive(struct ck_lease *l, ck_view bytes)
{
    struct ck_incoming *in = NULL;
    struct ck_digest d = unit_digest(bytes);
    CK_TRY(ck_incoming_new(l, &d, &in));
    ck_err *e = ck_incoming_restart(in);
    if (!e)
        e = ck_write_all(ck_incoming_fd(in), ck_view_head(bytes, bytes.n / 2));
    ck_incoming_flush_hint(in, bytes.n / 2);
    if (!e)
        e = ck_write_all(ck_incoming_fd(in), ck_view_from(bytes, bytes.n / 2));
    if (!e)
        return ck_incoming_commit(in, &d, bytes.n);
    ck_incoming_drop(in, true);
    return e;
}

/* Image number `n`: config, a layer of its own, a layer that every fourth image shares, manifest.
 * None of it is real JSON: the store does not read. */
struct unit_image {
    char *texts[4]; /* config, own layer, shared layer, manifest; free them */
    struct ck_store_part parts[3];
    struct ck_store_image image;
};

static inline void unit_image_free(struct unit_image *im)
{
    for (int i = 0; i < 4; i++)
        free(im->texts[i]);
}

static inline struct unit_image unit_image(unsigned n, size_t layer_bytes)
{
    struct unit_image u = { 0 };
    struct ck_buf layer = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&layer, "layer of %u\n", n);
    while (layer.n < layer_bytes)
        ck_buf_format(&layer, "%u %zu\n", n * 7919, layer.n * 31 + n);
    u.texts[0] = ck_format("config of %u", n);
    u.texts[1] = ck_buf_steal_str(&layer);
    u.texts[2] = ck_format("layer shared by those with rest %u", n % 4);
    u.texts[3] = ck_format("manifest of %u", n);
    static const char *const types[] = { UNIT_OCI "config.v1+json", UNIT_OCI "layer.v1.tar",
                                         UNIT_OCI "layer.v1.tar" };
    for (int i = 0; i < 3; i++)
        u.parts[i] = (struct ck_store_part){
            .digest = unit_digest(ck_view_str(u.texts[i])), .size = strlen(u.texts[i]),
            .media_type = ck_view_str(types[i]), .role = i ? CK_PART_LAYER : CK_PART_CONFIG,
        };
    u.image = (struct ck_store_image){
        .digest = unit_digest(ck_view_str(u.texts[3])), .size = strlen(u.texts[3]),
        .media_type = CK_V(UNIT_OCI "manifest.v1+json"), .platform = CK_V("linux/amd64"),
        .artifact_type = CK_V(""), .n_parts = 3,
    };
    return u;
}

/* As a fetch does it: manifest, parts that are not there, complete, name. */
static inline ck_err *unit_fetch(struct ck_lease *l, struct unit_image *u, ck_view name)
{
    struct ck_digest from;
    bool moved;
    u->image.parts = u->parts;
    CK_TRY(ck_store_put(l, &u->image.digest, ck_view_str(u->texts[3])));
    CK_TRY(ck_store_add_image(l, &u->image, false));
    CK_TRY(ck_store_put(l, &u->parts[0].digest, ck_view_str(u->texts[0])));
    for (int i = 1; i < 3; i++) {
        bool has = false;
        CK_TRY(ck_store_has(l, &u->parts[i].digest, NULL, &has));
        if (!has)
            CK_TRY(unit_receive(l, ck_view_str(u->texts[i])));
    }
    CK_TRY(ck_store_add_image(l, &u->image, true));
    return name.n ? ck_store_set_name(l, name, &u->image.digest, &moved, &from) : NULL;
}

#endif
