#include "source/import.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/media.h"
#include "image/name.h"
#include "room/input.h"
#include "source/source_int.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct pending_name {
    ck_view name;
    struct ck_digest digest;
};

struct import {
    const struct ck_import_options *o;
    struct ck_source *s;
    const char *path;
    uint64_t total; /* bytes of blobs that were asked for */
    CK_VEC(struct ck_digest) seen; /* manifests that are in */
    CK_VEC(struct pending_name) names;
    struct ck_imported r;
};

#define QUARANTINE CK_V("imported, not examined")

/* --- blobs ------------------------------------------------------------------------------------ */

struct wanted {
    const struct ck_descriptor *d;
    struct ck_found from;
};

static ck_err *receive(struct import *im, const struct ck_descriptor *d, struct ck_input *in,
                       struct ck_incoming *to, struct ck_digest *ret)
{
    enum { PIECE = 1 << 20 };
    ck_autofree uint8_t *piece = ck_calloc(PIECE, 1);
    struct ck_hash *h = ck_hash_new(d->digest.alg);
    uint64_t left = d->size;
    ck_err *e = ck_incoming_restart(to);
    while (left && !e) {
        size_t n = 0;
        e = ck_input_read(in, piece, left < PIECE ? (size_t)left : PIECE, &n);
        if (!e && n == 0)
            e = ck_err_new(CK_ERR_HOSTILE, "ends %llu bytes early", (unsigned long long)left);
        if (e)
            break;
        e = ck_write_all(ck_incoming_fd(to), ck_view_of(piece, n));
        ck_hash_add(h, ck_view_of(piece, n));
        left -= n;
        im->r.bytes += n;
        ck_incoming_flush_hint(to, d->size - left);
        if (im->o->progress)
            im->o->progress(im->o->ctx, im->r.bytes, im->total);
    }
    ck_hash_finish(h, ret);
    ck_hash_free(h);
    return e;
}

static ck_err *take_blob(struct import *im, const struct wanted *w, struct ck_input *in)
{
    struct ck_incoming *to = NULL;
    struct ck_digest got;
    CK_TRY(ck_incoming_new(im->s->lease, &w->d->digest, &to));
    ck_err *e = receive(im, w->d, in, to, &got);
    if (!e)
        return ck_incoming_commit(to, &got, w->d->size);
    ck_incoming_drop(to, false);
    return e;
}

static int by_offset(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    uint64_t a_at = x->from.slice.offset, b_at = y->from.slice.offset;
    return a_at < b_at ? -1 : a_at > b_at;
}

static ck_err *take_direct(struct import *im, struct wanted *w, size_t n)
{
    char text[CK_DIGEST_TEXT];
    for (size_t i = 0; i < n; i++) {
        struct ck_input in = { .fd = w[i].from.fd, .slice = w[i].from.slice };
        CK_TRY_WRAP(take_blob(im, &w[i], &in), "%s", ck_digest_text(&w[i].d->digest, text));
    }
    return NULL;
}

static ck_err *take_from_pipe(struct import *im, struct wanted *w, size_t n, int fd)
{
    char text[CK_DIGEST_TEXT];
    struct ck_input in = { .fd = fd, .slice = { .pipe = true } };
    for (size_t i = 0; i < n; i++)
        CK_TRY_WRAP(take_blob(im, &w[i], &in), "%s", ck_digest_text(&w[i].d->digest, text));
    return NULL;
}

/* Out of an archive that is compressed as a whole: all in one pass. */
static ck_err *take_copied(struct import *im, struct wanted *w, size_t n)
{
    int fd = -1;
    struct ck_slice *members = ck_arena_alloc(&im->s->arena, n, sizeof *members);
    qsort(w, n, sizeof *w, by_offset);
    for (size_t i = 0; i < n; i++)
        members[i] = w[i].from.slice;
    CK_TRY(ck_source_copy(im->s, members, n, &fd));
    ck_err *e = take_from_pipe(im, w, n, fd);
    close(fd);
    ck_err *end = ck_source_stream_end(im->s);
    if (!e)
        return end;
    ck_err_free(end);
    return e;
}

static ck_err *find_blob(struct import *im, const struct ck_descriptor *d, struct ck_found *ret)
{
    char text[CK_DIGEST_TEXT];
    bool found = false;
    CK_TRY(ck_view_find_blob(im->s, ck_blob_name(im->s, &d->digest), ret, &found));
    if (!found)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is missing", ck_digest_text(&d->digest, text));
    if (ret->slice.length == d->size)
        return NULL;
    if (ret->close)
        close(ret->fd);
    return ck_err_new(CK_ERR_HOSTILE, "%s has %llu bytes, its descriptor says %llu",
                      ck_digest_text(&d->digest, text), (unsigned long long)ret->slice.length,
                      (unsigned long long)d->size);
}

static bool listed(const struct wanted *w, size_t n, const struct ck_digest *d)
{
    for (size_t i = 0; i < n; i++)
        if (ck_digest_eq(&w[i].d->digest, d))
            return true;
    return false;
}

/* Those that the store does not have yet. */
static ck_err *find_wanted(struct import *im, const struct ck_descriptor *parts, size_t n,
                           struct wanted *w, size_t *ret_n)
{
    for (size_t i = 0; i < n; i++) {
        bool has = false;
        CK_TRY(ck_store_has(im->s->lease, &parts[i].digest, NULL, &has));
        if (has || listed(w, *ret_n, &parts[i].digest))
            continue;
        w[*ret_n].d = &parts[i];
        CK_TRY(find_blob(im, &parts[i], &w[*ret_n].from));
        im->total += parts[i].size;
        ++*ret_n;
    }
    return NULL;
}

static ck_err *take_blobs(struct import *im, const struct ck_descriptor *parts, size_t n)
{
    size_t n_wanted = 0;
    uint64_t sum = 0;
    struct wanted *w = ck_arena_alloc(&im->s->arena, n + 1, sizeof *w);
    for (size_t i = 0; i < n; i++) {
        sum += parts[i].size;
        if (sum > CK_MAX_IMAGE_SIZE)
            return ck_err_limit(CK_LIMIT_IMAGE_SIZE, "its layers");
    }
    ck_err *e = find_wanted(im, parts, n, w, &n_wanted);
    if (!e && n_wanted)
        e = w[0].from.slice.pipe ? take_copied(im, w, n_wanted) : take_direct(im, w, n_wanted);
    for (size_t i = 0; i < n_wanted; i++)
        if (w[i].from.close)
            close(w[i].from.fd);
    return e;
}

/* --- manifests -------------------------------------------------------------------------------- */

static struct ck_store_part part(const struct ck_descriptor *d, enum ck_part_role role)
{
    return (struct ck_store_part){ d->digest, d->size, d->media_type, role };
}

/* Read strictly as an image, with its config: what the decoder of artifacts let through is not
 * enough for that. */
static ck_err *platform_of(struct import *im, const struct ck_descriptor *d, ck_view json,
                           ck_view *ret)
{
    struct ck_source *s = im->s;
    ck_autobuf struct ck_buf config_json = ck_buf_new(CK_LIMIT_DOCUMENT);
    struct ck_manifest_doc m;
    struct ck_config_doc config;
    ck_view bytes;
    CK_TRY(ck_source_decode(s, CK_DOCUMENT_MANIFEST, d->media_type, json, &bytes));
    CK_TRY(ck_manifest_doc_decode(bytes, &s->arena, &m));
    CK_TRY(ck_source_document(s, ck_blob_name(s, &m.config.digest), &m.config, &config_json));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_CONFIG, m.config.media_type,
                                 ck_buf_view(&config_json), &bytes), "config");
    CK_TRY(ck_config_doc_decode(bytes, &s->arena, &config));
    CK_TRY(ck_image_layers_fit(&config, m.n));
    *ret = ck_view_str(ck_platform_text(&config.platform, &s->arena));
    return NULL;
}

/* cosign's tags and the fallback tag of the referrers API say in the name what the image is that
 * this refers to: "sha256-HEX", with something behind a dot or not. */
static bool subject_by_name(ck_view name, struct ck_digest *ret)
{
    char text[CK_DIGEST_TEXT];
    ck_view head = ck_view_head(name, ck_view_find(name, '.'));
    size_t dash = ck_view_find(head, '-');
    if (dash == head.n || head.n >= sizeof text)
        return false;
    memcpy(text, head.p, head.n);
    text[head.n] = 0;
    text[dash] = ':';
    ck_err *e = ck_digest_parse(ck_view_str(text), ret);
    ck_err_free(e);
    return !e;
}

static ck_err *subject_of(const struct ck_artifact_doc *doc, ck_view name,
                          struct ck_store_image *ret)
{
    struct ck_digest named;
    bool has_named = subject_by_name(name, &named);
    if (doc->has_subject && has_named && !ck_digest_eq(&named, &doc->subject.digest))
        return ck_err_new(CK_ERR_HOSTILE, "its name says that it refers to another image than its "
                                          "subject does");
    ret->has_subject = doc->has_subject || has_named;
    if (ret->has_subject)
        ret->subject = doc->has_subject ? doc->subject.digest : named;
    return NULL;
}

static ck_err *record_manifest(struct import *im, const struct ck_descriptor *d, ck_view json,
                               const struct ck_artifact_doc *doc)
{
    struct ck_store_image entry = { .digest = d->digest, .media_type = doc->media_type,
                                    .size = d->size, .n_parts = doc->n + 1, .reason = QUARANTINE };
    entry.parts = ck_arena_alloc(&im->s->arena, entry.n_parts, sizeof *entry.parts);
    entry.parts[0] = part(&doc->config, CK_PART_CONFIG);
    for (size_t i = 0; i < doc->n; i++)
        entry.parts[i + 1] = part(&doc->layers[i], CK_PART_LAYER);
    CK_TRY(subject_of(doc, d->ref_name, &entry));
    bool image = ck_artifact_is_image(doc);
    if (image)
        CK_TRY(platform_of(im, d, json, &entry.platform));
    if (!image || entry.has_subject)
        entry.artifact_type = doc->artifact_type;
    im->r.images += image && !entry.has_subject;
    im->r.referrers += !image || entry.has_subject;
    return ck_store_add_image(im->s->lease, &entry, true);
}

static ck_err *take_manifest(struct import *im, const struct ck_descriptor *d, ck_view json)
{
    struct ck_artifact_doc doc;
    ck_view bytes;
    CK_TRY(ck_source_decode(im->s, CK_DOCUMENT_ARTIFACT, d->media_type, json, &bytes));
    CK_TRY(ck_artifact_doc_decode(bytes, &im->s->arena, &doc));
    struct ck_descriptor *parts = ck_arena_alloc(&im->s->arena, doc.n + 1, sizeof *parts);
    parts[0] = doc.config;
    for (size_t i = 0; i < doc.n; i++)
        parts[i + 1] = doc.layers[i];
    CK_TRY(take_blobs(im, parts, doc.n + 1));
    return record_manifest(im, d, json, &doc);
}

static ck_err *take(struct import *im, const struct ck_descriptor *d, unsigned depth);

/* Platforms that the layout left out are left out here. */
static ck_err *take_child(struct import *im, const struct ck_descriptor *d, unsigned depth)
{
    struct ck_found f;
    bool found = false;
    CK_TRY(ck_view_find_blob(im->s, ck_blob_name(im->s, &d->digest), &f, &found));
    if (found && f.close)
        close(f.fd);
    return found ? take(im, d, depth) : NULL;
}

static ck_err *take_index(struct import *im, const struct ck_descriptor *d, ck_view json,
                          unsigned depth)
{
    struct ck_store_image entry = { .digest = d->digest, .size = d->size, .index = true,
                                    .reason = QUARANTINE };
    struct ck_index_doc ix;
    ck_view bytes;
    if (depth >= CK_MAX_INDEX_NESTING)
        return ck_err_limit(CK_LIMIT_INDEX_NESTING, "an index in an index");
    CK_TRY(ck_source_decode(im->s, CK_DOCUMENT_INDEX, d->media_type, json, &bytes));
    CK_TRY(ck_index_doc_decode(bytes, &im->s->arena, &ix));
    entry.media_type = ix.media_type;
    entry.n_parts = ix.n;
    entry.parts = ck_arena_alloc(&im->s->arena, ix.n + 1, sizeof *entry.parts);
    for (size_t i = 0; i < ix.n; i++) {
        CK_TRY(take_child(im, &ix.manifests[i], depth + 1));
        entry.parts[i] = part(&ix.manifests[i], CK_PART_MANIFEST);
    }
    return ck_store_add_image(im->s->lease, &entry, true);
}

static bool was_seen(const struct import *im, const struct ck_digest *d)
{
    for (size_t i = 0; i < im->seen.n; i++)
        if (ck_digest_eq(&im->seen.v[i], d))
            return true;
    return false;
}

static bool is_known_kind(const struct ck_descriptor *d)
{
    enum ck_compression unused;
    enum ck_media_kind kind = ck_media_find(d->media_type, &unused);
    return kind != CK_MEDIA_OTHER && kind != CK_MEDIA_ARTIFACT;
}

static ck_err *take_document(struct import *im, const struct ck_descriptor *d, unsigned depth)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY(ck_source_document(im->s, ck_blob_name(im->s, &d->digest), d, &json));
    CK_TRY(ck_source_decode(im->s, CK_DOCUMENT_KIND, d->media_type, ck_buf_view(&json), &bytes));
    if (bytes.n != 1 || bytes.p[0] > CK_DOC_MANIFEST)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: document kind");
    CK_TRY(ck_store_put(im->s->lease, &d->digest, ck_buf_view(&json)));
    return bytes.p[0] == CK_DOC_INDEX ? take_index(im, d, ck_buf_view(&json), depth)
                                      : take_manifest(im, d, ck_buf_view(&json));
}

static ck_err *take(struct import *im, const struct ck_descriptor *d, unsigned depth)
{
    char text[CK_DIGEST_TEXT];
    if (was_seen(im, &d->digest))
        return NULL;
    if (!is_known_kind(d)) {
        im->r.left_out++;
        return NULL;
    }
    *ck_push(&im->seen) = d->digest;
    CK_TRY_WRAP(take_document(im, d, depth), "%s", ck_digest_text(&d->digest, text));
    return NULL;
}

/* --- names ------------------------------------------------------------------------------------ */

/* What may stand in a name, of the name of the file or directory. */
static const char *own_name(struct import *im)
{
    ck_view v = ck_view_str(im->path);
    while (v.n > 1 && v.p[v.n - 1] == '/')
        v.n--;
    for (size_t i = v.n; i > 0; i--)
        if (v.p[i - 1] == '/') {
            v = ck_view_from(v, i);
            break;
        }
    v = ck_view_head(v, ck_view_find(v, '.'));
    char *out = ck_arena_alloc(&im->s->arena, v.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; i < v.n && n < 64; i++) {
        uint8_t c = v.p[i] >= 'A' && v.p[i] <= 'Z' ? (uint8_t)(v.p[i] + 32) : v.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain || (n && out[n - 1] != '-'))
            out[n++] = plain ? (char)c : '-';
    }
    while (n && out[n - 1] == '-')
        n--;
    out[n] = 0;
    return n ? out : "layout";
}

static ck_err *parse_name(struct import *im, ck_view text, ck_view *ret)
{
    struct ck_name n;
    CK_TRY(ck_name_parse(text, &im->s->arena, &n));
    *ret = ck_view_str(ck_name_text(&n, &im->s->arena));
    return NULL;
}

static ck_err *name_of(struct import *im, const struct ck_descriptor *d, ck_view *ret)
{
    char digest[CK_DIGEST_TEXT];
    ck_view name = d->image_name.n ? d->image_name : d->ref_name;
    bool whole = ck_view_find(name, '/') < name.n || ck_view_find(name, ':') < name.n;
    const char *made = !name.n ? ck_arena_format(&im->s->arena, "localhost/%s@%s", own_name(im),
                                                 ck_digest_text(&d->digest, digest))
                       : whole ? NULL
                               : ck_arena_format(&im->s->arena, "localhost/%s:%.*s", own_name(im),
                                                 CK_VF(name));
    ck_err *e = parse_name(im, made ? ck_view_str(made) : name, ret);
    if (!e)
        return NULL;
    return ck_err_reclass(ck_err_wrap(e, "index.json: the name of %s",
                                      ck_digest_text(&d->digest, digest)), CK_ERR_HOSTILE);
}

/* What refers to something is found from there; an index under the fallback tag is a mere list. */
static ck_err *note_name(struct import *im, const struct ck_descriptor *d)
{
    struct ck_store_entry e;
    struct ck_digest unused;
    bool found = false;
    CK_TRY(ck_store_get(im->s->store, &d->digest, &im->s->arena, &e, &found));
    if (!found || e.image.has_subject || subject_by_name(d->ref_name, &unused))
        return NULL;
    struct pending_name n = { .digest = d->digest };
    CK_TRY(name_of(im, d, &n.name));
    *ck_push(&im->names) = n;
    return NULL;
}

static ck_err *enter_name(struct import *im, const struct pending_name *p, struct ck_arena *a,
                          struct ck_imported_name *ret)
{
    struct ck_imported_name n = { .name = ck_arena_dup(a, p->name), .digest = p->digest };
    ck_autofree char *text = ck_format("from %s", im->path);
    CK_TRY(ck_store_set_name(im->s->lease, p->name, &p->digest, &n.moved, &n.moved_from));
    CK_TRY(ck_log_append(im->s->store, CK_V("import"), &p->digest, p->name, ck_view_str(text)));
    *ret = n;
    return NULL;
}

static ck_err *enter_names(struct import *im, struct ck_arena *a)
{
    im->r.names = ck_arena_alloc(a, im->names.n + 1, sizeof *im->r.names);
    for (size_t i = 0; i < im->names.n; i++) {
        CK_TRY(enter_name(im, &im->names.v[i], a, &im->r.names[i]));
        im->r.n_names++;
    }
    return NULL;
}

/* --- the layout ------------------------------------------------------------------------------- */

static ck_err *open_path(struct import *im)
{
    struct ck_source *s = im->s;
    struct stat st;
    CK_TRY(ck_store_open(im->o->store, &s->store));
    CK_TRY(ck_lease_new(s->store, &s->lease));
    if (stat(im->path, &st) == 0 && S_ISDIR(st.st_mode)) {
        s->view.dir = open(im->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return s->view.dir < 0 ? ck_err_errno(CK_ERR_UNAVAILABLE, "opening it") : NULL;
    }
    return ck_archive_open(s, im->path);
}

static ck_err *read_top(struct import *im, struct ck_index_doc *ret)
{
    struct ck_source *s = im->s;
    ck_autobuf struct ck_buf layout = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_autobuf struct ck_buf index = ck_buf_new(CK_LIMIT_DOCUMENT);
    ck_view bytes;
    CK_TRY(ck_source_document(s, CK_V("oci-layout"), NULL, &layout));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_LAYOUT, CK_V(""), ck_buf_view(&layout), &bytes),
                "oci-layout");
    CK_TRY(ck_source_document(s, CK_V("index.json"), NULL, &index));
    CK_TRY_WRAP(ck_source_decode(s, CK_DOCUMENT_INDEX, CK_V(""), ck_buf_view(&index), &bytes),
                "index.json");
    return ck_index_doc_decode(bytes, &s->arena, ret);
}

static ck_err *run(struct import *im, struct ck_arena *a)
{
    struct ck_index_doc top;
    CK_TRY(open_path(im));
    CK_TRY(read_top(im, &top));
    for (size_t i = 0; i < top.n; i++)
        CK_TRY(take(im, &top.manifests[i], 0));
    for (size_t i = 0; i < top.n; i++)
        CK_TRY(note_name(im, &top.manifests[i]));
    return enter_names(im, a);
}

ck_err *ck_import(const char *path, const struct ck_import_options *o, struct ck_arena *a,
                  struct ck_imported *ret)
{
    struct import im = { .o = o, .path = path };
    ck_source_bare(o->no_sandbox, &im.s);
    ck_err *e = run(&im, a);
    if (!e)
        *ret = im.r;
    ck_source_close(im.s);
    free(im.seen.v);
    free(im.names.v);
    return e ? ck_err_wrap(e, "%s", path) : NULL;
}
