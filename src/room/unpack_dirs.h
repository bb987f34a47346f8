/* The directories of a tree that is being unpacked, by inode: the modes and times that they get at
 * the end, and how deep they stand. (A path can lead through links of lower layers, so it does not
 * tell the depth.) An entry of a directory that was removed stays until its inode is a directory
 * again. */
#ifndef CK_ROOM_UNPACK_DIRS_H
#define CK_ROOM_UNPACK_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ck_unpack_dir {
    ino_t ino; /* never 0 */
    int64_t mtime;
    uint16_t mode, depth;
    bool named; /* an entry of a layer says its mode and time */
};

struct ck_unpack_dirs {
    struct ck_unpack_dir *v;
    size_t n, cap;
};

void ck_unpack_dirs_free(struct ck_unpack_dirs *t);
void ck_unpack_dirs_put(struct ck_unpack_dirs *t, const struct ck_unpack_dir *d);
/* NULL where there is none; lives until the next put. */
struct ck_unpack_dir *ck_unpack_dirs_find(const struct ck_unpack_dirs *t, ino_t ino);

#endif
