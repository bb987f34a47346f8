/* The fetch room: one HTTP or HTTPS GET into the descriptor that the hub handed over. It decides
 * nothing and decompresses nothing.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "room/jobs.h"
#include "room/net.h"
#include "room/rooms.h"

#include <stdlib.h>
#include <time.h>

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
    if (second == t->told || t->error) /* it is called once more after an error of on_body's */
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

enum { REDIRECTS = 5 };

static void trust(struct ck_net *n, CURL *c, ck_view ca)
{
    struct curl_blob blob = { (void *)(uintptr_t)ca.p, ca.n, CURL_BLOB_COPY };
    n->curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
    n->curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
}

static void configure(struct ck_net *n, CURL *c, const char *url, struct transfer *t, char *error)
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
    n->curl_easy_setopt(c, CURLOPT_USERAGENT, ck_net_agent);
    n->curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CK_NET_CONNECT_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)CK_NET_STALL_SECONDS);
    n->curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)CK_NET_STALL_BYTES);
    n->curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    n->curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    n->curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    if (n->ca.n) {
        struct curl_blob blob = { n->ca.p, n->ca.n, CURL_BLOB_NOCOPY };
        n->curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
    }
}

/* What a status means the hub decides. */
static ck_err *send_status(struct ck_net *n, struct ck_channel *ch)
{
    long status = 0;
    n->curl_easy_getinfo(n->easy, CURLINFO_RESPONSE_CODE, &status);
    uint8_t bytes[2] = { (uint8_t)status, (uint8_t)(status >> 8) };
    return ck_room_send(ch, ck_view_of(bytes, sizeof bytes));
}

/* For a server of one's own. *ret_headers is to be freed after the transfer. */
static void configure_own(struct ck_net *n, CURL *c, const struct ck_job_fetch *j,
                          struct curl_slist **ret_headers)
{
    ck_autofree char *line = ck_format("Authorization: %.*s", CK_VF(j->authorization));
    if (j->authorization.n) {
        *ret_headers = n->curl_slist_append(NULL, line);
        n->curl_easy_setopt(c, CURLOPT_HTTPHEADER, *ret_headers);
    }
    if (j->ca.n)
        trust(n, c, j->ca);
    if (j->authorization.n || j->ca.n)
        n->curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    n->curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)j->seconds);
}

ck_err *ck_room_fetch(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)in;
    struct ck_net *n = state;
    struct ck_job_fetch j;
    CK_TRY(ck_job_fetch_decode(job, &j));
    if (out < 0)
        return ck_err_new(CK_ERR_OURS, "fetch job without its descriptor");
    CURL *c = n->easy;
    n->curl_easy_reset(c);
    char error[CURL_ERROR_SIZE] = "";
    ck_autofree char *url = ck_strndup(j.url.p, j.url.n);
    struct transfer t = { .ch = ch, .out = out, .max = j.max };
    struct curl_slist *headers = NULL;
    configure(n, c, url, &t, error);
    configure_own(n, c, &j, &headers);
    CURLcode rc = n->curl_easy_perform(c);
    n->curl_slist_free_all(headers);
    ck_err *e = t.error;
    if (!e && (rc == CURLE_OK || rc == CURLE_HTTP_RETURNED_ERROR))
        e = send_status(n, ch);
    else if (!e)
        e = ck_err_new(CK_ERR_UNAVAILABLE, "%s", *error ? error : n->curl_easy_strerror(rc));
    ck_autofree char *shown = ck_url_shown(url);
    return e ? ck_err_wrap(e, "%s", shown) : NULL;
}
