#include "base/text.h"
#include "image/json.h"
#include "registry/protocol.h"

/* --- tokens ----------------------------------------------------------------------------------- */

static ck_err *check_token(const struct ck_json *j, ck_view token)
{
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] < 0x21 || token.p[i] > 0x7E)
            return ck_json_refuse(j, CK_ERR_HOSTILE, "byte %zu cannot stand in a header", i);
    return NULL;
}

/* `token`, else `access_token`. Where they differ "the client's choice is undefined". */
static ck_err *read_token(const struct ck_json *top, struct ck_arena *a, ck_view *ret)
{
    static const char *const names[] = { "token", "access_token" };
    ck_view token = CK_V("");
    for (size_t i = 0; i < sizeof names / sizeof names[0] && token.n == 0; i++) {
        struct ck_json j = ck_json_member(top, names[i]);
        CK_TRY(ck_json_string_opt(&j, CK_LIMIT_TOKEN, a, &token));
        CK_TRY(check_token(&j, token));
    }
    if (token.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "token answer: no token");
    *ret = token;
    return NULL;
}

/* Bounds keep the caller's clock arithmetic exact. */
static ck_err *read_expiry(const struct ck_json *top, uint64_t *ret)
{
    enum { LEAST = 60, MOST = 86400 };
    struct ck_json j = ck_json_member(top, "expires_in");
    uint64_t seconds = LEAST;
    if (j.v)
        CK_TRY(ck_json_u64(&j, INT64_MAX, &seconds));
    *ret = seconds < LEAST ? LEAST : seconds > MOST ? MOST : seconds;
    return NULL;
}

ck_err *ck_token_parse(ck_view json, struct ck_arena *a, struct ck_token *ret)
{
    static const char *const known[] = { "token", "access_token", "expires_in", NULL };
    if (json.n > CK_MAX_TOKEN_ANSWER)
        return ck_err_limit(CK_LIMIT_TOKEN_ANSWER, "token answer: %zu bytes", json.n);
    ck_autojson struct ck_json top = { 0 };
    struct ck_token t = { 0 };
    CK_TRY(ck_json_load(json, "token answer", &top));
    CK_TRY(ck_json_object(&top, known));
    CK_TRY(read_token(&top, a, &t.token));
    CK_TRY(read_expiry(&top, &t.expires_in));
    *ret = t;
    return NULL;
}

/* --- listings --------------------------------------------------------------------------------- */

static ck_err *read_name(const struct ck_json *j, struct ck_arena *a, ck_view *ret)
{
    ck_view v;
    CK_TRY(ck_json_string(j, CK_LIMIT_REGISTRY_NAME, a, &v));
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return ck_json_refuse(j, CK_ERR_HOSTILE, "byte %zu stands in no name", i);
    if (!v.n)
        return ck_json_refuse(j, CK_ERR_HOSTILE, "an empty name");
    *ret = v;
    return NULL;
}

ck_err *ck_names_parse(ck_view json, const char *key, struct ck_arena *a, ck_view **ret,
                       size_t *ret_n)
{
    const char *const known[] = { key, NULL };
    ck_autojson struct ck_json top = { 0 };
    size_t n = 0;
    CK_TRY(ck_json_load(json, "listing", &top));
    CK_TRY(ck_json_object(&top, known));
    struct ck_json list = ck_json_member(&top, key);
    CK_TRY(ck_json_array(&list, CK_LIMIT_LISTED_NAMES, &n));
    ck_view *v = ck_arena_alloc(a, n + 1, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        struct ck_json name = ck_json_at(&list, i);
        CK_TRY(read_name(&name, a, &v[i]));
    }
    *ret = v;
    *ret_n = n;
    return NULL;
}

/* --- errors ----------------------------------------------------------------------------------- */

enum { SHOWN = 300 };

static ck_view text_of(const struct ck_json *object, const char *key)
{
    struct ck_json j = ck_json_member(object, key);
    if (!json_is_string(j.v))
        return CK_V("");
    return ck_view_of(json_string_value(j.v), json_string_length(j.v));
}

/* "CODE: message: detail", of what is there. */
static void put_error(struct ck_buf *b, const struct ck_json *e)
{
    static const char *const parts[] = { "code", "message", "detail" };
    size_t start = b->n;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_view text = text_of(e, parts[i]);
        if (text.n == 0)
            continue;
        ck_put_bytes(b, b->n == start ? start ? CK_V("; ") : CK_V("") : CK_V(": "));
        ck_put_bytes(b, ck_view_head(text, SHOWN));
    }
}

/* Token servers use their own words (OAuth 2.0: error_description). */
static void put_other_words(struct ck_buf *b, const struct ck_json *top)
{
    static const char *const keys[] = { "error_description", "details", "message", "error" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && b->n == 0; i++)
        ck_put_bytes(b, ck_view_head(text_of(top, keys[i]), SHOWN));
}

static void one_line(struct ck_buf *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] < 0x20 || b->p[i] == 0x7F)
            b->p[i] = ' ';
}

/* At most `max` bytes, and whole characters. */
static ck_view cut(ck_view v, size_t max)
{
    size_t n = 0, len;
    uint32_t cp;
    while (n < v.n && (len = ck_utf8_next(ck_view_from(v, n), &cp)) && n + len <= max)
        n += len;
    return ck_view_head(v, n);
}

ck_view ck_registry_error_text(ck_view json, struct ck_arena *a)
{
    ck_autojson struct ck_json top = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *none = ck_json_load(json, "errors", &top);
    ck_err_free(none);
    struct ck_json errors = ck_json_member(&top, "errors");
    for (size_t i = 0; i < json_array_size(errors.v) && b.n < SHOWN; i++) {
        struct ck_json e = ck_json_at(&errors, i);
        put_error(&b, &e);
    }
    put_other_words(&b, &top);
    one_line(&b);
    return ck_arena_dup(a, cut(ck_buf_view(&b), SHOWN));
}
