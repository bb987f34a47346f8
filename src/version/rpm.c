/* The order of rpm versions: rpm-version(7), "~" and "^" included. */
#include "version/digits.h"
#include "version/version.h"

static bool counts(uint8_t c)
{
    return ck_is_digit(c) || ck_is_alpha(c) || c == '~' || c == '^';
}

/* Separators, and all that is not ASCII, only separate; how many there are does not matter. */
static ck_view skip_separators(ck_view v)
{
    while (v.n && !counts(v.p[0]))
        v = ck_view_from(v, 1);
    return v;
}

static ck_view take_letters(ck_view *v)
{
    size_t n = 0;
    while (n < v->n && ck_is_alpha(v->p[n]))
        n++;
    ck_view letters = ck_view_head(*v, n);
    *v = ck_view_from(*v, n);
    return letters;
}

/* What stands next, from the oldest to the newest. */
enum next { NEXT_TILDE, NEXT_END, NEXT_CARET, NEXT_LETTERS, NEXT_DIGITS };

static enum next next_of(ck_view v)
{
    if (v.n == 0)
        return NEXT_END;
    if (v.p[0] == '~')
        return NEXT_TILDE;
    if (v.p[0] == '^')
        return NEXT_CARET;
    return ck_is_digit(v.p[0]) ? NEXT_DIGITS : NEXT_LETTERS;
}

static int segment_cmp(enum next kind, ck_view *a, ck_view *b)
{
    if (kind == NEXT_DIGITS) {
        ck_view da = ck_digits_take(a), db = ck_digits_take(b);
        return ck_digits_cmp(da, db);
    }
    if (kind == NEXT_LETTERS) {
        ck_view la = take_letters(a), lb = take_letters(b);
        return ck_view_cmp(la, lb);
    }
    *a = ck_view_from(*a, 1);
    *b = ck_view_from(*b, 1);
    return 0;
}

/* Bytes up to the last separator before the first difference: whole segments, which are equal. Most
 * versions that are compared differ near their end only. */
static size_t equal_segments(ck_view a, ck_view b)
{
    size_t n = 0, most = a.n < b.n ? a.n : b.n;
    while (n < most && a.p[n] == b.p[n])
        n++;
    while (n > 0 && counts(a.p[n - 1]))
        n--;
    return n;
}

int ck_rpmvercmp(ck_view a, ck_view b)
{
    size_t equal = equal_segments(a, b);
    a = ck_view_from(a, equal);
    b = ck_view_from(b, equal);
    for (;;) {
        a = skip_separators(a);
        b = skip_separators(b);
        enum next na = next_of(a), nb = next_of(b);
        if (na != nb)
            return na < nb ? -1 : 1;
        if (na == NEXT_END)
            return 0;
        int c = segment_cmp(na, &a, &b);
        if (c)
            return c;
    }
}

struct evr {
    ck_view epoch, version, release;
    bool has_release;
};

/* Only digits before the first colon are an epoch; the release stands behind the last "-". */
static struct evr split(ck_view v)
{
    struct evr out = { .version = v };
    ck_view rest = v;
    ck_view digits = ck_digits_take(&rest);
    if (rest.n && rest.p[0] == ':') {
        out.epoch = digits;
        out.version = ck_view_from(rest, 1);
    }
    const uint8_t *dash = out.version.n ? memrchr(out.version.p, '-', out.version.n) : NULL;
    if (dash) {
        size_t at = (size_t)(dash - out.version.p);
        out.release = ck_view_from(out.version, at + 1);
        out.has_release = true;
        out.version.n = at;
    }
    return out;
}

int ck_rpm_cmp(ck_view a, ck_view b)
{
    struct evr x = split(a), y = split(b);
    int c = ck_digits_cmp(x.epoch, y.epoch);
    if (c == 0)
        c = ck_rpmvercmp(x.version, y.version);
    if (c)
        return c;
    if (x.has_release != y.has_release)
        return x.has_release ? 1 : -1;
    return ck_rpmvercmp(x.release, y.release);
}

static bool part_valid(ck_view v)
{
    const ck_view more = CK_V("._+~^");
    for (size_t i = 0; i < v.n; i++)
        if (!ck_is_digit(v.p[i]) && !ck_is_alpha(v.p[i]) && ck_view_find(more, v.p[i]) == more.n)
            return false;
    return v.n > 0;
}

bool ck_rpm_valid(ck_view v)
{
    struct evr p = split(v);
    uint64_t epoch;
    size_t colon = ck_view_find(v, ':');
    if (colon < v.n && (!ck_view_u64(ck_view_head(v, colon), &epoch) || epoch > UINT32_MAX))
        return false;
    return part_valid(p.version) && (!p.has_release || part_valid(p.release));
}
