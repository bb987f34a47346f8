/* The grammar of names, and Docker's defaults for them. */
#include "image/name.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/grammar.h"
#include "image/reference.h"

size_t ck_run(ck_view v, size_t from, ck_char_class *take)
{
    size_t n = 0;
    while (from + n < v.n && take(v.p[from + n]))
        n++;
    return n;
}

/* WORD (SEPARATOR WORD)* */
static bool is_component(ck_view v, ck_char_class *word, ck_separator *sep)
{
    size_t at = ck_run(v, 0, word);
    while (at && at < v.n) {
        size_t skip = sep(v, at);
        size_t n = skip ? ck_run(v, at + skip, word) : 0;
        at = n ? at + skip + n : 0;
    }
    return at > 0;
}

bool ck_is_path(ck_view v, ck_char_class *word, ck_separator *sep)
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

static bool dash(uint8_t c) { return c == '-'; }

/* `[_.]`, `__` or any number of `-` */
static size_t docker_separator(ck_view v, size_t at)
{
    if (v.p[at] == '_')
        return at + 1 < v.n && v.p[at + 1] == '_' ? 2 : 1;
    return v.p[at] == '.' ? 1 : ck_run(v, at, dash);
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
    ck_view official = ck_view_from(r.path, 8);
    if (ck_view_eq(r.domain, CK_V("docker.io")) && ck_view_starts(r.path, CK_V("library/")) &&
        ck_view_find(official, '/') == official.n)
        r.path = official;
    return r;
}

static bool host_char(uint8_t c) { return alnum(c) || c == '-' || c == '.'; }
static bool address_char(uint8_t c) { return alnum(c) || c == ':' || c == '.'; }

/* Length of a host name or of an IPv6 address in brackets at the start; 0: there is none. */
static size_t host_length(ck_view v)
{
    if (v.n > 3 && v.p[0] == '[') {
        size_t n = ck_run(v, 1, address_char);
        return n && n + 1 < v.n && v.p[n + 1] == ']' ? n + 2 : 0;
    }
    size_t n = ck_run(v, 0, host_char);
    return n && alnum(v.p[0]) && alnum(v.p[n - 1]) ? n : 0;
}

static bool is_host_and_port(ck_view v)
{
    size_t n = host_length(v);
    if (n == 0)
        return false;
    return n == v.n || (v.p[n] == ':' && n + 1 < v.n && ck_run(v, n + 1, digit) == v.n - n - 1);
}

static bool tag_char(uint8_t c) { return alnum(c) || c == '_' || c == '.' || c == '-'; }

bool ck_reference_is_docker_name(ck_view v)
{
    struct docker_name r = split_docker(v);
    if (v.n > 255 + 1 + 128 || !is_host_and_port(r.domain) ||
        !ck_is_path(r.path, lower_alnum, docker_separator))
        return false;
    if (!r.has_tag)
        return true;
    return r.tag.n >= 1 && r.tag.n <= 128 && ck_run(r.tag, 0, tag_char) == r.tag.n &&
           r.tag.p[0] != '.' && r.tag.p[0] != '-';
}

bool ck_reference_same(ck_view a, ck_view b)
{
    struct docker_name x = split_docker(a), y = split_docker(b);
    return ck_view_eq(x.path, y.path) && ck_view_eq(x.domain, y.domain) &&
           ck_view_eq(x.has_tag ? x.tag : CK_V("latest"), y.has_tag ? y.tag : CK_V("latest"));
}

/* --- with defaults ---------------------------------------------------------------------------- */

static const char docker_scheme[] = "docker://";

static ck_err *no_name(ck_view whole, const char *why)
{
    return ck_err_new(CK_ERR_USAGE,
                      "%.*s: no name of an image (HOST/NAME[:TAG][@DIGEST]): %s",
                      CK_VF(ck_view_head(whole, 300)), why);
}

static ck_err *take_digest(ck_view whole, ck_view text, struct ck_name *n)
{
    ck_err *e = ck_digest_parse(text, &n->digest);
    n->has_digest = true;
    return e ? ck_err_reclass(ck_err_wrap(e, "%.*s", CK_VF(ck_view_head(whole, 300))),
                              CK_ERR_USAGE)
             : NULL;
}

ck_err *ck_name_parse(ck_view text, struct ck_arena *a, struct ck_name *ret)
{
    ck_view v = text, digest;
    struct ck_name n = { 0 };
    if (ck_view_starts(v, ck_view_str(docker_scheme)))
        v = ck_view_from(v, sizeof docker_scheme - 1);
    if (ck_view_find(v, '@') < v.n) {
        v = ck_view_split(v, '@', &digest);
        CK_TRY(take_digest(text, digest, &n));
    }
    if (!v.n)
        return no_name(text, "it is empty");
    if (!ck_reference_is_docker_name(v))
        return no_name(text, "lower case letters, digits and . _ - between them, in components of "
                             "a path");
    struct docker_name d = split_docker(v);
    size_t slash = ck_view_find(v, '/');
    n.host_given = slash < v.n && is_domain(ck_view_head(v, slash));
    n.tag_given = d.has_tag;
    ck_view tag;
    if (!n.host_given)
        n.typed = ck_arena_dup(a, ck_view_split(v, ':', &tag));
    n.host = ck_arena_dup(a, d.domain);
    bool official = ck_view_eq(d.domain, CK_V("docker.io")) &&
                    ck_view_find(d.path, '/') == d.path.n;
    n.path = ck_view_str(ck_arena_format(a, "%s%.*s", official ? "library/" : "", CK_VF(d.path)));
    n.tag = d.has_tag ? ck_arena_dup(a, d.tag)
                      : n.has_digest ? (ck_view){ 0 } : CK_V("latest");
    if (n.host.n + 1 + n.path.n > 255)
        return no_name(text, "more than 255 bytes");
    *ret = n;
    return NULL;
}

const char *ck_name_repository(const struct ck_name *n, struct ck_arena *a)
{
    return ck_arena_format(a, "%.*s/%.*s", CK_VF(n->host), CK_VF(n->path));
}

static const char *with_tag(const char *repository, const struct ck_name *n, struct ck_arena *a)
{
    char text[CK_DIGEST_TEXT] = "";
    if (n->has_digest)
        ck_digest_text(&n->digest, text);
    return ck_arena_format(a, "%s%s%.*s%s%s", repository, n->tag.n ? ":" : "", CK_VF(n->tag),
                           n->has_digest ? "@" : "", text);
}

const char *ck_name_text(const struct ck_name *n, struct ck_arena *a)
{
    return with_tag(ck_name_repository(n, a), n, a);
}

const char *ck_name_short(const struct ck_name *n, struct ck_arena *a)
{
    ck_view path = n->path, official = ck_view_from(path, strlen("library/"));
    if (!ck_view_eq(n->host, CK_V("docker.io")))
        return ck_name_text(n, a);
    if (ck_view_starts(path, CK_V("library/")) && ck_view_find(official, '/') == official.n)
        path = official;
    return with_tag(ck_arena_format(a, "%.*s", CK_VF(path)), n, a);
}
