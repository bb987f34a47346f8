#include "room/registry_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>

/* An exchange that is under way. */
struct exchange {
    struct ck_http *h;
    const struct ck_http_request *q;
    const struct ck_http_sink *sink;
    const char *proxy;
    struct ck_http_answer r;
    struct ck_buf body;
    uint64_t headers, header_bytes;
    bool begun; /* the headers are complete: what comes is body or trailer */
    bool take;
    bool enough; /* we ended it */
    char refused[INET6_ADDRSTRLEN]; /* the private address that it would have gone to */
    ck_err *error; /* of ours, in a callback */
};

/* --- where it may go -------------------------------------------------------------------------- */

static bool refuse(struct exchange *x, const struct sockaddr *sa)
{
    if (x->q->any_address || x->proxy || !ck_address_is_private(sa))
        return false;
    const void *bytes = sa->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)sa)->sin_addr;
    if (!inet_ntop(sa->sa_family, bytes, x->refused, sizeof x->refused))
        memcpy(x->refused, "?", 2);
    return true;
}

/* Gets the address that will be connected to, whatever the name server said a moment ago. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    if ((address->family != AF_INET && address->family != AF_INET6) ||
        refuse(ctx, &address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection that is used again was made for another job, which may have been allowed more. */
static int on_request(void *ctx, char *remote, char *local, int remote_port, int local_port)
{
    struct exchange *x = ctx;
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } sa = { .six = { .sin6_family = AF_INET6 } };
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (inet_pton(AF_INET6, remote, &sa.six.sin6_addr) != 1) {
        sa.four = (struct sockaddr_in){ .sin_family = AF_INET };
        if (inet_pton(AF_INET, remote, &sa.four.sin_addr) != 1)
            sa.any.sa_family = AF_UNSPEC; /* private */
    }
    return refuse(x, &sa.any) ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* Behind a proxy it is the proxy that resolves names; what is an address already is judged here. */
static bool names_private(const struct ck_url *u)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_in four = { .sin_family = AF_INET };
    char host[INET6_ADDRSTRLEN] = "";
    if (ck_view_eq(u->host, CK_V("localhost")) || ck_view_ends(u->host, CK_V(".localhost")))
        return true;
    if (u->host.n >= sizeof host)
        return false;
    memcpy(host, u->host.p, u->host.n);
    if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1)
        return ck_address_is_private((struct sockaddr *)&six);
    return inet_aton(host, &four.sin_addr) && ck_address_is_private((struct sockaddr *)&four);
}

/* --- headers ---------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t at;        /* of its view in struct ck_http_answer */
    const char *join; /* between several; NULL: two that differ are hostile */
} kept[] = {
#define KEEP(name, member, join) { name, offsetof(struct ck_http_answer, member), join }
    KEEP("content-type", content_type, NULL),
    KEEP("content-length", content_length, NULL),
    KEEP("content-range", content_range, NULL),
    KEEP("location", location, NULL),
    KEEP("docker-content-digest", digest, NULL),
    KEEP("retry-after", retry_after, NULL),
    KEEP("ratelimit-reset", reset, NULL),
    KEEP("www-authenticate", challenge, ", "),
    KEEP("link", link, ", "),
    KEEP("warning", warning, "\n"),
#undef KEEP
};

enum { JOINED = 8192 }; /* what comes after is passed over */

static ck_err *keep(struct exchange *x, size_t row, ck_view value)
{
    ck_view *v = (ck_view *)((char *)&x->r + kept[row].at);
    if (v->n == 0) {
        *v = ck_arena_dup(x->h->arena, value);
    } else if (kept[row].join) {
        if (v->n + value.n > JOINED)
            return NULL;
        *v = ck_view_str(ck_arena_format(x->h->arena, "%.*s%s%.*s", (int)v->n,
                                         (const char *)v->p, kept[row].join, (int)value.n,
                                         (const char *)value.p));
    } else if (!ck_view_eq(*v, value)) {
        return ck_err_new(CK_ERR_HOSTILE, "two %s headers that differ", kept[row].name);
    }
    return NULL;
}

static ck_err *begin(struct exchange *x)
{
    long status = 0;
    x->h->net->curl_easy_getinfo(x->h->net->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 100 && status < 200)
        return NULL; /* another one follows */
    x->r.status = (unsigned)status;
    x->r.has_length = ck_view_u64(x->r.content_length, &x->r.length);
    x->begun = true;
    return x->sink ? x->sink->begin(x->sink->ctx, &x->r, &x->take) : NULL;
}

static ck_err *header(struct exchange *x, ck_view line)
{
    x->header_bytes += line.n;
    if (++x->headers > CK_MAX_REGISTRY_HEADERS)
        return ck_err_limit(CK_LIMIT_REGISTRY_HEADERS, "the headers of an answer");
    if (x->header_bytes > CK_MAX_REGISTRY_HEADER_BYTES)
        return ck_err_limit(CK_LIMIT_REGISTRY_HEADER_BYTES, "the headers of an answer");
    if (x->begun)
        return NULL; /* a trailer */
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (line.n == 0)
        return begin(x);
    if (ck_view_starts(line, CK_V("HTTP/"))) {
        x->r = (struct ck_http_answer){ 0 };
        return NULL;
    }
    ck_view value, name = ck_view_split(line, ':', &value);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (name.n == strlen(kept[i].name) &&
            strncasecmp((const char *)name.p, kept[i].name, name.n) == 0)
            return keep(x, i, ck_view_trim(value));
    return NULL;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    x->error = header(x, ck_view_of(p, size * n));
    return x->error ? 0 : size * n;
}

/* --- body ------------------------------------------------------------------------------------- */

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    ck_view v = ck_view_of(p, size * n);
    if (x->take && x->sink->piece) {
        x->error = x->sink->piece(x->sink->ctx, v);
        return x->error ? 0 : v.n;
    }
    size_t room = x->take ? 0 : CK_MAX_REGISTRY_ERROR - x->body.n;
    ck_put_bytes(&x->body, ck_view_head(v, room));
    x->enough = room < v.n;
    return x->enough ? 0 : v.n;
}

/* libcurl calls this about once a second; its own stall limit ends what does not move. */
static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct exchange *x = ctx;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    if (!x->error) /* it is called once more after the end */
        x->error = ck_stream_tell(x->h->stream);
    return x->error != NULL;
}

/* --- the request ------------------------------------------------------------------------------ */

static void set_callbacks(struct exchange *x)
{
    struct ck_net *n = x->h->net;
    CURL *c = n->easy;
    n->curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    n->curl_easy_setopt(c, CURLOPT_HEADERDATA, x);
    n->curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    n->curl_easy_setopt(c, CURLOPT_WRITEDATA, x);
    n->curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    n->curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    n->curl_easy_setopt(c, CURLOPT_XFERINFODATA, x);
    n->curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    n->curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, x);
    n->curl_easy_setopt(c, CURLOPT_PREREQFUNCTION, on_request);
    n->curl_easy_setopt(c, CURLOPT_PREREQDATA, x);
}

static void set_transport(struct exchange *x)
{
    enum { BUFFER = 256 * 1024 };
    struct ck_net *n = x->h->net;
    CURL *c = n->easy;
    n->curl_easy_setopt(c, CURLOPT_URL, ck_url_text(&x->q->url, x->h->arena));
    n->curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    n->curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    n->curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    n->curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    n->curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    n->curl_easy_setopt(c, CURLOPT_USERAGENT, ck_net_agent);
    n->curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CK_NET_CONNECT_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)CK_NET_STALL_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)CK_NET_STALL_BYTES);
    n->curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)x->q->seconds);
    n->curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)BUFFER);
    n->curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->h->error);
    /* No Accept-Encoding is sent, and what comes encoded all the same is passed on as it is: a
     * blob's digest is that of the bytes in the store, and decompressing is no work for a process
     * with a network. (containers/image switches its decompression off for the same reason.) */
    n->curl_easy_setopt(c, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    n->curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    n->curl_easy_setopt(c, CURLOPT_PROXY, x->proxy ? x->proxy : "");
    n->curl_easy_setopt(c, CURLOPT_NOPROXY, "");
}

static void set_blob(struct ck_net *n, CURLoption option, ck_view v)
{
    struct curl_blob blob = { (void *)(uintptr_t)v.p, v.n, CURL_BLOB_COPY };
    if (v.n)
        n->curl_easy_setopt(n->easy, option, &blob);
}

static void set_tls(struct exchange *x)
{
    struct ck_net *n = x->h->net;
    const struct ck_endpoint *e = x->q->endpoint;
    ck_autobuf struct ck_buf ca = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&ca, ck_buf_view(&n->ca));
    ck_put_u8(&ca, '\n');
    ck_put_bytes(&ca, e->ca);
    if (ca.n > 1)
        set_blob(n, CURLOPT_CAINFO_BLOB, ck_buf_view(&ca));
    set_blob(n, CURLOPT_PROXY_CAINFO_BLOB, ck_buf_view(&n->ca));
    n->curl_easy_setopt(n->easy, CURLOPT_CAPATH, NULL);
    n->curl_easy_setopt(n->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (x->q->trusting) {
        n->curl_easy_setopt(n->easy, CURLOPT_SSL_VERIFYPEER, 0L);
        n->curl_easy_setopt(n->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (x->q->certificate) {
        set_blob(n, CURLOPT_SSLCERT_BLOB, e->client_cert);
        set_blob(n, CURLOPT_SSLKEY_BLOB, e->client_key);
    }
}

static void add_header(struct exchange *x, struct curl_slist **list, const char *name,
                       const char *value)
{
    *list = x->h->net->curl_slist_append(*list,
                                         ck_arena_format(x->h->arena, "%s: %s", name, value));
}

static struct curl_slist *set_method(struct exchange *x)
{
    struct ck_net *n = x->h->net;
    const struct ck_http_request *q = x->q;
    struct curl_slist *list = NULL;
    if (q->accept)
        add_header(x, &list, "Accept", q->accept);
    if (q->authorization)
        add_header(x, &list, "Authorization", q->authorization);
    if (q->from)
        add_header(x, &list, "Range",
                   ck_arena_format(x->h->arena, "bytes=%llu-", (unsigned long long)q->from));
    if (q->method == CK_HTTP_HEAD)
        n->curl_easy_setopt(n->easy, CURLOPT_NOBODY, 1L);
    if (q->method == CK_HTTP_POST) {
        n->curl_easy_setopt(n->easy, CURLOPT_POST, 1L);
        n->curl_easy_setopt(n->easy, CURLOPT_POSTFIELDSIZE, (long)q->form.n);
        n->curl_easy_setopt(n->easy, CURLOPT_POSTFIELDS, q->form.p);
    }
    n->curl_easy_setopt(n->easy, CURLOPT_HTTPHEADER, list);
    return list;
}

/* --- the end ---------------------------------------------------------------------------------- */

static bool not_tls(const char *error)
{
    static const char *const signs[] = { "wrong version number", "packet length too long",
                                         "http request" };
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strstr(error, signs[i]))
            return true;
    return false;
}

static enum ck_http_end unconnected(struct exchange *x)
{
    long os = 0;
    x->h->net->curl_easy_getinfo(x->h->net->easy, CURLINFO_OS_ERRNO, &os);
    return os == ECONNREFUSED ? CK_HTTP_REFUSED : CK_HTTP_UNREACHED;
}

/* A timeout before or after the connection stood. */
static enum ck_http_end timed_out(struct exchange *x)
{
    curl_off_t us = 0;
    x->h->net->curl_easy_getinfo(x->h->net->easy, CURLINFO_PRETRANSFER_TIME_T, &us);
    return us ? CK_HTTP_CUT : CK_HTTP_UNREACHED;
}

static ck_err *judge(struct exchange *x, CURLcode rc, enum ck_http_end *ret)
{
    *ret = CK_HTTP_CUT;
    switch (rc) {
    case CURLE_COULDNT_CONNECT:
        *ret = unconnected(x);
        return NULL;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        *ret = CK_HTTP_UNREACHED;
        return NULL;
    case CURLE_SSL_CONNECT_ERROR:
        *ret = not_tls(x->h->error) ? CK_HTTP_NOT_TLS : CK_HTTP_UNREACHED;
        return NULL;
    case CURLE_OPERATION_TIMEDOUT:
        *ret = timed_out(x);
        return NULL;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return NULL;
    case CURLE_OUT_OF_MEMORY: /* what libcurl says of a header line of 100 KiB */
        if (!x->begun)
            return ck_err_limit(CK_LIMIT_REGISTRY_HEADER_BYTES, "the headers of an answer");
        return ck_err_new(CK_ERR_OURS, "libcurl: out of memory");
    default:
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s", x->h->error);
    }
}

static ck_err *finish(struct exchange *x, CURLcode rc, enum ck_http_end *ret)
{
    if (x->error)
        return x->error;
    if (x->refused[0] && rc != CURLE_OK)
        return ck_err_new(CK_ERR_HOSTILE, "%.*s leads to the private address %s",
                          CK_VF(x->q->url.host), x->refused);
    *ret = CK_HTTP_DONE;
    if (rc == CURLE_OK || x->enough)
        return x->begun ? NULL : ck_err_new(CK_ERR_UNAVAILABLE, "an answer without a status");
    if (!x->h->error[0])
        strncat(x->h->error, x->h->net->curl_easy_strerror(rc), sizeof x->h->error - 1);
    return judge(x, rc, ret);
}

ck_err *ck_http_exchange(struct ck_http *h, const struct ck_http_request *q,
                         const struct ck_http_sink *sink, struct ck_http_answer *ret,
                         enum ck_http_end *ret_end)
{
    struct exchange x = { .h = h, .q = q, .sink = sink, .proxy = ck_proxy_for(&q->url),
                          .body = ck_buf_new(CK_LIMIT_REGISTRY_ERROR) };
    if (x.proxy && !q->any_address && names_private(&q->url))
        return ck_err_new(CK_ERR_HOSTILE, "%.*s is a private address", CK_VF(q->url.host));
    h->net->curl_easy_reset(h->net->easy);
    h->error[0] = 0;
    set_callbacks(&x);
    set_transport(&x);
    set_tls(&x);
    struct curl_slist *headers = set_method(&x);
    CURLcode rc = h->net->curl_easy_perform(h->net->easy);
    h->net->curl_slist_free_all(headers);
    x.r.body = ck_arena_dup(h->arena, ck_buf_view(&x.body));
    ck_buf_free(&x.body);
    CK_TRY(finish(&x, rc, ret_end));
    *ret = x.r;
    return NULL;
}
