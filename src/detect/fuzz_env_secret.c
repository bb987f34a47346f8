/* NAME=VALUE: any bytes are taken, and the answer never depends on what lies behind them. */
#include "detect/env_secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_view value, name = ck_view_split(ck_view_of(data, size), '=', &value);
    ck_env_secret(name, value);
    return 0;
}
