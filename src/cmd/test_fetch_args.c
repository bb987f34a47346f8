#include "base/text.h"
#include "base/unit.h"
#include "cmd/bars.h"
#include "cmd/remote.h"

static void sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        { "1", 1 }, { "500", 500 }, { "7B", 7 }, { "2K", 2048 }, { "2k", 2048 },
        { "3MiB", 3 * CK_MIB }, { "3MB", 3 * CK_MIB }, { "1.5G", 1536 * CK_MIB },
        { "2T", 2048 * CK_GIB },
    };
    static const char *const bad[] = { "", "0", "K", "-1", "1.5", "1.55G", "1,5G", "1 G", "G1",
                                       "99999999999999999999", "16777216T", "1GG", "0x10" };
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(ck_size_parse(good[i].text, &n));
        assert_int_equal(n, good[i].bytes);
    }
    n = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ck_size_parse(bad[i], &n), CK_ERR_USAGE, "is no size");
    assert_int_equal(n, 77);
}

static void bar_is(uint64_t done, uint64_t size, unsigned columns, const char *want)
{
    struct ck_arrival v = { .digest = { .bytes = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab } },
                            .size = size, .done = done };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_bar_line(&v, columns, &out);
    assert_view(ck_buf_view(&out), want);
}

static void bars_fit_their_terminal(void **state)
{
    (void)state;
    bar_is(0, 4096, 40, "0123456789ab [>         ] 0 B of 4.0 KiB");
    bar_is(2048, 4096, 41, "0123456789ab [===>   ] 2.0 KiB of 4.0 KiB");
    bar_is(4096, 4096, 200,
           "0123456789ab [======================================] 4.0 KiB of 4.0 KiB");
    bar_is(2048, 4096, 30, "0123456789ab 2.0 KiB of 4.0 Ki");
    bar_is(2048, 4096, 20, "0123456789ab 2.0 KiB");
    bar_is(0, 0, 60, "0123456789ab [==================================] 0 B of 0 B");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(bars_fit_their_terminal),
    };
    return cmocka_run_group_tests_name("fetch_args", tests, NULL, NULL);
}
