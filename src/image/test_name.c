#include "base/unit.h"
#include "image/name.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct ck_name parse(const char *text, struct ck_arena *a)
{
    struct ck_name n = { 0 };
    assert_ok(ck_name_parse(ck_view_str(text), a, &n));
    return n;
}

static void names_get_dockers_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *full, *shorter, *repository;
        bool host, tag;
    } cases[] = {
        { "alpine", "docker.io/library/alpine:latest", "alpine:latest", "docker.io/library/alpine",
          false, false },
        { "alpine:3", "docker.io/library/alpine:3", "alpine:3", "docker.io/library/alpine", false,
          true },
        { "library/alpine:3", "docker.io/library/alpine:3", "alpine:3", "docker.io/library/alpine",
          false, true },
        { "index.docker.io/alpine:3", "docker.io/library/alpine:3", "alpine:3",
          "docker.io/library/alpine", true, true },
        { "grafana/grafana", "docker.io/grafana/grafana:latest", "grafana/grafana:latest",
          "docker.io/grafana/grafana", false, false },
        { "library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest",
          "docker.io/library/a/b", false, false },
        { "localhost/x", "localhost/x:latest", "localhost/x:latest", "localhost/x", true, false },
        { "docker://Reg.example:5000/a/b@sha256:" HEX, "Reg.example:5000/a/b@sha256:" HEX,
          "Reg.example:5000/a/b@sha256:" HEX, "Reg.example:5000/a/b", true, false },
        { "alpine:3@sha256:" HEX, "docker.io/library/alpine:3@sha256:" HEX,
          "alpine:3@sha256:" HEX, "docker.io/library/alpine", false, true },
        { "[::1]:5000/x:y", "[::1]:5000/x:y", "[::1]:5000/x:y", "[::1]:5000/x", true, true },
    };
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_name n = parse(cases[i].text, &a);
        assert_string_equal(ck_name_text(&n, &a), cases[i].full);
        assert_string_equal(ck_name_short(&n, &a), cases[i].shorter);
        assert_string_equal(ck_name_repository(&n, &a), cases[i].repository);
        assert_int_equal(n.host_given, cases[i].host);
        assert_int_equal(n.tag_given, cases[i].tag);
        /* what is whole already stays as it is */
        struct ck_name again = parse(cases[i].full, &a);
        assert_string_equal(ck_name_text(&again, &a), cases[i].full);
    }
}

static void what_is_no_name_is_a_usage_error(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "it is empty" },
        { "docker://", "it is empty" },
        { "@sha256:" HEX, "it is empty" },
        { "Alpine", "lower case" },
        { "a@sha256:../../x", "a@sha256:../../x: " },
        { "a@sha256:" HEX "0", "sha256" },
        { "a@md5:00", "a@md5:00: " },
        { "a@", "a@: " },
        { "a/../b", "lower case" },
        { "reg.example/", "lower case" },
    };
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_name n = { .tag_given = true };
        assert_fails(ck_name_parse(ck_view_str(cases[i].text), &a, &n), CK_ERR_USAGE, cases[i].why);
        assert_true(n.tag_given);
    }
}

static void a_name_has_255_bytes_at_most(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    char text[300] = "reg.example/";
    struct ck_name n;
    memset(text + 12, 'a', 243);
    assert_ok(ck_name_parse(ck_view_of(text, 255), &a, &n));
    text[255] = 'a';
    assert_fails(ck_name_parse(ck_view_of(text, 256), &a, &n), CK_ERR_USAGE, "255 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_get_dockers_defaults),
        cmocka_unit_test(what_is_no_name_is_a_usage_error),
        cmocka_unit_test(a_name_has_255_bytes_at_most),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
