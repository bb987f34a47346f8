/* The words that HTTP header fields are made of (RFC 9110, section 5.6), read from hostile bytes.
 */
#ifndef CK_REGISTRY_WORDS_H
#define CK_REGISTRY_WORDS_H

#include "base/arena.h"
#include "base/err.h"

/* At most HTTP_FIELD bytes, and none that ends a header or a C string early. */
CK_MUST ck_err *ck_words_check(ck_view field);

bool ck_words_at(const ck_cur *c, uint8_t byte); /* the next byte is `byte` */
void ck_words_blanks(ck_cur *c);                 /* skips blanks and tabs */
void ck_words_commas(ck_cur *c);                 /* skips commas and blanks: empty list elements */
ck_view ck_words_token(ck_cur *c);               /* empty where no token stands here */

/* `token BWS "=" BWS ( token / quoted-string )`. Escapes of a quoted string are resolved; such a
 * value lives in `a`, all others in the field. */
CK_MUST ck_err *ck_words_value(ck_cur *c, struct ck_arena *a, ck_view *ret);

/* ASCII only: what HTTP compares without case. */
bool ck_words_same(ck_view a, ck_view b);
ck_view ck_words_lower(ck_view v, struct ck_arena *a);

#endif
