#include "source/fetch.h"

#include "base/mem.h"
#include "base/text.h"
#include "source/referrers.h"
#include "source/source_int.h"

struct fetch {
    const struct ck_fetch_options *o;
    struct ck_arena *arena;
    struct ck_fetched result;
};

static void tick(void *ctx)
{
    struct ck_source *s = ((void **)ctx)[0];
    const struct ck_fetch_options *o = ((void **)ctx)[1];
    if (o->progress && s->arrivals)
        o->progress(o->ctx, s->arrivals);
}

ck_err *ck_fetch_wait(struct ck_source *s, const struct ck_fetch_options *o)
{
    void *ctx[2] = { s, (void *)(uintptr_t)o };
    if (!s->arrivals)
        return NULL;
    CK_TRY(ck_arrivals_finish(s->arrivals, tick, ctx));
    tick(ctx); /* everything is there: shown once */
    return NULL;
}

static ck_err *fetch_layers(struct fetch *f, struct ck_source *s)
{
    for (size_t i = 0; i < s->image.n_layers; i++)
        ck_source_want(s, i);
    return ck_fetch_wait(s, f->o);
}

static ck_err *fetch_referrers(struct fetch *f, struct ck_source *s, const struct ck_digest *d)
{
    if (f->o->no_referrers)
        return NULL;
    ck_err *e = ck_referrers_fetch(s, f->o, d, &f->result.referrers);
    if (!e || ck_err_class(e) != CK_ERR_UNAVAILABLE)
        return e;
    /* The image is whole without them; whoever demands a signature will miss it. */
    ck_autofree char *text = ck_format("referrers: %s", ck_err_text(e));
    ck_err_free(e);
    if (f->o->note)
        f->o->note(f->o->ctx, text);
    return NULL;
}

static void count(struct fetch *f, const struct ck_source *s)
{
    f->result.images++;
    for (size_t i = 0; i < s->image.n_layers; i++)
        f->result.bytes += s->image.layers[i].size;
}

static ck_err *fetch_image(struct fetch *f, struct ck_source *s)
{
    bool moved;
    struct ck_digest from;
    CK_TRY(fetch_layers(f, s));
    CK_TRY(ck_source_record(s, true, &moved, &from));
    count(f, s);
    if (!s->options.unnamed) {
        f->result.moved = moved;
        f->result.moved_from = from;
    }
    return fetch_referrers(f, s, &s->image.digest);
}

/* A child by its digest: an image like any other, without a name of its own. */
static ck_err *fetch_child(struct fetch *f, const struct ck_name *parent,
                           const struct ck_descriptor *d)
{
    struct ck_reference ref = { .transport = CK_TRANSPORT_DOCKER, .path = "", .image = *parent };
    struct ck_source_options so = f->o->source;
    struct ck_source *s = NULL;
    ref.image.tag = (ck_view){ 0 };
    ref.image.has_digest = true;
    ref.image.digest = d->digest;
    ref.text = ck_name_text(&ref.image, f->arena);
    so.platform = d->platform.os.n ? &d->platform : NULL;
    so.platform_asked = false;
    so.unnamed = true;
    CK_TRY(ck_source_open(&ref, &so, &s));
    ck_err *e = fetch_image(f, s);
    ck_source_close(s);
    return e;
}

static ck_err *fetch_index(struct fetch *f, struct ck_source *s)
{
    const struct ck_index_doc *ix = &s->image.children;
    for (size_t i = 0; i < ix->n; i++) {
        const struct ck_descriptor *d = &ix->manifests[i];
        ck_err *e = d->attestation ? ck_referrers_fetch_one(s, f->o, d, NULL)
                                   : fetch_child(f, ck_remote_name(s->remote), d);
        if (e)
            return ck_err_wrap(e, "manifest %zu of the index", i + 1);
        f->result.referrers += d->attestation;
    }
    CK_TRY(ck_source_record(s, true, &f->result.moved, &f->result.moved_from));
    return NULL;
}

static void describe(struct fetch *f, struct ck_source *s)
{
    const struct ck_image *im = &s->image;
    struct ck_fetched *r = &f->result;
    r->name = ck_arena_dup(f->arena, im->name);
    r->digest = im->has_index ? im->index.digest : im->digest;
    r->manifest = im->has_digest ? im->digest : im->index.digest;
    if (im->has_digest)
        r->platform = ck_view_str(ck_platform_text(&im->config.platform, f->arena));
    r->warnings = ck_arena_alloc(f->arena, im->n_warnings + 1, sizeof *r->warnings);
    r->n_warnings = im->n_warnings;
    for (size_t i = 0; i < im->n_warnings; i++)
        r->warnings[i] = (struct ck_name_warning){ im->warnings[i].kind,
                                                   ck_arena_dup(f->arena, im->warnings[i].text),
                                                   ck_arena_dup(f->arena, im->warnings[i].like) };
}

static ck_err *log_it(struct fetch *f, struct ck_source *s)
{
    char text[CK_DIGEST_TEXT];
    struct ck_fetched *r = &f->result;
    ck_autofree char *size = ck_format_bytes(r->bytes);
    ck_autofree char *said = ck_format("%zu image%s, %s of layers, %zu referrer%s%s%s", r->images,
                                       r->images == 1 ? "" : "s", size, r->referrers,
                                       r->referrers == 1 ? "" : "s", r->moved ? "; it was " : "",
                                       r->moved ? ck_digest_text(&r->moved_from, text) : "");
    return ck_log_append(s->store, CK_V("fetch"), &r->digest, r->name, ck_view_str(said));
}

static ck_err *fetch(struct fetch *f, struct ck_source *s)
{
    bool whole = s->image.children.n > 0;
    CK_TRY(whole ? fetch_index(f, s) : fetch_image(f, s));
    if (s->image.has_index)
        CK_TRY(fetch_referrers(f, s, &s->image.index.digest));
    describe(f, s);
    return log_it(f, s);
}

ck_err *ck_fetch(const struct ck_reference *ref, const struct ck_fetch_options *o,
                 struct ck_arena *a, struct ck_fetched *ret)
{
    struct fetch f = { .o = o, .arena = a };
    struct ck_source_options so = o->source;
    struct ck_source *s = NULL;
    if (ref->transport != CK_TRANSPORT_DOCKER)
        return ck_err_new(CK_ERR_USAGE, "%s: only images at a registry are fetched; a layout or "
                                        "archive of your own comes in with cocket import",
                          ref->text);
    so.whole_index = o->all_platforms;
    ck_err *e = ck_source_open(ref, &so, &s);
    if (!e)
        e = fetch(&f, s);
    ck_source_close(s);
    if (e)
        return ck_err_wrap(e, "%s", ref->text);
    *ret = f.result;
    return NULL;
}
