/* Variables before the first FROM of a Dockerfile: ARG NAME=DEFAULT, and their substitution in
 * FROM (BuildKit's shell words).
 */
#ifndef CK_LOCK_DOCKER_ARGS_H
#define CK_LOCK_DOCKER_ARGS_H

#include "base/arena.h"
#include "base/buf.h"

struct ck_docker_args {
    struct ck_arena *a;
    struct ck_docker_arg {
        ck_view name, value;
        bool set; /* has a default that is known */
    } *v;         /* free() */
    size_t n, cap;
};

/* Takes "NAME" or "NAME=VALUE" of an ARG. The value may name earlier arguments. */
CK_MUST ck_err *ck_docker_args_add(struct ck_docker_args *args, ck_view word, uint8_t escape);

/* `word` without its quotes and with its variables replaced. False where a variable has no default
 * here, the form of a substitution is not known, or the result is longer than REFERENCE. */
bool ck_docker_expand(const struct ck_docker_args *args, ck_view word, uint8_t escape,
                      ck_view *ret);

#endif
