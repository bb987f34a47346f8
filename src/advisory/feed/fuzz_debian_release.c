#include "advisory/feed/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_release r;
    ck_err *e = ck_debian_release(ck_view_of(data, size), &a, &r);
    if (!e && r.n_files == 0)
        __builtin_trap();
    ck_err_free(e);
    return 0;
}
