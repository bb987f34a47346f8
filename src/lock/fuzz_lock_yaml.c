/* Any bytes as a Compose and as a Kubernetes file: see fuzz_lock.h. */
#include "lock/fuzz_lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum ck_lock_file_kind kind;
    fuzz_references(CK_LOCK_COMPOSE, ck_view_of(data, size));
    fuzz_references(CK_LOCK_KUBERNETES, ck_view_of(data, size));
    ck_err_free(ck_lock_kind("x.yaml", ck_view_of(data, size), &kind));
    return 0;
}
