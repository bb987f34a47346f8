#include "image/json.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/digest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/auxv.h>

/* "manifest: layers[2].digest" */
static void put_place(struct ck_buf *b, const struct ck_json *j)
{
    if (!j->up) {
        ck_buf_format(b, "%s", j->key);
        return;
    }
    put_place(b, j->up);
    bool first = !j->up->up;
    if (j->key)
        ck_buf_format(b, "%s%s", first ? ": " : ".", j->key);
    else
        ck_buf_format(b, "%s[%zu]", first ? ": " : "", j->index);
}

static char *place(const struct ck_json *j)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    put_place(&b, j);
    return ck_buf_steal_str(&b);
}

ck_err *ck_json_refuse(const struct ck_json *j, enum ck_err_class cls, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ck_autofree char *where = place(j);
    return ck_err_new(cls, "%s: %s", where, text);
}

ck_err *ck_json_wrap(const struct ck_json *j, ck_err *inner)
{
    if (!inner)
        return NULL;
    ck_autofree char *where = place(j);
    return ck_err_wrap(inner, "%s", where);
}

static ck_err *past_limit(const struct ck_json *j, enum ck_limit limit, size_t n)
{
    return ck_json_wrap(j, ck_err_limit(limit, "%zu %s", n, ck_limit_unit(limit)));
}

/* Skips a string whose quote stands before `at`; position behind its closing quote, or v.n. */
static size_t skip_string(ck_view v, size_t at)
{
    while (at < v.n && v.p[at] != '"')
        at += v.p[at] == '\\' ? 2 : 1;
    return at < v.n ? at + 1 : v.n;
}

/* Nesting and values, without recursion. Where the document is no JSON the counts may be wrong, but
 * never below what the parser meets before it notices. */
static ck_err *survey(ck_view v)
{
    uint64_t depth = 0, values = 1;
    for (size_t i = 0; i < v.n;) {
        uint8_t c = v.p[i++];
        if (c == '"') {
            i = skip_string(v, i);
        } else if (c == '[' || c == '{') {
            depth++;
            values++;
        } else if (c == ',') {
            values++;
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
        if (depth > CK_MAX_JSON_DEPTH)
            return ck_err_limit(CK_LIMIT_JSON_DEPTH, "nested deeper at byte %zu", i - 1);
        if (values > CK_MAX_JSON_VALUES)
            return ck_err_limit(CK_LIMIT_JSON_VALUES, "more values at byte %zu", i - 1);
    }
    return NULL;
}

/* jansson seeds its hash tables from /dev/urandom, which a room cannot open. The kernel put random
 * bytes beside the program's arguments; hashed, because the stack protector uses them too. */
static void seed_hash_tables(void)
{
    const void *random = (const void *)getauxval(AT_RANDOM); /* NOLINT: an address by contract */
    struct ck_digest d = { 0 };
    if (random)
        ck_hash_of(CK_DIGEST_SHA256, ck_view_of(random, 16), &d);
    size_t seed = 0;
    memcpy(&seed, d.bytes, sizeof seed);
    json_object_seed(seed ? seed : 1); /* only the first call counts */
}

static ck_err *syntax_error(const json_error_t *e)
{
    uint64_t at = (uint64_t)e->position;
    switch (json_error_code(e)) {
    case json_error_out_of_memory:
        return ck_err_limit(CK_LIMIT_ROOM_MEMORY, "too large to be read");
    case json_error_duplicate_key:
        return ck_err_at(CK_ERR_HOSTILE, at, "%s", e->text);
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return ck_err_at(CK_ERR_HOSTILE, at, "a NUL in a string");
    case json_error_numeric_overflow:
        return ck_err_at(CK_ERR_HOSTILE, at, "a number that 64 bits do not hold: %s", e->text);
    default:
        return ck_err_at(CK_ERR_HOSTILE, at, "no valid JSON: %s", e->text);
    }
}

static ck_err *parse(ck_view bytes, json_t **ret)
{
    if (bytes.n > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "%zu bytes", bytes.n);
    size_t nul = ck_view_find(bytes, 0);
    if (nul < bytes.n)
        return ck_err_at(CK_ERR_HOSTILE, nul, "a NUL byte");
    CK_TRY(survey(bytes));
    seed_hash_tables();
    json_error_t e = { 0 };
    json_t *root = json_loadb((const char *)bytes.p, bytes.n, JSON_REJECT_DUPLICATES, &e);
    if (!root)
        return syntax_error(&e);
    *ret = root;
    return NULL;
}

ck_err *ck_json_load(ck_view bytes, const char *name, struct ck_json *ret)
{
    json_t *root = NULL;
    CK_TRY_WRAP(parse(bytes, &root), "%s", name);
    *ret = (struct ck_json){ .v = root, .key = name };
    return NULL;
}

/* As Go's encoding/json folds keys: ASCII case, LATIN SMALL LETTER LONG S and KELVIN SIGN. */
static void fold(struct ck_buf *b, ck_view key)
{
    ck_buf_clear(b);
    while (key.n) {
        uint32_t cp = 0;
        size_t len = ck_utf8_next(key, &cp);
        if (cp >= 'A' && cp <= 'Z')
            ck_put_u8(b, (uint8_t)(cp - 'A' + 'a'));
        else if (cp == 0x17F || cp == 0x212A)
            ck_put_u8(b, cp == 0x17F ? 's' : 'k');
        else
            ck_put_bytes(b, ck_view_head(key, len ? len : 1));
        key = ck_view_from(key, len ? len : 1);
    }
}

static json_t *folded_get(const json_t *folded, struct ck_buf *b, const char *key)
{
    fold(b, ck_view_str(key));
    return json_object_getn(folded, (const char *)b->p, b->n);
}

/* Fills `folded` with every key of the object, folded. */
static ck_err *fold_keys(const struct ck_json *j, json_t *folded)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const char *key;
    json_t *value;
    json_object_foreach(j->v, key, value) {
        if (folded_get(folded, &b, key))
            return ck_json_refuse(j, CK_ERR_HOSTILE,
                                  "key \"%.100s\" differs from another one only in case", key);
        if (json_object_setn_new_nocheck(folded, (const char *)b.p, b.n, json_true()))
            return ck_err_limit(CK_LIMIT_ROOM_MEMORY, "an object of %zu keys",
                                json_object_size(j->v));
    }
    return NULL;
}

static ck_err *check_case(const struct ck_json *j, const char *const *known, json_t *folded)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    CK_TRY(fold_keys(j, folded));
    for (; *known; known++) {
        if (!json_object_get(j->v, *known) && folded_get(folded, &b, *known))
            return ck_json_refuse(j, CK_ERR_HOSTILE,
                                  "key \"%s\" is written in another case, which some readers "
                                  "take for it and others do not", *known);
    }
    return NULL;
}

ck_err *ck_json_object(const struct ck_json *j, const char *const *known)
{
    if (!json_is_object(j->v))
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must be an object");
    json_t *folded = json_object();
    if (!folded)
        return ck_err_limit(CK_LIMIT_ROOM_MEMORY, "%s", j->key ? j->key : "an object");
    ck_err *e = check_case(j, known, folded);
    json_decref(folded);
    return e;
}

ck_err *ck_json_map(const struct ck_json *j)
{
    if (j->v && !json_is_object(j->v))
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must be an object");
    return NULL;
}

static int by_key(const void *x, const void *y)
{
    return strcmp(((const struct ck_json *)x)->key, ((const struct ck_json *)y)->key);
}

ck_err *ck_json_members(const struct ck_json *j, enum ck_limit limit, struct ck_arena *a,
                        struct ck_json **ret, size_t *ret_n)
{
    size_t n = 0;
    const char *key;
    json_t *value;
    CK_TRY(ck_json_map(j));
    size_t max = json_object_size(j->v);
    if (max > ck_limit_value(limit))
        return past_limit(j, limit, max);
    struct ck_json *v = ck_arena_alloc(a, max, sizeof *v);
    json_object_foreach(j->v, key, value) {
        v[n++] = (struct ck_json){ json_is_null(value) ? NULL : value, j, key, 0 };
        if (strlen(key) > CK_MAX_REFERENCE)
            return past_limit(j, CK_LIMIT_REFERENCE, strlen(key));
    }
    if (n)
        qsort(v, n, sizeof *v, by_key);
    *ret = v;
    *ret_n = n;
    return NULL;
}

struct ck_json ck_json_member(const struct ck_json *object, const char *key)
{
    json_t *v = json_object_get(object->v, key);
    return (struct ck_json){ json_is_null(v) ? NULL : v, object, key, 0 };
}

bool ck_json_has(const struct ck_json *object, const char *key)
{
    return json_object_get(object->v, key) != NULL;
}

ck_err *ck_json_array(const struct ck_json *j, enum ck_limit limit, size_t *ret_n)
{
    if (j->v && !json_is_array(j->v))
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must be an array");
    size_t n = json_array_size(j->v);
    if (n > ck_limit_value(limit))
        return past_limit(j, limit, n);
    *ret_n = n;
    return NULL;
}

struct ck_json ck_json_at(const struct ck_json *array, size_t i)
{
    json_t *v = json_array_get(array->v, i);
    return (struct ck_json){ json_is_null(v) ? NULL : v, array, NULL, i };
}

ck_err *ck_json_string_opt(const struct ck_json *j, enum ck_limit limit, struct ck_arena *a,
                           ck_view *ret)
{
    if (!j->v) {
        *ret = CK_V("");
        return NULL;
    }
    if (!json_is_string(j->v))
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must be a string");
    size_t n = json_string_length(j->v);
    if (n > ck_limit_value(limit))
        return past_limit(j, limit, n);
    *ret = ck_arena_dup(a, ck_view_of(json_string_value(j->v), n));
    return NULL;
}

ck_err *ck_json_string(const struct ck_json *j, enum ck_limit limit, struct ck_arena *a,
                       ck_view *ret)
{
    if (!j->v)
        return ck_json_refuse(j, CK_ERR_HOSTILE, "is missing");
    return ck_json_string_opt(j, limit, a, ret);
}

ck_err *ck_json_u64(const struct ck_json *j, uint64_t max, uint64_t *ret)
{
    if (!j->v)
        return ck_json_refuse(j, CK_ERR_HOSTILE, "is missing");
    if (!json_is_integer(j->v))
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must be a whole number");
    json_int_t x = json_integer_value(j->v);
    if (x < 0)
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must not be negative");
    if ((uint64_t)x > max)
        return ck_json_refuse(j, CK_ERR_HOSTILE, "%llu is more than %llu", (unsigned long long)x,
                              (unsigned long long)max);
    *ret = (uint64_t)x;
    return NULL;
}

ck_err *ck_json_bool_opt(const struct ck_json *j, bool *ret)
{
    if (j->v && !json_is_boolean(j->v))
        return ck_json_refuse(j, CK_ERR_HOSTILE, "must be true or false");
    *ret = json_is_true(j->v);
    return NULL;
}
