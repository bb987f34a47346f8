/* The body of the fuzz targets of the JSON feeds; each names its parser as FEED and includes this.
 */
#include "advisory/feed/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What comes out must survive the codec: it crosses a process border next. */
static ck_err *put(void *ctx, const struct ck_advisory *adv)
{
    (void)ctx;
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_advisory back;
    ck_advisory_encode(adv, &b);
    ck_err *e = ck_advisory_decode(ck_buf_view(&b), &a, &back);
    if (e || !ck_view_eq(back.id, adv->id) || back.n_affected != adv->n_affected)
        __builtin_trap();
    ck_buf_free(&b);
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ck_advisory_sink sink = { put, NULL };
    ck_err_free(FEED(ck_view_of(data, size), &sink));
    return 0;
}
