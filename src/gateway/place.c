#include "gateway/credentials.h"
#include "gateway/gateway_int.h"

#include "image/name.h"

#include <string.h>

/* What a request says, and what came of it. */
struct asked {
    const struct ck_gateway_options *o;
    ck_view ns, host, path;
    ck_view hosted; /* the prefix */
};

static bool is_dockers(ck_view host)
{
    return ck_view_eq(host, CK_V("docker.io")) || ck_view_eq(host, CK_V("index.docker.io")) ||
           ck_view_eq(host, CK_V("registry-1.docker.io"));
}

static bool is_listed(const struct ck_gateway_options *o, ck_view upstream)
{
    for (size_t i = 0; i < o->n_upstreams; i++)
        if (ck_view_eq(upstream, ck_view_str(o->upstreams[i])))
            return true;
    return false;
}

/* What stands behind the scheme of a URL, or all of it. */
static ck_view authority_of(ck_view url)
{
    for (size_t i = 0; i + 3 <= url.n; i++)
        if (memcmp(url.p + i, "://", 3) == 0)
            return ck_view_from(url, i + 3);
    return url;
}

/* The host of a URL or authority, without scheme and port. */
static ck_view host_of(ck_view url)
{
    ck_view rest;
    url = authority_of(url);
    if (url.n && url.p[0] == '[') {
        size_t end = ck_view_find(url, ']');
        return ck_view_head(url, end + 1);
    }
    return ck_view_split(url, ':', &rest);
}

static bool looks_like_host(ck_view component)
{
    return ck_view_find(component, '.') < component.n ||
           ck_view_find(component, ':') < component.n || ck_view_eq(component, CK_V("localhost"));
}

/* Whose names end in these, or have no dot, is nobody's that one would ask for strangers: a client
 * could have the gate knock at doors of the inside (SSRF). A list of upstreams may name them. */
static bool is_public(ck_view upstream)
{
    static const char *const inside[] = { ".local", ".localhost", ".internal", ".lan",
                                          ".home.arpa", ".corp", ".intranet", ".private" };
    ck_view host = host_of(upstream), label = host;
    if (host.n == 0 || host.p[0] == '[' || ck_view_find(host, '.') == host.n)
        return false;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (ck_view_ends(host, ck_view_str(inside[i])))
            return false;
    while (ck_view_find(label, '.') < label.n)
        ck_view_split(label, '.', &label);
    return label.n && !(label.p[0] >= '0' && label.p[0] <= '9'); /* else it is an address */
}

/* The gate itself. Behind the same host's other ports are other registries. */
static bool is_own(const struct ck_gateway *g, const struct asked *q)
{
    ck_view url = ck_view_str(ck_gateway_url(g));
    if (host_of(q->ns).n < q->ns.n)
        return ck_view_eq(q->ns, authority_of(url));
    return ck_view_eq(q->ns, host_of(url)) || (q->host.n && ck_view_eq(q->ns, host_of(q->host)));
}

/* The registry that is meant, and what is left of the path. Empty: it is the hosted area. */
static ck_view upstream_of(const struct ck_gateway *g, struct asked *q)
{
    ck_view rest, first = ck_view_split(q->path, '/', &rest);
    if (q->ns.n && !is_own(g, q))
        return q->ns;
    if (ck_view_eq(first, CK_V(CK_HOSTED_HOST))) {
        q->path = rest;
        return (ck_view){ 0 };
    }
    if (ck_view_eq(first, q->hosted))
        return (ck_view){ 0 };
    if (q->host.n && (is_dockers(q->host) || is_listed(q->o, q->host)))
        return q->host;
    if (rest.n && looks_like_host(first)) {
        q->path = rest;
        return first;
    }
    return CK_V("docker.io");
}

static bool within_bounds(struct ck_call *c, const struct ck_place *p)
{
    struct ck_user u;
    bool found = false;
    if (!c->ask.session)
        return true;
    ck_err *e = ck_store_get_user(c->g->store, c->user, &c->arena, &u, &found);
    if (e) {
        ck_call_fail(c, e);
        return false;
    }
    ck_view name = ck_view_str(p->repository);
    if (p->hosted)
        name = ck_view_from(name, strlen(CK_HOSTED_HOST "/"));
    if (!found || !u.repository.n || ck_repository_matches(u.repository, name))
        return true;
    ck_call_refuse(c, 403, CK_OCI_DENIED, "%.*s may use %.*s only", CK_VF(c->user),
                   CK_VF(u.repository));
    return false;
}

/* Why it leads nowhere. */
struct refusal {
    uint16_t status;
    enum ck_oci_error code;
    const char *why;
};

static bool hosted_place(struct ck_call *c, const struct asked *q, struct ck_place *ret,
                         struct refusal *no)
{
    ck_view rest;
    if (!ck_view_eq(ck_view_split(q->path, '/', &rest), q->hosted) || !rest.n) {
        *no = (struct refusal){ 404, CK_OCI_NAME_UNKNOWN,
                                ck_arena_format(&c->arena, "what is pushed here lies below %.*s/",
                                                CK_VF(q->hosted)) };
        return false;
    }
    *ret = (struct ck_place){
        .hosted = true,
        .repository = ck_arena_format(&c->arena, CK_HOSTED_HOST "/%.*s", CK_VF(q->path)),
        .upstream = CK_HOSTED_HOST,
    };
    return true;
}

static bool far_place(struct ck_call *c, const struct asked *q, ck_view upstream,
                      struct ck_place *ret, struct refusal *no)
{
    struct ck_name n;
    if (is_dockers(upstream))
        upstream = CK_V("docker.io");
    const char *text = ck_arena_format(&c->arena, "%.*s/%.*s", CK_VF(upstream), CK_VF(q->path));
    ck_err *e = ck_name_parse(ck_view_str(text), &c->arena, &n);
    if (e || !ck_view_eq(n.host, upstream)) {
        ck_err_free(e);
        *no = (struct refusal){ 400, CK_OCI_NAME_INVALID,
                                ck_arena_format(&c->arena, "%s is no name of a repository",
                                                text) };
        return false;
    }
    if (q->o->n_upstreams ? !is_listed(q->o, upstream) : !is_public(upstream)) {
        *no = (struct refusal){ 403, CK_OCI_DENIED,
                                ck_arena_format(&c->arena, "%.*s is not among the registries "
                                                           "that this gate may ask",
                                                CK_VF(upstream)) };
        return false;
    }
    ret->hosted = false;
    ret->repository = ck_name_repository(&n, &c->arena);
    ret->upstream = ck_arena_format(&c->arena, "%.*s", CK_VF(upstream));
    return true;
}

static bool find(struct ck_call *c, struct ck_place *ret, struct refusal *no)
{
    const struct ck_gateway_options *o = c->g->o;
    struct asked q = { .o = o, .ns = c->ask.ns, .host = c->ask.host, .path = c->ask.repository,
                       .hosted = ck_view_str(o->hosted ? o->hosted : "hosted") };
    ck_view upstream = upstream_of(c->g, &q);
    return upstream.n ? far_place(c, &q, upstream, ret, no) : hosted_place(c, &q, ret, no);
}

bool ck_place_find(struct ck_call *c, struct ck_place *ret)
{
    struct refusal no;
    return find(c, ret, &no);
}

bool ck_place_of(struct ck_call *c, struct ck_place *ret)
{
    struct refusal no;
    struct ck_place p;
    if (!find(c, &p, &no)) {
        ck_call_refuse(c, no.status, no.code, "%s", no.why);
        return false;
    }
    if (!within_bounds(c, &p))
        return false;
    *ret = p;
    return true;
}
