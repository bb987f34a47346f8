#include "room/registry_get.h"

#include "base/mem.h"
#include "base/text.h"
#include "registry/words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { OK = 200, PARTIAL = 206, NOT_ALLOWED = 401, TIMEOUT = 408, RANGE = 416, TOO_MANY = 429 };

/* One try: as many exchanges as redirects and authentication need. */
struct attempt {
    struct ck_get *g;
    struct ck_http h;
    struct ck_url registry; /* the endpoint, as it is spoken to */
    uint64_t skip;  /* bytes of this body that were passed on before */
    uint64_t from;  /* the Range that was asked for */
    bool whole;     /* no Range is asked for: the registry does not keep to it */
    bool discard;   /* the body is not wanted */
    bool fresh;     /* authenticated in this try already */
    unsigned redirects;
    struct ck_http_answer r;
    enum ck_http_end end;
    const char *denied;
};

/* --- the body --------------------------------------------------------------------------------- */

static ck_err *too_long(const struct ck_get *g, uint64_t n)
{
    unsigned long long max = g->job->max, had = n;
    if (g->stream_body)
        return ck_err_new(CK_ERR_HOSTILE, "the blob is longer than its %llu bytes (%llu)", max,
                          had);
    if (g->job->exact && max <= CK_MAX_DOCUMENT)
        return ck_err_new(CK_ERR_HOSTILE,
                          "the document is longer than the %llu bytes that its descriptor says "
                          "(%llu) (OCI image-spec, descriptor, size)",
                          max, had);
    return ck_err_limit(CK_LIMIT_DOCUMENT, "the document is longer than %llu bytes (%llu)",
                        max < CK_MAX_DOCUMENT ? max : CK_MAX_DOCUMENT, had);
}

static uint64_t most(const struct ck_get *g)
{
    return !g->stream_body && g->job->max > CK_MAX_DOCUMENT ? CK_MAX_DOCUMENT : g->job->max;
}

struct range {
    uint64_t first, last, total;
    bool has_total;
};

/* "bytes 5-9/10" (RFC 9110 section 14.4); the total may be "*". */
static bool read_range(ck_view v, struct range *ret)
{
    ck_view rest, last, total, unit = ck_view_split(v, ' ', &rest);
    ck_view first = ck_view_split(rest, '-', &last);
    last = ck_view_split(last, '/', &total);
    ret->has_total = ck_view_u64(total, &ret->total);
    return ck_words_same(unit, CK_V("bytes")) && ck_view_u64(first, &ret->first) &&
           ck_view_u64(last, &ret->last) && ret->first <= ret->last &&
           (ret->has_total ? ret->last < ret->total : ck_view_eq(total, CK_V("*")));
}

static ck_err *check_partial(const struct attempt *t, const struct ck_http_answer *r)
{
    struct range range;
    if (!t->from)
        return ck_err_new(CK_ERR_HOSTILE, "a part where the whole was asked for "
                                          "(206 Partial Content)");
    if (!read_range(r->content_range, &range))
        return ck_err_new(CK_ERR_HOSTILE, "a part without a proper Content-Range (\"%.*s\")",
                          CK_VF(r->content_range));
    if (range.first != t->from)
        return ck_err_new(CK_ERR_HOSTILE, "Content-Range begins at %llu instead of %llu",
                          (unsigned long long)range.first, (unsigned long long)t->from);
    if (range.has_total ? range.total > most(t->g) : range.last >= most(t->g))
        return too_long(t->g, range.has_total ? range.total : range.last + 1);
    return NULL;
}

static ck_err *begin_body(void *ctx, const struct ck_http_answer *r, bool *ret_take)
{
    struct attempt *t = ctx;
    struct ck_get *g = t->g;
    if (r->status != OK && r->status != PARTIAL)
        return NULL;
    *ret_take = true;
    if (r->status == PARTIAL)
        CK_TRY(check_partial(t, r));
    uint64_t start = r->status == PARTIAL ? t->from : 0;
    uint64_t room = start < most(g) ? most(g) - start : 0;
    if (g->method == CK_HTTP_GET && !t->discard && r->has_length && r->length > room)
        return too_long(g, r->length + start);
    /* Announced and not broken off: no better answer will come. A 206 may give less than it
     * could. */
    if (g->method == CK_HTTP_GET && !t->discard && r->has_length && g->job->exact &&
        r->status == OK && r->length < room)
        return ck_err_new(CK_ERR_HOSTILE,
                          "the registry announces %llu bytes, the descriptor says %llu "
                          "(OCI image-spec, descriptor, size)",
                          (unsigned long long)r->length, (unsigned long long)room);
    t->skip = r->status == PARTIAL ? 0 : g->at;
    if (!g->began)
        g->began_at = start;
    g->began = true;
    ck_buf_clear(&g->document);
    return NULL;
}

static ck_err *take_body(void *ctx, ck_view bytes)
{
    struct attempt *t = ctx;
    struct ck_get *g = t->g;
    uint64_t before = bytes.n < t->skip ? bytes.n : t->skip;
    bytes = ck_view_from(bytes, before);
    t->skip -= before;
    uint64_t have = g->stream_body ? g->at : g->document.n;
    if (bytes.n > most(g) - have)
        return too_long(g, have + bytes.n);
    if (!g->stream_body)
        return ck_buf_add(&g->document, bytes);
    CK_TRY(ck_stream_write(g->stream, bytes));
    g->at += bytes.n;
    return NULL;
}

/* --- one try ---------------------------------------------------------------------------------- */

static struct ck_auth_who who_of(const struct attempt *t)
{
    const struct ck_job_registry *j = t->g->job;
    return (struct ck_auth_who){ &j->endpoint, t->registry, j->allow_private,
                                 j->op == CK_REGISTRY_CATALOG };
}

static struct ck_http_request request_of(struct attempt *t, const struct ck_url *url)
{
    const struct ck_endpoint *e = &t->g->job->endpoint;
    const struct ck_auth_who who = who_of(t);
    bool here = url->port == t->registry.port && ck_view_eq(url->host, t->registry.host);
    bool same = ck_url_same_origin(url, &t->registry);
    return (struct ck_http_request){
        .method = t->g->method,
        .url = *url,
        .authorization = same ? ck_auth_find(&t->g->room->auth, &who, t->h.arena) : NULL,
        .accept = t->g->accept,
        .from = t->from,
        .any_address = (here && !e->stranger) || t->g->job->allow_private,
        .trusting = e->plain_http && ck_view_eq(url->host, t->registry.host),
        .certificate = here,
        .seconds = t->g->stream_body ? 0 : CK_MAX_REGISTRY_SECONDS,
        .endpoint = e,
    };
}

static bool is_redirect(unsigned status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static ck_err *redirect(struct attempt *t, struct ck_url *url)
{
    struct ck_url to;
    if (!t->g->redirects)
        return ck_err_new(CK_ERR_UNAVAILABLE, "a redirect where none is followed (%.*s)",
                          CK_VF(t->r.location));
    if (t->redirects++ == CK_MAX_REGISTRY_REDIRECTS)
        return ck_err_limit(CK_LIMIT_REGISTRY_REDIRECTS, "redirect after redirect");
    CK_TRY(ck_url_resolve(url, t->r.location, t->h.arena, &to));
    if (url->secure && !to.secure && !t->g->job->endpoint.plain_http)
        return ck_err_new(CK_ERR_HOSTILE, "from https to %s", ck_url_origin(&to, t->h.arena));
    *url = to;
    return NULL;
}

/* *ret_again: the same once more, with credentials. */
static ck_err *authenticate(struct attempt *t, bool *ret_again)
{
    struct ck_http_answer r = { 0 };
    const struct ck_auth_who who = who_of(t);
    CK_TRY(ck_auth_get(&t->g->room->auth, &t->h, &who, t->r.challenge, &r, &t->denied, &t->end));
    t->fresh = true;
    *ret_again = t->end == CK_HTTP_DONE && !t->denied && r.status == OK;
    if (!*ret_again && t->end == CK_HTTP_DONE && !t->denied)
        t->r = r; /* trouble of the token server's own */
    return NULL;
}

static ck_err *exchange(struct attempt *t, const struct ck_url *url)
{
    const struct ck_http_sink sink = { .begin = begin_body,
                                       .piece = t->discard ? NULL : take_body, .ctx = t };
    struct ck_http_request q = request_of(t, url);
    return ck_http_exchange(&t->h, &q, &sink, &t->r, &t->end);
}

static ck_err *attempt(struct attempt *t)
{
    struct ck_url url = t->registry;
    for (;;) {
        ck_err *e = exchange(t, &url);
        if (e && t->redirects)
            e = ck_err_wrap(e, "redirect to %s", ck_url_origin(&url, t->h.arena));
        if (e || t->end != CK_HTTP_DONE)
            return e;
        bool here = ck_url_same_origin(&url, &t->registry), again = false;
        if (is_redirect(t->r.status) && t->r.location.n) {
            CK_TRY_WRAP(redirect(t, &url), "redirect");
            continue;
        }
        if (t->r.status == NOT_ALLOWED && here && !t->fresh && t->r.challenge.n)
            CK_TRY(authenticate(t, &again));
        if (!again)
            return NULL;
        url = t->registry;
    }
}

/* --- https or http ---------------------------------------------------------------------------- */

static bool known_plain(const struct ck_registry_room *room, const char *host)
{
    for (size_t i = 0; i < CK_PLAIN_HOSTS; i++)
        if (room->plain[i] && strcmp(room->plain[i], host) == 0)
            return true;
    return false;
}

static void remember_plain(struct ck_registry_room *room, const char *host)
{
    if (known_plain(room, host))
        return;
    free(room->plain[room->next_plain]);
    room->plain[room->next_plain] = ck_format("%s", host);
    room->next_plain = (room->next_plain + 1) % CK_PLAIN_HOSTS;
}

static void forget_plain(struct ck_registry_room *room, const char *host)
{
    for (size_t i = 0; i < CK_PLAIN_HOSTS; i++)
        if (room->plain[i] && strcmp(room->plain[i], host) == 0)
            free(ck_steal(room->plain[i]));
}

static ck_err *address(struct attempt *t, bool secure)
{
    struct ck_get *g = t->g;
    g->secure = secure;
    const char *text = ck_arena_format(t->h.arena, "%s://%s%s", secure ? "https" : "http",
                                       g->job->endpoint.host, g->target);
    ck_err *e = ck_url_parse(ck_view_str(text), t->h.arena, &t->registry);
    return e ? ck_err_reclass(e, CK_ERR_USAGE) : NULL; /* the user's own word */
}

/* With insecure = true: TLS that nobody vouches for, and plain HTTP where that is what is spoken;
 * else https and nothing else. */
static ck_err *attempt_both(struct attempt *t)
{
    struct ck_registry_room *room = t->g->room;
    const struct ck_endpoint *e = &t->g->job->endpoint;
    bool plain = e->plain_http && known_plain(room, e->host);
    CK_TRY(address(t, !plain));
    CK_TRY(attempt(t));
    bool first = !t->redirects && !t->fresh; /* it is the registry that ended so */
    if (plain && first && t->end == CK_HTTP_REFUSED)
        forget_plain(room, e->host);
    if (plain || !e->plain_http || !first ||
        (t->end != CK_HTTP_REFUSED && t->end != CK_HTTP_NOT_TLS))
        return NULL;
    CK_TRY(address(t, false));
    CK_TRY(attempt(t));
    if (t->end == CK_HTTP_DONE)
        remember_plain(room, e->host);
    return NULL;
}

/* --- tries ------------------------------------------------------------------------------------ */

enum outcome { FINAL, AGAIN, AGAIN_ONCE };

/* Less than the descriptor says, although the connection did not break. */
static bool is_short(const struct ck_get *g)
{
    return g->job->op != CK_REGISTRY_HEAD && g->job->exact &&
           (g->stream_body ? g->at : g->document.n) < g->job->max;
}

/* The end of the blob is where we were already. */
static bool is_complete(const struct attempt *t)
{
    ck_view total, star = ck_view_split(t->r.content_range, '/', &total);
    uint64_t n = 0;
    return ck_words_same(star, CK_V("bytes *")) && ck_view_u64(total, &n) && n == t->g->at &&
           !is_short(t->g);
}

static void say(struct attempt *t, const char *text)
{
    snprintf(t->h.error, sizeof t->h.error, "%s", text);
}

static enum outcome judge_range(struct attempt *t)
{
    if (is_complete(t)) {
        t->r.status = OK;
        if (!t->g->began)
            t->g->began_at = t->from;
        return FINAL;
    }
    t->whole = true;
    say(t, "the registry does not have the rest of the blob (416)");
    return AGAIN;
}

/* What the last exchange means; the error's text is in t->h.error where it is not FINAL. */
static ck_err *judge(struct attempt *t, enum outcome *ret)
{
    unsigned status = t->r.status;
    *ret = AGAIN;
    if (t->end == CK_HTTP_CUT && t->g->stream_body && t->g->job->exact && t->g->began &&
        !is_short(t->g)) { /* it broke behind the last byte */
        t->r.status = OK;
        *ret = FINAL;
        return NULL;
    }
    if (t->end == CK_HTTP_CUT)
        return NULL;
    *ret = AGAIN_ONCE;
    if (t->end != CK_HTTP_DONE)
        return NULL;
    *ret = FINAL;
    if (t->denied)
        return NULL;
    if (status == TOO_MANY || status == TIMEOUT || (status >= 500 && status != 501)) {
        ck_view text = ck_registry_error_text(t->r.body, t->h.arena);
        say(t, ck_arena_format(t->h.arena, "status %u%s%.*s", status, text.n ? ": " : "",
                               CK_VF(text)));
        *ret = AGAIN;
    } else if (status == RANGE && t->from) {
        *ret = judge_range(t);
    } else if ((status == OK || status == PARTIAL) && is_short(t->g)) {
        say(t, ck_arena_format(t->h.arena, "the body ended before its %llu bytes were there",
                               (unsigned long long)t->g->job->max));
        *ret = AGAIN;
    } else if (status < 400 && status != OK && status != PARTIAL) {
        return ck_err_new(CK_ERR_UNAVAILABLE, "unexpected status %u", status);
    }
    if (status == PARTIAL)
        t->r.status = OK;
    return NULL;
}

/* 1, 2, 4, ... seconds up to 30, a quarter more or less so that clients do not come all at once; or
 * what the registry wants. */
static ck_err *pause_before(struct ck_get *g, unsigned failures, const struct ck_http_answer *r)
{
    enum { LONGEST_MS = 30000 };
    uint64_t asked = 0;
    int64_t ms = failures > 5 ? LONGEST_MS : 1000ll << (failures - 1);
    uint16_t noise = 0;
    if (getrandom(&noise, sizeof noise, 0) != sizeof noise)
        noise = 0;
    ms = (ms > LONGEST_MS ? LONGEST_MS : ms) * (768 + noise % 512) / 1024;
    if (ck_retry_after(r->retry_after, time(NULL), &asked) ||
        (r->status == TOO_MANY && ck_retry_after(r->reset, time(NULL), &asked))) {
        if (asked > CK_MAX_REGISTRY_WAIT)
            return ck_err_new(CK_ERR_UNAVAILABLE, "the registry wants to be left alone for %llu "
                              "seconds; waits are at most %llu (REGISTRY_WAIT)",
                              (unsigned long long)asked, (unsigned long long)CK_MAX_REGISTRY_WAIT);
        if (ms < (int64_t)asked * 1000)
            ms = (int64_t)asked * 1000;
    }
    return ck_stream_pause(g->stream, ms);
}

/* A long blob over a bad line may break off often: what moved on counts from one again. */
static bool moved_on(const struct ck_get *g, uint64_t *mark)
{
    if (g->at - *mark < CK_MIB)
        return false;
    *mark = g->at;
    return true;
}

static void copy_answer(const struct attempt *t, struct ck_arena *a, struct ck_http_answer *ret,
                        const char **ret_denied)
{
    *ret = t->r;
    ck_view *views[] = { &ret->content_type, &ret->digest, &ret->link, &ret->warning, &ret->body };
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        *views[i] = ck_arena_dup(a, *views[i]);
    *ret_denied = t->denied ? ck_arena_format(a, "%s", t->denied) : NULL;
    if (t->denied)
        ret->status = NOT_ALLOWED;
}

/* HEAD is new to some registries. */
static bool try_get_instead(struct attempt *t)
{
    if (t->end != CK_HTTP_DONE || t->g->method != CK_HTTP_HEAD || t->r.status != 405)
        return false;
    t->g->method = CK_HTTP_GET;
    return t->discard = true;
}

static ck_err *one_try(struct attempt *t, struct ck_arena *a)
{
    struct ck_get *g = t->g;
    t->h.arena = a;
    t->fresh = false;
    t->redirects = 0;
    t->denied = NULL;
    t->r = (struct ck_http_answer){ 0 };
    t->from = t->whole || !g->stream_body ? 0 : g->at;
    CK_TRY(attempt_both(t));
    return try_get_instead(t) ? one_try(t, a) : NULL;
}

ck_err *ck_registry_get(struct ck_get *g, struct ck_arena *a, struct ck_http_answer *ret,
                        const char **ret_denied)
{
    enum { TRIES = 5, FIRST_CONTACT = 2 };
    unsigned tries = g->job->tries ? g->job->tries : TRIES;
    struct attempt t = { .g = g, .h = { .net = g->room->net, .stream = g->stream } };
    uint64_t mark = g->at;
    bool met = false; /* it has answered before: then no connection is a passing thing too */
    for (unsigned failures = 1;; failures++) {
        ck_autoarena struct ck_arena own = { 0 };
        enum outcome o = FINAL;
        CK_TRY(one_try(&t, &own));
        CK_TRY(judge(&t, &o));
        if (o == FINAL) {
            copy_answer(&t, a, ret, ret_denied);
            return NULL;
        }
        met = met || o == AGAIN;
        if (moved_on(g, &mark))
            failures = 1;
        if (failures >= tries || (!met && failures >= FIRST_CONTACT))
            return ck_err_new(CK_ERR_UNAVAILABLE, "%s (%u tries)", t.h.error, failures);
        CK_TRY_WRAP(pause_before(g, failures, &t.r), "%s", t.h.error);
    }
}
