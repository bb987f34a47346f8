#include "advisory/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned tenths = 0;
    if (ck_cvss_score(ck_view_of(data, size), &tenths) && tenths > 100)
        abort();
    if (ck_severity_parse(ck_view_of(data, size)) >= CK_SEVERITY_COUNT_)
        abort();
    return 0;
}
