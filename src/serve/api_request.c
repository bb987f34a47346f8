#include "serve/api_request.h"

#include "image/json.h"

#include <strings.h>

/* --- words ------------------------------------------------------------------------------------ */

void ck_api_words_begin(struct ck_api_words *w, ck_view method, ck_view path, struct ck_arena *a)
{
    *w = (struct ck_api_words){ .v = ck_arena_alloc(a, CK_MAX_API_WORDS, sizeof *w->v), .n = 2 };
    w->v[0] = method;
    w->v[1] = path;
}

static bool is_name(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((v.p[i] < 'a' || v.p[i] > 'z') && v.p[i] != '_')
            return false;
    return v.n > 0 && v.n <= 32;
}

static bool is_line(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] == 0x7f)
            return false;
    return true;
}

static ck_err *add(struct ck_api_words *w, struct ck_arena *a, ck_view name, const char *mark,
                   ck_view value)
{
    size_t m = strlen(mark), n = name.n + m + value.n;
    if (w->n == CK_MAX_API_WORDS)
        return ck_err_limit(CK_LIMIT_API_WORDS, "too many parameters or members");
    if (n > CK_MAX_API_WORD)
        return ck_err_limit(CK_LIMIT_API_WORD, "%.*s is too long", CK_VF(name));
    uint8_t *p = ck_arena_alloc(a, n + 1, 1);
    memcpy(p, name.p, name.n);
    memcpy(p + name.n, mark, m);
    if (value.n)
        memcpy(p + name.n + m, value.p, value.n);
    w->v[w->n++] = ck_view_of(p, n);
    return NULL;
}

ck_err *ck_api_query(const struct ck_params *p, struct ck_arena *a, struct ck_api_words *w)
{
    for (size_t i = 0; i < p->n; i++) {
        if (!is_name(p->v[i].name))
            return ck_err_new(CK_ERR_USAGE, "a parameter that is not known here");
        CK_TRY(add(w, a, p->v[i].name, "=", p->v[i].value));
    }
    return NULL;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static ck_err *text_of(const struct ck_json *j, struct ck_arena *a, ck_view *ret)
{
    ck_view v;
    CK_TRY(ck_json_string(j, CK_LIMIT_API_WORD, a, &v));
    if (!is_line(v))
        return ck_json_refuse(j, CK_ERR_USAGE, "control characters");
    *ret = v;
    return NULL;
}

static ck_err *take_list(const struct ck_json *j, struct ck_arena *a, ck_view name,
                         struct ck_api_words *w)
{
    size_t n;
    CK_TRY(ck_json_array(j, CK_LIMIT_API_WORDS, &n));
    for (size_t i = 0; i < n; i++) {
        struct ck_json one = ck_json_at(j, i);
        ck_view text;
        CK_TRY(text_of(&one, a, &text));
        CK_TRY(add(w, a, name, "[]=", text));
    }
    return NULL;
}

static ck_err *take_number(const struct ck_json *j, struct ck_arena *a, ck_view name,
                           struct ck_api_words *w)
{
    uint64_t n;
    CK_TRY(ck_json_u64(j, INT64_MAX, &n));
    const char *text = ck_arena_format(a, "%llu", (unsigned long long)n);
    return add(w, a, name, ":=", ck_view_str(text));
}

static ck_err *take_member(const struct ck_json *j, struct ck_arena *a, struct ck_api_words *w)
{
    ck_view name = ck_view_str(j->key), text;
    if (!is_name(name))
        return ck_err_new(CK_ERR_USAGE, "body: a member that is not known here");
    if (ck_view_eq(name, CK_V("yaml")))
        return ck_json_string(j, CK_LIMIT_API_TEXT, a, &w->text);
    if (json_is_array(j->v))
        return take_list(j, a, name, w);
    if (json_is_integer(j->v))
        return take_number(j, a, name, w);
    if (json_is_boolean(j->v))
        return add(w, a, name, ":=", json_is_true(j->v) ? CK_V("true") : CK_V("false"));
    CK_TRY(text_of(j, a, &text));
    return add(w, a, name, "=", text);
}

ck_err *ck_api_body(ck_view json, struct ck_arena *a, struct ck_api_words *w)
{
    ck_autojson struct ck_json doc = { 0 };
    struct ck_json *members;
    size_t n;
    CK_TRY(ck_json_load(json, "body", &doc));
    if (!json_is_object(doc.v))
        return ck_err_new(CK_ERR_USAGE, "body: not an object");
    CK_TRY(ck_json_members(&doc, CK_LIMIT_API_WORDS, a, &members, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(take_member(&members[i], a, w));
    return NULL;
}

/* --- headers ---------------------------------------------------------------------------------- */

static bool is_token(ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && c != '-' && c != '_')
            return false;
    }
    return v.n >= 16 && v.n <= 128;
}

bool ck_api_cookie(ck_view header, ck_view *ret)
{
    ck_view found = { 0 };
    while (header.n) {
        ck_view value, one = ck_view_trim(ck_view_split(header, ';', &header));
        ck_view name = ck_view_split(one, '=', &value);
        if (!ck_view_eq(name, CK_V("cocket")))
            continue;
        if (found.p) /* which one is ours? another host of the domain may set one too */
            return false;
        found = value;
    }
    if (!found.p || !is_token(found))
        return false;
    *ret = found;
    return true;
}

/* "https://gate.example:5443", as a browser writes it. */
static bool is_of_host(ck_view origin, ck_view host)
{
    for (size_t i = 0; i + 3 <= origin.n; i++)
        if (memcmp(origin.p + i, "://", 3) == 0) {
            ck_view rest = ck_view_from(origin, i + 3);
            return host.n && rest.n == host.n &&
                   strncasecmp((const char *)rest.p, (const char *)host.p, host.n) == 0;
        }
    return false;
}

/* Browsers send Basic credentials that they know along with what another page makes them send, so
 * that an Authorization header alone proves nothing where they say where the request is from. */
const char *ck_api_foreign(const struct ck_api_origin *o)
{
    if (o->site.p && !ck_view_eq(o->site, CK_V("same-origin")))
        return "the request comes from another page";
    if (o->origin.p && !is_of_host(o->origin, o->host))
        return "the request comes from another page";
    if (!o->authorized && !ck_view_eq(o->requested, CK_V("cocket")))
        return "the header X-Requested-With: cocket is missing";
    return NULL;
}

bool ck_api_matches(ck_view header, ck_view etag)
{
    while (header.n) {
        ck_view one = ck_view_trim(ck_view_split(header, ',', &header));
        if (ck_view_starts(one, CK_V("W/")))
            one = ck_view_from(one, 2);
        if (ck_view_eq(one, etag) || ck_view_eq(one, CK_V("*")))
            return true;
    }
    return false;
}
