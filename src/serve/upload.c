/* The registry's routes that write (distribution-spec 1.1, "Push"). The bytes of a blob go through
 * a pipe to the hub, which hashes and keeps them; those of a manifest into sealed memory.
 */
#include "base/mem.h"
#include "base/text.h"
#include "serve/http_int.h"
#include "serve/names.h"
#include "serve/range.h"
#include "serve/route.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { TAGS = 16 };

struct upload {
    struct ck_at at;
    ck_view id;      /* of the upload */
    ck_view digest;  /* it is finished with this one; empty: it goes on */
    bool has_range;
    uint64_t first, length, written;
    bool broken;     /* the hub takes no more; it says why at the end */
    ck_view tags[TAGS];
    size_t n_tags;
};

/* --- replies ---------------------------------------------------------------------------------- */

static void put_location(struct ck_request *r, struct MHD_Response *w, const char *kind,
                         ck_view last)
{
    const struct upload *u = r->state;
    const char *where = ck_arena_format(&r->arena, "/v2/%.*s/%s/%.*s", CK_VF(u->at.repository),
                                        kind, CK_VF(last));
    ck_response_header(r->serve, w, "Location", ck_view_str(where));
}

/* Where the upload goes on, and how far it is. */
static void reply_upload(struct ck_request *r, unsigned status, uint64_t offset)
{
    const struct upload *u = r->state;
    const char *range = ck_arena_format(&r->arena, "0-%llu",
                                        (unsigned long long)(offset ? offset - 1 : 0));
    struct MHD_Response *w = ck_response_new(r->serve, NULL, CK_V(""));
    ck_registry_headers(r->serve, w);
    put_location(r, w, "blobs/uploads", u->id);
    ck_response_header(r->serve, w, "Docker-Upload-UUID", u->id);
    ck_response_header(r->serve, w, "Range", ck_view_str(range));
    ck_request_respond(r, status, w, 0);
}

static void reply_created(struct ck_request *r, const char *kind, const struct ck_answer *w)
{
    char digest[CK_DIGEST_TEXT], subject[CK_DIGEST_TEXT];
    const struct upload *u = r->state;
    if (!w->has_digest) {
        ck_request_refuse(r, 500, CK_OCI_UNKNOWN, "an answer without a digest");
        return;
    }
    ck_view text = ck_view_str(ck_digest_text(&w->digest, digest));
    struct MHD_Response *response = ck_response_new(r->serve, NULL, CK_V(""));
    ck_registry_headers(r->serve, response);
    put_location(r, response, kind, text);
    ck_response_header(r->serve, response, "Docker-Content-Digest", text);
    if (w->has_subject)
        ck_response_header(r->serve, response, "OCI-Subject",
                           ck_view_str(ck_digest_text(&w->subject, subject)));
    for (size_t i = 0; i < u->n_tags; i++)
        ck_response_header(r->serve, response, "OCI-Tag", u->tags[i]);
    ck_request_respond(r, 201, response, 0);
}

/* --- asking ----------------------------------------------------------------------------------- */

static struct ck_ask ask_of(struct ck_request *r, enum ck_ask_kind kind)
{
    const struct upload *u = r->state;
    struct ck_ask q = ck_registry_ask(r, &u->at, kind);
    q.upload = u->id;
    return q;
}

static void on_finished(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status == 201)
        reply_created(r, "blobs", w);
    else
        ck_request_fail(r, w);
}

static void finish(struct ck_request *r)
{
    const struct upload *u = r->state;
    struct ck_ask q = ask_of(r, CK_ASK_UPLOAD_FINISH);
    q.reference = u->digest;
    ck_request_ask(r, &q, on_finished, NULL);
}

static void on_ended(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    const struct upload *u = r->state;
    (void)ctx;
    if (w->status / 100 != 2)
        ck_request_fail(r, w);
    else if (u->digest.n)
        finish(r);
    else
        reply_upload(r, 202, w->offset);
}

static void on_aborted(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    (void)w;
    ck_request_refuse(r, 400, CK_OCI_SIZE_INVALID, "the body is not as long as was said");
}

static const ck_view abort_word = { (const uint8_t *)"abort", 5 };

/* --- the body --------------------------------------------------------------------------------- */

static size_t pipe_write(struct ck_request *r, ck_view bytes)
{
    struct upload *u = r->state;
    size_t at = 0;
    while (at < bytes.n && !u->broken) {
        ssize_t n = write(r->body_fd, bytes.p + at, bytes.n - at);
        if (n > 0)
            at += (size_t)n;
        else if (n < 0 && errno == EAGAIN)
            break;
        else if (n < 0 && errno != EINTR)
            u->broken = true;
    }
    u->written += at;
    return at;
}

static size_t upload_take(struct ck_request *r, ck_view bytes)
{
    struct upload *u = r->state;
    size_t at = pipe_write(r, bytes);
    bool long_ = u->written > CK_MAX_LAYER_BLOB;
    if (u->broken || long_ || atomic_load(&r->serve->closing)) {
        r->discarded += bytes.n;
        if (u->broken && r->discarded <= CK_MAX_SERVE_DISCARD)
            return bytes.n;
        r->sink->gone(r);
        ck_request_refuse(r, long_ ? 413 : 503, CK_OCI_SIZE_INVALID, "the upload was broken off");
        return SIZE_MAX;
    }
    if (at < bytes.n)
        ck_request_await_pipe(r); /* afterwards r is not ours any more */
    return at;
}

static void upload_end(struct ck_request *r)
{
    struct upload *u = r->state;
    ck_request_close_body(r);
    struct ck_ask q = ask_of(r, CK_ASK_UPLOAD_END);
    bool whole = !u->has_range || u->broken || u->written == u->length;
    ck_view word = abort_word;
    q.length = u->written;
    if (!whole) {
        q.words = &word;
        q.n_words = 1;
    }
    ck_request_ask(r, &q, whole ? on_ended : on_aborted, NULL);
}

/* Nobody waits for the answer. */
static void upload_gone(struct ck_request *r)
{
    struct upload *u = r->state;
    if (r->body_fd < 0)
        return;
    ck_request_close_body(r);
    struct ck_ask q = ask_of(r, CK_ASK_UPLOAD_END);
    ck_view word = abort_word;
    q.length = u->written;
    q.words = &word;
    q.n_words = 1;
    q.session = r->session;
    q.client = ck_request_client(r);
    ck_asks_tell(r->serve, &q, true);
}

static const struct ck_sink upload_sink = { upload_take, upload_end, upload_gone };

static void on_data(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status == 416) {
        reply_upload(r, 416, w->offset);
    } else if (w->status != 100) {
        ck_request_fail(r, w);
    } else if (w->fd < 0 || fcntl(w->fd, F_SETFL, O_NONBLOCK) != 0) {
        ck_request_refuse(r, 500, CK_OCI_UNKNOWN, "the upload cannot be taken");
    } else {
        r->body_fd = w->fd;
        w->fd = -1;
        ck_request_receive(r, &upload_sink);
    }
}

/* Content-Range must be as long as Content-Length says. */
static bool read_range(struct ck_request *r, struct upload *u)
{
    ck_view header;
    u->has_range = ck_request_header(r, "Content-Range", &header);
    if (u->has_range && (!ck_content_range_parse(header, &u->first, &u->length) ||
                         (r->has_length && r->length != u->length))) {
        ck_request_refuse(r, 400, CK_OCI_SIZE_INVALID,
                          "Content-Range is malformed, or not as long as Content-Length");
        return false;
    }
    if (r->has_length && r->length > CK_MAX_LAYER_BLOB) {
        ck_request_refuse(r, 413, CK_OCI_SIZE_INVALID, "the blob is too large");
        return false;
    }
    return true;
}

static void send_data(struct ck_request *r)
{
    struct upload *u = r->state;
    if (!read_range(r, u))
        return;
    struct ck_ask q = ask_of(r, CK_ASK_UPLOAD_DATA);
    q.has_range = u->has_range;
    q.first = u->first;
    q.length = u->has_range ? u->length : r->length;
    ck_request_ask(r, &q, on_data, NULL);
}

/* --- uploads ---------------------------------------------------------------------------------- */

static void on_started(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    struct upload *u = r->state;
    (void)ctx;
    if (w->status == 201) {
        reply_created(r, "blobs", w);
    } else if (w->status != 202 || !w->upload.n) {
        ck_request_fail(r, w);
    } else {
        u->id = ck_arena_dup(&r->arena, w->upload);
        if (!u->digest.n)
            reply_upload(r, 202, 0);
        else if (ck_request_has_body(r))
            send_data(r);
        else
            finish(r);
    }
}

/* False: it is there and no digest; has replied. */
static bool digest_param(struct ck_request *r, const char *name, ck_view *ret)
{
    ck_view v;
    if (!ck_request_query(r, name, &v))
        return true;
    if (!ck_is_digest(v)) {
        ck_request_refuse(r, 400, CK_OCI_DIGEST_INVALID, "this is no digest");
        return false;
    }
    *ret = v;
    return true;
}

static void start(struct ck_request *r)
{
    struct upload *u = r->state;
    struct ck_ask q = ask_of(r, CK_ASK_UPLOAD_START);
    if (!digest_param(r, "digest", &u->digest) || !digest_param(r, "mount", &q.reference))
        return;
    ck_request_query(r, "from", &q.from);
    if (q.from.n && !ck_is_repository(q.from)) {
        ck_request_refuse(r, 400, CK_OCI_NAME_INVALID, "from is no name of a repository");
        return;
    }
    if (!u->digest.n && ck_request_has_body(r)) {
        ck_request_refuse(r, 400, CK_OCI_SIZE_INVALID, "a body without a digest");
        return;
    }
    ck_request_ask(r, &q, on_started, NULL);
}

static void on_status(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status / 100 == 2)
        reply_upload(r, 204, w->offset);
    else
        ck_request_fail(r, w);
}

static void on_cancelled(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status / 100 != 2) {
        ck_request_fail(r, w);
        return;
    }
    struct MHD_Response *response = ck_response_new(r->serve, NULL, CK_V(""));
    ck_registry_headers(r->serve, response);
    ck_request_respond(r, 204, response, 0);
}

static void put(struct ck_request *r)
{
    struct upload *u = r->state;
    if (!digest_param(r, "digest", &u->digest))
        return;
    if (!u->digest.n)
        ck_request_refuse(r, 400, CK_OCI_DIGEST_INVALID, "a digest is missing");
    else if (ck_request_has_body(r))
        send_data(r);
    else
        finish(r);
}

static void go_on(struct ck_request *r)
{
    struct ck_ask q;
    switch (r->method) {
    case CK_PATCH:
        send_data(r);
        break;
    case CK_PUT:
        put(r);
        break;
    case CK_DELETE:
        q = ask_of(r, CK_ASK_UPLOAD_CANCEL);
        ck_request_ask(r, &q, on_cancelled, NULL);
        break;
    default:
        q = ask_of(r, CK_ASK_UPLOAD_STATUS);
        ck_request_ask(r, &q, on_status, NULL);
        break;
    }
}

/* --- manifests -------------------------------------------------------------------------------- */

static size_t manifest_take(struct ck_request *r, ck_view bytes)
{
    struct upload *u = r->state;
    if (bytes.n > CK_MAX_DOCUMENT - u->written) {
        ck_request_refuse(r, 413, CK_OCI_SIZE_INVALID, "the manifest is larger than 4 MiB");
        return SIZE_MAX;
    }
    bool room = ck_request_reserve(r, bytes.n);
    size_t at = room ? pipe_write(r, bytes) : 0;
    if (at < bytes.n) {
        ck_request_refuse(r, 503, CK_OCI_UNKNOWN, "too many bodies at one time");
        return SIZE_MAX;
    }
    return at;
}

static void on_manifest(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    if (w->status == 201)
        reply_created(r, "manifests", w);
    else
        ck_request_fail(r, w);
}

static void manifest_end(struct ck_request *r)
{
    struct upload *u = r->state;
    struct ck_ask q = ask_of(r, CK_ASK_MANIFEST_PUT);
    ck_view type;
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
    if (fcntl(r->body_fd, F_ADD_SEALS, seals) != 0) {
        ck_request_refuse(r, 500, CK_OCI_UNKNOWN, "the manifest cannot be taken");
        return;
    }
    q.upload = CK_V("");
    q.reference = u->at.reference;
    if (ck_request_header(r, "Content-Type", &type))
        q.content_type = type;
    q.words = u->tags;
    q.n_words = u->n_tags;
    q.length = u->written;
    q.fd = r->body_fd;
    r->body_fd = -1;
    ck_request_ask(r, &q, on_manifest, NULL);
}

static const struct ck_sink manifest_sink = { manifest_take, manifest_end, NULL };

static void put_manifest(struct ck_request *r)
{
    struct upload *u = r->state;
    u->n_tags = ck_request_query_all(r, "tag", u->tags, TAGS);
    bool sound = u->n_tags <= TAGS && (!u->n_tags || ck_is_digest(u->at.reference));
    for (size_t i = 0; sound && i < u->n_tags; i++)
        sound = ck_is_tag(u->tags[i]);
    if (!sound) {
        u->n_tags = 0;
        ck_request_refuse(r, 400, CK_OCI_MANIFEST_INVALID, "the tags of this manifest are refused");
    } else if (r->length > CK_MAX_DOCUMENT) {
        ck_request_refuse(r, 413, CK_OCI_SIZE_INVALID, "the manifest is larger than 4 MiB");
    } else if (!ck_request_has_body(r)) {
        ck_request_refuse(r, 400, CK_OCI_MANIFEST_INVALID, "there is no manifest");
    } else if ((r->body_fd = memfd_create("manifest", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0) {
        ck_request_refuse(r, 503, CK_OCI_UNKNOWN, "too many bodies at one time");
    } else {
        ck_request_receive(r, &manifest_sink);
    }
}

void ck_upload_handle(struct ck_request *r, const struct ck_at *at)
{
    struct upload *u = ck_arena_alloc(&r->arena, 1, sizeof *u);
    u->at = *at;
    r->state = u;
    if (at->kind == CK_AT_MANIFEST) {
        r->label = CK_LABEL_UPLOAD;
        put_manifest(r);
    } else if (at->kind == CK_AT_UPLOADS) {
        start(r);
    } else {
        u->id = at->reference;
        go_on(r);
    }
}
