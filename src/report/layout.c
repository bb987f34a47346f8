#include "report/layout.h"

#include "base/text.h"

enum { CELLS_MAX = 8 };

static bool is_blank(uint8_t c) { return c == ' '; }

/* Where a long word may be broken: behind what separates its parts, the larger parts first. */
static const char *const break_behind[] = { ",/", "-+~:.@=_&?" };

/* Bytes of the longest prefix that fits into `width` columns; at least one character. */
static size_t prefix(ck_view v, unsigned width)
{
    size_t n = 0;
    unsigned used = 0;
    while (n < v.n) {
        uint32_t cp = 0;
        size_t len = ck_utf8_next(ck_view_from(v, n), &cp);
        len = len ? len : 1;
        used += (unsigned)ck_text_width(ck_view_head(ck_view_from(v, n), len));
        if (used > width && n)
            break;
        n += len;
    }
    return n;
}

/* The best place to break v, of which the first `fit` bytes fit. */
static size_t break_at(ck_view v, size_t fit)
{
    for (size_t n = fit; n > 0; n--)
        if (is_blank(v.p[n]))
            return n;
    for (size_t i = 0; i < sizeof break_behind / sizeof *break_behind; i++)
        for (size_t n = fit; n > fit / 2; n--)
            if (v.p[n - 1] && strchr(break_behind[i], v.p[n - 1]))
                return n;
    return fit;
}

ck_view ck_layout_wrap(ck_view *text, unsigned width)
{
    size_t fit = prefix(*text, width);
    size_t n = fit < text->n ? break_at(*text, fit) : fit;
    ck_view line = ck_view_head(*text, n);
    while (line.n && is_blank(line.p[line.n - 1]))
        line.n--;
    while (n < text->n && is_blank(text->p[n]))
        n++;
    *text = ck_view_from(*text, n);
    return line;
}

size_t ck_layout_lines(ck_view text, unsigned width)
{
    size_t n = 0;
    for (; text.n; n++)
        ck_layout_wrap(&text, width);
    return n;
}

static void blanks(struct ck_buf *out, size_t n)
{
    while (n--)
        ck_put_u8(out, ' ');
}

static void put_text(struct ck_layout *l, ck_view text, const char *colour)
{
    bool colours = l->colour && colour;
    if (colours)
        ck_buf_format(l->out, "\x1b[%sm", colour);
    for (size_t i = 0; i < text.n; i++)
        ck_put_u8(l->out, text.p[i] == CK_NO_BREAK[0] ? ' ' : text.p[i]);
    if (colours)
        ck_put_bytes(l->out, CK_V("\x1b[0m"));
}

/* One line of a row; false if nothing was left to write. */
static bool put_line(struct ck_layout *l, unsigned indent, const struct ck_cell *cells,
                     ck_view *rest,
                     size_t n)
{
    size_t last = n;
    while (last && rest[last - 1].n == 0)
        last--;
    if (last == 0)
        return false;
    blanks(l->out, indent);
    for (size_t i = 0; i < last; i++) {
        ck_view line = ck_layout_wrap(&rest[i], cells[i].width);
        size_t used = ck_text_width(line);
        if (line.n)
            put_text(l, line, cells[i].colour);
        if (i + 1 < last)
            blanks(l->out, (used < cells[i].width ? cells[i].width - used : 0) + l->gap);
    }
    ck_put_u8(l->out, '\n');
    return true;
}

void ck_layout_row(struct ck_layout *l, unsigned indent, const struct ck_cell *cells, size_t n)
{
    ck_view rest[CELLS_MAX];
    n = n < CELLS_MAX ? n : CELLS_MAX;
    for (size_t i = 0; i < n; i++)
        rest[i] = cells[i].text;
    while (put_line(l, indent, cells, rest, n))
        ;
}

void ck_layout_line(struct ck_layout *l, unsigned indent, ck_view text, unsigned columns,
                    const char *colour)
{
    unsigned width = columns > indent + 10 ? columns - indent : 10;
    struct ck_cell cell = { text, width, colour };
    ck_layout_row(l, indent, &cell, 1);
}

void ck_layout_fit(unsigned *widths, size_t n, unsigned total, unsigned least)
{
    for (;;) {
        unsigned sum = 0;
        size_t widest = 0;
        for (size_t i = 0; i < n; i++) {
            sum += widths[i];
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (sum <= total || widths[widest] <= least)
            return;
        widths[widest]--;
    }
}
