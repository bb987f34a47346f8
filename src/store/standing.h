/* What looking again asks of the books about one image, and about names that moved. Each call is a
 * few indexed lookups, whatever the size of the store.
 */
#ifndef CK_STORE_STANDING_H
#define CK_STORE_STANDING_H

#include "store/store.h"

struct ck_standing {
    enum ck_state_of_image state;
    bool by_person, complete;
    int64_t decided; /* seconds since the epoch; since when the state holds */
    ck_view platform;
    /* What it may be asked for by: its own names, then those of indexes that lead to it; where
     * there are none, "REPOSITORY@DIGEST" for what it is linked to. Each once. */
    ck_view *names;
    size_t n_names;
    struct ck_digest *indexes; /* that lead to it: a pull of one may be a pull of it */
    size_t n_indexes;
    bool has_inventory;
    int64_t matched; /* as in inventory.h */
};
CK_MUST ck_err *ck_store_standing(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                                  struct ck_standing *ret, bool *ret_found);

/* A name that once meant another manifest, which is still there: what it meant and means now, image
 * by image of the same platform where they are indexes. One line for each that it once meant. */
struct ck_moved_name {
    ck_view name;
    struct ck_digest was, is; /* images, both examined */
    ck_view chain;            /* ChainID of all layers of `was` */
};
CK_MUST ck_err *ck_store_moved_names(struct ck_store *s, struct ck_arena *a,
                                     struct ck_moved_name **ret, size_t *ret_n);

/* Names with a tag that came from an upstream (CK_STORE_HOSTED left out), those that were not
 * checked for longest first, and only those last checked before `before`. At most `max`. */
struct ck_upstream_name {
    ck_view name;
    struct ck_digest digest;
    int64_t checked;
};
CK_MUST ck_err *ck_store_upstream_names(struct ck_store *s, int64_t before, size_t max,
                                        struct ck_arena *a, struct ck_upstream_name **ret,
                                        size_t *ret_n);

#endif
