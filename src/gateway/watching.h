/* The round that the gate looks again with, as others see it. Any thread. */
#ifndef CK_GATEWAY_WATCHING_H
#define CK_GATEWAY_WATCHING_H

#include "gateway/core.h"
#include "watch/watch.h"

struct ck_watching_state {
    bool running;      /* or wanted, and another process is at it still: */
    const char *phase; /* ck_watch_phase_name, or "waiting" */
    uint64_t done, total; /* total 0: not known */
    uint64_t rounds; /* that ended since the gate began; of the last: */
    int64_t ended;
    bool failed;
    struct ck_watch_counts counts;
};
void ck_watching_look(struct ck_gateway *g, struct ck_watching_state *ret);

#endif
