#include "report/groups.h"

#include <stdlib.h>

static const struct ck_package *package_of(const struct ck_report *r, const struct ck_finding *f)
{
    return &r->packages[f->package].p;
}

static int cmp_number(size_t a, size_t b) { return a < b ? -1 : a > b; }

/* What makes two findings one group. */
static int cmp_group_key(const struct ck_report *r, const struct ck_finding *a,
                         const struct ck_finding *b)
{
    const struct ck_package *pa = package_of(r, a), *pb = package_of(r, b);
    int c = cmp_number(b->severity, a->severity);
    c = c ? c : ck_view_cmp(pa->source_name, pb->source_name);
    c = c ? c : ck_view_cmp(pa->source_version, pb->source_version);
    c = c ? c : cmp_number(a->fix_state, b->fix_state);
    return c ? c : ck_view_cmp(a->fix_version, b->fix_version);
}

static int cmp_finding(const void *va, const void *vb, void *ctx)
{
    const struct ck_finding *a = *(const struct ck_finding *const *)va;
    const struct ck_finding *b = *(const struct ck_finding *const *)vb;
    int c = cmp_group_key(ctx, a, b);
    c = c ? c : cmp_number(b->kev, a->kev);
    c = c ? c : ck_view_cmp(a->id, b->id);
    c = c ? c : cmp_number(a->package, b->package);
    return c ? c : cmp_number((size_t)a, (size_t)b); /* one array: its order */
}

static int cmp_group(const void *va, const void *vb, void *ctx)
{
    const struct ck_group *a = va, *b = vb;
    bool fixed_a = a->findings[0]->fix_state == CK_FIX_FIXED;
    bool fixed_b = b->findings[0]->fix_state == CK_FIX_FIXED;
    int c = cmp_number(b->severity, a->severity);
    c = c ? c : cmp_number(b->kev, a->kev);
    c = c ? c : cmp_number(fixed_b, fixed_a);
    return c ? c : cmp_group_key(ctx, a->findings[0], b->findings[0]);
}

void ck_report_groups(const struct ck_report *r, struct ck_arena *a, struct ck_groups *ret)
{
    size_t n = ck_report_findings(r), n_groups = 0;
    const struct ck_finding **sorted = ck_arena_alloc(a, n + 1, sizeof(const struct ck_finding *));
    struct ck_group *groups = ck_arena_alloc(a, n + 1, sizeof *groups);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &r->match->findings[i];
    qsort_r(sorted, n, sizeof(const struct ck_finding *), cmp_finding, (void *)(uintptr_t)r);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || cmp_group_key(r, sorted[i - 1], sorted[i]) != 0) {
            groups[n_groups++] =
                (struct ck_group){ .findings = &sorted[i], .severity = sorted[i]->severity };
        }
        groups[n_groups - 1].n++;
        groups[n_groups - 1].kev |= sorted[i]->kev;
    }
    qsort_r(groups, n_groups, sizeof *groups, cmp_group, (void *)(uintptr_t)r);
    *ret = (struct ck_groups){ groups, n_groups };
}

const struct ck_package *ck_group_package(const struct ck_report *r, const struct ck_group *g)
{
    return package_of(r, g->findings[0]);
}

size_t ck_group_ids(const struct ck_group *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++)
        n += i == 0 || !ck_view_eq(g->findings[i - 1]->id, g->findings[i]->id);
    return n;
}
