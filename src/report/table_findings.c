/* The findings of the table: an entry for each group. */
#include "report/table.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum {
    CELL_MAX = 32, /* names and versions longer than this wrap */
    CELL_MIN = 10,
    IDS_MIN = 26, /* room from which on the ids get a column of their own */
    IDS_MAX = 44,
    IDS_LINES = 4, /* more lines than this stand below the row instead */
    WHY_MIN = 48,  /* room from which on the reason gets one too */
};

enum { PACKAGE, INSTALLED, FIXED_IN, COLUMNS_OF_VERSIONS };
struct columns {
    unsigned width[COLUMNS_OF_VERSIONS];
    unsigned ids, why; /* 0 where there is no room for them */
};

/* What stands in the fix column where there is no fixed version. */
static const char *const no_fix[CK_FIX_STATE_COUNT_] = {
    [CK_FIX_FIXED] = "fixed",
    [CK_FIX_NONE] = "no fix yet",
    [CK_FIX_WONT] = "will not be fixed",
    [CK_FIX_POSTPONED] = "postponed",
    [CK_FIX_NO_DSA] = "minor, no DSA",
    [CK_FIX_END_OF_LIFE] = "end of life",
    [CK_FIX_UNDETERMINED] = "undetermined",
    [CK_FIX_NOT_AFFECTED] = "not affected",
};

/* The version that is installed; the source's where its packages have different ones. */
static ck_view group_version(const struct ck_report *r, const struct ck_group *g)
{
    const struct ck_package *first = ck_group_package(r, g);
    for (size_t i = 1; i < g->n; i++)
        if (!ck_view_eq(r->packages[g->findings[i]->package].p.version, first->version))
            return first->source_version;
    return first->version;
}

static ck_view group_fix(const struct ck_group *g)
{
    const struct ck_finding *f = g->findings[0];
    if (f->fix_state == CK_FIX_FIXED && f->fix_version.n)
        return f->fix_version;
    return ck_view_str(f->fix_state < CK_FIX_STATE_COUNT_ ? no_fix[f->fix_state] : "unknown");
}

static ck_view group_name(const struct ck_report *r, const struct ck_group *g)
{
    const struct ck_package *p = ck_group_package(r, g);
    return p->source_name.n ? p->source_name : p->name;
}

static ck_view group_ids(struct ck_table *t, const struct ck_group *g)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < g->n; i++) {
        const struct ck_finding *f = g->findings[i];
        if (i && ck_view_eq(g->findings[i - 1]->id, f->id))
            continue;
        if (b.n)
            ck_put_bytes(&b, CK_V("  "));
        ck_buf_escape(&b, f->id);
        if (f->kev)
            ck_put_bytes(&b, CK_V(CK_NO_BREAK "(EXPLOITED)"));
    }
    return ck_arena_dup(t->a, ck_buf_view(&b));
}

static int cmp_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* Indexes of the packages and, for an image of several layers, of the layers of a group: sorted,
 * each once. Returns how many. */
static size_t distinct(size_t *v, size_t n)
{
    size_t kept = 0;
    qsort(v, n, sizeof *v, cmp_index);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || v[i] != v[kept - 1])
            v[kept++] = v[i];
    return kept;
}

static void put_packages_of(struct ck_table *t, const struct ck_group *g, struct ck_buf *b)
{
    size_t *index = ck_arena_alloc(t->a, g->n, sizeof *index);
    for (size_t i = 0; i < g->n; i++)
        index[i] = g->findings[i]->package;
    size_t n = distinct(index, g->n);
    ck_view previous = ck_view_head(CK_V(""), 0);
    if (n == 1 && ck_view_eq(t->r->packages[index[0]].p.name, group_name(t->r, g)))
        return;
    for (size_t i = 0; i < n; i++) {
        ck_view name = t->r->packages[index[i]].p.name;
        if (i && ck_view_eq(name, previous)) /* another architecture */
            continue;
        ck_put_bytes(b, i ? CK_V(", ") : CK_V("in "));
        ck_buf_escape(b, name);
        previous = name;
    }
}

static void put_layers_of(struct ck_table *t, const struct ck_group *g, struct ck_buf *b)
{
    size_t *index = ck_arena_alloc(t->a, g->n, sizeof *index);
    if (t->r->n_layers < 2)
        return;
    for (size_t i = 0; i < g->n; i++)
        index[i] = t->r->packages[g->findings[i]->package].layer;
    size_t n = distinct(index, g->n);
    for (size_t i = 0; i < n; i++) {
        if (index[i] == SIZE_MAX)
            continue;
        const char *intro = b->n ? "; layer" CK_NO_BREAK : "layer" CK_NO_BREAK;
        ck_buf_format(b, "%s%zu", i ? ", " : intro, index[i] + 1);
    }
}

/* "in libssl3, openssl; layer 2", or empty where the name says it all. */
static ck_view group_place(struct ck_table *t, const struct ck_group *g)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    put_packages_of(t, g, &b);
    put_layers_of(t, g, &b);
    return ck_arena_dup(t->a, ck_buf_view(&b));
}

/* The first finding's reason. Others of the group may cite other advisories: what is left out is
 * said. Behind it stands where the package is. */
static ck_view group_why(struct ck_table *t, const struct ck_group *g)
{
    ck_view place = group_place(t, g);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t others = 0;
    ck_buf_escape(&b, g->findings[0]->why);
    for (size_t i = 1; i < g->n; i++)
        others += !ck_view_eq(g->findings[i]->id, g->findings[i - 1]->id) &&
                  !ck_view_eq(g->findings[i]->why, g->findings[0]->why);
    if (others)
        ck_buf_format(&b, " (%zu more such reason%s: --explain ID)", others, ck_plural(others));
    if (place.n)
        ck_buf_format(&b, " [%.*s]", (int)place.n, (const char *)place.p);
    return ck_arena_dup(t->a, ck_buf_view(&b));
}

static void put_group(struct ck_table *t, const struct columns *c, const struct ck_group *g)
{
    const char *colour = ck_severity_looks[g->severity].colour;
    ck_view none = { 0 }, ids = group_ids(t, g), why = group_why(t, g);
    bool ids_in_column = c->ids && ck_layout_lines(ids, c->ids) <= IDS_LINES;
    bool why_in_column = c->why && ids_in_column;
    struct ck_cell cells[] = {
        { ck_table_escaped(t, group_name(t->r, g)), c->width[PACKAGE], CK_BOLD },
        { ck_table_escaped(t, group_version(t->r, g)), c->width[INSTALLED], NULL },
        { ck_table_escaped(t, group_fix(g)), c->width[FIXED_IN], NULL },
        { ids_in_column ? ids : none, c->ids, colour },
        { why_in_column ? why : none, c->why, NULL },
    };
    ck_layout_row(&t->l, CK_MARGIN, cells, 5);
    if (!ids_in_column)
        ck_layout_line(&t->l, CK_MARGIN + 2, ids, t->columns, colour);
    if (!why_in_column)
        ck_layout_line(&t->l, CK_MARGIN + 2, why, t->columns, NULL);
}

static void put_column_heads(struct ck_table *t, const struct columns *c)
{
    struct ck_cell cells[] = {
        { CK_V("PACKAGE"), c->width[PACKAGE], CK_DIM },
        { CK_V("INSTALLED"), c->width[INSTALLED], CK_DIM },
        { CK_V("FIXED IN"), c->width[FIXED_IN], CK_DIM },
        { c->ids ? CK_V("VULNERABILITIES") : CK_V(""), c->ids, CK_DIM },
        { c->why ? CK_V("WHY") : CK_V(""), c->why, CK_DIM },
    };
    ck_layout_row(&t->l, CK_MARGIN, cells, 5);
}

/* Groups of one severity, which stand together. */
static void put_severity(struct ck_table *t, const struct columns *c, enum ck_severity severity)
{
    size_t from = 0;
    while (from < t->groups.n && t->groups.v[from].severity != severity)
        from++;
    size_t to = from;
    while (to < t->groups.n && t->groups.v[to].severity == severity)
        to++;
    if (from == to)
        return;
    struct ck_table_count n = ck_table_count(t, severity);
    ck_table_blank(t);
    const struct ck_severity_look *look = &ck_severity_looks[severity];
    const char *title = ck_arena_format(t->a, "%s %s  %zu finding%s in %zu group%s", look->shape,
                                        look->word, n.findings, ck_plural(n.findings), to - from,
                                        ck_plural(to - from));
    ck_table_text(t, 0, title, look->colour);
    put_column_heads(t, c);
    for (size_t i = from; i < to; i++)
        put_group(t, c, &t->groups.v[i]);
}

/* Columns as wide as their widest cell, up to a ceiling; what is left over goes to ids and
 * reasons. */
static void measure(struct ck_table *t, struct columns *c)
{
    unsigned *w = c->width;
    w[PACKAGE] = 7;
    w[INSTALLED] = 9;
    w[FIXED_IN] = 8;
    for (size_t i = 0; i < t->groups.n; i++) {
        const struct ck_group *g = &t->groups.v[i];
        ck_view cell[] = { group_name(t->r, g), group_version(t->r, g), group_fix(g) };
        for (int k = 0; k < COLUMNS_OF_VERSIONS; k++) {
            size_t width = ck_text_width(ck_table_escaped(t, cell[k]));
            width = width < CELL_MAX ? width : CELL_MAX;
            w[k] = width > w[k] ? (unsigned)width : w[k];
        }
    }
    unsigned room = t->columns - CK_MARGIN - 4;
    ck_layout_fit(w, COLUMNS_OF_VERSIONS, room, CELL_MIN);
    unsigned used = w[PACKAGE] + w[INSTALLED] + w[FIXED_IN] + 2;
    unsigned rest = room > used ? room - used : 0;
    c->ids = rest < IDS_MIN ? 0 : rest >= IDS_MAX + 2 + WHY_MIN ? IDS_MAX : rest;
    c->why = c->ids && rest > c->ids ? rest - c->ids - 2 : 0;
}

void ck_table_findings(struct ck_table *t)
{
    struct columns c = { 0 };
    measure(t, &c);
    for (int i = 0; i < CK_SEVERITY_COUNT_; i++)
        put_severity(t, &c, ck_severity_order[i]);
}
