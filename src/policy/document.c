#include "policy/document.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

ck_err *ck_doc_refuse(const struct ck_doc *d, const struct ck_yaml_node *n, const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    return ck_err_new(CK_ERR_USAGE, "%s:%u:%u: %s", d->file, n->line, n->column, line);
}

ck_err *ck_doc_open(struct ck_doc *d, ck_view yaml, const char *file, struct ck_arena *a,
                    const struct ck_yaml_node **ret_root)
{
    struct ck_yaml_node *root = NULL, *more = NULL;
    *d = (struct ck_doc){ .file = file, .a = a, .key = "document" };
    if (yaml.n > CK_MAX_POLICY)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_POLICY, "%s: too large", file), CK_ERR_USAGE);
    d->stream = ck_yaml_open_plain(yaml, file, &d->tree);
    ck_err *e = ck_yaml_next(d->stream, &root);
    if (!e && root)
        e = ck_yaml_next(d->stream, &more);
    if (e)
        return ck_err_reclass(e, CK_ERR_USAGE);
    if (!root)
        return ck_err_new(CK_ERR_USAGE, "%s:1:1: it is empty", file);
    if (more)
        return ck_doc_refuse(d, more, "a second document; there must be one");
    *ret_root = root;
    return NULL;
}

void ck_doc_close(struct ck_doc *d)
{
    if (d->stream)
        ck_yaml_close(d->stream);
    ck_arena_free(&d->tree);
}

/* --- mappings and lists ----------------------------------------------------------------------- */

static const char *kind_name(const struct ck_yaml_node *n)
{
    static const char *const names[] = { [CK_YAML_SCALAR] = "a single value",
                                         [CK_YAML_SEQUENCE] = "a list",
                                         [CK_YAML_MAPPING] = "a mapping" };
    return names[n->kind];
}

static const char *list_keys(const struct ck_doc *d, const struct ck_doc_key *keys, size_t n)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        text = ck_arena_format(d->a, "%s%s%s", text, i ? ", " : "", keys[i].name);
    return text;
}

static ck_err *find_key(struct ck_doc *d, const struct ck_yaml_node *name, const char *what,
                        const struct ck_doc_key *keys, size_t n, size_t *ret)
{
    if (name->kind != CK_YAML_SCALAR)
        return ck_doc_refuse(d, name, "a key of %s must be a word", what);
    for (size_t i = 0; i < n; i++)
        if (ck_view_eq(name->value, ck_view_str(keys[i].name))) {
            *ret = i;
            return NULL;
        }
    return ck_doc_refuse(d, name, "\"%.*s\" is no key of %s; there are: %s",
                         CK_VF(ck_view_head(name->value, 80)), what, list_keys(d, keys, n));
}

static bool stands_before(const struct ck_yaml_node *map, const struct ck_yaml_edge *name)
{
    for (const struct ck_yaml_edge *k = map->first; k != name; k = k->next->next)
        if (ck_view_eq(k->node->value, name->node->value))
            return true;
    return false;
}

const struct ck_yaml_node *ck_doc_value(const struct ck_yaml_node *n, const char *key)
{
    if (n->kind != CK_YAML_MAPPING)
        return NULL;
    for (const struct ck_yaml_edge *k = n->first; k; k = k->next->next)
        if (k->node->kind == CK_YAML_SCALAR && ck_view_eq(k->node->value, ck_view_str(key)))
            return k->next->node;
    return NULL;
}

ck_err *ck_doc_mapping(struct ck_doc *d, const struct ck_yaml_node *n, const char *what,
                       const struct ck_doc_key *keys, size_t n_keys, void *ret)
{
    if (n->kind != CK_YAML_MAPPING)
        return ck_doc_refuse(d, n, "%s must be a mapping with the keys %s; this is %s", what,
                             list_keys(d, keys, n_keys), kind_name(n));
    for (const struct ck_yaml_edge *k = n->first; k; k = k->next->next) {
        size_t i = 0;
        CK_TRY(find_key(d, k->node, what, keys, n_keys, &i));
        if (stands_before(n, k))
            return ck_doc_refuse(d, k->node, "\"%s\" stands there twice", keys[i].name);
        d->key = keys[i].name;
        CK_TRY(keys[i].read(d, k->next->node, (char *)ret + keys[i].at));
    }
    for (size_t i = 0; i < n_keys; i++)
        if (keys[i].required && !ck_doc_value(n, keys[i].name))
            return ck_doc_refuse(d, n, "%s must have \"%s\"", what, keys[i].name);
    return NULL;
}

static size_t count(const struct ck_yaml_node *n)
{
    size_t i = 0;
    for (const struct ck_yaml_edge *k = n->first; k; k = k->next)
        i++;
    return i;
}

ck_err *ck_doc_list(struct ck_doc *d, const struct ck_yaml_node *n, enum ck_limit limit,
                    ck_doc_read read, size_t size, void **ret, size_t *ret_n)
{
    const char *key = d->key;
    if (n->kind != CK_YAML_SEQUENCE)
        return ck_doc_refuse(d, n, "%s must be a list; this is %s", key, kind_name(n));
    size_t have = count(n), i = 0;
    if (have == 0)
        return ck_doc_refuse(d, n, "%s is an empty list; leave it out instead", key);
    if (have > ck_limit_value(limit))
        return ck_doc_refuse(d, n, "%s has %zu entries, at most %llu are allowed (limit %s)", key,
                             have, (unsigned long long)ck_limit_value(limit),
                             ck_limit_name(limit));
    char *v = ck_arena_alloc(d->a, have, size);
    for (const struct ck_yaml_edge *k = n->first; k; k = k->next) {
        d->key = key;
        CK_TRY(read(d, k->node, v + i++ * size));
    }
    *ret = v;
    *ret_n = have;
    return NULL;
}

ck_err *ck_doc_one_or_list(struct ck_doc *d, const struct ck_yaml_node *n, enum ck_limit limit,
                           ck_doc_read read, size_t size, void **ret, size_t *ret_n)
{
    if (n->kind == CK_YAML_SEQUENCE)
        return ck_doc_list(d, n, limit, read, size, ret, ret_n);
    void *v = ck_arena_alloc(d->a, 1, size);
    CK_TRY(read(d, n, v));
    *ret = v;
    *ret_n = 1;
    return NULL;
}

/* --- scalars ---------------------------------------------------------------------------------- */

static bool is_one_of(ck_view v, const char *const *words)
{
    for (; *words; words++)
        if (ck_view_eq(v, ck_view_str(*words)))
            return true;
    return false;
}

static size_t span(ck_view v, const char *bytes)
{
    size_t n = 0;
    while (n < v.n && v.p[n] && strchr(bytes, v.p[n]))
        n++;
    return n;
}

/* A decimal number with underscores, one of base 60 (both YAML 1.1), or with fraction and exponent.
 */
static bool is_decimal(ck_view v)
{
    size_t whole = span(v, "0123456789_:");
    bool dot = whole < v.n && v.p[whole] == '.';
    if ((v.p[0] < '0' || v.p[0] > '9') && v.p[0] != '.')
        return false;
    v = ck_view_from(v, whole + dot);
    size_t fraction = dot ? span(v, "0123456789_") : 0;
    v = ck_view_from(v, fraction);
    if (v.n && (v.p[0] | 0x20) == 'e') {
        v = ck_view_from(v, 1);
        v = ck_view_from(v, v.n && (v.p[0] == '+' || v.p[0] == '-'));
        v = ck_view_from(v, span(v, "0123456789"));
    }
    return v.n == 0 && whole + fraction > 0;
}

static bool is_number(ck_view v)
{
    if (v.n && (v.p[0] == '+' || v.p[0] == '-'))
        v = ck_view_from(v, 1);
    if (v.n > 2 && v.p[0] == '0' && (v.p[1] == 'x' || v.p[1] == 'o' || v.p[1] == 'b'))
        return span(ck_view_from(v, 2), "0123456789abcdefABCDEF_") == v.n - 2;
    return v.n && is_decimal(v);
}

/* YAML 1.2, section 10.3.2, and what YAML 1.1 reads otherwise. */
static bool other_type(ck_view v)
{
    static const char *const words[] = {
        "", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE",
        "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF",
        "y", "Y", "n", "N", "=", "<<", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF",
        "-.inf", "-.Inf", "-.INF", "+.inf", "+.Inf", "+.INF", NULL,
    };
    return is_one_of(v, words) || is_number(v);
}

/* "2027-01-31": its beginning. There is no February 30. */
static bool parse_day(ck_view v, int64_t *ret)
{
    enum { DAY = 10 };
    static const char midnight[] = "T00:00:00Z";
    char text[32] = { 0 }, again[32];
    int64_t t;
    if (v.n != DAY)
        return false;
    memcpy(text, v.p, DAY);
    memcpy(text + DAY, midnight, sizeof midnight);
    if (!ck_parse_time(ck_view_str(text), &t))
        return false;
    ck_format_time(again, t);
    *ret = t;
    return strcmp(text, again) == 0;
}

static bool parse_time(ck_view v, int64_t *ret)
{
    int64_t day, t;
    if (!parse_day(ck_view_head(v, 10), &day) || !ck_parse_time(v, &t))
        return false;
    *ret = t;
    return true;
}

static bool printable(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] == 0x7F)
            return false;
    return ck_utf8_valid(v);
}

static ck_err *scalar(struct ck_doc *d, const struct ck_yaml_node *n, const char *want)
{
    if (n->kind != CK_YAML_SCALAR)
        return ck_doc_refuse(d, n, "%s must be %s; this is %s", d->key, want, kind_name(n));
    return NULL;
}

ck_err *ck_doc_text(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    CK_TRY(scalar(d, n, "text"));
    if (n->value.n > CK_MAX_POLICY_TEXT)
        return ck_doc_refuse(d, n, "%s has %zu bytes, at most %llu are allowed (limit POLICY_TEXT)",
                             d->key, n->value.n, (unsigned long long)CK_MAX_POLICY_TEXT);
    if (ck_view_trim(n->value).n == 0)
        return ck_doc_refuse(d, n, "%s must be text, and is empty", d->key);
    if (n->plain && other_type(n->value))
        return ck_doc_refuse(d, n, "%s must be text: write \"%.*s\", in quotes", d->key,
                             CK_VF(ck_view_head(n->value, 80)));
    if (!printable(n->value))
        return ck_doc_refuse(d, n, "%s must be one line of text without control characters",
                             d->key);
    *(ck_view *)ret = ck_arena_dup(d->a, n->value);
    return NULL;
}

ck_err *ck_doc_bool(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    CK_TRY(scalar(d, n, "true or false"));
    bool yes = n->plain && ck_view_eq(n->value, CK_V("true"));
    if (!yes && !(n->plain && ck_view_eq(n->value, CK_V("false"))))
        return ck_doc_refuse(d, n, "%s: \"%.*s\" is not true or false", d->key,
                             CK_VF(ck_view_head(n->value, 80)));
    *(bool *)ret = yes;
    return NULL;
}

ck_err *ck_doc_number(struct ck_doc *d, const struct ck_yaml_node *n, uint64_t min, uint64_t max,
                      uint64_t *ret)
{
    uint64_t x;
    CK_TRY(scalar(d, n, "a number"));
    bool leads = n->value.n > 1 && n->value.p[0] == '0';
    if (!n->plain || leads || !ck_view_u64(n->value, &x) || x < min || x > max)
        return ck_doc_refuse(d, n, "%s: \"%.*s\" is no number from %llu to %llu", d->key,
                             CK_VF(ck_view_head(n->value, 80)), (unsigned long long)min,
                             (unsigned long long)max);
    *ret = x;
    return NULL;
}

ck_err *ck_doc_duration(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = { { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
    enum { MOST_DIGITS = 5 };
    uint64_t x;
    CK_TRY(scalar(d, n, "a duration"));
    ck_view digits = ck_view_head(n->value, n->value.n ? n->value.n - 1 : 0);
    if (digits.n && digits.n <= MOST_DIGITS && digits.p[0] != '0' && ck_view_u64(digits, &x))
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (n->value.p[n->value.n - 1] == units[i].unit) {
                *(int64_t *)ret = (int64_t)x * units[i].seconds;
                return NULL;
            }
    return ck_doc_refuse(d, n, "%s: \"%.*s\" is no duration: write 12h, 14d or 2w, at most 99999 "
                               "of them",
                         d->key, CK_VF(ck_view_head(n->value, 80)));
}

ck_err *ck_doc_time(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    CK_TRY(scalar(d, n, "a time"));
    if (parse_time(n->value, ret))
        return NULL;
    return ck_doc_refuse(d, n, "%s: \"%.*s\" is no time: write 2027-01-31T12:00:00Z", d->key,
                         CK_VF(ck_view_head(n->value, 80)));
}

ck_err *ck_doc_end_of_day(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    enum { SECONDS = 86400 };
    int64_t t;
    CK_TRY(scalar(d, n, "a day"));
    if (parse_day(n->value, &t))
        t += SECONDS;
    else if (!parse_time(n->value, &t))
        return ck_doc_refuse(d, n, "%s: \"%.*s\" is no day: write 2027-01-31, or "
                                   "2027-01-31T12:00:00Z",
                             d->key, CK_VF(ck_view_head(n->value, 80)));
    *(int64_t *)ret = t;
    return NULL;
}

ck_err *ck_doc_word(struct ck_doc *d, const struct ck_yaml_node *n, const char *const *words,
                    unsigned *ret)
{
    CK_TRY(scalar(d, n, "a word"));
    const char *all = "";
    for (unsigned i = 0; words[i]; i++) {
        if (ck_view_eq(n->value, ck_view_str(words[i]))) {
            *ret = i;
            return NULL;
        }
        all = ck_arena_format(d->a, "%s%s%s", all, i ? ", " : "", words[i]);
    }
    return ck_doc_refuse(d, n, words[1] ? "%s: \"%.*s\" is none of %s" : "%s: \"%.*s\" is not %s",
                         d->key, CK_VF(ck_view_head(n->value, 80)), all);
}
