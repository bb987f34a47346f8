#include "cmd/notify_env.h"

#include "base/mem.h"
#include "cmd/times.h"

#include <stdlib.h>

static ck_err *take_span(ck_view v, int64_t most, int64_t *ret)
{
    ck_autofree char *text = ck_strndup(v.p, v.n);
    int64_t span = 0;
    CK_TRY(ck_times_span(text, &span));
    if (span > most)
        return ck_err_new(CK_ERR_USAGE, "%s: it is at most %lld s", text, (long long)most);
    *ret = span;
    return NULL;
}

static ck_err *take_retry(const char *text, struct ck_notify_options *o)
{
    enum { MOST = 7 * 86400, GIVE_UP = 366 * 86400 };
    int64_t first = 0, most = 0, give_up = 0;
    ck_view rest = ck_view_str(text);
    CK_TRY(take_span(ck_view_split(rest, ',', &rest), MOST, &first));
    if (rest.n)
        CK_TRY(take_span(ck_view_split(rest, ',', &rest), MOST, &most));
    if (rest.n)
        CK_TRY(take_span(rest, GIVE_UP, &give_up));
    o->first_seconds = (unsigned)first;
    o->most_seconds = (unsigned)most;
    o->give_up_seconds = give_up;
    return NULL;
}

ck_err *ck_notify_env(struct ck_notify_options *o)
{
    const char *retry = getenv("COCKET_NOTIFY_RETRY"), *timeout = getenv("COCKET_NOTIFY_TIMEOUT"),
               *flood = getenv("COCKET_NOTIFY_FLOOD");
    int64_t seconds = 0;
    uint64_t n = 0;
    if (retry)
        CK_TRY_WRAP(take_retry(retry, o), "COCKET_NOTIFY_RETRY");
    if (timeout)
        CK_TRY_WRAP(take_span(ck_view_str(timeout), CK_MAX_NOTIFY_SECONDS, &seconds),
                    "COCKET_NOTIFY_TIMEOUT");
    if (flood && (!ck_view_u64(ck_view_str(flood), &n) || n == 0 || n > 1000))
        return ck_err_new(CK_ERR_USAGE, "COCKET_NOTIFY_FLOOD %s: it is a number from 1 to 1000",
                          flood);
    o->try_seconds = (unsigned)seconds;
    o->flood = (size_t)n;
    return NULL;
}
