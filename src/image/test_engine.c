#include "base/unit.h"
#include "image/engine.h"

#define HEX "1bccf10afce5c1ffe31381419930ad565c1436eaeb1ca680494b0663e0028419"

static void the_id_and_the_layers_are_taken(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_engine_image m, back;
    char text[CK_DIGEST_TEXT];
    assert_ok(ck_engine_image(CK_V("{\"Id\":\"sha256:" HEX "\",\"RepoTags\":[\"x\"],\"RootFS\":"
                                   "{\"Type\":\"layers\",\"Layers\":[\"sha256:" HEX "\"]}}"),
                              &a, &m));
    assert_string_equal(ck_digest_text(&m.id, text), "sha256:" HEX);
    assert_int_equal(m.n, 1);
    ck_engine_image_encode(&m, &b);
    assert_ok(ck_engine_image_decode(ck_buf_view(&b), &a, &back));
    assert_true(ck_digest_eq(&back.diff_ids[0], &m.diff_ids[0]));
    for (size_t n = 0; n < b.n; n++)
        assert_fails(ck_engine_image_decode(ck_view_head(ck_buf_view(&b), n), &a, &back),
                     CK_ERR_HOSTILE, "malformed message");
    assert_ok(ck_engine_image(CK_V("{\"Id\":\"sha256:" HEX "\",\"RootFS\":{\"Type\":\"layers\"}}"),
                              &a, &m));
    assert_int_equal(m.n, 0);
}

static void answers_that_mean_two_things(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_engine_image m;
    static const struct {
        const char *json, *why;
    } bad[] = {
        { "", "engine's image" },
        { "[]", "object" },
        { "{\"RootFS\":{}}", "Id" },
        { "{\"Id\":\"sha256:12\",\"RootFS\":{}}", "Id" },
        { "{\"Id\":\"sha256:" HEX "\"}", "RootFS" },
        { "{\"Id\":\"sha256:" HEX "\",\"Id\":\"sha256:" HEX "\",\"RootFS\":{}}", "duplicate" },
        { "{\"Id\":\"sha256:" HEX "\",\"ID\":\"sha256:" HEX "\",\"RootFS\":{}}", "case" },
        { "{\"Id\":\"sha256:" HEX "\",\"RootFS\":{\"Layers\":[7]}}", "Layers[0]" },
        { "{\"Id\":\"sha256:" HEX "\",\"RootFS\":{\"Layers\":\"x\"}}", "Layers" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(ck_engine_image(ck_view_str(bad[i].json), &a, &m), CK_ERR_HOSTILE, bad[i].why);
}

static ck_err *with_layers(size_t n, struct ck_arena *a, struct ck_engine_image *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "{\"Id\":\"sha256:" HEX "\",\"RootFS\":{\"Layers\":[");
    for (size_t i = 0; i < n; i++)
        ck_buf_format(&b, "%s\"sha256:" HEX "\"", i ? "," : "");
    ck_buf_format(&b, "]}}");
    return ck_engine_image(ck_buf_view(&b), a, ret);
}

static void layers_at_the_limit_and_one_past(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_engine_image m;
    assert_ok(with_layers(CK_MAX_LAYERS, &a, &m));
    assert_int_equal(m.n, CK_MAX_LAYERS);
    assert_fails(with_layers(CK_MAX_LAYERS + 1, &a, &m), CK_ERR_LIMIT, "LAYERS");
}

static void the_first_error_is_found(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view e;
    assert_ok(ck_engine_error(CK_V("{\"stream\":\"Loaded image: x\\n\"}\r\n\r\n"), &a, &e));
    assert_view(e, "");
    assert_ok(ck_engine_error(CK_V(""), &a, &e));
    assert_view(e, "");
    assert_ok(ck_engine_error(CK_V("{\"status\":\"1\"}\n{\"errorDetail\":{\"message\":\"no\"},"
                                   "\"error\":\"no\"}\n{\"error\":\"later\"}\n"), &a, &e));
    assert_view(e, "no");
    assert_fails(ck_engine_error(CK_V("{\"error\":\"a\",\"Error\":\"b\"}"), &a, &e), CK_ERR_HOSTILE,
                 "case");
    assert_fails(ck_engine_error(CK_V("loading...\n"), &a, &e), CK_ERR_HOSTILE, "message");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_id_and_the_layers_are_taken),
        cmocka_unit_test(answers_that_mean_two_things),
        cmocka_unit_test(layers_at_the_limit_and_one_past),
        cmocka_unit_test(the_first_error_is_found),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
