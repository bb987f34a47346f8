#include "advisory/cut.h"
#include "advisory/keys.h"
#include "advisory/match_int.h"
#include "advisory/unit_random.h"

static const struct ck_distro debian = { .ecosystem = { (const uint8_t *)"Debian:12", 9 },
                                         .scheme = CK_VERSION_DPKG, .known = true };

static ck_view key_of(const char *ecosystem, enum ck_name_kind kind, const char *name,
                      struct ck_arena *a)
{
    ck_autocut struct ck_cut cut = ck_cut_new();
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_key_put(&out, ck_key_of_name(&cut, ck_view_str(ecosystem), kind, ck_view_str(name)));
    return ck_arena_dup(a, ck_buf_view(&out));
}

static void keys_are_the_lookups_of_the_matcher(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_keys keys;
    struct ck_package p = deb("libssl3", "3.0", "openssl", "3.0");
    ck_match_keys(&debian, &p, &a, &keys);
    assert_int_equal(keys.n, 2);
    assert_true(ck_view_cmp(keys.v[0], keys.v[1]) < 0);
    assert_int_equal(keys.v[0].n, CK_KEY_BYTES);
    assert_true(holds(keys.v, 2, key_of("Debian:12", CK_NAME_SOURCE, "openssl", &a)));
    assert_true(holds(keys.v, 2, key_of("Debian:12", CK_NAME_BINARY, "libssl3", &a)));

    p = deb("linux-image-6.1", "6.1.90-1", "linux-signed-amd64", "6.1.90+1");
    ck_match_keys(&debian, &p, &a, &keys);
    assert_true(holds(keys.v, keys.n, key_of("Debian:12", CK_NAME_SOURCE, "linux", &a)));
}

static void each_ecosystem_of_the_distribution_has_its_keys(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_distro rhel = { .ecosystem = CK_V("Red Hat:enterprise_linux:9"),
                              .scheme = CK_VERSION_RPM, .known = true };
    struct ck_package p = rpm("bash", "5.1-1.el9", "bash", "5.1-1.el9", "");
    ck_view *ecosystems;
    struct ck_keys keys;
    size_t n = ck_distro_ecosystems(&rhel, &a, &ecosystems);
    ck_match_keys(&rhel, &p, &a, &keys);
    assert_int_equal(keys.n, 2 * n);
    assert_true(holds(keys.v, keys.n,
                      key_of("Red Hat:enterprise_linux:9::appstream", CK_NAME_BINARY, "bash", &a)));
}

static void what_is_not_matched_has_no_keys(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_distro unknown = { .scheme = CK_VERSION_DPKG };
    struct ck_package p = rpm("bash", "5", "bash", "5", ""), d = deb("bash", "5", "", "");
    struct ck_keys keys = { .n = 1 };
    ck_match_keys(&debian, &p, &a, &keys);
    assert_int_equal(keys.n, 0);
    ck_match_keys(&unknown, &d, &a, &keys);
    assert_int_equal(keys.n, 0);
    ck_distro_keys(&unknown, &a, &keys);
    assert_int_equal(keys.n, 0);
}

static void a_distribution_has_keys_without_packages(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_distro d = debian;
    struct ck_keys keys;
    ck_distro_keys(&d, &a, &keys);
    assert_int_equal(keys.n, 1);
    d.end_of_life = 1;
    ck_distro_keys(&d, &a, &keys);
    assert_int_equal(keys.n, 2);
}

/* What has none of a package's keys may be taken out of the database: the package is matched as
 * before. What has one is looked up: with a statement about it, the package has a finding. */
static void the_matcher_asks_for_nothing_else(void **state)
{
    (void)state;
    for (uint64_t round = 1; round < 300; round++) {
        ck_autoarena struct ck_arena a = { 0 };
        uint64_t seed = round;
        struct recipe all = random_recipe(&seed), rest = all;
        struct ck_package p = random_package(&seed);
        struct ck_keys keys;
        ck_match_keys(&debian, &p, &a, &keys);
        for (size_t i = 0; i < all.n; i++) {
            struct says *s = &all.says[i];
            s->cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"; /* nothing to ask others */
            s->severity = CK_SEVERITY_LOW;
            s->kev = false;
            rest.says[i] = *s;
            ck_view key = s->name ? key_of(s->ecosystem, s->kind, s->name, &a) : CK_V("");
            if (!holds(keys.v, keys.n, key))
                rest.says[i] = (struct says){ .id = "CVE-1999-1", .name = "other",
                                              .ecosystem = "Debian:12" };
        }
        struct ck_db *db = cook(&all), *less = cook(&rest);
        struct ck_match m, n;
        assert_ok(ck_match_packages(db, &debian, &p, 1, &m));
        assert_ok(ck_match_packages(less, &debian, &p, 1, &n));
        m.n_gaps = n.n_gaps = 0; /* the coverage is another */
        assert_same_match(&m, &n);
        ck_match_free(&m);
        ck_match_free(&n);
        ck_db_close(db);
        ck_db_close(less);
    }
}

static void each_key_is_looked_up(void **state)
{
    (void)state;
    static const char *const names[] = { "a", "b", "c", "libb", "linux", "linux-libc-dev", "z",
                                         "linux-signed-amd64" };
    size_t seen = 0;
    for (uint64_t round = 1; round < 40; round++) {
        ck_autoarena struct ck_arena a = { 0 };
        uint64_t seed = round;
        struct ck_package p = random_package(&seed);
        struct ck_keys keys;
        ck_match_keys(&debian, &p, &a, &keys);
        for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
            struct recipe one = { .n = 1, .built = 1790000000 };
            const char *name = names[i / 2];
            one.says[0] = (struct says){ .id = "CVE-2024-1", .name = name, .fixed = "9",
                                         .ecosystem = "Debian:12",
                                         .kind = (enum ck_name_kind)(i % 2) };
            bool asked = holds(keys.v, keys.n, key_of("Debian:12", one.says[0].kind, name, &a));
            struct ck_db *db = cook(&one);
            struct ck_match m;
            assert_ok(ck_match_packages(db, &debian, &p, 1, &m));
            assert_int_equal(m.n_findings + m.n_suppressed, asked);
            seen += asked;
            ck_match_free(&m);
            ck_db_close(db);
        }
    }
    assert_true(seen > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_the_lookups_of_the_matcher),
        cmocka_unit_test(each_ecosystem_of_the_distribution_has_its_keys),
        cmocka_unit_test(what_is_not_matched_has_no_keys),
        cmocka_unit_test(a_distribution_has_keys_without_packages),
        cmocka_unit_test(the_matcher_asks_for_nothing_else),
        cmocka_unit_test(each_key_is_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
