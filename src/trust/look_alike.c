#include "trust/look.h"

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

/* --- letters of other scripts ----------------------------------------------------------------- */

/* The letter below the accents, for whole blocks of Unicode; a blank where there is none. */
static const struct {
    uint32_t first;
    const char *base;
} accented[] = {
    { 0xC0, "aaaaaa ceeeeiiiidnooooo ouuuuyp aaaaaa ceeeeiiiidnooooo ouuuuypy"
            "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii  jjkkklllllll"
            "lllnnnnnn nnoooooo  rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs" },
    { 0x180, "b       c   d     f      kl   n oo   p     t t uu   y z         "
             "             aaiioouuuuuuuuuu aaaa   gggkkoooo  j   gg  nnaa    "
             "aaaaeeeeiiiioooorrrruuuusstt  hh d    aaeeooooooooyylntj    c  s"
             "z      e j q r y" },
    { 0x1E00, "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmm"
              "mmmmnnnnnnnnoooooooopppprrrrrrrrssssssssssttttttttuuuuuuuuuuvvvv"
              "wwwwwwwwwwxxxxyyzzzzzzhtwy s    aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeee"
              "eeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy      " },
    /* full width */
    { 0xFF10, "0123456789       abcdefghijklmnopqrstuvwxyz      abcdefghijklmnopqrstuvwxyz" },
};

/* Letters that look like one of ASCII in usual fonts (after Unicode TR 39's confusables), by
 * code point. */
static const struct {
    uint32_t codepoint;
    char like;
} confusable[] = {
    { 0x0251, 'a' }, { 0x0261, 'g' }, { 0x0262, 'g' }, { 0x0269, 'i' }, { 0x026A, 'i' },
    { 0x026F, 'w' }, { 0x0274, 'n' }, { 0x0280, 'r' }, { 0x028B, 'u' }, { 0x028F, 'y' },
    { 0x03B1, 'a' }, { 0x03B2, 'b' }, { 0x03B3, 'y' }, { 0x03B4, 'd' }, { 0x03B5, 'e' },
    { 0x03B7, 'n' }, { 0x03B9, 'i' }, { 0x03BA, 'k' }, { 0x03BC, 'u' }, { 0x03BD, 'v' },
    { 0x03BF, 'o' }, { 0x03C0, 'n' }, { 0x03C1, 'p' }, { 0x03C3, 'o' }, { 0x03C4, 't' },
    { 0x03C5, 'u' }, { 0x03C7, 'x' }, { 0x03C9, 'w' }, { 0x03F2, 'c' }, { 0x03F3, 'j' },
    { 0x0430, 'a' }, { 0x0432, 'b' }, { 0x0433, 'r' }, { 0x0435, 'e' }, { 0x0437, '3' },
    { 0x0438, 'u' }, { 0x043A, 'k' }, { 0x043C, 'm' }, { 0x043D, 'h' }, { 0x043E, 'o' },
    { 0x043F, 'n' }, { 0x0440, 'p' }, { 0x0441, 'c' }, { 0x0442, 't' }, { 0x0443, 'y' },
    { 0x0445, 'x' }, { 0x0446, 'u' }, { 0x044C, 'b' }, { 0x0450, 'e' }, { 0x0451, 'e' },
    { 0x0453, 'r' }, { 0x0454, 'e' }, { 0x0455, 's' }, { 0x0456, 'i' }, { 0x0457, 'i' },
    { 0x0458, 'j' }, { 0x045B, 'h' }, { 0x045C, 'k' }, { 0x045E, 'y' }, { 0x0461, 'w' },
    { 0x0475, 'v' }, { 0x0491, 'r' }, { 0x049B, 'k' }, { 0x04AB, 'c' }, { 0x04AF, 'y' },
    { 0x04B3, 'x' }, { 0x04BB, 'h' }, { 0x04BD, 'e' }, { 0x04CF, 'l' }, { 0x0501, 'd' },
    { 0x050D, 'g' }, { 0x051B, 'q' }, { 0x051D, 'w' }, { 0x0566, 'q' }, { 0x0570, 'h' },
    { 0x0578, 'n' }, { 0x057D, 'u' }, { 0x0581, 'g' }, { 0x0585, 'o' }, { 0x05D5, 'l' },
    { 0x05D8, 'v' }, { 0x05E1, 'o' }, { 0x0665, 'o' }, { 0x06F5, 'o' }, { 0x0966, 'o' },
    { 0x0D20, 'o' }, { 0x10E7, 'y' }, { 0x1D0F, 'o' }, { 0x1D20, 'v' }, { 0x1D21, 'w' },
    { 0x1D22, 'z' }, { 0xA731, 's' },
};

/* 0 where it resembles nothing. */
static uint8_t resembles(uint32_t codepoint)
{
    if (codepoint < 0x80)
        return lower((uint8_t)codepoint);
    for (size_t i = 0; i < sizeof accented / sizeof *accented; i++)
        if (codepoint >= accented[i].first &&
            codepoint - accented[i].first < strlen(accented[i].base)) {
            char c = accented[i].base[codepoint - accented[i].first];
            return c == ' ' ? 0 : (uint8_t)c;
        }
    for (size_t i = 0; i < sizeof confusable / sizeof *confusable; i++)
        if (confusable[i].codepoint == codepoint)
            return (uint8_t)confusable[i].like;
    return 0;
}

/* --- hosts ------------------------------------------------------------------------------------ */

static bool put(struct ck_look *l, uint8_t c)
{
    if (l->n == CK_LOOK_MAX)
        return false;
    l->p[l->n++] = c;
    return true;
}

static bool put_lower(struct ck_look *l, ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!put(l, lower(v.p[i])))
            return false;
    return true;
}

/* What resembles nothing becomes a character that no known host has. */
static bool put_decoded(struct ck_look *l, ck_view label)
{
    uint32_t points[CK_PUNYCODE_MAX];
    size_t n;
    if (!ck_punycode_decode(label, points, &n))
        return false;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = resembles(points[i]);
        if (!put(l, c ? c : '?'))
            return false;
    }
    return true;
}

static bool is_ace(ck_view label)
{
    return label.n > 4 && lower(label.p[0]) == 'x' && lower(label.p[1]) == 'n' &&
           label.p[2] == '-' && label.p[3] == '-';
}

enum ck_look_host_result ck_look_host(ck_view host, struct ck_look *ret)
{
    enum ck_look_host_result result = CK_LOOK_PLAIN;
    ck_view rest = host;
    ret->n = 0;
    if (host.n && host.p[0] != '[') /* an IPv6 address stays whole */
        rest = ck_view_head(host, ck_view_find(host, ':'));
    for (bool first = true; rest.n; first = false) {
        ck_view label = ck_view_split(rest, '.', &rest);
        if (!first && !put(ret, '.'))
            return CK_LOOK_BROKEN;
        if (is_ace(label))
            result = CK_LOOK_DECODED;
        if (is_ace(label) ? !put_decoded(ret, ck_view_from(label, 4)) : !put_lower(ret, label))
            return CK_LOOK_BROKEN;
    }
    return result;
}

/* --- skeletons -------------------------------------------------------------------------------- */

static const struct {
    char pair[3];
    char like;
} pairs[] = { { "rn", 'm' }, { "vv", 'w' }, { "cl", 'd' } };

static const char single[128] = {
    ['0'] = 'o', ['1'] = 'l', ['i'] = 'l', ['3'] = 'e', ['4'] = 'a',
    ['5'] = 's', ['7'] = 't', ['8'] = 'b', ['9'] = 'g',
};

static uint8_t pair_like(ck_view v, size_t at)
{
    if (at + 1 < v.n)
        for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
            if (v.p[at] == (uint8_t)pairs[i].pair[0] && v.p[at + 1] == (uint8_t)pairs[i].pair[1])
                return (uint8_t)pairs[i].like;
    return 0;
}

/* The next character of a skeleton; *at moves on. */
static uint8_t next_like(ck_view v, size_t *at)
{
    uint8_t c = v.p[*at], pair = c == 'r' || c == 'v' || c == 'c' ? pair_like(v, *at) : 0;
    *at += pair ? 2 : 1;
    return pair ? pair : c < 128 && single[c] ? (uint8_t)single[c] : c;
}

bool ck_look_skeleton(ck_view v, struct ck_look *ret)
{
    ret->n = 0;
    if (v.n > CK_LOOK_MAX)
        return false;
    for (size_t at = 0; at < v.n;)
        ret->p[ret->n++] = next_like(v, &at);
    return true;
}

bool ck_look_has_skeleton(ck_view v, const struct ck_look *skeleton)
{
    size_t at = 0, n = 0;
    while (at < v.n && n < skeleton->n && next_like(v, &at) == skeleton->p[n])
        n++;
    return at == v.n && n == skeleton->n;
}
