#include "scan/inventory.h"

#include "base/mem.h"
#include "detect/detect.h"
#include "layer/overlay.h"
#include "layer/path.h"

#include <stdlib.h>

/* A package file as it shows at some height of the layer stack. */
struct state {
    size_t layer;
    ck_view path;  /* where it really is, in that layer */
    ck_view facts; /* with the detector's mark in front */
};

/* A package file of the whole image: its state in the merge of all layers, and below it what it was
 * before, newest first. */
struct file {
    ck_view place; /* the path that was asked for */
    enum ck_detector_id detector;
    struct state *states;
    size_t n;
};

struct files {
    struct ck_overlay overlay;
    struct ck_arena *arena;
    CK_VEC(struct file) v;
    CK_VEC(struct ck_gap) unreached; /* what links in circles hide */
};

/* --- finding the package files ---------------------------------------------------------------- */

static bool already(const struct files *fs, const struct state *s)
{
    for (size_t i = 0; i < fs->v.n; i++) {
        const struct state *have = &fs->v.v[i].states[0];
        if (have->layer == s->layer && ck_view_eq(have->path, s->path))
            return true;
    }
    return false;
}

static struct state state_of(struct files *fs, const struct ck_place *p)
{
    return (struct state){ .layer = p->layer,
                           .path = ck_arena_dup(fs->arena, p->node.path),
                           .facts = p->node.facts };
}

/* What stood at this path before the layer that brought what stands there now. */
static ck_err *add_history(struct files *fs, struct file *f)
{
    CK_VEC(struct state) states = { 0 };
    *ck_push(&states) = f->states[0];
    ck_err *e = NULL;
    for (;;) {
        struct ck_place p;
        size_t top = states.v[states.n - 1].layer;
        if (top == 0)
            break;
        e = ck_overlay_resolve(&fs->overlay, top, f->place, &p);
        if (e && ck_err_limit_of(e) == CK_LIMIT_SYMLINKS) { /* nothing was there to be read */
            ck_err_free(ck_steal(e));
            break;
        }
        if (e)
            break;
        if (!p.found || p.node.type != CK_NODE_FILE)
            break;
        *ck_push(&states) = state_of(fs, &p);
    }
    f->states = ck_arena_alloc(fs->arena, states.n, sizeof *f->states);
    memcpy(f->states, states.v, states.n * sizeof *states.v);
    f->n = states.n;
    free(states.v);
    return e;
}

/* Links in circles, or too many, hide the file from whoever runs the image too; that it cannot be
 * read is said, and costs the image its completeness. */
static ck_err *reach(struct files *fs, ck_view place, struct ck_place *ret)
{
    ck_err *e = ck_overlay_resolve(&fs->overlay, fs->overlay.n, place, ret);
    if (!e || ck_err_limit_of(e) != CK_LIMIT_SYMLINKS)
        return e;
    ret->found = false;
    *ck_push(&fs->unreached) = (struct ck_gap){ ck_arena_dup(fs->arena, place),
                                                ck_arena_dup(fs->arena,
                                                             ck_view_str(ck_err_text(e))) };
    ck_err_free(e);
    return NULL;
}

static ck_err *add_file(struct files *fs, ck_view place, enum ck_detector_id detector)
{
    struct ck_place p;
    CK_TRY(reach(fs, place, &p));
    if (!p.found || p.node.type != CK_NODE_FILE)
        return NULL;
    struct state s = state_of(fs, &p);
    if (already(fs, &s))
        return NULL;
    struct file f = { .place = ck_arena_dup(fs->arena, place), .detector = detector,
                      .states = &s, .n = 1 };
    CK_TRY(add_history(fs, &f));
    *ck_push(&fs->v) = f;
    return NULL;
}

struct listing {
    struct files *fs;
    const struct ck_detect_place *place;
    size_t seen;
};

static ck_err *visit(void *ctx, const struct ck_place *p)
{
    struct listing *l = ctx;
    ck_view base = ck_path_base(p->node.path);
    if (++l->seen > CK_MAX_STATUS_D_FILES)
        return ck_err_limit(CK_LIMIT_STATUS_D_FILES, "%s", l->place->path);
    ck_view path = ck_view_str(
        ck_arena_format(l->fs->arena, "%s/%.*s", l->place->path, CK_VF(base)));
    const struct ck_detector *own = ck_detector_for_path(path);
    return own && own->id == l->place->id ? add_file(l->fs, path, l->place->id) : NULL;
}

static ck_err *list(struct listing *l, ck_view path)
{
    struct ck_place p;
    CK_TRY(reach(l->fs, path, &p));
    if (!p.found)
        return NULL;
    return ck_overlay_list(&l->fs->overlay, l->fs->overlay.n, path, visit, l);
}

static ck_err *find_files(struct files *fs)
{
    for (size_t i = 0; i < ck_detect_places_count; i++) {
        const struct ck_detect_place *p = &ck_detect_places[i];
        ck_view path = ck_view_str(p->path);
        struct listing l = { fs, p, 0 };
        CK_TRY_WRAP(p->dir ? list(&l, path) : add_file(fs, path, p->id), "\"%s\"", p->path);
    }
    return NULL;
}

static struct ck_overlay overlay_of(const struct ck_layer_facts *facts, size_t n,
                                    struct ck_arena *a)
{
    struct ck_index *layers = ck_arena_alloc(a, n + 1, sizeof *layers);
    for (size_t i = 0; i < n; i++)
        layers[i] = facts[i].index;
    return (struct ck_overlay){ layers, n };
}

/* --- first half
 * ------------------------------------------------------------------------------------ */

static bool was_read(const struct state *s, enum ck_detector_id detector)
{
    return s->facts.n && s->facts.p[0] == detector;
}

static bool in_wants(const struct ck_layer_wants *w, ck_view path)
{
    for (size_t i = 0; i < w->n; i++)
        if (ck_view_eq(w->v[i].path, path))
            return true;
    return false;
}

static ck_err *want(struct ck_layer_wants *w, struct ck_arena *a, const struct state *s,
                    enum ck_detector_id detector)
{
    if (in_wants(w, s->path))
        return NULL;
    if (w->n >= CK_MAX_WANTED)
        return ck_err_limit(CK_LIMIT_WANTED, "links to package files");
    if ((w->n & (w->n - 1)) == 0) { /* full at every power of two */
        struct ck_wanted *v = ck_arena_alloc(a, w->n ? w->n * 2 : 1, sizeof *v);
        if (w->n)
            memcpy(v, w->v, w->n * sizeof *v);
        w->v = v;
    }
    w->v[w->n++] = (struct ck_wanted){ .path = s->path, .detector = (uint8_t)detector };
    return NULL;
}

ck_err *ck_inventory_wants(const struct ck_layer_facts *facts, size_t n_layers, struct ck_arena *a,
                           struct ck_layer_wants *wants, bool *ret_any)
{
    struct files fs = { .overlay = overlay_of(facts, n_layers, a), .arena = a };
    bool any = false;
    ck_err *e = find_files(&fs);
    for (size_t i = 0; !e && i < fs.v.n; i++)
        for (size_t k = 0; !e && k < fs.v.v[i].n; k++) {
            const struct state *s = &fs.v.v[i].states[k];
            if (was_read(s, fs.v.v[i].detector))
                continue;
            any = true;
            e = want(&wants[s->layer], a, s, fs.v.v[i].detector);
        }
    free(fs.v.v);
    free(fs.unreached.v);
    if (!e)
        *ret_any = any;
    return e;
}

/* --- second half
 * ------------------------------------------------------------------------------------ */

struct building {
    struct ck_inventory *inv;
    CK_VEC(struct ck_inventory_package) packages;
    CK_VEC(struct ck_gap) gaps;
};

static void add_gap(struct building *b, ck_view what, ck_view why)
{
    *ck_push(&b->gaps) = (struct ck_gap){ ck_arena_dup(&b->inv->arena, what),
                                          ck_arena_dup(&b->inv->arena, why) };
}

static int cmp_package(const struct ck_package *a, const struct ck_package *b)
{
    int c = ck_view_cmp(a->name, b->name);
    c = c ? c : ck_view_cmp(a->version, b->version);
    c = c ? c : ck_view_cmp(a->arch, b->arch);
    return c ? c : (int)a->type - (int)b->type;
}

static int by_package(const void *a, const void *b)
{
    const struct ck_inventory_package *x = a, *y = b;
    int c = cmp_package(&x->p, &y->p);
    return c ? c : ck_view_cmp(x->location, y->location);
}

/* The packages of one state, sorted, for looking up. */
struct list {
    struct ck_package *v;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return cmp_package(a, b);
}

static ck_err *list_of(const struct state *s, struct list *ret)
{
    ck_cur c = ck_cur_of(ck_view_from(s->facts, 1));
    CK_VEC(struct ck_package) v = { 0 };
    for (;;) {
        struct ck_fact f;
        bool end = false;
        ck_err *e = ck_fact_decode(&c, &f, &end);
        if (e || end) {
            if (e) {
                free(v.v);
                return e;
            }
            break;
        }
        if (f.kind == CK_FACT_PACKAGE)
            *ck_push(&v) = f.package;
    }
    if (v.n)
        qsort(v.v, v.n, sizeof *v.v, by_name);
    *ret = (struct list){ v.v, v.n };
    return NULL;
}

static bool in_list(const struct list *l, const struct ck_package *p)
{
    return l->n && bsearch(p, l->v, l->n, sizeof *l->v, by_name);
}

/* From the newest state down: as long as a state lists the package, an older layer brought it. */
static void date_packages(const struct file *f, const struct list *older, size_t first,
                          struct building *b)
{
    for (size_t i = first; i < b->packages.n; i++) {
        struct ck_inventory_package *p = &b->packages.v[i];
        for (size_t k = 1; k < f->n && in_list(&older[k], &p->p); k++)
            p->layer = f->states[k].layer;
    }
}

static ck_err *take_facts(struct building *b, const struct file *f)
{
    const struct state *s = &f->states[0];
    ck_cur c = ck_cur_of(ck_view_from(s->facts, 1));
    for (;;) {
        struct ck_fact fact;
        bool end = false;
        CK_TRY(ck_fact_decode(&c, &fact, &end));
        if (end)
            return NULL;
        if (fact.kind == CK_FACT_GAP)
            add_gap(b, f->place, fact.gap);
        if (fact.kind == CK_FACT_OS_RELEASE && !b->inv->has_os) {
            b->inv->os = fact.os;
            b->inv->has_os = true;
        }
        if (fact.kind == CK_FACT_PACKAGE) {
            if (b->packages.n >= CK_MAX_PACKAGES)
                return ck_err_limit(CK_LIMIT_PACKAGES, "the image");
            *ck_push(&b->packages) = (struct ck_inventory_package){ fact.package, s->layer,
                                                                    f->place };
        }
    }
}

static ck_err *add_packages(struct building *b, const struct file *f)
{
    size_t first = b->packages.n;
    CK_TRY(take_facts(b, f));
    if (f->n < 2 || first == b->packages.n)
        return NULL;
    struct list *older = ck_calloc(f->n, sizeof *older);
    ck_err *e = NULL;
    for (size_t k = 1; !e && k < f->n; k++)
        e = list_of(&f->states[k], &older[k]);
    if (!e)
        date_packages(f, older, first, b);
    for (size_t k = 1; k < f->n; k++)
        free(older[k].v);
    free(older);
    return e;
}

/* A tree that was migrated from one rpm format to another may still hold the old file; rpm reads
 * one of them. The places stand in rpm's order of preference, a directory at a time. */
static bool is_rpm(enum ck_detector_id id)
{
    return id == CK_DETECT_RPM_SQLITE || id == CK_DETECT_RPM_NDB || id == CK_DETECT_RPM_BDB;
}

static ck_err *take_files(struct building *b, const struct files *fs)
{
    bool have_rpm = false, have_db = false;
    for (size_t i = 0; i < fs->unreached.n; i++)
        *ck_push(&b->gaps) = fs->unreached.v[i];
    for (size_t i = 0; i < fs->v.n; i++) {
        const struct file *f = &fs->v.v[i];
        if (!was_read(&f->states[0], f->detector))
            return ck_err_new(CK_ERR_HOSTILE, "\"%.*s\" was not read by its room", CK_VF(f->place));
        have_db = have_db || f->detector != CK_DETECT_OS_RELEASE;
        if (is_rpm(f->detector)) {
            if (have_rpm) {
                add_gap(b, f->place, CK_V("a second rpm database, of another format or place, was "
                                          "left aside: rpm reads one of them"));
                continue;
            }
            have_rpm = true;
        }
        CK_TRY_WRAP(add_packages(b, f), "\"%.*s\"", CK_VF(f->place));
    }
    if (!have_db)
        add_gap(b, CK_V("packages"),
                CK_V("no package database was found (dpkg, apk, rpm): what the "
                     "image contains cannot be told"));
    return NULL;
}

/* Changes of a database that stand beside it. */
static ck_err *take_pendings(struct building *b, const struct files *fs)
{
    for (size_t i = 0; i < ck_detect_pendings_count; i++) {
        const struct ck_detect_pending *d = &ck_detect_pendings[i];
        struct ck_place p;
        ck_err *e = ck_overlay_resolve(&fs->overlay, fs->overlay.n, ck_view_str(d->path), &p);
        if (e && ck_err_limit_of(e) == CK_LIMIT_SYMLINKS) { /* said of the database already */
            ck_err_free(e);
            continue;
        }
        CK_TRY(e);
        if (p.found && p.node.type == CK_NODE_FILE && p.node.size)
            add_gap(b, ck_view_str(d->path), ck_view_str(d->why));
    }
    return NULL;
}

static void finish(struct building *b)
{
    struct ck_inventory *inv = b->inv;
    if (b->packages.n)
        qsort(b->packages.v, b->packages.n, sizeof *b->packages.v, by_package);
    inv->packages = ck_arena_alloc(&inv->arena, b->packages.n + 1, sizeof *inv->packages);
    for (size_t i = 0; i < b->packages.n; i++)
        if (inv->n == 0 ||
            cmp_package(&inv->packages[inv->n - 1].p, &b->packages.v[i].p) != 0)
            inv->packages[inv->n++] = b->packages.v[i];
    inv->gaps = ck_arena_alloc(&inv->arena, b->gaps.n + 1, sizeof *inv->gaps);
    if (b->gaps.n)
        memcpy(inv->gaps, b->gaps.v, b->gaps.n * sizeof *inv->gaps);
    inv->n_gaps = b->gaps.n;
}

ck_err *ck_inventory_build(const struct ck_layer_facts *facts, size_t n_layers,
                           struct ck_inventory *ret)
{
    *ret = (struct ck_inventory){ 0 };
    struct files fs = { .overlay = overlay_of(facts, n_layers, &ret->arena),
                        .arena = &ret->arena };
    struct building b = { .inv = ret };
    ck_err *e = find_files(&fs);
    if (!e)
        e = take_files(&b, &fs);
    if (!e)
        e = take_pendings(&b, &fs);
    if (!e)
        finish(&b);
    free(fs.v.v);
    free(fs.unreached.v);
    free(b.packages.v);
    free(b.gaps.v);
    if (e)
        ck_inventory_free(ret);
    return e;
}

void ck_inventory_free(struct ck_inventory *inv)
{
    ck_arena_free(&inv->arena);
    *inv = (struct ck_inventory){ 0 };
}
