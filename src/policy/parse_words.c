/* Patterns of names, clients and platforms. */
#include "policy/policy_int.h"

#include "image/name.h"

static ck_err *too_long(struct ck_doc *d, const struct ck_yaml_node *n, ck_view v)
{
    if (v.n <= CK_MAX_POLICY_PATTERN)
        return NULL;
    return ck_doc_refuse(d, n, "%s: a pattern has %zu bytes, at most %llu are allowed (limit "
                               "POLICY_PATTERN)",
                         d->key, v.n, (unsigned long long)CK_MAX_POLICY_PATTERN);
}

static ck_err *read_pattern(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    ck_view v;
    CK_TRY(ck_doc_text(d, n, &v));
    CK_TRY(too_long(d, n, v));
    ck_pattern_compile(v, d->a, ret);
    return NULL;
}

ck_err *ck_policy_read_patterns(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_patterns *p = ret;
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_pattern, sizeof *p->v, &v, &p->n));
    p->v = v;
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

/* As ck_name_parse sees the first component: a host has a dot or a port, or is localhost. Where a
 * star stands there it may be one. */
static bool may_be_host(ck_view repository)
{
    ck_view rest, first = ck_view_split(repository, '/', &rest);
    if (ck_view_starts(repository, CK_V("**")))
        return true;
    if (!rest.n)
        return false;
    return ck_view_find(first, '.') < first.n || ck_view_find(first, ':') < first.n ||
           ck_view_find(first, '*') < first.n || ck_view_eq(first, CK_V("localhost"));
}

static const char *bad_name(ck_view repository, const struct ck_policy_name_pattern *p, ck_view tag)
{
    for (size_t i = 0; i < repository.n; i++)
        if (repository.p[i] >= 'A' && repository.p[i] <= 'Z')
            return "hosts and repositories are written in lower case";
    for (size_t i = 0; i < repository.n; i++)
        if (repository.p[i] <= ' ' || repository.p[i] >= 0x7F)
            return "names have no such characters";
    if (ck_view_find(tag, '/') < tag.n || ck_view_find(tag, ' ') < tag.n || (p->has_tag && !tag.n))
        return "the tag behind the last ':' is none";
    if (!may_be_host(repository))
        return "names are matched as a whole, with their registry: docker.io/library/alpine, "
               "ghcr.io/acme/**, **/alpine";
    return NULL;
}

/* The tag's ':' stands behind the last '/'. */
static size_t tag_at(ck_view v)
{
    for (size_t i = v.n; i > 0; i--) {
        if (v.p[i - 1] == '/')
            break;
        if (v.p[i - 1] == ':')
            return i - 1;
    }
    return v.n;
}

static ck_err *read_name(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_name_pattern p = { 0 };
    ck_view digest;
    CK_TRY(ck_doc_text(d, n, &p.text));
    CK_TRY(too_long(d, n, p.text));
    ck_view name = ck_view_split(p.text, '@', &digest);
    p.has_digest = name.n < p.text.n;
    size_t colon = tag_at(name);
    ck_view repository = ck_view_head(name, colon), tag = ck_view_from(name, colon + 1);
    p.has_tag = colon < name.n;
    const char *why = bad_name(repository, &p, tag);
    ck_err *e = p.has_digest && !why ? ck_digest_parse(digest, &p.digest) : NULL;
    if (e) {
        ck_err_free(e);
        why = "what stands behind '@' must be a whole digest";
    }
    if (why)
        return ck_doc_refuse(d, n, "%s: \"%.*s\": %s", d->key,
                             CK_VF(ck_view_head(p.text, 300)), why);
    ck_pattern_compile(repository, d->a, &p.repository);
    ck_pattern_compile(tag, d->a, &p.tag);
    *(struct ck_policy_name_pattern *)ret = p;
    return NULL;
}

ck_err *ck_policy_read_names(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_names *p = ret;
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_name, sizeof *p->v, &v, &p->n));
    p->v = v;
    return NULL;
}

/* --- clients ---------------------------------------------------------------------------------- */

static bool no_bits_behind(const uint8_t address[16], unsigned bits)
{
    for (unsigned i = bits; i < 128; i++)
        if (address[i / 8] >> (7 - i % 8) & 1)
            return false;
    return true;
}

static const char *read_network(ck_view v, bool slash, struct ck_policy_client *ret)
{
    enum { V4_PREFIX = 96, ALL = 128 };
    ck_view bits_text, address = ck_view_split(v, '/', &bits_text);
    uint64_t bits;
    bool v4;
    if (!ck_policy_address(address, ret->address, &v4))
        return "is no network: write 10.0.0.0/8 or 2001:db8::/32";
    unsigned most = v4 ? ALL - V4_PREFIX : ALL;
    if (!slash)
        bits = most;
    else if (!ck_view_u64(bits_text, &bits) || bits > most)
        return v4 ? "must end with /0 to /32" : "must end with /0 to /128";
    ret->bits = (unsigned)bits + ALL - most;
    if (!no_bits_behind(ret->address, ret->bits))
        return "has bits set behind its network's length";
    ret->network = true;
    return NULL;
}

static ck_err *read_client(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_client c = { 0 };
    ck_view v;
    bool v4;
    CK_TRY(ck_doc_text(d, n, &v));
    CK_TRY(too_long(d, n, v));
    bool slash = ck_view_find(v, '/') < v.n;
    if (slash || ck_policy_address(v, c.address, &v4)) {
        const char *why = read_network(v, slash, &c);
        if (why)
            return ck_doc_refuse(d, n, "clients: \"%.*s\" %s", CK_VF(ck_view_head(v, 80)), why);
    }
    ck_pattern_compile(v, d->a, &c.user);
    *(struct ck_policy_client *)ret = c;
    return NULL;
}

ck_err *ck_policy_read_clients(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_clients *p = ret;
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_client, sizeof *p->v, &v, &p->n));
    p->v = v;
    return NULL;
}

/* --- platforms -------------------------------------------------------------------------------- */

static ck_err *read_platform(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_platform p;
    ck_view v;
    CK_TRY(ck_doc_text(d, n, &v));
    CK_TRY(too_long(d, n, v));
    if (ck_view_find(v, '*') == v.n) {
        ck_autoerr ck_err *e = ck_platform_parse(v, &p);
        if (e)
            return ck_doc_refuse(d, n, "platforms: %s", ck_err_text(e));
        v = ck_view_str(ck_platform_text(&p, d->a));
    } else if (ck_view_find(v, '/') == v.n) {
        return ck_doc_refuse(d, n, "platforms: \"%.*s\": write linux/amd64 or linux/*",
                             CK_VF(ck_view_head(v, 80)));
    }
    ck_pattern_compile(v, d->a, ret);
    return NULL;
}

ck_err *ck_policy_read_platforms(struct ck_doc *d, const struct ck_yaml_node *n, void *ret)
{
    struct ck_policy_patterns *p = ret;
    void *v;
    CK_TRY(ck_doc_one_or_list(d, n, CK_LIMIT_POLICY_LIST, read_platform, sizeof *p->v, &v, &p->n));
    p->v = v;
    return NULL;
}
