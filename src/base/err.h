/* The one error style.
 *
 * A function that can fail returns `ck_err *`: NULL is success, anything else is an error that
 * the caller owns and must hand on, wrap or free. The compiler refuses to drop it (CK_MUST).
 * Errors read from the outside in: "layer 3 (sha256:...): tar entry 17 at byte 8704: ...".
 * Outputs (named ret_...) stay untouched on failure. Libraries never log and never exit.
 */
#ifndef CK_BASE_ERR_H
#define CK_BASE_ERR_H

#include "base/limits.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CK_MUST __attribute__((warn_unused_result))
/* What makes an error: never NULL. Else a compiler must think that a failed call may look like one
 * that went well, with outputs that nobody set. */
#define CK_FAILS CK_MUST __attribute__((returns_nonnull))
#define CK_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum ck_err_class {
    CK_ERR_USAGE,       /* what the user said makes no sense           exit 2 */
    CK_ERR_UNAVAILABLE, /* the image or feed could not be had          exit 3 */
    CK_ERR_HOSTILE,     /* bytes from outside break a rule             exit 4 */
    CK_ERR_LIMIT,       /* bytes from outside reach a named limit      exit 4 */
    CK_ERR_OURS,        /* store, database, sandbox, system: our side  exit 5 */
    CK_ERR_CLASS_COUNT_
};

typedef struct ck_err ck_err;

CK_FAILS ck_err *ck_err_new(enum ck_err_class cls, const char *fmt, ...) CK_PRINTF(2, 3);

/* As ck_err_new, with the place in the input: byte `offset`. */
CK_FAILS ck_err *ck_err_at(enum ck_err_class cls, uint64_t offset, const char *fmt, ...)
    CK_PRINTF(3, 4);

/* Class CK_ERR_LIMIT; the text ends with the limit's name and value. */
CK_FAILS ck_err *ck_err_limit(enum ck_limit limit, const char *fmt, ...) CK_PRINTF(2, 3);

/* As ck_err_new, with strerror(errno) behind the text. */
CK_FAILS ck_err *ck_err_errno(enum ck_err_class cls, const char *fmt, ...) CK_PRINTF(2, 3);

/* Puts a place in front of `inner`, which it takes over: "text: inner". Class and limit stay. */
CK_FAILS ck_err *ck_err_wrap(ck_err *inner, const char *fmt, ...) CK_PRINTF(2, 3);

/* The same error with another class; takes over `e`. */
CK_FAILS ck_err *ck_err_reclass(ck_err *e, enum ck_err_class cls);

/* An error that came over a channel: class, limit and text as they were. Never NULL. */
CK_FAILS ck_err *ck_err_restore(enum ck_err_class cls, enum ck_limit limit, ck_view text);

/* The HTTP status of the answer that this error stands for, as in "404: there is no such thing"; 0:
 * none. Wrapping keeps it, a channel does not. Returns `e`. */
CK_FAILS ck_err *ck_err_with_status(ck_err *e, unsigned status);
unsigned ck_err_status(const ck_err *e);

enum ck_err_class ck_err_class(const ck_err *e);
enum ck_limit ck_err_limit_of(const ck_err *e);

/* The whole chain in one line. Lives as long as the error. Control characters are escaped:
 * texts may quote hostile bytes. */
const char *ck_err_text(const ck_err *e);

/* The exit status that the class stands for (DESIGN, section 5). */
int ck_err_exit_status(const ck_err *e);

void ck_err_free(ck_err *e);

/* Returns the error of `expr`, if there is one. */
#define CK_TRY(expr)               \
    do {                           \
        ck_err *ck_try_ = (expr);  \
        if (ck_try_)               \
            return ck_try_;        \
    } while (0)

/* As CK_TRY, with a place in front. */
#define CK_TRY_WRAP(expr, ...)                         \
    do {                                               \
        ck_err *ck_try_ = (expr);                      \
        if (ck_try_)                                   \
            return ck_err_wrap(ck_try_, __VA_ARGS__);  \
    } while (0)

static inline void ck_err_freep(ck_err **e) { ck_err_free(*e); }
#define ck_autoerr __attribute__((cleanup(ck_err_freep)))

#endif
