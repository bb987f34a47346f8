/* docker:// and store: images that lie in the store, or are on their way there. */
#include "base/mem.h"
#include "base/text.h"
#include "image/media.h"
#include "source/source_int.h"

#include <fcntl.h>

static ck_err *open_store(struct ck_source *s)
{
    CK_TRY(ck_store_open(s->options.store, &s->store));
    CK_TRY(ck_lease_new(s->store, &s->lease));
    s->view.dir = open(ck_store_dir(s->store), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->view.dir < 0 ? ck_err_errno(CK_ERR_OURS, "%s", ck_store_dir(s->store)) : NULL;
}

/* --- documents ---------------------------------------------------------------------------------
 * */

/* Another image's entry, or an earlier fetch, may have brought it already. */
static ck_err *is_there(struct ck_source *s, const struct ck_descriptor *d, bool *ret)
{
    uint64_t size = 0;
    CK_TRY(ck_store_has(s->lease, &d->digest, &size, ret));
    if (*ret && size != d->size)
        return ck_err_new(CK_ERR_HOSTILE,
                          "the blob has %llu bytes, its descriptor says %llu "
                          "(OCI image-spec, descriptor, size)",
                          (unsigned long long)size, (unsigned long long)d->size);
    return NULL;
}

static ck_err *bring_manifest(struct ck_source *s, const struct ck_descriptor *d,
                              struct ck_buf *bytes)
{
    struct ck_digest digest;
    ck_view type;
    return ck_remote_manifest(s->remote, d, &s->arena, bytes, &digest, &type);
}

static ck_err *bring_blob(struct ck_source *s, const struct ck_descriptor *d, struct ck_buf *bytes)
{
    char text[CK_DIGEST_TEXT];
    struct ck_registry_answer answer;
    struct ck_job_registry j = { .op = CK_REGISTRY_BLOB,
                                 .reference = ck_view_str(ck_digest_text(&d->digest, text)),
                                 .max = d->size,
                                 .exact = true };
    if (d->size > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_DOCUMENT, "a document of %llu bytes",
                            (unsigned long long)d->size);
    return ck_remote_document(s->remote, &j, &s->arena, bytes, &answer);
}

ck_err *ck_source_bring(struct ck_source *s, const struct ck_descriptor *d)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_DOCUMENT);
    enum ck_compression ignored;
    bool there = false;
    if (!s->remote)
        return NULL;
    CK_TRY(is_there(s, d, &there));
    if (there) /* a document is its digest: fetching it again could only give the same */
        return NULL;
    bool blob = ck_media_find(d->media_type, &ignored) == CK_MEDIA_CONFIG;
    CK_TRY(blob ? bring_blob(s, d, &bytes) : bring_manifest(s, d, &bytes));
    CK_TRY(ck_descriptor_verify(d, ck_buf_view(&bytes)));
    return ck_store_put(s->lease, &d->digest, ck_buf_view(&bytes));
}

/* --- the top
 * ------------------------------------------------------------------------------------ */

static void descriptor_of(const struct ck_store_entry *e, struct ck_descriptor *ret)
{
    *ret = (struct ck_descriptor){ .media_type = e->image.media_type,
                                   .digest = e->image.digest,
                                   .size = e->image.size };
}

/* What a digest names cannot have changed: then nobody is asked. */
static ck_err *from_store(struct ck_source *s, const struct ck_name *n, struct ck_descriptor *ret,
                          bool *ret_found)
{
    struct ck_store_entry entry;
    *ret_found = false;
    if (!n->has_digest || s->options.refetch)
        return NULL;
    CK_TRY(ck_store_get(s->store, &n->digest, &s->arena, &entry, ret_found));
    if (*ret_found)
        descriptor_of(&entry, ret);
    return NULL;
}

static ck_err *from_registry(struct ck_source *s, struct ck_descriptor *ret)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_descriptor d = { .size = 0 };
    CK_TRY(ck_remote_manifest(s->remote, NULL, &s->arena, &bytes, &d.digest, &d.media_type));
    d.size = bytes.n;
    CK_TRY(ck_store_put(s->lease, &d.digest, ck_buf_view(&bytes)));
    *ret = d;
    return NULL;
}

static ck_err *warn_of_name(struct ck_source *s, const struct ck_name *n)
{
    ck_view *seen = NULL;
    size_t n_seen = 0;
    CK_TRY(ck_store_repositories(s->store, &s->arena, &seen, &n_seen));
    ck_name_warnings(n, seen, n_seen, &s->arena, &s->image.warnings, &s->image.n_warnings);
    return NULL;
}

ck_err *ck_open_top(struct ck_source *s, const struct ck_reference *ref,
                    struct ck_descriptor *ret)
{
    bool known = false;
    CK_TRY(open_store(s));
    s->options.remote.no_sandbox = s->options.no_sandbox;
    CK_TRY(ck_remote_new(&ref->image, &s->options.remote, &s->remote));
    const struct ck_name *n = ck_remote_name(s->remote);
    s->image.name = ck_view_str(ck_name_text(n, &s->arena));
    CK_TRY(warn_of_name(s, n));
    CK_TRY(from_store(s, n, ret, &known));
    return known ? NULL : from_registry(s, ret);
}

ck_err *ck_open_registry(struct ck_source *s, const struct ck_reference *ref)
{
    struct ck_descriptor top;
    bool index = false;
    CK_TRY(ck_open_top(s, ref, &top));
    if (s->options.whole_index)
        CK_TRY(ck_index_of(s, &top, &index));
    return index ? NULL : ck_image_of(s, &top);
}

/* The name that was asked for; of what was asked for by its digest, the first that it has. */
static ck_view name_in_store(const struct ck_store_entry *e, ck_view asked, struct ck_arena *a)
{
    struct ck_name n;
    ck_err *none = ck_name_parse(asked, a, &n);
    ck_view text = none ? (ck_view){ 0 } : ck_view_str(ck_name_text(&n, a));
    ck_err_free(none);
    for (size_t i = 0; i < e->n_names; i++)
        if (ck_view_eq(e->names[i], text))
            return text;
    return e->n_names ? e->names[0] : (ck_view){ 0 };
}

ck_err *ck_open_store(struct ck_source *s, const struct ck_reference *ref)
{
    struct ck_store_entry entry;
    struct ck_descriptor top;
    bool index = false;
    CK_TRY(open_store(s));
    CK_TRY(ck_store_find_typed(s->store, ref->name, &s->arena, &entry));
    s->image.name = name_in_store(&entry, ref->name, &s->arena);
    descriptor_of(&entry, &top);
    if (s->options.whole_index)
        CK_TRY(ck_index_of(s, &top, &index));
    return index ? NULL : ck_image_of(s, &top);
}

/* --- layers
 * ------------------------------------------------------------------------------------- */

void ck_source_want(struct ck_source *s, size_t layer)
{
    struct ck_image_layer *l = &s->image.layers[layer];
    if (!l->absent || l->arrival != SIZE_MAX)
        return;
    if (!s->arrivals)
        s->arrivals = ck_arrivals_new(s->lease, s->remote, 0);
    l->arrival = ck_arrivals_add(s->arrivals, &l->digest, l->size);
}

struct ck_arrivals *ck_source_arrivals(struct ck_source *s) { return s->arrivals; }
struct ck_store *ck_source_store(struct ck_source *s) { return s->store; }
struct ck_lease *ck_source_lease(struct ck_source *s) { return s->lease; }

/* --- into the store's books
 * --------------------------------------------------------------------- */

static ck_err *read_children(struct ck_source *s, struct ck_index_doc *ret)
{
    const struct ck_descriptor *d = &s->image.index;
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY(ck_source_document(s, ck_blob_name(s, &d->digest), d, &json));
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_INDEX, d->media_type, ck_buf_view(&json), &bytes));
    return ck_index_doc_decode(bytes, &s->arena, ret);
}

static ck_err *record_index(struct ck_source *s)
{
    const struct ck_image *im = &s->image;
    struct ck_index_doc ix = im->children;
    if (!ix.n)
        CK_TRY(read_children(s, &ix));
    struct ck_store_image entry = { .digest = im->index.digest,
                                    .media_type = im->index.media_type,
                                    .size = im->index.size,
                                    .index = true,
                                    .n_parts = ix.n };
    entry.parts = ck_arena_alloc(&s->arena, ix.n + 1, sizeof *entry.parts);
    for (size_t i = 0; i < ix.n; i++)
        entry.parts[i] = (struct ck_store_part){ ix.manifests[i].digest, ix.manifests[i].size,
                                                 ix.manifests[i].media_type, CK_PART_MANIFEST };
    return ck_store_add_image(s->lease, &entry, true);
}

static ck_err *record_manifest(struct ck_source *s, bool complete)
{
    const struct ck_image *im = &s->image;
    struct ck_store_image entry = {
        .digest = im->digest,
        .media_type = im->media_type,
        .size = im->manifest_size,
        .platform = ck_view_str(ck_platform_text(&im->config.platform, &s->arena)),
        .n_parts = im->n_layers + 1,
    };
    entry.parts = ck_arena_alloc(&s->arena, entry.n_parts, sizeof *entry.parts);
    entry.parts[0] = (struct ck_store_part){ im->config_digest, im->config_descriptor.size,
                                             im->config_descriptor.media_type, CK_PART_CONFIG };
    for (size_t i = 0; i < im->n_layers; i++)
        entry.parts[i + 1] = (struct ck_store_part){ im->layers[i].digest, im->layers[i].size,
                                                     im->layers[i].media_type, CK_PART_LAYER };
    return ck_store_add_image(s->lease, &entry, complete);
}

ck_err *ck_source_record(struct ck_source *s, bool complete, bool *ret_moved,
                         struct ck_digest *ret_moved_from)
{
    const struct ck_image *im = &s->image;
    if (im->has_digest)
        CK_TRY(record_manifest(s, complete));
    if (im->has_index)
        CK_TRY(record_index(s));
    *ret_moved = false;
    if (!s->remote || s->options.unnamed)
        return NULL;
    return ck_store_set_name(s->lease, im->name, im->has_index ? &im->index.digest : &im->digest,
                             ret_moved, ret_moved_from);
}
