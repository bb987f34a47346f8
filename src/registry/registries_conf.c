/* The words of registries.conf, version 2 (containers-registries.conf(5)). */
#include "base/text.h"
#include "image/name.h"
#include "registry/config_parts.h"
#include "registry/toml.h"
#include "registry/words.h"

struct file {
    struct ck_registry_config *c;
    const char *name;
};

static ck_err *refuse(const struct file *f, unsigned line, const char *what)
{
    return ck_err_new(CK_ERR_USAGE, "%s:%u: %s", f->name, line, what);
}

static ck_err *refuse_value(const struct file *f, unsigned line, const char *key, ck_view value,
                            const char *why)
{
    return ck_err_new(CK_ERR_USAGE, "%s:%u: %s \"%.*s\": %s", f->name, line, key,
                      CK_VF(ck_view_head(value, 300)), why);
}

/* --- typed access ----------------------------------------------------------------------------- */

/* podman takes "Blocked" for "blocked": what it would obey must not be overlooked here. */
static ck_err *check_case(const struct file *f, const struct ck_toml *table,
                          const char *const *known)
{
    for (const struct ck_toml *m = table->first; m; m = m->next)
        for (const char *const *k = known; *k; k++)
            if (ck_words_same(m->key, ck_view_str(*k)) && !ck_view_eq(m->key, ck_view_str(*k)))
                return refuse_value(f, m->line, "the key", m->key,
                                    "must be written in lower case");
    return NULL;
}

static ck_err *get(const struct file *f, const struct ck_toml *table, const char *key,
                   enum ck_toml_kind kind, const struct ck_toml **ret)
{
    const struct ck_toml *v = ck_toml_get(table, key);
    if (v && v->kind != kind)
        return ck_err_new(CK_ERR_USAGE, "%s:%u: %s must be %s, and is %s", f->name, v->line, key,
                          ck_toml_kind_name(kind), ck_toml_kind_name(v->kind));
    *ret = v;
    return NULL;
}

/* Empty where absent. */
static ck_err *get_string(const struct file *f, const struct ck_toml *table, const char *key,
                          ck_view *ret)
{
    const struct ck_toml *v;
    CK_TRY(get(f, table, key, CK_TOML_STRING, &v));
    *ret = v ? ck_arena_dup(&f->c->a, v->text) : CK_V("");
    return NULL;
}

static ck_err *get_bool(const struct file *f, const struct ck_toml *table, const char *key,
                        bool *ret)
{
    const struct ck_toml *v;
    CK_TRY(get(f, table, key, CK_TOML_BOOLEAN, &v));
    *ret = v && v->boolean;
    return NULL;
}

static size_t count(const struct ck_toml *array)
{
    size_t n = 0;
    for (const struct ck_toml *m = array ? array->first : NULL; m; m = m->next)
        n++;
    return n;
}

/* Leaves *ret alone where absent. */
static ck_err *get_strings(const struct file *f, const struct ck_toml *table, const char *key,
                           struct ck_words_list *ret)
{
    const struct ck_toml *v;
    CK_TRY(get(f, table, key, CK_TOML_ARRAY, &v));
    if (!v)
        return NULL;
    struct ck_words_list list = { .given = true, .at = { f->name, v->line } };
    list.v = ck_arena_alloc(&f->c->a, count(v) + 1, sizeof *list.v);
    for (const struct ck_toml *m = v->first; m; m = m->next) {
        if (m->kind != CK_TOML_STRING)
            return ck_err_new(CK_ERR_USAGE, "%s:%u: %s must hold strings, and has %s", f->name,
                              m->line, key, ck_toml_kind_name(m->kind));
        list.v[list.n++] = ck_arena_dup(&f->c->a, m->text);
    }
    *ret = list;
    return NULL;
}

/* --- [[registry]] ----------------------------------------------------------------------------- */

/* A prefix or location: no scheme, slashes at its end do not count. */
static ck_err *get_location(const struct file *f, const struct ck_toml *table, const char *key,
                            ck_view *ret)
{
    ck_view v;
    CK_TRY(get_string(f, table, key, &v));
    if (ck_view_starts(v, CK_V("http://")) || ck_view_starts(v, CK_V("https://")))
        return refuse_value(f, ck_toml_get(table, key)->line, key, v,
                            "HOST[:PORT][/PATH] is wanted, not a URL");
    while (v.n && v.p[v.n - 1] == '/')
        v.n--;
    *ret = v;
    return NULL;
}

static ck_err *mirror_use(const struct file *f, const struct ck_toml *t,
                          const struct ck_entry *e, enum ck_mirror_use *ret)
{
    static const char *const names[] = { "all", "digest-only", "tag-only" };
    ck_view v;
    CK_TRY(get_string(f, t, "pull-from-mirror", &v));
    *ret = CK_MIRROR_ALL;
    if (v.n && e->by_digest_only)
        return refuse(f, ck_toml_get(t, "pull-from-mirror")->line,
                      "pull-from-mirror cannot be set below mirror-by-digest-only = true");
    if (e->by_digest_only)
        *ret = CK_MIRROR_DIGEST_ONLY;
    for (size_t i = 0; v.n; i++) {
        if (i == sizeof names / sizeof names[0])
            return refuse_value(f, ck_toml_get(t, "pull-from-mirror")->line, "pull-from-mirror", v,
                                "may be all, digest-only or tag-only");
        if (ck_view_eq(v, ck_view_str(names[i]))) {
            *ret = (enum ck_mirror_use)i;
            break;
        }
    }
    return NULL;
}

static ck_err *read_mirror(const struct file *f, const struct ck_toml *t, const struct ck_entry *e,
                           struct ck_mirror *m)
{
    static const char *const known[] = { "location", "insecure", "pull-from-mirror", NULL };
    if (t->kind != CK_TOML_TABLE)
        return refuse(f, t->line, "mirror must hold tables");
    CK_TRY(check_case(f, t, known));
    CK_TRY(get_location(f, t, "location", &m->location));
    CK_TRY(get_bool(f, t, "insecure", &m->insecure));
    if (m->location.n == 0)
        return refuse(f, t->line, "a mirror without location");
    return mirror_use(f, t, e, &m->use);
}

static ck_err *read_mirrors(const struct file *f, const struct ck_toml *t, struct ck_entry *e)
{
    const struct ck_toml *v;
    CK_TRY(get(f, t, "mirror", CK_TOML_ARRAY, &v));
    e->mirrors = ck_arena_alloc(&f->c->a, count(v) + 1, sizeof *e->mirrors);
    for (const struct ck_toml *m = v ? v->first : NULL; m; m = m->next)
        CK_TRY(read_mirror(f, m, e, &e->mirrors[e->mirror_count++]));
    return NULL;
}

static ck_err *read_entry(const struct file *f, const struct ck_toml *t, struct ck_entry *e)
{
    static const char *const known[] = { "prefix",  "location", "insecure",
                                         "blocked", "mirror",   "mirror-by-digest-only", NULL };
    if (t->kind != CK_TOML_TABLE)
        return refuse(f, t->line, "registry must hold tables");
    *e = (struct ck_entry){ .at = { f->name, t->line }, .file_number = f->c->file_count };
    CK_TRY(check_case(f, t, known));
    CK_TRY(get_location(f, t, "prefix", &e->prefix));
    CK_TRY(get_location(f, t, "location", &e->location));
    CK_TRY(get_bool(f, t, "insecure", &e->insecure));
    CK_TRY(get_bool(f, t, "blocked", &e->blocked));
    CK_TRY(get_bool(f, t, "mirror-by-digest-only", &e->by_digest_only));
    if (e->prefix.n == 0)
        e->prefix = e->location;
    if (e->prefix.n == 0)
        return refuse(f, t->line, "a registry without prefix and location");
    if (e->location.n == 0 && !ck_view_starts(e->prefix, CK_V("*.")))
        return refuse(f, t->line, "a registry without location, which only a prefix that begins "
                                  "with \"*.\" can do without");
    return read_mirrors(f, t, e);
}

static ck_view where(const struct ck_entry *e) { return e->location.n ? e->location : e->prefix; }

/* Within one file, entries for the same place must agree on what protects it. */
static ck_err *check_conflict(const struct file *f, const struct ck_entry *e,
                              const struct ck_entry *other)
{
    if (other->file_number != e->file_number || !ck_view_eq(where(e), where(other)))
        return NULL;
    if (e->insecure != other->insecure || e->blocked != other->blocked)
        return ck_err_new(CK_ERR_USAGE,
                          "%s:%u: \"%.*s\" stands in line %u too, with another \"%s\"", f->name,
                          e->at.line, CK_VF(where(e)), other->at.line,
                          e->insecure != other->insecure ? "insecure" : "blocked");
    return NULL;
}

/* The first with a prefix counts within one file, the last file counts among several. */
static ck_err *add_entry(const struct file *f, const struct ck_entry *e)
{
    struct ck_entry *same = NULL, **at = &f->c->entries;
    for (; *at; at = &(*at)->next) {
        CK_TRY(check_conflict(f, e, *at));
        if (ck_view_eq((*at)->prefix, e->prefix))
            same = *at;
    }
    if (same && same->file_number == e->file_number)
        return NULL;
    struct ck_entry *next = same ? same->next : NULL;
    if (!same)
        same = *at = ck_arena_alloc(&f->c->a, 1, sizeof *same);
    *same = *e;
    same->next = next;
    return NULL;
}

static ck_err *read_entries(const struct file *f, const struct ck_toml *root)
{
    const struct ck_toml *v;
    CK_TRY(get(f, root, "registry", CK_TOML_ARRAY, &v));
    for (const struct ck_toml *t = v ? v->first : NULL; t; t = t->next) {
        struct ck_entry e;
        CK_TRY(read_entry(f, t, &e));
        CK_TRY(add_entry(f, &e));
    }
    return NULL;
}

/* --- short names ------------------------------------------------------------------------------ */

static ck_err *check_alias(const struct file *f, const struct ck_toml *m)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name n;
    if (m->kind != CK_TOML_STRING)
        return refuse_value(f, m->line, "the alias", m->key, "must be a string");
    CK_TRY_WRAP(ck_name_parse(m->key, &a, &n), "%s:%u: the alias", f->name, m->line);
    if (n.host_given || n.tag_given || n.has_digest || ck_view_starts(m->key, CK_V("docker://")))
        return refuse_value(f, m->line, "the alias", m->key,
                            "is no short name: it has a registry, tag or digest");
    if (m->text.n == 0)
        return NULL;
    CK_TRY_WRAP(ck_name_parse(m->text, &a, &n), "%s:%u: the alias", f->name, m->line);
    if (!n.host_given || n.tag_given || n.has_digest ||
        ck_view_starts(m->text, CK_V("docker://")))
        return refuse_value(f, m->line, "the alias", m->text,
                            "must name a registry and a repository, and no tag or digest");
    return NULL;
}

static ck_err *add_alias(const struct file *f, const struct ck_toml *m, struct ck_alias **list)
{
    CK_TRY(check_alias(f, m));
    while (*list && !ck_view_eq((*list)->name, m->key))
        list = &(*list)->next;
    if (!*list)
        *list = ck_arena_alloc(&f->c->a, 1, sizeof **list);
    (*list)->name = ck_arena_dup(&f->c->a, m->key);
    (*list)->value = ck_arena_dup(&f->c->a, m->text);
    (*list)->at = (struct ck_said){ f->name, m->line };
    return NULL;
}

static ck_err *read_aliases(const struct file *f, const struct ck_toml *root,
                            struct ck_alias **list)
{
    const struct ck_toml *v;
    CK_TRY(get(f, root, "aliases", CK_TOML_TABLE, &v));
    for (const struct ck_toml *m = v ? v->first : NULL; m; m = m->next)
        CK_TRY(add_alias(f, m, list));
    return NULL;
}

/* Every mode has the same result here, since nobody is asked: one registry is taken, several are
 * ambiguous. */
static ck_err *check_mode(const struct file *f, const struct ck_toml *root)
{
    ck_view v;
    CK_TRY(get_string(f, root, "short-name-mode", &v));
    if (v.n && !ck_view_eq(v, CK_V("enforcing")) && !ck_view_eq(v, CK_V("permissive")) &&
        !ck_view_eq(v, CK_V("disabled")))
        return refuse_value(f, ck_toml_get(root, "short-name-mode")->line, "short-name-mode", v,
                            "may be enforcing, permissive or disabled");
    return NULL;
}

static bool is_host(ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && !strchr(".-:[]", c))
            return false;
    }
    return v.n > 0;
}

static ck_err *read_search(const struct file *f, const struct ck_toml *root)
{
    static const char key[] = "unqualified-search-registries";
    CK_TRY(get_strings(f, root, key, &f->c->search));
    const struct ck_toml *v = ck_toml_get(root, key);
    for (const struct ck_toml *m = v ? v->first : NULL; m; m = m->next)
        if (!is_host(m->text))
            return refuse_value(f, m->line, key, m->text, "may only be HOST[:PORT]");
    return NULL;
}

/* --- files ------------------------------------------------------------------------------------ */

static ck_err *read_root(const struct file *f, const struct ck_toml *root)
{
    static const char *const known[] = { "unqualified-search-registries", "credential-helpers",
                                         "short-name-mode", "registry", "aliases", "registries",
                                         NULL };
    CK_TRY(check_case(f, root, known));
    const struct ck_toml *old = ck_toml_get(root, "registries");
    if (old)
        return refuse(f, old->line,
                      "[registries...] is version 1 of this file, which is not read; version 2 has "
                      "unqualified-search-registries and [[registry]]");
    CK_TRY(read_search(f, root));
    CK_TRY(get_strings(f, root, "credential-helpers", &f->c->helpers));
    CK_TRY(check_mode(f, root));
    CK_TRY(read_entries(f, root));
    return read_aliases(f, root, &f->c->aliases);
}

ck_err *ck_registries_conf_read(struct ck_registry_config *c, const char *file, ck_view bytes)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct file f = { c, file };
    struct ck_toml *root = NULL;
    CK_TRY(ck_toml_parse(bytes, file, &a, &root));
    c->file_count++;
    return read_root(&f, root);
}

ck_err *ck_recorded_aliases_read(struct ck_registry_config *c, const char *file, ck_view bytes)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct file f = { c, file };
    struct ck_toml *root = NULL;
    CK_TRY(ck_toml_parse(bytes, file, &a, &root));
    return read_aliases(&f, root, &c->recorded);
}
