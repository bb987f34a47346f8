/* The descriptor, the gate's answer, the file of settings and a token, of the same bytes. */
#include "lockdown/verifier.h"

#include <stdlib.h>

#define D "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
static const char type[] = "application/vnd.oci.descriptor.v1+json";

static bool accepts(ck_err *e)
{
    bool yes = !e;
    ck_err_free(e);
    return yes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view v = ck_view_of(data, size);
    struct ck_verifier_question q;
    struct ck_verifier_answer r;
    struct ck_verifier_conf c;
    const char *header;
    const ck_view good = CK_V("{\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                              "\"digest\":\"" D "\",\"size\":1}");
    accepts(ck_verifier_question_read("x/y:1", D, type, v, &a, &q));
    if (!accepts(ck_verifier_question_read("x/y:1", D, type, good, &a, &q)))
        abort();
    /* an answer that does not hold the digest cannot allow */
    if (accepts(ck_verifier_answer_read(v, &q, &a, &r)) && r.allowed &&
        !memmem(v.p, v.n, "5", 1))
        abort();
    accepts(ck_verifier_conf_parse(v, "verifier.conf", &a, &c));
    if (accepts(ck_verifier_authorization(v, &a, &header)) && strchr(header, '\n'))
        abort();
    return 0;
}
