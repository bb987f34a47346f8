/* What the policy makes of an image now, under each of its names, against what it was. */
#include "watch/watch_int.h"

#include "watch/pulled.h"

static const enum ck_state_of_image states[CK_DECISION_COUNT_] = {
    [CK_ALLOW] = CK_CLEARED, [CK_QUARANTINE] = CK_QUARANTINED, [CK_DENY] = CK_DENIED
};

/* Under one name. */
struct outcome {
    ck_view name;
    struct ck_verdict was, is; /* was: asked for only where `has_was` */
    bool has_was;
};

struct work {
    const struct ck_judging *j;
    struct ck_arena *a;
    struct outcome *v; /* at most WATCH_NAMES */
    size_t n;
    const struct outcome *best;      /* the least strict now */
    const struct outcome *withdrawn; /* the strictest of those that were allowed, or NULL */
};

/* --- asking ----------------------------------------------------------------------------------- */

static ck_err *ask(const struct work *w, ck_view name, const struct ck_facts *f,
                   struct ck_verdict *ret)
{
    struct ck_verdict_question q = { .name = name, .now = w->j->now, .facts = f };
    return ck_verdict_of(w->j->store, w->j->policy, w->j->image, &q, w->a, ret);
}

/* What it was under the old facts: asked for where the state does not say it. */
static bool needs_past(const struct work *w, const struct outcome *o)
{
    const struct ck_standing *st = w->j->standing;
    bool person = st->by_person && st->state == CK_CLEARED;
    bool grace = o->is.decision == CK_ALLOW && o->is.until;
    return w->j->was && w->j->is && (w->n > 1 || person || grace);
}

/* A name that the store keeps and that is none (an old layout's) is judged as no name. */
static bool is_name(ck_view text, struct ck_arena *a)
{
    struct ck_name n;
    ck_err *e = ck_name_parse(text, a, &n);
    ck_err_free(e);
    return e == NULL;
}

static void take_names(struct work *w)
{
    const struct ck_standing *st = w->j->standing;
    w->v = ck_arena_alloc(w->a, CK_MAX_WATCH_NAMES, sizeof *w->v);
    for (size_t i = 0; i < st->n_names && w->n < CK_MAX_WATCH_NAMES; i++)
        if (is_name(st->names[i], w->a))
            w->v[w->n++].name = st->names[i];
    if (w->n == 0)
        w->v[w->n++].name = CK_V("");
}

static ck_err *ask_all(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        struct outcome *o = &w->v[i];
        CK_TRY(ask(w, o->name, w->j->is, &o->is));
        o->has_was = needs_past(w, o);
        if (o->has_was)
            CK_TRY(ask(w, o->name, w->j->was, &o->was));
        if (!w->best || o->is.policy < w->best->is.policy)
            w->best = o;
    }
    return NULL;
}

/* --- what follows ----------------------------------------------------------------------------- */

/* What a person cleared stays in the books as it is unless it is denied: there the old facts say
 * whether it passed. So they do where only one of several names is concerned. */
static bool passed(const struct work *w, const struct outcome *o)
{
    const struct ck_standing *st = w->j->standing;
    if (o->has_was && o->was.decision == CK_ALLOW)
        return true;
    if (st->state != CK_CLEARED)
        return false;
    return st->by_person ? o->is.policy == CK_DENY : w->best->is.decision != CK_ALLOW;
}

static void find_withdrawn(struct work *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct outcome *o = &w->v[i];
        if (o->is.decision != CK_ALLOW && passed(w, o) &&
            (!w->withdrawn || o->is.decision > w->withdrawn->is.decision))
            w->withdrawn = o;
    }
}

static bool state_changes(const struct work *w, enum ck_state_of_image state)
{
    const struct ck_standing *st = w->j->standing;
    if (st->by_person && (st->state == CK_DENIED || state != CK_DENIED))
        return false;
    return st->state != state;
}

/* It passes still, but only for so long: a fix has come out, and its grace runs. */
static bool grace_begins(const struct work *w)
{
    const struct outcome *o = w->best;
    return o->has_was && o->was.decision == CK_ALLOW && o->is.decision == CK_ALLOW &&
           o->is.until && (!o->was.until || o->is.until < o->was.until);
}

static ck_view reason_of(const struct work *w, const struct ck_verdict *v)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (size_t i = 0; i < v->n_reasons && i < CK_MAX_EVENT_REASONS; i++)
        ck_buf_format(&b, "%s%.*s", i ? "; " : "", CK_VF(v->reasons[i]));
    if (v->n_reasons > CK_MAX_EVENT_REASONS)
        ck_buf_format(&b, "; and %zu more", v->n_reasons - (size_t)CK_MAX_EVENT_REASONS);
    if (!b.n)
        ck_buf_format(&b, "the policy %s allows it", ck_policy_file(w->j->policy));
    return ck_arena_dup(w->a, ck_buf_view(&b));
}

/* --- the event -------------------------------------------------------------------------------- */

static void put_time(struct ck_buf *b, const char *key, int64_t t)
{
    char text[32];
    ck_format_time(text, t);
    if (t)
        ck_buf_format(b, ",\"%s\":\"%s\"", key, text);
    else
        ck_buf_format(b, ",\"%s\":null", key);
}

static void put_reasons(struct ck_buf *b, const struct ck_verdict *v)
{
    enum { LONGEST = 6 }; /* bytes that JSON makes of one */
    size_t put = 0;
    ck_put_bytes(b, CK_V(",\"reasons\":["));
    for (size_t i = 0; i < v->n_reasons && put < CK_MAX_EVENT_REASONS; i++) {
        if (b->n + LONGEST * v->reasons[i].n > CK_MAX_EVENT_DATA / 4)
            continue;
        ck_put_bytes(b, put++ ? CK_V(",") : CK_V(""));
        ck_buf_json_str(b, v->reasons[i]);
    }
    ck_buf_format(b, "],\"reasons_count\":%zu", v->n_reasons);
}

static void put_change(const struct work *w, struct ck_buf *b, const struct ck_verdict *v)
{
    const struct ck_standing *st = w->j->standing;
    ck_buf_format(b, "{\"from\":\"%s\",\"to\":\"%s\"",
                  ck_state_name(w->withdrawn ? CK_CLEARED : st->state),
                  ck_state_name(states[v->decision]));
    put_time(b, "since", st->decided);
    put_time(b, "until", v->until);
    put_reasons(b, v);
}

/* Under which of its names, where it has others that it still passes under. */
static void put_names(const struct work *w, struct ck_buf *b)
{
    bool any = false;
    ck_put_bytes(b, CK_V(",\"names\":["));
    for (size_t i = 0; i < w->n; i++) {
        if (!w->v[i].name.n || w->v[i].is.decision == CK_ALLOW)
            continue;
        ck_put_bytes(b, any ? CK_V(",") : CK_V(""));
        ck_buf_json_str(b, w->v[i].name);
        any = true;
    }
    ck_put_bytes(b, CK_V("]"));
}

static void put_pullers(struct ck_buf *b, const struct ck_puller *v, size_t n)
{
    char last[32];
    ck_put_bytes(b, CK_V(",\"pulled_by\":["));
    for (size_t i = 0; i < n && i < CK_MAX_EVENT_PULLERS; i++) {
        ck_format_time(last, v[i].last);
        ck_put_bytes(b, i ? CK_V(",{\"who\":") : CK_V("{\"who\":"));
        ck_buf_json_str(b, v[i].who);
        ck_put_bytes(b, CK_V(",\"client\":"));
        ck_buf_json_str(b, v[i].client);
        ck_put_bytes(b, CK_V(",\"name\":"));
        ck_buf_json_str(b, v[i].name);
        ck_buf_format(b, ",\"time\":\"%s\",\"count\":%llu}", last,
                      (unsigned long long)v[i].count);
    }
    ck_buf_format(b, "],\"pulled_by_count\":%zu}", n);
}

static ck_err *tell_withdrawn(const struct work *w, struct ck_judgement *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_verdict *v = &w->withdrawn->is;
    struct ck_puller *pullers = NULL;
    size_t n = 0;
    CK_TRY(ck_pullers(w->j->store, w->j->image, w->j->standing, w->a, &pullers, &n));
    put_change(w, &b, v);
    put_names(w, &b);
    put_pullers(&b, pullers, n);
    const char *line = ck_arena_format(w->a, "withdrawn, %s; pulled by %zu",
                                       ck_verdict_line(v, CK_MAX_SERVE_MESSAGE, w->a), n);
    ret->withdrawn = ret->has_event = true;
    ret->event = ck_watch_event("withdrawn", w->j->image, w->j->standing, w->j->now, line,
                                ck_buf_view(&b), w->a);
    if (w->withdrawn->name.n) {
        ret->event.name = w->withdrawn->name;
        ret->event.repository = ck_watch_repository(w->withdrawn->name);
    }
    return NULL;
}

static void tell_verdict(const struct work *w, bool grace, struct ck_judgement *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_verdict *v = &w->best->is;
    char until[32];
    ck_format_time(until, v->until);
    put_change(w, &b, v);
    ck_put_bytes(&b, CK_V("}"));
    const char *line = ck_verdict_line(v, CK_MAX_SERVE_MESSAGE, w->a);
    if (grace)
        line = ck_arena_format(w->a, "passes until %s only", until);
    ret->has_event = true;
    ret->event = ck_watch_event("verdict", w->j->image, w->j->standing, w->j->now, line,
                                ck_buf_view(&b), w->a);
}

ck_err *ck_judge_again(const struct ck_judging *j, struct ck_arena *a, struct ck_judgement *ret)
{
    struct work w = { .j = j, .a = a };
    struct ck_judgement out = { 0 };
    take_names(&w);
    CK_TRY(ask_all(&w));
    find_withdrawn(&w);
    out.state = states[w.best->is.policy];
    out.decide = state_changes(&w, out.state);
    out.reason = out.decide ? reason_of(&w, &w.best->is) : CK_V("");
    bool grace = grace_begins(&w);
    if (w.withdrawn)
        CK_TRY(tell_withdrawn(&w, &out));
    else if (out.decide || grace)
        tell_verdict(&w, grace && !out.decide, &out);
    *ret = out;
    return NULL;
}
