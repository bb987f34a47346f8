/* Text in columns: wraps, never cuts. */
#ifndef CK_REPORT_LAYOUT_H
#define CK_REPORT_LAYOUT_H

#include "base/arena.h"
#include "base/buf.h"

/* A blank at which no line is broken: "CVE-2021-44228 KEV" stays together. It cannot come from
 * outside, as escaped text has no control characters. */
#define CK_NO_BREAK "\x01"

/* One cell; `text` is escaped already. */
struct ck_cell {
    ck_view text;
    unsigned width;     /* columns it may take; the last cell of a row need not be filled */
    const char *colour; /* SGR parameters ("1;31"), or NULL */
};

struct ck_layout {
    struct ck_buf *out;
    unsigned gap; /* blanks between cells */
    bool colour;
};

/* Takes the next line of at most `width` columns off the front of *text: broken at a blank, else
 * behind a punctuation mark, else anywhere. Always takes something while there is something. */
ck_view ck_layout_wrap(ck_view *text, unsigned width);

/* How many lines the text takes in that width. */
size_t ck_layout_lines(ck_view text, unsigned width);

/* A row of cells, `gap` blanks between them, `indent` in front; as many lines as the tallest cell
 * needs, without blanks at their ends. */
void ck_layout_row(struct ck_layout *l, unsigned indent, const struct ck_cell *cells, size_t n);

/* A row of one cell. */
void ck_layout_line(struct ck_layout *l, unsigned indent, ck_view text, unsigned columns,
                    const char *colour);

/* Shrinks the widest of the widths until their sum is at most `total` or all are at `least`. */
void ck_layout_fit(unsigned *widths, size_t n, unsigned total, unsigned least);

#endif
