/* The daemon room: one HTTP request over a unix socket, and the answer. It reads neither body.
 */
#include "base/mem.h"
#include "registry/words.h"
#include "room/daemon_jobs.h"
#include "room/net.h"
#include "room/rooms.h"
#include "room/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct talk {
    struct ck_net *net;
    const struct ck_job_daemon *job;
    struct ck_stream stream;
    int in;
    long status;           /* of the answer whose body is coming */
    struct ck_buf message; /* of a failure */
    bool enough;
    ck_err *error;
};

/* --- callbacks -------------------------------------------------------------------------------- */

static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)ctx;
    (void)purpose;
    if (address->family != AF_UNIX)
        return CURL_SOCKET_BAD;
    return socket(AF_UNIX, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct talk *t = ctx;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    if (!t->error) /* it is called once more after the end */
        t->error = ck_stream_tell(&t->stream);
    return t->error != NULL;
}

/* What the hub has not written yet is waited for here. */
static ck_err *read_in(struct talk *t, char *p, size_t n, size_t *ret_n)
{
    enum { TELL_MS = 500 };
    struct pollfd pfd = { .fd = t->in, .events = POLLIN };
    int ready;
    while ((ready = poll(&pfd, 1, TELL_MS)) <= 0) {
        if (ready < 0 && errno != EINTR)
            return ck_err_errno(CK_ERR_OURS, "waiting for the body");
        CK_TRY(ck_stream_tell(&t->stream));
    }
    ssize_t got;
    do
        got = read(t->in, p, n);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ck_err_errno(CK_ERR_OURS, "reading the body");
    t->stream.done += (uint64_t)got;
    *ret_n = (size_t)got;
    return ck_stream_tell(&t->stream);
}

static size_t on_read(char *p, size_t size, size_t n, void *ctx)
{
    struct talk *t = ctx;
    size_t got = 0;
    t->error = read_in(t, p, size * n, &got);
    return t->error ? CURL_READFUNC_ABORT : got;
}

static ck_err *take(struct talk *t, ck_view v)
{
    if (v.n > t->job->max - t->stream.written)
        return ck_err_new(CK_ERR_LIMIT, "the daemon's answer is longer than %llu bytes",
                          (unsigned long long)t->job->max);
    return ck_stream_write(&t->stream, v);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct talk *t = ctx;
    ck_view v = ck_view_of(p, size * n);
    t->net->curl_easy_getinfo(t->net->easy, CURLINFO_RESPONSE_CODE, &t->status);
    if (t->status / 100 == 2) {
        t->error = take(t, v);
        return t->error ? 0 : v.n;
    }
    size_t room = CK_MAX_DAEMON_MESSAGE - t->message.n;
    ck_put_bytes(&t->message, ck_view_head(v, room));
    t->enough = room < v.n;
    return t->enough ? 0 : v.n;
}

/* --- the request ------------------------------------------------------------------------------ */

static void set_transport(struct talk *t, const char *socket_path, const char *url, char *error)
{
    struct ck_net *n = t->net;
    CURL *c = n->easy;
    n->curl_easy_reset(c);
    n->curl_easy_setopt(c, CURLOPT_URL, url);
    n->curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    n->curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    n->curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http");
    n->curl_easy_setopt(c, CURLOPT_PROXY, "");
    n->curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    n->curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    n->curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    n->curl_easy_setopt(c, CURLOPT_USERAGENT, ck_net_agent);
    n->curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CK_NET_CONNECT_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)CK_MAX_DAEMON_SILENCE);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    n->curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    n->curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    n->curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    n->curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    n->curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    n->curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
}

static void add_header(struct talk *t, struct curl_slist **list, const char *name, ck_view value,
                       struct ck_arena *a)
{
    *list = t->net->curl_slist_append(*list, ck_arena_format(a, "%s: %.*s", name, CK_VF(value)));
}

static struct curl_slist *set_method(struct talk *t, struct ck_arena *a)
{
    struct ck_net *n = t->net;
    struct curl_slist *list = NULL;
    if (t->job->accept.n)
        add_header(t, &list, "Accept", t->job->accept, a);
    if (t->job->method == CK_DAEMON_POST) {
        bool typed = t->job->content_type.n;
        add_header(t, &list, "Content-Type",
                   typed ? t->job->content_type : CK_V("application/octet-stream"), a);
        add_header(t, &list, "Transfer-Encoding", CK_V("chunked"), a);
        add_header(t, &list, "Expect", CK_V(""), a); /* dockerd does not answer it */
        n->curl_easy_setopt(n->easy, CURLOPT_POST, 1L);
        n->curl_easy_setopt(n->easy, CURLOPT_READFUNCTION, on_read);
        n->curl_easy_setopt(n->easy, CURLOPT_READDATA, t);
    }
    if (t->job->method == CK_DAEMON_DELETE)
        n->curl_easy_setopt(n->easy, CURLOPT_CUSTOMREQUEST, "DELETE");
    n->curl_easy_setopt(n->easy, CURLOPT_HTTPHEADER, list);
    return list;
}

/* --- the answer ------------------------------------------------------------------------------- */

static ck_view media_type(const char *header, struct ck_arena *a)
{
    ck_view v = ck_view_str(header ? header : "");
    v = ck_words_lower(ck_view_trim(ck_view_head(v, ck_view_find(v, ';'))), a);
    return v.n > CK_MAX_FIELD ? CK_V("") : v;
}

static ck_err *failure(struct talk *t, CURLcode rc, const char *error)
{
    if (rc == CURLE_OPERATION_TIMEDOUT && strstr(error, "too slow"))
        return ck_err_limit(CK_LIMIT_DAEMON_SILENCE, "the daemon is silent");
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s", *error ? error : t->net->curl_easy_strerror(rc));
}

static ck_err *send_answer(struct talk *t, struct ck_channel *ch, struct ck_arena *a)
{
    char *type = NULL;
    t->net->curl_easy_getinfo(t->net->easy, CURLINFO_RESPONSE_CODE, &t->status);
    t->net->curl_easy_getinfo(t->net->easy, CURLINFO_CONTENT_TYPE, &type);
    if (t->status < 100 || t->status > 599)
        return ck_err_new(CK_ERR_UNAVAILABLE, "an answer with status %ld", t->status);
    struct ck_daemon_answer r = { .status = (unsigned)t->status,
                                  .content_type = media_type(type, a),
                                  .message = ck_buf_view(&t->message),
                                  .length = t->stream.written };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_daemon_answer_encode(&r, &b);
    return ck_room_send(ch, ck_buf_view(&b));
}

ck_err *ck_room_daemon(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    struct ck_job_daemon j;
    ck_autoarena struct ck_arena a = { 0 };
    char error[CURL_ERROR_SIZE] = "";
    CK_TRY(ck_job_daemon_decode(job, &j));
    struct talk t = { .net = state, .job = &j, .stream = ck_stream_new(ch, out), .in = in,
                      .message = ck_buf_new(CK_LIMIT_DAEMON_MESSAGE) };
    const char *path = ck_arena_format(&a, "%.*s", CK_VF(j.socket));
    ck_autobuf struct ck_buf url = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&url, CK_V("http://localhost"));
    ck_put_bytes(&url, j.target);
    ck_put_u8(&url, 0);
    set_transport(&t, path, (const char *)url.p, error);
    struct curl_slist *headers = set_method(&t, &a);
    CURLcode rc = t.net->curl_easy_perform(t.net->easy);
    t.net->curl_slist_free_all(headers);
    ck_err *e = t.error;
    if (!e)
        e = rc == CURLE_OK || t.enough ? send_answer(&t, ch, &a) : failure(&t, rc, error);
    ck_buf_free(&t.message);
    return e ? ck_err_wrap(e, "%s", path) : NULL;
}
