#include "base/mem.h"
#include "base/unit.h"
#include "report/sample.h"
#include "survey/result.h"

static void groups_are_told_by_their_names(void **state)
{
    (void)state;
    static const struct {
        const char *path, *official;
        enum ck_survey_group want;
    } rows[] = {
        { "library/alpine", "library/", CK_OFFICIAL }, { "libraryx/alpine", "library/", CK_OTHERS },
        { "alpine", "", CK_OFFICIAL },                 { "team/alpine", "", CK_OTHERS },
        { "a/b/c", "a/", CK_OFFICIAL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(ck_survey_group_of(ck_view_str(rows[i].path),
                                            ck_view_str(rows[i].official)),
                         rows[i].want);
}

static void a_sample_is_split_in_half(void **state)
{
    (void)state;
    static const struct {
        uint64_t sample, official, others, want_official, want_others;
    } rows[] = {
        { 10, 100, 100, 5, 5 },  { 11, 100, 100, 6, 5 }, { 10, 2, 100, 2, 8 },
        { 10, 100, 3, 7, 3 },    { 10, 2, 3, 2, 3 },     { UINT64_MAX, 7, 9, 7, 9 },
        { 1, 0, 9, 0, 1 },       { 1, 5, 5, 1, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ck_survey_plan p = { 0 };
        p.of[CK_OFFICIAL].names = rows[i].official;
        p.of[CK_OTHERS].names = rows[i].others;
        ck_survey_split(rows[i].sample, &p);
        assert_int_equal(p.of[CK_OFFICIAL].drawn, rows[i].want_official);
        assert_int_equal(p.of[CK_OTHERS].drawn, rows[i].want_others);
    }
}

static void what_is_kept_comes_back(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_survey_image in, out;
    ck_survey_image_of(sample_debian(), &a, &in);
    assert_false(in.complete); /* it has gaps */
    assert_int_equal(in.severities[CK_SEVERITY_CRITICAL], 3);
    assert_int_equal(in.n_causes, 3); /* libssl3 and openssl are one source */
    assert_view(in.causes[0].package, "openssl");
    assert_view(in.causes[0].id, "CVE-2025-0001");
    assert_false(ck_survey_clean(&in));
    assert_int_equal(ck_survey_worst(&in), CK_SEVERITY_CRITICAL);
    ck_survey_image_encode(&in, &b);
    assert_ok(ck_survey_image_decode(ck_buf_view(&b), &a, &out));
    assert_int_equal(out.n_causes, 3);
    assert_view(out.causes[2].package, "zlib");
    assert_int_equal(out.created, in.created);
    for (size_t n = 0; n < b.n; n++) { /* cut anywhere it is no image */
        ck_err *e = ck_survey_image_decode(ck_view_head(ck_buf_view(&b), n), &a, &out);
        assert_fails(e, CK_ERR_OURS, "damaged");
    }
}

static void without_a_database_nothing_is_clean(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_survey_image v;
    ck_survey_image_of(sample_rpm_unmatched(), &a, &v);
    assert_false(v.complete);
    assert_false(ck_survey_clean(&v));
    struct ck_report r = *sample_alpine_rootfs(); /* nothing found, one gap */
    ck_survey_image_of(&r, &a, &v);
    assert_false(ck_survey_clean(&v));
    r.n_gaps = 0;
    ck_survey_image_of(&r, &a, &v);
    assert_true(ck_survey_clean(&v));
}

static void a_plan_comes_back(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_survey_plan in = { .official = CK_V("library/"), .sample = UINT64_MAX,
                                 .database = 5, .of = { { 1, 0, 7, 7 }, { 2, 1, 9, 3 } } };
    struct ck_survey_plan out;
    ck_survey_plan_encode(&in, &b);
    assert_ok(ck_survey_plan_decode(ck_buf_view(&b), &out));
    assert_view(out.official, "library/");
    assert_int_equal(out.of[CK_OTHERS].drawn, 3);
    for (size_t n = 0; n < b.n; n++)
        assert_fails(ck_survey_plan_decode(ck_view_head(ck_buf_view(&b), n), &out), CK_ERR_OURS,
                     "damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_told_by_their_names),
        cmocka_unit_test(a_sample_is_split_in_half),
        cmocka_unit_test(what_is_kept_comes_back),
        cmocka_unit_test(without_a_database_nothing_is_clean),
        cmocka_unit_test(a_plan_comes_back),
    };
    return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
