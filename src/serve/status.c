/* /healthz, /readyz, /metrics and /explain/. */
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"
#include "serve/names.h"
#include "serve/page.h"

#include <strings.h>

/* --- health ----------------------------------------------------------------------------------- */

static void healthz(struct ck_request *r)
{
    r->label = CK_LABEL_STATUS;
    ck_request_reply(r, 200, "text/plain", CK_V("ok\n"), NULL, 0);
}

static void on_ready(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, w->message.n ? w->message : w->status == 200 ? CK_V("ok") : CK_V("not ready"));
    ck_put_u8(&b, '\n');
    ck_request_reply(r, w->status == 200 ? 200 : 503, "text/plain; charset=utf-8",
                     ck_buf_view(&b), NULL, 0);
}

static void readyz(struct ck_request *r)
{
    r->label = CK_LABEL_STATUS;
    struct ck_ask q = { .kind = CK_ASK_READY, .fd = -1 };
    ck_request_ask(r, &q, on_ready, NULL);
}

/* --- metrics ---------------------------------------------------------------------------------- */

/* The room's own lines come out even where the hub has none. */
static void on_metrics(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    struct ck_serve *s = r->serve;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t entries, bytes;
    ck_view hub;
    ck_kept_size(s->kept, &entries, &bytes);
    ck_counts_put(&s->counts, ck_peers_count(s->peers), entries, bytes, &b);
    if (w->status == 200) {
        if (!ck_request_answer_bytes(r, w, CK_MAX_DOCUMENT, &hub))
            return;
        ck_put_bytes(&b, hub);
    }
    ck_request_reply(r, 200, "text/plain; version=0.0.4; charset=utf-8", ck_buf_view(&b), NULL, 0);
}

static void metrics(struct ck_request *r)
{
    r->label = CK_LABEL_STATUS;
    struct ck_ask q = { .kind = CK_ASK_METRICS, .fd = -1 };
    ck_request_ask(r, &q, on_metrics, NULL);
}

/* --- explain ---------------------------------------------------------------------------------- */

/* JSON for programs, a page for people. */
static bool wants_page(struct ck_request *r)
{
    ck_view accept;
    if (!ck_request_header(r, "Accept", &accept))
        return false;
    for (size_t i = 0; i + 9 <= accept.n; i++)
        if (strncasecmp((const char *)accept.p + i, "text/html", 9) == 0)
            return true;
    return false;
}

static void on_explained(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    ck_view json;
    if (w->status != 200) {
        ck_request_fail(r, w);
        return;
    }
    if (!ck_request_answer_bytes(r, w, CK_MAX_DOCUMENT, &json))
        return;
    if (!wants_page(r)) {
        ck_request_reply(r, 200, "application/json", json, NULL, 0);
        return;
    }
    static const struct ck_reply_header headers[] = {
        { "Content-Security-Policy",
          { (const uint8_t *)CK_PAGE_POLICY, sizeof CK_PAGE_POLICY - 1 } },
        { "Referrer-Policy", { (const uint8_t *)"no-referrer", 11 } },
        { "Cache-Control", { (const uint8_t *)"no-store", 8 } },
    };
    ck_autobuf struct ck_buf page = ck_buf_new(CK_LIMIT_NONE);
    ck_page_put(&page, ck_view_from(r->path, strlen("/explain/")), json);
    ck_request_reply(r, 200, "text/html; charset=utf-8", ck_buf_view(&page), headers, 3);
}

/* "sha256:...", "NAME@sha256:...", "NAME:TAG", "NAME". */
static bool what_is_asked(ck_view path, struct ck_ask *q)
{
    ck_view rest;
    if (ck_is_digest(path)) {
        q->reference = path;
        return true;
    }
    q->repository = ck_view_split(path, '@', &rest);
    if (!rest.n)
        q->repository = ck_view_split(path, ':', &rest);
    q->reference = rest.n ? rest : CK_V("latest");
    return ck_is_repository(q->repository) &&
           (ck_is_tag(q->reference) || ck_is_digest(q->reference));
}

static void explain(struct ck_request *r)
{
    struct ck_ask q = { .kind = CK_ASK_EXPLAIN, .host = r->host, .fd = -1 };
    r->label = CK_LABEL_STATUS;
    ck_request_query(r, "ns", &q.ns);
    if (what_is_asked(ck_view_from(r->path, strlen("/explain/")), &q))
        ck_request_ask(r, &q, on_explained, NULL);
    else
        ck_request_refuse(r, 404, CK_OCI_NAME_UNKNOWN,
                          "/explain/ takes a digest, or a name with tag or digest");
}

const struct ck_route ck_status_routes[] = {
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, "/healthz", true, 0, 0, healthz },
    { CK_GET | CK_HEAD | CK_ROUTE_OPEN, "/readyz", true, 0, 0, readyz },
    { CK_GET | CK_HEAD, "/metrics", true, CK_ROLE_ADMIN, 0, metrics },
    { .prefix = NULL },
};

const struct ck_route ck_explain_routes[] = {
    { CK_GET | CK_HEAD, "/explain/", false, 0, 0, explain },
    { .prefix = NULL },
};
