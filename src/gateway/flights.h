/* Between flight.c, which knows who waits for what, and fly.c, which does the work. */
#ifndef CK_GATEWAY_FLIGHTS_H
#define CK_GATEWAY_FLIGHTS_H

#include "gateway/core.h"

enum ck_flight_kind {
    CK_FLIGHT_PULL,      /* a name: fetched, scanned, entered */
    CK_FLIGHT_SCAN,      /* a digest that is in the store */
    CK_FLIGHT_REFERRERS, /* what refers to REPOSITORY@DIGEST */
};

struct ck_flight {
    enum ck_flight_kind kind;
    char *name; /* "docker.io/library/alpine:3", "sha256:..." */
    atomic_uint percent;
    struct ck_digest digest; /* that is looked at now; under the mutex of the flights */
    bool has_digest;
    struct ck_flight_waiter *waiters;
    size_t n_waiters;
    bool running;
    int64_t began; /* ms */
    struct ck_flight *next;
};

/* The work, in a thread that lives as long as the gate. `ret` is of the name. */
CK_MUST ck_err *ck_fly(struct ck_gateway *g, struct ck_flight *f, struct ck_digest *ret);

/* One flight at a time has an image: waits until it is free. */
void ck_flights_enter(struct ck_flights *fs, struct ck_flight *f, const struct ck_digest *d);
void ck_flights_leave(struct ck_flights *fs, const struct ck_digest *d);

/* Begins one that nobody waits for, unless too much is under way. */
void ck_flights_start(struct ck_gateway *g, enum ck_flight_kind kind, const char *name);
/* As ck_flight_join, for any kind. */
CK_MUST ck_err *ck_flights_join(struct ck_gateway *g, enum ck_flight_kind kind, const char *name,
                                unsigned wait_ms,
                                void (*done)(void *ctx, ck_err *e,
                                             const struct ck_flight_result *r),
                                void *ctx);
/* Whether one is under way for the name, or looks at the digest. */
bool ck_flights_look(struct ck_flights *fs, const char *name, const struct ck_digest *d,
                     unsigned *ret_percent);
/* Those that are under way or wait; with the mutex held: `each` asks the flights nothing. */
void ck_flights_each(struct ck_flights *fs,
                     void (*each)(void *ctx, enum ck_flight_kind kind, const char *name,
                                  bool running, unsigned percent),
                     void *ctx);
struct ck_flights_counts {
    size_t running, queued, waiters;
};
struct ck_flights_counts ck_flights_count(struct ck_flights *fs);

#endif
