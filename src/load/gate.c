#include "load/gate.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "verdict/verdict.h"

#include <string.h>
#include <time.h>

ck_err *ck_gate_open(const char *ref, const struct ck_load_options *o, struct ck_arena *a,
                     struct ck_source **ret)
{
    static const char transport[] = "store:";
    struct ck_reference r;
    struct ck_source_options so = { .platform = o->platform,
                                    .platform_asked = o->platform_asked,
                                    .no_sandbox = o->no_sandbox,
                                    .store = o->store,
                                    .whole_index = o->all_platforms };
    bool given = strncmp(ref, transport, strlen(transport)) == 0;
    CK_TRY(ck_reference_parse(ck_arena_format(a, "%s%s", given ? "" : transport, ref), a, &r));
    return ck_source_open(&r, &so, ret);
}

/* --- may it pass? ----------------------------------------------------------------------------- */

struct judge {
    struct ck_source *s;
    struct ck_policy *policy;
    struct ck_verdict_question q;
    struct ck_arena *a;
};

static ck_err *ask(const struct judge *j, const struct ck_digest *d, struct ck_verdict *ret)
{
    return ck_verdict_of(ck_source_store(j->s), j->policy, d, &j->q, j->a, ret);
}

static void refuse(const struct judge *j, const struct ck_digest *d, const struct ck_verdict *v,
                   struct ck_loaded *ret)
{
    ck_autobuf struct ck_buf reason = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < v->n_reasons; i++) {
        ck_put_bytes(&reason, i ? CK_V("; ") : CK_V(""));
        ck_put_bytes(&reason, v->reasons[i]);
    }
    ret->refused = true;
    ret->state = v->decision == CK_DENY ? CK_DENIED : CK_QUARANTINED;
    ret->reason = ck_arena_dup(j->a, ck_buf_view(&reason));
    ret->digest = *d;
}

/* The images of a denied index are denied with it. */
static ck_err *judge_top(const struct judge *j, const struct ck_digest *index,
                         struct ck_loaded *ret)
{
    struct ck_verdict v;
    CK_TRY(ask(j, index, &v));
    if (v.decision == CK_DENY)
        refuse(j, index, &v, ret);
    return NULL;
}

static ck_err *judge_image(const struct judge *j, const struct ck_image *im, struct ck_loaded *ret)
{
    struct ck_verdict v;
    CK_TRY(ask(j, &im->digest, &v));
    if (!v.complete)
        return ck_err_new(CK_ERR_UNAVAILABLE, "it is not whole in the store (cocket fetch)");
    if (v.decision != CK_ALLOW)
        refuse(j, &im->digest, &v, ret);
    return ret->refused || !im->has_index ? NULL : judge_top(j, &im->index.digest, ret);
}

/* An attestation is nothing that runs. */
static ck_err *judge_index(const struct judge *j, const struct ck_image *im, struct ck_loaded *ret)
{
    struct ck_verdict v;
    CK_TRY(judge_top(j, &im->index.digest, ret));
    for (size_t i = 0; i < im->children.n && !ret->refused; i++) {
        if (im->children.manifests[i].attestation)
            continue;
        CK_TRY(ask(j, &im->children.manifests[i].digest, &v));
        if (v.decision != CK_ALLOW)
            refuse(j, &im->children.manifests[i].digest, &v, ret);
    }
    return NULL;
}

static ck_err *judge(struct ck_source *s, const struct ck_load_options *o, struct ck_arena *a,
                     struct ck_loaded *ret)
{
    const struct ck_image *im = ck_source_image(s);
    ck_autofree char *user = ck_login_name();
    struct judge j = { .s = s, .a = a,
                       .q = { .name = im->name, .user = ck_view_str(user), .now = time(NULL) } };
    CK_TRY(ck_policy_load(o->policy, &j.policy));
    ck_err *e = im->has_digest ? judge_image(&j, im, ret) : judge_index(&j, im, ret);
    ck_policy_free(j.policy);
    return e;
}

static ck_err *log_force(struct ck_source *s, const char *verb, const char *to, const char *reason,
                         struct ck_arena *a, const struct ck_loaded *l)
{
    const char *event = ck_arena_format(a, "force-%s", verb);
    const char *text = ck_arena_format(a, "to %s, although %s (%.*s): %s", to,
                                       ck_state_name(l->state), CK_VF(l->reason), reason);
    return ck_log_append(ck_source_store(s), ck_view_str(event), &l->digest,
                         ck_source_image(s)->name, ck_view_str(text));
}

ck_err *ck_gate_pass(struct ck_source *s, const char *verb, const char *to,
                     const struct ck_load_options *o, struct ck_arena *a, struct ck_loaded *ret)
{
    const struct ck_image *im = ck_source_image(s);
    struct ck_loaded l = { .state = CK_CLEARED };
    CK_TRY(judge(s, o, a, &l));
    if (l.refused && o->force) {
        CK_TRY(log_force(s, verb, to, o->force, a, &l));
        l.refused = false;
    }
    if (!l.refused)
        l.digest = im->has_digest ? im->digest : im->index.digest;
    *ret = l;
    return NULL;
}

/* --- names and the log ------------------------------------------------------------------------ */

static ck_err *get(struct ck_source *s, const struct ck_digest *d, struct ck_arena *a,
                   struct ck_store_entry *ret)
{
    char text[CK_DIGEST_TEXT];
    bool found = false;
    CK_TRY(ck_store_get(ck_source_store(s), d, a, ret, &found));
    return found ? NULL
                 : ck_err_new(CK_ERR_UNAVAILABLE, "%s is not in the store (cocket fetch)",
                              ck_digest_text(d, text));
}

static ck_err *given_name(const char *text, struct ck_arena *a, ck_view *ret)
{
    struct ck_name n;
    CK_TRY(ck_name_parse(ck_view_str(text), a, &n));
    if (n.has_digest)
        return ck_err_new(CK_ERR_USAGE, "--name %s: a name without a digest", text);
    *ret = ck_view_str(ck_name_text(&n, a));
    return NULL;
}

static bool has_digest(ck_view name) { return ck_view_find(name, '@') < name.n; }

/* "docker.io/library/alpine:3.20" as `ref` means it, or empty. */
static ck_view meant(const char *ref, struct ck_arena *a)
{
    struct ck_name n;
    static const char transport[] = "store:";
    if (strncmp(ref, transport, strlen(transport)) == 0)
        ref += strlen(transport);
    ck_err *e = ck_name_parse(ck_view_str(ref), a, &n);
    ck_err_free(e);
    return e ? (ck_view){ 0 } : ck_view_str(ck_name_text(&n, a));
}

ck_err *ck_gate_name(struct ck_source *s, const char *ref, const struct ck_load_options *o,
                     struct ck_arena *a, ck_view *ret)
{
    const struct ck_image *im = ck_source_image(s);
    struct ck_store_entry e;
    ck_view first = { 0 }, want = meant(ref, a);
    if (o->name)
        return given_name(o->name, a, ret);
    CK_TRY(get(s, im->has_index ? &im->index.digest : &im->digest, a, &e));
    for (size_t i = 0; i < e.n_names; i++) {
        if (has_digest(e.names[i]))
            continue;
        if (!first.n || ck_view_eq(e.names[i], want))
            first = e.names[i];
    }
    *ret = first;
    return NULL;
}

ck_err *ck_gate_log(struct ck_source *s, const char *verb, const char *to,
                    const struct ck_loaded *l)
{
    ck_autofree char *text = ck_format("to %s", to);
    return ck_log_append(ck_source_store(s), ck_view_str(verb), &l->digest, l->name,
                         ck_view_str(text));
}
