/* Tables on standard output: columns as wide as what is in them, wrapped where the terminal is
 * narrower. */
#ifndef CK_CMD_TABLE_H
#define CK_CMD_TABLE_H

#include "base/arena.h"
#include "base/buf.h"

enum { CK_TABLE_COLUMNS = 8 };

struct ck_table {
    struct ck_arena *a;
    size_t columns;
    unsigned never; /* bits of columns that are never wrapped: digests, times */
    const char *heads[CK_TABLE_COLUMNS];
    const char *(*rows)[CK_TABLE_COLUMNS];
    size_t n, cap;
};

/* Adds a row of `columns` cells, which must be escaped already and live in the arena. */
void ck_table_row(struct ck_table *t, const char *const *cells);
void ck_table_print(const struct ck_table *t, unsigned width, struct ck_buf *out);
void ck_table_free(struct ck_table *t);

/* Escaped, in the arena. */
const char *ck_table_text(struct ck_arena *a, ck_view v);

#endif
