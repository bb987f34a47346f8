/* The registry room: OCI distribution-spec 1.1, the client's side. One document or blob of one
 * endpoint a job: authorization, redirects, retries, going on where a body broke off.
 *
 * It decides nothing about trust: whatever comes goes into the pipe that the hub hashes from.
 */
#include "base/file.h"
#include "base/text.h"
#include "registry/protocol.h"
#include "room/registry_auth.h"
#include "room/rooms.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum {
    HTTP_OK = 200, HTTP_PARTIAL = 206, HTTP_UNAUTHORIZED = 401, HTTP_NOT_FOUND = 404,
    HTTP_NOT_ALLOWED = 405, HTTP_RANGE = 416, HTTP_TOO_MANY = 429, HTTP_SERVER_ERROR = 500,
    HTTP_BAD_GATEWAY = 502, HTTP_TIMEOUT = 504,
    TRIES = 5, TRIES_TO_CONNECT = 3, TRIES_IN_ALL = 100, REDIRECTS = 5, WAIT_FIRST = 1, WAIT_MOST = 30,
};

struct room {
    struct ck_net *net;
    struct ck_authorizations authorizations;
    CK_VEC(char *) plain; /* hosts that speak no TLS */
};

/* A job under way. */
struct work {
    struct room *room;
    struct ck_channel *ch;
    const struct ck_job_registry *j;
    struct ck_arena *a;
    int out;
    uint64_t skip;   /* bytes of the body that the hub has already */
    uint64_t at;     /* of the document or blob: as far as the hub has it */
    uint64_t told;   /* progress */
    struct ck_registry_answer answer;
};

ck_err *ck_room_registry_load(void **ret_state)
{
    void *net = NULL;
    CK_TRY(ck_net_load(&net));
    struct room *r = ck_new(struct room);
    r->net = net;
    r->authorizations.net = net;
    *ret_state = r;
    return NULL;
}

/* --- body ------------------------------------------------------------------------------------- */

static bool is_blob(const struct work *w) { return w->j->op == CK_REGISTRY_BLOB; }

static ck_err *too_long(const struct work *w)
{
    unsigned long long max = w->j->max;
    if (!w->j->exact)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "the registry sends more than %llu bytes", max);
    return ck_err_new(CK_ERR_HOSTILE,
                      "the registry sends more than the %llu bytes that the descriptor says "
                      "(OCI image-spec, descriptor, size)", max);
}

static ck_err *tell(void *ctx)
{
    struct work *w = ctx;
    w->told = w->at;
    return ck_room_progress(w->ch, w->at);
}

/* Content-Range: bytes 10-99/100 (RFC 9110 section 14.4) must begin where we asked. */
static ck_err *check_range(const struct work *w, ck_view v)
{
    ck_view rest;
    uint64_t first = 0;
    if (!ck_view_starts(v, CK_V("bytes ")))
        return ck_err_new(CK_ERR_HOSTILE, "a partial answer without Content-Range "
                                          "(RFC 9110 section 15.3.7)");
    ck_view from = ck_view_split(ck_view_from(v, 6), '-', &rest);
    if (!ck_view_u64(from, &first) || first != w->at)
        return ck_err_new(CK_ERR_HOSTILE,
                          "bytes from %llu on were asked for, the registry sends \"%.*s\" "
                          "(RFC 9110 section 14.4)",
                          (unsigned long long)w->at, CK_VF(ck_view_head(v, 80)));
    return NULL;
}

/* Refuses by the headers what would be refused by its bytes. */
static ck_err *begin(void *ctx, const struct ck_http_answer *a)
{
    struct work *w = ctx;
    uint64_t from = 0;
    if (a->status == HTTP_PARTIAL) {
        if (w->at == 0 || !is_blob(w))
            return ck_err_new(CK_ERR_HOSTILE, "a partial answer that was not asked for "
                                              "(RFC 9110 section 15.3.7)");
        CK_TRY(check_range(w, a->content_range));
        from = w->at;
    }
    w->skip = w->at - from;
    if (w->j->op == CK_REGISTRY_HEAD || !a->has_length)
        return NULL;
    if (a->length > w->j->max - from)
        return too_long(w);
    if (w->j->exact && a->length < w->j->max - from)
        return ck_err_new(CK_ERR_HOSTILE,
                          "the registry announces %llu bytes, the descriptor says %llu "
                          "(OCI image-spec, descriptor, size)",
                          (unsigned long long)(a->length + from),
                          (unsigned long long)w->j->max);
    return NULL;
}

static ck_err *take(void *ctx, ck_view piece)
{
    enum { PROGRESS = 1024 * 1024 };
    struct work *w = ctx;
    size_t skip = w->skip < piece.n ? (size_t)w->skip : piece.n;
    w->skip -= skip;
    piece = ck_view_from(piece, skip);
    if (piece.n > w->j->max - w->at)
        return too_long(w);
    CK_TRY(ck_write_all(w->out, piece));
    w->at += piece.n;
    return w->at - w->told >= PROGRESS ? tell(w) : NULL;
}

/* --- one request, with its redirects and its authorization ------------------------------------ */

/* A place to ask: the endpoint's own, or where it sends us. */
struct place {
    const char *url;
    struct ck_url parts;
    bool own; /* same scheme, host and port as the endpoint */
};

static ck_err *place_of(struct work *w, const char *url, const struct place *origin,
                        struct place *ret)
{
    struct place p = { .url = url };
    CK_TRY(ck_url_parse(ck_view_str(url), w->a, &p.parts));
    p.own = !origin || (p.parts.secure == origin->parts.secure &&
                        p.parts.port == origin->parts.port &&
                        ck_view_eq(p.parts.host, origin->parts.host));
    *ret = p;
    return NULL;
}

/* Where an answer with Location leads (RFC 9110 section 10.2.2), from `from`. */
static ck_err *follow(struct work *w, const struct place *origin, const struct place *from,
                      ck_view location, struct place *ret)
{
    const struct ck_url *u = &from->parts;
    const char *scheme = u->secure ? "https" : "http", *url;
    struct place p;
    bool six = ck_view_find(u->host, ':') < u->host.n;
    if (ck_view_starts(location, CK_V("//")))
        url = ck_arena_format(w->a, "%s:%.*s", scheme, CK_VF(location));
    else if (ck_view_starts(location, CK_V("/")))
        url = ck_arena_format(w->a, "%s://%s%.*s%s:%u%.*s", scheme, six ? "[" : "",
                              CK_VF(u->host), six ? "]" : "", u->port, CK_VF(location));
    else
        url = (const char *)ck_arena_dup(w->a, location).p;
    CK_TRY_WRAP(place_of(w, url, origin, &p), "redirect");
    if (u->secure && !p.parts.secure)
        return ck_err_new(CK_ERR_HOSTILE, "a redirect from https to http: %s",
                          ck_arena_format(w->a, "%.200s", url));
    *ret = p;
    return NULL;
}

static void fill_headers(const struct work *w, const char *headers[4])
{
    static const char manifests[] =
        "Accept: application/vnd.oci.image.index.v1+json, "
        "application/vnd.oci.image.manifest.v1+json, "
        "application/vnd.docker.distribution.manifest.list.v2+json, "
        "application/vnd.docker.distribution.manifest.v2+json";
    static const char index[] = "Accept: application/vnd.oci.image.index.v1+json";
    size_t n = 0;
    if (w->j->op == CK_REGISTRY_MANIFEST || w->j->op == CK_REGISTRY_HEAD)
        headers[n++] = manifests;
    else if (w->j->op == CK_REGISTRY_REFERRERS)
        headers[n++] = index;
    if (is_blob(w) && w->at)
        headers[n++] = ck_arena_format(w->a, "Range: bytes=%llu-", (unsigned long long)w->at);
    headers[n] = NULL;
}

static ck_err *ask(struct work *w, const struct place *p, bool head, struct ck_http_answer *ret,
                   enum ck_http_failure *ret_failure)
{
    const struct ck_endpoint *e = &w->j->endpoint;
    const char *headers[4];
    fill_headers(w, headers);
    struct ck_http_request r = {
        .url = p->url,
        .head = head,
        .headers = headers,
        .authorization = p->own ? ck_authorization_of(&w->room->authorizations, e) : NULL,
        .ca = e->ca,
        .no_verify = e->plain_http,
        .public_only = !p->own && !w->j->allow_private,
        .document = !is_blob(w),
        .begin = begin,
        .body = take,
        .tick = tell,
        .ctx = w,
    };
    if (p->own) {
        r.client_cert = e->client_cert;
        r.client_key = e->client_key;
    }
    return ck_http_exchange(w->room->net, &r, w->a, ret, ret_failure);
}

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Follows redirects, and answers one 401 of the endpoint itself. */
static ck_err *request(struct work *w, const char *url, bool head, struct ck_http_answer *ret,
                       enum ck_http_failure *ret_failure)
{
    struct place origin, p;
    bool authorized = false;
    *ret_failure = CK_HTTP_FINAL;
    CK_TRY(place_of(w, url, NULL, &origin));
    p = origin;
    for (unsigned hops = 0; hops <= REDIRECTS;) {
        bool again = false;
        CK_TRY(ask(w, &p, head, ret, ret_failure));
        *ret_failure = CK_HTTP_FINAL; /* of what follows */
        if (ret->status == HTTP_UNAUTHORIZED && p.own && !authorized && ret->challenges.n) {
            CK_TRY(ck_authorize(&w->room->authorizations, w->j, p.url, ret->challenges, tell, w,
                                &again));
            authorized = true;
        } else if (is_redirect(ret->status) && ret->location.n) {
            CK_TRY(follow(w, &origin, &p, ret->location, &p));
            again = ++hops <= REDIRECTS;
            if (!again)
                break;
        }
        if (!again) {
            *ret_failure = CK_HTTP_FINE;
            return NULL;
        }
    }
    return ck_err_new(CK_ERR_HOSTILE, "more than %d redirects, the last one to %s", REDIRECTS,
                      ck_arena_format(w->a, "%.200s", p.url));
}

/* --- which scheme ----------------------------------------------------------------------------- */

static bool speaks_plain(const struct room *r, const char *host)
{
    for (size_t i = 0; i < r->plain.n; i++)
        if (strcmp(r->plain.v[i], host) == 0)
            return true;
    return false;
}

static const char *url_of(struct work *w, bool plain)
{
    static const char *const kinds[] = { [CK_REGISTRY_MANIFEST] = "manifests",
                                         [CK_REGISTRY_HEAD] = "manifests",
                                         [CK_REGISTRY_BLOB] = "blobs",
                                         [CK_REGISTRY_REFERRERS] = "referrers" };
    const struct ck_job_registry *j = w->j;
    const char *base = ck_arena_format(w->a, "%s://%s", plain ? "http" : "https",
                                       j->endpoint.host);
    if (j->next.n)
        return ck_arena_format(w->a, "%s%.*s", base, CK_VF(j->next));
    return ck_arena_format(w->a, "%s/v2/%s/%s/%.*s", base, j->endpoint.repository, kinds[j->op],
                           CK_VF(j->reference));
}

/* TLS first. Only an endpoint that the configuration calls insecure may be asked in plain HTTP,
 * when nobody answers its TLS port with TLS. */
static ck_err *request_by_scheme(struct work *w, bool head, struct ck_http_answer *ret,
                                 enum ck_http_failure *ret_failure)
{
    struct room *r = w->room;
    const char *host = w->j->endpoint.host;
    if (!w->j->endpoint.plain_http)
        return request(w, url_of(w, false), head, ret, ret_failure);
    if (speaks_plain(r, host))
        return request(w, url_of(w, true), head, ret, ret_failure);
    ck_err *e = request(w, url_of(w, false), head, ret, ret_failure);
    if (!e || (*ret_failure != CK_HTTP_NO_TLS && *ret_failure != CK_HTTP_NO_CONNECTION))
        return e;
    ck_err *plain = request(w, url_of(w, true), head, ret, ret_failure);
    ck_err_free(e);
    if (!plain)
        *ck_push(&r->plain) = ck_strndup(host, strlen(host));
    return plain;
}

/* --- again and again -------------------------------------------------------------------------- */

static bool is_passing(unsigned status)
{
    return status == HTTP_TOO_MANY || status == HTTP_SERVER_ERROR ||
           (status >= HTTP_BAD_GATEWAY && status <= HTTP_TIMEOUT);
}

/* Seconds to wait before try `n` (from 1): what the registry says, up to RETRY_AFTER, else longer
 * each time, with some jitter so that many clients do not come back at once. */
static uint64_t wait_of(const struct ck_http_answer *a, unsigned n, uint64_t *ret_ms)
{
    uint64_t said = 0, own = n > 5 ? WAIT_MOST : (uint64_t)WAIT_FIRST << (n - 1);
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    own = own > WAIT_MOST ? WAIT_MOST : own;
    *ret_ms = own * 1000 - (uint64_t)ts.tv_nsec / 1000 % (own * 250);
    if (a && a->retry_after.n && ck_retry_after(a->retry_after, time(NULL), &said) &&
        said * 1000 > *ret_ms)
        *ret_ms = said * 1000;
    return said;
}

static ck_err *pause_for(struct work *w, uint64_t ms)
{
    while (ms) {
        uint64_t part = ms < 1000 ? ms : 1000;
        struct timespec ts = { .tv_sec = (time_t)(part / 1000),
                               .tv_nsec = (long)(part % 1000) * 1000000 };
        nanosleep(&ts, NULL);
        CK_TRY(tell(w));
        ms -= part;
    }
    return NULL;
}

static ck_err *out_of_tries(struct work *w, const struct ck_http_answer *a, uint64_t asked_to_wait)
{
    ck_view said = ck_registry_error_text(a->error_body, w->a);
    if (asked_to_wait > CK_MAX_RETRY_AFTER)
        return ck_err_limit(CK_LIMIT_RETRY_AFTER,
                            "the registry asks to come back in %llu seconds (HTTP status %u)",
                            (unsigned long long)asked_to_wait, a->status);
    return ck_err_new(CK_ERR_UNAVAILABLE, "the registry answers with HTTP status %u%s%.*s",
                      a->status, said.n ? ": " : "", CK_VF(said));
}

static unsigned tries_of(const struct work *w, enum ck_http_failure failure)
{
    unsigned tries = w->j->tries ? w->j->tries : TRIES;
    return failure == CK_HTTP_NO_CONNECTION && tries > TRIES_TO_CONNECT ? TRIES_TO_CONNECT : tries;
}

static bool may_pass(enum ck_http_failure f)
{
    return f == CK_HTTP_NO_CONNECTION || f == CK_HTTP_BROKEN;
}

/* A body that ended early without the transport noticing. */
static bool is_short(const struct work *w, const struct ck_http_answer *a, bool head)
{
    return !head && w->j->exact && w->at < w->j->max &&
           (a->status == HTTP_OK || a->status == HTTP_PARTIAL);
}

/* Until it comes, or there is no more use in trying. What was received in a try gives new tries; a
 * document is read from its start again, and what the hub has of it is skipped. */
static ck_err *persist(struct work *w, bool head, struct ck_http_answer *ret)
{
    for (unsigned n = 1, all = 1;; n++, all++) {
        uint64_t before = w->at, ms = 0, said = 0;
        enum ck_http_failure failure = CK_HTTP_FINE;
        struct ck_http_answer a = { 0 };
        ck_err *e = request_by_scheme(w, head, &a, &failure);
        bool cut = !e && is_short(w, &a, head);
        if (!e && !cut && !is_passing(a.status)) {
            *ret = a;
            return NULL;
        }
        if (e && !may_pass(failure))
            return e;
        n = w->at > before ? 1 : n;
        said = wait_of(e ? NULL : &a, n, &ms);
        if (n >= tries_of(w, failure) || all == TRIES_IN_ALL || said > CK_MAX_RETRY_AFTER)
            return e ? e
                   : cut ? ck_err_new(CK_ERR_UNAVAILABLE, "the answer ended after %llu of %llu "
                                                          "bytes",
                                      (unsigned long long)w->at, (unsigned long long)w->j->max)
                         : out_of_tries(w, &a, said);
        ck_err_free(e);
        CK_TRY(pause_for(w, ms));
    }
}

/* --- the operations --------------------------------------------------------------------------- */

static void take_answer(struct work *w, const struct ck_http_answer *a)
{
    bool good = a->status == HTTP_OK || a->status == HTTP_PARTIAL;
    struct ck_registry_answer *r = &w->answer;
    r->status = a->status == HTTP_PARTIAL ? HTTP_OK : a->status;
    r->content_type = ck_view_head(a->content_type, 256);
    r->digest = ck_view_head(a->digest, 256);
    r->warning = ck_view_head(a->warning, 2048);
    r->message = good ? (ck_view){ 0 } : ck_registry_error_text(a->error_body, w->a);
    r->length = w->at - w->j->offset;
    r->resumed_at = a->status == HTTP_PARTIAL ? w->j->offset : 0;
}

/* The next page must be at the same place: only its path is kept. */
static ck_err *take_next(struct work *w, ck_view link)
{
    ck_view target = { 0 };
    bool found = false;
    struct ck_url u, own;
    if (!link.n)
        return NULL;
    CK_TRY_WRAP(ck_link_next(link, w->a, &target, &found), "Link");
    if (!found)
        return NULL;
    if (!ck_view_starts(target, CK_V("/")) || ck_view_starts(target, CK_V("//"))) {
        const char *endpoint = ck_arena_format(w->a, "https://%s/", w->j->endpoint.host);
        CK_TRY_WRAP(ck_url_parse(target, w->a, &u), "Link");
        CK_TRY(ck_url_parse(ck_view_str(endpoint), w->a, &own));
        if (!ck_view_eq(u.host, own.host))
            return ck_err_new(CK_ERR_HOSTILE, "the next page of referrers is on another host");
        target = u.target;
    }
    w->answer.next = target;
    return NULL;
}

/* sha256:HEX -> sha256-HEX (OCI distribution-spec, Referrers Tag Schema) */
static ck_err *fall_back(struct work *w, struct ck_http_answer *ret)
{
    struct ck_job_registry tag = *w->j;
    uint8_t *p = ck_arena_alloc(w->a, w->j->reference.n + 1, 1);
    for (size_t i = 0; i < tag.reference.n; i++)
        p[i] = tag.reference.p[i] == ':' ? '-' : tag.reference.p[i];
    tag.reference = ck_view_of(p, tag.reference.n);
    tag.op = CK_REGISTRY_MANIFEST;
    w->j = &tag;
    ck_err *e = persist(w, false, ret);
    w->answer.filtered = true;
    if (!e)
        take_answer(w, ret);
    return e;
}

static ck_err *referrers(struct work *w)
{
    struct ck_http_answer a;
    const struct ck_job_registry *own = w->j;
    CK_TRY(persist(w, false, &a));
    take_answer(w, &a);
    if (a.status == HTTP_OK)
        return take_next(w, a.link);
    if (a.status != HTTP_NOT_FOUND)
        return NULL;
    ck_err *e = fall_back(w, &a);
    w->j = own;
    return e;
}

/* Some registries know no HEAD: the GET's body is thrown away. */
static ck_err *head(struct work *w)
{
    struct ck_http_answer a;
    CK_TRY(persist(w, true, &a));
    take_answer(w, &a);
    return NULL;
}

static ck_err *get(struct work *w)
{
    struct ck_http_answer a;
    CK_TRY(persist(w, false, &a));
    /* Everything was there already, and the registry says so. */
    if (a.status == HTTP_RANGE && w->j->offset == w->j->max)
        a.status = HTTP_OK;
    take_answer(w, &a);
    return NULL;
}

static ck_err *run(struct work *w)
{
    if (w->j->op == CK_REGISTRY_REFERRERS)
        return referrers(w);
    return w->j->op == CK_REGISTRY_HEAD ? head(w) : get(w);
}

ck_err *ck_room_registry(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf result = ck_buf_new(CK_LIMIT_NONE);
    struct ck_job_registry j;
    (void)in;
    CK_TRY(ck_job_registry_decode(job, &a, &j));
    if (out < 0)
        return ck_err_new(CK_ERR_OURS, "registry job without its descriptor");
    struct work w = { .room = state, .ch = ch, .j = &j, .a = &a, .out = out, .at = j.offset,
                      .told = j.offset };
    CK_TRY_WRAP(run(&w), "%s/%s", j.endpoint.host, j.endpoint.repository);
    ck_registry_answer_encode(&w.answer, &result);
    return ck_room_send(ch, ck_buf_view(&result));
}
