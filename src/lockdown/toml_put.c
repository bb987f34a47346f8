/* Changing one key of a TOML file and leaving its other lines, comments too, as they are. */
#include "base/text.h"
#include "lockdown/parts.h"

const struct ck_toml *ck_toml_at(const struct ck_toml *root, const char *const *path)
{
    for (; root && *path; path++)
        root = root->kind == CK_TOML_TABLE ? ck_toml_get(root, *path) : NULL;
    return root && root->kind == CK_TOML_TABLE ? root : NULL;
}

const char *ck_toml_quote(const char *text, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_json_str(&b, ck_view_str(text)); /* its escapes are TOML's too */
    return (const char *)ck_arena_dup(a, ck_buf_view(&b)).p;
}

static bool is_bare(const char *name)
{
    for (; *name; name++)
        if (!((*name >= '0' && *name <= '9') || ((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z') ||
              *name == '_' || *name == '-'))
            return false;
    return true;
}

/* [plugins."io.containerd.grpc.v1.cri".registry] */
static void put_header(struct ck_buf *out, const char *const *path, struct ck_arena *a)
{
    ck_put_u8(out, '[');
    for (size_t i = 0; path[i]; i++)
        ck_buf_format(out, "%s%s", i ? "." : "",
                      is_bare(path[i]) ? path[i] : ck_toml_quote(path[i], a));
    ck_put_bytes(out, CK_V("]\n"));
}

static ck_view indent_of(ck_view line)
{
    size_t n = 0;
    while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
        n++;
    return ck_view_head(line, n);
}

static ck_err *refuse(const char *name, unsigned line, const char *key)
{
    return ck_err_new(CK_ERR_USAGE, "%s:%u: %s cannot be set here without rewriting the file; "
                      "do it by hand, or let it be replaced (--replace)", name, line, key);
}

/* Line `number` (from 1 on) is replaced by `key = value`, or followed by it. */
static void rewrite(ck_view text, unsigned number, bool replace, const char *key,
                    const char *value, struct ck_buf *out)
{
    ck_cur c = ck_cur_of(text);
    for (unsigned i = 1; !ck_cur_end(&c); i++) {
        ck_view line = ck_cur_line(&c);
        if (i != number || !replace) {
            ck_put_bytes(out, line);
            ck_put_u8(out, '\n');
        }
        if (i == number) {
            ck_put_bytes(out, indent_of(line));
            ck_buf_format(out, "%s%s = %s\n", replace ? "" : "  ", key, value);
        }
    }
}

static void append(ck_view text, const char *const *path, const char *key, const char *value,
                   struct ck_arena *a, struct ck_buf *out)
{
    ck_put_bytes(out, text);
    if (text.n && text.p[text.n - 1] != '\n')
        ck_put_u8(out, '\n');
    if (*path && text.n)
        ck_put_u8(out, '\n');
    if (*path)
        put_header(out, path, a);
    ck_buf_format(out, "%s%s = %s\n", *path ? "  " : "", key, value);
}

static ck_view line_at(ck_view text, unsigned number)
{
    ck_cur c = ck_cur_of(text);
    ck_view line = CK_V("");
    for (unsigned i = 0; i < number && !ck_cur_end(&c); i++)
        line = ck_cur_line(&c);
    return line;
}

/* "key = ..." stands alone on this line. */
static bool begins_line(ck_view line, const char *key)
{
    ck_view rest = ck_view_trim(line), k = ck_view_str(key);
    if (!ck_view_starts(rest, k))
        return false;
    rest = ck_view_trim(ck_view_from(rest, k.n));
    return rest.n && rest.p[0] == '=';
}

static bool same_value(const struct ck_toml *x, const struct ck_toml *y)
{
    if (!x || !y || x->kind != y->kind)
        return false;
    const struct ck_toml *i = x->first, *j = y->first;
    switch (x->kind) {
    case CK_TOML_STRING: return ck_view_eq(x->text, y->text);
    case CK_TOML_INTEGER: return x->integer == y->integer;
    case CK_TOML_BOOLEAN: return x->boolean == y->boolean;
    case CK_TOML_ARRAY:
        for (; i && j && same_value(i, j); i = i->next)
            j = j->next;
        return !i && !j;
    case CK_TOML_TABLE: return false; /* nothing sets one */
    }
    return false;
}

/* What `value` means. */
static ck_err *wanted(const char *key, const char *value, struct ck_arena *a,
                      const struct ck_toml **ret)
{
    struct ck_toml *root;
    CK_TRY(ck_toml_parse(ck_view_str(ck_arena_format(a, "%s = %s\n", key, value)), key, a, &root));
    *ret = ck_toml_get(root, key);
    return NULL;
}

static ck_err *edit(ck_view text, const char *name, const struct ck_toml *table,
                    const char *const *path, const char *key, const char *value,
                    struct ck_arena *a, struct ck_buf *out)
{
    const struct ck_toml *v = table ? ck_toml_get(table, key) : NULL;
    if (v && !begins_line(line_at(text, v->line), key))
        return refuse(name, v->line, key);
    if (v)
        rewrite(text, v->line, true, key, value, out);
    else if (table && table->origin == CK_TOML_HEADER && *path)
        rewrite(text, table->line, false, key, value, out);
    else if (!table || table->origin == CK_TOML_IMPLICIT)
        append(text, path, key, value, a, out);
    else
        return refuse(name, table->line, key);
    return NULL;
}

ck_err *ck_toml_put(ck_view text, const char *name, const char *const *path, const char *key,
                    const char *value, struct ck_arena *a, ck_view *ret)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_toml *root;
    const struct ck_toml *want;
    CK_TRY(wanted(key, value, a, &want));
    CK_TRY(ck_toml_parse(text, name, a, &root));
    const struct ck_toml *table = ck_toml_at(root, path);
    if (table && same_value(ck_toml_get(table, key), want)) {
        *ret = text;
        return NULL;
    }
    CK_TRY(edit(text, name, table, path, key, value, a, &out));
    ck_view result = ck_arena_dup(a, ck_buf_view(&out));
    unsigned line = table ? table->line : 1;
    ck_autoerr ck_err *e = ck_toml_parse(result, name, a, &root);
    table = e ? NULL : ck_toml_at(root, path);
    if (!table || !same_value(ck_toml_get(table, key), want)) /* no error of the user's text */
        return refuse(name, line, key);
    *ret = result;
    return NULL;
}
