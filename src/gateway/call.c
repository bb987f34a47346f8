/* What every handler asks of a call: whether it may, and what the verdict is. */
#include "gateway/core.h"

#include "gateway/serving.h"

#include <time.h>

enum { LINE = 1200 };

bool ck_call_may(struct ck_call *c, uint32_t role)
{
    if ((c->roles & role) == role || (c->roles & CK_ROLE_ADMIN))
        return true;
    if (!c->ask.session)
        ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "log in first");
    else
        ck_call_refuse(c, 403, CK_OCI_DENIED, "%.*s has no right to do this", CK_VF(c->user));
    return false;
}

ck_err *ck_call_verdict(struct ck_call *c, ck_view name, const struct ck_digest *d,
                        struct ck_verdict *ret)
{
    struct ck_verdict_question q = { .name = name, .user = c->user, .address = c->ask.client,
                                     .namespace_ = c->ask.namespace_, .now = time(NULL) };
    struct ck_rules *r = ck_rules_get(c->g);
    ck_err *e = ck_verdict_of(c->g->store, r->policy, d, &q, &c->arena, ret);
    ck_rules_put(r);
    return e;
}

ck_view ck_name_head(ck_view name)
{
    ck_view rest, head = ck_view_split(name, '@', &rest);
    for (size_t i = head.n; i > 0 && head.p[i - 1] != '/'; i--)
        if (head.p[i - 1] == ':')
            return ck_view_head(head, i - 1);
    return head;
}

/* --- what an index or artifact is worth ------------------------------------------------------- */

struct judged {
    struct ck_verdict verdict; /* the best of them */
    unsigned n;                /* of those that can be judged */
};

/* Of an index: the child whose verdict is best. Those that were never looked at count for
 * nothing: each is looked at when it is asked for. */
static ck_err *best_child(struct ck_call *c, ck_view repository, const struct ck_store_entry *ix,
                          unsigned depth, struct judged *j)
{
    for (size_t i = 0; i < ix->image.n_parts; i++) {
        const struct ck_store_part *p = &ix->image.parts[i];
        struct ck_store_entry child;
        struct ck_verdict v;
        char text[CK_DIGEST_TEXT];
        bool found = false;
        CK_TRY(ck_store_get(c->g->store, &p->digest, &c->arena, &child, &found));
        if (!found)
            continue;
        if (child.image.index) {
            if (depth < CK_MAX_INDEX_NESTING)
                CK_TRY(best_child(c, repository, &child, depth + 1, j));
            continue;
        }
        ck_view name = ck_view_str(ck_arena_format(&c->arena, "%.*s@%s", CK_VF(repository),
                                                   ck_digest_text(&p->digest, text)));
        CK_TRY(ck_call_verdict(c, name, &p->digest, &v));
        if (!v.examined && !v.by_person && v.decision != CK_DENY)
            continue;
        if (!j->n++ || v.decision < j->verdict.decision)
            j->verdict = v;
    }
    return NULL;
}

static ck_err *judge_index(struct ck_call *c, ck_view repository, const struct ck_store_entry *ix,
                           struct ck_verdict *v)
{
    struct judged j = { 0 };
    if (v->decision != CK_ALLOW)
        return NULL;
    CK_TRY(best_child(c, repository, ix, 0, &j));
    if (j.n && j.verdict.decision != CK_ALLOW)
        *v = j.verdict;
    else if (j.n && j.verdict.until && (!v->until || j.verdict.until < v->until))
        v->until = j.verdict.until;
    return NULL;
}

/* What a person has said of it counts nevertheless. */
static void let_through(struct ck_verdict *v)
{
    if (v->by_person)
        return;
    v->decision = CK_ALLOW;
    v->n_reasons = 0;
    v->until = 0;
}

ck_err *ck_call_judge(struct ck_call *c, ck_view repository, ck_view name,
                      const struct ck_digest *d, struct ck_verdict *ret_verdict, bool *ret_known)
{
    struct ck_store_entry e;
    struct ck_verdict v = { .decision = CK_QUARANTINE };
    bool found = false;
    *ret_known = false;
    CK_TRY(ck_store_get(c->g->store, d, &c->arena, &e, &found));
    if (!found)
        return NULL;
    CK_TRY(ck_call_verdict(c, name, d, &v));
    *ret_known = true;
    if (ck_is_unjudged(c->g, repository))
        let_through(&v);
    else if (e.image.index)
        CK_TRY(judge_index(c, repository, &e, &v));
    else if (e.image.has_subject && !v.examined && v.decision == CK_ALLOW) {
        /* Where the subject is not there (yet), the artifact is judged for itself. */
        struct ck_verdict of_subject;
        bool known = false;
        char text[CK_DIGEST_TEXT];
        ck_view subject = ck_view_str(ck_arena_format(&c->arena, "%.*s@%s", CK_VF(repository),
                                                      ck_digest_text(&e.image.subject, text)));
        struct ck_store_entry s;
        CK_TRY(ck_store_get(c->g->store, &e.image.subject, &c->arena, &s, &found));
        if (found && !s.image.has_subject) {
            CK_TRY(ck_call_judge(c, repository, subject, &e.image.subject, &of_subject, &known));
            if (known && of_subject.decision != CK_ALLOW)
                v = of_subject;
        }
    } else if (!v.examined && !v.by_person && v.decision == CK_QUARANTINE) {
        *ret_known = false;
    }
    *ret_verdict = v;
    return NULL;
}

/* --- saying no -------------------------------------------------------------------------------- */

/* A path cannot hold a registry's port; then the digest alone must do. */
static const char *explain_path(struct ck_call *c, ck_view name, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    ck_view repository = ck_name_head(name);
    ck_digest_text(d, text);
    if (!repository.n || ck_view_find(repository, ':') < repository.n)
        return ck_arena_format(&c->arena, "/explain/%s", text);
    return ck_arena_format(&c->arena, "/explain/%.*s@%s", CK_VF(repository), text);
}

static void note_denied(struct ck_call *c, ck_view name, const struct ck_digest *d,
                        const char *line)
{
    char text[CK_DIGEST_TEXT];
    const char *user = ck_arena_format(&c->arena, "%.*s", CK_VF(c->user));
    const char *client = ck_arena_format(&c->arena, "%.*s", CK_VF(c->ask.client));
    const char *what = ck_arena_format(&c->arena, "%.*s", CK_VF(name));
    struct ck_pull p = { .time = time(NULL), .who = c->user, .client = c->ask.client,
                         .agent = c->ask.agent, .name = name, .digest = *d, .count = 1,
                         .result = CK_PULL_DENIED };
    ck_pulls_add(c->g, &p);
    ck_gateway_count(c->g, "cocket_pulls_total{result=\"denied\"}", 1);
    ck_gateway_say(c->g, "denied", "user", user, "client", client, "name", what, "digest",
                   ck_digest_text(d, text), "reason", line, NULL);
}

void ck_call_deny(struct ck_call *c, ck_view name, const struct ck_digest *d,
                  const struct ck_verdict *v)
{
    char text[CK_DIGEST_TEXT];
    const char *line = ck_verdict_line(v, LINE, &c->arena);
    const char *path = explain_path(c, name, d);
    const char *hint = v->decision == CK_QUARANTINE && v->persons
                           ? " (a person may release it)" : "";
    static const char denied[] = "denied: "; /* clients write the code in front */
    const char *why = strncmp(line, denied, sizeof denied - 1) == 0 ? line + sizeof denied - 1
                                                                    : line;
    const char *said = ck_arena_format(&c->arena, "%s%s; %s; %s%s", why, hint,
                                       ck_digest_text(d, text), ck_gateway_url(c->g), path);
    struct ck_answer w = { .status = 403, .code = CK_OCI_DENIED, .message = ck_view_str(said),
                           .explain = ck_view_str(path), .has_digest = true, .digest = *d,
                           .fd = -1 };
    note_denied(c, name, d, line);
    ck_call_answer(c, &w);
}
