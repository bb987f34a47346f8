#include "source/resolve.h"

#include "base/mem.h"
#include "image/image.h"
#include "source/source_int.h"

#include <stdlib.h>

struct ck_resolver {
    struct ck_resolve_options options;
};

ck_err *ck_resolver_new(const struct ck_resolve_options *o, struct ck_resolver **ret)
{
    struct ck_resolver *r = ck_new(struct ck_resolver);
    r->options = *o;
    *ret = r;
    return NULL;
}

void ck_resolver_free(struct ck_resolver *r)
{
    free(r);
}

/* --- platforms -------------------------------------------------------------------------------- */

static int by_text(const void *x, const void *y)
{
    return ck_view_cmp(*(const ck_view *)x, *(const ck_view *)y);
}

static void sort_platforms(struct ck_resolved *ret)
{
    size_t n = 0;
    if (ret->n_platforms)
        qsort(ret->platforms, ret->n_platforms, sizeof *ret->platforms, by_text);
    for (size_t i = 0; i < ret->n_platforms; i++)
        if (n == 0 || !ck_view_eq(ret->platforms[n - 1], ret->platforms[i]))
            ret->platforms[n++] = ret->platforms[i];
    ret->n_platforms = n;
}

static ck_err *platforms_of_index(struct ck_source *s, ck_view type, ck_view json,
                                  struct ck_arena *a, struct ck_resolved *ret)
{
    struct ck_index_doc ix;
    ck_view bytes;
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_INDEX, type, json, &bytes));
    CK_TRY(ck_index_doc_decode(bytes, &s->arena, &ix));
    ret->platforms = ck_arena_alloc(a, ix.n + 1, sizeof *ret->platforms);
    for (size_t i = 0; i < ix.n; i++)
        if (!ix.manifests[i].attestation && ix.manifests[i].platform.os.n)
            ret->platforms[ret->n_platforms++] =
                ck_view_str(ck_platform_text(&ix.manifests[i].platform, a));
    sort_platforms(ret);
    return NULL;
}

/* A manifest does not say its platform; its config does. */
static ck_err *platform_of_config(struct ck_source *s, struct ck_remote *remote,
                                  const struct ck_descriptor *d, struct ck_arena *a,
                                  struct ck_resolved *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_registry_answer answer;
    struct ck_config_doc config;
    char text[CK_DIGEST_TEXT];
    ck_view bytes;
    struct ck_job_registry j = { .op = CK_REGISTRY_BLOB, .max = d->size, .exact = true,
                                 .reference = ck_view_str(ck_digest_text(&d->digest, text)) };
    if (d->size > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "a config of %llu bytes",
                            (unsigned long long)d->size);
    CK_TRY(ck_remote_document(remote, &j, a, &json, &answer));
    CK_TRY(ck_descriptor_verify(d, ck_buf_view(&json)));
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_CONFIG, d->media_type, ck_buf_view(&json), &bytes));
    CK_TRY(ck_config_doc_decode(bytes, &s->arena, &config));
    ret->platforms = ck_arena_alloc(a, 1, sizeof *ret->platforms);
    ret->platforms[0] = ck_view_str(ck_platform_text(&config.platform, a));
    ret->n_platforms = 1;
    return NULL;
}

static ck_err *platforms(struct ck_source *s, struct ck_remote *remote, ck_view json,
                         struct ck_arena *a, struct ck_resolved *ret)
{
    struct ck_manifest_doc m;
    ck_view type = ret->media_type, bytes;
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_KIND, type, json, &bytes));
    if (bytes.n != 1)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: document kind");
    if (bytes.p[0] == CK_DOC_INDEX)
        return platforms_of_index(s, type, json, a, ret);
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_MANIFEST, type, json, &bytes));
    CK_TRY(ck_manifest_doc_decode(bytes, &s->arena, &m));
    return platform_of_config(s, remote, &m.config, a, ret);
}

/* --- a name ----------------------------------------------------------------------------------- */

static ck_err *resolve(struct ck_source *s, struct ck_remote *remote, struct ck_arena *a,
                       struct ck_resolved *ret)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_resolved r = { .name = *ck_remote_name(remote) };
    r.name.host = ck_arena_dup(a, r.name.host);
    r.name.path = ck_arena_dup(a, r.name.path);
    r.name.tag = ck_arena_dup(a, r.name.tag);
    CK_TRY(ck_remote_manifest(remote, NULL, a, &json, &r.digest, &r.media_type));
    CK_TRY(platforms(s, remote, ck_buf_view(&json), a, &r));
    *ret = r;
    return NULL;
}

ck_err *ck_resolve_name(struct ck_resolver *r, const struct ck_name *n, struct ck_arena *a,
                        struct ck_resolved *ret)
{
    struct ck_remote *remote = NULL;
    struct ck_source *s = NULL;
    CK_TRY(ck_remote_new(n, &r->options.remote, &remote));
    ck_source_bare(r->options.remote.no_sandbox, &s);
    ck_err *e = resolve(s, remote, a, ret);
    ck_source_close(s);
    ck_remote_free(remote);
    return e ? ck_err_wrap(e, "%s", ck_name_text(n, a)) : NULL;
}

static ck_err *head(struct ck_remote *remote, const struct ck_name *n, struct ck_arena *a,
                    struct ck_digest *ret)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_registry_answer answer = { 0 };
    struct ck_digest d;
    ck_view type;
    struct ck_job_registry j = { .op = CK_REGISTRY_HEAD, .reference = n->tag, .tries = 2 };
    CK_TRY(ck_remote_document(remote, &j, a, &bytes, &answer));
    ck_err *e = ck_digest_parse(answer.digest, &d);
    if (e || d.alg != CK_DIGEST_SHA256) {
        ck_err_free(e);
        return ck_remote_manifest(remote, NULL, a, &bytes, ret, &type);
    }
    *ret = d;
    return NULL;
}

ck_err *ck_resolve_digest(struct ck_resolver *r, const struct ck_name *n, struct ck_arena *a,
                          struct ck_digest *ret)
{
    struct ck_remote *remote = NULL;
    CK_TRY(ck_remote_new(n, &r->options.remote, &remote));
    ck_err *e = head(remote, ck_remote_name(remote), a, ret);
    ck_remote_free(remote);
    return e ? ck_err_wrap(e, "%s", ck_name_text(n, a)) : NULL;
}
