/* An OCI image layout, as a directory or an archive, into the store: all images in it, with what
 * refers to them. Its documents are read by the document room; every digest is verified. What comes
 * in is quarantined, and nothing that comes along is believed.
 */
#ifndef CK_SOURCE_IMPORT_H
#define CK_SOURCE_IMPORT_H

#include "base/arena.h"
#include "image/digest.h"

struct ck_import_options {
    const char *store; /* NULL: ck_store_open's own */
    bool no_sandbox;
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

struct ck_imported_name {
    ck_view name;
    struct ck_digest digest, moved_from;
    bool moved;
};
struct ck_imported {
    uint64_t images, referrers, bytes; /* bytes: of blobs that were not here yet */
    size_t left_out;                   /* lines of index.json that are neither */
    struct ck_imported_name *names;
    size_t n_names;
};

/* Names come from the annotations: io.containerd.image.name, else
 * org.opencontainers.image.ref.name; a mere tag and an image without a name are put below
 * "localhost/", with the name of the file or directory. They are entered when all is in. An image
 * that the store has keeps its state. Classes as ck_source_open. */
CK_MUST ck_err *ck_import(const char *path, const struct ck_import_options *o, struct ck_arena *a,
                          struct ck_imported *ret);

#endif
