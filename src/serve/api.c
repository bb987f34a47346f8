/* The routes of the HTTP API: /api/v1/. What each operation is, and who may ask it, the hub knows;
 * here requests become words and answers become responses.
 */
#include "serve/api.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/text.h"
#include "serve/api_request.h"
#include "serve/http_int.h"

#include <string.h>

#define ROOT "/api/v1/"

/* --- replies ---------------------------------------------------------------------------------- */

static void refuse(struct ck_request *r, unsigned status, const char *why)
{
    ck_request_refuse(r, status, CK_OCI_UNKNOWN, why);
}

static void refuse_error(struct ck_request *r, ck_err *e)
{
    refuse(r, 400, ck_err_text(e));
    ck_err_free(e);
}

static void put_etag(ck_view body, struct ck_buf *out)
{
    enum { SHOWN = 16 };
    struct ck_digest d;
    ck_hash_of(CK_DIGEST_SHA256, body, &d);
    ck_put_u8(out, '"');
    for (size_t i = 0; i < SHOWN; i++)
        ck_buf_format(out, "%02x", d.bytes[i]);
    ck_put_u8(out, '"');
}

/* Private: only the one who asked may keep it, and asks each time whether it still holds. */
static void put_headers(struct ck_request *r, struct MHD_Response *w, ck_view etag)
{
    struct ck_serve *s = r->serve;
    ck_response_header(s, w, "Cache-Control", etag.n ? CK_V("private, no-cache")
                                                     : CK_V("no-store"));
    ck_response_header(s, w, "Vary", CK_V("Authorization, Cookie"));
    ck_response_header(s, w, "ETag", etag);
}

static void reply(struct ck_request *r, unsigned status, const char *type, ck_view body,
                  const char *disposition)
{
    ck_autobuf struct ck_buf etag = ck_buf_new(CK_LIMIT_NONE);
    ck_view asked = { 0 };
    bool gets = r->method == CK_GET || r->method == CK_HEAD;
    if (gets && status == 200 && strcmp(type, CK_API_STREAM) != 0)
        put_etag(body, &etag);
    if (etag.n && ck_request_header(r, "If-None-Match", &asked) &&
        ck_api_matches(asked, ck_buf_view(&etag))) {
        status = 304;
        body = CK_V("");
    }
    struct MHD_Response *w = ck_response_new(r->serve, status == 304 ? NULL : type, body);
    put_headers(r, w, ck_buf_view(&etag));
    if (disposition)
        ck_response_header(r->serve, w, "Content-Disposition", ck_view_str(disposition));
    ck_request_respond(r, status, w, body.n);
}

/* --- questions -------------------------------------------------------------------------------- */

static bool take_bytes(struct ck_request *r, struct ck_answer *w, ck_view *ret)
{
    if (w->fd >= 0 && !ck_request_reserve(r, w->size)) {
        refuse(r, 503, "too many long answers at one time; try again");
        return false;
    }
    return ck_request_answer_bytes(r, w, CK_MAX_API_ANSWER, ret);
}

/* A name for the file that a browser saves. */
static const char *file_name(ck_view type)
{
    if (ck_view_starts(type, CK_V("application/vnd.cyclonedx")))
        return "attachment; filename=\"sbom.cdx.json\"";
    if (ck_view_starts(type, CK_V("application/spdx")))
        return "attachment; filename=\"sbom.spdx.json\"";
    return NULL;
}

static void answered(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    ck_view body;
    if (w->status >= 400) {
        ck_request_fail(r, w);
    } else if (take_bytes(r, w, &body)) {
        const char *type = ck_arena_format(&r->arena, "%.*s", CK_VF(w->content_type));
        reply(r, w->status, *type ? type : "application/json", body, file_name(w->content_type));
    }
}

static struct ck_api_origin origin_of(struct ck_request *r)
{
    struct ck_api_origin o = { .authorized = r->authorized };
    ck_request_header(r, "Sec-Fetch-Site", &o.site);
    ck_request_header(r, "Origin", &o.origin);
    if (ck_view_eq(o.origin, r->serve->config.url))
        o.origin = (ck_view){ 0 }; /* ours, whatever a proxy makes of the Host header */
    ck_request_header(r, "Host", &o.host);
    ck_request_header(r, "X-Requested-With", &o.requested);
    return o;
}

/* False: it has replied. */
static bool is_own(struct ck_request *r)
{
    r->label = CK_LABEL_API;
    const struct ck_api_origin o = origin_of(r);
    const char *why = ck_api_foreign(&o);
    if (why)
        ck_request_refuse(r, 403, CK_OCI_DENIED, why);
    return !why;
}

static bool is_json(struct ck_request *r)
{
    ck_view type = { 0 }, rest;
    ck_request_header(r, "Content-Type", &type);
    return ck_view_eq(ck_view_trim(ck_view_split(type, ';', &rest)), CK_V("application/json"));
}

/* False: it has replied. */
static bool read_body(struct ck_request *r, struct ck_api_words *w)
{
    ck_view body = ck_request_body(r);
    if (r->params.n) {
        refuse(r, 400, "parameters of what changes something stand in its body");
        return false;
    }
    if (!body.n)
        return true;
    if (!is_json(r)) {
        refuse(r, 400, "the body must be application/json");
        return false;
    }
    ck_err *e = ck_api_body(body, &r->arena, w);
    if (e)
        refuse_error(r, e);
    return !e;
}

static void ask(struct ck_request *r, const struct ck_api_words *w,
                void (*done)(struct ck_request *, void *, struct ck_answer *))
{
    struct ck_ask q = { .kind = CK_ASK_API, .words = w->v, .n_words = w->n, .fd = -1 };
    ck_err *e = w->text.p ? ck_sealed_copy(w->text, &q.fd) : NULL;
    if (e) {
        refuse(r, 500, "the body cannot be handed on");
        ck_err_free(e);
        return;
    }
    q.length = w->text.n;
    ck_request_ask(r, &q, done, NULL);
}

static ck_view below_root(const struct ck_request *r)
{
    return ck_view_from(r->path, sizeof ROOT - 1);
}

static void get(struct ck_request *r)
{
    struct ck_api_words w;
    ck_view last;
    r->label = CK_LABEL_API;
    ck_api_words_begin(&w, CK_V("GET"), below_root(r), &r->arena);
    ck_err *e = ck_api_query(&r->params, &r->arena, &w);
    if (e) {
        refuse_error(r, e);
        return;
    }
    if (ck_view_eq(w.v[1], CK_V("stream")) && ck_request_header(r, "Last-Event-ID", &last)) {
        const char *word = ck_arena_format(&r->arena, "last_event_id=%.*s", CK_VF(last));
        if (w.n == CK_MAX_API_WORDS) {
            refuse(r, 400, "too many parameters");
            return;
        }
        w.v[w.n++] = ck_view_str(word);
    }
    ask(r, &w, answered);
}

static void change(struct ck_request *r)
{
    struct ck_api_words w;
    if (!is_own(r))
        return;
    ck_api_words_begin(&w, r->method == CK_POST ? CK_V("POST") : CK_V("DELETE"), below_root(r),
                       &r->arena);
    if (read_body(r, &w))
        ask(r, &w, answered);
}

/* --- login and logout ------------------------------------------------------------------------- */

static bool is_https(const struct ck_request *r)
{
    return r->listener->kind.tls ||
           ck_view_starts(r->serve->config.url, CK_V("https://"));
}

static void put_cookie(struct ck_request *r, struct MHD_Response *w, ck_view value)
{
    enum { LASTS = 12 * 3600 };
    const char *text = ck_arena_format(
        &r->arena, "cocket=%.*s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%d%s", CK_VF(value),
        value.n ? LASTS : 0, is_https(r) ? "; Secure" : "");
    ck_response_header(r->serve, w, "Set-Cookie", ck_view_str(text));
}

static void on_cookie(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status >= 400) {
        ck_request_fail(r, w);
        return;
    }
    struct MHD_Response *response = ck_response_new(
        r->serve, w->body.n ? "application/json" : NULL, w->body);
    put_headers(r, response, CK_V(""));
    put_cookie(r, response, w->upload);
    ck_request_respond(r, w->status, response, w->body.n);
}

static void on_password(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    struct ck_api_words words;
    (void)ctx;
    if (w->status != 200 || !w->session) {
        if (w->status == 200)
            refuse(r, 401, "log in with a user and its password");
        else
            ck_request_fail(r, w);
        return;
    }
    r->session = w->session;
    ck_api_words_begin(&words, CK_V("POST"), CK_V("login"), &r->arena);
    ask(r, &words, on_cookie);
}

static bool member(const struct ck_api_words *w, const char *name, ck_view *ret)
{
    for (size_t i = 2; i < w->n; i++) {
        ck_view value, key = ck_view_split(w->v[i], '=', &value);
        if (ck_view_eq(key, ck_view_str(name))) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* Everything goes through the one place that checks passwords, as an Authorization header does. */
static void login(struct ck_request *r)
{
    struct ck_api_words w;
    ck_view user, password;
    if (!is_own(r))
        return;
    ck_api_words_begin(&w, CK_V("POST"), CK_V("login"), &r->arena);
    if (!read_body(r, &w))
        return;
    if (w.n != 4 || w.text.p || !member(&w, "user", &user) || !member(&w, "password", &password) ||
        !user.n || !password.n || ck_view_find(user, ':') < user.n) {
        refuse(r, 400, "body: it is {\"user\":...,\"password\":...}");
        return;
    }
    ck_autobuf struct ck_buf both = ck_buf_new(CK_LIMIT_NONE), word = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&both, "%.*s:%.*s", CK_VF(user), CK_VF(password));
    ck_put_bytes(&word, CK_V("Basic "));
    ck_base64_put(&word, ck_buf_view(&both));
    ck_view authorization = ck_buf_view(&word);
    struct ck_ask q = { .kind = CK_ASK_AUTH, .words = &authorization, .n_words = 1, .fd = -1 };
    ck_request_ask(r, &q, on_password, NULL);
}

static void logout(struct ck_request *r)
{
    struct ck_api_words w;
    ck_view header, token;
    if (!is_own(r))
        return;
    ck_api_words_begin(&w, CK_V("POST"), CK_V("logout"), &r->arena);
    if (!read_body(r, &w))
        return;
    if (w.n != 2 || w.text.p) {
        refuse(r, 400, "logout takes no body");
        return;
    }
    if (ck_request_header(r, "Cookie", &header) && ck_api_cookie(header, &token))
        w.v[w.n++] = ck_view_str(ck_arena_format(&r->arena, "token=%.*s", CK_VF(token)));
    ask(r, &w, on_cookie);
}

static void openapi(struct ck_request *r)
{
    if (r->params.n)
        refuse(r, 400, "a parameter that is not known here");
    else
        reply(r, 200, "application/json", ck_view_of(ck_openapi, ck_openapi_size), NULL);
}

/* ---------------------------------------------------------------------------------------------- */

/* API_BODY and API_LOGIN, which are no constant expressions. */
#define BODY (2 * CK_MIB)
#define LOGIN (16 * CK_KIB)

enum { ANY = CK_ROLE_PULL | CK_ROLE_PUSH | CK_ROLE_RELEASE | CK_ROLE_ADMIN };

const struct ck_route ck_api_routes[] = {
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, ROOT "openapi.json", true, 0, 0, openapi },
    { CK_POST | CK_ROUTE_OPEN, ROOT "login", true, 0, LOGIN, login },
    { CK_POST | CK_ROUTE_OPEN, ROOT "logout", true, 0, LOGIN, logout },
    { CK_GET | CK_HEAD, ROOT, false, ANY, 0, get },
    { CK_POST | CK_DELETE, ROOT, false, ANY, BODY, change },
    { .prefix = NULL },
};
