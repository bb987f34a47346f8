#include "advisory/db_layout.h"


void ck_put_varint(struct ck_buf *b, uint64_t x)
{
    uint8_t *p = ck_buf_room(b, 10);
    size_t n = 0;
    do {
        p[n++] = (uint8_t)((x & 0x7f) | (x > 0x7f ? 0x80 : 0));
        x >>= 7;
    } while (x);
    b->n += n;
}

/* Reads inside the cursor as view.h's functions do; matching reads hundreds of thousands of
 * these. */
uint64_t ck_cur_long_varint(ck_cur *c)
{
    size_t left = ck_cur_left(c);
    const uint8_t *p = left ? c->v.p + c->at : NULL;
    uint64_t x = 0;
    for (size_t i = 0; i < left && i < 10; i++) {
        x |= (uint64_t)(p[i] & 0x7f) << (7 * i);
        if (!(p[i] & 0x80)) {
            c->at += i + 1;
            return x;
        }
    }
    c->bad = true;
    return 0;
}

void ck_put_svarint(struct ck_buf *b, int64_t x)
{
    ck_put_varint(b, ((uint64_t)x << 1) ^ (x < 0 ? UINT64_MAX : 0));
}

int64_t ck_cur_svarint(ck_cur *c)
{
    uint64_t x = ck_cur_varint(c);
    return (int64_t)((x >> 1) ^ (x & 1 ? UINT64_MAX : 0));
}

void ck_put_vstr(struct ck_buf *b, ck_view v)
{
    ck_put_varint(b, v.n);
    ck_put_bytes(b, v);
}

ck_view ck_cur_vstr(ck_cur *c)
{
    uint64_t n = ck_cur_varint(c);
    if (n > ck_cur_left(c)) {
        c->bad = true;
        return (ck_view){ NULL, 0 };
    }
    return ck_cur_take(c, (size_t)n);
}

/* --- Ids --------------------------------------------------------------------------------------
 * A varint first; its low two bits are the form, the rest the form's argument.
 */

enum { ID_RAW /* length */, ID_CVE /* year - 1999 */, ID_GHSA /* 0 */ };

/* The letters of GitHub's ids. */
static const char ghsa_letters[] = "23456789cfghjmpqrvwx";
enum { GHSA_BASE = 20, GHSA_BYTES = 7, GHSA_LENGTH = 19 };

/* "CVE-YYYY-N": the number has at least four digits, more only without leading zeros. */
static bool parse_cve(ck_view id, uint64_t *ret_year, uint64_t *ret_number)
{
    if (!ck_view_starts(id, CK_V("CVE-")) || id.n < 13 || id.n > 20 || id.p[8] != '-')
        return false;
    ck_view digits = ck_view_from(id, 9);
    if (digits.n > 4 && digits.p[0] == '0')
        return false;
    return ck_view_u64(ck_view_of(id.p + 4, 4), ret_year) && ck_view_u64(digits, ret_number) &&
           *ret_year >= 1999;
}

static bool parse_ghsa(ck_view id, uint64_t *ret)
{
    if (!ck_view_starts(id, CK_V("GHSA-")) || id.n != GHSA_LENGTH)
        return false;
    uint64_t x = 0;
    for (size_t i = 5; i < GHSA_LENGTH; i++) {
        if ((i - 5) % 5 == 4) {
            if (id.p[i] != '-')
                return false;
            continue;
        }
        const char *p = id.p[i] ? strchr(ghsa_letters, id.p[i]) : NULL;
        if (!p)
            return false;
        x = x * GHSA_BASE + (uint64_t)(p - ghsa_letters);
    }
    *ret = x;
    return true;
}

void ck_put_id(struct ck_buf *b, ck_view id)
{
    uint64_t year, number;
    if (parse_cve(id, &year, &number)) {
        ck_put_varint(b, (year - 1999) << 2 | ID_CVE);
        ck_put_varint(b, number);
    } else if (parse_ghsa(id, &number)) {
        ck_put_varint(b, ID_GHSA);
        for (int i = 0; i < GHSA_BYTES; i++)
            ck_put_u8(b, (uint8_t)(number >> (8 * i)));
    } else {
        ck_put_varint(b, (uint64_t)id.n << 2 | ID_RAW);
        ck_put_bytes(b, id);
    }
}

static ck_view read_cve(ck_cur *c, uint64_t year, struct ck_arena *a)
{
    uint64_t number = ck_cur_varint(c);
    if (year > 9999 || c->bad) {
        c->bad = true;
        return (ck_view){ NULL, 0 };
    }
    /* Written by hand: reading an erratum of the kernel makes a thousand of these. */
    char digits[24], *s = ck_arena_alloc(a, 32, 1);
    size_t n = 0, k = 9;
    for (uint64_t x = number; x || n < 4; x /= 10)
        digits[n++] = (char)('0' + x % 10);
    memcpy(s, "CVE-0000-", 9);
    for (size_t i = 7; i > 3; i--, year /= 10)
        s[i] = (char)('0' + year % 10);
    while (n)
        s[k++] = digits[--n];
    return ck_view_of(s, k);
}

static ck_view read_ghsa(ck_cur *c, struct ck_arena *a)
{
    ck_view v = ck_cur_take(c, GHSA_BYTES);
    uint64_t x = 0;
    for (size_t i = v.n; i-- > 0;)
        x = x << 8 | v.p[i];
    char *s = ck_arena_alloc(a, GHSA_LENGTH + 1, 1);
    memcpy(s, "GHSA-xxxx-xxxx-xxxx", GHSA_LENGTH);
    for (size_t i = GHSA_LENGTH; i-- > 5;) {
        if ((i - 5) % 5 == 4)
            continue;
        s[i] = ghsa_letters[x % GHSA_BASE];
        x /= GHSA_BASE;
    }
    return ck_view_of(s, GHSA_LENGTH);
}

ck_view ck_cur_id(ck_cur *c, struct ck_arena *a)
{
    uint64_t x = ck_cur_varint(c);
    if (!c->bad && (x & 3) == ID_RAW && x >> 2 <= ck_cur_left(c))
        return ck_cur_take(c, (size_t)(x >> 2));
    if (!c->bad && (x & 3) == ID_CVE && x >> 2 < 9999)
        return read_cve(c, (x >> 2) + 1999, a);
    if (!c->bad && x == ID_GHSA)
        return read_ghsa(c, a);
    c->bad = true;
    return (ck_view){ NULL, 0 };
}

/* --- SipHash-1-3 (Aumasson, Bernstein) -------------------------------------------------------- */

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, unsigned n) { return x << n | x >> (64 - n); }

static void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t m)
{
    s->v3 ^= m;
    sip_round(s);
    s->v0 ^= m;
}

static struct sip sip_begin(const struct ck_db_key *k)
{
    return (struct sip){
        k->k0 ^ 0x736f6d6570736575, k->k1 ^ 0x646f72616e646f6d,
        k->k0 ^ 0x6c7967656e657261, k->k1 ^ 0x7465646279746573,
    };
}

/* Compilers make one load of it. */
static uint64_t le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* Adds a string: whole words, then the rest with the length, so that ("a", "bc") and ("ab", "c")
 * differ. For a single string this is SipHash as published. */
static void sip_add(struct sip *s, ck_view v)
{
    size_t whole = v.n / 8 * 8;
    for (size_t i = 0; i < whole; i += 8)
        sip_word(s, le64(v.p + i));
    uint64_t last = (uint64_t)v.n << 56;
    for (size_t j = whole; j < v.n; j++)
        last |= (uint64_t)v.p[j] << (8 * (j - whole));
    sip_word(s, last);
}

static uint64_t sip_end(struct sip *s)
{
    s->v2 ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t ck_db_hash(const struct ck_db_key *key, ck_view v)
{
    struct sip s = sip_begin(key);
    sip_add(&s, v);
    return sip_end(&s);
}

uint64_t ck_db_package_hash(const struct ck_db_key *key, ck_view ecosystem, enum ck_name_kind kind,
                            ck_view name)
{
    uint8_t k = (uint8_t)kind;
    struct sip s = sip_begin(key);
    sip_add(&s, ecosystem);
    sip_add(&s, ck_view_of(&k, 1));
    sip_add(&s, name);
    return sip_end(&s);
}
