/* Stacks of layers written as text, for the tests of this folder. A line is one entry:
 *   f PATH SIZE   d PATH   l PATH TARGET   h PATH TARGET   w PATH (whiteout)   o PATH (opaque)
 */
#ifndef CK_LAYER_TEST_STACK_H
#define CK_LAYER_TEST_STACK_H

#include "base/buf.h"
#include "base/mem.h"
#include "base/unit.h"
#include "layer/overlay.h"

struct line {
    char kind;
    char path[64], link[64];
    uint64_t size;
};

enum { STACK_LAYERS = 16 };

struct stack {
    struct ck_buf bytes[STACK_LAYERS];
    struct ck_index layers[STACK_LAYERS];
    struct ck_overlay overlay;
};

static inline enum ck_node_type type_of_kind(char kind)
{
    return kind == 'f'   ? CK_NODE_FILE
           : kind == 'd' ? CK_NODE_DIR
           : kind == 'l' ? CK_NODE_SYMLINK
           : kind == 'h' ? CK_NODE_HARDLINK
                         : CK_NODE_NONE;
}
static inline enum ck_node_type line_type(const struct line *l) { return type_of_kind(l->kind); }

static inline struct ck_node stack_node(char kind, ck_view path, ck_view arg)
{
    struct ck_node n = { .path = path, .type = type_of_kind(kind), .mode = 0644 };
    n.whiteout = kind == 'w';
    n.opaque = kind == 'o';
    if (kind == 'l' || kind == 'h')
        n.link = arg;
    else if (arg.n)
        assert_true(ck_view_u64(arg, &n.size));
    return n;
}

/* Encodes and opens what was added as the next layer. */
static inline ck_err *stack_close(struct stack *s, struct ck_index_writer *w)
{
    size_t i = s->overlay.n;
    assert_true(i < STACK_LAYERS);
    s->bytes[i] = ck_buf_new(CK_LIMIT_FACTS);
    CK_TRY(ck_index_finish(w, &s->bytes[i]));
    CK_TRY(ck_index_open(ck_buf_view(&s->bytes[i]), &s->layers[i]));
    s->overlay = (struct ck_overlay){ s->layers, i + 1 };
    return NULL;
}

static inline ck_err *stack_text(struct stack *s, const char *text)
{
    ck_view rest = ck_view_str(text);
    struct ck_index_writer *w = ck_index_writer_new();
    ck_err *e = NULL;
    while (!e && rest.n) {
        ck_view arg, path;
        ck_view line = ck_view_trim(ck_view_split(rest, '\n', &rest));
        ck_view kind = ck_view_split(line, ' ', &path);
        path = ck_view_split(path, ' ', &arg);
        if (!kind.n)
            continue;
        struct ck_node n = stack_node((char)kind.p[0], path, arg);
        e = ck_index_add(w, &n);
    }
    if (!e)
        e = stack_close(s, w);
    ck_index_writer_free(w);
    return e;
}

static inline void stack_layer(struct stack *s, const char *text)
{
    assert_ok(stack_text(s, text));
}

/* False where the layer is refused. */
static inline bool stack_lines(struct stack *s, const struct line *lines, size_t n)
{
    struct ck_index_writer *w = ck_index_writer_new();
    for (size_t i = 0; i < n; i++) {
        struct ck_node node = stack_node(lines[i].kind, ck_view_str(lines[i].path), CK_V(""));
        node.link = ck_view_str(lines[i].link);
        node.size = lines[i].size;
        assert_ok(ck_index_add(w, &node));
    }
    ck_err *e = stack_close(s, w);
    bool ok = !e;
    ck_err_free(e);
    ck_index_writer_free(w);
    return ok;
}

static inline void stack_free(struct stack *s)
{
    for (size_t i = 0; i < STACK_LAYERS; i++)
        ck_buf_free(&s->bytes[i]);
    *s = (struct stack){ 0 };
}

/* "LAYER TYPE PATH SIZE", "nothing" */
static inline void say_place(struct ck_buf *b, const struct ck_place *p)
{
    static const char *const types[] = { "none", "file", "hardlink", "symlink",
                                         "dir",  "device", "fifo" };
    if (!p->found) {
        ck_buf_format(b, "nothing");
        return;
    }
    ck_buf_format(b, "%zu %s %.*s", p->layer, types[p->node.type], CK_VF(p->node.path));
    if (p->node.type == CK_NODE_FILE)
        ck_buf_format(b, " %llu", (unsigned long long)p->node.size);
    if (p->node.link.n)
        ck_buf_format(b, " -> %.*s", CK_VF(p->node.link));
}

#endif
