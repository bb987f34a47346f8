/* The report for people: the verdict and the counts, what could not be assessed, the findings by
 * severity in groups, what was suppressed, the database. Readable without colours, at 80 columns
 * and at 200; wrapped, never cut. */
#include "report/groups.h"
#include "report/layout.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum {
    MARGIN = 2,
    LABEL = 8,         /* "packages"; with a blank and a sha256 digest it fills 80 columns */
    CELL_MAX = 32,     /* names and versions longer than this wrap */
    CELL_MIN = 10,
    IDS_MIN = 26,      /* room from which on the ids get a column of their own */
    IDS_MAX = 44,
    WHY_MIN = 48,      /* ... and the reason too */
    LONG_REPORT = 20,  /* groups; behind more of them the verdict is said again */
    CREATED_BY_LINES = 2,
    COUNTS_WIDTH = 58, /* narrower terminals get two of the four numbers */
};

#define BOLD "1"
#define DIM "2"

struct severity_look {
    const char *shape, *word, *colour;
};
static const struct severity_look looks[CK_SEVERITY_COUNT_] = {
    [CK_SEVERITY_CRITICAL] = { "####", "CRITICAL", "1;31" },
    [CK_SEVERITY_HIGH] = { "###.", "HIGH", "31" },
    [CK_SEVERITY_MEDIUM] = { "##..", "MEDIUM", "33" },
    [CK_SEVERITY_LOW] = { "#...", "LOW", "36" },
    [CK_SEVERITY_NEGLIGIBLE] = { "....", "NEGLIGIBLE", DIM },
    [CK_SEVERITY_UNKNOWN] = { "????", "UNKNOWN", "35" },
};
/* Unknown comes last although it may be anything: it is the least that one can act on. */
static const enum ck_severity order[CK_SEVERITY_COUNT_] = {
    CK_SEVERITY_CRITICAL, CK_SEVERITY_HIGH,       CK_SEVERITY_MEDIUM,
    CK_SEVERITY_LOW,      CK_SEVERITY_NEGLIGIBLE, CK_SEVERITY_UNKNOWN,
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

enum { PACKAGE, INSTALLED, FIXED_IN, COLUMNS_OF_VERSIONS };

struct table {
    const struct ck_report *r;
    struct ck_layout l;
    unsigned columns;
    struct ck_arena *a;
    struct ck_groups groups;
    unsigned width[COLUMNS_OF_VERSIONS];
    unsigned ids, why; /* widths of the columns that a wide terminal has room for, or 0 */
};

/* Foreign text, made safe; lives as long as the table. */
static ck_view escaped(struct table *t, ck_view v)
{
    ck_autofree char *s = ck_escape(v);
    return ck_arena_dup(t->a, ck_view_str(s));
}

static void text_line(struct table *t, unsigned indent, const char *text, const char *colour)
{
    ck_layout_line(&t->l, indent, ck_view_str(text), t->columns, colour);
}

/* A row whose cells stand one blank apart. */
static void close_row(struct table *t, unsigned indent, const struct ck_cell *cells, size_t n)
{
    struct ck_layout l = t->l;
    l.gap = 1;
    ck_layout_row(&l, indent, cells, n);
}

static void blank_line(struct table *t) { ck_put_u8(t->l.out, '\n'); }

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

/* --- Head ------------------------------------------------------------------------------------ */

static const char *decision_colour(ck_view decision)
{
    if (ck_view_eq(decision, CK_V("allow")))
        return "1;32";
    return ck_view_eq(decision, CK_V("deny")) ? "1;31" : "1;33";
}

static ck_view upper(struct table *t, ck_view v)
{
    ck_autofree char *s = ck_escape(v);
    for (char *c = s; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return ck_arena_dup(t->a, ck_view_str(s));
}

static void put_verdict(struct table *t)
{
    ck_view word = upper(t, t->r->decision), reference = escaped(t, t->r->reference);
    unsigned width = (unsigned)ck_text_width(word);
    struct ck_cell cells[] = {
        { word, width, decision_colour(t->r->decision) },
        { reference, t->columns > width + 12 ? t->columns - width - 2 : 10, BOLD },
    };
    ck_layout_row(&t->l, 0, cells, 2);
    for (size_t i = 0; i < t->r->n_reasons; i++) {
        struct ck_cell reason[] = { { CK_V("-"), 1, NULL },
                                    { escaped(t, t->r->reasons[i]), t->columns - 4, NULL } };
        close_row(t, MARGIN, reason, 2);
    }
}

static void put_labelled(struct table *t, const char *label, ck_view text)
{
    if (text.n == 0)
        return;
    struct ck_cell cells[] = { { ck_view_str(label), LABEL, DIM },
                               { text, t->columns - LABEL - 1, NULL } };
    close_row(t, 0, cells, 2);
}

static void put_platform(struct table *t)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    if (t->r->os.n || t->r->architecture.n) {
        ck_buf_escape(&b, t->r->os);
        ck_put_u8(&b, '/');
        ck_buf_escape(&b, t->r->architecture);
    }
    if (t->r->created.n) {
        ck_put_bytes(&b, b.n ? CK_V(", created ") : CK_V("created "));
        ck_buf_escape(&b, t->r->created);
    }
    put_labelled(t, "platform", ck_arena_dup(t->a, ck_buf_view(&b)));
    if (t->r->platforms.n) {
        ck_buf_clear(&b);
        ck_put_bytes(&b, CK_V("also offers "));
        ck_buf_escape(&b, t->r->platforms);
        put_labelled(t, "index", ck_buf_view(&b));
    }
}

static void put_layer_count(struct table *t)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < t->r->n_layers; i++)
        bytes += t->r->layers[i].size;
    ck_autofree char *size = ck_format_bytes(bytes);
    if (t->r->n_layers)
        put_labelled(t, "layers",
                     ck_view_str(ck_arena_format(t->a, "%zu, %s", t->r->n_layers, size)));
}

static void put_distro(struct table *t)
{
    const struct ck_distro *d = &t->r->distro;
    ck_view name = ck_report_system(t->r);
    char day[32];
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_format_time(day, d->end_of_life);
    ck_buf_escape(&b, name.n ? name : CK_V("unknown"));
    if (d->end_of_life)
        ck_buf_format(&b, ", security support until %.10s", day);
    if (d->by_id_like)
        ck_put_bytes(&b, CK_V(" (a derivative, matched by its parent's advisories)"));
    put_labelled(t, "system", ck_arena_dup(t->a, ck_buf_view(&b)));
}

static void put_package_count(struct table *t)
{
    size_t n[CK_PACKAGE_TYPE_COUNT_] = { 0 };
    for (size_t i = 0; i < t->r->n_packages; i++)
        n[t->r->packages[i].p.type]++;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (int i = 0; i < CK_PACKAGE_TYPE_COUNT_; i++)
        if (n[i])
            ck_buf_format(&b, "%s%zu %s", b.n ? ", " : "", n[i],
                          ck_package_type_name((enum ck_package_type)i));
    if (t->r->n_packages == 0)
        ck_put_bytes(&b, CK_V("none found"));
    put_labelled(t, "packages", ck_arena_dup(t->a, ck_buf_view(&b)));
}

static void put_image(struct table *t)
{
    blank_line(t);
    put_labelled(t, "digest", escaped(t, t->r->digest));
    put_platform(t);
    put_layer_count(t);
    put_distro(t);
    put_package_count(t);
}

/* --- Counts ---------------------------------------------------------------------------------- */

struct count {
    size_t findings, ids, fixable, kev;
};

static int cmp_id(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

/* Of one severity, or of all of them (CK_SEVERITY_COUNT_). */
static struct count count(struct table *t, enum ck_severity severity)
{
    size_t n = ck_report_findings(t->r);
    ck_view *ids = ck_arena_alloc(t->a, n + 1, sizeof *ids);
    struct count c = { 0 };
    for (size_t i = 0; i < n; i++) {
        const struct ck_finding *f = &t->r->match->findings[i];
        if (severity != CK_SEVERITY_COUNT_ && f->severity != severity)
            continue;
        ids[c.findings++] = f->id;
        c.fixable += f->fix_state == CK_FIX_FIXED;
        c.kev += f->kev;
    }
    qsort(ids, c.findings, sizeof *ids, cmp_id);
    for (size_t i = 0; i < c.findings; i++)
        c.ids += i == 0 || !ck_view_eq(ids[i - 1], ids[i]);
    return c;
}

static void put_count_row(struct table *t, const char *shape, const char *word, struct count c,
                          const char *colour)
{
    const char *head = ck_arena_format(t->a, "%-4s %-10s", shape, word);
    const char *numbers =
        t->columns < COUNTS_WIDTH
            ? ck_arena_format(t->a, "%8zu  %7zu", c.findings, c.fixable)
            : ck_arena_format(t->a, "%8zu  %8zu  %7zu  %9zu", c.findings, c.ids, c.fixable, c.kev);
    struct ck_cell cells[] = { { ck_view_str(head), 15, colour }, { ck_view_str(numbers), 38,
                                                                    NULL } };
    ck_layout_row(&t->l, MARGIN, cells, 2);
}

static void put_nothing_found(struct table *t)
{
    const char *text = "No known vulnerabilities were found.";
    if (!t->r->match || !t->r->database)
        text = "Not matched against any advisory: there is no database. Packages are listed only.";
    else if (t->r->n_gaps)
        text = "No known vulnerabilities were found in what could be assessed.";
    text_line(t, MARGIN, text, BOLD);
}

static void put_counts(struct table *t)
{
    blank_line(t);
    if (ck_report_findings(t->r) == 0) {
        put_nothing_found(t);
        return;
    }
    text_line(t, MARGIN + 17,
              t->columns < COUNTS_WIDTH ? "findings  fixable"
                                        : "findings  distinct  fixable  exploited",
              DIM);
    for (int i = 0; i < CK_SEVERITY_COUNT_; i++) {
        struct count c = count(t, order[i]);
        const struct severity_look *look = &looks[order[i]];
        put_count_row(t, look->shape, look->word, c, c.findings ? look->colour : DIM);
    }
    put_count_row(t, "", "in all", count(t, CK_SEVERITY_COUNT_), BOLD);
}

/* --- Gaps ------------------------------------------------------------------------------------ */

static void put_gaps(struct table *t)
{
    if (t->r->n_gaps == 0)
        return;
    blank_line(t);
    text_line(t, 0,
              ck_arena_format(t->a,
                              "!!!! NOT ASSESSED  %zu gap%s: what is missing may hide findings",
                              t->r->n_gaps, plural(t->r->n_gaps)),
              "1;33");
    for (size_t i = 0; i < t->r->n_gaps; i++) {
        struct ck_cell what[] = { { CK_V("!"), 1, "1;33" },
                                  { escaped(t, t->r->gaps[i].what), t->columns - 4, BOLD } };
        close_row(t, MARGIN, what, 2);
        ck_layout_line(&t->l, MARGIN + 2, escaped(t, t->r->gaps[i].why), t->columns, NULL);
    }
}

/* --- Findings -------------------------------------------------------------------------------- */

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

static ck_view group_ids(struct table *t, const struct ck_group *g)
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

static void put_packages_of(struct table *t, const struct ck_group *g, struct ck_buf *b)
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

static void put_layers_of(struct table *t, const struct ck_group *g, struct ck_buf *b)
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
        const char *intro = b->n ? "; layer " : "layer ";
        ck_buf_format(b, "%s%zu", i ? ", " : intro, index[i] + 1);
    }
}

/* "in libssl3, openssl; layer 2", or empty where the name says it all. */
static ck_view group_place(struct table *t, const struct ck_group *g)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    put_packages_of(t, g, &b);
    put_layers_of(t, g, &b);
    return ck_arena_dup(t->a, ck_buf_view(&b));
}

/* The first finding's reason. Others of the group may cite other advisories: what is left out is
 * said. Behind it stands where the package is. */
static ck_view group_why(struct table *t, const struct ck_group *g)
{
    ck_view place = group_place(t, g);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t others = 0;
    ck_buf_escape(&b, g->findings[0]->why);
    for (size_t i = 1; i < g->n; i++)
        others += !ck_view_eq(g->findings[i]->id, g->findings[i - 1]->id) &&
                  !ck_view_eq(g->findings[i]->why, g->findings[0]->why);
    if (others)
        ck_buf_format(&b, " (%zu more such reason%s: --explain ID)", others, plural(others));
    if (place.n)
        ck_buf_format(&b, " [%.*s]", (int)place.n, (const char *)place.p);
    return ck_arena_dup(t->a, ck_buf_view(&b));
}

static void put_group(struct table *t, const struct ck_group *g)
{
    const char *colour = looks[g->severity].colour;
    ck_view none = { 0 }, ids = group_ids(t, g), why = group_why(t, g);
    bool ids_in_column = t->ids && ck_layout_lines(ids, t->ids) <= 4;
    bool why_in_column = t->why && ids_in_column;
    struct ck_cell cells[] = {
        { escaped(t, group_name(t->r, g)), t->width[PACKAGE], BOLD },
        { escaped(t, group_version(t->r, g)), t->width[INSTALLED], NULL },
        { escaped(t, group_fix(g)), t->width[FIXED_IN], NULL },
        { ids_in_column ? ids : none, t->ids, colour },
        { why_in_column ? why : none, t->why, NULL },
    };
    ck_layout_row(&t->l, MARGIN, cells, 5);
    if (!ids_in_column)
        ck_layout_line(&t->l, MARGIN + 2, ids, t->columns, colour);
    if (!why_in_column)
        ck_layout_line(&t->l, MARGIN + 2, why, t->columns, DIM);
}

static void put_column_heads(struct table *t)
{
    struct ck_cell cells[] = {
        { CK_V("PACKAGE"), t->width[PACKAGE], DIM },
        { CK_V("INSTALLED"), t->width[INSTALLED], DIM },
        { CK_V("FIXED IN"), t->width[FIXED_IN], DIM },
        { t->ids ? CK_V("VULNERABILITIES") : CK_V(""), t->ids, DIM },
        { t->why ? CK_V("WHY") : CK_V(""), t->why, DIM },
    };
    ck_layout_row(&t->l, MARGIN, cells, 5);
}

/* Groups of one severity, which stand together. */
static void put_severity(struct table *t, enum ck_severity severity)
{
    size_t from = 0;
    while (from < t->groups.n && t->groups.v[from].severity != severity)
        from++;
    size_t to = from;
    while (to < t->groups.n && t->groups.v[to].severity == severity)
        to++;
    if (from == to)
        return;
    struct count c = count(t, severity);
    blank_line(t);
    text_line(t, 0,
              ck_arena_format(t->a, "%s %s  %zu finding%s in %zu group%s", looks[severity].shape,
                              looks[severity].word, c.findings, plural(c.findings), to - from,
                              plural(to - from)),
              looks[severity].colour);
    put_column_heads(t);
    for (size_t i = from; i < to; i++)
        put_group(t, &t->groups.v[i]);
}

/* Columns as wide as their widest cell, up to a ceiling; what is left over goes to ids and
 * reasons. */
static void measure(struct table *t)
{
    unsigned *w = t->width;
    w[PACKAGE] = 7;
    w[INSTALLED] = 9;
    w[FIXED_IN] = 8;
    for (size_t i = 0; i < t->groups.n; i++) {
        const struct ck_group *g = &t->groups.v[i];
        ck_view cell[] = { group_name(t->r, g), group_version(t->r, g), group_fix(g) };
        for (int c = 0; c < COLUMNS_OF_VERSIONS; c++) {
            size_t width = ck_text_width(escaped(t, cell[c]));
            width = width < CELL_MAX ? width : CELL_MAX;
            w[c] = width > w[c] ? (unsigned)width : w[c];
        }
    }
    unsigned room = t->columns - MARGIN - 4;
    ck_layout_fit(w, COLUMNS_OF_VERSIONS, room, CELL_MIN);
    unsigned used = w[PACKAGE] + w[INSTALLED] + w[FIXED_IN] + 2;
    unsigned rest = room > used ? room - used : 0;
    t->ids = rest < IDS_MIN ? 0 : rest >= IDS_MAX + 2 + WHY_MIN ? IDS_MAX : rest;
    t->why = t->ids && rest > t->ids ? rest - t->ids - 2 : 0;
}

/* --- Layers, suppressed, foot ---------------------------------------------------------------- */

/* The text in at most `lines` lines; where it is longer it ends in " ...". */
static ck_view shortened(struct table *t, ck_view text, unsigned width, size_t lines)
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

static void put_layers(struct table *t)
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
    blank_line(t);
    text_line(t, 0, "WHICH LAYER BROUGHT THEM", BOLD);
    for (size_t i = 0; i < r->n_layers; i++) {
        const struct ck_report_layer *l = &r->layers[i];
        unsigned width = t->columns - MARGIN - 30;
        ck_view by = escaped(t, l->created_by.n ? l->created_by : ck_report_layer_name(l));
        struct ck_cell cells[] = {
            { ck_view_str(ck_arena_format(t->a, "layer %zu", i + 1)), 9, NULL },
            { ck_view_str(ck_arena_format(t->a, "%6zu finding%s", n[i], plural(n[i]))), 17, NULL },
            { l->created_by.n ? shortened(t, by, width, CREATED_BY_LINES) : by, width, DIM },
        };
        if (n[i])
            ck_layout_row(&t->l, MARGIN, cells, 3);
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
static size_t count_rules(struct table *t, struct rule **ret)
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

static void put_suppressed(struct table *t)
{
    size_t n = ck_report_suppressed(t->r);
    ck_autofree struct rule *rules = NULL;
    size_t n_rules = count_rules(t, &rules);
    if (n == 0)
        return;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "%zu candidate%s not reported: ", n, plural(n));
    for (size_t i = 0; i < n_rules; i++) {
        ck_buf_format(&b, "%s%zu ", i ? ", " : "", rules[i].n);
        ck_buf_escape(&b, rules[i].name);
    }
    ck_put_bytes(&b, CK_V(". --format json lists them, --explain ID says why."));
    blank_line(t);
    text_line(t, 0, "SUPPRESSED", BOLD);
    ck_layout_line(&t->l, MARGIN, ck_buf_view(&b), t->columns, NULL);
}

static void put_feed(struct table *t, const struct ck_db_feed *f)
{
    char text[32];
    ck_autobuf struct ck_buf raw = ck_buf_new(CK_LIMIT_NONE), b = ck_buf_new(CK_LIMIT_NONE);
    ck_report_feed_name(f, &raw);
    ck_buf_escape(&b, ck_buf_view(&raw));
    ck_format_time(text, f->time);
    ck_buf_format(&b, "  %s", f->time ? text : "time unknown");
    ck_layout_line(&t->l, MARGIN, ck_buf_view(&b), t->columns, NULL);
    if (f->failure.n) {
        ck_buf_clear(&b);
        ck_put_bytes(&b, CK_V("! an older state: "));
        ck_buf_escape(&b, f->failure);
        ck_layout_line(&t->l, MARGIN + 2, ck_buf_view(&b), t->columns, "1;33");
    }
}

static void put_database(struct table *t)
{
    const struct ck_report_database *db = t->r->database;
    char text[32];
    blank_line(t);
    if (!db) {
        text_line(t, 0, "DATABASE  none (cocket db update makes one)", BOLD);
        return;
    }
    ck_format_time(text, db->built);
    text_line(t, 0, ck_arena_format(t->a, "DATABASE  built %s from %zu feed%s", text, db->n_feeds,
                                    plural(db->n_feeds)),
              BOLD);
    for (size_t i = 0; i < db->n_feeds; i++)
        put_feed(t, &db->feeds[i]);
}

/* Who scrolled to the end of a long report sees the verdict again. */
static void put_verdict_again(struct table *t)
{
    struct count c = count(t, CK_SEVERITY_COUNT_);
    if (t->groups.n <= LONG_REPORT)
        return;
    blank_line(t);
    ck_view word = upper(t, t->r->decision);
    text_line(t, 0,
              ck_arena_format(t->a,
                              "%.*s  %zu findings, %zu fixable, %zu known exploited, %zu gap%s",
                              CK_VF(word), c.findings, c.fixable, c.kev, t->r->n_gaps,
                              plural(t->r->n_gaps)),
              decision_colour(t->r->decision));
}

ck_err *ck_report_table(const struct ck_report *r, const struct ck_table_options *o,
                        struct ck_buf *out)
{
    CK_TRY(ck_report_check(r));
    ck_autoarena struct ck_arena a = { 0 };
    struct table t = {
        .r = r,
        .l = { .out = out, .gap = 2, .colour = o->colour },
        .columns = o->columns < 40 ? 40 : o->columns,
        .a = &a,
    };
    ck_report_groups(r, &a, &t.groups);
    measure(&t);
    put_verdict(&t);
    put_counts(&t);
    put_image(&t);
    put_gaps(&t);
    for (int i = 0; i < CK_SEVERITY_COUNT_; i++)
        put_severity(&t, order[i]);
    put_layers(&t);
    put_suppressed(&t);
    put_database(&t);
    put_verdict_again(&t);
    return NULL;
}
