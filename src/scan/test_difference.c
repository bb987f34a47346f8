#include "scan/difference.h"

#include "base/unit.h"
#include "image/json.h"

#define V(literal) { (const uint8_t *)("" literal), sizeof(literal) - 1 }

static ck_view ghsa[] = { V("GHSA-1") };

static struct ck_fact_finding finding(const char *id, const char *package, const char *version,
                                      enum ck_severity severity, const char *fix)
{
    return (struct ck_fact_finding){
        .id = ck_view_str(id), .package = ck_view_str(package), .version = ck_view_str(version),
        .severity = severity, .fix_version = ck_view_str(fix),
        .fix_state = fix[0] ? CK_FIX_FIXED : CK_FIX_NONE,
    };
}

static struct ck_facts facts(struct ck_fact_finding *v, size_t n)
{
    return (struct ck_facts){ .findings = v, .n_findings = n };
}

static const struct ck_finding_change *of(const struct ck_finding_changes *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++)
        if (ck_view_eq((c->v[i].after ? c->v[i].after : c->v[i].before)->id, ck_view_str(id)))
            return &c->v[i];
    fail_msg("nothing of %s", id);
    return NULL;
}

static void each_event_is_told(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { finding("CVE-1", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-2", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-3", "b", "1", CK_SEVERITY_LOW, "2"),
                                   finding("CVE-5", "b", "1", CK_SEVERITY_LOW, "2") };
    struct ck_fact_finding y[] = { finding("CVE-1", "a", "1", CK_SEVERITY_HIGH, "2"),
                                   finding("CVE-3", "b", "1", CK_SEVERITY_LOW, "2"),
                                   finding("CVE-4", "b", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-5", "b", "1", CK_SEVERITY_LOW, "3") };
    y[1].kev = true;
    struct ck_facts before = facts(x, 4), after = facts(y, 4);
    ck_findings_between(&before, &after, CK_OF_ONE_IMAGE, &a, &c);
    assert_int_equal(c.n, 5);
    assert_int_equal(of(&c, "CVE-1")->what, 1 << CK_FINDING_SEVERITY | 1 << CK_FINDING_FIXABLE);
    assert_int_equal(of(&c, "CVE-2")->what, 1 << CK_FINDING_GONE);
    assert_int_equal(of(&c, "CVE-3")->what, 1 << CK_FINDING_EXPLOITED);
    assert_int_equal(of(&c, "CVE-4")->what, 1 << CK_FINDING_NEW);
    assert_int_equal(of(&c, "CVE-5")->what, 1 << CK_FINDING_OTHER);
    for (int e = 0; e < CK_FINDING_EVENT_COUNT_; e++)
        assert_int_equal(c.counts[e], 1);
    ck_findings_between(&before, &before, CK_OF_ONE_IMAGE, &a, &c);
    assert_int_equal(c.n, 0);
}

static void a_package_that_is_there_twice_meets_itself(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { finding("CVE-1", "a", "2", CK_SEVERITY_LOW, ""),
                                   finding("CVE-1", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-1", "a", "1", CK_SEVERITY_LOW, "") };
    struct ck_fact_finding y[] = { finding("CVE-1", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-1", "a", "2", CK_SEVERITY_LOW, "") };
    struct ck_facts before = facts(x, 3), after = facts(y, 2);
    ck_findings_between(&before, &after, CK_OF_ONE_IMAGE, &a, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.counts[CK_FINDING_GONE], 1);
    assert_view(c.v[0].before->version, "1");
}

static void a_finding_that_got_another_name_is_the_same(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { finding("GHSA-1", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("GHSA-1", "b", "1", CK_SEVERITY_LOW, "") };
    struct ck_fact_finding y[] = { finding("CVE-1", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-1", "c", "1", CK_SEVERITY_LOW, "") };
    y[0].aliases = y[1].aliases = ghsa;
    y[0].n_aliases = y[1].n_aliases = 1;
    struct ck_facts before = facts(x, 2), after = facts(y, 2);
    ck_findings_between(&before, &after, CK_OF_ONE_IMAGE, &a, &c);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.counts[CK_FINDING_NEW], 1);
    assert_int_equal(c.counts[CK_FINDING_GONE], 1);
}

static void of_two_images_versions_may_differ(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { finding("CVE-1", "a", "1", CK_SEVERITY_LOW, "") };
    struct ck_fact_finding y[] = { finding("CVE-1", "a", "2", CK_SEVERITY_LOW, "") };
    struct ck_facts before = facts(x, 1), after = facts(y, 1);
    ck_findings_between(&before, &after, CK_OF_ONE_IMAGE, &a, &c);
    assert_int_equal(c.n, 2);
    ck_findings_between(&before, &after, CK_OF_TWO_IMAGES, &a, &c);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.v[0].what, 1 << CK_FINDING_OTHER);
}

/* --- packages --------------------------------------------------------------------------------- */

static struct ck_report_package package(const char *name, const char *version)
{
    return (struct ck_report_package){ .p = { .name = ck_view_str(name),
                                              .version = ck_view_str(version),
                                              .arch = CK_V("amd64") } };
}

static void packages_come_go_and_change(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_package_changes c;
    struct ck_report_package x[] = { package("a", "1"), package("b", "1"), package("c", "1"),
                                     package("k", "1"), package("k", "2") };
    struct ck_report_package y[] = { package("a", "1"), package("b", "2"), package("d", "1"),
                                     package("k", "2"), package("k", "3") };
    struct ck_report before = { .packages = x, .n_packages = 5 };
    struct ck_report after = { .packages = y, .n_packages = 5 };
    ck_packages_between(&before, &after, &a, &c);
    assert_int_equal(c.n, 4);
    assert_int_equal(c.added, 1);
    assert_int_equal(c.removed, 1);
    assert_int_equal(c.changed, 2);
    assert_view(c.v[0].before->p.name, "b");
    assert_view(c.v[0].after->p.version, "2");
    assert_null(c.v[1].after);
    assert_null(c.v[2].before);
    assert_view(c.v[3].before->p.version, "1");
    assert_view(c.v[3].after->p.version, "3");
    ck_packages_between(&before, &before, &a, &c);
    assert_int_equal(c.n, 0);
}

static void a_package_of_another_kind_is_another(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_package_changes c;
    struct ck_report_package x[] = { package("a", "1") }, y[] = { package("a", "1") };
    y[0].p.type = CK_PACKAGE_RPM;
    struct ck_report before = { .packages = x, .n_packages = 1 };
    struct ck_report after = { .packages = y, .n_packages = 1 };
    ck_packages_between(&before, &after, &a, &c);
    assert_int_equal(c.added, 1);
    assert_int_equal(c.removed, 1);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static json_int_t number(struct ck_json doc, const char *a, const char *b)
{
    struct ck_json object = ck_json_member(&doc, a), value = ck_json_member(&object, b);
    return json_integer_value(value.v);
}

static size_t length(struct ck_json doc, const char *key)
{
    return json_array_size(ck_json_member(&doc, key).v);
}

static void json_of_one_image_is_cut_but_counted(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_finding_changes c;
    struct ck_fact_finding y[] = { finding("CVE-1", "a\"</script>\x1b", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-2", "a", "1", CK_SEVERITY_LOW, ""),
                                   finding("CVE-3", "a", "1", CK_SEVERITY_LOW, "") };
    struct ck_facts before = facts(y, 0), after = facts(y, 3);
    ck_findings_between(&before, &after, CK_OF_ONE_IMAGE, &a, &c);
    ck_changes_json(&c, 2, &out);
    ck_autojson struct ck_json doc = { 0 };
    assert_ok(ck_json_load(ck_buf_view(&out), "difference", &doc));
    assert_int_equal(number(doc, "counts", "new"), 3);
    assert_int_equal(length(doc, "new"), 2);
    assert_int_equal(length(doc, "gone"), 0);
}

static void json_of_two_images(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_finding_changes f;
    struct ck_package_changes p;
    struct ck_fact_finding x[] = { finding("CVE-1", "a", "1", CK_SEVERITY_LOW, "") };
    struct ck_fact_finding y[] = { finding("CVE-1", "a", "2", CK_SEVERITY_LOW, "3") };
    struct ck_report_package v[] = { package("a", "1") }, w[] = { package("a", "2") };
    struct ck_report old = { .packages = v, .n_packages = 1 };
    struct ck_report new = { .packages = w, .n_packages = 1 };
    struct ck_facts before = facts(x, 1), after = facts(y, 1);
    ck_findings_between(&before, &after, CK_OF_TWO_IMAGES, &a, &f);
    ck_packages_between(&old, &new, &a, &p);
    ck_images_json(&p, &f, 100, &out);
    assert_view(ck_buf_view(&out),
                "{\"packages\":{\"counts\":{\"added\":0,\"removed\":0,\"changed\":1},\"added\":[],"
                "\"removed\":[],\"changed\":[{\"name\":\"a\",\"type\":\"deb\",\"arch\":\"amd64\","
                "\"before\":\"1\",\"after\":\"2\"}]},\"findings\":{\"counts\":{\"added\":0,"
                "\"removed\":0,\"changed\":1},\"added\":[],\"removed\":[],\"changed\":[{\"id\":"
                "\"CVE-1\",\"aliases\":[],\"package\":\"a\",\"version\":\"2\",\"severity\":\"low\","
                "\"fix\":{\"state\":\"fixed\",\"version\":\"3\"},\"kev\":false,\"before\":{"
                "\"version\":\"1\",\"severity\":\"low\",\"fix\":{\"state\":\"open\",\"version\":"
                "\"\"},\"kev\":false},\"what\":[\"fixable\",\"other\"]}]}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_told),
        cmocka_unit_test(a_package_that_is_there_twice_meets_itself),
        cmocka_unit_test(a_finding_that_got_another_name_is_the_same),
        cmocka_unit_test(of_two_images_versions_may_differ),
        cmocka_unit_test(packages_come_go_and_change),
        cmocka_unit_test(a_package_of_another_kind_is_another),
        cmocka_unit_test(json_of_one_image_is_cut_but_counted),
        cmocka_unit_test(json_of_two_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
