#include "serve/uri.h"

#include "base/buf.h"
#include "base/text.h"

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; false: a "%" without two hex digits. */
static bool decode(uint8_t *p, size_t n, bool plus, ck_view *ret)
{
    size_t to = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = p[i];
        if (c == '%') {
            bool whole = n - i > 2;
            int high = whole ? hex(p[i + 1]) : -1, low = whole ? hex(p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        p[to++] = c;
    }
    *ret = ck_view_of(p, to);
    return true;
}

static bool has_controls(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] == 0x7f)
            return true;
    return false;
}

/* --- paths ------------------------------------------------------------------------------------ */

static bool has_encoded_slash(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i + 2 < n; i++)
        if (p[i] == '%' && p[i + 1] == '2' && (p[i + 2] | 0x20) == 'f')
            return true;
    return false;
}

static const char *check_path(ck_view path)
{
    if (has_controls(path))
        return "control characters in the path";
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] > '~')
            return "the path is not ASCII";
    ck_view rest = ck_view_from(path, 1);
    while (rest.n) {
        bool last = ck_view_find(rest, '/') == rest.n;
        ck_view part = ck_view_split(rest, '/', &rest);
        if ((!part.n && !last) || ck_view_eq(part, CK_V(".")) || ck_view_eq(part, CK_V("..")))
            return "an empty, \".\" or \"..\" component in the path";
    }
    return NULL;
}

const char *ck_uri_parse(uint8_t *raw, size_t n, ck_view *ret_path, struct ck_params *ret)
{
    size_t path_n = ck_view_find(ck_view_of(raw, n), '?');
    ck_view path = { 0 };
    ret->n = 0;
    if (!n || raw[0] != '/')
        return "the target is not a path";
    if (has_encoded_slash(raw, path_n))
        return "an encoded slash in the path";
    if (!decode(raw, path_n, false, &path))
        return "a broken percent encoding";
    const char *wrong = check_path(path);
    if (!wrong && path_n < n)
        wrong = ck_form_parse(raw + path_n + 1, n - path_n - 1, ret);
    if (!wrong)
        *ret_path = path;
    return wrong;
}

/* --- queries and forms ------------------------------------------------------------------------ */

bool ck_params_find(const struct ck_params *p, const char *name, ck_view *ret)
{
    for (size_t i = 0; i < p->n; i++)
        if (ck_view_eq(p->v[i].name, ck_view_str(name))) {
            *ret = p->v[i].value;
            return true;
        }
    return false;
}

static bool may_repeat(ck_view name)
{
    return ck_view_eq(name, CK_V("scope")) || ck_view_eq(name, CK_V("tag"));
}

static bool is_there(const struct ck_params *p, ck_view name)
{
    for (size_t i = 0; i < p->n; i++)
        if (ck_view_eq(p->v[i].name, name))
            return true;
    return false;
}

static const char *add_param(uint8_t *p, size_t n, struct ck_params *ret)
{
    size_t name_n = ck_view_find(ck_view_of(p, n), '=');
    size_t from = name_n < n ? name_n + 1 : n;
    struct ck_param one = { 0 };
    if (!decode(p, name_n, true, &one.name) || !decode(p + from, n - from, true, &one.value))
        return "a broken percent encoding";
    if (has_controls(one.name) || has_controls(one.value) || !ck_utf8_valid(one.value))
        return "control characters in a parameter";
    if (!may_repeat(one.name) && is_there(ret, one.name))
        return "a parameter is there twice";
    if (ret->n == CK_URI_PARAMS)
        return "too many parameters";
    ret->v[ret->n++] = one;
    return NULL;
}

const char *ck_form_parse(uint8_t *raw, size_t n, struct ck_params *ret)
{
    ret->n = 0;
    for (size_t at = 0; at < n;) {
        size_t part = ck_view_find(ck_view_of(raw + at, n - at), '&');
        const char *wrong = part ? add_param(raw + at, part, ret) : NULL;
        if (wrong)
            return wrong;
        at += part + 1;
    }
    return NULL;
}
