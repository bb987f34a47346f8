/* Authorization headers and scopes: nothing is read outside, and what is let through keeps the
 * rules. */
#include "gateway/credentials.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_credentials c;
    struct ck_scope s;
    ck_view v = ck_view_of(data, size);
    ck_err *e = ck_credentials_parse(v, &a, &c);
    if (!e && c.kind == CK_BASIC && ck_view_find(c.user, ':') < c.user.n)
        abort();
    if (!e && c.kind == CK_BEARER && c.secret.n == 0)
        abort();
    ck_err_free(e);
    if (ck_scope_parse(v, &s)) {
        if (s.name.n == 0 || !ck_scope_within(&s, s.name))
            abort();
        (void)ck_scope_within(&s, ck_view_head(v, size / 2));
    }
    (void)ck_secret_looks_so(v);
    return 0;
}
