#include "advisory/feed/json_tree.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <yajl/yajl_parse.h>

enum {
    DEPTH = 64,                /* what the stack holds; JSON_DEPTH may be less */
    MEMBER_ARENA = 1024 * 1024 /* emptied between members once it holds more */
};

struct frame {
    struct ck_jnode *node, *last;
};

struct builder {
    ck_view json;
    const ck_view *skip;
    struct ck_arena *a;
    size_t a_start; /* bytes of the arena that were in use before this document */
    struct frame stack[DEPTH + 1];
    size_t depth;
    size_t skipping; /* depth + 1 at which a value that is not kept began; 0: none */
    ck_view key;
    struct ck_jnode *root;
    ck_err *err;

    /* ck_jtree_members only */
    ck_err *(*put)(void *ctx, const struct ck_jnode *member);
    void *ctx;
    struct ck_arena keys_a;
    CK_VEC(ck_view) keys;
};

static int fail(struct builder *b, ck_err *e)
{
    b->err = e;
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return ck_view_cmp(*(const ck_view *)a, *(const ck_view *)b);
}

/* Sorts `keys`; sorting, because it stays n log n whatever the keys are. */
static ck_err *check_unique(ck_view *keys, size_t n)
{
    if (n > 1)
        qsort(keys, n, sizeof *keys, by_bytes);
    for (size_t i = 1; i < n; i++)
        if (ck_view_eq(keys[i - 1], keys[i]))
            return ck_err_new(CK_ERR_HOSTILE, "JSON: the key \"%.*s\" stands twice in one object",
                              CK_VF(keys[i]));
    return NULL;
}

static ck_err *check_members(const struct ck_jnode *obj)
{
    enum { SMALL = 32 };
    ck_view few[SMALL];
    ck_autofree ck_view *many = NULL;
    ck_view *keys = few;
    if (obj->n > SMALL)
        keys = many = ck_calloc(obj->n, sizeof *many);
    size_t n = 0;
    for (const struct ck_jnode *c = obj->first; c; c = c->next)
        keys[n++] = c->key;
    return check_unique(keys, n);
}

static bool is_ascii(ck_view v)
{
    uint8_t bits = 0;
    for (size_t i = 0; i < v.n; i++)
        bits |= v.p[i];
    return bits < 0x80;
}

/* A string of yajl's: a piece of the input, or a decoded copy that lives until the callback
 * returns. UTF-8 is checked here and not by yajl, which takes surrogates (RFC 3629 section 3). */
static bool keep(struct builder *b, struct ck_arena *a, const unsigned char *s, size_t n,
                 ck_view *ret)
{
    ck_view v = ck_view_of(s, n);
    uintptr_t at = (uintptr_t)s, start = (uintptr_t)b->json.p;
    if (!is_ascii(v) && !ck_utf8_valid(v)) {
        b->err = ck_err_new(CK_ERR_HOSTILE, "JSON: a string that is not UTF-8");
        return false;
    }
    *ret = at >= start && at - start <= b->json.n ? v : ck_arena_dup(a, v);
    return true;
}

static struct ck_jnode *new_node(struct builder *b, enum ck_jtype type)
{
    if (b->a->used - b->a_start > CK_MAX_JSON_TREE) {
        b->err = ck_err_limit(CK_LIMIT_JSON_TREE, "JSON: too large a document");
        return NULL;
    }
    struct ck_jnode *n = ck_arena_alloc(b->a, 1, sizeof *n);
    n->type = type;
    if (b->depth == 0) {
        b->root = n;
        return n;
    }
    struct frame *f = &b->stack[b->depth];
    if (f->node->type == CK_J_OBJECT)
        n->key = b->key;
    if (f->last)
        f->last->next = n;
    else
        f->node->first = n;
    f->last = n;
    f->node->n++;
    return n;
}

/* A member of the root is complete: hand it out and forget it. */
static int member_done(struct builder *b)
{
    if (!b->put || b->depth != 1)
        return 1;
    struct frame *f = &b->stack[1];
    ck_err *e = b->put(b->ctx, f->last);
    if (e)
        return fail(b, e);
    f->last = f->node->first = NULL;
    f->node->n = 0;
    if (b->a->used > MEMBER_ARENA) {
        ck_arena_free(b->a);
        b->root = f->node = ck_arena_alloc(b->a, 1, sizeof *f->node);
        b->root->type = CK_J_OBJECT;
    }
    return 1;
}

static int on_scalar(struct builder *b, enum ck_jtype type, bool truth, const void *s, size_t n)
{
    if (b->skipping) {
        if (b->skipping == b->depth + 1)
            b->skipping = 0;
        return 1;
    }
    struct ck_jnode *node = new_node(b, type);
    if (!node)
        return 0;
    node->truth = truth;
    if (s && !keep(b, b->a, s, n, &node->text))
        return 0;
    return member_done(b);
}

static int on_null(void *ctx) { return on_scalar(ctx, CK_J_NULL, false, NULL, 0); }
static int on_bool(void *ctx, int x) { return on_scalar(ctx, CK_J_BOOL, x != 0, NULL, 0); }
static int on_number(void *ctx, const char *s, size_t n)
{
    return on_scalar(ctx, CK_J_NUMBER, false, s, n);
}
static int on_string(void *ctx, const unsigned char *s, size_t n)
{
    return on_scalar(ctx, CK_J_STRING, false, s, n);
}

static int on_start(struct builder *b, enum ck_jtype type)
{
    if (b->depth >= CK_MAX_JSON_DEPTH || b->depth >= DEPTH)
        return fail(b, ck_err_limit(CK_LIMIT_JSON_DEPTH, "JSON: nested too deeply"));
    if (b->put && b->depth == 0 && type != CK_J_OBJECT)
        return fail(b, ck_err_new(CK_ERR_HOSTILE, "JSON: the document is no object"));
    struct ck_jnode *node = NULL;
    if (!b->skipping && !(node = new_node(b, type)))
        return 0;
    b->stack[++b->depth] = (struct frame){ node, NULL };
    return 1;
}

static int on_end(void *ctx)
{
    struct builder *b = ctx;
    struct ck_jnode *node = b->stack[b->depth--].node;
    if (b->skipping) {
        if (b->skipping == b->depth + 1)
            b->skipping = 0;
        return 1;
    }
    ck_err *e = node->type == CK_J_OBJECT ? check_members(node) : NULL;
    return e ? fail(b, e) : member_done(b);
}

static int on_start_map(void *ctx) { return on_start(ctx, CK_J_OBJECT); }
static int on_start_array(void *ctx) { return on_start(ctx, CK_J_ARRAY); }

static int on_key(void *ctx, const unsigned char *s, size_t n)
{
    struct builder *b = ctx;
    if (b->skipping)
        return 1;
    bool of_root = b->depth == 1;
    if (!keep(b, of_root && b->put ? &b->keys_a : b->a, s, n, &b->key))
        return 0;
    if (of_root && b->put)
        *ck_push(&b->keys) = b->key;
    for (const ck_view *k = of_root ? b->skip : NULL; k && k->p; k++)
        if (ck_view_eq(*k, b->key))
            b->skipping = b->depth + 1;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end,
};

/* yajl does not look whether memory was had; these never fail. */
static void *y_malloc(void *ctx, size_t n)
{
    (void)ctx;
    return ck_realloc(NULL, n, 1);
}
static void *y_realloc(void *ctx, void *p, size_t n)
{
    (void)ctx;
    return ck_realloc(p, n, 1);
}
static void y_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static ck_err *syntax_error(yajl_handle h)
{
    unsigned char *text = yajl_get_error(h, 0, NULL, 0);
    ck_view line = ck_one_line(ck_view_str((const char *)text), 200);
    ck_err *e = ck_err_at(CK_ERR_HOSTILE, yajl_get_bytes_consumed(h), "JSON: %.*s", CK_VF(line));
    yajl_free_error(h, text);
    return e;
}

static ck_err *run(struct builder *b)
{
    yajl_alloc_funcs afs = { y_malloc, y_realloc, y_free, NULL };
    b->a_start = b->a->used;
    yajl_handle h = yajl_alloc(&callbacks, &afs, b);
    (void)yajl_config(h, yajl_dont_validate_strings, 1);
    yajl_status st = yajl_parse(h, b->json.p, b->json.n);
    if (st == yajl_status_ok)
        st = yajl_complete_parse(h);
    ck_err *e = b->err;
    if (st == yajl_status_error && !e)
        e = syntax_error(h);
    yajl_free(h);
    if (!e && !b->root)
        e = ck_err_new(CK_ERR_HOSTILE, "JSON: an empty document");
    return e;
}

ck_err *ck_jtree_parse(ck_view json, const ck_view *skip, struct ck_arena *a,
                       const struct ck_jnode **ret)
{
    struct builder b = { .json = json, .skip = skip, .a = a };
    CK_TRY(run(&b));
    *ret = b.root;
    return NULL;
}

ck_err *ck_jtree_members(ck_view json,
                         ck_err *(*put)(void *ctx, const struct ck_jnode *member),
                         void *ctx)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct builder b = { .json = json, .a = &a, .put = put, .ctx = ctx };
    ck_err *e = run(&b);
    if (!e && b.root->type != CK_J_OBJECT)
        e = ck_err_new(CK_ERR_HOSTILE, "JSON: the document is no object");
    if (!e)
        e = check_unique(b.keys.v, b.keys.n);
    free(b.keys.v);
    ck_arena_free(&b.keys_a);
    return e;
}

const struct ck_jnode *ck_jnode_get(const struct ck_jnode *obj, ck_view key)
{
    if (!obj || obj->type != CK_J_OBJECT)
        return NULL;
    for (const struct ck_jnode *c = obj->first; c; c = c->next)
        if (ck_view_eq(c->key, key))
            return c->type == CK_J_NULL ? NULL : c;
    return NULL;
}

static const char *type_name(enum ck_jtype t)
{
    static const char *const names[] = { "null", "boolean", "number", "string", "array", "object" };
    return names[t];
}

ck_err *ck_jnode_typed(const struct ck_jnode *obj, ck_view key, enum ck_jtype type,
                       const struct ck_jnode **ret)
{
    const struct ck_jnode *n = ck_jnode_get(obj, key);
    if (n && n->type != type)
        return ck_err_new(CK_ERR_HOSTILE, "\"%.*s\" is no %s", CK_VF(key), type_name(type));
    *ret = n;
    return NULL;
}

ck_err *ck_jnode_str(const struct ck_jnode *obj, ck_view key, ck_view *ret)
{
    const struct ck_jnode *n;
    CK_TRY(ck_jnode_typed(obj, key, CK_J_STRING, &n));
    if (n && n->text.n > CK_MAX_FIELD)
        return ck_err_limit(CK_LIMIT_FIELD, "\"%.*s\" is too long", CK_VF(key));
    *ret = n ? n->text : CK_V("");
    return NULL;
}

ck_err *ck_jnode_need_str(const struct ck_jnode *obj, ck_view key, ck_view *ret)
{
    ck_view v;
    CK_TRY(ck_jnode_str(obj, key, &v));
    if (v.n == 0)
        return ck_err_new(CK_ERR_HOSTILE, "\"%.*s\" is missing or empty", CK_VF(key));
    *ret = v;
    return NULL;
}

ck_view ck_one_line(ck_view text, size_t max)
{
    while (text.n && (text.p[0] == '\n' || text.p[0] == '\r' || text.p[0] == ' '))
        text = ck_view_from(text, 1);
    ck_view line = ck_view_trim(ck_view_head(text, ck_view_find(text, '\n')));
    if (line.n <= max)
        return line;
    size_t n = max;
    while (n && (line.p[n] & 0xc0) == 0x80) /* do not cut inside a UTF-8 character */
        n--;
    return ck_view_trim(ck_view_head(line, n));
}
