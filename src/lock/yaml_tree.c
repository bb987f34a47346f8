#include "lock/yaml_tree.h"

#include "base/mem.h"

#include <stdlib.h>
#include <yaml.h>

struct anchor {
    ck_view name;
    struct ck_yaml_node *node;
};

struct ck_yaml_stream {
    const char *name; /* of a plain one, else NULL */
    ck_view content;  /* behind a byte order mark */
    size_t mark;      /* its length */
    struct ck_arena *a;
    yaml_parser_t parser;
    /* libyaml counts characters: where each one begins. NULL where all are ASCII. */
    uint32_t *places;
    size_t n_places;
    size_t nodes;
    struct ck_yaml_node *open[64 + 1]; /* YAML_DEPTH; [0] is unused */
    size_t depth;
    struct ck_yaml_node *root;
    CK_VEC(struct anchor) anchors;
};

/* --- places ----------------------------------------------------------------------------------- */

static bool continuation(uint8_t c) { return (c & 0xC0) == 0x80; }

static void count_characters(struct ck_yaml_stream *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->content.n; i++)
        n += !continuation(s->content.p[i]);
    if (n == s->content.n)
        return;
    s->places = ck_calloc(n + 1, sizeof *s->places);
    for (size_t i = 0; i < s->content.n; i++)
        if (!continuation(s->content.p[i]))
            s->places[s->n_places++] = (uint32_t)i;
}

static size_t place(const struct ck_yaml_stream *s, yaml_mark_t mark)
{
    if (!s->places)
        return mark.index < s->content.n ? mark.index : s->content.n;
    return mark.index < s->n_places ? s->places[mark.index] : s->content.n;
}

/* A scalar's bytes end at its mark, before the quote; where they are not those of its value they
 * cannot be told from here. Its begin is behind the anchor and the tag, which the mark is not. */
static void place_scalar(const struct ck_yaml_stream *s, const yaml_event_t *ev,
                         struct ck_yaml_node *n)
{
    yaml_scalar_style_t style = ev->data.scalar.style;
    bool plain = style == YAML_PLAIN_SCALAR_STYLE;
    size_t end = place(s, ev->end_mark), quote = plain ? 0 : 1;
    n->plain = plain;
    n->block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;
    size_t start = place(s, ev->start_mark);
    n->begin = n->end = s->mark + start;
    if (n->block || end < start + n->value.n + 2 * quote)
        return;
    size_t begin = end - quote - n->value.n;
    uint8_t mark = style == YAML_DOUBLE_QUOTED_SCALAR_STYLE ? '"' : '\'';
    if (!plain && (s->content.p[begin - 1] != mark || s->content.p[end - 1] != mark))
        return;
    if (!ck_view_eq(ck_view_of(s->content.p + begin, n->value.n), n->value))
        return;
    n->begin = s->mark + begin;
    n->end = n->begin + n->value.n;
}

/* Takes over `e`. */
static ck_err *at(const struct ck_yaml_stream *s, yaml_mark_t mark, ck_err *e)
{
    if (s->name)
        return ck_err_wrap(e, "%s:%zu:%zu", s->name, mark.line + 1, mark.column + 1);
    return ck_err_wrap(e, "line %zu", mark.line + 1);
}

/* --- the tree --------------------------------------------------------------------------------- */

static void add_edge(struct ck_yaml_stream *s, struct ck_yaml_node *n)
{
    struct ck_yaml_edge *edge = ck_arena_alloc(s->a, 1, sizeof *edge);
    struct ck_yaml_node *up = s->depth ? s->open[s->depth] : NULL;
    edge->node = n;
    if (!up)
        s->root = n;
    else if (up->last)
        up->last = up->last->next = edge;
    else
        up->first = up->last = edge;
}

static ck_err *add_anchor(struct ck_yaml_stream *s, const yaml_event_t *ev,
                          const yaml_char_t *name, struct ck_yaml_node *n)
{
    if (!name)
        return NULL;
    if (s->name)
        return at(s, ev->start_mark, ck_err_new(CK_ERR_HOSTILE, "anchors are not read here"));
    if (s->anchors.n == CK_MAX_YAML_ANCHORS)
        return at(s, ev->start_mark, ck_err_limit(CK_LIMIT_YAML_ANCHORS, "one more"));
    struct anchor anchor = { ck_arena_dup(s->a, ck_view_str((const char *)name)), n };
    *ck_push(&s->anchors) = anchor;
    return NULL;
}

static ck_err *add_node(struct ck_yaml_stream *s, const yaml_event_t *ev, struct ck_yaml_node *n,
                        enum ck_yaml_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    n->kind = kind;
    n->line = (unsigned)ev->start_mark.line + 1;
    n->column = (unsigned)ev->start_mark.column + 1;
    if (s->nodes++ == CK_MAX_YAML_NODES)
        return at(s, ev->start_mark, ck_err_limit(CK_LIMIT_YAML_NODES, "one more"));
    if (tag && s->name)
        return at(s, ev->start_mark, ck_err_new(CK_ERR_HOSTILE, "tags are not read here"));
    n->tagged = tag && strcmp((const char *)tag, YAML_STR_TAG) != 0;
    add_edge(s, n);
    return add_anchor(s, ev, anchor, n);
}

static ck_err *scalar(struct ck_yaml_stream *s, const yaml_event_t *ev)
{
    struct ck_yaml_node *n = ck_arena_alloc(s->a, 1, sizeof *n);
    CK_TRY(add_node(s, ev, n, CK_YAML_SCALAR, ev->data.scalar.anchor, ev->data.scalar.tag));
    n->value = ck_arena_dup(s->a, ck_view_of(ev->data.scalar.value, ev->data.scalar.length));
    place_scalar(s, ev, n);
    return NULL;
}

static ck_err *descend(struct ck_yaml_stream *s, const yaml_event_t *ev, enum ck_yaml_kind kind,
                       const yaml_char_t *anchor, const yaml_char_t *tag)
{
    struct ck_yaml_node *n = ck_arena_alloc(s->a, 1, sizeof *n);
    CK_TRY(add_node(s, ev, n, kind, anchor, tag));
    n->begin = n->end = s->mark + place(s, ev->start_mark);
    if (s->depth == CK_MAX_YAML_DEPTH)
        return at(s, ev->start_mark, ck_err_limit(CK_LIMIT_YAML_DEPTH, "nested deeper"));
    s->open[++s->depth] = n;
    return NULL;
}

static ck_err *alias(struct ck_yaml_stream *s, const yaml_event_t *ev)
{
    ck_view name = ck_view_str((const char *)ev->data.alias.anchor);
    if (s->name)
        return at(s, ev->start_mark, ck_err_new(CK_ERR_HOSTILE, "aliases are not read here"));
    if (s->nodes++ == CK_MAX_YAML_NODES)
        return at(s, ev->start_mark, ck_err_limit(CK_LIMIT_YAML_NODES, "one more"));
    for (size_t i = s->anchors.n; i > 0; i--)
        if (ck_view_eq(s->anchors.v[i - 1].name, name)) {
            add_edge(s, s->anchors.v[i - 1].node);
            return NULL;
        }
    return at(s, ev->start_mark,
              ck_err_new(CK_ERR_HOSTILE, "*%.*s is the alias of no anchor",
                         CK_VF(ck_view_head(name, 80))));
}

static ck_err *take(struct ck_yaml_stream *s, const yaml_event_t *ev)
{
    switch (ev->type) {
    case YAML_SCALAR_EVENT:
        return scalar(s, ev);
    case YAML_SEQUENCE_START_EVENT:
        return descend(s, ev, CK_YAML_SEQUENCE, ev->data.sequence_start.anchor,
                       ev->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return descend(s, ev, CK_YAML_MAPPING, ev->data.mapping_start.anchor,
                       ev->data.mapping_start.tag);
    case YAML_ALIAS_EVENT:
        return alias(s, ev);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        s->depth--;
        return NULL;
    case YAML_DOCUMENT_START_EVENT:
        s->anchors.n = 0; /* they end with their document */
        return NULL;
    default:
        return NULL;
    }
}

/* --- the stream ------------------------------------------------------------------------------- */

struct ck_yaml_stream *ck_yaml_open(ck_view content, struct ck_arena *a)
{
    struct ck_yaml_stream *s = ck_new(struct ck_yaml_stream);
    s->mark = ck_view_starts(content, CK_V("\xEF\xBB\xBF")) ? 3 : 0;
    s->content = content = ck_view_from(content, s->mark);
    s->a = a;
    if (!yaml_parser_initialize(&s->parser))
        exit(CK_EXIT_OOM);
    /* else it would read UTF-16 */
    yaml_parser_set_encoding(&s->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&s->parser, content.p ? content.p : (const uint8_t *)"",
                                 content.n);
    count_characters(s);
    return s;
}

struct ck_yaml_stream *ck_yaml_open_plain(ck_view content, const char *name, struct ck_arena *a)
{
    struct ck_yaml_stream *s = ck_yaml_open(content, a);
    s->name = name;
    return s;
}

void ck_yaml_close(struct ck_yaml_stream *s)
{
    yaml_parser_delete(&s->parser);
    free(s->places);
    free(s->anchors.v);
    free(s);
}

static ck_err *syntax_error(const struct ck_yaml_stream *s)
{
    const yaml_parser_t *p = &s->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return ck_err_limit(CK_LIMIT_ROOM_MEMORY, "too large to be read");
    return at(s, p->problem_mark, ck_err_new(CK_ERR_HOSTILE, "no valid YAML: %s",
                                             p->problem ? p->problem : "?"));
}

ck_err *ck_yaml_next(struct ck_yaml_stream *s, struct ck_yaml_node **ret)
{
    yaml_event_t ev;
    s->root = NULL;
    s->depth = 0;
    for (;;) {
        if (!yaml_parser_parse(&s->parser, &ev))
            return syntax_error(s);
        yaml_event_type_t type = ev.type;
        ck_err *e = take(s, &ev);
        yaml_event_delete(&ev);
        if (e)
            return e;
        if (type == YAML_STREAM_END_EVENT || type == YAML_DOCUMENT_END_EVENT)
            break;
    }
    *ret = s->root;
    return NULL;
}
