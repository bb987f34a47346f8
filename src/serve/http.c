/* Requests, from libmicrohttpd's callbacks to the handlers of routes and back. */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/api_request.h"
#include "serve/http_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

/* The routes of each kind of listener, in the order in which they are tried. */
static const struct ck_route *const gate_routes[] = { ck_registry_routes, ck_status_routes,
                                                      ck_explain_routes, ck_admission_routes,
                                                      ck_harbor_routes, ck_api_routes,
                                                      ck_web_routes, NULL };
static const struct ck_route *const metrics_routes[] = { ck_status_routes, NULL };
static const struct ck_route *const docker_routes[] = { ck_docker_routes, NULL };
static const struct ck_route *const *const tables[CK_ROUTES_COUNT_] = {
    [CK_ROUTES_GATE] = gate_routes,
    [CK_ROUTES_METRICS] = metrics_routes,
    [CK_ROUTES_DOCKER] = docker_routes,
};

/* --- what handlers see ------------------------------------------------------------------------ */

struct ck_arena *ck_request_arena(struct ck_request *r) { return &r->arena; }
ck_view ck_request_path(const struct ck_request *r) { return r->path; }
ck_view ck_request_body(const struct ck_request *r) { return ck_buf_view(&r->body); }
ck_view ck_request_client(const struct ck_request *r) { return ck_view_str(r->peer->address); }

bool ck_request_query(struct ck_request *r, const char *name, ck_view *ret)
{
    return ck_params_find(&r->params, name, ret);
}

size_t ck_request_query_all(struct ck_request *r, const char *name, ck_view *ret, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < r->params.n; i++)
        if (ck_view_eq(r->params.v[i].name, ck_view_str(name)) && n++ < max)
            ret[n - 1] = r->params.v[i].value;
    return n;
}

bool ck_request_header(struct ck_request *r, const char *name, ck_view *ret)
{
    const char *value = NULL;
    size_t n = 0;
    if (r->serve->mhd->MHD_lookup_connection_value_n(r->conn, MHD_HEADER_KIND, name, strlen(name),
                                                     &value, &n) != MHD_YES ||
        !value)
        return false;
    *ret = ck_view_of(value, n);
    return true;
}

/* --- questions -------------------------------------------------------------------------------- */

void ck_request_ask(struct ck_request *r, struct ck_ask *q,
                    void (*done)(struct ck_request *r, void *ctx, struct ck_answer *w), void *ctx)
{
    q->id = UINT32_MAX;
    q->session = r->session;
    q->client = ck_request_client(r);
    q->agent = r->agent;
    r->done = done;
    r->done_ctx = ctx;
    r->packet_fd = q->fd;
    r->unasked = 0;
    if (ck_ask_sound(q))
        ck_ask_encode(q, &r->packet);
    if (!r->packet.n || r->packet.n > CK_WIRE_PACKET) {
        ck_buf_free(&r->packet);
        if (q->fd >= 0)
            close(q->fd);
        r->packet_fd = -1;
        r->unasked = 400;
    }
}

static void hand_over(struct ck_request *r, struct ck_answer *w)
{
    void (*done)(struct ck_request *, void *, struct ck_answer *) = r->done;
    r->done = NULL;
    done(r, r->done_ctx, w);
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

/* Sends the question that the last step left. True: its answer is awaited, and the request is not
 * this thread's any more. */
static bool awaits(struct ck_request *r, bool suspend)
{
    while (r->done) {
        uint16_t instead = r->unasked ? r->unasked : ck_asks_send(r, suspend);
        if (!instead)
            return true;
        struct ck_answer w = { .id = 1, .status = instead, .fd = -1,
                               .message = instead == 400 ? CK_V("the request cannot be read")
                                                         : CK_V("the gate is stopping") };
        hand_over(r, &w);
    }
    return false;
}

void ck_http_answer(struct ck_request *r, struct ck_answer *w)
{
    if (!r) {
        if (w->fd >= 0)
            close(w->fd);
        return;
    }
    hand_over(r, w);
    if (!awaits(r, false))
        r->serve->mhd->MHD_resume_connection(r->conn);
}

/* --- headers ---------------------------------------------------------------------------------- */

struct heads {
    struct ck_request *r;
    const char *wrong;
    bool has_authorization, encoded;
    ck_view authorization, cookie;
    unsigned seen;
};

/* Those that are read here and by handlers; twice is refused. */
enum head {
    HOST, AUTHORIZATION, LENGTH, ENCODING, AGENT, TYPE, RANGE, CONTENT_RANGE, MATCH, COOKIE, SITE,
    ORIGIN, REQUESTED, LAST_EVENT, HEADS,
};
static const char *const head_names[HEADS] = {
    [HOST] = "host",           [AUTHORIZATION] = "authorization",
    [LENGTH] = "content-length", [ENCODING] = "transfer-encoding",
    [AGENT] = "user-agent",    [TYPE] = "content-type",
    [RANGE] = "range",         [CONTENT_RANGE] = "content-range",
    [MATCH] = "if-none-match", [COOKIE] = "cookie",
    [SITE] = "sec-fetch-site", [ORIGIN] = "origin",
    [REQUESTED] = "x-requested-with", [LAST_EVENT] = "last-event-id",
};

static bool same(ck_view v, const char *word)
{
    return v.n == strlen(word) && strncasecmp((const char *)v.p, word, v.n) == 0;
}

static bool is_field_name(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~' || strchr("\"(),/:;<=>?@[\\]{}", v.p[i]))
            return false;
    return v.n > 0;
}

static bool is_field_value(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((v.p[i] < ' ' && v.p[i] != '\t') || v.p[i] == 0x7f)
            return false;
    return true;
}

/* "gate.example:5443" without the port. */
static ck_view without_port(ck_view host)
{
    size_t at = host.n;
    while (at > 0 && host.p[at - 1] >= '0' && host.p[at - 1] <= '9')
        at--;
    return at > 0 && host.p[at - 1] == ':' ? ck_view_head(host, at - 1) : host;
}

static void take_head(struct heads *h, enum head which, ck_view v)
{
    struct ck_request *r = h->r;
    switch (which) {
    case HOST:
        r->host = without_port(v);
        break;
    case AUTHORIZATION:
        h->has_authorization = r->authorized = true;
        h->authorization = v;
        break;
    case COOKIE:
        h->cookie = v;
        break;
    case LENGTH:
        r->has_length = true;
        if (!ck_view_u64(v, &r->length))
            h->wrong = "a Content-Length that is no number";
        break;
    case ENCODING:
        h->encoded = r->chunked = true;
        if (!same(v, "chunked"))
            h->wrong = "a Transfer-Encoding that is not chunked";
        break;
    case AGENT:
        r->agent = ck_view_head(v, CK_MAX_SERVE_AGENT);
        break;
    default:
        break;
    }
}

static enum MHD_Result on_head(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n,
                               const char *value, size_t value_n)
{
    (void)kind;
    struct heads *h = cls;
    ck_view n = ck_view_of(name, name_n), v = ck_view_of(value, value ? value_n : 0);
    if (!is_field_name(n) || !is_field_value(v)) {
        h->wrong = "a malformed header";
        return MHD_NO;
    }
    for (enum head i = 0; i < HEADS; i++) {
        if (!same(n, head_names[i]))
            continue;
        if (h->seen & 1u << i)
            h->wrong = "a header is there twice";
        h->seen |= 1u << i;
        take_head(h, i, v);
        break;
    }
    return h->wrong ? MHD_NO : MHD_YES;
}

/* What two readers of a request may read differently is refused (request smuggling). */
static const char *read_heads(struct ck_request *r, struct heads *h)
{
    h->r = r;
    r->serve->mhd->MHD_get_connection_values_n(r->conn, MHD_HEADER_KIND, on_head, h);
    if (!h->wrong && r->chunked && r->has_length)
        h->wrong = "both Content-Length and Transfer-Encoding";
    return h->wrong;
}

/* --- bodies in memory ------------------------------------------------------------------------- */

static size_t memory_take(struct ck_request *r, ck_view bytes)
{
    if (bytes.n > r->route->max_body - r->body.n) {
        ck_request_refuse(r, 413, CK_OCI_SIZE_INVALID, "the body is too long");
        return SIZE_MAX;
    }
    if (!ck_request_reserve(r, bytes.n)) {
        ck_request_refuse(r, 503, CK_OCI_UNKNOWN, "too many bodies at one time");
        return SIZE_MAX;
    }
    ck_put_bytes(&r->body, bytes);
    return bytes.n;
}

static void memory_end(struct ck_request *r) { r->route->handle(r); }

static const struct ck_sink memory_sink = { memory_take, memory_end, NULL };

/* --- the way of a request --------------------------------------------------------------------- */

static bool role_holds(struct ck_request *r)
{
    if (!r->route->role || r->listener->kind.routes != CK_ROUTES_GATE ||
        r->roles & r->route->role)
        return true;
    if (r->session)
        ck_request_refuse(r, 403, CK_OCI_DENIED, "your account may not do this");
    else
        ck_request_challenge(r, "authentication required");
    return false;
}

static void proceed(struct ck_request *r)
{
    if (!role_holds(r))
        return;
    if (r->route->methods & CK_ROUTE_STREAMS || !ck_request_has_body(r))
        r->route->handle(r);
    else if (r->length > r->route->max_body || !r->route->max_body)
        ck_request_refuse(r, 413, CK_OCI_SIZE_INVALID, "the body is too long");
    else
        ck_request_receive(r, &memory_sink);
}

static void be(struct ck_request *r, const struct ck_session *s)
{
    r->session = s->session;
    r->roles = s->roles;
}

static void on_session(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    const ck_view *authorization = ctx;
    if (w->status != 200) {
        ck_request_fail(r, w);
        return;
    }
    struct ck_session s = { .session = w->session, .roles = w->roles };
    memcpy(s.user, w->message.p, w->message.n < sizeof s.user ? w->message.n : sizeof s.user - 1);
    if (w->keep_ms)
        ck_sessions_keep(r->serve->sessions, *authorization, ck_clock_ms() + w->keep_ms, &s);
    be(r, &s);
    proceed(r);
}

/* The API's cookie stands for a token; nowhere else does it say anything. */
static void take_cookie(struct ck_request *r, struct heads *h)
{
    ck_view token;
    if (h->has_authorization || !ck_request_is_api(r) || !ck_api_cookie(h->cookie, &token))
        return;
    h->has_authorization = true;
    h->authorization =
        ck_view_str(ck_arena_format(&r->arena, "Bearer %.*s", CK_VF(token)));
}

static void identify(struct ck_request *r, struct heads *h)
{
    struct ck_session s;
    take_cookie(r, h);
    if (r->route->methods & CK_ROUTE_OPEN || r->listener->kind.routes != CK_ROUTES_GATE ||
        !h->has_authorization) {
        r->roles = r->serve->config.anonymous_pull ? CK_ROLE_PULL : 0;
        proceed(r);
    } else if (ck_sessions_find(r->serve->sessions, h->authorization, r->began / 1000, &s)) {
        be(r, &s);
        proceed(r);
    } else {
        ck_view *word = ck_arena_alloc(&r->arena, 1, sizeof *word);
        *word = h->authorization; /* lives as long as the request's headers */
        struct ck_ask q = { .kind = CK_ASK_AUTH, .words = word, .n_words = 1, .fd = -1 };
        ck_request_ask(r, &q, on_session, word);
    }
}

static const struct ck_route *find_route(struct ck_request *r, unsigned *ret_methods)
{
    const struct ck_route *const *table = tables[r->listener->kind.routes];
    for (; *table; table++)
        for (const struct ck_route *one = *table; one->prefix; one++) {
            ck_view prefix = ck_view_str(one->prefix);
            if (one->exact ? !ck_view_eq(r->path, prefix) : !ck_view_starts(r->path, prefix))
                continue;
            if (one->methods & r->method)
                return one;
            *ret_methods |= one->methods;
        }
    return NULL;
}

static const struct {
    const char *name;
    enum ck_method method;
} methods[] = {
    { "GET", CK_GET },     { "HEAD", CK_HEAD },   { "POST", CK_POST },
    { "PUT", CK_PUT },     { "PATCH", CK_PATCH }, { "DELETE", CK_DELETE },
};
enum { METHODS = sizeof methods / sizeof methods[0] };

static void refuse_method(struct ck_request *r, unsigned known)
{
    ck_autobuf struct ck_buf allow = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < METHODS; i++)
        if (known & methods[i].method)
            ck_buf_format(&allow, "%s%s", allow.n ? ", " : "", methods[i].name);
    struct ck_reply_header h = { "Allow", ck_buf_view(&allow) };
    ck_request_reply(r, 405, "application/json",
                     ck_request_is_api(r)
                         ? CK_V("{\"error\":\"this method is not allowed here\"}\n")
                         : CK_V("{\"errors\":[{\"code\":\"UNSUPPORTED\",\"message\":"
                                "\"this method is not allowed here\"}]}\n"),
                     &h, 1);
}

static void begin(struct ck_request *r, const char *method)
{
    struct heads h = { 0 };
    unsigned known = 0;
    ck_peer_quit(r->peer);
    for (size_t i = 0; i < METHODS; i++)
        if (strcmp(method, methods[i].name) == 0)
            r->method = methods[i].method;
    const char *wrong = r->wrong ? r->wrong : read_heads(r, &h);
    if (wrong) {
        r->malformed = true; /* nobody knows where the next request begins */
        ck_request_refuse(r, 400, CK_OCI_UNSUPPORTED, wrong);
    } else if (!r->peer->local &&
               !ck_limiter_take(r->serve->limiter, ck_request_client(r), r->began / 1000)) {
        ck_count(&r->serve->counts.limited, 1);
        ck_request_refuse(r, 429, CK_OCI_TOOMANYREQUESTS, "too many requests; try again later");
    } else if ((r->route = find_route(r, &known))) {
        identify(r, &h);
    } else if (known) {
        refuse_method(r, known);
    } else {
        ck_request_refuse(r, 404, CK_OCI_NAME_UNKNOWN, "there is nothing here");
    }
}

/* --- libmicrohttpd's callbacks ---------------------------------------------------------------- */

enum { BODY_TIMES = 10 }; /* of idle_seconds: with 60, 4 MiB at 7 KiB/s */

/* libmicrohttpd ends a connection whose response is queued before the body was read: where there is
 * no body it is queued when we are called again. */
static enum MHD_Result queue(struct ck_request *r)
{
    bool early = !r->past_head && !r->malformed && !ck_request_has_body(r);
    r->past_head = true;
    if (early)
        return MHD_YES;
    return r->serve->mhd->MHD_queue_response(r->conn, r->status, r->response);
}

static enum MHD_Result discard(struct ck_request *r, size_t *n)
{
    r->discarded += *n;
    *n = 0;
    return r->discarded <= CK_MAX_SERVE_DISCARD ? MHD_YES : MHD_NO;
}

/* Once the sink has suspended the connection, r is not ours any more. */
static void take_body(struct ck_request *r, const char *data, size_t *n)
{
    struct ck_serve *s = r->serve;
    size_t taken = r->sink->take(r, ck_view_of(data, *n));
    if (taken == SIZE_MAX)
        taken = *n;
    ck_count(&s->counts.received, taken);
    *n -= taken;
}

/* A body that is taken into memory has its time; that of an upload takes as long as it takes. */
static enum MHD_Result body_next(struct ck_request *r)
{
    const int64_t within = (int64_t)r->serve->config.idle_seconds * BODY_TIMES * 1000;
    if (r->stage != CK_BODY_NEXT)
        return MHD_NO;
    r->past_head = true;
    r->stage = CK_BODY;
    if (!r->sink->gone)
        ck_peer_lasts(r->peer, ck_clock_ms(), within);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **ctx)
{
    struct ck_request *r = *ctx;
    (void)cls;
    (void)conn;
    (void)url;
    (void)version;
    if (!r)
        return MHD_NO;
    if (r->response)
        return *n ? discard(r, n) : queue(r);
    if (r->stage == CK_FRESH) {
        r->stage = CK_WORKING;
        begin(r, method);
    } else if (r->stage == CK_BODY && *n) {
        take_body(r, data, n);
        return MHD_YES;
    } else if (r->stage == CK_BODY) {
        r->stage = CK_ENDING;
        ck_peer_quit(r->peer);
        r->sink->end(r);
    } else if (r->stage != CK_BODY_NEXT) {
        return MHD_NO;
    }
    if (awaits(r, true))
        return MHD_YES;
    if (r->response)
        return queue(r);
    return body_next(r);
}

static struct ck_peer *peer_of(const struct ck_serve *s, struct MHD_Connection *conn)
{
    const union MHD_ConnectionInfo *info =
        s->mhd->MHD_get_connection_info(conn, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* The first line is there; headers are still to come. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *conn)
{
    struct ck_listener *l = cls;
    size_t n = target ? strlen(target) : 0;
    struct ck_request *r = ck_calloc(1, sizeof *r + n + 1);
    r->serve = l->serve;
    r->listener = l;
    r->conn = conn;
    r->peer = peer_of(l->serve, conn);
    r->began = ck_clock_us();
    r->label = CK_LABEL_OTHER;
    r->body_fd = r->packet_fd = -1;
    if (n)
        memcpy(r->raw, target, n);
    r->wrong = ck_uri_parse(r->raw, n, &r->path, &r->params);
    atomic_fetch_add_explicit(&l->serve->counts.in_flight, 1, memory_order_relaxed);
    return r;
}

static void on_completed(void *cls, struct MHD_Connection *conn, void **ctx,
                         enum MHD_RequestTerminationCode why)
{
    struct ck_request *r = *ctx;
    (void)cls;
    (void)conn;
    if (!r)
        return;
    struct ck_serve *s = r->serve;
    int64_t now = ck_clock_us();
    if ((r->stage == CK_BODY || r->stage == CK_BODY_NEXT) && r->sink->gone)
        r->sink->gone(r);
    ck_request_close_body(r);
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
        ck_count(&s->counts.sent, r->sent);
    ck_counts_request(&s->counts, r->label, r->response ? r->status : 0, now - r->began);
    atomic_fetch_sub_explicit(&s->counts.in_flight, 1, memory_order_relaxed);
    ck_peer_owes(r->peer, now / 1000, (int64_t)s->config.idle_seconds * 1000);
    if (r->kept)
        ck_kept_put_back(s->kept, r->kept);
    else if (r->response)
        s->mhd->MHD_destroy_response(r->response);
    atomic_fetch_sub(&s->bodies, r->reserved);
    ck_buf_free(&r->body);
    ck_buf_free(&r->packet);
    ck_arena_free(&r->arena);
    free(r);
    *ctx = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *conn, void **socket_context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct ck_listener *l = cls;
    struct ck_serve *s = l->serve;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context)
            ck_peers_remove(s->peers, *socket_context);
        *socket_context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        s->mhd->MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        s->mhd->MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct ck_peer *p = ck_peers_add(s->peers, fd->connect_fd, address->client_addr);
    ck_peer_owes(p, ck_clock_ms(), (int64_t)s->config.idle_seconds * 1000);
    *socket_context = p;
}

/* --- listeners -------------------------------------------------------------------------------- */

enum { STACK = 256 * 1024, SIDE = 64 /* connections of any other listener */ };
static const char tls_priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

static unsigned threads_of(const struct ck_serve *s, const struct ck_wire_listener *kind)
{
    unsigned n = s->config.threads ? s->config.threads : s->mhd->cores;
    return kind->routes == CK_ROUTES_GATE ? n : 1;
}

ck_err *ck_http_listen(struct ck_serve *s, const struct ck_wire_listener *kind, int fd,
                       struct ck_listener **list)
{
    const struct ck_serve_config *c = &s->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    if (kind->tls && (!c->certificate.n || !c->key.n))
        return ck_err_new(CK_ERR_USAGE, "a listener with TLS needs a certificate and a key");
    ck_autofree char *certificate = ck_strndup(c->certificate.p, c->certificate.n);
    ck_autofree char *key = ck_strndup(c->key.p, c->key.n);
    struct ck_listener *l = ck_new(struct ck_listener);
    l->serve = s;
    l->kind = *kind;
    const struct MHD_OptionItem tls[] = {
        { MHD_OPTION_HTTPS_MEM_CERT, 0, certificate },
        { MHD_OPTION_HTTPS_MEM_KEY, 0, key },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)tls_priorities },
        { MHD_OPTION_END, 0, NULL },
    };
    const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
    fcntl(fd, F_SETFL, O_NONBLOCK); /* two workers may wake for one connection */
    l->daemon = s->mhd->MHD_start_daemon(
        flags | (kind->tls ? MHD_USE_TLS : 0), 0, NULL, NULL, on_request, l,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, threads_of(s, kind),
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CK_MAX_SERVE_HEAD,
        MHD_OPTION_CONNECTION_LIMIT, kind->routes == CK_ROUTES_GATE ? s->share : (unsigned)SIDE,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, kind->local ? 0 : c->connections_per_client,
        MHD_OPTION_CONNECTION_TIMEOUT, c->idle_seconds, MHD_OPTION_URI_LOG_CALLBACK, on_target, l,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, l, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        l, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, kind->tls ? tls : none,
        MHD_OPTION_END);
    if (!l->daemon) {
        free(l);
        return ck_err_new(CK_ERR_OURS, "the listener cannot be started%s",
                          kind->tls ? "; are certificate and key a pair?" : "");
    }
    l->next = *list;
    *list = l;
    return NULL;
}

void ck_http_quiesce(struct ck_listener *list)
{
    for (struct ck_listener *l = list; l; l = l->next) {
        int fd = l->serve->mhd->MHD_quiesce_daemon(l->daemon);
        if (fd >= 0)
            close(fd);
    }
}

void ck_http_stop(struct ck_listener *list)
{
    while (list) {
        struct ck_listener *l = list;
        list = l->next;
        l->serve->mhd->MHD_stop_daemon(l->daemon);
        free(l);
    }
}
