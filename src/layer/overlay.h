/* The merged tree of an image, asked one path at a time; it is never built.
 *
 * Rules: OCI image-spec v1.1, layer, "Applying Changesets"; a non-directory over a directory hides
 * all below it, a directory over a non-directory replaces it, whiteouts and opaque marks hide
 * lower layers only.
 */
#ifndef CK_LAYER_OVERLAY_H
#define CK_LAYER_OVERLAY_H

#include "layer/index.h"

struct ck_overlay {
    const struct ck_index *layers; /* lowest first */
    size_t n;
};

struct ck_place {
    bool found;
    size_t layer;        /* the layer whose entry shows at this path */
    struct ck_node node; /* its path points into `space` */
    struct ck_index_space space;
};

/* What shows at exactly `path` in the merge of the layers 0 .. top-1, without following a link at
 * the end; every component before the last is followed (symlinks inside the tree only: absolute
 * ones start at the image's root, ".." stops there). Fails with SYMLINKS on a loop, with PATH or
 * PATH_DEPTH where links lead to longer paths. Not found is no error.
 *
 * A directory that no layer names, but that something stands in, shows as one of mode 0755 in the
 * lowest layer that implies it. What a layer puts below a path that is a symlink in a lower layer
 * makes that path a directory: links are not written through from layer to layer. */
CK_MUST ck_err *ck_overlay_lookup(const struct ck_overlay *o, size_t top, ck_view path,
                                  struct ck_place *ret);

/* As lookup, and follows symlinks and hard links at the end too: the place of the regular file (or
 * directory) itself. A hard link's target is looked up in the layers 0 .. its own. */
CK_MUST ck_err *ck_overlay_resolve(const struct ck_overlay *o, size_t top, ck_view path,
                                   struct ck_place *ret);

/* Calls `visit` for every name that shows in the directory `path` (resolved first), sorted by
 * name, once each, after whiteouts. Not found or no directory: no call. */
CK_MUST ck_err *ck_overlay_list(const struct ck_overlay *o, size_t top, ck_view path,
                                ck_err *(*visit)(void *ctx, const struct ck_place *place),
                                void *ctx);

#endif
