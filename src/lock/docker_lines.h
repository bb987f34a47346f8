/* A Dockerfile as instructions: continuations joined, comments and heredocs taken out, with the
 * place in the file of every byte that is left (BuildKit's frontend/dockerfile/parser).
 */
#ifndef CK_LOCK_DOCKER_LINES_H
#define CK_LOCK_DOCKER_LINES_H

#include "base/arena.h"
#include "base/buf.h"

struct ck_docker_lines {
    ck_view content;
    size_t at;     /* of the next line */
    unsigned line; /* its number, from 1 */
    uint8_t escape; /* '\\' or '`' */
    size_t syntax, syntax_end; /* the value of "# syntax="; both 0 where there is none */
    unsigned syntax_line;

    /* The present instruction. */
    ck_view text; /* without leading blanks; into `joined` */
    struct ck_buf joined;
    size_t *places, places_cap; /* of each byte of `joined` in the content */
    unsigned first_line;
};

/* Reads the directives. Free with ck_docker_lines_free also after an error. Class HOSTILE: NUL
 * bytes, an escape that is none, a directive twice. */
CK_MUST ck_err *ck_docker_lines_open(ck_view content, struct ck_docker_lines *ret);
void ck_docker_lines_free(struct ck_docker_lines *d);
/* The next instruction; *ret_end where there is none. */
CK_MUST ck_err *ck_docker_lines_next(struct ck_docker_lines *d, bool *ret_end);
/* Skips the heredocs that the present instruction begins. Class HOSTILE where one does not end. */
CK_MUST ck_err *ck_docker_skip_heredocs(struct ck_docker_lines *d);

/* A word of the present instruction: text[begin .. end). */
struct ck_docker_word {
    size_t begin, end;
    bool quoted; /* holds a quote or the escape character */
};
/* The word at or behind `from`, blanks in quotes being part of it; false at the end. */
bool ck_docker_word(const struct ck_docker_lines *d, size_t from, struct ck_docker_word *ret);
ck_view ck_docker_text(const struct ck_docker_lines *d, struct ck_docker_word w);
/* Where a word stands in the file; false where a line break divides it. */
bool ck_docker_place(const struct ck_docker_lines *d, size_t begin, size_t end, size_t *ret_begin,
                     size_t *ret_end);
bool ck_docker_is(ck_view word, const char *keyword); /* any case */

#endif
