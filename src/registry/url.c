#include "registry/protocol.h"
#include "registry/words.h"

#include <arpa/inet.h>

/* --- URLs (RFC 3986, http and https only) ----------------------------------------------------- */

static bool is_alnum(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static ck_err *check_bytes(ck_view v)
{
    if (v.n > CK_MAX_HTTP_FIELD)
        return ck_err_limit(CK_LIMIT_HTTP_FIELD, "%zu bytes", v.n);
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (c <= 0x20 || c >= 0x7F || strchr("\"<>\\^`{|}", c))
            return ck_err_at(CK_ERR_HOSTILE, i, "a byte that no URL has");
        if (c == '#')
            return ck_err_at(CK_ERR_HOSTILE, i, "a fragment");
    }
    return NULL;
}

static bool scheme(ck_view *rest, ck_view prefix)
{
    if (!ck_words_same(ck_view_head(*rest, prefix.n), prefix))
        return false;
    *rest = ck_view_from(*rest, prefix.n);
    return true;
}

/* Labels of letters, digits, '-' and '_', as names in the DNS and in private networks are. */
static ck_err *check_name(ck_view host)
{
    enum { LABEL = 63, NAME = 253 };
    if (host.n > NAME)
        return ck_err_new(CK_ERR_HOSTILE, "a host of %zu bytes", host.n);
    ck_view rest = host;
    do {
        ck_view label = ck_view_split(rest, '.', &rest);
        if (label.n == 0 || label.n > LABEL || (rest.n == 0 && host.p[host.n - 1] == '.'))
            return ck_err_new(CK_ERR_HOSTILE, "no host: \"%.*s\"", CK_VF(host));
        for (size_t i = 0; i < label.n; i++)
            if (!is_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
                return ck_err_new(CK_ERR_HOSTILE, "no host: \"%.*s\"", CK_VF(host));
    } while (rest.n);
    return NULL;
}

/* In the one normal form, so that two spellings of an address are one host. */
static ck_err *read_ipv6(ck_view text, struct ck_arena *a, ck_view *ret)
{
    char in[INET6_ADDRSTRLEN] = "", out[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    if (text.n < sizeof in)
        memcpy(in, text.p, text.n);
    if (text.n >= sizeof in || inet_pton(AF_INET6, in, &addr) != 1 ||
        !inet_ntop(AF_INET6, &addr, out, sizeof out))
        return ck_err_new(CK_ERR_HOSTILE, "no IPv6 address: \"%.*s\"", CK_VF(text));
    *ret = ck_arena_dup(a, ck_view_str(out));
    return NULL;
}

static ck_err *read_port(ck_view text, struct ck_url *u)
{
    uint64_t port;
    if (text.n > 5 || !ck_view_u64(text, &port) || port == 0 || port > 65535)
        return ck_err_new(CK_ERR_HOSTILE, "no port: \"%.*s\"", CK_VF(text));
    u->port = (unsigned)port;
    return NULL;
}

static ck_err *read_authority(ck_view v, struct ck_arena *a, struct ck_url *u)
{
    ck_view host, port;
    if (ck_view_find(v, '@') < v.n)
        return ck_err_new(CK_ERR_HOSTILE, "a user name or password in it");
    bool bracket = v.n && v.p[0] == '[';
    if (bracket) {
        size_t close = ck_view_find(v, ']');
        if (close == v.n)
            return ck_err_new(CK_ERR_HOSTILE, "no IPv6 address: \"%.*s\"", CK_VF(v));
        CK_TRY(read_ipv6(ck_view_of(v.p + 1, close - 1), a, &host));
        port = ck_view_from(v, close + 1);
        if (port.n && port.p[0] != ':')
            return ck_err_new(CK_ERR_HOSTILE, "no port: \"%.*s\"", CK_VF(port));
    } else {
        size_t colon = ck_view_find(v, ':');
        host = ck_words_lower(ck_view_head(v, colon), a);
        port = ck_view_from(v, colon);
        CK_TRY(check_name(host));
    }
    u->host = host;
    u->port = u->secure ? 443 : 80;
    return port.n ? read_port(ck_view_from(port, 1), u) : NULL;
}

static ck_view read_target(ck_view v, struct ck_arena *a)
{
    if (v.n && v.p[0] == '/')
        return ck_arena_dup(a, v);
    uint8_t *p = ck_arena_alloc(a, v.n + 2, 1);
    p[0] = '/';
    if (v.n)
        memcpy(p + 1, v.p, v.n);
    return ck_view_of(p, v.n + 1);
}

static ck_err *parse(ck_view text, struct ck_arena *a, struct ck_url *u)
{
    ck_view rest = text;
    CK_TRY(check_bytes(text));
    u->secure = scheme(&rest, CK_V("https://"));
    if (!u->secure && !scheme(&rest, CK_V("http://")))
        return ck_err_new(CK_ERR_HOSTILE, "neither http:// nor https://");
    size_t path = ck_view_find(rest, '/'), query = ck_view_find(rest, '?');
    size_t n = path < query ? path : query;
    CK_TRY(read_authority(ck_view_head(rest, n), a, u));
    u->target = read_target(ck_view_from(rest, n), a);
    return NULL;
}

ck_err *ck_url_parse(ck_view text, struct ck_arena *a, struct ck_url *ret)
{
    struct ck_url u = { 0 };
    CK_TRY_WRAP(parse(text, a, &u), "URL");
    *ret = u;
    return NULL;
}

/* --- realms ----------------------------------------------------------------------------------- */

/* Below these everybody may have a name: nobody vouches for a neighbour. */
static const char *const shared_sites[] = {
    "amazonaws.com", "amazonaws.com.cn", "appspot.com",  "azurecr.cn",      "azurecr.io",
    "azurecr.us",    "azurewebsites.net", "cloudapp.net", "cloudfront.net",  "cr.aws",
    "fly.dev",       "github.io",         "gitlab.io",    "herokuapp.com",   "jfrog.io",
    "netlify.app",   "ngrok.io",          "on.aws",       "pages.dev",       "pkg.dev",
    "run.app",       "trycloudflare.com", "vercel.app",   "windows.net",     "workers.dev",
};

/* Sites of one owner: registry.hub.docker.com sends its clients to auth.docker.io. */
static const char *const one_owner[][2] = { { "docker.io", "docker.com" } };

/* Second levels of countries below which names are sold. */
static const char *const sold_below[] = { "com", "edu", "gob", "gov", "gouv", "mil", "net",
                                          "nom", "org", "web", "info", "firm", "sch", "ltd" };

static bool listed(ck_view v, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ck_view_eq(v, ck_view_str(list[i])))
            return true;
    return false;
}

/* The last n labels; the whole where there are no more. */
static ck_view last_labels(ck_view host, size_t n)
{
    size_t at = host.n;
    for (; at > 0; at--)
        if (host.p[at - 1] == '.' && n-- == 1)
            break;
    return ck_view_from(host, at);
}

/* Addresses as any resolver understands them: ::1, 127.0.0.1, 2130706433, 0x7f.1. */
static bool is_address(ck_view host)
{
    ck_view last = last_labels(host, 1);
    if (ck_view_find(host, ':') < host.n)
        return true;
    return last.n == 0 || (last.p[0] >= '0' && last.p[0] <= '9');
}

/* What one owner has; empty where only the host itself is. */
static ck_view site_of(ck_view host)
{
    ck_view two = last_labels(host, 2), top;
    ck_view second = ck_view_split(two, '.', &top);
    if (is_address(host) || top.n == 0)
        return CK_V("");
    bool country = top.n == 2 && (second.n <= 2 || listed(second, sold_below,
                                                          sizeof sold_below / sizeof *sold_below));
    ck_view site = last_labels(host, country ? 3 : 2);
    if (ck_view_eq(site, two) && country)
        return CK_V("");
    return listed(site, shared_sites, sizeof shared_sites / sizeof *shared_sites) ? CK_V("") : site;
}

static bool same_owner(ck_view a, ck_view b)
{
    for (size_t i = 0; i < sizeof one_owner / sizeof one_owner[0]; i++)
        if (listed(a, one_owner[i], 2) && listed(b, one_owner[i], 2))
            return true;
    return false;
}

bool ck_realm_allowed(const struct ck_url *registry, const struct ck_url *realm)
{
    if (registry->secure && !realm->secure)
        return false;
    if (ck_view_eq(registry->host, realm->host))
        return true;
    ck_view here = site_of(registry->host), there = site_of(realm->host);
    return here.n && there.n && (ck_view_eq(here, there) || same_owner(here, there));
}
