#include "source/referrers.h"

#include "base/mem.h"
#include "base/text.h"
#include "image/media.h"
#include "source/source_int.h"

enum { HTTP_OK = 200, HTTP_BAD_REQUEST = 400, HTTP_NOT_FOUND = 404, HTTP_NOT_ALLOWED = 405 };

/* --- one
 * ---------------------------------------------------------------------------------------- */

static ck_err *check_size(const struct ck_artifact_doc *doc)
{
    uint64_t total = doc->config.size;
    for (size_t i = 0; i < doc->n && total <= CK_MAX_REFERRER_SIZE; i++)
        total += doc->layers[i].size;
    return total <= CK_MAX_REFERRER_SIZE
               ? NULL
               : ck_err_limit(CK_LIMIT_REFERRER_SIZE, "a referrer has too many bytes");
}

static ck_err *want_blob(struct ck_source *s, const struct ck_descriptor *d)
{
    bool there = false;
    CK_TRY(ck_store_has(s->lease, &d->digest, NULL, &there));
    if (there)
        return NULL;
    if (!s->arrivals)
        s->arrivals = ck_arrivals_new(s->lease, s->remote, 0);
    ck_arrivals_add(s->arrivals, &d->digest, d->size);
    return NULL;
}

static struct ck_store_part part(const struct ck_descriptor *d, enum ck_part_role role)
{
    return (struct ck_store_part){ d->digest, d->size, d->media_type, role };
}

static ck_err *enter(struct ck_source *s, const struct ck_descriptor *d,
                     const struct ck_artifact_doc *doc, const struct ck_digest *subject)
{
    struct ck_store_image im = { .digest = d->digest,
                                 .media_type = d->media_type,
                                 .size = d->size,
                                 .has_subject = subject || doc->has_subject,
                                 .artifact_type = doc->artifact_type,
                                 .n_parts = doc->n + 1 };
    if (im.has_subject)
        im.subject = subject ? *subject : doc->subject.digest;
    im.parts = ck_arena_alloc(&s->arena, im.n_parts, sizeof *im.parts);
    im.parts[0] = part(&doc->config, CK_PART_CONFIG);
    for (size_t i = 0; i < doc->n; i++)
        im.parts[i + 1] = part(&doc->layers[i], CK_PART_LAYER);
    return ck_store_add_image(s->lease, &im, true);
}

ck_err *ck_referrers_fetch_one(struct ck_source *s, const struct ck_fetch_options *o,
                               const struct ck_descriptor *d, const struct ck_digest *subject)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_artifact_doc doc;
    ck_view bytes;
    CK_TRY(ck_source_document(s, ck_blob_name(s, &d->digest), d, &json));
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_ARTIFACT, d->media_type, ck_buf_view(&json), &bytes));
    CK_TRY(ck_artifact_doc_decode(bytes, &s->arena, &doc));
    if (subject && doc.has_subject && !ck_digest_eq(subject, &doc.subject.digest))
        return ck_err_new(CK_ERR_HOSTILE, "it is listed as a referrer of this image, its subject "
                                          "is another (OCI image-spec, manifest, subject)");
    CK_TRY(check_size(&doc));
    CK_TRY(want_blob(s, &doc.config));
    for (size_t i = 0; i < doc.n; i++)
        CK_TRY(want_blob(s, &doc.layers[i]));
    CK_TRY(ck_fetch_wait(s, o));
    return enter(s, d, &doc, subject);
}

/* --- the list
 * ----------------------------------------------------------------------------------- */

struct listing {
    struct ck_source *s;
    const struct ck_fetch_options *o;
    const struct ck_digest *subject;
    size_t *count;
    size_t seen; /* of this subject */
};

static ck_err *take_one(struct listing *l, const struct ck_descriptor *d)
{
    char text[CK_DIGEST_TEXT];
    if (++l->seen > CK_MAX_REFERRERS)
        return ck_err_limit(CK_LIMIT_REFERRERS, "referrers");
    CK_TRY_WRAP(ck_referrers_fetch_one(l->s, l->o, d, l->subject), "referrer %s",
                ck_digest_text(&d->digest, text));
    ++*l->count;
    return NULL;
}

static ck_err *take_page(struct listing *l, ck_view json)
{
    struct ck_index_doc ix;
    ck_view bytes;
    CK_TRY_WRAP(ck_source_decode(l->s, CK_DOCUMENT_INDEX,
                                 CK_V("application/vnd.oci.image.index.v1+json"), json, &bytes),
                "list of referrers");
    CK_TRY(ck_index_doc_decode(bytes, &l->s->arena, &ix));
    for (size_t i = 0; i < ix.n; i++)
        CK_TRY(take_one(l, &ix.manifests[i]));
    return NULL;
}

/* What a registry without the API, and without a fallback tag, may say. */
static bool has_none(unsigned status)
{
    return status == HTTP_NOT_FOUND || status == HTTP_NOT_ALLOWED || status == HTTP_BAD_REQUEST;
}

static ck_err *take_listed(struct listing *l)
{
    char text[CK_DIGEST_TEXT];
    struct ck_job_registry j = { .op = CK_REGISTRY_REFERRERS, .max = CK_MAX_DOCUMENT,
                                 .reference = ck_view_str(ck_digest_text(l->subject, text)) };
    for (size_t page = 0; page <= CK_MAX_REFERRERS; page++) {
        ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
        struct ck_registry_answer answer;
        CK_TRY(ck_remote_ask(l->s->remote, &j, &l->s->arena, &json, &answer));
        if (has_none(answer.status))
            return NULL;
        if (answer.status != HTTP_OK)
            return ck_remote_refused(&j.endpoint, &j, &answer);
        CK_TRY(take_page(l, ck_buf_view(&json)));
        if (!answer.next.n)
            return NULL;
        j.next = answer.next;
    }
    return ck_err_limit(CK_LIMIT_REFERRERS, "pages of referrers");
}

/* --- cosign's tags
 * ------------------------------------------------------------------------------ */

static ck_err *take_tagged(struct listing *l, const char *suffix)
{
    struct ck_source *s = l->s;
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_registry_answer answer;
    char text[CK_DIGEST_TEXT];
    ck_digest_text(l->subject, text);
    *strchr(text, ':') = '-';
    struct ck_job_registry j = { .op = CK_REGISTRY_MANIFEST, .max = CK_MAX_DOCUMENT,
                                 .reference = ck_view_str(ck_arena_format(&s->arena, "%s.%s", text,
                                                                          suffix)) };
    CK_TRY(ck_remote_ask(s->remote, &j, &s->arena, &json, &answer));
    if (has_none(answer.status))
        return NULL;
    if (answer.status != HTTP_OK)
        return ck_remote_refused(&j.endpoint, &j, &answer);
    struct ck_descriptor d = { .media_type = answer.content_type, .size = json.n };
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&json), &d.digest);
    CK_TRY(ck_store_put(s->lease, &d.digest, ck_buf_view(&json)));
    return take_one(l, &d);
}

ck_err *ck_referrers_fetch(struct ck_source *s, const struct ck_fetch_options *o,
                           const struct ck_digest *subject, size_t *count)
{
    static const char *const suffixes[] = { "sig", "att", "sbom" };
    struct listing l = { .s = s, .o = o, .subject = subject, .count = count };
    if (!s->remote)
        return NULL;
    CK_TRY(take_listed(&l));
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        CK_TRY(take_tagged(&l, suffixes[i]));
    return NULL;
}
