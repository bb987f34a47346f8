/* Jobs and answers of the registry and the daemon room. What is taken must come back from its own
 * encoding. */
#include "room/daemon_jobs.h"
#include "room/registry_jobs.h"

#include <stdlib.h>

static void same(ck_err *e, const struct ck_buf *b, ck_view v)
{
    if (e || b->n > v.n) /* flags of any value come back as 1: equal but for those */
        abort();
}

static void registry_job(ck_view v, struct ck_arena *a)
{
    struct ck_job_registry j;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *e = ck_job_registry_decode(v, a, &j);
    if (!e)
        same(ck_job_registry_encode(&j, &b), &b, v);
    ck_err_free(e);
}

static void registry_answer(ck_view v, struct ck_arena *a)
{
    struct ck_registry_answer r;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *e = ck_registry_answer_decode(v, a, &r);
    if (!e) {
        ck_registry_answer_encode(&r, &b);
        same(NULL, &b, v);
    }
    ck_err_free(e);
}

static void daemon_job(ck_view v)
{
    struct ck_job_daemon j;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *e = ck_job_daemon_decode(v, &j);
    if (!e) {
        ck_job_daemon_encode(&j, &b);
        same(NULL, &b, v);
    }
    ck_err_free(e);
}

static void daemon_answer(ck_view v)
{
    struct ck_daemon_answer r;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *e = ck_daemon_answer_decode(v, &r);
    if (!e) {
        ck_daemon_answer_encode(&r, &b);
        same(NULL, &b, v);
    }
    ck_err_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_cur c = ck_cur_of(ck_view_of(data, size));
    uint8_t which = ck_cur_u8(&c);
    ck_view v = ck_cur_take(&c, ck_cur_left(&c));
    switch (which % 4) {
    case 0: registry_job(v, &a); break;
    case 1: registry_answer(v, &a); break;
    case 2: daemon_job(v); break;
    case 3: daemon_answer(v); break;
    }
    return 0;
}
