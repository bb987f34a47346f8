#include "registry/words.h"

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c; }

ck_err *ck_words_check(ck_view field)
{
    if (field.n > CK_MAX_HTTP_FIELD)
        return ck_err_limit(CK_LIMIT_HTTP_FIELD, "%zu bytes", field.n);
    for (size_t i = 0; i < field.n; i++)
        if ((field.p[i] < 0x20 && field.p[i] != '\t') || field.p[i] == 0x7F)
            return ck_err_at(CK_ERR_HOSTILE, i, "a control character");
    return NULL;
}

bool ck_words_at(const ck_cur *c, uint8_t byte)
{
    return ck_cur_left(c) && c->v.p[c->at] == byte;
}

void ck_words_blanks(ck_cur *c)
{
    while (ck_words_at(c, ' ') || ck_words_at(c, '\t'))
        ck_cur_skip(c, 1);
}

void ck_words_commas(ck_cur *c)
{
    while (ck_words_at(c, ' ') || ck_words_at(c, '\t') || ck_words_at(c, ','))
        ck_cur_skip(c, 1);
}

static bool is_token_byte(uint8_t b)
{
    return (lower(b) >= 'a' && lower(b) <= 'z') || (b >= '0' && b <= '9') ||
           (b && strchr("!#$%&'*+-.^_`|~", b));
}

ck_view ck_words_token(ck_cur *c)
{
    size_t n = 0;
    while (n < ck_cur_left(c) && is_token_byte(c->v.p[c->at + n]))
        n++;
    return ck_cur_take(c, n);
}

/* Behind the opening quote. */
static ck_err *quoted(ck_cur *c, struct ck_arena *a, ck_view *ret)
{
    size_t start = c->at, n = 0;
    uint8_t *out = ck_arena_alloc(a, ck_cur_left(c) + 1, 1);
    while (!ck_cur_end(c)) {
        uint8_t b = ck_cur_u8(c);
        if (b == '"') {
            *ret = ck_view_of(out, n);
            return NULL;
        }
        if (b == '\\' && ck_cur_end(c))
            break;
        out[n++] = b == '\\' ? ck_cur_u8(c) : b;
    }
    return ck_err_at(CK_ERR_HOSTILE, start, "a quoted string that does not end");
}

ck_err *ck_words_value(ck_cur *c, struct ck_arena *a, ck_view *ret)
{
    ck_words_blanks(c);
    if (ck_words_at(c, '"')) {
        ck_cur_skip(c, 1);
        return quoted(c, a, ret);
    }
    ck_view token = ck_words_token(c);
    if (token.n == 0)
        return ck_err_at(CK_ERR_HOSTILE, c->at, "a parameter without a value");
    *ret = token;
    return NULL;
}

bool ck_words_same(ck_view a, ck_view b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = lower(a.p[i]) == lower(b.p[i]);
    return same;
}

ck_view ck_words_lower(ck_view v, struct ck_arena *a)
{
    uint8_t *p = ck_arena_alloc(a, v.n + 1, 1);
    for (size_t i = 0; i < v.n; i++)
        p[i] = lower(v.p[i]);
    return ck_view_of(p, v.n);
}
