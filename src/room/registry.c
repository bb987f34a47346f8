/* The registry room: one document or blob of one repository, by the OCI distribution protocol 1.1.
 */
#include "base/mem.h"
#include "base/text.h"
#include "image/media.h"
#include "registry/words.h"
#include "room/registry_get.h"
#include "room/rooms.h"

ck_err *ck_room_registry_load(void **ret_state)
{
    struct ck_registry_room *room = ck_new(struct ck_registry_room);
    void *net = NULL;
    CK_TRY(ck_net_load(&net));
    room->net = net;
    *ret_state = room;
    return NULL;
}

/* What image/media.h knows as manifests; test_registry.c compares. */
static const char manifests[] = "application/vnd.oci.image.manifest.v1+json, "
                                "application/vnd.oci.image.index.v1+json, "
                                "application/vnd.docker.distribution.manifest.v2+json, "
                                "application/vnd.docker.distribution.manifest.list.v2+json";
static const char json[] = "application/json";
static const char indexes[] = "application/vnd.oci.image.index.v1+json";

static const struct {
    const char *folder;
    const char *accept;
    enum ck_http_method method;
    bool stream, redirects;
    const char *names; /* of a listing: the key in its answer */
} ops[CK_REGISTRY_OP_COUNT_] = {
    [CK_REGISTRY_MANIFEST] = { "manifests", manifests, CK_HTTP_GET, false, true, NULL },
    [CK_REGISTRY_HEAD] = { "manifests", manifests, CK_HTTP_HEAD, false, true, NULL },
    [CK_REGISTRY_BLOB] = { "blobs", NULL, CK_HTTP_GET, true, true, NULL },
    [CK_REGISTRY_REFERRERS] = { "referrers", indexes, CK_HTTP_GET, false, false, NULL },
    [CK_REGISTRY_CATALOG] = { NULL, json, CK_HTTP_GET, false, false, "repositories" },
    [CK_REGISTRY_TAGS] = { NULL, json, CK_HTTP_GET, false, false, "tags" },
};

/* --- the answer ------------------------------------------------------------------------------- */

static ck_view visible(ck_view v, size_t max)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return CK_V("");
    return v.n > max ? CK_V("") : v;
}

static ck_view media_type(ck_view header, struct ck_arena *a)
{
    ck_view bare = ck_view_trim(ck_view_head(header, ck_view_find(header, ';')));
    return visible(ck_words_lower(bare, a), CK_MAX_REGISTRY_NAME);
}

/* The text of one `299 AGENT "text"` (RFC 7234 section 5.5); empty where it is none. */
static ck_view warning_text(ck_view v)
{
    ck_view rest = v, code = ck_view_split(v, ' ', &rest);
    size_t quote = ck_view_find(rest, '"');
    rest = ck_view_from(rest, quote + 1);
    while (rest.n && rest.p[rest.n - 1] != '"')
        rest.n--;
    return ck_view_eq(code, CK_V("299")) && rest.n ? ck_view_head(rest, rest.n - 1) : CK_V("");
}

static ck_view warnings(ck_view headers, struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    while (headers.n) {
        ck_view text = warning_text(ck_view_split(headers, '\n', &headers));
        if (text.n && b.n + 1 + text.n <= CK_MAX_REGISTRY_WARNING) {
            ck_put_bytes(&b, b.n ? CK_V("\n") : CK_V(""));
            ck_put_bytes(&b, text);
        }
    }
    return ck_arena_dup(a, ck_buf_view(&b));
}

/* The page after this one, of the same origin: a path that the hub passes back. */
static ck_err *next_page(const struct ck_get *g, ck_view link, struct ck_arena *a, ck_view *ret)
{
    ck_view target;
    bool found = false;
    struct ck_url here, next;
    if (!link.n)
        return NULL;
    CK_TRY(ck_link_next(link, a, &target, &found));
    if (!found)
        return NULL;
    const char *text = ck_arena_format(a, "%s://%s%s", g->secure ? "https" : "http",
                                       g->job->endpoint.host, g->target);
    CK_TRY(ck_url_parse(ck_view_str(text), a, &here));
    CK_TRY_WRAP(ck_url_resolve(&here, target, a, &next), "next page");
    if (!ck_url_same_origin(&here, &next))
        return ck_err_new(CK_ERR_HOSTILE, "the next page is on another host: %s",
                          ck_url_origin(&next, a));
    if (ck_view_eq(next.target, ck_view_str(g->target)))
        return ck_err_new(CK_ERR_HOSTILE, "the next page is this one");
    if (next.target.n > CK_MAX_REGISTRY_NEXT)
        return ck_err_limit(CK_LIMIT_REGISTRY_NEXT, "the next page");
    if (ck_view_starts(next.target, CK_V("//")))
        return ck_err_new(CK_ERR_HOSTILE, "the next page has no proper path");
    *ret = next.target;
    return NULL;
}

static ck_view message_of(const struct ck_http_answer *r, const char *denied, struct ck_arena *a)
{
    if (denied)
        return ck_view_str(denied);
    return r->status == 200 ? CK_V("") : ck_registry_error_text(r->body, a);
}

static ck_err *answer(const struct ck_get *g, const struct ck_http_answer *r, const char *denied,
                      struct ck_arena *a, struct ck_registry_answer *ret)
{
    *ret = (struct ck_registry_answer){
        .status = r->status,
        .content_type = media_type(r->content_type, a),
        .digest = visible(r->digest, CK_MAX_REGISTRY_NAME),
        .message = ck_view_head(message_of(r, denied, a), CK_MAX_ERROR_TEXT),
        .warning = warnings(r->warning, a),
        .resumed_at = g->began ? g->began_at : g->job->offset,
        .filtered = ret->filtered,
    };
    if (g->job->op >= CK_REGISTRY_REFERRERS && r->status == 200 && !ret->filtered)
        CK_TRY(next_page(g, r->link, a, &ret->next));
    return NULL;
}

/* --- the job ---------------------------------------------------------------------------------- */

/* The tag of referrers (distribution-spec, "Referrers Tag Schema"): at most 32 bytes of algorithm
 * and 64 of digest. */
static const char *fallback_tag(ck_view digest, struct ck_arena *a)
{
    ck_view hex, algorithm = ck_view_split(digest, ':', &hex);
    return ck_arena_format(a, "%.*s-%.*s", CK_VF(ck_view_head(algorithm, 32)),
                           CK_VF(ck_view_head(hex, 64)));
}

/* How many names a page shall have: what Docker's registry gives at most. */
#define PAGE "?n=1000"

static const char *target_of(const struct ck_job_registry *j, struct ck_arena *a)
{
    if (j->next.n)
        return ck_arena_format(a, "%.*s", CK_VF(j->next));
    if (j->op == CK_REGISTRY_CATALOG)
        return "/v2/_catalog" PAGE;
    if (j->op == CK_REGISTRY_TAGS)
        return ck_arena_format(a, "/v2/%s/tags/list" PAGE, j->endpoint.repository);
    return ck_arena_format(a, "/v2/%s/%s/%.*s", j->endpoint.repository, ops[j->op].folder,
                           CK_VF(j->reference));
}

/* A page of a listing, as lines. */
static ck_err *write_names(struct ck_get *g, struct ck_arena *a)
{
    ck_autobuf struct ck_buf lines = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view *names = NULL;
    size_t n = 0;
    CK_TRY(ck_names_parse(ck_buf_view(&g->document), ops[g->job->op].names, a, &names, &n));
    for (size_t i = 0; i < n; i++) {
        CK_TRY(ck_buf_add(&lines, names[i]));
        CK_TRY(ck_buf_add(&lines, CK_V("\n")));
    }
    return ck_stream_write(g->stream, ck_buf_view(&lines));
}

static struct ck_get get_of(struct ck_registry_room *room, const struct ck_job_registry *j,
                            struct ck_stream *s, struct ck_arena *a)
{
    return (struct ck_get){ .room = room, .job = j, .stream = s, .method = ops[j->op].method,
                            .target = target_of(j, a), .accept = ops[j->op].accept,
                            .stream_body = ops[j->op].stream, .redirects = ops[j->op].redirects,
                            .document = ck_buf_new(CK_LIMIT_DOCUMENT),
                            .at = j->op == CK_REGISTRY_BLOB ? j->offset : 0 };
}

static ck_err *fetch(struct ck_get *g, struct ck_arena *a, struct ck_registry_answer *ret)
{
    struct ck_http_answer r = { 0 };
    const char *denied = NULL;
    const struct ck_job_registry *j = g->job;
    if (g->stream_body && j->exact && j->offset && j->offset == j->max) { /* all there */
        r.status = 200;
        return answer(g, &r, NULL, a, ret);
    }
    CK_TRY(ck_registry_get(g, a, &r, &denied));
    if (j->op == CK_REGISTRY_REFERRERS && r.status == 404 && !j->next.n) {
        g->target = ck_arena_format(a, "/v2/%s/manifests/%s", j->endpoint.repository,
                                    fallback_tag(j->reference, a));
        ret->filtered = g->redirects = true;
        CK_TRY(ck_registry_get(g, a, &r, &denied));
    }
    CK_TRY(answer(g, &r, denied, a, ret));
    if (r.status == 200 && ops[j->op].names)
        return write_names(g, a);
    if (r.status == 200 && !g->stream_body && j->op != CK_REGISTRY_HEAD)
        CK_TRY(ck_stream_write(g->stream, ck_buf_view(&g->document)));
    return NULL;
}

ck_err *ck_room_registry(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)in;
    struct ck_job_registry j;
    struct ck_registry_answer ret = { 0 };
    ck_autoarena struct ck_arena a = { 0 };
    CK_TRY(ck_job_registry_decode(job, &a, &j));
    if (out < 0 && j.op != CK_REGISTRY_HEAD)
        return ck_err_new(CK_ERR_OURS, "registry job without its descriptor");
    if (j.offset > j.max)
        return ck_err_new(CK_ERR_OURS, "registry job from behind the end");
    struct ck_stream s = ck_stream_new(ch, out);
    struct ck_get g = get_of(state, &j, &s, &a);
    ck_err *e = fetch(&g, &a, &ret);
    ck_buf_free(&g.document);
    if (e)
        return ck_err_wrap(e, "%s%s", j.endpoint.host, g.target);
    ret.length = s.written;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_registry_answer_encode(&ret, &b);
    return ck_room_send(ch, ck_buf_view(&b));
}
