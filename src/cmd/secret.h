/* Passwords as they are typed or piped in. */
#ifndef CK_CMD_SECRET_H
#define CK_CMD_SECRET_H

#include "base/arena.h"
#include "base/err.h"

/* Asks twice on the terminal, without echo; class USAGE where there is none, or the two differ. */
CK_MUST ck_err *ck_secret_ask(const char *who, struct ck_arena *a, ck_view *ret);
/* The first line of standard input. */
CK_MUST ck_err *ck_secret_read_stdin(struct ck_arena *a, ck_view *ret);

#endif
