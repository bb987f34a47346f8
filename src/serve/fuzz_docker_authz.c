/* Any envelope is answered, and a judged one has words of a length that fits the question. */
#include "serve/docker_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_docker_question q;
    ck_err *e = ck_docker_question(ck_view_of(data, n), &a, &q);
    if (!e) {
        if ((q.what == CK_DOCKER_JUDGE) != (q.n_words > 0))
            __builtin_trap();
        for (size_t i = 0; i < q.n_words; i++)
            if (!q.words[i].n || q.words[i].n > CK_MAX_ADMISSION_IMAGE)
                __builtin_trap();
        ck_docker_reply(q.what == CK_DOCKER_ALLOW, q.why, &out);
    }
    ck_err_free(e);
    return 0;
}
