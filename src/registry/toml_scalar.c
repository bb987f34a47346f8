/* Blanks, strings and numbers of TOML. */
#include "base/mem.h"
#include "base/text.h"
#include "registry/toml_parts.h"

#include <stdarg.h>
#include <stdio.h>

ck_err *ck_toml_refuse(const struct ck_toml_reader *r, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return ck_err_new(CK_ERR_USAGE, "%s:%u: %s", r->name, r->line, text);
}

ck_err *ck_toml_limit(const struct ck_toml_reader *r, enum ck_limit limit, const char *what)
{
    return ck_err_limit(limit, "%s:%u: %s", r->name, r->line, what);
}

uint8_t ck_toml_peek(const struct ck_toml_reader *r, size_t ahead)
{
    return ahead < ck_cur_left(&r->c) ? r->c.v.p[r->c.at + ahead] : 0;
}

bool ck_toml_take(struct ck_toml_reader *r, uint8_t byte)
{
    if (ck_toml_peek(r, 0) != byte || ck_cur_end(&r->c))
        return false;
    ck_cur_skip(&r->c, 1);
    return true;
}

void ck_toml_blanks(struct ck_toml_reader *r)
{
    while (ck_toml_take(r, ' ') || ck_toml_take(r, '\t'))
        ;
}

/* LF or CR LF; a CR alone ends no line. */
static bool newline(struct ck_toml_reader *r)
{
    if (ck_toml_peek(r, 0) == '\r' && ck_toml_peek(r, 1) == '\n')
        ck_cur_skip(&r->c, 1);
    if (!ck_toml_take(r, '\n'))
        return false;
    r->line++;
    return true;
}

static bool is_control(uint8_t b) { return (b < 0x20 && b != '\t') || b == 0x7F; }

/* At the end of a line or of the file, or at another byte that may stand there. */
static ck_err *no_control(struct ck_toml_reader *r)
{
    uint8_t b = ck_toml_peek(r, 0);
    if (ck_cur_end(&r->c) || !is_control(b) || b == '\n' ||
        (b == '\r' && ck_toml_peek(r, 1) == '\n'))
        return NULL;
    return ck_toml_refuse(r, "a control character (\\x%02x)", b);
}

static ck_err *comment(struct ck_toml_reader *r)
{
    ck_toml_blanks(r);
    if (!ck_toml_take(r, '#'))
        return NULL;
    while (!ck_cur_end(&r->c) && !is_control(ck_toml_peek(r, 0)))
        ck_cur_skip(&r->c, 1);
    return no_control(r);
}

ck_err *ck_toml_line_end(struct ck_toml_reader *r)
{
    CK_TRY(comment(r));
    if (ck_cur_end(&r->c) || newline(r))
        return NULL;
    CK_TRY(no_control(r));
    return ck_toml_refuse(r, "more behind the end of this line's setting");
}

ck_err *ck_toml_gap(struct ck_toml_reader *r)
{
    do
        CK_TRY(comment(r));
    while (newline(r));
    return NULL;
}

/* --- strings ---------------------------------------------------------------------------------- */

static void put_utf8(struct ck_buf *b, uint32_t cp)
{
    if (cp < 0x80) {
        ck_put_u8(b, (uint8_t)cp);
        return;
    }
    size_t more = cp < 0x800 ? 1 : cp < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = { 0, 0xC0, 0xE0, 0xF0 };
    ck_put_u8(b, (uint8_t)(lead[more] | cp >> (6 * more)));
    while (more--)
        ck_put_u8(b, (uint8_t)(0x80 | (cp >> (6 * more) & 0x3F)));
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static ck_err *unicode(struct ck_toml_reader *r, size_t digits, struct ck_buf *b)
{
    uint32_t cp = 0;
    for (size_t i = 0; i < digits; i++) {
        int d = hex_digit(ck_toml_peek(r, 0));
        if (d < 0)
            return ck_toml_refuse(r, "\\%c needs %zu hexadecimal digits", digits == 4 ? 'u' : 'U',
                                  digits);
        cp = cp << 4 | (uint32_t)d;
        ck_cur_skip(&r->c, 1);
    }
    if (cp == 0)
        return ck_toml_refuse(r, "a NUL in a string");
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        return ck_toml_refuse(r, "U+%X is no character", cp);
    put_utf8(b, cp);
    return NULL;
}

/* A backslash before the end of a line: it and all blanks and lines up to the next word go. */
static bool folded_line(struct ck_toml_reader *r)
{
    ck_toml_blanks(r);
    if (!newline(r))
        return false;
    do
        ck_toml_blanks(r);
    while (newline(r));
    return true;
}

static ck_err *escape(struct ck_toml_reader *r, bool multi, struct ck_buf *b)
{
    static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
    uint8_t c = ck_toml_peek(r, 0);
    const char *hit = c ? strchr(from, c) : NULL;
    if (hit || c == 'u' || c == 'U')
        ck_cur_skip(&r->c, 1);
    if (hit) {
        ck_put_u8(b, (uint8_t)to[hit - from]);
        return NULL;
    }
    if (c == 'u' || c == 'U')
        return unicode(r, c == 'u' ? 4 : 8, b);
    if (multi && folded_line(r))
        return NULL;
    return ck_toml_refuse(r, "an unknown escape");
}

static bool at_triple(const struct ck_toml_reader *r, uint8_t quote)
{
    return ck_toml_peek(r, 0) == quote && ck_toml_peek(r, 1) == quote &&
           ck_toml_peek(r, 2) == quote;
}

/* The closing quotes, if they stand here; up to two more belong to a multi-line string. */
static bool closed(struct ck_toml_reader *r, uint8_t quote, bool multi, struct ck_buf *b)
{
    if (!multi)
        return ck_toml_take(r, quote);
    if (!at_triple(r, quote))
        return false;
    for (int extra = 0; extra < 2 && ck_toml_peek(r, 3) == quote; extra++) {
        ck_put_u8(b, quote);
        ck_cur_skip(&r->c, 1);
    }
    ck_cur_skip(&r->c, 3);
    return true;
}

/* One character or escape. */
static ck_err *piece(struct ck_toml_reader *r, uint8_t quote, bool multi, struct ck_buf *b)
{
    uint8_t c = ck_toml_peek(r, 0);
    if (quote == '"' && ck_toml_take(r, '\\'))
        return escape(r, multi, b);
    if (multi && newline(r)) {
        ck_put_u8(b, '\n');
        return NULL;
    }
    if (c == '\n' || (c == '\r' && ck_toml_peek(r, 1) == '\n'))
        return ck_toml_refuse(r, "a string that does not end on its line");
    if (is_control(c))
        return ck_toml_refuse(r, "a control character (\\x%02x) in a string", c);
    ck_put_u8(b, c);
    ck_cur_skip(&r->c, 1);
    return NULL;
}

ck_err *ck_toml_string(struct ck_toml_reader *r, bool multi, ck_view *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    uint8_t quote = ck_toml_peek(r, 0);
    bool triple = at_triple(r, quote);
    if (triple && !multi)
        return ck_toml_refuse(r, "a key cannot span lines");
    ck_cur_skip(&r->c, triple ? 3 : 1);
    if (triple)
        newline(r); /* one right behind the quotes is not part of the string */
    while (!closed(r, quote, triple, &b)) {
        if (ck_cur_end(&r->c))
            return ck_toml_refuse(r, "a string that does not end");
        CK_TRY(piece(r, quote, triple, &b));
    }
    *ret = ck_arena_dup(r->a, ck_buf_view(&b));
    return NULL;
}

/* --- integers and booleans -------------------------------------------------------------------- */

static bool word_byte(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("+-_.:", c));
}

static ck_view word(struct ck_toml_reader *r)
{
    size_t n = 0;
    while (word_byte(ck_toml_peek(r, n)))
        n++;
    return ck_cur_take(&r->c, n);
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }

/* Digits with single underscores between them; false where they are none of `base` or do not
 * fit. */
static bool digits(ck_view v, unsigned base, uint64_t max, uint64_t *ret)
{
    uint64_t x = 0;
    for (size_t i = 0; i < v.n; i++) {
        bool between = i > 0 && i + 1 < v.n && v.p[i - 1] != '_';
        int d = hex_digit(v.p[i]);
        if (v.p[i] == '_' && between)
            continue;
        if (d < 0 || (unsigned)d >= base || x > (max - (unsigned)d) / base)
            return false;
        x = x * base + (unsigned)d;
    }
    *ret = x;
    return v.n > 0;
}

static ck_err *integer(struct ck_toml_reader *r, ck_view w, int64_t *ret)
{
    static const struct {
        uint8_t letter;
        unsigned base;
    } prefixes[] = { { 'x', 16 }, { 'o', 8 }, { 'b', 2 } };
    bool sign = w.p[0] == '+' || w.p[0] == '-', minus = w.p[0] == '-';
    ck_view v = ck_view_from(w, sign);
    uint64_t x = 0;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (sign || v.n < 3 || v.p[0] != '0' || v.p[1] != prefixes[i].letter)
            continue;
        if (!digits(ck_view_from(v, 2), prefixes[i].base, INT64_MAX, &x))
            return ck_toml_refuse(r, "\"%.*s\" is no integer of 64 bits", CK_VF(w));
        *ret = (int64_t)x;
        return NULL;
    }
    bool zero_ahead = v.n > 1 && v.p[0] == '0';
    if (zero_ahead || !digits(v, 10, (uint64_t)INT64_MAX + minus, &x))
        return ck_toml_refuse(r, "\"%.*s\" is no integer of 64 bits", CK_VF(w));
    *ret = minus ? (int64_t)(0 - x) : (int64_t)x;
    return NULL;
}

static bool is_hex_or_so(ck_view v) { return v.n > 1 && v.p[0] == '0' && (v.p[1] | 0x20) >= 'a'; }

static bool has_any(ck_view v, const char *bytes)
{
    for (; *bytes; bytes++)
        if (ck_view_find(v, (uint8_t)*bytes) < v.n)
            return true;
    return false;
}

static bool is_float(ck_view v)
{
    if (v.p[0] == '+' || v.p[0] == '-')
        v = ck_view_from(v, 1);
    if (ck_view_eq(v, CK_V("inf")) || ck_view_eq(v, CK_V("nan")))
        return true;
    return v.n && is_digit(v.p[0]) && !is_hex_or_so(v) && has_any(v, ".eE");
}

/* "1979-05-27", "07:32:00": a sign or colon behind a digit. */
static bool is_date(ck_view v)
{
    return is_digit(v.p[0]) && !is_hex_or_so(v) && has_any(ck_view_from(v, 1), "-:") &&
           !has_any(v, "eE");
}

ck_err *ck_toml_scalar(struct ck_toml_reader *r, struct ck_toml *v)
{
    ck_view w = word(r);
    v->boolean = ck_view_eq(w, CK_V("true"));
    if (v->boolean || ck_view_eq(w, CK_V("false"))) {
        v->kind = CK_TOML_BOOLEAN;
        return NULL;
    }
    if (w.n == 0)
        return ck_toml_refuse(r, "a value is missing");
    if (is_date(w))
        return ck_toml_refuse(r, "\"%.*s\" is a date, which no setting here is", CK_VF(w));
    if (is_float(w))
        return ck_toml_refuse(r, "\"%.*s\" is a float, which no setting here is", CK_VF(w));
    if (!is_digit(w.p[0]) && w.p[0] != '+' && w.p[0] != '-')
        return ck_toml_refuse(r, "\"%.*s\" is no value: text needs quotes", CK_VF(w));
    v->kind = CK_TOML_INTEGER;
    return integer(r, w, &v->integer);
}
