#include "scan/rebuild.h"

#include "advisory/unit_random.h"
#include "scan/image_facts.h"
#include "scan/inventory_codec.h"
#include "store/unit_fixture.h"

enum { NOW = 1800000000 };

static struct ck_report_layer layers[] = {
    { .digest = { (const uint8_t *)"sha256:1", 8 }, .diff_id = { (const uint8_t *)"sha256:2", 8 },
      .size = 7, .created_by = { (const uint8_t *)"RUN x", 5 } },
};

static struct ck_report_package package(struct ck_package p, ck_view *location)
{
    *location = CK_V("var/lib/dpkg/status");
    return (struct ck_report_package){ .p = p, .locations = location, .n_locations = 1 };
}

struct kept {
    struct ck_seen seen;
    struct ck_report_package packages[3];
    ck_view locations[3];
    struct ck_gap gap;
    struct unit_image image;
    struct ck_store_inventory inventory;
};

/* An image of a store, as a scan with this database leaves it. */
static void keep(struct fixture *f, struct kept *k, const struct ck_db *db, int64_t now)
{
    struct ck_assessment x;
    struct ck_facts facts;
    struct ck_image im = { 0 };
    char text[CK_DIGEST_TEXT];
    memset(k, 0, sizeof *k);
    k->image = fetch(f, 1, "docker.io/library/one:1");
    ck_view digest = ck_view_str(ck_digest_text(&k->image.image.digest, text));
    k->packages[0] = package(deb("a", "1", "", ""), &k->locations[0]);
    k->packages[1] = package(deb("libb", "1", "b", "1"), &k->locations[1]);
    k->packages[2] = package(deb("z", "1", "", ""), &k->locations[2]);
    k->gap = (struct ck_gap){ CK_V("rpm"), CK_V("no rpm database could be read") };
    k->seen = (struct ck_seen){
        .reference = CK_V("docker://one:1"), .name = CK_V("docker.io/library/one:1"),
        .digest = ck_arena_dup(&f->arena, digest),
        .os = CK_V("linux"), .architecture = CK_V("amd64"), .layers = layers, .n_layers = 1,
        .os_release = { .id = CK_V("debian"), .version_id = CK_V("12") },
        .packages = k->packages, .n_packages = 3, .gaps = &k->gap, .n_gaps = 1,
    };
    assert_ok(ck_assess(&k->seen, db, &x));
    ck_image_facts_of(&im, &x.report, now, &f->arena, &facts);
    assert_ok(ck_image_facts_keep(f->s, &k->image.image.digest, &facts));
    ck_seen_encode(&k->seen, &f->arena, &k->inventory);
    k->inventory.matched = ck_db_built(db);
    assert_ok(ck_store_put_inventory(f->s, &k->image.image.digest, &k->inventory));
    ck_assessment_free(&x);
}

static void drop(struct kept *k) { unit_image_free(&k->image); }

static struct recipe recipe_of(const char *fixed, int64_t built)
{
    return (struct recipe){
        .says = { { .id = "CVE-2024-1", .name = "b", .ecosystem = "Debian:12", .fixed = fixed,
                    .severity = CK_SEVERITY_HIGH } },
        .n = 1, .built = built,
    };
}

static struct ck_db *db_of(const char *fixed, int64_t built)
{
    struct recipe r = recipe_of(fixed, built);
    return cook(&r);
}

static struct ck_rebuilt *rebuilt(struct fixture *f, const struct kept *k, const struct ck_db *db,
                                  int64_t now)
{
    struct ck_rebuild_options o = { .db = db, .now = now };
    struct ck_rebuilt *r = NULL;
    assert_ok(ck_rebuild(f->s, &k->image.image.digest, &o, &r));
    return r;
}

static void assert_report_of(const struct ck_rebuilt *r, const struct kept *k,
                             const struct ck_db *db)
{
    ck_autobuf struct ck_buf got = ck_buf_new(CK_LIMIT_NONE), want = got;
    struct ck_assessment x;
    assert_ok(ck_assess(&k->seen, db, &x));
    assert_ok(ck_report_json(&x.report, &want));
    assert_ok(ck_report_json(ck_rebuilt_report(r), &got));
    assert_true(ck_view_eq(ck_buf_view(&got), ck_buf_view(&want)));
    ck_assessment_free(&x);
}

static void a_report_is_the_scans_own(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of(NULL, 1790000000), *b = db_of("2", 1790003600);
    struct kept k;
    keep(f, &k, a, NOW);
    struct ck_rebuilt *r = rebuilt(f, &k, b, NOW + 100);
    assert_non_null(r);
    assert_report_of(r, &k, b);
    assert_int_equal(ck_rebuilt_matched(r), 1790000000);
    assert_int_equal(ck_rebuilt_before(r)->findings[0].fix_state, CK_FIX_NONE);
    assert_int_equal(ck_rebuilt_facts(r)->findings[0].fix_state, CK_FIX_FIXED);
    assert_int_equal(ck_rebuilt_facts(r)->database_built, 1790003600);
    assert_int_equal(ck_rebuilt_facts(r)->scanned, NOW);
    assert_int_equal(ck_rebuilt_facts(r)->findings[0].fixed_since, NOW + 100);
    ck_rebuilt_free(r);
    r = rebuilt(f, &k, NULL, NOW);
    assert_report_of(r, &k, NULL);
    ck_rebuilt_free(r);
    ck_db_close(a);
    ck_db_close(b);
    drop(&k);
}

static void the_day_of_a_fix_stays(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of("2", 1790000000), *b = db_of("2", 1790003600);
    struct kept k;
    keep(f, &k, a, NOW);
    struct ck_rebuilt *r = rebuilt(f, &k, b, NOW + 100);
    assert_int_equal(ck_rebuilt_facts(r)->findings[0].fixed_since, NOW);
    ck_rebuilt_free(r);
    ck_db_close(a);
    ck_db_close(b);
    drop(&k);
}

static void what_is_written_says_whether_anything_changed(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of(NULL, 1790000000), *same = db_of(NULL, 1790003600);
    struct ck_db *b = db_of("2", 1790003600);
    struct ck_store_rematch v;
    struct kept k;
    keep(f, &k, a, NOW);
    struct ck_rebuilt *r = rebuilt(f, &k, same, NOW);
    ck_rebuilt_rematch(r, CK_QUARANTINED, &v);
    assert_false(v.changed);
    assert_false(v.decide);
    ck_rebuilt_free(r);

    r = rebuilt(f, &k, b, NOW);
    ck_rebuilt_rematch(r, CK_QUARANTINED, &v);
    assert_true(v.changed);
    assert_int_equal(v.n_ids, 1);
    assert_view(v.ids[0], "CVE-2024-1");
    assert_int_equal(v.summary->severities[CK_SEVERITY_HIGH], 1);
    assert_int_equal(v.summary->fixable, 1);
    assert_int_equal(v.summary->packages, 3);
    assert_false(v.summary->complete);
    assert_ok(ck_store_rematched(f->s, 1790003600, &v, 1));
    ck_rebuilt_free(r);

    r = rebuilt(f, &k, b, NOW);
    ck_rebuilt_rematch(r, CK_QUARANTINED, &v);
    assert_false(v.changed);
    assert_int_equal(ck_rebuilt_matched(r), 1790003600);
    ck_rebuilt_free(r);
    ck_db_close(a);
    ck_db_close(b);
    ck_db_close(same);
    drop(&k);
}

static void a_policy_decides_by_the_new_facts(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of("1", 1790000000), *b = db_of("2", 1790003600);
    struct ck_policy *p = NULL;
    struct ck_rebuilt *r = NULL;
    struct ck_store_rematch v;
    struct kept k;
    assert_ok(ck_policy_parse(CK_V("version: 1\ndefault: allow\nrules:\n  - name: none\n"
                                   "    require:\n      severity: { at-most: medium, otherwise: "
                                   "deny }\n"),
                              "policy", &p));
    keep(f, &k, a, NOW);
    struct ck_rebuild_options o = { .db = a, .policy = p, .now = NOW };
    assert_ok(ck_rebuild(f->s, &k.image.image.digest, &o, &r));
    ck_rebuilt_rematch(r, CK_CLEARED, &v);
    assert_false(v.decide);
    assert_view(ck_rebuilt_report(r)->decision, "allow");
    ck_rebuilt_free(r);
    o.db = b;
    assert_ok(ck_rebuild(f->s, &k.image.image.digest, &o, &r));
    ck_rebuilt_rematch(r, CK_CLEARED, &v);
    assert_true(v.decide && v.changed);
    assert_int_equal(v.state, CK_DENIED);
    assert_true(v.reason.n > 0);
    ck_rebuilt_free(r);
    ck_policy_free(p);
    ck_db_close(a);
    ck_db_close(b);
    drop(&k);
}

static void what_another_version_kept_is_scanned_again(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of("2", 1790000000);
    struct kept k;
    keep(f, &k, a, NOW);
    ck_autobuf struct ck_buf head = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&head, k.inventory.head);
    head.p[1]++; /* the detectors' version */
    k.inventory.head = ck_buf_view(&head);
    assert_ok(ck_store_put_inventory(f->s, &k.image.image.digest, &k.inventory));
    assert_null(rebuilt(f, &k, a, NOW));
    ck_db_close(a);
    drop(&k);
}

static void without_facts_or_inventory_there_is_nothing(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of("2", 1790000000);
    struct unit_image other = fetch(f, 2, "docker.io/library/two:1");
    struct kept k;
    keep(f, &k, a, NOW);
    assert_ok(ck_store_put_facts(f->s, &k.image.image.digest, CK_V(""), NULL, 0, CK_V("")));
    assert_null(rebuilt(f, &k, a, NOW));
    drop(&k);
    k.image = other;
    assert_null(rebuilt(f, &k, a, NOW));
    drop(&k);
    ck_db_close(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_report_is_the_scans_own),
        T(the_day_of_a_fix_stays),
        T(what_is_written_says_whether_anything_changed),
        T(a_policy_decides_by_the_new_facts),
        T(what_another_version_kept_is_scanned_again),
        T(without_facts_or_inventory_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
