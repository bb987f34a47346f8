/* All rules that match, all their demands, all reasons. */
#include "policy/policy_int.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

/* --- texts ------------------------------------------------------------------------------------ */

const char *ck_policy_day(int64_t t, struct ck_arena *a)
{
    char text[32];
    ck_format_time(text, t);
    return ck_arena_format(a, "%.10s", text);
}

const char *ck_policy_duration(int64_t seconds, struct ck_arena *a)
{
    bool days = seconds % 86400 == 0;
    int64_t n = seconds / (days ? 86400 : 3600);
    return ck_arena_format(a, "%lld %s%s", (long long)n, days ? "day" : "hour", n == 1 ? "" : "s");
}

enum { LISTED = 3 };

void ck_judge_list_add(struct ck_judging *j, struct ck_judge_list *l, const char *fmt, ...)
{
    char item[512];
    va_list ap;
    if (l->n++ >= LISTED)
        return;
    va_start(ap, fmt);
    vsnprintf(item, sizeof item, fmt, ap);
    va_end(ap);
    l->text = ck_arena_format(j->a, "%s%s%s", l->text ? l->text : "", l->text ? ", " : "", item);
}

const char *ck_judge_list_text(struct ck_judging *j, const struct ck_judge_list *l)
{
    if (l->n <= LISTED)
        return l->text ? l->text : "";
    return ck_arena_format(j->a, "%s and %zu more", l->text, l->n - LISTED);
}

/* --- reasons ---------------------------------------------------------------------------------- */

static void add_reason(struct ck_judging *j, enum ck_decision decision, ck_view rule,
                       const char *text)
{
    if (j->n == j->cap) {
        j->cap = j->cap ? 2 * j->cap : 16;
        struct ck_policy_reason *more = ck_arena_alloc(j->a, j->cap, sizeof *more);
        if (j->n)
            memcpy(more, j->reasons, j->n * sizeof *more);
        j->reasons = more;
    }
    j->reasons[j->n++] = (struct ck_policy_reason){ decision, rule, ck_view_str(text) };
}

/* An exception that has expired says so beside what it no longer prevents. */
static void miss(struct ck_judging *j, struct ck_policy_use *use)
{
    if (j->demand->otherwise <= use->missed)
        return;
    use->missed = j->demand->otherwise;
    use->rule = j->rule->name;
}

static struct ck_policy_use *use_of(const struct ck_judging *j, size_t number)
{
    return number ? &j->uses[number - 1] : NULL;
}

static int64_t expiry(const struct ck_judging *j, size_t number)
{
    return j->p->exceptions[number - 1].expires;
}

static void note_until(struct ck_judging *j, int64_t when)
{
    int64_t *until = &j->until[j->demand->otherwise];
    if (when > j->s->now && (*until == 0 || when < *until))
        *until = when;
}

void ck_judge_until(struct ck_judging *j, int64_t when)
{
    size_t number = j->for_demand[j->id];
    if (number && expiry(j, number) > when)
        when = expiry(j, number);
    note_until(j, when);
}

void ck_judge_unmet(struct ck_judging *j, const char *fmt, ...)
{
    struct ck_policy_use *use = use_of(j, j->for_demand[j->id]);
    char text[2048];
    va_list ap;
    if (use && use->active) {
        use->used = true;
        note_until(j, expiry(j, j->for_demand[j->id]));
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    add_reason(j, j->demand->otherwise, j->rule->name, ck_arena_format(j->a, "%s", text));
    if (use)
        miss(j, use);
}

bool ck_judge_finding(struct ck_judging *j, size_t finding, int64_t from)
{
    size_t number = j->for_finding ? j->for_finding[finding] : 0;
    struct ck_policy_use *use = use_of(j, number);
    if (use && use->active) {
        use->used |= from <= j->s->now;
        ck_judge_until(j, from > expiry(j, number) ? from : expiry(j, number));
        return false;
    }
    if (from > j->s->now) {
        ck_judge_until(j, from);
        return false;
    }
    if (use)
        miss(j, use);
    return true;
}

/* --- exceptions ------------------------------------------------------------------------------- */

/* Of those that are for the same thing the one counts that lasts longest. */
static void prefer(const struct ck_judging *j, size_t *number, size_t exception)
{
    if (*number == 0 || j->p->exceptions[exception].expires > expiry(j, *number))
        *number = exception + 1;
}

static void find_id(const struct ck_judging *j, ck_view id, ck_view package, size_t *number)
{
    size_t low = 0, high = j->p->n_ids;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ck_view_cmp(j->p->ids[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < j->p->n_ids && ck_view_eq(j->p->ids[low].id, id); low++) {
        size_t i = j->p->ids[low].exception;
        const struct ck_policy_patterns *packages = &j->p->exceptions[i].packages;
        if (j->uses[i].holds && (packages->n == 0 || ck_policy_any(packages, package)))
            prefer(j, number, i);
    }
}

static void except_findings(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    if (!f || !j->p->n_ids)
        return;
    j->for_finding = ck_arena_alloc(j->a, f->n_findings, sizeof *j->for_finding);
    for (size_t i = 0; i < f->n_findings; i++) {
        const struct ck_fact_finding *x = &f->findings[i];
        find_id(j, x->id, x->package, &j->for_finding[i]);
        for (size_t k = 0; k < x->n_aliases; k++)
            find_id(j, x->aliases[k], x->package, &j->for_finding[i]);
    }
}

static void find_exceptions(struct ck_judging *j)
{
    const struct ck_policy *p = j->p;
    j->uses = ck_arena_alloc(j->a, p->n_exceptions, sizeof *j->uses);
    for (size_t i = 0; i < p->n_exceptions; i++) {
        const struct ck_policy_exception *x = &p->exceptions[i];
        j->uses[i].holds = ck_policy_names_match(&x->images, &j->v);
        j->uses[i].active = j->s->now < x->expires;
        for (unsigned k = 0; j->uses[i].holds && k < CK_DEMAND_COUNT_; k++)
            if (x->demands >> k & 1)
                prefer(j, &j->for_demand[k], i);
    }
    except_findings(j);
}

static const char *excepts(struct ck_judging *j, const struct ck_policy_exception *x)
{
    struct ck_judge_list l = { 0 };
    for (size_t i = 0; i < x->n_ids; i++)
        ck_judge_list_add(j, &l, "%.*s", CK_SHORT(x->ids[i]));
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++)
        if (x->demands >> i & 1)
            ck_judge_list_add(j, &l, "%s", ck_demand_names[i]);
    return ck_judge_list_text(j, &l);
}

static void say_exceptions(struct ck_judging *j)
{
    for (size_t i = 0; i < j->p->n_exceptions; i++) {
        const struct ck_policy_exception *x = &j->p->exceptions[i];
        const struct ck_policy_use *use = &j->uses[i];
        if (!use->used && use->missed == CK_ALLOW)
            continue;
        const char *day = ck_policy_day(x->expires - 1, j->a), *what = excepts(j, x);
        if (use->used)
            add_reason(j, CK_ALLOW, CK_V("exceptions"),
                       ck_arena_format(j->a, "%s, until %s by %.*s: %.*s", what, day,
                                       CK_VF(x->owner), CK_VF(x->reason)));
        else
            add_reason(j, use->missed, use->rule,
                       ck_arena_format(j->a, "the exception for %s by %.*s expired on %s", what,
                                       CK_VF(x->owner), day));
    }
}

/* --- rules ------------------------------------------------------------------------------------ */

static void judge_rule(struct ck_judging *j, const struct ck_policy_rule *rule)
{
    j->rule = rule;
    if (rule->decision != CK_ALLOW)
        add_reason(j, rule->decision, rule->name,
                   rule->decision == CK_DENY ? "all that the rule is for is denied"
                                             : "all that the rule is for is quarantined");
    for (size_t i = 0; i < CK_DEMAND_COUNT_; i++) {
        const struct ck_demand_judge *judge = &ck_demand_judges[i];
        if (!rule->demands[i].given || (j->s->index && !judge->index) ||
            (judge->facts && !j->s->facts))
            continue;
        j->id = (enum ck_demand_id)i;
        j->demand = &rule->demands[i];
        judge->judge(j);
    }
}

static size_t judge_rules(struct ck_judging *j, bool *matched)
{
    size_t n = 0;
    for (size_t i = 0; i < j->p->n_rules; i++) {
        matched[i] = ck_policy_matches(&j->p->rules[i].match, &j->v);
        n += matched[i];
        if (matched[i])
            judge_rule(j, &j->p->rules[i]);
    }
    return n;
}

static void judge_default(struct ck_judging *j)
{
    if (j->p->fallback == CK_ALLOW)
        return;
    add_reason(j, j->p->fallback, CK_V("default"),
               ck_arena_format(j->a, "no rule is for %.*s",
                               CK_VF(j->v.repository.n ? j->v.repository : CK_V("it"))));
}

/* --- the answer ------------------------------------------------------------------------------- */

static void sort_reasons(struct ck_judging *j, struct ck_policy_answer *ret)
{
    ret->reasons = ck_arena_alloc(j->a, j->n, sizeof *ret->reasons);
    for (unsigned d = CK_DECISION_COUNT_; d-- > 0;)
        for (size_t i = 0; i < j->n; i++)
            if (j->reasons[i].decision == d)
                ret->reasons[ret->n_reasons++] = j->reasons[i];
    ret->decision = j->n ? ret->reasons[0].decision : CK_ALLOW;
}

static void demand_release(const struct ck_policy_release *r, bool *nobody,
                           struct ck_policy_answer *ret)
{
    *nobody |= r->persons == 0;
    ret->persons = r->persons > ret->persons ? r->persons : ret->persons;
    ret->reason_needed |= r->reason;
}

/* All rules that hold the image back have their say; one that was not examined is held back by all
 * that match. */
static void say_release(const struct ck_judging *j, const bool *matched, size_t n_matched,
                        struct ck_policy_answer *ret)
{
    bool unexamined = !j->s->index && !j->s->facts, nobody = false;
    if (ret->decision != CK_QUARANTINE)
        return;
    for (size_t i = 0; i < j->p->n_rules; i++) {
        bool holds = matched[i] && unexamined;
        for (size_t k = 0; matched[i] && k < j->n; k++)
            holds |= j->reasons[k].decision == CK_QUARANTINE &&
                     j->reasons[k].rule.p == j->p->rules[i].name.p;
        if (holds)
            demand_release(&j->p->rules[i].release, &nobody, ret);
    }
    if (n_matched == 0)
        demand_release(&j->p->release, &nobody, ret);
    if (nobody)
        ret->persons = 0;
}

/* Time alone makes nothing better. */
static void say_until(const struct ck_judging *j, struct ck_policy_answer *ret)
{
    for (unsigned d = ret->decision + 1; d < CK_DECISION_COUNT_; d++)
        if (j->until[d] && (ret->until == 0 || j->until[d] < ret->until))
            ret->until = j->until[d];
}

void ck_policy_decide(const struct ck_policy *p, const struct ck_policy_subject *s,
                      struct ck_arena *a, struct ck_policy_answer *ret)
{
    struct ck_judging j = { .p = p, .s = s, .a = a };
    struct ck_policy_answer answer = { 0 };
    bool *matched = ck_arena_alloc(a, p->n_rules, sizeof *matched);
    ck_policy_view_of(s, a, &j.v);
    find_exceptions(&j);
    if (!s->index && !s->facts)
        add_reason(&j, CK_QUARANTINE, CK_V("examination"), "not examined");
    size_t n = judge_rules(&j, matched);
    if (n == 0)
        judge_default(&j);
    say_exceptions(&j);
    sort_reasons(&j, &answer);
    say_release(&j, matched, n, &answer);
    say_until(&j, &answer);
    *ret = answer;
}
