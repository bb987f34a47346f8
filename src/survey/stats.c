#include "survey/stats.h"

#include <math.h>
#include <stdlib.h>

static const double TAIL = 0.025;
static const double Z = 1.959963984540054; /* the 97.5 % point of the normal distribution */

static double log_factorial(uint64_t n)
{
    int sign;
    return lgamma_r((double)n + 1, &sign);
}

static double log_choose(uint64_t n, uint64_t k)
{
    return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

/* P(from <= X <= to): X of the n that are drawn from N are among the K. */
static double between(uint64_t N, uint64_t K, uint64_t n, uint64_t from, uint64_t to)
{
    double p = 0, all = log_choose(N, n);
    uint64_t least = n > N - K ? n - (N - K) : 0, most = n < K ? n : K;
    for (uint64_t x = from > least ? from : least; x <= to && x <= most; x++)
        p += exp(log_choose(K, x) + log_choose(N - K, n - x) - all);
    return p;
}

/* The smallest K with which `yes` or more is not too unlikely; grows with K. */
static uint64_t lowest(uint64_t yes, uint64_t n, uint64_t N)
{
    uint64_t low = yes, high = N - (n - yes);
    while (low < high) {
        uint64_t K = low + (high - low) / 2;
        if (between(N, K, n, yes, n) > TAIL)
            high = K;
        else
            low = K + 1;
    }
    return low;
}

struct ck_share ck_share_of(uint64_t yes, uint64_t of, uint64_t population)
{
    struct ck_share s = { .yes = yes, .of = of, .population = population, .high = 1 };
    if (!of)
        return s;
    s.share = (double)yes / (double)of;
    s.low = (double)lowest(yes, of, population) / (double)population;
    /* The most that can have it: all but the fewest that have it not. */
    s.high = 1 - (double)lowest(of - yes, of, population) / (double)population;
    if (of == population)
        s.low = s.high = s.share;
    return s;
}

void ck_wilson(uint64_t yes, uint64_t of, uint64_t population, double *ret_low, double *ret_high)
{
    double n = (double)of, N = (double)population, p = (double)yes / n;
    if (population == of) {
        *ret_low = *ret_high = p;
        return;
    }
    if (population)
        n *= (N - 1) / (N - n);
    double middle = p + Z * Z / (2 * n);
    double half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n));
    double low = (middle - half) / (1 + Z * Z / n), high = (middle + half) / (1 + Z * Z / n);
    *ret_low = low < 0 ? 0 : low;
    *ret_high = high > 1 ? 1 : high;
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

int64_t ck_median(int64_t *v, size_t n)
{
    if (!n)
        return 0;
    qsort(v, n, sizeof *v, ascending);
    return v[(n - 1) / 2];
}
