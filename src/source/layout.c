/* oci: and oci-archive: (OCI image-spec, image-layout), and what all sources share: from a manifest
 * to the image. */
#include "base/mem.h"
#include "base/text.h"
#include "source/source_int.h"

#include <unistd.h>

ck_view ck_blob_name(struct ck_source *s, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT], *hex;
    ck_digest_text(d, text);
    hex = strchr(text, ':') + 1;
    return ck_view_str(
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): callers have chosen one */
        ck_arena_format(&s->arena, "blobs/%s/%s", ck_digest_algorithm_name(d->alg), hex));
}

/* --- choosing from an index ------------------------------------------------------------------- */

static ck_err *read_index(struct ck_source *s, ck_view name, const struct ck_descriptor *d,
                          ck_view declared, struct ck_index_doc *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY(ck_source_document(s, name, d, &json));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_INDEX, declared, ck_buf_view(&json), &bytes),
                "\"%.*s\"", CK_VF(name));
    return ck_index_doc_decode(bytes, &s->arena, ret);
}

static bool named(const struct ck_descriptor *d, ck_view tag)
{
    ck_view rest, name = d->image_name;
    if (ck_view_eq(d->ref_name, tag) || ck_reference_same(d->ref_name, tag))
        return true;
    if (name.n == 0)
        return false;
    /* io.containerd.image.name is a whole reference: "docker.io/library/x:TAG" */
    if (ck_reference_same(name, tag))
        return true;
    while (ck_view_find(name, ':') < name.n) {
        ck_view_split(name, ':', &rest);
        name = rest;
    }
    return name.n != d->image_name.n && ck_view_eq(name, tag);
}

static ck_err *nth(const struct ck_index_doc *ix, ck_view at, const struct ck_descriptor **ret)
{
    uint64_t n = 0;
    if (!ck_reference_index(at, &n) || n >= ix->n)
        return ck_err_new(CK_ERR_UNAVAILABLE, "the layout has %zu images, none at \"%.*s\"", ix->n,
                          CK_VF(at));
    *ret = &ix->manifests[n];
    return NULL;
}

/* The names that a layout offers, for an error. */
static const char *names_of(struct ck_source *s, const struct ck_index_doc *ix)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < ix->n && b.n < 512; i++)
        if (ix->manifests[i].ref_name.n)
            ck_buf_format(&b, "%s%.*s", b.n ? ", " : "", CK_VF(ix->manifests[i].ref_name));
    return b.n ? ck_arena_format(&s->arena, "%.*s", CK_VF(ck_buf_view(&b))) : "no names";
}

/* index.json lists images by name; without a name there must be one, or one a platform. */
static ck_err *choose_named(struct ck_source *s, const struct ck_index_doc *ix, ck_view tag,
                            const struct ck_descriptor **ret)
{
    if (tag.n && tag.p[0] == '@')
        return nth(ix, tag, ret);
    const struct ck_descriptor *hit = NULL;
    size_t hits = 0;
    for (size_t i = 0; i < ix->n; i++) {
        const struct ck_descriptor *d = &ix->manifests[i];
        if (d->attestation || (tag.n && !named(d, tag)))
            continue;
        if (!hit || !ck_digest_eq(&hit->digest, &d->digest))
            hits++;
        hit = hit ? hit : d;
    }
    if (hits == 1)
        *ret = hit;
    else if (hits == 0)
        return ck_err_new(CK_ERR_UNAVAILABLE, "the layout has no image%s%.*s (it has: %s)",
                          tag.n ? " named " : "", CK_VF(tag), names_of(s, ix));
    else
        *ret = NULL; /* several: they may be one a platform */
    return NULL;
}

static const char *platforms_of(struct ck_source *s, const struct ck_index_doc *ix,
                                const struct ck_descriptor *except)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < ix->n && b.n < 4096; i++) {
        const struct ck_descriptor *d = &ix->manifests[i];
        if (!d->attestation && d->platform.os.n && !(except && d == except))
            ck_buf_format(&b, "%s%s", b.n ? ", " : "", ck_platform_text(&d->platform, &s->arena));
    }
    return ck_arena_format(&s->arena, "%.*s", CK_VF(ck_buf_view(&b)));
}

static ck_err *several(struct ck_source *s, const struct ck_index_doc *ix)
{
    return ck_err_new(CK_ERR_UNAVAILABLE, "the layout has several images; name one of: %s",
                      names_of(s, ix));
}

static ck_err *choose_platform(struct ck_source *s, const struct ck_index_doc *ix, ck_view tag,
                               const struct ck_descriptor **ret)
{
    const struct ck_descriptor *best = NULL, *bare = NULL, *rival = NULL;
    int score = 0;
    size_t candidates = 0, bares = 0;
    for (size_t i = 0; i < ix->n; i++) {
        const struct ck_descriptor *d = &ix->manifests[i];
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): decoded with all its entries */
        if (d->attestation || (tag.n && !named(d, tag)))
            continue;
        candidates++;
        int now = d->platform.os.n ? ck_platform_match(&s->want, &d->platform) : 0;
        if (!d->platform.os.n) {
            bares++;
            bare = d;
        }
        if (now > score) {
            score = now;
            best = d;
            rival = NULL;
        } else if (now == score && best && !ck_digest_eq(&d->digest, &best->digest)) {
            rival = d;
        }
    }
    if (!best && bares > 1 && ix->manifests[0].ref_name.n)
        return several(s, ix);
    if (rival && !ck_view_eq(rival->ref_name, best->ref_name))
        return several(s, ix);
    if (!best && bares == 1) /* no platform is named: what is below may name it */
        best = bare;
    if (!best)
        return ck_err_new(CK_ERR_UNAVAILABLE,
                          candidates ? "no image for %s; the index offers: %s (choose with "
                                       "--platform)"
                                     : "no image for %s: the index offers no platform%s",
                          ck_platform_text(&s->want, &s->arena), platforms_of(s, ix, NULL));
    s->image.platforms = ck_view_str(platforms_of(s, ix, best));
    *ret = best;
    return NULL;
}

static ck_err *kind_of(struct ck_source *s, const struct ck_descriptor *d,
                       enum ck_document_kind *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view name = ck_blob_name(s, &d->digest), bytes;
    CK_TRY(ck_source_document(s, name, d, &json));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_KIND, d->media_type, ck_buf_view(&json), &bytes),
                "\"%.*s\"", CK_VF(name));
    if (bytes.n != 1 || bytes.p[0] > CK_DOC_MANIFEST)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: document kind");
    *ret = (enum ck_document_kind)bytes.p[0];
    return NULL;
}

/* Down through indexes until a manifest stands there. */
static ck_err *descend(struct ck_source *s, const struct ck_descriptor *d,
                       const struct ck_descriptor **ret)
{
    for (unsigned level = 0; level <= CK_MAX_INDEX_NESTING; level++) {
        enum ck_document_kind kind = CK_DOC_MANIFEST;
        struct ck_index_doc ix = { 0 };
        CK_TRY(kind_of(s, d, &kind));
        if (kind == CK_DOC_MANIFEST) {
            *ret = d;
            return NULL;
        }
        if (level == 0) {
            s->image.has_index = true;
            /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): callers have chosen one */
            s->image.index = *d;
        }
        CK_TRY(read_index(s, ck_blob_name(s, &d->digest), d, d->media_type, &ix));
        CK_TRY(choose_platform(s, &ix, (ck_view){ 0 }, &d));
    }
    return ck_err_limit(CK_LIMIT_INDEX_NESTING, "an index in an index");
}

/* --- from a manifest to the image ------------------------------------------------------------- */

void ck_image_history(struct ck_image *image)
{
    const struct ck_config_doc *c = &image->config;
    size_t layer = 0;
    for (size_t i = 0; i < image->n_layers; i++)
        image->layers[i].history = SIZE_MAX; /* stays so where the history was of no use */
    for (size_t i = 0; i < c->n_history && layer < image->n_layers; i++)
        if (!c->history[i].empty_layer)
            image->layers[layer++].history = i;
}

static ck_err *check_blob_size(const struct ck_layer_desc *l)
{
    return l->d.size <= CK_MAX_LAYER_BLOB
               ? NULL
               : ck_err_limit(CK_LIMIT_LAYER_BLOB, "a blob of %llu bytes",
                              (unsigned long long)l->d.size);
}

static ck_err *locate(struct ck_source *s, const struct ck_layer_desc *l,
                      struct ck_image_layer *ret)
{
    struct ck_found f;
    bool found = false;
    ck_view name = ck_blob_name(s, &l->d.digest);
    CK_TRY(ck_view_find_blob(s, name, &f, &found));
    ret->absent = s->remote && (!found || s->options.refetch);
    ret->missing = !found && !ret->absent;
    if (found && ret->absent && f.close)
        close(f.fd);
    if (!found || ret->absent)
        return check_blob_size(l);
    ret->fd = f.slice.pipe ? -1 : f.close ? f.fd : dup(f.fd);
    ret->where = f.slice;
    if (f.slice.length != l->d.size)
        return ck_err_new(CK_ERR_HOSTILE,
                          "the blob has %llu bytes, its descriptor says %llu "
                          "(OCI image-spec, descriptor, size)",
                          (unsigned long long)f.slice.length, (unsigned long long)l->d.size);
    return check_blob_size(l);
}

static ck_err *take_layers(struct ck_source *s, const struct ck_manifest_doc *m)
{
    struct ck_image *image = &s->image;
    CK_TRY(ck_image_layers_fit(&image->config, m->n));
    image->layers = ck_arena_alloc(&s->arena, m->n + 1, sizeof *image->layers);
    for (size_t i = 0; i < m->n; i++) {
        struct ck_image_layer *l = &image->layers[i];
        *l = (struct ck_image_layer){
            .has_digest = true,
            .digest = m->layers[i].d.digest,
            .diff_id = image->config.diff_ids[i],
            .media_type = m->layers[i].d.media_type,
            .compression = m->layers[i].compression,
            .size = m->layers[i].d.size,
            .fd = -1,
            .arrival = SIZE_MAX,
        };
        image->n_layers = i + 1;
        CK_TRY_WRAP(locate(s, &m->layers[i], l), "layer %zu", i + 1);
    }
    ck_image_history(image);
    return NULL;
}

static ck_err *read_config(struct ck_source *s, const struct ck_descriptor *d)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    s->image.config_digest = d->digest;
    s->image.config_descriptor = *d;
    CK_TRY(ck_source_document(s, ck_blob_name(s, &d->digest), d, &json));
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_CONFIG, d->media_type, ck_buf_view(&json), &bytes));
    return ck_config_doc_decode(bytes, &s->arena, &s->image.config);
}

/* The budget for the whole image, from the manifest: before anything else is fetched. */
static ck_err *check_total(const struct ck_source *s, const struct ck_manifest_doc *m)
{
    uint64_t max = s->options.max_size ? s->options.max_size : CK_MAX_IMAGE_SIZE, total = 0;
    for (size_t i = 0; i < m->n && total <= max; i++)
        total += m->layers[i].d.size; /* each at most 2^53, at most LAYERS of them */
    if (total <= max)
        return NULL;
    if (s->options.max_size)
        return ck_err_new(CK_ERR_LIMIT, "the image's layers have more than the %llu bytes of "
                                        "--max-size",
                          (unsigned long long)max);
    return ck_err_limit(CK_LIMIT_IMAGE_SIZE, "the image's layers have too many bytes");
}

ck_err *ck_image_of_manifest(struct ck_source *s, const struct ck_descriptor *d)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    struct ck_manifest_doc m;
    CK_TRY_WRAP(ck_source_document(s, ck_blob_name(s, &d->digest), d, &json), "manifest");
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_MANIFEST, d->media_type, ck_buf_view(&json),
                                 &bytes),
                "manifest");
    CK_TRY(ck_manifest_doc_decode(bytes, &s->arena, &m));
    s->image.digest = d->digest;
    s->image.has_digest = true;
    s->image.media_type = d->media_type.n ? d->media_type : m.media_type;
    s->image.manifest_size = d->size;
    CK_TRY(check_total(s, &m));
    CK_TRY_WRAP(read_config(s, &m.config), "config");
    return take_layers(s, &m);
}

static ck_err *check_asked_platform(struct ck_source *s)
{
    const struct ck_platform *have = &s->image.config.platform;
    if (!s->options.platform_asked || ck_platform_match(&s->want, have) > 0)
        return NULL;
    return ck_err_new(CK_ERR_UNAVAILABLE, "the image is for %s, not for %s (--platform)",
                      ck_platform_text(have, &s->arena), ck_platform_text(&s->want, &s->arena));
}

ck_err *ck_image_of(struct ck_source *s, const struct ck_descriptor *d)
{
    CK_TRY(descend(s, d, &d));
    CK_TRY(ck_image_of_manifest(s, d));
    return check_asked_platform(s);
}

ck_err *ck_index_of(struct ck_source *s, const struct ck_descriptor *d, bool *ret_index)
{
    enum ck_document_kind kind = CK_DOC_MANIFEST;
    CK_TRY(kind_of(s, d, &kind));
    *ret_index = kind == CK_DOC_INDEX;
    if (kind != CK_DOC_INDEX)
        return NULL;
    s->image.has_index = true;
    s->image.index = *d;
    return read_index(s, ck_blob_name(s, &d->digest), d, d->media_type, &s->image.children);
}

ck_err *ck_open_layout(struct ck_source *s, const struct ck_reference *ref)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view nothing;
    struct ck_index_doc ix = { 0 };
    const struct ck_descriptor *d = NULL;
    CK_TRY(ck_source_document(s, CK_V("oci-layout"), NULL, &json));
    CK_TRY_WRAP(
        ck_source_decode(s, CK_DOCUMENT_LAYOUT, (ck_view){ 0 }, ck_buf_view(&json), &nothing),
        "\"oci-layout\"");
    CK_TRY(read_index(s, CK_V("index.json"), NULL, (ck_view){ 0 }, &ix));
    CK_TRY(choose_named(s, &ix, ref->name, &d));
    if (!d)
        CK_TRY(choose_platform(s, &ix, ref->name, &d));
    return ck_image_of(s, d);
}
