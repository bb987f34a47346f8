/* What the verbs lock and verify share. */
#ifndef CK_CMD_LOCK_FILE_H
#define CK_CMD_LOCK_FILE_H

#include "cmd/remote.h"
#include "lock/lock.h"
#include "source/resolve.h"

#include <sys/stat.h>

static const char ck_lock_file_default[] = "images.lock";

/* The entries of images.lock, and its bytes (appended). `may_be_missing`: no file is no entries;
 * else class UNAVAILABLE. */
CK_MUST ck_err *ck_lock_file_read(const char *path, bool may_be_missing, struct ck_arena *a,
                                  struct ck_buf *bytes, struct ck_lock_entry **ret, size_t *ret_n);

/* Asks what a name means now. Names in files are what Docker and containerd make of them: without
 * a host they are docker.io's, whatever short-name aliases say here. */
CK_MUST ck_err *ck_lock_resolve(struct ck_resolver *r, const struct ck_name *n, struct ck_arena *a,
                                struct ck_resolved *ret);

/* "sha256:0123456789ab" */
const char *ck_lock_short_digest(const struct ck_digest *d, struct ck_arena *a);

/* --- a file of the user's, replaced ----------------------------------------------------------- */

struct ck_user_file {
    const char *path; /* as given */
    char *real;       /* without symbolic links; free() */
    struct stat st;
    struct ck_buf content;
};
/* Regular files only. Class UNAVAILABLE, USAGE. Free with ck_user_file_free also after an error. */
CK_MUST ck_err *ck_user_file_read(const char *path, struct ck_user_file *ret);
void ck_user_file_free(struct ck_user_file *f);
/* Class OURS where it is not what was read. */
CK_MUST ck_err *ck_user_file_unchanged(const struct ck_user_file *f);
/* Puts `content` in its place in one step, with its mode, owner and group. Where those cannot be
 * kept, where it has changed, or has several names (hard links), it is left alone: class OURS. */
CK_MUST ck_err *ck_user_file_replace(const struct ck_user_file *f, ck_view content);

#endif
