/* Reviews as API servers send them (testdata, by the published API's shapes), and hostile ones. */
#include "base/file.h"
#include "base/mem.h"
#include "base/unit.h"
#include "serve/review.h"

#define UID "705ab4f5-6393-11e8-b7cc-42010a800002"
#define HEX "abababababababababababababababababababababababababababababababab"

static void load(const char *name, struct ck_buf *out)
{
    const char *source = getenv("COCKET_SOURCE");
    ck_autofree char *path = ck_format("%s/src/serve/testdata/%s.json", source ? source : ".",
                                       name);
    assert_ok(ck_file_read(path, out));
}

static void parse_file(const char *name, struct ck_arena *a, struct ck_review *r)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    load(name, &b);
    assert_ok(ck_review_parse(ck_buf_view(&b), a, r));
    assert_view(r->uid, UID);
    if (r->refusal.n)
        print_error("%s: %.*s\n", name, CK_VF(r->refusal));
    assert_int_equal(r->refusal.n, 0);
}

static void every_kind_gives_all_its_images(void **state)
{
    (void)state;
    static const struct {
        const char *file, *prefix;
    } kinds[] = {
        { "create-pod", "/spec" },
        { "create-podtemplate", "/template/spec" },
        { "create-replicationcontroller", "/spec/template/spec" },
        { "create-deployment", "/spec/template/spec" },
        { "create-daemonset", "/spec/template/spec" },
        { "create-statefulset", "/spec/template/spec" },
        { "create-replicaset", "/spec/template/spec" },
        { "create-job", "/spec/template/spec" },
        { "create-cronjob", "/spec/jobTemplate/spec/template/spec" },
        { "create-rollout", "/spec/a~1b~0c/template/spec" },
    };
    static const struct {
        const char *tail, *image;
        size_t word;
    } images[] = {
        { "/containers/0/image", "nginx:1.27", 0 },
        { "/containers/1/image", "registry.k8s.io/pause:3.9", 1 },
        { "/containers/2/image", "nginx:1.27", 0 },
        { "/initContainers/0/image", "ghcr.io/org/init@sha256:" HEX, 2 },
        { "/volumes/1/image/reference", "quay.io/org/model:v2", 3 },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_review r = { 0 };
        parse_file(kinds[i].file, &a, &r);
        assert_view(r.namespace_, "team-a");
        assert_int_equal(r.n_images, sizeof images / sizeof *images);
        assert_int_equal(r.n_words, 4);
        for (size_t k = 0; k < r.n_images; k++) {
            ck_autofree char *pointer = ck_format("%s%s", kinds[i].prefix, images[k].tail);
            assert_view(r.images[k].pointer, pointer);
            assert_view(r.images[k].image, images[k].image);
            assert_int_equal(r.images[k].word, images[k].word);
        }
    }
}

static void an_update_is_asked_about_its_changes(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_review r = { 0 };
    parse_file("update-pod-label", &a, &r);
    assert_int_equal(r.n_words, 0);
    parse_file("update-pod-image", &a, &r);
    assert_int_equal(r.n_words, 1);
    assert_view(r.words[0], "registry.k8s.io/pause:3.10");
    parse_file("update-pod-ephemeralcontainers", &a, &r);
    assert_int_equal(r.n_words, 1);
    assert_view(r.words[0], "busybox");
    assert_view(r.images[0].pointer, "/spec/ephemeralContainers/0/image");
}

static void what_runs_nothing_has_no_images(void **state)
{
    (void)state;
    static const char *const files[] = { "delete-pod", "connect-pod-exec", "create-configmap",
                                         "create-crd", "create-pod-binding",
                                         "update-deployment-scale" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
        struct ck_review r = { 0 };
        parse_file(files[i], &a, &r);
        assert_int_equal(r.n_words, 0);
        ck_review_reply(&r, NULL, &a, &out);
        assert_view(ck_buf_view(&out), "{\"apiVersion\":\"admission.k8s.io/v1\","
                    "\"kind\":\"AdmissionReview\",\"response\":{\"uid\":\"" UID "\","
                    "\"allowed\":true}}");
    }
}

/* --- hostile ---------------------------------------------------------------------------------- */

#define REVIEW(request) "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\"," \
                        "\"request\":" request "}"
#define POD(spec) REVIEW("{\"uid\":\"u1\",\"kind\":{\"group\":\"\",\"version\":\"v1\"," \
                         "\"kind\":\"Pod\"},\"operation\":\"CREATE\",\"object\":" spec "}")

static void without_a_uid_there_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } bad[] = {
        { "", "AdmissionReview" },
        { "[]", "object" },
        { "{\"apiVersion\":\"admission.k8s.io/v1\"}", "kind" },
        { "{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\","
          "\"request\":{\"uid\":\"u\"}}", "apiVersion" },
        { REVIEW("[]"), "request" },
        { REVIEW("{}"), "uid" },
        { REVIEW("{\"uid\":\"\"}"), "uid" },
        { REVIEW("{\"uid\":7}"), "uid" },
        { REVIEW("{\"uid\":\"a\",\"uid\":\"b\"}"), "duplicate" },
        { POD("{\"spec\":{\"containers\":[],\"containers\":[{\"image\":\"x\"}]}}"), "duplicate" },
        { REVIEW("{\"uid\":\"a\",\"x\":\"\xff\"}"), "JSON" },
        { REVIEW("{\"uid\":\"a\",\"x\":\"\\u0000\"}"), "NUL" },
        { REVIEW("{\"uid\":\"a\",\"x\":99999999999999999999}"), "64 bits" },
        { REVIEW("{\"uid\":\"a\"}") "x", "JSON" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_review r = { 0 };
        assert_fails(ck_review_parse(ck_view_str(bad[i].json), &a, &r), CK_ERR_HOSTILE,
                     bad[i].why);
    }
}

static void what_cannot_be_read_is_refused_by_its_uid(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } bad[] = {
        { POD("null"), "object" },
        { POD("[]"), "object" },
        { POD("{}"), "spec" },
        { POD("{\"spec\":[]}"), "spec" },
        { POD("{\"Spec\":{},\"spec\":{\"containers\":[]}}"), "case" },
        { POD("{\"spec\":{\"Containers\":[{\"image\":\"x\"}]}}"), "case" },
        { POD("{\"spec\":{\"containers\":{}}}"), "containers" },
        { POD("{\"spec\":{\"containers\":[7]}}"), "containers[0]" },
        { POD("{\"spec\":{\"containers\":[{\"image\":7}]}}"), "image" },
        { POD("{\"spec\":{\"containers\":[{\"Image\":\"x\"}]}}"), "case" },
        { POD("{\"spec\":{\"volumes\":[{\"image\":{\"reference\":[]}}]}}"), "reference" },
        { REVIEW("{\"uid\":\"u1\",\"operation\":\"PATCH\"}"), "operation" },
        { REVIEW("{\"uid\":\"u1\",\"operation\":\"CREATE\"}"), "kind" },
        { REVIEW("{\"uid\":\"u1\",\"Operation\":\"DELETE\"}"), "case" },
        { REVIEW("{\"uid\":\"u1\",\"operation\":\"CREATE\",\"kind\":{}}"), "kind" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_review r = { 0 };
        assert_ok(ck_review_parse(ck_view_str(bad[i].json), &a, &r));
        assert_view(r.uid, "u1");
        ck_autofree char *why = ck_strndup(r.refusal.p, r.refusal.n);
        if (!strstr(why, bad[i].why))
            print_error("%s: not in: %s\n", bad[i].why, why);
        assert_non_null(strstr(why, bad[i].why));
    }
}

static void parse_many(size_t n, size_t length, struct ck_arena *a, struct ck_review *r)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "%s", "{\"apiVersion\":\"admission.k8s.io/v1\","
                  "\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u1\",\"kind\":"
                  "{\"group\":\"\",\"version\":\"v1\",\"kind\":\"Pod\"},"
                  "\"operation\":\"CREATE\",\"object\":{\"spec\":{\"containers\":[");
    for (size_t i = 0; i < n; i++)
        ck_buf_format(&b, "%s{\"image\":\"%0*zu\"}", i ? "," : "", (int)length, i);
    ck_buf_format(&b, "]}}}}");
    assert_ok(ck_review_parse(ck_buf_view(&b), a, r));
}

static void images_at_the_limits_and_one_past(void **state)
{
    (void)state;
    static const struct {
        size_t n, length;
        const char *limit;
    } rows[] = {
        { CK_MAX_ADMISSION_IMAGES, 8, "" },
        { CK_MAX_ADMISSION_IMAGES + 1, 8, "ADMISSION_IMAGES" },
        { 1, CK_MAX_ADMISSION_IMAGE, "" },
        { 1, CK_MAX_ADMISSION_IMAGE + 1, "ADMISSION_IMAGE" },
        { CK_MAX_ADMISSION_NAMES / 512, 512, "" },
        { CK_MAX_ADMISSION_NAMES / 512 + 1, 512, "ADMISSION_NAMES" },
        { CK_MAX_ADMISSION_ENTRIES + 1, 8, "ADMISSION_ENTRIES" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_review r = { 0 };
        parse_many(rows[i].n, rows[i].length, &a, &r);
        ck_autofree char *why = ck_strndup(r.refusal.p, r.refusal.n);
        assert_non_null(strstr(why, rows[i].limit));
        assert_int_equal(r.refusal.n == 0, rows[i].limit[0] == 0);
        assert_int_equal(r.n_words, rows[i].limit[0] ? 0 : rows[i].n);
    }
}

static void a_body_at_the_limit_and_one_past(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_review r = { 0 };
    static const char json[] = REVIEW("{\"uid\":\"u1\",\"operation\":\"DELETE\"}");
    ck_autofree char *body = ck_calloc(1, CK_MAX_ADMISSION_BODY + 2);
    memset(body, ' ', CK_MAX_ADMISSION_BODY + 1);
    memcpy(body, json, sizeof json - 1);
    assert_ok(ck_review_parse(ck_view_of(body, CK_MAX_ADMISSION_BODY), &a, &r));
    assert_fails(ck_review_parse(ck_view_of(body, CK_MAX_ADMISSION_BODY + 1), &a, &r),
                 CK_ERR_LIMIT, "ADMISSION_BODY");
}

/* --- answers ---------------------------------------------------------------------------------- */

static struct ck_judged verdict(ck_view image, enum ck_judgement d, ck_view *reasons, size_t n)
{
    return (struct ck_judged){ .image = image, .decision = d, .digest = CK_V("sha256:" HEX),
                               .reasons = reasons, .n_reasons = n };
}

static void a_denial_names_each_image_with_its_reasons(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_view reasons[] = { CK_V("severity: CVE-2026-1 is critical"), CK_V("user: root") };
    struct ck_review r = { .uid = CK_V("u\"1"), .n_words = 3 };
    struct ck_judged j[] = { verdict(CK_V("a:1"), CK_JUDGED_DENY, reasons, 2),
                             verdict(CK_V("b:1"), CK_JUDGED_ALLOW, NULL, 0),
                             verdict(CK_V("c:1"), CK_JUDGED_QUARANTINE, reasons + 1, 1) };
    ck_review_reply(&r, j, &a, &out);
    assert_view(ck_buf_view(&out),
                "{\"apiVersion\":\"admission.k8s.io/v1\",\"kind\":\"AdmissionReview\","
                "\"response\":{\"uid\":\"u\\\"1\",\"allowed\":false,\"status\":{\"code\":403,"
                "\"message\":\"a:1: deny: severity: CVE-2026-1 is critical; user: root | "
                "c:1: quarantine: user: root\"},\"auditAnnotations\":{\"images\":"
                "\"a:1 deny sha256:" HEX "; b:1 allow sha256:" HEX "; c:1 quarantine sha256:" HEX
                "\"}}}");
}

static void lines_are_cut_and_count_what_they_leave_out(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    enum { N = 200 };
    ck_view reasons[N];
    struct ck_judged j[N];
    for (size_t i = 0; i < N; i++) {
        reasons[i] = CK_V("a reason that is rather long, \x1b[31m and hostile as well");
        j[i] = verdict(CK_V("registry.example.org/some/where:1"), CK_JUDGED_DENY, reasons, N);
    }
    for (size_t max = 256; max <= 4096; max += 13) {
        ck_view line = ck_judged_line(j, N, max, &a);
        ck_autofree char *text = ck_strndup(line.p, line.n);
        assert_true(line.n <= max);
        assert_non_null(strstr(text, "more"));
        assert_null(strchr(text, 0x1b));
        assert_true(ck_judged_summary(j, N, max, &a).n <= max);
    }
    assert_view(ck_judged_short(CK_V("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"), 6, &a), "\xc3\xa4...");
}

static void warnings_are_short_lines(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    char longer[300];
    memset(longer, 'w', sizeof longer);
    ck_view warnings[] = { CK_V("not pinned"), ck_view_of(longer, sizeof longer) };
    struct ck_review r = { .uid = CK_V("u"), .n_words = 1 };
    struct ck_judged j = verdict(CK_V("a:1"), CK_JUDGED_ALLOW, NULL, 0);
    j.warnings = warnings;
    j.n_warnings = 2;
    ck_review_reply(&r, &j, &a, &out);
    ck_autofree char *text = ck_buf_steal_str(&out);
    char *second = strstr(text, "\"a:1: w");
    assert_non_null(strstr(text, "\"allowed\":true,\"warnings\":[\"a:1: not pinned\","));
    assert_non_null(second);
    assert_int_equal(strchr(second + 1, '"') - second - 1, 120);
}

static void a_patch_pins_what_was_judged(void **state)
{
    (void)state;
    static const struct {
        const char *image, *rewrite, *pinned;
    } rows[] = {
        { "nginx", "", "nginx:latest@sha256:" HEX },
        { "nginx:1.27", "", "nginx:1.27@sha256:" HEX },
        { "nginx@sha256:" HEX, "", NULL },
        { "localhost:5000/a:1", "", "localhost:5000/a:1@sha256:" HEX },
        { "nginx:1.27", "gate.example:5443",
          "gate.example:5443/docker.io/library/nginx:1.27@sha256:" HEX },
        { "ghcr.io/a/b@sha256:" HEX, "gate.example",
          "gate.example/ghcr.io/a/b@sha256:" HEX },
        { "gate.example/ghcr.io/a/b:2", "gate.example",
          "gate.example/ghcr.io/a/b:2@sha256:" HEX },
        { "gate.example/ghcr.io/a/b:2@sha256:" HEX, "gate.example", NULL },
        { "not a name", "", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_view got = { 0 };
        bool is = ck_review_pinned(ck_view_str(rows[i].image), CK_V("sha256:" HEX),
                                   ck_view_str(rows[i].rewrite), &a, &got);
        assert_int_equal(is, rows[i].pinned != NULL);
        if (is)
            assert_view(got, rows[i].pinned);
    }
}

static void a_mutation_is_a_patch_in_base64(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_pod_image image = { CK_V("a:1"), CK_V("/spec/containers/0/image"), 0 };
    struct ck_review r = { .uid = CK_V("u"), .n_words = 1, .images = &image, .n_images = 1 };
    struct ck_judged j = { .image = CK_V("a:1"), .digest = CK_V("sha256:" HEX) };
    ck_review_mutate(&r, &j, CK_V(""), &a, &out);
    /* [{"op":"replace","path":"/spec/containers/0/image","value":"a:1@sha256:abab...ab"}] */
    ck_autofree char *text = ck_buf_steal_str(&out);
    assert_non_null(strstr(text, "\"allowed\":true,\"patchType\":\"JSONPatch\",\"patch\":\""
                           "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zcGVjL2NvbnRhaW5lcnMvMC9pbWFnZSIs"
                           "InZhbHVlIjoiYToxQHNoYTI1NjphYmFi"));
    j.decision = CK_JUDGED_DENY;
    struct ck_buf denied = ck_buf_new(CK_LIMIT_NONE);
    ck_review_mutate(&r, &j, CK_V(""), &a, &denied);
    ck_autofree char *no = ck_buf_steal_str(&denied);
    assert_null(strstr(no, "patch"));
    assert_non_null(strstr(no, "\"allowed\":false"));
}

static void image_reviews(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_review r = { 0 };
    load("image-review", &b);
    assert_ok(ck_image_review_parse(ck_buf_view(&b), &a, &r));
    assert_int_equal(r.n_words, 2);
    assert_view(r.words[0], "nginx:1.27");
    assert_view(r.namespace_, "team-a");
    ck_view reason = CK_V("no");
    struct ck_judged j[] = { verdict(r.words[0], CK_JUDGED_ALLOW, NULL, 0),
                             verdict(r.words[1], CK_JUDGED_DENY, &reason, 1) };
    ck_image_review_reply(&r, j, &a, &out);
    ck_autofree char *text = ck_buf_steal_str(&out);
    assert_non_null(strstr(text, "\"status\":{\"allowed\":false,\"reason\":\"busybox@sha256:"));
    assert_fails(ck_image_review_parse(CK_V("{\"apiVersion\":\"imagepolicy.k8s.io/v1alpha1\","
                                            "\"kind\":\"ImageReview\",\"spec\":{\"containers\":"
                                            "[{}]}}"), &a, &r), CK_ERR_HOSTILE, "image");
}

static void the_hub_must_speak_of_what_was_asked(void **state)
{
    (void)state;
    ck_view words[] = { CK_V("a"), CK_V("b") };
    static const char *const bad[] = {
        "[]", "{}", "[{\"image\":\"a\",\"decision\":\"allow\"}]",
        "[{\"image\":\"b\",\"decision\":\"allow\"},{\"image\":\"a\",\"decision\":\"allow\"}]",
        "[{\"image\":\"a\",\"decision\":\"allow\"},{\"image\":\"b\",\"decision\":\"yes\"}]",
        "[{\"image\":\"a\",\"decision\":\"allow\"},{\"image\":\"b\"}]",
    };
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_judged *j = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ck_judged_parse(ck_view_str(bad[i]), words, 2, &a, &j), CK_ERR_OURS, "");
    assert_null(j);
    assert_ok(ck_judged_parse(CK_V("[{\"image\":\"a\",\"decision\":\"allow\",\"digest\":\"\","
                                   "\"reasons\":[\"r\"],\"warnings\":[\"w\"]},"
                                   "{\"image\":\"b\",\"decision\":\"quarantine\"}]"),
                              words, 2, &a, &j));
    assert_int_equal(j[1].decision, CK_JUDGED_QUARANTINE);
    assert_view(j[0].warnings[0], "w");
}

static void durations_and_hosts(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    uint64_t ms = 0;
    assert_true(ck_review_duration(CK_V("10s"), &ms));
    assert_int_equal(ms, 10000);
    assert_true(ck_review_duration(CK_V("1m30s"), &ms));
    assert_int_equal(ms, 90000);
    assert_true(ck_review_duration(CK_V("500ms"), &ms));
    assert_int_equal(ms, 500);
    static const char *const bad[] = { "", "10", "s", "-1s", "1d", "2h", "1s ", "61m",
                                       "99999999999999999999s" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ck_review_duration(ck_view_str(bad[i]), &ms));
    assert_true(ck_review_is_host(CK_V("gate.example:5443"), &a));
    assert_true(ck_review_is_host(CK_V("localhost"), &a));
    assert_false(ck_review_is_host(CK_V("gate"), &a));
    assert_false(ck_review_is_host(CK_V("gate.example/x"), &a));
    assert_false(ck_review_is_host(CK_V("docker://gate.example"), &a));
    assert_false(ck_review_is_host(CK_V(""), &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_gives_all_its_images),
        cmocka_unit_test(an_update_is_asked_about_its_changes),
        cmocka_unit_test(what_runs_nothing_has_no_images),
        cmocka_unit_test(without_a_uid_there_is_no_answer),
        cmocka_unit_test(what_cannot_be_read_is_refused_by_its_uid),
        cmocka_unit_test(images_at_the_limits_and_one_past),
        cmocka_unit_test(a_body_at_the_limit_and_one_past),
        cmocka_unit_test(a_denial_names_each_image_with_its_reasons),
        cmocka_unit_test(lines_are_cut_and_count_what_they_leave_out),
        cmocka_unit_test(warnings_are_short_lines),
        cmocka_unit_test(a_patch_pins_what_was_judged),
        cmocka_unit_test(a_mutation_is_a_patch_in_base64),
        cmocka_unit_test(image_reviews),
        cmocka_unit_test(the_hub_must_speak_of_what_was_asked),
        cmocka_unit_test(durations_and_hosts),
    };
    return cmocka_run_group_tests_name("review", tests, NULL, NULL);
}
