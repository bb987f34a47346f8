/* What is reported: one finding per package and vulnerability, the distribution's own word
 * first. */
#include "advisory/match_int.h"

#include <stdlib.h>

bool ck_is_cve_id(ck_view id) { return ck_view_starts(id, CK_V("CVE-")); }

/* --- Vulnerabilities of a candidate ----------------------------------------------------------- */

/* The name that counts: the CVE id where there is one, the smallest of several. */
static ck_view canonical_id(const struct ck_advisory *adv)
{
    if (ck_is_cve_id(adv->id))
        return adv->id;
    ck_view best = adv->id;
    for (size_t i = 0; i < adv->n_aliases; i++) {
        ck_view a = adv->aliases[i];
        if (ck_is_cve_id(a) && (!ck_is_cve_id(best) || ck_view_cmp(a, best) < 0))
            best = a;
    }
    return best;
}

static bool carries(const struct ck_advisory *adv, ck_view id)
{
    if (ck_view_eq(adv->id, id))
        return true;
    for (size_t i = 0; i < adv->n_aliases; i++)
        if (ck_view_eq(adv->aliases[i], id))
            return true;
    return false;
}

/* The CVE id of another advisory about the package that carries this name; empty if there is
 * none. */
static ck_view cve_of_name(ck_view name, const ck_candidates *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct ck_advisory *adv = all->v[i].advisory;
        if (!adv || adv->n_fixes || adv->n_aliases == 0 || !carries(adv, name))
            continue;
        ck_view known = canonical_id(adv);
        if (ck_is_cve_id(known))
            return known;
    }
    return CK_V("");
}

/* The id under which the advisory is reported. Where it knows no CVE id itself, another advisory
 * about the package may, by the same name or by one that both give as alias. */
static ck_view reported_id(const struct ck_advisory *adv, const ck_candidates *all)
{
    ck_view id = canonical_id(adv);
    if (ck_is_cve_id(id))
        return id;
    ck_view cve = cve_of_name(adv->id, all);
    for (size_t i = 0; i < adv->n_aliases && cve.n == 0; i++)
        cve = cve_of_name(adv->aliases[i], all);
    return cve.n ? cve : id;
}

typedef CK_VEC(struct ck_claim) claims;

static void add_claims(const struct ck_candidate *c, const ck_candidates *all, claims *out)
{
    const struct ck_advisory *adv = c->advisory;
    if (!adv || adv->withdrawn)
        return;
    for (size_t i = 0; i < adv->n_fixes; i++)
        *ck_push(out) = (struct ck_claim){ adv->fixes[i], c };
    if (adv->n_fixes == 0)
        *ck_push(out) = (struct ck_claim){ reported_id(adv, all), c };
}

/* --- Which candidate counts ------------------------------------------------------------------- */

static ck_view fixed_version(const struct ck_candidate *c)
{
    return c->range && c->range->end == CK_END_FIXED ? c->range->upper : CK_V("");
}

/* The one to report among those that say affected with the same authority: the one that needs the
 * highest fixed version, since only that one settles all; one without a fix before all. */
static int compare_fix(const struct ck_candidate *a, const struct ck_candidate *b,
                       enum ck_version_scheme scheme)
{
    ck_view fa = fixed_version(a), fb = fixed_version(b);
    if (!fa.n || !fb.n)
        return (fa.n != 0) - (fb.n != 0);
    return -ck_version_cmp(scheme, fa, fb);
}

struct claim_order {
    enum ck_version_scheme scheme;
};

/* By vulnerability, authority, verdict, fixed version, advisory. */
static int compare_claims(const void *pa, const void *pb, void *ctx)
{
    const struct ck_claim *a = pa, *b = pb;
    const struct claim_order *o = ctx;
    int c = ck_view_cmp(a->id, b->id);
    if (!c && a->c->rank != b->c->rank)
        c = a->c->rank < b->c->rank ? -1 : 1;
    if (!c && a->c->verdict != b->c->verdict)
        c = a->c->verdict < b->c->verdict ? -1 : 1;
    if (!c)
        c = compare_fix(a->c, b->c, o->scheme);
    if (!c)
        c = a->c->ordinal < b->c->ordinal ? -1 : a->c->ordinal > b->c->ordinal;
    return c;
}

/* The first claim that is not about another module. Its authority decides. */
static const struct ck_claim *strongest(const struct ck_claim *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].c->verdict != CK_V_MODULE)
            return &v[i];
    return NULL;
}

static const struct ck_claim *first_affected(const struct ck_claim *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].c->verdict == CK_V_AFFECTED)
            return &v[i];
    return NULL;
}

/* --- Severity --------------------------------------------------------------------------------- */

struct rating {
    enum ck_severity vendor;
    ck_view cvss;
    unsigned tenths;
    int version; /* of the vector, for preference */
};

static int cvss_version(ck_view vector)
{
    static const char *const prefixes[] = { "", "CVSS:3.0/", "CVSS:3.1/", "CVSS:4.0/" };
    for (int i = 3; i > 0; i--)
        if (ck_view_starts(vector, ck_view_str(prefixes[i])))
            return i;
    return 0;
}

/* The vector of the newest version of the standard; of equals the first. */
static void rate_cvss(const struct ck_advisory *adv, struct rating *r)
{
    for (size_t i = 0; i < adv->n_cvss; i++) {
        unsigned tenths;
        int version = cvss_version(adv->cvss[i]);
        if ((r->cvss.n && version <= r->version) || !ck_cvss_score(adv->cvss[i], &tenths))
            continue;
        *r = (struct rating){ r->vendor, adv->cvss[i], tenths, version };
    }
}

static enum ck_severity vendor_severity(const struct ck_advisory *adv)
{
    return adv->severity ? adv->severity : ck_severity_parse(adv->severity_text);
}

static enum ck_severity claim_severity(const struct ck_claim *c)
{
    if (c->c->affected.unimportant)
        return CK_SEVERITY_NEGLIGIBLE;
    return c->c->affected.severity ? c->c->affected.severity : vendor_severity(c->c->advisory);
}

/* What the rest of the database says of the vulnerability, about any package. */
static ck_err *rate_elsewhere(struct ck_job *j, ck_view id, struct rating *r)
{
    struct ck_db_id carriers;
    CK_TRY(ck_db_id(j->db, id, j->arena, &carriers));
    for (size_t i = 0; i < carriers.n && !(r->vendor && r->cvss.n); i++) {
        struct ck_advisory adv;
        CK_TRY(ck_db_advisory_rating(j->db, carriers.advisories[i], j->arena, &adv));
        if (adv.withdrawn)
            continue;
        if (!r->cvss.n)
            rate_cvss(&adv, r);
        if (!r->vendor)
            r->vendor = vendor_severity(&adv);
    }
    return NULL;
}

/* The vendor's word first, then CVSS, then another feed's word. */
static ck_err *rate(struct ck_job *j, const struct ck_claim *chosen, const struct ck_claim *v,
                    size_t n, struct ck_finding *f)
{
    struct rating r = { 0 }, other = { 0 };
    r.vendor = claim_severity(chosen);
    rate_cvss(chosen->c->advisory, &r);
    for (size_t i = 0; i < n; i++) {
        if (!r.cvss.n)
            rate_cvss(v[i].c->advisory, &r);
        if (!r.vendor && v[i].c->rank == chosen->c->rank)
            r.vendor = claim_severity(&v[i]);
        if (!other.vendor)
            other.vendor = claim_severity(&v[i]);
    }
    if (!r.cvss.n) /* else nobody else's word would count */
        CK_TRY(rate_elsewhere(j, f->id, &other));
    if (!r.cvss.n && other.cvss.n) {
        r.cvss = other.cvss;
        r.tenths = other.tenths;
    }
    f->severity = r.vendor ? r.vendor : r.cvss.n ? ck_cvss_severity(r.tenths) : other.vendor;
    f->cvss = r.cvss;
    f->cvss_tenths = r.tenths;
    return NULL;
}

/* --- Findings --------------------------------------------------------------------------------- */

static int compare_views(const void *pa, const void *pb)
{
    return ck_view_cmp(*(const ck_view *)pa, *(const ck_view *)pb);
}

/* Every other name of the vulnerability; names of errata are no aliases. */
static void collect_aliases(struct ck_job *j, const struct ck_claim *v, size_t n,
                            struct ck_finding *f)
{
    size_t most = 0;
    for (size_t i = 0; i < n; i++)
        most += v[i].c->advisory->n_fixes ? 0 : 1 + v[i].c->advisory->n_aliases;
    ck_view *out = ck_arena_alloc(j->arena, most, sizeof *out);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const struct ck_advisory *adv = v[i].c->advisory;
        if (adv->n_fixes)
            continue;
        out[k++] = adv->id;
        for (size_t a = 0; a < adv->n_aliases; a++)
            out[k++] = adv->aliases[a];
    }
    qsort(out, k, sizeof *out, compare_views);
    size_t kept = 0;
    for (size_t i = 0; i < k; i++)
        if (!ck_view_eq(out[i], f->id) && (kept == 0 || !ck_view_eq(out[kept - 1], out[i])))
            out[kept++] = out[i];
    f->aliases = out;
    f->n_aliases = kept;
}

/* Whether the advisory came out with the fix. Others that say what they fix are a distribution's
 * names of vulnerabilities, dated by when those became known. */
static bool is_erratum(const struct ck_candidate *c)
{
    static const char *const prefixes[] = { "DSA-", "DLA-", "DTSA-", "USN-", "LSN-", "ALSA-",
                                            "RLSA-", "RHSA-", "ELSA-", "SUSE-", "openSUSE-",
                                            "MGASA-", "OESA-" };
    for (size_t i = 0; c->advisory->n_fixes && i < sizeof prefixes / sizeof *prefixes; i++)
        if (ck_view_starts(c->advisory->id, ck_view_str(prefixes[i])))
            return true;
    return c->rank == CK_RANK_ARCHIVE; /* dated by the update (update/archive.c) */
}

/* Several may bring the same fix: the first of them counts. */
static int64_t fixed_since(const struct ck_claim *v, size_t n, ck_view fix,
                           enum ck_version_scheme scheme)
{
    int64_t first = 0;
    for (size_t i = 0; fix.n && i < n; i++) {
        int64_t day = v[i].c->advisory->published;
        ck_view by = fixed_version(v[i].c);
        if (day <= 0 || (first && day >= first) || !by.n || !is_erratum(v[i].c))
            continue;
        if (ck_version_cmp(scheme, by, fix) == 0)
            first = day;
    }
    return first;
}

static ck_err *add_finding(struct ck_job *j, size_t package, const struct ck_claim *chosen,
                           const struct ck_claim *v, size_t n)
{
    const struct ck_candidate *c = chosen->c;
    struct ck_finding f = { .id = chosen->id, .package = package };
    struct ck_db_feed feed;
    CK_TRY(ck_db_feed(j->db, c->feed, &feed));
    collect_aliases(j, v, n, &f);
    CK_TRY(rate(j, chosen, v, n, &f));
    f.kev = ck_db_kev(j->db, f.id);
    for (size_t i = 0; i < f.n_aliases && !f.kev; i++)
        f.kev = ck_db_kev(j->db, f.aliases[i]);
    f.fix_version = fixed_version(c);
    f.fix_state = c->affected.state;
    if (f.fix_version.n)
        f.fix_state = CK_FIX_FIXED;
    else if (f.fix_state == CK_FIX_FIXED)
        f.fix_state = CK_FIX_NONE; /* the range that holds the version has no fix */
    f.fixed_since = fixed_since(v, n, f.fix_version, ck_scheme_of(j->packages[package].type));
    f.advisory_source = feed.kind;
    f.advisory_id = c->advisory->id;
    f.advisory_url = ck_advisory_link(j, chosen);
    f.why = ck_why_affected(j, &j->packages[package], chosen);
    *ck_push(&j->findings) = f;
    return NULL;
}

static void suppress(struct ck_job *j, ck_view id, size_t package, const char *rule, ck_view why)
{
    *ck_push(&j->suppressed) = (struct ck_suppressed){ id, package, ck_view_str(rule), why };
}

/* --- Packages that are there but cannot be attacked ------------------------------------------- */

/* Packages that hold only headers or build files of the kernel: name, and what its source's name
 * begins with. '*' at the end stands for anything. */
static const struct {
    const char *name, *source;
} header_packages[] = {
    { "linux-libc-dev*", "linux" },    { "linux-headers*", "linux" },
    { "linux-kbuild-*", "linux" },     { "linux-compiler-*", "linux" },
    { "linux-lts-dev", "linux" },      { "linux-virt-dev", "linux" },
    { "linux-edge-dev", "linux" },     { "linux-rpi-dev", "linux" },
    { "linux-lts-headers", "linux" },  { "kernel-headers", "kernel" },
    { "kernel-devel*", "kernel" },     { "kernel-uek-devel*", "kernel" },
    { "kernel-uek-headers", "kernel" }, { "kernel-cross-headers", "kernel" },
    { "kernel-default-devel", "kernel" }, { "kernel-source", "kernel" },
    { "linux-glibc-devel", "linux" },  { "linux-api-headers", "linux" },
};

static bool name_fits(ck_view name, const char *pattern)
{
    ck_view p = ck_view_str(pattern);
    if (p.n && p.p[p.n - 1] == '*')
        return ck_view_starts(name, ck_view_head(p, p.n - 1));
    return ck_view_eq(name, p);
}

static bool is_kernel_headers(const struct ck_package *p)
{
    for (size_t i = 0; i < sizeof header_packages / sizeof *header_packages; i++)
        if (name_fits(p->name, header_packages[i].name) &&
            (p->source_name.n == 0 ||
             ck_view_starts(p->source_name, ck_view_str(header_packages[i].source))))
            return true;
    return false;
}

/* dpkg keeps packages that were removed but for their configuration (dpkg-query(1), states). */
static bool is_removed(const struct ck_package *p)
{
    return p->type == CK_PACKAGE_DEB && (ck_view_ends(p->status, CK_V(" config-files")) ||
                                         ck_view_ends(p->status, CK_V(" not-installed")));
}

/* --- One vulnerability ------------------------------------------------------------------------ */

static ck_err *report_affected(struct ck_job *j, size_t package, const struct ck_claim *chosen,
                               const struct ck_claim *v, size_t n)
{
    const struct ck_package *p = &j->packages[package];
    if (is_removed(p)) {
        suppress(j, chosen->id, package, "not-installed",
                 ck_job_text(j, "%.*s was removed; only its configuration files are left",
                             CK_VF(p->name)));
    } else if (is_kernel_headers(p)) {
        suppress(j, chosen->id, package, "kernel-headers",
                 ck_job_text(j, "%.*s holds only headers of the kernel, which a container does "
                             "not run", CK_VF(p->name)));
    } else {
        return add_finding(j, package, chosen, v, n);
    }
    return NULL;
}

/* All claims about one vulnerability of one package, strongest first. */
static ck_err *decide_one(struct ck_job *j, size_t package, const struct ck_claim *v, size_t n)
{
    const struct ck_package *p = &j->packages[package];
    const struct ck_claim *top = strongest(v, n);
    if (!top) {
        suppress(j, v->id, package, "module", ck_why_module(j, p, v));
        return NULL;
    }
    const struct ck_claim *weak = first_affected(v, n);
    switch (top->c->verdict) {
    case CK_V_AFFECTED:
        return report_affected(j, package, top, v, n);
    case CK_V_NOT_AFFECTED:
        suppress(j, v->id, package, "not-affected", ck_why_clean(j, p, top, weak));
        break;
    case CK_V_FIXED:
        if (weak)
            suppress(j, v->id, package, "backported", ck_why_clean(j, p, top, weak));
        break;
    case CK_V_OUTSIDE:
        if (weak)
            suppress(j, v->id, package, "vendor-first", ck_why_clean(j, p, top, weak));
        break;
    case CK_V_MODULE:
        break;
    }
    return NULL;
}

/* An update of the archive whose changelog names no vulnerability is reported under its own id,
 * unless another source names what that very version fixed. */
static bool is_nameless(const struct ck_finding *f)
{
    return ck_view_eq(f->advisory_source, CK_V("debian-archive")) && !ck_is_cve_id(f->id);
}

static void drop_named_updates(struct ck_job *j, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < j->findings.n; i++) {
        const struct ck_finding *f = &j->findings.v[i], *other = NULL;
        for (size_t k = from; is_nameless(f) && k < j->findings.n && !other; k++)
            if (ck_view_eq(j->findings.v[k].fix_version, f->fix_version) &&
                ck_is_cve_id(j->findings.v[k].id))
                other = &j->findings.v[k];
        if (other)
            suppress(j, f->id, f->package, "named-update",
                     ck_job_text(j, "the update to %.*s is reported as the fix of what it fixes",
                                 CK_VF(f->fix_version)));
        else
            j->findings.v[kept++] = *f;
    }
    j->findings.n = kept;
}

static ck_err *decide_claims(struct ck_job *j, size_t package, claims *list)
{
    struct claim_order order = { ck_scheme_of(j->packages[package].type) };
    if (list->n == 0)
        return NULL;
    qsort_r(list->v, list->n, sizeof *list->v, compare_claims, &order);
    size_t from = j->findings.n;
    for (size_t i = 0; i < list->n;) {
        size_t end = i + 1;
        while (end < list->n && ck_view_eq(list->v[end].id, list->v[i].id))
            end++;
        CK_TRY(decide_one(j, package, &list->v[i], end - i));
        i = end;
    }
    bool nameless = false;
    for (size_t i = from; i < j->findings.n; i++)
        nameless |= is_nameless(&j->findings.v[i]);
    if (nameless)
        drop_named_updates(j, from);
    return NULL;
}

/* Whether a candidate can change what is reported: what is fixed, or not meant, matters only
 * where a weaker source says affected. Most candidates end here, before their advisory is read. */
static bool matters(const struct ck_candidate *c, int weakest_affected)
{
    if (c->verdict == CK_V_FIXED || c->verdict == CK_V_OUTSIDE)
        return (int)c->rank < weakest_affected;
    return true;
}

ck_err *ck_decide(struct ck_job *j, size_t package, ck_candidates *c)
{
    int weakest = -1;
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].verdict == CK_V_AFFECTED && (int)c->v[i].rank > weakest)
            weakest = (int)c->v[i].rank;
    for (size_t i = 0; i < c->n; i++)
        if (matters(&c->v[i], weakest))
            CK_TRY(ck_job_advisory(j, c->v[i].ordinal, &c->v[i].advisory));
    claims list = { 0 };
    for (size_t i = 0; i < c->n; i++)
        add_claims(&c->v[i], c, &list);
    ck_err *e = decide_claims(j, package, &list);
    free(list.v);
    return e;
}
