#include "cmd/remote.h"

#include <getopt.h>
#include <string.h>

static ck_err *no_size(const char *text)
{
    return ck_err_new(CK_ERR_USAGE, "%.100s is no size (as in 500M, 20GiB)", text);
}

ck_err *ck_size_parse(const char *text, uint64_t *ret)
{
    static const char units[] = "KMGT";
    ck_view v = ck_view_str(text), fraction = { 0 };
    uint64_t n = 0, tenths = 0, unit = 1;
    if (ck_view_ends(v, CK_V("iB")))
        v.n -= 2;
    else if (ck_view_ends(v, CK_V("B")))
        v.n--;
    const char *u = v.n ? strchr(units, v.p[v.n - 1] & ~0x20) : NULL;
    if (u && *u) {
        unit <<= 10 * (u - units + 1);
        v.n--;
    }
    ck_view whole = ck_view_split(v, '.', &fraction);
    bool has_fraction = whole.n < v.n;
    if (!ck_view_u64(whole, &n) || n > UINT64_MAX / unit / 2 ||
        (has_fraction && (unit == 1 || fraction.n != 1 || !ck_view_u64(fraction, &tenths))))
        return no_size(text);
    if (n * unit + tenths * unit / 10 == 0)
        return no_size(text);
    *ret = n * unit + tenths * unit / 10;
    return NULL;
}

ck_err *ck_remote_args_take(struct ck_remote_args *a, int opt, bool *ret_taken)
{
    *ret_taken = true;
    switch (opt) {
    case CK_OPT_STORE:
        a->store = optarg;
        return NULL;
    case CK_OPT_ALLOW_PRIVATE:
        a->remote.allow_private = true;
        return NULL;
    case CK_OPT_MAX_SIZE:
        return ck_size_parse(optarg, &a->max_size);
    case CK_OPT_REFETCH:
        a->refetch = true;
        return NULL;
    case CK_OPT_AUTHFILE:
        a->remote.paths.auth_file = optarg;
        return NULL;
    case CK_OPT_CERT_DIR:
        a->remote.paths.certs_dir = optarg;
        return NULL;
    case CK_OPT_REGISTRIES_CONF:
        a->remote.paths.registries_conf = optarg;
        return NULL;
    }
    *ret_taken = false;
    return NULL;
}
