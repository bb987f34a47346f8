/* What is handed on: an image of the store as the list of its blobs, and the ways in which they
 * travel. Every blob is hashed again while it is copied: what leaves is what was cleared.
 */
#ifndef CK_LOAD_CARGO_H
#define CK_LOAD_CARGO_H

#include "load/tar_write.h"
#include "source/source.h"

struct ck_cargo_blob {
    struct ck_digest digest;
    uint64_t size;
};

struct ck_cargo {
    struct ck_store *store;
    struct ck_descriptor top; /* the manifest or index */
    ck_view name;             /* "docker.io/library/alpine:3.20", or empty */
    const struct ck_image *image; /* NULL: an index with all that it lists */
    struct ck_cargo_blob *blobs;  /* `top`, manifests, configs, layers; each once */
    size_t n;
    uint64_t bytes; /* of all blobs */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* from any thread; may be NULL */
    void *ctx;
};

/* Of one image, or (the source was opened with whole_index) of an index and all that it lists. Puts
 * every blob under the source's lease; class UNAVAILABLE where one is missing. Lives in `a` and as
 * long as the source. */
CK_MUST ck_err *ck_cargo_new(struct ck_source *s, struct ck_arena *a, struct ck_cargo *ret);

/* "blobs/sha256/..." */
enum { CK_BLOB_NAME = 13 + 128 + 1 };
const char *ck_blob_path(const struct ck_digest *d, char out[CK_BLOB_NAME]);

/* Reads a blob of the store, hands it on in pieces and hashes them. Class OURS where the store is
 * corrupt; by then all pieces but the last may have been handed on. */
CK_MUST ck_err *ck_blob_copy(struct ck_store *s, const struct ck_cargo_blob *b,
                             ck_err *(*put)(void *ctx, ck_view piece), void *ctx);

/* The entry of index.json for the cargo, under `tag` (or the tag of its name). */
struct ck_descriptor ck_cargo_entry(const struct ck_cargo *c, ck_view tag);

enum ck_archive_kind {
    CK_ARCHIVE_OCI,    /* an OCI layout */
    CK_ARCHIVE_DOCKER, /* the same, and manifest.json, as `docker save` writes it */
};
/* Writes the archive to `fd`. Where manifest.json names the image, so does index.json. */
CK_MUST ck_err *ck_cargo_archive(const struct ck_cargo *c, enum ck_archive_kind kind, ck_view tag,
                                 int fd);

/* The same on a thread, into a pipe. *ret_fd is the end to read from; the caller closes it before
 * it finishes the feeder. */
struct ck_feeder;
CK_MUST ck_err *ck_feeder_start(const struct ck_cargo *c, enum ck_archive_kind kind, int *ret_fd,
                                struct ck_feeder **ret);
/* Waits and frees. `theirs` is how it went at the other end, NULL: well. Gives the error that is
 * the cause, or NULL; takes over `theirs`. */
CK_MUST ck_err *ck_feeder_finish(struct ck_feeder *f, ck_err *theirs);

#endif
