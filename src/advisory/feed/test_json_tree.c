#include "advisory/feed/json_tree.h"
#include "base/mem.h"
#include "base/unit.h"

static ck_err *parse(const char *json)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_jnode *root;
    return ck_jtree_parse(ck_view_str(json), NULL, &a, &root);
}

static void test_tree(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_jnode *root, *list;
    ck_view s;
    static const char json[] = "{\"a\":\"x\",\"b\":[1,true,null,\"\\u00e9\\n\",{}],\"c\":null,"
                               "\"d\":{\"e\":[]}}";
    assert_ok(ck_jtree_parse(ck_view_str(json), NULL, &a, &root));
    assert_int_equal(root->type, CK_J_OBJECT);
    assert_int_equal(root->n, 4);
    assert_ok(ck_jnode_str(root, CK_V("a"), &s));
    assert_view(s, "x");
    assert_ok(ck_jnode_typed(root, CK_V("b"), CK_J_ARRAY, &list));
    assert_int_equal(list->n, 5);
    const struct ck_jnode *n = list->first;
    assert_int_equal(n->type, CK_J_NUMBER);
    assert_view(n->text, "1");
    assert_int_equal(n->key.n, 0);
    assert_true(n->next->truth);
    assert_int_equal(n->next->next->type, CK_J_NULL);
    assert_view(n->next->next->next->text, "\xc3\xa9\n");
    assert_null(ck_jnode_get(root, CK_V("c"))); /* null counts as absent */
    assert_null(ck_jnode_get(root, CK_V("missing")));
    assert_null(ck_jnode_get(NULL, CK_V("a")));
    assert_fails(ck_jnode_str(root, CK_V("b"), &s), CK_ERR_HOSTILE, "\"b\" is no string");
    assert_fails(ck_jnode_need_str(root, CK_V("c"), &s), CK_ERR_HOSTILE,
                 "\"c\" is missing or empty");
}

static void test_skip(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_jnode *root;
    const ck_view skip[] = { CK_V("big"), { NULL, 0 } };
    assert_ok(ck_jtree_parse(CK_V("{\"big\":{\"x\":[{\"big\":1}]},\"a\":{\"big\":2},\"big2\":3}"),
                             skip, &a,
                             &root));
    assert_int_equal(root->n, 2);
    assert_non_null(ck_jnode_get(ck_jnode_get(root, CK_V("a")), CK_V("big")));
    /* Its syntax and depth count all the same. */
    assert_fails(ck_jtree_parse(CK_V("{\"big\":[1,]}"), skip, &a, &root), CK_ERR_HOSTILE, "JSON");
    assert_ok(ck_jtree_parse(CK_V("{\"big\":1,\"a\":2}"), skip, &a, &root));
    assert_int_equal(root->n, 1);
}

static void test_attack_duplicate_key(void **state)
{
    (void)state;
    assert_fails(parse("{\"id\":\"a\",\"id\":\"b\"}"), CK_ERR_HOSTILE,
                 "the key \"id\" stands twice");
    assert_fails(parse("[{\"x\":{\"k\":1,\"\\u006b\":2}}]"), CK_ERR_HOSTILE,
                 "the key \"k\" stands twice");
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE); /* more members than are compared on the stack */
    ck_buf_format(&b, "{");
    for (int i = 0; i < 500; i++)
        ck_buf_format(&b, "\"k%d\":1,", i);
    ck_buf_format(&b, "\"k250\":1}");
    ck_autofree char *many = ck_buf_steal_str(&b);
    assert_fails(parse(many), CK_ERR_HOSTILE, "\"k250\" stands twice");
}

static void test_attack_depth(void **state)
{
    (void)state;
    char json[2 * 65 + 1];
    for (size_t depth = 64; depth <= 65; depth++) {
        memset(json, '[', depth);
        memset(json + depth, ']', depth);
        json[2 * depth] = '\0';
        if (depth == 64)
            assert_ok(parse(json));
        else
            assert_fails(parse(json), CK_ERR_LIMIT, "JSON_DEPTH");
    }
    ck_autofree char *open = ck_calloc(100001, 1);
    memset(open, '[', 100000);
    assert_fails(parse(open), CK_ERR_LIMIT, "JSON_DEPTH");
}

static void test_attack_syntax(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "{", "{\"a\"", "{\"a\":1", "[1,]", "{\"a\":1,}", "{'a':1}", "[01]", "nul",
            "[1] [2]", "[1]x",
        "[\"\x01\"]", "[\"\xff\"]", "[\"\xc0\xaf\"]", "[\"\xed\xa0\x80\"]", "[\"\\x\"]",
            "/* c */ []", "[NaN]",
        "\xef\xbb\xbf{}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_fails(parse(bad[i]), CK_ERR_HOSTILE, "JSON");
    assert_fails(parse("{\"a\": tru}"), CK_ERR_HOSTILE, "byte 9: JSON");
}

static ck_err *count_member(void *ctx, const struct ck_jnode *m)
{
    size_t *n = ctx;
    assert_true(m->key.n > 0);
    *n += m->type == CK_J_ARRAY ? m->n : 1;
    return NULL;
}

static void test_members(void **state)
{
    (void)state;
    size_t n = 0;
    assert_ok(ck_jtree_members(CK_V("{\"a\":[1,2,3],\"b\\n\":{\"x\":[]},\"c\":1}"), count_member,
                               &n));
    assert_int_equal(n, 5);
    assert_ok(ck_jtree_members(CK_V("{}"), count_member, &n));
    assert_fails(ck_jtree_members(CK_V("[1]"), count_member, &n), CK_ERR_HOSTILE, "no object");
    assert_fails(ck_jtree_members(CK_V("{\"a\":1,\"b\":2,\"a\":3}"), count_member, &n),
                 CK_ERR_HOSTILE,
                 "\"a\" stands twice");
    /* Many large members: the arena is emptied between them. */
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (int i = 0; i < 200; i++) {
        ck_buf_format(&b, "%s\"m%d\":[\"\\n\"", i ? "," : "{", i);
        for (int k = 0; k < 1000; k++)
            ck_buf_format(&b, ",%d", k);
        ck_buf_format(&b, "]");
    }
    ck_buf_format(&b, "}");
    n = 0;
    assert_ok(ck_jtree_members(ck_buf_view(&b), count_member, &n));
    assert_int_equal(n, 200 * 1001);
    ck_buf_free(&b);
}

static void test_one_line(void **state)
{
    (void)state;
    assert_view(ck_one_line(CK_V("\n  first \nsecond"), 100), "first");
    assert_view(ck_one_line(CK_V("abc"), 3), "abc");
    assert_view(ck_one_line(CK_V("abcd"), 3), "abc");
    assert_view(ck_one_line(CK_V("a\xc3\xa9z"), 2), "a"); /* not half a character */
    assert_view(ck_one_line(CK_V(""), 3), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_attack_duplicate_key),
        cmocka_unit_test(test_attack_depth),
        cmocka_unit_test(test_attack_syntax),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
