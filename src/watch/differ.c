#include "watch/differ.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

const char *ck_difference_name(enum ck_difference_kind k)
{
    static const char *const names[CK_DIFFERENCE_KIND_COUNT_] = {
        [CK_DIFFERENCE_NEW] = "new",
        [CK_DIFFERENCE_GONE] = "gone",
        [CK_DIFFERENCE_SEVERITY] = "severity",
        [CK_DIFFERENCE_FIXABLE] = "fixable",
        [CK_DIFFERENCE_EXPLOITED] = "exploited",
    };
    return (unsigned)k < CK_DIFFERENCE_KIND_COUNT_ ? names[k] : "?";
}

/* --- side by side ----------------------------------------------------------------------------- */

static int same(const struct ck_fact_finding *x, const struct ck_fact_finding *y)
{
    int c = ck_view_cmp(x->id, y->id);
    if (!c)
        c = ck_view_cmp(x->package, y->package);
    return c ? c : ck_view_cmp(x->version, y->version);
}

static int by_key(const void *x, const void *y)
{
    return same(*(const struct ck_fact_finding *const *)x,
                *(const struct ck_fact_finding *const *)y);
}

struct sorted {
    const struct ck_fact_finding **v;
    size_t n;
};

/* A package may be listed twice (two architectures): its findings count once. */
static struct sorted sorted_of(const struct ck_facts *f, struct ck_arena *a)
{
    struct sorted s = { .v = ck_arena_alloc(a, f->n_findings + 1, sizeof(void *)) };
    for (size_t i = 0; i < f->n_findings; i++)
        s.v[i] = &f->findings[i];
    if (f->n_findings)
        qsort(s.v, f->n_findings, sizeof(void *), by_key);
    for (size_t i = 0; i < f->n_findings; i++)
        if (s.n == 0 || same(s.v[s.n - 1], s.v[i]) != 0)
            s.v[s.n++] = s.v[i];
    return s;
}

static void add(struct ck_differences *d, enum ck_difference_kind kind,
                const struct ck_fact_finding *was, const struct ck_fact_finding *is)
{
    bool worse = kind == CK_DIFFERENCE_NEW || kind == CK_DIFFERENCE_EXPLOITED ||
                 (kind == CK_DIFFERENCE_SEVERITY && is->severity > was->severity);
    d->v[d->n++] = (struct ck_difference){ kind, was, is };
    d->counts[kind]++;
    if (worse && (int)is->severity > d->worst)
        d->worst = (int)is->severity;
}

static void compare(struct ck_differences *d, const struct ck_fact_finding *was,
                    const struct ck_fact_finding *is)
{
    if (was->severity != is->severity)
        add(d, CK_DIFFERENCE_SEVERITY, was, is);
    if (was->fix_state != CK_FIX_FIXED && is->fix_state == CK_FIX_FIXED)
        add(d, CK_DIFFERENCE_FIXABLE, was, is);
    if (!was->kev && is->kev)
        add(d, CK_DIFFERENCE_EXPLOITED, was, is);
}

static const struct ck_fact_finding *one_of(const struct ck_difference *d)
{
    return d->is ? d->is : d->was;
}

static int by_kind(const void *x, const void *y)
{
    const struct ck_difference *a = x, *b = y;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    const struct ck_fact_finding *f = one_of(a), *g = one_of(b);
    if (f->severity != g->severity)
        return f->severity > g->severity ? -1 : 1;
    return same(f, g);
}

void ck_differ(const struct ck_facts *was, const struct ck_facts *is, struct ck_arena *a,
               struct ck_differences *ret)
{
    enum { OF_ONE = 3 }; /* severity, fix and exploitation may all change */
    struct sorted x = sorted_of(was, a), y = sorted_of(is, a);
    struct ck_differences d = { .worst = -1 };
    d.v = ck_arena_alloc(a, OF_ONE * (x.n + y.n) + 1, sizeof *d.v);
    for (size_t i = 0, k = 0; i < x.n || k < y.n;) {
        int c = i == x.n ? 1 : k == y.n ? -1 : same(x.v[i], y.v[k]);
        if (c < 0)
            add(&d, CK_DIFFERENCE_GONE, x.v[i++], NULL);
        else if (c > 0)
            add(&d, CK_DIFFERENCE_NEW, NULL, y.v[k++]);
        else
            compare(&d, x.v[i++], y.v[k++]);
    }
    if (d.n)
        qsort(d.v, d.n, sizeof *d.v, by_kind);
    *ret = d;
}

/* --- for people ------------------------------------------------------------------------------- */

/* The worst of a kind, by name. */
static const char *put_some(const struct ck_differences *d, enum ck_difference_kind kind,
                            const char *line, struct ck_arena *a)
{
    enum { SHOWN = 3, LONGEST = 64 };
    size_t shown = 0;
    for (size_t i = 0; i < d->n && shown < SHOWN; i++) {
        const struct ck_fact_finding *f = one_of(&d->v[i]);
        if (d->v[i].kind != kind)
            continue;
        line = ck_arena_format(a, "%s%s%.*s in %.*s", line, shown ? ", " : ": ",
                               CK_VF(ck_view_head(f->id, LONGEST)),
                               CK_VF(ck_view_head(f->package, LONGEST)));
        shown++;
    }
    return line;
}

const char *ck_differences_line(const struct ck_differences *d, struct ck_arena *a)
{
    static const char *const words[CK_DIFFERENCE_KIND_COUNT_] = {
        [CK_DIFFERENCE_NEW] = "new",
        [CK_DIFFERENCE_GONE] = "gone",
        [CK_DIFFERENCE_SEVERITY] = "of another severity",
        [CK_DIFFERENCE_FIXABLE] = "newly fixable",
        [CK_DIFFERENCE_EXPLOITED] = "newly exploited",
    };
    const char *line = "";
    for (int k = 0; k < CK_DIFFERENCE_KIND_COUNT_; k++)
        if (d->counts[k])
            line = ck_arena_format(a, "%s%s%zu %s", line, *line ? ", " : "", d->counts[k],
                                   words[k]);
    if (d->worst >= 0)
        line = ck_arena_format(a, "%s (worst: %s)", line,
                               ck_severity_name((enum ck_severity)d->worst));
    return put_some(d, d->counts[CK_DIFFERENCE_EXPLOITED] ? CK_DIFFERENCE_EXPLOITED
                                                          : CK_DIFFERENCE_NEW, line, a);
}

static void put_pair(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, ",\"%s\":", key);
    ck_buf_json_str(b, v);
}

static void put_finding(struct ck_buf *b, const struct ck_difference *d)
{
    const struct ck_fact_finding *f = one_of(d);
    ck_put_bytes(b, CK_V("{\"id\":"));
    ck_buf_json_str(b, f->id);
    put_pair(b, "package", f->package);
    put_pair(b, "version", f->version);
    put_pair(b, "severity", ck_view_str(ck_severity_name(f->severity)));
    if (d->kind == CK_DIFFERENCE_SEVERITY)
        put_pair(b, "was", ck_view_str(ck_severity_name(d->was->severity)));
    if (f->fix_state == CK_FIX_FIXED)
        put_pair(b, "fix", f->fix_version);
    ck_buf_format(b, ",\"kev\":%s}", f->kev ? "true" : "false");
}

/* JSON writes a byte as six at most. What is left out for its size is counted like what is left out
 * for its number. */
static bool fits(const struct ck_buf *b, const struct ck_difference *d)
{
    enum { FRAME = 256, LONGEST = 6 };
    const struct ck_fact_finding *f = one_of(d);
    size_t n = f->id.n + f->package.n + f->version.n + f->fix_version.n;
    return b->n + FRAME + LONGEST * n < CK_MAX_EVENT_DATA / 2;
}

void ck_differences_json(const struct ck_differences *d, struct ck_buf *out)
{
    size_t at = 0;
    ck_put_bytes(out, CK_V("{"));
    for (int k = 0; k < CK_DIFFERENCE_KIND_COUNT_; k++) {
        size_t end = at + d->counts[k];
        ck_buf_format(out, "\"%s\":[", ck_difference_name((enum ck_difference_kind)k));
        size_t put = 0;
        for (size_t i = at; i < end && put < CK_MAX_EVENT_FINDINGS; i++) {
            if (!fits(out, &d->v[i]))
                continue;
            ck_put_bytes(out, put++ ? CK_V(",") : CK_V(""));
            put_finding(out, &d->v[i]);
        }
        ck_put_bytes(out, CK_V("],"));
        at = end;
    }
    ck_put_bytes(out, CK_V("\"counts\":{"));
    for (int k = 0; k < CK_DIFFERENCE_KIND_COUNT_; k++)
        ck_buf_format(out, "%s\"%s\":%zu", k ? "," : "",
                      ck_difference_name((enum ck_difference_kind)k), d->counts[k]);
    ck_put_bytes(out, CK_V("}}"));
}
