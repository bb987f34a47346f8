#include "base/limits.h"

#include <stddef.h>

static const struct {
    const char *name;
    uint64_t value;
    const char *unit, *reason;
} table[CK_LIMIT_COUNT_] = {
    { "none", 0, "", "" },
#define X(name, value, unit, reason) { #name, value, unit, reason },
    CK_LIMITS(X)
#undef X
};

const char *ck_limit_name(enum ck_limit limit)
{
    return (unsigned)limit < CK_LIMIT_COUNT_ ? table[limit].name : "?";
}

uint64_t ck_limit_value(enum ck_limit limit)
{
    return (unsigned)limit < CK_LIMIT_COUNT_ ? table[limit].value : 0;
}

const char *ck_limit_unit(enum ck_limit limit)
{
    return (unsigned)limit < CK_LIMIT_COUNT_ ? table[limit].unit : "";
}

const char *ck_limit_reason(enum ck_limit limit)
{
    return (unsigned)limit < CK_LIMIT_COUNT_ ? table[limit].reason : "";
}
