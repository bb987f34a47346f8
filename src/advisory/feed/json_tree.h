/* A JSON document as a tree in an arena, for the feeds.
 *
 * The parser is yajl, measured on the 21,282 OSV records of the fixtures (68.6 MB, one core, parse
 * and free alone): jansson with JSON_REJECT_DUPLICATES 1.62 s (42 MB/s), json-c 0.74 s (93 MB/s),
 * yajl 0.22 s (310 MB/s). End to end (unzip, parse, normalise) that is 36,000 records a second of
 * CPU time; with jansson it would be some 10,600, before anything is written.
 * yajl knows neither depth nor duplicate keys: both are refused here (limits JSON_DEPTH and
 * JSON_TREE; RFC 8259 section 4 leaves duplicates to the reader, and readers differ).
 */
#ifndef CK_ADVISORY_FEED_JSON_TREE_H
#define CK_ADVISORY_FEED_JSON_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

enum ck_jtype { CK_J_NULL, CK_J_BOOL, CK_J_NUMBER, CK_J_STRING, CK_J_ARRAY, CK_J_OBJECT };

struct ck_jnode {
    enum ck_jtype type;
    bool truth;                /* of a bool */
    ck_view key;               /* of an object's member */
    ck_view text;              /* of a string, decoded, valid UTF-8; of a number, as written */
    struct ck_jnode *first;    /* children of an array or object, in the order given */
    struct ck_jnode *next;
    size_t n;                  /* how many children */
};

/* The whole document. Nodes live in `a`; strings point into `json` where they hold no escapes.
 * Values of the root object's members named in `skip` (NULL-terminated, may be NULL) are checked
 * for syntax and not kept. */
CK_MUST ck_err *ck_jtree_parse(ck_view json, const ck_view *skip, struct ck_arena *a,
                               const struct ck_jnode **ret);

/* A document whose root is an object, one member at a time, so that memory holds one of them: a
 * member lives until `put` returns. A duplicate key of the root is found at the end only. */
CK_MUST ck_err *ck_jtree_members(ck_view json,
                                 ck_err *(*put)(void *ctx, const struct ck_jnode *member),
                                 void *ctx);

/* The member, or NULL; a null value counts as absent. `obj` may be NULL or no object. */
const struct ck_jnode *ck_jnode_get(const struct ck_jnode *obj, ck_view key);

/* The member with its type checked; *ret is NULL (or empty) where it is absent. A string is at most
 * FIELD bytes. */
CK_MUST ck_err *ck_jnode_typed(const struct ck_jnode *obj, ck_view key, enum ck_jtype type,
                               const struct ck_jnode **ret);
CK_MUST ck_err *ck_jnode_str(const struct ck_jnode *obj, ck_view key, ck_view *ret);
/* As ck_jnode_str; absent or empty is refused. */
CK_MUST ck_err *ck_jnode_need_str(const struct ck_jnode *obj, ck_view key, ck_view *ret);

/* A text in one line for a summary: its first line, without blanks at the ends, at most `max`
 * bytes and whole characters. */
ck_view ck_one_line(ck_view text, size_t max);

#endif
