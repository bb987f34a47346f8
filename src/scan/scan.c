#include "scan/scan.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/spawn.h"
#include "scan/inventory.h"

#include <stdlib.h>

struct ck_scan {
    struct ck_arena arena;
    struct ck_scan_options options;
    struct ck_source *source;
    struct ck_cache cache;
    struct ck_layer_facts *facts;
    size_t n_facts;
    struct ck_inventory inventory;
    struct ck_package *packages; /* the inventory's, for the matcher */
    struct ck_distro distro;
    struct ck_match match;
    struct ck_report_database database;
    struct ck_report report;
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

static void report_layers(struct ck_scan *s)
{
    const struct ck_image *im = ck_source_image(s->source);
    struct ck_report *r = &s->report;
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

static void report_packages(struct ck_scan *s)
{
    struct ck_report *r = &s->report;
    bool rootfs = ck_source_image(s->source)->rootfs;
    r->n_packages = s->inventory.n;
    r->packages = ck_arena_alloc(&s->arena, r->n_packages + 1, sizeof *r->packages);
    s->packages = ck_arena_alloc(&s->arena, r->n_packages + 1, sizeof *s->packages);
    for (size_t i = 0; i < r->n_packages; i++) {
        const struct ck_inventory_package *p = &s->inventory.packages[i];
        ck_view *location = ck_arena_alloc(&s->arena, 1, sizeof *location);
        *location = p->location;
        r->packages[i] = (struct ck_report_package){ .p = p->p,
                                                     .layer = rootfs ? SIZE_MAX : p->layer,
                                                     .locations = location, .n_locations = 1 };
        s->packages[i] = p->p;
    }
}

static void report_image(struct ck_scan *s)
{
    const struct ck_image *im = ck_source_image(s->source);
    struct ck_report *r = &s->report;
    r->reference = im->reference;
    r->digest = im->has_digest ? digest_view(s, &im->digest) : (ck_view){ 0 };
    r->os = im->config.platform.os;
    r->architecture = im->config.platform.architecture;
    r->created = im->config.created;
    r->platforms = im->platforms;
    r->warnings = im->warnings;
    r->n_warnings = im->n_warnings;
    r->os_release = s->inventory.os;
    r->distro = s->distro;
    report_layers(s);
    report_packages(s);
}

static void collect_gaps(struct ck_scan *s)
{
    const struct ck_gap bare = { CK_V("sandbox"),
                                 CK_V("switched off by --insecure-no-sandbox: what was read could "
                                      "have changed this program") };
    const struct ck_gap no_db = { CK_V("advisories"),
                                  CK_V("there is no advisory database (cocket db update, cocket db "
                                       "build): no vulnerability can be named") };
    const struct ck_gap no_distro = { CK_V("distribution"),
                                      CK_V("no os-release file names a distribution that is known "
                                           "here") };
    struct ck_report *r = &s->report;
    size_t n = 0;
    r->gaps = ck_arena_alloc(&s->arena, s->inventory.n_gaps + s->match.n_gaps + 3, sizeof *r->gaps);
    if (s->options.no_sandbox)
        r->gaps[n++] = bare;
    if (!s->options.db)
        r->gaps[n++] = no_db;
    if (!s->options.db && !s->distro.known) /* the matcher says it otherwise */
        r->gaps[n++] = no_distro;
    for (size_t i = 0; i < s->match.n_gaps; i++)
        r->gaps[n++] = s->match.gaps[i];
    for (size_t i = 0; i < s->inventory.n_gaps; i++)
        r->gaps[n++] = s->inventory.gaps[i];
    r->n_gaps = n;
}

/* --- the verdict
 * ------------------------------------------------------------------------------------ */

static void add_reason(struct ck_scan *s, const char *text)
{
    s->report.reasons[s->report.n_reasons++] = ck_view_str(text);
}

static void decide(struct ck_scan *s)
{
    struct ck_report *r = &s->report;
    enum ck_severity limit = s->options.fail_on;
    size_t over = 0;
    r->reasons = ck_arena_alloc(&s->arena, 2, sizeof *r->reasons);
    for (size_t i = 0; s->options.has_fail_on && i < s->match.n_findings; i++)
        over += s->match.findings[i].severity >= limit;
    r->decision = over ? CK_V("deny") : r->n_gaps ? CK_V("quarantine") : CK_V("allow");
    if (over)
        add_reason(s, ck_arena_format(&s->arena, "%zu finding%s of severity %s or above", over,
                                      over == 1 ? "" : "s", ck_severity_name(limit)));
    if (r->n_gaps)
        add_reason(s, ck_arena_format(&s->arena, "the assessment is not complete: %zu gap%s",
                                      r->n_gaps, r->n_gaps == 1 ? "" : "s"));
}

static ck_err *match(struct ck_scan *s)
{
    ck_distro_of(&s->inventory.os, &s->arena, &s->distro);
    report_image(s);
    if (!s->options.db)
        return NULL;
    CK_TRY(ck_report_database_of(s->options.db, &s->arena, &s->database));
    s->report.database = &s->database;
    s->report.match = &s->match;
    return ck_match_packages(s->options.db, &s->distro, s->packages, s->report.n_packages,
                             &s->match);
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

static ck_err *record(struct ck_scan *s, bool complete, enum ck_state_of_image state,
                      ck_view reason)
{
    const struct ck_image *im = ck_source_image(s->source);
    struct ck_digest moved_from;
    enum ck_state_of_image holds;
    bool moved;
    CK_TRY(ck_source_record(s->source, complete, &moved, &moved_from));
    CK_TRY(ck_store_decide(ck_source_store(s->source), &im->digest, state, reason, CK_BY_SCAN,
                           &holds));
    s->state = ck_state_name(holds);
    return NULL;
}

static ck_err *settle(struct ck_scan *s)
{
    const struct ck_report *r = &s->report;
    ck_autobuf struct ck_buf reason = ck_buf_new(CK_LIMIT_NONE);
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    enum ck_state_of_image state = ck_view_eq(r->decision, CK_V("deny"))    ? CK_DENIED
                                   : ck_view_eq(r->decision, CK_V("allow")) ? CK_CLEARED
                                                                            : CK_QUARANTINED;
    if (!ck_source_store(s->source))
        return NULL;
    if (ck_source_arrivals(s->source))
        CK_TRY(ck_arrivals_finish(ck_source_arrivals(s->source), NULL, NULL));
    for (size_t i = 0; i < r->n_reasons; i++)
        ck_buf_format(&reason, "%s%.*s", i ? "; " : "", CK_VF(r->reasons[i]));
    if (!reason.n && s->options.has_fail_on)
        ck_buf_format(&reason, "nothing found of severity %s or above",
                      ck_severity_name(s->options.fail_on));
    else if (!reason.n)
        ck_buf_format(&reason, "scanned without --fail-on: %zu findings",
                      r->match ? r->match->n_findings : 0);
    CK_TRY(record(s, is_complete(ck_source_image(s->source)), state, ck_buf_view(&reason)));
    CK_TRY(ck_report_json(r, &json));
    return ck_store_put_report(ck_source_store(s->source), &ck_source_image(s->source)->digest,
                               ck_buf_view(&json));
}

/* An image that breaks a rule is denied, whatever else is known of it. That this cannot be entered
 * is no reason to hide why the scan failed. */
static void settle_hostile(struct ck_scan *s, const ck_err *e)
{
    bool hostile = ck_err_class(e) == CK_ERR_HOSTILE || ck_err_class(e) == CK_ERR_LIMIT;
    if (hostile && s->source && ck_source_store(s->source))
        ck_err_free(record(s, false, CK_DENIED, ck_view_str(ck_err_text(e))));
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
    CK_TRY(match(s));
    collect_gaps(s);
    decide(s);
    return settle(s);
}

ck_err *ck_scan_image(const struct ck_reference *ref, const struct ck_scan_options *o,
                      struct ck_scan **ret)
{
    struct ck_scan *s = ck_new(struct ck_scan);
    s->options = *o;
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
    ck_match_free(&s->match);
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
    return &s->report;
}

ck_err *ck_scan_explain(const struct ck_scan *s, ck_view id, struct ck_buf *out)
{
    if (!s->options.db)
        return ck_err_new(CK_ERR_OURS, "there is no advisory database to explain from");
    return ck_match_explain(s->options.db, &s->distro, s->packages, s->report.n_packages, id, out);
}
