#include "base/text.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void ck_buf_format(struct ck_buf *b, const char *fmt, ...)
{
    char text[256]; /* nearly all fit, and are formatted once */
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    if ((size_t)n < sizeof text) {
        ck_put_bytes(b, ck_view_of(text, (size_t)n));
        return;
    }
    char *p = (char *)ck_buf_room(b, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->n += (size_t)n;
}

void ck_buf_decimal(struct ck_buf *b, uint64_t x)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + x % 10);
    while (x /= 10);
    ck_put_bytes(b, ck_view_of(digits + at, sizeof digits - at));
}

char *ck_format(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    char *s = ck_calloc((size_t)n + 1, 1);
    va_start(ap, fmt);
    vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}

size_t ck_utf8_next(ck_view v, uint32_t *ret_codepoint)
{
    static const uint32_t smallest[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (v.n == 0)
        return 0;
    uint8_t b = v.p[0];
    size_t len = b < 0x80 ? 1 : b >> 5 == 6 ? 2 : b >> 4 == 14 ? 3 : b >> 3 == 30 ? 4 : 0;
    if (len == 0 || len > v.n)
        return 0;
    uint32_t cp = len == 1 ? b : b & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((v.p[i] & 0xC0) != 0x80)
            return 0;
        cp = cp << 6 | (v.p[i] & 0x3F);
    }
    if (cp < smallest[len] || cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        return 0;
    *ret_codepoint = cp;
    return len;
}

/* How many bytes at the beginning are ASCII. */
static size_t ascii(ck_view v)
{
    size_t n = 0;
    for (uint64_t word; v.n - n >= sizeof word; n += sizeof word) {
        memcpy(&word, v.p + n, sizeof word);
        if (word & 0x8080808080808080)
            break;
    }
    while (n < v.n && v.p[n] < 0x80)
        n++;
    return n;
}

bool ck_utf8_valid(ck_view v)
{
    uint32_t cp;
    for (;;) {
        v = ck_view_from(v, ascii(v));
        if (v.n == 0)
            return true;
        size_t len = ck_utf8_next(v, &cp);
        if (len == 0)
            return false;
        v = ck_view_from(v, len);
    }
}

/* Characters that move the cursor, change colours, or reorder what stands around them. */
static bool is_unsafe(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0x061C || cp == 0x200E || cp == 0x200F ||
           (cp >= 0x2028 && cp <= 0x202E) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xFEFF;
}

void ck_buf_escape(struct ck_buf *b, ck_view v)
{
    while (v.n) {
        uint32_t cp = 0;
        size_t len = ck_utf8_next(v, &cp);
        if (len == 0 || (len == 1 && is_unsafe(cp))) {
            ck_buf_format(b, "\\x%02x", v.p[0]);
            len = 1;
        } else if (is_unsafe(cp)) {
            ck_buf_format(b, "\\u{%x}", cp);
        } else {
            ck_put_bytes(b, ck_view_head(v, len));
        }
        v = ck_view_from(v, len);
    }
}

char *ck_escape(ck_view v)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_escape(&b, v);
    return ck_buf_steal_str(&b);
}

static bool in(uint32_t cp, uint32_t lo, uint32_t hi) { return cp >= lo && cp <= hi; }

size_t ck_text_width(ck_view v)
{
    size_t width = 0;
    while (v.n) {
        uint32_t cp = 0;
        size_t len = ck_utf8_next(v, &cp);
        if (in(cp, 0x300, 0x36F) || in(cp, 0x200B, 0x200D) || in(cp, 0xFE00, 0xFE0F))
            width += 0;
        else if (in(cp, 0x1100, 0x115F) || in(cp, 0x2E80, 0xA4CF) || in(cp, 0xAC00, 0xD7A3) ||
                 in(cp, 0xF900, 0xFAFF) || in(cp, 0xFE30, 0xFE6F) || in(cp, 0xFF00, 0xFF60) ||
                 in(cp, 0x1F300, 0x1FAFF) || in(cp, 0x20000, 0x3FFFD))
            width += 2;
        else
            width += 1;
        v = ck_view_from(v, len ? len : 1);
    }
    return width;
}

static bool json_plain(uint8_t c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

static void json_special(struct ck_buf *b, uint32_t cp, ck_view bytes)
{
    if (cp == '"' || cp == '\\')
        ck_buf_format(b, "\\%c", (char)cp);
    else if (cp == '\n')
        ck_put_bytes(b, CK_V("\\n"));
    else if (cp == '\t')
        ck_put_bytes(b, CK_V("\\t"));
    else if (is_unsafe(cp))
        ck_buf_format(b, "\\u%04x", cp);
    else
        ck_put_bytes(b, bytes);
}

void ck_buf_json_str(struct ck_buf *b, ck_view v)
{
    ck_put_u8(b, '"');
    while (v.n) {
        size_t run = 0;
        while (run < v.n && json_plain(v.p[run]))
            run++;
        ck_put_bytes(b, ck_view_head(v, run));
        v = ck_view_from(v, run);
        if (v.n == 0)
            break;
        uint32_t cp = 0;
        size_t len = ck_utf8_next(v, &cp);
        if (len == 0)
            ck_put_bytes(b, CK_V("\xEF\xBF\xBD"));
        else
            json_special(b, cp, ck_view_head(v, len));
        v = ck_view_from(v, len ? len : 1);
    }
    ck_put_u8(b, '"');
}

void ck_buf_json_or_null(struct ck_buf *b, ck_view v)
{
    if (v.n)
        ck_buf_json_str(b, v);
    else
        ck_put_bytes(b, CK_V("null"));
}

char *ck_url_shown(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host)
        return ck_format("%s", url);
    host += 3;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    return at ? ck_format("%.*s%s", (int)(host - url), url, at + 1) : ck_format("%s", url);
}

char *ck_format_bytes(uint64_t n)
{
    static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    if (n < 1024)
        return ck_format("%llu B", (unsigned long long)n);
    double x = (double)n / 1024;
    size_t i = 0;
    while (x >= 1024 && i < 5) {
        x /= 1024;
        i++;
    }
    return ck_format(x < 10 ? "%.1f %s" : "%.0f %s", x, unit[i]);
}

/* The proleptic Gregorian calendar, by hand: gmtime_r and timegm open /etc/localtime, which no room
 * may. Days since 1970-01-01 of a date, counted in years that begin on the first of March. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *ret_day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *ret_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *ret_year = year + era * 400 + (*ret_month <= 2);
}

void ck_format_time(char out[32], int64_t seconds)
{
    enum { DAY = 86400 };
    int64_t days = seconds / DAY - (seconds % DAY < 0), rest = seconds - days * DAY, year = 0;
    int month = 1, day = 1;
    const int64_t first = -719528, last = 2932896; /* the years 0000 to 9999 */
    if (days < first || days > last)
        days = rest = 0;
    date_of(days, &year, &month, &day);
    unsigned second = (unsigned)rest;
    snprintf(out, 32, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, second / 3600 % 24, second / 60 % 60,
             second % 60);
}

static bool digits(ck_cur *c, size_t n, int lo, int hi, int *ret)
{
    uint64_t x;
    if (!ck_view_u64(ck_cur_take(c, n), &x) || x > (uint64_t)hi || (int)x < lo)
        return false;
    *ret = (int)x;
    return true;
}

static bool offset_of(ck_cur *c, int *ret_minutes)
{
    int h, m;
    uint8_t sign = ck_cur_u8(c);
    *ret_minutes = 0;
    if (sign == 'Z' || sign == 'z')
        return true;
    if ((sign != '+' && sign != '-') || !digits(c, 2, 0, 23, &h) || ck_cur_u8(c) != ':' ||
        !digits(c, 2, 0, 59, &m))
        return false;
    *ret_minutes = (h * 60 + m) * (sign == '-' ? -1 : 1);
    return true;
}

bool ck_parse_time(ck_view v, int64_t *ret_seconds)
{
    ck_cur c = ck_cur_of(v);
    int year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, minutes = 0;
    bool ok = digits(&c, 4, 0, 9999, &year) && ck_cur_u8(&c) == '-' &&
              digits(&c, 2, 1, 12, &month) && ck_cur_u8(&c) == '-' && digits(&c, 2, 1, 31, &day);
    uint8_t t = ok ? ck_cur_u8(&c) : 0;
    ok = ok && (t == 'T' || t == 't' || t == ' ') && digits(&c, 2, 0, 23, &hour) &&
         ck_cur_u8(&c) == ':' && digits(&c, 2, 0, 59, &minute) && ck_cur_u8(&c) == ':' &&
         digits(&c, 2, 0, 60, &second);
    if (ok && ck_cur_left(&c) && v.p[c.at] == '.') {
        ck_cur_skip(&c, 1);
        while (ck_cur_left(&c) && v.p[c.at] >= '0' && v.p[c.at] <= '9')
            ck_cur_skip(&c, 1);
    }
    if (!ok || !offset_of(&c, &minutes) || !ck_cur_ok(&c) || !ck_cur_end(&c))
        return false;
    *ret_seconds =
        days_of(year, month, day) * 86400 + hour * 3600 + (minute - minutes) * 60 + second;
    return true;
}
