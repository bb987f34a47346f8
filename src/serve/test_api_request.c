#include "base/mem.h"
#include "base/unit.h"
#include "serve/api_request.h"

static struct ck_api_words begin(struct ck_arena *a)
{
    struct ck_api_words w;
    ck_api_words_begin(&w, CK_V("POST"), CK_V("subscriptions"), a);
    return w;
}

static void members_become_words(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_api_words w = begin(&a);
    assert_ok(ck_api_body(CK_V("{\"name\":\"a=b\",\"digest_seconds\":60,\"kinds\":[\"moved\",\"\"],"
                               "\"on\":true,\"yaml\":\"rules:\\n- x\\n\"}"), &a, &w));
    static const char *const want[] = { "POST", "subscriptions", "digest_seconds:=60",
                                        "kinds[]=moved", "kinds[]=", "name=a=b", "on:=true" };
    assert_int_equal(w.n, sizeof want / sizeof *want);
    for (size_t i = 0; i < w.n; i++)
        assert_view(w.v[i], want[i]);
    assert_view(w.text, "rules:\n- x\n");
    w = begin(&a);
    assert_ok(ck_api_body(CK_V("{}"), &a, &w));
    assert_int_equal(w.n, 2);
    assert_null(w.text.p);
}

static void bodies_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what, *json;
        enum ck_err_class cls;
        const char *why;
    } cases[] = {
        { "no JSON", "{", CK_ERR_HOSTILE, "" },
        { "an array", "[]", CK_ERR_USAGE, "not an object" },
        { "a key twice", "{\"a\":1,\"a\":2}", CK_ERR_HOSTILE, "" },
        { "a key in upper case", "{\"A\":2}", CK_ERR_USAGE, "not known" },
        { "a key that could be another word", "{\"a:=1,b\":\"x\"}", CK_ERR_USAGE, "not known" },
        { "an object in it", "{\"a\":{}}", CK_ERR_HOSTILE, "" },
        { "a list of numbers", "{\"a\":[1]}", CK_ERR_HOSTILE, "" },
        { "a list of lists", "{\"a\":[[\"x\"]]}", CK_ERR_HOSTILE, "" },
        { "null", "{\"a\":null}", CK_ERR_HOSTILE, "" },
        { "a fraction", "{\"a\":1.5}", CK_ERR_HOSTILE, "" },
        { "a negative number", "{\"a\":-1}", CK_ERR_HOSTILE, "" },
        { "a line break", "{\"a\":\"x\\ny\"}", CK_ERR_USAGE, "control" },
        { "an escape sequence", "{\"a\":\"\\u001b[2J\"}", CK_ERR_USAGE, "control" },
        { "a line break in a list", "{\"a\":[\"x\\ny\"]}", CK_ERR_USAGE, "control" },
        { "a NUL", "{\"yaml\":\"x\\u0000\"}", CK_ERR_HOSTILE, "" },
        { "a number as text of many lines", "{\"yaml\":1}", CK_ERR_HOSTILE, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_api_words w = begin(&a);
        ck_err *e = ck_api_body(ck_view_str(cases[i].json), &a, &w);
        if (!e || ck_err_class(e) != cases[i].cls)
            print_error("%s: %s\n", cases[i].what, e ? ck_err_text(e) : "taken");
        assert_fails(e, cases[i].cls, cases[i].why);
    }
}

/* {"l":["","",...]}: each element is a word. */
static void words_up_to_the_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_api_words w = begin(&a);
        ck_buf_format(&b, "{\"l\":[");
        for (size_t i = 0; i < CK_MAX_API_WORDS - 2 + over; i++)
            ck_buf_format(&b, "%s\"\"", i ? "," : "");
        ck_buf_format(&b, "]}");
        if (over)
            assert_fails(ck_api_body(ck_buf_view(&b), &a, &w), CK_ERR_LIMIT, "API_WORDS");
        else
            assert_ok(ck_api_body(ck_buf_view(&b), &a, &w));
    }
}

static void a_word_up_to_the_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_api_words w = begin(&a);
        ck_buf_format(&b, "{\"a\":\"");
        for (size_t i = 0; i < CK_MAX_API_WORD - 2 + over; i++)
            ck_put_u8(&b, 'x');
        ck_buf_format(&b, "\"}");
        if (over)
            assert_fails(ck_api_body(ck_buf_view(&b), &a, &w), CK_ERR_LIMIT, "API_WORD");
        else
            assert_ok(ck_api_body(ck_buf_view(&b), &a, &w));
    }
}

static void a_text_up_to_the_limit(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_api_words w = begin(&a);
        ck_buf_format(&b, "{\"yaml\":\"");
        memset(ck_buf_room(&b, CK_MAX_API_TEXT + over), 'x', CK_MAX_API_TEXT + over);
        b.n += CK_MAX_API_TEXT + over;
        ck_buf_format(&b, "\"}");
        if (over)
            assert_fails(ck_api_body(ck_buf_view(&b), &a, &w), CK_ERR_LIMIT, "API_TEXT");
        else
            assert_ok(ck_api_body(ck_buf_view(&b), &a, &w));
    }
}

static void parameters_become_words(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_api_words w = begin(&a);
    struct ck_params p;
    char query[] = "q=a%3db&n=5", bad[] = "n%3a=5", upper[] = "Q=1", empty[] = "=1";
    assert_null(ck_form_parse((uint8_t *)query, strlen(query), &p));
    assert_ok(ck_api_query(&p, &a, &w));
    assert_int_equal(w.n, 4);
    assert_view(w.v[2], "q=a=b");
    assert_view(w.v[3], "n=5");
    assert_null(ck_form_parse((uint8_t *)bad, strlen(bad), &p));
    assert_fails(ck_api_query(&p, &a, &w), CK_ERR_USAGE, "not known");
    assert_null(ck_form_parse((uint8_t *)upper, strlen(upper), &p));
    assert_fails(ck_api_query(&p, &a, &w), CK_ERR_USAGE, "not known");
    assert_null(ck_form_parse((uint8_t *)empty, strlen(empty), &p));
    assert_fails(ck_api_query(&p, &a, &w), CK_ERR_USAGE, "not known");
}

#define TOKEN "0123456789abcdefABCDEF-_"

static void cookies(void **state)
{
    (void)state;
    ck_view v;
    assert_true(ck_api_cookie(CK_V("cocket=" TOKEN), &v));
    assert_view(v, TOKEN);
    assert_true(ck_api_cookie(CK_V("a=b; cocket=" TOKEN "; c=d"), &v));
    static const char *const none[] = { "", "cocket", "cocket=", "a=b", "xcocket=" TOKEN,
                                        "cocket=" TOKEN "; cocket=" TOKEN, "cocket=short",
                                        "cocket=" TOKEN "\"", "cocket=" TOKEN " x",
                                        "cocket=\"" TOKEN "\"" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_false(ck_api_cookie(ck_view_str(none[i]), &v));
}

#define HOST .host = CK_V("gate.example:5443")

static void where_a_change_may_come_from(void **state)
{
    (void)state;
    const struct ck_api_origin ours[] = {
        { HOST, .authorized = true },
        { HOST, .requested = CK_V("cocket") },
        { HOST, .requested = CK_V("cocket"), .site = CK_V("same-origin"),
          .origin = CK_V("https://gate.example:5443") },
        { HOST, .authorized = true, .origin = CK_V("https://GATE.example:5443") },
    };
    const struct ck_api_origin foreign[] = {
        { HOST },
        { HOST, .requested = CK_V("XMLHttpRequest") },
        { HOST, .requested = CK_V("cocket"), .site = CK_V("cross-site") },
        { HOST, .requested = CK_V("cocket"), .site = CK_V("same-site") },
        { HOST, .authorized = true, .site = CK_V("cross-site") },
        { HOST, .authorized = true, .site = CK_V("none") },
        { HOST, .authorized = true, .site = CK_V("") },
        { HOST, .authorized = true, .origin = CK_V("null") },
        { HOST, .authorized = true, .origin = CK_V("https://gate.example") },
        { HOST, .authorized = true, .origin = CK_V("https://gate.example:5443.evil.example") },
        { .authorized = true, .origin = CK_V("https://") },
    };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_null(ck_api_foreign(&ours[i]));
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        assert_non_null(ck_api_foreign(&foreign[i]));
}

static void entity_tags(void **state)
{
    (void)state;
    ck_view tag = CK_V("\"abc\"");
    assert_true(ck_api_matches(CK_V("\"abc\""), tag));
    assert_true(ck_api_matches(CK_V("\"x\", W/\"abc\""), tag));
    assert_true(ck_api_matches(CK_V("*"), tag));
    assert_false(ck_api_matches(CK_V(""), tag));
    assert_false(ck_api_matches(CK_V("abc"), tag));
    assert_false(ck_api_matches(CK_V("\"ab\""), tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_become_words),
        cmocka_unit_test(bodies_that_are_refused),
        cmocka_unit_test(words_up_to_the_limit),
        cmocka_unit_test(a_word_up_to_the_limit),
        cmocka_unit_test(a_text_up_to_the_limit),
        cmocka_unit_test(parameters_become_words),
        cmocka_unit_test(cookies),
        cmocka_unit_test(where_a_change_may_come_from),
        cmocka_unit_test(entity_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
