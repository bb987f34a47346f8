/* One YAML document as a tree, over libyaml's events: every scalar with its place in the file.
 * Aliases are edges to the node of their anchor and are never copied, so that the tree is as large
 * as the file; it may have cycles. What walks it marks nodes or counts steps.
 */
#ifndef CK_LOCK_YAML_TREE_H
#define CK_LOCK_YAML_TREE_H

#include "base/arena.h"
#include "base/err.h"

enum ck_yaml_kind { CK_YAML_SCALAR, CK_YAML_SEQUENCE, CK_YAML_MAPPING };

struct ck_yaml_node {
    enum ck_yaml_kind kind;
    bool tagged;       /* an explicit tag other than !!str: "!reset" */
    bool block;        /* a scalar written as | or > */
    bool plain;        /* a scalar without quotes */
    unsigned line;     /* from 1 */
    unsigned column;   /* from 1, in characters; behind an anchor or tag it is theirs */
    ck_view value;     /* of a scalar */
    size_t begin, end; /* the scalar's bytes in the file, without quotes; begin == end where they
                          are not those of the value: escaped, folded, or block */
    struct ck_yaml_edge *first, *last; /* of a mapping: key, value, key, value ... */
    /* For walkers: */
    unsigned seen;
    bool done;
    size_t reference; /* 1 + index of what was made of it; 0: nothing */
};
struct ck_yaml_edge {
    struct ck_yaml_node *node;
    struct ck_yaml_edge *next;
};

struct ck_yaml_stream;
/* `content` must outlive the stream. UTF-8 only. */
struct ck_yaml_stream *ck_yaml_open(ck_view content, struct ck_arena *a);
/* As ck_yaml_open, for files of our own: anchors, aliases and tags are refused, and errors begin
 * with "NAME:LINE:COLUMN: ". `name` must outlive the stream. */
struct ck_yaml_stream *ck_yaml_open_plain(ck_view content, const char *name, struct ck_arena *a);
void ck_yaml_close(struct ck_yaml_stream *s);
/* The root of the next document, in the arena; NULL behind the last one, and *ret_end. An empty
 * document has an empty scalar. Class HOSTILE with the line; LIMIT for YAML_DEPTH, YAML_NODES,
 * YAML_ANCHORS. */
CK_MUST ck_err *ck_yaml_next(struct ck_yaml_stream *s, struct ck_yaml_node **ret);

#endif
