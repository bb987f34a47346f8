/* Any bytes as an images.lock: what is read is written, and read again, as the same. */
#include "lock/lock.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf once = ck_buf_new(CK_LIMIT_NONE), twice = ck_buf_new(CK_LIMIT_NONE);
    struct ck_lock_entry *v;
    size_t n;
    ck_err *e = ck_lock_decode(ck_view_of(data, size), &a, &v, &n);
    if (e) {
        ck_err_free(e);
        return 0;
    }
    ck_lock_encode(v, n, &once);
    if (once.n > CK_MAX_DOCUMENT)
        return 0;
    e = ck_lock_decode(ck_buf_view(&once), &a, &v, &n);
    if (e)
        abort();
    ck_lock_encode(v, n, &twice);
    if (!ck_view_eq(ck_buf_view(&once), ck_buf_view(&twice)))
        abort();
    return 0;
}
