#include "scan/image_facts.h"

#include "base/mem.h"
#include "base/text.h"
#include "detect/env_secret.h"
#include "report/parts.h"
#include "store/store.h"

#include <stdlib.h>

/* --- texts ------------------------------------------------------------------------------------ */

/* As facts take them: UTF-8 without NUL, at most STRING bytes. */
static ck_view text(ck_view v, struct ck_arena *a)
{
    ck_autobuf struct ck_buf plain = ck_buf_new(CK_LIMIT_NONE);
    bool clean = ck_utf8_valid(v) && ck_view_find(v, 0) == v.n;
    if (clean && v.n <= CK_MAX_STRING)
        return v;
    if (!clean) {
        ck_buf_escape(&plain, ck_view_head(v, CK_MAX_STRING));
        v = ck_arena_dup(a, ck_buf_view(&plain));
    }
    size_t n = v.n < CK_MAX_STRING ? v.n : CK_MAX_STRING;
    while (n < v.n && n && (v.p[n] & 0xC0) == 0x80)
        n--;
    return ck_view_head(v, n);
}

static int64_t time_of(ck_view created)
{
    int64_t t = 0;
    return ck_parse_time(created, &t) ? t : 0;
}

/* --- the config ------------------------------------------------------------------------------- */

static void take_secrets(const struct ck_config_doc *c, struct ck_arena *a, struct ck_facts *f)
{
    f->secrets = ck_arena_alloc(a, c->n_env, sizeof *f->secrets);
    for (size_t i = 0; i < c->n_env; i++) {
        const char *why = ck_env_secret(c->env[i].key, c->env[i].value);
        if (why)
            f->secrets[f->n_secrets++] =
                (struct ck_fact_pair){ text(c->env[i].key, a), ck_view_str(why) };
    }
}

static ck_view *texts(const ck_view *v, size_t n, struct ck_arena *a)
{
    ck_view *out = ck_arena_alloc(a, n, sizeof *out);
    for (size_t i = 0; i < n; i++)
        out[i] = text(v[i], a);
    return out;
}

static void take_config(const struct ck_config_doc *c, struct ck_arena *a, struct ck_facts *f)
{
    f->platform = ck_view_str(ck_platform_text(&c->platform, a));
    f->created = time_of(c->created);
    f->user = text(c->user, a);
    f->labels = ck_arena_alloc(a, c->n_labels, sizeof *f->labels);
    f->n_labels = c->n_labels;
    for (size_t i = 0; i < c->n_labels; i++)
        f->labels[i] = (struct ck_fact_pair){ text(c->labels[i].key, a),
                                              text(c->labels[i].value, a) };
    f->volumes = texts(c->volumes, c->n_volumes, a);
    f->n_volumes = c->n_volumes;
    f->ports = texts(c->ports, c->n_ports, a);
    f->n_ports = c->n_ports;
    take_secrets(c, a, f);
}

/* --- layers ----------------------------------------------------------------------------------- */

/* The ChainID of each prefix of the layers (OCI image-spec, config, "Layer ChainID"), always
 * sha256. */
static void image_chain(const struct ck_image *im, struct ck_arena *a, struct ck_digest **ret,
                        size_t *ret_n)
{
    struct ck_digest *chain = ck_arena_alloc(a, im->n_layers, sizeof *chain);
    for (size_t i = 0; i < im->n_layers; i++) {
        char above[CK_DIGEST_TEXT], own[CK_DIGEST_TEXT];
        if (i == 0) {
            chain[0] = im->layers[0].diff_id;
            continue;
        }
        ck_autofree char *both = ck_format("%s %s", ck_digest_text(&chain[i - 1], above),
                                           ck_digest_text(&im->layers[i].diff_id, own));
        ck_hash_of(CK_DIGEST_SHA256, ck_view_str(both), &chain[i]);
    }
    *ret = chain;
    *ret_n = im->n_layers;
}

/* --- findings and gaps ------------------------------------------------------------------------ */

/* A feed that names a day to come does not lengthen any grace. */
static int64_t day_of_fix(const struct ck_finding *f, int64_t now)
{
    return f->fixed_since > 0 && f->fixed_since < now ? f->fixed_since : now;
}

static struct ck_fact_finding finding_of(const struct ck_report *r, const struct ck_finding *f,
                                         int64_t now, struct ck_arena *a)
{
    const struct ck_package *p = &r->packages[f->package].p;
    bool fixed = f->fix_state == CK_FIX_FIXED && f->fix_version.n;
    return (struct ck_fact_finding){
        .id = text(f->id, a),
        .aliases = texts(f->aliases, f->n_aliases, a),
        .n_aliases = f->n_aliases < CK_MAX_FACT_ALIASES ? f->n_aliases : CK_MAX_FACT_ALIASES,
        .package = text(p->name, a),
        .version = text(p->version, a),
        .severity = f->severity,
        .fix_state = f->fix_state,
        .fix_version = fixed ? text(f->fix_version, a) : CK_V(""),
        .fixed_since = fixed ? day_of_fix(f, now) : 0,
        .kev = f->kev,
    };
}

/* How many of the findings, worst first, an encoding has room for. */
static size_t findings_that_fit(const struct ck_report *r)
{
    enum { BESIDES = 32 * 1024 * 1024, EACH = 64 }; /* config and gaps; lengths and numbers */
    size_t n = 0, bytes = 0, max = r->match ? r->match->n_findings : 0;
    for (; n < max && n < CK_MAX_FACT_FINDINGS; n++) {
        const struct ck_finding *f = &r->match->findings[n];
        const struct ck_package *p = &r->packages[f->package].p;
        bytes += EACH + f->id.n + p->name.n + p->version.n + f->fix_version.n;
        for (size_t i = 0; i < f->n_aliases; i++)
            bytes += 4 + f->aliases[i].n;
        if (bytes > CK_MAX_FACTS_OF_IMAGE - BESIDES)
            break;
    }
    return n;
}

static void take_findings(const struct ck_report *r, int64_t now, struct ck_arena *a,
                          struct ck_facts *f)
{
    f->n_findings = findings_that_fit(r);
    f->findings = ck_arena_alloc(a, f->n_findings, sizeof *f->findings);
    for (size_t i = 0; i < f->n_findings; i++)
        f->findings[i] = finding_of(r, &r->match->findings[i], now, a);
}

static void add_gap(struct ck_facts *f, const char *what, const char *why)
{
    f->gaps[f->n_gaps++] = (struct ck_fact_pair){ ck_view_str(what), ck_view_str(why) };
}

static ck_view short_text(ck_view v, struct ck_arena *a)
{
    enum { SHORT = 512 }; /* so that the most gaps there may be fit */
    return text(ck_view_head(v, v.n < SHORT ? v.n : SHORT), a);
}

static void take_gaps(const struct ck_report *r, struct ck_arena *a, struct ck_facts *f)
{
    size_t found = r->match ? r->match->n_findings : 0;
    size_t n = r->n_gaps < CK_MAX_FACT_GAPS - 2 ? r->n_gaps : CK_MAX_FACT_GAPS - 2;
    f->gaps = ck_arena_alloc(a, n + 2, sizeof *f->gaps);
    for (size_t i = 0; i < n; i++)
        f->gaps[f->n_gaps++] = (struct ck_fact_pair){ short_text(r->gaps[i].what, a),
                                                      short_text(r->gaps[i].why, a) };
    if (found > f->n_findings)
        add_gap(f, "findings", ck_arena_format(a, "%zu more are not kept", found - f->n_findings));
    if (r->n_gaps > n)
        add_gap(f, "gaps", ck_arena_format(a, "%zu more", r->n_gaps - n));
    f->complete = f->n_gaps == 0;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void take_distro(const struct ck_report *r, struct ck_arena *a, struct ck_facts *f)
{
    const struct ck_os_release *os = &r->os_release;
    if (os->id.n)
        f->distro = text(ck_view_str(ck_arena_format(a, "%.*s%s%.*s", CK_VF(os->id),
                                                     os->version_id.n ? ":" : "",
                                                     CK_VF(os->version_id))), a);
    f->distro_known = r->distro.known;
    f->end_of_life = r->distro.end_of_life;
}

void ck_image_facts_of(const struct ck_image *im, const struct ck_report *r, int64_t now,
                       struct ck_arena *a, struct ck_facts *ret)
{
    struct ck_facts f = { .scanned = now,
                          .database_built = r->database ? r->database->built : 0 };
    if (!im->rootfs)
        take_config(&im->config, a, &f);
    take_distro(r, a, &f);
    take_findings(r, now, a, &f);
    take_gaps(r, a, &f);
    image_chain(im, a, &f.chain, &f.n_chain);
    for (size_t i = 0; i < im->n_layers; i++)
        f.size += im->layers[i].size;
    *ret = f;
}

/* What listings show of it. */
static uint32_t clipped(size_t n) { return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX; }

struct ck_store_summary ck_image_summary(const struct ck_report *r, const struct ck_facts *f)
{
    struct ck_report_counts c = ck_report_count(r);
    struct ck_store_summary s = {
        .fixable = clipped(c.fixable), .kev = clipped(c.kev), .packages = clipped(r->n_packages),
        .complete = f->complete, .scanned = f->scanned, .created = f->created,
        .distro = f->distro,
    };
    for (int i = 0; i < CK_SEVERITY_COUNT_; i++)
        s.severities[i] = clipped(c.by_severity[i]);
    return s;
}

/* --- days that are known from before ---------------------------------------------------------- */

/* Findings with a fix, in an order to look them up. */
struct fixes {
    struct ck_fact_finding **v;
    size_t n;
};

static int by_fix(const void *x, const void *y)
{
    const struct ck_fact_finding *a = *(const struct ck_fact_finding *const *)x;
    const struct ck_fact_finding *b = *(const struct ck_fact_finding *const *)y;
    int c = ck_view_cmp(a->id, b->id);
    if (!c)
        c = ck_view_cmp(a->package, b->package);
    return c ? c : ck_view_cmp(a->fix_version, b->fix_version);
}

static struct fixes fixes_of(struct ck_facts *f, struct ck_arena *a)
{
    struct fixes x = { .v = ck_arena_alloc(a, f->n_findings, sizeof(struct ck_fact_finding *)) };
    for (size_t i = 0; i < f->n_findings; i++)
        if (f->findings[i].fix_state == CK_FIX_FIXED)
            x.v[x.n++] = &f->findings[i];
    if (x.n)
        qsort(x.v, x.n, sizeof(struct ck_fact_finding *), by_fix);
    return x;
}

/* A package may be there twice, so several may be equal. */
static void carry_over(const struct fixes *x, const struct ck_fact_finding *old)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_fix(&x->v[middle], &old) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < x->n && by_fix(&x->v[low], &old) == 0; low++)
        if (old->fixed_since && old->fixed_since < x->v[low]->fixed_since)
            x->v[low]->fixed_since = old->fixed_since;
}

static void carry_over_all(const struct fixes *x, const struct ck_facts *old)
{
    for (size_t i = 0; i < old->n_findings; i++)
        if (old->findings[i].fix_state == CK_FIX_FIXED)
            carry_over(x, &old->findings[i]);
}

static ck_err *carry_over_from(struct ck_store *s, const struct ck_digest *d, const struct fixes *x)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    struct ck_facts old;
    bool found = false;
    CK_TRY(ck_store_get_facts(s, d, &bytes, &found));
    ck_err *e = found ? ck_facts_decode(ck_buf_view(&bytes), &a, &old) : NULL;
    if (!found || e) { /* of another version: nothing is known from it */
        ck_err_free(e);
        return NULL;
    }
    carry_over_all(x, &old);
    return NULL;
}

/* So many other images are asked; the rest is like them, or nobody's. */
enum { OTHERS = 64 };

struct others {
    struct ck_digest v[OTHERS];
    size_t n;
};

static void add_other(struct others *o, const struct ck_digest *d)
{
    for (size_t i = 0; i < o->n; i++)
        if (ck_digest_eq(&o->v[i], d))
            return;
    if (o->n < OTHERS)
        o->v[o->n++] = *d;
}

/* Who has a fix open whose day is not known. */
static ck_err *find_others(struct ck_store *s, const struct ck_facts *f, const struct fixes *x,
                           struct others *o)
{
    ck_view asked = { 0 };
    for (size_t i = 0; i < x->n && o->n < OTHERS; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_digest *having = NULL;
        size_t n = 0;
        if (x->v[i]->fixed_since != f->scanned || ck_view_eq(x->v[i]->id, asked))
            continue;
        asked = x->v[i]->id;
        CK_TRY(ck_store_having(s, x->v[i]->id, &a, &having, &n));
        for (size_t k = 0; k < n; k++)
            add_other(o, &having[k]);
    }
    return NULL;
}

ck_err *ck_image_facts_remember(struct ck_store *s, const struct ck_digest *d, struct ck_facts *f)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct fixes x = fixes_of(f, &a);
    struct others o = { .v = { *d }, .n = 1 };
    CK_TRY(find_others(s, f, &x, &o));
    for (size_t i = 0; i < o.n; i++)
        CK_TRY(carry_over_from(s, &o.v[i], &x));
    return NULL;
}

void ck_image_facts_again(const struct ck_facts *before, const struct ck_report *r, int64_t now,
                          struct ck_arena *a, struct ck_facts *ret)
{
    struct ck_facts f = *before;
    f.database_built = r->database ? r->database->built : 0;
    f.n_gaps = 0;
    take_distro(r, a, &f);
    take_findings(r, now, a, &f);
    take_gaps(r, a, &f);
    struct fixes x = fixes_of(&f, a);
    carry_over_all(&x, before);
    *ret = f;
}

/* --- into the store --------------------------------------------------------------------------- */

static int by_bytes(const void *x, const void *y)
{
    return ck_view_cmp(*(const ck_view *)x, *(const ck_view *)y);
}

size_t ck_image_facts_ids(const struct ck_facts *f, struct ck_arena *a, ck_view **ret)
{
    size_t most = 0, n = 0, kept = 0;
    for (size_t i = 0; i < f->n_findings; i++)
        most += 1 + f->findings[i].n_aliases;
    ck_view *ids = ck_arena_alloc(a, most, sizeof *ids);
    for (size_t i = 0; i < f->n_findings; i++) {
        ids[n++] = f->findings[i].id;
        for (size_t k = 0; k < f->findings[i].n_aliases; k++)
            ids[n++] = f->findings[i].aliases[k];
    }
    if (n)
        qsort(ids, n, sizeof *ids, by_bytes);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !ck_view_eq(ids[kept - 1], ids[i]))
            ids[kept++] = ids[i];
    *ret = ids;
    return kept;
}

ck_view ck_image_facts_chain(const struct ck_facts *f, struct ck_arena *a)
{
    char whole[CK_DIGEST_TEXT];
    if (!f->n_chain)
        return CK_V("");
    return ck_arena_dup(a, ck_view_str(ck_digest_text(&f->chain[f->n_chain - 1], whole)));
}

ck_err *ck_image_facts_keep(struct ck_store *s, const struct ck_digest *d, const struct ck_facts *f)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    ck_view *ids = NULL;
    size_t n = ck_image_facts_ids(f, &a, &ids);
    ck_facts_encode(f, &bytes);
    return ck_store_put_facts(s, d, ck_buf_view(&bytes), ids, n, ck_image_facts_chain(f, &a));
}
