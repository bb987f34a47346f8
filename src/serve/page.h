/* What the hub says of an image, as the page that a person sees who follows a denial's address. No
 * script, no style, nothing from elsewhere; every string is escaped.
 */
#ifndef CK_SERVE_PAGE_H
#define CK_SERVE_PAGE_H

#include "base/buf.h"

#define CK_PAGE_POLICY \
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/* `json` is shown as it is where it is no JSON. */
void ck_page_put(struct ck_buf *out, ck_view what, ck_view json);

#endif
