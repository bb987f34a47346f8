#include "verdict/release.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "store/events.h"

#include <time.h>

bool ck_may_release(const struct ck_verdict *v)
{
    return v->policy == CK_ALLOW || (v->policy == CK_QUARANTINE && v->persons > 0);
}

const char *ck_release_refusal(const struct ck_verdict *v)
{
    return v->policy == CK_DENY
               ? "the policy denies it, and nobody can release what it denies"
               : "the policy holds it in quarantine, and lets nobody release it";
}

/* --- those who watch are told ----------------------------------------------------------------- */

static void put_data(struct ck_buf *out, const struct ck_deciding *x, ck_view who,
                     const struct ck_released *r)
{
    ck_buf_format(out, "{\"who\":");
    ck_buf_json_str(out, who);
    ck_buf_format(out, ",\"state\":\"%s\",\"persons\":%u,\"released_by\":%u,\"reason\":",
                  ck_state_name(r->state), r->persons, r->released_by);
    ck_buf_json_str(out, x->reason);
    ck_buf_format(out, "}");
}

static ck_err *tell(struct ck_store *s, const struct ck_deciding *x, const struct ck_released *r)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf data = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *login = x->who ? NULL : ck_login_name();
    ck_view who = ck_view_str(x->who ? x->who : login);
    char digest[CK_DIGEST_TEXT];
    struct ck_name n;
    ck_digest_text(&x->digest, digest);
    const char *what = r->state == CK_DENIED    ? "denied"
                       : r->state == CK_CLEARED ? "released"
                                                : "is to be released";
    put_data(&data, x, who, r);
    struct ck_event e = {
        .time = time(NULL), .kind = CK_V("decision"), .severity = -1,
        .image = ck_view_str(digest), .name = x->name, .data = ck_buf_view(&data),
        .summary = ck_view_str(ck_arena_format(&a, "%.*s: %s by %.*s: %.*s",
                                               CK_VF(x->name.n ? x->name : ck_view_str(digest)),
                                               what, CK_VF(who), CK_VF(x->reason))),
    };
    ck_err *no_name = x->name.n ? ck_name_parse(x->name, &a, &n) : NULL;
    if (x->name.n && !no_name)
        e.repository = ck_view_str(ck_name_repository(&n, &a));
    ck_err_free(no_name);
    return ck_store_add_events(s, &e, 1);
}

/* --- decisions -------------------------------------------------------------------------------- */

ck_err *ck_release(struct ck_store *s, const struct ck_deciding *x, const struct ck_verdict *v,
                   struct ck_released *ret)
{
    struct ck_released r = { .state = CK_QUARANTINED };
    bool one = v->policy != CK_QUARANTINE || v->persons < 2;
    if (!one) {
        r.persons = v->persons;
        CK_TRY(ck_store_approve(s, &x->digest, x->who, x->reason, &r.released_by));
    }
    if (one || r.released_by >= r.persons)
        CK_TRY(ck_store_decide_as(s, x->who, &x->digest, CK_CLEARED, x->reason, CK_BY_PERSON,
                                  &r.state));
    CK_TRY(tell(s, x, &r));
    *ret = r;
    return NULL;
}

ck_err *ck_deny(struct ck_store *s, const struct ck_deciding *x, struct ck_released *ret)
{
    struct ck_released r = { 0 };
    CK_TRY(ck_store_decide_as(s, x->who, &x->digest, CK_DENIED, x->reason, CK_BY_PERSON,
                              &r.state));
    CK_TRY(tell(s, x, &r));
    *ret = r;
    return NULL;
}

ck_err *ck_replay(struct ck_store *s, const struct ck_policy *before, const struct ck_policy *after,
                  const struct ck_digest *d, const struct ck_verdict_question *q,
                  struct ck_arena *a, struct ck_replayed *ret)
{
    struct ck_replayed r = { 0 };
    ck_err *e = ck_verdict_of(s, before, d, q, a, &r.before);
    if (!e)
        e = ck_verdict_of(s, after, d, q, a, &r.after);
    if (e && ck_err_class(e) != CK_ERR_UNAVAILABLE)
        return e;
    r.gone = e != NULL;
    ck_err_free(e);
    *ret = r;
    return NULL;
}
