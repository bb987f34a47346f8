#include "scan/difference.h"

#include "base/unit.h"

#define V(literal) { (const uint8_t *)("" literal), sizeof(literal) - 1 }

static ck_view ghsa[] = { V("GHSA-1") }, both[] = { V("GHSA-1"), V("GHSA-2") };

static struct ck_fact_finding finding(const char *id, const char *package, const char *version,
                                      enum ck_severity severity, const char *fix)
{
    return (struct ck_fact_finding){
        .id = ck_view_str(id), .package = ck_view_str(package), .version = ck_view_str(version),
        .severity = severity, .fix_version = ck_view_str(fix),
        .fix_state = fix[0] ? CK_FIX_FIXED : CK_FIX_NONE,
    };
}

static struct ck_fact_finding plain(const char *id, const char *package, const char *version)
{
    return finding(id, package, version, CK_SEVERITY_LOW, "");
}

static struct ck_fact_finding known_as(struct ck_fact_finding f, ck_view *aliases, size_t n)
{
    f.aliases = aliases;
    f.n_aliases = n;
    return f;
}

#define BETWEEN(x, y, of)                                                                         \
    ck_findings_between((struct ck_findings){ x, sizeof(x) / sizeof *(x) },                       \
                        (struct ck_findings){ y, sizeof(y) / sizeof *(y) }, of, &a, &c)

/* So many are new, gone, and anything else. */
static void became(const struct ck_finding_changes *c, size_t new, size_t gone, size_t other)
{
    assert_int_equal(c->counts[CK_CHANGE_NEW], new);
    assert_int_equal(c->counts[CK_CHANGE_GONE], gone);
    assert_int_equal(c->n, new + gone + other);
}

static const struct ck_finding_change *of(const struct ck_finding_changes *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++)
        if (ck_view_eq((c->v[i].is ? c->v[i].is : c->v[i].was)->id, ck_view_str(id)))
            return &c->v[i];
    fail_msg("nothing of %s", id);
    return NULL;
}

static void each_change_is_told(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { plain("CVE-1", "a", "1"), plain("CVE-2", "a", "1"),
                                   finding("CVE-3", "b", "1", CK_SEVERITY_LOW, "2"),
                                   finding("CVE-5", "b", "1", CK_SEVERITY_LOW, "2"),
                                   finding("CVE-6", "b", "1", CK_SEVERITY_LOW, "2"),
                                   plain("CVE-7", "b", "1"), plain("CVE-8", "b", "1") };
    struct ck_fact_finding y[] = { plain("CVE-8", "b", "1"), plain("CVE-7", "b", "1"),
                                   plain("CVE-6", "b", "1"),
                                   finding("CVE-5", "b", "1", CK_SEVERITY_LOW, "3"),
                                   plain("CVE-4", "b", "1"),
                                   finding("CVE-3", "b", "1", CK_SEVERITY_LOW, "2"),
                                   finding("CVE-1", "a", "1", CK_SEVERITY_HIGH, "2") };
    y[5].kev = x[5].kev = true;
    x[6].fix_state = CK_FIX_WONT;
    BETWEEN(x, y, CK_OF_ONE_IMAGE);
    static const struct {
        const char *id;
        unsigned what;
    } want[] = {
        { "CVE-1", 1 << CK_CHANGE_SEVERITY | 1 << CK_CHANGE_FIXABLE },
        { "CVE-2", 1 << CK_CHANGE_GONE },
        { "CVE-3", 1 << CK_CHANGE_EXPLOITED },
        { "CVE-4", 1 << CK_CHANGE_NEW },
        { "CVE-5", 1 << CK_CHANGE_OTHER },
        { "CVE-6", 1 << CK_CHANGE_OTHER },
        { "CVE-7", 1 << CK_CHANGE_OTHER },
    };
    assert_int_equal(c.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < c.n; i++) {
        assert_ptr_equal(of(&c, want[i].id), &c.v[i]);
        assert_int_equal(c.v[i].what, want[i].what);
    }
    for (int e = 0; e < CK_CHANGE_OTHER; e++)
        assert_int_equal(c.counts[e], 1);
    assert_int_equal(c.counts[CK_CHANGE_OTHER], 3);
    BETWEEN(x, x, CK_OF_ONE_IMAGE);
    assert_int_equal(c.n, 0);
    ck_findings_between((struct ck_findings){ NULL, 0 }, (struct ck_findings){ NULL, 0 },
                        CK_OF_TWO_IMAGES, &a, &c);
    assert_int_equal(c.n, 0);
}

static void a_package_that_is_there_twice_counts_once(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { plain("CVE-1", "a", "2"), plain("CVE-1", "a", "1"),
                                   plain("CVE-1", "a", "1") };
    struct ck_fact_finding y[] = { plain("CVE-1", "a", "1"), plain("CVE-1", "a", "2") };
    struct ck_fact_finding z[] = { plain("CVE-1", "a", "2") };
    BETWEEN(x, y, CK_OF_ONE_IMAGE);
    assert_int_equal(c.n, 0);
    BETWEEN(y, x, CK_OF_TWO_IMAGES);
    assert_int_equal(c.n, 0);
    BETWEEN(x, z, CK_OF_ONE_IMAGE);
    became(&c, 0, 1, 0);
    assert_view(c.v[0].was->version, "1");
}

static void a_finding_that_got_another_name_is_the_same(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { plain("GHSA-1", "a", "1"), plain("GHSA-1", "b", "1"),
                                   plain("GHSA-1", "d", "1") };
    struct ck_fact_finding y[] = { known_as(plain("CVE-1", "a", "1"), ghsa, 1),
                                   known_as(plain("CVE-1", "c", "1"), ghsa, 1),
                                   known_as(finding("CVE-1", "d", "1", CK_SEVERITY_HIGH, ""),
                                            ghsa, 1) };
    BETWEEN(x, y, CK_OF_ONE_IMAGE);
    became(&c, 1, 1, 1);
    assert_view(of(&c, "GHSA-1")->was->package, "b");
    assert_view(c.v[0].is->package, "c");
    assert_int_equal(c.v[1].what, 1 << CK_CHANGE_SEVERITY);
    assert_view(c.v[1].was->id, "GHSA-1");
    BETWEEN(y, x, CK_OF_ONE_IMAGE); /* and back */
    became(&c, 1, 1, 1);
    /* one name more that two vulnerabilities share makes them no one */
    struct ck_fact_finding one[] = { known_as(plain("CVE-1", "a", "1"), ghsa, 1) };
    struct ck_fact_finding other[] = { known_as(plain("CVE-2", "a", "1"), ghsa, 1) };
    BETWEEN(one, other, CK_OF_ONE_IMAGE);
    became(&c, 1, 1, 0);
}

static void two_that_became_one_are_one_less(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { plain("GHSA-1", "a", "1"), plain("GHSA-2", "a", "1") };
    struct ck_fact_finding y[] = { known_as(plain("CVE-1", "a", "1"), both, 2) };
    BETWEEN(x, y, CK_OF_ONE_IMAGE);
    became(&c, 0, 1, 0);
    BETWEEN(y, x, CK_OF_ONE_IMAGE);
    became(&c, 1, 0, 0);
}

static void of_two_images_versions_may_differ(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding x[] = { plain("CVE-1", "a", "1"), plain("GHSA-1", "b", "1"),
                                   finding("CVE-3", "a", "1", CK_SEVERITY_LOW, "3") };
    struct ck_fact_finding y[] = { plain("CVE-1", "a", "2"),
                                   known_as(plain("CVE-2", "b", "2"), ghsa, 1),
                                   finding("CVE-3", "a", "2", CK_SEVERITY_HIGH, "3") };
    BETWEEN(x, y, CK_OF_ONE_IMAGE);
    became(&c, 3, 3, 0);
    BETWEEN(x, y, CK_OF_TWO_IMAGES);
    became(&c, 0, 0, 1);
    assert_int_equal(c.v[0].what, 1 << CK_CHANGE_SEVERITY);
    /* two kernels, of which one is another */
    struct ck_fact_finding v[] = { plain("CVE-1", "k", "1"), plain("CVE-1", "k", "2") };
    struct ck_fact_finding w[] = { plain("CVE-1", "k", "2"), plain("CVE-1", "k", "3") };
    BETWEEN(v, w, CK_OF_TWO_IMAGES);
    assert_int_equal(c.n, 0);
    /* nobody knows which became which */
    w[0].version = CK_V("4");
    BETWEEN(v, w, CK_OF_TWO_IMAGES);
    became(&c, 2, 2, 0);
    struct ck_fact_finding one[] = { plain("CVE-1", "k", "5") };
    BETWEEN(v, one, CK_OF_TWO_IMAGES);
    became(&c, 1, 2, 0);
}

/* Nothing is quadratic: one package that is there in as many versions as an image may have. */
static void the_most_findings_take_no_time(void **state)
{
    (void)state;
    const size_t many = CK_MAX_FACT_FINDINGS;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_finding_changes c;
    struct ck_fact_finding *x = ck_arena_alloc(&a, many, sizeof *x);
    struct ck_fact_finding *y = ck_arena_alloc(&a, many, sizeof *y);
    for (size_t i = 0; i < many; i++) {
        x[i] = plain("GHSA-1", "a", ck_arena_format(&a, "1.%06zu", i));
        y[i] = known_as(plain("CVE-1", "a", ck_arena_format(&a, "2.%06zu", i)), both, 2);
    }
    struct ck_findings was = { x, many }, is = { y, many };
    ck_findings_between(was, is, CK_OF_TWO_IMAGES, &a, &c);
    became(&c, many, many, 0);
    for (size_t i = 0; i < many; i++)
        y[i].version = x[i].version;
    ck_findings_between(was, is, CK_OF_TWO_IMAGES, &a, &c);
    assert_int_equal(c.n, 0);
}

/* --- packages --------------------------------------------------------------------------------- */

static struct ck_report_package package(const char *name, const char *version, const char *arch)
{
    return (struct ck_report_package){ .p = { .name = ck_view_str(name),
                                              .version = ck_view_str(version),
                                              .arch = ck_view_str(arch) } };
}

/* "a 1>2, b +1, c -1" */
static const char *packages_between(struct ck_report_package *x, size_t n,
                                    struct ck_report_package *y, size_t m, struct ck_arena *a)
{
    struct ck_report was = { .packages = x, .n_packages = n };
    struct ck_report is = { .packages = y, .n_packages = m };
    struct ck_package_changes c;
    const char *out = "";
    ck_packages_between(&was, &is, a, &c);
    for (size_t i = 0; i < c.n; i++) {
        const struct ck_report_package *p = c.v[i].was, *q = c.v[i].is, *one = p ? p : q;
        assert_non_null(one);
        out = ck_arena_format(a, "%s%s%.*s ", out, i ? ", " : "", CK_VF(one->p.name));
        if (p && q)
            out = ck_arena_format(a, "%s%.*s>%.*s", out, CK_VF(p->p.version), CK_VF(q->p.version));
        else
            out = ck_arena_format(a, "%s%c%.*s", out, p ? '-' : '+', CK_VF(one->p.version));
    }
    return out;
}

static void packages_come_go_and_change(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_report_package x[] = { package("k", "1", "amd64"), package("b", "1", "amd64"),
                                     package("c", "1", "amd64"), package("a", "1", "amd64"),
                                     package("k", "2", "amd64") };
    struct ck_report_package y[] = { package("a", "1", "amd64"), package("b", "2", "amd64"),
                                     package("d", "1", "amd64"), package("k", "2", "amd64"),
                                     package("k", "3", "amd64") };
    assert_string_equal(packages_between(x, 5, y, 5, &a), "b 1>2, c -1, d +1, k 1>3");
    assert_string_equal(packages_between(x, 5, x, 5, &a), "");
    assert_string_equal(packages_between(x, 1, NULL, 0, &a), "k -1");
    /* nobody knows which became which */
    y[3].p.version = CK_V("4");
    assert_string_equal(packages_between(x, 5, y, 5, &a),
                        "b 1>2, c -1, d +1, k -1, k -2, k +3, k +4");
    y[0].p.type = CK_PACKAGE_RPM;
    assert_string_equal(packages_between(&x[3], 1, y, 1, &a), "a -1, a +1");
}

static void architectures_are_kept_apart_where_both_have_them(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_report_package x[] = { package("a", "1", "amd64"), package("a", "1", "i386"),
                                     package("b", "1", "amd64"), package("c", "1", "amd64") };
    struct ck_report_package y[] = { package("a", "2", "i386"), package("a", "2", "amd64"),
                                     package("b", "1", "arm64"), package("c", "2", "arm64") };
    assert_string_equal(packages_between(x, 4, y, 4, &a), "a 1>2, a 1>2, c 1>2");
    y[0].p.version = CK_V("1");
    assert_string_equal(packages_between(x, 2, y, 2, &a), "a 1>2");
    assert_string_equal(packages_between(x, 2, y, 1, &a), "a -1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_told),
        cmocka_unit_test(a_package_that_is_there_twice_counts_once),
        cmocka_unit_test(a_finding_that_got_another_name_is_the_same),
        cmocka_unit_test(two_that_became_one_are_one_less),
        cmocka_unit_test(of_two_images_versions_may_differ),
        cmocka_unit_test(the_most_findings_take_no_time),
        cmocka_unit_test(packages_come_go_and_change),
        cmocka_unit_test(architectures_are_kept_apart_where_both_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
