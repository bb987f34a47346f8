#include "base/base64.h"

void ck_base64_put(struct ck_buf *out, ck_view v)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < v.n; i += 3) {
        size_t have = v.n - i < 3 ? v.n - i : 3;
        uint32_t x = (uint32_t)v.p[i] << 16;
        x |= have > 1 ? (uint32_t)v.p[i + 1] << 8 : 0;
        x |= have > 2 ? v.p[i + 2] : 0;
        for (size_t k = 0; k < 4; k++)
            ck_put_u8(out, k <= have ? (uint8_t)set[x >> (18 - 6 * k) & 63] : '=');
    }
}

/* -1: not of the alphabet. */
static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool ck_base64_decode(ck_view v, bool padded, struct ck_arena *a, ck_view *ret)
{
    if (padded && v.n % 4)
        return false;
    for (int i = 0; i < 2 && v.n && v.p[v.n - 1] == '='; i++)
        v.n--;
    if (v.n % 4 == 1)
        return false;
    uint8_t *out = ck_arena_alloc(a, v.n / 4 * 3 + 4, 1);
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        int x = value_of(v.p[i]);
        if (x < 0)
            return false;
        bits = bits << 6 | (uint32_t)x;
        if (i % 4)
            out[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *ret = ck_view_of(out, n);
    return true;
}
