#include "advisory/changes.h"
#include "advisory/unit_random.h"

static const struct ck_distro debian = { .ecosystem = { (const uint8_t *)"Debian:12", 9 },
                                         .scheme = CK_VERSION_DPKG, .known = true,
                                         .end_of_life = 1846022399 /* 2028-06-30 */ };

static struct ck_buf prints_of(const struct recipe *r)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_db *db = cook(r);
    assert_ok(ck_changes_take(db, &b));
    ck_db_close(db);
    return b;
}

static void between(const struct recipe *r, const struct recipe *s, struct ck_arena *a,
                    struct ck_changes *ret)
{
    ck_autobuf struct ck_buf b = prints_of(r), c = prints_of(s);
    assert_ok(ck_changes_between(ck_arena_dup(a, ck_buf_view(&b)),
                                 ck_arena_dup(a, ck_buf_view(&c)), a, ret));
}

static bool concerns(const struct ck_changes *c, const struct ck_package *p)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_keys keys;
    bool any = false;
    ck_match_keys(&debian, p, &a, &keys);
    for (size_t i = 0; i < keys.n; i++)
        any |= holds(c->keys, c->n_keys, keys.v[i]);
    return any;
}

static bool concerns_distro(const struct ck_changes *c)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_keys keys;
    bool any = false;
    ck_distro_keys(&debian, &a, &keys);
    for (size_t i = 0; i < keys.n; i++)
        any |= holds(c->keys, c->n_keys, keys.v[i]);
    return any;
}

static const struct says plain = { .id = "CVE-2024-1", .name = "a", .ecosystem = "Debian:12",
                                   .fixed = "2", .severity = CK_SEVERITY_LOW };

static void the_same_content_is_no_change(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 }, s = r;
    struct ck_changes c;
    s.built += 3600;
    between(&r, &s, &a, &c);
    assert_false(c.everything);
    assert_int_equal(c.n_keys, 0);
    assert_int_equal(c.n_ids, 0);
    assert_true(c.from == r.built && c.to == s.built);
}

static void a_changed_statement_names_its_package(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 }, s = r;
    struct ck_package p = deb("x", "1", "a", "1"), other = deb("y", "1", "b", "1");
    struct ck_changes c;
    s.says[0].fixed = "3";
    between(&r, &s, &a, &c);
    assert_int_equal(c.n_keys, 1);
    assert_true(concerns(&c, &p));
    assert_false(concerns(&c, &other));
    assert_false(concerns_distro(&c));
}

/* The word of an advisory about another package may be the only one on the severity. */
static void a_severity_from_elsewhere_counts(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain, plain }, .n = 2, .built = 1790000000 };
    r.says[0].severity = CK_SEVERITY_UNKNOWN;
    r.says[1].ecosystem = "npm";
    struct recipe s = r;
    s.says[1].severity = CK_SEVERITY_HIGH;
    struct ck_package p = deb("a", "1", "", "");
    struct ck_changes c;
    between(&r, &s, &a, &c);
    assert_true(concerns(&c, &p));
}

static void an_exploited_id_is_named(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 }, s = r;
    struct ck_changes c;
    s.says[s.n++] = (struct says){ .id = "CVE-2024-1", .kev = true };
    between(&r, &s, &a, &c);
    assert_int_equal(c.n_ids, 1);
    assert_view(c.ids[0], "CVE-2024-1");
    between(&s, &r, &a, &c);
    assert_int_equal(c.n_ids, 1);
    between(&s, &s, &a, &c);
    assert_int_equal(c.n_ids, 0);
}

static void coverage_and_the_end_of_support_are_of_the_distribution(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe none = { .n = 0, .built = 1790000000 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 }, s = r;
    struct ck_changes c;
    between(&none, &r, &a, &c);
    assert_true(concerns_distro(&c));
    s.built = debian.end_of_life;
    between(&r, &s, &a, &c);
    assert_false(concerns_distro(&c));
    s.built++;
    between(&r, &s, &a, &c);
    assert_true(concerns_distro(&c));
}

static void a_feed_that_failed_concerns_everybody(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 }, s = r;
    struct ck_changes c;
    s.failure = "no answer";
    between(&r, &s, &a, &c);
    assert_true(c.everything);
    assert_true(c.why.n > 0);
}

static void change_one(struct recipe *r, uint64_t *seed)
{
    size_t i = r->n ? draw(seed, (unsigned)r->n) : 0;
    unsigned how = draw(seed, 5);
    if (how == 0 && r->n >= FEEDS) {
        r->n -= FEEDS;
    } else if (how == 1 && r->n + 1 < RECORDS_MAX) {
        r->says[r->n++] = random_says(seed);
    } else if (how == 2 && r->n) {
        r->says[i].severity = (enum ck_severity)draw(seed, CK_SEVERITY_COUNT_);
    } else if (how == 3 && r->n) {
        r->says[i] = random_says(seed);
    } else {
        r->built += draw(seed, 2) ? 3600 : 100000000;
    }
}

/* What is not concerned is matched alike; whether anything was found in it. */
static bool check_round(uint64_t seed)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = random_recipe(&seed), s = r;
    struct ck_changes c;
    for (unsigned n = 1 + draw(&seed, 2); n; n--)
        change_one(&s, &seed);
    between(&r, &s, &a, &c);
    struct ck_package p[6];
    size_t n = 0;
    for (int i = 0; i < 6; i++) {
        p[n] = random_package(&seed);
        n += !concerns(&c, &p[n]);
    }
    struct ck_db *before = cook(&r), *after = cook(&s);
    struct ck_match m, k;
    assert_ok(ck_match_packages(before, &debian, p, n, &m));
    assert_ok(ck_match_packages(after, &debian, p, n, &k));
    bool all = c.everything || concerns_distro(&c);
    for (size_t i = 0; i < m.n_findings; i++) {
        all |= holds(c.ids, c.n_ids, m.findings[i].id);
        for (size_t j = 0; j < m.findings[i].n_aliases; j++)
            all |= holds(c.ids, c.n_ids, m.findings[i].aliases[j]);
    }
    bool tells = !all && m.n_findings;
    if (!all)
        assert_same_match(&m, &k);
    ck_match_free(&m);
    ck_match_free(&k);
    ck_db_close(before);
    ck_db_close(after);
    return tells;
}

static void what_is_not_named_is_matched_alike(void **state)
{
    (void)state;
    size_t told = 0;
    for (uint64_t round = 1; round < 1500; round++)
        told += check_round(round);
    assert_true(told > 100);
}

/* --- hostile bytes ---------------------------------------------------------------------------- */

static void damage_is_an_error(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain, plain }, .n = 2, .built = 1790000000 };
    struct ck_changes c;
    r.says[1] = (struct says){ .id = "CVE-2024-1", .kev = true };
    ck_autobuf struct ck_buf b = prints_of(&r);
    ck_view whole = ck_buf_view(&b);
    for (size_t n = 0; n < whole.n; n++)
        assert_fails(ck_changes_between(ck_view_head(whole, n), whole, &a, &c), CK_ERR_OURS,
                     "damaged");
    ck_put_u8(&b, 0);
    assert_fails(ck_changes_between(whole, ck_buf_view(&b), &a, &c), CK_ERR_OURS, "their end");
    b.n--;
    memset(b.p + 17, 0xFF, 4);
    assert_fails(ck_changes_between(whole, ck_buf_view(&b), &a, &c), CK_ERR_OURS, "more keys");
}

static void unsorted_keys_are_refused(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 };
    struct ck_changes c;
    ck_autobuf struct ck_buf b = prints_of(&r), good = prints_of(&r);
    memset(b.p + 21, 0xFF, CK_KEY_BYTES); /* the first of two */
    assert_fails(ck_changes_between(ck_buf_view(&good), ck_buf_view(&b), &a, &c), CK_ERR_OURS,
                 "not sorted");
}

static void another_version_is_everything(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 };
    struct ck_changes c;
    ck_autobuf struct ck_buf b = prints_of(&r), good = prints_of(&r);
    b.p[0]++;
    assert_ok(ck_changes_between(ck_buf_view(&b), ck_buf_view(&good), &a, &c));
    assert_true(c.everything);
}

static void the_buffers_limit_holds(void **state)
{
    (void)state;
    struct recipe r = { .says = { plain }, .n = 1, .built = 1790000000 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_USER_NAME);
    struct ck_db *db = cook(&r);
    ck_put_bytes(&b, CK_V("............................"));
    assert_fails(ck_changes_take(db, &b), CK_ERR_LIMIT, "USER_NAME");
    ck_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_content_is_no_change),
        cmocka_unit_test(a_changed_statement_names_its_package),
        cmocka_unit_test(a_severity_from_elsewhere_counts),
        cmocka_unit_test(an_exploited_id_is_named),
        cmocka_unit_test(coverage_and_the_end_of_support_are_of_the_distribution),
        cmocka_unit_test(a_feed_that_failed_concerns_everybody),
        cmocka_unit_test(what_is_not_named_is_matched_alike),
        cmocka_unit_test(damage_is_an_error),
        cmocka_unit_test(unsorted_keys_are_refused),
        cmocka_unit_test(another_version_is_everything),
        cmocka_unit_test(the_buffers_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
