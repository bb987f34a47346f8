#include "advisory/feed/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_buf text = ck_buf_new(CK_LIMIT_CHANGELOG);
    bool found;
    ck_err_free(ck_debian_deb_changelog(ck_view_of(data, size), CK_V("p"), &text, &found));
    ck_buf_free(&text);
    return 0;
}
