/* What a name in a layer may be, and how whiteouts are told (OCI image-spec v1.1, layer,
 * "Representing Changes" and "Whiteouts").
 */
#ifndef CK_LAYER_PATH_H
#define CK_LAYER_PATH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

/* Normalises an entry's name: no leading "/" or "./", no "." components, no doubled or trailing
 * slashes; the root is "". Refused: ".." components (CVE-2014-9356), NUL, PATH, PATH_DEPTH.
 * The result lives in `a` or in `name`. */
CK_MUST ck_err *ck_path_normalise(ck_view name, struct ck_arena *a, ck_view *ret);

enum ck_whiteout {
    CK_WHITEOUT_NONE,
    CK_WHITEOUT_FILE,   /* ".wh.NAME" hides NAME of lower layers; *ret_target is its path */
    CK_WHITEOUT_OPAQUE, /* ".wh..wh..opq" hides all lower children; *ret_target is the directory */
};
/* `path` is normalised. Refused: ".wh.", ".wh..", ".wh...", a whiteout of the root, a component
 * with the prefix that is not the last one, other ".wh..wh." names except ".wh..wh.aufs",
 * ".wh..wh.orph" and ".wh..wh.plnk" in the root, which are aufs bookkeeping and are ignored with
 * all below them (*ret_ignored). The target lives in `a` or in `path`. */
CK_MUST ck_err *ck_path_whiteout(ck_view path, struct ck_arena *a, enum ck_whiteout *ret,
                                 ck_view *ret_target, bool *ret_ignored);

/* The last component, and all before it without the slash ("" for the root). */
ck_view ck_path_base(ck_view path);
ck_view ck_path_parent(ck_view path);

#endif
