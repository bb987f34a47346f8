/* Certificates for one registry (containers-certs.d(5)). */
#include "base/text.h"
#include "registry/config_parts.h"

#include <errno.h>
#include <sys/stat.h>

/* A ':' and '[' are fine in names; what leaves the folder is not. */
static bool is_name(ck_view host)
{
    return host.n > 0 && host.p[0] != '.' && ck_view_find(host, '/') == host.n &&
           ck_view_find(host, 0) == host.n;
}

static bool exists(const char *dir)
{
    struct stat st;
    return stat(dir, &st) == 0;
}

/* The first that exists; NULL where there is none. What may not be looked at is passed over, as
 * podman does. */
static const char *find_dir(const struct ck_registry_config *c, ck_view host, struct ck_arena *a)
{
    const char *const usual[] = {
        ck_env_path("HOME", ".config/containers/certs.d", a),
        "/etc/containers/certs.d",
        "/etc/docker/certs.d",
    };
    const char *const named[] = { c->certs_dir, NULL, NULL };
    const char *const *roots = c->certs_dir ? named : usual;
    for (size_t i = 0; i < 3; i++) {
        const char *dir =
            roots[i] ? ck_arena_format(a, "%s/%.*s", roots[i], CK_VF(host)) : NULL;
        if (dir && exists(dir))
            return dir;
    }
    return NULL;
}

static ck_err *read_pem(const char *path, struct ck_buf *out)
{
    bool there = false;
    size_t start = out->n;
    CK_TRY(ck_settings_read(path, out, &there));
    if (!there)
        return ck_err_new(CK_ERR_USAGE, "%s: cannot be read: a link that leads nowhere?", path);
    if (out->n == start || !memmem(out->p + start, out->n - start, "-----BEGIN ", 11))
        return ck_err_new(CK_ERR_USAGE, "%s: not in PEM format", path);
    return ck_buf_add(out, CK_V("\n")); /* the last line may lack its end */
}

static ck_err *read_one(const char *path, struct ck_arena *a, ck_view *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    CK_TRY(read_pem(path, &b));
    *ret = ck_arena_dup(a, ck_buf_view(&b));
    explicit_bzero(b.p, b.n);
    return NULL;
}

static ck_err *read_ca(const char *dir, struct ck_arena *a, ck_view *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    const char **names;
    size_t n;
    CK_TRY(ck_list_dir(dir, ".crt", a, &names, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(read_pem(ck_arena_format(a, "%s/%s", dir, names[i]), &b));
    *ret = ck_arena_dup(a, ck_buf_view(&b));
    return NULL;
}

/* Every name of `list` must stand in `others` with the other suffix. */
static ck_err *check_pairs(const char *dir, const char *const *list, size_t n, const char *suffix,
                           const char *const *others, size_t other_n, const char *other_suffix)
{
    for (size_t i = 0; i < n; i++) {
        size_t stem = strlen(list[i]) - strlen(suffix), j = 0;
        while (j < other_n && (strlen(others[j]) != stem + strlen(other_suffix) ||
                               strncmp(list[i], others[j], stem) != 0))
            j++;
        if (j == other_n)
            return ck_err_new(CK_ERR_USAGE,
                              "%s/%s: there is no %.*s%s beside it (a CA's file ends in .crt)", dir,
                              list[i], (int)stem, list[i], other_suffix);
    }
    return NULL;
}

static ck_err *read_client(const char *dir, struct ck_arena *a, struct ck_endpoint *e)
{
    const char **certs, **keys;
    size_t cert_n, key_n;
    CK_TRY(ck_list_dir(dir, ".cert", a, &certs, &cert_n));
    CK_TRY(ck_list_dir(dir, ".key", a, &keys, &key_n));
    CK_TRY(check_pairs(dir, certs, cert_n, ".cert", keys, key_n, ".key"));
    CK_TRY(check_pairs(dir, keys, key_n, ".key", certs, cert_n, ".cert"));
    if (cert_n > 1)
        return ck_err_new(CK_ERR_USAGE, "%s: %s and %s: only one client certificate can be used",
                          dir, certs[0], certs[1]);
    if (cert_n == 0)
        return NULL;
    CK_TRY(read_one(ck_arena_format(a, "%s/%s", dir, certs[0]), a, &e->client_cert));
    return read_one(ck_arena_format(a, "%s/%s", dir, keys[0]), a, &e->client_key);
}

ck_err *ck_certs_find(const struct ck_registry_config *c, ck_view host, struct ck_arena *a,
                      struct ck_endpoint *e)
{
    const char *dir = is_name(host) ? find_dir(c, host, a) : NULL;
    if (!dir)
        return NULL;
    CK_TRY(read_ca(dir, a, &e->ca));
    return read_client(dir, a, e);
}
