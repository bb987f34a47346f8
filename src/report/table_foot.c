/* The foot of the table: which layer brought what, what was suppressed, the database. */
#include "report/table.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum {
    CREATED_BY_LINES = 2,
    LONG_REPORT = 20, /* groups; behind more of them the verdict is said again */
};

/* The text in at most `lines` lines; where it is longer it ends in " ...". */
static ck_view shortened(struct ck_table *t, ck_view text, unsigned width, size_t lines)
{
    ck_view rest = text;
    if (ck_layout_lines(text, width) <= lines)
        return text;
    for (size_t i = 0; i + 1 < lines; i++)
        ck_layout_wrap(&rest, width);
    size_t head = text.n - rest.n;
    ck_view last = ck_layout_wrap(&rest, width > 14 ? width - 4 : 10);
    return ck_view_str(ck_arena_format(t->a, "%.*s%.*s ...", (int)head, (const char *)text.p,
                                       (int)last.n,
                                       (const char *)last.p));
}

static void put_layers(struct ck_table *t)
{
    const struct ck_report *r = t->r;
    if (r->n_layers < 2 || ck_report_findings(r) == 0)
        return;
    size_t *n = ck_arena_alloc(t->a, r->n_layers, sizeof *n);
    for (size_t i = 0; i < ck_report_findings(r); i++) {
        size_t layer = r->packages[r->match->findings[i].package].layer;
        if (layer != SIZE_MAX)
            n[layer]++;
    }
    ck_table_blank(t);
    ck_table_text(t, 0, "WHICH LAYER BROUGHT THEM", CK_BOLD);
    for (size_t i = 0; i < r->n_layers; i++) {
        const struct ck_report_layer *l = &r->layers[i];
        unsigned width = t->columns - CK_MARGIN - 30;
        ck_view by = ck_table_escaped(t, l->created_by.n ? l->created_by : ck_report_layer_name(l));
        struct ck_cell cells[] = {
            { ck_view_str(ck_arena_format(t->a, "layer %zu", i + 1)), 9, NULL },
            { ck_view_str(ck_arena_format(t->a, "%6zu finding%s", n[i], ck_plural(n[i]))), 17,
              NULL },
            { l->created_by.n ? shortened(t, by, width, CREATED_BY_LINES) : by, width, CK_DIM },
        };
        if (n[i])
            ck_layout_row(&t->l, CK_MARGIN, cells, 3);
    }
}

struct rule {
    ck_view name;
    size_t n;
};

static int cmp_rule(const void *va, const void *vb)
{
    const struct rule *a = va, *b = vb;
    if (a->n != b->n)
        return a->n > b->n ? -1 : 1;
    return ck_view_cmp(a->name, b->name);
}

/* How often each rule removed something, most often first. */
static size_t count_rules(struct ck_table *t, struct rule **ret)
{
    CK_VEC(struct rule) rules = { 0 };
    for (size_t i = 0; i < ck_report_suppressed(t->r); i++) {
        ck_view name = t->r->match->suppressed[i].rule;
        size_t k = 0;
        while (k < rules.n && !ck_view_eq(rules.v[k].name, name))
            k++;
        if (k == rules.n)
            *ck_push(&rules) = (struct rule){ .name = name };
        rules.v[k].n++;
    }
    if (rules.n)
        qsort(rules.v, rules.n, sizeof *rules.v, cmp_rule);
    *ret = rules.v;
    return rules.n;
}

static void put_suppressed(struct ck_table *t)
{
    size_t n = ck_report_suppressed(t->r);
    ck_autofree struct rule *rules = NULL;
    size_t n_rules = count_rules(t, &rules);
    if (n == 0)
        return;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "%zu candidate%s not reported: ", n, ck_plural(n));
    for (size_t i = 0; i < n_rules; i++) {
        ck_buf_format(&b, "%s%zu ", i ? ", " : "", rules[i].n);
        ck_buf_escape(&b, rules[i].name);
    }
    ck_put_bytes(&b, CK_V(". --format json lists them, --explain ID says why."));
    ck_table_blank(t);
    ck_table_text(t, 0, "SUPPRESSED", CK_BOLD);
    ck_layout_line(&t->l, CK_MARGIN, ck_buf_view(&b), t->columns, NULL);
}

static void put_feed(struct ck_table *t, const struct ck_db_feed *f)
{
    char text[32];
    ck_autobuf struct ck_buf raw = ck_buf_new(CK_LIMIT_NONE), b = ck_buf_new(CK_LIMIT_NONE);
    ck_report_feed_name(f, &raw);
    ck_buf_escape(&b, ck_buf_view(&raw));
    ck_format_time(text, f->time);
    ck_buf_format(&b, "  %s", f->time ? text : "time unknown");
    ck_layout_line(&t->l, CK_MARGIN, ck_buf_view(&b), t->columns, NULL);
    if (f->failure.n) {
        ck_buf_clear(&b);
        ck_put_bytes(&b, CK_V("! an older state: "));
        ck_buf_escape(&b, f->failure);
        ck_layout_line(&t->l, CK_MARGIN + 2, ck_buf_view(&b), t->columns, "1;33");
    }
}

static void put_database(struct ck_table *t)
{
    const struct ck_report_database *db = t->r->database;
    char text[32];
    ck_table_blank(t);
    if (!db) {
        ck_table_text(t, 0, "DATABASE  none (cocket db update makes one)", CK_BOLD);
        return;
    }
    ck_format_time(text, db->built);
    const char *title = ck_arena_format(t->a, "DATABASE  built %s from %zu feed%s", text,
                                        db->n_feeds, ck_plural(db->n_feeds));
    ck_table_text(t, 0, title, CK_BOLD);
    for (size_t i = 0; i < db->n_feeds; i++)
        put_feed(t, &db->feeds[i]);
}

/* Who scrolled to the end of a long report sees the verdict again. */
static void put_verdict_again(struct ck_table *t)
{
    struct ck_table_count c = ck_table_count(t, CK_SEVERITY_COUNT_);
    if (t->groups.n <= LONG_REPORT)
        return;
    ck_table_blank(t);
    ck_view word = ck_table_decision(t);
    const char *text = ck_arena_format(
        t->a, "%.*s  %zu findings, %zu fixable, %zu known exploited, %zu gap%s", CK_VF(word),
        c.findings, c.fixable, c.kev, t->r->n_gaps, ck_plural(t->r->n_gaps));
    ck_table_text(t, 0, text, ck_decision_colour(t->r->decision));
}

void ck_table_foot(struct ck_table *t)
{
    put_layers(t);
    put_suppressed(t);
    put_database(t);
    put_verdict_again(t);
}
