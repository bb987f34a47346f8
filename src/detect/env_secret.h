/* Secrets in the environment of an image: everybody who can pull it can read them. */
#ifndef CK_DETECT_ENV_SECRET_H
#define CK_DETECT_ENV_SECRET_H

#include "base/view.h"

/* What the variable looks like ("a token of GitHub"), or NULL. Looks for forms that are known, and
 * at names that say so; values that stand for another (a path, "changeme", "${X}") are none. The
 * text is static: it never holds a part of the value. Takes time in proportion to the value. */
const char *ck_env_secret(ck_view name, ck_view value);

#endif
