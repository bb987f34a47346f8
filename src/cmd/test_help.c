#include "base/unit.h"
#include "cmd/help.h"

static void every_page_is_there_and_readable(void **state)
{
    (void)state;
    static const char *const pages[] = {
        "cocket",
        "cocket-ls",
        "cocket-release",
        "cocket-rm",
        "cocket-gc",
        "cocket-fsck",
        "cocket-log",
        "cocket-recall",
        "cocket-user",
        "cocket-notify",
        "cocket-watch",
        "cocket-export",
        "cocket-scan",
        "cocket-survey",
        "cocket-db",
        "cocket-fetch",
        "cocket-lock",
        "cocket-verify",
        "cocket-policy",
        "cocket-advisory-feeds",
        "cocket-registries",
    };
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        const char *text = ck_help_text(pages[i]);
        assert_non_null(text);
        ck_cur c = ck_cur_of(ck_view_str(text));
        while (!ck_cur_end(&c)) {
            ck_view line = ck_cur_line(&c);
            assert_true(line.n <= 80);
            for (size_t k = 0; k < line.n; k++)
                assert_true(line.p[k] >= 0x20 && line.p[k] < 0x7F);
        }
        assert_true(ck_view_ends(ck_view_str(text), CK_V("\n")));
        /* the heading; a term of the manual may end with the word */
        assert_null(strstr(text, "\nNAME\n"));
        assert_false(ck_view_starts(ck_view_str(text), CK_V("NAME\n")));
    }
    assert_null(ck_help_text("cocket-nonsense"));
    assert_null(ck_help_text(""));
}

static void markup_is_gone_and_text_is_not(void **state)
{
    (void)state;
    const char *scan = ck_help_text("cocket-scan"), *db = ck_help_text("cocket-db");
    assert_non_null(strstr(scan, "    cocket scan [OPTION...] REF\n"));
    assert_non_null(strstr(scan, "\n    --platform OS/ARCH[/VARIANT]\n        Which image"));
    assert_non_null(strstr(scan, "\n    docker-archive:PATH[:REF]\n"));
    assert_non_null(strstr(ck_help_text("cocket"), "\n    XDG_CACHE_HOME\n")); /* "_" in a word */
    assert_non_null(strstr(db, "\n    cocket db import [--db FILE] FILE\n"));
    assert_null(strstr(scan, "*"));
    assert_null(strstr(db, "\t"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_is_there_and_readable),
        cmocka_unit_test(markup_is_gone_and_text_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
