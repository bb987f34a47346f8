/* Compose files (compose-spec, services.*.image) and Kubernetes manifests (PodSpec of the API, v1).
 */
#include "lock/lock_int.h"
#include "lock/yaml_tree.h"

#include <stdlib.h>

struct walk {
    ck_view content;
    struct ck_lock_list *l;
    unsigned query; /* number of the present look-up or walk */
    uint64_t steps;
};

static bool is(const struct ck_yaml_node *n, const char *text)
{
    return n->kind == CK_YAML_SCALAR && ck_view_eq(n->value, ck_view_str(text));
}

/* null, ~ or nothing at all (YAML 1.2, 10.3.2) */
static bool is_null(const struct ck_yaml_node *n)
{
    return !n || (n->kind == CK_YAML_SCALAR && n->plain && !n->tagged &&
                  (n->value.n == 0 || is(n, "null") || is(n, "Null") || is(n, "NULL") ||
                   is(n, "~")));
}

static ck_err *step(struct walk *w, const struct ck_yaml_node *n)
{
    if (w->steps++ == CK_MAX_YAML_STEPS)
        return ck_err_limit(CK_LIMIT_YAML_STEPS, "line %u: one more", n->line);
    return NULL;
}

/* --- looking up ------------------------------------------------------------------------------- */

/* The key's value in the mapping itself, and its merge key's. */
static ck_err *own_member(struct walk *w, const struct ck_yaml_node *map, const char *key,
                          struct ck_yaml_node **ret, struct ck_yaml_node **ret_merged)
{
    struct ck_yaml_node *found = NULL;
    for (const struct ck_yaml_edge *k = map->first; k && k->next; k = k->next->next) {
        CK_TRY(step(w, k->node));
        if (is(k->node, key)) {
            if (found)
                return ck_err_new(CK_ERR_HOSTILE, "line %u: the key %s stands twice",
                                  k->node->line, key);
            found = k->next->node;
        }
        if (k->node->plain && is(k->node, "<<"))
            *ret_merged = k->next->node;
    }
    *ret = found;
    return NULL;
}

static ck_err *merged_member(struct walk *w, struct ck_yaml_node *map, const char *key,
                             struct ck_yaml_node **ret);

/* What a merge key brings: a mapping, or the first of several that has the key. */
static ck_err *look_into(struct walk *w, struct ck_yaml_node *merged, const char *key,
                         struct ck_yaml_node **ret)
{
    if (merged->kind == CK_YAML_MAPPING)
        return merged_member(w, merged, key, ret);
    if (merged->kind != CK_YAML_SEQUENCE)
        return NULL;
    for (const struct ck_yaml_edge *i = merged->first; i && !*ret; i = i->next) {
        CK_TRY(step(w, i->node));
        if (i->node->kind == CK_YAML_MAPPING)
            CK_TRY(merged_member(w, i->node, key, ret));
    }
    return NULL;
}

/* Each mapping is looked at once in a query: cycles end, and merges of merges do not multiply. The
 * depth of the recursion is at most that of the anchors, YAML_ANCHORS. */
static ck_err *merged_member(struct walk *w, struct ck_yaml_node *map, const char *key,
                             struct ck_yaml_node **ret)
{
    struct ck_yaml_node *merged = NULL;
    if (map->seen == w->query)
        return NULL;
    map->seen = w->query;
    CK_TRY(own_member(w, map, key, ret, &merged));
    return *ret || !merged ? NULL : look_into(w, merged, key, ret);
}

/* NULL where `n` is no mapping or has no such key. */
static ck_err *member(struct walk *w, struct ck_yaml_node *n, const char *key,
                      struct ck_yaml_node **ret)
{
    struct ck_yaml_node *found = NULL;
    w->query++;
    if (n && n->kind == CK_YAML_MAPPING)
        CK_TRY(merged_member(w, n, key, &found));
    *ret = found;
    return NULL;
}

/* --- references ------------------------------------------------------------------------------- */

static const char *why_not(const struct ck_yaml_node *n)
{
    if (n->kind != CK_YAML_SCALAR)
        return "is no text";
    if (n->tagged)
        return "has a tag of YAML";
    if (n->block)
        return "is a block scalar";
    if (ck_view_find(n->value, '$') < n->value.n || ck_view_find(n->value, '{') < n->value.n)
        return "holds a variable";
    return n->end - n->begin != n->value.n ? "is escaped or folded" : NULL;
}

/* `why` NULL: it may be pinned, unless something about the node speaks against it. */
static ck_err *take_image(struct walk *w, struct ck_yaml_node *n, const char *why)
{
    if (!n || is_null(n))
        return NULL;
    if (n->reference) { /* by an alias: the strictest use of the place counts */
        struct ck_lock_reference *r = &w->l->v[n->reference - 1];
        if (why && !r->skipped) {
            ck_lock_skip(r, why);
            r->named = false;
        }
        return NULL;
    }
    const char *not = why_not(n);
    CK_TRY(ck_lock_add(w->l, w->content, n->begin, n->end, n->line, why ? why : not));
    n->reference = w->l->n;
    if (not && n->kind == CK_YAML_SCALAR && n->end == n->begin)
        w->l->v[w->l->n - 1].text = ck_arena_dup(w->l->a, ck_view_head(n->value, 255));
    return NULL;
}

/* --- Compose ---------------------------------------------------------------------------------- */

static ck_err *service(struct walk *w, struct ck_yaml_node *n)
{
    struct ck_yaml_node *image, *build;
    CK_TRY(member(w, n, "image", &image));
    CK_TRY(member(w, n, "build", &build));
    return take_image(w, image, is_null(build) ? NULL : "is what the service's build makes");
}

static ck_err *compose(struct walk *w, struct ck_yaml_node *root)
{
    struct ck_yaml_node *services;
    if (is_null(root))
        return NULL;
    CK_TRY(member(w, root, "services", &services));
    if (root->kind != CK_YAML_MAPPING)
        return ck_err_new(CK_ERR_HOSTILE, "line %u: it is no mapping with services", root->line);
    if (is_null(services))
        return NULL;
    if (services->kind != CK_YAML_MAPPING)
        return ck_err_new(CK_ERR_HOSTILE, "line %u: services is no mapping", services->line);
    for (struct ck_yaml_edge *k = services->first; k && k->next; k = k->next->next)
        if (!(k->node->plain && is(k->node, "<<")))
            CK_TRY(service(w, k->next->node));
    return NULL;
}

/* --- Kubernetes ------------------------------------------------------------------------------- */

/* Where the PodSpec of a kind lies. */
static const struct kind {
    const char *group; /* of apiVersion, with every version; "" is the core's */
    const char *name;
    const char *path[6];
} kinds[] = {
    { "", "Pod", { "spec" } },
    { "", "ReplicationController", { "spec", "template", "spec" } },
    { "", "PodTemplate", { "template", "spec" } },
    { "apps", "Deployment", { "spec", "template", "spec" } },
    { "apps", "StatefulSet", { "spec", "template", "spec" } },
    { "apps", "DaemonSet", { "spec", "template", "spec" } },
    { "apps", "ReplicaSet", { "spec", "template", "spec" } },
    { "extensions", "Deployment", { "spec", "template", "spec" } },
    { "extensions", "DaemonSet", { "spec", "template", "spec" } },
    { "extensions", "ReplicaSet", { "spec", "template", "spec" } },
    { "batch", "Job", { "spec", "template", "spec" } },
    { "batch", "CronJob", { "spec", "jobTemplate", "spec", "template", "spec" } },
};

static ck_view scalar_value(const struct ck_yaml_node *n)
{
    return n && n->kind == CK_YAML_SCALAR ? n->value : CK_V("");
}

/* "apps/v1": "apps"; "v1": "" */
static ck_view group_of(ck_view api_version)
{
    size_t slash = ck_view_find(api_version, '/');
    return slash < api_version.n ? ck_view_head(api_version, slash) : CK_V("");
}

static ck_err *containers(struct walk *w, struct ck_yaml_node *spec, const char *key)
{
    struct ck_yaml_node *list, *image;
    CK_TRY(member(w, spec, key, &list));
    if (!list || list->kind != CK_YAML_SEQUENCE)
        return NULL;
    for (struct ck_yaml_edge *i = list->first; i; i = i->next) {
        CK_TRY(step(w, i->node));
        CK_TRY(member(w, i->node, "image", &image));
        CK_TRY(take_image(w, image, NULL));
    }
    return NULL;
}

static ck_err *image_volumes(struct walk *w, struct ck_yaml_node *spec)
{
    struct ck_yaml_node *list, *image, *reference;
    CK_TRY(member(w, spec, "volumes", &list));
    if (!list || list->kind != CK_YAML_SEQUENCE)
        return NULL;
    for (struct ck_yaml_edge *i = list->first; i; i = i->next) {
        CK_TRY(step(w, i->node));
        CK_TRY(member(w, i->node, "image", &image));
        CK_TRY(member(w, image, "reference", &reference));
        CK_TRY(take_image(w, reference, NULL));
    }
    return NULL;
}

static ck_err *pod_spec(struct walk *w, struct ck_yaml_node *spec)
{
    static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        CK_TRY(containers(w, spec, lists[i]));
    return image_volumes(w, spec);
}

/* Every "image:" with a text below a node whose meaning is not known. Recursion as deep as the
 * tree and its anchors. */
static ck_err *unknown(struct walk *w, struct ck_yaml_node *n, const char *why)
{
    if (n->seen == w->query || n->kind == CK_YAML_SCALAR)
        return NULL;
    n->seen = w->query;
    bool mapping = n->kind == CK_YAML_MAPPING;
    for (struct ck_yaml_edge *i = n->first; i; i = i->next) {
        CK_TRY(step(w, i->node));
        if (mapping && is(i->node, "image") && i->next &&
            i->next->node->kind == CK_YAML_SCALAR && i->next->node->value.n)
            CK_TRY(take_image(w, i->next->node, why));
        CK_TRY(unknown(w, i->node, why));
    }
    return NULL;
}

static ck_err *take_unknown(struct walk *w, struct ck_yaml_node *n, ck_view kind, ck_view version)
{
    const char *why = kind.n ? ck_arena_format(w->l->a, "is in the kind %.*s of %.*s, which is not "
                                               "known here", CK_VF(ck_view_head(kind, 80)),
                                               CK_VF(ck_view_head(version, 80)))
                             : "is in a document without a kind";
    w->query++;
    return unknown(w, n, why);
}

static ck_err *object(struct walk *w, struct ck_yaml_node *n);

static ck_err *items(struct walk *w, struct ck_yaml_node *n)
{
    struct ck_yaml_node *list;
    CK_TRY(member(w, n, "items", &list));
    if (!list || list->kind != CK_YAML_SEQUENCE)
        return NULL;
    for (struct ck_yaml_edge *i = list->first; i; i = i->next) {
        CK_TRY(step(w, i->node));
        CK_TRY(object(w, i->node));
    }
    return NULL;
}

static bool is_list(ck_view kind, ck_view version)
{
    if (ck_view_eq(kind, CK_V("List")))
        return ck_view_eq(version, CK_V("v1"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        ck_view name = ck_view_str(kinds[i].name);
        if (ck_view_starts(kind, name) && ck_view_eq(ck_view_from(kind, name.n), CK_V("List")))
            return ck_view_eq(group_of(version), ck_view_str(kinds[i].group));
    }
    return false;
}

static ck_err *known(struct walk *w, struct ck_yaml_node *n, const struct kind *k)
{
    for (const char *const *p = k->path; *p && n; p++)
        CK_TRY(member(w, n, *p, &n));
    return pod_spec(w, n);
}

/* An object is looked at once, so that a list that holds itself ends. */
static ck_err *object(struct walk *w, struct ck_yaml_node *n)
{
    struct ck_yaml_node *kind_node, *version_node;
    if (n->kind != CK_YAML_MAPPING || n->done)
        return NULL;
    n->done = true;
    CK_TRY(member(w, n, "kind", &kind_node));
    CK_TRY(member(w, n, "apiVersion", &version_node));
    ck_view kind = scalar_value(kind_node), version = scalar_value(version_node);
    if (is_list(kind, version))
        return items(w, n);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (ck_view_eq(kind, ck_view_str(kinds[i].name)) &&
            ck_view_eq(group_of(version), ck_view_str(kinds[i].group)))
            return known(w, n, &kinds[i]);
    return take_unknown(w, n, kind, version);
}

/* --- the file --------------------------------------------------------------------------------- */

static ck_err *documents(struct walk *w, struct ck_yaml_stream *s,
                         ck_err *(*take)(struct walk *, struct ck_yaml_node *))
{
    struct ck_yaml_node *root;
    for (;;) {
        CK_TRY(ck_yaml_next(s, &root));
        if (!root)
            return NULL;
        CK_TRY(take(w, root));
    }
}

ck_err *ck_lock_yaml(enum ck_lock_file_kind kind, ck_view content, struct ck_lock_list *l)
{
    ck_autoarena struct ck_arena tree = { 0 };
    struct walk w = { .content = content, .l = l };
    struct ck_yaml_stream *s = ck_yaml_open(content, &tree);
    ck_err *e = documents(&w, s, kind == CK_LOCK_COMPOSE ? compose : object);
    ck_yaml_close(s);
    return e;
}

static ck_err *find_kind(struct walk *w, struct ck_yaml_stream *s, enum ck_lock_file_kind *ret,
                         bool *ret_found)
{
    struct ck_yaml_node *root, *kind, *version, *services;
    for (*ret_found = false; !*ret_found;) {
        CK_TRY(ck_yaml_next(s, &root));
        if (!root)
            return NULL;
        CK_TRY(member(w, root, "kind", &kind));
        CK_TRY(member(w, root, "apiVersion", &version));
        CK_TRY(member(w, root, "services", &services));
        *ret_found = (kind && version) || services;
        *ret = kind && version ? CK_LOCK_KUBERNETES : CK_LOCK_COMPOSE;
    }
    return NULL;
}

ck_err *ck_lock_yaml_kind(ck_view content, enum ck_lock_file_kind *ret, bool *ret_found)
{
    ck_autoarena struct ck_arena tree = { 0 };
    struct ck_lock_list none = { .a = &tree };
    struct walk w = { .content = content, .l = &none };
    enum ck_lock_file_kind kind = CK_LOCK_KUBERNETES;
    bool found = false;
    struct ck_yaml_stream *s = ck_yaml_open(content, &tree);
    ck_err *e = find_kind(&w, s, &kind, &found);
    ck_yaml_close(s);
    if (!e) {
        *ret = kind;
        *ret_found = found;
    }
    return e;
}
