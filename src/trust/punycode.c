#include "trust/look.h"

/* RFC 3492, section 5. */
enum {
    BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 0x80,
    LAST_CODEPOINT = 0x10FFFF,
};

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    uint32_t k = 0;
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static bool digit_of(uint8_t c, uint32_t *ret)
{
    if (c >= 'a' && c <= 'z')
        *ret = c - 'a';
    else if (c >= 'A' && c <= 'Z')
        *ret = c - 'A';
    else if (c >= '0' && c <= '9')
        *ret = c - '0' + 26u;
    else
        return false;
    return true;
}

/* One generalised variable-length integer, added to *i. */
static bool read_delta(ck_cur *c, uint32_t bias, uint32_t *i)
{
    uint64_t value = *i, weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit;
        uint8_t byte = ck_cur_u8(c);
        if (!ck_cur_ok(c) || !digit_of(byte, &digit))
            return false;
        value += digit * weight;
        if (value > INT32_MAX)
            return false;
        uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (digit < t)
            break;
        weight *= BASE - t;
        if (weight > INT32_MAX)
            return false;
    }
    *i = (uint32_t)value;
    return true;
}

/* The basic characters stand before the last "-". */
static bool read_basic(ck_view label, uint32_t *out, size_t *n, ck_cur *ret_rest)
{
    size_t dash = label.n;
    while (dash && label.p[dash - 1] != '-')
        dash--;
    for (size_t i = 0; i + 1 < dash; i++) {
        if (label.p[i] >= 0x80)
            return false;
        out[i] = label.p[i];
    }
    *n = dash ? dash - 1 : 0;
    *ret_rest = ck_cur_of(ck_view_from(label, dash));
    return true;
}

static void insert(uint32_t *out, size_t *n, size_t at, uint32_t codepoint)
{
    memmove(out + at + 1, out + at, (*n - at) * sizeof *out);
    out[at] = codepoint;
    ++*n;
}

bool ck_punycode_decode(ck_view label, uint32_t out[CK_PUNYCODE_MAX], size_t *ret_n)
{
    uint32_t codepoint = INITIAL_N, i = 0, bias = INITIAL_BIAS;
    size_t n = 0;
    ck_cur rest;
    if (label.n == 0 || label.n > CK_PUNYCODE_MAX || !read_basic(label, out, &n, &rest))
        return false;
    while (!ck_cur_end(&rest)) {
        uint32_t before = i, points = (uint32_t)n + 1;
        if (n == CK_PUNYCODE_MAX || !read_delta(&rest, bias, &i))
            return false;
        bias = adapt(i - before, points, before == 0);
        codepoint += i / points;
        i %= points;
        if (codepoint > LAST_CODEPOINT || (codepoint >= 0xD800 && codepoint <= 0xDFFF))
            return false;
        insert(out, &n, i++, codepoint);
    }
    *ret_n = n;
    return true;
}
