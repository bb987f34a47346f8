#include "advisory/feed/osv_ranges.h"
#include "advisory/feed/table.h"

#include <stdlib.h>

enum kind { INTRODUCED, FIXED, LAST_AFFECTED, LIMIT, KIND_COUNT };
static const ck_view kind_names[KIND_COUNT] = {
    CK_TV("introduced"), CK_TV("fixed"), CK_TV("last_affected"), CK_TV("limit")
};

struct event {
    ck_view version;
    size_t place;
    enum kind kind;
    enum ck_version_scheme scheme; /* for qsort */
};

static bool is_zero(ck_view v) { return v.n == 0 || ck_view_eq(v, CK_V("0")); }

static int cmp(enum ck_version_scheme scheme, ck_view a, ck_view b)
{
    /* "0" stands before every version, also before "0~beta". */
    if (is_zero(a) || is_zero(b))
        return is_zero(b) - is_zero(a);
    return ck_version_cmp(scheme, a, b);
}

/* By version; at the same one in the order given, which tells "fixed in 2, introduced again in
 * 2" from "introduced in 2, fixed in 2" (nothing affected), but last_affected closes what was
 * opened there. */
static int by_version(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;
    int c = cmp(a->scheme, a->version, b->version);
    if (c)
        return c;
    bool a_last = a->kind == LAST_AFFECTED, b_last = b->kind == LAST_AFFECTED;
    if (a_last != b_last)
        return a_last - b_last;
    return a->place < b->place ? -1 : a->place > b->place;
}

static ck_err *read_event(const struct ck_jnode *j, struct event *ret)
{
    if (j->type != CK_J_OBJECT || j->n != 1)
        return ck_err_new(CK_ERR_HOSTILE, "OSV schema, events: an event is an object of one "
                                          "member");
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        if (!ck_view_eq(j->first->key, kind_names[k]))
            continue;
        ret->kind = k;
        return ck_jnode_need_str(j, kind_names[k], &ret->version);
    }
    return ck_err_new(CK_ERR_HOSTILE, "OSV schema, events: unknown event \"%.*s\"",
                      CK_VF(j->first->key));
}

struct walk {
    enum ck_version_scheme scheme;
    struct ck_osv_ranges *out;
    ck_view limit; /* the highest; empty: none, or "*" */
    bool capped;
};

static void put(struct walk *w, ck_view introduced, enum ck_range_end end, ck_view upper)
{
    if (w->capped) {
        if (cmp(w->scheme, introduced, w->limit) >= 0)
            return;
        if (end == CK_END_OPEN || cmp(w->scheme, upper, w->limit) >= 0) {
            /* The first version that is not affected; no fix is known, so `fixed` stays. */
            end = CK_END_FIXED;
            upper = w->limit;
        }
    }
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): the caller made room for all */
    w->out->v[w->out->n++] = (struct ck_range){ introduced, end, upper };
}

static void close_fixed(struct walk *w, ck_view introduced, ck_view fixed)
{
    if (ck_view_eq(introduced, fixed) || cmp(w->scheme, introduced, fixed) == 0) {
        w->out->never |= is_zero(fixed);
        return;
    }
    put(w, introduced, CK_END_FIXED, fixed);
    w->out->fixed = true;
}

static void find_limit(struct walk *w, const struct event *e, size_t n)
{
    if (w->scheme == CK_VERSION_UNKNOWN)
        return;
    for (size_t i = 0; i < n; i++) {
        if (e[i].kind != LIMIT)
            continue;
        if (ck_view_eq(e[i].version, CK_V("*"))) {
            w->capped = false;
            return;
        }
        if (!w->capped || cmp(w->scheme, e[i].version, w->limit) > 0)
            w->limit = e[i].version;
        w->capped = true;
    }
}

static void walk_events(struct walk *w, const struct event *e, size_t n)
{
    bool affected = false;
    ck_view since = { NULL, 0 };
    for (size_t i = 0; i < n; i++) {
        switch (e[i].kind) {
        case INTRODUCED:
            if (!affected)
                since = e[i].version;
            affected = true;
            break;
        case FIXED:
            if (affected)
                close_fixed(w, since, e[i].version);
            affected = false;
            break;
        case LAST_AFFECTED:
            if (affected)
                put(w, since, CK_END_LAST_AFFECTED, e[i].version);
            affected = false;
            break;
        case LIMIT:
        case KIND_COUNT:
            break;
        }
    }
    if (affected)
        put(w, since, CK_END_OPEN, CK_V(""));
}

static ck_err *read_range(const struct ck_jnode *events, enum ck_version_scheme scheme,
                          struct ck_arena *a, struct ck_osv_ranges *out)
{
    struct event few[16];
    struct event *e = events->n <= 16 ? few : ck_arena_alloc(a, events->n, sizeof *e);
    size_t n = 0;
    for (const struct ck_jnode *j = events->first; j; j = j->next, n++) {
        CK_TRY_WRAP(read_event(j, &e[n]), "event %zu", n);
        e[n].place = n;
        e[n].scheme = scheme;
    }
    if (scheme != CK_VERSION_UNKNOWN && n > 1)
        qsort(e, n, sizeof *e, by_version);
    struct walk w = { .scheme = scheme, .out = out };
    find_limit(&w, e, n);
    walk_events(&w, e, n);
    return NULL;
}

/* The events of one range, or NULL where it is of commits. */
static ck_err *events_of(const struct ck_jnode *range, const struct ck_jnode **ret)
{
    ck_view type;
    if (range->type != CK_J_OBJECT)
        return ck_err_new(CK_ERR_HOSTILE, "OSV schema, ranges: a range is an object");
    CK_TRY(ck_jnode_need_str(range, CK_V("type"), &type));
    *ret = NULL;
    if (ck_view_eq(type, CK_V("GIT")))
        return NULL;
    if (!ck_view_eq(type, CK_V("SEMVER")) && !ck_view_eq(type, CK_V("ECOSYSTEM")))
        return ck_err_new(CK_ERR_HOSTILE, "OSV schema, ranges: unknown type \"%.*s\"", CK_VF(type));
    CK_TRY(ck_jnode_typed(range, CK_V("events"), CK_J_ARRAY, ret));
    if (!*ret)
        return ck_err_new(CK_ERR_HOSTILE, "OSV schema, ranges: a range has events");
    return NULL;
}

ck_err *ck_osv_ranges(const struct ck_jnode *affected, enum ck_version_scheme scheme,
                      struct ck_arena *a, size_t max, struct ck_osv_ranges *ret)
{
    const struct ck_jnode *ranges, *events;
    CK_TRY(ck_jnode_typed(affected, CK_V("ranges"), CK_J_ARRAY, &ranges));
    struct ck_osv_ranges out = { 0 };
    size_t n = 0;
    for (const struct ck_jnode *r = ranges ? ranges->first : NULL; r; r = r->next) {
        CK_TRY(events_of(r, &events));
        n += events ? events->n : 0;
    }
    if (n > max)
        return ck_err_limit(CK_LIMIT_ADVISORY_RANGES, "too many events");
    if (n)
        out.v = ck_arena_alloc(a, n, sizeof *out.v); /* an event makes one interval at most */
    size_t i = 0;
    for (const struct ck_jnode *r = ranges ? ranges->first : NULL; r; r = r->next, i++) {
        CK_TRY(events_of(r, &events));
        if (events)
            CK_TRY_WRAP(read_range(events, scheme, a, &out), "range %zu", i);
    }
    *ret = out;
    return NULL;
}

bool ck_range_holds(const struct ck_range *r, enum ck_version_scheme scheme, ck_view version)
{
    if (!is_zero(r->introduced) && cmp(scheme, version, r->introduced) < 0)
        return false;
    switch (r->end) {
    case CK_END_FIXED:
        return cmp(scheme, version, r->upper) < 0;
    case CK_END_LAST_AFFECTED:
        return cmp(scheme, version, r->upper) <= 0;
    case CK_END_OPEN:
    case CK_END_COUNT_:
        break;
    }
    return true;
}
