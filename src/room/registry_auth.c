#include "room/registry_auth.h"

#include "base/text.h"
#include "registry/protocol.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

struct ck_authorization {
    char *host, *repository;
    char *header;    /* what is sent, or NULL */
    int64_t expires; /* monotonic seconds; INT64_MAX: never */
};

static int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static struct ck_authorization *find(struct ck_authorizations *as, const struct ck_endpoint *e)
{
    for (size_t i = 0; i < as->v.n; i++)
        if (strcmp(as->v.v[i]->host, e->host) == 0 &&
            strcmp(as->v.v[i]->repository, e->repository) == 0)
            return as->v.v[i];
    struct ck_authorization *a = ck_new(struct ck_authorization);
    a->host = ck_strndup(e->host, strlen(e->host));
    a->repository = ck_strndup(e->repository, strlen(e->repository));
    *ck_push(&as->v) = a;
    return a;
}

const char *ck_authorization_of(struct ck_authorizations *as, const struct ck_endpoint *e)
{
    struct ck_authorization *a = find(as, e);
    return a->header && a->expires > now() ? a->header : NULL;
}

/* --- what is sent ----------------------------------------------------------------------------- */

static const char *basic(const struct ck_endpoint *e, struct ck_arena *a)
{
    if (!e->username || !e->password)
        return NULL;
    const char *plain = ck_arena_format(a, "%s:%s", e->username, e->password);
    size_t n = strlen(plain);
    unsigned char *coded = ck_arena_alloc(a, n / 3 * 4 + 5, 1);
    EVP_EncodeBlock(coded, (const unsigned char *)plain, (int)n);
    return ck_arena_format(a, "Basic %s", (const char *)coded);
}

static void put_encoded(struct ck_buf *b, const char *key, ck_view v)
{
    static const char plain[] = "-._~";
    ck_buf_format(b, "%s%s=", b->n ? "&" : "", key);
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || (c && strchr(plain, c)))
            ck_put_u8(b, c);
        else
            ck_buf_format(b, "%%%02X", c);
    }
}

/* --- the token server ------------------------------------------------------------------------- */

struct token_request {
    struct ck_buf body;
    ck_err *(*tick)(void *ctx);
    void *ctx;
};

static ck_err *take_body(void *ctx, ck_view piece)
{
    struct token_request *t = ctx;
    return ck_buf_add(&t->body, piece);
}

static ck_err *tick(void *ctx)
{
    struct token_request *t = ctx;
    return t->tick(t->ctx);
}

static bool same_origin(const struct ck_url *a, const struct ck_url *b)
{
    return a->secure == b->secure && a->port == b->port && ck_view_eq(a->host, b->host);
}

static ck_err *check_realm(const struct ck_challenge *c, const char *url, struct ck_arena *a,
                           bool *ret_same)
{
    struct ck_url registry, realm;
    CK_TRY(ck_url_parse(ck_view_str(url), a, &registry));
    CK_TRY_WRAP(ck_url_parse(c->realm, a, &realm), "realm");
    if (!ck_realm_allowed(&registry, &realm))
        return ck_err_new(CK_ERR_HOSTILE,
                          "the registry sends its visitors to %.*s for a token: the realm is on "
                          "another site, or not over TLS (CVE-2026-33540)",
                          CK_VF(ck_view_head(c->realm, 200)));
    *ret_same = same_origin(&registry, &realm);
    return NULL;
}

/* GET with the name and password, or POST with the identity token (distribution, token
 * authentication, and OAuth2). */
static void fill_request(const struct ck_job_registry *j, const struct ck_challenge *c,
                         struct ck_arena *a, struct ck_http_request *r)
{
    const struct ck_endpoint *e = &j->endpoint;
    ck_autobuf struct ck_buf form = ck_buf_new(CK_LIMIT_NONE);
    ck_view scope = c->scope.n ? c->scope
                               : ck_view_str(ck_arena_format(a, "repository:%s:pull",
                                                             e->repository));
    if (e->identity_token) {
        put_encoded(&form, "grant_type", CK_V("refresh_token"));
        put_encoded(&form, "client_id", CK_V("cocket"));
    }
    if (c->service.n)
        put_encoded(&form, "service", c->service);
    put_encoded(&form, "scope", scope);
    if (e->identity_token)
        put_encoded(&form, "refresh_token", ck_view_str(e->identity_token));
    const char *text = (const char *)ck_arena_dup(a, ck_buf_view(&form)).p;
    if (e->identity_token) {
        r->form = text;
        r->url = (const char *)ck_arena_dup(a, c->realm).p;
        return;
    }
    bool has_query = ck_view_find(c->realm, '?') < c->realm.n;
    const char *realm = (const char *)ck_arena_dup(a, c->realm).p;
    r->url = ck_arena_format(a, "%s%c%s", realm, has_query ? '&' : '?', text);
    r->authorization = basic(e, a);
}

static ck_err *refused(const struct ck_challenge *c, const struct ck_http_answer *answer,
                       struct ck_arena *a)
{
    ck_view said = ck_registry_error_text(answer->error_body, a);
    return ck_err_new(CK_ERR_UNAVAILABLE, "the token server %.*s refuses (HTTP status %u%s%.*s)",
                      CK_VF(ck_view_head(c->realm, 200)), answer->status, said.n ? ": " : "",
                      CK_VF(said));
}

static ck_err *get_token(struct ck_authorizations *as, const struct ck_job_registry *j,
                         const char *url, const struct ck_challenge *c, struct token_request *t,
                         struct ck_arena *a, struct ck_token *ret)
{
    static const char *const accept[] = { "Accept: application/json", NULL };
    const struct ck_endpoint *e = &j->endpoint;
    struct ck_http_request r = { .headers = accept, .ca = e->ca, .no_verify = e->plain_http,
                                 .document = true, .body = take_body, .tick = tick, .ctx = t };
    struct ck_http_answer answer;
    enum ck_http_failure failure;
    bool same = false;
    CK_TRY(check_realm(c, url, a, &same));
    r.public_only = !same && !j->allow_private;
    fill_request(j, c, a, &r);
    CK_TRY_WRAP(ck_http_exchange(as->net, &r, a, &answer, &failure), "token server %.*s",
                CK_VF(ck_view_head(c->realm, 200)));
    if (answer.status != 200)
        return refused(c, &answer, a);
    return ck_token_parse(ck_buf_view(&t->body), a, ret);
}

/* --- a challenge ------------------------------------------------------------------------------ */

static void keep(struct ck_authorization *a, const char *header, int64_t expires)
{
    free(a->header);
    a->header = ck_strndup(header, strlen(header));
    a->expires = expires;
}

static ck_err *answer_bearer(struct ck_authorizations *as, const struct ck_job_registry *j,
                             const char *url, const struct ck_challenge *c,
                             struct token_request *t, struct ck_arena *a)
{
    enum { EARLY = 5 }; /* seconds: a token is not used at the moment at which it ends */
    struct ck_token token;
    CK_TRY(get_token(as, j, url, c, t, a, &token));
    uint64_t lives = token.expires_in > 86400 ? 86400 : token.expires_in;
    keep(find(as, &j->endpoint), ck_arena_format(a, "Bearer %s", (const char *)token.token.p),
         now() + (int64_t)lives - EARLY);
    return NULL;
}

static ck_err *answer_challenge(struct ck_authorizations *as, const struct ck_job_registry *j,
                                const char *url, ck_view challenges, struct token_request *t,
                                bool *ret_again)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_challenge c;
    CK_TRY_WRAP(ck_challenge_parse(challenges, &a, &c), "WWW-Authenticate");
    const char *header = c.scheme == CK_CHALLENGE_BASIC ? basic(&j->endpoint, &a) : NULL;
    if (header)
        keep(find(as, &j->endpoint), header, INT64_MAX);
    else if (c.scheme == CK_CHALLENGE_BEARER)
        CK_TRY(answer_bearer(as, j, url, &c, t, &a));
    *ret_again = header || c.scheme == CK_CHALLENGE_BEARER;
    return NULL;
}

ck_err *ck_authorize(struct ck_authorizations *as, const struct ck_job_registry *j,
                     const char *url, ck_view challenges, ck_err *(*tick_)(void *ctx), void *ctx,
                     bool *ret_again)
{
    struct token_request t = { ck_buf_new(CK_LIMIT_TOKEN_ANSWER), tick_, ctx };
    ck_err *e = answer_challenge(as, j, url, challenges, &t, ret_again);
    ck_buf_free(&t.body);
    return e;
}
