/* Every channel decoder on the same bytes; what it accepts has exactly this encoding. */
#include "image/image.h"

#include <stdlib.h>

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

static void must_equal(struct ck_buf *b, ck_view v)
{
    if (!ck_view_eq(ck_buf_view(b), v))
        abort();
    ck_buf_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = ck_view_of(data, size);
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_index_doc index;
    struct ck_manifest_doc manifest;
    struct ck_artifact_doc artifact;
    struct ck_config_doc config;
    struct ck_docker_doc docker;
    struct ck_annotations annotations;
    if (accepts(ck_index_doc_decode(v, &a, &index))) {
        ck_index_doc_encode(&index, &b);
        must_equal(&b, v);
    }
    if (accepts(ck_manifest_doc_decode(v, &a, &manifest))) {
        ck_manifest_doc_encode(&manifest, &b);
        must_equal(&b, v);
    }
    if (accepts(ck_artifact_doc_decode(v, &a, &artifact))) {
        ck_artifact_doc_encode(&artifact, &b);
        must_equal(&b, v);
    }
    if (accepts(ck_config_doc_decode(v, &a, &config))) {
        ck_config_doc_encode(&config, &b);
        must_equal(&b, v);
    }
    if (accepts(ck_docker_doc_decode(v, &a, &docker))) {
        ck_docker_doc_encode(&docker, &b);
        must_equal(&b, v);
    }
    if (accepts(ck_annotations_decode(v, &a, &annotations))) {
        ck_annotations_encode(&annotations, &b);
        must_equal(&b, v);
    }
    return 0;
}
