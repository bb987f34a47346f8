#include "scan/inventory_codec.h"

#include "advisory/keys.h"
#include "base/unit.h"
#include "report/sample.h"

/* What a scan saw whose report this is. Detectors let only UTF-8 through, and find a package in one
 * file; the sample does not. */
static struct ck_seen seen_of(const struct ck_report *r)
{
    for (size_t i = 0; i < r->n_packages; i++)
        r->packages[i].n_locations = 1;
    for (size_t i = 0; i < r->n_packages; i++)
        if (!ck_utf8_valid(r->packages[i].p.version))
            r->packages[i].p.version = r->packages[i].p.source_version = CK_V("1.0");
    return (struct ck_seen){
        .reference = r->reference, .name = CK_V("docker.io/library/x:1"), .digest = r->digest,
        .os = r->os, .architecture = r->architecture, .created = r->created,
        .platforms = r->platforms, .os_release = r->os_release, .layers = r->layers,
        .n_layers = r->n_layers, .packages = r->packages, .n_packages = r->n_packages,
        .gaps = r->gaps, .n_gaps = r->n_gaps,
    };
}

static struct ck_store_inventory kept(const struct ck_seen *s, struct ck_arena *a)
{
    struct ck_store_inventory v;
    ck_seen_encode(s, a, &v);
    return v;
}

static void assert_same_report(const struct ck_seen *x, const struct ck_seen *y)
{
    ck_autobuf struct ck_buf a = ck_buf_new(CK_LIMIT_NONE), b = a;
    struct ck_assessment p, q;
    assert_ok(ck_assess(x, NULL, &p));
    assert_ok(ck_assess(y, NULL, &q));
    assert_ok(ck_report_json(&p.report, &a));
    assert_ok(ck_report_json(&q.report, &b));
    assert_true(ck_view_eq(ck_buf_view(&a), ck_buf_view(&b)));
    ck_assessment_free(&p);
    ck_assessment_free(&q);
}

static void what_was_seen_comes_back(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name_warning warning = { CK_NAME_HOMOGLYPH, CK_V("looks alike"), CK_V("alpine") };
    struct ck_seen s = seen_of(sample_debian()), again = { 0 };
    bool stale = true;
    s.warnings = &warning;
    s.n_warnings = 1;
    s.no_sandbox = true;
    struct ck_store_inventory v = kept(&s, &a);
    assert_ok(ck_seen_decode(&v, &a, &again, &stale));
    assert_false(stale);
    assert_same_report(&s, &again);
    assert_view(again.name, "docker.io/library/x:1");
    assert_int_equal(v.n, s.n_packages + 1);
}

static void packages_of_a_directory_have_no_layer(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_alpine_rootfs()), again = { 0 };
    bool stale = true;
    struct ck_store_inventory v = kept(&s, &a);
    assert_int_equal(v.items[0].layer, UINT32_MAX);
    assert_ok(ck_seen_decode(&v, &a, &again, &stale));
    assert_true(again.packages[0].layer == SIZE_MAX);
    assert_same_report(&s, &again);
}

static void keys_stand_with_packages_and_the_distribution(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_debian());
    struct ck_store_inventory v = kept(&s, &a);
    struct ck_distro d;
    struct ck_keys keys;
    ck_distro_of(&s.os_release, &a, &d);
    ck_match_keys(&d, &s.packages[0].p, &a, &keys);
    assert_true(keys.n > 0);
    assert_int_equal(v.items[0].n_keys, keys.n);
    assert_true(ck_view_eq(v.items[0].keys[0], keys.v[0]));
    ck_distro_keys(&d, &a, &keys);
    assert_int_equal(v.items[v.n - 1].n_keys, keys.n);
}

/* The same package in two releases is looked up under two names. */
static void packages_of_two_releases_are_two(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_debian());
    struct ck_store_inventory v = kept(&s, &a);
    s.os_release.version_id = CK_V("11");
    struct ck_store_inventory w = kept(&s, &a);
    assert_false(ck_view_eq(v.items[0].package, w.items[0].package));
    v.items = w.items; /* the head says 12, the packages 11 */
    bool stale = false;
    struct ck_seen again;
    assert_ok(ck_seen_decode(&v, &a, &again, &stale));
    assert_true(stale);
}

static void other_versions_are_stale(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_debian()), again;
    for (size_t i = 0; i < 3; i++) {
        struct ck_store_inventory v = kept(&s, &a);
        ck_view *changed = i < 2 ? &v.head : &v.items[0].package;
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        bool stale = false;
        ck_view rest = ck_view_from(*changed, i % 2);
        ck_put_bytes(&b, ck_view_head(*changed, i % 2));
        ck_put_u8(&b, i == 2 ? 0xFF : (uint8_t)(rest.p[0] + 1));
        ck_put_bytes(&b, ck_view_from(rest, 1));
        *changed = ck_buf_view(&b);
        assert_ok(ck_seen_decode(&v, &a, &again, &stale));
        assert_true(stale);
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

static void what_is_cut_off_is_damaged(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_debian()), again;
    struct ck_store_inventory v = kept(&s, &a);
    bool stale = false;
    ck_view head = v.head, package = v.items[0].package;
    for (size_t n = 2; n < head.n; n++) {
        v.head = ck_view_head(head, n);
        assert_fails(ck_seen_decode(&v, &a, &again, &stale), CK_ERR_OURS, "");
    }
    v.head = head;
    for (size_t n = 6; n < package.n; n++) {
        v.items[0].package = ck_view_head(package, n);
        assert_fails(ck_seen_decode(&v, &a, &again, &stale), CK_ERR_OURS, "");
    }
}

static void a_layer_that_is_not_there_is_damage(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_debian()), again;
    struct ck_store_inventory v = kept(&s, &a);
    bool stale = false;
    v.items[0].layer = (uint32_t)s.n_layers - 1;
    assert_ok(ck_seen_decode(&v, &a, &again, &stale));
    v.items[0].layer = (uint32_t)s.n_layers;
    assert_fails(ck_seen_decode(&v, &a, &again, &stale), CK_ERR_OURS, "a package");
}

static void layers_at_the_limit_and_one_past_it(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_seen s = seen_of(sample_debian()), again;
    bool stale = false;
    s.n_layers = CK_MAX_LAYERS;
    s.layers = ck_arena_alloc(&a, CK_MAX_LAYERS + 1, sizeof *s.layers);
    struct ck_store_inventory v = kept(&s, &a);
    assert_ok(ck_seen_decode(&v, &a, &again, &stale));
    s.n_layers++;
    v = kept(&s, &a);
    assert_fails(ck_seen_decode(&v, &a, &again, &stale), CK_ERR_OURS, "number of layers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_comes_back),
        cmocka_unit_test(packages_of_a_directory_have_no_layer),
        cmocka_unit_test(keys_stand_with_packages_and_the_distribution),
        cmocka_unit_test(packages_of_two_releases_are_two),
        cmocka_unit_test(other_versions_are_stale),
        cmocka_unit_test(what_is_cut_off_is_damaged),
        cmocka_unit_test(a_layer_that_is_not_there_is_damage),
        cmocka_unit_test(layers_at_the_limit_and_one_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
