/* Shared by the files of source/ only. */
#ifndef CK_SOURCE_SOURCE_INT_H
#define CK_SOURCE_SOURCE_INT_H

#include "proc/spawn.h"
#include "source/source.h"

/* Where the documents and blobs of an image are looked up by name. */
struct ck_place_of_blobs {
    int dir;  /* oci: the layout's directory; else -1 */
    int file; /* archives; else -1 */
    struct ck_members members;
};

struct ck_source {
    struct ck_arena arena;
    struct ck_source_options options;
    struct ck_platform want;
    struct ck_place_of_blobs view;
    struct ck_room_proc *documents; /* the document room; NULL once it is no longer needed */
    struct ck_room_proc *copier;    /* the archive room that copies, or NULL */
    struct ck_image image;
    struct ck_store *store; /* docker:// and store: */
    struct ck_lease *lease;
    struct ck_remote *remote;       /* docker:// */
    struct ck_arrivals *arrivals;   /* once something is wanted */
    struct ck_buf table; /* the bytes that `members` points into */
};

/* A blob or document by its name in the layout ("index.json", "blobs/sha256/..."). */
struct ck_found {
    int fd; /* the caller closes it where `close` is set */
    bool close;
    struct ck_slice slice; /* pipe: inside a compressed archive */
    ck_view content;       /* where it is at hand already, else empty */
};

CK_MUST ck_err *ck_view_find_blob(struct ck_source *s, ck_view name, struct ck_found *ret,
                                  bool *ret_found);

/* The bytes of a document, at most DOCUMENT. With `d`, size and digest are verified. */
CK_MUST ck_err *ck_source_document(struct ck_source *s, ck_view name,
                                   const struct ck_descriptor *d, struct ck_buf *out);
/* Has the document room decode it; the result's views live in the source's arena. */
CK_MUST ck_err *ck_source_decode(struct ck_source *s, enum ck_document what, ck_view declared,
                                 ck_view json, ck_view *ret);

/* Starts to copy members out of the compressed archive, ascending; as ck_source_stream, which ends
 * it too. */
CK_MUST ck_err *ck_source_copy(struct ck_source *s, struct ck_slice *members, size_t n,
                               int *ret_fd);

CK_MUST ck_err *ck_archive_open(struct ck_source *s, const char *path);
/* Takes over `fd`; errors call it `path`. */
CK_MUST ck_err *ck_archive_open_fd(struct ck_source *s, int fd, const char *path);
/* docker-daemon:, containers-storage:, containerd: */
CK_MUST ck_err *ck_open_stream(struct ck_source *s, const struct ck_reference *ref);
CK_MUST ck_err *ck_open_layout(struct ck_source *s, const struct ck_reference *ref);
CK_MUST ck_err *ck_open_docker(struct ck_source *s, const struct ck_reference *ref);

/* A source of nothing, for those who only want documents decoded. */
void ck_source_bare(bool no_sandbox, struct ck_source **ret);

/* Opens the store and brings what the name means into it. */
CK_MUST ck_err *ck_open_top(struct ck_source *s, const struct ck_reference *ref,
                            struct ck_descriptor *ret);
CK_MUST ck_err *ck_open_registry(struct ck_source *s, const struct ck_reference *ref);
CK_MUST ck_err *ck_open_store(struct ck_source *s, const struct ck_reference *ref);
/* Brings a document into the store, if it is not there and there is somebody to ask. */
CK_MUST ck_err *ck_source_bring(struct ck_source *s, const struct ck_descriptor *d);
/* "blobs/sha256/..."; in the source's arena. */
ck_view ck_blob_name(struct ck_source *s, const struct ck_digest *d);
/* The children of an index; *ret_index is false where `d` is none. */
CK_MUST ck_err *ck_index_of(struct ck_source *s, const struct ck_descriptor *d, bool *ret_index);
/* Down from `d` through indexes to a manifest, and from that to the image. */
CK_MUST ck_err *ck_image_of(struct ck_source *s, const struct ck_descriptor *d);

/* From manifest and config, whose documents it reads. */
CK_MUST ck_err *ck_image_of_manifest(struct ck_source *s, const struct ck_descriptor *manifest);
/* Pairs layers with history lines. */
void ck_image_history(struct ck_image *image);

#endif
