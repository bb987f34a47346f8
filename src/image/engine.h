/* What a container engine (dockerd, podman's service) answers about images. The decoders run in the
 * document room.
 */
#ifndef CK_IMAGE_ENGINE_H
#define CK_IMAGE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "image/digest.h"

struct ck_engine_image {
    struct ck_digest id; /* of the config, or (containerd's image store) of the manifest */
    struct ck_digest *diff_ids;
    size_t n;
};

/* GET /images/NAME/json (Docker Engine API, ImageInspect): Id and RootFS.Layers. At most LAYERS. */
CK_MUST ck_err *ck_engine_image(ck_view json, struct ck_arena *a, struct ck_engine_image *ret);
void ck_engine_image_encode(const struct ck_engine_image *m, struct ck_buf *out);
CK_MUST ck_err *ck_engine_image_decode(ck_view bytes, struct ck_arena *a,
                                       struct ck_engine_image *ret);

/* POST /images/load (ImageLoad): JSON messages, one a line. The first `error` in them, or empty; of
 * at most FIELD bytes. The status says 200 before anything is known, so this is where errors are.
 * */
CK_MUST ck_err *ck_engine_error(ck_view lines, struct ck_arena *a, ck_view *ret);

#endif
