/* What changed, for those who watch, and who is to be told of it. Events are numbered without end;
 * a subscription has a cursor: what lies behind it has become deliveries or was filtered out. An
 * event, the cursor and its deliveries are written in one transaction each, so that nothing is lost
 * over a kill and nothing is invented.
 */
#ifndef CK_STORE_EVENTS_H
#define CK_STORE_EVENTS_H

#include "store/store.h"

/* kind: one of
 *   findings    an image's findings changed (data: new, gone, severity, fixable, exploited)
 *   verdict     what the policy makes of an image changed (data: from, to, reasons)
 *   withdrawn   it was cleared and no longer passes (data: reasons, pulled_by, until)
 *   moved       an upstream tag means another digest (data: from, to)
 *   base        a base image has a newer build (data: base, from, to, gone)
 *   feed        a feed failed, or works again (data: feed, failure)
 *   quarantined an image waits for a person (data: reason)
 *   decision    a person released or denied (data: state, who, reason)
 *   survey      a survey ended (data: survey, shares)
 *   undelivered a delivery was given up (name: the subscription; data: events, error)
 *   test        sent by hand (name: the subscription)
 */
struct ck_event {
    uint64_t number; /* given by the store */
    int64_t time;
    ck_view kind;
    int severity;       /* enum ck_severity of the worst that is new; -1: none */
    ck_view image;      /* digest, or empty */
    ck_view name;       /* "docker.io/library/debian:12", or empty */
    ck_view repository; /* or empty */
    ck_view summary;    /* one line for a person; may quote an image: escape it */
    ck_view data;       /* a JSON object, or empty */
};
/* Numbers are given in order. The oldest go behind the last EVENTS. */
CK_MUST ck_err *ck_store_add_events(struct ck_store *s, const struct ck_event *v, size_t n);
struct ck_event_filter {
    uint64_t after, before; /* exclusive; 0: open */
    ck_view kind, image, name, repository; /* or empty */
    int64_t since;
    bool newest_first;
    size_t max; /* 0: all */
};
CK_MUST ck_err *ck_store_events(struct ck_store *s, const struct ck_event_filter *f,
                                ck_err *(*each)(void *ctx, const struct ck_event *e), void *ctx);
CK_MUST ck_err *ck_store_last_event(struct ck_store *s, uint64_t *ret);

struct ck_subscription {
    int64_t id;
    ck_view name;       /* 1 to 64 of [a-z0-9._-] */
    ck_view way;        /* "webhook", "slack", "smtp", "command" */
    ck_view target;     /* URL, address, or absolute path of a program */
    ck_view secret;     /* of the signature, or of the SMTP login; never shown */
    ck_view kinds;      /* "withdrawn,findings"; empty: all */
    ck_view repository; /* glob, or empty: all */
    int severity;       /* at least; -1: any */
    int64_t digest_seconds; /* what comes together in so long goes out together; 0: each for
                               itself */
    bool disabled;
    uint64_t cursor;
    int64_t made;
    uint64_t delivered, failed; /* deliveries that are through, and that were given up */
    int64_t last_time;          /* of the last try */
    ck_view last_error;         /* of the last try, or empty */
    uint64_t waiting;           /* deliveries that are not through; read only */
};
/* New ones (id 0) see events from now on. Of those that are there, cursor and counts stay as they
 * are. Logged. USAGE: the name is taken, or is none; UNAVAILABLE: no such id. */
CK_MUST ck_err *ck_store_put_subscription(struct ck_store *s, const struct ck_subscription *v,
                                          int64_t *ret_id);
CK_MUST ck_err *ck_store_subscriptions(struct ck_store *s, struct ck_arena *a,
                                       struct ck_subscription **ret, size_t *ret_n);
CK_MUST ck_err *ck_store_remove_subscription(struct ck_store *s, int64_t id, bool *ret_was);

/* One thing to be sent: one event, or several in a digest. `key` is the idempotency key: the same
 * for each try, unique for ever. */
struct ck_delivery {
    uint64_t number;
    int64_t subscription;
    ck_view key;
    uint64_t *events;
    size_t n_events;
    int64_t due; /* seconds since the epoch */
    unsigned tries;
    int64_t made;
};
/* Moves the subscription's cursor to `cursor` (it must be at `expected`, else nothing is done and
 * *ret_done is false: another process was faster) and makes these deliveries. */
CK_MUST ck_err *ck_store_plan(struct ck_store *s, int64_t subscription, uint64_t expected,
                              uint64_t cursor, const struct ck_delivery *v, size_t n,
                              bool *ret_done);
/* Of subscriptions that are not disabled, the longest due first. *ret_next: when the next one is
 * due after now; 0: none is. */
CK_MUST ck_err *ck_store_due(struct ck_store *s, int64_t now, size_t max, struct ck_arena *a,
                             struct ck_delivery **ret, size_t *ret_n, int64_t *ret_next);
/* `error` empty: it is through, the row goes. Else it is tried again at `due`; 0: given up, the row
 * stays and is counted. */
CK_MUST ck_err *ck_store_delivered(struct ck_store *s, uint64_t number, ck_view error, int64_t now,
                                   int64_t due);

#endif
