/* The demands on what was found. */
#include "policy/policy_int.h"

/* Findings are given worst first; one vulnerability of several packages is shown once. */
enum { SHOWN = 3 };
struct group {
    size_t n, shown;
    ck_view ids[SHOWN];
    const char *text;
};

static void add(struct ck_judging *j, struct group *g, const struct ck_fact_finding *f)
{
    g->n++;
    if (g->shown == SHOWN)
        return;
    for (size_t i = 0; i < g->shown; i++)
        if (ck_view_eq(g->ids[i], f->id))
            return;
    g->text = ck_arena_format(j->a, "%s%s%.*s (%s, %.*s %.*s%s%.*s)", g->shown ? g->text : "",
                              g->shown ? ", " : "", CK_SHORT(f->id), ck_severity_name(f->severity),
                              CK_SHORT(f->package), CK_SHORT(f->version),
                              f->fix_version.n ? ", fixed in " : "", CK_SHORT(f->fix_version));
    g->ids[g->shown++] = f->id;
}

static const char *count(struct ck_judging *j, size_t n)
{
    return ck_arena_format(j->a, "%zu finding%s", n, n == 1 ? "" : "s");
}

static const char *more(const struct group *g) { return g->n > g->shown ? ", ..." : ""; }

static enum ck_severity counted(const struct ck_demand *d, const struct ck_fact_finding *f)
{
    return f->severity == CK_SEVERITY_UNKNOWN ? d->unknown : f->severity;
}

/* Where nobody knows since when there is a fix there is no grace. */
static int64_t grace_ends(const struct ck_demand *d, const struct ck_fact_finding *f)
{
    return d->grace && f->fixed_since ? f->fixed_since + d->grace : INT64_MIN;
}

static void say_above(struct ck_judging *j, const struct group *g)
{
    const struct ck_demand *d = j->demand;
    if (g->n)
        ck_judge_unmet(j, "%s%s%s: %s%s", count(j, g->n), d->at_most ? " above " : "",
                       d->at_most ? ck_severity_words[d->at_most] : "", g->text, more(g));
}

static void say_fixable(struct ck_judging *j, const struct group *g)
{
    const struct ck_demand *d = j->demand;
    const char *grace = d->grace ? ck_arena_format(j->a, ", which has been out for %s or longer",
                                                   ck_policy_duration(d->grace, j->a))
                                 : "";
    if (g->n)
        ck_judge_unmet(j, "%s%s%s with a fix%s: %s%s", count(j, g->n), d->fixable ? " above " : "",
                       d->fixable ? ck_severity_words[d->fixable] : "", grace, g->text, more(g));
}

void ck_judge_severity(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    const struct ck_demand *d = j->demand;
    struct group above = { 0 }, fixable = { 0 };
    for (size_t i = 0; i < f->n_findings; i++) {
        enum ck_severity severity = counted(d, &f->findings[i]);
        bool has_fix = f->findings[i].fix_state == CK_FIX_FIXED;
        if (severity > d->at_most) {
            if (ck_judge_finding(j, i, INT64_MIN))
                add(j, &above, &f->findings[i]);
        } else if (has_fix && severity > d->fixable) {
            if (ck_judge_finding(j, i, grace_ends(d, &f->findings[i])))
                add(j, &fixable, &f->findings[i]);
        }
    }
    say_above(j, &above);
    say_fixable(j, &fixable);
}

void ck_judge_known_exploited(struct ck_judging *j)
{
    const struct ck_facts *f = j->s->facts;
    struct group g = { 0 };
    for (size_t i = 0; i < f->n_findings; i++)
        if (f->findings[i].kev && ck_judge_finding(j, i, INT64_MIN))
            add(j, &g, &f->findings[i]);
    if (g.n)
        ck_judge_unmet(j, "%s known to be exploited: %s%s", count(j, g.n), g.text, more(&g));
}
