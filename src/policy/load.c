/* Where the policy is. */
#include "policy/policy_int.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static const char builtin[] =
    "# What holds where there is no other policy.\n"
    "version: 1\n"
    "default: allow\n"
    "rules:\n"
    "  - name: built-in\n"
    "    require:\n"
    "      known-exploited: none\n"
    "      severity: { fixable: high }         # nothing critical that has a fix\n"
    "      assessment: { is: complete, otherwise: quarantine }\n"
    "      near-miss: { is: refused, otherwise: quarantine }\n"
    "    otherwise: deny\n"
    "    release: { persons: 1, reason: true }\n";

ck_view ck_policy_builtin(void) { return ck_view_str(builtin); }

static ck_err *load_file(const char *path, struct ck_policy **ret)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_POLICY);
    ck_err *e = ck_file_read(path, &text);
    if (e && ck_err_class(e) == CK_ERR_LIMIT)
        e = ck_err_reclass(e, CK_ERR_USAGE);
    CK_TRY_WRAP(e, "policy");
    return ck_policy_parse(ck_buf_view(&text), path, ret);
}

/* A file that cannot be looked at is not one that is absent. */
static bool is_absent(const char *path)
{
    return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

ck_err *ck_policy_load(const char *path, struct ck_policy **ret)
{
    static const char system_file[] = "/etc/cocket/policy.yaml";
    const char *named = path ? path : getenv("COCKET_POLICY");
    ck_autofree char *own = ck_xdg_path(CK_XDG_CONFIG, "policy.yaml");
    if (named && *named)
        return load_file(named, ret);
    if (own && !is_absent(own))
        return load_file(own, ret);
    if (!is_absent(system_file))
        return load_file(system_file, ret);
    return ck_policy_parse(ck_policy_builtin(), "built-in", ret);
}
