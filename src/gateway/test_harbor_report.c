#include "base/unit.h"
#include "gateway/harbor_report.h"
#include "image/json.h"
#include "report/sample.h"

#define ARTIFACT &(struct ck_harbor_artifact){ CK_V("library/\"x\""), CK_V("sha256:00") }

static void take(const struct ck_report *r, struct ck_buf *out, struct ck_json *doc)
{
    assert_ok(ck_harbor_report(r, ARTIFACT, 0, out));
    assert_ok(ck_json_load(ck_buf_view(out), "report", doc));
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void each_finding_is_a_vulnerability(void **state)
{
    (void)state;
    static const char *const words[] = { "Unknown", "Negligible", "Low", "Medium", "High",
                                         "Critical" };
    const struct ck_report *r = sample_debian();
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_autojson struct ck_json doc = { 0 };
    take(r, &out, &doc);
    const json_t *list = json_object_get(doc.v, "vulnerabilities");
    assert_string_equal(text_of(doc.v, "generated_at"), "1970-01-01T00:00:00Z");
    assert_string_equal(text_of(json_object_get(doc.v, "artifact"), "repository"),
                        "library/\"x\"");
    assert_string_equal(text_of(doc.v, "severity"), words[r->match->findings[0].severity]);
    assert_int_equal(json_array_size(list), r->match->n_findings);
    for (size_t i = 0; i < r->match->n_findings; i++) {
        const struct ck_finding *f = &r->match->findings[i];
        const json_t *v = json_array_get(list, i);
        const json_t *cvss = json_object_get(v, "preferred_cvss");
        assert_view(f->id, text_of(v, "id"));
        assert_string_equal(text_of(v, "severity"), words[f->severity]);
        assert_view(f->fix_version, text_of(v, "fix_version"));
        if (ck_view_starts(f->cvss, CK_V("CVSS:3"))) {
            assert_view(f->cvss, text_of(cvss, "vector_v3"));
            double score = json_number_value(json_object_get(cvss, "score_v3"));
            assert_int_equal((int)(score * 10 + 0.5), f->cvss_tenths);
        }
    }
}

/* One of the sample's advisories says "javascript:". */
static void links_are_pages(void **state)
{
    (void)state;
    const struct ck_report *r = sample_debian();
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_autojson struct ck_json doc = { 0 };
    size_t links = 0, i;
    json_t *v;
    take(r, &out, &doc);
    assert_null(memmem(out.p, out.n, "javascript:", 11));
    json_array_foreach(json_object_get(doc.v, "vulnerabilities"), i, v) {
        const json_t *link = json_array_get(json_object_get(v, "links"), 0);
        if (!link)
            continue;
        links++;
        assert_memory_equal(json_string_value(link), "https://", 8);
    }
    assert_true(links > 0);
}

static void nothing_found_is_an_empty_list(void **state)
{
    (void)state;
    const struct ck_report *rows[] = { sample_alpine_rootfs(), sample_rpm_unmatched() };
    for (size_t i = 0; i < 2; i++) {
        ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
        ck_autojson struct ck_json doc = { 0 };
        take(rows[i], &out, &doc);
        assert_int_equal(json_array_size(json_object_get(doc.v, "vulnerabilities")), 0);
        assert_string_equal(text_of(doc.v, "severity"), "Unknown");
    }
}

static void a_report_has_a_limit(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_report r;
    sample_large(200000, &a, &r);
    assert_fails(ck_harbor_report(&r, ARTIFACT, 0, &out), CK_ERR_LIMIT, "HARBOR_REPORT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding_is_a_vulnerability),
        cmocka_unit_test(links_are_pages),
        cmocka_unit_test(nothing_found_is_an_empty_list),
        cmocka_unit_test(a_report_has_a_limit),
    };
    return cmocka_run_group_tests_name("harbor_report", tests, NULL, NULL);
}
