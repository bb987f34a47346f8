#include "lock/lock_int.h"

#include <stdlib.h>

void ck_lock_skip(struct ck_lock_reference *r, const char *why)
{
    r->skipped = true;
    r->why = ck_view_str(why);
}

/* Characters that no name has, by what they most likely are. */
static const char *no_name(ck_view text)
{
    if (ck_view_find(text, '$') < text.n || ck_view_find(text, '{') < text.n)
        return "holds a variable";
    return text.n ? "is no name of an image" : "is empty";
}

ck_err *ck_lock_add(struct ck_lock_list *l, ck_view content, size_t begin, size_t end,
                    unsigned line, const char *why)
{
    struct ck_lock_reference r = { .begin = begin, .end = end, .line = line };
    if (l->n == CK_MAX_LOCK_REFERENCES)
        return ck_err_limit(CK_LIMIT_LOCK_REFERENCES, "line %u: one more", line);
    r.text = ck_arena_dup(l->a, ck_view_head(ck_view_from(content, begin), end - begin));
    if (!why) {
        ck_autoerr ck_err *e = ck_name_parse(r.text, l->a, &r.name);
        r.named = !e;
        why = e ? no_name(r.text) : NULL;
    }
    if (why)
        ck_lock_skip(&r, why);
    *ck_push(l) = r;
    return NULL;
}

static int by_place(const void *x, const void *y)
{
    const struct ck_lock_reference *a = x, *b = y;
    return a->begin < b->begin ? -1 : a->begin > b->begin;
}

ck_err *ck_lock_references(enum ck_lock_file_kind kind, ck_view content, struct ck_arena *a,
                           struct ck_lock_reference **ret, size_t *ret_n)
{
    struct ck_lock_list l = { .a = a };
    if (content.n > CK_MAX_LOCK_FILE)
        return ck_err_limit(CK_LIMIT_LOCK_FILE, "%zu bytes", content.n);
    ck_err *e = kind == CK_LOCK_DOCKERFILE ? ck_lock_dockerfile(content, &l)
                                           : ck_lock_yaml(kind, content, &l);
    if (!e) {
        if (l.n)
            qsort(l.v, l.n, sizeof *l.v, by_place);
        *ret = ck_arena_alloc(a, l.n, sizeof **ret);
        if (l.n)
            memcpy(*ret, l.v, l.n * sizeof **ret);
        *ret_n = l.n;
    }
    free(l.v);
    return e;
}

/* --- what a file is --------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c; }

static bool starts(ck_view name, const char *prefix)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < n; i++)
        if (i >= name.n || lower(name.p[i]) != (uint8_t)prefix[i])
            return false;
    return true;
}

static bool ends(ck_view name, const char *suffix)
{
    size_t n = strlen(suffix);
    return name.n >= n && starts(ck_view_from(name, name.n - n), suffix);
}

static ck_view base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return ck_view_str(slash ? slash + 1 : path);
}

/* Dockerfile, Dockerfile.web, web.Dockerfile; Containerfile likewise. */
static bool dockerfile_name(ck_view name)
{
    static const char *const words[] = { "dockerfile", "containerfile" };
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(words[i]);
        if ((starts(name, words[i]) && (name.n == n || name.p[n] == '.')) ||
            (ends(name, words[i]) && name.p[name.n - n - 1] == '.'))
            return true;
    }
    return false;
}

static bool yaml_name(ck_view name)
{
    return ends(name, ".yaml") || ends(name, ".yml") || ends(name, ".json");
}

ck_err *ck_lock_kind(const char *path, ck_view content, enum ck_lock_file_kind *ret)
{
    ck_view name = base_name(path);
    bool found = true;
    if (content.n > CK_MAX_LOCK_FILE)
        return ck_err_limit(CK_LIMIT_LOCK_FILE, "%zu bytes", content.n);
    if (dockerfile_name(name)) {
        *ret = CK_LOCK_DOCKERFILE;
    } else if (yaml_name(name) && (starts(name, "compose.") || starts(name, "docker-compose"))) {
        *ret = CK_LOCK_COMPOSE;
    } else if (yaml_name(name)) {
        enum ck_lock_file_kind kind;
        CK_TRY(ck_lock_yaml_kind(content, &kind, &found));
        if (found)
            *ret = kind;
    } else if (ck_lock_looks_like_dockerfile(content)) {
        *ret = CK_LOCK_DOCKERFILE;
    } else {
        found = false;
    }
    return found ? NULL : ck_err_new(CK_ERR_USAGE, "it is no Dockerfile, Compose or Kubernetes "
                                                   "file");
}
