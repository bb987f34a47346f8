/* The head of the table: verdict, counts, image, what could not be assessed. */
#include "report/table.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum {
    LABEL = 8,         /* "packages"; with a blank and a sha256 digest it fills 80 columns */
    COUNTS_WIDTH = 58, /* narrower terminals get two of the four numbers */
};

const char *ck_decision_colour(ck_view decision)
{
    if (ck_view_eq(decision, CK_V("allow")))
        return "1;32";
    return ck_view_eq(decision, CK_V("deny")) ? "1;31" : "1;33";
}

ck_view ck_table_decision(struct ck_table *t)
{
    ck_autofree char *s = ck_escape(t->r->decision);
    for (char *c = s; *c; c++)
        if (*c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    return ck_arena_dup(t->a, ck_view_str(s));
}

static void put_verdict(struct ck_table *t)
{
    ck_view word = ck_table_decision(t), reference = ck_table_escaped(t, t->r->reference);
    unsigned width = (unsigned)ck_text_width(word);
    struct ck_cell cells[] = {
        { word, width, ck_decision_colour(t->r->decision) },
        { reference, t->columns > width + 12 ? t->columns - width - 2 : 10, CK_BOLD },
    };
    ck_layout_row(&t->l, 0, cells, 2);
    for (size_t i = 0; i < t->r->n_reasons; i++) {
        struct ck_cell reason[] = { { CK_V("-"), 1, NULL },
                                    { ck_table_escaped(t, t->r->reasons[i]), t->columns - 4,
                                      NULL } };
        ck_table_close_row(t, CK_MARGIN, reason, 2);
    }
}

static void put_labelled(struct ck_table *t, const char *label, ck_view text)
{
    if (text.n == 0)
        return;
    struct ck_cell cells[] = { { ck_view_str(label), LABEL, CK_DIM },
                               { text, t->columns - LABEL - 1, NULL } };
    ck_table_close_row(t, 0, cells, 2);
}

static void put_platform(struct ck_table *t)
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

static void put_layer_count(struct ck_table *t)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < t->r->n_layers; i++)
        bytes += t->r->layers[i].size;
    ck_autofree char *size = ck_format_bytes(bytes);
    if (t->r->n_layers)
        put_labelled(t, "layers",
                     ck_view_str(ck_arena_format(t->a, "%zu, %s", t->r->n_layers, size)));
}

/* By the database's time: a report knows no clock. */
static bool support_ended(const struct ck_report *r)
{
    return r->database && r->distro.end_of_life < r->database->built;
}

static void put_distro(struct ck_table *t)
{
    const struct ck_distro *d = &t->r->distro;
    ck_view name = ck_report_system(t->r);
    char day[32];
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_format_time(day, d->end_of_life);
    ck_buf_escape(&b, name.n ? name : CK_V("unknown"));
    if (d->end_of_life)
        ck_buf_format(&b, ", security support %s %.10s", support_ended(t->r) ? "ended" : "until",
                      day);
    if (d->by_id_like)
        ck_put_bytes(&b, CK_V(" (a derivative, matched by its parent's advisories)"));
    put_labelled(t, "system", ck_arena_dup(t->a, ck_buf_view(&b)));
}

static void put_package_count(struct ck_table *t)
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

static void put_image(struct ck_table *t)
{
    ck_table_blank(t);
    put_labelled(t, "digest", ck_table_escaped(t, t->r->digest));
    put_platform(t);
    put_layer_count(t);
    put_distro(t);
    put_package_count(t);
}

/* --- Counts ----------------------------------------------------------------------------------- */

static int cmp_id(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

struct ck_table_count ck_table_count(struct ck_table *t, enum ck_severity severity)
{
    size_t n = ck_report_findings(t->r);
    ck_view *ids = ck_arena_alloc(t->a, n + 1, sizeof *ids);
    struct ck_table_count c = { 0 };
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

static void put_count_row(struct ck_table *t, const char *shape, const char *word,
                          struct ck_table_count c, const char *colour)
{
    const char *head = ck_arena_format(t->a, "%-4s %-10s", shape, word);
    const char *numbers =
        t->columns < COUNTS_WIDTH
            ? ck_arena_format(t->a, "%8zu  %7zu", c.findings, c.fixable)
            : ck_arena_format(t->a, "%8zu  %8zu  %7zu  %9zu", c.findings, c.ids, c.fixable, c.kev);
    struct ck_cell cells[] = { { ck_view_str(head), 15, colour },
                               { ck_view_str(numbers), 38, NULL } };
    ck_layout_row(&t->l, CK_MARGIN, cells, 2);
}

static void put_nothing_found(struct ck_table *t)
{
    const char *text = "No known vulnerabilities were found.";
    if (!t->r->match || !t->r->database)
        text = "Not matched against any advisory: there is no database. Packages are listed only.";
    else if (t->r->n_gaps)
        text = "No known vulnerabilities were found in what could be assessed.";
    ck_table_text(t, CK_MARGIN, text, CK_BOLD);
}

static void put_counts(struct ck_table *t)
{
    ck_table_blank(t);
    if (ck_report_findings(t->r) == 0) {
        put_nothing_found(t);
        return;
    }
    const char *titles = t->columns < COUNTS_WIDTH ? "findings  fixable"
                                                   : "findings  distinct  fixable  exploited";
    ck_table_text(t, CK_MARGIN + 17, titles, CK_DIM);
    for (int i = 0; i < CK_SEVERITY_COUNT_; i++) {
        struct ck_table_count c = ck_table_count(t, ck_severity_order[i]);
        const struct ck_severity_look *look = &ck_severity_looks[ck_severity_order[i]];
        put_count_row(t, look->shape, look->word, c, c.findings ? look->colour : CK_DIM);
    }
    put_count_row(t, "", "in all", ck_table_count(t, CK_SEVERITY_COUNT_), CK_BOLD);
}

/* --- Gaps ------------------------------------------------------------------------------------- */

static void put_gaps(struct ck_table *t)
{
    if (t->r->n_gaps == 0)
        return;
    ck_table_blank(t);
    const char *title =
        ck_arena_format(t->a, "!!!! NOT ASSESSED  %zu gap%s: what is missing may hide findings",
                        t->r->n_gaps, ck_plural(t->r->n_gaps));
    ck_table_text(t, 0, title, "1;33");
    for (size_t i = 0; i < t->r->n_gaps; i++) {
        struct ck_cell what[] = { { CK_V("!"), 1, "1;33" },
                                  { ck_table_escaped(t, t->r->gaps[i].what), t->columns - 4,
                                    CK_BOLD } };
        ck_table_close_row(t, CK_MARGIN, what, 2);
        ck_layout_line(&t->l, CK_MARGIN + 2, ck_table_escaped(t, t->r->gaps[i].why), t->columns,
                       NULL);
    }
}

/* --- The name --------------------------------------------------------------------------------- */

static void put_warnings(struct ck_table *t)
{
    for (size_t i = 0; i < t->r->n_warnings; i++) {
        struct ck_cell cells[] = { { CK_V("!"), 1, "1;33" },
                                   { ck_table_escaped(t, t->r->warnings[i].text), t->columns - 4,
                                     NULL } };
        ck_table_close_row(t, CK_MARGIN, cells, 2);
    }
}

void ck_table_head(struct ck_table *t)
{
    put_verdict(t);
    put_warnings(t);
    put_counts(t);
    put_image(t);
    put_gaps(t);
}
