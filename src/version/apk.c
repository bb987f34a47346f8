/* The order of Alpine versions: apk-package(5), as apk-tools 3 compares them:
 * digits{.digits}[letter]{_suffix[digits]}[~hash][-rN].
 *
 * apk-tools 2 (2.14.4 was asked) differs for valid versions in two ways: "~hash" is unknown to it,
 * and leading zeros behind the first component count the other way round (8.2.001 < 8.2.0).
 * Versions of either kind are hardly found in the releases that ship it.
 *
 * Strings that apk calls invalid are compared as far as they can be read. apk-tools 3 stops at
 * the first malformed token and calls all such strings equal; here reading goes on where the rest
 * still has an order that Alpine's own packages rely on (6.6.2p1 < 6.6.2p2) or that apk-tools 2
 * gave (0..8, .1, a, 1-r). A malformed token is older than any other, as in apk-tools 3.
 */
#include "version/digits.h"
#include "version/version.h"

/* From the newest to the oldest where two versions are equal so far and differ in what follows; a
 * suffix that names a pre-release is older than all of them. */
enum token {
    TOKEN_FIRST,     /* the first number: by value */
    TOKEN_DIGITS,    /* ".5": by value, but as text where one has a leading zero */
    TOKEN_LETTER,
    TOKEN_LETTER_NO, /* "p1": not valid any more, but ordered */
    TOKEN_SUFFIX,
    TOKEN_SUFFIX_NO,
    TOKEN_HASH,
    TOKEN_REVISION,
    TOKEN_END,
    TOKEN_EMPTY,     /* a component without digits; malformed */
    TOKEN_INVALID,   /* malformed, nothing behind it counts */
};

static const struct {
    const char *name;
    bool pre;
} suffixes[] = {
    { "alpha", true }, { "beta", true }, { "pre", true },  { "rc", true }, { "cvs", false },
    { "svn", false },  { "git", false }, { "hg", false },  { "p", false },
};
enum { SUFFIXES = sizeof suffixes / sizeof suffixes[0] };

struct reader {
    ck_view rest;
    enum token token;
    ck_view value;
    size_t suffix;
    bool valid;
};

static void malformed(struct reader *r, enum token token)
{
    r->token = token;
    r->valid = false;
}

static void read_digits(struct reader *r, enum token token)
{
    r->value = ck_digits_take(&r->rest);
    r->token = token;
    if (r->value.n == 0)
        malformed(r, TOKEN_EMPTY);
}

static struct reader start(ck_view v)
{
    struct reader r = { .rest = v, .valid = true };
    read_digits(&r, TOKEN_FIRST);
    return r;
}

static bool in_components(const struct reader *r)
{
    return r->token == TOKEN_FIRST || r->token == TOKEN_DIGITS || r->token == TOKEN_EMPTY;
}

static ck_view take_while(struct reader *r, bool (*want)(uint8_t))
{
    size_t n = 0;
    while (n < r->rest.n && want(r->rest.p[n]))
        n++;
    ck_view out = ck_view_head(r->rest, n);
    r->rest = ck_view_from(r->rest, n);
    return out;
}

static bool is_hex(uint8_t c)
{
    return ck_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static void read_suffix(struct reader *r)
{
    r->rest = ck_view_from(r->rest, 1);
    r->value = take_while(r, ck_is_lower);
    for (size_t i = 0; i < SUFFIXES; i++) {
        if (ck_view_eq(r->value, ck_view_str(suffixes[i].name))) {
            r->suffix = i;
            r->token = TOKEN_SUFFIX;
            return;
        }
    }
    malformed(r, TOKEN_INVALID);
}

static void read_hash(struct reader *r)
{
    r->rest = ck_view_from(r->rest, 1);
    r->value = take_while(r, is_hex);
    r->token = TOKEN_HASH;
    if (r->value.n == 0)
        malformed(r, TOKEN_INVALID);
}

/* "-r" without digits is revision 0 unless other text follows at once: "-ruff" is none. */
static void read_revision(struct reader *r)
{
    if (!ck_view_starts(r->rest, CK_V("-r"))) {
        malformed(r, TOKEN_INVALID);
        return;
    }
    r->rest = ck_view_from(r->rest, 2);
    r->value = ck_digits_take(&r->rest);
    r->token = TOKEN_REVISION;
    if (r->value.n)
        return;
    bool readable = r->rest.n == 0 || r->rest.p[0] == '-';
    malformed(r, readable ? TOKEN_REVISION : TOKEN_INVALID);
}

static void read_number(struct reader *r)
{
    if (r->token == TOKEN_LETTER) {
        read_digits(r, TOKEN_LETTER_NO);
        r->valid = false;
    } else if (r->token == TOKEN_SUFFIX) {
        read_digits(r, TOKEN_SUFFIX_NO);
    } else {
        malformed(r, TOKEN_INVALID);
    }
}

static void read_letter(struct reader *r)
{
    r->value = ck_view_head(r->rest, 1);
    r->rest = ck_view_from(r->rest, 1);
    r->token = TOKEN_LETTER;
}

/* Every token must stand behind one that the grammar allows before it. */
static void next(struct reader *r)
{
    uint8_t c = r->rest.n ? r->rest.p[0] : 0;
    if (r->rest.n == 0) {
        r->token = TOKEN_END;
    } else if (c == '.' && in_components(r)) {
        r->rest = ck_view_from(r->rest, 1);
        read_digits(r, TOKEN_DIGITS);
    } else if (ck_is_lower(c) && in_components(r)) {
        read_letter(r);
    } else if (ck_is_digit(c)) {
        read_number(r);
    } else if (c == '_' && (r->token <= TOKEN_SUFFIX_NO || r->token == TOKEN_EMPTY)) {
        read_suffix(r);
    } else if (c == '~' && (r->token < TOKEN_HASH || r->token == TOKEN_EMPTY)) {
        read_hash(r);
    } else if (c == '-' && (r->token < TOKEN_REVISION || r->token == TOKEN_EMPTY)) {
        read_revision(r);
    } else {
        malformed(r, TOKEN_INVALID);
    }
}

static bool done(const struct reader *r)
{
    return r->token == TOKEN_END || r->token == TOKEN_INVALID;
}

static int value_cmp(const struct reader *a, const struct reader *b)
{
    switch (a->token) {
    case TOKEN_DIGITS:
        if (a->value.p[0] == '0' || b->value.p[0] == '0')
            return ck_view_cmp(a->value, b->value);
        return ck_digits_cmp(a->value, b->value);
    case TOKEN_FIRST:
    case TOKEN_LETTER_NO:
    case TOKEN_SUFFIX_NO:
    case TOKEN_REVISION:
        return ck_digits_cmp(a->value, b->value);
    case TOKEN_SUFFIX:
        return a->suffix < b->suffix ? -1 : a->suffix > b->suffix;
    case TOKEN_LETTER:
    case TOKEN_HASH:
        return ck_view_cmp(a->value, b->value);
    case TOKEN_END:
    case TOKEN_EMPTY:
    case TOKEN_INVALID:
        break;
    }
    return 0;
}

static bool is_pre(const struct reader *r)
{
    return r->token == TOKEN_SUFFIX && suffixes[r->suffix].pre;
}

static int compare(ck_view a, ck_view b, bool fuzzy)
{
    struct reader x = start(a), y = start(b);
    while (x.token == y.token) {
        int c = value_cmp(&x, &y);
        if (c || done(&x))
            return c;
        next(&x);
        next(&y);
    }
    if (fuzzy && y.token == TOKEN_END)
        return 0;
    if (is_pre(&x) || is_pre(&y))
        return is_pre(&x) ? -1 : 1;
    return x.token < y.token ? 1 : -1;
}

int ck_apk_cmp(ck_view a, ck_view b) { return compare(a, b, false); }

int ck_apk_cmp_prefix(ck_view a, ck_view b) { return compare(a, b, true); }

bool ck_apk_valid(ck_view v)
{
    struct reader r = start(v);
    while (r.valid && !done(&r))
        next(&r);
    return r.valid && r.token == TOKEN_END;
}
