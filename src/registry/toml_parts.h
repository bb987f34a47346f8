/* What the two halves of the reader share. Shared by toml*.c only. */
#ifndef CK_REGISTRY_TOML_PARTS_H
#define CK_REGISTRY_TOML_PARTS_H

#include "registry/toml.h"

struct ck_toml_reader {
    ck_cur c;
    const char *name;
    unsigned line;
    uint64_t values, depth;
    struct ck_arena *a;
};

/* "FILE:LINE: ..." of class USAGE. */
CK_FAILS ck_err *ck_toml_refuse(const struct ck_toml_reader *r, const char *fmt, ...)
    CK_PRINTF(2, 3);
CK_FAILS ck_err *ck_toml_limit(const struct ck_toml_reader *r, enum ck_limit limit,
                               const char *what);

/* The next byte, and the one `ahead` of it; 0 at the end, where no NUL can stand. */
uint8_t ck_toml_peek(const struct ck_toml_reader *r, size_t ahead);
bool ck_toml_take(struct ck_toml_reader *r, uint8_t byte); /* skips it if it stands here */
void ck_toml_blanks(struct ck_toml_reader *r);
/* Blanks, a comment, and the end of the line, which must follow unless it is the file's. */
CK_MUST ck_err *ck_toml_line_end(struct ck_toml_reader *r);
/* Any number of blanks, comments and line ends. */
CK_MUST ck_err *ck_toml_gap(struct ck_toml_reader *r);

/* At a quote. Multi-line strings only where `multi`. */
CK_MUST ck_err *ck_toml_string(struct ck_toml_reader *r, bool multi, ck_view *ret);
/* true, false, an integer. */
CK_MUST ck_err *ck_toml_scalar(struct ck_toml_reader *r, struct ck_toml *v);

#endif
