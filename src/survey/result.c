#include "survey/result.h"

#include "base/mem.h"

#include <stdlib.h>

const char *const ck_survey_group_names[CK_SURVEY_GROUP_COUNT_] = {
    [CK_OFFICIAL] = "official", [CK_OTHERS] = "others" };

void ck_survey_result_free(struct ck_survey_result *r) { ck_arena_free(&r->arena); }

/* --- the images ------------------------------------------------------------------------------- */

static int worst_first(const void *a, const void *b)
{
    const struct ck_survey_row_image *x = a, *y = b;
    for (int s = CK_SEVERITY_COUNT_ - 1; s >= 0; s--)
        if (x->image.severities[s] != y->image.severities[s])
            return x->image.severities[s] > y->image.severities[s] ? -1 : 1;
    return ck_view_cmp(x->item->name, y->item->name);
}

static int by_item_name(const void *a, const void *b)
{
    const struct ck_survey_row_image *x = a, *y = b;
    return ck_view_cmp(x->item->name, y->item->name);
}

static bool has_high(const struct ck_survey_image *v)
{
    return v->severities[CK_SEVERITY_CRITICAL] || v->severities[CK_SEVERITY_HIGH];
}

static void count_image(struct ck_survey_shares *g, const struct ck_survey_image *v)
{
    if (!v->complete) {
        g->incomplete++;
        g->incomplete_high += has_high(v);
        return;
    }
    g->assessed++;
    g->critical.yes += v->severities[CK_SEVERITY_CRITICAL] > 0;
    g->high.yes += has_high(v);
    g->clean.yes += ck_survey_clean(v);
    g->worst[ck_survey_worst(v)] += !ck_survey_clean(v);
    for (size_t s = 0; s < CK_SEVERITY_COUNT_; s++)
        g->findings[s] += v->severities[s];
}

static ck_err *take_item(struct ck_survey_result *r, const struct ck_survey_item *item)
{
    struct ck_survey_shares *g = &r->of[item->official ? CK_OFFICIAL : CK_OTHERS];
    struct ck_survey_row_image row = { .item = item };
    if (item->state == CK_SURVEY_WAITING) {
        g->waiting++;
        return NULL;
    }
    CK_TRY_WRAP(ck_survey_image_decode(item->result, &r->arena, &row.image), "%.*s",
                CK_VF(item->name));
    if (item->state == CK_SURVEY_FAILED)
        g->failed++;
    else
        count_image(g, &row.image);
    if (item->state == CK_SURVEY_SCANNED)
        r->images[r->n_images++] = row;
    if (item->state == CK_SURVEY_FAILED || !row.image.complete)
        r->unassessed[r->n_unassessed++] = row;
    return NULL;
}

/* --- shares ----------------------------------------------------------------------------------- */

/* Of how many names the shares speak: of those that could be assessed if all were drawn. */
static uint64_t assessable(const struct ck_survey_population *p, const struct ck_survey_shares *g)
{
    uint64_t done = p->drawn - g->waiting;
    if (!done)
        return 0;
    double n = (double)p->names * (double)g->assessed / (double)done;
    uint64_t rounded = (uint64_t)(n + .5);
    return rounded < g->assessed ? g->assessed : rounded;
}

static void shares_of(const struct ck_survey_population *p, struct ck_survey_shares *g)
{
    uint64_t of = g->assessed, all = assessable(p, g);
    g->critical = ck_share_of(g->critical.yes, of, all);
    g->high = ck_share_of(g->high.yes, of, all);
    g->clean = ck_share_of(g->clean.yes, of, all);
}

static void age_of(struct ck_survey_result *r, bool official, struct ck_survey_shares *g)
{
    int64_t *ages = ck_calloc(r->n_images + 1, sizeof *ages);
    size_t n = 0;
    for (size_t i = 0; i < r->n_images; i++)
        if (r->images[i].item->official == official && r->images[i].image.created > 0)
            ages[n++] = r->row.begun - r->images[i].image.created;
    g->has_age = n > 0;
    g->median_age = ck_median(ages, n);
    free(ages);
}

/* --- causes and distributions ----------------------------------------------------------------- */

static int by_cause(const void *a, const void *b)
{
    const struct ck_survey_common *x = a, *y = b;
    int order = ck_view_cmp(x->package, y->package);
    return order ? order : ck_view_cmp(x->id, y->id);
}

static int most_images(const void *a, const void *b)
{
    const struct ck_survey_common *x = a, *y = b;
    if (x->images != y->images)
        return x->images > y->images ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    return by_cause(a, b);
}

/* Each image names a cause once: how often it stands there is in how many images it is. */
static void causes_of(struct ck_survey_result *r)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < r->n_images; i++)
        n += r->images[i].image.n_causes;
    struct ck_survey_common *v = ck_arena_alloc(&r->arena, n + 1, sizeof *v);
    n = 0;
    for (size_t i = 0; i < r->n_images; i++)
        for (size_t k = 0; k < r->images[i].image.n_causes; k++) {
            const struct ck_survey_cause *c = &r->images[i].image.causes[k];
            v[n++] = (struct ck_survey_common){ c->package, c->id, c->severity, 1 };
        }
    qsort(v, n, sizeof *v, by_cause);
    for (size_t i = 0; i < n; i++) {
        if (kept && by_cause(&v[kept - 1], &v[i]) == 0) {
            v[kept - 1].images++;
            if (v[i].severity > v[kept - 1].severity)
                v[kept - 1].severity = v[i].severity;
        } else {
            v[kept++] = v[i];
        }
    }
    qsort(v, kept, sizeof *v, most_images);
    r->causes = v;
    r->n_causes = kept;
}

static int by_distro(const void *a, const void *b)
{
    const struct ck_survey_distro *x = a, *y = b;
    return ck_view_cmp(x->name, y->name);
}

static int largest_distro(const void *a, const void *b)
{
    const struct ck_survey_distro *x = a, *y = b;
    return x->images != y->images ? (x->images > y->images ? -1 : 1) : by_distro(a, b);
}

static void distros_of(struct ck_survey_result *r)
{
    struct ck_survey_distro *v = ck_arena_alloc(&r->arena, r->n_images + 1, sizeof *v);
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < r->n_images; i++) {
        const struct ck_survey_image *m = &r->images[i].image;
        if (m->complete)
            v[n++] = (struct ck_survey_distro){ m->distro, 1,
                                                m->severities[CK_SEVERITY_CRITICAL] > 0,
                                                has_high(m), ck_survey_clean(m) };
    }
    qsort(v, n, sizeof *v, by_distro);
    for (size_t i = 0; i < n; i++) {
        if (!kept || by_distro(&v[kept - 1], &v[i]) != 0) {
            v[kept++] = v[i];
            continue;
        }
        v[kept - 1].images++;
        v[kept - 1].critical += v[i].critical;
        v[kept - 1].high += v[i].high;
        v[kept - 1].clean += v[i].clean;
    }
    qsort(v, kept, sizeof *v, largest_distro);
    r->distros = v;
    r->n_distros = kept;
}

/* --- all of it -------------------------------------------------------------------------------- */

static ck_err *load(struct ck_store *s, uint64_t number, struct ck_survey_result *r)
{
    struct ck_survey_row *rows = NULL;
    struct ck_survey_item *items = NULL;
    size_t n = 0;
    CK_TRY(ck_store_surveys(s, number, 1, &r->arena, &rows, &n));
    if (!n)
        return ck_err_new(CK_ERR_UNAVAILABLE, "there is no survey %llu",
                          (unsigned long long)number);
    r->row = rows[0];
    CK_TRY(ck_survey_plan_decode(r->row.options, &r->plan));
    CK_TRY(ck_store_survey_items(s, number, &r->arena, &items, &n));
    r->images = ck_arena_alloc(&r->arena, n + 1, sizeof *r->images);
    r->unassessed = ck_arena_alloc(&r->arena, n + 1, sizeof *r->unassessed);
    for (size_t i = 0; i < n; i++)
        CK_TRY(take_item(r, &items[i]));
    return NULL;
}

ck_err *ck_survey_result_of(struct ck_store *s, uint64_t number, struct ck_survey_result *ret)
{
    struct ck_survey_result r = { 0 };
    ck_err *e = load(s, number, &r);
    if (e) {
        ck_arena_free(&r.arena);
        return e;
    }
    for (size_t g = 0; g < CK_SURVEY_GROUP_COUNT_; g++) {
        shares_of(&r.plan.of[g], &r.of[g]);
        age_of(&r, g == CK_OFFICIAL, &r.of[g]);
    }
    qsort(r.images, r.n_images, sizeof *r.images, worst_first);
    qsort(r.unassessed, r.n_unassessed, sizeof *r.unassessed, by_item_name);
    causes_of(&r);
    distros_of(&r);
    *ret = r;
    return NULL;
}
