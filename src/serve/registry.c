/* The registry's routes that read: /v2/ (distribution-spec 1.1, "Endpoints"). */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"
#include "serve/names.h"
#include "serve/range.h"
#include "serve/route.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* --- common ----------------------------------------------------------------------------------- */

/* False: has replied. */
static bool may(struct ck_request *r, uint32_t role)
{
    if (r->roles & role)
        return true;
    /* A token may be for less than its user may: the challenge says for what another one is
     * wanted (distribution's token protocol). */
    ck_view with;
    bool token = ck_request_header(r, "Authorization", &with) &&
                 ck_view_starts(with, CK_V("Bearer "));
    if (r->session && !token)
        ck_request_refuse(r, 403, CK_OCI_DENIED, "your account may not do this");
    else
        ck_request_challenge(r, token ? "your token is not for this, or your account may not do it"
                                      : "authentication required");
    return false;
}

struct ck_ask ck_registry_ask(struct ck_request *r, const struct ck_at *at, enum ck_ask_kind kind)
{
    struct ck_ask q = { .kind = kind, .head = r->method == CK_HEAD, .host = r->host,
                        .repository = at->repository, .fd = -1 };
    ck_request_query(r, "ns", &q.ns);
    return q;
}

static void put_warning(struct ck_serve *s, struct MHD_Response *w, ck_view text)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    if (!text.n)
        return;
    ck_put_bytes(&b, CK_V("299 - \""));
    for (size_t i = 0; i < text.n && b.n < CK_MAX_REGISTRY_WARNING - 3; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            ck_put_u8(&b, '\\');
        ck_put_u8(&b, text.p[i]);
    }
    ck_put_u8(&b, '"');
    ck_response_header(s, w, "Warning", ck_buf_view(&b));
}

/* --- manifests and blobs: what both have ------------------------------------------------------ */

static const char *type_of(struct ck_request *r, const struct ck_answer *w)
{
    return w->content_type.n
               ? ck_arena_format(&r->arena, "%.*s", CK_VF(w->content_type))
               : "application/octet-stream";
}

static void put_content_headers(struct ck_request *r, struct MHD_Response *response,
                                const struct ck_answer *w, const char *digest)
{
    struct ck_serve *s = r->serve;
    const char *etag = ck_arena_format(&r->arena, "\"%s\"", digest);
    ck_registry_headers(s, response);
    ck_response_header(s, response, "Docker-Content-Digest", ck_view_str(digest));
    ck_response_header(s, response, "ETag", ck_view_str(etag));
    if (w->ns.n)
        ck_response_header(s, response, "OCI-Namespace", w->ns);
    if (r->label == CK_LABEL_BLOB)
        ck_response_header(s, response, "Accept-Ranges", CK_V("bytes"));
    put_warning(s, response, w->warning);
}

static bool etag_matches(struct ck_request *r, const char *digest)
{
    ck_view v, tail, want = ck_view_str(digest);
    if (!ck_request_header(r, "If-None-Match", &v))
        return false;
    while (v.n) {
        ck_view one = ck_view_trim(ck_view_split(v, ',', &tail));
        if (ck_view_starts(one, CK_V("W/")))
            one = ck_view_from(one, 2);
        if (one.n > 1 && one.p[0] == '"' && one.p[one.n - 1] == '"')
            one = ck_view_of(one.p + 1, one.n - 2);
        if (ck_view_eq(one, want) || ck_view_eq(one, CK_V("*")))
            return true;
        v = tail;
    }
    return false;
}

/* A part of a kept or fresh blob, with a descriptor of its own. */
static bool respond_part(struct ck_request *r, const struct ck_kept_entry *e,
                         const struct ck_answer *w)
{
    ck_view header;
    uint64_t first, length;
    struct ck_serve *s = r->serve;
    if (e->fd < 0 || !ck_request_header(r, "Range", &header))
        return false;
    enum ck_range what = ck_range_parse(header, e->size, &first, &length);
    if (what == CK_RANGE_WHOLE)
        return false;
    const char *range = ck_arena_format(&r->arena, "bytes */%llu", (unsigned long long)e->size);
    if (what == CK_RANGE_NONE) {
        ck_request_refuse(r, 416, CK_OCI_SIZE_INVALID, "there is no such range");
        ck_response_header(s, r->response, "Content-Range", ck_view_str(range));
        return true;
    }
    int fd = dup(e->fd);
    struct MHD_Response *part =
        fd < 0 ? NULL : s->mhd->MHD_create_response_from_fd_at_offset64(length, fd, first);
    if (!part) {
        if (fd >= 0)
            close(fd);
        ck_request_refuse(r, 503, CK_OCI_UNKNOWN, "too many open files");
        return true;
    }
    range = ck_arena_format(&r->arena, "bytes %llu-%llu/%llu", (unsigned long long)first,
                            (unsigned long long)(first + length - 1),
                            (unsigned long long)e->size);
    ck_response_header(s, part, "Content-Type", CK_V("application/octet-stream"));
    ck_response_header(s, part, "Content-Range", ck_view_str(range));
    put_content_headers(r, part, w, e->digest);
    ck_request_respond(r, 206, part, length);
    return true;
}

/* From an entry, which is the request's to put back afterwards. */
static void respond_entry(struct ck_request *r, struct ck_kept_entry *e)
{
    const struct ck_answer plain = { 0 };
    if (respond_part(r, e, &plain)) {
        ck_kept_put_back(r->serve->kept, e);
        return;
    }
    bool same = etag_matches(r, e->digest);
    ck_request_respond(r, same ? 304 : 200, same ? e->unchanged : e->whole, same ? 0 : e->size);
    r->kept = e;
}

static struct ck_kept_key key_of(const struct ck_request *r, const struct ck_ask *q)
{
    return (struct ck_kept_key){ .session = r->session, .kind = q->kind, .ns = q->ns,
                                 .host = q->host, .repository = q->repository,
                                 .reference = q->reference };
}

static ssize_t no_body(void *cls, uint64_t at, char *p, size_t n)
{
    (void)cls;
    (void)at;
    (void)p;
    (void)n;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static struct MHD_Response *manifest_response(struct ck_request *r, struct ck_answer *w)
{
    struct ck_serve *s = r->serve;
    if (w->fd < 0 && r->method == CK_HEAD)
        return s->mhd->MHD_create_response_from_callback(w->size, 512, no_body, NULL, NULL);
    ck_view bytes;
    if (!ck_request_answer_bytes(r, w, CK_MAX_DOCUMENT, &bytes))
        return NULL;
    w->size = bytes.n;
    return s->mhd->MHD_create_response_from_buffer(bytes.n, (void *)(uintptr_t)bytes.p,
                                                   MHD_RESPMEM_MUST_COPY);
}

/* Takes over the descriptor, where there is a response. */
static struct MHD_Response *blob_response(struct ck_request *r, struct ck_answer *w)
{
    struct ck_serve *s = r->serve;
    if (w->fd < 0 && r->method == CK_HEAD)
        return s->mhd->MHD_create_response_from_callback(w->size, 512, no_body, NULL, NULL);
    int fd = w->fd < 0 ? -1 : dup(w->fd);
    struct MHD_Response *one =
        fd < 0 ? NULL : s->mhd->MHD_create_response_from_fd_at_offset64(w->size, fd, 0);
    if (!one && fd >= 0)
        close(fd);
    if (!one)
        ck_request_refuse(r, 503, CK_OCI_UNKNOWN, "too many open files");
    return one;
}

static void answer_content(struct ck_request *r, struct ck_ask *q, struct ck_answer *w)
{
    struct ck_serve *s = r->serve;
    bool blob = q->kind == CK_ASK_BLOB, head_only = w->fd < 0 && r->method == CK_HEAD;
    struct ck_kept_entry e = { .fd = -1 };
    ck_digest_text(&w->digest, e.digest);
    e.whole = blob ? blob_response(r, w) : manifest_response(r, w);
    if (!e.whole) {
        if (!r->response)
            exit(CK_EXIT_OOM);
        return;
    }
    e.size = w->size;
    e.bytes = blob ? 512 : w->size + 1024;
    ck_response_header(s, e.whole, "Content-Type", ck_view_str(type_of(r, w)));
    ck_response_header(s, e.whole, "X-Content-Type-Options", CK_V("nosniff"));
    ck_response_header(s, e.whole, "Content-Security-Policy", CK_V("default-src 'none'; sandbox"));
    put_content_headers(r, e.whole, w, e.digest);
    e.unchanged = ck_response_new(s, NULL, CK_V(""));
    put_content_headers(r, e.unchanged, w, e.digest);
    if (blob) {
        e.fd = w->fd;
        w->fd = -1;
    }
    int64_t until = head_only || !w->keep_ms ? 0 : ck_clock_ms() + w->keep_ms;
    const struct ck_kept_key key = key_of(r, q);
    respond_entry(r, ck_kept_add(s->kept, &key, &e, until));
}

static void on_content(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    struct ck_ask *q = ctx;
    if (w->status != 200)
        ck_request_fail(r, w);
    else if (!w->has_digest)
        ck_request_refuse(r, 500, CK_OCI_UNKNOWN, "an answer without a digest");
    else
        answer_content(r, q, w);
}

static void get_content(struct ck_request *r, const struct ck_at *at, enum ck_ask_kind kind)
{
    struct ck_serve *s = r->serve;
    struct ck_ask q = ck_registry_ask(r, at, kind);
    q.reference = at->reference;
    const struct ck_kept_key key = key_of(r, &q);
    struct ck_kept_entry *e = ck_kept_find(s->kept, &key, ck_request_client(r),
                                           r->method == CK_GET, r->began / 1000);
    ck_count(e ? &s->counts.hits : &s->counts.misses, 1);
    if (e) {
        respond_entry(r, e);
        return;
    }
    struct ck_ask *kept = ck_arena_alloc(&r->arena, 1, sizeof *kept);
    *kept = q;
    ck_request_ask(r, kept, on_content, kept);
}

/* --- listings --------------------------------------------------------------------------------- */

static void put_encoded(struct ck_buf *out, ck_view v)
{
    static const char plain[] = "-._~/:";
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (word || (c && strchr(plain, c)))
            ck_put_u8(out, c);
        else
            ck_buf_format(out, "%%%02X", c);
    }
}

/* Link: </v2/N/tags/list?n=10&last=x>; rel="next" */
static void put_link(struct ck_request *r, struct MHD_Response *response, const struct ck_ask *q,
                     ck_view last)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    if (!last.n)
        return;
    ck_put_u8(&b, '<');
    put_encoded(&b, r->path);
    ck_put_bytes(&b, CK_V("?last="));
    put_encoded(&b, last);
    if (q->has_n)
        ck_buf_format(&b, "&n=%llu", (unsigned long long)q->n);
    if (q->ns.n) {
        ck_put_bytes(&b, CK_V("&ns="));
        put_encoded(&b, q->ns);
    }
    if (q->artifact_type.n) {
        ck_put_bytes(&b, CK_V("&artifactType="));
        put_encoded(&b, q->artifact_type);
    }
    ck_put_bytes(&b, CK_V(">; rel=\"next\""));
    ck_response_header(r->serve, response, "Link", ck_buf_view(&b));
}

static void on_listing(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    const struct ck_ask *q = ctx;
    ck_view body;
    if (w->status != 200) {
        ck_request_fail(r, w);
        return;
    }
    if (!ck_request_answer_bytes(r, w, CK_MAX_DOCUMENT, &body))
        return;
    const char *type = q->kind == CK_ASK_REFERRERS ? "application/vnd.oci.image.index.v1+json"
                                                   : "application/json";
    struct MHD_Response *response = ck_response_new(r->serve, type, body);
    ck_registry_headers(r->serve, response);
    put_link(r, response, q, w->link);
    if (w->filtered)
        ck_response_header(r->serve, response, "OCI-Filters-Applied", CK_V("artifactType"));
    if (w->ns.n)
        ck_response_header(r->serve, response, "OCI-Namespace", w->ns);
    put_warning(r->serve, response, w->warning);
    ck_request_respond(r, 200, response, body.n);
}

/* Media types hold "+", which clients that do not encode it send as a blank. */
static ck_view media_type(struct ck_request *r, ck_view v)
{
    uint8_t *p = ck_arena_alloc(&r->arena, v.n + 1, 1);
    for (size_t i = 0; i < v.n; i++)
        p[i] = v.p[i] == ' ' ? '+' : v.p[i];
    return ck_view_of(p, v.n);
}

static void list(struct ck_request *r, const struct ck_at *at, enum ck_ask_kind kind)
{
    struct ck_ask *q = ck_arena_alloc(&r->arena, 1, sizeof *q);
    ck_view n;
    *q = ck_registry_ask(r, at, kind);
    if (kind == CK_ASK_REFERRERS) {
        q->reference = at->reference;
        if (ck_request_query(r, "artifactType", &q->artifact_type))
            q->artifact_type = media_type(r, q->artifact_type);
    }
    ck_request_query(r, "last", &q->last);
    q->has_n = ck_request_query(r, "n", &n);
    if (q->has_n && !ck_view_u64(n, &q->n)) {
        ck_request_refuse(r, 400, CK_OCI_UNSUPPORTED, "n is no number");
        return;
    }
    ck_request_ask(r, q, on_listing, q);
}

/* --- deleting --------------------------------------------------------------------------------- */

static void on_deleted(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status / 100 != 2) {
        ck_request_fail(r, w);
        return;
    }
    struct MHD_Response *response = ck_response_new(r->serve, NULL, CK_V(""));
    ck_registry_headers(r->serve, response);
    ck_request_respond(r, 202, response, 0);
}

static void delete_content(struct ck_request *r, const struct ck_at *at, enum ck_ask_kind kind)
{
    struct ck_ask q = ck_registry_ask(r, at, kind);
    q.reference = at->reference;
    ck_request_ask(r, &q, on_deleted, NULL);
}

/* --- which one -------------------------------------------------------------------------------- */

/* Clients learn here whether one can log in: also where anonymous pulls are allowed there must be a
 * challenge, or nobody could push. Whoever is anonymous gets a token without a password. */
static void base(struct ck_request *r)
{
    ck_view token;
    bool anonymous = r->serve->config.anonymous_pull &&
                     ck_request_header(r, "Authorization", &token);
    if (!r->session && !anonymous) {
        ck_request_challenge(r, "authentication required");
        return;
    }
    struct MHD_Response *w = ck_response_new(r->serve, "application/json", CK_V("{}"));
    ck_registry_headers(r->serve, w);
    ck_request_respond(r, 200, w, 2);
}

static const struct {
    unsigned methods;
    enum ck_label label;
    enum ck_ask_kind get, remove;
} places[CK_AT_COUNT_] = {
    [CK_AT_BASE] = { CK_GET | CK_HEAD, CK_LABEL_STATUS, 0, 0 },
    [CK_AT_CATALOG] = { CK_GET | CK_HEAD, CK_LABEL_LISTING, CK_ASK_CATALOG, 0 },
    [CK_AT_MANIFEST] = { CK_GET | CK_HEAD | CK_PUT | CK_DELETE, CK_LABEL_MANIFEST,
                         CK_ASK_MANIFEST, CK_ASK_MANIFEST_DELETE },
    [CK_AT_BLOB] = { CK_GET | CK_HEAD | CK_DELETE, CK_LABEL_BLOB, CK_ASK_BLOB,
                     CK_ASK_BLOB_DELETE },
    [CK_AT_TAGS] = { CK_GET | CK_HEAD, CK_LABEL_LISTING, CK_ASK_TAGS, 0 },
    [CK_AT_REFERRERS] = { CK_GET | CK_HEAD, CK_LABEL_LISTING, CK_ASK_REFERRERS, 0 },
    [CK_AT_UPLOADS] = { CK_POST, CK_LABEL_UPLOAD, 0, 0 },
    [CK_AT_UPLOAD] = { CK_GET | CK_HEAD | CK_PATCH | CK_PUT | CK_DELETE, CK_LABEL_UPLOAD, 0, 0 },
};

static void refuse_name(struct ck_request *r, enum ck_oci_error error)
{
    static const struct {
        enum ck_oci_error error;
        unsigned status;
        const char *message;
    } rows[] = {
        { CK_OCI_NAME_INVALID, 400, "the repository's name breaks the grammar of names" },
        { CK_OCI_DIGEST_INVALID, 400, "this is no digest of a known algorithm" },
        { CK_OCI_MANIFEST_INVALID, 400, "this is neither a tag nor a digest" },
        { CK_OCI_BLOB_UPLOAD_UNKNOWN, 404, "there is no such upload" },
    };
    size_t i = 0;
    while (i + 1 < sizeof rows / sizeof rows[0] && rows[i].error != error)
        i++;
    ck_request_refuse(r, rows[i].status, error, rows[i].message);
}

static void dispatch(struct ck_request *r, const struct ck_at *at)
{
    bool reads = r->method == CK_GET || r->method == CK_HEAD;
    if (at->kind == CK_AT_UPLOADS || at->kind == CK_AT_UPLOAD ||
        (at->kind == CK_AT_MANIFEST && r->method == CK_PUT)) {
        if (may(r, CK_ROLE_PUSH))
            ck_upload_handle(r, at);
    } else if (r->method == CK_DELETE) {
        if (may(r, CK_ROLE_PUSH))
            delete_content(r, at, places[at->kind].remove);
    } else if (reads && may(r, CK_ROLE_PULL)) {
        if (at->kind == CK_AT_MANIFEST || at->kind == CK_AT_BLOB)
            get_content(r, at, places[at->kind].get);
        else
            list(r, at, places[at->kind].get);
    }
}

static void handle(struct ck_request *r)
{
    const struct ck_at at = ck_route_of(r->path);
    if (at.kind == CK_AT_NOWHERE) {
        ck_request_refuse(r, 404, CK_OCI_NAME_UNKNOWN, "there is nothing here");
        return;
    }
    r->label = places[at.kind].label;
    if (!(places[at.kind].methods & r->method))
        ck_request_refuse(r, 405, CK_OCI_UNSUPPORTED, "this method is not allowed here");
    else if (at.kind == CK_AT_BASE)
        base(r);
    else if (at.error)
        refuse_name(r, at.error);
    else
        dispatch(r, &at);
}

enum { ANY = CK_GET | CK_HEAD | CK_POST | CK_PUT | CK_PATCH | CK_DELETE, FORM = 64 * 1024 };

const struct ck_route ck_registry_routes[] = {
    { ANY | CK_ROUTE_STREAMS, "/v2/", false, 0, 0, handle },
    { ANY | CK_ROUTE_STREAMS, "/v2", true, 0, 0, handle },
    { CK_GET | CK_HEAD, "/token", true, 0, 0, ck_token_get },
    { CK_POST, "/token", true, 0, FORM, ck_token_post },
    { .prefix = NULL },
};
