/* What the grammars of names have in common. Shared by the files of image/ only. */
#ifndef CK_IMAGE_GRAMMAR_H
#define CK_IMAGE_GRAMMAR_H

#include "base/view.h"

static inline bool lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static inline bool upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
static inline bool digit(uint8_t c) { return c >= '0' && c <= '9'; }
static inline bool lower_alnum(uint8_t c) { return lower(c) || digit(c); }
static inline bool alnum(uint8_t c) { return lower(c) || upper(c) || digit(c); }

typedef bool ck_char_class(uint8_t c);
/* Length of a separator between the words of a name: 0 where there is none. */
typedef size_t ck_separator(ck_view v, size_t at);

/* Length of the run of characters that `take` accepts, from `from` on. */
size_t ck_run(ck_view v, size_t from, ck_char_class *take);
/* COMPONENT ("/" COMPONENT)*, where COMPONENT is WORD (SEPARATOR WORD)* */
bool ck_is_path(ck_view v, ck_char_class *word, ck_separator *sep);

#endif
