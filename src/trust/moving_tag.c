#include "trust/moving_tag.h"

static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* Words that name whatever is newest, with or without something behind ("stable-slim"). */
static const char *const moving[] = {
    "alpha", "beta", "canary", "current", "daily", "dev", "devel", "develop", "development",
    "edge", "experimental", "head", "insiders", "latest", "lts", "main", "mainline", "master",
    "next", "nightly", "preview", "production", "rc", "release", "rolling", "snapshot", "stable",
    "staging", "testing", "tip", "trunk", "unstable", "weekly",
};

static bool is_moving_word(ck_view v)
{
    for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
        if (ck_view_eq(v, ck_view_str(moving[i])))
            return true;
    return false;
}

/* A date, a build's number or a commit: eight digits, or seven hexadecimal ones with a digit. */
static bool names_a_build(ck_view word)
{
    size_t digits = 0, hex = 0;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        digits += digit(c);
        hex += digit(c) || (c >= 'a' && c <= 'f');
    }
    return (digits == word.n && word.n >= 6) || (hex == word.n && word.n >= 7 && digits);
}

/* How many numbers a version has ("3.20": 2); 0 where the word is none. A letter before ("v3") and
 * words behind the last number ("3.20rc1") are allowed, the latter count as one more. */
static unsigned numbers(ck_view word)
{
    unsigned n = 0;
    if (word.n > 1 && word.p[0] == 'v')
        word = ck_view_from(word, 1);
    while (word.n) {
        size_t digits = 0;
        while (digits < word.n && digit(word.p[digits]))
            digits++;
        if (digits == 0)
            return n ? n + 1 : 0;
        n++;
        if (digits < word.n && word.p[digits] != '.')
            return n + 1;
        word = ck_view_from(word, digits + 1);
    }
    return n;
}

static bool separator(uint8_t c) { return c == '-' || c == '_' || c == '+'; }

static ck_view next_word(ck_view *rest)
{
    size_t n = 0;
    while (n < rest->n && !separator(rest->p[n]))
        n++;
    ck_view word = ck_view_head(*rest, n);
    *rest = ck_view_from(*rest, n + 1);
    return word;
}

static bool any_digit(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (digit(v.p[i]))
            return true;
    return false;
}

enum ck_tag_moves ck_tag_moves(ck_view tag)
{
    ck_view rest = tag, first = next_word(&rest);
    unsigned version = numbers(first);
    if (tag.n == 0)
        return CK_TAG_STAYS;
    for (ck_view words = tag; words.n;) {
        ck_view word = next_word(&words);
        if (names_a_build(word) || (is_moving_word(first) && numbers(word) >= 2))
            return CK_TAG_STAYS;
    }
    if (is_moving_word(first) || !any_digit(tag))
        return CK_TAG_NAMES_NEWEST;
    if (version == 1)
        return CK_TAG_MAJOR;
    return version == 2 ? CK_TAG_MINOR_ONLY : CK_TAG_STAYS;
}
