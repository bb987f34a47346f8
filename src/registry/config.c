/* Which files are read, and in which order. */
#include "registry/config.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "registry/config_parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- files ------------------------------------------------------------------------------------ */

const char *ck_env_path(const char *variable, const char *name, struct ck_arena *a)
{
    const char *dir = getenv(variable);
    return dir && dir[0] == '/' ? ck_arena_format(a, "%s/%s", dir, name) : NULL;
}

ck_err *ck_settings_read(const char *path, struct ck_buf *out, bool *ret_there)
{
    ck_err *e = ck_file_read(path, out);
    *ret_there = !e;
    if (!e)
        return NULL;
    bool absent = ck_err_class(e) == CK_ERR_UNAVAILABLE && (errno == ENOENT || errno == ENOTDIR);
    if (absent) {
        ck_err_free(e);
        return NULL;
    }
    return ck_err_class(e) == CK_ERR_UNAVAILABLE ? ck_err_reclass(e, CK_ERR_USAGE) : e;
}

struct names {
    const char **v;
    size_t n, cap;
};

static int by_bytes(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static ck_err *collect(DIR *d, const char *dir, const char *suffix, struct ck_arena *a,
                       struct names *names)
{
    struct dirent *e;
    for (errno = 0; (e = readdir(d)); errno = 0) {
        ck_view name = ck_view_str(e->d_name);
        if (!ck_view_ends(name, ck_view_str(suffix)) || e->d_type == DT_DIR)
            continue;
        if (names->n == CK_MAX_CONFIG_FILES)
            return ck_err_limit(CK_LIMIT_CONFIG_FILES, "%s", dir);
        *ck_push(names) = (const char *)ck_arena_dup(a, name).p;
    }
    return errno ? ck_err_errno(CK_ERR_USAGE, "%s", dir) : NULL;
}

ck_err *ck_list_dir(const char *dir, const char *suffix, struct ck_arena *a, const char ***ret,
                    size_t *ret_n)
{
    struct names names = { 0 };
    DIR *d = opendir(dir);
    if (!d && errno != ENOENT && errno != ENOTDIR)
        return ck_err_errno(CK_ERR_USAGE, "%s", dir);
    ck_err *e = d ? collect(d, dir, suffix, a, &names) : NULL;
    if (d)
        closedir(d);
    if (!e) {
        if (names.n)
            qsort(names.v, names.n, sizeof names.v[0], by_bytes);
        *ret = ck_arena_alloc(a, names.n + 1, sizeof names.v[0]);
        if (names.n)
            memcpy(*ret, names.v, names.n * sizeof names.v[0]);
        *ret_n = names.n;
    }
    free(names.v);
    return e;
}

/* --- registries.conf -------------------------------------------------------------------------- */

typedef ck_err *reader(struct ck_registry_config *c, const char *file, ck_view bytes);

/* *ret_there may be NULL. */
static ck_err *read_file(struct ck_registry_config *c, const char *path, reader *read,
                         bool *ret_there)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_CONFIG_FILE);
    bool there = false;
    CK_TRY(ck_settings_read(path, &b, &there));
    if (ret_there)
        *ret_there = there;
    return there ? read(c, path, ck_buf_view(&b)) : NULL;
}

/* A file that the user named must be there. */
static ck_err *read_named(struct ck_registry_config *c, const char *path, reader *read)
{
    bool there = false;
    path = ck_arena_format(&c->a, "%s", path);
    CK_TRY(read_file(c, path, read, &there));
    return there ? NULL : ck_err_new(CK_ERR_USAGE, "%s: there is no such file", path);
}

static ck_err *read_drop_ins(struct ck_registry_config *c, const char *dir)
{
    const char **names = NULL;
    size_t n = 0;
    if (!dir)
        return NULL;
    CK_TRY(ck_list_dir(dir, ".conf", &c->a, &names, &n));
    for (size_t i = 0; i < n; i++)
        CK_TRY(read_file(c, ck_arena_format(&c->a, "%s/%s", dir, names[i]),
                         ck_registries_conf_read, NULL));
    return NULL;
}

static const char etc[] = "/etc/containers/registries.conf";
static const char etc_d[] = "/etc/containers/registries.conf.d";

/* A user who has a registries.conf has settings of his own: the system's drop-ins are then not
 * read either. */
static ck_err *read_usual_conf(struct ck_registry_config *c)
{
    const char *named = getenv("CONTAINERS_REGISTRIES_CONF");
    const char *user = ck_env_path("HOME", ".config/containers/registries.conf", &c->a);
    const char *user_d = ck_env_path("HOME", ".config/containers/registries.conf.d", &c->a);
    bool there = false;
    if (named && *named) {
        CK_TRY(read_named(c, named, ck_registries_conf_read));
    } else {
        if (user)
            CK_TRY(read_file(c, user, ck_registries_conf_read, &there));
        if (there)
            return read_drop_ins(c, user_d);
        CK_TRY(read_file(c, etc, ck_registries_conf_read, NULL));
    }
    CK_TRY(read_drop_ins(c, etc_d));
    return read_drop_ins(c, user_d);
}

/* Where podman records what a user chose for a short name. */
static const char *recorded_aliases(struct ck_arena *a)
{
    static const char name[] = "containers/short-name-aliases.conf";
    if (geteuid() == 0)
        return ck_arena_format(a, "/var/cache/%s", name);
    const char *path = ck_env_path("XDG_CACHE_HOME", name, a);
    return path ? path : ck_env_path("HOME", ".cache/containers/short-name-aliases.conf", a);
}

static ck_err *read_conf(struct ck_registry_config *c, const struct ck_registry_paths *p)
{
    const char *recorded = p->short_name_aliases;
    if (p->registries_conf)
        CK_TRY(read_named(c, p->registries_conf, ck_registries_conf_read));
    else
        CK_TRY(read_usual_conf(c));
    if (recorded)
        return read_named(c, recorded, ck_recorded_aliases_read);
    if (!p->registries_conf)
        recorded = recorded_aliases(&c->a);
    return recorded ? read_file(c, recorded, ck_recorded_aliases_read, NULL) : NULL;
}

/* --- credentials ------------------------------------------------------------------------------ */

static ck_err *read_usual_auth(struct ck_registry_config *c)
{
    const char *named = getenv("REGISTRY_AUTH_FILE");
    if (named && *named)
        return read_named(c, named, ck_auth_file_read);
    const char *runtime = ck_env_path("XDG_RUNTIME_DIR", "containers/auth.json", &c->a);
    const char *config = ck_env_path("XDG_CONFIG_HOME", "containers/auth.json", &c->a);
    const char *docker = ck_env_path("DOCKER_CONFIG", "config.json", &c->a);
    const char *const paths[] = {
        runtime ? runtime
                : ck_arena_format(&c->a, "/run/containers/%u/auth.json", (unsigned)getuid()),
        config ? config : ck_env_path("HOME", ".config/containers/auth.json", &c->a),
        docker ? docker : ck_env_path("HOME", ".docker/config.json", &c->a),
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (paths[i])
            CK_TRY(read_file(c, paths[i], ck_auth_file_read, NULL));
    return NULL;
}

static ck_err *load(struct ck_registry_config *c, const struct ck_registry_paths *p)
{
    CK_TRY(read_conf(c, p));
    if (p->certs_dir)
        c->certs_dir = ck_arena_format(&c->a, "%s", p->certs_dir);
    return p->auth_file ? read_named(c, p->auth_file, ck_auth_file_read) : read_usual_auth(c);
}

ck_err *ck_registry_config_load(const struct ck_registry_paths *p, struct ck_registry_config **ret)
{
    struct ck_registry_config *c = ck_new(struct ck_registry_config);
    ck_err *e = load(c, p);
    if (e) {
        ck_registry_config_free(c);
        return e;
    }
    *ret = c;
    return NULL;
}

void ck_registry_config_free(struct ck_registry_config *c)
{
    if (!c)
        return;
    ck_arena_free(&c->a);
    free(c);
}
