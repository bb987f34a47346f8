#include "survey/random.h"

uint64_t ck_splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

struct ck_random ck_random_of(uint64_t seed)
{
    struct ck_random r;
    for (size_t i = 0; i < 4; i++)
        r.s[i] = ck_splitmix64(&seed);
    return r;
}

static uint64_t rotate(uint64_t x, unsigned k) { return (x << k) | (x >> (64 - k)); }

uint64_t ck_random_next(struct ck_random *r)
{
    uint64_t *s = r->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

/* What is left of 2^64 behind the last whole multiple of n is drawn again: a plain remainder would
 * prefer small numbers. */
uint64_t ck_random_below(struct ck_random *r, uint64_t n)
{
    uint64_t skip = -n % n, x;
    do
        x = ck_random_next(r);
    while (x < skip);
    return x % n;
}

void ck_random_sample(struct ck_random *r, size_t *v, size_t n, size_t k)
{
    for (size_t i = 0; i < k && i < n; i++) {
        size_t j = i + ck_random_below(r, n - i), other = v[j];
        v[j] = v[i];
        v[i] = other;
    }
}
