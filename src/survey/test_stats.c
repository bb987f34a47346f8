#include "base/mem.h"
#include "base/unit.h"
#include "survey/random.h"
#include "survey/stats.h"

#include <math.h>

static void assert_near(double got, double want)
{
    if (fabs(got - want) > 0.00006)
        print_error("got %.5f, want %.5f\n", got, want);
    assert_true(fabs(got - want) <= 0.00006);
}

/* Newcombe, Statistics in Medicine 17 (1998), table I: the four examples. */
static void intervals_are_those_of_the_tables(void **state)
{
    (void)state;
    static const struct {
        uint64_t yes, of;
        double wilson[2], exact[2];
    } rows[] = {
        { 81, 263, { .2553, .3662 }, { .2527, .3676 } },
        { 15, 148, { .0624, .1605 }, { .0578, .1617 } },
        { 0, 20, { 0, .1611 }, { 0, .1684 } },
        { 1, 29, { .0061, .1718 }, { .0009, .1776 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double low, high;
        ck_wilson(rows[i].yes, rows[i].of, 0, &low, &high);
        assert_near(low, rows[i].wilson[0]);
        assert_near(high, rows[i].wilson[1]);
        /* An endless population is what the tables are for; a large one is near enough. */
        struct ck_share s = ck_share_of(rows[i].yes, rows[i].of, 10000000);
        assert_near(s.low, rows[i].exact[0]);
        assert_near(s.high, rows[i].exact[1]);
    }
}

static void what_was_drawn_whole_has_no_interval(void **state)
{
    (void)state;
    double low, high;
    struct ck_share s = ck_share_of(50, 200, 200);
    assert_true(s.low == .25 && s.high == .25 && s.share == .25);
    ck_wilson(50, 200, 200, &low, &high);
    assert_true(low == .25 && high == .25);
    s = ck_share_of(0, 0, 10);
    assert_true(s.low == 0 && s.high == 1);
    s = ck_share_of(0, 9, 10); /* one is not known */
    assert_near(s.low, 0);
    assert_near(s.high, .1);
    s = ck_share_of(9, 9, 10);
    assert_near(s.low, .9);
    assert_near(s.high, 1);
}

static void random_numbers_are_those_of_the_reference(void **state)
{
    (void)state;
    static const uint64_t mixed[] = { 0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F };
    static const uint64_t star[] = { 11520, 0, 1509978240, 1215971899390074240 };
    uint64_t state64 = 0;
    struct ck_random r = { { 1, 2, 3, 4 } };
    for (size_t i = 0; i < 3; i++)
        assert_true(ck_splitmix64(&state64) == mixed[i]);
    for (size_t i = 0; i < 4; i++)
        assert_true(ck_random_next(&r) == star[i]);
}

/* Every number as often as any other, and every pair: chi-square, at 1 in 1,000. */
static void samples_are_uniform(void **state)
{
    (void)state;
    enum { N = 10, K = 3, ROUNDS = 30000 };
    struct ck_random r = ck_random_of(42);
    size_t seen[N] = { 0 }, pairs[N][N] = { { 0 } };
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t v[N];
        for (size_t i = 0; i < N; i++)
            v[i] = i;
        ck_random_sample(&r, v, N, K);
        for (size_t i = 0; i < K; i++) {
            seen[v[i]]++;
            for (size_t j = 0; j < i; j++) {
                assert_int_not_equal(v[i], v[j]);
                pairs[v[i] < v[j] ? v[i] : v[j]][v[i] < v[j] ? v[j] : v[i]]++;
            }
        }
    }
    double chi = 0, chi_pairs = 0, want = ROUNDS * (double)K / N,
           want_pair = ROUNDS * (K * (K - 1) / 2.0) / (N * (N - 1) / 2.0);
    for (size_t i = 0; i < N; i++) {
        chi += pow((double)seen[i] - want, 2) / want;
        for (size_t j = i + 1; j < N; j++)
            chi_pairs += pow((double)pairs[i][j] - want_pair, 2) / want_pair;
    }
    assert_true(chi < 27.9);       /* 9 degrees */
    assert_true(chi_pairs < 78.8); /* 44 degrees */
}

static void equal_seeds_draw_equally(void **state)
{
    (void)state;
    struct ck_random a = ck_random_of(7), b = ck_random_of(7), c = ck_random_of(8);
    size_t x[100], y[100], z[100];
    for (size_t i = 0; i < 100; i++)
        x[i] = y[i] = z[i] = i;
    ck_random_sample(&a, x, 100, 100);
    ck_random_sample(&b, y, 100, 100);
    ck_random_sample(&c, z, 100, 100);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
}

/* Draws a survey of n names out of N again and again, of which K have it; how often the interval
 * covers K / N. */
static void cover(struct ck_random *r, size_t N, size_t K, size_t n, size_t rounds,
                  size_t *ret_exact, size_t *ret_wilson)
{
    size_t *v = ck_calloc(N, sizeof *v);
    struct ck_share *kept = ck_calloc(n + 1, sizeof *kept);
    double truth = (double)K / (double)N;
    for (size_t i = 0; i < N; i++)
        v[i] = i;
    for (size_t round = 0; round < rounds; round++) {
        size_t yes = 0;
        double low, high;
        ck_random_sample(r, v, N, n);
        for (size_t i = 0; i < n; i++)
            yes += v[i] < K;
        if (!kept[yes].of)
            kept[yes] = ck_share_of(yes, n, N);
        ck_wilson(yes, n, N, &low, &high);
        *ret_exact += kept[yes].low <= truth + 1e-12 && truth <= kept[yes].high + 1e-12;
        *ret_wilson += low <= truth + 1e-12 && truth <= high + 1e-12;
    }
    free(kept);
    free(v);
}

static void intervals_cover_the_truth(void **state)
{
    (void)state;
    enum { ROUNDS = 2000 };
    static const size_t sizes[][2] = { { 60, 20 },    { 200, 30 },  { 200, 100 }, { 200, 190 },
                                       { 1000, 100 }, { 1000, 400 }, { 5000, 200 } };
    static const double shares[] = { 0, .005, .02, .05, .1, .3, .5, .64, .9, .99, 1 };
    struct ck_random r = ck_random_of(2015);
    size_t worst = ROUNDS, worst_wilson = ROUNDS, all = 0, draws = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
            size_t exact = 0, wilson = 0, N = sizes[i][0];
            cover(&r, N, (size_t)(shares[k] * (double)N + .5), sizes[i][1], ROUNDS, &exact,
                  &wilson);
            worst = exact < worst ? exact : worst;
            worst_wilson = wilson < worst_wilson ? wilson : worst_wilson;
            all += exact;
            draws += ROUNDS;
            assert_true(exact * 100 >= ROUNDS * 94);
        }
    }
    print_message("coverage of %zu draws: %.1f of 100, at least %.1f (Wilson's: at least %.1f)\n",
                  draws, 100. * (double)all / (double)draws, 100. * (double)worst / ROUNDS,
                  100. * (double)worst_wilson / ROUNDS);
}

static void medians_are_in_the_middle(void **state)
{
    (void)state;
    int64_t odd[] = { 9, 1, 5 }, even[] = { 4, 1, 3, 2 };
    assert_int_equal(ck_median(odd, 3), 5);
    assert_int_equal(ck_median(even, 4), 2);
    assert_int_equal(ck_median(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_those_of_the_tables),
        cmocka_unit_test(what_was_drawn_whole_has_no_interval),
        cmocka_unit_test(random_numbers_are_those_of_the_reference),
        cmocka_unit_test(samples_are_uniform),
        cmocka_unit_test(equal_seeds_draw_equally),
        cmocka_unit_test(intervals_cover_the_truth),
        cmocka_unit_test(medians_are_in_the_middle),
    };
    return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
