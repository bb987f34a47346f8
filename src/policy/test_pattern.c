#include "base/mem.h"
#include "base/unit.h"
#include "policy/pattern.h"

#include <time.h>

enum { LONGEST = 512 }; /* POLICY_PATTERN */

static bool matches(const char *pattern, const char *text)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_pattern p;
    ck_pattern_compile(ck_view_str(pattern), &a, &p);
    return ck_pattern_matches(&p, ck_view_str(text));
}

static void stars_match_as_the_manual_says(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        { "", "", true },
        { "", "a", false },
        { "a", "a", true },
        { "a", "ab", false },
        { "ab", "a", false },
        { "*", "", true },
        { "*", "abc", true },
        { "*", "a/b", false },
        { "**", "", true },
        { "**", "a/b/c", true },
        { "***", "a/b/c", true },
        { "docker.io/library/*", "docker.io/library/debian", true },
        { "docker.io/library/*", "docker.io/library/a/b", false },
        { "docker.io/library/*", "docker.io/library/", true },
        { "docker.io/library/*", "docker.io/library", false },
        { "ghcr.io/acme/**", "ghcr.io/acme/a/b/c", true },
        { "ghcr.io/acme/**", "ghcr.io/acme-evil/a", false },
        { "**/alpine", "docker.io/library/alpine", true },
        { "**/alpine", "alpine", false },
        { "**alpine", "alpine", true },
        { "*/b/**/e", "a/b/c/d/e", true },
        { "*/b/**/e", "a/x/b/c/d/e", false },
        { "**/b*d", "a/b/bxd", true },
        { "**/b*d", "a/b/x/d", false },
        { "v*", "v1.2", true },
        { "v*.*", "v1", false },
        { "*a*b*", "xxaxxbxx", true },
        { "*a*b*", "xxbxxaxx", false },
        { "*aab", "aaaab", true },
        { "**/*x", "a/b/x", true },
        { "a*", "b", false },
        { "a*\xC3\xA4", "a12\xC3\xA4", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (matches(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("%s %s", cases[i].pattern, cases[i].text);
    }
}

/* What the automaton must agree with. */
static bool by_backtracking(const char *p, const char *t)
{
    if (!*p)
        return !*t;
    if (*p != '*')
        return *p == *t && *t && by_backtracking(p + 1, t + 1);
    bool across = p[1] == '*';
    while (p[1] == '*')
        p++;
    for (;; t++) {
        if (by_backtracking(p + 1, t))
            return true;
        if (!*t || (*t == '/' && !across))
            return false;
    }
}

static void every_short_pattern_matches_as_one_that_tries_all(void **state)
{
    (void)state;
    static const char in_pattern[] = "ab/*", in_text[] = "ab/";
    enum { PATTERN = 5, TEXT = 5 };
    char p[PATTERN + 1] = { 0 }, t[TEXT + 1] = { 0 };
    for (unsigned i = 0; i < 1u << (2 * PATTERN); i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_pattern compiled;
        for (unsigned k = 0; k < PATTERN; k++)
            p[k] = in_pattern[i >> (2 * k) & 3];
        ck_pattern_compile(ck_view_str(p), &a, &compiled);
        for (unsigned m = 0; m < 243; m++) {
            unsigned rest = m;
            for (unsigned k = 0; k < TEXT; k++, rest /= 3)
                t[k] = in_text[rest % 3];
            if (ck_pattern_matches(&compiled, ck_view_str(t)) != by_backtracking(p, t))
                fail_msg("%s %s", p, t);
        }
    }
}

/* States that lie in different words of a set. */
static void long_patterns_match_across_words(void **state)
{
    (void)state;
    char pattern[LONGEST + 1], text[2 * LONGEST];
    assert_int_equal(LONGEST, CK_MAX_POLICY_PATTERN);
    for (size_t n = 4; n <= LONGEST; n++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_pattern p;
        memset(pattern, 'x', n);
        pattern[0] = '*';
        pattern[n / 2] = '*';
        pattern[n] = '\0';
        ck_pattern_compile(ck_view_str(pattern), &a, &p);
        size_t literals = n - 2;
        memset(text, 'x', sizeof text);
        assert_true(ck_pattern_matches(&p, ck_view_of(text, literals)));
        assert_true(ck_pattern_matches(&p, ck_view_of(text, literals + 7)));
        assert_false(ck_pattern_matches(&p, ck_view_of(text, literals - 1)));
        text[0] = '/';
        assert_false(ck_pattern_matches(&p, ck_view_of(text, literals + 1)));
    }
}

static double seconds(clock_t since)
{
    return (double)(clock() - since) / CLOCKS_PER_SEC;
}

/* Stars that a matcher which goes back would try in all ways: 10^150 of them. */
static void no_pattern_takes_more_than_linear_time(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_pattern p;
    char pattern[LONGEST];
    enum { TEXT = 1 << 20 };
    ck_autofree char *text = ck_calloc(TEXT, 1);
    memset(text, 'a', TEXT);
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = i % 3 == 2 ? 'a' : '*';
    pattern[sizeof pattern - 1] = 'b';
    ck_pattern_compile(ck_view_of(pattern, sizeof pattern), &a, &p);
    clock_t since = clock();
    assert_false(ck_pattern_matches(&p, ck_view_of(text, TEXT)));
    assert_true(seconds(since) < 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stars_match_as_the_manual_says),
        cmocka_unit_test(every_short_pattern_matches_as_one_that_tries_all),
        cmocka_unit_test(long_patterns_match_across_words),
        cmocka_unit_test(no_pattern_takes_more_than_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
