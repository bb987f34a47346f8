/* Strict reading of one JSON document (RFC 8259) of at most DOCUMENT bytes, over jansson.
 *
 * What two readers may read differently is refused: duplicate keys, keys that differ only in case
 * (Go's readers fold them), a known key in another case, NUL, numbers that no 64-bit integer
 * holds, bytes that are not UTF-8. Nesting (JSON_DEPTH) and the number of values (JSON_VALUES) are
 * checked before the parser sees the document, so that neither the stack nor the memory grows with
 * what it says.
 *
 * A ck_json is a value together with its place; errors name it: "manifest: layers[2].digest: ...".
 * It points to the ck_json that it was taken from, which must outlive it.
 */
#ifndef CK_IMAGE_JSON_H
#define CK_IMAGE_JSON_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>

struct ck_json {
    json_t *v;                /* borrowed from the document; NULL where absent or null */
    const struct ck_json *up; /* NULL for the document */
    const char *key;          /* of an object's member; of the document its name */
    size_t index;             /* of an array's element, where key is NULL */
};

/* No call here touches a file or the random device: they run in a room. Free the document with
 * json_decref(ret->v) or declare it `ck_autojson`. `name` ("manifest") starts every error and
 * must outlive the document. */
CK_MUST ck_err *ck_json_load(ck_view bytes, const char *name, struct ck_json *ret);
static inline void ck_json_free(struct ck_json *doc) { json_decref(doc->v); }
#define ck_autojson __attribute__((cleanup(ck_json_free)))

/* An error of class `cls` at this place. */
CK_FAILS ck_err *ck_json_refuse(const struct ck_json *j, enum ck_err_class cls, const char *fmt,
                                ...) CK_PRINTF(3, 4);

/* Puts this place in front of `inner`, which it takes over; NULL stays NULL. */
CK_MUST ck_err *ck_json_wrap(const struct ck_json *j, ck_err *inner);

/* The value must be an object with fixed keys, those of `known` (ends with NULL) among them: its
 * keys are checked for case. Objects with free keys (annotations, labels) are not opened this
 * way; see ck_json_map. */
CK_MUST ck_err *ck_json_object(const struct ck_json *j, const char *const *known);
/* The value is an object with free keys, or absent. */
CK_MUST ck_err *ck_json_map(const struct ck_json *j);

/* The members of an object with free keys, or none, sorted bytewise by key; at most the limit. Keys
 * are at most REFERENCE bytes and live as long as the document. */
CK_MUST ck_err *ck_json_members(const struct ck_json *j, enum ck_limit limit, struct ck_arena *a,
                                struct ck_json **ret, size_t *ret_n);

struct ck_json ck_json_member(const struct ck_json *object, const char *key);
bool ck_json_has(const struct ck_json *object, const char *key); /* also where it is null */

/* Number of elements, at most the limit; 0 where the value is absent or null, as Go writes empty
 * arrays. */
CK_MUST ck_err *ck_json_array(const struct ck_json *j, enum ck_limit limit, size_t *ret_n);
struct ck_json ck_json_at(const struct ck_json *array, size_t i);

/* A copy in `a`; at most `limit` bytes. The first form refuses an absent value, the second gives
 * "". */
CK_MUST ck_err *ck_json_string(const struct ck_json *j, enum ck_limit limit, struct ck_arena *a,
                               ck_view *ret);
CK_MUST ck_err *ck_json_string_opt(const struct ck_json *j, enum ck_limit limit,
                                   struct ck_arena *a, ck_view *ret);
/* A whole number from 0 to max, written as one (1.0 and 1e3 are refused). */
CK_MUST ck_err *ck_json_u64(const struct ck_json *j, uint64_t max, uint64_t *ret);
/* False where absent. */
CK_MUST ck_err *ck_json_bool_opt(const struct ck_json *j, bool *ret);

#endif
