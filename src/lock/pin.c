#include "lock/lock.h"

static ck_err *check(ck_view content, const struct ck_lock_reference *r, size_t from)
{
    if (r->skipped || r->begin < from || r->end < r->begin || r->end > content.n ||
        !ck_view_eq(ck_view_head(ck_view_from(content, r->begin), r->end - r->begin), r->text))
        return ck_err_new(CK_ERR_OURS, "line %u: the reference to pin is not there", r->line);
    return NULL;
}

ck_err *ck_lock_pin(ck_view content, const struct ck_lock_reference *refs, size_t n,
                    const struct ck_digest *const *pins, struct ck_buf *out)
{
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        char digest[CK_DIGEST_TEXT];
        const struct ck_lock_reference *r = &refs[i];
        if (!pins[i])
            continue;
        CK_TRY(check(content, r, done));
        size_t behind = r->begin + ck_view_find(r->text, '@');
        CK_TRY(ck_buf_add(out, ck_view_of(content.p + done, behind - done)));
        CK_TRY(ck_buf_add(out, CK_V("@")));
        CK_TRY(ck_buf_add(out, ck_view_str(ck_digest_text(pins[i], digest))));
        done = r->end;
    }
    return ck_buf_add(out, ck_view_from(content, done));
}
