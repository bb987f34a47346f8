#include "advisory/feed/debian_text.h"

#include "base/limits.h"

#include <strings.h>

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_alnum(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static uint8_t peek(const ck_cur *c)
{
    ck_view rest = ck_view_from(c->v, c->at);
    return rest.n ? rest.p[0] : 0;
}

ck_err *ck_deb822_next(struct ck_deb822 *d, struct ck_deb822_field *ret)
{
    *ret = (struct ck_deb822_field){ 0 };
    if (ck_cur_end(&d->c))
        return NULL;
    size_t start = d->c.at;
    ck_view line = ck_cur_line(&d->c);
    d->line++;
    if (ck_view_trim(line).n == 0)
        return NULL;
    size_t colon = ck_view_find(line, ':');
    if (colon == 0 || colon == line.n || is_blank(line.p[0]))
        return ck_err_new(CK_ERR_HOSTILE, "line %zu: no \"Field: value\" (deb822(5))", d->line);
    size_t value = start + colon + 1, end = start + line.n;
    while (!ck_cur_end(&d->c) && is_blank(peek(&d->c))) {
        size_t at = d->c.at;
        end = at + ck_cur_line(&d->c).n;
        d->line++;
    }
    ret->name = ck_view_head(line, colon);
    ret->value = ck_view_trim(ck_view_head(ck_view_from(d->c.v, value), end - value));
    return NULL;
}

bool ck_deb822_is(const struct ck_deb822_field *f, ck_view name)
{
    return f->name.n == name.n &&
           strncasecmp((const char *)f->name.p, (const char *)name.p, name.n) == 0;
}

/* --- Dates ------------------------------------------------------------------------------------ */

/* The next word between blanks. */
static ck_view word(ck_view *rest)
{
    while (rest->n && is_blank(rest->p[0]))
        *rest = ck_view_from(*rest, 1);
    return ck_view_split(*rest, ' ', rest);
}

static bool number(ck_view v, size_t digits_max, uint64_t max, int64_t *ret)
{
    uint64_t n;
    if (v.n == 0 || v.n > digits_max || !ck_view_u64(v, &n) || n > max)
        return false;
    *ret = (int64_t)n;
    return true;
}

static bool month(ck_view v, int64_t *ret)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (size_t m = 0; m < 12; m++)
        if (v.n == 3 && strncasecmp((const char *)v.p, names + 3 * m, 3) == 0) {
            *ret = (int64_t)m + 1;
            return true;
        }
    return false;
}

static bool clock_time(ck_view v, int64_t *ret)
{
    int64_t h, m, s = 0;
    ck_view rest, hh = ck_view_split(v, ':', &rest), ss, mm = ck_view_split(rest, ':', &ss);
    if (!number(hh, 2, 23, &h) || !number(mm, 2, 59, &m) || (ss.n && !number(ss, 2, 60, &s)))
        return false;
    *ret = h * 3600 + m * 60 + s;
    return true;
}

/* "UTC", "GMT", "+0200"; seconds east of Greenwich. */
static bool zone(ck_view v, int64_t *ret)
{
    int64_t hours, minutes;
    *ret = 0;
    if (v.n == 0 || ck_view_eq(v, CK_V("UTC")) || ck_view_eq(v, CK_V("GMT")) ||
        ck_view_eq(v, CK_V("Z")))
        return true;
    if (v.n != 5 || (v.p[0] != '+' && v.p[0] != '-') ||
        !number(ck_view_head(ck_view_from(v, 1), 2), 2, 23, &hours) ||
        !number(ck_view_from(v, 3), 2, 59, &minutes))
        return false;
    *ret = (hours * 3600 + minutes * 60) * (v.p[0] == '-' ? -1 : 1);
    return true;
}

/* Days since the epoch in the proleptic Gregorian calendar, y >= 1. */
static int64_t days(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

bool ck_parse_rfc2822(ck_view text, int64_t *ret)
{
    ck_view rest = ck_view_trim(text), d = word(&rest);
    int64_t day, mon, year, seconds, east;
    if (ck_view_ends(d, CK_V(",")))
        d = word(&rest);
    ck_view m = word(&rest), y = word(&rest), t = word(&rest);
    if (!number(d, 2, 31, &day) || day == 0 || !month(m, &mon) || !number(y, 4, 9999, &year) ||
        year < 1970 || !clock_time(t, &seconds) || !zone(word(&rest), &east))
        return false;
    *ret = days(year, mon, day) * 86400 + seconds - east;
    return true;
}

/* --- Paths and digests ------------------------------------------------------------------------ */

bool ck_archive_path_ok(ck_view path)
{
    if (path.n == 0 || path.n > CK_MAX_PATH)
        return false;
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] <= 0x20 || path.p[i] >= 0x7f || path.p[i] == '\\')
            return false;
    ck_view rest = path;
    do {
        size_t n = ck_view_find(rest, '/');
        ck_view part = ck_view_head(rest, n);
        if (part.n == 0 || ck_view_eq(part, CK_V(".")) || ck_view_eq(part, CK_V("..")))
            return false;
        if (n == rest.n)
            return true;
        rest = ck_view_from(rest, n + 1);
    } while (true);
}

static int hex_digit(uint8_t c)
{
    if (is_digit(c))
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ck_parse_sha256(ck_view hex, uint8_t ret[32])
{
    if (hex.n != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int hi = hex_digit(hex.p[2 * i]), lo = hex_digit(hex.p[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        ret[i] = (uint8_t)(hi << 4 | lo);
    }
    return true;
}

/* --- Changelogs ------------------------------------------------------------------------------- */

static bool is_source_name(ck_view v)
{
    if (v.n == 0 || !is_alnum(v.p[0]))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (!is_alnum(v.p[i]) && v.p[i] != '+' && v.p[i] != '-' && v.p[i] != '.' && v.p[i] != '_')
            return false;
    return true;
}

bool ck_changelog_header(ck_view line, ck_view *ret_source, ck_view *ret_version)
{
    ck_view rest, source = ck_view_split(line, ' ', &rest);
    if (!is_source_name(source) || !ck_view_starts(rest, CK_V("(")))
        return false;
    ck_view tail, version = ck_view_split(ck_view_from(rest, 1), ')', &tail);
    if (version.n == 0 || version.n > CK_MAX_FIELD || source.n > CK_MAX_FIELD ||
        ck_view_find(version, ' ') < version.n || ck_view_find(tail, ';') == tail.n)
        return false;
    *ret_source = source;
    *ret_version = version;
    return true;
}
