/* The document room: index, manifest and config of an image, one JSON document a job. */
#include "image/engine.h"
#include "image/image.h"
#include "room/input.h"
#include "room/rooms.h"

static ck_err *decode(const struct ck_job_document *j, ck_view json, struct ck_arena *a,
                      struct ck_buf *out)
{
    switch (j->what) {
    case CK_DOCUMENT_LAYOUT:
        return ck_image_layout(json);
    case CK_DOCUMENT_KIND: {
        enum ck_document_kind kind;
        CK_TRY(ck_image_document_kind(json, j->declared, &kind));
        ck_put_u8(out, (uint8_t)kind);
        return NULL;
    }
    case CK_DOCUMENT_ANNOTATIONS: {
        struct ck_annotations d;
        CK_TRY(ck_image_annotations(json, a, &d));
        ck_annotations_encode(&d, out);
        return NULL;
    }
    case CK_DOCUMENT_INDEX: {
        struct ck_index_doc d;
        CK_TRY(ck_image_index(json, j->declared, a, &d));
        ck_index_doc_encode(&d, out);
        return NULL;
    }
    case CK_DOCUMENT_MANIFEST: {
        struct ck_manifest_doc d;
        CK_TRY(ck_image_manifest(json, j->declared, a, &d));
        ck_manifest_doc_encode(&d, out);
        return NULL;
    }
    case CK_DOCUMENT_ARTIFACT: {
        struct ck_artifact_doc d;
        CK_TRY(ck_image_artifact(json, j->declared, a, &d));
        ck_artifact_doc_encode(&d, out);
        return NULL;
    }
    case CK_DOCUMENT_CONFIG: {
        struct ck_config_doc d;
        CK_TRY(ck_image_config(json, a, &d));
        ck_config_doc_encode(&d, out);
        return NULL;
    }
    case CK_DOCUMENT_DOCKER: {
        struct ck_docker_doc d;
        CK_TRY(ck_image_docker_manifest(json, a, &d));
        ck_docker_doc_encode(&d, out);
        return NULL;
    }
    case CK_DOCUMENT_ENGINE_IMAGE: {
        struct ck_engine_image m;
        CK_TRY(ck_engine_image(json, a, &m));
        ck_engine_image_encode(&m, out);
        return NULL;
    }
    case CK_DOCUMENT_ENGINE_ERROR: {
        ck_view text;
        CK_TRY(ck_engine_error(json, a, &text));
        ck_put_bytes(out, text);
        return NULL;
    }
    case CK_DOCUMENT_COUNT_:
        break;
    }
    return ck_err_new(CK_ERR_OURS, "no such document");
}

ck_err *ck_room_document(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)state;
    (void)out;
    struct ck_job_document j;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_autobuf struct ck_buf result = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(ck_job_document_decode(job, &j));
    CK_TRY(ck_input_all(in, &json));
    CK_TRY(decode(&j, ck_buf_view(&json), &a, &result));
    return ck_room_send(ch, ck_buf_view(&result));
}
