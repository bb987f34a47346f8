/* What comes in: only the hosted area takes it. */
#include "gateway/credentials.h"
#include "gateway/push_int.h"

/* --- what is common --------------------------------------------------------------------------- */

void ck_push_fail(struct ck_call *c, ck_err *e, enum ck_oci_error code)
{
    switch (ck_err_class(e)) {
    case CK_ERR_OURS:
        /* A full disk, most of the time: it may be better later. */
        ck_gateway_count(c->g, "cocket_failures_total", 1);
        ck_gateway_say(c->g, "push-failed", "error", ck_err_text(e), NULL);
        ck_call_refuse(c, 503, CK_OCI_UNKNOWN, "the gate could not store this; its log says why");
        break;
    case CK_ERR_LIMIT:
        ck_call_refuse(c, 413, CK_OCI_SIZE_INVALID, "%s", ck_err_text(e));
        break;
    case CK_ERR_USAGE:
    case CK_ERR_UNAVAILABLE:
    case CK_ERR_HOSTILE:
    case CK_ERR_CLASS_COUNT_:
        ck_call_refuse(c, 400, code, "%s", ck_err_text(e));
        break;
    }
    ck_err_free(e);
}

/* As clients call it: "hosted/app". Empty: it is of an upstream. */
static ck_view shown_name(ck_view repository)
{
    ck_view host = CK_V(CK_HOSTED_HOST "/");
    return ck_view_starts(repository, host) ? ck_view_from(repository, host.n) : (ck_view){ 0 };
}

bool ck_is_unjudged(const struct ck_gateway *g, ck_view repository)
{
    ck_view name = shown_name(repository);
    for (size_t i = 0; name.n && i < g->o->n_unjudged; i++)
        if (ck_repository_matches(ck_view_str(g->o->unjudged[i]), name))
            return true;
    return false;
}

ck_err *ck_push_has(struct ck_gateway *g, ck_view repository, const struct ck_digest *d,
                    struct ck_arena *a, bool *ret)
{
    struct ck_digest *by;
    size_t n = 0;
    *ret = ck_upload_claimed(g, repository, d);
    if (!*ret)
        CK_TRY(ck_store_reaching(g->store, repository, d, a, &by, &n));
    *ret = *ret || n;
    return NULL;
}

bool ck_call_is_pusher(struct ck_call *c)
{
    struct ck_user u;
    bool found = false;
    if (c->roles & (CK_ROLE_PUSH | CK_ROLE_ADMIN))
        return true;
    if (!c->ask.session || !(c->roles & CK_ROLE_PULL))
        return false;
    ck_err *e = ck_store_get_user(c->g->store, c->user, &c->arena, &u, &found);
    bool yes = !e && found && !u.disabled && (u.roles & (CK_ROLE_PUSH | CK_ROLE_ADMIN));
    ck_err_free(e);
    return yes;
}

/* --- mounts ----------------------------------------------------------------------------------- */

/* Whether the user may pull from there: what ck_place_of asks, without an answer. */
static ck_err *may_pull(struct ck_call *c, const struct ck_place *from, bool *ret)
{
    struct ck_user u;
    bool found = false;
    *ret = false;
    if (!(c->roles & (CK_ROLE_PULL | CK_ROLE_ADMIN)))
        return NULL;
    CK_TRY(ck_store_get_user(c->g->store, c->user, &c->arena, &u, &found));
    ck_view name = shown_name(ck_view_str(from->repository));
    *ret = found && (!u.repository.n || ck_repository_matches(u.repository, name));
    return NULL;
}

/* Pushed there lately, or in an image there that would be served. */
static ck_err *is_served(struct ck_call *c, const struct ck_place *from, const struct ck_digest *d,
                         bool *ret)
{
    ck_view repository = ck_view_str(from->repository);
    struct ck_digest *by;
    size_t n = 0;
    *ret = ck_upload_claimed(c->g, repository, d);
    if (!*ret)
        CK_TRY(ck_store_reaching(c->g->store, repository, d, &c->arena, &by, &n));
    for (size_t i = 0; i < n && !*ret; i++) {
        char text[CK_DIGEST_TEXT];
        struct ck_verdict v;
        bool known = false;
        ck_view name = ck_view_str(ck_arena_format(&c->arena, "%s@%s", from->repository,
                                                   ck_digest_text(&by[i], text)));
        CK_TRY(ck_call_judge(c, repository, name, &by[i], &v, &known));
        *ret = known && v.decision == CK_ALLOW;
    }
    return NULL;
}

static ck_err *try_from(struct ck_call *c, const struct ck_place *from, const struct ck_digest *d,
                        bool *ret)
{
    bool may = false;
    *ret = false;
    CK_TRY(may_pull(c, from, &may));
    return may ? is_served(c, from, d, ret) : NULL;
}

/* A hosted one: what was pulled through the gate is pushed by those who have it. */
static bool hosted_place(struct ck_call *c, ck_view name, struct ck_place *ret)
{
    ck_view rest, hosted = ck_view_str(c->g->o->hosted ? c->g->o->hosted : "hosted");
    *ret = (struct ck_place){
        .hosted = true, .upstream = CK_HOSTED_HOST,
        .repository = ck_arena_format(&c->arena, CK_HOSTED_HOST "/%.*s", CK_VF(name)),
    };
    return ck_view_eq(ck_view_split(name, '/', &rest), hosted) && rest.n;
}

/* Without a source: wherever it was pushed lately and this user may pull. */
static ck_err *try_anywhere(struct ck_call *c, const struct ck_digest *d, bool *ret)
{
    struct ck_uploads *u = c->g->uploads;
    enum { MOST = 16 };
    struct ck_place places[MOST];
    size_t n = 0;
    pthread_mutex_lock(&u->mutex);
    const struct ck_claim *x = ck_claim_next(&u->claims, d, NULL);
    for (; x && n < MOST; x = ck_claim_next(&u->claims, d, x)) {
        ck_view at = ck_claim_repository(x);
        places[n++] = (struct ck_place){
            .hosted = true, .upstream = CK_HOSTED_HOST,
            .repository = ck_arena_format(&c->arena, "%.*s", CK_VF(at)),
        };
    }
    pthread_mutex_unlock(&u->mutex);
    *ret = false;
    for (size_t i = 0; i < n && !*ret; i++)
        CK_TRY(try_from(c, &places[i], d, ret));
    return NULL;
}

static ck_err *claim_mounted(struct ck_call *c, const struct ck_place *p, const struct ck_digest *d,
                             bool *ret)
{
    struct ck_uploads *u = c->g->uploads;
    struct ck_hold *h = NULL;
    bool has = false;
    pthread_mutex_lock(&u->mutex);
    ck_err *e = ck_hold_get(c->g, &u->claims, ck_push_now(), &h);
    if (!e)
        e = ck_store_has(h->lease, d, NULL, &has);
    if (!e && has)
        ck_claim_add(&u->claims, ck_view_str(p->repository), d, h, ck_push_now());
    if (h)
        ck_hold_put(&u->claims, h);
    pthread_mutex_unlock(&u->mutex);
    *ret = has;
    return e;
}

static ck_err *mount(struct ck_call *c, const struct ck_place *p, struct ck_digest *ret,
                     bool *ret_done)
{
    struct ck_place from;
    CK_TRY(ck_digest_parse(c->ask.reference, ret));
    *ret_done = false;
    if (!c->ask.from.n)
        CK_TRY(try_anywhere(c, ret, ret_done));
    else if (hosted_place(c, c->ask.from, &from))
        CK_TRY(try_from(c, &from, ret, ret_done));
    return *ret_done ? claim_mounted(c, p, ret, ret_done) : NULL;
}

/* Where it cannot be mounted the client uploads it (distribution-spec, "Mounting a blob"). */
static void start(struct ck_call *c, const struct ck_place *p)
{
    struct ck_answer w = { .status = 201, .has_digest = true, .fd = -1 };
    bool done = false;
    ck_err *e = c->ask.reference.n ? mount(c, p, &w.digest, &done) : NULL;
    if (e)
        ck_push_fail(c, e, CK_OCI_DIGEST_INVALID);
    else if (done)
        ck_call_answer(c, &w);
    else
        ck_upload_start(c, p);
}

/* --- DELETE of a blob ------------------------------------------------------------------------- */

static void blob_delete(struct ck_call *c, const struct ck_place *p)
{
    ck_view repository = ck_view_str(p->repository);
    struct ck_digest d, *by;
    size_t n = 0;
    ck_err *e = ck_digest_parse(c->ask.reference, &d);
    if (!e)
        e = ck_store_reaching(c->g->store, repository, &d, &c->arena, &by, &n);
    if (e) {
        ck_push_fail(c, e, CK_OCI_DIGEST_INVALID);
        return;
    }
    char text[CK_DIGEST_TEXT];
    if (n) {
        ck_call_refuse(c, 405, CK_OCI_UNSUPPORTED, "the manifest %s needs it: delete that first",
                       ck_digest_text(&by[0], text));
        return;
    }
    pthread_mutex_lock(&c->g->uploads->mutex);
    bool was = ck_claim_drop(&c->g->uploads->claims, repository, &d);
    pthread_mutex_unlock(&c->g->uploads->mutex);
    if (!was) {
        ck_call_refuse(c, 404, CK_OCI_BLOB_UNKNOWN, "no such blob in this repository");
        return;
    }
    ck_gateway_forget(c->g);
    struct ck_answer w = { .status = 202, .fd = -1 };
    ck_call_answer(c, &w);
}

/* --- all of them ------------------------------------------------------------------------------ */

static const struct {
    void (*handle)(struct ck_call *c, const struct ck_place *p);
    bool deletes;
} kinds[CK_ASK_KIND_COUNT_] = {
    [CK_ASK_UPLOAD_START] = { .handle = start },
    [CK_ASK_UPLOAD_DATA] = { .handle = ck_upload_data },
    [CK_ASK_UPLOAD_END] = { .handle = ck_upload_data_end },
    [CK_ASK_UPLOAD_STATUS] = { .handle = ck_upload_status },
    [CK_ASK_UPLOAD_FINISH] = { .handle = ck_upload_finish },
    [CK_ASK_UPLOAD_CANCEL] = { .handle = ck_upload_cancel },
    [CK_ASK_MANIFEST_PUT] = { .handle = ck_manifest_put },
    [CK_ASK_MANIFEST_DELETE] = { .handle = ck_manifest_delete, .deletes = true },
    [CK_ASK_BLOB_DELETE] = { .handle = blob_delete, .deletes = true },
};

void ck_push_ask(struct ck_call *c)
{
    struct ck_place p;
    const char *hosted = c->g->o->hosted ? c->g->o->hosted : "hosted";
    if (!ck_call_may(c, CK_ROLE_PUSH) || !ck_place_of(c, &p))
        return;
    if (p.hosted)
        kinds[c->ask.kind].handle(c, &p);
    else if (kinds[c->ask.kind].deletes)
        ck_call_refuse(c, 405, CK_OCI_UNSUPPORTED, "nothing of %s can be deleted here", p.upstream);
    else
        ck_call_refuse(c, 403, CK_OCI_DENIED, "this is %s, seen through the gate; push below %s/",
                       p.upstream, hosted);
}
