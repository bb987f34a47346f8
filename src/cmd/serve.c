#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/notify_env.h"
#include "cmd/remote.h"
#include "gateway/gateway.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static const char page[] = "cocket-serve";

enum { LISTENERS = 16, UPSTREAMS = 64, UNJUDGED = 64, HARBORS = 16 };

struct args {
    struct ck_gateway_options o;
    struct ck_remote_args remote;
    struct ck_gateway_listener listeners[LISTENERS];
    enum scheme { SCHEME_ANY, SCHEME_HTTP, SCHEME_HTTPS } schemes[LISTENERS];
    const char *upstreams[UPSTREAMS], *unjudged[UNJUDGED], *harbors[HARBORS];
};

enum opt {
    OPT_LISTEN = 256, OPT_METRICS_LISTEN, OPT_DOCKER_PLUGIN, OPT_TLS_CERT, OPT_TLS_KEY, OPT_URL,
    OPT_POLICY, OPT_DB, OPT_HOSTED, OPT_UPSTREAM, OPT_ANONYMOUS_PULL, OPT_INSECURE_HTTP,
    OPT_HEAD_DENY_405, OPT_IMMUTABLE_TAGS, OPT_WAIT, OPT_TAG_TTL, OPT_DRAIN, OPT_JOBS,
    OPT_PLATFORMS, OPT_CONNECTIONS, OPT_PER_CLIENT, OPT_RATE, OPT_LOG_FORMAT, OPT_NO_SANDBOX,
    OPT_UNJUDGED, OPT_HARBOR_REGISTRY, OPT_WATCH,
};
static const struct option options[] = {
    CK_ENDPOINT_OPTIONS,
    { "store", required_argument, NULL, CK_OPT_STORE },
    { "max-size", required_argument, NULL, CK_OPT_MAX_SIZE },
    { "listen", required_argument, NULL, OPT_LISTEN },
    { "metrics-listen", required_argument, NULL, OPT_METRICS_LISTEN },
    { "docker-plugin", required_argument, NULL, OPT_DOCKER_PLUGIN },
    { "tls-cert", required_argument, NULL, OPT_TLS_CERT },
    { "tls-key", required_argument, NULL, OPT_TLS_KEY },
    { "url", required_argument, NULL, OPT_URL },
    { "policy", required_argument, NULL, OPT_POLICY },
    { "db", required_argument, NULL, OPT_DB },
    { "hosted", required_argument, NULL, OPT_HOSTED },
    { "upstream", required_argument, NULL, OPT_UPSTREAM },
    { "harbor-registry", required_argument, NULL, OPT_HARBOR_REGISTRY },
    { "anonymous-pull", no_argument, NULL, OPT_ANONYMOUS_PULL },
    { "insecure-http", no_argument, NULL, OPT_INSECURE_HTTP },
    { "head-deny-405", no_argument, NULL, OPT_HEAD_DENY_405 },
    { "immutable-tags", no_argument, NULL, OPT_IMMUTABLE_TAGS },
    { "unjudged", required_argument, NULL, OPT_UNJUDGED },
    { "wait", required_argument, NULL, OPT_WAIT },
    { "tag-ttl", required_argument, NULL, OPT_TAG_TTL },
    { "watch", required_argument, NULL, OPT_WATCH },
    { "drain", required_argument, NULL, OPT_DRAIN },
    { "jobs", required_argument, NULL, OPT_JOBS },
    { "platforms", required_argument, NULL, OPT_PLATFORMS },
    { "connections", required_argument, NULL, OPT_CONNECTIONS },
    { "connections-per-client", required_argument, NULL, OPT_PER_CLIENT },
    { "rate", required_argument, NULL, OPT_RATE },
    { "log-format", required_argument, NULL, OPT_LOG_FORMAT },
    { "insecure-no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "help", no_argument, NULL, 'h' },
    { NULL, 0, NULL, 0 },
};

/* --- values ----------------------------------------------------------------------------------- */

/* "500ms", "30s", "5m", "1h", "30" (seconds). */
static ck_err *take_duration(const char *option, unsigned *ret_ms)
{
    static const struct {
        const char *suffix;
        uint64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
    enum { LONGEST_MS = 24 * 3600 * 1000 };
    ck_view v = ck_view_str(optarg);
    uint64_t n;
    size_t u = 0;
    while (!ck_view_ends(v, ck_view_str(units[u].suffix)))
        u++;
    v.n -= strlen(units[u].suffix);
    if (!ck_view_u64(v, &n) || n == 0 || n > LONGEST_MS / units[u].ms)
        return ck_err_new(CK_ERR_USAGE, "%s %.100s: it is a time of up to 24h, as in 500ms, 30s, "
                                        "5m", option, optarg);
    *ret_ms = (unsigned)(n * units[u].ms);
    return NULL;
}

static ck_err *take_number(const char *option, unsigned max, unsigned *ret)
{
    uint64_t n;
    if (!ck_view_u64(ck_view_str(optarg), &n) || n == 0 || n > max)
        return ck_err_new(CK_ERR_USAGE, "%s %.100s: it is a number from 1 to %u", option, optarg,
                          max);
    *ret = (unsigned)n;
    return NULL;
}

static ck_err *take_listener(struct args *a, enum ck_wire_routes routes, const char *address)
{
    static const struct {
        const char *prefix;
        enum scheme scheme;
    } schemes[] = { { "https://", SCHEME_HTTPS }, { "http://", SCHEME_HTTP }, { "", SCHEME_ANY } };
    size_t s = 0;
    if (a->o.n_listeners == LISTENERS)
        return ck_err_new(CK_ERR_USAGE, "at most %d addresses to listen on", LISTENERS);
    while (!ck_view_starts(ck_view_str(address), ck_view_str(schemes[s].prefix)))
        s++;
    address += strlen(schemes[s].prefix);
    a->schemes[a->o.n_listeners] = schemes[s].scheme;
    a->listeners[a->o.n_listeners++] = (struct ck_gateway_listener){ address,
                                                                     { .routes = routes } };
    return NULL;
}

static ck_err *take_upstream(struct args *a)
{
    if (a->o.n_upstreams == UPSTREAMS)
        return ck_err_new(CK_ERR_USAGE, "at most %d upstreams", UPSTREAMS);
    if (!*optarg || strchr(optarg, '/'))
        return ck_err_new(CK_ERR_USAGE, "--upstream %.200s: it is a registry's host, as in "
                                        "docker.io, ghcr.io, registry.example:5000", optarg);
    a->upstreams[a->o.n_upstreams++] = optarg;
    return NULL;
}

/* Of the hosted area only: what comes from elsewhere is always judged. */
static ck_err *take_unjudged(struct args *a)
{
    if (a->o.n_unjudged == UNJUDGED)
        return ck_err_new(CK_ERR_USAGE, "at most %d patterns of --unjudged", UNJUDGED);
    const char *star = strchr(optarg, '*');
    if (!*optarg || *optarg == '*' || (star && star[1]))
        return ck_err_new(CK_ERR_USAGE, "--unjudged %.200s: it is the name of a repository, or the "
                                        "beginning of one with a star behind: hosted/charts/*",
                          optarg);
    a->unjudged[a->o.n_unjudged++] = optarg;
    return NULL;
}

static ck_err *take_harbor(struct args *a)
{
    if (a->o.n_harbor_registries == HARBORS)
        return ck_err_new(CK_ERR_USAGE, "at most %d registries of Harbor", HARBORS);
    if (!*optarg || strchr(optarg, '/'))
        return ck_err_new(CK_ERR_USAGE, "--harbor-registry %.200s: it is a host as Harbor calls "
                                        "itself, as in core.harbor.example, core:8080", optarg);
    a->harbors[a->o.n_harbor_registries++] = optarg;
    return NULL;
}

static ck_err *take_platforms(struct args *a)
{
    ck_view left = ck_view_str(optarg);
    do {
        struct ck_platform p;
        CK_TRY_WRAP(ck_platform_parse(ck_view_split(left, ',', &left), &p), "--platforms");
    } while (left.n);
    a->o.platforms = optarg;
    return NULL;
}

static ck_err *take_hosted(struct args *a)
{
    struct ck_name n;
    ck_autoarena struct ck_arena arena = { 0 };
    const char *text = ck_arena_format(&arena, "gate.internal/%s/x", optarg);
    ck_err *e = ck_name_parse(ck_view_str(text), &arena, &n);
    ck_err_free(e);
    if (e || strpbrk(optarg, "./:@"))
        return ck_err_new(CK_ERR_USAGE, "--hosted %.100s: it is one component of a repository's "
                                        "name, without a dot", optarg);
    a->o.hosted = optarg;
    return NULL;
}

static ck_err *take_log_format(struct args *a)
{
    a->o.log_text = strcmp(optarg, "text") == 0;
    if (!a->o.log_text && strcmp(optarg, "json") != 0)
        return ck_err_new(CK_ERR_USAGE, "--log-format %.100s: it is json or text", optarg);
    return NULL;
}

static ck_err *take_drain(struct args *a)
{
    unsigned ms = 0;
    CK_TRY(take_duration("--drain", &ms));
    a->o.drain_seconds = (ms + 999) / 1000;
    return NULL;
}

/* --- options ---------------------------------------------------------------------------------- */

static ck_err *take_value(struct args *a, int opt)
{
    switch (opt) {
    case OPT_LISTEN: return take_listener(a, CK_ROUTES_GATE, optarg);
    case OPT_METRICS_LISTEN: return take_listener(a, CK_ROUTES_METRICS, optarg);
    case OPT_DOCKER_PLUGIN: {
        /* Its value is a path; the listener's address lives as long as the process. */
        char *address = ck_calloc(1, strlen(optarg) + sizeof "unix:");
        memcpy(address, "unix:", 5);
        memcpy(address + 5, optarg, strlen(optarg));
        return take_listener(a, CK_ROUTES_DOCKER, address);
    }
    case OPT_UPSTREAM: return take_upstream(a);
    case OPT_UNJUDGED: return take_unjudged(a);
    case OPT_HARBOR_REGISTRY: return take_harbor(a);
    case OPT_PLATFORMS: return take_platforms(a);
    case OPT_HOSTED: return take_hosted(a);
    case OPT_LOG_FORMAT: return take_log_format(a);
    case OPT_WAIT: return take_duration("--wait", &a->o.wait_ms);
    case OPT_TAG_TTL: return take_duration("--tag-ttl", &a->o.tag_ms);
    case OPT_WATCH: return take_duration("--watch", &a->o.watch_ms);
    case OPT_DRAIN: return take_drain(a);
    case OPT_JOBS: return take_number("--jobs", 16, &a->o.jobs);
    case OPT_CONNECTIONS: return take_number("--connections", 65536, &a->o.connections);
    case OPT_PER_CLIENT:
        return take_number("--connections-per-client", 65536, &a->o.connections_per_client);
    case OPT_RATE: return take_number("--rate", 1000000, &a->o.requests_per_second);
    }
    return NULL;
}

static ck_err *take_option(void *ctx, int opt)
{
    struct args *a = ctx;
    bool taken = false;
    CK_TRY(ck_remote_args_take(&a->remote, opt, &taken));
    if (taken)
        return NULL;
    switch (opt) {
    case OPT_TLS_CERT: a->o.certificate = optarg; break;
    case OPT_TLS_KEY: a->o.key = optarg; break;
    case OPT_URL: a->o.url = optarg; break;
    case OPT_POLICY: a->o.policy = optarg; break;
    case OPT_DB: a->o.db = optarg; break;
    case OPT_ANONYMOUS_PULL: a->o.anonymous_pull = true; break;
    case OPT_INSECURE_HTTP: a->o.insecure_http = true; break;
    case OPT_HEAD_DENY_405: a->o.head_deny_405 = true; break;
    case OPT_IMMUTABLE_TAGS: a->o.immutable_tags = true; break;
    case OPT_NO_SANDBOX: a->o.scan.no_sandbox = true; break;
    default: return take_value(a, opt);
    }
    return NULL;
}

static ck_err *check(struct args *a)
{
    bool tls = a->o.certificate != NULL;
    if (tls != (a->o.key != NULL))
        return ck_err_new(CK_ERR_USAGE, "--tls-cert and --tls-key go together");
    if (a->o.url && strncmp(a->o.url, "http://", 7) != 0 && strncmp(a->o.url, "https://", 8) != 0)
        return ck_err_new(CK_ERR_USAGE, "--url %.200s: it begins with https:// (or http://)",
                          a->o.url);
    if (!a->o.n_listeners && !getenv("LISTEN_FDS"))
        CK_TRY(take_listener(a, CK_ROUTES_GATE, "127.0.0.1:5000"));
    for (size_t i = 0; i < a->o.n_listeners; i++) {
        struct ck_wire_listener *kind = &a->listeners[i].kind;
        kind->tls = a->schemes[i] == SCHEME_HTTPS ||
                    (a->schemes[i] == SCHEME_ANY && tls && kind->routes == CK_ROUTES_GATE);
    }
    return NULL;
}

/* As many connections as the system allows: each is a descriptor, and so is each blob on its
 * way. */
static void raise_descriptors(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max)
        return;
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
}

int ck_cmd_serve(int argc, char **argv)
{
    struct args *a = ck_new(struct args);
    a->o.listeners = a->listeners;
    a->o.upstreams = a->upstreams;
    a->o.unjudged = a->unjudged;
    a->o.harbor_registries = a->harbors;
    a->o.log_fd = STDOUT_FILENO;
    int status = ck_cmd_options(argc, argv, page, options, take_option, a);
    if (status >= 0) {
        free(a);
        return status;
    }
    ck_err *e = argc > optind ? ck_err_new(CK_ERR_USAGE, "serve takes options only") : check(a);
    a->o.scan.store = a->remote.store;
    a->o.scan.remote = a->remote.remote;
    a->o.scan.remote.strangers = a->o.n_upstreams == 0; /* any client may name a registry */
    a->o.scan.max_size = a->remote.max_size;
    if (a->o.scan.no_sandbox)
        fputs("cocket: WARNING: the sandbox is off; a hostile image or client can take over this "
              "account\n", stderr);
    raise_descriptors();
    if (!e)
        e = ck_notify_env(&a->o.notify);
    if (!e)
        e = ck_gateway_run(&a->o);
    free(a);
    return e ? ck_cmd_fail(e) : CK_EXIT_OK;
}
