/* The index of one layer: every path that it brings or hides, sorted, front-coded, with restart
 * points, so that a lookup is a binary search in a byte string. The inspect room writes it, the
 * hub and the cache read it; 57,000 files take about 1 MiB and nothing is decoded that is not
 * asked for.
 *
 * A path stands in it once: of duplicate entries the last one counts (as tar extraction does),
 * except that a whiteout and an opaque mark are kept beside an entry of the same path, since they
 * speak of the layers below. Sibling order in the archive does not matter for whiteouts (OCI
 * image-spec, layer, Whiteouts: "whiteout files MUST only apply to resources in lower/parent
 * layers").
 *
 * Paths are in bytewise order, but with "/" before all other bytes.
 *
 * `facts` is what a detector said of the file's content (detect/facts.h), or empty.
 */
#ifndef CK_LAYER_INDEX_H
#define CK_LAYER_INDEX_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

enum ck_node_type {
    CK_NODE_NONE, /* only whiteout or opaque marks stand at this path */
    CK_NODE_FILE,
    CK_NODE_HARDLINK, /* link: normalised path, from the root */
    CK_NODE_SYMLINK,  /* link: as in the archive */
    CK_NODE_DIR,
    CK_NODE_DEVICE, /* char, block */
    CK_NODE_FIFO,
    CK_NODE_COUNT_
};

struct ck_node {
    ck_view path; /* normalised; "" is the root */
    enum ck_node_type type;
    bool whiteout; /* hides this path (and all below it) of the layers below */
    bool opaque;   /* hides all below this path of the layers below, not the path itself */
    uint32_t mode; /* 07777 */
    uint64_t size;
    ck_view link;
    ck_view facts; /* empty: no detector looked at this file */
};

/* Writing. `path`, `link` and `facts` are copied. Limits: PATH, LAYER_ENTRIES (every call counts,
 * duplicates too), FACTS (all that is kept, and what is encoded). */
struct ck_index_writer;
struct ck_index_writer *ck_index_writer_new(void);
void ck_index_writer_free(struct ck_index_writer *w);
/* A node of type NONE adds marks to what stands at its path, other nodes replace it. A replaced
 * node that was a directory takes with it what this layer put below it earlier, unless the new
 * one is a directory too. Nodes come in the order of the archive. Refused: a root that is no
 * directory. */
CK_MUST ck_err *ck_index_add(struct ck_index_writer *w, const struct ck_node *node);
/* Sorts and encodes. Refused, because tools differ in what they unpack or are led outside by it:
 * an entry below a link or another non-directory of the same layer, a directory over such a one
 * (CVE-2021-32760), a hard link to itself or to an entry of its layer that comes later. */
CK_MUST ck_err *ck_index_finish(struct ck_index_writer *w, struct ck_buf *out);

/* Reading: the bytes are as hostile as the layer (a room that was taken over wrote them). Open
 * checks header and tables; lookups check what they touch and report damage as hostile. */
struct ck_index {
    ck_view bytes; /* must outlive the index and every node read from it */
    uint32_t entries, restarts;
    size_t table, paths, end; /* inner offsets */
};
CK_MUST ck_err *ck_index_open(ck_view bytes, struct ck_index *ret);

/* Holds the decoded path of a node (longer ones than PATH never occur). */
struct ck_index_space {
    uint8_t path[4096];
};
/* Finds exactly `path`; *ret_found false where this layer says nothing of it. */
CK_MUST ck_err *ck_index_find(const struct ck_index *ix, ck_view path, struct ck_index_space *space,
                              struct ck_node *ret, bool *ret_found);

/* As find, and says whether anything stands below `path`, be it found or not. */
CK_MUST ck_err *ck_index_probe(const struct ck_index *ix, ck_view path,
                               struct ck_index_space *space, struct ck_node *ret, bool *ret_found,
                               bool *ret_below);

/* Walks all nodes below the directory `path` (any depth, sorted; "" walks all but the root). `path`
 * must outlive the walk. A node lives until the next call; a walk cannot be copied. */
struct ck_index_walk {
    const struct ck_index *ix;
    ck_view prefix;
    size_t at, path_len;
    bool fresh, pending, done;
    struct ck_node node;
    struct ck_index_space space;
};
CK_MUST ck_err *ck_index_walk_start(const struct ck_index *ix, ck_view path,
                                    struct ck_index_walk *w);
CK_MUST ck_err *ck_index_walk_next(struct ck_index_walk *w, struct ck_node *ret, bool *ret_end);
/* Goes on with the first node that does not stand before `path`. */
CK_MUST ck_err *ck_index_walk_seek(struct ck_index_walk *w, ck_view path);

#endif
