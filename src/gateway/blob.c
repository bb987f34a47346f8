/* A blob is served only if a manifest that reaches it may be had by this caller now. */
#include "gateway/core.h"
#include "gateway/serving.h"

enum { KEEP_MS = 30000 };

struct reach {
    struct ck_place place;
    struct ck_digest blob;
    struct ck_digest *by;
    size_t n;
};

/* As it would be asked for: by its digest, or by a tag of this repository. The first that allows
 * it counts; a rule may be for tags only. */
static ck_err *allowed(struct ck_call *c, const struct reach *r, const struct ck_digest *d,
                       struct ck_verdict *ret, bool *ret_known)
{
    ck_view repository = ck_view_str(r->place.repository);
    char text[CK_DIGEST_TEXT];
    struct ck_store_entry e;
    struct ck_verdict v;
    bool found = false, known = false;
    ck_view name = ck_view_str(ck_arena_format(&c->arena, "%s@%s", r->place.repository,
                                               ck_digest_text(d, text)));
    CK_TRY(ck_call_judge(c, repository, name, d, ret, ret_known));
    if (*ret_known && ret->decision == CK_ALLOW)
        return NULL;
    CK_TRY(ck_store_get(c->g->store, d, &c->arena, &e, &found));
    for (size_t i = 0; found && i < e.n_names; i++) {
        ck_view rest = ck_view_from(e.names[i], repository.n);
        if (!ck_view_starts(e.names[i], repository) || !rest.n || rest.p[0] != ':')
            continue;
        CK_TRY(ck_call_judge(c, repository, e.names[i], d, &v, &known));
        if (known && v.decision == CK_ALLOW) {
            *ret = v;
            *ret_known = true;
            return NULL;
        }
    }
    return NULL;
}

static ck_err *answer_with(struct ck_call *c, const struct reach *r, int64_t until, bool keep)
{
    struct ck_answer w = { .status = 200, .has_digest = true, .digest = r->blob, .fd = -1,
                           .content_type = CK_V("application/octet-stream") };
    CK_TRY(ck_store_open_blob(c->g->store, &r->blob, &w.fd, &w.size));
    w.keep_ms = keep ? ck_keep_ms(c->g, KEEP_MS, until) : 0;
    if (!r->place.hosted)
        w.ns = ck_view_str(r->place.upstream);
    ck_gateway_count(c->g, "cocket_blobs_total{result=\"served\"}", 1);
    ck_call_answer(c, &w);
    return NULL;
}

/* Those who push ask whether a blob is there before they send it; what is theirs is no secret to
 * them. */
static bool is_pushers(struct ck_call *c, const struct reach *r)
{
    bool claimed = r->place.hosted &&
                   ck_upload_claimed(c->g, ck_view_str(r->place.repository), &r->blob);
    if (!claimed && !(r->place.hosted && c->ask.head && r->n))
        return false;
    return ck_call_is_pusher(c);
}

static ck_err *decide(struct ck_call *c, struct reach *r)
{
    struct ck_verdict worst = { .decision = CK_QUARANTINE }, v;
    size_t held = 0, which = 0;
    CK_TRY(ck_store_reaching(c->g->store, ck_view_str(r->place.repository), &r->blob, &c->arena,
                             &r->by, &r->n));
    if (is_pushers(c, r))
        return answer_with(c, r, 0, false);
    for (size_t i = 0; i < r->n; i++) {
        bool known = false;
        CK_TRY(allowed(c, r, &r->by[i], &v, &known));
        if (known && v.decision == CK_ALLOW)
            return answer_with(c, r, v.until, true);
        if (known && !held++) {
            worst = v;
            which = i;
        }
    }
    if (!r->n) {
        ck_call_refuse(c, 404, CK_OCI_BLOB_UNKNOWN, "no manifest of %s reaches this blob",
                       r->place.repository);
        return NULL;
    }
    char text[CK_DIGEST_TEXT];
    ck_gateway_count(c->g, "cocket_blobs_total{result=\"denied\"}", 1);
    if (!held) {
        ck_call_refuse(c, 403, CK_OCI_DENIED, "quarantined: not examined: ask for its manifest "
                                              "first");
        return NULL;
    }
    ck_call_deny(c, ck_view_str(ck_arena_format(&c->arena, "%s@%s", r->place.repository,
                                                ck_digest_text(&r->by[which], text))),
                 &r->by[which], &worst);
    return NULL;
}

void ck_blob_ask(struct ck_call *c)
{
    struct reach r = { 0 };
    if (!ck_call_may(c, CK_ROLE_PULL) || !ck_place_of(c, &r.place))
        return;
    ck_err *e = ck_digest_parse(c->ask.reference, &r.blob);
    if (e) {
        ck_call_refuse(c, 400, CK_OCI_DIGEST_INVALID, "%s", ck_err_text(e));
        ck_err_free(e);
        return;
    }
    e = decide(c, &r);
    if (e)
        ck_call_fail(c, e);
}
