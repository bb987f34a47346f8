#include "image/values.h"

ck_err *ck_json_judge(const struct ck_json *j, const char *why)
{
    return why ? ck_json_refuse(j, CK_ERR_HOSTILE, "%s", why) : NULL;
}

ck_err *ck_json_digest(const struct ck_json *j, struct ck_arena *a, struct ck_digest *ret)
{
    ck_view text;
    CK_TRY(ck_json_string(j, CK_LIMIT_REFERENCE, a, &text));
    return ck_json_wrap(j, ck_digest_parse(text, ret));
}

ck_err *ck_json_platform_word(const struct ck_json *object, const char *key, struct ck_arena *a,
                              ck_view *ret)
{
    struct ck_json v = ck_json_member(object, key);
    CK_TRY(ck_json_string_opt(&v, CK_LIMIT_REFERENCE, a, ret));
    return ck_json_judge(&v, ck_bad_platform_word(*ret));
}
