#include "source/top.h"

#include "source/referrers.h"
#include "source/source_int.h"

#include <errno.h>
#include <unistd.h>

/* --- artifacts -------------------------------------------------------------------------------- */

enum { TAR_BLOCK = 512, TAR_SUM_AT = 148, TAR_SUM_SIZE = 8 };

/* Whether readers of tar would take the block for a header: its checksum comes out. */
static bool is_tar_header(const uint8_t b[TAR_BLOCK])
{
    uint64_t sum = 0, said = 0;
    int64_t sum_signed = 0;
    for (int i = 0; i < TAR_BLOCK; i++) {
        bool own = i >= TAR_SUM_AT && i < TAR_SUM_AT + TAR_SUM_SIZE;
        sum += own ? ' ' : b[i];
        sum_signed += own ? ' ' : (int8_t)b[i];
    }
    for (int i = TAR_SUM_AT; i < TAR_SUM_AT + TAR_SUM_SIZE; i++)
        if (b[i] >= '0' && b[i] <= '7')
            said = said * 8 + (b[i] - '0');
    return said == sum || (int64_t)said == sum_signed;
}

/* Some runtimes unpack a layer whatever its media type says, by its first bytes. JSON that is no
 * tar header is nothing that they would take. */
static ck_err *is_inert(struct ck_source *s, const struct ck_descriptor *d, bool *ret)
{
    uint8_t block[TAR_BLOCK] = { 0 };
    uint64_t size = 0;
    size_t have = 0;
    int fd = -1;
    ssize_t n;
    CK_TRY(ck_store_open_blob(s->store, &d->digest, &fd, &size));
    do {
        n = pread(fd, block + have, sizeof block - have, (off_t)have);
        have += n > 0 ? (size_t)n : 0;
    } while ((n < 0 && errno == EINTR) || (n > 0 && have < sizeof block));
    ck_err *e = n < 0 ? ck_err_errno(CK_ERR_OURS, "reading a blob of the store") : NULL;
    close(fd);
    *ret = have && block[0] == '{' && !is_tar_header(block);
    return e;
}

static ck_err *clear_artifact(struct ck_source *s, const struct ck_digest *d,
                              const struct ck_artifact_doc *doc)
{
    bool inert = true;
    for (size_t i = 0; i < doc->n && inert; i++)
        CK_TRY(is_inert(s, &doc->layers[i], &inert));
    if (!inert)
        return NULL;
    return ck_store_decide(s->store, d, CK_CLEARED, CK_V("no image: nothing in it can be run"),
                           CK_BY_SCAN, NULL);
}

/* --- what it is ------------------------------------------------------------------------------- */

static ck_err *read_artifact(struct ck_source *s, const struct ck_descriptor *d,
                             struct ck_artifact_doc *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY(ck_source_document(s, ck_blob_name(s, &d->digest), d, &json));
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_ARTIFACT, d->media_type, ck_buf_view(&json), &bytes));
    return ck_artifact_doc_decode(bytes, &s->arena, ret);
}

static ck_err *take_manifest(struct ck_source *s, const struct ck_descriptor *d,
                             struct ck_top *ret)
{
    struct ck_fetch_options o = { .source = s->options };
    struct ck_artifact_doc doc;
    struct ck_digest from;
    bool moved;
    CK_TRY(read_artifact(s, d, &doc));
    ret->kind = ck_artifact_is_image(&doc) ? CK_TOP_IMAGE : CK_TOP_ARTIFACT;
    if (ret->kind == CK_TOP_IMAGE) {
        CK_TRY(ck_image_of_manifest(s, d));
        return ck_source_record(s, false, &moved, &from);
    }
    CK_TRY(ck_referrers_fetch_one(s, &o, d, NULL));
    return clear_artifact(s, &d->digest, &doc);
}

/* A copy that outlives the source: only what choosing among them takes. */
static void copy_children(const struct ck_index_doc *from, struct ck_arena *a,
                          struct ck_index_doc *ret)
{
    ret->media_type = ck_arena_dup(a, from->media_type);
    ret->n = from->n;
    ret->manifests = ck_arena_alloc(a, from->n + 1, sizeof *ret->manifests);
    for (size_t i = 0; i < from->n; i++) {
        const struct ck_descriptor *d = &from->manifests[i];
        ret->manifests[i] = (struct ck_descriptor){
            .media_type = ck_arena_dup(a, d->media_type),
            .digest = d->digest,
            .size = d->size,
            .platform = { ck_arena_dup(a, d->platform.os),
                          ck_arena_dup(a, d->platform.architecture),
                          ck_arena_dup(a, d->platform.variant),
                          ck_arena_dup(a, d->platform.os_version) },
            .attestation = d->attestation,
        };
    }
}

static ck_err *fetch_top(struct ck_source *s, const struct ck_reference *ref,
                         const struct ck_top_hook *hook, struct ck_arena *a, struct ck_top *ret)
{
    struct ck_descriptor d;
    struct ck_digest from;
    bool index = false, moved;
    CK_TRY(ck_open_top(s, ref, &d));
    if (hook)
        hook->known(hook->ctx, &d.digest);
    CK_TRY(ck_index_of(s, &d, &index));
    ret->digest = d.digest;
    if (!index)
        return take_manifest(s, &d, ret);
    ret->kind = CK_TOP_INDEX;
    CK_TRY(ck_source_record(s, true, &moved, &from));
    copy_children(&s->image.children, a, &ret->children);
    return NULL;
}

ck_err *ck_top_fetch(const struct ck_reference *ref, const struct ck_source_options *o,
                     const struct ck_top_hook *hook, struct ck_arena *a, struct ck_top *ret)
{
    struct ck_source *s = NULL;
    struct ck_top top = { 0 };
    ck_source_bare(o->no_sandbox, &s);
    s->options = *o;
    s->options.unnamed = true;
    s->options.refetch = true; /* that the store has it does not say that this registry does */
    s->want = ck_platform_host();
    ck_err *e = ref->transport == CK_TRANSPORT_DOCKER
                    ? fetch_top(s, ref, hook, a, &top)
                    : ck_err_new(CK_ERR_USAGE, "only a registry is asked what a name means");
    ck_source_close(s);
    if (e)
        return ck_err_wrap(e, "%s", ref->text);
    *ret = top;
    return NULL;
}

static ck_err *clear_referrers(struct ck_source *s, const struct ck_digest *subject)
{
    struct ck_store_entry *v = NULL;
    size_t n = 0;
    CK_TRY(ck_store_referrers(s->store, subject, &s->arena, &v, &n));
    for (size_t i = 0; i < n; i++) {
        struct ck_descriptor d = { .media_type = v[i].image.media_type,
                                   .digest = v[i].image.digest,
                                   .size = v[i].image.size };
        struct ck_artifact_doc doc;
        if (v[i].state != CK_QUARANTINED || v[i].image.index || !v[i].complete)
            continue;
        CK_TRY(read_artifact(s, &d, &doc));
        if (!ck_artifact_is_image(&doc))
            CK_TRY(clear_artifact(s, &d.digest, &doc));
    }
    return NULL;
}

static ck_err *fetch_referrers(struct ck_source *s, const struct ck_reference *ref)
{
    struct ck_fetch_options o = { .source = s->options };
    struct ck_descriptor d;
    size_t count = 0;
    CK_TRY(ck_open_top(s, ref, &d));
    CK_TRY(ck_referrers_fetch(s, &o, &d.digest, &count));
    return clear_referrers(s, &d.digest);
}

ck_err *ck_top_referrers(const struct ck_reference *ref, const struct ck_source_options *o)
{
    struct ck_source *s = NULL;
    ck_source_bare(o->no_sandbox, &s);
    s->options = *o;
    s->want = ck_platform_host();
    ck_err *e = fetch_referrers(s, ref);
    ck_source_close(s);
    return e ? ck_err_wrap(e, "%s", ref->text) : NULL;
}
