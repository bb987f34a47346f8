/* Any bytes as cases: what is read is judged, by the policy that is built in. */
#include "policy/cases.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_policy_cases cases;
    struct ck_policy *p = NULL;
    ck_err *e = ck_policy_cases_parse(ck_view_of(data, size), "c.yaml", 1800000000, &a, &cases);
    if (e && ck_err_class(e) != CK_ERR_USAGE)
        abort();
    if (!e)
        e = ck_policy_parse(ck_policy_builtin(), "p.yaml", &p);
    for (size_t i = 0; !e && i < cases.n; i++)
        if (ck_policy_case_holds(&cases.v[i], p, &out) != (out.n == 0))
            break;
    ck_err_free(e);
    ck_policy_free(p);
    return 0;
}
