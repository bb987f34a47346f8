/* The first byte chooses: a scan request, an Accept header, the path of a report. */
#include "serve/harbor_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view rest = ck_view_from(ck_view_of(data, n), 1), id;
    struct ck_harbor_request q;
    ck_err *e = NULL;
    if (!n)
        return 0;
    if (data[0] % 3 == 0) {
        e = ck_harbor_request(rest, &a, &q);
        if (!e && (!q.url.n || !q.repository.n || !q.digest.n))
            __builtin_trap();
    } else if (data[0] % 3 == 1) {
        ck_harbor_accept(rest);
    } else if (ck_harbor_report_id(rest, &id) && id.n + 7 != rest.n) {
        __builtin_trap();
    }
    ck_err_free(e);
    return 0;
}
