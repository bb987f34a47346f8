/* Jobs and answers of the notify room. What is taken must come back from its own encoding, byte for
 * byte. */
#include "room/notify_jobs.h"

#include <stdlib.h>

static void same(const struct ck_buf *b, ck_view v)
{
    if (!ck_view_eq(ck_buf_view(b), v))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_job_notify j;
    struct ck_notify_answer r;
    ck_view v = ck_view_of(data, size);
    ck_err *e = ck_job_notify_decode(v, &a, &j);
    if (!e) {
        ck_job_notify_encode(&j, &b);
        same(&b, v);
    }
    ck_err_free(e);
    ck_buf_clear(&b);
    e = ck_notify_answer_decode(v, &r);
    if (!e) {
        ck_notify_answer_encode(&r, &b);
        same(&b, v);
    }
    ck_err_free(e);
    return 0;
}
