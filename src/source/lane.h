/* One lane of arrivals.c: brings one blob at a time. Shared by these two files only. */
#ifndef CK_SOURCE_LANE_H
#define CK_SOURCE_LANE_H

#include "source/arrivals.h"

struct ck_lane;

/* `stop` is readable when the lane is to give up. */
struct ck_lane *ck_lane_new(struct ck_arrivals *a, struct ck_lease *lease,
                            const struct ck_remote *remote, int stop);
void ck_lane_free(struct ck_lane *l);

/* From the registry into the store: endpoints in turn, hashed, committed. */
CK_MUST ck_err *ck_lane_bring(struct ck_lane *l, size_t i, const struct ck_digest *d,
                              uint64_t size);
/* Whether this error only says that the lane was told to stop. */
bool ck_lane_gave_up(const ck_err *e);

/* What a lane says of its blob. */
void ck_arrival_readable(struct ck_arrivals *a, size_t i, int fd); /* takes over fd */
void ck_arrival_progress(struct ck_arrivals *a, size_t i, uint64_t done);
void ck_arrival_verified(struct ck_arrivals *a, size_t i);

#endif
