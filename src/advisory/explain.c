/* The whole derivation for one vulnerability, reported or not. */
#include "advisory/match_int.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ABSENT_NAMED = 8 };

struct explain {
    struct ck_job *j;
    ck_view id;
    struct ck_buf *out;
    size_t elsewhere; /* statements about other ecosystems */
    size_t absent;    /* about packages that the image does not have */
};

static void line(struct explain *x, const char *fmt, ...) CK_PRINTF(2, 3);
static void line(struct explain *x, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = NULL;
    if (vasprintf(&s, fmt, ap) < 0)
        abort();
    va_end(ap);
    ck_buf_escape(x->out, ck_view_str(s));
    ck_put_bytes(x->out, CK_V("\n"));
    free(s);
}

static const char *verdict_word(enum ck_verdict v)
{
    static const char *const words[] = {
        [CK_V_AFFECTED] = "affected",
        [CK_V_NOT_AFFECTED] = "not affected, says the source",
        [CK_V_FIXED] = "has the fix",
        [CK_V_OUTSIDE] = "outside of what is affected",
        [CK_V_MODULE] = "another module",
    };
    return words[v];
}

static void say_range(struct explain *x, const struct ck_range *r, ck_view version)
{
    ck_view from = r->introduced.n ? r->introduced : CK_V("the first version");
    if (r->end == CK_END_OPEN || r->upper.n == 0)
        line(x, "    affected from %.*s on; compared %.*s", CK_VF(from), CK_VF(version));
    else
        line(x, "    affected from %.*s %s %.*s; compared %.*s", CK_VF(from),
             r->end == CK_END_FIXED ? "to before" : "up to", CK_VF(r->upper), CK_VF(version));
}

/* The comparison of one package with one statement. */
static ck_err *compare_package(struct explain *x, const struct ck_package *p,
                               const struct ck_subject *s, const struct ck_statement *st,
                               const struct ck_db_package *dp, const struct ck_db_entry *e)
{
    struct ck_db_package copy = *dp;
    struct ck_candidate c;
    CK_TRY(ck_evaluate(s, &copy, e, x->j->arena, &c));
    ck_evaluate_module(s, &c);
    line(x, "  %.*s %.*s (%s %.*s): %s", CK_VF(p->name), CK_VF(p->version),
         s->kind == CK_NAME_SOURCE ? "source" : "package", CK_VF(s->name),
         verdict_word(c.verdict));
    for (size_t i = 0; i < st->affected.n_ranges; i++)
        say_range(x, &st->affected.ranges[i], s->version);
    if (st->affected.n_versions)
        line(x, "    %zu versions are listed one by one; %.*s is %s them",
             st->affected.n_versions, CK_VF(s->version),
             c.verdict == CK_V_AFFECTED && !c.range ? "among" : "not among");
    if (s->no_epoch)
        line(x, "    compared without epochs: the source package does not tell its own");
    return NULL;
}

/* Finds the statement in its package entry again, to evaluate exactly what matching evaluates. */
static ck_err *compare_entry(struct explain *x, const struct ck_package *p,
                             const struct ck_subject *s, const struct ck_statement *st,
                             uint32_t ordinal)
{
    struct ck_db_package dp;
    bool found, end = false;
    CK_TRY(ck_db_package(x->j->db, st->affected.ecosystem, s->kind, s->name, &dp, &found));
    while (found && !end) {
        struct ck_db_entry e;
        CK_TRY(ck_db_next(&dp, x->j->arena, &e, &end));
        if (end || e.advisory != ordinal)
            continue;
        struct ck_statement own = *st;
        CK_TRY(ck_db_versions(&dp, &e, x->j->arena));
        own.affected = e.affected;
        CK_TRY(compare_package(x, p, s, &own, &dp, &e));
    }
    return NULL;
}

static bool counts(const struct ck_job *j, ck_view ecosystem)
{
    for (size_t i = 0; i < j->n_ecosystems; i++)
        if (ck_view_eq(j->ecosystems[i], ecosystem))
            return true;
    return false;
}

static void say_statement(struct explain *x, const struct ck_statement *st)
{
    ck_view label = ck_feed_label(x->j, st->feed);
    const struct ck_affected *af = &st->affected;
    line(x, "%.*s, %.*s: %s %.*s in %.*s, state %s%s%s%.*s%s", CK_VF(label),
         CK_VF(st->advisory.id), af->kind == CK_NAME_SOURCE ? "source" : "package",
         CK_VF(af->name), CK_VF(af->ecosystem), ck_fix_state_name(af->state),
         af->unimportant ? ", unimportant" : "", af->module.n ? ", module " : "",
         CK_VF(af->module), st->advisory.withdrawn ? ", withdrawn" : "");
    if (af->note.n)
        line(x, "  \"%.*s\"", CK_VF(af->note));
}

static void say_absent(struct explain *x, const struct ck_statement *st)
{
    if (x->absent++ < ABSENT_NAMED)
        line(x, "%.*s says: %.*s of %.*s; the image does not have it", CK_VF(st->advisory.id),
             CK_VF(st->affected.name), CK_VF(st->affected.ecosystem));
}

static ck_err *explain_statement(struct explain *x, const struct ck_statement *st,
                                 uint32_t ordinal, bool repeated)
{
    struct ck_job *j = x->j;
    bool said = false;
    for (size_t i = 0; i < j->n_packages; i++) {
        struct ck_subject s;
        const struct ck_package *p = &j->packages[i];
        if (ck_scheme_of(p->type) != j->distro->scheme ||
            !ck_subject_of(p, st->affected.kind, j->arena, &s) ||
            !ck_view_eq(s.name, st->affected.name))
            continue;
        if (!said)
            say_statement(x, st);
        said = true;
        if (!repeated)
            CK_TRY(compare_entry(x, p, &s, st, ordinal));
    }
    if (!said)
        say_absent(x, st);
    return NULL;
}

/* All statements of one advisory. One about the same package as the one before is compared there
 * already: its entry holds both. */
static ck_err *explain_advisory(struct explain *x, uint32_t ordinal)
{
    struct ck_job *j = x->j;
    struct ck_statements all;
    CK_TRY(ck_db_find_ordinal(j->db, ordinal, j->arena, &all));
    for (size_t i = 0; i < all.n; i++) {
        const struct ck_statement *st = &all.v[i];
        if (st->affected.name.n == 0) {
            ck_view label = ck_feed_label(j, st->feed);
            line(x, "%.*s, %.*s: names no package", CK_VF(label), CK_VF(st->advisory.id));
            continue;
        }
        if (!counts(j, st->affected.ecosystem)) {
            x->elsewhere++;
            continue;
        }
        bool repeated = i && ck_view_eq(st->affected.name, all.v[i - 1].affected.name) &&
                        ck_view_eq(st->affected.ecosystem, all.v[i - 1].affected.ecosystem) &&
                        st->affected.kind == all.v[i - 1].affected.kind;
        CK_TRY(explain_statement(x, st, ordinal, repeated));
    }
    return NULL;
}

static bool about(const struct explain *x, ck_view id, const ck_view *aliases, size_t n)
{
    bool hit = ck_view_eq(id, x->id);
    for (size_t i = 0; i < n; i++)
        hit |= ck_view_eq(aliases[i], x->id);
    return hit;
}

/* What the matching made of it, so that both can never disagree. */
static ck_err *explain_outcome(struct explain *x)
{
    struct ck_job *j = x->j;
    struct ck_match m;
    size_t said = 0;
    CK_TRY(ck_match_packages(j->db, j->distro, j->packages, j->n_packages, &m));
    for (size_t i = 0; i < m.n_findings; i++) {
        const struct ck_finding *f = &m.findings[i];
        if (!about(x, f->id, f->aliases, f->n_aliases) && !ck_view_eq(f->advisory_id, x->id))
            continue;
        line(x, "reported: %.*s in %.*s, %s: %.*s", CK_VF(f->id),
             CK_VF(j->packages[f->package].name), ck_severity_name(f->severity), CK_VF(f->why));
        said++;
    }
    for (size_t i = 0; i < m.n_suppressed; i++) {
        const struct ck_suppressed *s = &m.suppressed[i];
        if (!about(x, s->id, NULL, 0))
            continue;
        line(x, "suppressed: %.*s in %.*s by rule %.*s: %.*s", CK_VF(s->id),
             CK_VF(j->packages[s->package].name), CK_VF(s->rule), CK_VF(s->why));
        said++;
    }
    if (said == 0)
        line(x, "not reported: no installed package is affected by what the database says");
    for (size_t i = 0; i < m.n_gaps; i++)
        line(x, "not judged: %.*s: %.*s", CK_VF(m.gaps[i].what), CK_VF(m.gaps[i].why));
    ck_match_free(&m);
    return NULL;
}

static ck_err *explain(struct explain *x)
{
    struct ck_job *j = x->j;
    struct ck_db_id carriers;
    CK_TRY(ck_db_id(j->db, x->id, j->arena, &carriers));
    line(x, "%.*s", CK_VF(x->id));
    if (j->distro->known)
        line(x, "distribution: %.*s, matched as %.*s", CK_VF(j->distro->name),
             CK_VF(j->distro->ecosystem));
    else
        line(x, "distribution: unknown");
    if (!carriers.known)
        line(x, "no advisory in the database carries this id");
    if (carriers.kev)
        line(x, "known to be exploited");
    for (size_t i = 0; i < carriers.n; i++)
        CK_TRY(explain_advisory(x, carriers.advisories[i]));
    if (x->absent > ABSENT_NAMED)
        line(x, "%zu more statements about packages that the image does not have",
             x->absent - ABSENT_NAMED);
    if (x->elsewhere)
        line(x, "%zu statements about other distributions or ecosystems", x->elsewhere);
    return explain_outcome(x);
}

ck_err *ck_match_explain(const struct ck_db *db, const struct ck_distro *distro,
                         const struct ck_package *packages, size_t n, ck_view id,
                         struct ck_buf *ret)
{
    ck_autoarena struct ck_arena arena = { 0 };
    struct ck_job j;
    struct explain x = { .j = &j, .id = id, .out = ret };
    ck_err *e = ck_job_init(&j, db, distro, packages, n, &arena);
    if (!e)
        e = explain(&x);
    ck_job_free(&j);
    return e;
}
