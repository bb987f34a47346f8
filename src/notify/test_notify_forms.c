/* What is written to receivers, and what is taken from people. */
#include "advisory/record.h"
#include "base/mem.h"
#include "base/unit.h"
#include "notify/notify_int.h"

static const char uuid[] = "01234567-89ab-4cde-8f01-23456789abcd";

static struct ck_event event(void)
{
    return (struct ck_event){ .number = 17, .time = 1700000000, .kind = CK_V("withdrawn"),
                              .severity = CK_SEVERITY_HIGH, .image = CK_V("sha256:00"),
                              .name = CK_V("docker.io/library/debian:12"),
                              .repository = CK_V("docker.io/library/debian"),
                              .summary = CK_V("no longer passes"),
                              .data = CK_V("{\"until\":1}") };
}

static struct ck_notice notice(const struct ck_event *v, size_t n)
{
    return (struct ck_notice){ .key = CK_V("key-1"), .store = uuid, .events = v, .n = n,
                               .time = 1700000000 };
}

static void an_event_is_a_cloudevent(void **state)
{
    (void)state;
    struct ck_event v[2] = { event(), { .number = 18, .kind = CK_V("survey"), .severity = -1 } };
    struct ck_notice n = notice(v, 1);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_form_cloudevents(&n, &b);
    assert_view(ck_buf_view(&b),
                "{\"specversion\":\"1.0\",\"id\":\"01234567-89ab-4cde-8f01-23456789abcd/17\","
                "\"source\":\"urn:uuid:01234567-89ab-4cde-8f01-23456789abcd\","
                "\"type\":\"cocket.withdrawn.v1\",\"subject\":\"docker.io/library/debian:12\","
                "\"time\":\"2023-11-14T22:13:20Z\",\"datacontenttype\":\"application/json\","
                "\"data\":{\"number\":17,\"kind\":\"withdrawn\",\"severity\":\"high\","
                "\"image\":\"sha256:00\",\"name\":\"docker.io/library/debian:12\","
                "\"repository\":\"docker.io/library/debian\",\"summary\":\"no longer passes\","
                "\"details\":{\"until\":1}}}");
    n.n = 2;
    ck_buf_clear(&b);
    ck_form_cloudevents(&n, &b);
    assert_true(ck_view_starts(ck_buf_view(&b), CK_V("[{")));
    assert_true(ck_view_ends(ck_buf_view(&b), CK_V("\"severity\":null,\"image\":null,\"name\":null,"
                                                   "\"repository\":null,\"summary\":null,"
                                                   "\"details\":null}}]")));
}

static void long_details_are_left_out(void **state)
{
    (void)state;
    struct ck_event e = event();
    struct ck_notice n = notice(&e, 1);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *data = ck_calloc(CK_MAX_NOTIFY_DETAILS + 1, 1);
    memset(data, ' ', CK_MAX_NOTIFY_DETAILS + 1);
    data[0] = '{';
    data[CK_MAX_NOTIFY_DETAILS - 1] = '}';
    e.data = ck_view_of(data, CK_MAX_NOTIFY_DETAILS);
    ck_form_cloudevents(&n, &b);
    assert_true(ck_view_ends(ck_buf_view(&b), CK_V(" }}}")));
    e.data.n++;
    ck_buf_clear(&b);
    ck_form_cloudevents(&n, &b);
    assert_true(ck_view_ends(ck_buf_view(&b),
                             CK_V("\"details\":null,\"details_left_out\":true}}")));
}

/* 200 events with the longest summaries and details fit into what the room takes. */
static void a_full_digest_fits(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *data = ck_calloc(CK_MAX_NOTIFY_DETAILS, 1);
    ck_autofree struct ck_event *v = ck_calloc(CK_MAX_NOTIFY_DIGEST, sizeof *v);
    memset(data, 'x', CK_MAX_NOTIFY_DETAILS);
    for (size_t i = 0; i < CK_MAX_NOTIFY_DIGEST; i++) {
        v[i] = event();
        v[i].summary = ck_view_of(data, CK_MAX_FIELD);
        v[i].data = ck_view_of(data, CK_MAX_NOTIFY_DETAILS);
    }
    struct ck_notice n = notice(v, CK_MAX_NOTIFY_DIGEST);
    ck_form_cloudevents(&n, &b);
    assert_true(b.n <= CK_MAX_NOTIFY_BODY);
}

static void chats_are_told_text_and_nothing_else(void **state)
{
    (void)state;
    struct ck_event e = event();
    struct ck_notice n = notice(&e, 1);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    e.summary = CK_V("<!channel> a&b `code` ![x](http://evil)\n\x1b[31m \xe2\x80\xae");
    ck_form_slack(&n, &b);
    assert_view(ck_buf_view(&b),
                "{\"text\":\"cocket: *withdrawn* (high) `docker.io/library/debian:12` "
                "`&lt;!channel&gt; a&amp;b 'code' ![x](http://evil)\\\\x0a\\\\x1b[31m "
                "\\\\u{202e}`\",\"mrkdwn\":true,\"unfurl_links\":false,\"unfurl_media\":false}");
}

static struct ck_mail_target target_of(const char *text, struct ck_arena *a)
{
    struct ck_mail_target t = { 0 };
    assert_ok(ck_mail_target_parse(ck_view_str(text), a, &t));
    return t;
}

static void a_mail_is_a_mail(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_mail_target t = target_of("smtp://h/?to=a@b.example,c@d.example&from=e@f.example",
                                        &a);
    struct ck_event e = event();
    struct ck_notice n = notice(&e, 1);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    e.summary = CK_V("=1 \xc3\xa4 ");
    ck_form_mail(&n, &t, &b);
    assert_view(ck_buf_view(&b),
                "From: cocket <e@f.example>\r\nTo: a@b.example,\r\n c@d.example\r\n"
                "Subject: cocket: withdrawn: docker.io/library/debian:12\r\n"
                "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <key-1@f.example>\r\n"
                "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n"
                "Auto-Submitted: auto-generated\r\n\r\n"
                "withdrawn: =3D1 =C3=A4=20\r\n  name        docker.io/library/debian:12\r\n"
                "  image       sha256:00\r\n  severity    high\r\n"
                "  time        2023-11-14T22:13:20Z\r\n  event       17\r\n\r\n");
}

/* No line is longer than RFC 5322 allows, none is the image's own, and the header ends once. */
static void a_mail_takes_no_header_from_an_image(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_mail_target t = target_of("smtp://h/?to=a@b.example", &a);
    struct ck_event e = event();
    struct ck_notice n = notice(&e, 1);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE), name = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&name, CK_V("x\r\nBcc: y@z\r\n\r\n.\r\n=?UTF-8?Q?no?= "));
    for (int i = 0; i < 2000; i++)
        ck_put_bytes(&name, CK_V("\xf0\x9f\x90\xb3"));
    e.name = e.summary = ck_buf_view(&name);
    ck_form_mail(&n, &t, &b);
    ck_cur c = ck_cur_of(ck_buf_view(&b));
    size_t empty = 0;
    while (!ck_cur_end(&c)) {
        ck_view line = ck_cur_line(&c);
        assert_true(ck_view_ends(line, CK_V("\r")));
        assert_true(line.n <= 77);
        assert_false(ck_view_starts(line, CK_V("Bcc")));
        empty += line.n == 1;
    }
    assert_int_equal(empty, 2); /* behind the header, at the end */
    ck_view all = ck_buf_view(&b);
    assert_non_null(memmem(all.p, all.n, "\r\nSubject: =?UTF-8?B?", 21));
}

static void signatures_are_hmacs(void **state)
{
    (void)state;
    static const struct {
        const char *secret, *want;
    } rows[] = {
        { "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
          "v1,eqZWi1KvckOc9tK3xM0qsIyobFrJ0RXyq1ebOzoqbkE=" },
        { "plain text", "v1,5PMBYgo9wGfLTqsYIyYm+DBnghVMFpwwYZmdTG2OE0I=" },
    };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < 2; i++) {
        ck_buf_clear(&b);
        assert_ok(ck_sign(ck_view_str(rows[i].secret), CK_V("key-1"), 1700000000,
                          CK_V("{\"a\":1}"), &b));
        assert_view(ck_buf_view(&b), rows[i].want);
    }
    assert_fails(ck_sign(CK_V("whsec_!"), CK_V(""), 0, CK_V(""), &b), CK_ERR_USAGE, "Base64");
    char one[CK_NOTIFY_SECRET_TEXT], two[CK_NOTIFY_SECRET_TEXT];
    assert_ok(ck_notify_new_secret(one));
    assert_ok(ck_notify_new_secret(two));
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), 50);
    assert_ok(ck_sign(ck_view_str(one), CK_V("x"), 1, CK_V("y"), &b));
}

static void uuids_say_their_version(void **state)
{
    (void)state;
    char text[CK_UUID_TEXT];
    static const uint8_t ones[16] = { [0] = 1, [6] = 0xFF, [8] = 0xFF, [15] = 2 };
    ck_uuid_of(ones, text);
    assert_string_equal(text, "01000000-0000-4f00-bf00-000000000002");
}

static void wants(const char *kinds, const char *repository, int severity, struct ck_event e,
                  bool want)
{
    struct ck_subscription s = { .name = CK_V("me"), .kinds = ck_view_str(kinds),
                                 .repository = ck_view_str(repository), .severity = severity };
    assert_int_equal(ck_notify_wants(&s, &e), want);
}

static void filters_filter(void **state)
{
    (void)state;
    struct ck_event e = event(), none = event(), found = event(), test = event();
    wants("", "", -1, e, true);
    wants("moved,withdrawn", "", -1, e, true);
    wants("moved", "", -1, e, false);
    wants("withdraw", "", -1, e, false);
    wants("", "docker.io/library/*", -1, e, true);
    wants("", "docker.io/library/debian", -1, e, true);
    wants("", "docker.io/library/debia", -1, e, false);
    wants("", "*/debian", -1, e, true);
    wants("", "*brary*deb*n", -1, e, true);
    wants("", "**", -1, e, true);
    wants("", "*x*", -1, e, false);
    wants("", "docker.io/library/debian?", -1, e, false);
    wants("", "", CK_SEVERITY_HIGH, e, true);
    wants("", "", CK_SEVERITY_CRITICAL, e, false);
    none.severity = -1;
    wants("", "", CK_SEVERITY_CRITICAL, none, true); /* a withdrawal is not held back by it */
    found.severity = -1;
    found.kind = CK_V("findings");
    wants("", "", CK_SEVERITY_LOW, found, false);
    wants("", "", -1, found, true);
    test.kind = CK_V("test");
    wants("moved", "no", CK_SEVERITY_CRITICAL, test, false);
    test.name = CK_V("me");
    wants("moved", "no", CK_SEVERITY_CRITICAL, test, true);
    test.kind = CK_V("undelivered");
    wants("", "", -1, test, false); /* what could not be told to it */
    test.name = CK_V("other");
    wants("", "", -1, test, true);
}

static void mail_addresses_are_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_mail_target t = target_of(
        "smtp://me%40x@[::1]:2525/?to=a+b@c.example&to=d@e&from=f%40g&starttls=never", &a);
    assert_true(ck_view_starts(t.server, CK_V("smtp://[::1]:2525/")));
    assert_view(t.user, "me@x");
    assert_int_equal(t.n_to, 2);
    assert_view(t.to[0], "a+b@c.example");
    assert_view(t.from, "f@g");
    assert_int_equal(t.tls, CK_NOTIFY_TLS_NEVER);
    assert_int_equal(target_of("smtp://h?to=a@b", &a).tls, CK_NOTIFY_TLS_TRY);
    assert_int_equal(target_of("smtp://u@h?to=a@b", &a).tls, CK_NOTIFY_TLS_ALWAYS);
    static const char *const bad[] = {
        "http://h/?to=a@b", "smtp://", "smtp:///?to=a@b", "smtp://h/", "smtp://h/?to=",
        "smtp://h/?to=a", "smtp://h/?to=a@b%0d%0aRCPT", "smtp://h/?to=a@b%3e",
        "smtp://h/?to=-x@b", "smtp://h/?to=a@b c", "smtp://u:secret@h/?to=a@b",
        "smtp://h/path?to=a@b", "smtp://h/?to=a@b&from=c", "smtp://h/?to=a@b&cc=c@d",
        "smtp://h/?to=a@b&starttls=maybe", "smtp://h/?to=a%4", "smtp://h/?to=a@b@c",
        "smtp://u@v@h/?to=a@b", "smtp://:25/?to=a@b", "smtp://h/?to=%00@b",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_err *e = ck_mail_target_parse(ck_view_str(bad[i]), &a, &t);
        if (!e)
            print_error("taken: %s\n", bad[i]);
        assert_non_null(e);
        assert_int_equal(ck_err_class(e), CK_ERR_USAGE);
        ck_err_free(e);
    }
}

static void check(const char *way, const char *target, const char *secret, const char *kinds,
                  const char *error)
{
    struct ck_subscription s = { .name = CK_V("a.b_c-1"), .way = ck_view_str(way),
                                 .target = ck_view_str(target), .secret = ck_view_str(secret),
                                 .kinds = ck_view_str(kinds), .severity = -1 };
    if (error)
        assert_fails(ck_notify_check(&s), CK_ERR_USAGE, error);
    else
        assert_ok(ck_notify_check(&s));
}

static void subscriptions_are_checked(void **state)
{
    (void)state;
    check("webhook", "https://h/x", "", "withdrawn,moved", NULL);
    check("webhook", "http://[::1]:8080", "text", "", NULL);
    check("slack", "https://h/x", "", "", NULL);
    check("smtp", "smtps://u@h/?to=a@b", "pw", "", NULL);
    check("command", "/bin/cat", "", "", NULL);
    check("fax", "1", "", "", "webhook, slack, smtp");
    check("webhook", "ftp://h/", "", "", "begins with");
    check("webhook", "https:///x", "", "", "no host");
    check("webhook", "https://h/a b", "", "", "percent");
    check("webhook", "https://h/", "whsec_*", "", "Base64");
    check("webhook", "https://h/", "", "withdrawn,,moved", "no kind");
    check("webhook", "https://h/", "", "nonsense", "no kind");
    check("smtp", "smtp://h/?to=a@b", "pw", "", "names no user");
    check("command", "cat", "", "", "absolute path");
    check("command", "/bin/nothing-such", "", "", "No such file");
    check("command", "/bin/cat", "x", "", "no secret");
    struct ck_subscription s = { .name = CK_V("A"), .way = CK_V("slack"),
                                 .target = CK_V("https://h/") };
    assert_fails(ck_notify_check(&s), CK_ERR_USAGE, "name");
}

static void secrets_are_not_shown(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_subscription s = { .way = CK_V("slack"), .target = CK_V("https://h:1/services/T/x") };
    assert_string_equal(ck_notify_shown(&s, &a), "https://h:1/...");
    s.way = CK_V("webhook");
    s.target = CK_V("https://u:p@h/x?token=secret");
    assert_string_equal(ck_notify_shown(&s, &a), "https://h/x/...");
    s.way = CK_V("command");
    s.target = CK_V("/bin/\x1b");
    assert_string_equal(ck_notify_shown(&s, &a), "/bin/\\x1b");
}

static void pauses_double_and_vary(void **state)
{
    (void)state;
    struct ck_notify_options o = { 0 };
    assert_int_equal(ck_outbox_pause(&o, 0, 0, 128), 10);
    assert_int_equal(ck_outbox_pause(&o, 1, 0, 128), 20);
    assert_int_equal(ck_outbox_pause(&o, 8, 0, 128), 2560);
    assert_int_equal(ck_outbox_pause(&o, 9, 0, 128), 3600);
    assert_int_equal(ck_outbox_pause(&o, 4000000, 0, 128), 3600);
    assert_int_equal(ck_outbox_pause(&o, 9, 0, 0), 2700);
    assert_int_equal(ck_outbox_pause(&o, 9, 0, 255), 3600 + 3600 * 127 / 512);
    assert_int_equal(ck_outbox_pause(&o, 0, 100, 128), 100);
    assert_int_equal(ck_outbox_pause(&o, 0, UINT32_MAX, 128), CK_MAX_NOTIFY_WAIT);
    assert_int_equal(ck_outbox_pause(&o, 9, 100, 128), 3600); /* sooner than we would: no */
    o.first_seconds = 1;
    o.most_seconds = 2;
    assert_int_equal(ck_outbox_pause(&o, 0, 0, 0), 1); /* never at once */
    assert_int_equal(ck_outbox_pause(&o, 5, 0, 128), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_cloudevent),
        cmocka_unit_test(long_details_are_left_out),
        cmocka_unit_test(a_full_digest_fits),
        cmocka_unit_test(chats_are_told_text_and_nothing_else),
        cmocka_unit_test(a_mail_is_a_mail),
        cmocka_unit_test(a_mail_takes_no_header_from_an_image),
        cmocka_unit_test(signatures_are_hmacs),
        cmocka_unit_test(uuids_say_their_version),
        cmocka_unit_test(filters_filter),
        cmocka_unit_test(mail_addresses_are_read),
        cmocka_unit_test(subscriptions_are_checked),
        cmocka_unit_test(secrets_are_not_shown),
        cmocka_unit_test(pauses_double_and_vary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
