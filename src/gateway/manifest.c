/* GET and HEAD of manifests: held, fetched, scanned, decided, served. */
#include "gateway/core.h"
#include "gateway/flights.h"

#include "base/text.h"
#include "gateway/serving.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    WAIT_MS = 60000, TAG_MS = 60000, /* where the options say nothing */
    STALE_WAIT_MS = 5000,            /* where there is something to serve meanwhile */
    DIGEST_KEEP_MS = 30000,          /* what a digest means cannot change; FORGET covers the rest */
    HOSTED_KEEP_MS = 5000,
    RETRY_SECONDS = 5, GONE_SECONDS = 15,
};

static const char stale_warning[] = "upstream could not be asked";

/* One pull; lives in its call's arena. */
struct pull {
    struct ck_call *c;
    struct ck_place place;
    ck_view name; /* with the tag or digest, as the books have it */
    bool by_digest, has_digest;
    struct ck_digest digest;
    int64_t checked;  /* of a tag: when the upstream was last asked */
    bool flew;        /* what could be had was had */
    bool stale;       /* the upstream could not be asked */
};

static void judge(struct pull *p);

/* --- serving ---------------------------------------------------------------------------------- */

uint32_t ck_keep_ms(struct ck_gateway *g, int64_t ms, int64_t until)
{
    struct ck_rules *r = ck_rules_get(g);
    bool by_address = ck_policy_asks_networks(r->policy);
    ck_rules_put(r);
    if (by_address)
        return 0;
    int64_t left = until ? (until - time(NULL)) * 1000 : ms;
    ms = left < ms ? left : ms;
    return ms > 0 ? (uint32_t)ms : 0;
}

/* It was given out. */
static void note_pull(struct ck_call *c, ck_view name, const struct ck_digest *d)
{
    struct ck_pull p = { .time = time(NULL), .who = c->user, .client = c->ask.client,
                         .agent = c->ask.agent, .name = name, .digest = *d, .count = 1,
                         .result = CK_PULL_SERVED };
    ck_pulls_add(c->g, &p);
}

static int64_t keep_of(const struct pull *p)
{
    unsigned tag_ms = p->c->g->o->tag_ms ? p->c->g->o->tag_ms : TAG_MS;
    if (p->stale)
        return 0;
    if (p->by_digest)
        return DIGEST_KEEP_MS;
    if (p->place.hosted)
        return HOSTED_KEEP_MS;
    int64_t left = tag_ms - (time(NULL) - p->checked) * 1000;
    return left < DIGEST_KEEP_MS ? left : DIGEST_KEEP_MS;
}

/* What a repository has served once it goes on serving: blobs are looked for by this link. */
static ck_err *link_it(struct pull *p)
{
    ck_view repository = ck_view_str(p->place.repository);
    bool linked = false;
    CK_TRY(ck_store_linked(p->c->g->store, repository, &p->digest, &linked));
    return linked ? NULL : ck_store_link(p->c->g->lease, repository, &p->digest);
}

static ck_err *open_it(struct pull *p, const struct ck_verdict *v, struct ck_answer *w)
{
    struct ck_call *c = p->c;
    struct ck_store_entry e;
    bool found = false;
    CK_TRY(ck_store_get(c->g->store, &p->digest, &c->arena, &e, &found));
    CK_TRY(link_it(p));
    CK_TRY(ck_store_open_blob(c->g->store, &p->digest, &w->fd, &w->size));
    w->status = 200;
    w->has_digest = true;
    w->digest = p->digest;
    w->content_type = e.image.media_type;
    w->keep_ms = ck_keep_ms(c->g, keep_of(p), v->until);
    if (!p->place.hosted)
        w->ns = ck_view_str(p->place.upstream);
    if (p->stale)
        w->warning = ck_view_str(stale_warning);
    return NULL;
}

static void serve(struct pull *p, const struct ck_verdict *v)
{
    struct ck_call *c = p->c;
    struct ck_answer w = { .fd = -1 };
    ck_err *e = open_it(p, v, &w);
    if (e) {
        ck_call_fail(c, e);
        return;
    }
    if (!c->ask.head)
        note_pull(c, p->name, &p->digest);
    ck_gateway_count(c->g, "cocket_pulls_total{result=\"served\"}", 1);
    ck_call_answer(c, &w);
}

/* --- flights ---------------------------------------------------------------------------------- */

static void pending(struct pull *p, const struct ck_flight_result *r)
{
    struct ck_call *c = p->c;
    const char *path = ck_arena_format(&c->arena, "/explain/%.*s", CK_VF(p->name));
    const char *said = ck_arena_format(&c->arena,
                                       "%.*s is being fetched and examined (%u %%): try again in "
                                       "a while; %s%s",
                                       CK_VF(p->name), r->percent, ck_gateway_url(c->g), path);
    struct ck_answer w = { .status = 429, .code = CK_OCI_TOOMANYREQUESTS,
                           .message = ck_view_str(said), .explain = ck_view_str(path),
                           .retry_after = RETRY_SECONDS, .fd = -1 };
    ck_gateway_count(c->g, "cocket_pulls_total{result=\"pending\"}", 1);
    ck_call_answer(c, &w);
}

/* By its own answer; what cannot be asked may have it. */
static bool has_none(const ck_err *e)
{
    unsigned status = ck_err_status(e);
    return status == 404 || status == 401 || status == 403;
}

static void not_had(struct pull *p, ck_err *e)
{
    struct ck_call *c = p->c;
    enum ck_err_class cls = ck_err_class(e);
    bool busy = ck_err_limit_of(e) == CK_LIMIT_GATE_FLIGHTS ||
                ck_err_limit_of(e) == CK_LIMIT_GATE_WAITERS;
    if (busy) {
        ck_call_refuse(c, 429, CK_OCI_TOOMANYREQUESTS, "%s", ck_err_text(e));
    } else if (ck_err_status(e) == 404) {
        ck_call_refuse(c, 404, CK_OCI_MANIFEST_UNKNOWN, "%s", ck_err_text(e));
    } else if (has_none(e)) { /* or it does not say: Docker Hub's word for both */
        ck_call_refuse(c, 403, CK_OCI_DENIED, "the upstream does not give it to this gate: %s",
                       ck_err_text(e));
    } else if (cls == CK_ERR_UNAVAILABLE) {
        struct ck_answer w = { .status = 503, .code = CK_OCI_UNKNOWN,
                               .message = ck_view_str(ck_arena_format(
                                   &c->arena, "the upstream could not be asked: %.1500s",
                                   ck_err_text(e))),
                               .retry_after = GONE_SECONDS, .fd = -1 };
        ck_call_answer(c, &w);
    } else if (cls == CK_ERR_HOSTILE || cls == CK_ERR_LIMIT) {
        ck_gateway_count(c->g, "cocket_hostile_total", 1);
        ck_call_refuse(c, 502, CK_OCI_DENIED, "hostile: what the upstream sent breaks a rule: "
                                              "%.1500s", ck_err_text(e));
    } else if (cls == CK_ERR_USAGE) {
        ck_call_refuse(c, 403, CK_OCI_DENIED, "%s", ck_err_text(e));
    } else {
        ck_call_fail(c, ck_err_wrap(e, "%.*s", CK_VF(p->name)));
        return;
    }
    ck_err_free(e);
}

/* Not by an answer: nobody could be asked, or we could not take it in. Then what was seen last
 * counts. */
static bool is_outage(const ck_err *e)
{
    return (ck_err_class(e) == CK_ERR_UNAVAILABLE && !has_none(e)) ||
           ck_err_class(e) == CK_ERR_OURS;
}

static void landed(void *ctx, ck_err *e, const struct ck_flight_result *r)
{
    struct pull *p = ctx;
    bool has_last = p->has_digest;
    p->flew = true;
    if (!e && !r->pending) {
        p->has_digest = true;
        p->digest = r->digest;
        p->checked = time(NULL);
        judge(p);
    } else if (has_last && (!e || is_outage(e))) {
        ck_err_free(e);
        ck_gateway_count(p->c->g, "cocket_stale_total", 1);
        p->stale = true;
        judge(p);
    } else if (e) {
        not_had(p, e);
    } else {
        pending(p, r);
    }
}

/* Where something is there that could be served by its last digest, nobody waits for long. */
static unsigned patience(struct pull *p)
{
    unsigned wait = p->c->g->o->wait_ms ? p->c->g->o->wait_ms : WAIT_MS;
    struct ck_verdict v;
    bool known = false;
    if (p->by_digest || !p->has_digest)
        return wait;
    ck_err *e = ck_call_judge(p->c, ck_view_str(p->place.repository), p->name, &p->digest, &v,
                              &known);
    ck_err_free(e);
    /* Else there is nothing to fall back to. */
    p->has_digest = !e && known && v.decision == CK_ALLOW;
    return p->has_digest && wait > STALE_WAIT_MS ? STALE_WAIT_MS : wait;
}

static void fly(struct pull *p)
{
    struct ck_gateway *g = p->c->g;
    unsigned wait = patience(p);
    ck_err *e = p->place.hosted
                    ? ck_flight_scan(g, &p->digest, wait, landed, p)
                    : ck_flight_join(g, (const char *)p->name.p, wait, landed, p);
    if (e)
        landed(p, e, &(struct ck_flight_result){ 0 });
}

/* --- deciding --------------------------------------------------------------------------------- */

static void judge(struct pull *p)
{
    struct ck_call *c = p->c;
    struct ck_verdict v = { .decision = CK_QUARANTINE };
    bool known = false;
    ck_err *e = ck_call_judge(c, ck_view_str(p->place.repository), p->name, &p->digest, &v,
                              &known);
    bool lacks = !known || (v.decision == CK_ALLOW && !v.complete);
    if (e)
        ck_call_fail(c, e);
    else if (lacks && !p->flew)
        fly(p);
    else if (lacks && v.decision == CK_ALLOW)
        ck_call_refuse(c, 503, CK_OCI_UNKNOWN, "%.*s is not whole in the store", CK_VF(p->name));
    else if (v.decision == CK_ALLOW)
        serve(p, &v);
    else
        ck_call_deny(c, p->name, &p->digest, &v);
}

static void unknown(struct pull *p)
{
    ck_call_refuse(p->c, 404, CK_OCI_MANIFEST_UNKNOWN, "there is no %.*s", CK_VF(p->name));
}

static ck_err *look_up_tag(struct pull *p, bool *ret_fresh)
{
    unsigned tag_ms = p->c->g->o->tag_ms ? p->c->g->o->tag_ms : TAG_MS;
    struct ck_store_name n;
    CK_TRY(ck_store_name_of(p->c->g->store, p->name, &n, &p->has_digest));
    if (p->has_digest) {
        p->digest = n.digest;
        p->checked = n.checked;
    }
    int64_t age = (time(NULL) - p->checked) * 1000;
    *ret_fresh = p->has_digest && (p->place.hosted || (age >= 0 && age < tag_ms));
    return NULL;
}

static void begin(struct pull *p)
{
    struct ck_gateway *g = p->c->g;
    bool there = false;
    ck_err *e = p->by_digest ? ck_store_linked(g->store, ck_view_str(p->place.repository),
                                               &p->digest, &there)
                             : look_up_tag(p, &there);
    if (e)
        ck_call_fail(p->c, e);
    else if (there)
        judge(p);
    else if (p->place.hosted)
        unknown(p);
    else
        fly(p);
}

void ck_manifest_ask(struct ck_call *c)
{
    struct pull *p = ck_arena_alloc(&c->arena, 1, sizeof *p);
    ck_view reference = c->ask.reference;
    p->c = c;
    if (!ck_call_may(c, CK_ROLE_PULL) || !ck_place_of(c, &p->place))
        return;
    p->by_digest = ck_view_find(reference, ':') < reference.n;
    p->name = ck_view_str(ck_arena_format(&c->arena, "%s%c%.*s", p->place.repository,
                                          p->by_digest ? '@' : ':', CK_VF(reference)));
    if (p->by_digest) {
        ck_err *e = ck_digest_parse(reference, &p->digest);
        if (e) {
            ck_call_refuse(c, 400, CK_OCI_DIGEST_INVALID, "%s", ck_err_text(e));
            ck_err_free(e);
            return;
        }
    }
    begin(p);
}
