#include "scan/difference.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- what meets what -------------------------------------------------------------------------- */

/* By what something may meet its counterpart: a finding has one for each of its names. */
struct thing {
    ck_view of; /* the package of a finding, the name of a package */
    unsigned type;
    ck_view name; /* an id, an architecture */
    ck_view version;
    bool alias;
    size_t at; /* whose it is, on its side */
};

struct side {
    struct thing *v; /* of those that have met nobody yet */
    size_t n;
    size_t *met; /* of all: 1 + who of the other side, or 0, or */
};
static const size_t DOUBLE = SIZE_MAX;

/* What must be equal beside `of` and `type`. */
enum { NAME = 1, VERSION = 2 };

static int compare(const struct thing *x, const struct thing *y, unsigned by)
{
    int c = by & NAME ? ck_view_cmp(x->name, y->name) : 0;
    if (!c)
        c = ck_view_cmp(x->of, y->of);
    if (!c)
        c = (x->type > y->type) - (x->type < y->type);
    if (!c && by & VERSION)
        c = ck_view_cmp(x->version, y->version);
    return c;
}

static int in_order(const void *x, const void *y, void *by)
{
    const struct thing *a = x, *b = y;
    int c = compare(a, b, *(const unsigned *)by);
    return c ? c : (a->at > b->at) - (a->at < b->at);
}

static void sort(struct side *s, unsigned by)
{
    if (s->n)
        qsort_r(s->v, s->n, sizeof *s->v, in_order, &by);
}

static size_t range_end(const struct side *s, size_t i, unsigned by)
{
    size_t end = i + 1;
    while (end < s->n && compare(&s->v[i], &s->v[end], by) == 0)
        end++;
    return end;
}

struct range {
    struct side *s;
    size_t at, end;
};

/* The next that has met nobody; `end` where there is none. */
static size_t next(const struct range *r, size_t at, bool alias)
{
    while (at < r->end && (r->s->v[at].alias != alias || r->s->met[r->s->v[at].at]))
        at++;
    return at;
}

static void pair(struct range x, bool x_alias, struct range y, bool y_alias, bool alone)
{
    for (;;) {
        x.at = next(&x, x.at, x_alias);
        y.at = next(&y, y.at, y_alias);
        if (x.at == x.end || y.at == y.end)
            return;
        if (alone && (next(&x, x.at + 1, x_alias) < x.end || next(&y, y.at + 1, y_alias) < y.end))
            return;
        size_t i = x.s->v[x.at].at, k = y.s->v[y.at].at;
        x.s->met[i] = 1 + k;
        y.s->met[k] = 1 + i;
    }
}

static void drop_met(struct side *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!s->met[s->v[i].at])
            s->v[kept++] = s->v[i];
    s->n = kept;
}

/* Both are sorted by the same. That two know something by one more name each makes it no one
 * thing. */
static void meet(struct side *x, struct side *y, unsigned by)
{
    bool alone = !(by & VERSION);
    struct range r = { .s = x }, l = { .s = y };
    while (r.at < x->n && l.at < y->n) {
        int c = compare(&x->v[r.at], &y->v[l.at], by);
        r.end = c <= 0 ? range_end(x, r.at, by) : r.at;
        l.end = c >= 0 ? range_end(y, l.at, by) : l.at;
        if (c == 0) {
            pair(r, false, l, false, alone);
            pair(r, false, l, true, alone);
            pair(r, true, l, false, alone);
        }
        r.at = r.end;
        l.at = l.end;
    }
    drop_met(x);
    drop_met(y);
}

static void meet_by(struct side *x, struct side *y, unsigned by)
{
    sort(x, by);
    sort(y, by);
    meet(x, y, by);
}

/* --- findings --------------------------------------------------------------------------------- */

static struct thing thing_of(const struct ck_fact_finding *f, ck_view name, bool alias, size_t at)
{
    return (struct thing){ .of = f->package, .name = name, .version = f->version, .alias = alias,
                           .at = at };
}

static struct side side_of(const struct ck_findings *f, struct ck_arena *a)
{
    struct side s = { .v = ck_arena_alloc(a, f->n, sizeof *s.v), .n = f->n,
                      .met = ck_arena_alloc(a, f->n, sizeof *s.met) };
    for (size_t i = 0; i < f->n; i++)
        s.v[i] = thing_of(&f->v[i], f->v[i].id, false, i);
    sort(&s, NAME | VERSION);
    for (size_t i = 1; i < s.n; i++)
        if (compare(&s.v[i - 1], &s.v[i], NAME | VERSION) == 0)
            s.met[s.v[i].at] = DOUBLE;
    drop_met(&s);
    return s;
}

/* Those that are left, with all their names. */
static void add_aliases(struct side *s, const struct ck_findings *f, struct ck_arena *a)
{
    size_t all = s->n, n = 0;
    for (size_t i = 0; i < s->n; i++)
        all += f->v[s->v[i].at].n_aliases;
    struct thing *v = ck_arena_alloc(a, all, sizeof *v);
    for (size_t i = 0; i < s->n; i++) {
        const struct ck_fact_finding *one = &f->v[s->v[i].at];
        v[n++] = s->v[i];
        for (size_t k = 0; k < one->n_aliases; k++)
            v[n++] = thing_of(one, one->aliases[k], true, s->v[i].at);
    }
    s->v = v;
    s->n = n;
}

static unsigned bit(enum ck_change c, bool holds) { return holds ? ck_change_bit(c) : 0; }

static unsigned changes_of(const struct ck_fact_finding *was, const struct ck_fact_finding *is)
{
    bool had = was->fix_state == CK_FIX_FIXED, has = is->fix_state == CK_FIX_FIXED;
    bool other_fix = had && (!has || !ck_view_eq(was->fix_version, is->fix_version));
    return bit(CK_CHANGE_SEVERITY, was->severity != is->severity) |
           bit(CK_CHANGE_FIXABLE, !had && has) |
           bit(CK_CHANGE_EXPLOITED, !was->kev && is->kev) |
           bit(CK_CHANGE_OTHER, other_fix || (was->kev && !is->kev));
}

static void add(struct ck_finding_changes *c, unsigned what, const struct ck_fact_finding *was,
                const struct ck_fact_finding *is)
{
    if (!what)
        return;
    c->v[c->n++] = (struct ck_finding_change){ what, was, is };
    for (int i = 0; i < CK_CHANGE_COUNT_; i++)
        c->counts[i] += what >> i & 1;
}

static int changes_in_order(const void *x, const void *y)
{
    const struct ck_finding_change *a = x, *b = y;
    const struct ck_fact_finding *f = a->is ? a->is : a->was, *g = b->is ? b->is : b->was;
    int c = ck_view_cmp(f->id, g->id);
    if (!c)
        c = ck_view_cmp(f->package, g->package);
    if (!c)
        c = ck_view_cmp(f->version, g->version);
    return c ? c : (a->what > b->what) - (a->what < b->what);
}

static void collect(const struct ck_findings *was, const struct side *x,
                    const struct ck_findings *is, const struct side *y,
                    struct ck_finding_changes *c)
{
    for (size_t i = 0; i < was->n; i++) {
        if (!x->met[i])
            add(c, ck_change_bit(CK_CHANGE_GONE), &was->v[i], NULL);
        else if (x->met[i] != DOUBLE)
            add(c, changes_of(&was->v[i], &is->v[x->met[i] - 1]), &was->v[i],
                &is->v[x->met[i] - 1]);
    }
    for (size_t i = 0; i < is->n; i++)
        if (!y->met[i])
            add(c, ck_change_bit(CK_CHANGE_NEW), NULL, &is->v[i]);
    if (c->n)
        qsort(c->v, c->n, sizeof *c->v, changes_in_order);
}

void ck_findings_between(struct ck_findings was, struct ck_findings is, enum ck_between of,
                         struct ck_arena *a, struct ck_finding_changes *ret)
{
    struct side x = side_of(&was, a), y = side_of(&is, a);
    meet(&x, &y, NAME | VERSION);
    if (x.n && y.n) {
        add_aliases(&x, &was, a);
        add_aliases(&y, &is, a);
        meet_by(&x, &y, NAME | VERSION);
        if (of == CK_OF_TWO_IMAGES)
            meet_by(&x, &y, NAME);
    }
    struct ck_finding_changes c = { .v = ck_arena_alloc(a, was.n + is.n, sizeof *c.v) };
    collect(&was, &x, &is, &y, &c);
    *ret = c;
}

/* --- packages --------------------------------------------------------------------------------- */

static struct side packages_of(const struct ck_report *r, struct ck_arena *a)
{
    struct side s = { .v = ck_arena_alloc(a, r->n_packages, sizeof *s.v), .n = r->n_packages,
                      .met = ck_arena_alloc(a, r->n_packages, sizeof *s.met) };
    for (size_t i = 0; i < s.n; i++) {
        const struct ck_package *p = &r->packages[i].p;
        s.v[i] = (struct thing){ .of = p->name, .type = p->type, .name = p->arch,
                                 .version = p->version, .at = i };
    }
    return s;
}

static int packages_in_order(const void *x, const void *y)
{
    const struct ck_package_change *a = x, *b = y;
    const struct ck_package *p = &(a->is ? a->is : a->was)->p, *q = &(b->is ? b->is : b->was)->p;
    int c = ck_view_cmp(p->name, q->name);
    if (!c)
        c = (p->type > q->type) - (p->type < q->type);
    if (!c)
        c = ck_view_cmp(p->version, q->version);
    return c ? c : ck_view_cmp(p->arch, q->arch);
}

void ck_packages_between(const struct ck_report *was, const struct ck_report *is,
                         struct ck_arena *a, struct ck_package_changes *ret)
{
    static const unsigned orders[] = { NAME | VERSION, NAME, VERSION, 0 };
    struct side x = packages_of(was, a), y = packages_of(is, a);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        meet_by(&x, &y, orders[i]);
    struct ck_package_changes c = {
        .v = ck_arena_alloc(a, was->n_packages + is->n_packages, sizeof *c.v)
    };
    for (size_t i = 0; i < was->n_packages; i++) {
        const struct ck_report_package *p = &was->packages[i];
        const struct ck_report_package *q = x.met[i] ? &is->packages[x.met[i] - 1] : NULL;
        if (!q || !ck_view_eq(p->p.version, q->p.version))
            c.v[c.n++] = (struct ck_package_change){ p, q };
    }
    for (size_t i = 0; i < is->n_packages; i++)
        if (!y.met[i])
            c.v[c.n++] = (struct ck_package_change){ NULL, &is->packages[i] };
    if (c.n)
        qsort(c.v, c.n, sizeof *c.v, packages_in_order);
    *ret = c;
}
