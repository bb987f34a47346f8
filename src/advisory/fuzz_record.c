#include "advisory/record.h"

#include <stdlib.h>

/* What decodes must encode to the same bytes again: there is one form of a record. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory adv;
    ck_autoerr ck_err *e = ck_advisory_decode(ck_view_of(data, size), &a, &adv);
    if (e)
        return 0;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_advisory_encode(&adv, &b);
    if (!ck_view_eq(ck_buf_view(&b), ck_view_of(data, size)))
        abort();
    return 0;
}
