#include "scan/difference.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- findings --------------------------------------------------------------------------------- */

typedef const struct ck_fact_finding *finding;

/* Those of one side, in an order to walk along with the other's. */
struct side {
    finding *v;
    size_t n;
};

struct walk {
    enum ck_difference_of of;
    CK_VEC(struct ck_finding_change) changes;
    struct side gone, come; /* without a counterpart by id, in order */
};

static int by_package(finding a, finding b, enum ck_difference_of of)
{
    int c = ck_view_cmp(a->package, b->package);
    return c || of == CK_OF_TWO_IMAGES ? c : ck_view_cmp(a->version, b->version);
}

static int by_all(finding a, finding b, enum ck_difference_of of)
{
    int c = by_package(a, b, of);
    return c ? c : ck_view_cmp(a->id, b->id);
}

static int in_order(const void *pa, const void *pb, void *ctx)
{
    finding a = *(const finding *)pa, b = *(const finding *)pb;
    int c = by_all(a, b, *(const enum ck_difference_of *)ctx);
    return c ? c : ck_view_cmp(a->version, b->version);
}

static struct side side_of(const struct ck_facts *f, enum ck_difference_of of, struct ck_arena *a)
{
    struct side s = { .v = ck_arena_alloc(a, f->n_findings, sizeof(finding)), .n = f->n_findings };
    for (size_t i = 0; i < s.n; i++)
        s.v[i] = &f->findings[i];
    if (s.n)
        qsort_r(s.v, s.n, sizeof(finding), in_order, &of);
    return s;
}

static unsigned bit(enum ck_finding_event e, bool holds) { return holds ? 1u << e : 0; }

static void compare(struct walk *w, finding x, finding y)
{
    bool fixed = x->fix_state != CK_FIX_FIXED && y->fix_state == CK_FIX_FIXED;
    bool fix = x->fix_state != y->fix_state || !ck_view_eq(x->fix_version, y->fix_version);
    bool other = !ck_view_eq(x->version, y->version) || (x->kev && !y->kev) || (fix && !fixed);
    unsigned what = bit(CK_FINDING_SEVERITY, x->severity != y->severity) |
                    bit(CK_FINDING_FIXABLE, fixed) |
                    bit(CK_FINDING_EXPLOITED, y->kev && !x->kev) |
                    bit(CK_FINDING_OTHER, other);
    if (what)
        *ck_push(&w->changes) = (struct ck_finding_change){ what, x, y };
}

/* Equal ones meet in pairs; what is left over has no counterpart. */
static void walk(struct walk *w, const struct side *x, const struct side *y)
{
    size_t i = 0, k = 0;
    while (i < x->n || k < y->n) {
        int c = i == x->n ? 1 : k == y->n ? -1 : by_all(x->v[i], y->v[k], w->of);
        if (c == 0)
            compare(w, x->v[i++], y->v[k++]);
        else if (c < 0)
            w->gone.v[w->gone.n++] = x->v[i++];
        else
            w->come.v[w->come.n++] = y->v[k++];
    }
}

static bool has_name(finding f, ck_view id)
{
    bool has = ck_view_eq(f->id, id);
    for (size_t i = 0; i < f->n_aliases && !has; i++)
        has = ck_view_eq(f->aliases[i], id);
    return has;
}

/* A vulnerability that had only an advisory's name gets a CVE id one day. */
static finding *renamed(const struct side *gone, size_t from, finding f, enum ck_difference_of of)
{
    for (size_t i = from; i < gone->n; i++) {
        if (!gone->v[i])
            continue;
        if (by_package(gone->v[i], f, of) > 0)
            break;
        if (has_name(gone->v[i], f->id) || has_name(f, gone->v[i]->id))
            return &gone->v[i];
    }
    return NULL;
}

static void settle_rest(struct walk *w)
{
    size_t from = 0;
    for (size_t i = 0; i < w->come.n; i++) {
        finding f = w->come.v[i];
        while (from < w->gone.n &&
               (!w->gone.v[from] || by_package(w->gone.v[from], f, w->of) < 0))
            from++;
        finding *old = renamed(&w->gone, from, f, w->of);
        if (old) {
            compare(w, *old, f);
            *old = NULL;
        } else {
            *ck_push(&w->changes) = (struct ck_finding_change){ 1u << CK_FINDING_NEW, NULL, f };
        }
    }
    for (size_t i = 0; i < w->gone.n; i++)
        if (w->gone.v[i])
            *ck_push(&w->changes) =
                (struct ck_finding_change){ 1u << CK_FINDING_GONE, w->gone.v[i], NULL };
}

static int changes_in_order(const void *pa, const void *pb)
{
    const struct ck_finding_change *a = pa, *b = pb;
    finding x = a->after ? a->after : a->before, y = b->after ? b->after : b->before;
    int c = by_all(x, y, CK_OF_TWO_IMAGES);
    if (!c)
        c = ck_view_cmp(x->version, y->version);
    return c ? c : a->what < b->what ? -1 : a->what > b->what;
}

void ck_findings_between(const struct ck_facts *before, const struct ck_facts *after,
                         enum ck_difference_of of, struct ck_arena *a,
                         struct ck_finding_changes *ret)
{
    struct side x = side_of(before, of, a), y = side_of(after, of, a);
    struct walk w = { .of = of,
                      .gone.v = ck_arena_alloc(a, x.n, sizeof(finding)),
                      .come.v = ck_arena_alloc(a, y.n, sizeof(finding)) };
    walk(&w, &x, &y);
    settle_rest(&w);
    struct ck_finding_changes c = { .n = w.changes.n,
                                    .v = ck_arena_alloc(a, w.changes.n, sizeof *c.v) };
    if (c.n) {
        qsort(w.changes.v, c.n, sizeof *c.v, changes_in_order);
        memcpy(c.v, w.changes.v, c.n * sizeof *c.v);
    }
    free(w.changes.v);
    for (size_t i = 0; i < c.n; i++)
        for (int e = 0; e < CK_FINDING_EVENT_COUNT_; e++)
            c.counts[e] += c.v[i].what >> e & 1;
    *ret = c;
}

/* --- packages --------------------------------------------------------------------------------- */

typedef const struct ck_report_package *package;

static int same_package(package a, package b)
{
    int c = ck_view_cmp(a->p.name, b->p.name);
    if (!c)
        c = a->p.type < b->p.type ? -1 : a->p.type > b->p.type;
    return c ? c : ck_view_cmp(a->p.arch, b->p.arch);
}

static int packages_in_order(const void *pa, const void *pb)
{
    package a = *(const package *)pa, b = *(const package *)pb;
    int c = same_package(a, b);
    return c ? c : ck_view_cmp(a->p.version, b->p.version);
}

static package *packages_of(const struct ck_report *r, struct ck_arena *a)
{
    package *v = ck_arena_alloc(a, r->n_packages, sizeof(void *)); /* package is a pointer */
    for (size_t i = 0; i < r->n_packages; i++)
        v[i] = &r->packages[i];
    if (r->n_packages)
        qsort(v, r->n_packages, sizeof(void *), packages_in_order);
    return v;
}

/* Of one name on both sides: versions that both have are no difference, others meet in pairs. */
static void compare_group(package *x, size_t n, package *y, size_t m,
                          struct ck_package_changes *out)
{
    size_t left = 0, right = 0, i = 0, k = 0;
    while (i < n || k < m) {
        int c = i == n ? 1 : k == m ? -1 : ck_view_cmp(x[i]->p.version, y[k]->p.version);
        if (c < 0)
            x[left++] = x[i];
        if (c > 0)
            y[right++] = y[k];
        i += c <= 0;
        k += c >= 0;
    }
    for (i = 0; i < left || i < right; i++) {
        out->v[out->n++] = (struct ck_package_change){ i < left ? x[i] : NULL,
                                                       i < right ? y[i] : NULL };
        *(i >= left ? &out->added : i >= right ? &out->removed : &out->changed) += 1;
    }
}

static size_t group_end(package *v, size_t i, size_t n)
{
    size_t end = i;
    while (end < n && same_package(v[end], v[i]) == 0)
        end++;
    return end;
}

void ck_packages_between(const struct ck_report *before, const struct ck_report *after,
                         struct ck_arena *a, struct ck_package_changes *ret)
{
    package *x = packages_of(before, a), *y = packages_of(after, a);
    size_t n = before->n_packages, m = after->n_packages, i = 0, k = 0;
    struct ck_package_changes c = { .v = ck_arena_alloc(a, n + m, sizeof *c.v) };
    while (i < n || k < m) {
        int order = i == n ? 1 : k == m ? -1 : same_package(x[i], y[k]);
        size_t to_x = order <= 0 ? group_end(x, i, n) : i;
        size_t to_y = order >= 0 ? group_end(y, k, m) : k;
        compare_group(x + i, to_x - i, y + k, to_y - k, &c);
        i = to_x;
        k = to_y;
    }
    *ret = c;
}
