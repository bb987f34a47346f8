/* `cocket log --pulls`: who pulled what. */
#ifndef CK_CMD_PULLS_H
#define CK_CMD_PULLS_H

#include "store/store.h"

struct ck_pulls_args {
    const char *user, *name, *digest, *since, *limit; /* as typed, or NULL */
    bool json;
};
CK_MUST ck_err *ck_pulls_print(const struct ck_pulls_args *a, struct ck_store *s);

#endif
