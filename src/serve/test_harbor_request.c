#include "base/mem.h"
#include "base/unit.h"
#include "serve/harbor_request.h"

#define HEX "abababababababababababababababababababababababababababababababab"
#define ARTIFACT "\"artifact\":{\"repository\":\"library/mongo\",\"digest\":\"sha256:" HEX "\"," \
                 "\"tag\":\"3.14-xenial\",\"mime_type\":" \
                 "\"application/vnd.docker.distribution.manifest.v2+json\"}"
#define REGISTRY "\"registry\":{\"url\":\"https://core.harbor.domain\"," \
                 "\"authorization\":\"Basic dXNlcjpwYXNz\"}"

static void a_request_of_harbor(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_harbor_request q;
    assert_ok(ck_harbor_request(CK_V("{" REGISTRY "," ARTIFACT ",\"enabled_capabilities\":["
                                     "{\"type\":\"sbom\"},{\"type\":\"vulnerability\","
                                     "\"produces_mime_types\":[\"" CK_HARBOR_REPORT_1_1 "\"]}]}"),
                                &a, &q));
    assert_view(q.url, "https://core.harbor.domain");
    assert_view(q.authorization, "Basic dXNlcjpwYXNz");
    assert_view(q.repository, "library/mongo");
    assert_view(q.digest, "sha256:" HEX);
    assert_ok(ck_harbor_request(CK_V("{\"registry\":{\"url\":\"http://core:8080\"}," ARTIFACT "}"),
                                &a, &q));
    assert_view(q.authorization, "");
}

#define WITH_URL(u) "{\"registry\":{\"url\":\"" u "\"}," ARTIFACT "}"
#define WITH_AUTH(s) "{\"registry\":{\"url\":\"https://a.example\",\"authorization\":\"" s "\"}," \
                     ARTIFACT "}"
#define OF(r, d, m) "{" REGISTRY ",\"artifact\":{\"repository\":\"" r "\",\"digest\":\"" d "\"," \
                    "\"mime_type\":\"" m "\"}}"

static void requests_that_are_none(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_harbor_request q;
    static const struct {
        const char *json;
        enum ck_err_class cls;
        const char *why;
    } bad[] = {
        { "", CK_ERR_HOSTILE, "scan request" },
        { "[]", CK_ERR_HOSTILE, "object" },
        { "{}", CK_ERR_HOSTILE, "registry" },
        { "{" REGISTRY "}", CK_ERR_HOSTILE, "artifact" },
        { "{" REGISTRY "," REGISTRY "," ARTIFACT "}", CK_ERR_HOSTILE, "duplicate" },
        { "{\"Registry\":{}," REGISTRY "," ARTIFACT "}", CK_ERR_HOSTILE, "case" },
        { "{\"registry\":{\"url\":7}," ARTIFACT "}", CK_ERR_HOSTILE, "url" },
        { WITH_URL(""), CK_ERR_USAGE, "url" },
        { WITH_URL("file:///etc/passwd"), CK_ERR_USAGE, "url" },
        { WITH_URL("https://user:pass@a.example"), CK_ERR_USAGE, "url" },
        { WITH_URL("https://a.example?x"), CK_ERR_USAGE, "url" },
        { WITH_URL("https://a.example\\r\\nHost: b"), CK_ERR_USAGE, "url" },
        { WITH_AUTH("Digest x"), CK_ERR_USAGE, "authorization" },
        { WITH_AUTH("Basic"), CK_ERR_USAGE, "authorization" },
        { WITH_AUTH("Basic a\\r\\nX: y"), CK_ERR_USAGE, "authorization" },
        { OF("library/mongo", "sha256:12", ""), CK_ERR_USAGE, "digest" },
        { OF("library/mongo", "", ""), CK_ERR_USAGE, "digest" },
        { OF("", "sha256:" HEX, ""), CK_ERR_USAGE, "repository" },
        { OF("../x", "sha256:" HEX, ""), CK_ERR_USAGE, "repository" },
        { OF("a/b:tag", "sha256:" HEX, ""), CK_ERR_USAGE, "repository" },
        { OF("a/b@sha256:" HEX, "sha256:" HEX, ""), CK_ERR_USAGE, "repository" },
        { OF("a/b", "sha256:" HEX, "application/vnd.cncf.helm.config.v1+json"),
          CK_ERR_UNAVAILABLE, "mime_type" },
        { "{" REGISTRY "," ARTIFACT ",\"enabled_capabilities\":[{\"type\":\"sbom\"}]}",
          CK_ERR_UNAVAILABLE, "enabled_capabilities" },
        { "{" REGISTRY "," ARTIFACT ",\"enabled_capabilities\":[{\"type\":\"vulnerability\","
          "\"produces_mime_types\":[\"x\"]}]}", CK_ERR_UNAVAILABLE, "enabled_capabilities" },
        { "{" REGISTRY "," ARTIFACT ",\"enabled_capabilities\":{}}", CK_ERR_HOSTILE,
          "enabled_capabilities" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ck_harbor_request(ck_view_str(bad[i].json), &a, &q), bad[i].cls, bad[i].why);
}

static void a_request_at_the_limit_and_one_past(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_harbor_request q;
    enum { LIMIT = 64 * 1024 };
    static char body[LIMIT + 1];
    assert_int_equal(LIMIT, CK_MAX_HARBOR_REQUEST);
    static const char json[] = "{" REGISTRY "," ARTIFACT "}";
    memset(body, ' ', sizeof body);
    memcpy(body, json, sizeof json - 1);
    assert_ok(ck_harbor_request(ck_view_of(body, LIMIT), &a, &q));
    assert_fails(ck_harbor_request(ck_view_of(body, LIMIT + 1), &a, &q),
                 CK_ERR_LIMIT, "HARBOR_REQUEST");
}

static void which_report_is_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *accept, *type;
    } rows[] = {
        { "", CK_HARBOR_REPORT_1_1 },
        { "*/*", CK_HARBOR_REPORT_1_1 },
        { CK_HARBOR_REPORT_1_1, CK_HARBOR_REPORT_1_1 },
        { "application/vnd.security.vulnerability.report", CK_HARBOR_REPORT_1_1 },
        { CK_HARBOR_REPORT_1_0, CK_HARBOR_REPORT_1_0 },
        { CK_HARBOR_REPORT_RAW, CK_HARBOR_REPORT_RAW },
        { "text/html, " CK_HARBOR_REPORT_RAW, CK_HARBOR_REPORT_RAW },
        { "application/vnd.security.sbom.report+json; version=1.0", NULL },
        { "application/vnd.security.vulnerability.report; version=9", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = ck_harbor_accept(ck_view_str(rows[i].accept));
        assert_int_equal(!got, !rows[i].type);
        if (got)
            assert_string_equal(got, rows[i].type);
    }
}

static void ids_of_reports(void **state)
{
    (void)state;
    ck_view id;
    assert_true(ck_harbor_report_id(CK_V("0123456789abcdef/report"), &id));
    assert_view(id, "0123456789abcdef");
    static const char *const bad[] = { "", "/report", "0123", "0123/", "0123/reports",
                                       "0123/report/", "01G3/report", "0%31/report" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ck_harbor_report_id(ck_view_str(bad[i]), &id));
}

static void answers(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_harbor_error(CK_V("no \"x\""), &b);
    assert_view(ck_buf_view(&b), "{\"error\":{\"message\":\"no \\\"x\\\"\"}}");
    ck_buf_clear(&b);
    ck_harbor_accepted(CK_V("12"), &b);
    assert_view(ck_buf_view(&b), "{\"id\":\"12\"}");
    ck_buf_clear(&b);
    ck_harbor_metadata(CK_V("2026-08-01T00:00:00Z"), &b);
    ck_autofree char *text = ck_buf_steal_str(&b);
    assert_non_null(strstr(text, "\"harbor.scanner-adapter/vulnerability-database-updated-at\":"
                                 "\"2026-08-01T00:00:00Z\"}}"));
    assert_non_null(strstr(text, "\"" CK_HARBOR_REPORT_1_1 "\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_of_harbor),
        cmocka_unit_test(requests_that_are_none),
        cmocka_unit_test(a_request_at_the_limit_and_one_past),
        cmocka_unit_test(which_report_is_wanted),
        cmocka_unit_test(ids_of_reports),
        cmocka_unit_test(answers),
    };
    return cmocka_run_group_tests_name("harbor_request", tests, NULL, NULL);
}
