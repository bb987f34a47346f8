/* Keys, tables and arrays of TOML. */
#include "base/mem.h"
#include "base/text.h"
#include "registry/toml_parts.h"

const char *ck_toml_kind_name(enum ck_toml_kind kind)
{
    static const char *const names[] = {
        [CK_TOML_STRING] = "a string",   [CK_TOML_INTEGER] = "an integer",
        [CK_TOML_BOOLEAN] = "true or false", [CK_TOML_ARRAY] = "an array",
        [CK_TOML_TABLE] = "a table",
    };
    return names[kind];
}

static struct ck_toml *find(const struct ck_toml *table, ck_view key)
{
    struct ck_toml *m = table->first;
    while (m && !ck_view_eq(m->key, key))
        m = m->next;
    return m;
}

const struct ck_toml *ck_toml_get(const struct ck_toml *table, const char *key)
{
    return find(table, ck_view_str(key));
}

static ck_err *count_value(struct ck_toml_reader *r)
{
    if (++r->values > CK_MAX_TOML_VALUES)
        return ck_toml_limit(r, CK_LIMIT_TOML_VALUES, "more values");
    return NULL;
}

/* A new last member of a table or array; it was counted. */
static struct ck_toml *append(struct ck_toml_reader *r, struct ck_toml *to, ck_view key)
{
    struct ck_toml *m = ck_arena_alloc(r->a, 1, sizeof *m);
    m->line = r->line;
    m->key = key;
    if (to->last)
        to->last->next = m;
    else
        to->first = m;
    to->last = m;
    return m;
}

static ck_err *append_table(struct ck_toml_reader *r, struct ck_toml *to, ck_view key,
                            enum ck_toml_origin origin, struct ck_toml **ret)
{
    CK_TRY(count_value(r));
    struct ck_toml *m = append(r, to, key);
    m->kind = CK_TOML_TABLE;
    m->origin = origin;
    *ret = m;
    return NULL;
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool bare(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
           c == '_';
}

static ck_err *simple_key(struct ck_toml_reader *r, ck_view *ret)
{
    size_t n = 0;
    uint8_t c = ck_toml_peek(r, 0);
    if (c == '"' || c == '\'')
        return ck_toml_string(r, false, ret);
    while (bare(ck_toml_peek(r, n)))
        n++;
    if (n == 0)
        return ck_toml_refuse(r, "a key is missing");
    *ret = ck_arena_dup(r->a, ck_cur_take(&r->c, n));
    return NULL;
}

/* Where the key before a dot leads: the table to look for the next key in. */
typedef ck_err *descend(struct ck_toml_reader *r, struct ck_toml *table, ck_view key,
                        struct ck_toml **ret);

/* a.b.c: descends up to the last key, which is returned with the table that it is for. */
static ck_err *dotted_key(struct ck_toml_reader *r, struct ck_toml *table, descend *down,
                          struct ck_toml **ret_table, ck_view *ret_key)
{
    ck_view key;
    CK_TRY(simple_key(r, &key));
    for (uint64_t depth = r->depth + 1;; depth++) {
        ck_toml_blanks(r);
        if (!ck_toml_take(r, '.'))
            break;
        if (depth > CK_MAX_TOML_DEPTH)
            return ck_toml_limit(r, CK_LIMIT_TOML_DEPTH, "a key with more dots");
        CK_TRY(down(r, table, key, &table));
        ck_toml_blanks(r);
        CK_TRY(simple_key(r, &key));
    }
    *ret_table = table;
    *ret_key = key;
    return NULL;
}

/* In front of "=": only what dotted keys made may grow. */
static ck_err *down_by_dots(struct ck_toml_reader *r, struct ck_toml *table, ck_view key,
                            struct ck_toml **ret)
{
    struct ck_toml *m = find(table, key);
    if (!m)
        return append_table(r, table, key, CK_TOML_DOTTED, ret);
    if (m->kind != CK_TOML_TABLE || m->origin != CK_TOML_DOTTED)
        return ck_toml_refuse(r, "\"%.*s\" is defined in line %u already", CK_VF(key), m->line);
    *ret = m;
    return NULL;
}

/* In a header: through tables, and the last element of an array of tables. */
static ck_err *down_by_header(struct ck_toml_reader *r, struct ck_toml *table, ck_view key,
                              struct ck_toml **ret)
{
    struct ck_toml *m = find(table, key);
    if (!m)
        return append_table(r, table, key, CK_TOML_IMPLICIT, ret);
    if (m->origin == CK_TOML_CLOSED)
        return ck_toml_refuse(r, "\"%.*s\" of line %u cannot be added to", CK_VF(key), m->line);
    *ret = m->kind == CK_TOML_ARRAY ? m->last : m;
    return NULL;
}

/* --- values ----------------------------------------------------------------------------------- */

static ck_err *value(struct ck_toml_reader *r, struct ck_toml *v);

static ck_err *array(struct ck_toml_reader *r, struct ck_toml *v)
{
    v->kind = CK_TOML_ARRAY;
    for (;;) {
        CK_TRY(ck_toml_gap(r));
        if (ck_toml_take(r, ']'))
            return NULL;
        CK_TRY(count_value(r));
        CK_TRY(value(r, append(r, v, CK_V(""))));
        CK_TRY(ck_toml_gap(r));
        if (!ck_toml_take(r, ',') && ck_toml_peek(r, 0) != ']')
            return ck_toml_refuse(r, "an array that goes on without a comma or does not end");
    }
}

static ck_err *setting(struct ck_toml_reader *r, struct ck_toml *table)
{
    ck_view key;
    struct ck_toml *v;
    CK_TRY(dotted_key(r, table, down_by_dots, &table, &key));
    if (!ck_toml_take(r, '='))
        return ck_toml_refuse(r, "no \"=\" behind the key \"%.*s\"", CK_VF(key));
    v = find(table, key);
    if (v)
        return ck_toml_refuse(r, "\"%.*s\" is defined in line %u already", CK_VF(key), v->line);
    CK_TRY(count_value(r));
    ck_toml_blanks(r);
    return value(r, append(r, table, key));
}

/* What dotted keys made inside braces is closed with them. */
static void close_tables(struct ck_toml *table)
{
    table->origin = CK_TOML_CLOSED;
    for (struct ck_toml *m = table->first; m; m = m->next)
        if (m->kind == CK_TOML_TABLE && m->origin == CK_TOML_DOTTED)
            close_tables(m);
}

static ck_err *inline_table(struct ck_toml_reader *r, struct ck_toml *v)
{
    v->kind = CK_TOML_TABLE;
    ck_toml_blanks(r);
    bool more = !ck_toml_take(r, '}');
    while (more) {
        CK_TRY(setting(r, v));
        ck_toml_blanks(r);
        more = ck_toml_take(r, ',');
        if (!more && !ck_toml_take(r, '}'))
            return ck_toml_refuse(r, "an inline table that goes on without a comma or does not end "
                                     "on its line");
        ck_toml_blanks(r);
    }
    close_tables(v);
    return NULL;
}

static ck_err *nested(struct ck_toml_reader *r, struct ck_toml *v,
                      ck_err *(*read)(struct ck_toml_reader *, struct ck_toml *))
{
    ck_cur_skip(&r->c, 1); /* the bracket */
    if (++r->depth > CK_MAX_TOML_DEPTH)
        return ck_toml_limit(r, CK_LIMIT_TOML_DEPTH, "nested deeper");
    CK_TRY(read(r, v));
    r->depth--;
    return NULL;
}

static ck_err *value(struct ck_toml_reader *r, struct ck_toml *v)
{
    v->line = r->line;
    switch (ck_toml_peek(r, 0)) {
    case '"':
    case '\'':
        v->kind = CK_TOML_STRING;
        return ck_toml_string(r, true, &v->text);
    case '[':
        return nested(r, v, array);
    case '{':
        return nested(r, v, inline_table);
    default:
        return ck_toml_scalar(r, v);
    }
}

/* --- headers ---------------------------------------------------------------------------------- */

static ck_err *table_header(struct ck_toml_reader *r, struct ck_toml *in, ck_view key,
                            struct ck_toml **ret)
{
    struct ck_toml *m = find(in, key);
    if (!m)
        return append_table(r, in, key, CK_TOML_HEADER, ret);
    if (m->kind != CK_TOML_TABLE || m->origin != CK_TOML_IMPLICIT)
        return ck_toml_refuse(r, "\"%.*s\" is defined in line %u already", CK_VF(key), m->line);
    m->origin = CK_TOML_HEADER;
    *ret = m;
    return NULL;
}

static ck_err *array_header(struct ck_toml_reader *r, struct ck_toml *in, ck_view key,
                            struct ck_toml **ret)
{
    struct ck_toml *m = find(in, key);
    if (!m) {
        CK_TRY(count_value(r));
        m = append(r, in, key);
        m->kind = CK_TOML_ARRAY;
        m->origin = CK_TOML_HEADER;
    }
    if (m->kind != CK_TOML_ARRAY || m->origin != CK_TOML_HEADER)
        return ck_toml_refuse(r, "\"%.*s\" of line %u is no array of tables", CK_VF(key), m->line);
    return append_table(r, m, CK_V(""), CK_TOML_HEADER, ret);
}

static ck_err *header(struct ck_toml_reader *r, struct ck_toml *root, struct ck_toml **ret)
{
    ck_view key;
    struct ck_toml *in;
    bool many = ck_toml_take(r, '[');
    ck_toml_blanks(r);
    CK_TRY(dotted_key(r, root, down_by_header, &in, &key));
    if (!ck_toml_take(r, ']') || (many && !ck_toml_take(r, ']')))
        return ck_toml_refuse(r, "a header that does not end with %s", many ? "]]" : "]");
    return many ? array_header(r, in, key, ret) : table_header(r, in, key, ret);
}

static ck_err *read_all(struct ck_toml_reader *r, struct ck_toml *root)
{
    struct ck_toml *table = root;
    for (;;) {
        CK_TRY(ck_toml_gap(r));
        if (ck_cur_end(&r->c))
            return NULL;
        if (ck_toml_take(r, '['))
            CK_TRY(header(r, root, &table));
        else
            CK_TRY(setting(r, table));
        CK_TRY(ck_toml_line_end(r));
    }
}

/* Before anything is read: size, encoding, and no NUL, so that 0 can mean the end. */
static ck_err *check_bytes(struct ck_toml_reader *r)
{
    uint32_t cp;
    if (r->c.v.n > CK_MAX_CONFIG_FILE)
        return ck_toml_limit(r, CK_LIMIT_CONFIG_FILE, "a larger file");
    for (ck_view v = r->c.v; v.n;) {
        size_t len = ck_utf8_next(v, &cp);
        if (len == 0)
            return ck_toml_refuse(r, "bytes that are not UTF-8");
        if (cp == 0)
            return ck_toml_refuse(r, "a NUL byte");
        r->line += cp == '\n';
        v = ck_view_from(v, len);
    }
    r->line = 1;
    return NULL;
}

ck_err *ck_toml_parse(ck_view bytes, const char *name, struct ck_arena *a, struct ck_toml **ret)
{
    struct ck_toml_reader r = { .c = ck_cur_of(bytes), .name = name, .line = 1, .a = a };
    struct ck_toml *root = ck_arena_alloc(a, 1, sizeof *root);
    *root = (struct ck_toml){ .kind = CK_TOML_TABLE, .origin = CK_TOML_HEADER, .line = 1 };
    CK_TRY(check_bytes(&r));
    if (ck_view_starts(bytes, CK_V("\xEF\xBB\xBF"))) /* a byte order mark says nothing */
        ck_cur_skip(&r.c, 3);
    CK_TRY(read_all(&r, root));
    *ret = root;
    return NULL;
}
