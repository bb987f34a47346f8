#include "scan/scan.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/spawn.h"
#include "scan/image_facts.h"
#include "scan/inventory.h"
#include "scan/inventory_codec.h"
#include "verdict/verdict.h"

#include <stdlib.h>
#include <time.h>

struct ck_scan {
    struct ck_arena arena;
    struct ck_scan_options options;
    struct ck_source *source;
    struct ck_cache cache;
    struct ck_layer_facts *facts;
    size_t n_facts;
    struct ck_inventory inventory;
    struct ck_seen seen;
    struct ck_assessment assessment;
    struct ck_policy *own_policy; /* where none was given */
    struct ck_facts image_facts;
    int64_t now;
    const char *state; /* in the store, or NULL */
};

/* --- facts
 * ------------------------------------------------------------------------------------------ */

static ck_err *read_rootfs(struct ck_scan *s, const char *path)
{
    struct ck_room_options o = { .argument = path, .no_sandbox = s->options.no_sandbox };
    struct ck_room_proc *room = NULL;
    s->facts = ck_calloc(1, sizeof *s->facts);
    s->n_facts = 1;
    s->facts[0].bytes = ck_buf_new(CK_LIMIT_FACTS);
    CK_TRY(ck_room_start(CK_ROOM_ROOTFS, &o, &room));
    ck_err *e = ck_room_call(room, CK_V("read"), ck_source_image(s->source)->root,
                             &s->facts[0].bytes);
    ck_room_stop(room);
    return e ? e : ck_index_open(ck_buf_view(&s->facts[0].bytes), &s->facts[0].index);
}

static ck_err *read_layers(struct ck_scan *s)
{
    struct ck_layers_options o = { .cache = &s->cache, .progress = s->options.progress,
                                   .no_sandbox = s->options.no_sandbox,
                                   .refetch = s->options.refetch,
                                   .whole = s->options.whole };
    bool any = false;
    s->n_facts = ck_source_image(s->source)->n_layers;
    s->facts = ck_calloc(s->n_facts + 1, sizeof *s->facts);
    CK_TRY(ck_scan_layers(s->source, &o, NULL, s->facts));

    struct ck_layer_wants *wants = ck_arena_alloc(&s->arena, s->n_facts + 1, sizeof *wants);
    CK_TRY(ck_inventory_wants(s->facts, s->n_facts, &s->arena, wants, &any));
    return any ? ck_scan_layers(s->source, &o, wants, s->facts) : NULL;
}

/* --- the report
 * ------------------------------------------------------------------------------------- */

static ck_view digest_view(struct ck_scan *s, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    return ck_arena_dup(&s->arena, ck_view_str(ck_digest_text(d, text)));
}

static void see_layers(struct ck_scan *s)
{
    const struct ck_image *im = ck_source_image(s->source);
    struct ck_seen *r = &s->seen;
    r->layers = ck_arena_alloc(&s->arena, im->n_layers + 1, sizeof *r->layers);
    r->n_layers = im->n_layers;
    for (size_t i = 0; i < im->n_layers; i++) {
        const struct ck_image_layer *l = &im->layers[i];
        r->layers[i] = (struct ck_report_layer){
            .digest = digest_view(s, l->has_digest ? &l->digest : &l->diff_id),
            .diff_id = digest_view(s, &l->diff_id),
            .media_type = l->media_type,
            .size = l->size,
            .created_by = l->history < im->config.n_history
                              ? im->config.history[l->history].created_by
                              : (ck_view){ 0 },
        };
    }
}

static void see_packages(struct ck_scan *s)
{
    struct ck_seen *r = &s->seen;
    bool rootfs = ck_source_image(s->source)->rootfs;
    r->n_packages = s->inventory.n;
    r->packages = ck_arena_alloc(&s->arena, r->n_packages + 1, sizeof *r->packages);
    for (size_t i = 0; i < r->n_packages; i++) {
        struct ck_inventory_package *p = &s->inventory.packages[i];
        r->packages[i] = (struct ck_report_package){ .p = p->p,
                                                     .layer = rootfs ? SIZE_MAX : p->layer,
                                                     .locations = &p->location,
                                                     .n_locations = 1 };
    }
}

static void see_image(struct ck_scan *s)
{
    const struct ck_image *im = ck_source_image(s->source);
    s->seen = (struct ck_seen){
        .reference = im->reference,
        .name = im->name,
        .digest = im->has_digest ? digest_view(s, &im->digest) : (ck_view){ 0 },
        .os = im->config.platform.os,
        .architecture = im->config.platform.architecture,
        .created = im->config.created,
        .platforms = im->platforms,
        .no_sandbox = s->options.no_sandbox,
        .os_release = s->inventory.os,
        .gaps = s->inventory.gaps,
        .n_gaps = s->inventory.n_gaps,
        .warnings = im->warnings,
        .n_warnings = im->n_warnings,
    };
    see_layers(s);
    see_packages(s);
}

/* --- into the store's books
 * --------------------------------------------------------------------- */

/* Layers whose facts were known are not fetched for a scan: the image may be judged and yet not be
 * there to be loaded. */
static bool is_complete(const struct ck_image *im)
{
    for (size_t i = 0; i < im->n_layers; i++)
        if (im->layers[i].missing || (im->layers[i].absent && im->layers[i].arrival == SIZE_MAX))
            return false;
    return true;
}

/* The image, its index and name. */
static ck_err *record(struct ck_scan *s, bool complete)
{
    struct ck_digest moved_from;
    bool moved;
    return ck_source_record(s->source, complete, &moved, &moved_from);
}

static ck_err *set_state(struct ck_scan *s, enum ck_state_of_image state, ck_view reason)
{
    enum ck_state_of_image holds;
    CK_TRY(ck_store_decide(ck_source_store(s->source), &ck_source_image(s->source)->digest, state,
                           reason, CK_BY_SCAN, &holds));
    s->state = ck_state_name(holds);
    return NULL;
}

/* What it is assessed again from, and what listings show. */
static ck_err *keep(struct ck_scan *s, struct ck_store *store)
{
    const struct ck_digest *d = &ck_source_image(s->source)->digest;
    struct ck_store_summary summary = ck_image_summary(&s->assessment.report, &s->image_facts);
    struct ck_store_inventory v;
    ck_seen_encode(&s->seen, &s->arena, &v);
    v.matched = s->options.db ? ck_db_built(s->options.db) : 0;
    CK_TRY(ck_store_put_summary(store, d, &summary));
    return ck_store_put_inventory(store, d, &v);
}

static ck_err *enter(struct ck_scan *s)
{
    struct ck_store *store = ck_source_store(s->source);
    const struct ck_image *im = ck_source_image(s->source);
    if (ck_source_arrivals(s->source))
        CK_TRY(ck_arrivals_finish(ck_source_arrivals(s->source), NULL, NULL));
    CK_TRY(ck_image_facts_remember(store, &im->digest, &s->image_facts));
    CK_TRY(record(s, is_complete(im)));
    CK_TRY(ck_image_facts_keep(store, &im->digest, &s->image_facts));
    return keep(s, store);
}

/* An image that breaks a rule is denied, whatever else is known of it. That this cannot be entered
 * is no reason to hide why the scan failed. */
static void settle_hostile(struct ck_scan *s, const ck_err *e)
{
    bool hostile = ck_err_class(e) == CK_ERR_HOSTILE || ck_err_class(e) == CK_ERR_LIMIT;
    if (!hostile || !s->source || !ck_source_store(s->source))
        return;
    ck_err *failed = record(s, false);
    if (!failed) /* what an earlier scan saw counts no more */
        failed = ck_store_put_facts(ck_source_store(s->source),
                                    &ck_source_image(s->source)->digest, CK_V(""), NULL, 0,
                                    CK_V(""));
    if (!failed)
        failed = set_state(s, CK_DENIED, ck_view_str(ck_err_text(e)));
    ck_err_free(failed);
}

/* --- the verdict ------------------------------------------------------------------------------ */

static ck_err *policy(struct ck_scan *s, const struct ck_policy **ret)
{
    if (!s->options.policy)
        CK_TRY(ck_policy_load(NULL, &s->own_policy));
    *ret = s->options.policy ? s->options.policy : s->own_policy;
    return NULL;
}

static ck_view text_or_nothing(const char *s) { return s ? ck_view_str(s) : CK_V(""); }

/* One question for what is in the store and what is not. */
static ck_err *judge(struct ck_scan *s, const struct ck_policy *p, struct ck_verdict *ret)
{
    const struct ck_image *im = ck_source_image(s->source);
    struct ck_verdict_question q = {
        .name = im->name, .now = s->now, .without_people = true,
        .user = text_or_nothing(s->options.user),
        .address = text_or_nothing(s->options.address),
        .namespace_ = text_or_nothing(s->options.namespace_),
    };
    if (!ck_source_store(s->source))
        return ck_verdict_of_facts(p, &s->image_facts, &q, &s->arena, ret);
    CK_TRY(enter(s));
    return ck_verdict_of(ck_source_store(s->source), p, &im->digest, &q, &s->arena, ret);
}

static ck_err *settle(struct ck_scan *s, const struct ck_policy *p, const struct ck_verdict *v)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    if (!ck_source_store(s->source))
        return NULL;
    CK_TRY(set_state(s, ck_verdict_state(v), ck_verdict_reason(v, p, &s->arena)));
    CK_TRY(ck_report_json(&s->assessment.report, &json));
    return ck_store_put_report(ck_source_store(s->source), &ck_source_image(s->source)->digest,
                               ck_buf_view(&json));
}

static ck_err *decide(struct ck_scan *s)
{
    const struct ck_policy *p = NULL;
    struct ck_verdict v;
    CK_TRY(policy(s, &p));
    ck_image_facts_of(ck_source_image(s->source), &s->assessment.report, s->now, &s->arena,
                      &s->image_facts);
    s->image_facts.has_fail_on = s->options.has_fail_on;
    s->image_facts.fail_on = s->options.fail_on;
    CK_TRY(judge(s, p, &v));
    s->assessment.report.decision = ck_view_str(ck_decision_name(v.decision));
    s->assessment.report.reasons = v.reasons;
    s->assessment.report.n_reasons = v.n_reasons;
    return settle(s, p, &v);
}

static ck_err *run(struct ck_scan *s, const struct ck_reference *ref)
{
    struct ck_source_options so = { .platform = s->options.platform,
                                    .platform_asked = s->options.platform != NULL,
                                    .no_sandbox = s->options.no_sandbox,
                                    .store = s->options.store,
                                    .remote = s->options.remote,
                                    .refetch = s->options.refetch,
                                    .max_size = s->options.max_size };
    CK_TRY(ck_source_open(ref, &so, &s->source));
    s->cache = ck_cache_open(!s->options.no_cache);
    CK_TRY(ck_source_image(s->source)->rootfs ? read_rootfs(s, ref->path) : read_layers(s));
    CK_TRY(ck_inventory_build(s->facts, s->n_facts, &s->inventory));
    see_image(s);
    CK_TRY(ck_assess(&s->seen, s->options.db, &s->assessment));
    return decide(s);
}

ck_err *ck_scan_image(const struct ck_reference *ref, const struct ck_scan_options *o,
                      struct ck_scan **ret)
{
    struct ck_scan *s = ck_new(struct ck_scan);
    s->options = *o;
    s->now = time(NULL);
    ck_err *e = run(s, ref);
    if (e) {
        settle_hostile(s, e);
        ck_scan_free(s);
        return ck_err_wrap(e, "%s", ref->text);
    }
    *ret = s;
    return NULL;
}

const char *ck_scan_state(const struct ck_scan *s)
{
    return s->state;
}

void ck_scan_free(struct ck_scan *s)
{
    if (!s)
        return;
    ck_policy_free(s->own_policy);
    ck_assessment_free(&s->assessment);
    ck_inventory_free(&s->inventory);
    for (size_t i = 0; i < s->n_facts; i++)
        ck_buf_free(&s->facts[i].bytes);
    free(s->facts);
    ck_cache_close(&s->cache);
    ck_source_close(s->source);
    ck_arena_free(&s->arena);
    free(s);
}

const struct ck_report *ck_scan_report(const struct ck_scan *s)
{
    return &s->assessment.report;
}

ck_err *ck_scan_explain(const struct ck_scan *s, ck_view id, struct ck_buf *out)
{
    if (!s->options.db)
        return ck_err_new(CK_ERR_OURS, "there is no advisory database to explain from");
    return ck_match_explain(s->options.db, &s->assessment.report.distro, s->assessment.packages,
                            s->seen.n_packages, id, out);
}
