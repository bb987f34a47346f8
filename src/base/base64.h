/* Base64 of the standard alphabet (RFC 4648, section 4). */
#ifndef CK_BASE_BASE64_H
#define CK_BASE_BASE64_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends, with padding. */
void ck_base64_put(struct ck_buf *out, ck_view v);

/* Nothing but the alphabet and at most two '=' at the end is let through. `padded`: they may not be
 * left out. The result lives in `a`, with a NUL behind it. */
bool ck_base64_decode(ck_view v, bool padded, struct ck_arena *a, ck_view *ret);

#endif
