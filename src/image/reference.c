#include "image/reference.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/grammar.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *const names[CK_TRANSPORT_COUNT_] = {
    [CK_TRANSPORT_DOCKER_ARCHIVE] = "docker-archive",
    [CK_TRANSPORT_OCI] = "oci",
    [CK_TRANSPORT_OCI_ARCHIVE] = "oci-archive",
    [CK_TRANSPORT_ROOTFS] = "rootfs",
    [CK_TRANSPORT_DOCKER] = "docker",
    [CK_TRANSPORT_STORE] = "store",
    [CK_TRANSPORT_DOCKER_DAEMON] = "docker-daemon",
    [CK_TRANSPORT_CONTAINERS_STORAGE] = "containers-storage",
    [CK_TRANSPORT_CONTAINERD] = "containerd",
};

const char *ck_transport_name(enum ck_transport t) { return names[t]; }

/* Known, but not built into this version; and what to do instead. */
static const struct {
    const char *name, *instead;
} absent[] = {
    { "dir", "skopeo copy %s oci:NEWDIR:latest, then oci:NEWDIR:latest" },
    { "ostree", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "sif", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "tarball", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "sbom", NULL },
};

/* `[-._:@+]` or `--` */
static size_t oci_separator(ck_view v, size_t at)
{
    if (v.p[at] == '-')
        return at + 1 < v.n && v.p[at + 1] == '-' ? 2 : 1;
    return v.p[at] && strchr("._:@+", v.p[at]) ? 1 : 0;
}

bool ck_reference_is_oci_name(ck_view v)
{
    return v.n <= CK_MAX_REFERENCE && ck_is_path(v, alnum, oci_separator);
}

bool ck_reference_index(ck_view name, uint64_t *ret)
{
    return name.n > 1 && name.p[0] == '@' && ck_view_u64(ck_view_from(name, 1), ret);
}

static ck_err *not_built_in(const char *text, const char *transport, const char *instead)
{
    ck_autofree char *how = NULL;
    if (!instead)
        return ck_err_new(CK_ERR_USAGE, "%.300s: this version has no transport %s:", text,
                          transport);
    const char *at = strstr(instead, "%s");
    how = ck_format("%.*s%.300s%s", (int)(at - instead), instead, text, at + 2);
    return ck_err_new(CK_ERR_USAGE, "%.300s: this version has no transport %s:; try: %s", text,
                      transport, how);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* What stands behind no transport that is built in: a name at a registry, or a mistake. */
static ck_err *no_transport(const char *text, struct ck_arena *a, struct ck_reference *r)
{
    ck_view v = ck_view_str(text);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        size_t n = strlen(absent[i].name);
        if (ck_view_starts(v, ck_view_str(absent[i].name)) && v.n > n && v.p[n] == ':')
            return not_built_in(text, absent[i].name, absent[i].instead);
    }
    if (v.p[0] == '/' || v.p[0] == '.' || is_file(text))
        return ck_err_new(CK_ERR_USAGE,
                          "%.300s: a path needs its transport: docker-archive:FILE, "
                          "oci-archive:FILE, oci:DIR or rootfs:DIR", text);
    r->transport = CK_TRANSPORT_DOCKER;
    r->name = ck_arena_dup(a, v);
    return ck_name_parse(v, a, &r->image);
}

static bool find_transport(ck_view text, enum ck_transport *ret, ck_view *rest)
{
    size_t colon = ck_view_find(text, ':');
    for (int i = 0; colon < text.n && i < CK_TRANSPORT_COUNT_; i++) {
        if (!ck_view_eq(ck_view_head(text, colon), ck_view_str(names[i])))
            continue;
        *rest = ck_view_from(text, colon + 1);
        /* "docker:dind" is an image */
        if (i == CK_TRANSPORT_DOCKER && !ck_view_starts(*rest, CK_V("//")))
            return false;
        *ret = (enum ck_transport)i;
        return true;
    }
    return false;
}

static bool exists(ck_view path)
{
    ck_autoarena struct ck_arena a = { 0 };
    return path.n && access((const char *)ck_arena_dup(&a, path).p, F_OK) == 0;
}

/* Where the path ends: the position of a ':' or rest.n. */
static size_t path_end(ck_view rest)
{
    size_t first = ck_view_find(rest, ':');
    if (first == rest.n || exists(rest))
        return rest.n;
    for (size_t at = first; at < rest.n; at++) {
        if (rest.p[at] == ':' && exists(ck_view_head(rest, at)))
            return at;
    }
    return first;
}

static ck_err *check_name(const struct ck_reference *r, bool given)
{
    uint64_t index;
    bool docker = r->transport == CK_TRANSPORT_DOCKER_ARCHIVE;
    if (!given || ck_reference_index(r->name, &index))
        return NULL;
    if (docker ? ck_reference_is_docker_name(r->name) : ck_reference_is_oci_name(r->name))
        return NULL;
    return ck_err_new(CK_ERR_USAGE, "%.300s: \"%.*s\" is no %s or @INDEX", r->text,
                      CK_VF(r->name),
                      docker ? "NAME[:TAG]"
                             : "tag (OCI image-spec, org.opencontainers.image.ref.name)");
}

/* Of containers-storage(5) and others: which store, in brackets. Ours to pass on to nobody. */
static ck_err *take_name(ck_view rest, struct ck_arena *a, struct ck_reference *r)
{
    r->name = ck_arena_dup(a, rest);
    if (r->transport == CK_TRANSPORT_DOCKER) {
        r->name = ck_view_from(r->name, 2);
        return ck_name_parse(r->name, a, &r->image);
    }
    if (!rest.n)
        return ck_err_new(CK_ERR_USAGE, "%.300s: the name is missing", r->text);
    for (size_t i = 0; i < rest.n; i++)
        if (!alnum(rest.p[i]) && !strchr("._-/:@", rest.p[i]))
            return ck_err_new(CK_ERR_USAGE, "%.300s: no name of an image", r->text);
    if (rest.p[0] == '-') /* it becomes an argument of other programs */
        return ck_err_new(CK_ERR_USAGE, "%.300s: no name of an image", r->text);
    return NULL;
}

static ck_err *take_path(ck_view rest, struct ck_arena *a, struct ck_reference *r)
{
    size_t end = r->transport == CK_TRANSPORT_ROOTFS ? rest.n : path_end(rest);
    if (end == 0)
        return ck_err_new(CK_ERR_USAGE, "%.300s: the path is missing", r->text);
    r->path = (const char *)ck_arena_dup(a, ck_view_head(rest, end)).p;
    r->name = ck_arena_dup(a, ck_view_from(rest, end + 1));
    return check_name(r, end < rest.n);
}

bool ck_transport_has_path(enum ck_transport t)
{
    return t <= CK_TRANSPORT_ROOTFS;
}

ck_err *ck_reference_parse(const char *text, struct ck_arena *a, struct ck_reference *ret)
{
    ck_view whole = ck_view_str(text), rest;
    struct ck_reference r = { .path = "" };
    if (whole.n == 0)
        return ck_err_new(CK_ERR_USAGE, "an empty reference");
    if (whole.n > CK_MAX_REFERENCE)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_REFERENCE, "a reference of %zu bytes", whole.n),
                              CK_ERR_USAGE);
    r.text = (const char *)ck_arena_dup(a, whole).p;
    if (!find_transport(whole, &r.transport, &rest))
        CK_TRY(no_transport(r.text, a, &r));
    else
        CK_TRY(ck_transport_has_path(r.transport) ? take_path(rest, a, &r)
                                                  : take_name(rest, a, &r));
    *ret = r;
    return NULL;
}
