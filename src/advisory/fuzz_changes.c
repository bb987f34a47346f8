#include "advisory/changes.h"

/* Two halves: what was kept, and what is new. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_changes c;
    ck_view v = ck_view_of(data, size);
    size_t half = size / 2;
    ck_err_free(ck_changes_between(ck_view_head(v, half), ck_view_from(v, half), &a, &c));
    return 0;
}
