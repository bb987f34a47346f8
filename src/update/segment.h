/* Segments on disk: the last good state of every feed. */
#ifndef CK_UPDATE_SEGMENT_H
#define CK_UPDATE_SEGMENT_H

#include "update/update.h"

/* "<dir>/KIND-<digest of the spec>.segment"; free(). */
char *ck_segment_path(const char *dir, const struct ck_feed_spec *spec);
CK_MUST ck_err *ck_segment_save(const char *path, const struct ck_segment *s);
/* Views live in `a`. Class OURS where the file is broken, UNAVAILABLE where there is none. */
CK_MUST ck_err *ck_segment_load(const char *path, struct ck_arena *a, struct ck_segment *ret);

#endif
