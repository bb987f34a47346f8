#include "image/media.h"

#include "base/text.h"
#include "image/reference.h"

static const struct {
    const char *type;
    enum ck_media_kind kind;
    enum ck_compression compression;
} types[] = {
#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."
    { OCI "index.v1+json", CK_MEDIA_INDEX, 0 },
    { DOCKER "distribution.manifest.list.v2+json", CK_MEDIA_INDEX, 0 },
    { OCI "manifest.v1+json", CK_MEDIA_MANIFEST, 0 },
    { DOCKER "distribution.manifest.v2+json", CK_MEDIA_MANIFEST, 0 },
    { OCI "config.v1+json", CK_MEDIA_CONFIG, 0 },
    { DOCKER "container.image.v1+json", CK_MEDIA_CONFIG, 0 },
    { OCI "layer.v1.tar", CK_MEDIA_LAYER, CK_COMPRESSION_NONE },
    { OCI "layer.v1.tar+gzip", CK_MEDIA_LAYER, CK_COMPRESSION_GZIP },
    { OCI "layer.v1.tar+zstd", CK_MEDIA_LAYER, CK_COMPRESSION_ZSTD },
    { OCI "layer.nondistributable.v1.tar", CK_MEDIA_LAYER, CK_COMPRESSION_NONE },
    { OCI "layer.nondistributable.v1.tar+gzip", CK_MEDIA_LAYER, CK_COMPRESSION_GZIP },
    { OCI "layer.nondistributable.v1.tar+zstd", CK_MEDIA_LAYER, CK_COMPRESSION_ZSTD },
    { DOCKER "image.rootfs.diff.tar", CK_MEDIA_LAYER, CK_COMPRESSION_NONE },
    { DOCKER "image.rootfs.diff.tar.gzip", CK_MEDIA_LAYER, CK_COMPRESSION_GZIP },
    { DOCKER "image.rootfs.diff.tar.zstd", CK_MEDIA_LAYER, CK_COMPRESSION_ZSTD },
    { DOCKER "image.rootfs.foreign.diff.tar", CK_MEDIA_LAYER, CK_COMPRESSION_NONE },
    { DOCKER "image.rootfs.foreign.diff.tar.gzip", CK_MEDIA_LAYER, CK_COMPRESSION_GZIP },
    { DOCKER "distribution.manifest.v1+json", CK_MEDIA_SCHEMA1, 0 },
    { DOCKER "distribution.manifest.v1+prettyjws", CK_MEDIA_SCHEMA1, 0 },
    { "application/vnd.oci.artifact.manifest.v1+json", CK_MEDIA_ARTIFACT, 0 },
#undef OCI
#undef DOCKER
};

enum ck_media_kind ck_media_find(ck_view type, enum ck_compression *ret_compression)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (ck_view_eq(type, ck_view_str(types[i].type))) {
            *ret_compression = types[i].compression;
            return types[i].kind;
        }
    }
    return CK_MEDIA_OTHER;
}

enum ck_limit ck_media_size_limit(enum ck_media_kind kind)
{
    return kind == CK_MEDIA_LAYER || kind == CK_MEDIA_OTHER ? CK_LIMIT_LAYER_BLOB
                                                            : CK_LIMIT_DOCUMENT;
}

static bool lower_or_digit(uint8_t c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
static bool letter_or_digit(uint8_t c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z'); }

/* Only characters that `plain` takes or that stand in `extra`. */
static bool made_of(ck_view v, bool (*plain)(uint8_t), const char *extra)
{
    for (size_t i = 0; i < v.n; i++) {
        if (!plain(v.p[i]) && (v.p[i] == 0 || !strchr(extra, v.p[i])))
            return false;
    }
    return true;
}

static bool is_restricted_name(ck_view v)
{
    return v.n >= 1 && v.n <= 127 && letter_or_digit(v.p[0]) &&
           made_of(v, letter_or_digit, "!#$&-^_.+");
}

const char *ck_bad_media_type(ck_view v)
{
    ck_view subtype;
    ck_view type = ck_view_split(v, '/', &subtype);
    return is_restricted_name(type) && is_restricted_name(subtype)
               ? NULL : "must be a media type, TYPE/SUBTYPE (RFC 6838 section 4.2)";
}

const char *ck_bad_platform_word(ck_view v)
{
    return v.n <= 64 && made_of(v, lower_or_digit, "_.-")
               ? NULL : "must be at most 64 lower-case letters, digits, '_', '.' and '-'";
}

const char *ck_bad_platform(const struct ck_platform *p)
{
    const char *why = ck_bad_platform_word(p->os);
    if (!why)
        why = ck_bad_platform_word(p->architecture);
    return why ? why : ck_bad_platform_word(p->variant);
}

bool ck_platform_unknown(const struct ck_platform *p)
{
    return ck_view_eq(p->os, CK_V("unknown")) && ck_view_eq(p->architecture, CK_V("unknown"));
}

static bool has_parent_step(ck_view path, const char *separators)
{
    for (size_t from = 0; from <= path.n;) {
        size_t n = 0;
        ck_view rest = ck_view_from(path, from);
        while (n < rest.n && !strchr(separators, rest.p[n]))
            n++;
        if (ck_view_eq(ck_view_head(rest, n), CK_V("..")))
            return true;
        from += n + 1;
    }
    return false;
}

const char *ck_bad_archive_path(ck_view v)
{
    if (v.n == 0 || v.n > CK_MAX_PATH)
        return "must be a path of 1 to 4096 bytes";
    if (v.p[0] == '/')
        return "must be relative to the archive";
    if (has_parent_step(v, "/"))
        return "must not leave the archive (CVE-2014-9358)";
    for (ck_view rest = v; rest.n;) {
        ck_view part = ck_view_split(rest, '/', &rest);
        if (part.n == 0 || ck_view_eq(part, CK_V(".")))
            return "must be normalised, without \"//\" and \".\"";
    }
    return v.p[v.n - 1] == '/' ? "must name a file" : NULL;
}

const char *ck_bad_title(ck_view v)
{
    if (v.n && (v.p[0] == '/' || v.p[0] == '\\'))
        return "must be a relative file name (CVE-2021-21272)";
    return has_parent_step(v, "/\\") ? "must not hold \"..\" (CVE-2021-21272)" : NULL;
}

const char *ck_bad_time(ck_view v)
{
    int64_t seconds;
    return v.n == 0 || (v.n <= 64 && ck_parse_time(v, &seconds))
               ? NULL : "must be a time as RFC 3339 writes it";
}

/* A number is an id for some runtimes and a name for others unless it is plain and fits. */
static const char *bad_id(ck_view v)
{
    uint64_t id = 0;
    ck_view digits = v;
    if (v.n && (v.p[0] == '+' || v.p[0] == '-'))
        digits = ck_view_from(v, 1);
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return NULL; /* a name */
    }
    if (digits.n == 0)
        return v.n == 0 ? NULL : "a sign is no name";
    if (digits.n != v.n)
        return "a numeric id must have no sign";
    if (v.n > 1 && v.p[0] == '0')
        return "a numeric id must have no leading zero";
    if (!ck_view_u64(v, &id) || id > INT32_MAX)
        return "a numeric id must be at most 2147483647; a larger one becomes 0 in some runtimes "
               "(CVE-2024-40635)";
    return NULL;
}

const char *ck_bad_user(ck_view v)
{
    ck_view group;
    ck_view user = ck_view_split(v, ':', &group);
    if (ck_view_find(group, ':') < group.n)
        return "must be USER or USER:GROUP";
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < 0x20 || v.p[i] == 0x7F)
            return "must not hold control characters";
    }
    /* " 0" is a number for readers that trim. */
    if (ck_view_trim(user).n != user.n || ck_view_trim(group).n != group.n)
        return "must not begin or end with a blank";
    const char *why = bad_id(user);
    return why ? why : bad_id(group);
}

bool ck_history_fits(const struct ck_config_doc *d)
{
    size_t layers = 0;
    for (size_t i = 0; i < d->n_history; i++)
        layers += !d->history[i].empty_layer;
    return layers == d->n_diff_ids;
}

static bool shares_tag(const struct ck_docker_image *a, const struct ck_docker_image *b,
                       ck_view *ret)
{
    for (size_t i = 0; i < a->n_tags; i++) {
        for (size_t k = 0; k < b->n_tags; k++) {
            if (ck_reference_same(a->tags[i], b->tags[k])) {
                *ret = a->tags[i];
                return true;
            }
        }
    }
    return false;
}

ck_err *ck_docker_tags_differ(const struct ck_docker_doc *d)
{
    ck_view tag = { 0 };
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++)
        n += d->images[i].n_tags;
    if (n > CK_MAX_TAGS)
        return ck_err_limit(CK_LIMIT_TAGS, "manifest.json: %zu tags", n);
    for (size_t i = 0; i < d->n; i++) {
        for (size_t k = i + 1; k < d->n; k++) {
            if (shares_tag(&d->images[i], &d->images[k], &tag))
                return ck_err_new(CK_ERR_HOSTILE,
                                  "manifest.json: [%zu].RepoTags: [%zu] has the tag \"%.*s\" too",
                                  k, i, CK_VF(tag));
        }
    }
    return NULL;
}
