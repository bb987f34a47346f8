/* The body of the detectors' fuzz targets: FUZZ_RUN names the detector. It must return no error but
 * its limits, and what it says must be facts that the hub accepts.
 */
#include "detect/detect.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_facts(ck_view facts)
{
    ck_cur c = ck_cur_of(facts);
    for (;;) {
        struct ck_fact f;
        bool end = false;
        must(ck_fact_decode(&c, &f, &end) == NULL);
        if (end)
            return;
        must(f.kind != CK_FACT_PACKAGE ||
             (f.package.name.n && f.package.version.n && f.package.source_name.n));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
    ck_autoerr ck_err *e = FUZZ_RUN(ck_view_of(data, size), &out);
    must(!e || ck_err_class(e) == CK_ERR_LIMIT);
    check_facts(ck_buf_view(&out));
    return 0;
}
