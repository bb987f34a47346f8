/* Listening sockets: from the options, and those that systemd has opened. */
#include "gateway/core.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_OF_SYSTEMD = 3 };

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
    };
    socklen_t length;
};

/* --- addresses -------------------------------------------------------------------------------- */

static ck_err *no_address(const char *text)
{
    return ck_err_new(CK_ERR_USAGE, "%.200s is no address to listen on (as in 127.0.0.1:5000, "
                                    "[::1]:5000, *:5000, unix:/run/gate.sock, fd:3)", text);
}

static bool parse_host(ck_view host, uint16_t port, struct address *ret)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = ck_view_of(host.p + 1, host.n - 2);
    if (host.n == 0 || ck_view_eq(host, CK_V("*")))
        host = CK_V("::");
    else if (ck_view_eq(host, CK_V("localhost")))
        host = CK_V("127.0.0.1");
    if (host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    *ret = (struct address){ .length = sizeof ret->v4 };
    ret->v4.sin_family = AF_INET;
    ret->v4.sin_port = htons(port);
    if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1)
        return true;
    *ret = (struct address){ .length = sizeof ret->v6 };
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = htons(port);
    return inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1;
}

static ck_err *parse_inet(const char *text, struct address *ret)
{
    const char *colon = strrchr(text, ':');
    uint64_t port = 0;
    if (!colon || !ck_view_u64(ck_view_str(colon + 1), &port) || port > UINT16_MAX ||
        !parse_host(ck_view_of(text, (size_t)(colon - text)), (uint16_t)port, ret))
        return no_address(text);
    return NULL;
}

static bool is_loopback(const struct address *a)
{
    static const uint8_t mapped[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };
    const uint8_t *six = a->v6.sin6_addr.s6_addr;
    switch (a->any.sa_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) || memcmp(six, mapped, sizeof mapped) == 0;
    default:
        return false;
    }
}

static bool is_everywhere(const struct address *a)
{
    return a->any.sa_family == AF_INET ? a->v4.sin_addr.s_addr == htonl(INADDR_ANY)
                                       : IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

/* As a client would write it. */
static char *show(const struct address *a, bool tls)
{
    char host[256] = "", part[INET6_ADDRSTRLEN] = "";
    const char *scheme = tls ? "https" : "http";
    if (a->any.sa_family == AF_UNIX)
        return ck_format("unix:%.*s", (int)sizeof a->local.sun_path, a->local.sun_path);
    bool six = a->any.sa_family == AF_INET6;
    if (is_everywhere(a) && gethostname(host, sizeof host - 1) == 0 && *host)
        ;
    else if (six)
        snprintf(host, sizeof host, "[%s]",
                 inet_ntop(AF_INET6, &a->v6.sin6_addr, part, sizeof part));
    else
        snprintf(host, sizeof host, "%s",
                 inet_ntop(AF_INET, &a->v4.sin_addr, part, sizeof part));
    return ck_format("%s://%s:%u", scheme, host,
                     ntohs(six ? a->v6.sin6_port : a->v4.sin_port));
}

/* --- sockets ---------------------------------------------------------------------------------- */

/* Takes over `fd`, which listens. */
static ck_err *take(const struct ck_gateway_options *o, struct ck_wire_listener kind, int fd,
                    struct ck_listeners *l)
{
    struct address a = { .length = sizeof a.local };
    int listening = 0;
    socklen_t size = sizeof listening;
    if (getsockname(fd, &a.any, &a.length) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening) {
        close(fd);
        return ck_err_new(CK_ERR_USAGE, "descriptor %d is no socket that listens", fd);
    }
    kind.local = a.any.sa_family == AF_UNIX;
    if (kind.local)
        kind.tls = false;
    ck_autofree char *shown = show(&a, kind.tls);
    if (!kind.tls && !o->insecure_http && !is_loopback(&a)) {
        close(fd);
        return ck_err_new(CK_ERR_USAGE, "%s: plain HTTP is for the loopback only; give "
                                        "--tls-cert and --tls-key (or --insecure-http, if "
                                        "something in front of the gate does TLS)", shown);
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    *ck_push(l) = (struct ck_listener){ .fd = fd, .kind = kind, .shown = ck_steal(shown) };
    return NULL;
}

static ck_err *open_inet(const char *text, int *ret)
{
    struct address a;
    int on = 1, off = 0;
    CK_TRY(parse_inet(text, &a));
    int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "socket");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* accepted ones inherit it */
    if (a.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &a.any, a.length) != 0 || listen(fd, SOMAXCONN) != 0) {
        ck_err *e = ck_err_errno(CK_ERR_USAGE, "listening on %s", text);
        close(fd);
        return e;
    }
    *ret = fd;
    return NULL;
}

/* A socket that nobody listens on any more is left behind by a gate that was killed. */
static void clear_stale(const struct address *a)
{
    struct stat st;
    if (lstat(a->local.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, &a->any, a->length) != 0 && errno == ECONNREFUSED)
        unlink(a->local.sun_path);
    if (fd >= 0)
        close(fd);
}

static ck_err *open_local(const char *path, int *ret)
{
    struct address a = { .local = { .sun_family = AF_UNIX }, .length = sizeof a.local };
    if (!*path || strlen(path) >= sizeof a.local.sun_path)
        return no_address(path);
    memcpy(a.local.sun_path, path, strlen(path));
    clear_stale(&a);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ck_err_errno(CK_ERR_OURS, "socket");
    mode_t old = umask(0177);
    bool ok = bind(fd, &a.any, a.length) == 0 && listen(fd, SOMAXCONN) == 0;
    ck_err *e = ok ? NULL : ck_err_errno(CK_ERR_USAGE, "listening on unix:%s", path);
    umask(old);
    if (e)
        close(fd);
    else
        *ret = fd;
    return e;
}

static ck_err *open_one(const struct ck_gateway_options *o, const struct ck_gateway_listener *w,
                        struct ck_listeners *l)
{
    ck_view text = ck_view_str(w->address);
    uint64_t number;
    int fd = -1;
    bool local = ck_view_starts(text, CK_V("unix:"));
    if (local)
        CK_TRY(open_local(w->address + strlen("unix:"), &fd));
    else if (!ck_view_starts(text, CK_V("fd:")))
        CK_TRY(open_inet(w->address, &fd));
    else if (ck_view_u64(ck_view_from(text, 3), &number) && number <= INT32_MAX)
        fd = (int)number;
    else
        return no_address(w->address);
    CK_TRY(take(o, w->kind, fd, l));
    if (local && l->v)
        l->v[l->n - 1].unlink_it = ck_strndup(w->address + 5, strlen(w->address + 5));
    return NULL;
}

/* --- systemd (sd_listen_fds(3)) --------------------------------------------------------------- */

static enum ck_wire_routes routes_by_name(ck_view name)
{
    return ck_view_eq(name, CK_V("metrics"))  ? CK_ROUTES_METRICS
           : ck_view_eq(name, CK_V("docker")) ? CK_ROUTES_DOCKER
                                              : CK_ROUTES_GATE;
}

static ck_err *take_systemds(const struct ck_gateway_options *o, struct ck_listeners *l)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    ck_view left = ck_view_str(names ? names : "");
    uint64_t want = 0, n = 0;
    if (!pid || !count || !ck_view_u64(ck_view_str(pid), &want) || want != (uint64_t)getpid() ||
        !ck_view_u64(ck_view_str(count), &n) || n > 64)
        return NULL;
    for (uint64_t i = 0; i < n; i++) {
        struct ck_wire_listener kind = { .tls = o->certificate != NULL };
        kind.routes = routes_by_name(ck_view_split(left, ':', &left));
        if (kind.routes == CK_ROUTES_METRICS)
            kind.tls = false;
        CK_TRY_WRAP(take(o, kind, (int)(FIRST_OF_SYSTEMD + i), l), "LISTEN_FDS");
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return NULL;
}

ck_err *ck_listeners_open(const struct ck_gateway_options *o, struct ck_listeners *ret)
{
    struct ck_listeners l = { 0 };
    bool any_tls = false;
    ck_err *e = take_systemds(o, &l);
    for (size_t i = 0; i < o->n_listeners && !e; i++)
        e = open_one(o, &o->listeners[i], &l);
    for (size_t i = 0; i < l.n; i++)
        any_tls |= l.v[i].kind.tls;
    if (!e && !l.n)
        e = ck_err_new(CK_ERR_USAGE, "there is nothing to listen on");
    if (!e && any_tls && !(o->certificate && o->key))
        e = ck_err_new(CK_ERR_USAGE, "TLS needs a certificate and its key");
    if (e)
        ck_listeners_close(&l);
    else
        *ret = l;
    return e;
}

void ck_listeners_close(struct ck_listeners *l)
{
    for (size_t i = 0; i < l->n; i++) {
        close(l->v[i].fd);
        if (l->v[i].unlink_it)
            unlink(l->v[i].unlink_it);
        free(l->v[i].unlink_it);
        free(l->v[i].shown);
    }
    free(l->v);
    *l = (struct ck_listeners){ 0 };
}
