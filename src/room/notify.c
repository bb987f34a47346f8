/* The notify room: one POST, or one mail handed to a server. No redirect is followed: what was
 * signed for one receiver goes to no other. Tells what was answered and judges nothing.
 */
#include "base/mem.h"
#include "base/text.h"
#include "room/input.h"
#include "room/net.h"
#include "room/notify_jobs.h"
#include "room/rooms.h"

#include <stdlib.h>

struct talk {
    struct ck_net *n;
    CURL *c;
    const struct ck_job_notify *j;
    ck_view left;          /* of the mail */
    struct ck_buf message; /* how the answer begins */
    bool enough;           /* we ended it: nobody reads the rest */
    char error[CURL_ERROR_SIZE];
};

/* --- what comes back -------------------------------------------------------------------------- */

static void keep(struct talk *t, ck_view v)
{
    ck_put_bytes(&t->message, ck_view_head(v, CK_MAX_NOTIFY_ANSWER - t->message.n));
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    struct talk *t = ctx;
    keep(t, ck_view_of(p, size * n));
    t->enough = t->message.n == CK_MAX_NOTIFY_ANSWER;
    return t->enough ? 0 : size * n;
}

/* SMTP: each line that the server says; the last one counts. */
static size_t on_reply(char *p, size_t size, size_t n, void *ctx)
{
    struct talk *t = ctx;
    ck_buf_clear(&t->message);
    keep(t, ck_view_of(p, size * n));
    return size * n;
}

static size_t on_mail(char *p, size_t size, size_t n, void *ctx)
{
    struct talk *t = ctx;
    ck_view piece = ck_view_head(t->left, size * n);
    memcpy(p, piece.p, piece.n);
    t->left = ck_view_from(t->left, piece.n);
    return piece.n;
}

/* --- the request ------------------------------------------------------------------------------ */

static void set_common(struct talk *t, const char *url)
{
    struct ck_net *n = t->n;
    CURL *c = t->c;
    n->curl_easy_setopt(c, CURLOPT_URL, url);
    n->curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    n->curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    n->curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)t->j->seconds);
    n->curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->error);
    n->curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (n->ca.n) {
        struct curl_blob blob = { n->ca.p, n->ca.n, CURL_BLOB_NOCOPY };
        n->curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob);
        n->curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
}

static struct curl_slist *list_of(struct talk *t, const char *first)
{
    struct curl_slist *list = first ? t->n->curl_slist_append(NULL, first) : NULL;
    for (size_t i = 0; i < t->j->n_fields; i++) {
        ck_autofree char *line = ck_strndup(t->j->fields[i].p, t->j->fields[i].n);
        list = t->n->curl_slist_append(list, line);
    }
    return list;
}

static struct curl_slist *set_post(struct talk *t, ck_view body)
{
    struct curl_slist *list = list_of(t, "Expect:"); /* no round trip for "100 Continue" */
    t->n->curl_easy_setopt(t->c, CURLOPT_PROTOCOLS_STR, "http,https");
    t->n->curl_easy_setopt(t->c, CURLOPT_USERAGENT, ck_net_agent);
    t->n->curl_easy_setopt(t->c, CURLOPT_POST, 1L);
    t->n->curl_easy_setopt(t->c, CURLOPT_POSTFIELDSIZE, (long)body.n);
    t->n->curl_easy_setopt(t->c, CURLOPT_POSTFIELDS, body.p);
    t->n->curl_easy_setopt(t->c, CURLOPT_HTTPHEADER, list);
    t->n->curl_easy_setopt(t->c, CURLOPT_WRITEFUNCTION, on_body);
    t->n->curl_easy_setopt(t->c, CURLOPT_WRITEDATA, t);
    return list;
}

static void set_login(struct talk *t)
{
    ck_autofree char *user = ck_strndup(t->j->user.p, t->j->user.n);
    ck_autofree char *password = ck_strndup(t->j->password.p, t->j->password.n);
    if (t->j->user.n) {
        t->n->curl_easy_setopt(t->c, CURLOPT_USERNAME, user);
        t->n->curl_easy_setopt(t->c, CURLOPT_PASSWORD, password);
    }
    explicit_bzero(password, t->j->password.n);
}

static struct curl_slist *set_mail(struct talk *t, ck_view mail)
{
    static const long tls[CK_NOTIFY_TLS_COUNT_] = { [CK_NOTIFY_TLS_TRY] = CURLUSESSL_TRY,
                                                    [CK_NOTIFY_TLS_ALWAYS] = CURLUSESSL_ALL,
                                                    [CK_NOTIFY_TLS_NEVER] = CURLUSESSL_NONE };
    struct curl_slist *list = list_of(t, NULL);
    ck_autofree char *from = ck_strndup(t->j->from.p, t->j->from.n);
    t->left = mail;
    t->n->curl_easy_setopt(t->c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    t->n->curl_easy_setopt(t->c, CURLOPT_USE_SSL, tls[t->j->tls]);
    t->n->curl_easy_setopt(t->c, CURLOPT_MAIL_FROM, from);
    t->n->curl_easy_setopt(t->c, CURLOPT_MAIL_RCPT, list);
    t->n->curl_easy_setopt(t->c, CURLOPT_UPLOAD, 1L);
    t->n->curl_easy_setopt(t->c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail.n);
    t->n->curl_easy_setopt(t->c, CURLOPT_READFUNCTION, on_mail);
    t->n->curl_easy_setopt(t->c, CURLOPT_READDATA, t);
    t->n->curl_easy_setopt(t->c, CURLOPT_HEADERFUNCTION, on_reply);
    t->n->curl_easy_setopt(t->c, CURLOPT_HEADERDATA, t);
    set_login(t);
    return list;
}

/* --- the end ---------------------------------------------------------------------------------- */

static struct ck_notify_answer answer_of(struct talk *t)
{
    long status = 0;
    curl_off_t wait = 0;
    t->n->curl_easy_getinfo(t->c, CURLINFO_RESPONSE_CODE, &status);
    t->n->curl_easy_getinfo(t->c, CURLINFO_RETRY_AFTER, &wait);
    return (struct ck_notify_answer){
        .status = status > 0 && status < 1000 ? (unsigned)status : 0,
        .retry_after = wait > 0 && wait < UINT32_MAX ? (uint32_t)wait : 0,
        .message = ck_buf_view(&t->message),
    };
}

/* A mail server's refusal is an answer, although libcurl calls it an error. A POST whose answer
 * breaks off was not answered: the status alone may be a proxy's. */
static bool is_answer(const struct talk *t, CURLcode rc, const struct ck_notify_answer *r)
{
    enum { REFUSAL = 400, STATUS_END = 600 };
    if (r->status < 100 || r->status >= STATUS_END)
        return false;
    if (rc == CURLE_OK || t->enough)
        return true;
    return ck_job_notify_is_mail(t->j) && rc != CURLE_OPERATION_TIMEDOUT && r->status >= REFUSAL;
}

static ck_err *finish(struct talk *t, struct ck_channel *ch, CURLcode rc)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_notify_answer r = answer_of(t);
    if (!is_answer(t, rc, &r))
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s", rc == CURLE_OK ? "an answer without a status"
                                                    : *t->error    ? t->error
                                                                   : t->n->curl_easy_strerror(rc));
    ck_notify_answer_encode(&r, &out);
    return ck_room_send(ch, ck_buf_view(&out));
}

static ck_err *talk_to(struct ck_net *n, struct ck_channel *ch, const struct ck_job_notify *j,
                       ck_view body)
{
    struct talk t = { .n = n, .c = n->easy, .j = j,
                      .message = ck_buf_new(CK_LIMIT_NOTIFY_ANSWER) };
    ck_autofree char *url = ck_strndup(j->url.p, j->url.n);
    n->curl_easy_reset(t.c);
    set_common(&t, url);
    struct curl_slist *list = ck_job_notify_is_mail(j) ? set_mail(&t, body) : set_post(&t, body);
    ck_err *e = finish(&t, ch, n->curl_easy_perform(t.c));
    n->curl_slist_free_all(list);
    ck_buf_free(&t.message);
    return e;
}

ck_err *ck_room_notify(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)out;
    struct ck_job_notify j;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_NOTIFY_BODY);
    CK_TRY(ck_job_notify_decode(job, &a, &j));
    CK_TRY(ck_input_all(in, &body));
    return talk_to(state, ch, &j, ck_buf_view(&body));
}
