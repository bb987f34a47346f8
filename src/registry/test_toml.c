#include "base/unit.h"
#include "base/mem.h"
#include "registry/toml.h"

static ck_err *parse(const char *text)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_toml *root = NULL;
    return ck_toml_parse(ck_view_str(text), "x.conf", &a, &root);
}

/* As JSON without blanks, so that a whole document can be compared. */
static void put(struct ck_buf *b, const struct ck_toml *v)
{
    bool table = v->kind == CK_TOML_TABLE;
    switch (v->kind) {
    case CK_TOML_STRING:
        ck_buf_json_str(b, v->text);
        break;
    case CK_TOML_INTEGER:
        ck_buf_format(b, "%lld", (long long)v->integer);
        break;
    case CK_TOML_BOOLEAN:
        ck_buf_format(b, "%s", v->boolean ? "true" : "false");
        break;
    default:
        ck_put_u8(b, table ? '{' : '[');
        for (const struct ck_toml *m = v->first; m; m = m->next) {
            if (table)
                ck_buf_format(b, "%.*s:", CK_VF(m->key));
            put(b, m);
            ck_buf_format(b, "%s", m->next ? "," : "");
        }
        ck_put_u8(b, table ? '}' : ']');
    }
}

static void expect(const char *text, const char *json)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_toml *root = NULL;
    assert_ok(ck_toml_parse(ck_view_str(text), "x.conf", &a, &root));
    put(&b, root);
    assert_view(ck_buf_view(&b), json);
}

static void settings_are_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "{}" },
        { "# only a comment", "{}" },
        { "\xEF\xBB\xBF" "a=1", "{a:1}" },
        { "a = 1 # x\r\n\tb = true\n\n  c=false", "{a:1,b:true,c:false}" },
        { "a=[1,2,\n # x\n 3 , # y\n]\nb=[]\nc=[[1],[]]", "{a:[1,2,3],b:[],c:[[1],[]]}" },
        { "a={}\nb={x=1,y.z=2}\nc=[{d=1},{d=2}]", "{a:{},b:{x:1,y:{z:2}},c:[{d:1},{d:2}]}" },
        { "a.b.c=1\na . b . d = 2\n\"a\".'e'=3", "{a:{b:{c:1,d:2},e:3}}" },
        { "\"\"=1\n\"a b\"=2\n3=4\n-_=5", "{:1,a b:2,3:4,-_:5}" },
        { "x=1\n[t]\na=1\n[t.u]\nb=2\n[v]", "{x:1,t:{a:1,u:{b:2}},v:{}}" },
        { "[a.b.c]\nx=1\n[a]\ny=2\n[a.b]\nz=3", "{a:{b:{c:{x:1},z:3},y:2}}" },
        { "[ a . 'b' ] # c\nx=1", "{a:{b:{x:1}}}" },
        { "[[r]]\na=1\n[[r.m]]\nb=1\n[[r.m]]\nb=2\n[[r]]\n[[r.m]]\nb=3\n[r.t]\nc=1",
          "{r:[{a:1,m:[{b:1},{b:2}]},{m:[{b:3}],t:{c:1}}]}" },
        { "[a]\nb.c=1\n[a.b.d]\ne=1", "{a:{b:{c:1,d:{e:1}}}}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i][0], cases[i][1]);
}

static void strings_are_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "a=\"\"", "{a:\"\"}" },
        { "a='C:\\x\"y'", "{a:\"C:\\\\x\\\"y\"}" },
        { "a=\"\\\"\\\\\\t\\n\\u00e4\\U0001F600\"",
          "{a:\"\\\"\\\\\\t\\n\xC3\xA4\xF0\x9F\x98\x80\"}" },
        { "a=\"\xC3\xA4#b\" # c", "{a:\"\xC3\xA4#b\"}" },
        { "a='''\nx\n'y'''", "{a:\"x\\n'y\"}" },
        { "a=\"\"\"\r\nx\r\ny\"\"\"", "{a:\"x\\ny\"}" },
        { "a=\"\"\"x \\  \n\n   y\\\n\"\"\"", "{a:\"x y\"}" },
        { "a=\"\"\"\"x\"\"\"\"\"", "{a:\"\\\"x\\\"\\\"\"}" },
        { "a=\"\"\"\"\"\"", "{a:\"\"}" },
        { "a='''''x'''''", "{a:\"''x''\"}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i][0], cases[i][1]);
}

static void integers_are_exact(void **state)
{
    (void)state;
    expect("a=0\nb=-0\nc=+17\nd=1_000_000", "{a:0,b:0,c:17,d:1000000}");
    expect("a=9223372036854775807\nb=-9223372036854775808",
           "{a:9223372036854775807,b:-9223372036854775808}");
    expect("a=0xDEAD_beef\nb=0o755\nc=0b1101", "{a:3735928559,b:493,c:13}");
    static const char *const bad[] = {
        "9223372036854775808", "-9223372036854775809", "0x8000000000000000", "01", "-01", "1__0",
        "_1", "1_", "0x", "0x_1", "0xG", "0b2", "0o8", "+0x1", "+", "-", "0X1", "1a",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_autofree char *text = ck_format("a=%s", bad[i]);
        ck_autoerr ck_err *e = parse(text);
        if (!e)
            print_error("accepted: %s\n", text);
        assert_non_null(e);
        assert_int_equal(ck_err_class(e), CK_ERR_USAGE);
    }
}

static void errors_name_file_and_line(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "a=1\nb", "x.conf:2: no \"=\" behind the key \"b\"" },
        { "a=1\n\n[b]\nc=", "x.conf:4: a value is missing" },
        { "a=[\n1,\n2", "x.conf:3: an array that goes on without a comma or does not end" },
        { "a=\"\"\"\n\n\n", "x.conf:4: a string that does not end" },
        { "a=[1 2]", "x.conf:1: an array that goes on without a comma" },
        { "a=[,]", "x.conf:1: a value is missing" },
        { "a=\"x\ny\"", "x.conf:1: a string that does not end on its line" },
        { "a='x", "a string that does not end" },
        { "a=1 b=2", "more behind the end of this line's setting" },
        { "[a] b=1", "more behind the end" },
        { "[a\n", "a header that does not end with ]" },
        { "[[a]\n", "a header that does not end with ]]" },
        { "[[a] ]", "a header that does not end with ]]" },
        { "[]", "a key is missing" },
        { "[a.]", "a key is missing" },
        { "=1", "a key is missing" },
        { "a.=1", "a key is missing" },
        { "\xC3\xA4=1", "a key is missing" },
        { "\"\"\"a\"\"\"=1", "a key cannot span lines" },
        { "a={b=1,}", "a key is missing" },
        { "a={b=1\n}", "an inline table that goes on without a comma or does not end" },
        { "a=\"\\x\"", "an unknown escape" },
        { "a=\"\\\nb\"", "an unknown escape" },
        { "a=\"\\u12\"", "\\u needs 4 hexadecimal digits" },
        { "a=\"\\U0000D800\"", "U+D800 is no character" },
        { "a=\"\\U00110000\"", "U+110000 is no character" },
        { "a=\"\x01\"", "a control character (\\x01) in a string" },
        { "a=1\rb=2", "a control character" },
        { "# \x7F", "a control character" },
        { "a=True", "\"True\" is no value: text needs quotes" },
        { "a=docker.io", "text needs quotes" },
        { "a=1.5", "\"1.5\" is a float" },
        { "a=1e5", "is a float" },
        { "a=-nan", "is a float" },
        { "a=1979-05-27", "\"1979-05-27\" is a date" },
        { "a=07:32:00", "is a date" },
        { "a=\xFF", "x.conf:1: bytes that are not UTF-8" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_fails(parse(cases[i][0]), CK_ERR_USAGE, cases[i][1]);
}

static void attack_two_readings(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "a=1\nb=2\n\"a\"=3", "x.conf:3: \"a\" is defined in line 1 already" },
        { "[a]\n[a]", "\"a\" is defined in line 1 already" },
        { "a=1\n[a]", "\"a\" is defined in line 1 already" },
        { "[a]\nb=1\n[a.b]", "\"b\" is defined in line 2 already" },
        { "[a]\nb=1\n[a.b.c]", "\"b\" of line 2 cannot be added to" },
        { "a.b=1\na=2", "\"a\" is defined in line 1 already" },
        { "a=1\na.b=2", "\"a\" is defined in line 1 already" },
        { "a.b=1\n[a]", "\"a\" is defined in line 1 already" },
        { "a={b=1}\na.c=2", "\"a\" is defined in line 1 already" },
        { "a={b=1}\n[a.c]", "\"a\" of line 1 cannot be added to" },
        { "a={b.c=1}\n[a.b.d]", "\"a\" of line 1 cannot be added to" },
        { "a={b=1,b=2}", "\"b\" is defined in line 1 already" },
        { "a={b.c=1,b=2}", "\"b\" is defined in line 1 already" },
        { "a={b={},b.c=1}", "\"b\" is defined in line 1 already" },
        { "a=[]\n[[a]]", "\"a\" of line 1 is no array of tables" },
        { "a=[{}]\n[a.b]", "\"a\" of line 1 cannot be added to" },
        { "[a]\n[[a]]", "\"a\" of line 1 is no array of tables" },
        { "[[a]]\n[a]", "\"a\" is defined in line 1 already" },
        { "[[a]]\nb=1\nb=2", "x.conf:3: \"b\" is defined in line 2 already" },
        { "[a.b]\nx=1\n[a]\nb.y=2", "\"b\" is defined in line 1 already" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_fails(parse(cases[i][0]), CK_ERR_USAGE, cases[i][1]);
}

static void attack_nul(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_toml *root = NULL;
    assert_fails(ck_toml_parse(CK_V("a=1\nb=\"x\0y\""), "x.conf", &a, &root), CK_ERR_USAGE,
                 "x.conf:2: a NUL byte");
    assert_fails(parse("a=\"\\u0000\""), CK_ERR_USAGE, "a NUL in a string");
    assert_null(root);
}

/* `n` times `s` between two texts. Free with free(). */
static char *many(const char *head, const char *s, size_t n, const char *tail)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(head));
    for (size_t i = 0; i < n; i++)
        ck_put_bytes(&b, ck_view_str(s));
    ck_put_bytes(&b, ck_view_str(tail));
    return ck_buf_steal_str(&b);
}

static void attack_endless_nesting(void **state)
{
    (void)state;
    ck_autofree char *arrays = many("a=", "[", 100000, "");
    assert_fails(parse(arrays), CK_ERR_LIMIT, "limit TOML_DEPTH");
    ck_autofree char *tables = many("", "a={", 100000, "");
    assert_fails(parse(tables), CK_ERR_LIMIT, "limit TOML_DEPTH");
    ck_autofree char *dots = many("a", ".a", 100000, "=1");
    assert_fails(parse(dots), CK_ERR_LIMIT, "limit TOML_DEPTH");
    ck_autofree char *header = many("[a", ".a", 100000, "]");
    assert_fails(parse(header), CK_ERR_LIMIT, "limit TOML_DEPTH");
}

static void files_stop_at_their_limits(void **state)
{
    (void)state;
    char fits[64], more[64];
    snprintf(fits, sizeof fits, "a=%.*s%.*s", (int)CK_MAX_TOML_DEPTH, "[[[[[[[[[[[[[[[[[[",
             (int)CK_MAX_TOML_DEPTH, "]]]]]]]]]]]]]]]]]]");
    snprintf(more, sizeof more, "a=%.*s", (int)CK_MAX_TOML_DEPTH + 1, "[[[[[[[[[[[[[[[[[[");
    assert_ok(parse(fits));
    assert_fails(parse(more), CK_ERR_LIMIT, "limit TOML_DEPTH");
    ck_autofree char *dots = many("a", ".a", CK_MAX_TOML_DEPTH, "=1");
    ck_autofree char *more_dots = many("a", ".a", CK_MAX_TOML_DEPTH + 1, "=1");
    assert_ok(parse(dots));
    assert_fails(parse(more_dots), CK_ERR_LIMIT, "limit TOML_DEPTH");
    ck_autofree char *values = many("a=[", "1,", CK_MAX_TOML_VALUES - 1, "]");
    ck_autofree char *more_values = many("a=[", "1,", CK_MAX_TOML_VALUES, "]");
    assert_ok(parse(values));
    assert_fails(parse(more_values), CK_ERR_LIMIT, "x.conf:1: more values (limit TOML_VALUES");
    ck_autofree char *bytes = many("#", "x", CK_MAX_CONFIG_FILE - 1, "");
    ck_autofree char *more_bytes = many("#", "x", CK_MAX_CONFIG_FILE, "");
    assert_ok(parse(bytes));
    assert_fails(parse(more_bytes), CK_ERR_LIMIT, "limit CONFIG_FILE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(strings_are_read),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(errors_name_file_and_line),
        cmocka_unit_test(attack_two_readings),
        cmocka_unit_test(attack_nul),
        cmocka_unit_test(attack_endless_nesting),
        cmocka_unit_test(files_stop_at_their_limits),
    };
    return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
