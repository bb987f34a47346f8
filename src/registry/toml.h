/* A strict reader of TOML 1.0 (toml.io/en/v1.0.0), for files of settings. Floats and dates are
 * refused by name: no setting is one. So is a NUL in a string.
 *
 * Every error is of class USAGE or LIMIT and begins with "FILE:LINE: ".
 */
#ifndef CK_REGISTRY_TOML_H
#define CK_REGISTRY_TOML_H

#include "base/arena.h"
#include "base/err.h"

enum ck_toml_kind {
    CK_TOML_STRING,
    CK_TOML_INTEGER,
    CK_TOML_BOOLEAN,
    CK_TOML_ARRAY,
    CK_TOML_TABLE,
};

/* How a table came to be: what may still be added to it depends on that. */
enum ck_toml_origin {
    CK_TOML_CLOSED,   /* inline tables, and arrays that stand as a value */
    CK_TOML_IMPLICIT, /* named on the way to another table */
    CK_TOML_HEADER,   /* [table], an element of [[array]], the array of such elements, the root */
    CK_TOML_DOTTED,   /* on the way of a dotted key */
};

struct ck_toml {
    enum ck_toml_kind kind;
    enum ck_toml_origin origin;
    unsigned line;         /* where it begins, from 1 on */
    ck_view key;           /* of a table's member */
    ck_view text;          /* STRING: UTF-8 with a NUL behind it, and none inside */
    int64_t integer;       /* INTEGER */
    bool boolean;          /* BOOLEAN */
    struct ck_toml *first; /* TABLE, ARRAY: members in the order of the file */
    struct ck_toml *last, *next;
};

/* The root table; it and all below it live in `a`. `name` is the file's, for errors. */
CK_MUST ck_err *ck_toml_parse(ck_view bytes, const char *name, struct ck_arena *a,
                              struct ck_toml **ret);

/* NULL where the table has no such member. */
const struct ck_toml *ck_toml_get(const struct ck_toml *table, const char *key);

const char *ck_toml_kind_name(enum ck_toml_kind kind); /* "a string" */

#endif
