#include "base/text.h"
#include "base/unit.h"
#include "source/listing.h"

static void names_are_sorted_and_stand_once(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_listed l;
    assert_ok(ck_listed_from(CK_V("team/b\nalpine\nteam/a\nalpine\n"), CK_V("r.example:5000"),
                             CK_V(""), &a, &l));
    assert_int_equal(l.n, 3);
    assert_view(l.v[0], "alpine");
    assert_view(l.v[1], "team/a");
    assert_view(l.v[2], "team/b");
    assert_int_equal(l.unusable, 0);
    assert_ok(ck_listed_from(CK_V(""), CK_V("r.example"), CK_V("x"), &a, &l));
    assert_int_equal(l.n, 0);
}

static void attack_names_that_lead_elsewhere(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_listed l;
    static const char evil[] = "../../etc\nUPPER\na:tag\na@sha256:00\n/abs\na//b\n\n"
                               "evil.com:80/x\nok/name\n";
    assert_ok(ck_listed_from(ck_view_str(evil), CK_V("r.example"), CK_V(""), &a, &l));
    assert_int_equal(l.n, 1);
    assert_view(l.v[0], "ok/name");
    assert_int_equal(l.unusable, 8);
    assert_ok(ck_listed_from(CK_V("1.0\n-x\na/b\na:b\nx@sha256:1\nLATEST\n"), CK_V("r.example"),
                             CK_V("ok/name"), &a, &l));
    assert_int_equal(l.n, 2);
    assert_view(l.v[0], "1.0");
    assert_view(l.v[1], "LATEST");
    assert_int_equal(l.unusable, 4);
}

static void listings_stop_at_their_limit(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_listed l;
    for (size_t i = 0; i < CK_MAX_LISTED_NAMES; i++)
        ck_buf_format(&b, "t%zu\n", i);
    assert_ok(ck_listed_from(ck_buf_view(&b), CK_V("r.example"), CK_V("x"), &a, &l));
    assert_int_equal(l.n, CK_MAX_LISTED_NAMES);
    ck_put_bytes(&b, CK_V("more\n"));
    assert_fails(ck_listed_from(ck_buf_view(&b), CK_V("r.example"), CK_V("x"), &a, &l),
                 CK_ERR_LIMIT, "(limit LISTED_NAMES");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_and_stand_once),
        cmocka_unit_test(attack_names_that_lead_elsewhere),
        cmocka_unit_test(listings_stop_at_their_limit),
    };
    return cmocka_run_group_tests_name("listing", tests, NULL, NULL);
}
