#include "watch/told.h"

#include "base/text.h"

#include <stdlib.h>

/* What events know of: their keys, and words for people. */
enum { KINDS = CK_CHANGE_OTHER };
static const struct {
    const char *key, *words;
} kinds[KINDS] = {
    [CK_CHANGE_NEW] = { "new", "new" },
    [CK_CHANGE_GONE] = { "gone", "gone" },
    [CK_CHANGE_SEVERITY] = { "severity", "of another severity" },
    [CK_CHANGE_FIXABLE] = { "fixable", "newly fixable" },
    [CK_CHANGE_EXPLOITED] = { "exploited", "newly exploited" },
};

typedef const struct ck_finding_change *change;

struct telling {
    const struct ck_finding_changes *c;
    change *v; /* worst first */
    int worst;
};

static bool is_of(change d, enum ck_change kind) { return d->what & ck_change_bit(kind); }

static const struct ck_fact_finding *one_of(change d) { return d->is ? d->is : d->was; }

/* Of equals the one that stands first in the list. */
static int worst_first(const void *x, const void *y)
{
    change a = *(const change *)x, b = *(const change *)y;
    const struct ck_fact_finding *f = one_of(a), *g = one_of(b);
    if (f->severity != g->severity)
        return f->severity > g->severity ? -1 : 1;
    return (a > b) - (a < b);
}

static bool got_worse(change d)
{
    return is_of(d, CK_CHANGE_NEW) || is_of(d, CK_CHANGE_EXPLOITED) ||
           (is_of(d, CK_CHANGE_SEVERITY) && d->is->severity > d->was->severity);
}

static struct telling telling_of(const struct ck_finding_changes *c, struct ck_arena *a)
{
    struct telling t = { .c = c, .v = ck_arena_alloc(a, c->n, sizeof(change)), .worst = -1 };
    for (size_t i = 0; i < c->n; i++) {
        t.v[i] = &c->v[i];
        if (got_worse(t.v[i]) && (int)t.v[i]->is->severity > t.worst)
            t.worst = (int)t.v[i]->is->severity;
    }
    if (c->n)
        qsort(t.v, c->n, sizeof(change), worst_first);
    return t;
}

/* --- for people ------------------------------------------------------------------------------- */

/* The worst of a kind, by name. */
static const char *put_some(const struct telling *t, enum ck_change kind, const char *line,
                            struct ck_arena *a)
{
    enum { SHOWN = 3, LONGEST = 64 };
    size_t shown = 0;
    for (size_t i = 0; i < t->c->n && shown < SHOWN; i++) {
        const struct ck_fact_finding *f = one_of(t->v[i]);
        if (!is_of(t->v[i], kind))
            continue;
        line = ck_arena_format(a, "%s%s%.*s in %.*s", line, shown ? ", " : ": ",
                               CK_VF(ck_view_head(f->id, LONGEST)),
                               CK_VF(ck_view_head(f->package, LONGEST)));
        shown++;
    }
    return line;
}

static const char *line_of(const struct telling *t, struct ck_arena *a)
{
    const size_t *counts = t->c->counts;
    const char *line = "";
    for (int k = 0; k < KINDS; k++)
        if (counts[k])
            line = ck_arena_format(a, "%s%s%zu %s", line, *line ? ", " : "", counts[k],
                                   kinds[k].words);
    if (t->worst >= 0)
        line = ck_arena_format(a, "%s (worst: %s)", line,
                               ck_severity_name((enum ck_severity)t->worst));
    return put_some(t, counts[CK_CHANGE_EXPLOITED] ? CK_CHANGE_EXPLOITED : CK_CHANGE_NEW, line, a);
}

/* --- for programs ----------------------------------------------------------------------------- */

static void put_pair(struct ck_buf *b, const char *key, ck_view v)
{
    ck_buf_format(b, ",\"%s\":", key);
    ck_buf_json_str(b, v);
}

static void put_finding(struct ck_buf *b, change d, enum ck_change kind)
{
    const struct ck_fact_finding *f = one_of(d);
    ck_put_bytes(b, CK_V("{\"id\":"));
    ck_buf_json_str(b, f->id);
    put_pair(b, "package", f->package);
    put_pair(b, "version", f->version);
    put_pair(b, "severity", ck_view_str(ck_severity_name(f->severity)));
    if (kind == CK_CHANGE_SEVERITY)
        put_pair(b, "was", ck_view_str(ck_severity_name(d->was->severity)));
    if (f->fix_state == CK_FIX_FIXED)
        put_pair(b, "fix", f->fix_version);
    ck_buf_format(b, ",\"kev\":%s}", f->kev ? "true" : "false");
}

/* JSON writes a byte as six at most. What is left out for its size is counted like what is left out
 * for its number. */
static bool fits(const struct ck_buf *b, change d)
{
    enum { FRAME = 256, LONGEST = 6 };
    const struct ck_fact_finding *f = one_of(d);
    size_t n = f->id.n + f->package.n + f->version.n + f->fix_version.n;
    return b->n + FRAME + LONGEST * n < CK_MAX_EVENT_DATA / 2;
}

static void put_kind(struct ck_buf *b, const struct telling *t, enum ck_change kind)
{
    size_t put = 0;
    ck_buf_format(b, "\"%s\":[", kinds[kind].key);
    for (size_t i = 0; i < t->c->n && put < CK_MAX_EVENT_FINDINGS; i++) {
        if (!is_of(t->v[i], kind) || !fits(b, t->v[i]))
            continue;
        ck_put_bytes(b, put++ ? CK_V(",") : CK_V(""));
        put_finding(b, t->v[i], kind);
    }
    ck_put_bytes(b, CK_V("],"));
}

static void put_all(struct ck_buf *b, const struct telling *t)
{
    ck_put_bytes(b, CK_V("{"));
    for (int k = 0; k < KINDS; k++)
        put_kind(b, t, (enum ck_change)k);
    ck_put_bytes(b, CK_V("\"counts\":{"));
    for (int k = 0; k < KINDS; k++)
        ck_buf_format(b, "%s\"%s\":%zu", k ? "," : "", kinds[k].key, t->c->counts[k]);
    ck_put_bytes(b, CK_V("}}"));
}

bool ck_tell(const struct ck_finding_changes *c, struct ck_arena *a, struct ck_told *ret)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t n = 0;
    for (int k = 0; k < KINDS; k++)
        n += c->counts[k];
    if (!n)
        return false;
    struct telling t = telling_of(c, a);
    put_all(&b, &t);
    *ret = (struct ck_told){ line_of(&t, a), ck_arena_dup(a, ck_buf_view(&b)), t.worst };
    return true;
}
