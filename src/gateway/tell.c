/* Notifications, as the gate sends them. */
#include "gateway/core.h"

#include "base/text.h"

static void counted(void *ctx, enum ck_notify_result result)
{
    ck_autofree char *metric = ck_format("cocket_notifications_total{result=\"%s\"}",
                                         ck_notify_result_name(result));
    ck_gateway_count(ctx, metric, 1);
}

static void waiting(void *ctx, uint64_t deliveries)
{
    struct ck_gateway *g = ctx;
    uint64_t was = atomic_exchange(&g->core->waiting, deliveries);
    ck_gateway_count(g, "cocket_notifications_waiting", (int64_t)(deliveries - was));
}

static void failed(void *ctx, const char *subscription, const char *error)
{
    ck_gateway_say(ctx, "notification-failed", "subscription", subscription, "error", error, NULL);
}

ck_err *ck_tell_start(struct ck_gateway *g)
{
    struct ck_notify_options o = g->o->notify;
    o.no_sandbox = g->o->scan.no_sandbox;
    o.counted = counted;
    o.waiting = waiting;
    o.failed = failed;
    o.ctx = g;
    return ck_notifier_start(g->store, &o, &g->core->notifier);
}

void ck_tell_stop(struct ck_gateway *g)
{
    ck_notifier_stop(g->core->notifier);
    g->core->notifier = NULL;
}
