#include "verdict/verdict.h"

#include "base/text.h"
#include "image/media.h"

/* What is put together for one verdict. */
struct work {
    struct ck_store *store; /* NULL: the image is in none */
    const struct ck_verdict_question *q;
    struct ck_arena *a;
    struct ck_store_entry entry;
    struct ck_name name;
    struct ck_facts facts;
    struct ck_policy_subject subject;
    struct ck_policy_answer answer;
    unsigned approvals;
};

/* --- the name --------------------------------------------------------------------------------- */

static ck_err *take_name(struct work *w)
{
    struct ck_policy_subject *s = &w->subject;
    struct ck_name_warning *warnings = NULL;
    if (!w->q->name.n)
        return NULL;
    CK_TRY(ck_name_parse(w->q->name, w->a, &w->name));
    s->name = &w->name;
    s->repository = ck_view_str(ck_name_repository(&w->name, w->a));
    s->upstream = w->name.host;
    /* Not against what the store has seen: a name would be a near miss until it was fetched, and
     * two of one's own repositories that are alike would hold each other back for ever. */
    ck_name_warnings(&w->name, NULL, 0, w->a, &warnings, &s->n_warnings);
    s->warnings = warnings;
    return NULL;
}

/* Whether the manifest is `d`, or an index that leads to it. */
static ck_err *leads_to(struct work *w, const struct ck_digest *from, unsigned depth, bool *ret)
{
    struct ck_store_entry e;
    const struct ck_digest *d = &w->entry.image.digest;
    bool found = false;
    *ret = ck_digest_eq(from, d);
    if (*ret || depth == 0)
        return NULL;
    CK_TRY(ck_store_get(w->store, from, w->a, &e, &found));
    for (size_t i = 0; found && e.image.index && i < e.image.n_parts && !*ret; i++)
        if (e.image.parts[i].role == CK_PART_MANIFEST)
            CK_TRY(leads_to(w, &e.image.parts[i].digest, depth - 1, ret));
    return NULL;
}

/* Which rules are for it depends on tags, also where it was asked for by digest. */
static ck_err *take_tags(struct work *w)
{
    ck_view *tags = NULL;
    if (!w->subject.name || w->name.tag.n)
        return NULL;
    CK_TRY(ck_store_tags_of(w->store, w->subject.repository, &w->entry.image.digest, w->a, &tags,
                            &w->subject.n_tags));
    w->subject.tags = tags;
    return NULL;
}

/* What is known of the tag. Where it means an index, its days are those of the index. */
static ck_err *take_history(struct work *w)
{
    struct ck_store_name n;
    bool found = false, leads = false;
    if (!w->subject.name || !w->name.tag.n)
        return NULL;
    ck_view key = ck_view_str(ck_arena_format(w->a, "%.*s:%.*s", CK_VF(w->subject.repository),
                                              CK_VF(w->name.tag)));
    CK_TRY(ck_store_name_of(w->store, key, &n, &found));
    if (found)
        CK_TRY(leads_to(w, &n.digest, CK_MAX_INDEX_NESTING, &leads));
    if (leads) {
        w->subject.first_seen = n.first_seen;
        w->subject.tag_moved = n.moved;
        return NULL;
    }
    return ck_store_first_seen(w->store, key, &w->entry.image.digest, &w->subject.first_seen);
}

/* --- what was found in it --------------------------------------------------------------------- */

static ck_err *take_facts(struct work *w)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    bool found = false;
    if (w->entry.image.index || w->subject.facts)
        return NULL;
    w->subject.facts = w->q->facts;
    if (w->subject.facts)
        return NULL;
    CK_TRY(ck_store_get_facts(w->store, &w->entry.image.digest, &bytes, &found));
    if (!found || !bytes.n)
        return NULL;
    ck_err *e = ck_facts_decode(ck_arena_dup(w->a, ck_buf_view(&bytes)), w->a, &w->facts);
    if (!e)
        w->subject.facts = &w->facts;
    ck_err_free(e);
    return NULL;
}

static ck_err *take_bases(struct work *w)
{
    const struct ck_facts *f = w->subject.facts;
    ck_view *bases = NULL;
    if (!f || !f->n_chain)
        return NULL;
    ck_view *chains = ck_arena_alloc(w->a, f->n_chain, sizeof *chains);
    for (size_t i = 0; i < f->n_chain; i++) {
        char text[CK_DIGEST_TEXT];
        chains[i] = ck_arena_dup(w->a, ck_view_str(ck_digest_text(&f->chain[i], text)));
    }
    CK_TRY(ck_store_bases(w->store, chains, f->n_chain, w->a, &bases, &w->subject.n_bases));
    w->subject.bases = bases;
    return NULL;
}

/* Types of configs that some runtime takes for one of an image, or for a plugin that runs (dockerd,
 * distribution/pull_v2.go: octet-stream and none at all are images to it). */
static bool may_run(ck_view config_type)
{
    enum ck_compression unused;
    return ck_media_find(config_type, &unused) == CK_MEDIA_CONFIG || config_type.n == 0 ||
           ck_view_eq(config_type, CK_V("application/octet-stream")) ||
           ck_view_eq(config_type, CK_V("application/vnd.docker.plugin.v1+json"));
}

/* A manifest that is no image, and that nothing runs: nothing in it is to be examined. Whether a
 * layer's type is one of an image's says little: some runtimes do not ask for it. */
static bool inert(const struct ck_store_entry *e)
{
    enum ck_compression unused;
    bool config = false, runs = false, image = true;
    for (size_t i = 0; i < e->image.n_parts; i++) {
        const struct ck_store_part *p = &e->image.parts[i];
        config |= p->role == CK_PART_CONFIG;
        runs |= p->role == CK_PART_CONFIG && may_run(p->media_type);
        image &= p->role != CK_PART_LAYER ||
                 ck_media_find(p->media_type, &unused) == CK_MEDIA_LAYER;
    }
    return config && (!runs || (!image && e->state == CK_CLEARED));
}

/* By a scan that did not come to its end; the facts of an earlier one count no more. */
static bool refused(const struct ck_store_entry *e)
{
    return e->state == CK_DENIED && !e->by_person;
}

/* --- putting it together ---------------------------------------------------------------------- */

static void ask(struct work *w, const struct ck_policy *p)
{
    struct ck_policy_subject *s = &w->subject;
    s->user = w->q->user;
    s->address = w->q->address;
    s->namespace_ = w->q->namespace_;
    s->now = w->q->now;
    s->platform = s->facts ? s->facts->platform : w->entry.image.platform;
    ck_policy_decide(p, s, w->a, &w->answer);
}

static void say(struct work *w, struct ck_verdict *v, ck_view line)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_escape(&out, line);
    v->reasons[v->n_reasons++] = ck_arena_dup(w->a, ck_buf_view(&out));
}

static void say_person(struct work *w, struct ck_verdict *v, const char *did)
{
    const struct ck_store_entry *e = &w->entry;
    say(w, v, ck_view_str(ck_arena_format(w->a, "%s by %.*s%s%.*s", did, CK_VF(e->who),
                                          e->reason.n ? ": " : "", CK_VF(e->reason))));
}

static void say_policy(struct work *w, struct ck_verdict *v)
{
    for (size_t i = 0; i < w->answer.n_reasons; i++) {
        const struct ck_policy_reason *r = &w->answer.reasons[i];
        ck_autobuf struct ck_buf line = ck_buf_new(CK_LIMIT_NONE);
        ck_put_bytes(&line, r->rule);
        if (r->rule.n && r->text.n)
            ck_put_bytes(&line, CK_V(": "));
        ck_put_bytes(&line, r->text);
        say(w, v, ck_buf_view(&line));
    }
}

static void begin(struct work *w, struct ck_verdict *v)
{
    *v = (struct ck_verdict){
        .decision = w->answer.decision,
        .policy = w->answer.decision,
        .examined = w->subject.facts != NULL,
        .complete = w->entry.complete,
        .reasons = ck_arena_alloc(w->a, w->answer.n_reasons + 3, sizeof *v->reasons),
        .persons = w->answer.decision == CK_QUARANTINE ? w->answer.persons : 0,
        .until = w->answer.until,
    };
}

/* What the scan that refused it has seen of it, or an earlier one, counts no more. */
static void say_refused(struct work *w, struct ck_verdict *v)
{
    say_person(w, v, "refused");
    v->policy = v->decision = CK_DENY;
    v->persons = 0;
}

/* What the last scan was to ask beyond the policy. */
static void say_fail_on(struct work *w, struct ck_verdict *v)
{
    const struct ck_facts *f = w->subject.facts;
    size_t over = 0;
    for (size_t i = 0; f && f->has_fail_on && i < f->n_findings; i++)
        over += f->findings[i].severity >= f->fail_on;
    if (!over)
        return;
    say(w, v, ck_view_str(ck_arena_format(w->a, "--fail-on: %zu finding%s of severity %s or above",
                                          over, over == 1 ? "" : "s",
                                          ck_severity_name(f->fail_on))));
    v->policy = v->decision = CK_DENY;
    v->persons = 0;
}

/* As many as the rule wants, or one, who was asked when one was enough. */
static bool released(const struct work *w, const struct ck_verdict *v)
{
    const struct ck_store_entry *e = &w->entry;
    bool cleared = e->by_person && e->state == CK_CLEARED;
    return v->persons && (w->approvals >= v->persons || (cleared && v->persons == 1));
}

static void people(struct work *w, struct ck_verdict *v)
{
    const struct ck_store_entry *e = &w->entry;
    bool cleared = e->by_person && e->state == CK_CLEARED;
    if (e->by_person && e->state == CK_QUARANTINED && v->policy == CK_ALLOW) {
        v->decision = v->policy = CK_QUARANTINE;
        v->by_person = true;
        v->persons = 1;
    }
    if (v->policy == CK_QUARANTINE)
        v->released_by = w->approvals || !cleared ? w->approvals : 1;
    if (e->by_person && e->state == CK_DENIED) {
        v->decision = CK_DENY;
        v->by_person = true;
    } else if (v->policy == CK_QUARANTINE && released(w, v)) {
        v->decision = CK_ALLOW;
        v->by_person = true;
        if (cleared)
            say_person(w, v, "released");
    }
}

static void conclude(struct work *w, struct ck_verdict *ret)
{
    struct ck_verdict v;
    begin(w, &v);
    if (w->entry.by_person && w->entry.state != CK_CLEARED)
        say_person(w, &v, ck_state_name(w->entry.state));
    if (!v.examined && refused(&w->entry))
        say_refused(w, &v);
    say_fail_on(w, &v);
    say_policy(w, &v);
    people(w, &v);
    *ret = v;
}

static ck_err *no_image(const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s is no image of the store", ck_digest_text(d, text));
}

ck_err *ck_verdict_of(struct ck_store *s, const struct ck_policy *p, const struct ck_digest *d,
                      const struct ck_verdict_question *q, struct ck_arena *a,
                      struct ck_verdict *ret)
{
    return ck_verdict_with(s, p, d, NULL, q, a, ret);
}

ck_err *ck_verdict_with(struct ck_store *s, const struct ck_policy *p, const struct ck_digest *d,
                        const struct ck_facts *f, const struct ck_verdict_question *q,
                        struct ck_arena *a, struct ck_verdict *ret)
{
    struct work w = { .store = s, .q = q, .a = a, .subject.facts = f };
    bool found = false;
    CK_TRY(ck_store_get(s, d, a, &w.entry, &found));
    if (!found)
        return no_image(d);
    CK_TRY(take_name(&w));
    CK_TRY(take_tags(&w));
    CK_TRY(take_history(&w));
    CK_TRY(take_facts(&w));
    CK_TRY(take_bases(&w));
    if (!q->without_people)
        CK_TRY(ck_store_approvals(s, d, &w.approvals));
    else if (w.entry.by_person)
        w.entry.state = CK_QUARANTINED, w.entry.by_person = false;
    w.subject.index = w.entry.image.index || (!w.subject.facts && inert(&w.entry));
    ask(&w, p);
    conclude(&w, ret);
    return NULL;
}

ck_err *ck_verdict_of_facts(const struct ck_policy *p, const struct ck_facts *f,
                            const struct ck_verdict_question *q, struct ck_arena *a,
                            struct ck_verdict *ret)
{
    struct work w = { .q = q, .a = a, .entry = { .complete = true } };
    CK_TRY(take_name(&w));
    w.subject.facts = f;
    ask(&w, p);
    conclude(&w, ret);
    return NULL;
}

/* --- what a scan notes ------------------------------------------------------------------------ */

enum ck_state_of_image ck_verdict_state(const struct ck_verdict *v)
{
    static const enum ck_state_of_image states[] = { [CK_ALLOW] = CK_CLEARED,
                                                     [CK_QUARANTINE] = CK_QUARANTINED,
                                                     [CK_DENY] = CK_DENIED };
    return states[v->decision];
}

ck_view ck_verdict_reason(const struct ck_verdict *v, const struct ck_policy *p,
                          struct ck_arena *a)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < v->n_reasons; i++)
        ck_buf_format(&b, "%s%.*s", i ? "; " : "", CK_VF(v->reasons[i]));
    if (!b.n)
        ck_buf_format(&b, "the policy %s allows it", ck_policy_file(p));
    return ck_arena_dup(a, ck_buf_view(&b));
}

/* --- one line --------------------------------------------------------------------------------- */

/* The head of valid UTF-8 that fits. */
static ck_view fitting(ck_view v, size_t max)
{
    size_t n = v.n < max ? v.n : max;
    while (n && n < v.n && (v.p[n] & 0xC0) == 0x80)
        n--;
    return ck_view_head(v, n);
}

const char *ck_verdict_line(const struct ck_verdict *v, size_t max, struct ck_arena *a)
{
    static const char *const words[] = { "allowed", "quarantined", "denied" };
    enum { TAIL = 40 }; /* "; and 18446744073709551615 more reasons" */
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&out, "%s", words[v->decision]);
    for (size_t i = 0; i < v->n_reasons; i++) {
        ck_view r = v->reasons[i];
        bool last = i + 1 == v->n_reasons;
        if (out.n + 2 + r.n + (last ? 0 : TAIL) <= max) {
            ck_buf_format(&out, "%s", i ? "; " : ": ");
            ck_put_bytes(&out, r);
            continue;
        }
        size_t left = v->n_reasons - i;
        if (i == 0 && out.n + 2 + 3 + TAIL < max) { /* not even one: as much of it as fits */
            ck_put_bytes(&out, CK_V(": "));
            ck_put_bytes(&out, fitting(r, max - out.n - 3 - TAIL));
            ck_put_bytes(&out, CK_V("..."));
            left--;
        }
        if (left)
            ck_buf_format(&out, "; and %zu more reason%s", left, left == 1 ? "" : "s");
        break;
    }
    ck_view line = fitting(ck_buf_view(&out), max);
    return (const char *)ck_arena_dup(a, line).p;
}
