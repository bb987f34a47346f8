#include "serve/hash.h"

#include <stdlib.h>
#include <sys/random.h>

uint64_t ck_hash_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        abort();
    return seed;
}

__extension__ typedef unsigned __int128 wide;

static uint64_t mix(uint64_t a, uint64_t b)
{
    wide x = (wide)a * b;
    return (uint64_t)x ^ (uint64_t)(x >> 64);
}

/* Multiply and fold, the seed in both factors. */
uint64_t ck_hash_bytes(uint64_t seed, ck_view v)
{
    uint64_t h = seed ^ v.n * 0x9e3779b97f4a7c15ull;
    while (v.n) {
        uint64_t word = 0;
        size_t n = v.n < 8 ? v.n : 8;
        memcpy(&word, v.p, n);
        h = mix(h ^ word ^ 0xa0761d6478bd642full, seed | 1) ^ (h << 23 | h >> 41);
        v = ck_view_from(v, n);
    }
    return mix(h ^ 0xe7037ed1a0b428dbull, seed ^ 0x8ebc6af09c88c6e3ull);
}
