#include "advisory/feed/ecosystem.h"
#include "advisory/feed/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static ck_err *put(void *ctx, const struct ck_changelog_entry *e)
{
    (void)ctx;
    for (size_t i = 0; i < e->n_ids; i++)
        if (!ck_is_cve(e->ids[i]) || (i && ck_view_cmp(e->ids[i - 1], e->ids[i]) >= 0))
            __builtin_trap();
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_err_free(ck_debian_changelog(ck_view_of(data, size), put, NULL));
    return 0;
}
