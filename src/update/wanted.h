/* Sources whose changelogs are wanted: those that some scanned image has in an outdated version. A
 * scan adds them, the next `db update` or `db build` reads their changelogs.
 */
#ifndef CK_UPDATE_WANTED_H
#define CK_UPDATE_WANTED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

struct ck_sources_wanted {
    ck_view *names; /* sorted, in the arena */
    size_t n;
};

/* $XDG_DATA_HOME/cocket/wanted-changelogs; empty where there is none. */
CK_MUST ck_err *ck_wanted_read(struct ck_arena *a, struct ck_sources_wanted *ret);
bool ck_wanted_has(const struct ck_sources_wanted *w, ck_view name);
/* Adds; writes the file only if something is new. */
CK_MUST ck_err *ck_wanted_add(const ck_view *names, size_t n);

#endif
