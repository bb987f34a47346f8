#include "source/others.h"

#include "source/source_int.h"

#include <fcntl.h>

static ck_err *read_layout(struct ck_source *s, const char *dir, struct ck_buf *json, ck_view *ret)
{
    ck_autobuf struct ck_buf mark = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view nothing;
    s->view.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->view.dir < 0)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "%s", dir);
    CK_TRY(ck_source_document(s, CK_V("oci-layout"), NULL, &mark));
    CK_TRY_WRAP(
        ck_source_decode(s, CK_DOCUMENT_LAYOUT, (ck_view){ 0 }, ck_buf_view(&mark), &nothing),
        "\"oci-layout\"");
    CK_TRY(ck_source_document(s, CK_V("index.json"), NULL, json));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_INDEX, (ck_view){ 0 }, ck_buf_view(json), ret),
                "\"index.json\"");
    return NULL;
}

ck_err *ck_layout_read(const char *dir, bool no_sandbox, struct ck_arena *a, struct ck_buf *json,
                       struct ck_index_doc *ret)
{
    struct ck_source *s = NULL;
    ck_view bytes;
    ck_source_bare(no_sandbox, &s);
    ck_err *e = read_layout(s, dir, json, &bytes);
    if (!e)
        e = ck_index_doc_decode(ck_arena_dup(a, bytes), a, ret);
    ck_source_close(s);
    return e ? ck_err_wrap(e, "%s", dir) : NULL;
}

static ck_err *decode(ck_view json, enum ck_document what, bool no_sandbox, struct ck_arena *a,
                      ck_view *ret)
{
    struct ck_source *s = NULL;
    ck_view bytes;
    ck_source_bare(no_sandbox, &s);
    ck_err *e = ck_source_decode(s, what, (ck_view){ 0 }, json, &bytes);
    if (!e)
        *ret = ck_arena_dup(a, bytes);
    ck_source_close(s);
    return e;
}

ck_err *ck_engine_image_read(ck_view json, bool no_sandbox, struct ck_arena *a,
                             struct ck_engine_image *ret)
{
    ck_view bytes;
    CK_TRY(decode(json, CK_DOCUMENT_ENGINE_IMAGE, no_sandbox, a, &bytes));
    return ck_engine_image_decode(bytes, a, ret);
}

ck_err *ck_engine_error_read(ck_view json, bool no_sandbox, struct ck_arena *a, ck_view *ret)
{
    ck_view bytes = { 0 };
    CK_TRY(decode(json, CK_DOCUMENT_ENGINE_ERROR, no_sandbox, a, &bytes));
    *ret = ck_view_head(bytes, CK_MAX_FIELD);
    return NULL;
}

void ck_documents_open(bool no_sandbox, struct ck_source **ret)
{
    ck_source_bare(no_sandbox, ret);
}

ck_err *ck_documents_read(struct ck_source *s, enum ck_document what, ck_view declared,
                          ck_view json, ck_view *ret)
{
    return ck_source_decode(s, what, declared, json, ret);
}
