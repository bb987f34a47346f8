#include "base/unit.h"
#include "image/image.h"

static const char *normal(const char *text, struct ck_arena *a)
{
    struct ck_platform p;
    assert_ok(ck_platform_parse(ck_view_str(text), &p));
    return ck_platform_text(&p, a);
}

static void names_are_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *given, *want;
    } cases[] = {
        { "linux/amd64", "linux/amd64" },      { "linux/x86_64", "linux/amd64" },
        { "linux/x86-64", "linux/amd64" },     { "linux/amd64/v1", "linux/amd64" },
        { "linux/amd64/v3", "linux/amd64/v3" }, { "linux/aarch64", "linux/arm64" },
        { "linux/arm64/v8", "linux/arm64" },   { "linux/arm64/8", "linux/arm64" },
        { "linux/arm64/v9", "linux/arm64/v9" }, { "linux/arm", "linux/arm/v7" },
        { "linux/arm/6", "linux/arm/v6" },     { "linux/armhf", "linux/arm/v7" },
        { "linux/armel", "linux/arm/v6" },     { "linux/i686", "linux/386" },
        { "linux/s390x", "linux/s390x" },      { "macos/aarch64", "darwin/arm64" },
        { "windows(10.0.17763)/amd64", "windows(10.0.17763)/amd64" },
    };
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(normal(cases[i].given, &a), cases[i].want);
}

static void what_is_no_platform_is_a_usage_error(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "linux", "linux/", "/amd64", "linux/amd64/", "linux/arm/v7/x", "Linux/amd64",
        "linux/am d64", "linux/amd64\n", "linux/amd\xc3\xa9", "windows(/amd64", "windows()/amd64",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ck_platform p = { .os = CK_V("kept") };
        assert_fails(ck_platform_parse(ck_view_str(bad[i]), &p), CK_ERR_USAGE, "platform \"");
        assert_view(p.os, "kept");
    }
}

static int match(const char *want, const char *have)
{
    struct ck_platform w, h = { 0 };
    assert_ok(ck_platform_parse(ck_view_str(want), &w));
    /* as an index gives it: not normalised */
    ck_view rest;
    h.os = ck_view_split(ck_view_str(have), '/', &rest);
    h.architecture = ck_view_split(rest, '/', &h.variant);
    return ck_platform_match(&w, &h);
}

static void absent_variants_match_the_default(void **state)
{
    (void)state;
    int exact = match("linux/amd64", "linux/amd64");
    assert_true(exact > 0);
    assert_int_equal(match("linux/arm64", "linux/arm64/v8"), exact);
    assert_int_equal(match("linux/arm64/v8", "linux/arm64"), exact);
    assert_int_equal(match("linux/arm", "linux/arm/v7"), exact);
    assert_int_equal(match("linux/arm/v7", "linux/arm"), exact);
    assert_int_equal(match("linux/amd64", "linux/x86_64"), exact);
}

static void older_variants_are_worse_matches_and_newer_ones_none(void **state)
{
    (void)state;
    assert_true(match("linux/arm/v7", "linux/arm/v7") > match("linux/arm/v7", "linux/arm/v6"));
    assert_true(match("linux/arm/v7", "linux/arm/v6") > match("linux/arm/v7", "linux/arm/v5"));
    assert_true(match("linux/arm/v7", "linux/arm/v5") > 0);
    assert_int_equal(match("linux/arm/v6", "linux/arm/v7"), 0);
    assert_int_equal(match("linux/amd64", "linux/amd64/v3"), 0);
    assert_true(match("linux/amd64/v3", "linux/amd64/v2") > match("linux/amd64/v3", "linux/amd64"));
    assert_true(match("linux/arm64", "linux/arm/v8") > match("linux/arm64", "linux/arm/v7"));
    assert_true(match("linux/arm64", "linux/arm64") > match("linux/arm64", "linux/arm/v7"));
    assert_true(match("linux/arm64", "linux/arm/v5") > 0);
    assert_true(match("linux/amd64", "linux/386") > 0);
    assert_int_equal(match("linux/386", "linux/amd64"), 0);
    assert_true(match("linux/riscv64", "linux/riscv64/rva23u64") > 0);
    assert_true(match("linux/riscv64", "linux/riscv64") >
                match("linux/riscv64", "linux/riscv64/rva23u64"));
}

static void other_systems_do_not_match(void **state)
{
    (void)state;
    assert_int_equal(match("linux/amd64", "windows/amd64"), 0);
    assert_int_equal(match("linux/amd64", "linux/arm64"), 0);
    assert_int_equal(match("linux/amd64", "unknown/unknown"), 0);
    assert_int_equal(match("linux/amd64", ""), 0);
    struct ck_platform none = { 0 };
    assert_int_equal(ck_platform_match(&none, &none), 0);
}

static void the_host_is_a_platform(void **state)
{
    (void)state;
    struct ck_platform p = ck_platform_host();
    assert_view(p.os, "linux");
    assert_true(ck_platform_match(&p, &p) > 0);
#if defined(__x86_64__)
    assert_view(p.architecture, "amd64");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_normalised),
        cmocka_unit_test(what_is_no_platform_is_a_usage_error),
        cmocka_unit_test(absent_variants_match_the_default),
        cmocka_unit_test(older_variants_are_worse_matches_and_newer_ones_none),
        cmocka_unit_test(other_systems_do_not_match),
        cmocka_unit_test(the_host_is_a_platform),
    };
    return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
