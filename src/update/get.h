/* Getting the bytes of feeds, and having them parsed: the rooms that an update needs, kept open
 * from file to file.
 */
#ifndef CK_UPDATE_GET_H
#define CK_UPDATE_GET_H

#include "image/digest.h"
#include "proc/spawn.h"
#include "room/jobs.h"
#include "update/update.h"

struct ck_getter {
    const struct ck_update_options *o;
    struct ck_room_proc *fetch, *feed;
    struct ck_hash *digest; /* over the digests of all that was read, in order */
};

struct ck_getter ck_getter_new(const struct ck_update_options *o);
void ck_getter_close(struct ck_getter *g);

bool ck_is_url(const char *source);

/* What was got: a descriptor that the caller closes. */
struct ck_got {
    int fd;
    uint64_t size;
    struct ck_digest digest; /* sha256 */
};
/* From a path, or over the network (retried with pauses where that may help). Class UNAVAILABLE;
 * *ret_missing, if given, tells "404" and "no such file" from the rest, without an error. */
CK_MUST ck_err *ck_get(struct ck_getter *g, const char *source, struct ck_got *ret,
                       bool *ret_missing);

/* Has the feed room parse it; `put` gets every record. */
CK_MUST ck_err *ck_parse(struct ck_getter *g, const struct ck_job_feed *job, int fd,
                         ck_err *(*put)(void *ctx, ck_view record), void *ctx);

/* By the name's ending: .gz, .xz, .zst. */
enum ck_compression ck_compression_of_name(const char *name);

/* The digest of all that was read since the getter was made: "sha256:...". */
const char *ck_getter_digest(struct ck_getter *g, char out[CK_DIGEST_TEXT]);

#endif
