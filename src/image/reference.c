#include "image/reference.h"

#include "base/mem.h"
#include "base/text.h"

#include <unistd.h>

static const char *const names[CK_TRANSPORT_COUNT_] = {
    [CK_TRANSPORT_DOCKER_ARCHIVE] = "docker-archive",
    [CK_TRANSPORT_OCI] = "oci",
    [CK_TRANSPORT_OCI_ARCHIVE] = "oci-archive",
    [CK_TRANSPORT_ROOTFS] = "rootfs",
};

const char *ck_transport_name(enum ck_transport t) { return names[t]; }

/* Known, but not built into this version; and what to do instead. */
static const struct {
    const char *name, *instead;
} absent[] = {
    { "docker", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "docker-daemon", "skopeo copy %s docker-archive:FILE, then docker-archive:FILE" },
    { "containers-storage", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "dir", "skopeo copy %s oci:NEWDIR:latest, then oci:NEWDIR:latest" },
    { "ostree", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "sif", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "tarball", "skopeo copy %s oci:DIR:latest, then oci:DIR:latest" },
    { "sbom", NULL },
};

static bool lower(uint8_t c) { return c >= 'a' && c <= 'z'; }
static bool upper(uint8_t c) { return c >= 'A' && c <= 'Z'; }
static bool digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool lower_alnum(uint8_t c) { return lower(c) || digit(c); }
static bool alnum(uint8_t c) { return lower(c) || upper(c) || digit(c); }

/* Length of the run of characters that `take` accepts, from `from` on. */
static size_t run(ck_view v, size_t from, bool (*take)(uint8_t))
{
    size_t n = 0;
    while (from + n < v.n && take(v.p[from + n]))
        n++;
    return n;
}

/* Length of a separator between the words of a name: 0 where there is none. */
typedef size_t separator(ck_view v, size_t at);

static bool dash(uint8_t c) { return c == '-'; }

/* `[_.]`, `__` or any number of `-` */
static size_t docker_separator(ck_view v, size_t at)
{
    if (v.p[at] == '_')
        return at + 1 < v.n && v.p[at + 1] == '_' ? 2 : 1;
    return v.p[at] == '.' ? 1 : run(v, at, dash);
}

/* `[-._:@+]` or `--` */
static size_t oci_separator(ck_view v, size_t at)
{
    if (v.p[at] == '-')
        return at + 1 < v.n && v.p[at + 1] == '-' ? 2 : 1;
    return v.p[at] && strchr("._:@+", v.p[at]) ? 1 : 0;
}

/* WORD (SEPARATOR WORD)* */
static bool is_component(ck_view v, bool (*word)(uint8_t), separator *sep)
{
    size_t at = run(v, 0, word);
    while (at && at < v.n) {
        size_t skip = sep(v, at);
        size_t n = skip ? run(v, at + skip, word) : 0;
        at = n ? at + skip + n : 0;
    }
    return at > 0;
}

/* COMPONENT ("/" COMPONENT)* */
static bool is_path(ck_view v, bool (*word)(uint8_t), separator *sep)
{
    while (v.n) {
        bool more = ck_view_find(v, '/') < v.n;
        if (!is_component(ck_view_split(v, '/', &v), word, sep))
            return false;
        if (!more)
            return true;
    }
    return false;
}

bool ck_reference_is_oci_name(ck_view v)
{
    return v.n <= CK_MAX_REFERENCE && is_path(v, alnum, oci_separator);
}

struct docker_name {
    ck_view domain, path, tag;
    bool has_tag;
};

/* The first component is a registry where it could not be a user's name on Docker Hub. */
static bool is_domain(ck_view v)
{
    if (ck_view_find(v, '.') < v.n || ck_view_find(v, ':') < v.n ||
        ck_view_eq(v, CK_V("localhost")))
        return true;
    for (size_t i = 0; i < v.n; i++) {
        if (upper(v.p[i]))
            return true;
    }
    return false;
}

static struct docker_name split_docker(ck_view v)
{
    struct docker_name r = { .domain = CK_V("docker.io"), .path = v };
    size_t slash = ck_view_find(v, '/');
    if (slash < v.n && is_domain(ck_view_head(v, slash)))
        r.domain = ck_view_split(v, '/', &r.path);
    if (ck_view_eq(r.domain, CK_V("index.docker.io")))
        r.domain = CK_V("docker.io");
    r.has_tag = ck_view_find(r.path, ':') < r.path.n;
    r.path = ck_view_split(r.path, ':', &r.tag);
    if (ck_view_eq(r.domain, CK_V("docker.io")) && ck_view_starts(r.path, CK_V("library/")))
        r.path = ck_view_from(r.path, 8);
    return r;
}

static bool host_char(uint8_t c) { return alnum(c) || c == '-' || c == '.'; }

static bool is_host_and_port(ck_view v)
{
    size_t n = run(v, 0, host_char);
    if (n == 0 || !alnum(v.p[0]) || !alnum(v.p[n - 1]))
        return false;
    return n == v.n || (v.p[n] == ':' && n + 1 < v.n && run(v, n + 1, digit) == v.n - n - 1);
}

static bool tag_char(uint8_t c) { return alnum(c) || c == '_' || c == '.' || c == '-'; }

bool ck_reference_is_docker_name(ck_view v)
{
    struct docker_name r = split_docker(v);
    if (v.n > 255 + 1 + 128 || !is_host_and_port(r.domain) ||
        !is_path(r.path, lower_alnum, docker_separator))
        return false;
    if (!r.has_tag)
        return true;
    return r.tag.n >= 1 && r.tag.n <= 128 && run(r.tag, 0, tag_char) == r.tag.n &&
           r.tag.p[0] != '.' && r.tag.p[0] != '-';
}

bool ck_reference_same(ck_view a, ck_view b)
{
    struct docker_name x = split_docker(a), y = split_docker(b);
    return ck_view_eq(x.path, y.path) && ck_view_eq(x.domain, y.domain) &&
           ck_view_eq(x.has_tag ? x.tag : CK_V("latest"), y.has_tag ? y.tag : CK_V("latest"));
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

static ck_err *no_transport(const char *text)
{
    ck_view v = ck_view_str(text);
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        size_t n = strlen(absent[i].name);
        if (ck_view_starts(v, ck_view_str(absent[i].name)) && v.n > n && v.p[n] == ':')
            return not_built_in(text, absent[i].name, absent[i].instead);
    }
    if (v.p[0] == '/' || v.p[0] == '.' || access(text, F_OK) == 0)
        return ck_err_new(CK_ERR_USAGE,
                          "%.300s: a path needs its transport: docker-archive:FILE, "
                          "oci-archive:FILE, oci:DIR or rootfs:DIR", text);
    return ck_err_new(CK_ERR_USAGE,
                      "%.300s: a name without a transport means docker://, which this version has "
                      "not; try: skopeo copy docker://%.300s oci:DIR:latest, then oci:DIR:latest",
                      text, text);
}

static bool find_transport(ck_view text, enum ck_transport *ret, ck_view *rest)
{
    size_t colon = ck_view_find(text, ':');
    for (int i = 0; colon < text.n && i < CK_TRANSPORT_COUNT_; i++) {
        if (ck_view_eq(ck_view_head(text, colon), ck_view_str(names[i]))) {
            *ret = (enum ck_transport)i;
            *rest = ck_view_from(text, colon + 1);
            return true;
        }
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

ck_err *ck_reference_parse(const char *text, struct ck_arena *a, struct ck_reference *ret)
{
    ck_view whole = ck_view_str(text), rest;
    struct ck_reference r = { 0 };
    if (whole.n == 0)
        return ck_err_new(CK_ERR_USAGE, "an empty reference");
    if (whole.n > CK_MAX_REFERENCE)
        return ck_err_reclass(ck_err_limit(CK_LIMIT_REFERENCE, "a reference of %zu bytes", whole.n),
                              CK_ERR_USAGE);
    if (!find_transport(whole, &r.transport, &rest))
        return no_transport(text);
    size_t end = r.transport == CK_TRANSPORT_ROOTFS ? rest.n : path_end(rest);
    if (end == 0)
        return ck_err_new(CK_ERR_USAGE, "%.300s: the path is missing", text);
    r.text = (const char *)ck_arena_dup(a, whole).p;
    r.path = (const char *)ck_arena_dup(a, ck_view_head(rest, end)).p;
    r.name = ck_arena_dup(a, ck_view_from(rest, end + 1));
    CK_TRY(check_name(&r, end < rest.n));
    *ret = r;
    return NULL;
}
