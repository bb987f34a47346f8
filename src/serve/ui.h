/* The pages of the web UI, as tools/embed-ui.py put them into the program. Without Node when it was
 * built there are none.
 */
#ifndef CK_SERVE_UI_H
#define CK_SERVE_UI_H

#include "base/view.h"

struct ck_ui_file {
    const char *path; /* "/index.html"; NULL ends */
    const char *type;
    const char *etag; /* with its quotes: of the bytes as they are */
    bool lasting;     /* what is in it is in its name */
    const uint8_t *gzip;
    size_t n_gzip, n; /* compressed, and as it is */
};
extern const struct ck_ui_file ck_ui_files[];

/* NULL: there is none. */
const struct ck_ui_file *ck_ui_find(ck_view path);

/* Nothing inline, nothing from elsewhere, and no text that becomes markup. */
#define CK_UI_POLICY \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " \
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " \
    "require-trusted-types-for 'script'; trusted-types 'none'"

#endif
