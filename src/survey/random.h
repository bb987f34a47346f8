/* Numbers that a seed gives: xoshiro256** 1.0 (Blackman and Vigna), its state filled by splitmix64.
 * Not for secrets: so that whoever has a survey's seed can draw its sample again.
 */
#ifndef CK_SURVEY_RANDOM_H
#define CK_SURVEY_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct ck_random {
    uint64_t s[4];
};
uint64_t ck_splitmix64(uint64_t *state);
struct ck_random ck_random_of(uint64_t seed);
uint64_t ck_random_next(struct ck_random *r);
/* 0 .. n-1, each as likely as any other; n > 0. */
uint64_t ck_random_below(struct ck_random *r, uint64_t n);

/* Moves a random sample of `k` of the `n` numbers in `v` to its front, without replacement, in
 * random order. */
void ck_random_sample(struct ck_random *r, size_t *v, size_t n, size_t k);

#endif
