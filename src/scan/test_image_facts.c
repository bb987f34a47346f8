#include "report/sample.h"
#include "scan/image_facts.h"
#include "store/unit_fixture.h"

enum { DAY = 86400, NOW = 1800000000 };

#define V(literal) { (const uint8_t *)("" literal), sizeof(literal) - 1 }
static struct ck_config_pair env[] = {
    { V("PATH"), V("/bin") },
    { V("DB_PASSWORD"), V("hunter2hunter2") },
};
static struct ck_config_pair labels[] = { { V("a"), V("1") }, { V("b"), V("2") } };
static ck_view volumes[] = { V("/data") }, ports[] = { V("80/tcp") };

/* Two layers and a config of everything. */
static struct ck_image image(struct ck_image_layer layers[2])
{
    memset(layers, 0, 2 * sizeof *layers);
    for (int i = 0; i < 2; i++) {
        ck_hash_of(CK_DIGEST_SHA256, i ? CK_V("two") : CK_V("one"), &layers[i].diff_id);
        layers[i].size = 1000;
    }
    return (struct ck_image){
        .layers = layers, .n_layers = 2,
        .config = { .platform = { .os = CK_V("linux"), .architecture = CK_V("amd64") },
                    .created = CK_V("2026-01-01T00:00:00Z"), .user = CK_V("app"), .env = env,
                    .n_env = 2, .labels = labels, .n_labels = 2, .volumes = volumes,
                    .n_volumes = 1, .ports = ports, .n_ports = 1 },
    };
}

/* A report of n findings, each with a fix. */
struct made {
    struct ck_package package;
    struct ck_report_package packages[1];
    struct ck_finding findings[4];
    struct ck_match match;
    struct ck_report report;
};

static void make(struct made *m, size_t n)
{
    static const char *const ids[] = { "CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4" };
    memset(m, 0, sizeof *m);
    m->packages[0].p = (struct ck_package){ .name = CK_V("openssl"), .version = CK_V("1") };
    for (size_t i = 0; i < n; i++)
        m->findings[i] = (struct ck_finding){
            .id = ck_view_str(ids[i]), .severity = CK_SEVERITY_HIGH, .fix_state = CK_FIX_FIXED,
            .fix_version = CK_V("2"),
        };
    m->match.findings = m->findings;
    m->match.n_findings = n;
    m->report = (struct ck_report){ .packages = m->packages, .n_packages = 1,
                                    .match = &m->match,
                                    .distro = { .known = true, .end_of_life = 7 } };
}

static struct ck_facts facts_of(const struct made *m, int64_t now, struct ck_arena *a)
{
    struct ck_image_layer layers[2];
    struct ck_image im = image(layers);
    struct ck_facts f;
    ck_image_facts_of(&im, &m->report, now, a, &f);
    return f;
}

/* --- out of a scan ---------------------------------------------------------------------------- */

static void the_config_comes_along_without_values_of_the_environment(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct made m;
    make(&m, 0);
    struct ck_facts f = facts_of(&m, NOW, &a), again;
    assert_view(f.platform, "linux/amd64");
    assert_int_equal(f.created, 1767225600);
    assert_view(f.user, "app");
    assert_int_equal(f.n_labels, 2);
    assert_view(f.labels[1].value, "2");
    assert_view(f.volumes[0], "/data");
    assert_view(f.ports[0], "80/tcp");
    assert_int_equal(f.n_secrets, 1);
    assert_view(f.secrets[0].key, "DB_PASSWORD");
    assert_view(f.secrets[0].value, "a secret, as its name says");
    assert_int_equal(f.size, 2000);
    assert_true(f.complete);
    assert_int_equal(f.end_of_life, 7);
    ck_facts_encode(&f, &b);
    assert_null(memmem(b.p, b.n, "hunter2", 7));
    assert_ok(ck_facts_decode(ck_buf_view(&b), &a, &again));
}

static void chain_ids_are_those_of_the_specification(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct made m;
    struct ck_digest one, two, both;
    char t1[CK_DIGEST_TEXT], t2[CK_DIGEST_TEXT];
    make(&m, 0);
    struct ck_facts f = facts_of(&m, NOW, &a);
    ck_hash_of(CK_DIGEST_SHA256, CK_V("one"), &one);
    ck_hash_of(CK_DIGEST_SHA256, CK_V("two"), &two);
    ck_autofree char *text = ck_format("%s %s", ck_digest_text(&one, t1), ck_digest_text(&two, t2));
    ck_hash_of(CK_DIGEST_SHA256, ck_view_str(text), &both);
    assert_int_equal(f.n_chain, 2);
    assert_true(ck_digest_eq(&f.chain[0], &one));
    assert_true(ck_digest_eq(&f.chain[1], &both));
}

static void a_real_report_gives_facts_that_can_be_kept(void **state)
{
    (void)state;
    const struct ck_report *reports[] = { sample_debian(), sample_alpine_rootfs(),
                                          sample_rpm_unmatched() };
    for (size_t i = 0; i < 3; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_image im = { .rootfs = i == 1 };
        struct ck_facts f, again;
        ck_image_facts_of(&im, reports[i], NOW, &a, &f);
        size_t found = reports[i]->match ? reports[i]->match->n_findings : 0;
        assert_int_equal(f.n_findings, found);
        assert_int_equal(f.n_gaps, reports[i]->n_gaps);
        assert_int_equal(f.complete, reports[i]->n_gaps == 0);
        ck_facts_encode(&f, &b);
        assert_ok(ck_facts_decode(ck_buf_view(&b), &a, &again));
        assert_int_equal(again.n_findings, found);
    }
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_image im = { 0 };
    struct ck_facts f;
    ck_image_facts_of(&im, reports[0], NOW, &a, &f);
    assert_view(f.distro, "debian:12");
    assert_true(f.distro_known);
    assert_int_equal(f.findings[0].n_aliases, 2);
    assert_true(f.findings[0].kev);
    assert_int_equal(f.findings[0].fixed_since, 1740009600);
    for (size_t i = 0; i < f.n_findings; i++)
        if (f.findings[i].fix_state != CK_FIX_FIXED)
            assert_int_equal(f.findings[i].fixed_since + (int64_t)f.findings[i].fix_version.n, 0);
}

static void what_is_too_long_for_facts_is_cut(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), text = b;
    struct made m;
    struct ck_image_layer layers[2];
    struct ck_image im = image(layers);
    struct ck_facts f, again;
    make(&m, 0);
    ck_put_u8(&text, 'x');
    while (text.n < 2 * CK_MAX_STRING)
        ck_put_bytes(&text, CK_V("\xc3\xa4"));
    struct ck_config_pair long_label = { CK_V("k"), ck_buf_view(&text) };
    im.config.labels = &long_label;
    im.config.n_labels = 1;
    struct ck_gap *gaps = ck_arena_alloc(&a, CK_MAX_FACT_GAPS + 5, sizeof *gaps);
    for (size_t i = 0; i < CK_MAX_FACT_GAPS + 5; i++)
        gaps[i] = (struct ck_gap){ CK_V("what"), ck_buf_view(&text) };
    m.report.gaps = gaps;
    m.report.n_gaps = CK_MAX_FACT_GAPS + 5;
    ck_image_facts_of(&im, &m.report, NOW, &a, &f);
    assert_int_equal(f.labels[0].value.n, CK_MAX_STRING - 1);
    assert_true(f.n_gaps <= CK_MAX_FACT_GAPS);
    assert_view(f.gaps[f.n_gaps - 1].key, "gaps");
    assert_view(f.gaps[f.n_gaps - 1].value, "7 more");
    assert_false(f.complete);
    ck_facts_encode(&f, &b);
    assert_ok(ck_facts_decode(ck_buf_view(&b), &a, &again));
}

/* --- the day of a fix ------------------------------------------------------------------------- */

static void a_day_that_nobody_says_is_that_of_the_scan(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct made m;
    make(&m, 3);
    m.findings[0].fixed_since = NOW - 9 * DAY;
    m.findings[1].fixed_since = NOW + 9 * DAY; /* a lie lengthens no grace */
    struct ck_facts f = facts_of(&m, NOW, &a);
    assert_int_equal(f.findings[0].fixed_since, NOW - 9 * DAY);
    assert_int_equal(f.findings[1].fixed_since, NOW);
    assert_int_equal(f.findings[2].fixed_since, NOW);
}

static void scan(struct fixture *f, const struct ck_digest *d, const struct made *m, int64_t now,
                 struct ck_facts *ret)
{
    *ret = facts_of(m, now, &f->arena);
    assert_ok(ck_image_facts_remember(f->s, d, ret));
    assert_ok(ck_image_facts_keep(f->s, d, ret));
}

static void a_grace_begins_once(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "docker.io/library/a:1"),
                      v = fetch(f, 2, "docker.io/library/a:2");
    struct ck_facts facts;
    struct made m;
    make(&m, 2);
    scan(f, &u.image.digest, &m, NOW, &facts);
    assert_int_equal(facts.findings[0].fixed_since, NOW);
    scan(f, &u.image.digest, &m, NOW + 5 * DAY, &facts);
    assert_int_equal(facts.findings[0].fixed_since, NOW);
    /* built anew, with the same fix still missing */
    scan(f, &v.image.digest, &m, NOW + 9 * DAY, &facts);
    assert_int_equal(facts.findings[0].fixed_since, NOW);
    assert_int_equal(facts.findings[1].fixed_since, NOW);
    /* a feed knows better now: the earlier day counts, for all that come later too */
    m.findings[0].fixed_since = NOW - 3 * DAY;
    m.findings[1].fixed_since = NOW + 6 * DAY;
    scan(f, &u.image.digest, &m, NOW + 10 * DAY, &facts);
    assert_int_equal(facts.findings[0].fixed_since, NOW - 3 * DAY);
    assert_int_equal(facts.findings[1].fixed_since, NOW);
    /* another fix of the same vulnerability is another thing */
    m.findings[1].fixed_since = 0;
    m.findings[1].fix_version = CK_V("3");
    scan(f, &u.image.digest, &m, NOW + 20 * DAY, &facts);
    assert_int_equal(facts.findings[1].fixed_since, NOW + 20 * DAY);
    unit_image_free(&u);
    unit_image_free(&v);
}

static void facts_of_another_version_are_passed_over(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "docker.io/library/a:1");
    struct ck_facts facts;
    struct made m;
    make(&m, 1);
    assert_ok(ck_store_put_facts(f->s, &u.image.digest, CK_V("\xff"), NULL, 0, CK_V("")));
    scan(f, &u.image.digest, &m, NOW, &facts);
    assert_int_equal(facts.findings[0].fixed_since, NOW);
    unit_image_free(&u);
}

static void what_was_found_can_be_looked_up(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "docker.io/library/a:1");
    ck_view aliases[] = { CK_V("GHSA-x"), CK_V("CVE-2026-2") };
    struct ck_digest *having = NULL;
    struct ck_facts facts;
    struct made m;
    size_t n = 0;
    make(&m, 2);
    m.findings[0].aliases = aliases;
    m.findings[0].n_aliases = 2;
    scan(f, &u.image.digest, &m, NOW, &facts);
    static const char *const ids[] = { "CVE-2026-1", "CVE-2026-2", "GHSA-x" };
    for (size_t i = 0; i < 3; i++) {
        assert_ok(ck_store_having(f->s, ck_view_str(ids[i]), &f->arena, &having, &n));
        assert_int_equal(n, 1);
        assert_true(ck_digest_eq(&having[0], &u.image.digest));
    }
    char text[CK_DIGEST_TEXT];
    ck_view *bases = NULL, whole = ck_view_str(ck_digest_text(&facts.chain[1], text));
    assert_ok(ck_store_bases(f->s, &whole, 1, &f->arena, &bases, &n));
    assert_int_equal(n, 1);
    assert_view(bases[0], "docker.io/library/a");
    unit_image_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_config_comes_along_without_values_of_the_environment),
        cmocka_unit_test(chain_ids_are_those_of_the_specification),
        cmocka_unit_test(a_real_report_gives_facts_that_can_be_kept),
        cmocka_unit_test(what_is_too_long_for_facts_is_cut),
        cmocka_unit_test(a_day_that_nobody_says_is_that_of_the_scan),
        T(a_grace_begins_once),
        T(facts_of_another_version_are_passed_over),
        T(what_was_found_can_be_looked_up),
    };
    return cmocka_run_group_tests_name("image_facts", tests, NULL, NULL);
}
