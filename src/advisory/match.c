#include "advisory/match_int.h"

#include <stdlib.h>

enum ck_version_scheme ck_scheme_of(enum ck_package_type type)
{
    static const enum ck_version_scheme schemes[CK_PACKAGE_TYPE_COUNT_] = {
        [CK_PACKAGE_DEB] = CK_VERSION_DPKG,
        [CK_PACKAGE_APK] = CK_VERSION_APK,
        [CK_PACKAGE_RPM] = CK_VERSION_RPM,
    };
    return schemes[type];
}

/* --- What of a package is compared ------------------------------------------------------------ */

static ck_view without_epoch(ck_view v)
{
    size_t colon = ck_view_find(v, ':');
    return colon < v.n ? ck_view_from(v, colon + 1) : v;
}

static bool has_epoch(ck_view v) { return ck_view_find(v, ':') < v.n; }

/* Debian signs kernel and boot loader in sources of their own, "linux-signed-amd64" of version
 * 6.1.90+1 for linux 6.1.90-1; advisories name the source that was signed. */
static void unsigned_source(struct ck_subject *s, struct ck_arena *a)
{
    if (!ck_view_starts(s->name, CK_V("linux-signed-")))
        return;
    size_t plus = s->version.n;
    while (plus && s->version.p[plus - 1] != '+')
        plus--;
    if (plus == 0)
        return;
    s->name = CK_V("linux");
    s->version = ck_arena_dup(a, s->version);
    uint8_t *copy = ck_arena_alloc(a, s->version.n, 1);
    memcpy(copy, s->version.p, s->version.n);
    copy[plus - 1] = '-';
    s->version.p = copy;
}

/* The file name of a source rpm has no epoch. Where the binary has the same version and release,
 * its epoch is the source's; otherwise nobody knows it, and it is left out of the comparison. */
static void source_epoch(struct ck_subject *s, const struct ck_package *p)
{
    if (has_epoch(s->version))
        return;
    if (ck_view_eq(without_epoch(p->version), s->version))
        s->version = p->version;
    else
        s->no_epoch = true;
}

bool ck_subject_of(const struct ck_package *p, enum ck_name_kind kind, struct ck_arena *a,
                   struct ck_subject *ret)
{
    bool source = kind == CK_NAME_SOURCE;
    struct ck_subject s = { p->type, kind, source ? p->source_name : p->name,
                            source ? p->source_version : p->version, p->module, false };
    if (source && s.name.n == 0)
        s.name = p->name;
    if (source && s.version.n == 0)
        s.version = p->version;
    if (s.name.n == 0 || s.version.n == 0)
        return false;
    if (source && p->type == CK_PACKAGE_DEB)
        unsigned_source(&s, a);
    if (source && p->type == CK_PACKAGE_RPM)
        source_epoch(&s, p);
    *ret = s;
    return true;
}

/* --- One statement ---------------------------------------------------------------------------- */

static bool modular_release(ck_view v)
{
    static const char mark[] = ".module";
    return v.n && memmem(v.p, v.n, mark, sizeof mark - 1);
}

/* "nodejs:18" of "nodejs:18:8060020220523:ad008a3a" */
static ck_view stream_of(ck_view label)
{
    size_t first = ck_view_find(label, ':');
    if (first == label.n)
        return label;
    return ck_view_head(label, first + 1 + ck_view_find(ck_view_from(label, first + 1), ':'));
}

/* rpm modularity: a package of no module is never meant by a statement about a module, nor the
 * reverse; two labels must name the same stream. */
static bool same_module(const struct ck_subject *s, const struct ck_affected *af)
{
    if (s->type != CK_PACKAGE_RPM)
        return true;
    bool statement = af->module.n > 0;
    for (size_t i = 0; i < af->n_ranges && !statement; i++)
        statement = modular_release(af->ranges[i].upper);
    bool package = s->module.n > 0 || modular_release(s->version);
    if (statement != package)
        return false;
    return af->module.n == 0 || s->module.n == 0 ||
           ck_view_eq(stream_of(af->module), stream_of(s->module));
}

static int compare(const struct ck_subject *s, ck_view bound)
{
    if (s->no_epoch)
        bound = without_epoch(bound);
    return ck_version_cmp(ck_scheme_of(s->type), s->version, bound);
}

static enum ck_verdict in_range(const struct ck_subject *s, const struct ck_range *r)
{
    if (r->introduced.n && !ck_view_eq(r->introduced, CK_V("0")) && compare(s, r->introduced) < 0)
        return CK_V_OUTSIDE;
    if (r->end == CK_END_OPEN || r->upper.n == 0)
        return CK_V_AFFECTED;
    int c = compare(s, r->upper);
    if (r->end == CK_END_FIXED)
        return c < 0 ? CK_V_AFFECTED : CK_V_FIXED;
    return c <= 0 ? CK_V_AFFECTED : CK_V_OUTSIDE;
}

/* The first range that holds the version; else the last one whose fix it has. */
static enum ck_verdict in_ranges(const struct ck_subject *s, const struct ck_affected *af,
                                 const struct ck_range **ret_range)
{
    enum ck_verdict out = CK_V_OUTSIDE;
    for (size_t i = 0; i < af->n_ranges; i++) {
        enum ck_verdict v = in_range(s, &af->ranges[i]);
        if (v == CK_V_OUTSIDE && out != CK_V_OUTSIDE)
            continue;
        out = v;
        *ret_range = &af->ranges[i];
        if (v == CK_V_AFFECTED)
            break;
    }
    return out;
}

ck_err *ck_evaluate(const struct ck_subject *s, struct ck_db_package *p,
                    const struct ck_db_entry *e, struct ck_arena *a, struct ck_candidate *ret)
{
    struct ck_candidate c = { .ordinal = e->advisory, .affected = e->affected,
                              .compared = s->version, .verdict = CK_V_NOT_AFFECTED };
    if (e->affected.state != CK_FIX_NOT_AFFECTED) {
        c.verdict = in_ranges(s, &e->affected, &c.range);
        bool listed = false;
        if (c.verdict != CK_V_AFFECTED)
            CK_TRY(ck_db_lists(p, e, s->version, a, &listed));
        if (listed) {
            c.verdict = CK_V_AFFECTED;
            c.range = NULL;
        }
    }
    *ret = c;
    return NULL;
}

void ck_evaluate_module(const struct ck_subject *s, struct ck_candidate *c)
{
    if (!same_module(s, &c->affected))
        c->verdict = c->verdict == CK_V_AFFECTED ? CK_V_MODULE : CK_V_OUTSIDE;
}

/* --- All packages ----------------------------------------------------------------------------- */

static enum ck_rank rank_of(ck_view kind)
{
    static const struct {
        const char *kind;
        enum ck_rank rank;
    } ranks[] = {
        { "debian-tracker", CK_RANK_TRACKER },
        { "debian-archive", CK_RANK_ARCHIVE },
        { "alpine-secdb", CK_RANK_SECDB },
    };
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++)
        if (ck_view_eq(kind, ck_view_str(ranks[i].kind)))
            return ranks[i].rank;
    return CK_RANK_OTHER;
}

ck_err *ck_job_init(struct ck_job *j, const struct ck_db *db, const struct ck_distro *distro,
                    const struct ck_package *packages, size_t n, struct ck_arena *arena)
{
    *j = (struct ck_job){ .db = db, .distro = distro, .packages = packages, .n_packages = n,
                          .arena = arena };
    if (distro->known)
        j->n_ecosystems = ck_distro_ecosystems(distro, arena, &j->ecosystems);
    j->ranks = ck_calloc(ck_db_feeds(db), sizeof *j->ranks);
    for (size_t i = 0; i < ck_db_feeds(db); i++) {
        struct ck_db_feed f;
        CK_TRY(ck_db_feed(db, i, &f));
        j->ranks[i] = rank_of(f.kind);
        if (j->ranks[i] > j->weakest)
            j->weakest = j->ranks[i];
    }
    return NULL;
}

void ck_job_free(struct ck_job *j)
{
    free(j->ranks);
    free(j->read.slots);
    free(j->findings.v);
    free(j->suppressed.v);
    free(j->gaps.v);
}

static struct ck_read_advisory *slot_of(const struct ck_read_advisories *r, uint32_t ordinal)
{
    size_t i = ordinal * 2654435769u & (r->size - 1);
    while (r->slots[i].advisory && r->slots[i].ordinal != ordinal)
        i = (i + 1) & (r->size - 1);
    return &r->slots[i];
}

static void grow(struct ck_read_advisories *r)
{
    struct ck_read_advisories bigger = { .size = r->size ? 2 * r->size : 256, .n = r->n };
    bigger.slots = ck_calloc(bigger.size, sizeof *bigger.slots);
    for (size_t i = 0; i < r->size; i++)
        if (r->slots[i].advisory)
            *slot_of(&bigger, r->slots[i].ordinal) = r->slots[i];
    free(r->slots);
    *r = bigger;
}

ck_err *ck_job_advisory(struct ck_job *j, uint32_t ordinal, const struct ck_advisory **ret)
{
    if (j->read.n * 2 >= j->read.size)
        grow(&j->read);
    struct ck_read_advisory *slot = slot_of(&j->read, ordinal);
    if (!slot->advisory) {
        struct ck_advisory *adv = ck_arena_alloc(j->arena, 1, sizeof *adv);
        CK_TRY(ck_db_advisory(j->db, ordinal, j->arena, adv));
        *slot = (struct ck_read_advisory){ adv, ordinal };
        j->read.n++;
    }
    *ret = slot->advisory;
    return NULL;
}

struct search {
    struct ck_job *job;
    ck_candidates *out;
};

static ck_err *add_candidates(void *ctx, const struct ck_subject *s, ck_view ecosystem)
{
    struct search *search = ctx;
    struct ck_job *j = search->job;
    struct ck_db_package p;
    bool found, end = false;
    CK_TRY(ck_db_package(j->db, ecosystem, s->kind, s->name, &p, &found));
    while (found && !end) {
        struct ck_db_entry e;
        CK_TRY(ck_db_next(&p, j->arena, &e, &end));
        if (end)
            break;
        struct ck_candidate c;
        CK_TRY(ck_evaluate(s, &p, &e, j->arena, &c));
        c.feed = ck_db_advisory_feed(j->db, c.ordinal);
        c.rank = j->ranks[c.feed];
        bool clean = c.verdict == CK_V_FIXED || c.verdict == CK_V_OUTSIDE;
        if (clean && c.rank >= j->weakest)
            continue; /* most of them: there is no weaker word that it could correct */
        ck_evaluate_module(s, &c);
        *ck_push(search->out) = c;
    }
    return NULL;
}

ck_err *ck_each_lookup(const ck_view *ecosystems, size_t n, const struct ck_package *p,
                       enum ck_name_kind kind, struct ck_arena *a, ck_on_lookup *each, void *ctx)
{
    struct ck_subject s;
    if (!ck_subject_of(p, kind, a, &s))
        return NULL;
    for (size_t i = 0; i < n; i++)
        CK_TRY(each(ctx, &s, ecosystems[i]));
    return NULL;
}

bool ck_is_matched(const struct ck_distro *d, const struct ck_package *p)
{
    return d->known && ck_scheme_of(p->type) == d->scheme;
}

/* The candidates of a package by one kind of name, behind those in `out`. */
static ck_err *find_candidates(struct ck_job *j, const struct ck_package *p,
                               enum ck_name_kind kind, ck_candidates *out)
{
    struct search search = { j, out };
    return ck_each_lookup(j->ecosystems, j->n_ecosystems, p, kind, j->arena, add_candidates,
                          &search);
}

static int by_source(const void *pa, const void *pb, void *ctx)
{
    const struct ck_job *j = ctx;
    size_t ia = *(const size_t *)pa, ib = *(const size_t *)pb;
    const struct ck_package *a = &j->packages[ia], *b = &j->packages[ib];
    int c = a->type < b->type ? -1 : a->type > b->type;
    if (!c)
        c = ck_view_cmp(a->source_name, b->source_name);
    if (!c)
        c = ck_view_cmp(a->source_version, b->source_version);
    if (!c)
        c = ck_view_cmp(a->version, b->version);
    if (!c)
        c = ck_view_cmp(a->module, b->module);
    return c ? c : ia < ib ? -1 : ia > ib;
}

/* Whether the source of both gives the same candidates. */
static bool same_source(const struct ck_package *a, const struct ck_package *b)
{
    return a->source_name.n && a->type == b->type && ck_view_eq(a->source_name, b->source_name) &&
           ck_view_eq(a->source_version, b->source_version) &&
           ck_view_eq(a->module, b->module) &&
           (a->type != CK_PACKAGE_RPM || ck_view_eq(a->version, b->version));
}

/* Packages of one source stand together, so that the source is looked up once. */
static ck_err *match_sorted(struct ck_job *j, const size_t *order, ck_candidates *source,
                            ck_candidates *own)
{
    const struct ck_package *last = NULL;
    for (size_t i = 0; i < j->n_packages; i++) {
        const struct ck_package *p = &j->packages[order[i]];
        if (!ck_is_matched(j->distro, p))
            continue; /* not the distribution's; gaps.c says so */
        if (!last || !same_source(last, p)) {
            source->n = 0;
            CK_TRY(find_candidates(j, p, CK_NAME_SOURCE, source));
        }
        last = p;
        own->n = 0;
        CK_TRY(find_candidates(j, p, CK_NAME_BINARY, own));
        for (size_t k = 0; k < source->n; k++)
            *ck_push(own) = source->v[k];
        if (own->n)
            CK_TRY(ck_decide(j, order[i], own));
    }
    return NULL;
}

static ck_err *match_all(struct ck_job *j)
{
    ck_autofree size_t *order = ck_calloc(j->n_packages, sizeof *order);
    for (size_t i = 0; i < j->n_packages; i++)
        order[i] = i;
    qsort_r(order, j->n_packages, sizeof *order, by_source, j);
    ck_candidates source = { 0 }, own = { 0 };
    ck_err *e = match_sorted(j, order, &source, &own);
    free(source.v);
    free(own.v);
    return e;
}

/* --- Order of the result ---------------------------------------------------------------------- */

static int compare_packages(const struct ck_job *j, size_t a, size_t b)
{
    int c = ck_view_cmp(j->packages[a].name, j->packages[b].name);
    return c ? c : a < b ? -1 : a > b;
}

static int compare_findings(const void *pa, const void *pb, void *ctx)
{
    const struct ck_finding *a = pa, *b = pb;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int c = ck_view_cmp(a->id, b->id);
    return c ? c : compare_packages(ctx, a->package, b->package);
}

static int compare_suppressed(const void *pa, const void *pb, void *ctx)
{
    const struct ck_suppressed *a = pa, *b = pb;
    int c = ck_view_cmp(a->id, b->id);
    if (!c)
        c = compare_packages(ctx, a->package, b->package);
    return c ? c : ck_view_cmp(a->rule, b->rule);
}

/* Copies a list into the result's arena. */
static void *settle(struct ck_job *j, const void *v, size_t n, size_t size)
{
    void *out = ck_arena_alloc(j->arena, n, size);
    if (n)
        memcpy(out, v, n * size);
    return out;
}

static void deliver(struct ck_job *j, struct ck_match *ret)
{
    if (j->findings.n) /* qsort takes no NULL, not even of nothing */
        qsort_r(j->findings.v, j->findings.n, sizeof *j->findings.v, compare_findings, j);
    if (j->suppressed.n)
        qsort_r(j->suppressed.v, j->suppressed.n, sizeof *j->suppressed.v, compare_suppressed, j);
    ret->findings = settle(j, j->findings.v, j->findings.n, sizeof *j->findings.v);
    ret->n_findings = j->findings.n;
    ret->suppressed = settle(j, j->suppressed.v, j->suppressed.n, sizeof *j->suppressed.v);
    ret->n_suppressed = j->suppressed.n;
    ret->gaps = settle(j, j->gaps.v, j->gaps.n, sizeof *j->gaps.v);
    ret->n_gaps = j->gaps.n;
}

ck_err *ck_match_packages(const struct ck_db *db, const struct ck_distro *distro,
                          const struct ck_package *packages, size_t n, struct ck_match *ret)
{
    struct ck_match m = { 0 };
    struct ck_job j;
    ck_err *e = ck_job_init(&j, db, distro, packages, n, &m.arena);
    if (!e && distro->known)
        e = match_all(&j);
    if (e) {
        ck_job_free(&j);
        ck_match_free(&m);
        return e;
    }
    ck_find_gaps(&j);
    j.arena = &m.arena;
    deliver(&j, &m);
    ck_job_free(&j);
    *ret = m;
    return NULL;
}

void ck_match_free(struct ck_match *m)
{
    ck_arena_free(&m->arena);
    *m = (struct ck_match){ 0 };
}
