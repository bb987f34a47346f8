#include "base/view.h"

int ck_view_cmp(ck_view a, ck_view b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c)
        return c < 0 ? -1 : 1;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool ck_view_ends(ck_view v, ck_view suffix)
{
    return v.n >= suffix.n && ck_view_eq(ck_view_from(v, v.n - suffix.n), suffix);
}

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

ck_view ck_view_trim(ck_view v)
{
    while (v.n && is_blank(v.p[0]))
        v = ck_view_from(v, 1);
    while (v.n && is_blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

size_t ck_view_find(ck_view v, uint8_t c)
{
    const uint8_t *hit = v.n ? memchr(v.p, c, v.n) : NULL;
    return hit ? (size_t)(hit - v.p) : v.n;
}

ck_view ck_view_split(ck_view v, uint8_t c, ck_view *rest)
{
    size_t at = ck_view_find(v, c);
    *rest = at < v.n ? ck_view_from(v, at + 1) : ck_view_from(v, v.n);
    return ck_view_head(v, at);
}

bool ck_view_u64(ck_view v, uint64_t *ret)
{
    uint64_t value = 0;
    if (v.n == 0)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        unsigned digit = v.p[i] - '0';
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

static uint64_t read_uint(ck_cur *c, size_t width, bool big)
{
    ck_view b = ck_cur_take(c, width);
    uint64_t value = 0;
    for (size_t i = 0; i < b.n; i++)
        value = value << 8 | b.p[big ? i : width - 1 - i];
    return value;
}

uint16_t ck_cur_le16(ck_cur *c) { return (uint16_t)read_uint(c, 2, false); }
uint64_t ck_cur_le64(ck_cur *c) { return read_uint(c, 8, false); }
uint16_t ck_cur_be16(ck_cur *c) { return (uint16_t)read_uint(c, 2, true); }
uint32_t ck_cur_be32(ck_cur *c) { return (uint32_t)read_uint(c, 4, true); }
uint64_t ck_cur_be64(ck_cur *c) { return read_uint(c, 8, true); }

ck_view ck_cur_line(ck_cur *c)
{
    if (ck_cur_end(c)) {
        c->bad = true;
        return (ck_view){ NULL, 0 };
    }
    ck_view rest = ck_view_from(c->v, c->at);
    size_t n = ck_view_find(rest, '\n');
    c->at += n < rest.n ? n + 1 : n;
    return ck_view_head(rest, n);
}

ck_view ck_cur_cstr(ck_cur *c)
{
    if (c->bad)
        return (ck_view){ NULL, 0 };
    ck_view rest = ck_view_from(c->v, c->at);
    size_t n = ck_view_find(rest, 0);
    if (n == rest.n) {
        c->bad = true;
        return (ck_view){ NULL, 0 };
    }
    c->at += n + 1;
    return ck_view_head(rest, n);
}
