#include "base/unit.h"
#include "base/mem.h"
#include "image/json.h"

#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

static ck_err *load(ck_view v)
{
    ck_autojson struct ck_json j = { 0 };
    return ck_json_load(v, "doc", &j);
}

static ck_err *load_object(ck_view v)
{
    static const char *const known[] = { "config", "layers", NULL };
    ck_autojson struct ck_json j = { 0 };
    CK_TRY(ck_json_load(v, "doc", &j));
    return ck_json_object(&j, known);
}

/* `n` times the text `s`, then `tail`. Free with free(). */
static char *repeat(const char *s, size_t n, const char *tail)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < n; i++)
        ck_put_bytes(&b, ck_view_str(s));
    ck_put_bytes(&b, ck_view_str(tail));
    return ck_buf_steal_str(&b);
}

static void errors_name_the_place(void **state)
{
    (void)state;
    ck_autojson struct ck_json top = { 0 };
    ck_autoarena struct ck_arena a = { 0 };
    ck_view s;
    assert_ok(ck_json_load(CK_V("{\"layers\":[{},{},{\"digest\":7}]}"), "manifest", &top));
    struct ck_json layers = ck_json_member(&top, "layers"), third = ck_json_at(&layers, 2),
                   digest = ck_json_member(&third, "digest"), size = ck_json_member(&third, "size");
    assert_fails(ck_json_string(&digest, CK_LIMIT_STRING, &a, &s), CK_ERR_HOSTILE,
                 "manifest: layers[2].digest: must be a string");
    assert_fails(ck_json_string(&size, CK_LIMIT_STRING, &a, &s), CK_ERR_HOSTILE,
                 "manifest: layers[2].size: is missing");
    ck_autojson struct ck_json list = { 0 };
    assert_ok(ck_json_load(CK_V("[[1]]"), "list", &list));
    struct ck_json first = ck_json_at(&list, 0);
    struct ck_json inner = ck_json_at(&first, 0);
    assert_fails(ck_json_string(&inner, CK_LIMIT_STRING, &a, &s), CK_ERR_HOSTILE,
                 "list: [0][0]: must be a string");
}

static void attack_duplicate_keys(void **state)
{
    (void)state;
    assert_fails(load(CK_V("{\"config\":1,\"config\":2}")), CK_ERR_HOSTILE,
                 "duplicate object key near '\"config\"'");
    assert_fails(load(CK_V("{\"a\":{\"config\":1,\"\\u0063onfig\":2}}")), CK_ERR_HOSTILE,
                 "duplicate object key");
    assert_fails(load_object(CK_V("{\"config\":1,\"Config\":2}")), CK_ERR_HOSTILE,
                 "differs from another one only in case");
    assert_fails(load_object(CK_V("{\"other\":1,\"oTHer\":2}")), CK_ERR_HOSTILE,
                 "doc: key \"oTHer\" differs from another one only in case");
    assert_ok(load_object(CK_V("{\"config\":1,\"confi\":2}")));
}

static void attack_key_that_only_go_takes_for_a_known_one(void **state)
{
    (void)state;
    assert_fails(load_object(CK_V("{\"CONFIG\":1}")), CK_ERR_HOSTILE,
                 "doc: key \"config\" is written in another case");
    /* U+017F folds to s: Go reads this as "layers" */
    assert_fails(load_object(CK_V("{\"layer\\u017f\":[]}")), CK_ERR_HOSTILE,
                 "key \"layers\" is written in another case");
    assert_fails(load_object(CK_V("{\"\\u212aey\":1,\"key\":1}")), CK_ERR_HOSTILE,
                 "differs from another one only in case");
}

static void attack_deep_nesting_cannot_exhaust_the_stack(void **state)
{
    (void)state;
    ck_autofree char *deep = repeat("[", 1000000, "");
    assert_fails(load(ck_view_str(deep)), CK_ERR_LIMIT, "limit JSON_DEPTH: 64 levels");
    ck_autofree char *objects = repeat("{\"a\":", 65, "1");
    assert_fails(load(ck_view_str(objects)), CK_ERR_LIMIT, "JSON_DEPTH");
    ck_autofree char *open = repeat("[", 64, "");
    ck_autofree char *just = repeat("]", 64, "");
    ck_autofree char *whole = ck_format("%s%s", open, just);
    assert_ok(load(ck_view_str(whole)));
    ck_autofree char *past = ck_format("[%s%s]", open, just);
    assert_fails(load(ck_view_str(past)), CK_ERR_LIMIT, "JSON_DEPTH");
    /* brackets in strings are none */
    ck_autofree char *quoted = repeat("[", 1000, "\"]");
    ck_autofree char *string = ck_format("[\"\\\"%s", quoted);
    assert_ok(load(ck_view_str(string)));
}

static void attack_many_small_values_cannot_exhaust_the_memory(void **state)
{
    (void)state;
    ck_autofree char *list = repeat("{},", 1000000, "1]");
    ck_autofree char *whole = ck_format("[%s", list);
    assert_fails(load(ck_view_str(whole)), CK_ERR_LIMIT, "limit JSON_VALUES: 100000 values");
    ck_autofree char *most = repeat("1,", CK_MAX_JSON_VALUES - 2, "1]");
    ck_autofree char *fits = ck_format("[%s", most);
    assert_ok(load(ck_view_str(fits)));
    ck_autofree char *past = ck_format("[1,%s", most);
    assert_fails(load(ck_view_str(past)), CK_ERR_LIMIT, "JSON_VALUES");
}

static void document_stops_at_its_limit(void **state)
{
    (void)state;
    ck_autofree char *text = repeat(" ", CK_MAX_DOCUMENT - 2, "[]");
    assert_ok(load(ck_view_str(text)));
    ck_autofree char *more = ck_format(" %s", text);
    assert_fails(load(ck_view_str(more)), CK_ERR_LIMIT, "doc: 4194305 bytes (limit DOCUMENT");
}

static void attack_nul(void **state)
{
    (void)state;
    assert_fails(load(CK_V("[\"a\0b\"]")), CK_ERR_HOSTILE, "doc: byte 3: a NUL byte");
    assert_fails(load(CK_V("[\"a\\u0000b\"]")), CK_ERR_HOSTILE, "a NUL in a string");
    assert_fails(load(CK_V("{\"a\\u0000b\":1}")), CK_ERR_HOSTILE, "a NUL in a string");
    assert_fails(load(CK_V("[]\0")), CK_ERR_HOSTILE, "a NUL byte");
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "7", "\"x\"", "null", "{", "[1,]", "{\"a\":1,}", "[] []", "[01]", "[+1]", "[NaN]",
        "[\"\xff\"]", "[\"\\ud800\"]", "\xEF\xBB\xBF[]", "[1] // comment", "['a']", "[\"a\nb\"]",
        "[\"", "[\"\\", "\\",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(load(ck_view_str(bad[i])), CK_ERR_HOSTILE, "no valid JSON: ");
    assert_fails(load(ck_view_of(NULL, 0)), CK_ERR_HOSTILE, "no valid JSON: ");
}

static ck_err *number(const char *text, uint64_t max, uint64_t *ret)
{
    ck_autojson struct ck_json j = { 0 };
    CK_TRY(ck_json_load(ck_view_str(text), "doc", &j));
    struct ck_json first = ck_json_at(&j, 0);
    return ck_json_u64(&first, max, ret);
}

static void numbers_are_exact(void **state)
{
    (void)state;
    const uint64_t max = 1ull << 53;
    uint64_t x = 0;
    assert_ok(number("[9007199254740992]", max, &x));
    assert_true(x == max);
    assert_fails(number("[9007199254740993]", max, &x), CK_ERR_HOSTILE,
                 "doc: [0]: 9007199254740993 is more than 9007199254740992");
    assert_fails(number("[-1]", max, &x), CK_ERR_HOSTILE, "must not be negative");
    assert_fails(number("[1.0]", max, &x), CK_ERR_HOSTILE, "must be a whole number");
    assert_fails(number("[1e3]", max, &x), CK_ERR_HOSTILE, "must be a whole number");
    assert_fails(number("[\"1\"]", max, &x), CK_ERR_HOSTILE, "must be a whole number");
    assert_fails(number("[null]", max, &x), CK_ERR_HOSTILE, "is missing");
    assert_fails(number("[18446744073709551617]", max, &x), CK_ERR_HOSTILE,
                 "a number that 64 bits do not hold");
    assert_fails(number("[1e999]", max, &x), CK_ERR_HOSTILE, "a number that 64 bits do not hold");
    assert_true(x == max);
}

static void strings_stop_at_their_limit(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = { 0 };
    ck_autofree char *most = repeat("x", CK_MAX_STRING, "\"]");
    for (int more = 0; more < 2; more++) {
        ck_autofree char *text = ck_format("[\"%s%s", more ? "x" : "", most);
        ck_autojson struct ck_json j = { 0 };
        assert_ok(ck_json_load(ck_view_str(text), "doc", &j));
        struct ck_json s = ck_json_at(&j, 0);
        if (more)
            assert_fails(ck_json_string(&s, CK_LIMIT_STRING, &a, &v), CK_ERR_LIMIT,
                         "doc: [0]: 65537 bytes (limit STRING");
        else
            assert_ok(ck_json_string(&s, CK_LIMIT_STRING, &a, &v));
    }
    assert_int_equal(v.n, CK_MAX_STRING);
}

/* In a process that dies of opening a file or asking for random bytes. */
static int load_in_a_room(void)
{
    static const char *const forbidden[] = { "open", "openat", "getrandom", "read", "socket" };
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        if (seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS,
                             seccomp_syscall_resolve_name(forbidden[i]), 0) != 0)
            return 2;
    }
    if (seccomp_load(ctx) != 0)
        return 2;
    seccomp_release(ctx);
    ck_autoerr ck_err *e = load(CK_V("{\"config\":1}"));
    return e ? 1 : 0;
}

/* Stands first: what libraries do on their first use has not been done yet. */
static void the_first_document_needs_no_file(void **state)
{
    (void)state;
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(load_in_a_room());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_document_needs_no_file),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(attack_duplicate_keys),
        cmocka_unit_test(attack_key_that_only_go_takes_for_a_known_one),
        cmocka_unit_test(attack_deep_nesting_cannot_exhaust_the_stack),
        cmocka_unit_test(attack_many_small_values_cannot_exhaust_the_memory),
        cmocka_unit_test(document_stops_at_its_limit),
        cmocka_unit_test(attack_nul),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(strings_stop_at_their_limit),
    };
    return cmocka_run_group_tests_name("image json", tests, NULL, NULL);
}
