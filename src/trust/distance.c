#include "trust/look.h"

enum {
    BAND = 4,      /* most letters that may be added or missing: a budget of 8 in slips */
    LONGEST = 300, /* the part in which two names differ */
    MAX_BUDGET = 8,
};

static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool letter(uint8_t c) { return c >= 'a' && c <= 'z'; }
static bool separator(uint8_t c) { return !digit(c) && !letter(c); }

/* Keys beside each key, on any of QWERTY, QWERTZ and AZERTY. */
static const char *const beside[26] = {
    ['a' - 'a'] = "qwszxq",   ['b' - 'a'] = "vghn",     ['c' - 'a'] = "xdfv",
    ['d' - 'a'] = "serfcx",   ['e' - 'a'] = "wsdrz34",  ['f' - 'a'] = "drtgvc",
    ['g' - 'a'] = "ftyhbvz",  ['h' - 'a'] = "gyujnbz",  ['i' - 'a'] = "ujko89",
    ['j' - 'a'] = "huiknm",   ['k' - 'a'] = "jiolm",    ['l' - 'a'] = "kopm",
    ['m' - 'a'] = "njkl",     ['n' - 'a'] = "bhjm",     ['o' - 'a'] = "iklp90",
    ['p' - 'a'] = "ol0m",     ['q' - 'a'] = "was12z",   ['r' - 'a'] = "edft45",
    ['s' - 'a'] = "awedxzqy", ['t' - 'a'] = "rfgy56z",  ['u' - 'a'] = "yhji78z",
    ['v' - 'a'] = "cfgb",     ['w' - 'a'] = "qase23xy", ['x' - 'a'] = "zsdcwy",
    ['y' - 'a'] = "tghu67xs", ['z' - 'a'] = "asxtuhge67",
};

/* Of the two one is no separator. */
static bool keys_touch(uint8_t a, uint8_t b)
{
    if (separator(a) || separator(b))
        return false;
    return (letter(a) && strchr(beside[a - 'a'], b)) || (letter(b) && strchr(beside[b - 'a'], a));
}

static unsigned replaced(uint8_t a, uint8_t b)
{
    if (a == b)
        return 0;
    if (digit(a) && digit(b))
        return CK_EDIT_NEVER;
    if (separator(a) && separator(b))
        return a == '/' || b == '/' ? CK_EDIT_ANY : CK_EDIT_SLIP;
    return keys_touch(a, b) ? CK_EDIT_KEY : CK_EDIT_ANY;
}

/* c stands in one text only, behind `before` (0 at the start). */
static unsigned extra(uint8_t c, uint8_t before)
{
    if (digit(c))
        return CK_EDIT_NEVER;
    if (c == before || c == '-' || c == '_' || c == '.')
        return CK_EDIT_SLIP;
    return CK_EDIT_ANY;
}

static unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }

/* Where two texts differ: a[at .. at+a_n) and b[at .. at+b_n). */
struct middle {
    ck_view a, b; /* whole */
    size_t at, a_n, b_n;
};

static struct middle middle_of(ck_view a, ck_view b)
{
    size_t at = 0, shorter = a.n < b.n ? a.n : b.n, tail = 0;
    while (at < shorter && a.p[at] == b.p[at])
        at++;
    while (tail < shorter - at && a.p[a.n - 1 - tail] == b.p[b.n - 1 - tail])
        tail++;
    return (struct middle){ a, b, at, a.n - at - tail, b.n - at - tail };
}

/* Letters of the words that v[at .. at+n) touches. */
static size_t words(ck_view v, size_t at, size_t n)
{
    size_t begin = at, end = at + n;
    while (begin && !separator(v.p[begin - 1]))
        begin--;
    while (end < v.n && !separator(v.p[end]))
        end++;
    return end - begin;
}

static unsigned budget(const struct middle *m, enum ck_edit_what what)
{
    static const uint8_t by_length[2][13] = {
        [CK_EDIT_REPOSITORY] = { 0, 0, 0, 0, 2, 4, 4, 4, 6, 6, 6, 6, MAX_BUDGET },
        [CK_EDIT_HOST] = { 0, 0, 0, 2, 4, 4, 4, 4, 6, 6, 6, 6, 6 },
    };
    size_t a = words(m->a, m->at, m->a_n), b = words(m->b, m->at, m->b_n);
    size_t n = a < b ? a : b;
    return by_length[what][n < 12 ? n : 12];
}

static uint8_t char_before(ck_view v, size_t at) { return at ? v.p[at - 1] : 0; }

/* The cheapest way to a[0..i] and b[0..j] of the middle, from its three or four predecessors. */
static unsigned cell(const struct middle *m, unsigned (*rows)[LONGEST + 2], size_t i, size_t j)
{
    const uint8_t *a = m->a.p + m->at, *b = m->b.p + m->at;
    unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
    unsigned best = CK_EDIT_FAR;
    if (i)
        best = min(best, above[j] + extra(a[i - 1], char_before(m->a, m->at + i - 1)));
    if (j)
        best = min(best, row[j - 1] + extra(b[j - 1], char_before(m->b, m->at + j - 1)));
    if (i && j && (a[i - 1] == b[j - 1] || above[j - 1] + CK_EDIT_SLIP < best))
        best = min(best, above[j - 1] + replaced(a[i - 1], b[j - 1]));
    if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && a[i - 1] != a[i - 2] &&
        !(digit(a[i - 1]) && digit(a[i - 2])))
        best = min(best, two_above[j - 2] + CK_EDIT_SLIP);
    return best;
}

/* One row of the band; returns its smallest cost. */
static unsigned fill_row(const struct middle *m, unsigned (*rows)[LONGEST + 2], size_t i)
{
    size_t first = i > BAND ? i - BAND : 0, last = i + BAND < m->b_n ? i + BAND : m->b_n;
    unsigned *row = rows[i % 3], least = CK_EDIT_FAR;
    if (first)
        row[first - 1] = CK_EDIT_FAR;
    for (size_t j = first; j <= last; j++) {
        row[j] = i || j ? cell(m, rows, i, j) : 0;
        least = min(least, row[j]);
    }
    row[last + 1] = CK_EDIT_FAR;
    return least;
}

static unsigned distance(const struct middle *m, unsigned most)
{
    unsigned rows[3][LONGEST + 2];
    unsigned before = 0;
    for (size_t i = 0; i <= m->a_n; i++) {
        unsigned least = fill_row(m, rows, i);
        if (least > most && before > most) /* a swap reaches over one row */
            return CK_EDIT_FAR;
        before = least;
    }
    return rows[m->a_n % 3][m->b_n];
}

/* No edit changes more bits of the set than it costs. */
static bool may_be_near(const struct middle *m, unsigned most)
{
    uint64_t a = ck_edit_set(ck_view_of(m->a.p + m->at, m->a_n));
    uint64_t b = ck_edit_set(ck_view_of(m->b.p + m->at, m->b_n));
    return (unsigned)__builtin_popcountll(a ^ b) <= most;
}

struct ck_edit ck_edit_between(ck_view a, ck_view b, enum ck_edit_what what)
{
    struct ck_edit far = { CK_EDIT_FAR, false, false }, r = far;
    struct middle m = middle_of(a, b);
    size_t apart = a.n > b.n ? a.n - b.n : b.n - a.n;
    if (apart > BAND || m.a_n >= LONGEST || m.b_n >= LONGEST || (m.a_n == 0 && m.b_n == 0))
        return far;
    unsigned most = budget(&m, what);
    r.cost = most && may_be_near(&m, most) ? distance(&m, most) : CK_EDIT_FAR;
    if (r.cost > most)
        return far;
    r.one = m.a_n <= 1 && m.b_n <= 1;
    r.swap = r.cost == CK_EDIT_SLIP && m.a_n == 2 && m.b_n == 2;
    return r;
}

uint64_t ck_edit_set(ck_view v)
{
    uint64_t set = 0;
    for (size_t i = 0; i < v.n; i++)
        set |= 1ull << (v.p[i] & 63);
    return set;
}
