/* /token: the token protocol of registries, as GET with Basic and as an OAuth2 form. */
#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"

enum { SCOPES = 32 };

static void on_token(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    ck_view body;
    if (w->status != 200) {
        ck_request_fail(r, w);
        return;
    }
    if (!ck_request_answer_bytes(r, w, CK_MAX_TOKEN_ANSWER, &body))
        return;
    struct MHD_Response *response = ck_response_new(r->serve, "application/json", body);
    ck_response_header(r->serve, response, "Cache-Control", CK_V("no-store"));
    ck_request_respond(r, 200, response, body.n);
}

/* Scopes come as several parameters, or in one with blanks between them, or both. */
static void ask_token(struct ck_request *r)
{
    ck_view given[SCOPES], *words = ck_arena_alloc(&r->arena, SCOPES, sizeof *words);
    size_t n = 0, n_given = ck_request_query_all(r, "scope", given, SCOPES);
    for (size_t i = 0; i < n_given && i < SCOPES; i++)
        for (ck_view rest = given[i]; rest.n;) {
            ck_view one = ck_view_split(rest, ' ', &rest);
            if (one.n && n < SCOPES)
                words[n++] = one;
        }
    struct ck_ask q = { .kind = CK_ASK_TOKEN, .host = r->host, .words = words, .n_words = n,
                        .fd = -1 };
    ck_request_ask(r, &q, on_token, NULL);
}

void ck_token_get(struct ck_request *r)
{
    r->label = CK_LABEL_TOKEN;
    if (r->session || r->serve->config.anonymous_pull)
        ask_token(r);
    else
        ck_request_challenge(r, "authentication required");
}

static void on_form_session(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status != 200) {
        ck_request_fail(r, w);
        return;
    }
    r->session = w->session;
    r->roles = w->roles;
    ask_token(r);
}

static bool put_authorization(struct ck_request *r, struct ck_buf *out)
{
    ck_view grant, user, password, token;
    if (!ck_request_query(r, "grant_type", &grant))
        return false;
    if (ck_view_eq(grant, CK_V("password")) && ck_request_query(r, "username", &user) &&
        ck_request_query(r, "password", &password) && ck_view_find(user, ':') == user.n) {
        ck_autobuf struct ck_buf both = ck_buf_new(CK_LIMIT_NONE);
        ck_put_bytes(&both, user);
        ck_put_u8(&both, ':');
        ck_put_bytes(&both, password);
        ck_put_bytes(out, CK_V("Basic "));
        ck_base64_put(out, ck_buf_view(&both));
        return true;
    }
    if (ck_view_eq(grant, CK_V("refresh_token")) && ck_request_query(r, "refresh_token", &token)) {
        ck_put_bytes(out, CK_V("Bearer "));
        ck_put_bytes(out, token);
        return true;
    }
    return false;
}

void ck_token_post(struct ck_request *r)
{
    ck_autobuf struct ck_buf authorization = ck_buf_new(CK_LIMIT_NONE);
    r->label = CK_LABEL_TOKEN;
    const char *wrong = ck_form_parse(r->body.p, r->body.n, &r->params);
    if (wrong || !put_authorization(r, &authorization)) {
        ck_request_refuse(r, 400, CK_OCI_UNSUPPORTED,
                          wrong ? wrong : "grant_type must be password or refresh_token");
        return;
    }
    ck_view word = ck_buf_view(&authorization);
    struct ck_ask q = { .kind = CK_ASK_AUTH, .words = &word, .n_words = 1, .fd = -1 };
    ck_request_ask(r, &q, on_form_session, NULL);
}
