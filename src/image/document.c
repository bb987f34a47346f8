/* Index and manifest: OCI image-spec v1.1, image-index and manifest; Docker image manifest
 * version 2, schema 2.
 */
#include "image/image.h"
#include "image/values.h"

#include <stdlib.h>

static const uint64_t MAX_EXACT = 1ull << 53; /* what every JSON reader keeps exact */

static const char *const document_keys[] = {
    "schemaVersion", "mediaType",   "artifactType", "config",     "layers", "manifests",
    "subject",       "annotations", "fsLayers",     "signatures", "blobs",  NULL,
};
static const char *const descriptor_keys[] = {
    "mediaType", "digest", "size", "urls", "annotations", "data", "artifactType", "platform", NULL,
};
static const char *const platform_keys[] = {
    "architecture", "os", "os.version", "os.features", "variant", "features", NULL,
};

/* By what containerd, podman and CRI-O know a checkpoint; its further annotations are orders. */
static const char *const checkpoint_keys[] = {
    "org.criu.checkpoint.container.name",
    "io.podman.annotations.checkpoint.name",
    "io.kubernetes.cri-o.annotations.checkpoint.name",
    NULL,
};

ck_err *ck_descriptor_verify(const struct ck_descriptor *d, ck_view bytes)
{
    char want[CK_DIGEST_TEXT], have[CK_DIGEST_TEXT];
    struct ck_digest digest;
    if (bytes.n != d->size)
        return ck_err_new(CK_ERR_HOSTILE, "%s: has %zu bytes, its descriptor says %llu",
                          ck_digest_text(&d->digest, want), bytes.n, (unsigned long long)d->size);
    ck_hash_of(d->digest.alg, bytes, &digest);
    if (!ck_digest_eq(&digest, &d->digest))
        return ck_err_new(CK_ERR_HOSTILE, "%s: the bytes have the digest %s",
                          ck_digest_text(&d->digest, want), ck_digest_text(&digest, have));
    return NULL;
}

ck_err *ck_image_layers_fit(const struct ck_config_doc *c, size_t n_layers)
{
    if (c->n_diff_ids == n_layers)
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE,
                      "config: rootfs.diff_ids: has %zu entries, the manifest %zu layers "
                      "(OCI image-spec, config, rootfs)", c->n_diff_ids, n_layers);
}

static ck_err *read_media_type(const struct ck_json *j, struct ck_arena *a, ck_view *ret)
{
    CK_TRY(ck_json_string(j, CK_LIMIT_REFERENCE, a, ret));
    return ck_json_judge(j, ck_bad_media_type(*ret));
}

static ck_err *read_platform(const struct ck_json *j, struct ck_arena *a, struct ck_platform *ret)
{
    if (!j->v)
        return NULL;
    CK_TRY(ck_json_object(j, platform_keys));
    CK_TRY(ck_json_platform_word(j, "os", a, &ret->os));
    CK_TRY(ck_json_platform_word(j, "architecture", a, &ret->architecture));
    CK_TRY(ck_json_platform_word(j, "variant", a, &ret->variant));
    struct ck_json version = ck_json_member(j, "os.version");
    return ck_json_string_opt(&version, CK_LIMIT_REFERENCE, a, &ret->os_version);
}

static ck_err *read_annotation(const struct ck_json *map, const char *key, struct ck_arena *a,
                               ck_view *ret)
{
    struct ck_json v = ck_json_member(map, key);
    return ck_json_string_opt(&v, CK_LIMIT_REFERENCE, a, ret);
}

static ck_err *refuse_checkpoint(const struct ck_json *annotations)
{
    for (const char *const *k = checkpoint_keys; *k; k++)
        if (ck_json_has(annotations, *k))
            return ck_json_refuse(annotations, CK_ERR_HOSTILE,
                                  "%s: a checkpoint is restored by the runtime, not run "
                                  "(CVE-2026-50195)", *k);
    return NULL;
}

static ck_err *read_annotations(const struct ck_json *j, struct ck_arena *a,
                                struct ck_descriptor *d)
{
    ck_view title;
    struct ck_json map = ck_json_member(j, "annotations");
    CK_TRY(ck_json_map(&map));
    CK_TRY(refuse_checkpoint(&map));
    CK_TRY(read_annotation(&map, "org.opencontainers.image.ref.name", a, &d->ref_name));
    CK_TRY(read_annotation(&map, "io.containerd.image.name", a, &d->image_name));
    CK_TRY(read_annotation(&map, "org.opencontainers.image.title", a, &title));
    struct ck_json place = ck_json_member(&map, "org.opencontainers.image.title");
    CK_TRY(ck_json_judge(&place, ck_bad_title(title)));

    d->attestation = ck_platform_unknown(&d->platform);
    place = ck_json_member(&map, "vnd.docker.reference.type");
    if (place.v && !d->attestation)
        return ck_json_refuse(&place, CK_ERR_HOSTILE,
                              "an attestation must have the platform unknown/unknown; runtimes "
                              "would run this one");
    return NULL;
}

static ck_err *read_size(const struct ck_json *j, struct ck_descriptor *d)
{
    enum ck_compression unused;
    enum ck_limit limit = ck_media_size_limit(ck_media_find(d->media_type, &unused));
    CK_TRY(ck_json_u64(j, MAX_EXACT, &d->size));
    if (d->size <= ck_limit_value(limit))
        return NULL;
    return ck_json_wrap(j, ck_err_limit(limit, "%llu bytes", (unsigned long long)d->size));
}

static ck_err *read_descriptor(const struct ck_json *j, struct ck_arena *a,
                               struct ck_descriptor *ret)
{
    struct ck_descriptor d = { 0 };
    CK_TRY(ck_json_object(j, descriptor_keys));
    struct ck_json type = ck_json_member(j, "mediaType"), digest = ck_json_member(j, "digest"),
                   size = ck_json_member(j, "size"), platform = ck_json_member(j, "platform");
    CK_TRY(read_media_type(&type, a, &d.media_type));
    CK_TRY(ck_json_digest(&digest, a, &d.digest));
    CK_TRY(read_size(&size, &d));
    CK_TRY(read_platform(&platform, a, &d.platform));
    CK_TRY(read_annotations(j, a, &d));
    *ret = d;
    return NULL;
}

/* What the shape says: which members stand in the document. */
static ck_err *kind_by_shape(const struct ck_json *top, enum ck_document_kind *ret)
{
    bool index = ck_json_has(top, "manifests");
    bool manifest = ck_json_has(top, "layers") || ck_json_has(top, "config");
    if (index && manifest)
        return ck_json_refuse(top, CK_ERR_HOSTILE,
                              "has both manifests and layers or config: readers differ in what "
                              "it is (CVE-2021-41190)");
    if (!index && !manifest)
        return ck_json_refuse(top, CK_ERR_HOSTILE, "has neither manifests nor layers");
    *ret = index ? CK_DOC_INDEX : CK_DOC_MANIFEST;
    return NULL;
}

/* schemaVersion 2, and nothing of the older or withdrawn formats. */
static ck_err *check_generation(const struct ck_json *top)
{
    uint64_t version;
    struct ck_json v = ck_json_member(top, "schemaVersion");
    CK_TRY(ck_json_u64(&v, MAX_EXACT, &version));
    if (version == 1 || ck_json_has(top, "fsLayers") || ck_json_has(top, "signatures"))
        return ck_json_refuse(top, CK_ERR_HOSTILE,
                              "is a Docker schema 1 manifest, whose layers no config digest binds");
    if (version != 2)
        return ck_json_refuse(&v, CK_ERR_HOSTILE, "must be 2");
    if (ck_json_has(top, "blobs"))
        return ck_json_refuse(top, CK_ERR_UNAVAILABLE, "is an OCI artifact manifest, not an image");
    return NULL;
}

/* A media type that should be of an index or a manifest. */
static ck_err *kind_by_type(const struct ck_json *at, ck_view type, enum ck_document_kind *ret)
{
    enum ck_compression unused;
    switch (ck_media_find(type, &unused)) {
    case CK_MEDIA_INDEX:
        *ret = CK_DOC_INDEX;
        return NULL;
    case CK_MEDIA_MANIFEST:
        *ret = CK_DOC_MANIFEST;
        return NULL;
    case CK_MEDIA_SCHEMA1:
        return ck_json_refuse(at, CK_ERR_HOSTILE, "%.*s is Docker schema 1, which no digest binds",
                              CK_VF(type));
    case CK_MEDIA_CONFIG:
    case CK_MEDIA_LAYER:
        return ck_json_refuse(at, CK_ERR_HOSTILE, "%.*s is no index or manifest", CK_VF(type));
    case CK_MEDIA_OTHER:
    case CK_MEDIA_ARTIFACT:
        break;
    }
    return ck_json_refuse(at, CK_ERR_UNAVAILABLE, "%.*s is an artifact, not an image", CK_VF(type));
}

/* The media type stands up to four times: in the descriptor, the body, and twice as the shape. */
static ck_err *check_kind(const struct ck_json *top, ck_view declared, struct ck_arena *a,
                          ck_view *ret_type, enum ck_document_kind *ret)
{
    enum ck_document_kind shape = CK_DOC_INDEX, said = CK_DOC_INDEX;
    struct ck_json type = ck_json_member(top, "mediaType"),
                   annotations = ck_json_member(top, "annotations");
    ck_view own;
    CK_TRY(ck_json_object(top, document_keys));
    CK_TRY(ck_json_map(&annotations));
    CK_TRY(refuse_checkpoint(&annotations));
    if (declared.n)
        CK_TRY(kind_by_type(top, declared, &said));
    CK_TRY(check_generation(top));
    CK_TRY(kind_by_shape(top, &shape));
    if (declared.n && said != shape)
        return ck_json_refuse(top, CK_ERR_HOSTILE, "is no %.*s, which its descriptor says",
                              CK_VF(declared));
    CK_TRY(ck_json_string_opt(&type, CK_LIMIT_REFERENCE, a, &own));
    if (type.v) {
        CK_TRY(kind_by_type(&type, own, &said));
        if (said != shape)
            return ck_json_refuse(&type, CK_ERR_HOSTILE, "%.*s contradicts the members of the "
                                  "document", CK_VF(own));
        if (declared.n && !ck_view_eq(own, declared))
            return ck_json_refuse(&type, CK_ERR_HOSTILE, "is %.*s, but the descriptor says %.*s",
                                  CK_VF(own), CK_VF(declared));
    }
    *ret_type = type.v ? own : ck_arena_dup(a, declared);
    *ret = shape;
    return NULL;
}

ck_err *ck_image_document_kind(ck_view json, ck_view declared, enum ck_document_kind *ret)
{
    ck_autojson struct ck_json top = { 0 };
    ck_autoarena struct ck_arena scratch = { 0 };
    ck_view type;
    CK_TRY(ck_json_load(json, "document", &top));
    return check_kind(&top, declared, &scratch, &type, ret);
}

/* Where neither the body nor a descriptor says it: the type whose members these are. */
static ck_view type_or(ck_view type, const char *otherwise)
{
    return type.n ? type : ck_view_str(otherwise);
}

/* Where there is none, ret_has stays false. */
static ck_err *read_subject(const struct ck_json *top, struct ck_arena *a, bool *ret_has,
                            struct ck_descriptor *ret)
{
    struct ck_json j = ck_json_member(top, "subject");
    if (!j.v)
        return NULL;
    CK_TRY(read_descriptor(&j, a, ret));
    *ret_has = true;
    return NULL;
}

static ck_err *read_index(const struct ck_json *top, struct ck_arena *a, struct ck_index_doc *d)
{
    struct ck_json list = ck_json_member(top, "manifests"),
                   type = ck_json_member(top, "artifactType");
    CK_TRY(ck_json_string_opt(&type, CK_LIMIT_REFERENCE, a, &d->artifact_type));
    if (d->artifact_type.n)
        CK_TRY(ck_json_judge(&type, ck_bad_media_type(d->artifact_type)));
    CK_TRY(read_subject(top, a, &d->has_subject, &d->subject));
    CK_TRY(ck_json_array(&list, CK_LIMIT_MANIFESTS, &d->n));
    d->manifests = ck_arena_alloc(a, d->n, sizeof *d->manifests);
    for (size_t i = 0; i < d->n; i++) {
        struct ck_json item = ck_json_at(&list, i);
        CK_TRY(read_descriptor(&item, a, &d->manifests[i]));
    }
    return NULL;
}

ck_err *ck_image_index(ck_view json, ck_view declared, struct ck_arena *a, struct ck_index_doc *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_index_doc d = { 0 };
    enum ck_document_kind kind = CK_DOC_INDEX;
    CK_TRY(ck_json_load(json, "index", &top));
    CK_TRY(check_kind(&top, declared, a, &d.media_type, &kind));
    if (kind != CK_DOC_INDEX)
        return ck_json_refuse(&top, CK_ERR_HOSTILE, "is a manifest");
    d.media_type = type_or(d.media_type, "application/vnd.oci.image.index.v1+json");
    CK_TRY(read_index(&top, a, &d));
    *ret = d;
    return NULL;
}

static ck_err *read_config_descriptor(const struct ck_json *top, struct ck_arena *a,
                                      struct ck_descriptor *ret)
{
    struct ck_json j = ck_json_member(top, "config"), type = ck_json_member(&j, "mediaType");
    enum ck_compression unused;
    CK_TRY(read_descriptor(&j, a, ret));
    if (ck_media_find(ret->media_type, &unused) != CK_MEDIA_CONFIG)
        return ck_json_refuse(&type, CK_ERR_UNAVAILABLE,
                              "%.*s makes this an artifact, not an image",
                              CK_VF(ret->media_type));
    return NULL;
}

static ck_err *read_layer(const struct ck_json *j, struct ck_arena *a, struct ck_layer_desc *ret)
{
    struct ck_json type = ck_json_member(j, "mediaType");
    CK_TRY(read_descriptor(j, a, &ret->d));
    if (ck_media_find(ret->d.media_type, &ret->compression) != CK_MEDIA_LAYER)
        return ck_json_refuse(&type, CK_ERR_HOSTILE, "%.*s is not an image layer",
                              CK_VF(ret->d.media_type));
    return NULL;
}

static ck_err *read_manifest(const struct ck_json *top, struct ck_arena *a,
                             struct ck_manifest_doc *d)
{
    struct ck_json list = ck_json_member(top, "layers");
    CK_TRY(read_config_descriptor(top, a, &d->config));
    CK_TRY(ck_json_array(&list, CK_LIMIT_LAYERS, &d->n));
    d->layers = ck_arena_alloc(a, d->n, sizeof *d->layers);
    for (size_t i = 0; i < d->n; i++) {
        struct ck_json item = ck_json_at(&list, i);
        CK_TRY(read_layer(&item, a, &d->layers[i]));
    }
    return NULL;
}

ck_err *ck_image_manifest(ck_view json, ck_view declared, struct ck_arena *a,
                          struct ck_manifest_doc *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_manifest_doc d = { 0 };
    enum ck_document_kind kind = CK_DOC_INDEX;
    CK_TRY(ck_json_load(json, "manifest", &top));
    CK_TRY(check_kind(&top, declared, a, &d.media_type, &kind));
    if (kind != CK_DOC_MANIFEST)
        return ck_json_refuse(&top, CK_ERR_HOSTILE, "is an index");
    d.media_type = type_or(d.media_type, "application/vnd.oci.image.manifest.v1+json");
    CK_TRY(read_manifest(&top, a, &d));
    *ret = d;
    return NULL;
}

static ck_err *read_artifact(const struct ck_json *top, struct ck_arena *a,
                             struct ck_artifact_doc *d)
{
    struct ck_json config = ck_json_member(top, "config"), list = ck_json_member(top, "layers"),
                   type = ck_json_member(top, "artifactType");
    CK_TRY(read_descriptor(&config, a, &d->config));
    CK_TRY(read_subject(top, a, &d->has_subject, &d->subject));
    d->artifact_type = d->config.media_type;
    if (type.v)
        CK_TRY(read_media_type(&type, a, &d->artifact_type));
    CK_TRY(ck_json_array(&list, CK_LIMIT_LAYERS, &d->n));
    d->layers = ck_arena_alloc(a, d->n, sizeof *d->layers);
    for (size_t i = 0; i < d->n; i++) {
        struct ck_json item = ck_json_at(&list, i);
        CK_TRY(read_descriptor(&item, a, &d->layers[i]));
    }
    return NULL;
}

ck_err *ck_image_artifact(ck_view json, ck_view declared, struct ck_arena *a,
                          struct ck_artifact_doc *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_artifact_doc d = { 0 };
    enum ck_document_kind kind = CK_DOC_INDEX;
    CK_TRY(ck_json_load(json, "manifest", &top));
    CK_TRY(check_kind(&top, declared, a, &d.media_type, &kind));
    if (kind != CK_DOC_MANIFEST)
        return ck_json_refuse(&top, CK_ERR_HOSTILE, "is an index");
    d.media_type = type_or(d.media_type, "application/vnd.oci.image.manifest.v1+json");
    CK_TRY(read_artifact(&top, a, &d));
    *ret = d;
    return NULL;
}

static int by_key(const void *x, const void *y)
{
    const struct ck_config_pair *a = x, *b = y;
    return ck_view_cmp(a->key, b->key);
}

ck_err *ck_image_annotations(ck_view json, struct ck_arena *a, struct ck_annotations *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_annotations d = { 0 };
    enum ck_document_kind kind;
    ck_view type;
    const char *key;
    json_t *unused;
    CK_TRY(ck_json_load(json, "document", &top));
    CK_TRY(check_kind(&top, CK_V(""), a, &type, &kind));
    struct ck_json map = ck_json_member(&top, "annotations");
    d.v = ck_arena_alloc(a, json_object_size(map.v), sizeof *d.v);
    json_object_foreach(map.v, key, unused) {
        struct ck_json item = ck_json_member(&map, key);
        ck_view name = ck_view_str(key);
        if (name.n > CK_MAX_STRING)
            return ck_json_wrap(&map, ck_err_limit(CK_LIMIT_STRING, "a key of %zu bytes", name.n));
        d.v[d.n].key = ck_arena_dup(a, name);
        CK_TRY(ck_json_string(&item, CK_LIMIT_STRING, a, &d.v[d.n++].value));
    }
    if (d.n)
        qsort(d.v, d.n, sizeof *d.v, by_key);
    *ret = d;
    return NULL;
}

bool ck_artifact_is_image(const struct ck_artifact_doc *d)
{
    enum ck_compression unused;
    if (ck_media_find(d->config.media_type, &unused) != CK_MEDIA_CONFIG)
        return false;
    for (size_t i = 0; i < d->n; i++)
        if (ck_media_find(d->layers[i].media_type, &unused) != CK_MEDIA_LAYER)
            return false;
    return true;
}
