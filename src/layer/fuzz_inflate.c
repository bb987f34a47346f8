/* First byte: the format and the sizes of the pieces; then the compressed stream. */
#include "layer/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = { 1, 3, 64, SIZE_MAX }, caps[] = { 1, 100, 4096, 65536 };
    static uint8_t out[65536];
    ck_view in = ck_view_of(data, size);
    if (!size)
        return 0;
    uint8_t how = data[0];
    in = ck_view_from(in, 1);
    struct ck_inflate *z = ck_inflate_new(how % CK_COMPRESSION_COUNT_);
    ck_inflate_bound(z, CK_LIMIT_DOCUMENT); /* time, not memory: output is thrown away */
    ck_err *e = NULL;
    size_t n = 1;
    while (!e && (in.n || n)) {
        ck_view part = ck_view_head(in, pieces[how >> 2 & 3]);
        size_t before = part.n;
        e = ck_inflate_step(z, &part, out, caps[how >> 4 & 3], &n);
        in = ck_view_from(in, before - part.n);
    }
    if (!e)
        e = ck_inflate_finish(z);
    ck_err_free(e);
    ck_inflate_free(z);
    return 0;
}
