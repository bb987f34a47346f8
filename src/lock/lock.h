/* The references to images in Dockerfiles, Compose and Kubernetes files, and images.lock. Pure
 * functions from bytes to values; files are opened and registries asked elsewhere.
 */
#ifndef CK_LOCK_LOCK_H
#define CK_LOCK_LOCK_H

#include "base/buf.h"
#include "image/name.h"

enum ck_lock_file_kind {
    CK_LOCK_DOCKERFILE, /* Dockerfile, Containerfile, *.Dockerfile, Dockerfile.* */
    CK_LOCK_COMPOSE,    /* compose.yaml, docker-compose*.yml: services.*.image */
    CK_LOCK_KUBERNETES, /* other YAML: containers, initContainers, ephemeralContainers, image
                           volumes
                           of Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob,
                           PodTemplate, List; several documents */
    CK_LOCK_FILE_KIND_COUNT_
};
/* By the file's name, and for YAML, JSON and other names by what it holds. Class USAGE where it is
 * none of these. */
CK_MUST ck_err *ck_lock_kind(const char *path, ck_view content, enum ck_lock_file_kind *ret);

struct ck_lock_reference {
    ck_view text;         /* as it stands in the file, unquoted */
    size_t begin, end;    /* bytes of the file that are the reference, without quotes */
    unsigned line;        /* from 1 */
    bool skipped;         /* cannot be pinned: */
    ck_view why;          /* "holds a variable", "is an earlier stage", "scratch", ... */
    bool named;           /* `name` holds: not skipped, or a FROM whose variables all have a
                             default before the first FROM. The latter goes into images.lock with
                             the default, but is never pinned: behind a digest the variable would
                             no longer choose anything */
    struct ck_name name;
    ck_view platform;     /* FROM --platform=..., or empty */
};
/* In the order of the file, each place once. In `a`. Class HOSTILE with the line for what is no
 * such file, LIMIT. Of a Dockerfile: FROM, COPY --from, RUN --mount from=, # syntax=. Of YAML: an
 * alias is followed, the place is that of the anchor. "image:" below kinds that are not known is
 * not guessed at, but is in the list as skipped. */
CK_MUST ck_err *ck_lock_references(enum ck_lock_file_kind kind, ck_view content, struct ck_arena *a,
                                   struct ck_lock_reference **ret, size_t *ret_n);

/* `content` with "@sha256:..." put behind (or in the place of an older digest at) the references
 * whose pins[i] is not NULL; every other byte stays. Class OURS where `refs` are not of this
 * content, or one that is skipped was to be pinned. */
CK_MUST ck_err *ck_lock_pin(ck_view content, const struct ck_lock_reference *refs, size_t n,
                            const struct ck_digest *const *pins, struct ck_buf *out);

/* images.lock: JSON, version 1, sorted by reference; one object a reference. Decoding refuses what
 * encoding would not write: references that are not normalised, or stand there twice. */
struct ck_lock_entry {
    ck_view reference; /* "docker.io/library/alpine:3.20"; with a digest only where there is no
                          tag */
    struct ck_digest digest;
    ck_view *platforms; /* "linux/amd64", sorted */
    size_t n_platforms;
    int64_t first_seen; /* seconds since the epoch */
    ck_view *files;     /* that name it */
    size_t n_files;
};
CK_MUST ck_err *ck_lock_decode(ck_view json, struct ck_arena *a, struct ck_lock_entry **ret,
                               size_t *ret_n);
void ck_lock_encode(const struct ck_lock_entry *v, size_t n, struct ck_buf *out);

#endif
