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

/* What the image's facts are with this report, as a round of watching keeps them. */
static struct ck_facts facts_with(struct fixture *f, const struct kept *k,
                                  const struct ck_rebuilt *r, int64_t now)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts before, facts;
    bool found = false;
    assert_ok(ck_store_get_facts(f->s, &k->image.image.digest, &bytes, &found));
    assert_true(found);
    assert_ok(ck_facts_decode(ck_arena_dup(&f->arena, ck_buf_view(&bytes)), &f->arena, &before));
    ck_image_facts_again(&before, ck_rebuilt_report(r), now, &f->arena, &facts);
    return facts;
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
    ck_rebuilt_free(r);
    r = rebuilt(f, &k, NULL, NOW);
    assert_report_of(r, &k, NULL);
    ck_rebuilt_free(r);
    ck_db_close(a);
    ck_db_close(b);
    drop(&k);
}

static void facts_follow_the_database(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of(NULL, 1790000000), *b = db_of("2", 1790003600);
    struct kept k;
    keep(f, &k, a, NOW);
    struct ck_rebuilt *r = rebuilt(f, &k, b, NOW + 100);
    struct ck_facts facts = facts_with(f, &k, r, NOW + 100);
    assert_int_equal(facts.findings[0].fix_state, CK_FIX_FIXED);
    assert_int_equal(facts.findings[0].fixed_since, NOW + 100);
    assert_int_equal(facts.database_built, 1790003600);
    assert_int_equal(facts.scanned, NOW);
    ck_view *ids = NULL;
    assert_int_equal(ck_image_facts_ids(&facts, &f->arena, &ids), 1);
    assert_view(ids[0], "CVE-2024-1");
    struct ck_store_summary s = ck_image_summary(ck_rebuilt_report(r), &facts);
    assert_int_equal(s.severities[CK_SEVERITY_HIGH], 1);
    assert_int_equal(s.fixable, 1);
    assert_int_equal(s.packages, 3);
    assert_false(s.complete);
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
    assert_int_equal(facts_with(f, &k, r, NOW + 100).findings[0].fixed_since, NOW);
    ck_rebuilt_free(r);
    ck_db_close(a);
    ck_db_close(b);
    drop(&k);
}

static void a_policy_decides_by_the_new_facts(void **state)
{
    struct fixture *f = *state;
    struct ck_db *a = db_of("1", 1790000000), *b = db_of("2", 1790003600);
    struct ck_policy *p = NULL;
    struct ck_rebuilt *r = NULL;
    struct kept k;
    assert_ok(ck_policy_parse(CK_V("version: 1\ndefault: allow\nrules:\n  - name: none\n"
                                   "    require:\n      severity: { at-most: medium, otherwise: "
                                   "deny }\n"),
                              "policy", &p));
    keep(f, &k, a, NOW);
    struct ck_rebuild_options o = { .db = a, .policy = p, .now = NOW };
    assert_ok(ck_rebuild(f->s, &k.image.image.digest, &o, &r));
    assert_view(ck_rebuilt_report(r)->decision, "allow");
    ck_rebuilt_free(r);
    o.db = b;
    assert_ok(ck_rebuild(f->s, &k.image.image.digest, &o, &r));
    assert_view(ck_rebuilt_report(r)->decision, "deny");
    assert_true(ck_rebuilt_report(r)->n_reasons > 0);
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
        T(facts_follow_the_database),
        T(a_policy_decides_by_the_new_facts),
        T(what_another_version_kept_is_scanned_again),
        T(without_facts_or_inventory_there_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
