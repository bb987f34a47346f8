#include "advisory/feed/ecosystem.h"
#include "advisory/feed/feed.h"
#include "advisory/feed/json_tree.h"
#include "advisory/feed/osv_ranges.h"
#include "advisory/feed/osv_record.h"
#include "advisory/feed/table.h"
#include "base/text.h"

enum { SUMMARY_MAX = 200, MODULES_MAX = 4 };

struct osv {
    struct ck_arena *a;
    const struct ck_jnode *root;
    struct ck_advisory adv;
    size_t n_ranges, n_versions; /* over all affected packages */
    ck_view modules[MODULES_MAX]; /* that the summary names: "nodejs:18" */
    size_t n_modules;
    bool errata; /* a record of an ecosystem of errata */
};

/* --- Ids -------------------------------------------------------------------------------------- */

struct ids {
    ck_view *v;
    size_t n, cap;
};

static bool has_id(const struct ids *ids, ck_view id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ck_view_eq(ids->v[i], id))
            return true;
    return false;
}

static void add_id(struct ids *ids, ck_view id)
{
    if (!has_id(ids, id) && ids->n < ids->cap)
        ids->v[ids->n++] = id;
}

static ck_err *check_ids(const struct ck_jnode *list, ck_view key)
{
    if (list && list->n > CK_MAX_ADVISORY_ALIASES)
        return ck_err_limit(CK_LIMIT_ADVISORY_ALIASES, "\"%.*s\" is too long", CK_VF(key));
    for (const struct ck_jnode *j = list ? list->first : NULL; j; j = j->next) {
        if (j->type != CK_J_STRING || j->text.n == 0)
            return ck_err_new(CK_ERR_HOSTILE, "\"%.*s\" holds what is no id", CK_VF(key));
        if (j->text.n > CK_MAX_FIELD)
            return ck_err_limit(CK_LIMIT_FIELD, "an id of \"%.*s\" is too long", CK_VF(key));
    }
    return NULL;
}

static ck_err *list_of(const struct osv *o, ck_view key, const struct ck_jnode **ret)
{
    CK_TRY(ck_jnode_typed(o->root, key, CK_J_ARRAY, ret));
    return check_ids(*ret, key);
}

static size_t count(const struct ck_jnode *list) { return list ? list->n : 0; }

static bool is_erratum(const struct osv *o)
{
    /* Updates in ecosystems whose other records are vulnerabilities. */
    static const ck_view prefixes[] = { CK_TV("DSA-"), CK_TV("DLA-"), CK_TV("DTSA-"), CK_TV("USN-"),
                                        CK_TV("LSN-") };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (ck_view_starts(o->adv.id, prefixes[i]))
            return true;
    return o->errata;
}

/* What the record fixes: `upstream`, and the CVE ids in `related` of an erratum. A
 * distribution's own name of a CVE ("UBUNTU-CVE-2024-1") counts as the CVE. */
static void collect_fixes(struct osv *o, const struct ck_jnode *upstream,
                          const struct ck_jnode *related, struct ids *fixes)
{
    for (const struct ck_jnode *j = upstream ? upstream->first : NULL; j; j = j->next) {
        ck_view cve = ck_cve_tail(j->text);
        if (!ck_view_eq(j->text, o->adv.id))
            add_id(fixes, cve.n ? cve : j->text);
    }
    for (const struct ck_jnode *j = related ? related->first : NULL; j; j = j->next)
        if (is_erratum(o) && ck_is_cve(j->text))
            add_id(fixes, j->text);
}

/* One CVE among the fixes and other ids beside it ("CVE-2024-1", "GHSA-x"): the others are names
 * of that CVE, not more vulnerabilities. */
static void fold_single_cve(struct ids *fixes, struct ids *aliases)
{
    size_t cves = 0, at = 0;
    for (size_t i = 0; i < fixes->n; i++)
        if (ck_is_cve(fixes->v[i])) {
            cves++;
            at = i;
        }
    if (cves != 1 || fixes->n == 1)
        return;
    ck_view cve = fixes->v[at];
    for (size_t i = 0; i < fixes->n; i++)
        if (i != at)
            add_id(aliases, fixes->v[i]);
    fixes->v[0] = cve;
    fixes->n = 1;
}

static ck_err *read_ids(struct osv *o)
{
    const struct ck_jnode *alias, *upstream, *related;
    CK_TRY(list_of(o, CK_V("aliases"), &alias));
    CK_TRY(list_of(o, CK_V("upstream"), &upstream));
    CK_TRY(list_of(o, CK_V("related"), &related));
    struct ids fixes = { .cap = count(upstream) + count(related) };
    struct ids aliases = { .cap = count(alias) + fixes.cap + 1 };
    fixes.v = ck_arena_alloc(o->a, fixes.cap, sizeof *fixes.v);
    aliases.v = ck_arena_alloc(o->a, aliases.cap, sizeof *aliases.v);
    for (const struct ck_jnode *j = alias ? alias->first : NULL; j; j = j->next)
        if (!ck_view_eq(j->text, o->adv.id))
            add_id(&aliases, j->text);
    collect_fixes(o, upstream, related, &fixes);
    fold_single_cve(&fixes, &aliases);
    ck_view own = ck_cve_tail(o->adv.id);
    if (own.n && !has_id(&fixes, own))
        add_id(&aliases, own);
    if (aliases.n > CK_MAX_ADVISORY_ALIASES || fixes.n > CK_MAX_ADVISORY_ALIASES)
        return ck_err_limit(CK_LIMIT_ADVISORY_ALIASES, "too many ids");
    o->adv.aliases = aliases.v;
    o->adv.n_aliases = aliases.n;
    o->adv.fixes = fixes.v;
    o->adv.n_fixes = fixes.n;
    return NULL;
}

/* --- Severity --------------------------------------------------------------------------------- */

static bool is_cvss(ck_view type) { return ck_view_starts(type, CK_V("CVSS_")); }

static ck_err *add_vector(struct osv *o, ck_view vector)
{
    struct ids known = { .v = o->adv.cvss, .n = o->adv.n_cvss };
    if (has_id(&known, vector))
        return NULL;
    if (o->adv.n_cvss >= CK_MAX_ADVISORY_CVSS)
        return ck_err_limit(CK_LIMIT_ADVISORY_CVSS, "too many severities");
    if (!o->adv.cvss)
        o->adv.cvss = ck_arena_alloc(o->a, CK_MAX_ADVISORY_CVSS, sizeof *o->adv.cvss);
    o->adv.cvss[o->adv.n_cvss++] = vector;
    return NULL;
}

/* severity[] of the record or of one package: vectors go to the advisory; *ret_word is the
 * vendor's word (type "Ubuntu"), *ret_vector the last vector. */
static ck_err *read_severities(struct osv *o, const struct ck_jnode *owner, ck_view *ret_word,
                               ck_view *ret_vector)
{
    const struct ck_jnode *list;
    CK_TRY(ck_jnode_typed(owner, CK_V("severity"), CK_J_ARRAY, &list));
    for (const struct ck_jnode *j = list ? list->first : NULL; j; j = j->next) {
        ck_view type, score;
        CK_TRY_WRAP(ck_jnode_need_str(j, CK_V("type"), &type), "severity");
        CK_TRY_WRAP(ck_jnode_need_str(j, CK_V("score"), &score), "severity");
        if (!is_cvss(type)) {
            *ret_word = score;
            continue;
        }
        CK_TRY(add_vector(o, score));
        *ret_vector = score;
    }
    return NULL;
}

/* A word that may be there; other types under these free-form keys are somebody's own business. */
static ck_view word_of(const struct ck_jnode *obj, ck_view key)
{
    const struct ck_jnode *n = ck_jnode_get(obj, key);
    return n && n->type == CK_J_STRING && n->text.n <= CK_MAX_FIELD ? n->text : CK_V("");
}

/* "Important: firefox security update" and "ALSA-2022:5468: php:8.0 security update (Important)" */
static ck_view summary_word(ck_view summary)
{
    ck_view head = ck_view_head(summary, ck_view_find(summary, ':'));
    if (head.n < summary.n && ck_severity_parse(head) != CK_SEVERITY_UNKNOWN)
        return head;
    if (!ck_view_ends(summary, CK_V(")")))
        return CK_V("");
    ck_view tail = ck_view_head(summary, summary.n - 1), rest = tail;
    while (rest.n) {
        tail = rest;
        (void)ck_view_split(tail, '(', &rest);
    }
    return ck_severity_parse(tail) != CK_SEVERITY_UNKNOWN ? tail : CK_V("");
}

static ck_err *read_severity(struct osv *o)
{
    ck_view word = CK_V(""), vector;
    CK_TRY(read_severities(o, o->root, &word, &vector));
    ck_view own = word_of(ck_jnode_get(o->root, CK_V("database_specific")), CK_V("severity"));
    if (own.n)
        word = own;
    if (word.n == 0 && o->errata)
        word = summary_word(o->adv.summary);
    o->adv.severity_text = word;
    o->adv.severity = ck_severity_parse(word);
    return NULL;
}

static ck_err *affected_severity(struct osv *o, const struct ck_jnode *j, struct ck_affected *af)
{
    static const ck_view keys[] = { CK_TV("urgency"), CK_TV("ubuntu_priority"), CK_TV("severity") };
    ck_view word = CK_V(""), vector = CK_V("");
    unsigned tenths;
    CK_TRY(read_severities(o, j, &word, &vector));
    const struct ck_jnode *own = ck_jnode_get(j, CK_V("ecosystem_specific"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && word.n == 0; i++)
        word = word_of(own, keys[i]);
    while (ck_view_ends(word, CK_V("*"))) /* the tracker's mark for "set by hand elsewhere" */
        word.n--;
    af->unimportant = ck_view_eq(word, CK_V("unimportant"));
    af->severity = ck_severity_parse(word);
    if (af->severity == CK_SEVERITY_UNKNOWN && vector.n && ck_cvss_score(vector, &tenths))
        af->severity = ck_cvss_severity(tenths);
    if (ck_view_eq(word, CK_V("end-of-life")) && af->state == CK_FIX_NONE)
        af->state = CK_FIX_END_OF_LIFE;
    return NULL;
}

/* --- Modules (modularity of rpm) -------------------------------------------------------------- */

/* "virt-devel:rhel," -> a name and a stream with one colon between them. */
static bool is_module(ck_view word)
{
    ck_view stream, name = ck_view_split(word, ':', &stream);
    return name.n && stream.n && ck_view_find(stream, ':') == stream.n;
}

/* OSV has no field for the module: the summaries of errata name it ("nodejs:18 security update",
 * "virt:rhel and virt-devel:rhel ..."), the versions say that there is one (".module_el8",
 * ".module+el8"). */
static void find_modules(struct osv *o)
{
    ck_view rest = o->adv.summary;
    while (rest.n && o->n_modules < MODULES_MAX) {
        ck_view word = ck_view_split(rest, ' ', &rest);
        if (ck_view_ends(word, CK_V(",")))
            word.n--;
        if (is_module(word))
            o->modules[o->n_modules++] = word;
    }
}

static bool contains(ck_view v, ck_view part)
{
    return part.n <= v.n && memmem(v.p, v.n, part.p, part.n) != NULL;
}

static bool is_modular(const struct ck_affected *af)
{
    for (size_t i = 0; i < af->n_ranges; i++)
        if (contains(af->ranges[i].upper, CK_V(".module_el")) ||
            contains(af->ranges[i].upper, CK_V(".module+el")))
            return true;
    return false;
}

/* --- Affected packages ------------------------------------------------------------------------ */

/* Affected versions one by one; those that a range holds anyhow say nothing new and are left out
 * where the order is known (Debian and Ubuntu list every version that ever was). */
static ck_err *read_versions(struct osv *o, const struct ck_jnode *j, enum ck_version_scheme scheme,
                             struct ck_affected *af)
{
    const struct ck_jnode *list;
    CK_TRY(ck_jnode_typed(j, CK_V("versions"), CK_J_ARRAY, &list));
    if (!list || list->n == 0)
        return NULL;
    o->n_versions += list->n;
    if (o->n_versions > CK_MAX_ADVISORY_VERSIONS)
        return ck_err_limit(CK_LIMIT_ADVISORY_VERSIONS, "too many versions");
    bool compare = scheme != CK_VERSION_UNKNOWN && list->n * af->n_ranges < 1000000;
    af->versions = ck_arena_alloc(o->a, list->n, sizeof *af->versions);
    for (const struct ck_jnode *v = list->first; v; v = v->next) {
        if (v->type != CK_J_STRING)
            return ck_err_new(CK_ERR_HOSTILE, "\"versions\" holds what is no string");
        if (v->text.n > CK_MAX_FIELD)
            return ck_err_limit(CK_LIMIT_FIELD, "a version is too long");
        bool held = false;
        for (size_t i = 0; compare && !held && i < af->n_ranges; i++)
            held = ck_range_holds(&af->ranges[i], scheme, v->text);
        if (!held)
            af->versions[af->n_versions++] = v->text;
    }
    return NULL;
}

static ck_err *read_package(struct osv *o, const struct ck_jnode *package, const struct ck_jnode *j,
                            struct ck_affected *af)
{
    CK_TRY(ck_jnode_need_str(package, CK_V("ecosystem"), &af->ecosystem));
    CK_TRY(ck_jnode_need_str(package, CK_V("name"), &af->name));
    const struct ck_ecosystem *eco = ck_ecosystem_of(af->ecosystem);
    af->kind = eco->kind;
    o->errata |= eco->errata;

    struct ck_osv_ranges r;
    CK_TRY(ck_osv_ranges(j, eco->scheme, o->a, CK_MAX_ADVISORY_RANGES - o->n_ranges, &r));
    o->n_ranges += r.n;
    af->ranges = r.v;
    af->n_ranges = r.n;
    af->state = r.fixed ? CK_FIX_FIXED : CK_FIX_NONE;
    CK_TRY(read_versions(o, j, eco->scheme, af));
    if (af->n_ranges == 0 && af->n_versions == 0 && r.never) {
        af->ranges = ck_arena_alloc(o->a, 1, sizeof *af->ranges);
        af->ranges[af->n_ranges++] = (struct ck_range){ CK_V(""), CK_END_FIXED, CK_V("0") };
        af->state = CK_FIX_NOT_AFFECTED;
    }
    return affected_severity(o, j, af);
}

/* Puts `af` once, or once for every module that it may be of: a label is equal to at most one. */
static void put_affected(struct osv *o, struct ck_affected *af, bool modular)
{
    size_t n = modular && o->n_modules ? o->n_modules : 1;
    for (size_t i = 0; i < n; i++) {
        if (modular && o->n_modules)
            af->module = o->modules[i];
        o->adv.affected[o->adv.n_affected++] = *af;
    }
}

static ck_err *read_affected(struct osv *o)
{
    const struct ck_jnode *list, *package;
    CK_TRY(ck_jnode_typed(o->root, CK_V("affected"), CK_J_ARRAY, &list));
    if (!list)
        return NULL;
    if (list->n > CK_MAX_ADVISORY_RANGES)
        return ck_err_limit(CK_LIMIT_ADVISORY_RANGES, "too many affected packages");
    size_t each = o->n_modules ? o->n_modules : 1;
    o->adv.affected = ck_arena_alloc(o->a, list->n * each, sizeof *o->adv.affected);
    size_t i = 0;
    for (const struct ck_jnode *j = list->first; j; j = j->next, i++) {
        struct ck_affected af = { 0 };
        if (j->type != CK_J_OBJECT)
            return ck_err_new(CK_ERR_HOSTILE, "affected %zu: is no object", i);
        CK_TRY_WRAP(ck_jnode_typed(j, CK_V("package"), CK_J_OBJECT, &package), "affected %zu", i);
        if (!package)
            continue; /* commits of a repository only */
        CK_TRY_WRAP(read_package(o, package, j, &af), "affected %zu", i);
        if (af.n_ranges || af.n_versions)
            put_affected(o, &af, is_modular(&af));
    }
    return NULL;
}

/* --- The record ------------------------------------------------------------------------------- */

/* Real feeds hold "0001-01-01T00:00:00Z" and "1-01-01T00:00:00Z": no time is known then. No
 * match depends on a time, so one that cannot be read costs the record its date and not the feed
 * its update. */
static ck_err *read_time(const struct ck_jnode *root, ck_view key, int64_t *ret)
{
    ck_view v;
    int64_t t = 0;
    CK_TRY(ck_jnode_str(root, key, &v));
    *ret = ck_parse_time(v, &t) && t > 0 ? t : 0;
    return NULL;
}

static ck_err *read_summary(const struct ck_jnode *root, ck_view *ret)
{
    const struct ck_jnode *n;
    CK_TRY(ck_jnode_typed(root, CK_V("summary"), CK_J_STRING, &n));
    if (!n || n->text.n == 0)
        CK_TRY(ck_jnode_typed(root, CK_V("details"), CK_J_STRING, &n));
    *ret = n ? ck_one_line(n->text, SUMMARY_MAX) : CK_V("");
    return NULL;
}

static ck_err *read_record(struct osv *o)
{
    struct ck_advisory *adv = &o->adv;
    const struct ck_jnode *root = o->root;
    CK_TRY(read_summary(root, &adv->summary));
    CK_TRY(read_time(root, CK_V("published"), &adv->published));
    CK_TRY(read_time(root, CK_V("modified"), &adv->modified));
    CK_TRY(ck_jnode_str(ck_jnode_get(root, CK_V("database_specific")), CK_V("url"), &adv->url));
    adv->withdrawn = ck_jnode_get(root, CK_V("withdrawn")) != NULL;
    find_modules(o);
    CK_TRY(read_affected(o));
    CK_TRY(read_ids(o));
    return read_severity(o);
}

/* Updates that mend bugs or bring features: no vulnerability, unless they name one. */
static bool is_no_vulnerability(const struct osv *o)
{
    static const ck_view prefixes[] = { CK_TV("ALBA-"), CK_TV("ALEA-"), CK_TV("RLBA-"),
                                        CK_TV("RLEA-"), CK_TV("RHBA-"), CK_TV("RHEA-") };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (ck_view_starts(o->adv.id, prefixes[i]))
            return o->adv.n_fixes == 0 && o->adv.n_aliases == 0;
    return false;
}

ck_err *ck_osv_record(ck_view json, struct ck_arena *a, const struct ck_advisory_sink *sink)
{
    static const ck_view skip[] = { CK_TV("references"), CK_TV("credits"), { NULL, 0 } };
    if (json.n > CK_MAX_FEED_RECORD)
        return ck_err_limit(CK_LIMIT_FEED_RECORD, "OSV record of %zu bytes", json.n);
    struct osv o = { .a = a };
    CK_TRY_WRAP(ck_jtree_parse(json, skip, a, &o.root), "OSV record");
    if (o.root->type != CK_J_OBJECT)
        return ck_err_new(CK_ERR_HOSTILE, "OSV record: is no object");
    CK_TRY_WRAP(ck_jnode_need_str(o.root, CK_V("id"), &o.adv.id), "OSV record");
    CK_TRY_WRAP(read_record(&o), "OSV record \"%.*s\"", CK_VF(o.adv.id));
    return is_no_vulnerability(&o) ? NULL : sink->put(sink->ctx, &o.adv);
}

ck_err *ck_feed_osv(ck_view json, const struct ck_advisory_sink *sink)
{
    ck_autoarena struct ck_arena a = { 0 };
    return ck_osv_record(json, &a, sink);
}
