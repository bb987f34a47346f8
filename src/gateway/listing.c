/* TAGS, REFERRERS and CATALOG. */
#include "gateway/core.h"
#include "gateway/flights.h"
#include "gateway/push_int.h"
#include "gateway/serving.h"

#include "base/text.h"
#include "source/others.h"
#include "source/source.h"

enum { PAGE = 1000, REFERRERS_WAIT_MS = 10000 };

/* --- lists of words --------------------------------------------------------------------------- */

typedef ck_err *list_fn(struct ck_store *s, ck_view repository, ck_view last, size_t max,
                        struct ck_arena *a, ck_view **ret, size_t *ret_n, bool *ret_more);

static ck_err *repositories(struct ck_store *s, ck_view unused, ck_view last, size_t max,
                            struct ck_arena *a, ck_view **ret, size_t *ret_n, bool *ret_more)
{
    (void)unused;
    return ck_store_linked_repositories(s, last, max, a, ret, ret_n, ret_more);
}

static void put_words(struct ck_buf *b, const ck_view *v, size_t n, ck_view cut)
{
    ck_put_bytes(b, CK_V("["));
    for (size_t i = 0; i < n; i++) {
        if (i)
            ck_put_bytes(b, CK_V(","));
        ck_buf_json_str(b, ck_view_starts(v[i], cut) ? ck_view_from(v[i], cut.n) : v[i]);
    }
    ck_put_bytes(b, CK_V("]}"));
}

/* `shown` is what the JSON begins with. What is pushed here is listed as clients name it: without
 * the host. */
static ck_err *answer_list(struct ck_call *c, list_fn *list, ck_view repository,
                           const char *shown)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_answer w = { .status = 200, .content_type = CK_V("application/json") };
    ck_view *v = NULL, cut = CK_V(CK_HOSTED_HOST "/");
    size_t n = 0, max = c->ask.has_n && c->ask.n < PAGE ? (size_t)c->ask.n : PAGE;
    bool more = false;
    ck_view last = c->ask.last;
    if (list == repositories && last.n && ck_view_find(ck_view_head(last, ck_view_find(last, '/')),
                                                       '.') == ck_view_find(last, '/'))
        last = ck_view_str(ck_arena_format(&c->arena, CK_HOSTED_HOST "/%.*s", CK_VF(last)));
    CK_TRY(list(c->g->store, repository, last, max, &c->arena, &v, &n, &more));
    ck_put_bytes(&b, ck_view_str(shown));
    put_words(&b, v, n, cut);
    if (more && n)
        w.link = ck_view_starts(v[n - 1], cut) ? ck_view_from(v[n - 1], cut.n) : v[n - 1];
    ck_answer_bytes(c, &w, ck_buf_view(&b));
    return NULL;
}

/* Whether anything was had or pushed under the name. */
static ck_err *is_known(struct ck_call *c, const struct ck_place *p, bool *ret)
{
    ck_view *v = NULL, name = ck_view_str(p->repository), before;
    size_t n = 0;
    bool more = false;
    before = ck_view_str(ck_arena_format(&c->arena, "%.*s", (int)(name.n - 1), name.p));
    CK_TRY(ck_store_tags(c->g->store, name, (ck_view){ 0 }, 1, &c->arena, &v, &n, &more));
    *ret = n > 0;
    while (!*ret) {
        CK_TRY(ck_store_linked_repositories(c->g->store, before, PAGE, &c->arena, &v, &n, &more));
        for (size_t i = 0; i < n; i++)
            *ret |= ck_view_eq(v[i], name);
        if (!more || !n || ck_view_cmp(v[n - 1], name) >= 0)
            return NULL;
        before = v[n - 1];
    }
    return NULL;
}

static ck_err *answer_tags(struct ck_call *c, const struct ck_place *p)
{
    ck_autobuf struct ck_buf head = ck_buf_new(CK_LIMIT_NONE);
    bool known = false;
    CK_TRY(is_known(c, p, &known));
    if (!known) {
        ck_call_refuse(c, 404, CK_OCI_NAME_UNKNOWN, "nothing of %s is here", p->repository);
        return NULL;
    }
    ck_put_bytes(&head, CK_V("{\"name\":"));
    ck_buf_json_str(&head, c->ask.repository);
    ck_put_bytes(&head, CK_V(",\"tags\":"));
    const char *text = ck_arena_format(&c->arena, "%.*s", (int)head.n, head.p);
    return answer_list(c, ck_store_tags, ck_view_str(p->repository), text);
}

/* --- referrers -------------------------------------------------------------------------------- */

struct wait {
    struct ck_call *c;
    struct ck_place place;
    struct ck_digest subject;
};

/* What an artifact says of itself, read in a room. */
static ck_err *read_annotations(struct ck_call *c, struct ck_source *reader,
                                const struct ck_digest *d, struct ck_annotations *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    ck_view bytes;
    CK_TRY(ck_document_of(c->g, d, &json));
    CK_TRY(ck_documents_read(reader, CK_DOCUMENT_ANNOTATIONS, (ck_view){ 0 }, ck_buf_view(&json),
                             &bytes));
    return ck_annotations_decode(bytes, &c->arena, ret);
}

/* A list is a document: what would make it larger than one may be is left out. */
static ck_err *put_annotations(struct ck_call *c, struct ck_source *reader,
                               const struct ck_digest *d, struct ck_buf *b)
{
    ck_autobuf struct ck_buf own = ck_buf_new(CK_LIMIT_NONE);
    struct ck_annotations notes = { 0 };
    ck_err *e = read_annotations(c, reader, d, &notes);
    if (e && ck_err_class(e) == CK_ERR_OURS)
        return e;
    ck_err_free(e);
    for (size_t i = 0; i < notes.n; i++) {
        ck_put_bytes(&own, i ? CK_V(",") : CK_V(",\"annotations\":{"));
        ck_buf_json_str(&own, notes.v[i].key);
        ck_put_bytes(&own, CK_V(":"));
        ck_buf_json_str(&own, notes.v[i].value);
    }
    if (notes.n && b->n + own.n < CK_MAX_DOCUMENT) {
        ck_put_bytes(b, ck_buf_view(&own));
        ck_put_bytes(b, CK_V("}"));
    }
    return NULL;
}

static ck_err *put_descriptor(struct ck_call *c, struct ck_source *reader, struct ck_buf *b,
                              const struct ck_store_entry *e)
{
    char text[CK_DIGEST_TEXT];
    ck_put_bytes(b, CK_V("{\"mediaType\":"));
    ck_buf_json_str(b, e->image.media_type);
    ck_buf_format(b, ",\"digest\":\"%s\",\"size\":%llu", ck_digest_text(&e->image.digest, text),
                  (unsigned long long)e->image.size);
    if (e->image.artifact_type.n) {
        ck_put_bytes(b, CK_V(",\"artifactType\":"));
        ck_buf_json_str(b, e->image.artifact_type);
    }
    CK_TRY(put_annotations(c, reader, &e->image.digest, b));
    ck_put_bytes(b, CK_V("}"));
    return NULL;
}

static ck_err *is_listed(struct ck_call *c, const struct wait *q, const struct ck_store_entry *e,
                         bool *ret)
{
    *ret = !c->ask.artifact_type.n || ck_view_eq(c->ask.artifact_type, e->image.artifact_type);
    if (!*ret || !q->place.hosted) /* of an upstream's image: fetched with it */
        return NULL;
    return ck_store_linked(c->g->store, ck_view_str(q->place.repository), &e->image.digest, ret);
}

static ck_err *put_referrers(struct ck_call *c, const struct wait *q, struct ck_source *reader,
                             struct ck_buf *b)
{
    struct ck_store_entry *v = NULL;
    size_t n = 0, shown = 0;
    CK_TRY(ck_store_referrers(c->g->store, &q->subject, &c->arena, &v, &n));
    for (size_t i = 0; i < n; i++) {
        bool listed = false;
        CK_TRY(is_listed(c, q, &v[i], &listed));
        if (!listed)
            continue;
        if (shown++)
            ck_put_bytes(b, CK_V(","));
        CK_TRY(put_descriptor(c, reader, b, &v[i]));
    }
    return NULL;
}

static ck_err *answer_referrers(struct ck_call *c, const struct wait *q)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_answer w = { .status = 200, .fd = -1, .filtered = c->ask.artifact_type.n > 0,
                           .content_type = CK_V("application/vnd.oci.image.index.v1+json") };
    struct ck_source *reader = NULL;
    ck_put_bytes(&b, CK_V("{\"schemaVersion\":2,\"mediaType\":"
                          "\"application/vnd.oci.image.index.v1+json\",\"manifests\":["));
    ck_documents_open(c->g->o->scan.no_sandbox, &reader);
    ck_err *e = put_referrers(c, q, reader, &b);
    ck_source_close(reader);
    CK_TRY(e);
    ck_put_bytes(&b, CK_V("]}"));
    ck_answer_bytes(c, &w, ck_buf_view(&b));
    return NULL;
}

/* What could not be had is not listed: the list is of what is here. */
static void referrers_there(void *ctx, ck_err *e, const struct ck_flight_result *r)
{
    struct wait *q = ctx;
    struct ck_call *c = q->c;
    (void)r;
    ck_err_free(e);
    e = answer_referrers(c, q);
    if (e)
        ck_call_fail(c, e);
}

static ck_err *begin_referrers(struct ck_call *c, const struct ck_place *p)
{
    struct wait *q = ck_arena_alloc(&c->arena, 1, sizeof *q);
    char text[CK_DIGEST_TEXT];
    bool linked = false;
    q->c = c;
    q->place = *p;
    CK_TRY(ck_digest_parse(c->ask.reference, &q->subject));
    CK_TRY(ck_store_linked(c->g->store, ck_view_str(p->repository), &q->subject, &linked));
    if (p->hosted || !linked)
        return answer_referrers(c, q);
    return ck_flights_join(c->g, CK_FLIGHT_REFERRERS,
                           ck_arena_format(&c->arena, "%s@%s", p->repository,
                                           ck_digest_text(&q->subject, text)),
                           REFERRERS_WAIT_MS, referrers_there, q);
}

/* ---------------------------------------------------------------------------------------------- */

void ck_listing_ask(struct ck_call *c)
{
    struct ck_place p = { 0 };
    bool catalog = c->ask.kind == CK_ASK_CATALOG;
    if (!ck_call_may(c, CK_ROLE_PULL) || (!catalog && !ck_place_of(c, &p)))
        return;
    ck_err *e = catalog ? answer_list(c, repositories, (ck_view){ 0 }, "{\"repositories\":")
                : c->ask.kind == CK_ASK_TAGS ? answer_tags(c, &p)
                                             : begin_referrers(c, &p);
    if (e)
        ck_call_fail(c, e);
}
