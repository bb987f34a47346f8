#include "base/mem.h"
#include "base/unit.h"
#include "proc/msg.h"
#include "room/notify_jobs.h"

static struct ck_job_notify post(void)
{
    static const ck_view fields[] = { { (const uint8_t *)"Content-Type: a/b", 17 },
                                      { (const uint8_t *)"webhook-id: 7", 13 } };
    return (struct ck_job_notify){ .url = CK_V("https://u:p@h.example:1/x?y=z"), .seconds = 30,
                                   .fields = fields, .n_fields = 2 };
}

static struct ck_job_notify mail(void)
{
    static const ck_view to[] = { { (const uint8_t *)"a@b", 3 } };
    return (struct ck_job_notify){ .url = CK_V("smtps://[::1]:465/h"), .seconds = 60, .fields = to,
                                   .n_fields = 1, .from = CK_V("c@d"), .user = CK_V("me"),
                                   .password = CK_V("p w\xc3\xa4"), .tls = CK_NOTIFY_TLS_ALWAYS };
}

static ck_err *there_and_back(const struct ck_job_notify *in, struct ck_arena *a,
                              struct ck_job_notify *out)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_job_notify_encode(in, &b);
    return ck_job_notify_decode(ck_arena_dup(a, ck_buf_view(&b)), a, out);
}

static void jobs_come_back_as_they_were(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_job_notify in = post(), out;
    assert_ok(there_and_back(&in, &a, &out));
    assert_view(out.url, "https://u:p@h.example:1/x?y=z");
    assert_int_equal(out.seconds, 30);
    assert_int_equal(out.n_fields, 2);
    assert_view(out.fields[1], "webhook-id: 7");
    assert_false(ck_job_notify_is_mail(&out));
    in = mail();
    assert_ok(there_and_back(&in, &a, &out));
    assert_true(ck_job_notify_is_mail(&out));
    assert_view(out.from, "c@d");
    assert_view(out.user, "me");
    assert_view(out.password, "p w\xc3\xa4");
    assert_int_equal(out.tls, CK_NOTIFY_TLS_ALWAYS);
}

static void cut_and_longer_jobs_are_refused(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_job_notify in = mail(), out;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_job_notify_encode(&in, &b);
    for (size_t n = 0; n < b.n; n++)
        assert_fails(ck_job_notify_decode(ck_view_of(b.p, n), &a, &out), CK_ERR_HOSTILE, "notify");
    ck_put_u8(&b, 0);
    assert_fails(ck_job_notify_decode(ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, "notify job");
}

static void assert_refused(const struct ck_job_notify *j, const char *why)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_job_notify out;
    assert_fails(there_and_back(j, &a, &out), CK_ERR_HOSTILE, why);
}

static void what_would_bend_a_request_is_refused(void **state)
{
    (void)state;
    static const char *const urls[] = { "", "file:///etc/passwd", "ftp://h/", "http://h/a b",
                                        "http://h/\r\nX: y", "https:h", "http://h/\xc3\xa4" };
    struct ck_job_notify j;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        j = post();
        j.url = ck_view_str(urls[i]);
        assert_refused(&j, "URL");
    }
    static const ck_view headers[] = { { (const uint8_t *)"A: b\r\nC: d", 10 },
                                       { (const uint8_t *)"no colon", 8 },
                                       { (const uint8_t *)": x", 3 },
                                       { (const uint8_t *)"", 0 },
                                       { (const uint8_t *)"A: \0", 4 } };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        j = post();
        j.fields = &headers[i];
        j.n_fields = 1;
        assert_refused(&j, "field");
    }
    static const ck_view addresses[] = { { (const uint8_t *)"a@b>\r\nDATA", 10 },
                                         { (const uint8_t *)"a@b> SIZE=1", 11 },
                                         { (const uint8_t *)"", 0 },
                                         { (const uint8_t *)"<a@b", 4 } };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        j = mail();
        j.fields = &addresses[i];
        assert_refused(&j, "field");
        j = mail();
        j.from = addresses[i];
        assert_refused(&j, "sender");
    }
    j = post();
    j.from = CK_V("a@b");
    assert_refused(&j, "sender");
    j = mail();
    j.password = ck_view_of("a\0b", 3);
    assert_refused(&j, "login");
}

static void limits_hold(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_job_notify j = post(), out;
    j.seconds = CK_MAX_NOTIFY_SECONDS;
    assert_ok(there_and_back(&j, &a, &out));
    j.seconds++;
    assert_refused(&j, "seconds");
    j.seconds = 0;
    assert_refused(&j, "seconds");
    ck_view *many = ck_arena_alloc(&a, CK_MAX_NOTIFY_FIELDS + 1, sizeof *many);
    for (size_t i = 0; i <= CK_MAX_NOTIFY_FIELDS; i++)
        many[i] = CK_V("A: b");
    j = post();
    j.fields = many;
    j.n_fields = CK_MAX_NOTIFY_FIELDS;
    assert_ok(there_and_back(&j, &a, &out));
    j.n_fields++;
    assert_refused(&j, "fields");
    j.n_fields = 0;
    assert_refused(&j, "fields");
    char *url = ck_arena_alloc(&a, CK_MAX_NOTIFY_URL + 1, 1);
    memset(url, 'x', CK_MAX_NOTIFY_URL + 1);
    memcpy(url, "http://", 7);
    j = post();
    j.url = ck_view_of(url, CK_MAX_NOTIFY_URL);
    assert_ok(there_and_back(&j, &a, &out));
    j.url.n++;
    assert_refused(&j, "notify job");
}

static void answers_come_back_as_they_were(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_notify_answer r = { .status = 429, .retry_after = 17, .message = CK_V("slow") }, out;
    ck_notify_answer_encode(&r, &b);
    assert_ok(ck_notify_answer_decode(ck_buf_view(&b), &out));
    assert_int_equal(out.status, 429);
    assert_int_equal(out.retry_after, 17);
    assert_view(out.message, "slow");
    b.n--;
    assert_fails(ck_notify_answer_decode(ck_buf_view(&b), &out), CK_ERR_HOSTILE, "notify answer");
    static const unsigned bad[] = { 0, 99, 600 };
    for (size_t i = 0; i < 3; i++) {
        ck_buf_clear(&b);
        r.status = bad[i];
        ck_notify_answer_encode(&r, &b);
        assert_fails(ck_notify_answer_decode(ck_buf_view(&b), &out), CK_ERR_HOSTILE, "answer");
    }
    uint8_t *text = ck_arena_alloc(&a, CK_MAX_NOTIFY_ANSWER + 1, 1);
    r = (struct ck_notify_answer){ .status = 200, .message = { text, CK_MAX_NOTIFY_ANSWER } };
    ck_buf_clear(&b);
    ck_notify_answer_encode(&r, &b);
    assert_ok(ck_notify_answer_decode(ck_buf_view(&b), &out));
    r.message.n++;
    ck_buf_clear(&b);
    ck_notify_answer_encode(&r, &b);
    assert_fails(ck_notify_answer_decode(ck_buf_view(&b), &out), CK_ERR_HOSTILE, "answer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_as_they_were),
        cmocka_unit_test(cut_and_longer_jobs_are_refused),
        cmocka_unit_test(what_would_bend_a_request_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(answers_come_back_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
