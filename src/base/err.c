#include "base/err.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024 }; /* CK_MAX_ERROR_TEXT */

struct ck_err {
    enum ck_err_class cls;
    enum ck_limit limit;
    unsigned status;
    char *text;
};

CK_PRINTF(3, 0)
static ck_err *make(enum ck_err_class cls, enum ck_limit limit, const char *fmt, va_list ap)
{
    char raw[TEXT_MAX];
    vsnprintf(raw, sizeof raw, fmt, ap);

    ck_err *e = ck_new(ck_err);
    e->cls = cls;
    e->limit = limit;
    e->text = ck_escape(ck_view_str(raw));
    return e;
}

/* Replaces the text of `e` by one made from the old text and something more. */
static ck_err *retext(ck_err *e, char *text)
{
    free(e->text);
    e->text = text;
    return e;
}

ck_err *ck_err_new(enum ck_err_class cls, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ck_err *e = make(cls, CK_LIMIT_NONE, fmt, ap);
    va_end(ap);
    return e;
}

ck_err *ck_err_at(enum ck_err_class cls, uint64_t offset, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ck_err *e = make(cls, CK_LIMIT_NONE, fmt, ap);
    va_end(ap);
    return retext(e, ck_format("byte %llu: %s", (unsigned long long)offset, e->text));
}

ck_err *ck_err_limit(enum ck_limit limit, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ck_err *e = make(CK_ERR_LIMIT, limit, fmt, ap);
    va_end(ap);
    return retext(e, ck_format("%s (limit %s: %llu %s)", e->text, ck_limit_name(limit),
                               (unsigned long long)ck_limit_value(limit), ck_limit_unit(limit)));
}

ck_err *ck_err_errno(enum ck_err_class cls, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    ck_err *e = make(cls, CK_LIMIT_NONE, fmt, ap);
    va_end(ap);
    retext(e, ck_format("%s: %s", e->text, strerror(saved)));
    errno = saved; /* callers may still ask what it was */
    return e;
}

ck_err *ck_err_wrap(ck_err *inner, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    ck_err *e = make(inner->cls, inner->limit, fmt, ap);
    va_end(ap);
    e->status = inner->status;
    retext(e, ck_format("%s: %s", e->text, inner->text));
    ck_err_free(inner);
    return e;
}

ck_err *ck_err_reclass(ck_err *e, enum ck_err_class cls)
{
    e->cls = cls;
    return e;
}

ck_err *ck_err_restore(enum ck_err_class cls, enum ck_limit limit, ck_view text)
{
    ck_err *e = ck_new(ck_err);
    e->cls = cls;
    e->limit = limit;
    e->text = ck_escape(text);
    return e;
}

ck_err *ck_err_with_status(ck_err *e, unsigned status)
{
    e->status = status;
    return e;
}

unsigned ck_err_status(const ck_err *e) { return e->status; }

enum ck_err_class ck_err_class(const ck_err *e) { return e->cls; }
enum ck_limit ck_err_limit_of(const ck_err *e) { return e->limit; }
const char *ck_err_text(const ck_err *e) { return e->text; }

int ck_err_exit_status(const ck_err *e)
{
    static const int status[CK_ERR_CLASS_COUNT_] = {
        [CK_ERR_USAGE] = 2, [CK_ERR_UNAVAILABLE] = 3, [CK_ERR_HOSTILE] = 4,
        [CK_ERR_LIMIT] = 4, [CK_ERR_OURS] = 5,
    };
    return status[e->cls];
}

void ck_err_free(ck_err *e)
{
    if (!e)
        return;
    free(e->text);
    free(e);
}
