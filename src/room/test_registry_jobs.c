#include "base/mem.h"
#include "base/unit.h"
#include "proc/msg.h"
#include "room/registry_jobs.h"

static struct ck_job_registry job(void)
{
    return (struct ck_job_registry){
        .op = CK_REGISTRY_BLOB,
        .endpoint = { .host = "[::1]:5000", .repository = "library/alpine", .username = "",
                      .password = "p", .plain_http = true, .mirror = true,
                      .stranger = true, .ca = CK_V("PEM"),
                      .client_cert = CK_V("CERT"), .client_key = CK_V("KEY") },
        .reference = CK_V("sha256:00"), .offset = 3, .max = 1ull << 40, .exact = true,
        .allow_private = true, .tries = 7,
    };
}

static void jobs_come_back_as_they_were(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_job_registry in = job(), out;
    in.endpoint.bearer = "token";
    assert_ok(ck_job_registry_encode(&in, &b));
    assert_ok(ck_job_registry_decode(ck_buf_view(&b), &a, &out));
    assert_int_equal(out.op, CK_REGISTRY_BLOB);
    assert_string_equal(out.endpoint.host, "[::1]:5000");
    assert_string_equal(out.endpoint.repository, "library/alpine");
    assert_true(out.endpoint.plain_http && out.endpoint.mirror && out.endpoint.stranger);
    assert_string_equal(out.endpoint.username, ""); /* not NULL */
    assert_string_equal(out.endpoint.password, "p");
    assert_null(out.endpoint.identity_token);
    assert_string_equal(out.endpoint.bearer, "token");
    assert_view(out.endpoint.ca, "PEM");
    assert_view(out.endpoint.client_cert, "CERT");
    assert_view(out.endpoint.client_key, "KEY");
    assert_view(out.reference, "sha256:00");
    assert_int_equal(out.offset, 3);
    assert_int_equal(out.max, 1ull << 40);
    assert_true(out.exact && out.allow_private);
    assert_int_equal(out.tries, 7);

    b.n--;
    assert_fails(ck_job_registry_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "registry job");
    b.n++;
    ck_put_u8(&b, 0);
    assert_fails(ck_job_registry_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "registry job");
}

static void what_would_bend_a_request_is_refused(void **state)
{
    (void)state;
    struct ck_job_registry rows[13];
    for (size_t i = 0; i < 13; i++)
        rows[i] = job();
    rows[0].endpoint.host = "";
    rows[1].endpoint.host = "h\r\nX: y";
    rows[2].endpoint.repository = "a b";
    rows[3].endpoint.repository = "a?b";
    rows[4].endpoint.repository = "a#b";
    rows[5].endpoint.repository = "a%2fb";
    rows[6].reference = CK_V("");
    rows[7].reference = CK_V("x?y");
    rows[8].next = CK_V("/v2/x"); /* of a blob */
    rows[9].op = CK_REGISTRY_OP_COUNT_;
    rows[10].tries = 101;
    rows[11].op = CK_REGISTRY_REFERRERS;
    rows[11].next = CK_V("//h/v2");
    rows[12].endpoint.bearer = "t\r\nX: y";
    for (size_t i = 0; i < 13; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_job_registry out;
        assert_ok(ck_job_registry_encode(&rows[i], &b));
        assert_fails(ck_job_registry_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE,
                     "registry job");
    }
}

/* The largest job that is taken is one frame. */
static void a_job_is_one_frame(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *much = ck_calloc(1, 65537);
    memset(much, 'x', 65536);
    struct ck_job_registry j = job(), out;
    char *secret = ck_strndup(much, CK_MAX_REGISTRY_SECRET);
    char *name = ck_strndup(much, CK_MAX_REGISTRY_NAME);
    j.op = CK_REGISTRY_REFERRERS;
    j.endpoint.username = j.endpoint.password = j.endpoint.identity_token = secret;
    j.endpoint.host = j.endpoint.repository = name;
    j.endpoint.ca = ck_view_of(much, CK_MAX_REGISTRY_CA - 2);
    j.endpoint.client_cert = j.endpoint.client_key = CK_V("x");
    j.reference = ck_view_str(name);
    much[CK_MAX_REGISTRY_NEXT + 9] = '/';
    j.next = ck_view_of(much + CK_MAX_REGISTRY_NEXT + 9, CK_MAX_REGISTRY_NEXT);
    assert_ok(ck_job_registry_encode(&j, &b));
    assert_true(b.n <= CK_FRAME_PAYLOAD);
    assert_ok(ck_job_registry_decode(ck_buf_view(&b), &a, &out));

    j.endpoint.client_key = CK_V("xx");
    assert_fails(ck_job_registry_encode(&j, &b), CK_ERR_USAGE, "(limit REGISTRY_CA");
    j.endpoint.client_key = CK_V("");
    j.endpoint.password = much + (65536 - CK_MAX_REGISTRY_SECRET - 1);
    assert_fails(ck_job_registry_encode(&j, &b), CK_ERR_USAGE, "password: 8193 bytes (limit REGIS");
    j.endpoint.password = secret;
    j.endpoint.host = much + (65536 - CK_MAX_REGISTRY_NAME - 1);
    assert_fails(ck_job_registry_encode(&j, &b), CK_ERR_USAGE, "(limit REGISTRY_NAME");
    j.endpoint.host = name;
    j.next.n++;
    assert_fails(ck_job_registry_encode(&j, &b), CK_ERR_USAGE, "(limit REGISTRY_NEXT");
    free(secret);
    free(name);
}

static void answers_come_back_and_are_checked(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_registry_answer r = { .status = 404, .content_type = CK_V("a/b"),
                                    .digest = CK_V("sha256:1"), .next = CK_V("/v2/x?n=1"),
                                    .message = CK_V("DENIED: no"), .warning = CK_V("w\nx"),
                                    .length = 1ull << 40, .resumed_at = 5, .filtered = true },
                              out;
    ck_registry_answer_encode(&r, &b);
    assert_ok(ck_registry_answer_decode(ck_buf_view(&b), &a, &out));
    assert_int_equal(out.status, 404);
    assert_view(out.next, "/v2/x?n=1");
    assert_view(out.message, "DENIED: no");
    assert_view(out.warning, "w\nx");
    assert_int_equal(out.length, 1ull << 40);
    assert_int_equal(out.resumed_at, 5);
    assert_true(out.filtered);

    struct ck_registry_answer bad[4] = { r, r, r, r };
    bad[0].status = 99;
    bad[1].next = CK_V("https://h/");
    bad[2].next = CK_V("//h/");
    bad[3].digest = CK_V("a b");
    for (size_t i = 0; i < 4; i++) {
        ck_buf_clear(&b);
        ck_registry_answer_encode(&bad[i], &b);
        assert_fails(ck_registry_answer_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE,
                     "registry answer");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_as_they_were),
        cmocka_unit_test(what_would_bend_a_request_is_refused),
        cmocka_unit_test(a_job_is_one_frame),
        cmocka_unit_test(answers_come_back_and_are_checked),
    };
    return cmocka_run_group_tests_name("registry jobs", tests, NULL, NULL);
}
