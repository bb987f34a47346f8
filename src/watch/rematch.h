/* One image again, and many of them on all cores. Shared by the files of watch/ only. */
#ifndef CK_WATCH_REMATCH_H
#define CK_WATCH_REMATCH_H

#include "watch/watch_int.h"

/* --- again.c ---------------------------------------------------------------------------------- */

/* With which database. */
struct ck_rematching {
    const struct ck_db *db;
    int64_t built;
    int64_t before; /* the database that most images were matched with last; 0: not known */
};

enum { CK_AGAIN_EVENTS = 2 };

/* What came of one. */
struct ck_again {
    bool changed; /* other facts than before: those below */
    bool first;   /* it was never matched before */
    ck_view facts, chain;
    ck_view *ids;
    size_t n_ids;
    struct ck_store_summary summary;
    bool decide, withdrawn;
    enum ck_state_of_image state;
    ck_view reason;
    struct ck_event events[CK_AGAIN_EVENTS];
    size_t n_events;
    size_t added, gone, other; /* findings: new, gone, changed otherwise */
};
/* `how` NULL: what is kept is judged again, nothing is matched. *ret_there is false where the image
 * is gone, or nothing is known of it that counts. All in `a`. */
CK_MUST ck_err *ck_again_of(struct ck_store *s, const struct ck_watch_options *o,
                            const struct ck_rematching *how, const struct ck_digest *d,
                            struct ck_arena *a, struct ck_again *ret, bool *ret_there);

/* --- rematch.c -------------------------------------------------------------------------------- */

/* Each image once; comes back early where o->stop says so. *ret_over: images of which too little
 * could be read, in `a`; they are noted, and stay unmatched. */
CK_MUST ck_err *ck_rematch_images(const struct ck_watch_options *o,
                                  const struct ck_rematching *how, const struct ck_digest *images,
                                  size_t n, struct ck_watch_counts *counts, struct ck_arena *a,
                                  struct ck_digest **ret_over, size_t *ret_n_over);

#endif
