/* One image again: what the database now says of what it consists of, against what was known of it,
 * and what the policy makes of that.
 */
#include "watch/rematch.h"

#include "scan/image_facts.h"
#include "scan/inventory_codec.h"
#include "watch/told.h"

struct work {
    struct ck_store *s;
    const struct ck_watch_options *o;
    const struct ck_rematching *how;
    const struct ck_digest *d;
    struct ck_arena *a;
    struct ck_standing standing;
    ck_view kept; /* the facts as they were */
    struct ck_facts was, is;
    bool has_was;
};

/* --- what was known --------------------------------------------------------------------------- */

/* Facts of another version are as good as none: what is found then is no change. */
static ck_err *read_past(struct work *w, bool *ret_counts)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    CK_TRY(ck_store_get_facts(w->s, w->d, &bytes, &found));
    *ret_counts = found && bytes.n; /* a scan that broke off left none */
    if (!*ret_counts)
        return NULL;
    w->kept = ck_arena_dup(w->a, ck_buf_view(&bytes));
    ck_err *e = ck_facts_decode(w->kept, w->a, &w->was);
    w->has_was = e == NULL;
    ck_err_free(e);
    return NULL;
}

/* Whether anything but the day differs. */
static bool other_facts(const struct work *w)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts f = w->is;
    if (!w->has_was)
        return true;
    f.scanned = w->was.scanned;
    f.database_built = w->was.database_built;
    ck_facts_encode(&f, &b);
    return !ck_view_eq(ck_buf_view(&b), w->kept);
}

/* --- what follows ----------------------------------------------------------------------------- */

static void tell_findings(const struct work *w, struct ck_again *g)
{
    const struct ck_findings was = { w->was.findings, w->was.n_findings };
    const struct ck_findings is = { w->is.findings, w->is.n_findings };
    struct ck_finding_changes c;
    struct ck_told t;
    ck_findings_between(was, is, CK_OF_ONE_IMAGE, w->a, &c);
    if (!ck_tell(&c, w->a, &t))
        return;
    g->added = c.counts[CK_CHANGE_NEW];
    g->gone = c.counts[CK_CHANGE_GONE];
    g->other = c.n - g->added - g->gone;
    struct ck_event e = ck_watch_event("findings", w->d, &w->standing, w->o->now, t.line, t.data,
                                       w->a);
    e.severity = t.worst;
    g->events[g->n_events++] = e;
}

static ck_err *judge(const struct work *w, struct ck_again *g)
{
    struct ck_judgement v;
    struct ck_judging j = { .store = w->s, .policy = w->o->policy, .now = w->o->now,
                            .image = w->d, .standing = &w->standing,
                            .was = w->has_was && w->how ? &w->was : NULL,
                            .is = g->changed ? &w->is : NULL };
    CK_TRY(ck_judge_again(&j, w->a, &v));
    g->decide = v.decide;
    g->state = v.state;
    g->reason = v.reason;
    g->withdrawn = v.withdrawn;
    if (v.has_event)
        g->events[g->n_events++] = v.event;
    return NULL;
}

static void take_facts(struct work *w, struct ck_again *g)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_facts_encode(&w->is, &b);
    g->facts = ck_arena_dup(w->a, ck_buf_view(&b));
    g->n_ids = ck_image_facts_ids(&w->is, w->a, &g->ids);
    for (size_t i = 0; i < g->n_ids; i++) /* they outlive the assessment, which has their bytes */
        g->ids[i] = ck_arena_dup(w->a, g->ids[i]);
    g->chain = ck_image_facts_chain(&w->is, w->a);
}

static ck_err *too_old(void)
{
    return ck_err_new(CK_ERR_HOSTILE, "what is kept of it is of another version of this program: "
                                      "it has to be scanned again");
}

static ck_err *assess(struct work *w, const struct ck_seen *seen, struct ck_assessment *x,
                      struct ck_again *g)
{
    CK_TRY(ck_assess(seen, w->how->db, x));
    ck_image_facts_again(&w->was, &x->report, w->o->now, w->a, &w->is);
    g->first = w->standing.matched == 0;
    g->changed = other_facts(w);
    if (!g->changed)
        return NULL;
    g->summary = ck_image_summary(&x->report, &w->is);
    take_facts(w, g);
    if (!g->first)
        tell_findings(w, g);
    return NULL;
}

static ck_err *match(struct work *w, struct ck_again *g, bool *ret_there)
{
    struct ck_store_inventory v = { 0 };
    struct ck_seen seen;
    struct ck_assessment x = { 0 };
    bool stale = false;
    CK_TRY(ck_store_get_inventory(w->s, w->d, w->a, &v, ret_there));
    if (!*ret_there)
        return NULL;
    if (!w->has_was)
        return too_old();
    CK_TRY(ck_seen_decode(&v, w->a, &seen, &stale));
    if (stale)
        return too_old();
    ck_err *e = assess(w, &seen, &x, g);
    if (!e) /* while what it points to lives */
        e = judge(w, g);
    ck_assessment_free(&x);
    return e;
}

ck_err *ck_again_of(struct ck_store *s, const struct ck_watch_options *o,
                    const struct ck_rematching *how, const struct ck_digest *d, struct ck_arena *a,
                    struct ck_again *ret, bool *ret_there)
{
    struct work w = { .s = s, .o = o, .how = how, .d = d, .a = a };
    struct ck_again g = { 0 };
    bool there = false;
    CK_TRY(ck_store_standing(s, d, a, &w.standing, &there));
    if (there)
        CK_TRY(read_past(&w, &there));
    if (there)
        CK_TRY(how ? match(&w, &g, &there) : judge(&w, &g));
    *ret = g;
    *ret_there = there;
    return NULL;
}
