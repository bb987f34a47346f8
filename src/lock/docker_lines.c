#include "lock/docker_lines.h"

#include "base/mem.h"

#include <stdlib.h>

static bool blank(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

bool ck_docker_is(ck_view word, const char *keyword)
{
    size_t n = strlen(keyword);
    if (word.n != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (lower(word.p[i]) != lower((uint8_t)keyword[i]))
            return false;
    return true;
}

/* --- lines of the file ------------------------------------------------------------------------ */

struct raw {
    ck_view text; /* without its end */
    size_t place;
    unsigned line;
};

static bool raw_line(struct ck_docker_lines *d, struct raw *ret)
{
    if (d->at >= d->content.n)
        return false;
    ck_view rest = ck_view_from(d->content, d->at);
    size_t n = ck_view_find(rest, '\n');
    *ret = (struct raw){ ck_view_head(rest, n), d->at, d->line++ };
    d->at += n < rest.n ? n + 1 : n;
    while (ret->text.n && ret->text.p[ret->text.n - 1] == '\r')
        ret->text.n--;
    return true;
}

static void skip_blanks(struct raw *r)
{
    while (r->text.n && blank(r->text.p[0])) {
        r->text = ck_view_from(r->text, 1);
        r->place++;
    }
}

/* Cuts a continuation character off the end; false where there is none. Two of them are none. */
static bool continues(const struct ck_docker_lines *d, ck_view *text)
{
    size_t n = text->n;
    while (n && (text->p[n - 1] == ' ' || text->p[n - 1] == '\t'))
        n--;
    if (n == 0 || text->p[n - 1] != d->escape || (n > 1 && text->p[n - 2] == d->escape))
        return false;
    text->n = n - 1;
    return true;
}

/* --- directives ------------------------------------------------------------------------------- */

static size_t word_run(ck_view v)
{
    size_t n = 0;
    while (n < v.n && ((lower(v.p[n]) >= 'a' && lower(v.p[n]) <= 'z') ||
                       (n && v.p[n] >= '0' && v.p[n] <= '9')))
        n++;
    return n;
}

/* `# NAME = VALUE`; the value is what is left in *r. */
static bool directive(struct raw *r, ck_view *ret_name)
{
    if (r->text.n == 0 || r->text.p[0] != '#')
        return false;
    r->text = ck_view_from(r->text, 1);
    r->place++;
    skip_blanks(r);
    size_t n = word_run(r->text);
    *ret_name = ck_view_head(r->text, n);
    r->text = ck_view_from(r->text, n);
    r->place += n;
    skip_blanks(r);
    if (n == 0 || r->text.n == 0 || r->text.p[0] != '=')
        return false;
    r->text = ck_view_from(r->text, 1);
    r->place++;
    skip_blanks(r);
    while (r->text.n && blank(r->text.p[r->text.n - 1]))
        r->text.n--;
    return r->text.n > 0;
}

static ck_err *take_directive(struct ck_docker_lines *d, const struct raw *r, ck_view name,
                              bool *seen_escape)
{
    if (ck_docker_is(name, "escape")) {
        if (*seen_escape || r->text.n != 1 || (r->text.p[0] != '\\' && r->text.p[0] != '`'))
            return ck_err_new(CK_ERR_HOSTILE, "line %u: the escape directive is \\ or `, once",
                              r->line);
        *seen_escape = true;
        d->escape = r->text.p[0];
    }
    if (ck_docker_is(name, "syntax")) {
        if (d->syntax_line)
            return ck_err_new(CK_ERR_HOSTILE, "line %u: the syntax directive stands twice",
                              r->line);
        size_t n = 0;
        while (n < r->text.n && !blank(r->text.p[n]))
            n++;
        d->syntax = r->place;
        d->syntax_end = r->place + n;
        d->syntax_line = r->line;
    }
    return NULL;
}

ck_err *ck_docker_lines_open(ck_view content, struct ck_docker_lines *ret)
{
    bool seen_escape = false;
    *ret = (struct ck_docker_lines){ .content = content, .line = 1, .escape = '\\',
                                     .joined = ck_buf_new(CK_LIMIT_LOCK_FILE) };
    if (ck_view_find(content, 0) < content.n)
        return ck_err_at(CK_ERR_HOSTILE, ck_view_find(content, 0), "a NUL byte");
    if (ck_view_starts(content, CK_V("\xEF\xBB\xBF")))
        ret->at = 3;
    for (;;) {
        struct ck_docker_lines before = *ret;
        struct raw r;
        ck_view name;
        if (!raw_line(ret, &r))
            return NULL;
        if (r.line == 1 && ck_view_starts(r.text, CK_V("#!")))
            continue;
        if (!directive(&r, &name)) {
            *ret = before;
            return NULL;
        }
        CK_TRY(take_directive(ret, &r, name, &seen_escape));
    }
}

void ck_docker_lines_free(struct ck_docker_lines *d)
{
    ck_buf_free(&d->joined);
    free(d->places);
}

/* --- instructions ----------------------------------------------------------------------------- */

static void join(struct ck_docker_lines *d, ck_view text, size_t place)
{
    size_t n = d->joined.n + text.n;
    if (n > d->places_cap) {
        d->places_cap = n * 2;
        d->places = ck_realloc(d->places, d->places_cap, sizeof *d->places);
    }
    for (size_t i = 0; i < text.n; i++)
        d->places[d->joined.n + i] = place + i;
    ck_put_bytes(&d->joined, text); /* never longer than the file */
}

/* The lines behind a continuation. */
static void join_rest(struct ck_docker_lines *d)
{
    struct raw r;
    for (bool more = true; more && raw_line(d, &r);) {
        struct raw trimmed = r;
        skip_blanks(&trimmed);
        if (trimmed.text.n == 0 || trimmed.text.p[0] == '#')
            continue; /* comments and empty lines do not end it */
        more = continues(d, &r.text);
        join(d, r.text, r.place);
    }
}

ck_err *ck_docker_lines_next(struct ck_docker_lines *d, bool *ret_end)
{
    struct raw r;
    ck_buf_clear(&d->joined);
    while (raw_line(d, &r)) {
        skip_blanks(&r);
        if (r.text.n == 0 || r.text.p[0] == '#')
            continue;
        bool more = continues(d, &r.text);
        d->first_line = r.line;
        join(d, r.text, r.place);
        if (more)
            join_rest(d);
        d->text = ck_buf_view(&d->joined);
        *ret_end = false;
        return NULL;
    }
    *ret_end = true;
    return NULL;
}

/* --- words ------------------------------------------------------------------------------------ */

bool ck_docker_word(const struct ck_docker_lines *d, size_t from, struct ck_docker_word *ret)
{
    size_t at = from;
    uint8_t quote = 0;
    while (at < d->text.n && blank(d->text.p[at]))
        at++;
    if (at == d->text.n)
        return false;
    *ret = (struct ck_docker_word){ .begin = at };
    for (; at < d->text.n && (quote || !blank(d->text.p[at])); at++) {
        uint8_t c = d->text.p[at];
        if (c == d->escape && quote != '\'' && at + 1 < d->text.n) {
            ret->quoted = true;
            at++;
        } else if (quote ? c == quote : c == '"' || c == '\'') {
            ret->quoted = true;
            quote = quote ? 0 : c;
        }
    }
    ret->end = at;
    return true;
}

ck_view ck_docker_text(const struct ck_docker_lines *d, struct ck_docker_word w)
{
    return ck_view_head(ck_view_from(d->text, w.begin), w.end - w.begin);
}

bool ck_docker_place(const struct ck_docker_lines *d, size_t begin, size_t end, size_t *ret_begin,
                     size_t *ret_end)
{
    if (end <= begin || end > d->text.n)
        return false;
    *ret_begin = d->places[begin];
    *ret_end = d->places[end - 1] + 1;
    return *ret_end - *ret_begin == end - begin;
}

/* --- heredocs --------------------------------------------------------------------------------- */

/* The end of a shell word: quotes, and "\" outside of single ones. False: a quote does not end, and
 * then the whole line has no heredocs. */
static bool shell_word(ck_view v, size_t *at, size_t *ret_begin)
{
    uint8_t quote = 0;
    while (*at < v.n && blank(v.p[*at]))
        ++*at;
    *ret_begin = *at;
    for (; *at < v.n && (quote || !blank(v.p[*at])); ++*at) {
        uint8_t c = v.p[*at];
        if (c == '\\' && quote != '\'' && *at + 1 < v.n)
            ++*at;
        else if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
    }
    return quote == 0;
}

static bool quotes_end(ck_view v)
{
    size_t begin;
    for (size_t at = 0; at < v.n;)
        if (!shell_word(v, &at, &begin))
            return false;
    return true;
}

/* `[0-9]*<<-?NAME`, the name without "<", its quotes taken off into `name`. */
static bool heredoc(ck_view word, struct ck_buf *name, bool *ret_chomp)
{
    size_t at = 0;
    uint8_t quote = 0;
    ck_buf_clear(name);
    while (at < word.n && word.p[at] >= '0' && word.p[at] <= '9')
        at++;
    if (!ck_view_starts(ck_view_from(word, at), CK_V("<<")))
        return false;
    word = ck_view_from(word, at + 2);
    *ret_chomp = word.n && word.p[0] == '-';
    word = ck_view_from(word, *ret_chomp);
    if (ck_view_find(word, '<') < word.n)
        return false;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t c = word.p[i];
        if (c == '\\' && quote != '\'' && i + 1 < word.n)
            ck_put_u8(name, word.p[++i]);
        else if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else
            ck_put_u8(name, c);
    }
    return name->n > 0;
}

static ck_err *skip_heredoc(struct ck_docker_lines *d, ck_view name, bool chomp)
{
    struct raw r;
    while (raw_line(d, &r)) {
        while (chomp && r.text.n && r.text.p[0] == '\t')
            r.text = ck_view_from(r.text, 1);
        if (ck_view_eq(r.text, name))
            return NULL;
    }
    return ck_err_new(CK_ERR_HOSTILE, "line %u: the heredoc %.*s does not end", d->first_line,
                      CK_VF(ck_view_head(name, 80)));
}

ck_err *ck_docker_skip_heredocs(struct ck_docker_lines *d)
{
    ck_autobuf struct ck_buf name = ck_buf_new(CK_LIMIT_LOCK_FILE);
    size_t begin;
    bool chomp;
    if (!quotes_end(d->text))
        return NULL;
    for (size_t at = 0; at < d->text.n;) {
        (void)shell_word(d->text, &at, &begin);
        if (heredoc(ck_view_head(ck_view_from(d->text, begin), at - begin), &name, &chomp))
            CK_TRY(skip_heredoc(d, ck_buf_view(&name), chomp));
    }
    return NULL;
}
