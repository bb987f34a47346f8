/* The table's parts; table.c puts them in order. */
#ifndef CK_REPORT_TABLE_H
#define CK_REPORT_TABLE_H

#include "report/groups.h"
#include "report/layout.h"

enum { CK_MARGIN = 2 };
#define CK_BOLD "1"
#define CK_DIM "2"

struct ck_severity_look {
    const char *shape, *word, *colour;
};
extern const struct ck_severity_look ck_severity_looks[CK_SEVERITY_COUNT_];
/* Worst first; unknown comes last although it may be anything: it is the least that one can act
 * on. */
extern const enum ck_severity ck_severity_order[CK_SEVERITY_COUNT_];

struct ck_table {
    const struct ck_report *r;
    struct ck_layout l;
    unsigned columns;
    struct ck_arena *a;
    struct ck_groups groups;
};

/* Foreign text, made safe; lives as long as the table. */
ck_view ck_table_escaped(struct ck_table *t, ck_view v);
void ck_table_text(struct ck_table *t, unsigned indent, const char *text, const char *colour);
/* A row whose cells stand one blank apart. */
void ck_table_close_row(struct ck_table *t, unsigned indent, const struct ck_cell *cells, size_t n);
void ck_table_blank(struct ck_table *t);
const char *ck_plural(size_t n);

struct ck_table_count {
    size_t findings, ids, fixable, kev;
};
/* Of one severity, or of all of them (CK_SEVERITY_COUNT_). */
struct ck_table_count ck_table_count(struct ck_table *t, enum ck_severity severity);

/* The verdict as it is shouted: "DENY". */
ck_view ck_table_decision(struct ck_table *t);
const char *ck_decision_colour(ck_view decision);

/* Verdict, counts, image, gaps. */
void ck_table_head(struct ck_table *t);
/* The groups, severity by severity. */
void ck_table_findings(struct ck_table *t);
/* Layers, suppressed, database, and the verdict again where the report is long. */
void ck_table_foot(struct ck_table *t);

#endif
