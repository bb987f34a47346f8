/* The documents that are written here: an index.json always comes out the same way, so that one
 * that another tool wrote is told from ours.
 */
#ifndef CK_LOAD_JSON_H
#define CK_LOAD_JSON_H

#include "base/buf.h"
#include "image/image.h"

#define CK_JSON_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

/* `before`, then "key":"value". */
void ck_json_pair(struct ck_buf *b, const char *before, const char *key, ck_view value);

/* index.json with these entries. Of a descriptor, media type, digest, size, platform, ref_name and
 * image_name are written. */
void ck_json_index(const struct ck_descriptor *v, size_t n, struct ck_buf *b);

#endif
