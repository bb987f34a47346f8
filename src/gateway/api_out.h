/* JSON as it is written: members, with commas where they belong. A NULL key: an element of a list.
 */
#ifndef CK_GATEWAY_API_OUT_H
#define CK_GATEWAY_API_OUT_H

#include "base/buf.h"
#include "image/digest.h"

void ck_out_open(struct ck_buf *b, const char *key, char bracket);  /* '{' or '[' */
void ck_out_close(struct ck_buf *b, char bracket);                  /* '}' or ']' */
void ck_out_text(struct ck_buf *b, const char *key, ck_view v);
void ck_out_text_or_null(struct ck_buf *b, const char *key, ck_view v); /* null where it is empty */
void ck_out_texts(struct ck_buf *b, const char *key, const ck_view *v, size_t n);
void ck_out_word(struct ck_buf *b, const char *key, const char *word); /* NULL: null */
void ck_out_u64(struct ck_buf *b, const char *key, uint64_t n);
void ck_out_bool(struct ck_buf *b, const char *key, bool v);
void ck_out_time(struct ck_buf *b, const char *key, int64_t t); /* 0: null */
void ck_out_digest(struct ck_buf *b, const char *key, const struct ck_digest *d);
void ck_out_raw(struct ck_buf *b, const char *key, ck_view json); /* empty: null */

#endif
