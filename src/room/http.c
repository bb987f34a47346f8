#include "room/http.h"

#include "base/mem.h"
#include "base/text.h"
#include "registry/protocol.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HTTP_OK = 200, HTTP_PARTIAL = 206, DOCUMENT_SECONDS = 300, RECEIVE = 512 * 1024 };

struct exchange {
    const struct ck_http_request *r;
    struct ck_net *net;
    struct ck_arena *a;
    struct ck_http_answer answer;
    struct ck_buf error_body;
    size_t headers; /* bytes of all of them */
    bool begun, blocked;
    time_t told;
    ck_err *error; /* of ours, in a callback */
};

/* --- headers ---------------------------------------------------------------------------------- */

static void join_view(struct exchange *x, ck_view *to, ck_view v, const char *between)
{
    *to = to->n ? ck_view_str(ck_arena_format(x->a, "%.*s%s%.*s", CK_VF(*to), between, CK_VF(v)))
                : ck_arena_dup(x->a, v);
}

static ck_view media_type(struct exchange *x, ck_view v)
{
    ck_view rest, type = ck_arena_dup(x->a, ck_view_trim(ck_view_split(v, ';', &rest)));
    for (size_t i = 0; i < type.n; i++) {
        uint8_t *p = (uint8_t *)(uintptr_t)&type.p[i]; /* the arena's copy */
        *p = *p >= 'A' && *p <= 'Z' ? *p + 32 : *p;
    }
    return type;
}

static bool is(ck_view name, const char *want)
{
    return name.n == strlen(want) && strncasecmp((const char *)name.p, want, name.n) == 0;
}

/* Warning: 299 - "text" (OCI distribution-spec, Warnings). */
static void take_warning(struct exchange *x, ck_view v)
{
    size_t from = ck_view_find(v, '"');
    ck_view text = ck_view_from(v, from + 1);
    if (!ck_view_starts(v, CK_V("299")) || from == v.n || x->answer.warning.n > 2048)
        return;
    text.n = ck_view_find(text, '"');
    join_view(x, &x->answer.warning, ck_view_head(text, 1024), "\n");
}

static void take_header(struct exchange *x, ck_view name, ck_view v)
{
    struct ck_http_answer *r = &x->answer;
    if (is(name, "content-type"))
        r->content_type = media_type(x, v);
    else if (is(name, "docker-content-digest"))
        r->digest = ck_arena_dup(x->a, v);
    else if (is(name, "link"))
        r->link = ck_arena_dup(x->a, v);
    else if (is(name, "location"))
        r->location = ck_arena_dup(x->a, v);
    else if (is(name, "retry-after") || (is(name, "ratelimit-reset") && !r->retry_after.n))
        r->retry_after = ck_arena_dup(x->a, v);
    else if (is(name, "content-range"))
        r->content_range = ck_arena_dup(x->a, v);
    else if (is(name, "www-authenticate"))
        join_view(x, &r->challenges, v, ", ");
    else if (is(name, "warning"))
        take_warning(x, v);
    else if (is(name, "content-length"))
        r->has_length = ck_view_u64(v, &r->length);
}

/* A status line begins a new set: after "100 Continue", or of a proxy's CONNECT. */
static void begin_answer(struct exchange *x)
{
    x->answer = (struct ck_http_answer){ 0 };
    x->headers = 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    ck_view line = ck_view_of(p, size * n), v;
    x->headers += line.n;
    if (line.n > CK_MAX_HTTP_FIELD)
        x->error = ck_err_limit(CK_LIMIT_HTTP_FIELD, "a header of the registry's answer");
    else if (x->headers > CK_MAX_HTTP_HEADERS)
        x->error = ck_err_limit(CK_LIMIT_HTTP_HEADERS, "headers of the registry's answer");
    if (x->error)
        return 0;
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    if (ck_view_starts(line, CK_V("HTTP/"))) {
        begin_answer(x);
    } else {
        ck_view name = ck_view_split(line, ':', &v);
        take_header(x, name, ck_view_trim(v));
    }
    return size * n;
}

/* --- body ------------------------------------------------------------------------------------- */

static unsigned status_of(struct exchange *x)
{
    long status = 0;
    x->net->curl_easy_getinfo(x->net->easy, CURLINFO_RESPONSE_CODE, &status);
    return (unsigned)status;
}

static bool is_success(const struct exchange *x)
{
    return x->answer.status == HTTP_OK || x->answer.status == HTTP_PARTIAL;
}

static ck_err *begin_body(struct exchange *x)
{
    if (x->begun)
        return NULL;
    x->begun = true;
    x->answer.status = status_of(x);
    return is_success(x) && x->r->begin ? x->r->begin(x->r->ctx, &x->answer) : NULL;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct exchange *x = ctx;
    ck_view piece = ck_view_of(p, size * n);
    x->error = begin_body(x);
    if (!x->error && is_success(x))
        x->error = x->r->body(x->r->ctx, piece);
    else if (!x->error && x->error_body.n < CK_MAX_ERROR_BODY)
        ck_put_bytes(&x->error_body, ck_view_head(piece, CK_MAX_ERROR_BODY - x->error_body.n));
    else if (!x->error)
        return 0; /* enough of it */
    return x->error ? 0 : size * n;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct exchange *x = ctx;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    time_t second = time(NULL);
    if (second == x->told || !x->r->tick)
        return 0;
    x->told = second;
    x->error = x->r->tick(x->r->ctx);
    return x->error != NULL;
}

/* The address that will really be connected to: whatever a name resolves to, now and here. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *sa)
{
    struct exchange *x = ctx;
    (void)purpose;
    if (x->r->public_only && ck_address_is_private(&sa->addr)) {
        x->blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(sa->family, sa->socktype | SOCK_CLOEXEC, sa->protocol);
}

/* --- one exchange ----------------------------------------------------------------------------- */

static void set_callbacks(struct exchange *x, char *error)
{
    struct ck_net *n = x->net;
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
    n->curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
}

/* `ca` keeps the joined CA store alive while libcurl works with it. */
static void set_tls(struct exchange *x, struct ck_buf *ca)
{
    struct ck_net *n = x->net;
    const struct ck_http_request *r = x->r;
    CURL *c = n->easy;
    ck_put_bytes(ca, ck_buf_view(&n->ca));
    ck_put_bytes(ca, r->ca);
    struct curl_blob blob = { ca->p, ca->n, CURL_BLOB_NOCOPY };
    struct curl_blob cert = { (void *)(uintptr_t)r->client_cert.p, r->client_cert.n,
                              CURL_BLOB_COPY };
    struct curl_blob key = { (void *)(uintptr_t)r->client_key.p, r->client_key.n, CURL_BLOB_COPY };
    if (ca->n)
        n->curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
    if (cert.len) {
        n->curl_easy_setopt(c, CURLOPT_SSLCERT_BLOB, &cert);
        n->curl_easy_setopt(c, CURLOPT_SSLCERTTYPE, "PEM");
        n->curl_easy_setopt(c, CURLOPT_SSLKEY_BLOB, &key);
        n->curl_easy_setopt(c, CURLOPT_SSLKEYTYPE, "PEM");
    }
    n->curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, r->no_verify ? 0L : 1L);
    n->curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, r->no_verify ? 0L : 2L);
}

static struct curl_slist *set_request(struct exchange *x)
{
    struct ck_net *n = x->net;
    const struct ck_http_request *r = x->r;
    CURL *c = n->easy;
    struct curl_slist *headers = NULL;
    n->curl_easy_setopt(c, CURLOPT_URL, r->url);
    n->curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    n->curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    n->curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    n->curl_easy_setopt(c, CURLOPT_USERAGENT, ck_net_agent);
    n->curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CK_NET_CONNECT_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)CK_NET_STALL_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)CK_NET_STALL_BYTES);
    n->curl_easy_setopt(c, CURLOPT_BUFFERSIZE, (long)RECEIVE);
    if (r->document)
        n->curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)DOCUMENT_SECONDS);
    if (r->head)
        n->curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    if (r->form)
        n->curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, r->form);
    for (size_t i = 0; r->headers && r->headers[i]; i++)
        headers = n->curl_slist_append(headers, r->headers[i]);
    if (r->authorization)
        headers = n->curl_slist_append(
            headers, ck_arena_format(x->a, "Authorization: %s", r->authorization));
    n->curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    return headers;
}

static enum ck_http_failure failure_of(CURLcode rc)
{
    switch (rc) {
    case CURLE_COULDNT_CONNECT:
        return CK_HTTP_NO_CONNECTION;
    case CURLE_SSL_CONNECT_ERROR:
        return CK_HTTP_NO_TLS;
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return CK_HTTP_BROKEN;
    default:
        return CK_HTTP_FINAL;
    }
}

/* A success whose body was empty begins here; an error's body that was cut is no failure. */
static ck_err *conclude(struct exchange *x, CURLcode rc, const char *error,
                        enum ck_http_failure *ret_failure)
{
    bool cut = rc == CURLE_WRITE_ERROR && x->begun && !is_success(x);
    *ret_failure = CK_HTTP_FINAL;
    if (x->error)
        return ck_steal(x->error);
    if (x->blocked)
        return ck_err_new(CK_ERR_HOSTILE, "it leads to a private address, which only "
                                          "--allow-private permits");
    if (rc != CURLE_OK && !cut) {
        *ret_failure = failure_of(rc);
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s",
                          *error ? error : x->net->curl_easy_strerror(rc));
    }
    CK_TRY(begin_body(x));
    x->answer.error_body = ck_arena_dup(x->a, ck_buf_view(&x->error_body));
    *ret_failure = CK_HTTP_FINE;
    return NULL;
}

ck_err *ck_http_exchange(struct ck_net *n, const struct ck_http_request *r, struct ck_arena *a,
                         struct ck_http_answer *ret, enum ck_http_failure *ret_failure)
{
    struct exchange x = { .r = r, .net = n, .a = a, .error_body = ck_buf_new(CK_LIMIT_NONE) };
    ck_autobuf struct ck_buf ca = ck_buf_new(CK_LIMIT_NONE);
    char error[CURL_ERROR_SIZE] = "";
    n->curl_easy_reset(n->easy);
    set_callbacks(&x, error);
    set_tls(&x, &ca);
    struct curl_slist *headers = set_request(&x);
    CURLcode rc = n->curl_easy_perform(n->easy);
    ck_err *e = conclude(&x, rc, error, ret_failure);
    n->curl_slist_free_all(headers);
    ck_buf_free(&x.error_body);
    if (!e)
        *ret = x.answer;
    return e;
}
