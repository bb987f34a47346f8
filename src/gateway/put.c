/* Manifests that are pushed: read in a room, never here; whatever they name must be there. */
#include "gateway/push_int.h"

#include "base/mem.h"
#include "image/media.h"
#include "source/others.h"
#include "source/source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct put {
    struct ck_call *c;
    struct ck_gateway *g;
    const struct ck_place *place;
    ck_view repository;
    struct ck_buf bytes;
    struct ck_source *reader;
    struct ck_hold *hold;
    struct ck_store_image entry;
    ck_view *tags; /* names in the store */
    size_t n_tags;
    enum ck_oci_error code; /* of an error that is the client's */
    uint16_t status;        /* 0: 400 */
};

/* --- what came -------------------------------------------------------------------------------- */

/* A copy: what is hashed, checked and stored is the same, whoever else has the descriptor. */
static ck_err *read_bytes(int fd, struct ck_buf *out)
{
    enum { PIECE = 65536 };
    for (;;) {
        if (out->n > CK_MAX_DOCUMENT)
            return ck_err_limit(CK_LIMIT_DOCUMENT, "a manifest of more bytes");
        ssize_t n = pread(fd, ck_buf_room(out, PIECE), PIECE, (off_t)out->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "reading a manifest");
        if (n == 0)
            return NULL;
        out->n += (size_t)n;
    }
}

static ck_err *add_tag(struct put *p, ck_view tag)
{
    if (p->n_tags == CK_MAX_PUSH_TAGS)
        return ck_err_limit(CK_LIMIT_PUSH_TAGS, "more tags for one manifest");
    p->tags[p->n_tags++] = ck_view_str(ck_arena_format(&p->c->arena, "%s:%.*s",
                                                       p->place->repository, CK_VF(tag)));
    return NULL;
}

/* A tag has no colon, a digest has. */
static bool is_digest(ck_view reference)
{
    return ck_view_find(reference, ':') < reference.n;
}

/* The digest that the bytes must have, or have; and the tags. */
static ck_err *name_it(struct put *p)
{
    const struct ck_ask *q = &p->c->ask;
    struct ck_digest want, got;
    char said[CK_DIGEST_TEXT], have[CK_DIGEST_TEXT];
    p->code = CK_OCI_DIGEST_INVALID;
    p->tags = ck_arena_alloc(&p->c->arena, CK_MAX_PUSH_TAGS, sizeof *p->tags);
    if (is_digest(q->reference))
        CK_TRY(ck_digest_parse(q->reference, &want));
    else
        ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&p->bytes), &want);
    ck_hash_of(want.alg, ck_buf_view(&p->bytes), &got);
    if (!ck_digest_eq(&got, &want))
        return ck_err_new(CK_ERR_HOSTILE, "%s: the bytes have the digest %s",
                          ck_digest_text(&want, said), ck_digest_text(&got, have));
    p->code = CK_OCI_MANIFEST_INVALID;
    if (!is_digest(q->reference))
        CK_TRY(add_tag(p, q->reference));
    for (size_t i = 0; i < q->n_words; i++)
        CK_TRY(add_tag(p, q->words[i]));
    p->entry.digest = got;
    p->entry.size = p->bytes.n;
    return NULL;
}

/* --- its parts -------------------------------------------------------------------------------- */

/* Layers that registries may not hand on (image-spec, "Non-Distributable Layers"; Docker's foreign
 * ones): clients get them elsewhere and push the manifest without. */
static bool is_foreign(ck_view type)
{
    return ck_view_starts(type, CK_V("application/vnd.oci.image.layer.nondistributable.")) ||
           ck_view_starts(type, CK_V("application/vnd.docker.image.rootfs.foreign."));
}

static ck_err *unknown(struct put *p, const struct ck_descriptor *d)
{
    char text[CK_DIGEST_TEXT];
    p->code = CK_OCI_MANIFEST_BLOB_UNKNOWN;
    p->status = 404;
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s was not pushed to this repository",
                      ck_digest_text(&d->digest, text));
}

/* What another repository has does not count: it would be served here to whoever may not pull
 * there. */
static ck_err *add_blob(struct put *p, const struct ck_descriptor *d, enum ck_part_role role)
{
    struct ck_arena *a = &p->c->arena;
    char text[CK_DIGEST_TEXT];
    uint64_t size = 0;
    bool has = false, here = false;
    CK_TRY(ck_store_has(p->hold->lease, &d->digest, &size, &has));
    if (has)
        CK_TRY(ck_push_has(p->g, p->repository, &d->digest, a, &here));
    if (!here && role == CK_PART_LAYER && is_foreign(d->media_type))
        return NULL;
    if (!here)
        return unknown(p, d);
    if (size != d->size)
        return ck_err_new(CK_ERR_HOSTILE, "%s: has %llu bytes, its descriptor says %llu",
                          ck_digest_text(&d->digest, text), (unsigned long long)size,
                          (unsigned long long)d->size);
    p->entry.parts[p->entry.n_parts++] =
        (struct ck_store_part){ d->digest, d->size, d->media_type, role };
    return NULL;
}

static ck_err *add_child(struct put *p, const struct ck_descriptor *d)
{
    struct ck_store_entry child;
    bool found = false, here = false;
    CK_TRY(ck_store_get(p->g->store, &d->digest, &p->c->arena, &child, &found));
    if (found)
        CK_TRY(ck_store_linked(p->g->store, p->repository, &d->digest, &here));
    if (!here)
        return unknown(p, d);
    if (child.image.size != d->size || !ck_view_eq(child.image.media_type, d->media_type))
        return ck_err_new(CK_ERR_HOSTILE, "a child is not as its descriptor says");
    p->entry.parts[p->entry.n_parts++] =
        (struct ck_store_part){ d->digest, d->size, d->media_type, CK_PART_MANIFEST };
    return NULL;
}

/* --- reading it ------------------------------------------------------------------------------- */

static ck_err *decode(struct put *p, enum ck_document what, ck_view declared, ck_view json,
                      ck_view *ret)
{
    return ck_documents_read(p->reader, what, declared, json, ret);
}

ck_err *ck_document_of(struct ck_gateway *g, const struct ck_digest *d, struct ck_buf *out)
{
    int fd = -1;
    uint64_t size;
    CK_TRY(ck_store_open_blob(g->store, d, &fd, &size));
    ck_err *e = read_bytes(fd, out);
    close(fd);
    return e;
}

static ck_err *platform_of(struct put *p, const struct ck_descriptor *config, ck_view *ret)
{
    struct ck_arena *a = &p->c->arena;
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    struct ck_config_doc doc;
    ck_view bytes;
    CK_TRY(ck_document_of(p->g, &config->digest, &json));
    CK_TRY(decode(p, CK_DOCUMENT_CONFIG, config->media_type, ck_buf_view(&json), &bytes));
    CK_TRY(ck_config_doc_decode(bytes, a, &doc));
    *ret = ck_view_str(ck_platform_text(&doc.platform, a));
    return NULL;
}

/* A config that is none is for the scan to judge; here it only has no platform. */
static ck_err *find_platform(struct put *p, const struct ck_descriptor *config)
{
    ck_err *e = platform_of(p, config, &p->entry.platform);
    if (!e || ck_err_class(e) == CK_ERR_OURS)
        return e;
    ck_err_free(e);
    return NULL;
}

static void set_subject(struct put *p, bool has, const struct ck_descriptor *subject)
{
    p->entry.has_subject = has;
    if (has)
        p->entry.subject = subject->digest;
}

static ck_err *take_manifest(struct put *p, ck_view declared)
{
    struct ck_arena *a = &p->c->arena;
    struct ck_artifact_doc doc;
    ck_view bytes;
    CK_TRY(decode(p, CK_DOCUMENT_ARTIFACT, declared, ck_buf_view(&p->bytes), &bytes));
    CK_TRY(ck_artifact_doc_decode(bytes, a, &doc));
    p->entry.media_type = doc.media_type;
    p->entry.parts = ck_arena_alloc(a, doc.n + 1, sizeof *p->entry.parts);
    CK_TRY(add_blob(p, &doc.config, CK_PART_CONFIG));
    for (size_t i = 0; i < doc.n; i++)
        CK_TRY(add_blob(p, &doc.layers[i], CK_PART_LAYER));
    set_subject(p, doc.has_subject, &doc.subject);
    bool image = ck_artifact_is_image(&doc);
    if (!image || doc.has_subject)
        p->entry.artifact_type = doc.artifact_type;
    return image ? find_platform(p, &doc.config) : NULL;
}

static ck_err *take_index(struct put *p, ck_view declared)
{
    struct ck_arena *a = &p->c->arena;
    struct ck_index_doc doc;
    ck_view bytes;
    CK_TRY(decode(p, CK_DOCUMENT_INDEX, declared, ck_buf_view(&p->bytes), &bytes));
    CK_TRY(ck_index_doc_decode(bytes, a, &doc));
    p->entry.index = true;
    p->entry.media_type = doc.media_type;
    p->entry.artifact_type = doc.artifact_type;
    p->entry.parts = ck_arena_alloc(a, doc.n, sizeof *p->entry.parts);
    for (size_t i = 0; i < doc.n; i++)
        CK_TRY(add_child(p, &doc.manifests[i]));
    set_subject(p, doc.has_subject, &doc.subject);
    return NULL;
}

/* "application/x; charset=utf-8" -> "application/x" */
static ck_view plain_type(ck_view type)
{
    ck_view rest;
    return ck_view_trim(ck_view_split(type, ';', &rest));
}

static ck_err *take_document(struct put *p)
{
    ck_view declared = plain_type(p->c->ask.content_type), kind;
    p->code = CK_OCI_MANIFEST_INVALID;
    CK_TRY(decode(p, CK_DOCUMENT_KIND, declared, ck_buf_view(&p->bytes), &kind));
    if (kind.n != 1 || kind.p[0] > CK_DOC_MANIFEST)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: document kind");
    p->entry.artifact_type = p->entry.platform = (ck_view){ 0 };
    return kind.p[0] == CK_DOC_INDEX ? take_index(p, declared) : take_manifest(p, declared);
}

/* --- recording it ----------------------------------------------------------------------------- */

/* A tag that is there means what it means, for good. */
static ck_err *check_immutable(struct put *p)
{
    for (size_t i = 0; i < p->n_tags && p->g->o->immutable_tags; i++) {
        struct ck_store_name was;
        char text[CK_DIGEST_TEXT];
        bool found = false;
        CK_TRY(ck_store_name_of(p->g->store, p->tags[i], &was, &found));
        if (!found || ck_digest_eq(&was.digest, &p->entry.digest))
            continue;
        p->code = CK_OCI_DENIED;
        p->status = 403;
        return ck_err_new(CK_ERR_USAGE, "tags are immutable here, and %.*s means %s",
                          CK_VF(p->tags[i]), ck_digest_text(&was.digest, text));
    }
    return NULL;
}

static ck_err *set_tags(struct put *p)
{
    CK_TRY(check_immutable(p));
    for (size_t i = 0; i < p->n_tags; i++) {
        struct ck_digest from;
        bool moved = false;
        CK_TRY(ck_store_set_name(p->hold->lease, p->tags[i], &p->entry.digest, &moved, &from));
    }
    return NULL;
}

static ck_err *note(struct put *p)
{
    ck_autofree char *who = ck_strndup(p->c->user.p, p->c->user.n);
    ck_view name = p->n_tags ? p->tags[0] : p->repository;
    const char *kind = p->entry.index ? "index" : p->entry.artifact_type.n ? "artifact" : "image";
    return ck_log_append_as(p->g->store, who, CK_V("push"), &p->entry.digest, name,
                            ck_view_str(kind));
}

static ck_err *record(struct put *p)
{
    struct ck_lease *l = p->hold->lease;
    CK_TRY(ck_store_put(l, &p->entry.digest, ck_buf_view(&p->bytes)));
    CK_TRY(ck_store_add_image(l, &p->entry, true));
    CK_TRY(ck_store_link(l, p->repository, &p->entry.digest));
    pthread_mutex_lock(&p->g->uploads->naming);
    ck_err *e = set_tags(p);
    pthread_mutex_unlock(&p->g->uploads->naming);
    return e ? e : note(p);
}

/* --- PUT -------------------------------------------------------------------------------------- */

static ck_err *take(struct put *p)
{
    struct ck_uploads *u = p->g->uploads;
    p->code = CK_OCI_MANIFEST_INVALID;
    CK_TRY(read_bytes(p->c->ask.fd, &p->bytes));
    CK_TRY(name_it(p));
    CK_TRY(check_immutable(p)); /* before anything is recorded; once more when it is */
    pthread_mutex_lock(&u->mutex);
    ck_err *e = ck_hold_get(p->g, &u->claims, ck_push_now(), &p->hold);
    pthread_mutex_unlock(&u->mutex);
    CK_TRY(e);
    ck_documents_open(p->g->o->scan.no_sandbox, &p->reader);
    CK_TRY(take_document(p));
    return record(p);
}

static void put_end(struct put *p)
{
    struct ck_uploads *u = p->g->uploads;
    ck_source_close(p->reader);
    ck_buf_free(&p->bytes);
    pthread_mutex_lock(&u->mutex);
    if (p->hold)
        ck_hold_put(&u->claims, p->hold);
    pthread_mutex_unlock(&u->mutex);
}

static void scanned(void *ctx, ck_err *e, const struct ck_flight_result *r)
{
    (void)r;
    struct ck_gateway *g = ctx;
    if (e)
        ck_gateway_say(g, "push-scan", "error", ck_err_text(e), NULL);
    ck_err_free(e);
}

/* So that the first pull need not wait. */
static void begin_scan(struct ck_gateway *g, const struct ck_place *place,
                       const struct ck_store_image *im)
{
    if (im->index || im->artifact_type.n || ck_is_unjudged(g, ck_view_str(place->repository)))
        return;
    ck_err_free(ck_flight_scan(g, &im->digest, 1, scanned, g));
}

static void refuse(struct put *p, ck_err *e)
{
    if (p->status && ck_err_class(e) != CK_ERR_OURS && ck_err_class(e) != CK_ERR_LIMIT) {
        ck_call_refuse(p->c, p->status, p->code, "%s", ck_err_text(e));
        ck_err_free(e);
    } else if (ck_err_class(e) == CK_ERR_LIMIT && ck_err_limit_of(e) != CK_LIMIT_DOCUMENT) {
        ck_push_fail(p->c, ck_err_reclass(e, CK_ERR_HOSTILE), p->code);
    } else {
        ck_push_fail(p->c, e, p->code);
    }
}

void ck_manifest_put(struct ck_call *c, const struct ck_place *place)
{
    struct put p = { .c = c, .g = c->g, .place = place, .bytes = ck_buf_new(CK_LIMIT_NONE),
                     .repository = ck_view_str(place->repository) };
    char text[CK_DIGEST_TEXT];
    ck_err *e = take(&p);
    put_end(&p);
    if (e) {
        refuse(&p, e);
        return;
    }
    ck_gateway_forget(p.g);
    ck_gateway_count(p.g, "cocket_pushes_total{what=\"manifest\"}", 1);
    ck_gateway_say(p.g, "push", "user", ck_arena_format(&c->arena, "%.*s", CK_VF(c->user)), "name",
                   place->repository, "digest", ck_digest_text(&p.entry.digest, text), NULL);
    begin_scan(p.g, place, &p.entry);
    struct ck_answer w = { .status = 201, .has_digest = true, .digest = p.entry.digest,
                           .has_subject = p.entry.has_subject, .subject = p.entry.subject,
                           .fd = -1 };
    ck_call_answer(c, &w);
}

/* --- DELETE ----------------------------------------------------------------------------------- */

static ck_err *note_delete(struct ck_call *c, const struct ck_digest *d, ck_view name)
{
    ck_autofree char *who = ck_strndup(c->user.p, c->user.n);
    return ck_log_append_as(c->g->store, who, CK_V("delete"), d, name, CK_V(""));
}

static ck_err *delete_tag(struct ck_call *c, const struct ck_place *p, bool *ret_was)
{
    ck_view name = ck_view_str(ck_arena_format(&c->arena, "%s:%.*s", p->repository,
                                               CK_VF(c->ask.reference)));
    struct ck_store_name n;
    CK_TRY(ck_store_name_of(c->g->store, name, &n, ret_was));
    if (!*ret_was)
        return NULL;
    CK_TRY(ck_store_remove(c->g->store, &n.digest, name));
    return note_delete(c, &n.digest, name);
}

static ck_err *delete_manifest(struct ck_call *c, const struct ck_place *p, bool *ret_was)
{
    ck_view repository = ck_view_str(p->repository);
    struct ck_digest d;
    CK_TRY(ck_digest_parse(c->ask.reference, &d));
    CK_TRY(ck_store_unlink(c->g->store, repository, &d, ret_was));
    return *ret_was ? note_delete(c, &d, repository) : NULL;
}

void ck_manifest_delete(struct ck_call *c, const struct ck_place *p)
{
    bool was = false;
    if (c->g->o->immutable_tags) {
        ck_call_refuse(c, 403, CK_OCI_DENIED, "tags are immutable here, and nothing is deleted");
        return;
    }
    ck_err *e = is_digest(c->ask.reference) ? delete_manifest(c, p, &was) : delete_tag(c, p, &was);
    if (e) {
        ck_push_fail(c, e, CK_OCI_DIGEST_INVALID);
        return;
    }
    if (!was) {
        ck_call_refuse(c, 404, CK_OCI_MANIFEST_UNKNOWN, "%s has no such manifest or tag",
                       p->repository);
        return;
    }
    ck_gateway_forget(c->g);
    struct ck_answer w = { .status = 202, .fd = -1 };
    ck_call_answer(c, &w);
}
