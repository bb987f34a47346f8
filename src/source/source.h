/* The hub's side of opening an image: it hands descriptors to rooms, believes only what comes back
 * typed and checked, and verifies the digest of every document itself (hashing is not parsing).
 */
#ifndef CK_SOURCE_SOURCE_H
#define CK_SOURCE_SOURCE_H

#include "image/image.h"
#include "image/reference.h"
#include "room/jobs.h"
#include "source/arrivals.h"
#include "trust/near_miss.h"

struct ck_image_layer {
    bool has_digest;         /* docker-archive's old layout names layers by diff_id alone */
    struct ck_digest digest; /* of the blob */
    struct ck_digest diff_id;
    ck_view media_type;
    enum ck_compression compression;
    uint64_t size;         /* of the blob, in bytes */
    size_t history;        /* index into image->config.history; SIZE_MAX: not known */
    struct ck_slice where; /* in the source's file, or (pipe) a member of a compressed archive */
    int fd; /* to read it from; -1 where it is a member of a compressed archive, or missing */
    bool missing; /* no such blob: matters only to those who have to read it */
    bool absent;    /* not in the store: ck_source_want has it fetched */
    size_t arrival; /* its index in ck_source_arrivals, once wanted; else SIZE_MAX */
};

struct ck_image {
    ck_view reference;
    ck_view name; /* docker://, store: "docker.io/library/alpine:3"; or empty */
    ck_view media_type; /* of the manifest, as its size */
    uint64_t manifest_size;
    bool has_index; /* it was chosen from this one */
    struct ck_descriptor index;
    struct ck_index_doc children; /* whole_index: what it lists; else empty */
    struct ck_descriptor config_descriptor;
    struct ck_name_warning *warnings; /* of docker:// */
    size_t n_warnings;
    bool has_digest;
    struct ck_digest digest; /* of the manifest; docker-archive's old layout: of the config */
    struct ck_digest config_digest;
    struct ck_config_doc config;
    struct ck_image_layer *layers; /* lowest first */
    size_t n_layers;
    ck_view platforms; /* what else the index offers, or empty */
    bool rootfs;       /* a directory: no layers; `root` is open */
    int root;
};

struct ck_source;

struct ck_source_options {
    const struct ck_platform *platform; /* NULL: the host's */
    bool platform_asked;                /* --platform was given: no fallback */
    bool no_sandbox;
    /* Of docker:// and store: only. */
    const char *store; /* NULL: ck_store_open's own */
    struct ck_remote_options remote;
    bool refetch;      /* ask for what is there already */
    uint64_t max_size; /* bytes of all layers; 0: IMAGE_SIZE */
    bool whole_index;  /* an index is opened as it is: no platform is chosen, there are no layers */
    bool unnamed;      /* ck_source_record enters no name */
};

/* Opens the image and reads its documents. The image lives as long as the source.
 * Classes: UNAVAILABLE (no such file, no such platform, no such tag), HOSTILE, LIMIT, OURS. */
CK_MUST ck_err *ck_source_open(const struct ck_reference *ref, const struct ck_source_options *o,
                               struct ck_source **ret);
void ck_source_close(struct ck_source *s);
const struct ck_image *ck_source_image(const struct ck_source *s);

/* For layers without a descriptor: starts to copy the blobs of `layers` (indexes, n of them) out of
 * the compressed archive. *ret_fd is a pipe that carries them one behind the other, in the order
 * that the call leaves in `layers`. Ended by ck_source_stream_end, which says whether the copying
 * went well. */
CK_MUST ck_err *ck_source_stream(struct ck_source *s, size_t *layers, size_t n, int *ret_fd);
CK_MUST ck_err *ck_source_stream_end(struct ck_source *s);

/* --- images that arrive ------------------------------------------------------------------------
 * */

/* Has an absent layer fetched, in the background. */
void ck_source_want(struct ck_source *s, size_t layer);
/* NULL where nothing was wanted. */
struct ck_arrivals *ck_source_arrivals(struct ck_source *s);
/* NULL for transports without a store. */
struct ck_store *ck_source_store(struct ck_source *s);
struct ck_lease *ck_source_lease(struct ck_source *s);

/* Enters the image (with its index and name) into the store. `complete`: all its blobs must be
 * there. *ret_moved_from, where the name meant another manifest before. */
CK_MUST ck_err *ck_source_record(struct ck_source *s, bool complete, bool *ret_moved,
                                 struct ck_digest *ret_moved_from);

#endif
