#include "cmd/listing.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/name.h"
#include "report/layout.h"

#include <stdlib.h>

enum { GAP = 2, NARROWEST = 5 };

void ck_listing_row(struct ck_listing *t, const char *const *cells)
{
    if (t->n == t->cap)
        t->rows = ck_vec_grow(t->rows, &t->cap, sizeof *t->rows);
    for (size_t i = 0; i < t->columns; i++)
        t->rows[t->n][i] = cells[i];
    t->n++;
}

void ck_listing_free(struct ck_listing *t)
{
    free(t->rows);
    t->rows = NULL;
}

const char *ck_listing_text(struct ck_arena *a, ck_view v)
{
    ck_autofree char *safe = ck_escape(v);
    return (const char *)ck_arena_dup(a, ck_view_str(safe)).p;
}

const char *ck_listing_name(struct ck_arena *a, ck_view name)
{
    struct ck_name n;
    ck_err *e = ck_name_parse(name, a, &n);
    ck_view shown = e ? name : ck_view_str(ck_name_short(&n, a));
    ck_err_free(e);
    return ck_listing_text(a, shown);
}

static unsigned width_of(const char *cell)
{
    return (unsigned)ck_text_width(ck_view_str(cell));
}

static void put_row(const struct ck_listing *t, const char *const *cells, const unsigned *widths,
                    struct ck_buf *out)
{
    struct ck_layout l = { .out = out, .gap = GAP };
    struct ck_cell row[CK_LISTING_COLUMNS];
    for (size_t i = 0; i < t->columns; i++)
        row[i] = (struct ck_cell){ ck_view_str(cells[i]), widths[i], NULL };
    ck_layout_row(&l, 0, row, t->columns);
}

/* Those that may be wrapped share what the others leave. */
static void fit(const struct ck_listing *t, unsigned *widths, unsigned width)
{
    unsigned soft[CK_LISTING_COLUMNS], used = GAP * (unsigned)(t->columns - 1);
    size_t n = 0;
    for (size_t i = 0; i < t->columns; i++) {
        if (t->never & 1u << i)
            used += widths[i];
        else
            soft[n++] = widths[i];
    }
    ck_layout_fit(soft, n, width > used ? width - used : 0, NARROWEST);
    n = 0;
    for (size_t i = 0; i < t->columns; i++)
        if (!(t->never & 1u << i))
            widths[i] = soft[n++];
}

void ck_listing_print(const struct ck_listing *t, unsigned width, struct ck_buf *out)
{
    unsigned widths[CK_LISTING_COLUMNS];
    for (size_t i = 0; i < t->columns; i++) {
        widths[i] = width_of(t->heads[i]);
        for (size_t k = 0; k < t->n; k++)
            widths[i] = width_of(t->rows[k][i]) > widths[i] ? width_of(t->rows[k][i]) : widths[i];
    }
    fit(t, widths, width);
    put_row(t, t->heads, widths, out);
    for (size_t k = 0; k < t->n; k++)
        put_row(t, t->rows[k], widths, out);
}
