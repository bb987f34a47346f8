#include "advisory/feed/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ck_err *put(void *ctx, const struct ck_archive_source *s)
{
    (void)ctx;
    if (s->n_debs == 0 || s->n_debs > 4 || s->name.n == 0 || s->version.n == 0)
        __builtin_trap();
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_err_free(ck_debian_packages(ck_view_of(data, size), put, NULL));
    return 0;
}
