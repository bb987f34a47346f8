#include "load/export.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/name.h"
#include "load/layout_write.h"
#include "store/store.h"
#include "verdict/verdict.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_EMPTY "application/vnd.oci.empty.v1+json"

/* A file below blobs/; `bytes` where it is made here, not in the store. */
struct item {
    struct ck_digest digest;
    uint64_t size;
    bool made;
    ck_view bytes;
};

/* A line of index.json. */
struct top {
    struct ck_digest digest;
    uint64_t size;
    ck_view media_type, artifact_type, name;
};

struct export {
    const struct ck_export_options *o;
    struct ck_arena arena;
    struct ck_store *s;
    struct ck_lease *l;
    struct ck_policy *policy;
    CK_VEC(struct ck_digest) manifests; /* those to look at, each once */
    CK_VEC(struct item) items;
    CK_VEC(struct top) tops;
    uint64_t total;
    struct ck_exported r;
};

static void note(struct export *x, const char *text)
{
    if (x->o->note)
        x->o->note(x->o->ctx, text);
}

/* --- what belongs to it ----------------------------------------------------------------------- */

static bool want_manifest(struct export *x, const struct ck_digest *d)
{
    for (size_t i = 0; i < x->manifests.n; i++)
        if (ck_digest_eq(&x->manifests.v[i], d))
            return false;
    *ck_push(&x->manifests) = *d;
    return true;
}

static void want_blob(struct export *x, const struct ck_digest *d, uint64_t size)
{
    *ck_push(&x->items) = (struct item){ .digest = *d, .size = size };
}

static struct ck_digest want_made(struct export *x, ck_view bytes)
{
    struct item i = { .size = bytes.n, .made = true, .bytes = bytes };
    ck_hash_of(CK_DIGEST_SHA256, bytes, &i.digest);
    *ck_push(&x->items) = i;
    return i.digest;
}

static void add_top(struct export *x, const struct ck_store_image *im, ck_view name)
{
    for (size_t i = 0; i < x->tops.n; i++)
        if (ck_digest_eq(&x->tops.v[i].digest, &im->digest) &&
            ck_view_eq(x->tops.v[i].name, name))
            return;
    *ck_push(&x->tops) = (struct top){ im->digest, im->size, im->media_type, im->artifact_type,
                                       name };
}

static void put_descriptor(struct ck_buf *b, ck_view type, const struct ck_digest *d, uint64_t size)
{
    char text[CK_DIGEST_TEXT];
    ck_put_bytes(b, CK_V("{\"mediaType\":"));
    ck_buf_json_str(b, type);
    ck_buf_format(b, ",\"digest\":\"%s\",\"size\":%llu", ck_digest_text(d, text),
                  (unsigned long long)size);
}

/* The report as an artifact that refers to the image. */
static void make_report(struct export *x, const struct ck_store_image *im, ck_view json)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_digest config = want_made(x, CK_V("{}")), layer = want_made(x, json);
    ck_put_bytes(&b, CK_V("{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST "\","
                          "\"artifactType\":\"" CK_REPORT_TYPE "\",\"config\":"));
    put_descriptor(&b, CK_V(OCI_EMPTY), &config, 2);
    ck_put_bytes(&b, CK_V("},\"layers\":["));
    put_descriptor(&b, CK_V(CK_REPORT_TYPE), &layer, json.n);
    ck_put_bytes(&b, CK_V("}],\"subject\":"));
    put_descriptor(&b, im->media_type, &im->digest, im->size);
    ck_put_bytes(&b, CK_V("}}"));
    ck_view manifest = ck_arena_dup(&x->arena, ck_buf_view(&b));
    ck_buf_free(&b);
    struct ck_store_image report = { .digest = want_made(x, manifest), .size = manifest.n,
                                     .media_type = CK_V(OCI_MANIFEST),
                                     .artifact_type = CK_V(CK_REPORT_TYPE) };
    /* one that was imported may be the same, byte for byte */
    if (want_manifest(x, &report.digest))
        add_top(x, &report, CK_V(""));
    x->r.reports++;
}

static ck_err *take_report(struct export *x, const struct ck_store_image *im)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    CK_TRY(ck_store_get_report(x->s, &im->digest, &json, &found));
    if (found)
        make_report(x, im, ck_arena_dup(&x->arena, ck_buf_view(&json)));
    return NULL;
}

/* "sha256-HEX.DIGITS": of what it refers to, and of itself. */
static ck_view referrer_name(struct export *x, const struct ck_store_image *im)
{
    enum { DIGITS = 12 };
    char subject[CK_DIGEST_TEXT], own[CK_DIGEST_TEXT];
    ck_digest_text(&im->subject, subject);
    *strchr(subject, ':') = '-';
    ck_digest_text(&im->digest, own);
    return ck_view_str(ck_arena_format(&x->arena, "%s.%.*s", subject, DIGITS,
                                       strchr(own, ':') + 1));
}

static ck_err *take_referrers(struct export *x, const struct ck_digest *subject)
{
    struct ck_store_entry *v;
    size_t n;
    CK_TRY(ck_store_referrers(x->s, subject, &x->arena, &v, &n));
    for (size_t i = 0; i < n; i++) {
        if (!want_manifest(x, &v[i].image.digest))
            continue;
        add_top(x, &v[i].image, referrer_name(x, &v[i].image));
        x->r.referrers++;
    }
    return NULL;
}

static ck_err *take_parts(struct export *x, const struct ck_store_entry *e)
{
    char text[CK_DIGEST_TEXT];
    struct ck_store_entry child;
    bool found = false;
    for (size_t i = 0; i < e->image.n_parts; i++) {
        const struct ck_store_part *p = &e->image.parts[i];
        if (p->role != CK_PART_MANIFEST) {
            want_blob(x, &p->digest, p->size);
            continue;
        }
        CK_TRY(ck_store_get(x->s, &p->digest, &x->arena, &child, &found));
        if (found)
            want_manifest(x, &p->digest);
    }
    if (!e->complete)
        return ck_err_new(CK_ERR_UNAVAILABLE, "%s is not whole in the store (cocket fetch)",
                          ck_digest_text(&e->image.digest, text));
    return NULL;
}

/* Of the blob itself, what its parts are, and what refers to it. */
static ck_err *take_manifest(struct export *x, struct ck_digest d)
{
    struct ck_store_entry e;
    bool found = false;
    CK_TRY(ck_store_get(x->s, &d, &x->arena, &e, &found));
    if (!found) /* a report made here */
        return NULL;
    want_blob(x, &e.image.digest, e.image.size);
    CK_TRY(take_parts(x, &e));
    CK_TRY(take_report(x, &e.image));
    x->r.images += !e.image.index && !e.image.artifact_type.n;
    return take_referrers(x, &d);
}

/* --- what was asked for ----------------------------------------------------------------------- */

static bool has_name(const struct ck_store_entry *e, ck_view name)
{
    for (size_t i = 0; i < e->n_names; i++)
        if (ck_view_eq(e->names[i], name))
            return true;
    return false;
}

/* The name that was meant, if it was one; else all that it has. */
/* The name that `ref` means, or `ref` itself. */
static ck_view meant_by(struct export *x, const char *ref)
{
    struct ck_name n;
    ck_err *err = ck_name_parse(ck_view_str(ref), &x->arena, &n);
    ck_view meant = err ? ck_view_str(ref) : ck_view_str(ck_name_text(&n, &x->arena));
    ck_err_free(err);
    return meant;
}

static void add_names(struct export *x, const char *ref, const struct ck_store_entry *e)
{
    ck_view meant = meant_by(x, ref);
    if (has_name(e, meant)) {
        add_top(x, &e->image, meant);
        return;
    }
    for (size_t i = 0; i < e->n_names; i++)
        add_top(x, &e->image, e->names[i]);
    if (e->n_names == 0)
        add_top(x, &e->image, CK_V(""));
}

/* What is written is for import, which holds it back; whoever takes it from there should know. */
static ck_err *warn(struct export *x, const char *ref, const struct ck_store_entry *e)
{
    ck_autofree char *user = ck_login_name(), *safe = ck_escape(ck_view_str(ref));
    struct ck_verdict_question q = { .name = meant_by(x, ref), .user = ck_view_str(user),
                                     .now = time(NULL) };
    struct ck_verdict v;
    if (!has_name(e, q.name))
        q.name = e->n_names ? e->names[0] : CK_V("");
    CK_TRY(ck_verdict_of(x->s, x->policy, &e->image.digest, &q, &x->arena, &v));
    if (v.decision == CK_ALLOW)
        return NULL;
    ck_autofree char *text = ck_format("%s is %s: only cocket import holds it back", safe,
                                       v.decision == CK_DENY ? "denied" : "quarantined");
    note(x, text);
    return NULL;
}

static ck_err *take_root(struct export *x, const char *ref)
{
    struct ck_store_entry e;
    bool there = false;
    CK_TRY(ck_store_find_typed(x->s, ck_view_str(ref), &x->arena, &e));
    CK_TRY(ck_store_has(x->l, &e.image.digest, NULL, &there)); /* all that belongs to it stays */
    if (!there)
        return ck_err_new(CK_ERR_OURS, "%s: its manifest is gone (see cocket fsck)", ref);
    want_manifest(x, &e.image.digest);
    add_names(x, ref, &e);
    return warn(x, ref, &e);
}

static int by_digest(const void *x, const void *y)
{
    const struct item *a = x, *b = y;
    if (a->digest.alg != b->digest.alg)
        return a->digest.alg < b->digest.alg ? -1 : 1;
    return memcmp(a->digest.bytes, b->digest.bytes, sizeof a->digest.bytes);
}

/* Each blob once. */
static void sort_items(struct export *x)
{
    size_t n = 0;
    if (x->items.n)
        qsort(x->items.v, x->items.n, sizeof *x->items.v, by_digest);
    for (size_t i = 0; i < x->items.n; i++)
        if (n == 0 || by_digest(&x->items.v[n - 1], &x->items.v[i]) != 0)
            x->items.v[n++] = x->items.v[i];
    x->items.n = n;
    for (size_t i = 0; i < n; i++)
        x->total += x->items.v[i].size;
}

static ck_err *collect(struct export *x, char *const *refs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        CK_TRY(take_root(x, refs[i]));
    for (size_t i = 0; i < x->manifests.n; i++)
        CK_TRY(take_manifest(x, x->manifests.v[i]));
    sort_items(x);
    return NULL;
}

/* --- writing ---------------------------------------------------------------------------------- */

static ck_err *put_index(struct export *x, struct ck_layout_out *w)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, CK_V("{\"schemaVersion\":2,"
                          "\"mediaType\":\"application/vnd.oci.image.index.v1+json\","
                          "\"manifests\":["));
    for (size_t i = 0; i < x->tops.n; i++) {
        const struct top *t = &x->tops.v[i];
        ck_put_bytes(&b, i ? CK_V(",") : CK_V(""));
        put_descriptor(&b, t->media_type, &t->digest, t->size);
        if (t->artifact_type.n) {
            ck_put_bytes(&b, CK_V(",\"artifactType\":"));
            ck_buf_json_str(&b, t->artifact_type);
        }
        if (t->name.n) {
            ck_put_bytes(&b, CK_V(",\"annotations\":{\"org.opencontainers.image.ref.name\":"));
            ck_buf_json_str(&b, t->name);
            ck_put_bytes(&b, CK_V("}"));
        }
        ck_put_bytes(&b, CK_V("}"));
    }
    ck_put_bytes(&b, CK_V("]}"));
    if (x->tops.n > CK_MAX_MANIFESTS || b.n > CK_MAX_DOCUMENT)
        return ck_err_limit(CK_LIMIT_MANIFESTS, "%zu images and referrers", x->tops.n);
    return ck_layout_out_put(w, "index.json", ck_buf_view(&b));
}

/* Hashed once more on its way: what left the machine was what the name says. */
static ck_err *copy(struct export *x, struct ck_layout_out *w, int fd, const struct item *i)
{
    enum { PIECE = 1 << 20 };
    char text[CK_DIGEST_TEXT];
    ck_autofree uint8_t *piece = ck_calloc(PIECE, 1);
    struct ck_hash *h = ck_hash_new(i->digest.alg);
    struct ck_digest got;
    uint64_t left = i->size;
    ck_err *e = NULL;
    while (left && !e) {
        ssize_t n = read(fd, piece, left < PIECE ? left : PIECE);
        if (n <= 0)
            break;
        ck_hash_add(h, ck_view_of(piece, (size_t)n));
        e = ck_layout_out_data(w, ck_view_of(piece, (size_t)n));
        left -= (uint64_t)n;
        x->r.bytes += (uint64_t)n;
        if (x->o->progress)
            x->o->progress(x->o->ctx, x->r.bytes, x->total);
    }
    ck_hash_finish(h, &got);
    ck_hash_free(h);
    if (!e && !ck_digest_eq(&got, &i->digest))
        e = ck_err_new(CK_ERR_OURS, "store %s: %s is damaged (see cocket fsck)",
                       ck_store_dir(x->s), ck_digest_text(&i->digest, text));
    return e;
}

static ck_err *put_item(struct export *x, struct ck_layout_out *w, const struct item *i)
{
    char text[CK_DIGEST_TEXT];
    uint64_t size = 0;
    int fd = -1;
    ck_digest_text(&i->digest, text);
    ck_autofree char *name = ck_format("blobs/%s/%s", ck_digest_algorithm_name(i->digest.alg),
                                       strchr(text, ':') + 1);
    x->r.blobs++;
    if (i->made) {
        x->r.bytes += i->size;
        return ck_layout_out_put(w, name, i->bytes);
    }
    CK_TRY(ck_store_open_blob(x->s, &i->digest, &fd, &size));
    ck_err *e = size == i->size ? ck_layout_out_file(w, name, size)
                                : ck_err_new(CK_ERR_OURS, "%s has another size in the store", text);
    if (!e)
        e = copy(x, w, fd, i);
    close(fd);
    return e;
}

static ck_err *put_all(struct export *x, struct ck_layout_out *w)
{
    CK_TRY(ck_layout_out_put(w, "oci-layout", CK_V("{\"imageLayoutVersion\":\"1.0.0\"}")));
    CK_TRY(put_index(x, w));
    for (size_t i = 0; i < x->items.n; i++)
        CK_TRY(put_item(x, w, &x->items.v[i]));
    return NULL;
}

static ck_err *log_roots(struct export *x, const char *to)
{
    ck_autofree char *text = ck_format("to %s", to);
    for (size_t i = 0; i < x->tops.n; i++) {
        const struct top *t = &x->tops.v[i];
        if (!t->artifact_type.n)
            CK_TRY(ck_log_append(x->s, CK_V("export"), &t->digest, t->name, ck_view_str(text)));
    }
    return NULL;
}

static ck_err *run(struct export *x, char *const *refs, size_t n, const char *to)
{
    struct ck_layout_out w;
    CK_TRY(ck_policy_load(x->o->policy, &x->policy));
    CK_TRY(ck_store_open(x->o->store, &x->s));
    CK_TRY(ck_lease_new(x->s, &x->l));
    CK_TRY(collect(x, refs, n));
    CK_TRY(ck_layout_out_open(to, &w));
    CK_TRY(ck_layout_out_close(&w, put_all(x, &w)));
    return log_roots(x, to);
}

ck_err *ck_export(char *const *refs, size_t n, const char *to, const struct ck_export_options *o,
                  struct ck_exported *ret)
{
    struct export x = { .o = o };
    ck_err *e = run(&x, refs, n, to);
    if (!e)
        *ret = x.r;
    ck_lease_end(x.l);
    ck_store_close(x.s);
    ck_policy_free(x.policy);
    free(x.manifests.v);
    free(x.items.v);
    free(x.tops.v);
    ck_arena_free(&x.arena);
    return e;
}
