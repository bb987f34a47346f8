/* The tree that layers are unpacked into. Everything happens beneath one descriptor: parents are
 * opened with openat2(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), the last component is never
 * followed, and what stands there is removed before anything new is made.
 *
 * A parent may be a symlink of a lower layer, as container runtimes allow; where it leads out of
 * the tree (which includes absolute targets: RESOLVE_BENEATH does not know the tree's own root) the
 * layer is refused. A layer's entries below its own links are refused before it is written
 * (layer/index.h).
 *
 * Never made: devices, fifos; set user id, set group id (unless asked for), file capabilities and
 * other extended attributes; owners other than the caller. The sticky bit stays on directories
 * only. A link's own times are not kept: landlock does not guard times and modes by name, so the
 * room may set them on open files only.
 */
#ifndef CK_ROOM_UNPACK_TREE_H
#define CK_ROOM_UNPACK_TREE_H

#include "layer/index.h"
#include "layer/tar.h"
#include "room/unpack_jobs.h"

struct ck_unpack_tree;
struct ck_unpack_tree *ck_unpack_tree_new(bool setuid);
void ck_unpack_tree_free(struct ck_unpack_tree *t);
/* The root, for all that follows; stays the caller's. */
void ck_unpack_tree_at(struct ck_unpack_tree *t, int root);
const struct ck_unpacked *ck_unpack_tree_sum(const struct ck_unpack_tree *t);

/* What a layer says of the layers below it, before its entries are written: whiteouts and opaque
 * marks take away what is there, directories replace what is none. `layer` is the whole layer; it
 * must outlive the layer's entries. */
CK_MUST ck_err *ck_unpack_tree_layer(struct ck_unpack_tree *t, const struct ck_index *layer);

/* One entry of a layer that is no whiteout: its content in pieces, its end. `path` and `link` (of a
 * hard link) are normalised. Limits: UNPACK_TREE, UNPACK_ENTRIES, PATH_DEPTH (through links
 * too). */
CK_MUST ck_err *ck_unpack_tree_entry(struct ck_unpack_tree *t, const struct ck_tar_entry *e,
                                     ck_view path, ck_view link);
CK_MUST ck_err *ck_unpack_tree_data(struct ck_unpack_tree *t, ck_view piece);
CK_MUST ck_err *ck_unpack_tree_end(struct ck_unpack_tree *t);

/* After the last layer: modes and times of the directories. */
CK_MUST ck_err *ck_unpack_tree_seal(struct ck_unpack_tree *t);

#endif
