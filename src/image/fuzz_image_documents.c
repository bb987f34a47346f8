/* Every JSON decoder on the same bytes; what one accepts must survive its own channel encoding. */
#include "image/image.h"

#include <stdlib.h>

static void must(ck_err *e)
{
    if (e)
        abort();
}

static void round_trip_index(const struct ck_index_doc *d, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_index_doc again;
    ck_index_doc_encode(d, &b);
    must(ck_index_doc_decode(ck_buf_view(&b), a, &again));
}

static void round_trip_manifest(const struct ck_manifest_doc *d, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_manifest_doc again;
    ck_manifest_doc_encode(d, &b);
    must(ck_manifest_doc_decode(ck_buf_view(&b), a, &again));
}

static void round_trip_artifact(const struct ck_artifact_doc *d, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_artifact_doc again;
    ck_artifact_doc_encode(d, &b);
    must(ck_artifact_doc_decode(ck_buf_view(&b), a, &again));
}

static void round_trip_config(const struct ck_config_doc *d, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_config_doc again;
    ck_config_doc_encode(d, &b);
    must(ck_config_doc_decode(ck_buf_view(&b), a, &again));
}

static void round_trip_docker(const struct ck_docker_doc *d, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_docker_doc again;
    ck_docker_doc_encode(d, &b);
    must(ck_docker_doc_decode(ck_buf_view(&b), a, &again));
}

static void round_trip_annotations(const struct ck_annotations *d, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_annotations again;
    ck_annotations_encode(d, &b);
    must(ck_annotations_decode(ck_buf_view(&b), a, &again));
}

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = ck_view_of(data, size), any = CK_V("");
    enum ck_document_kind kind = CK_DOC_INDEX;
    struct ck_index_doc index;
    struct ck_manifest_doc manifest;
    struct ck_artifact_doc artifact;
    struct ck_config_doc config;
    struct ck_docker_doc docker;
    struct ck_annotations annotations;
    if (accepts(ck_image_annotations(v, &a, &annotations)))
        round_trip_annotations(&annotations, &a);
    bool has_kind = accepts(ck_image_document_kind(v, any, &kind));
    if (accepts(ck_image_index(v, any, &a, &index))) {
        if (!has_kind || kind != CK_DOC_INDEX)
            abort();
        round_trip_index(&index, &a);
    }
    bool is_artifact = accepts(ck_image_artifact(v, any, &a, &artifact));
    if (is_artifact) {
        if (!has_kind || kind != CK_DOC_MANIFEST)
            abort();
        round_trip_artifact(&artifact, &a);
    }
    /* an image's manifest is just an artifact's that says so of itself */
    bool is_image = accepts(ck_image_manifest(v, any, &a, &manifest));
    if (is_image && !has_kind)
        abort();
    if (is_image)
        round_trip_manifest(&manifest, &a);
    if (is_artifact && is_image != ck_artifact_is_image(&artifact))
        abort();
    if (accepts(ck_image_config(v, &a, &config)))
        round_trip_config(&config, &a);
    if (accepts(ck_image_docker_manifest(v, &a, &docker)))
        round_trip_docker(&docker, &a);
    accepts(ck_image_layout(v));
    return 0;
}
