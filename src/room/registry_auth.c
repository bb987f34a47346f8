/* Authentication as distribution's "token authentication" has it, on the demand of a 401. */
#include "room/registry_auth.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/digest.h"

#include <stdlib.h>
#include <string.h>

static const char client_id[] = "cocket";

/* --- what is kept ----------------------------------------------------------------------------- */

static const char *scope_of(const struct ck_auth_who *who, struct ck_arena *a)
{
    return who->catalog ? "registry:catalog:*"
                        : ck_arena_format(a, "repository:%s:pull", who->endpoint->repository);
}

static const char *key_of(const struct ck_auth_who *who, struct ck_arena *a)
{
    const struct ck_endpoint *e = who->endpoint;
    ck_autobuf struct ck_buf secret = ck_buf_new(CK_LIMIT_NONE);
    const char *parts[] = { e->username, e->password, e->identity_token, e->bearer };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_put_str(&secret, ck_view_str(parts[i] ? parts[i] : ""));
    struct ck_digest d;
    char text[CK_DIGEST_TEXT];
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&secret), &d);
    return ck_arena_format(a, "%s %s %s", ck_url_origin(&who->registry, a), scope_of(who, a),
                           ck_digest_text(&d, text));
}

static struct ck_auth_row *row_of(struct ck_auth *auth, const char *key)
{
    for (size_t i = 0; i < CK_AUTH_ROWS; i++)
        if (auth->rows[i].key && strcmp(auth->rows[i].key, key) == 0)
            return &auth->rows[i];
    return NULL;
}

const char *ck_auth_find(struct ck_auth *auth, const struct ck_auth_who *who, struct ck_arena *a)
{
    if (who->endpoint->bearer)
        return ck_arena_format(a, "Bearer %s", who->endpoint->bearer);
    const struct ck_auth_row *r = row_of(auth, key_of(who, a));
    return r && ck_clock_ms() < r->until ? r->value : NULL;
}

static void keep(struct ck_auth *auth, const char *key, const char *value, int64_t until)
{
    struct ck_auth_row *r = row_of(auth, key);
    if (!r) {
        r = &auth->rows[auth->next];
        auth->next = (auth->next + 1) % CK_AUTH_ROWS;
    }
    struct ck_auth_row fresh = { ck_format("%s", key), ck_format("%s", value), until };
    free(r->key);
    free(r->value);
    *r = fresh;
}

/* --- Basic ------------------------------------------------------------------------------------ */

/* NULL where there are no credentials. */
static const char *basic(const struct ck_endpoint *e, struct ck_arena *a)
{
    if (!e->username || !e->password)
        return NULL;
    const char *pair = ck_arena_format(a, "%s:%s", e->username, e->password);
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&out, CK_V("Basic "));
    ck_base64_put(&out, ck_view_str(pair));
    return (const char *)ck_arena_dup(a, ck_buf_view(&out)).p;
}

/* --- tokens ----------------------------------------------------------------------------------- */

static void put_encoded(struct ck_buf *b, ck_view v)
{
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr("-._~", c)))
            ck_put_u8(b, c);
        else
            ck_buf_format(b, "%%%02X", c);
    }
}

static void put_field(struct ck_buf *b, char before, const char *name, ck_view value)
{
    if (before)
        ck_put_u8(b, (uint8_t)before);
    ck_put_bytes(b, ck_view_str(name));
    ck_put_u8(b, '=');
    put_encoded(b, value);
}

/* What is asked for is what is needed, whatever scope the challenge names: a registry could have
 * its token server give it more than the user means to. */
static void put_wish(struct ck_buf *b, char before, const struct ck_auth_who *who,
                     const struct ck_challenge *c, struct ck_arena *a)
{
    put_field(b, before, "service", c->service);
    put_field(b, '&', "scope", ck_view_str(scope_of(who, a)));
}

static bool has_credentials(const struct ck_endpoint *e)
{
    return e->identity_token || (e->username && e->password);
}

/* Realms that must not be asked (CVE-2026-33540, CVE-2026-48978): with credentials, those of
 * another site; and never with less protection than the registry itself. */
static ck_err *check_realm(const struct ck_auth_who *who, const struct ck_url *realm,
                           struct ck_arena *a)
{
    if (who->registry.secure && !realm->secure)
        return ck_err_new(CK_ERR_HOSTILE, "a realm without TLS: %s", ck_url_origin(realm, a));
    if (has_credentials(who->endpoint) && !ck_realm_allowed(&who->registry, realm))
        return ck_err_new(CK_ERR_HOSTILE, "realm on another site: %s; credentials for %s are not "
                          "sent there", ck_url_origin(realm, a), who->endpoint->host);
    return NULL;
}

static bool same_place(const struct ck_url *a, const struct ck_url *b)
{
    return a->port == b->port && ck_view_eq(a->host, b->host);
}

static ck_err *begin_token(void *ctx, const struct ck_http_answer *r, bool *ret_take)
{
    (void)ctx;
    *ret_take = r->status == 200;
    if (*ret_take && r->has_length && r->length > CK_MAX_TOKEN_ANSWER)
        return ck_err_limit(CK_LIMIT_TOKEN_ANSWER, "the token server's answer: %llu bytes",
                            (unsigned long long)r->length);
    return NULL;
}

static ck_err *take_token(void *ctx, ck_view bytes)
{
    CK_TRY_WRAP(ck_buf_add(ctx, bytes), "the token server's answer");
    return NULL;
}

static struct ck_http_request request_of(const struct ck_auth_who *who, const struct ck_url *realm)
{
    bool here = same_place(realm, &who->registry);
    return (struct ck_http_request){
        .url = *realm,
        .any_address = (here && !who->endpoint->stranger) || who->allow_private,
        .trusting = who->endpoint->plain_http && ck_view_eq(realm->host, who->registry.host),
        .certificate = here,
        .seconds = CK_MAX_REGISTRY_SECONDS,
        .endpoint = who->endpoint,
    };
}

/* OAuth2 for an identity token, else a GET with what credentials there are. */
static ck_err *ask(struct ck_http *h, const struct ck_auth_who *who, const struct ck_challenge *c,
                   const struct ck_url *realm, struct ck_buf *body, struct ck_http_answer *ret,
                   enum ck_http_end *ret_end)
{
    const struct ck_http_sink sink = { .begin = begin_token, .piece = take_token, .ctx = body };
    struct ck_http_request q = request_of(who, realm);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    if (who->endpoint->identity_token) {
        ck_put_bytes(&b, CK_V("grant_type=refresh_token"));
        put_wish(&b, '&', who, c, h->arena);
        put_field(&b, '&', "client_id", ck_view_str(client_id));
        put_field(&b, '&', "refresh_token", ck_view_str(who->endpoint->identity_token));
        q.method = CK_HTTP_POST;
        q.form = ck_buf_view(&b);
    } else {
        ck_put_bytes(&b, realm->target);
        bool query = ck_view_find(realm->target, '?') < realm->target.n;
        put_wish(&b, query ? '&' : '?', who, c, h->arena);
        q.url.target = ck_buf_view(&b);
        q.authorization = basic(who->endpoint, h->arena);
    }
    return ck_http_exchange(h, &q, &sink, ret, ret_end);
}

static const char *denial(const struct ck_http_answer *r, struct ck_arena *a)
{
    ck_view text = ck_registry_error_text(r->body, a);
    return text.n ? ck_arena_format(a, "%.*s", CK_VF(text))
                  : ck_arena_format(a, "the token server says %u", r->status);
}

static ck_err *bearer(struct ck_auth *auth, struct ck_http *h, const struct ck_auth_who *who,
                      const struct ck_challenge *c, struct ck_http_answer *ret,
                      const char **ret_denied, enum ck_http_end *ret_end)
{
    struct ck_url realm;
    struct ck_token token;
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_TOKEN_ANSWER);
    CK_TRY_WRAP(ck_url_parse(c->realm, h->arena, &realm), "realm");
    CK_TRY(check_realm(who, &realm, h->arena));
    CK_TRY_WRAP(ask(h, who, c, &realm, &body, ret, ret_end), "realm %s",
                ck_url_origin(&realm, h->arena));
    if (*ret_end != CK_HTTP_DONE)
        return NULL;
    if (ret->status == 401 || ret->status == 403)
        *ret_denied = denial(ret, h->arena);
    else if (ret->status != 200 && ret->status < 400)
        return ck_err_new(CK_ERR_UNAVAILABLE,
                          "the token server %s: unexpected status %u (its redirects are not "
                          "followed: they would carry credentials)",
                          ck_url_origin(&realm, h->arena), ret->status);
    if (ret->status != 200)
        return NULL;
    CK_TRY(ck_token_parse(ck_buf_view(&body), h->arena, &token));
    /* A little early: it must still be good when it arrives. */
    int64_t ms = (int64_t)token.expires_in * 1000 - 5000;
    keep(auth, key_of(who, h->arena), ck_arena_format(h->arena, "Bearer %.*s", (int)token.token.n,
                                                      (const char *)token.token.p),
         ck_clock_ms() + ms);
    return NULL;
}

ck_err *ck_auth_get(struct ck_auth *auth, struct ck_http *h, const struct ck_auth_who *who,
                    ck_view challenge, struct ck_http_answer *ret, const char **ret_denied,
                    enum ck_http_end *ret_end)
{
    struct ck_challenge c = { 0 };
    *ret_end = CK_HTTP_DONE;
    *ret_denied = NULL;
    if (who->endpoint->bearer) {
        *ret_denied = "the registry does not take the access token";
        return NULL;
    }
    CK_TRY(ck_challenge_parse(challenge, h->arena, &c));
    if (c.scheme == CK_CHALLENGE_BEARER)
        return bearer(auth, h, who, &c, ret, ret_denied, ret_end);
    const char *value = c.scheme == CK_CHALLENGE_BASIC ? basic(who->endpoint, h->arena) : NULL;
    if (value) {
        ret->status = 200;
        keep(auth, key_of(who, h->arena), value, INT64_MAX);
    } else {
        *ret_denied = c.scheme == CK_CHALLENGE_NONE
                          ? "its challenge names no scheme that is known here (Basic, Bearer)"
                          : "the registry asks who you are, and there are no credentials for it";
    }
    return NULL;
}
