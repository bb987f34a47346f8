/* Range (RFC 9110, section 14) of what is given out, Content-Range of what comes in. Pure. */
#ifndef CK_SERVE_RANGE_H
#define CK_SERVE_RANGE_H

#include "base/view.h"

enum ck_range {
    CK_RANGE_WHOLE, /* no range, or one that may be ignored: other units, several ranges */
    CK_RANGE_PART,
    CK_RANGE_NONE,  /* 416 */
};
/* "bytes=500-1499", "bytes=500-", "bytes=-500" of `size` bytes; *ret_length is not 0. */
enum ck_range ck_range_parse(ck_view header, uint64_t size, uint64_t *ret_first,
                             uint64_t *ret_length);

/* "0-1023" (distribution-spec, "Pushing a blob in chunks"), or "bytes 0-1023/..." as some send. */
bool ck_content_range_parse(ck_view header, uint64_t *ret_first, uint64_t *ret_length);

#endif
