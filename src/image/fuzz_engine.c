/* The first byte chooses: the two documents as text, or the encoding of one. */
#include "image/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_engine_image m;
    ck_view text, rest = ck_view_from(ck_view_of(data, n), 1);
    ck_err *e = NULL;
    if (!n)
        return 0;
    if (data[0] % 3 == 0)
        e = ck_engine_error(rest, &a, &text);
    else if (data[0] % 3 == 1)
        e = ck_engine_image(rest, &a, &m);
    else
        e = ck_engine_image_decode(rest, &a, &m);
    if (!e && data[0] % 3) { /* one value has one encoding */
        struct ck_engine_image back;
        ck_engine_image_encode(&m, &out);
        e = ck_engine_image_decode(ck_buf_view(&out), &a, &back);
        if (e || (data[0] % 3 == 2 && !ck_view_eq(rest, ck_buf_view(&out))))
            __builtin_trap();
    }
    ck_err_free(e);
    return 0;
}
