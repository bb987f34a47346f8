/* Which events a subscription wants. */
#include "notify/notify_int.h"

const char *const ck_notify_kinds[] = { "findings", "verdict",  "withdrawn", "moved",
                                        "base",     "feed",     "quarantined", "decision",
                                        "survey",   "undelivered", "test", NULL };

/* One star back at most: time is pattern times text. */
static bool matches(ck_view pattern, ck_view text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.n && pattern.p[p] == text.p[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static bool listed(ck_view list, ck_view word)
{
    while (list.n)
        if (ck_view_eq(ck_view_split(list, ',', &list), word))
            return true;
    return false;
}

/* What has no severity is not held back by one, but for findings: none of them is new then. */
static bool severe(const struct ck_subscription *v, const struct ck_event *e)
{
    if (v->severity < 0 || e->severity >= v->severity)
        return true;
    return e->severity < 0 && !ck_view_eq(e->kind, CK_V("findings"));
}

bool ck_notify_wants(const struct ck_subscription *v, const struct ck_event *e)
{
    if (ck_view_eq(e->kind, CK_V("test")))
        return ck_view_eq(e->name, v->name);
    if (ck_view_eq(e->kind, CK_V("undelivered")) && ck_view_eq(e->name, v->name))
        return false; /* it could not be told before */
    return (v->kinds.n == 0 || listed(v->kinds, e->kind)) && severe(v, e) &&
           (v->repository.n == 0 || matches(v->repository, e->repository));
}
