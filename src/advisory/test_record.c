#include "advisory/record.h"
#include "base/unit.h"

static struct ck_advisory sample(void)
{
    static ck_view aliases[2], fixes[1], cvss[1], versions[2];
    static struct ck_range ranges[2];
    static struct ck_affected affected[2];
    aliases[0] = CK_V("CVE-2024-1");
    aliases[1] = CK_V("GHSA-2222-3333-4444");
    fixes[0] = CK_V("CVE-2024-2");
    cvss[0] = CK_V("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H");
    versions[0] = CK_V("1.0");
    versions[1] = CK_V("1.1");
    ranges[0] = (struct ck_range){ CK_V("1"), CK_END_FIXED, CK_V("2") };
    ranges[1] = (struct ck_range){ CK_V("3"), CK_END_OPEN, CK_V("") };
    affected[0] = (struct ck_affected){
        .ecosystem = CK_V("Debian:12"), .name = CK_V("openssl"), .kind = CK_NAME_SOURCE,
        .module = CK_V("nodejs:18"), .state = CK_FIX_NO_DSA, .severity = CK_SEVERITY_LOW,
        .unimportant = true, .note = CK_V("Minor issue"), .ranges = ranges, .n_ranges = 2,
        .versions = versions, .n_versions = 2 };
    affected[1] = (struct ck_affected){ .ecosystem = CK_V("Wolfi"), .name = CK_V("x") };
    return (struct ck_advisory){
        .id = CK_V("DSA-1-1"), .url = CK_V("https://example.org/1"), .summary = CK_V("bad"),
        .aliases = aliases, .n_aliases = 2, .fixes = fixes, .n_fixes = 1,
        .severity = CK_SEVERITY_HIGH, .severity_text = CK_V("Important"), .cvss = cvss,
        .n_cvss = 1, .published = -5, .modified = 1700000000, .withdrawn = true, .kev = true,
        .affected = affected, .n_affected = 2 };
}

static void test_round_trip(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), again = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory in = sample(), out;
    ck_advisory_encode(&in, &b);
    assert_ok(ck_advisory_decode(ck_buf_view(&b), &a, &out));
    assert_view(out.id, "DSA-1-1");
    assert_view(out.aliases[1], "GHSA-2222-3333-4444");
    assert_view(out.fixes[0], "CVE-2024-2");
    assert_int_equal(out.published, -5);
    assert_true(out.withdrawn && out.kev);
    assert_int_equal(out.affected[0].state, CK_FIX_NO_DSA);
    assert_true(out.affected[0].unimportant);
    assert_int_equal(out.affected[0].ranges[1].end, CK_END_OPEN);
    assert_view(out.affected[0].versions[1], "1.1");
    assert_view(out.affected[1].name, "x");
    ck_advisory_encode(&out, &again);
    assert_true(ck_view_eq(ck_buf_view(&b), ck_buf_view(&again)));
}

/* Whatever is cut off, the record is refused and nothing outside is read. */
static void test_truncated_everywhere(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_advisory in = sample();
    ck_advisory_encode(&in, &b);
    for (size_t n = 0; n < b.n; n++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_advisory out = { .severity = CK_SEVERITY_LOW };
        assert_fails(ck_advisory_decode(ck_view_head(ck_buf_view(&b), n), &a, &out),
                     CK_ERR_HOSTILE, "advisory record");
        assert_int_equal(out.severity, CK_SEVERITY_LOW);
    }
}

static void test_bytes_behind_the_end(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory in = sample(), out;
    ck_advisory_encode(&in, &b);
    ck_put_u8(&b, 0);
    assert_fails(ck_advisory_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "1 bytes too many");
}

static void test_enumeration_out_of_bounds(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        struct ck_advisory in = sample(), out;
        struct ck_affected af = in.affected[1];
        af.state = which == 0 ? CK_FIX_STATE_COUNT_ : CK_FIX_NONE;
        af.kind = which == 1 ? CK_NAME_KIND_COUNT_ : CK_NAME_SOURCE;
        in.severity = which == 2 ? CK_SEVERITY_COUNT_ : CK_SEVERITY_LOW;
        in.affected = &af;
        in.n_affected = 1;
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_autoarena struct ck_arena a = { 0 };
        ck_advisory_encode(&in, &b);
        assert_fails(ck_advisory_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE,
                     "out of bounds");
    }
}

static void test_count_larger_than_the_record(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory out;
    ck_put_u8(&b, 1);
    ck_put_str(&b, CK_V("X-1"));
    ck_put_str(&b, CK_V(""));
    ck_put_str(&b, CK_V(""));
    ck_put_u32(&b, 4000000000); /* aliases */
    assert_fails(ck_advisory_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "out of bounds");
    assert_true(a.used < 4096);
}

static void test_too_many_aliases(void **state)
{
    (void)state;
    size_t n = CK_MAX_ADVISORY_ALIASES + 1;
    ck_view *aliases = calloc(n, sizeof *aliases);
    for (size_t i = 0; i < n; i++)
        aliases[i] = CK_V("a");
    struct ck_advisory in = { .id = CK_V("X-1"), .aliases = aliases, .n_aliases = n }, out;
    for (int over = 1; over >= 0; over--) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_autoarena struct ck_arena a = { 0 };
        in.n_aliases = n - 1 + over;
        ck_advisory_encode(&in, &b);
        if (over)
            assert_fails(ck_advisory_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "count");
        else
            assert_ok(ck_advisory_decode(ck_buf_view(&b), &a, &out));
    }
    free(aliases);
}

static void test_no_id(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory in = { .severity = CK_SEVERITY_LOW }, out;
    ck_advisory_encode(&in, &b);
    assert_fails(ck_advisory_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "no id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_truncated_everywhere),
        cmocka_unit_test(test_bytes_behind_the_end),
        cmocka_unit_test(test_enumeration_out_of_bounds),
        cmocka_unit_test(test_count_larger_than_the_record),
        cmocka_unit_test(test_too_many_aliases),
        cmocka_unit_test(test_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
