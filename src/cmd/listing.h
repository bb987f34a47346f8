/* Tables on standard output: columns as wide as what is in them, wrapped where the terminal is
 * narrower. */
#ifndef CK_CMD_LISTING_H
#define CK_CMD_LISTING_H

#include "base/arena.h"
#include "base/buf.h"

enum { CK_LISTING_COLUMNS = 8 };

struct ck_listing {
    struct ck_arena *a;
    size_t columns;
    unsigned never; /* bits of columns that are never wrapped: digests, times */
    const char *heads[CK_LISTING_COLUMNS];
    const char *(*rows)[CK_LISTING_COLUMNS];
    size_t n, cap;
};

/* Adds a row of `columns` cells, which must be escaped already and live in the arena. */
void ck_listing_row(struct ck_listing *t, const char *const *cells);
void ck_listing_print(const struct ck_listing *t, unsigned width, struct ck_buf *out);
void ck_listing_free(struct ck_listing *t);

/* Escaped, in the arena. */
const char *ck_listing_text(struct ck_arena *a, ck_view v);
/* The name of an image as a person would type it: without docker.io/ and library/. */
const char *ck_listing_name(struct ck_arena *a, ck_view name);

#endif
