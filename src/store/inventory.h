/* What an image consists of, kept once, and from (ecosystem, package) to the images that hold it. A
 * change of the advisory database becomes the exact set of images that it may concern, without
 * touching a blob.
 *
 * The store knows packages as bytes (scan/inventory_codec.h): equal packages are one row, an
 * inventory is a list of their numbers. Keys are what the matcher asks the database for.
 */
#ifndef CK_STORE_INVENTORY_H
#define CK_STORE_INVENTORY_H

#include "store/events.h"
#include "store/pages.h"

struct ck_store_item {
    ck_view package;     /* opaque, at most INVENTORY_PACKAGE bytes */
    const ck_view *keys; /* opaque, sorted, each once; not read where the package is known */
    size_t n_keys;
    uint32_t layer;      /* index into the image's layers; UINT32_MAX: none */
    ck_view location;    /* the file that lists it */
};
struct ck_store_inventory {
    ck_view head; /* opaque: all else that a report needs of the image */
    struct ck_store_item *items;
    size_t n;
    int64_t matched; /* when the database was built that it was last matched with; 0: never */
};
/* Replaces the image's. UNAVAILABLE: no such image. */
CK_MUST ck_err *ck_store_put_inventory(struct ck_store *s, const struct ck_digest *d,
                                       const struct ck_store_inventory *v);
/* Keys are left out (n_keys 0). All in `a`. */
CK_MUST ck_err *ck_store_get_inventory(struct ck_store *s, const struct ck_digest *d,
                                       struct ck_arena *a, struct ck_store_inventory *ret,
                                       bool *ret_found);
/* Images whose inventory holds a package with one of the keys (sorted or not), each once. */
CK_MUST ck_err *ck_store_holding(struct ck_store *s, const ck_view *keys, size_t n,
                                 struct ck_arena *a, struct ck_digest **ret, size_t *ret_n);
/* Images with an inventory that was not matched with this database yet. `max` 0: all. */
CK_MUST ck_err *ck_store_unmatched(struct ck_store *s, int64_t built, size_t max,
                                   struct ck_arena *a, struct ck_digest **ret, size_t *ret_n);
/* Images that have facts but no inventory: of a store from before there were any. */
CK_MUST ck_err *ck_store_without_inventory(struct ck_store *s, struct ck_arena *a,
                                           struct ck_digest **ret, size_t *ret_n);

/* What is stored of one image after it was matched again; many in one transaction. */
struct ck_store_rematch {
    struct ck_digest image;
    bool changed;             /* facts, ids, chain and summary are others; else not read */
    ck_view facts;            /* as ck_store_put_facts */
    const ck_view *ids;
    size_t n_ids;
    ck_view chain;
    const struct ck_store_summary *summary;
    bool decide;              /* the state changes: as ck_store_decide by a scan */
    enum ck_state_of_image state;
    ck_view reason;
    const struct ck_event *events;
    size_t n_events;
};
/* ids that stay are not written again. An image that is gone meanwhile, or that was matched with
 * this database already, is passed over. `built` CK_STORE_NOT_MATCHED: they were judged, not
 * matched. */
#define CK_STORE_NOT_MATCHED INT64_MIN
CK_MUST ck_err *ck_store_rematched(struct ck_store *s, int64_t built,
                                   const struct ck_store_rematch *v, size_t n);
/* All that were not named: nothing of theirs changed. Not those of `but`, which could not be. */
CK_MUST ck_err *ck_store_matched_all(struct ck_store *s, int64_t built,
                                     const struct ck_digest *but, size_t n);

/* Small values of the program's own that outlive it, by name ("watch.fingerprints"). */
CK_MUST ck_err *ck_store_put_note(struct ck_store *s, const char *key, ck_view value);
CK_MUST ck_err *ck_store_get_note(struct ck_store *s, const char *key, struct ck_buf *out,
                                  bool *ret_found);

#endif
