/* Who is told of what changed. Events lie in the store, numbered; each subscription has a cursor.
 * Planning turns what lies behind a cursor into deliveries (one event each, or a digest), in one
 * transaction; delivering tries each until its receiver says yes. A process that ends anywhere
 * leaves what is not yet through in the store: every delivery is made at least once, with the same
 * key each time.
 */
#ifndef CK_NOTIFY_NOTIFY_H
#define CK_NOTIFY_NOTIFY_H

#include "store/events.h"

enum ck_notify_result {
    CK_NOTIFY_DELIVERED,
    CK_NOTIFY_FAILED, /* it is tried again */
    CK_NOTIFY_GIVEN_UP,
    CK_NOTIFY_RESULT_COUNT_
};
const char *ck_notify_result_name(enum ck_notify_result r); /* "delivered", "failed", "given_up" */

struct ck_notify_options {
    bool no_sandbox;
    unsigned first_seconds, most_seconds; /* before the second try, doubling, and at most; 0: 10,
                                             3,600. Each is varied by a quarter */
    int64_t give_up_seconds; /* 0: three days */
    unsigned try_seconds;    /* at most NOTIFY_SECONDS; 0: 30 */
    size_t flood;            /* so many deliveries may wait for one receiver; what comes on top of
                                them goes together. 0: 20 */
    /* May be NULL. From any thread. */
    void (*counted)(void *ctx, enum ck_notify_result r);
    void (*waiting)(void *ctx, uint64_t deliveries); /* when the number has changed */
    void (*failed)(void *ctx, const char *subscription, const char *error);
    void *ctx;
};

/* Of a subscription that a person wrote, class USAGE: name, way, target, secret, kinds and pattern
 * must be what they can be. */
CK_MUST ck_err *ck_notify_check(const struct ck_subscription *v);
/* The target without what is secret in it (logins, hooks of chats); escaped. */
const char *ck_notify_shown(const struct ck_subscription *v, struct ck_arena *a);
/* A new secret for signing: "whsec_..." (Standard Webhooks). */
enum { CK_NOTIFY_SECRET_TEXT = 64 };
CK_MUST ck_err *ck_notify_new_secret(char out[CK_NOTIFY_SECRET_TEXT]);
/* "findings", "verdict", ...: NULL behind the last. */
extern const char *const ck_notify_kinds[];

/* Whether the subscription is to hear of it. */
bool ck_notify_wants(const struct ck_subscription *v, const struct ck_event *e);

/* Turns what lies behind the cursors into deliveries that are due at `now`. */
CK_MUST ck_err *ck_notify_plan(struct ck_store *s, const struct ck_notify_options *o, int64_t now);
/* Plans, and sends each that is due at `now` once: several subscriptions at the same time, each
 * with a room of its own. Where another process does that already, nothing is done and *ret_busy
 * is true. */
CK_MUST ck_err *ck_notify_deliver(struct ck_store *s, int64_t now,
                                  const struct ck_notify_options *o, bool *ret_busy);

/* The same all the time, in threads of its own, for as long as the gate runs. Waits for its turn
 * where another process delivers. */
struct ck_notifier;
CK_MUST ck_err *ck_notifier_start(struct ck_store *s, const struct ck_notify_options *o,
                                  struct ck_notifier **ret);
/* There is something new; it looks by itself twice a second. NULL is fine. */
void ck_notifier_wake(struct ck_notifier *n);
/* What is under way is broken off and tried again the next time. NULL is fine. */
void ck_notifier_stop(struct ck_notifier *n);

/* An event of kind "test" for this subscription only, whatever its filter says. */
CK_MUST ck_err *ck_notify_test(struct ck_store *s, ck_view subscription, int64_t now);
/* A feed failed (`failure`: why), or works (`failure` empty): an event where that was not so
 * before. */
CK_MUST ck_err *ck_notify_feed(struct ck_store *s, ck_view feed, ck_view failure, int64_t now);

#endif
