#include "lockdown/parts.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char ck_verifier_conf[] = "/etc/cocket/verifier.conf";
const char ck_verifier_dir[] = "/opt/containerd/image-verifier/bin";
const char ck_verifier_name[] = "00-cocket"; /* only the first ten by name are run */
const char ck_docker_plugin[] = "cocket";
const char ck_firewall_conf[] = "/etc/cocket/lockdown.nft";

const char *const ck_default_registries[] = {
    "docker.io", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io", "public.ecr.aws",
    "mcr.microsoft.com", "registry.gitlab.com", "lscr.io", "registry.access.redhat.com", NULL,
};
const size_t ck_default_registry_count =
    sizeof ck_default_registries / sizeof ck_default_registries[0] - 1;

enum { SIGNS = 6 };
static const struct {
    const char *name;
    ck_err *(*settings)(struct ck_settings *s);
    void (*check)(struct ck_ways *w);
    const char *signs[SIGNS]; /* one of them shows that the machine has it */
} runtimes[CK_RUNTIME_COUNT_] = {
    [CK_RUNTIME_DOCKER] = { "docker", ck_settings_docker, ck_check_docker,
                            { "/usr/sbin/dockerd", "/usr/bin/dockerd", "/usr/local/bin/dockerd",
                              "/etc/docker/daemon.json" } },
    [CK_RUNTIME_PODMAN] = { "podman", ck_settings_podman, ck_check_podman,
                            { "/usr/bin/podman", "/usr/bin/buildah", "/usr/bin/skopeo",
                              "/usr/local/bin/podman" } },
    [CK_RUNTIME_CONTAINERD] = { "containerd", ck_settings_containerd, ck_check_containerd,
                                { "/usr/bin/containerd", "/usr/local/bin/containerd",
                                  "/etc/containerd/config.toml" } },
    [CK_RUNTIME_CRIO] = { "crio", ck_settings_crio, ck_check_crio,
                          { "/usr/bin/crio", "/usr/local/bin/crio", "/etc/crio/crio.conf" } },
    [CK_RUNTIME_KUBERNETES] = { "kubernetes", ck_settings_kubernetes, ck_check_kubernetes,
                                { "/usr/bin/kubelet", "/usr/local/bin/kubelet",
                                  "/etc/kubernetes/manifests", "/etc/rancher/k3s" } },
};

const char *ck_runtime_name(enum ck_runtime r) { return runtimes[r].name; }

bool ck_runtime_parse(const char *name, enum ck_runtime *ret)
{
    for (unsigned r = 0; r < CK_RUNTIME_COUNT_; r++) {
        if (strcmp(runtimes[r].name, name) == 0) {
            *ret = (enum ck_runtime)r;
            return true;
        }
    }
    return false;
}

bool ck_runtime_is_there(const struct ck_place *p, enum ck_runtime r)
{
    for (size_t i = 0; i < SIGNS && runtimes[r].signs[i]; i++)
        if (ck_place_has(p, runtimes[r].signs[i]))
            return true;
    return false;
}

const char *ck_vtext(struct ck_arena *a, const char *fmt, va_list ap)
{
    char *text;
    int n = vasprintf(&text, fmt, ap);
    if (n < 0)
        abort();
    const char *kept = (const char *)ck_arena_dup(a, ck_view_of(text, (size_t)n)).p;
    free(text);
    return kept;
}

/* --- the gate --------------------------------------------------------------------------------- */

/* Without port and brackets. */
static ck_view host_only(ck_view host)
{
    ck_view rest;
    if (host.n && host.p[0] == '[')
        return ck_view_split(ck_view_from(host, 1), ']', &rest);
    return ck_view_split(host, ':', &rest);
}

bool ck_gate_is_loopback(const struct ck_gate *g)
{
    ck_view host = host_only(ck_view_str(g->host));
    struct in_addr four;
    char text[INET_ADDRSTRLEN] = "";
    if (ck_view_eq(host, CK_V("localhost")) || ck_view_eq(host, CK_V("::1")))
        return true;
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    return inet_pton(AF_INET, text, &four) == 1 && (ntohl(four.s_addr) >> 24) == 127;
}

/* Ends up in TOML, JSON, YAML and shell: only what a host can have. */
static bool is_host(ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!alnum && !memchr(".-:[]", c, 5))
            return false;
    }
    return v.n > 0 && v.n <= 255 && host_only(v).n > 0;
}

ck_err *ck_gate_parse(const char *text, struct ck_arena *a, struct ck_gate *ret)
{
    static const char plain[] = "http://", tls[] = "https://";
    struct ck_gate g = { .ca = ret->ca };
    ck_view v = ck_view_str(text);
    g.plain_http = ck_view_starts(v, CK_V("http://"));
    v = ck_view_from(v, g.plain_http ? strlen(plain)
                        : ck_view_starts(v, ck_view_str(tls)) ? strlen(tls) : 0);
    while (v.n && v.p[v.n - 1] == '/')
        v.n--;
    if (!is_host(v))
        return ck_err_new(CK_ERR_USAGE, "the gate \"%s\": HOST[:PORT] is wanted", text);
    g.host = (const char *)ck_arena_dup(a, v).p;
    if (g.plain_http && !ck_gate_is_loopback(&g))
        return ck_err_new(CK_ERR_USAGE, "the gate %s: plain HTTP is for the loopback only", g.host);
    *ret = g;
    return NULL;
}

const char *ck_gate_url(const struct ck_gate *g, struct ck_arena *a)
{
    return ck_arena_format(a, "%s://%s", g->plain_http ? "http" : "https", g->host);
}

bool ck_is_at_gate(const struct ck_gate *g, ck_view location)
{
    ck_view host = ck_view_str(g->host);
    return ck_view_starts(location, host) &&
           (location.n == host.n || location.p[host.n] == '/');
}

bool ck_is_gate_url(const struct ck_gate *g, ck_view url)
{
    ck_view scheme = g->plain_http ? CK_V("http://") : CK_V("https://");
    return ck_view_starts(url, scheme) && ck_is_at_gate(g, ck_view_from(url, scheme.n));
}

/* --- settings --------------------------------------------------------------------------------- */

void ck_settings_free(struct ck_settings *s)
{
    free(s->files.v);
    free(s->advice.v);
}

ck_err *ck_lockdown_settings(enum ck_runtime r, struct ck_settings *s)
{
    CK_TRY(runtimes[r].settings(s));
    return ck_settings_firewall(s);
}

ck_err *ck_settings_now(struct ck_settings *s, const char *path, ck_view *ret, bool *ret_there)
{
    *ret = CK_V("");
    return ck_place_read(s->o->place, path, s->a, ret, ret_there);
}

ck_err *ck_settings_add(struct ck_settings *s, const char *path, ck_view content, const char *why)
{
    enum { MODE = 0644 };
    struct ck_setting f = { .path = path, .why = why, .mode = MODE };
    struct stat st;
    for (size_t i = 0; i < s->files.n; i++)
        if (strcmp(s->files.v[i].path, path) == 0) /* two runtimes share it */
            return NULL;
    CK_TRY(ck_settings_now(s, path, &f.old, &f.there));
    if (f.there && ck_place_stat(s->o->place, path, &st))
        f.mode = st.st_mode & 0777;
    f.content = ck_arena_dup(s->a, content);
    *ck_push(&s->files) = f;
    return NULL;
}

ck_err *ck_settings_add_ca(struct ck_settings *s, const char *path)
{
    if (s->o->gate.ca.n == 0)
        return NULL;
    return ck_settings_add(s, path, s->o->gate.ca, "the CA that vouches for the gate");
}

void ck_settings_advise(struct ck_settings *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = ck_vtext(s->a, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < s->advice.n; i++)
        if (strcmp(s->advice.v[i], text) == 0) /* two runtimes share it */
            return;
    *ck_push(&s->advice) = text;
}

/* --- ways ------------------------------------------------------------------------------------- */

void ck_ways_free(struct ck_ways *w) { free(w->list.v); }

void ck_lockdown_check(enum ck_runtime r, struct ck_ways *w)
{
    w->runtime = r;
    runtimes[r].check(w);
}
