#include "serve/pods.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>

enum { STEPS = 6 };

/* Where the kinds of Kubernetes keep their pod specification. */
static const struct {
    const char *group, *kind;
    const char *path[STEPS];
} kinds[] = {
    { "", "Pod", { "spec" } },
    { "", "PodTemplate", { "template", "spec" } },
    { "", "ReplicationController", { "spec", "template", "spec" } },
    { "apps", "Deployment", { "spec", "template", "spec" } },
    { "apps", "DaemonSet", { "spec", "template", "spec" } },
    { "apps", "StatefulSet", { "spec", "template", "spec" } },
    { "apps", "ReplicaSet", { "spec", "template", "spec" } },
    { "batch", "Job", { "spec", "template", "spec" } },
    { "batch", "CronJob", { "spec", "jobTemplate", "spec", "template", "spec" } },
};

/* What of a pod specification names images. */
static const struct {
    const char *list;
    const char *between; /* NULL: the name is a member of the entry itself */
    const char *name;
    bool container;
} places[] = {
    { "containers", NULL, "image", true },
    { "initContainers", NULL, "image", true },
    { "ephemeralContainers", NULL, "image", true },
    { "volumes", "image", "reference", false },
};

/* Their spelling is checked, so that no second reading of them is there. */
static const char *const spec_keys[] = { "containers", "initContainers", "ephemeralContainers",
                                         "volumes", NULL };
static const char *const entry_keys[] = { "image", NULL };
static const char *const volume_keys[] = { "reference", NULL };

struct walk {
    struct ck_arena *a;
    struct ck_buf path; /* of the value at hand */
    CK_VEC(struct ck_pod_image) found;
    size_t nameless;
};

static size_t go_key(struct walk *w, const char *key)
{
    size_t back = w->path.n;
    ck_put_u8(&w->path, '/');
    for (const char *p = key; *p; p++) {
        if (*p == '~' || *p == '/')
            ck_put_bytes(&w->path, *p == '~' ? CK_V("~0") : CK_V("~1"));
        else
            ck_put_u8(&w->path, (uint8_t)*p);
    }
    return back;
}

static size_t go_index(struct walk *w, size_t i)
{
    size_t back = w->path.n;
    ck_buf_format(&w->path, "/%zu", i);
    return back;
}

static ck_err *take_name(struct walk *w, const struct ck_json *holder, const char *key,
                         bool container)
{
    struct ck_json name = ck_json_member(holder, key);
    ck_view text;
    CK_TRY(ck_json_string_opt(&name, CK_LIMIT_ADMISSION_IMAGE, w->a, &text));
    if (!text.n) {
        w->nameless += container;
        return NULL;
    }
    size_t back = go_key(w, key);
    *ck_push(&w->found) = (struct ck_pod_image){ .image = text,
                                                 .pointer = ck_arena_dup(w->a,
                                                                         ck_buf_view(&w->path)) };
    w->path.n = back;
    return NULL;
}

static ck_err *take_entry(struct walk *w, const struct ck_json *entry, size_t place)
{
    CK_TRY(ck_json_object(entry, entry_keys));
    if (!places[place].between)
        return take_name(w, entry, places[place].name, places[place].container);
    struct ck_json holder = ck_json_member(entry, places[place].between);
    if (!holder.v)
        return NULL;
    CK_TRY(ck_json_object(&holder, volume_keys));
    size_t back = go_key(w, places[place].between);
    CK_TRY(take_name(w, &holder, places[place].name, places[place].container));
    w->path.n = back;
    return NULL;
}

static ck_err *take_list(struct walk *w, const struct ck_json *spec, size_t place)
{
    struct ck_json list = ck_json_member(spec, places[place].list);
    size_t n = 0;
    CK_TRY(ck_json_array(&list, CK_LIMIT_ADMISSION_ENTRIES, &n));
    size_t back = go_key(w, places[place].list);
    for (size_t i = 0; i < n; i++) {
        struct ck_json entry = ck_json_at(&list, i);
        size_t here = go_index(w, i);
        CK_TRY(take_entry(w, &entry, place));
        w->path.n = here;
    }
    w->path.n = back;
    return NULL;
}

static ck_err *take_spec(struct walk *w, const struct ck_json *spec)
{
    CK_TRY(ck_json_object(spec, spec_keys));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        CK_TRY(take_list(w, spec, i));
    return NULL;
}

static ck_err *take_known(struct walk *w, const struct ck_json *at, const char *const *path)
{
    const char *const one[] = { *path, NULL };
    if (!*path)
        return take_spec(w, at);
    CK_TRY(ck_json_object(at, one));
    struct ck_json next = ck_json_member(at, *path);
    go_key(w, *path);
    return take_known(w, &next, path + 1);
}

/* --- other kinds ------------------------------------------------------------------------------ */

/* Whether the list holds an entry with the name of an image: nothing else is called containers. */
static bool lists_images(const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        if (json_is_string(json_object_get(entry, "image")))
            return true;
    }
    return false;
}

static bool is_spec(const json_t *object)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (places[i].container && lists_images(json_object_get(object, places[i].list)))
            return true;
    }
    return false;
}

static ck_err *search(struct walk *w, const struct ck_json *at);

static ck_err *search_object(struct walk *w, const struct ck_json *at)
{
    const char *key;
    json_t *value;
    if (is_spec(at->v))
        return take_spec(w, at);
    json_object_foreach(at->v, key, value) {
        struct ck_json next = { value, at, key, 0 };
        size_t back = go_key(w, key);
        CK_TRY(search(w, &next));
        w->path.n = back;
    }
    return NULL;
}

/* As deep as JSON_DEPTH lets the document be. */
static ck_err *search(struct walk *w, const struct ck_json *at) /* NOLINT(misc-no-recursion) */
{
    if (json_is_object(at->v))
        return search_object(w, at);
    size_t n = json_array_size(at->v);
    for (size_t i = 0; i < n; i++) {
        struct ck_json next = ck_json_at(at, i);
        size_t back = go_index(w, i);
        CK_TRY(search(w, &next));
        w->path.n = back;
    }
    return NULL;
}

static ck_err *walk_object(struct walk *w, const struct ck_json *object, ck_view group,
                           ck_view kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (ck_view_eq(group, ck_view_str(kinds[i].group)) &&
            ck_view_eq(kind, ck_view_str(kinds[i].kind)))
            return take_known(w, object, kinds[i].path);
    }
    return search(w, object);
}

ck_err *ck_pod_images_of(const struct ck_json *object, ck_view group, ck_view kind,
                         struct ck_arena *a, struct ck_pod_images *ret)
{
    struct walk w = { .a = a, .path = ck_buf_new(CK_LIMIT_NONE) };
    ck_err *e = walk_object(&w, object, group, kind);
    if (!e) {
        struct ck_pod_image *v = ck_arena_alloc(a, w.found.n + 1, sizeof *v);
        if (w.found.n)
            memcpy(v, w.found.v, w.found.n * sizeof *v);
        *ret = (struct ck_pod_images){ v, w.found.n, w.nameless };
    }
    free(w.found.v);
    ck_buf_free(&w.path);
    return e;
}
