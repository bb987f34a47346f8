/* What every unit test needs; only tests include it. */
#ifndef CK_BASE_UNIT_H
#define CK_BASE_UNIT_H

#include "base/err.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The call must succeed; prints the error where it does not. */
#define assert_ok(expr)                                   \
    do {                                                  \
        ck_err *e_ = (expr);                              \
        if (e_)                                           \
            print_error("%s\n", ck_err_text(e_));         \
        assert_null(e_);                                  \
    } while (0)

/* The call must fail with this class and a text that contains `part`. */
#define assert_fails(expr, cls, part)                                          \
    do {                                                                       \
        ck_err *e_ = (expr);                                                   \
        assert_non_null(e_);                                                   \
        if (!strstr(ck_err_text(e_), part))                                    \
            print_error("not in the error: %s\n  %s\n", part, ck_err_text(e_)); \
        assert_non_null(strstr(ck_err_text(e_), part));                        \
        assert_int_equal(ck_err_class(e_), cls);                               \
        ck_err_free(e_);                                                       \
    } while (0)

#define assert_view(v, literal)                                                 \
    do {                                                                        \
        ck_view v_ = (v);                                                       \
        if (!ck_view_eq(v_, ck_view_str(literal)))                              \
            print_error("got \"%.*s\", want \"%s\"\n", (int)v_.n,                  \
                        v_.n ? (const char *)v_.p : "", literal);                     \
        assert_true(ck_view_eq(v_, ck_view_str(literal)));                      \
    } while (0)

/* A file of the fixtures folder (COCKET_SHARED), whole; skips the test, saying so, where the
 * folder is absent. Free ret->p with free(). */
static inline ck_view unit_shared(const char *name)
{
    const char *dir = getenv("COCKET_SHARED");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir ? dir : "../shared", name);
    FILE *f = fopen(path, "rb");
    if (!f) {
        print_message("skipped: fixtures not present (%s)\n", name);
        skip();
    }
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t n;
    do {
        n = fread(ck_buf_room(&b, 65536), 1, 65536, f);
        b.n += n;
    } while (n);
    fclose(f);
    return ck_buf_view(&b);
}

#endif
