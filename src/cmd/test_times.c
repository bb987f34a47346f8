#include "cmd/times.h"

#include "base/unit.h"

static void spans_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = { { "1s", 1 },      { "30m", 1800 },    { "12h", 43200 },
                  { "90d", 7776000 }, { "2w", 1209600 }, { "36600d", 3162240000 } };
    int64_t n = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(ck_times_span(cases[i].text, &n));
        assert_int_equal(n, cases[i].seconds);
    }
    static const char *const bad[] = { "", "d", "0d", "-1d", "90", "1 d", "1y", "36601d",
                                       "99999999999999999999d", "1.5h" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ck_times_span(bad[i], &n), CK_ERR_USAGE, "like 90d");
}

static void since_is_a_span_a_day_or_a_time(void **state)
{
    (void)state;
    int64_t n = 0;
    assert_ok(ck_times_since("1h", 10000, &n));
    assert_int_equal(n, 6400);
    assert_ok(ck_times_since("1970-01-02", 10000, &n));
    assert_int_equal(n, 86400);
    assert_ok(ck_times_since("1970-01-01T01:00:00+01:00", 10000, &n));
    assert_int_equal(n, 0);
    assert_fails(ck_times_since("yesterday", 10000, &n), CK_ERR_USAGE, "a day like");
    assert_fails(ck_times_since("1970-13-02", 10000, &n), CK_ERR_USAGE, "a day like");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_have_units),
        cmocka_unit_test(since_is_a_span_a_day_or_a_time),
    };
    return cmocka_run_group_tests_name("times", tests, NULL, NULL);
}
