/* The reader of TOML, and what must hold for whatever it accepts. */
#include "registry/toml.h"

#include <stdlib.h>

static void check(const struct ck_toml *v, unsigned depth)
{
    if (depth > 8 * CK_MAX_TOML_DEPTH || v->line == 0)
        abort();
    if (v->kind == CK_TOML_STRING && (ck_view_find(v->text, 0) < v->text.n || v->text.p[v->text.n]))
        abort();
    if (v->kind != CK_TOML_TABLE && v->kind != CK_TOML_ARRAY && v->first)
        abort();
    for (const struct ck_toml *m = v->first; m; m = m->next) {
        check(m, depth + 1);
        if (!m->next && m != v->last)
            abort();
    }
}

/* Nothing is lost: each key of a table is found, and it is this member. */
static void check_keys(const struct ck_toml *table)
{
    unsigned n = 0;
    for (const struct ck_toml *m = table->first; m && n < 50; m = m->next, n++)
        if (ck_view_find(m->key, 0) == m->key.n && ck_toml_get(table, (const char *)m->key.p) != m)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_toml *root = NULL;
    ck_autoerr ck_err *e = ck_toml_parse(ck_view_of(data, size), "x.conf", &a, &root);
    if (e)
        return 0;
    check(root, 0);
    check_keys(root);
    return 0;
}
