#include "base/arena.h"
#include "base/base64.h"
#include "base/mem.h"
#include "base/unit.h"

#include <time.h>

static ck_err *fail_inner(void)
{
    return ck_err_at(CK_ERR_HOSTILE, 17, "bad byte %c in \x1b[31mname", 'x');
}

static ck_err *fail_outer(void)
{
    CK_TRY_WRAP(fail_inner(), "layer %d", 3);
    return NULL;
}

static void errors_chain_and_escape(void **state)
{
    (void)state;
    assert_fails(fail_outer(), CK_ERR_HOSTILE, "layer 3: byte 17: bad byte x in \\x1b[31mname");
    ck_err *e = ck_err_limit(CK_LIMIT_PATH, "a name");
    assert_int_equal(ck_err_class(e), CK_ERR_LIMIT);
    assert_int_equal(ck_err_limit_of(e), CK_LIMIT_PATH);
    assert_string_equal(ck_err_text(e), "a name (limit PATH: 4096 bytes)");
    assert_int_equal(ck_err_exit_status(e), 4);
    assert_int_equal(ck_err_status(e), 0);
    e = ck_err_wrap(ck_err_with_status(e, 404), "a place");
    assert_int_equal(ck_err_status(e), 404);
    ck_err_free(e);
}

static void cursor_never_leaves_its_view(void **state)
{
    (void)state;
    ck_cur c = ck_cur_of(ck_view_of("\x01\x02\x03\x04\x05", 5));
    assert_int_equal(ck_cur_be16(&c), 0x0102);
    assert_int_equal(ck_cur_le16(&c), 0x0403);
    assert_true(ck_cur_ok(&c));
    assert_int_equal(ck_cur_le32(&c), 0);
    assert_false(ck_cur_ok(&c));
    assert_int_equal(ck_cur_u8(&c), 0); /* the first failure sticks */
    assert_int_equal(ck_cur_left(&c), 0);

    c = ck_cur_of(CK_V("one\ntwo"));
    assert_view(ck_cur_line(&c), "one");
    assert_view(ck_cur_line(&c), "two");
    assert_true(ck_cur_end(&c) && ck_cur_ok(&c));
    ck_cur_line(&c);
    assert_false(ck_cur_ok(&c));
}

static void numbers_are_whole_and_fit(void **state)
{
    (void)state;
    uint64_t x = 7;
    assert_true(ck_view_u64(CK_V("18446744073709551615"), &x));
    assert_true(x == UINT64_MAX);
    assert_false(ck_view_u64(CK_V("18446744073709551616"), &x));
    assert_false(ck_view_u64(CK_V(""), &x));
    assert_false(ck_view_u64(CK_V("1 "), &x));
    assert_false(ck_view_u64(CK_V("-1"), &x));
}

static void buffers_stop_at_their_ceiling(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_PATH);
    char part[1024] = { 0 };
    for (int i = 0; i < 4; i++)
        assert_ok(ck_buf_add(&b, ck_view_of(part, sizeof part)));
    assert_fails(ck_buf_add(&b, CK_V("x")), CK_ERR_LIMIT, "limit PATH");
    assert_int_equal(b.n, 4096);
}

static void codec_round_trip(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_u8(&b, 1);
    ck_put_u16(&b, 0x1234);
    ck_put_u64(&b, 0x1122334455667788);
    ck_put_str(&b, CK_V("abc"));
    ck_cur c = ck_cur_of(ck_buf_view(&b));
    assert_int_equal(ck_cur_u8(&c), 1);
    assert_int_equal(ck_cur_le16(&c), 0x1234);
    assert_true(ck_cur_le64(&c) == 0x1122334455667788);
    ck_cur again = c;
    assert_view(ck_cur_str(&c, 3), "abc");
    assert_true(ck_cur_ok(&c) && ck_cur_end(&c));
    ck_cur_str(&again, 2); /* longer than its maximum */
    assert_false(ck_cur_ok(&again));
}

static void text_is_put_together(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    for (int n = 250; n < 260; n++) { /* what fits at once, and what does not */
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_buf_format(&b, "<%*s>", n - 2, "x");
        assert_int_equal(b.n, n);
        assert_true(b.p[0] == '<' && b.p[n - 2] == 'x' && b.p[n - 1] == '>');
        const char *s = ck_arena_format(&a, "<%*s>", n - 2, "x");
        assert_int_equal(strlen(s), n);
        assert_memory_equal(s, b.p, n);
    }
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_decimal(&b, 0);
    ck_buf_decimal(&b, 10);
    ck_buf_decimal(&b, UINT64_MAX);
    assert_view(ck_buf_view(&b), "01018446744073709551615");
}

static void text_is_safe_on_a_terminal(void **state)
{
    (void)state;
    ck_autofree char *s = ck_escape(ck_view_str("a\tb\x1b]0;x\x07 \xc3\xa9 \xff \xe2\x80\xae"));
    assert_string_equal(s, "a\\x09b\\x1b]0;x\\x07 \xc3\xa9 \\xff \\u{202e}");
    assert_false(ck_utf8_valid(CK_V("\xc0\x80")));     /* overlong */
    assert_false(ck_utf8_valid(CK_V("\xed\xa0\x80"))); /* surrogate */
    assert_int_equal(ck_text_width(CK_V("a\xc3\xa9\xe4\xb8\xad")), 4);
    for (size_t at = 0; at <= 20; at++) { /* wherever it stands among ASCII */
        uint8_t text[24];
        memset(text, 'a', sizeof text);
        assert_true(ck_utf8_valid(ck_view_of(text, at)));
        memcpy(text + at, "\xc3\xa9", 2);
        assert_true(ck_utf8_valid(ck_view_of(text, sizeof text)));
        assert_false(ck_utf8_valid(ck_view_of(text, at + 1)));
        text[at] = 0xff;
        assert_false(ck_utf8_valid(ck_view_of(text, sizeof text)));
    }

    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_json_or_null(&b, CK_V("q\"\\\n\x01\xff\xc3\xa9"));
    assert_view(ck_buf_view(&b), "\"q\\\"\\\\\\n\\u0001\xEF\xBF\xBD\xc3\xa9\"");
    ck_buf_clear(&b);
    ck_buf_json_or_null(&b, CK_V(""));
    assert_view(ck_buf_view(&b), "null");
}

static void times(void **state)
{
    (void)state;
    int64_t t = 0;
    char out[32];
    assert_true(ck_parse_time(CK_V("2026-08-01T12:00:00.123+02:00"), &t));
    ck_format_time(out, t);
    assert_string_equal(out, "2026-08-01T10:00:00Z");
    for (int64_t day = -800000; day < 3100000; day += 997) { /* as timegm counts */
        int64_t want = day * 86400 + 12345;
        time_t c = want;
        struct tm tm;
        char text[64];
        if (!gmtime_r(&c, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
            continue;
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
        if (tm.tm_year + 1900 < 1000)
            continue; /* strftime does not pad */
        ck_format_time(out, want);
        assert_string_equal(out, text);
        assert_true(ck_parse_time(ck_view_str(text), &t) && t == want);
    }
    assert_false(ck_parse_time(CK_V("2026-13-01T12:00:00Z"), &t));
    assert_false(ck_parse_time(CK_V("2026-08-01T12:00:00"), &t));
    assert_false(ck_parse_time(CK_V("2026-08-01T12:00:00Zx"), &t));
}

static void arenas_and_vectors(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view kept = ck_arena_dup(&a, CK_V("kept"));
    for (int i = 0; i < 1000; i++)
        memset(ck_arena_alloc(&a, 1, 1000), 0xff, 1000);
    assert_view(kept, "kept");
    CK_VEC(int) v = { 0 };
    for (int i = 0; i < 100; i++)
        *ck_push(&v) = i;
    assert_int_equal(v.v[99], 99);
    free(v.v);
}

static void base64_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text, *plain; /* NULL: refused */
        bool padded;
    } rows[] = {
        { "", "", true },           { "Zg==", "f", true },      { "Zm8=", "fo", true },
        { "Zm9vYmE=", "fooba", true }, { "+/+/", "\xfb\xff\xbf", true },
        { "Zg", "f", false },       { "Zm8", "fo", false },     { "Zg==", "f", false },
        { "Zg", NULL, true },       { "Zg=", NULL, true },      { "Z", NULL, false },
        { "Zg===", NULL, false },   { "Zg==Zg==", NULL, true }, { " Zg==", NULL, false },
        { "Zm8=\n", NULL, false },  { "Zm 8", NULL, true },     { "-_-_", NULL, true },
        { "====", NULL, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_view plain = { 0 };
        bool good = ck_base64_decode(ck_view_str(rows[i].text), rows[i].padded, &a, &plain);
        assert_int_equal(good, rows[i].plain != NULL);
        if (good) {
            assert_view(plain, rows[i].plain);
            assert_int_equal(plain.p[plain.n], 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(errors_chain_and_escape),
        cmocka_unit_test(cursor_never_leaves_its_view),
        cmocka_unit_test(numbers_are_whole_and_fit),
        cmocka_unit_test(buffers_stop_at_their_ceiling),
        cmocka_unit_test(codec_round_trip),
        cmocka_unit_test(text_is_put_together),
        cmocka_unit_test(text_is_safe_on_a_terminal),
        cmocka_unit_test(times),
        cmocka_unit_test(arenas_and_vectors),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
