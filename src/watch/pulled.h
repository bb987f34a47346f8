/* Who has an image: those who were served it, or an index that leads to it. */
#ifndef CK_WATCH_PULLED_H
#define CK_WATCH_PULLED_H

#include "store/standing.h"

/* One user at one place. */
struct ck_puller {
    ck_view who, client, name; /* name: the last that was asked for */
    int64_t first, last;       /* seconds since the epoch */
    uint64_t count;
};
/* The latest first; all in `a`. */
CK_MUST ck_err *ck_pullers(struct ck_store *s, const struct ck_digest *d,
                           const struct ck_standing *st, struct ck_arena *a,
                           struct ck_puller **ret, size_t *ret_n);

#endif
