/* What decodes must encode to the same bytes. */
#include "detect/facts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_cur c = ck_cur_of(ck_view_of(data, size));
    for (;;) {
        struct ck_fact f;
        bool end = false;
        size_t at = c.at;
        ck_autobuf struct ck_buf again = ck_buf_new(CK_LIMIT_NONE);
        ck_autoerr ck_err *e = ck_fact_decode(&c, &f, &end);
        if (e || end)
            return 0;
        ck_fact_encode(&f, &again);
        if (again.n != ck_fact_size(&f) ||
            !ck_view_eq(ck_buf_view(&again), ck_view_head(ck_view_from(c.v, at), again.n)))
            abort();
    }
}
