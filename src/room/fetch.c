/* The fetch room: one HTTP or HTTPS GET into the descriptor that the hub handed over. It decides
 * nothing and decompresses nothing.
 *
 * libcurl is loaded here and not linked: it brings thirty libraries, which would cost every other
 * room and every warm scan 5 ms of start-up.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "room/input.h"
#include "room/rooms.h"

#define CURL_DISABLE_TYPECHECK /* its macros do not know pointers to the functions */
#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define CURL_CALLS(X)                                     \
    X(curl_global_init) X(curl_easy_init)                 \
    X(curl_easy_setopt) X(curl_easy_perform)              \
    X(curl_easy_getinfo) X(curl_easy_strerror)            \
    X(curl_easy_reset)

struct net {
    CURL *easy; /* kept from job to job: so are its connections */
#define X(name) __typeof__(&(name)) name;
    CURL_CALLS(X)
#undef X
    struct ck_buf ca; /* the CA store, read before the sandbox; empty: libcurl's own */
};

static void read_ca(struct ck_buf *out)
{
    const char *own = getenv("SSL_CERT_FILE");
    int fd = open(own ? own : "/etc/ssl/certs/ca-certificates.crt", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* https will then fail with a clear error; http does not need it */
    ck_err_free(ck_input_all(fd, out));
    close(fd);
}

ck_err *ck_room_fetch_load(void **ret_state)
{
    void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!lib)
        return ck_err_new(CK_ERR_OURS, "libcurl.so.4 cannot be loaded: %s", dlerror());
    struct net *n = ck_new(struct net);
    n->ca = ck_buf_new(CK_LIMIT_DOCUMENT);
    bool ok = true;
#define X(name) ok = ok && (*(void **)&n->name = dlsym(lib, "" #name));
    CURL_CALLS(X)
#undef X
    if (!ok || n->curl_global_init(CURL_GLOBAL_ALL) != 0 || !(n->easy = n->curl_easy_init()))
        return ck_err_new(CK_ERR_OURS, "libcurl.so.4 does not work");
    read_ca(&n->ca);
    *ret_state = n;
    return NULL;
}

struct transfer {
    struct ck_channel *ch;
    int out;
    uint64_t got, max;
    time_t told;
    ck_err *error; /* of ours, in the callback */
};

static ck_err *store(struct transfer *t, ck_view piece)
{
    t->got += piece.n;
    if (t->got > t->max)
        return ck_err_limit(CK_LIMIT_FEED, "the answer is longer than %llu bytes",
                            (unsigned long long)t->max);
    return ck_write_all(t->out, piece);
}

/* libcurl calls this about once a second: a slow transfer is no stuck room (curl's own stall limit
 * ends those). */
static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up_now)
{
    struct transfer *t = ctx;
    (void)total;
    (void)up_total;
    (void)up_now;
    time_t second = time(NULL);
    if (second == t->told)
        return 0;
    t->told = second;
    t->error = ck_room_progress(t->ch, (uint64_t)now);
    return t->error != NULL;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    t->error = store(t, ck_view_of(p, size * n));
    return t->error ? 0 : size * n;
}

static const char agent[] = "cocket/" COCKET_VERSION;
enum { CONNECT_SECONDS = 30, STALL_SECONDS = 60, STALL_BYTES = 100, REDIRECTS = 5 };

static void configure(struct net *n, CURL *c, const char *url, struct transfer *t, char *error)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
    n->curl_easy_setopt(c, CURLOPT_URL, url);
    n->curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    n->curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    n->curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    n->curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    n->curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    n->curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    n->curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    n->curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    n->curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    n->curl_easy_setopt(c, CURLOPT_USERAGENT, agent);
    n->curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
    n->curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    n->curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    n->curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    if (n->ca.n) {
        struct curl_blob blob = { n->ca.p, n->ca.n, CURL_BLOB_NOCOPY };
        n->curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
    }
}

/* What a status means the hub decides. */
static ck_err *send_status(struct net *n, struct ck_channel *ch)
{
    long status = 0;
    n->curl_easy_getinfo(n->easy, CURLINFO_RESPONSE_CODE, &status);
    uint8_t bytes[2] = { (uint8_t)status, (uint8_t)(status >> 8) };
    return ck_room_send(ch, ck_view_of(bytes, sizeof bytes));
}

ck_err *ck_room_fetch(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)in;
    struct net *n = state;
    struct ck_job_fetch j;
    CK_TRY(ck_job_fetch_decode(job, &j));
    if (out < 0)
        return ck_err_new(CK_ERR_OURS, "fetch job without its descriptor");
    CURL *c = n->easy;
    n->curl_easy_reset(c);
    char error[CURL_ERROR_SIZE] = "";
    ck_autofree char *url = ck_strndup(j.url.p, j.url.n);
    struct transfer t = { .ch = ch, .out = out, .max = j.max };
    configure(n, c, url, &t, error);
    CURLcode rc = n->curl_easy_perform(c);
    ck_err *e = t.error;
    if (!e && (rc == CURLE_OK || rc == CURLE_HTTP_RETURNED_ERROR))
        e = send_status(n, ch);
    else if (!e)
        e = ck_err_new(CK_ERR_UNAVAILABLE, "%s", *error ? error : n->curl_easy_strerror(rc));
    ck_autofree char *shown = ck_url_shown(url);
    return e ? ck_err_wrap(e, "%s", shown) : NULL;
}
