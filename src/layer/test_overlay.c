#include "layer/overlay.h"

#include "base/mem.h"
#include "base/unit.h"
#include "layer/test_stack.h"

/* --- by hand --- */

static void assert_shows(const struct stack *s, const char *path, const char *want)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_place place = { 0 };
    assert_ok(ck_overlay_resolve(&s->overlay, s->overlay.n, ck_view_str(path), &place));
    say_place(&b, &place);
    assert_view(ck_buf_view(&b), want);
}

static ck_err *add_name(void *ctx, const struct ck_place *place)
{
    ck_buf_format(ctx, "%.*s ", CK_VF(place->node.path));
    return NULL;
}

static void assert_lists(const struct stack *s, const char *path, const char *want)
{
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_overlay_list(&s->overlay, s->overlay.n, ck_view_str(path), add_name, &b));
    assert_view(ck_buf_view(&b), want);
}

static void the_top_layer_shows(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "d etc\n f etc/x 1\n f etc/y 1");
    stack_layer(&s, "f etc/x 2");
    assert_shows(&s, "etc/x", "1 file etc/x 2");
    assert_shows(&s, "/etc//./y", "0 file etc/y 1");
    assert_shows(&s, "etc", "0 dir etc");
    assert_shows(&s, "", "0 dir ");
    assert_shows(&s, "etc/z", "nothing");
    assert_shows(&s, "etc/x/below", "nothing");
    assert_lists(&s, "etc", "etc/x etc/y ");
    assert_lists(&s, "etc/x", "");
    assert_lists(&s, "none", "");
    stack_free(&s);
}

static void whiteouts_hide_lower_layers_only(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "f a/b/c 1\n f a/d 1\n f e 1");
    stack_layer(&s, "w a/b\n f a/b/new 2\n w e\n f e 2");
    assert_shows(&s, "a/b/c", "nothing");
    assert_shows(&s, "a/b/new", "1 file a/b/new 2");
    assert_shows(&s, "a/d", "0 file a/d 1");
    assert_shows(&s, "e", "1 file e 2");
    stack_layer(&s, "w a");
    assert_shows(&s, "a", "nothing");
    assert_shows(&s, "a/b/new", "nothing");
    stack_layer(&s, "f a/back 4");
    assert_lists(&s, "a", "a/back ");
    assert_lists(&s, "", "a e ");
    stack_free(&s);
}

static void opaque_directories(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "d a\n f a/x 1\n d a/s\n f a/s/y 1");
    stack_layer(&s, "d a\n o a\n f a/z 2");
    assert_lists(&s, "a", "a/z ");
    assert_shows(&s, "a/s/y", "nothing");
    stack_layer(&s, "o "); /* of the root */
    assert_lists(&s, "", "");
    assert_shows(&s, "", "0 dir ");
    stack_free(&s);
}

static void a_file_becomes_a_directory_and_back(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "d a\n f a/old 1");
    stack_layer(&s, "f a 2");
    assert_shows(&s, "a/old", "nothing");
    stack_layer(&s, "d a\n f a/new 3");
    assert_lists(&s, "a", "a/new ");
    stack_layer(&s, "f a 4");
    assert_shows(&s, "a", "3 file a 4");
    assert_shows(&s, "a/new", "nothing");
    stack_layer(&s, "f a/implied 5");
    assert_lists(&s, "a", "a/implied ");
    assert_shows(&s, "a", "4 dir a");
    stack_free(&s);
}

static void symlinks_stay_inside_the_tree(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "d var/lib\n l var/lib/rpm ../../usr/lib/rpm\n f usr/lib/rpm/db 1\n"
                    "l etc/os-release /usr/lib/os-release\n f usr/lib/os-release 2\n"
                    "l out ../../../../etc/os-release\n l abs /../../usr\n l dangling nowhere\n"
                    "l dir usr\n l empty-dir /");
    assert_shows(&s, "var/lib/rpm/db", "0 file usr/lib/rpm/db 1");
    assert_shows(&s, "etc/os-release", "0 file usr/lib/os-release 2");
    assert_shows(&s, "out", "0 file usr/lib/os-release 2");
    assert_shows(&s, "abs/lib/rpm/db", "0 file usr/lib/rpm/db 1");
    assert_shows(&s, "dangling", "nothing");
    assert_shows(&s, "empty-dir/dir/lib/../lib/rpm/db", "0 file usr/lib/rpm/db 1");
    assert_lists(&s, "var/lib/rpm", "usr/lib/rpm/db ");
    struct ck_place place = { 0 };
    assert_ok(ck_overlay_lookup(&s.overlay, 1, CK_V("etc/os-release"), &place));
    assert_int_equal(place.node.type, CK_NODE_SYMLINK);
    assert_view(place.node.link, "/usr/lib/os-release");
    stack_free(&s);
}

/* Row 6: a symlink of layer 1 is not written through by layer 2. */
static void symlink_in_one_layer_written_through_in_the_next(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "l a /\n f etc/x 1");
    stack_layer(&s, "f a/etc/x 2");
    assert_shows(&s, "etc/x", "0 file etc/x 1");
    assert_shows(&s, "a/etc/x", "1 file a/etc/x 2");
    assert_shows(&s, "a", "1 dir a");
    stack_free(&s);
}

static void hard_links(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "f db 1\n h status db\n h again status\n l sym db\n h hardsym sym");
    stack_layer(&s, "f db 2");
    stack_layer(&s, "h late again");
    assert_shows(&s, "status", "0 file db 1"); /* the content is the lower layer's */
    assert_shows(&s, "again", "0 file db 1");
    assert_shows(&s, "late", "0 file db 1");
    assert_shows(&s, "db", "1 file db 2");
    assert_shows(&s, "hardsym", "1 file db 2"); /* a symlink follows the tree it is in */
    stack_layer(&s, "h gone nothing-here");
    assert_shows(&s, "gone", "nothing");
    stack_free(&s);
}

static void chain(struct ck_buf *b, uint64_t links)
{
    ck_buf_format(b, "f 0 7");
    for (uint64_t i = 1; i <= links; i++)
        ck_buf_format(b, "\n l %llu %llu", (unsigned long long)i, (unsigned long long)i - 1);
    ck_put_u8(b, 0);
}

static void symlinks_at_the_limit_and_one_past(void **state)
{
    (void)state;
    for (unsigned past = 0; past < 2; past++) {
        struct stack s = { 0 };
        struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_place place = { 0 };
        chain(&b, CK_MAX_SYMLINKS + past);
        stack_layer(&s, (const char *)b.p);
        ck_err *e = ck_overlay_resolve(&s.overlay, 1, past ? CK_V("41") : CK_V("40"), &place);
        if (past)
            assert_fails(e, CK_ERR_LIMIT, "limit SYMLINKS");
        else
            assert_ok(e);
        assert_int_equal(place.found, !past);
        stack_free(&s);
    }
}

static void loops_of_links(void **state)
{
    (void)state;
    struct stack s = { 0 };
    struct ck_place place = { 0 };
    stack_layer(&s, "l a b\n l b a\n l self self/self\n l d/up ..\n h x y");
    stack_layer(&s, "h y x");
    assert_fails(ck_overlay_resolve(&s.overlay, 2, CK_V("a"), &place), CK_ERR_LIMIT, "SYMLINKS");
    assert_fails(ck_overlay_resolve(&s.overlay, 2, CK_V("self"), &place), CK_ERR_LIMIT, "SYMLINKS");
    assert_shows(&s, "d/up/d/up/d", "0 dir d");
    assert_shows(&s, "y", "nothing"); /* x is a link to a y that its layer does not have */
    stack_free(&s);
}

static void links_that_lead_to_long_paths(void **state)
{
    (void)state;
    struct stack s = { 0 };
    struct ck_place place = { 0 };
    ck_autofree char *far = ck_calloc(CK_MAX_PATH + 1, 1);
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    memset(far, 'x', CK_MAX_PATH - 2);
    ck_buf_format(&b, "d d\n l l %s", far);
    ck_put_u8(&b, 0);
    stack_layer(&s, (const char *)b.p);
    assert_shows(&s, "l/y", "nothing"); /* exactly PATH */
    assert_fails(ck_overlay_resolve(&s.overlay, 1, CK_V("l/yy"), &place), CK_ERR_LIMIT,
                 "limit PATH:");
    memset(far, 'x', CK_MAX_PATH);
    assert_shows(&s, far, "nothing");
    ck_autofree char *further = ck_format("d/%.*s", (int)CK_MAX_PATH - 2, far);
    assert_shows(&s, further, "nothing");
    ck_autofree char *past = ck_format("%sx", further);
    assert_fails(ck_overlay_resolve(&s.overlay, 1, ck_view_str(past), &place), CK_ERR_LIMIT,
                 "limit PATH:");
    stack_free(&s);
}

static void depth_at_the_limit_and_one_past(void **state)
{
    (void)state;
    struct stack s = { 0 };
    struct ck_place place = { 0 };
    struct ck_buf ck_autobuf path = ck_buf_new(CK_LIMIT_NONE);
    for (uint64_t i = 0; i < CK_MAX_PATH_DEPTH; i++)
        ck_buf_format(&path, "%sd", i ? "/" : "");
    struct ck_buf ck_autobuf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "d %.*s\n d %.*s/e", CK_VF(ck_buf_view(&path)), CK_VF(ck_buf_view(&path)));
    ck_put_u8(&b, 0);
    stack_layer(&s, (const char *)b.p);
    assert_ok(ck_overlay_lookup(&s.overlay, 1, ck_buf_view(&path), &place));
    assert_true(place.found);
    ck_put_bytes(&path, CK_V("/e"));
    assert_fails(ck_overlay_lookup(&s.overlay, 1, ck_buf_view(&path), &place), CK_ERR_LIMIT,
                 "PATH_DEPTH");
    stack_free(&s);
}

static ck_err *stop(void *ctx, const struct ck_place *place)
{
    (void)place;
    ++*(int *)ctx;
    return ck_err_new(CK_ERR_OURS, "enough");
}

static void a_listing_stops_at_an_error(void **state)
{
    (void)state;
    struct stack s = { 0 };
    int calls = 0;
    stack_layer(&s, "f a 1\n f b 1");
    assert_fails(ck_overlay_list(&s.overlay, 1, CK_V(""), stop, &calls), CK_ERR_OURS, "enough");
    assert_int_equal(calls, 1);
    stack_free(&s);
}

static void listings_are_sorted_by_name(void **state)
{
    (void)state;
    struct stack s = { 0 };
    stack_layer(&s, "f a/x/1 1\n f a/x-y 1\n f a/x! 1\n f a/x 1\n");
    stack_layer(&s, "f a/x/2 1\n f a/b/c/d 1\n f a/x\x01 1\n w a/x-y");
    assert_lists(&s, "a", "a/b a/x a/x\x01 a/x! ");
    assert_lists(&s, "a/x", "a/x/2 ");
    stack_free(&s);
}

/* --- against a model --- */

/* The merged tree, built the naive way: a list of nodes, gone through from front to back. */
struct model_node {
    char path[64], link[64];
    enum ck_node_type type;
    size_t layer;
    uint64_t size;
};

struct model {
    CK_VEC(struct model_node) nodes;
};

static bool model_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    return n ? strncmp(path, dir, n) == 0 && path[n] == '/' : path[0] != 0;
}

static struct model_node *model_get(const struct model *m, const char *path)
{
    for (size_t i = 0; i < m->nodes.n; i++)
        if (strcmp(m->nodes.v[i].path, path) == 0)
            return &m->nodes.v[i];
    return NULL;
}

static void model_remove(struct model *m, const char *path, bool itself)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->nodes.n; i++) {
        const struct model_node *n = &m->nodes.v[i];
        if (model_below(n->path, path) || (itself && strcmp(n->path, path) == 0))
            continue;
        m->nodes.v[kept++] = *n;
    }
    m->nodes.n = kept;
}

static void model_put(struct model *m, size_t layer, const char *path, enum ck_node_type type,
                      const char *link, uint64_t size)
{
    struct model_node *n = model_get(m, path);
    if (n && !(n->type == CK_NODE_DIR && type == CK_NODE_DIR)) {
        model_remove(m, path, true);
        n = NULL;
    }
    if (!n)
        n = ck_push(&m->nodes);
    *n = (struct model_node){ .type = type, .layer = layer, .size = size };
    snprintf(n->path, sizeof n->path, "%s", path);
    snprintf(n->link, sizeof n->link, "%s", link);
}

static void model_parents(struct model *m, size_t layer, const char *path)
{
    char dir[64];
    for (size_t i = 0; path[i]; i++) {
        if (path[i] != '/')
            continue;
        memcpy(dir, path, i);
        dir[i] = 0;
        const struct model_node *n = model_get(m, dir);
        if (!n || n->type != CK_NODE_DIR)
            model_put(m, layer, dir, CK_NODE_DIR, "", 0);
    }
}

static void model_apply(struct model *m, size_t layer, const struct line *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (lines[i].kind == 'w')
            model_remove(m, lines[i].path, true);
        if (lines[i].kind == 'o')
            model_remove(m, lines[i].path, false);
    }
    for (size_t i = 0; i < n; i++) {
        const struct line *l = &lines[i];
        model_parents(m, layer, l->path);
        const struct model_node *there = model_get(m, l->path);
        if (l->kind == 'o' && l->path[0] && (!there || there->type != CK_NODE_DIR))
            model_put(m, layer, l->path, CK_NODE_DIR, "", 0);
        if (l->kind != 'w' && l->kind != 'o')
            model_put(m, layer, l->path, line_type(l), l->link, l->size);
    }
}

/* Resolves with recursion on strings: NULL where nothing shows, or after too many links. */
static const struct model_node *model_resolve(const struct model *layers, size_t top,
                                              const char *path, bool last, int *budget)
{
    char here[256] = "", rest[512], part[256];
    const struct model_node *n = NULL;
    snprintf(rest, sizeof rest, "%s", path);
    for (char *p = rest; *p;) {
        size_t len = strcspn(p, "/");
        snprintf(part, sizeof part, "%.*s", (int)len, p);
        p += len + (p[len] == '/');
        if (!part[0] || strcmp(part, ".") == 0)
            continue;
        if (strcmp(part, "..") == 0) {
            char *slash = strrchr(here, '/');
            *(slash ? slash : here) = 0;
            n = here[0] ? model_get(&layers[top], here) : NULL;
            continue;
        }
        size_t dir = strlen(here);
        assert_true(dir + strlen(part) + 2 < sizeof here);
        strcat(strcat(here, dir ? "/" : ""), part);
        n = model_get(&layers[top], here);
        if (!n)
            return NULL;
        const struct model_node *inode = n;
        if (*p || last)
            while (inode && inode->type == CK_NODE_HARDLINK) {
                if (--*budget < 0)
                    return NULL;
                inode = model_resolve(layers, inode->layer, inode->link, false, budget);
            }
        if (!inode || (inode != n && inode->type == CK_NODE_DIR))
            return NULL;
        if (inode->type == CK_NODE_SYMLINK && (*p || last)) {
            if (--*budget < 0)
                return NULL;
            ck_autofree char *next = ck_format("%s/%s", inode->link, p);
            assert_true(strlen(next) < sizeof rest);
            here[inode->link[0] == '/' ? 0 : dir] = 0;
            snprintf(rest, sizeof rest, "%s", next);
            p = rest;
            n = here[0] ? model_get(&layers[top], here) : NULL;
            continue;
        }
        if (*p && inode->type != CK_NODE_DIR)
            return NULL;
        n = inode;
    }
    static const struct model_node root = { .type = CK_NODE_DIR };
    return n ? n : here[0] ? NULL : &root;
}

/* Random layers over few names, so that they meet often. */
static void random_layer(struct line *lines, size_t *n, unsigned *seed)
{
    static const char *const names[] = { "a", "b", "a-", "c" };
    static const char *const links[] = { "a", "b", "../a", "/b/a", "/", "c/../b", "a/b", ".." };
    static const char *const targets[] = { "a", "b", "a/b", "b/a", "c/a", "a-/c" };
    static const char kinds[] = "fffddwolh";
    *n = (size_t)rand_r(seed) % 9;
    for (size_t i = 0; i < *n; i++) {
        struct line *l = &lines[i];
        *l = (struct line){ .kind = kinds[(size_t)rand_r(seed) % (sizeof kinds - 1)] };
        for (int depth = rand_r(seed) % 4; depth >= 0; depth--) {
            size_t at = strlen(l->path);
            snprintf(l->path + at, sizeof l->path - at, "%s%s", at ? "/" : "",
                     names[rand_r(seed) % 4]);
        }
        if (l->kind == 'o' && rand_r(seed) % 8 == 0)
            l->path[0] = 0;
        if (l->kind == 'l')
            snprintf(l->link, sizeof l->link, "%s", links[rand_r(seed) % 8]);
        if (l->kind == 'h')
            snprintf(l->link, sizeof l->link, "%s", targets[rand_r(seed) % 6]);
        l->size = l->kind == 'f' ? (uint64_t)rand_r(seed) % 1000 : 0;
    }
}

static void say_model(struct ck_buf *b, const struct model_node *n, size_t top_dir_layer)
{
    struct ck_place place = { .found = n != NULL };
    if (n) {
        place.layer = n->path[0] ? n->layer : top_dir_layer;
        place.node.type = n->type;
        place.node.path = ck_view_str(n->path);
        place.node.size = n->size;
        place.node.link = ck_view_str(n->link);
    }
    say_place(b, &place);
}

/* Asks both for one path, with and without following the last link. */
static void compare(const struct stack *s, const struct model *models, const char *path)
{
    for (int last = 0; last < 2; last++) {
        struct ck_buf ck_autobuf got = ck_buf_new(CK_LIMIT_NONE);
        struct ck_buf ck_autobuf want = ck_buf_new(CK_LIMIT_NONE);
        struct ck_place place = { 0 };
        int budget = (int)CK_MAX_SYMLINKS;
        size_t top = s->overlay.n;
        ck_err *e = (last ? ck_overlay_resolve : ck_overlay_lookup)(&s->overlay, top,
                                                                    ck_view_str(path), &place);
        const struct model_node *n = model_resolve(models, top - 1, path, last, &budget);
        if (budget < 0) {
            assert_fails(e, CK_ERR_LIMIT, "SYMLINKS");
            continue;
        }
        assert_ok(e);
        say_place(&got, &place);
        say_model(&want, n, place.layer);
        if (!ck_view_eq(ck_buf_view(&got), ck_buf_view(&want)))
            print_error("%s: got %.*s, want %.*s\n", path, CK_VF(ck_buf_view(&got)),
                        CK_VF(ck_buf_view(&want)));
        assert_true(ck_view_eq(ck_buf_view(&got), ck_buf_view(&want)));
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The listing of a directory that stands in the model by its own name. */
static void compare_list(const struct stack *s, struct model *m, const char *dir)
{
    struct ck_buf ck_autobuf got = ck_buf_new(CK_LIMIT_NONE);
    struct ck_buf ck_autobuf want = ck_buf_new(CK_LIMIT_NONE);
    CK_VEC(char *) names = { 0 };
    for (size_t i = 0; i < m->nodes.n; i++) {
        char *path = m->nodes.v[i].path;
        if (model_below(path, dir) && !strchr(path + strlen(dir) + (dir[0] != 0), '/'))
            *ck_push(&names) = path;
    }
    if (names.n)
        qsort(names.v, names.n, sizeof *names.v, by_path);
    for (size_t i = 0; i < names.n; i++)
        ck_buf_format(&want, "%s ", names.v[i]);
    assert_ok(ck_overlay_list(&s->overlay, s->overlay.n, ck_view_str(dir), add_name, &got));
    if (!ck_view_eq(ck_buf_view(&got), ck_buf_view(&want)))
        print_error("list %s: got %.*s, want %.*s\n", dir, CK_VF(ck_buf_view(&got)),
                    CK_VF(ck_buf_view(&want)));
    assert_true(ck_view_eq(ck_buf_view(&got), ck_buf_view(&want)));
    free(names.v);
}

enum { STACK_MAX = 5 };

static void compare_stack(const struct stack *s, struct model *models, unsigned *seed)
{
    static const char *const parts[] = { "a", "b", "a-", "c", "..", "." };
    struct model *m = &models[s->overlay.n - 1];
    for (int i = 0; i < 60; i++) {
        char path[96] = "";
        for (int depth = rand_r(seed) % 5; depth >= 0; depth--) {
            size_t at = strlen(path);
            snprintf(path + at, sizeof path - at, "%s%s", at ? "/" : "", parts[rand_r(seed) % 6]);
        }
        compare(s, models, path);
    }
    compare_list(s, m, "");
    for (size_t i = 0; i < m->nodes.n; i++)
        if (m->nodes.v[i].type == CK_NODE_DIR)
            compare_list(s, m, m->nodes.v[i].path);
}

static void random_stacks_show_what_the_model_shows(void **state)
{
    (void)state;
    unsigned seed = 20260801, stacks = 0;
    while (stacks < 2000) {
        struct stack s = { 0 };
        struct model models[STACK_MAX] = { 0 };
        size_t want = 1 + (size_t)rand_r(&seed) % STACK_MAX;
        while (s.overlay.n < want) {
            struct line lines[16];
            size_t n, layer = s.overlay.n;
            random_layer(lines, &n, &seed);
            if (!stack_lines(&s, lines, n)) /* refused: entries below a link and the like */
                continue;
            for (size_t i = 0; layer && i < models[layer - 1].nodes.n; i++)
                *ck_push(&models[layer].nodes) = models[layer - 1].nodes.v[i];
            model_apply(&models[layer], layer, lines, n);
        }
        compare_stack(&s, models, &seed);
        for (size_t i = 0; i < STACK_MAX; i++)
            free(models[i].nodes.v);
        stack_free(&s);
        stacks++;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_top_layer_shows),
        cmocka_unit_test(whiteouts_hide_lower_layers_only),
        cmocka_unit_test(opaque_directories),
        cmocka_unit_test(a_file_becomes_a_directory_and_back),
        cmocka_unit_test(symlinks_stay_inside_the_tree),
        cmocka_unit_test(symlink_in_one_layer_written_through_in_the_next),
        cmocka_unit_test(hard_links),
        cmocka_unit_test(symlinks_at_the_limit_and_one_past),
        cmocka_unit_test(loops_of_links),
        cmocka_unit_test(links_that_lead_to_long_paths),
        cmocka_unit_test(depth_at_the_limit_and_one_past),
        cmocka_unit_test(a_listing_stops_at_an_error),
        cmocka_unit_test(listings_are_sorted_by_name),
        cmocka_unit_test(random_stacks_show_what_the_model_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
