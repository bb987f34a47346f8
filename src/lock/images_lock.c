#include "base/mem.h"
#include "base/text.h"
#include "image/json.h"
#include "lock/lock.h"

#include <stdlib.h>

enum { VERSION = 1 };

/* --- writing ---------------------------------------------------------------------------------- */

static int by_view(const void *x, const void *y)
{
    return ck_view_cmp(*(const ck_view *)x, *(const ck_view *)y);
}

static int by_reference(const void *x, const void *y)
{
    const struct ck_lock_entry *a = x, *b = y;
    return ck_view_cmp(a->reference, b->reference);
}

/* A copy in order; free(). */
static struct ck_lock_entry *sorted_entries(const struct ck_lock_entry *v, size_t n)
{
    struct ck_lock_entry *sorted = ck_calloc(n + 1, sizeof *sorted);
    if (n) {
        memcpy(sorted, v, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_reference);
    }
    return sorted;
}

/* ["...", "..."], sorted, each once. */
static void put_strings(struct ck_buf *out, const ck_view *v, size_t n)
{
    ck_autofree ck_view *sorted = ck_calloc(n + 1, sizeof *sorted);
    if (n) {
        memcpy(sorted, v, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_view);
    }
    ck_put_u8(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i && ck_view_eq(sorted[i], sorted[i - 1]))
            continue;
        ck_put_bytes(out, i ? CK_V(", ") : CK_V(""));
        ck_buf_json_str(out, sorted[i]);
    }
    ck_put_u8(out, ']');
}

static void put_entry(struct ck_buf *out, const struct ck_lock_entry *e)
{
    char digest[CK_DIGEST_TEXT], seen[32];
    ck_format_time(seen, e->first_seen);
    ck_buf_format(out, "    {\n      \"reference\": ");
    ck_buf_json_str(out, e->reference);
    ck_buf_format(out, ",\n      \"digest\": \"%s\",\n      \"platforms\": ",
                  ck_digest_text(&e->digest, digest));
    put_strings(out, e->platforms, e->n_platforms);
    ck_buf_format(out, ",\n      \"firstSeen\": \"%s\",\n      \"files\": ", seen);
    put_strings(out, e->files, e->n_files);
    ck_buf_format(out, "\n    }");
}

void ck_lock_encode(const struct ck_lock_entry *v, size_t n, struct ck_buf *out)
{
    ck_autofree struct ck_lock_entry *sorted = sorted_entries(v, n);
    ck_buf_format(out, "{\n  \"version\": %d,\n  \"images\": [", VERSION);
    for (size_t i = 0; i < n; i++) {
        ck_put_bytes(out, i ? CK_V(",\n") : CK_V("\n"));
        put_entry(out, &sorted[i]);
    }
    ck_buf_format(out, n ? "\n  ]\n}\n" : "]\n}\n");
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool readable(ck_view v)
{
    if (v.n == 0 || !ck_utf8_valid(v))
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] == 0x7F)
            return false;
    return true;
}

static ck_err *strings(const struct ck_json *object, const char *key, enum ck_limit count,
                       enum ck_limit length, struct ck_arena *a, ck_view **ret, size_t *ret_n)
{
    struct ck_json list = ck_json_member(object, key);
    size_t n;
    CK_TRY(ck_json_array(&list, count, &n));
    ck_view *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        struct ck_json item = ck_json_at(&list, i);
        CK_TRY(ck_json_string(&item, length, a, &v[i]));
        if (!readable(v[i]))
            return ck_json_refuse(&item, CK_ERR_HOSTILE, "must be text without control characters");
    }
    *ret = v;
    *ret_n = n;
    return NULL;
}

static ck_err *reference(const struct ck_json *object, struct ck_arena *a,
                         struct ck_lock_entry *ret)
{
    struct ck_json j = ck_json_member(object, "reference");
    struct ck_name n;
    CK_TRY(ck_json_string(&j, CK_LIMIT_REFERENCE, a, &ret->reference));
    ck_err *e = ck_name_parse(ret->reference, a, &n);
    if (e)
        return ck_json_wrap(&j, ck_err_reclass(e, CK_ERR_HOSTILE));
    if (!ck_view_eq(ret->reference, ck_view_str(ck_name_text(&n, a))))
        return ck_json_refuse(&j, CK_ERR_HOSTILE, "must be written as %s", ck_name_text(&n, a));
    if (n.has_digest && (n.tag.n || !ck_digest_eq(&n.digest, &ret->digest)))
        return ck_json_refuse(&j, CK_ERR_HOSTILE, "must have a tag, or the digest of the entry");
    return NULL;
}

static ck_err *decode_entry(const struct ck_json *j, struct ck_arena *a, struct ck_lock_entry *ret)
{
    static const char *const known[] = { "reference", "digest", "platforms", "firstSeen", "files",
                                         NULL };
    struct ck_json digest = ck_json_member(j, "digest"), seen = ck_json_member(j, "firstSeen");
    ck_view text;
    CK_TRY(ck_json_object(j, known));
    CK_TRY(ck_json_string(&digest, CK_LIMIT_FIELD, a, &text));
    CK_TRY(ck_json_wrap(&digest, ck_digest_parse(text, &ret->digest)));
    CK_TRY(ck_json_string(&seen, CK_LIMIT_FIELD, a, &text));
    if (!ck_parse_time(text, &ret->first_seen))
        return ck_json_refuse(&seen, CK_ERR_HOSTILE, "must be a time (RFC 3339)");
    CK_TRY(reference(j, a, ret));
    CK_TRY(strings(j, "platforms", CK_LIMIT_MANIFESTS, CK_LIMIT_FIELD, a, &ret->platforms,
                   &ret->n_platforms));
    return strings(j, "files", CK_LIMIT_LOCK_FILES, CK_LIMIT_PATH, a, &ret->files, &ret->n_files);
}

static ck_err *no_duplicates(const struct ck_json *images, const struct ck_lock_entry *v, size_t n)
{
    ck_autofree struct ck_lock_entry *sorted = sorted_entries(v, n);
    for (size_t i = 1; i < n; i++)
        if (ck_view_eq(sorted[i].reference, sorted[i - 1].reference))
            return ck_json_refuse(images, CK_ERR_HOSTILE, "%.*s stands there twice",
                                  CK_VF(sorted[i].reference));
    return NULL;
}

static ck_err *decode(const struct ck_json *doc, struct ck_arena *a, struct ck_lock_entry **ret,
                      size_t *ret_n)
{
    static const char *const known[] = { "version", "images", NULL };
    struct ck_json version = ck_json_member(doc, "version"), images = ck_json_member(doc, "images");
    uint64_t number;
    size_t n;
    CK_TRY(ck_json_object(doc, known));
    CK_TRY(ck_json_u64(&version, INT32_MAX, &number));
    if (number != VERSION)
        return ck_json_refuse(&version, CK_ERR_HOSTILE, "%d is what this version reads", VERSION);
    CK_TRY(ck_json_array(&images, CK_LIMIT_LOCK_REFERENCES, &n));
    struct ck_lock_entry *v = ck_arena_alloc(a, n, sizeof *v);
    for (size_t i = 0; i < n; i++) {
        struct ck_json item = ck_json_at(&images, i);
        CK_TRY(decode_entry(&item, a, &v[i]));
    }
    CK_TRY(no_duplicates(&images, v, n));
    *ret = v;
    *ret_n = n;
    return NULL;
}

ck_err *ck_lock_decode(ck_view json, struct ck_arena *a, struct ck_lock_entry **ret, size_t *ret_n)
{
    ck_autojson struct ck_json doc = { 0 };
    CK_TRY(ck_json_load(json, "images.lock", &doc));
    return decode(&doc, a, ret, ret_n);
}
