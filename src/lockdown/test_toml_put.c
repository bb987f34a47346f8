#include "base/unit.h"
#include "lockdown/parts.h"

static const char *const cri[] = { "plugins", "io.containerd.grpc.v1.cri", "registry", NULL };
static const char *const top[] = { NULL };

static void expect(const char *text, const char *const *path, const char *result)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = { 0 }, again = { 0 };
    assert_ok(ck_toml_put(ck_view_str(text), "c.toml", path, "key", "\"v\"", &a, &v));
    assert_view(v, result);
    assert_ok(ck_toml_put(v, "c.toml", path, "key", "\"v\"", &a, &again));
    assert_view(again, result);
}

static void refuse(const char *text, const char *const *path, const char *why)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = CK_V("untouched");
    assert_fails(ck_toml_put(ck_view_str(text), "c.toml", path, "key", "\"v\"", &a, &v),
                 CK_ERR_USAGE, why);
    assert_view(v, "untouched");
}

static void what_is_there_is_replaced(void **state)
{
    (void)state;
    expect("key = \"x\" # old\n", top, "key = \"v\"\n");
    expect("# a\n\tkey=\"x\"\nother = 1\n", top, "# a\n\tkey = \"v\"\nother = 1\n");
    expect("[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  a = 1 # kept\n  key = \"\"\n", cri,
           "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  a = 1 # kept\n  key = \"v\"\n");
    expect("key = \"v\"   # as it is\n", top, "key = \"v\"   # as it is\n");
}

static void what_is_not_there_is_added(void **state)
{
    (void)state;
    expect("", cri, "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  key = \"v\"\n");
    expect("version = 2", cri,
           "version = 2\n\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  key = \"v\"\n");
    expect("[plugins.\"io.containerd.grpc.v1.cri\".registry] # x\n[z]\n", cri,
           "[plugins.\"io.containerd.grpc.v1.cri\".registry] # x\n  key = \"v\"\n[z]\n");
    expect("[plugins.'io.containerd.grpc.v1.cri'.registry.configs]\na = 1\n", cri,
           "[plugins.'io.containerd.grpc.v1.cri'.registry.configs]\na = 1\n\n"
           "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  key = \"v\"\n");
}

/* A text that could come to mean something else is left to its owner. */
static void what_cannot_be_changed_safely_is_refused(void **state)
{
    (void)state;
    refuse("plugins = { x = 1 }\n", cri, "c.toml:1: key cannot be set");
    refuse("plugins.\"io.containerd.grpc.v1.cri\".registry.key = 'x'\n", cri,
           "c.toml:1: key cannot be set");
    refuse("plugins.\"io.containerd.grpc.v1.cri\".registry.a = 'x'\n", cri, "cannot be set");
    refuse("key = '''\nkey = 1'''\n", top, "cannot be set");
    refuse("[table]\n", top, "cannot be set"); /* it would be the table's */
    refuse("[plugins]\nx = '''\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n", cri,
           "c.toml:");
    refuse("[[plugins]]\n", cri, "cannot be set");
}

static void quoting_keeps_what_is_quoted(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_toml *root;
    const char *text = "a\"b\\c\nd";
    const char *doc = ck_arena_format(&a, "x = %s\n", ck_toml_quote(text, &a));
    assert_ok(ck_toml_parse(ck_view_str(doc), "x", &a, &root));
    assert_view(ck_toml_get(root, "x")->text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_is_replaced),
        cmocka_unit_test(what_is_not_there_is_added),
        cmocka_unit_test(what_cannot_be_changed_safely_is_refused),
        cmocka_unit_test(quoting_keeps_what_is_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
