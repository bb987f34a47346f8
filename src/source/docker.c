/* docker-archive: what `docker save` writes. Newer ones carry an OCI layout inside, which binds
 * every blob by its digest; then that is read, and manifest.json only names images. The old layout
 * binds layers by diff_id alone, through the config, whose file name is its digest.
 */
#include "base/text.h"
#include "layer/path.h"
#include "source/source_int.h"

#include <unistd.h>

static bool tagged(const struct ck_docker_image *im, ck_view ref)
{
    for (size_t i = 0; i < im->n_tags; i++)
        if (ck_reference_same(im->tags[i], ref))
            return true;
    return false;
}

static ck_err *choose(const struct ck_docker_doc *doc, ck_view name, size_t *ret)
{
    uint64_t n = 0;
    if (name.n && name.p[0] == '@') {
        if (!ck_reference_index(name, &n) || n >= doc->n)
            return ck_err_new(CK_ERR_UNAVAILABLE, "the archive has %zu images, none at \"%.*s\"",
                              doc->n, CK_VF(name));
        *ret = (size_t)n;
        return NULL;
    }
    size_t hits = 0;
    for (size_t i = 0; i < doc->n; i++)
        if (!name.n || tagged(&doc->images[i], name)) {
            hits++;
            *ret = i;
        }
    if (hits == 1)
        return NULL;
    ck_view tag = doc->n && doc->images[0].n_tags ? doc->images[0].tags[0] : CK_V("none");
    return ck_err_new(CK_ERR_UNAVAILABLE,
                      hits ? "the archive has %zu images; name one: docker-archive:PATH:REF, "
                             "e.g. %.*s, or @0"
                           : "none of the archive's %zu images has that name; the first is %.*s",
                      doc->n, CK_VF(tag));
}

/* "<hex>.json" and "blobs/sha256/<hex>" name the config by its digest (CVE-2014-9358: an id is
 * nothing until the content is seen to have it). */
static ck_err *config_digest(ck_view path, ck_view content, struct ck_digest *ret)
{
    char hex[65];
    ck_view base = ck_path_base(path);
    if (ck_view_ends(base, CK_V(".json")))
        base.n -= 5;
    ck_hash_of(CK_DIGEST_SHA256, content, ret);
    ck_hex(ret->bytes, 32, hex);
    if (base.n == 64 && !ck_view_eq(base, ck_view_str(hex)))
        return ck_err_new(CK_ERR_HOSTILE, "digest mismatch: its name says %.*s, its content is %s",
                          CK_VF(base), hex);
    return NULL;
}

static ck_err *locate(struct ck_source *s, ck_view name, struct ck_image_layer *l)
{
    struct ck_found f;
    bool found = false;
    CK_TRY(ck_view_find_blob(s, name, &f, &found));
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE, "\"%.*s\" is missing", CK_VF(name));
    l->where = f.slice;
    l->size = f.slice.length;
    l->fd = f.slice.pipe ? -1 : dup(f.fd);
    return NULL;
}

static ck_err *take_layers(struct ck_source *s, const struct ck_docker_image *im)
{
    struct ck_image *image = &s->image;
    CK_TRY(ck_image_layers_fit(&image->config, im->n_layers));
    image->layers = ck_arena_alloc(&s->arena, im->n_layers + 1, sizeof *image->layers);
    for (size_t i = 0; i < im->n_layers; i++) {
        struct ck_image_layer *l = &image->layers[i];
        *l = (struct ck_image_layer){
            .diff_id = image->config.diff_ids[i],
            .media_type = CK_V("application/vnd.docker.image.rootfs.diff.tar"),
            .compression = CK_COMPRESSION_NONE,
            .fd = -1,
            .arrival = SIZE_MAX,
        };
        image->n_layers = i + 1;
        CK_TRY_WRAP(locate(s, im->layers[i], l), "layer %zu", i + 1);
    }
    ck_image_history(image);
    return NULL;
}

static ck_err *open_old_layout(struct ck_source *s, const struct ck_docker_image *im)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY_WRAP(ck_source_document(s, im->config, NULL, &json), "config");
    CK_TRY_WRAP(config_digest(im->config, ck_buf_view(&json), &s->image.digest), "config");
    s->image.has_digest = true;
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_CONFIG, (ck_view){ 0 }, ck_buf_view(&json), &bytes),
                "config");
    CK_TRY(ck_config_doc_decode(bytes, &s->arena, &s->image.config));
    return take_layers(s, im);
}

static ck_err *read_manifest_json(struct ck_source *s, struct ck_docker_doc *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY(ck_source_document(s, CK_V("manifest.json"), NULL, &json));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_DOCKER, (ck_view){ 0 }, ck_buf_view(&json), &bytes),
                "\"manifest.json\"");
    return ck_docker_doc_decode(bytes, &s->arena, ret);
}

/* Older loaders believe manifest.json, newer ones index.json: both must mean the same image. An
 * archive of several platforms names only one of them in manifest.json. */
static ck_err *check_same_image(const struct ck_source *s, const struct ck_docker_image *im)
{
    char hex[129];
    const struct ck_digest *d = &s->image.config_digest;
    ck_hex(d->bytes, ck_digest_size(d->alg), hex);
    ck_view path = im->config, want = ck_view_str(hex);
    if (s->image.platforms.n)
        return NULL;
    if (ck_view_ends(path, CK_V(".json")))
        path.n -= 5;
    if (ck_view_ends(path, want))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE,
                      "manifest.json and index.json name different images: config %.*s and %s",
                      CK_VF(path), hex);
}

ck_err *ck_open_docker(struct ck_source *s, const struct ck_reference *ref)
{
    struct ck_found f;
    struct ck_docker_doc doc;
    bool has_layout = false;
    size_t at = 0;
    CK_TRY(ck_view_find_blob(s, CK_V("index.json"), &f, &has_layout));
    CK_TRY(read_manifest_json(s, &doc));
    CK_TRY(choose(&doc, ref->name, &at));
    if (!has_layout)
        return open_old_layout(s, &doc.images[at]);

    /* One image: the layout's own choice by platform. Several: its index lists them in the same
     * order only by habit, so the name decides there too. */
    struct ck_reference inner = *ref;
    if (doc.n == 1)
        inner.name = (ck_view){ 0 };
    else if (doc.images[at].n_tags)
        inner.name = doc.images[at].tags[0];
    CK_TRY(ck_open_layout(s, &inner));
    return check_same_image(s, &doc.images[at]);
}
