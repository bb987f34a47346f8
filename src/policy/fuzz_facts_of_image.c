/* What decodes must encode to the same bytes. */
#include "policy/facts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf again = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts f;
    ck_autoerr ck_err *e = ck_facts_decode(ck_view_of(data, size), &a, &f);
    if (e)
        return 0;
    ck_facts_encode(&f, &again);
    if (!ck_view_eq(ck_buf_view(&again), ck_view_of(data, size)))
        abort();
    return 0;
}
