#include "base/mem.h"
#include "base/text.h"
#include "registry/protocol.h"
#include "registry/words.h"

/* --- Link (RFC 8288, section 3) --------------------------------------------------------------- */

struct link {
    ck_view target;
    bool next, has_rel, elsewhere; /* elsewhere: `anchor` gives it another context than this page */
};

static ck_err *link_target(ck_cur *c, ck_view *ret)
{
    if (!ck_words_at(c, '<'))
        return ck_err_at(CK_ERR_HOSTILE, c->at, "no link");
    ck_cur_skip(c, 1);
    ck_view rest = ck_view_from(c->v, c->at);
    size_t n = ck_view_find(rest, '>');
    for (size_t i = 0; i < n; i++)
        if (rest.p[i] <= 0x20 || rest.p[i] >= 0x7F || strchr("<\"\\", rest.p[i]))
            return ck_err_at(CK_ERR_HOSTILE, c->at + i, "a byte that no URL has");
    *ret = ck_cur_take(c, n);
    ck_cur_skip(c, 1);
    return ck_cur_ok(c) ? NULL : ck_err_new(CK_ERR_HOSTILE, "a target that does not end");
}

/* Relation types are separated by blanks. */
static bool has_type(ck_view types, ck_view wanted)
{
    while (types.n)
        if (ck_words_same(ck_view_split(types, ' ', &types), wanted))
            return true;
    return false;
}

static ck_err *link_param(ck_cur *c, struct ck_arena *a, struct link *l)
{
    ck_view value = CK_V("");
    ck_cur_skip(c, 1); /* ';' */
    ck_words_blanks(c);
    ck_view name = ck_words_token(c);
    ck_words_blanks(c);
    if (ck_words_at(c, '=')) {
        ck_cur_skip(c, 1);
        CK_TRY(ck_words_value(c, a, &value));
    }
    if (ck_words_same(name, CK_V("anchor")))
        l->elsewhere = true;
    if (ck_words_same(name, CK_V("rel")) && !l->has_rel) { /* only the first counts */
        l->has_rel = true;
        l->next = has_type(value, CK_V("next"));
    }
    ck_words_blanks(c);
    return NULL;
}

static ck_err *read_link(ck_cur *c, struct ck_arena *a, struct link *l, uint64_t *count)
{
    *l = (struct link){ 0 };
    CK_TRY(link_target(c, &l->target));
    ck_words_blanks(c);
    do {
        if (++*count > CK_MAX_HTTP_PARAMS)
            return ck_err_limit(CK_LIMIT_HTTP_PARAMS, "more at byte %zu", c->at);
        if (ck_words_at(c, ';'))
            CK_TRY(link_param(c, a, l));
    } while (ck_words_at(c, ';'));
    if (!ck_cur_end(c) && !ck_words_at(c, ','))
        return ck_err_at(CK_ERR_HOSTILE, c->at, "a link that goes on without a comma");
    ck_words_commas(c);
    return NULL;
}

static ck_err *find_next(ck_view header, struct ck_arena *a, struct link *ret)
{
    ck_cur c = ck_cur_of(header);
    uint64_t count = 0;
    struct link l;
    CK_TRY(ck_words_check(header));
    ck_words_commas(&c);
    while (!ck_cur_end(&c)) {
        CK_TRY(read_link(&c, a, &l, &count));
        if (l.next && !l.elsewhere && !ret->next)
            *ret = l;
    }
    return NULL;
}

ck_err *ck_link_next(ck_view header, struct ck_arena *a, ck_view *ret_target, bool *ret_found)
{
    struct link next = { 0 };
    CK_TRY_WRAP(find_next(header, a, &next), "Link");
    *ret_found = next.next;
    if (next.next)
        *ret_target = ck_arena_dup(a, next.target);
    return NULL;
}

/* --- Retry-After (RFC 9110, sections 5.6.7 and 10.2.3) ---------------------------------------- */

/* Two or four digits; %e takes a blank for the first one. */
static bool number(ck_cur *c, size_t width, bool blank, uint64_t *ret)
{
    if (blank && ck_words_at(c, ' ')) {
        ck_cur_skip(c, 1);
        width--;
    }
    return ck_view_u64(ck_cur_take(c, width), ret);
}

static bool month(ck_cur *c, uint64_t *ret)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    ck_view name = ck_cur_take(c, 3);
    for (size_t m = 0; m < 12; m++) {
        if (ck_view_eq(name, ck_view_of(names + 3 * m, 3))) {
            *ret = m + 1;
            return true;
        }
    }
    return false;
}

struct date {
    uint64_t century, year, month, day, hour, minute, second;
};

static bool date_part(ck_cur *c, char what, struct date *d)
{
    switch (what) {
    case 'a': return ck_words_token(c).n > 0; /* the day's name says nothing new */
    case 'b': return month(c, &d->month);
    case 'd': return number(c, 2, false, &d->day);
    case 'e': return number(c, 2, true, &d->day);
    case 'C': return number(c, 2, false, &d->century);
    case 'y': return number(c, 2, false, &d->year);
    case 'H': return number(c, 2, false, &d->hour);
    case 'M': return number(c, 2, false, &d->minute);
    case 'S': return number(c, 2, false, &d->second);
    default: return false;
    }
}

static bool read_date(ck_view v, const char *form, struct date *d)
{
    ck_cur c = ck_cur_of(v);
    for (; *form; form++) {
        if (*form == '%' ? !date_part(&c, *++form, d) : ck_cur_u8(&c) != (uint8_t)*form)
            return false;
    }
    return ck_cur_ok(&c) && ck_cur_end(&c);
}

/* The letters of the forms are strftime's. Two digits of a year are of this century. */
static bool date_seconds(ck_view v, int64_t now, int64_t *ret)
{
    static const char *const forms[] = { "%a, %d %b %C%y %H:%M:%S GMT", "%a, %d-%b-%y %H:%M:%S GMT",
                                         "%a %b %e %H:%M:%S %C%y" };
    char today[32];
    ck_format_time(today, now);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct date d = { 0 };
        if (!ck_view_u64(ck_view_of(today, 2), &d.century) || !read_date(v, forms[i], &d))
            continue;
        ck_autofree char *normal =
            ck_format("%02u%02u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)d.century, (unsigned)d.year,
                      (unsigned)d.month, (unsigned)d.day, (unsigned)d.hour, (unsigned)d.minute,
                      (unsigned)d.second);
        return ck_parse_time(ck_view_str(normal), ret);
    }
    return false;
}

/* Some registries write the moment as seconds since 1970 where others write how long. */
static bool is_moment(uint64_t seconds) { return seconds > 1000000000; }

bool ck_retry_after(ck_view header, int64_t now, uint64_t *ret_seconds)
{
    ck_view params;
    ck_view v = ck_view_trim(ck_view_split(ck_view_trim(header), ';', &params));
    uint64_t seconds = 0;
    int64_t then = 0;
    if (v.n == 0)
        return false;
    if (ck_view_u64(v, &seconds) && !is_moment(seconds)) {
        *ret_seconds = seconds;
        return true;
    }
    if (is_moment(seconds) && seconds <= INT64_MAX)
        then = (int64_t)seconds;
    else if (!date_seconds(v, now, &then))
        return false;
    *ret_seconds = then > now ? (uint64_t)(then - now) : 0;
    return true;
}
