#include "scan/seen.h"

static void take_packages(const struct ck_seen *s, struct ck_assessment *x)
{
    x->report.packages = s->packages;
    x->report.n_packages = s->n_packages;
    x->packages = ck_arena_alloc(&x->arena, s->n_packages + 1, sizeof *x->packages);
    for (size_t i = 0; i < s->n_packages; i++)
        x->packages[i] = s->packages[i].p;
}

static void take_image(const struct ck_seen *s, struct ck_assessment *x)
{
    x->report = (struct ck_report){
        .reference = s->reference, .digest = s->digest, .os = s->os,
        .architecture = s->architecture, .created = s->created, .platforms = s->platforms,
        .layers = s->layers, .n_layers = s->n_layers, .os_release = s->os_release,
        .warnings = s->warnings, .n_warnings = s->n_warnings,
    };
    ck_distro_of(&s->os_release, &x->arena, &x->report.distro);
    take_packages(s, x);
}

static void collect_gaps(const struct ck_seen *s, bool db, struct ck_assessment *x)
{
    const struct ck_gap bare = { CK_V("sandbox"),
                                 CK_V("switched off by --insecure-no-sandbox: what was read could "
                                      "have changed this program") };
    const struct ck_gap no_db = { CK_V("advisories"),
                                  CK_V("there is no advisory database (cocket db update, cocket db "
                                       "build): no vulnerability can be named") };
    const struct ck_gap no_distro = { CK_V("distribution"),
                                      CK_V("no os-release file names a distribution that is known "
                                           "here") };
    struct ck_report *r = &x->report;
    size_t n = 0;
    r->gaps = ck_arena_alloc(&x->arena, s->n_gaps + x->match.n_gaps + 3, sizeof *r->gaps);
    if (s->no_sandbox)
        r->gaps[n++] = bare;
    if (!db)
        r->gaps[n++] = no_db;
    if (!db && !r->distro.known) /* the matcher says it otherwise */
        r->gaps[n++] = no_distro;
    for (size_t i = 0; i < x->match.n_gaps; i++)
        r->gaps[n++] = x->match.gaps[i];
    for (size_t i = 0; i < s->n_gaps; i++)
        r->gaps[n++] = s->gaps[i];
    r->n_gaps = n;
}

ck_err *ck_assess(const struct ck_seen *seen, const struct ck_db *db, struct ck_assessment *ret)
{
    *ret = (struct ck_assessment){ 0 };
    take_image(seen, ret);
    if (db) {
        CK_TRY(ck_report_database_of(db, &ret->arena, &ret->database));
        CK_TRY(ck_match_packages(db, &ret->report.distro, ret->packages, seen->n_packages,
                                 &ret->match));
        ret->report.database = &ret->database;
        ret->report.match = &ret->match;
    }
    collect_gaps(seen, db != NULL, ret);
    return NULL;
}

void ck_assessment_free(struct ck_assessment *x)
{
    ck_match_free(&x->match);
    ck_arena_free(&x->arena);
    *x = (struct ck_assessment){ 0 };
}
