/* Documents of other programs, decoded in a room for those who hand images on.
 */
#ifndef CK_SOURCE_OTHERS_H
#define CK_SOURCE_OTHERS_H

#include "image/engine.h"
#include "image/image.h"
#include "room/jobs.h"

/* oci-layout and index.json of the layout `dir`; `json` gets the bytes of index.json. Views live in
 * `a`. */
CK_MUST ck_err *ck_layout_read(const char *dir, bool no_sandbox, struct ck_arena *a,
                               struct ck_buf *json, struct ck_index_doc *ret);

/* What a daemon answers to GET /images/NAME/json. Lives in `a`. */
CK_MUST ck_err *ck_engine_image_read(ck_view json, bool no_sandbox, struct ck_arena *a,
                                     struct ck_engine_image *ret);
/* What it answers to POST /images/load: the error in it, or empty. In `a`. */
CK_MUST ck_err *ck_engine_error_read(ck_view json, bool no_sandbox, struct ck_arena *a,
                                     ck_view *ret);

/* Documents that somebody has pushed. One room reads all of them until ck_source_close, so that it
 * should be one image's. *ret lives as long as the source. */
struct ck_source;
void ck_documents_open(bool no_sandbox, struct ck_source **ret);
CK_MUST ck_err *ck_documents_read(struct ck_source *s, enum ck_document what, ck_view declared,
                                  ck_view json, ck_view *ret);

#endif
