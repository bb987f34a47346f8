/* The documents as messages between rooms. X_encode and X_decode stand together; the reader repeats
 * every check of the JSON decoders, because the room that sends may have been taken over.
 */
#include "image/image.h"
#include "image/media.h"

#include "base/text.h"

static const uint64_t MAX_EXACT = 1ull << 53;

/* Fewest bytes that one of these takes, so that a count cannot promise more than was sent. */
enum {
    MIN_STRING = 4,
    MIN_DIGEST = 1 + 32,
    MIN_DESCRIPTOR = 7 * MIN_STRING + MIN_DIGEST + 8 + 1,
    MIN_HISTORY = 3 * MIN_STRING + 1,
    MIN_IMAGE = MIN_STRING + 4 + 4,
    MIN_PAIR = 2 * MIN_STRING,
};

/* The first complaint sticks, as in the cursor. */
struct reader {
    ck_cur c;
    struct ck_arena *a;
    const char *why;
};

static void complain(struct reader *r, const char *why)
{
    if (!r->why)
        r->why = why;
    r->c.bad = true;
}

static void judge(struct reader *r, const char *why)
{
    if (why)
        complain(r, why);
}

static ck_view get_string(struct reader *r, enum ck_limit limit)
{
    ck_view v = ck_cur_str(&r->c, ck_limit_value(limit));
    if (!ck_utf8_valid(v) || ck_view_find(v, 0) < v.n)
        complain(r, "a string must be UTF-8 without NUL");
    return ck_cur_ok(&r->c) ? ck_arena_dup(r->a, v) : CK_V("");
}

static bool get_bool(struct reader *r)
{
    uint8_t x = ck_cur_u8(&r->c);
    if (x > 1)
        complain(r, "a flag must be 0 or 1");
    return x == 1;
}

static size_t get_count(struct reader *r, enum ck_limit limit, size_t least)
{
    uint32_t n = ck_cur_le32(&r->c);
    if (n > ck_limit_value(limit) || n > ck_cur_left(&r->c) / least)
        complain(r, "a count is past its limit or past the message");
    return ck_cur_ok(&r->c) ? n : 0;
}

static void get_tag(struct reader *r, uint8_t tag)
{
    if (ck_cur_u8(&r->c) != tag)
        complain(r, "is another message");
}

static ck_err *get_end(struct reader *r, const char *what)
{
    if (ck_cur_ok(&r->c) && !ck_cur_end(&r->c))
        complain(r, "bytes follow the message");
    if (ck_cur_ok(&r->c))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE, "message %s: %s", what,
                      r->why ? r->why : "is cut short, or a string past its limit");
}

static void put_digest(struct ck_buf *out, const struct ck_digest *d)
{
    ck_put_u8(out, (uint8_t)d->alg);
    ck_put_bytes(out, ck_view_of(d->bytes, ck_digest_size(d->alg)));
}

static struct ck_digest get_digest(struct reader *r)
{
    struct ck_digest d = { 0 };
    uint8_t alg = ck_cur_u8(&r->c);
    if (alg >= CK_DIGEST_ALGORITHM_COUNT_) {
        complain(r, "a digest must be sha256 or sha512");
        return d;
    }
    d.alg = (enum ck_digest_algorithm)alg;
    ck_view bytes = ck_cur_take(&r->c, ck_digest_size(d.alg));
    if (bytes.n)
        memcpy(d.bytes, bytes.p, bytes.n);
    return d;
}

static void put_platform(struct ck_buf *out, const struct ck_platform *p)
{
    ck_put_str(out, p->os);
    ck_put_str(out, p->architecture);
    ck_put_str(out, p->variant);
    ck_put_str(out, p->os_version);
}

static struct ck_platform get_platform(struct reader *r)
{
    struct ck_platform p;
    p.os = get_string(r, CK_LIMIT_REFERENCE);
    p.architecture = get_string(r, CK_LIMIT_REFERENCE);
    p.variant = get_string(r, CK_LIMIT_REFERENCE);
    p.os_version = get_string(r, CK_LIMIT_REFERENCE);
    judge(r, ck_bad_platform(&p));
    return p;
}

static void put_descriptor(struct ck_buf *out, const struct ck_descriptor *d)
{
    ck_put_str(out, d->media_type);
    put_digest(out, &d->digest);
    ck_put_u64(out, d->size);
    put_platform(out, &d->platform);
    ck_put_str(out, d->ref_name);
    ck_put_str(out, d->image_name);
    ck_put_u8(out, d->attestation);
}

static struct ck_descriptor get_descriptor(struct reader *r, enum ck_media_kind *ret_kind,
                                           enum ck_compression *ret_compression)
{
    struct ck_descriptor d;
    d.media_type = get_string(r, CK_LIMIT_REFERENCE);
    d.digest = get_digest(r);
    d.size = ck_cur_le64(&r->c);
    d.platform = get_platform(r);
    d.ref_name = get_string(r, CK_LIMIT_REFERENCE);
    d.image_name = get_string(r, CK_LIMIT_REFERENCE);
    d.attestation = get_bool(r);
    judge(r, ck_bad_media_type(d.media_type));
    *ret_kind = ck_media_find(d.media_type, ret_compression);
    if (d.size > MAX_EXACT || d.size > ck_limit_value(ck_media_size_limit(*ret_kind)))
        complain(r, "a size is past its limit");
    if (d.attestation != ck_platform_unknown(&d.platform))
        complain(r, "an attestation must have the platform unknown/unknown");
    return d;
}

/* The media type of the document itself. */
static ck_view get_document_type(struct reader *r, enum ck_media_kind want)
{
    enum ck_compression unused;
    ck_view type = get_string(r, CK_LIMIT_REFERENCE);
    if (ck_media_find(type, &unused) != want)
        complain(r, "the media type is of another document");
    return type;
}

void ck_index_doc_encode(const struct ck_index_doc *d, struct ck_buf *out)
{
    ck_put_u8(out, 'I');
    ck_put_str(out, d->media_type);
    ck_put_str(out, d->artifact_type);
    ck_put_u8(out, d->has_subject);
    if (d->has_subject)
        put_descriptor(out, &d->subject);
    ck_put_u32(out, (uint32_t)d->n);
    for (size_t i = 0; i < d->n; i++)
        put_descriptor(out, &d->manifests[i]);
}

ck_err *ck_index_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_index_doc *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_index_doc d = { 0 };
    enum ck_media_kind kind;
    enum ck_compression compression;
    get_tag(&r, 'I');
    d.media_type = get_document_type(&r, CK_MEDIA_INDEX);
    d.artifact_type = get_string(&r, CK_LIMIT_REFERENCE);
    if (d.artifact_type.n)
        judge(&r, ck_bad_media_type(d.artifact_type));
    d.has_subject = get_bool(&r);
    if (d.has_subject)
        d.subject = get_descriptor(&r, &kind, &compression);
    d.n = get_count(&r, CK_LIMIT_MANIFESTS, MIN_DESCRIPTOR);
    d.manifests = ck_arena_alloc(a, d.n, sizeof *d.manifests);
    for (size_t i = 0; i < d.n && ck_cur_ok(&r.c); i++)
        d.manifests[i] = get_descriptor(&r, &kind, &compression);
    CK_TRY(get_end(&r, "index"));
    *ret = d;
    return NULL;
}

void ck_manifest_doc_encode(const struct ck_manifest_doc *d, struct ck_buf *out)
{
    ck_put_u8(out, 'M');
    ck_put_str(out, d->media_type);
    put_descriptor(out, &d->config);
    ck_put_u32(out, (uint32_t)d->n);
    for (size_t i = 0; i < d->n; i++) {
        put_descriptor(out, &d->layers[i].d);
        ck_put_u8(out, (uint8_t)d->layers[i].compression);
    }
}

static struct ck_layer_desc get_layer(struct reader *r)
{
    struct ck_layer_desc l;
    enum ck_media_kind kind;
    enum ck_compression by_type = CK_COMPRESSION_NONE;
    l.d = get_descriptor(r, &kind, &by_type);
    uint8_t said = ck_cur_u8(&r->c);
    if (kind != CK_MEDIA_LAYER)
        complain(r, "a layer has the media type of something else");
    if (said != by_type)
        complain(r, "a compression is not that of the media type");
    l.compression = by_type;
    return l;
}

ck_err *ck_manifest_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_manifest_doc *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_manifest_doc d;
    enum ck_media_kind kind;
    enum ck_compression unused;
    get_tag(&r, 'M');
    d.media_type = get_document_type(&r, CK_MEDIA_MANIFEST);
    d.config = get_descriptor(&r, &kind, &unused);
    if (kind != CK_MEDIA_CONFIG)
        complain(&r, "the config has the media type of something else");
    d.n = get_count(&r, CK_LIMIT_LAYERS, MIN_DESCRIPTOR + 1);
    d.layers = ck_arena_alloc(a, d.n, sizeof *d.layers);
    for (size_t i = 0; i < d.n && ck_cur_ok(&r.c); i++)
        d.layers[i] = get_layer(&r);
    CK_TRY(get_end(&r, "manifest"));
    *ret = d;
    return NULL;
}

void ck_artifact_doc_encode(const struct ck_artifact_doc *d, struct ck_buf *out)
{
    ck_put_u8(out, 'A');
    ck_put_str(out, d->media_type);
    ck_put_str(out, d->artifact_type);
    ck_put_u8(out, d->has_subject);
    if (d->has_subject)
        put_descriptor(out, &d->subject);
    put_descriptor(out, &d->config);
    ck_put_u32(out, (uint32_t)d->n);
    for (size_t i = 0; i < d->n; i++)
        put_descriptor(out, &d->layers[i]);
}

ck_err *ck_artifact_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_artifact_doc *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_artifact_doc d = { 0 };
    enum ck_media_kind kind;
    enum ck_compression unused;
    get_tag(&r, 'A');
    d.media_type = get_document_type(&r, CK_MEDIA_MANIFEST);
    d.artifact_type = get_string(&r, CK_LIMIT_REFERENCE);
    judge(&r, ck_bad_media_type(d.artifact_type));
    d.has_subject = get_bool(&r);
    if (d.has_subject)
        d.subject = get_descriptor(&r, &kind, &unused);
    d.config = get_descriptor(&r, &kind, &unused);
    d.n = get_count(&r, CK_LIMIT_LAYERS, MIN_DESCRIPTOR);
    d.layers = ck_arena_alloc(a, d.n, sizeof *d.layers);
    for (size_t i = 0; i < d.n && ck_cur_ok(&r.c); i++)
        d.layers[i] = get_descriptor(&r, &kind, &unused);
    CK_TRY(get_end(&r, "artifact"));
    *ret = d;
    return NULL;
}

static void put_strings(struct ck_buf *out, const ck_view *v, size_t n)
{
    ck_put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        ck_put_str(out, v[i]);
}

static ck_view *get_strings(struct reader *r, enum ck_limit count, enum ck_limit each,
                            size_t *ret_n)
{
    size_t n = get_count(r, count, MIN_STRING);
    ck_view *v = ck_arena_alloc(r->a, n, sizeof *v);
    for (size_t i = 0; i < n && ck_cur_ok(&r->c); i++)
        v[i] = get_string(r, each);
    *ret_n = n;
    return v;
}

static void put_pairs(struct ck_buf *out, const struct ck_config_pair *v, size_t n)
{
    ck_put_u32(out, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        ck_put_str(out, v[i].key);
        ck_put_str(out, v[i].value);
    }
}

static struct ck_config_pair *get_pairs(struct reader *r, enum ck_limit count, enum ck_limit key,
                                        enum ck_limit value, size_t *ret_n)
{
    size_t n = get_count(r, count, MIN_PAIR);
    struct ck_config_pair *v = ck_arena_alloc(r->a, n, sizeof *v);
    for (size_t i = 0; i < n && ck_cur_ok(&r->c); i++) {
        v[i].key = get_string(r, key);
        v[i].value = get_string(r, value);
    }
    *ret_n = n;
    return v;
}

void ck_annotations_encode(const struct ck_annotations *d, struct ck_buf *out)
{
    ck_put_u8(out, 'N');
    put_pairs(out, d->v, d->n);
}

ck_err *ck_annotations_decode(ck_view bytes, struct ck_arena *a, struct ck_annotations *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_annotations d;
    get_tag(&r, 'N');
    d.v = get_pairs(&r, CK_LIMIT_JSON_VALUES, CK_LIMIT_STRING, CK_LIMIT_STRING, &d.n);
    for (size_t i = 1; i < d.n && ck_cur_ok(&r.c); i++)
        if (ck_view_cmp(d.v[i - 1].key, d.v[i].key) >= 0)
            complain(&r, "annotations must be in the order of their keys");
    CK_TRY(get_end(&r, "annotations"));
    *ret = d;
    return NULL;
}

static void put_execution(struct ck_buf *out, const struct ck_config_doc *d)
{
    ck_put_str(out, d->user);
    put_pairs(out, d->env, d->n_env);
    put_pairs(out, d->labels, d->n_labels);
    put_strings(out, d->volumes, d->n_volumes);
    put_strings(out, d->ports, d->n_ports);
}

static ck_view *get_set(struct reader *r, size_t *ret_n)
{
    ck_view *v = get_strings(r, CK_LIMIT_CONFIG_PATHS, CK_LIMIT_REFERENCE, ret_n);
    for (size_t i = 1; i < *ret_n && ck_cur_ok(&r->c); i++)
        if (ck_view_cmp(v[i - 1], v[i]) >= 0)
            complain(r, "a set must be sorted");
    return v;
}

static void get_execution(struct reader *r, struct ck_config_doc *d)
{
    d->user = get_string(r, CK_LIMIT_REFERENCE);
    judge(r, ck_bad_user(d->user));
    d->env = get_pairs(r, CK_LIMIT_CONFIG_VARIABLES, CK_LIMIT_CONFIG_VARIABLE,
                       CK_LIMIT_CONFIG_VARIABLE, &d->n_env);
    for (size_t i = 0; i < d->n_env && ck_cur_ok(&r->c); i++)
        if (ck_view_find(d->env[i].key, '=') < d->env[i].key.n ||
            d->env[i].key.n + d->env[i].value.n > CK_MAX_CONFIG_VARIABLE)
            complain(r, "a variable's name must not hold '=', and both must fit");
    d->labels = get_pairs(r, CK_LIMIT_CONFIG_LABELS, CK_LIMIT_REFERENCE, CK_LIMIT_CONFIG_LABEL,
                          &d->n_labels);
    for (size_t i = 1; i < d->n_labels && ck_cur_ok(&r->c); i++)
        if (ck_view_cmp(d->labels[i - 1].key, d->labels[i].key) >= 0)
            complain(r, "labels must be sorted");
    d->volumes = get_set(r, &d->n_volumes);
    d->ports = get_set(r, &d->n_ports);
}

void ck_config_doc_encode(const struct ck_config_doc *d, struct ck_buf *out)
{
    ck_put_u8(out, 'C');
    put_platform(out, &d->platform);
    ck_put_str(out, d->created);
    ck_put_u32(out, (uint32_t)d->n_diff_ids);
    for (size_t i = 0; i < d->n_diff_ids; i++)
        put_digest(out, &d->diff_ids[i]);
    ck_put_u8(out, d->history_ignored);
    ck_put_u32(out, (uint32_t)d->n_history);
    for (size_t i = 0; i < d->n_history; i++) {
        ck_put_str(out, d->history[i].created);
        ck_put_str(out, d->history[i].created_by);
        ck_put_str(out, d->history[i].comment);
        ck_put_u8(out, d->history[i].empty_layer);
    }
    put_execution(out, d);
}

static ck_view get_time(struct reader *r)
{
    ck_view v = get_string(r, CK_LIMIT_REFERENCE);
    judge(r, ck_bad_time(v));
    return v;
}

static void get_history(struct reader *r, struct ck_config_doc *d)
{
    d->history_ignored = get_bool(r);
    d->n_history = get_count(r, CK_LIMIT_HISTORY, MIN_HISTORY);
    d->history = ck_arena_alloc(r->a, d->n_history, sizeof *d->history);
    for (size_t i = 0; i < d->n_history && ck_cur_ok(&r->c); i++) {
        struct ck_history *h = &d->history[i];
        h->created = get_time(r);
        h->created_by = get_string(r, CK_LIMIT_STRING);
        h->comment = get_string(r, CK_LIMIT_STRING);
        h->empty_layer = get_bool(r);
    }
    if (ck_cur_ok(&r->c) && d->n_history && (d->history_ignored || !ck_history_fits(d)))
        complain(r, "the history must have one line for each layer");
}

ck_err *ck_config_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_config_doc *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_config_doc d = { 0 };
    get_tag(&r, 'C');
    d.platform = get_platform(&r);
    d.created = get_time(&r);
    d.n_diff_ids = get_count(&r, CK_LIMIT_LAYERS, MIN_DIGEST);
    d.diff_ids = ck_arena_alloc(a, d.n_diff_ids, sizeof *d.diff_ids);
    for (size_t i = 0; i < d.n_diff_ids && ck_cur_ok(&r.c); i++)
        d.diff_ids[i] = get_digest(&r);
    get_history(&r, &d);
    get_execution(&r, &d);
    CK_TRY(get_end(&r, "config"));
    *ret = d;
    return NULL;
}

void ck_docker_doc_encode(const struct ck_docker_doc *d, struct ck_buf *out)
{
    ck_put_u8(out, 'D');
    ck_put_u32(out, (uint32_t)d->n);
    for (size_t i = 0; i < d->n; i++) {
        ck_put_str(out, d->images[i].config);
        put_strings(out, d->images[i].tags, d->images[i].n_tags);
        put_strings(out, d->images[i].layers, d->images[i].n_layers);
    }
}

static struct ck_docker_image get_image(struct reader *r)
{
    struct ck_docker_image d;
    d.config = get_string(r, CK_LIMIT_PATH);
    d.tags = get_strings(r, CK_LIMIT_TAGS, CK_LIMIT_REFERENCE, &d.n_tags);
    d.layers = get_strings(r, CK_LIMIT_LAYERS, CK_LIMIT_PATH, &d.n_layers);
    judge(r, ck_bad_archive_path(d.config));
    for (size_t i = 0; i < d.n_layers && ck_cur_ok(&r->c); i++)
        judge(r, ck_bad_archive_path(d.layers[i]));
    return d;
}

ck_err *ck_docker_doc_decode(ck_view bytes, struct ck_arena *a, struct ck_docker_doc *ret)
{
    struct reader r = { .c = ck_cur_of(bytes), .a = a };
    struct ck_docker_doc d;
    get_tag(&r, 'D');
    d.n = get_count(&r, CK_LIMIT_MANIFESTS, MIN_IMAGE);
    d.images = ck_arena_alloc(a, d.n, sizeof *d.images);
    for (size_t i = 0; i < d.n && ck_cur_ok(&r.c); i++)
        d.images[i] = get_image(&r);
    CK_TRY(get_end(&r, "manifest.json"));
    CK_TRY_WRAP(ck_docker_tags_differ(&d), "message");
    *ret = d;
    return NULL;
}
