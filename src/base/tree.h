/* Directories by descriptor. No link in them is ever followed. */
#ifndef CK_BASE_TREE_H
#define CK_BASE_TREE_H

#include "base/err.h"

/* Removes `name` in the directory `dir`, with all below it; that it is not there is no error.
 * `name` is one component. Class OURS; errno is kept. */
CK_MUST ck_err *ck_tree_remove(int dir, const char *name);

/* The same where directories may not be writable (0555): they are made so first. Not for rooms,
 * which may not change modes by name. */
CK_MUST ck_err *ck_tree_remove_force(int dir, const char *name);

/* Calls `each` for every name in the directory but "." and "..", in no order; `each` may remove the
 * name. */
CK_MUST ck_err *ck_tree_each(int dir, ck_err *(*each)(void *ctx, int dir, const char *name),
                             void *ctx);

#endif
