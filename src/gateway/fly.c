/* The work of one flight: what the name means, its images fetched and scanned at once, and what
 * came of it in the books.
 */
#include "gateway/flights.h"

#include "advisory/db.h"
#include "image/name.h"
#include "policy/facts.h"
#include "source/fetch.h"
#include "source/top.h"
#include "watch/watch.h"

#include <time.h>

struct fly {
    struct ck_gateway *g;
    struct ck_flight *flight;
    struct ck_arena *arena;
    struct ck_lease *lease; /* what is brought stays until the books hold it */
    const char *repository; /* of a pull; NULL: what is there is scanned */
    struct ck_rules *rules;
    unsigned images, done;  /* to be looked at */
    bool has_top;           /* held, so that no other flight brings the same meanwhile */
    struct ck_digest top;
};

/* --- an image --------------------------------------------------------------------------------- */

static void show(struct fly *f, uint64_t done, uint64_t total)
{
    unsigned share = total ? (unsigned)(done * 100 / total) : 0;
    unsigned images = f->images ? f->images : 1;
    unsigned all = (f->done * 100 + share) / images;
    atomic_store(&f->flight->percent, all > 99 ? 99 : all);
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
    show(ctx, done, total);
}

static void on_arrivals(void *ctx, struct ck_arrivals *a)
{
    uint64_t done = 0, total = 0;
    size_t n = ck_arrivals_count(a);
    for (size_t i = 0; i < n; i++) {
        struct ck_arrival v = ck_arrivals_look(a, i);
        done += v.done;
        total += v.size;
    }
    show(ctx, done, total);
}

/* What was examined with another database is matched with the one in force, which takes some
 * milliseconds and tells what changed; only what cannot be is scanned. */
static ck_err *is_current(struct fly *f, const struct ck_digest *d, int64_t with, bool *ret)
{
    struct ck_watch_counts counts = { 0 };
    struct ck_watch_options o = { .store = ck_store_dir(f->g->store), .db = f->rules->db,
                                  .policy = f->rules->policy, .now = time(NULL), .threads = 1 };
    *ret = !o.db || with >= ck_db_built(o.db);
    return *ret ? NULL : ck_watch_image(f->g->store, d, &o, &counts, ret);
}

/* Whether facts are there that the database in force has nothing to add to. */
static ck_err *is_examined(struct fly *f, const struct ck_digest *d, bool *ret_examined,
                           bool *ret_complete)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_store_entry entry;
    struct ck_facts facts;
    bool found = false;
    *ret_examined = *ret_complete = false;
    CK_TRY(ck_store_get(f->g->store, d, f->arena, &entry, &found));
    if (!found)
        return NULL;
    *ret_complete = entry.complete;
    CK_TRY(ck_store_get_facts(f->g->store, d, &bytes, &found));
    if (!found)
        return NULL;
    ck_err *e = ck_facts_decode(ck_buf_view(&bytes), f->arena, &facts);
    bool readable = e == NULL;
    ck_err_free(e); /* of an older version: as none */
    return readable ? is_current(f, d, facts.database_built, ret_examined) : NULL;
}

static ck_err *scan(struct fly *f, const struct ck_digest *d, bool complete)
{
    char text[CK_DIGEST_TEXT];
    struct ck_scan_options o = f->g->o->scan;
    struct ck_reference ref;
    struct ck_scan *s = NULL;
    bool here = complete || !f->repository;
    const char *what = here ? ck_arena_format(f->arena, "store:%s", ck_digest_text(d, text))
                            : ck_arena_format(f->arena, "docker://%s@%s", f->repository,
                                              ck_digest_text(d, text));
    CK_TRY(ck_reference_parse(what, f->arena, &ref));
    o.db = f->rules->db;
    o.policy = f->rules->policy;
    o.platform = NULL;
    o.whole = true;
    o.progress = (struct ck_progress){ on_progress, on_arrivals, f };
    ck_gateway_count(f->g, here ? "cocket_scans_total{from=\"store\"}"
                                : "cocket_scans_total{from=\"registry\"}", 1);
    CK_TRY(ck_scan_image(&ref, &o, &s));
    ck_scan_free(s);
    return NULL;
}

/* Whether the scan's refusal stands in the books: then the verdict says why, not this error. */
static ck_err *settled(struct fly *f, const struct ck_digest *d, ck_err *e)
{
    struct ck_store_entry entry;
    bool found = false;
    if (!e || (ck_err_class(e) != CK_ERR_HOSTILE && ck_err_class(e) != CK_ERR_LIMIT))
        return e;
    ck_err *lost = ck_store_get(f->g->store, d, f->arena, &entry, &found);
    ck_err_free(lost);
    if (lost || !found || entry.state != CK_DENIED)
        return e;
    ck_err_free(e);
    return NULL;
}

static ck_err *examine(struct fly *f, const struct ck_digest *d)
{
    bool examined = false, complete = false, held = f->has_top && ck_digest_eq(d, &f->top);
    if (!held)
        ck_flights_enter(f->g->flights, f->flight, d);
    ck_err *e = is_examined(f, d, &examined, &complete);
    if (!e && !(examined && complete))
        e = settled(f, d, scan(f, d, complete));
    if (!held)
        ck_flights_leave(f->g->flights, d);
    f->done++;
    return e;
}

/* --- an index --------------------------------------------------------------------------------- */

static const struct ck_descriptor *best_for(const struct ck_index_doc *ix,
                                            const struct ck_platform *want)
{
    const struct ck_descriptor *best = NULL;
    int score = 0;
    for (size_t i = 0; i < ix->n; i++) {
        const struct ck_descriptor *d = &ix->manifests[i];
        int now = d->attestation ? 0 : ck_platform_match(want, &d->platform);
        if (now > score) {
            score = now;
            best = d;
        }
    }
    return best;
}

static ck_err *examine_children(struct fly *f, const struct ck_index_doc *ix)
{
    struct ck_platform host = ck_platform_host();
    ck_view left = ck_view_str(f->g->o->platforms ? f->g->o->platforms : "");
    if (!left.n)
        left = ck_view_str(ck_platform_text(&host, f->arena));
    for (size_t i = 0; i < left.n; i++)
        f->images += left.p[i] == ',';
    f->images++;
    while (left.n) {
        struct ck_platform want;
        CK_TRY(ck_platform_parse(ck_view_split(left, ',', &left), &want));
        const struct ck_descriptor *d = best_for(ix, &want);
        if (d) /* else it has nothing for those who are judged now: each is when it is asked for */
            CK_TRY(examine(f, &d->digest));
    }
    return NULL;
}

/* --- a name ----------------------------------------------------------------------------------- */

static ck_err *enter(struct fly *f, const struct ck_name *n, const struct ck_digest *d)
{
    struct ck_digest from;
    char text[CK_DIGEST_TEXT];
    bool moved = false;
    CK_TRY(ck_store_link(f->lease, ck_view_str(f->repository), d));
    ck_view name = ck_view_str(ck_name_text(n, f->arena));
    CK_TRY(ck_store_set_name(f->lease, name, d, &moved, &from));
    if (moved)
        ck_gateway_say(f->g, "moved", "name", f->flight->name, "from",
                       ck_digest_text(&from, text), NULL);
    return NULL;
}

static void hold_top(void *ctx, const struct ck_digest *d)
{
    struct fly *f = ctx;
    ck_flights_enter(f->g->flights, f->flight, d);
    f->has_top = true;
    f->top = *d;
}

static ck_err *pull(struct fly *f, struct ck_digest *ret)
{
    const struct ck_scan_options *so = &f->g->o->scan;
    struct ck_source_options o = { .no_sandbox = so->no_sandbox, .store = so->store,
                                   .remote = so->remote, .max_size = so->max_size };
    struct ck_reference ref;
    struct ck_top top;
    char text[CK_DIGEST_TEXT];
    const char *what = ck_arena_format(f->arena, "docker://%s", f->flight->name);
    CK_TRY(ck_reference_parse(what, f->arena, &ref));
    f->repository = ck_name_repository(&ref.image, f->arena);
    ck_gateway_count(f->g, "cocket_fetches_total", 1);
    CK_TRY(ck_top_fetch(&ref, &o, &(struct ck_top_hook){ hold_top, f }, f->arena, &top));
    CK_TRY(ck_store_has(f->lease, &top.digest, NULL, &(bool){ false }));
    if (top.kind == CK_TOP_INDEX)
        CK_TRY(examine_children(f, &top.children));
    else if (top.kind == CK_TOP_IMAGE)
        CK_TRY(examine(f, &top.digest));
    CK_TRY(enter(f, &ref.image, &top.digest));
    *ret = top.digest;
    if (top.kind != CK_TOP_ARTIFACT)
        ck_flights_start(f->g, CK_FLIGHT_REFERRERS,
                         ck_arena_format(f->arena, "%s@%s", f->repository,
                                         ck_digest_text(&top.digest, text)));
    return NULL;
}

/* --- what is in the store already ------------------------------------------------------------- */

static ck_err *scan_stored(struct fly *f, const struct ck_digest *d, unsigned depth)
{
    struct ck_store_entry e;
    bool found = false;
    CK_TRY(ck_store_get(f->g->store, d, f->arena, &e, &found));
    if (!found && depth == 0)
        return ck_err_new(CK_ERR_UNAVAILABLE, "it is not in the store");
    if (!found || !(e.complete || e.image.index))
        return NULL;
    if (!e.image.index)
        return examine(f, d);
    f->images += (unsigned)e.image.n_parts;
    for (size_t i = 0; i < e.image.n_parts && depth < CK_MAX_INDEX_NESTING; i++)
        CK_TRY(scan_stored(f, &e.image.parts[i].digest, depth + 1));
    return NULL;
}

/* --- what refers to it ------------------------------------------------------------------------ */

static ck_err *fetch_referrers(struct fly *f, struct ck_digest *ret)
{
    const struct ck_scan_options *so = &f->g->o->scan;
    struct ck_source_options o = { .no_sandbox = so->no_sandbox, .store = so->store,
                                   .remote = so->remote, .max_size = so->max_size };
    struct ck_reference ref;
    const char *what = ck_arena_format(f->arena, "docker://%s", f->flight->name);
    CK_TRY(ck_reference_parse(what, f->arena, &ref));
    *ret = ref.image.digest;
    return ck_top_referrers(&ref, &o);
}

ck_err *ck_fly(struct ck_gateway *g, struct ck_flight *flight, struct ck_digest *ret)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct fly f = { .g = g, .flight = flight, .arena = &arena };
    ck_err *e = ck_lease_new(g->store, &f.lease);
    if (e)
        return e;
    f.rules = ck_rules_get(g);
    switch (flight->kind) {
    case CK_FLIGHT_PULL:
        e = pull(&f, ret);
        break;
    case CK_FLIGHT_SCAN:
        e = ck_digest_parse(ck_view_str(flight->name), ret);
        if (!e)
            e = scan_stored(&f, ret, 0);
        break;
    case CK_FLIGHT_REFERRERS:
        e = fetch_referrers(&f, ret);
        break;
    }
    if (f.has_top)
        ck_flights_leave(g->flights, &f.top);
    ck_rules_put(f.rules);
    ck_lease_end(f.lease);
    return e;
}
