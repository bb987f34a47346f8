#include "layer/path.h"

#include "base/mem.h"
#include "base/unit.h"

static void assert_normal(const char *name, const char *want)
{
    struct ck_arena ck_autoarena a = { 0 };
    ck_view path = { NULL, 0 };
    assert_ok(ck_path_normalise(ck_view_str(name), &a, &path));
    assert_view(path, want);
}

static void refuse(ck_view name, enum ck_err_class cls, const char *why)
{
    struct ck_arena ck_autoarena a = { 0 };
    ck_view path = { NULL, 0 };
    assert_fails(ck_path_normalise(name, &a, &path), cls, why);
    assert_null(path.p);
}

static void names_are_normalised(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "" },          { "/", "" },           { ".", "" },          { "./", "" },
        { "//.//", "" },     { "a", "a" },          { "/a", "a" },        { "./a/", "a" },
        { "a/b/c", "a/b/c" }, { "a//b", "a/b" },     { "a/./b", "a/b" },   { "./a/b/", "a/b" },
        { "a/.", "a" },      { "...", "..." },      { "..a/b..", "..a/b.." }, { ".a", ".a" },
        { "/./a///b/./c//", "a/b/c" },              { "\xff\xfe", "\xff\xfe" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_normal(cases[i][0], cases[i][1]);
}

static void clean_names_are_not_copied(void **state)
{
    (void)state;
    struct ck_arena ck_autoarena a = { 0 };
    ck_view name = CK_V("./usr/lib/x/"), path = { NULL, 0 };
    assert_ok(ck_path_normalise(name, &a, &path));
    assert_ptr_equal(path.p, name.p + 2);
    assert_int_equal(a.used, 0);
}

/* Row 1: CVE-2014-9356. */
static void entry_climbs_out_of_the_root(void **state)
{
    (void)state;
    static const char *const names[] = { "../../etc/x", "..", "a/..", "a/../b", "/..", "./..",
                                         "a/b/../../../c" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        refuse(ck_view_str(names[i]), CK_ERR_HOSTILE, "a \"..\" component");
}

/* Row 3: the target of a hard link is a path of the layer too. */
static void hard_link_to_outside(void **state)
{
    (void)state;
    refuse(CK_V("../../../etc/shadow"), CK_ERR_HOSTILE, "a \"..\" component");
    assert_normal("/etc/shadow", "etc/shadow");
}

/* Row 30. */
static void name_with_nul(void **state)
{
    (void)state;
    refuse(ck_view_of("a\0b", 3), CK_ERR_HOSTILE, "a NUL in the path");
}

static void path_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_arena ck_autoarena a = { 0 };
        size_t n = CK_MAX_PATH + past;
        ck_autofree char *name = ck_calloc(n + 3, 1);
        ck_view path = { NULL, 0 };
        memcpy(name, "./", 2);
        memset(name + 2, 'p', n);
        if (past)
            refuse(ck_view_of(name, n + 2), CK_ERR_LIMIT, "limit PATH:");
        else
            assert_ok(ck_path_normalise(ck_view_of(name, n + 2), &a, &path));
        assert_int_equal(path.n, past ? 0 : n);
    }
}

static void depth_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct ck_arena ck_autoarena a = { 0 };
        size_t depth = CK_MAX_PATH_DEPTH + past;
        ck_autofree char *name = ck_calloc(2 * depth + 1, 1);
        ck_view path = { NULL, 0 };
        for (size_t i = 0; i < depth; i++)
            memcpy(name + 2 * i, "d/", 2);
        if (past)
            refuse(ck_view_str(name), CK_ERR_LIMIT, "limit PATH_DEPTH");
        else
            assert_ok(ck_path_normalise(ck_view_str(name), &a, &path));
        assert_int_equal(path.n, past ? 0 : 2 * depth - 1);
    }
}

static void parents_and_bases(void **state)
{
    (void)state;
    assert_view(ck_path_base(CK_V("a/b/c")), "c");
    assert_view(ck_path_parent(CK_V("a/b/c")), "a/b");
    assert_view(ck_path_base(CK_V("a")), "a");
    assert_view(ck_path_parent(CK_V("a")), "");
    assert_view(ck_path_base(CK_V("")), "");
    assert_view(ck_path_parent(CK_V("")), "");
}

static void assert_whiteout(const char *path, enum ck_whiteout kind, const char *target,
                            bool ignored)
{
    struct ck_arena ck_autoarena a = { 0 };
    enum ck_whiteout got = CK_WHITEOUT_NONE;
    ck_view hidden = { NULL, 0 };
    bool skip_it = !ignored;
    assert_ok(ck_path_whiteout(ck_view_str(path), &a, &got, &hidden, &skip_it));
    assert_int_equal(got, kind);
    assert_view(hidden, target);
    assert_int_equal(skip_it, ignored);
}

static void whiteouts(void **state)
{
    (void)state;
    assert_whiteout("a/b", CK_WHITEOUT_NONE, "", false);
    assert_whiteout("", CK_WHITEOUT_NONE, "", false);
    assert_whiteout("a/x.wh.b", CK_WHITEOUT_NONE, "", false);
    assert_whiteout(".wh.a", CK_WHITEOUT_FILE, "a", false);
    assert_whiteout("a/b/.wh.c", CK_WHITEOUT_FILE, "a/b/c", false);
    assert_whiteout("a/.wh..c", CK_WHITEOUT_FILE, "a/.c", false);
    assert_whiteout("a/.wh....", CK_WHITEOUT_FILE, "a/...", false);
    assert_whiteout(".wh..wh..opq", CK_WHITEOUT_OPAQUE, "", false);
    assert_whiteout("a/b/.wh..wh..opq", CK_WHITEOUT_OPAQUE, "a/b", false);
    assert_whiteout(".wh..wh.aufs", CK_WHITEOUT_NONE, "", true);
    assert_whiteout(".wh..wh.plnk/12.34", CK_WHITEOUT_NONE, "", true);
    assert_whiteout(".wh..wh.orph", CK_WHITEOUT_NONE, "", true);
}

/* Row 31. */
static void invalid_whiteouts(void **state)
{
    (void)state;
    static const struct {
        const char *path, *why;
    } cases[] = {
        { ".wh.", "names nothing in its directory" },
        { "a/.wh.", "names nothing in its directory" },
        { "a/.wh..", "names nothing in its directory" },
        { "a/.wh...", "names nothing in its directory" }, /* hides the parent */
        { ".wh..", "names nothing in its directory" },    /* hides the root */
        { "a/.wh..wh..opq/inside", "an entry below a whiteout" },
        { ".wh.a/b", "an entry below a whiteout" },
        { ".wh..wh.other", "a reserved name" },
        { "a/.wh..wh.aufs", "a reserved name" },
        { "a/.wh..wh.plnk/x", "an entry below a whiteout" },
        { ".wh..wh..opqx", "a reserved name" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_arena ck_autoarena a = { 0 };
        enum ck_whiteout kind = CK_WHITEOUT_NONE;
        ck_view target = { NULL, 0 };
        bool ignored = false;
        assert_fails(ck_path_whiteout(ck_view_str(cases[i].path), &a, &kind, &target, &ignored),
                     CK_ERR_HOSTILE, cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_normalised),
        cmocka_unit_test(clean_names_are_not_copied),
        cmocka_unit_test(entry_climbs_out_of_the_root),
        cmocka_unit_test(hard_link_to_outside),
        cmocka_unit_test(name_with_nul),
        cmocka_unit_test(path_at_the_limit_and_one_past),
        cmocka_unit_test(depth_at_the_limit_and_one_past),
        cmocka_unit_test(parents_and_bases),
        cmocka_unit_test(whiteouts),
        cmocka_unit_test(invalid_whiteouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
