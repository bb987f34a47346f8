/* The order of Debian versions: deb-version(7), Debian policy 5.6.12. */
#include "version/digits.h"
#include "version/version.h"

struct parts {
    ck_view epoch, upstream, revision;
};

/* What dpkg takes for blanks around a version. */
static ck_view trim(ck_view v)
{
    const ck_view blank = CK_V(" \t\n\v\f\r");
    while (v.n && ck_view_find(blank, v.p[0]) < blank.n)
        v = ck_view_from(v, 1);
    while (v.n && ck_view_find(blank, v.p[v.n - 1]) < blank.n)
        v.n--;
    return v;
}

static bool all_digits(ck_view v)
{
    (void)ck_digits_take(&v);
    return v.n == 0;
}

/* Text before the first colon that is no number is no epoch but part of the upstream version;
 * dpkg refuses it, and the order must still be total. */
static struct parts split(ck_view v)
{
    struct parts out = { .upstream = trim(v) };
    size_t colon = ck_view_find(out.upstream, ':');
    if (colon < out.upstream.n && all_digits(ck_view_head(out.upstream, colon))) {
        out.epoch = ck_view_head(out.upstream, colon);
        out.upstream = ck_view_from(out.upstream, colon + 1);
    }
    for (size_t i = out.upstream.n; i-- > 0;) {
        if (out.upstream.p[i] == '-') {
            out.revision = ck_view_from(out.upstream, i + 1);
            out.upstream.n = i;
            break;
        }
    }
    return out;
}

/* "~" before the end, the end before letters, letters before all else. */
static int weight(ck_view v)
{
    if (v.n == 0 || ck_is_digit(v.p[0]))
        return 0;
    if (v.p[0] == '~')
        return -1;
    return ck_is_alpha(v.p[0]) ? v.p[0] : v.p[0] + 256;
}

static bool at_text(ck_view v) { return v.n && !ck_is_digit(v.p[0]); }

/* Text and numbers in turn, text first; a missing number is 0. */
static int part_cmp(ck_view a, ck_view b)
{
    while (a.n || b.n) {
        while (at_text(a) || at_text(b)) {
            int wa = weight(a), wb = weight(b);
            if (wa != wb)
                return wa < wb ? -1 : 1;
            a = ck_view_from(a, 1);
            b = ck_view_from(b, 1);
        }
        ck_view da = ck_digits_take(&a), db = ck_digits_take(&b);
        int c = ck_digits_cmp(da, db);
        if (c)
            return c;
    }
    return 0;
}

int ck_dpkg_cmp(ck_view a, ck_view b)
{
    struct parts x = split(a), y = split(b);
    int c = ck_digits_cmp(x.epoch, y.epoch);
    if (c == 0)
        c = part_cmp(x.upstream, y.upstream);
    if (c == 0)
        c = part_cmp(x.revision, y.revision);
    return c;
}

static bool made_of(ck_view v, const char *more)
{
    ck_view extra = ck_view_str(more);
    for (size_t i = 0; i < v.n; i++)
        if (!ck_is_digit(v.p[i]) && !ck_is_alpha(v.p[i]) &&
            ck_view_find(extra, v.p[i]) == extra.n)
            return false;
    return true;
}

bool ck_dpkg_valid(ck_view v)
{
    v = trim(v);
    struct parts p = split(v);
    uint64_t epoch = 0;
    size_t colon = ck_view_find(v, ':');
    if (colon < v.n && (!ck_view_u64(ck_view_head(v, colon), &epoch) || epoch > INT32_MAX))
        return false;
    if (p.upstream.n == 0 || !ck_is_digit(p.upstream.p[0]) || !made_of(p.upstream, ".-+~:"))
        return false;
    if (p.revision.n == 0 && v.p[v.n - 1] == '-')
        return false;
    return made_of(p.revision, ".+~");
}
