/* The report for people: the verdict and the counts, what could not be assessed, the findings by
 * severity in groups, what was suppressed, the database. Readable without colours, at 80 columns
 * and at 200; wrapped, never cut. */
#include "report/table.h"

#include "base/mem.h"
#include "base/text.h"

enum { NARROWEST = 40 };

const struct ck_severity_look ck_severity_looks[CK_SEVERITY_COUNT_] = {
    [CK_SEVERITY_CRITICAL] = { "####", "CRITICAL", "1;31" },
    [CK_SEVERITY_HIGH] = { "###.", "HIGH", "31" },
    [CK_SEVERITY_MEDIUM] = { "##..", "MEDIUM", "33" },
    [CK_SEVERITY_LOW] = { "#...", "LOW", "36" },
    [CK_SEVERITY_NEGLIGIBLE] = { "....", "NEGLIGIBLE", CK_DIM },
    [CK_SEVERITY_UNKNOWN] = { "????", "UNKNOWN", "35" },
};
const enum ck_severity ck_severity_order[CK_SEVERITY_COUNT_] = {
    CK_SEVERITY_CRITICAL, CK_SEVERITY_HIGH,       CK_SEVERITY_MEDIUM,
    CK_SEVERITY_LOW,      CK_SEVERITY_NEGLIGIBLE, CK_SEVERITY_UNKNOWN,
};

ck_view ck_table_escaped(struct ck_table *t, ck_view v)
{
    ck_autofree char *s = ck_escape(v);
    return ck_arena_dup(t->a, ck_view_str(s));
}

void ck_table_text(struct ck_table *t, unsigned indent, const char *text, const char *colour)
{
    ck_layout_line(&t->l, indent, ck_view_str(text), t->columns, colour);
}

void ck_table_close_row(struct ck_table *t, unsigned indent, const struct ck_cell *cells, size_t n)
{
    struct ck_layout l = t->l;
    l.gap = 1;
    ck_layout_row(&l, indent, cells, n);
}

void ck_table_blank(struct ck_table *t) { ck_put_u8(t->l.out, '\n'); }

const char *ck_plural(size_t n) { return n == 1 ? "" : "s"; }

ck_err *ck_report_table(const struct ck_report *r, const struct ck_table_options *o,
                        struct ck_buf *out)
{
    CK_TRY(ck_report_check(r));
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_table t = {
        .r = r,
        .l = { .out = out, .gap = 2, .colour = o->colour },
        .columns = o->columns < NARROWEST ? NARROWEST : o->columns,
        .a = &a,
    };
    ck_report_groups(r, &a, &t.groups);
    ck_table_head(&t);
    ck_table_findings(&t);
    ck_table_foot(&t);
    return NULL;
}
