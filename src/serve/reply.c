/* Replies, and the errors of a registry (distribution-spec, "Error Codes"). */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"
#include "serve/route.h"

#include <stdio.h>
#include <stdlib.h>

void ck_request_respond(struct ck_request *r, unsigned status, struct MHD_Response *response,
                        uint64_t size)
{
    if (r->response) /* two replies to one request */
        abort();
    r->response = response;
    r->status = status;
    r->sent = r->method == CK_HEAD ? 0 : size;
}

enum { MOST = 4096 + 1 }; /* of a header's value */

void ck_response_header(struct ck_serve *s, struct MHD_Response *response, const char *name,
                        ck_view value)
{
    char text[MOST];
    if (!value.n || value.n >= sizeof text)
        return;
    memcpy(text, value.p, value.n);
    text[value.n] = 0;
    if (s->mhd->MHD_add_response_header(response, name, text) != MHD_YES)
        return; /* not of the alphabet of headers: left out */
}

struct MHD_Response *ck_response_new(struct ck_serve *s, const char *content_type, ck_view body)
{
    struct MHD_Response *w = s->mhd->MHD_create_response_from_buffer(
        body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    if (!w)
        exit(CK_EXIT_OOM);
    if (content_type)
        ck_response_header(s, w, "Content-Type", ck_view_str(content_type));
    ck_response_header(s, w, "X-Content-Type-Options", CK_V("nosniff"));
    return w;
}

void ck_request_reply(struct ck_request *r, unsigned status, const char *content_type, ck_view body,
                      const struct ck_reply_header *headers, size_t n_headers)
{
    struct MHD_Response *w = ck_response_new(r->serve, content_type, body);
    for (size_t i = 0; i < n_headers; i++)
        ck_response_header(r->serve, w, headers[i].name, headers[i].value);
    ck_request_respond(r, status, w, body.n);
}

void ck_registry_headers(struct ck_serve *s, struct MHD_Response *response)
{
    ck_response_header(s, response, "Docker-Distribution-API-Version", CK_V("registry/2.0"));
}

/* --- errors ----------------------------------------------------------------------------------- */

static enum ck_oci_error code_of(const struct ck_request *r, unsigned status)
{
    static const struct {
        unsigned status;
        enum ck_oci_error code;
    } codes[] = {
        { 401, CK_OCI_UNAUTHORIZED }, { 403, CK_OCI_DENIED },
        { 405, CK_OCI_UNSUPPORTED },  { 413, CK_OCI_SIZE_INVALID },
        { 429, CK_OCI_TOOMANYREQUESTS },
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].status == status)
            return codes[i].code;
    if (status == 404)
        return r->label == CK_LABEL_MANIFEST ? CK_OCI_MANIFEST_UNKNOWN
               : r->label == CK_LABEL_BLOB   ? CK_OCI_BLOB_UNKNOWN
                                             : CK_OCI_NAME_UNKNOWN;
    return CK_OCI_UNKNOWN;
}

/* {"errors":[{"code":"DENIED","message":"...","detail":"https://.../explain/..."}]}; docker shows
 * message and, where it is a string, detail. */
static void put_errors(struct ck_buf *out, ck_view url, enum ck_oci_error code, ck_view message,
                       ck_view explain)
{
    ck_put_bytes(out, CK_V("{\"errors\":[{\"code\":"));
    ck_buf_json_str(out, ck_view_str(ck_oci_error_name(code)));
    ck_put_bytes(out, CK_V(",\"message\":"));
    ck_buf_json_str(out, message);
    if (explain.n) {
        ck_autobuf struct ck_buf where = ck_buf_new(CK_LIMIT_NONE);
        ck_put_bytes(&where, url);
        ck_put_bytes(&where, explain);
        ck_put_bytes(out, CK_V(",\"detail\":"));
        ck_buf_json_str(out, ck_buf_view(&where));
    }
    ck_put_bytes(out, CK_V("}]}\n"));
}

static void put_u32(struct ck_request *r, struct MHD_Response *w, const char *name, uint32_t n)
{
    char text[16];
    snprintf(text, sizeof text, "%u", n);
    ck_response_header(r->serve, w, name, ck_view_str(text));
}

bool ck_request_is_api(const struct ck_request *r)
{
    return ck_view_starts(r->path, CK_V("/api/v1/"));
}

static void put_error(struct ck_buf *out, ck_view message)
{
    ck_put_bytes(out, CK_V("{\"error\":"));
    ck_buf_json_str(out, message);
    ck_put_bytes(out, CK_V("}\n"));
}

static struct MHD_Response *error_response(struct ck_request *r, enum ck_oci_error code,
                                           ck_view message, ck_view explain, uint64_t *ret_size)
{
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_NONE);
    bool api = ck_request_is_api(r);
    if (api)
        put_error(&body, message);
    else
        put_errors(&body, r->serve->config.url, code, message, explain);
    struct MHD_Response *w = ck_response_new(r->serve, "application/json", ck_buf_view(&body));
    ck_response_header(r->serve, w, "Cache-Control", CK_V("no-store"));
    if (!api)
        ck_registry_headers(r->serve, w);
    *ret_size = body.n;
    return w;
}

void ck_request_refuse(struct ck_request *r, unsigned status, enum ck_oci_error code,
                       const char *message)
{
    uint64_t size;
    code = code ? code : code_of(r, status);
    struct MHD_Response *w = error_response(r, code, ck_view_str(message), CK_V(""), &size);
    if (status == 429 || status == 503)
        put_u32(r, w, "Retry-After", 1);
    ck_request_respond(r, status, w, size);
}

/* A denial is never 404 or 412: clients would say that the image does not exist, or try another
 * registry. containerd before 2.2 shows no reason of a HEAD's 403, but asks again with GET after
 * 405. */
static unsigned status_of(const struct ck_request *r, const struct ck_answer *w,
                          enum ck_oci_error code)
{
    unsigned status = w->status;
    if (status < 400)
        status = 502;
    if (code == CK_OCI_DENIED && (status == 404 || status == 412))
        status = 403;
    if (code == CK_OCI_DENIED && status == 403 && r->method == CK_HEAD &&
        r->serve->config.head_deny_405)
        status = 405;
    return status;
}

void ck_request_fail(struct ck_request *r, const struct ck_answer *w)
{
    uint64_t size;
    enum ck_oci_error code = w->code ? w->code : code_of(r, w->status);
    unsigned status = status_of(r, w, code);
    ck_autofree char *message = ck_strndup(w->message.p, w->message.n);
    if (status == 401) {
        ck_request_challenge(r, *message ? message : "authentication required");
        return;
    }
    struct MHD_Response *response = error_response(r, code, w->message, w->explain, &size);
    if (w->retry_after || status == 429 || status == 503)
        put_u32(r, response, "Retry-After", w->retry_after ? w->retry_after : 1);
    if (status == 405)
        ck_response_header(r->serve, response, "Allow", w->link);
    ck_request_respond(r, status, response, size);
}

/* --- challenges ------------------------------------------------------------------------------- */

/* WWW-Authenticate of a registry: where a token is had, and for what. */
static void put_bearer(struct ck_request *r, struct ck_buf *out)
{
    const struct ck_serve_config *c = &r->serve->config;
    struct ck_at at = ck_route_of(r->path);
    ck_put_bytes(out, CK_V("Bearer realm=\""));
    ck_put_bytes(out, c->url);
    ck_put_bytes(out, CK_V("/token\",service=\""));
    ck_put_bytes(out, c->service);
    ck_put_bytes(out, CK_V("\""));
    if (at.repository.n && !at.error) {
        ck_put_bytes(out, CK_V(",scope=\"repository:"));
        ck_put_bytes(out, at.repository);
        bool pulls = (r->method == CK_GET || r->method == CK_HEAD) && at.kind != CK_AT_UPLOAD;
        ck_put_bytes(out, pulls                                       ? CK_V(":pull\"")
                          : r->method == CK_DELETE                    ? CK_V(":delete\"")
                                                                      : CK_V(":pull,push\""));
    } else if (at.kind == CK_AT_CATALOG) {
        ck_put_bytes(out, CK_V(",scope=\"registry:catalog:*\""));
    }
}

/* A browser that is challenged asks for a password in a window of its own, where the page has a
 * form for it. Scripts say so, or the browser says that a script is asking. */
static bool is_script(struct ck_request *r)
{
    ck_view v;
    if (!ck_request_is_api(r))
        return false;
    return (ck_request_header(r, "X-Requested-With", &v) && ck_view_eq(v, CK_V("cocket"))) ||
           (ck_request_header(r, "Sec-Fetch-Mode", &v) && !ck_view_eq(v, CK_V("navigate")));
}

void ck_request_challenge(struct ck_request *r, const char *message)
{
    uint64_t size;
    ck_autobuf struct ck_buf value = ck_buf_new(CK_LIMIT_NONE);
    struct MHD_Response *w =
        error_response(r, CK_OCI_UNAUTHORIZED, ck_view_str(message), CK_V(""), &size);
    if (ck_view_starts(r->path, CK_V("/v2/")) || ck_view_eq(r->path, CK_V("/v2")))
        put_bearer(r, &value);
    else
        ck_put_bytes(&value, CK_V("Basic realm=\"cocket\""));
    if (!is_script(r))
        ck_response_header(r->serve, w, "WWW-Authenticate", ck_buf_view(&value));
    ck_request_respond(r, 401, w, size);
}

/* --- answers ---------------------------------------------------------------------------------- */

bool ck_request_answer_bytes(struct ck_request *r, struct ck_answer *w, size_t max, ck_view *ret)
{
    if (w->fd < 0) {
        *ret = w->body;
        return true;
    }
    if (w->size <= max) {
        uint8_t *p = ck_arena_alloc(&r->arena, w->size + 1, 1);
        ck_autoerr ck_err *e = ck_pread_all(w->fd, p, w->size);
        if (!e) {
            *ret = ck_view_of(p, w->size);
            return true;
        }
    }
    ck_request_refuse(r, 500, CK_OCI_UNKNOWN, "the answer cannot be read");
    return false;
}
