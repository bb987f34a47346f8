#include "cmd/times.h"

#include "base/mem.h"
#include "base/text.h"

static int64_t unit_of(uint8_t c)
{
    static const struct {
        uint8_t letter;
        int64_t seconds;
    } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].letter == c)
            return units[i].seconds;
    return 0;
}

ck_err *ck_times_span(const char *text, int64_t *ret)
{
    enum { MOST = 100 * 366 * 24 }; /* hours: a century */
    ck_view v = ck_view_str(text);
    uint64_t n = 0;
    int64_t unit = v.n ? unit_of(v.p[v.n - 1]) : 0;
    if (!unit || !ck_view_u64(ck_view_head(v, v.n - 1), &n) || n == 0 ||
        n > (uint64_t)MOST * 3600 / (uint64_t)unit)
        return ck_err_new(CK_ERR_USAGE, "%s: it is a number of s, m, h, d or w, like 90d", text);
    *ret = (int64_t)n * unit;
    return NULL;
}

ck_err *ck_times_since(const char *text, int64_t now, int64_t *ret)
{
    int64_t span = 0;
    ck_autofree char *midnight = ck_format("%sT00:00:00Z", text);
    if (ck_parse_time(ck_view_str(text), ret) || ck_parse_time(ck_view_str(midnight), ret))
        return NULL;
    ck_err *e = ck_times_span(text, &span);
    if (e) {
        ck_err_free(e);
        return ck_err_new(CK_ERR_USAGE, "%s: it is a span like 7d, a day like 2026-08-01, or a "
                          "time of RFC 3339", text);
    }
    *ret = now - span;
    return NULL;
}
