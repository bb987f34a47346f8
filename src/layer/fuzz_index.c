/* First byte: where the input is cut into two layer indexes. Everything that can be asked of
 * hostile indexes is asked. */
#include "layer/overlay.h"

#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = { "", "a", "a/b", "etc/os-release", "var/lib/dpkg/status",
                                     "l/../h", "zzz" };
enum { PATHS = sizeof paths / sizeof paths[0] };

/* Touches every byte. */
static size_t sum(ck_view v)
{
    size_t total = 0;
    for (size_t i = 0; i < v.n; i++)
        total += v.p[i];
    return total;
}

static void check_node(const struct ck_node *n)
{
    if (n->path.n > CK_MAX_PATH || n->type >= CK_NODE_COUNT_ || n->mode > 07777)
        abort();
    if (sum(n->path) + sum(n->link) + sum(n->facts) == SIZE_MAX)
        abort();
}

static void ask_index(const struct ck_index *ix)
{
    struct ck_index_walk ck_autofree *w = ck_new(struct ck_index_walk);
    struct ck_index_space space;
    for (size_t i = 0; i < PATHS; i++) {
        struct ck_node n;
        bool found = false, below, end = false;
        ck_view path = ck_view_str(paths[i]);
        ck_err *e = ck_index_probe(ix, path, &space, &n, &found, &below);
        if (!e && found)
            check_node(&n);
        ck_err_free(e);
        e = ck_index_walk_start(ix, path, w);
        while (!e && !end) {
            e = ck_index_walk_next(w, &n, &end);
            if (!e && !end)
                check_node(&n);
        }
        ck_err_free(e);
    }
}

static ck_err *visit(void *ctx, const struct ck_place *place)
{
    (void)ctx;
    check_node(&place->node);
    return NULL;
}

static void ask_overlay(const struct ck_overlay *o)
{
    struct ck_place place;
    for (size_t i = 0; i < PATHS; i++) {
        ck_view path = ck_view_str(paths[i]);
        place.found = false;
        ck_err *e = ck_overlay_lookup(o, o->n, path, &place);
        if (!e && place.found)
            check_node(&place.node);
        ck_err_free(e);
        place.found = false;
        e = ck_overlay_resolve(o, o->n, path, &place);
        if (!e && place.found)
            check_node(&place.node);
        ck_err_free(e);
        ck_err_free(ck_overlay_list(o, o->n, path, visit, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_index layers[2];
    struct ck_overlay o = { layers, 0 };
    if (!size)
        return 0;
    ck_view in = ck_view_from(ck_view_of(data, size), 1);
    size_t cut = in.n * data[0] / 255;
    const ck_view parts[] = { ck_view_head(in, cut), ck_view_from(in, cut) };
    for (size_t i = 0; i < 2; i++) {
        ck_err *e = ck_index_open(parts[i], &layers[o.n]);
        if (!e)
            ask_index(&layers[o.n++]);
        ck_err_free(e);
    }
    if (o.n)
        ask_overlay(&o);
    return 0;
}
