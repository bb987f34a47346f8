/* Writes one JSON document (RFC 8259), laid out as `jq .` does: two blanks a level. Nothing here
 * fails: the buffer has no ceiling, or one that the caller knows to hold.
 */
#ifndef CK_BASE_JSON_WRITE_H
#define CK_BASE_JSON_WRITE_H

#include "base/buf.h"

struct ck_json_out {
    struct ck_buf *out;
    unsigned depth;
    bool filled; /* the innermost array or object has an element */
};

/* Before each element of an array, and the document itself needs none. */
void ck_jw_element(struct ck_json_out *j);
void ck_jw_key(struct ck_json_out *j, const char *name);
void ck_jw_begin(struct ck_json_out *j, char bracket); /* '{' or '[' */
void ck_jw_end(struct ck_json_out *j, char bracket);   /* '}' or ']' */

/* A member; its end is ck_jw_end. */
void ck_jw_object(struct ck_json_out *j, const char *name);
void ck_jw_array(struct ck_json_out *j, const char *name);

void ck_jw_string(struct ck_json_out *j, const char *name, ck_view v);
void ck_jw_null(struct ck_json_out *j, const char *name);
void ck_jw_optional(struct ck_json_out *j, const char *name, ck_view v); /* empty: null */
void ck_jw_number(struct ck_json_out *j, const char *name, uint64_t x);
void ck_jw_bool(struct ck_json_out *j, const char *name, bool x);
void ck_jw_time(struct ck_json_out *j, const char *name, int64_t seconds); /* 0: null */
void ck_jw_strings(struct ck_json_out *j, const char *name, const ck_view *v, size_t n);

#endif
