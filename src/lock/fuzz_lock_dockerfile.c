/* Any bytes as a Dockerfile: see fuzz_lock.h. */
#include "lock/fuzz_lock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_references(CK_LOCK_DOCKERFILE, ck_view_of(data, size));
    return 0;
}
