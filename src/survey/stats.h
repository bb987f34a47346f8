/* What a sample says of all that it was drawn from.
 *
 * The interval of a share is the exact one for draws without replacement: all numbers K of `yes` in
 * the population with which neither so few nor so many in the sample would come less often than in
 * 2.5 of 100 draws (hypergeometric distribution, the tails of Clopper and Pearson). It covers the
 * truth in at least 95 of 100 surveys whatever the share and the sizes are, which Wilson's does on
 * average only, and becomes the share itself where everything was drawn.
 */
#ifndef CK_SURVEY_STATS_H
#define CK_SURVEY_STATS_H

#include <stddef.h>
#include <stdint.h>

struct ck_share {
    uint64_t yes, of, population; /* population >= of */
    double share, low, high; /* 0 .. 1; of nothing: 0, 0, 1 */
};
struct ck_share ck_share_of(uint64_t yes, uint64_t of, uint64_t population);

/* Wilson's score interval with the finite population correction n (N-1) / (N-n); for comparison.
 * population 0: not known, endless. */
void ck_wilson(uint64_t yes, uint64_t of, uint64_t population, double *ret_low, double *ret_high);

/* The middle one, of an even number the lower of the two; v is sorted by it. 0 of none. */
int64_t ck_median(int64_t *v, size_t n);

#endif
