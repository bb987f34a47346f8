/* URLs of answers, and the way to them. */
#include "room/registry_http.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <strings.h>

/* --- text ------------------------------------------------------------------------------------- */

static unsigned usual_port(const struct ck_url *u)
{
    return u->secure ? 443 : 80;
}

const char *ck_url_origin(const struct ck_url *u, struct ck_arena *a)
{
    bool six = ck_view_find(u->host, ':') < u->host.n;
    const char *port = u->port == usual_port(u) ? "" : ck_arena_format(a, ":%u", u->port);
    return ck_arena_format(a, "%s://%s%.*s%s%s", u->secure ? "https" : "http", six ? "[" : "",
                           CK_VF(u->host), six ? "]" : "", port);
}

/* From the parsed parts: what libcurl reads is what was judged. */
const char *ck_url_text(const struct ck_url *u, struct ck_arena *a)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(ck_url_origin(u, a)));
    ck_put_bytes(&b, u->target);
    const char *text = (const char *)ck_arena_dup(a, ck_buf_view(&b)).p;
    ck_buf_free(&b);
    return text;
}

bool ck_url_same_origin(const struct ck_url *a, const struct ck_url *b)
{
    return a->secure == b->secure && a->port == b->port && ck_view_eq(a->host, b->host);
}

/* --- references ------------------------------------------------------------------------------- */

static bool has_scheme(ck_view v)
{
    size_t colon = ck_view_find(v, ':'), slash = ck_view_find(v, '/'), query = ck_view_find(v, '?');
    return colon < slash && colon < query;
}

/* The path of `target` without its query, up to and with its last '/'. */
static ck_view folder_of(ck_view target)
{
    ck_view path = ck_view_head(target, ck_view_find(target, '?'));
    while (path.n && path.p[path.n - 1] != '/')
        path.n--;
    return path;
}

ck_err *ck_url_resolve(const struct ck_url *base, ck_view reference, struct ck_arena *a,
                       struct ck_url *ret)
{
    const char *origin = ck_url_origin(base, a);
    ck_view before = CK_V("");
    const char *front = origin;
    if (has_scheme(reference))
        front = "";
    else if (ck_view_starts(reference, CK_V("//")))
        front = base->secure ? "https:" : "http:";
    else if (ck_view_starts(reference, CK_V("?")))
        before = ck_view_head(base->target, ck_view_find(base->target, '?'));
    else if (!ck_view_starts(reference, CK_V("/")))
        before = folder_of(base->target);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(front));
    ck_put_bytes(&b, before);
    ck_put_bytes(&b, reference);
    return ck_url_parse(ck_buf_view(&b), a, ret);
}

/* --- proxies ---------------------------------------------------------------------------------- */

static const char *set(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static bool ends_with_domain(ck_view host, ck_view domain)
{
    if (domain.n && domain.p[0] == '.')
        domain = ck_view_from(domain, 1);
    if (!domain.n || domain.n > host.n)
        return false;
    ck_view tail = ck_view_from(host, host.n - domain.n);
    return strncasecmp((const char *)tail.p, (const char *)domain.p, domain.n) == 0 &&
           (tail.n == host.n || host.p[host.n - domain.n - 1] == '.');
}

/* Both as bytes of an address; false where either is none or they are of two families. */
static bool in_network(ck_view host, ck_view network)
{
    char h[INET6_ADDRSTRLEN] = "", n[INET6_ADDRSTRLEN] = "";
    uint8_t hb[16], nb[16];
    uint64_t bits = 0;
    ck_view prefix, address = ck_view_split(network, '/', &prefix);
    int family = ck_view_find(host, ':') < host.n ? AF_INET6 : AF_INET;
    unsigned most = family == AF_INET6 ? 128 : 32;
    if (host.n >= sizeof h || address.n >= sizeof n)
        return false;
    memcpy(h, host.p, host.n);
    memcpy(n, address.p, address.n);
    if (inet_pton(family, h, hb) != 1 || inet_pton(family, n, nb) != 1)
        return false;
    if (address.n == network.n)
        bits = most;
    else if (!ck_view_u64(prefix, &bits) || bits > most)
        return false;
    size_t whole = bits / 8, rest = bits % 8;
    return memcmp(hb, nb, whole) == 0 &&
           (!rest || (hb[whole] ^ nb[whole]) >> (8 - rest) == 0);
}

static bool excepted(ck_view host, const char *list)
{
    ck_view rest = ck_view_str(list);
    if (ck_view_eq(rest, CK_V("*")))
        return true;
    while (rest.n) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ',' && rest.p[n] != ' ')
            n++;
        ck_view one = ck_view_head(rest, n);
        rest = ck_view_from(rest, n + 1);
        if (one.n && (in_network(host, one) || ends_with_domain(host, one)))
            return true;
    }
    return false;
}

const char *ck_proxy_for(const struct ck_url *u)
{
    const char *proxy = u->secure ? set("https_proxy") : set("http_proxy");
    if (!proxy && u->secure)
        proxy = set("HTTPS_PROXY"); /* HTTP_PROXY is what a CGI client could set */
    const char *except = set("no_proxy") ? set("no_proxy") : set("NO_PROXY");
    return proxy && except && excepted(u->host, except) ? NULL : proxy;
}
