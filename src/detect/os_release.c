/* os-release(5): assignments as a shell would read them, without running one. */
#include "detect/detect.h"

#include "base/arena.h"
#include "detect/say.h"

static const struct {
    const char *key;
    size_t at;
} keys[] = {
    { "ID", offsetof(struct ck_os_release, id) },
    { "ID_LIKE", offsetof(struct ck_os_release, id_like) },
    { "VERSION_ID", offsetof(struct ck_os_release, version_id) },
    { "VERSION_CODENAME", offsetof(struct ck_os_release, version_codename) },
    { "NAME", offsetof(struct ck_os_release, name) },
    { "PRETTY_NAME", offsetof(struct ck_os_release, pretty_name) },
    { "VARIANT_ID", offsetof(struct ck_os_release, variant_id) },
    { "CPE_NAME", offsetof(struct ck_os_release, cpe_name) },
};

static ck_view *slot(struct ck_os_release *os, ck_view key)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (ck_view_eq(key, ck_view_str(keys[i].key)))
            return (ck_view *)(void *)((char *)os + keys[i].at);
    return NULL;
}

/* Inside double quotes a backslash only escapes these; elsewhere it escapes any character. */
static bool escapes(uint8_t quote, uint8_t c)
{
    return quote == 0 || c == '"' || c == '\\' || c == '$' || c == '`';
}

/* Removes quotes and escapes; false where a quote stays open. Parts may be quoted each in its way,
 * as in a shell: a"b"'c' is abc. */
static bool unquote(ck_view raw, struct ck_arena *arena, ck_view *ret)
{
    uint8_t *out = ck_arena_alloc(arena, raw.n + 1, 1);
    size_t n = 0;
    uint8_t quote = 0;
    for (size_t i = 0; i < raw.n; i++) {
        uint8_t c = raw.p[i];
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (c == '\\' && quote != '\'' && i + 1 < raw.n && escapes(quote, raw.p[i + 1]))
            out[n++] = raw.p[++i];
        else
            out[n++] = c;
    }
    *ret = ck_view_of(out, n);
    return quote == 0;
}

static ck_err *line_of(struct ck_say *say, struct ck_arena *arena, ck_view line, size_t number,
                       struct ck_os_release *os)
{
    line = ck_view_trim(line);
    if (line.n == 0 || line.p[0] == '#')
        return NULL;
    size_t equals = ck_view_find(line, '=');
    if (equals == line.n)
        return ck_say_gap(say, "line %zu: no assignment (os-release(5))", number);
    ck_view *value = slot(os, ck_view_head(line, equals));
    if (!value)
        return NULL;
    ck_view text;
    if (!unquote(ck_view_from(line, equals + 1), arena, &text))
        return ck_say_gap(say, "line %zu: a quote is not closed (os-release(5))", number);
    *value = text;
    return NULL;
}

static ck_err *read_lines(struct ck_say *say, ck_view content, struct ck_arena *arena)
{
    struct ck_os_release os = { 0 };
    ck_cur c = ck_cur_of(content);
    for (size_t number = 1; !ck_cur_end(&c); number++)
        CK_TRY(line_of(say, arena, ck_cur_line(&c), number, &os));
    CK_TRY(ck_say_os_release(say, &os));
    return ck_say_end(say);
}

ck_err *ck_detect_os_release(ck_view content, struct ck_buf *out)
{
    struct ck_say say = { .out = out, .what = "os-release" };
    ck_autoarena struct ck_arena arena = { 0 };
    return read_lines(&say, content, &arena);
}
