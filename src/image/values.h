/* Values of the documents' own types, read from JSON and judged by media.h. */
#ifndef CK_IMAGE_VALUES_H
#define CK_IMAGE_VALUES_H

#include "image/json.h"
#include "image/media.h"

/* The complaint of a ck_bad_...() as an error at this place; NULL stays NULL. */
CK_MUST ck_err *ck_json_judge(const struct ck_json *j, const char *why);
CK_MUST ck_err *ck_json_digest(const struct ck_json *j, struct ck_arena *a, struct ck_digest *ret);
/* The member `key` as a word of a platform, "" where absent. */
CK_MUST ck_err *ck_json_platform_word(const struct ck_json *object, const char *key,
                                      struct ck_arena *a, ck_view *ret);

#endif
