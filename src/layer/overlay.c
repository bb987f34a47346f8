#include "layer/overlay.h"

#include "base/mem.h"
#include "layer/index_parts.h"

#include <stdlib.h>

/* CK_MAX_PATH and CK_MAX_PATH_DEPTH for the sizes of arrays. */
enum { PATH_MAX_ = sizeof(struct ck_index_space), DEPTH_MAX_ = 256 };
_Static_assert(PATH_MAX_ == 4096, "PATH");

/* What shows at one path. The node's path is the caller's; link and facts live in the index. */
struct seen {
    bool found;
    bool implied; /* no layer names it; something stands below it */
    size_t layer;
    size_t floor; /* of a directory: the lowest layer that shows in it */
    struct ck_node node;
};

/* A directory on the way down. */
struct level {
    size_t path_n; /* length of its path */
    size_t floor;
};

/* A path being walked: where it is, and what is left. */
struct way {
    const struct ck_overlay *o;
    size_t top;
    unsigned *links; /* followed so far, over all ways of one question */
    size_t depth;
    struct level levels[DEPTH_MAX_ + 1];
    uint8_t here[PATH_MAX_];
    uint8_t rest_bytes[PATH_MAX_];
    ck_view rest;           /* in rest_bytes; once a component is off: empty, or a slash first */
    struct ck_place target; /* of the hard link that is being read */
};

static bool is_leaf(const struct ck_node *n)
{
    return n->type != CK_NODE_NONE && n->type != CK_NODE_DIR;
}

/* Adds what layer `i` says of a directory to what the layers above it said. */
static void see_dir(struct seen *s, size_t i, const struct ck_node *node, bool named)
{
    if (s->found && !s->implied)
        return;
    if (s->found && !named) { /* the lowest layer that implies it */
        s->layer = i;
        return;
    }
    s->found = true;
    s->implied = !named;
    s->layer = i;
    s->node = named ? *node : (struct ck_node){ .type = CK_NODE_DIR, .mode = 0755 };
}

/* Adds what layer `i` says of the path; *ret_done: the layers below have no say. `fixed`: the floor
 * is known already, only the directory itself is still looked for. */
static void see(struct seen *s, size_t i, const struct ck_node *node, bool below, bool fixed,
                bool *ret_done)
{
    if (is_leaf(node)) {
        if (!fixed)
            s->floor = i + 1;
        if (!s->found)
            *s = (struct seen){ .found = true, .layer = i, .node = *node };
        *ret_done = true;
        return;
    }
    if (node->type == CK_NODE_DIR || node->opaque || below)
        see_dir(s, i, node, node->type == CK_NODE_DIR);
    if ((node->whiteout || node->opaque) && !fixed)
        s->floor = i;
    /* An opaque mark hides what is in the directory of lower layers, not the directory. */
    *ret_done = node->whiteout || (node->opaque && !s->implied);
}

/* What shows at `path`, whose parent directory shows the layers from `floor` on. */
static ck_err *look(const struct ck_overlay *o, size_t top, size_t floor, ck_view path,
                    struct seen *ret)
{
    struct ck_index_space space;
    struct seen s = { .floor = floor };
    bool done = false, fixed = false;
    for (size_t i = top; i-- > floor && !done;) {
        struct ck_node node = { 0 };
        bool found = false, below = false;
        CK_TRY_WRAP(ck_index_probe(&o->layers[i], path, &space, &node, &found, &below),
                    "layer %zu", i);
        see(&s, i, &node, below, fixed, &done);
        fixed |= node.opaque;
    }
    s.node.path = path;
    *ret = s;
    return NULL;
}

/* --- walking --- */

static ck_view here(const struct way *w)
{
    return ck_view_of(w->here, w->levels[w->depth].path_n);
}

/* The directory the way stands in. The root is always there. */
static ck_err *look_here(const struct way *w, struct seen *ret)
{
    ck_view path = here(w);
    size_t floor = w->depth ? w->levels[w->depth - 1].floor : 0;
    CK_TRY(look(w->o, w->top, floor, path, ret));
    if (!w->depth && !ret->found)
        see_dir(ret, 0, NULL, false);
    return NULL;
}

static ck_err *go_to_root(struct way *w)
{
    struct seen s = { 0 };
    w->depth = 0;
    w->levels[0] = (struct level){ 0 };
    CK_TRY(look_here(w, &s));
    w->levels[0].floor = s.floor;
    return NULL;
}

CK_MUST static ck_err *start(struct way *w, const struct ck_overlay *o, size_t top, ck_view path,
                     unsigned *links)
{
    w->o = o;
    w->top = top < o->n ? top : o->n;
    w->links = links;
    if (path.n > sizeof w->rest_bytes)
        return ck_err_limit(CK_LIMIT_PATH, "a path of %zu bytes", path.n);
    if (path.n)
        memcpy(w->rest_bytes, path.p, path.n);
    w->rest = ck_view_of(w->rest_bytes, path.n);
    return go_to_root(w);
}

/* Takes the next component; false where nothing is left. */
static bool next_part(ck_view *rest, ck_view *ret)
{
    while (rest->n && rest->p[0] == '/')
        *rest = ck_view_from(*rest, 1);
    size_t n = ck_view_find(*rest, '/');
    *ret = ck_view_head(*rest, n);
    *rest = ck_view_from(*rest, n);
    return n != 0;
}

/* The path of `name` in the directory the way stands in, written behind it. */
static ck_err *child_path(struct way *w, ck_view name, ck_view *ret)
{
    ck_view dir = here(w);
    size_t n = dir.n + (dir.n != 0) + name.n;
    if (n > sizeof w->here)
        return ck_err_limit(CK_LIMIT_PATH, "a path of %zu bytes", n);
    if (dir.n)
        w->here[dir.n] = '/';
    memcpy(w->here + n - name.n, name.p, name.n);
    *ret = ck_view_of(w->here, n);
    return NULL;
}

static ck_err *enter(struct way *w, const struct seen *s)
{
    if (w->depth == CK_MAX_PATH_DEPTH)
        return ck_err_limit(CK_LIMIT_PATH_DEPTH, "a path of more components");
    w->levels[++w->depth] = (struct level){ s->node.path.n, s->floor };
    return NULL;
}

static ck_err *count_link(struct way *w)
{
    if (*w->links == CK_MAX_SYMLINKS)
        return ck_err_limit(CK_LIMIT_SYMLINKS, "too many links on the way");
    ++*w->links;
    return NULL;
}

/* Puts the target of a symlink in front of what is left. */
static ck_err *follow(struct way *w, ck_view target)
{
    uint8_t left[PATH_MAX_];
    size_t n = w->rest.n;
    CK_TRY(count_link(w));
    if (target.n + n > sizeof w->rest_bytes)
        return ck_err_limit(CK_LIMIT_PATH, "a symlink leads to a path of more bytes");
    if (n)
        memcpy(left, w->rest.p, n);
    if (target.n)
        memcpy(w->rest_bytes, target.p, target.n);
    memcpy(w->rest_bytes + target.n, left, n); /* empty, or begins with a slash */
    w->rest = ck_view_of(w->rest_bytes, target.n + n);
    return ck_view_starts(target, CK_V("/")) ? go_to_root(w) : NULL;
}

static void fill(struct ck_place *ret, const struct seen *s)
{
    ret->found = s->found;
    ret->layer = s->layer;
    ret->node = s->node;
    if (s->node.path.n)
        memcpy(ret->space.path, s->node.path.p, s->node.path.n);
    ret->node.path = ck_view_of(ret->space.path, s->node.path.n);
}

static void copy_place(struct ck_place *ret, const struct ck_place *p)
{
    struct seen s = { .found = p->found, .layer = p->layer, .node = p->node };
    fill(ret, &s);
}

static ck_err *lookup(const struct ck_overlay *o, size_t top, ck_view path, bool resolve,
                      unsigned *links, struct ck_place *ret);

/* w->target becomes what the hard link `s` stands for, in the layers up to the link's own. */
static ck_err *read_hardlink(struct way *w, const struct seen *s)
{
    size_t layer = s->layer;
    ck_view path = s->node.link;
    do {
        CK_TRY(count_link(w));
        CK_TRY(lookup(w->o, layer + 1, path, false, w->links, &w->target));
        layer = w->target.layer;
        path = w->target.node.link;
    } while (w->target.found && w->target.node.type == CK_NODE_HARDLINK);
    return NULL;
}

static bool more_to_go(ck_view rest)
{
    ck_view part;
    return next_part(&rest, &part);
}

/* The way has come to something that is no directory. It ends here, or a link leads on. */
static ck_err *at_leaf(struct way *w, const struct seen *s, bool resolve, struct ck_place *ret,
                       bool *ret_done)
{
    bool more = more_to_go(w->rest);
    const struct ck_node *node = &s->node;
    *ret_done = true;
    if (!more && !resolve) {
        fill(ret, s);
        return NULL;
    }
    if (node->type == CK_NODE_HARDLINK) {
        CK_TRY(read_hardlink(w, s));
        if (!w->target.found || w->target.node.type == CK_NODE_DIR)
            return NULL;
        node = &w->target.node;
    }
    if (node->type == CK_NODE_SYMLINK) {
        *ret_done = !node->link.n;
        return node->link.n ? follow(w, node->link) : NULL;
    }
    if (!more && node == &s->node)
        fill(ret, s);
    else if (!more)
        copy_place(ret, &w->target);
    return NULL;
}

/* One component down. */
static ck_err *step(struct way *w, ck_view name, bool resolve, struct ck_place *ret,
                    bool *ret_done)
{
    struct seen s = { 0 };
    ck_view path = { NULL, 0 };
    CK_TRY(child_path(w, name, &path));
    CK_TRY(look(w->o, w->top, w->levels[w->depth].floor, path, &s));
    *ret_done = !s.found;
    if (!s.found)
        return NULL;
    return s.node.type == CK_NODE_DIR ? enter(w, &s) : at_leaf(w, &s, resolve, ret, ret_done);
}

/* Goes the whole way. Where it ends in a directory, `w` stands in it. */
static ck_err *walk(struct way *w, bool resolve, struct ck_place *ret)
{
    struct seen s = { 0 };
    ck_view name;
    bool done = false;
    ret->found = false;
    while (!done && next_part(&w->rest, &name)) {
        if (ck_view_eq(name, CK_V("..")))
            w->depth -= w->depth != 0;
        else if (!ck_view_eq(name, CK_V(".")))
            CK_TRY(step(w, name, resolve, ret, &done));
    }
    if (done)
        return NULL;
    CK_TRY(look_here(w, &s));
    fill(ret, &s);
    return NULL;
}

static ck_err *lookup(const struct ck_overlay *o, size_t top, ck_view path, bool resolve,
                      unsigned *links, struct ck_place *ret)
{
    struct way *w = ck_new(struct way);
    struct ck_place *p = ck_new(struct ck_place);
    ck_err *e = start(w, o, top, path, links);
    if (!e)
        e = walk(w, resolve, p);
    if (!e)
        copy_place(ret, p);
    free(w);
    free(p);
    return e;
}

ck_err *ck_overlay_lookup(const struct ck_overlay *o, size_t top, ck_view path,
                          struct ck_place *ret)
{
    unsigned links = 0;
    return lookup(o, top, path, false, &links, ret);
}

ck_err *ck_overlay_resolve(const struct ck_overlay *o, size_t top, ck_view path,
                           struct ck_place *ret)
{
    unsigned links = 0;
    return lookup(o, top, path, true, &links, ret);
}

/* --- listing --- */

/* What one layer has in the directory. */
struct source {
    struct ck_index_walk walk;
    struct ck_node node;
    bool end;
};

struct listing {
    struct way way; /* stands in the directory */
    struct ck_place place;
    struct source *sources; /* layers floor .. top-1 */
    size_t n, floor;
    uint8_t last[PATH_MAX_]; /* the name visited last */
    size_t last_n;
};

/* The component of the source's node that lies in the directory. */
static ck_view name_in(const struct source *s, ck_view dir)
{
    ck_view rest = ck_view_from(s->node.path, dir.n + (dir.n != 0));
    return ck_view_head(rest, ck_view_find(rest, '/'));
}

/* The smallest name that any layer has. It must stand behind the last one: that ends the listing
 * even of an index that lies about its order. */
static ck_err *smallest(struct listing *l, ck_view *ret, bool *ret_end)
{
    ck_view dir = here(&l->way), best = { NULL, 0 };
    bool any = false;
    for (size_t i = 0; i < l->n; i++) {
        if (l->sources[i].end)
            continue;
        ck_view name = name_in(&l->sources[i], dir);
        if (!any || ck_view_cmp(name, best) < 0)
            best = name;
        any = true;
    }
    *ret_end = !any;
    if (!any)
        return NULL;
    if (ck_view_cmp(best, ck_view_of(l->last, l->last_n)) <= 0 || ck_view_eq(best, CK_V(".")) ||
        ck_view_eq(best, CK_V("..")))
        return ck_err_new(CK_ERR_HOSTILE, "layer index: a bad name in %.*s", CK_VF(dir));
    memcpy(l->last, best.p, best.n);
    l->last_n = best.n;
    *ret = ck_view_of(l->last, l->last_n);
    return NULL;
}

/* Moves on past `path` and all below it. */
static ck_err *pass(struct source *s, ck_view path)
{
    uint8_t bound[PATH_MAX_ + 1];
    CK_TRY(ck_index_walk_next(&s->walk, &s->node, &s->end));
    if (s->end || !ck_index_is_below(s->node.path, path))
        return NULL;
    memcpy(bound, path.p, path.n);
    bound[path.n] = 1; /* behind "/", before all that may stand in a name */
    CK_TRY(ck_index_walk_seek(&s->walk, ck_view_of(bound, path.n + 1)));
    return ck_index_walk_next(&s->walk, &s->node, &s->end);
}

static ck_err *pass_all(struct listing *l, ck_view name, ck_view path)
{
    for (size_t i = 0; i < l->n; i++) {
        struct source *s = &l->sources[i];
        if (!s->end && ck_view_eq(name_in(s, here(&l->way)), name))
            CK_TRY_WRAP(pass(s, path), "layer %zu", l->floor + i);
    }
    return NULL;
}

static ck_err *open_sources(struct listing *l)
{
    l->floor = l->way.levels[l->way.depth].floor;
    l->n = l->way.top - l->floor;
    l->sources = ck_calloc(l->n, sizeof *l->sources);
    for (size_t i = 0; i < l->n; i++) {
        struct source *s = &l->sources[i];
        const struct ck_index *ix = &l->way.o->layers[l->floor + i];
        CK_TRY_WRAP(ck_index_walk_start(ix, here(&l->way), &s->walk), "layer %zu", l->floor + i);
        CK_TRY_WRAP(ck_index_walk_next(&s->walk, &s->node, &s->end), "layer %zu", l->floor + i);
    }
    return NULL;
}

static ck_err *list(struct listing *l, ck_err *(*visit)(void *ctx, const struct ck_place *place),
                    void *ctx)
{
    CK_TRY(walk(&l->way, true, &l->place));
    if (!l->place.found || l->place.node.type != CK_NODE_DIR)
        return NULL;
    CK_TRY(open_sources(l));
    for (;;) {
        struct seen s = { 0 };
        ck_view name = { NULL, 0 }, path = { NULL, 0 };
        bool end = true;
        CK_TRY(smallest(l, &name, &end));
        if (end)
            return NULL;
        CK_TRY(child_path(&l->way, name, &path));
        CK_TRY(pass_all(l, name, path));
        CK_TRY(look(l->way.o, l->way.top, l->floor, path, &s));
        fill(&l->place, &s);
        if (s.found)
            CK_TRY(visit(ctx, &l->place));
    }
}

ck_err *ck_overlay_list(const struct ck_overlay *o, size_t top, ck_view path,
                        ck_err *(*visit)(void *ctx, const struct ck_place *place), void *ctx)
{
    unsigned links = 0;
    struct listing *l = ck_new(struct listing);
    ck_err *e = start(&l->way, o, top, path, &links);
    if (!e)
        e = list(l, visit, ctx);
    free(l->sources);
    free(l);
    return e;
}
