/* The config of an image (OCI image-spec v1.1, config), and the small documents around images:
 * docker save's manifest.json and the oci-layout file.
 */
#include "image/values.h"

static const char *const config_keys[] = {
    "created", "author", "architecture", "os", "os.version", "os.features", "variant",
    "config", "rootfs", "history", NULL,
};
static const char *const execution_keys[] = {
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels",
    "StopSignal", "ArgsEscaped", "Healthcheck", "OnBuild", "Shell", NULL,
};
static const char *const rootfs_keys[] = { "type", "diff_ids", NULL };
static const char *const history_keys[] = {
    "created", "created_by", "author", "comment", "empty_layer", NULL,
};
static const char *const docker_keys[] = { "Config", "RepoTags", "Layers", "Parent",
                                           "LayerSources", NULL };
static const char *const layout_keys[] = { "imageLayoutVersion", NULL };

static ck_err *read_time(const struct ck_json *object, struct ck_arena *a, ck_view *ret)
{
    struct ck_json v = ck_json_member(object, "created");
    CK_TRY(ck_json_string_opt(&v, CK_LIMIT_REFERENCE, a, ret));
    return ck_json_judge(&v, ck_bad_time(*ret));
}

/* os and architecture are REQUIRED; go-containerregistry writes both, but empty, for what it builds
 * from nothing. */
static ck_err *read_own_platform(const struct ck_json *top, struct ck_arena *a,
                                 struct ck_platform *ret)
{
    struct ck_json os = ck_json_member(top, "os"), arch = ck_json_member(top, "architecture"),
                   version = ck_json_member(top, "os.version");
    if (!os.v)
        return ck_json_refuse(&os, CK_ERR_HOSTILE, "is missing (OCI image-spec, config)");
    if (!arch.v)
        return ck_json_refuse(&arch, CK_ERR_HOSTILE, "is missing (OCI image-spec, config)");
    CK_TRY(ck_json_platform_word(top, "os", a, &ret->os));
    CK_TRY(ck_json_platform_word(top, "architecture", a, &ret->architecture));
    CK_TRY(ck_json_platform_word(top, "variant", a, &ret->variant));
    return ck_json_string_opt(&version, CK_LIMIT_REFERENCE, a, &ret->os_version);
}

/* --- what a container of the image would be started with -------------------------------------- */

static ck_err *read_env(const struct ck_json *config, struct ck_arena *a, struct ck_config_doc *d)
{
    struct ck_json list = ck_json_member(config, "Env");
    CK_TRY(ck_json_array(&list, CK_LIMIT_CONFIG_VARIABLES, &d->n_env));
    d->env = ck_arena_alloc(a, d->n_env, sizeof *d->env);
    for (size_t i = 0; i < d->n_env; i++) {
        struct ck_json item = ck_json_at(&list, i);
        ck_view text;
        CK_TRY(ck_json_string(&item, CK_LIMIT_CONFIG_VARIABLE, a, &text));
        d->env[i].key = ck_view_split(text, '=', &d->env[i].value);
    }
    return NULL;
}

static ck_err *read_labels(const struct ck_json *config, struct ck_arena *a,
                           struct ck_config_doc *d)
{
    struct ck_json map = ck_json_member(config, "Labels"), *members = NULL;
    CK_TRY(ck_json_members(&map, CK_LIMIT_CONFIG_LABELS, a, &members, &d->n_labels));
    d->labels = ck_arena_alloc(a, d->n_labels, sizeof *d->labels);
    for (size_t i = 0; i < d->n_labels; i++) {
        d->labels[i].key = ck_arena_dup(a, ck_view_str(members[i].key));
        CK_TRY(ck_json_string_opt(&members[i], CK_LIMIT_CONFIG_LABEL, a, &d->labels[i].value));
    }
    return NULL;
}

/* Go writes a set as a map of empty objects. */
static ck_err *read_set(const struct ck_json *config, const char *key, struct ck_arena *a,
                        ck_view **ret, size_t *ret_n)
{
    struct ck_json map = ck_json_member(config, key), *members = NULL;
    CK_TRY(ck_json_members(&map, CK_LIMIT_CONFIG_PATHS, a, &members, ret_n));
    *ret = ck_arena_alloc(a, *ret_n, sizeof **ret);
    for (size_t i = 0; i < *ret_n; i++) {
        CK_TRY(ck_json_map(&members[i]));
        (*ret)[i] = ck_arena_dup(a, ck_view_str(members[i].key));
    }
    return NULL;
}

static ck_err *read_execution(const struct ck_json *top, struct ck_arena *a,
                              struct ck_config_doc *d)
{
    struct ck_json j = ck_json_member(top, "config"), user = ck_json_member(&j, "User");
    if (!j.v)
        return NULL;
    CK_TRY(ck_json_object(&j, execution_keys));
    CK_TRY(ck_json_string_opt(&user, CK_LIMIT_REFERENCE, a, &d->user));
    CK_TRY(ck_json_judge(&user, ck_bad_user(d->user)));
    CK_TRY(read_env(&j, a, d));
    CK_TRY(read_labels(&j, a, d));
    CK_TRY(read_set(&j, "Volumes", a, &d->volumes, &d->n_volumes));
    return read_set(&j, "ExposedPorts", a, &d->ports, &d->n_ports);
}

/* --- layers and history ----------------------------------------------------------------------- */

static ck_err *read_diff_ids(const struct ck_json *top, struct ck_arena *a, struct ck_config_doc *d)
{
    ck_view type;
    struct ck_json rootfs = ck_json_member(top, "rootfs"), kind = ck_json_member(&rootfs, "type"),
                   list = ck_json_member(&rootfs, "diff_ids");
    CK_TRY(ck_json_object(&rootfs, rootfs_keys));
    CK_TRY(ck_json_string(&kind, CK_LIMIT_REFERENCE, a, &type));
    if (!ck_view_eq(type, CK_V("layers")))
        return ck_json_refuse(&kind, CK_ERR_HOSTILE, "must be \"layers\" (OCI image-spec, config)");
    CK_TRY(ck_json_array(&list, CK_LIMIT_LAYERS, &d->n_diff_ids));
    d->diff_ids = ck_arena_alloc(a, d->n_diff_ids, sizeof *d->diff_ids);
    for (size_t i = 0; i < d->n_diff_ids; i++) {
        struct ck_json item = ck_json_at(&list, i);
        CK_TRY(ck_json_digest(&item, a, &d->diff_ids[i]));
    }
    return NULL;
}

static ck_err *read_history_line(const struct ck_json *j, struct ck_arena *a, struct ck_history *h)
{
    struct ck_json by = ck_json_member(j, "created_by"), comment = ck_json_member(j, "comment"),
                   empty = ck_json_member(j, "empty_layer");
    CK_TRY(ck_json_object(j, history_keys));
    CK_TRY(read_time(j, a, &h->created));
    CK_TRY(ck_json_string_opt(&by, CK_LIMIT_STRING, a, &h->created_by));
    CK_TRY(ck_json_string_opt(&comment, CK_LIMIT_STRING, a, &h->comment));
    return ck_json_bool_opt(&empty, &h->empty_layer);
}

static ck_err *read_history(const struct ck_json *top, struct ck_arena *a, struct ck_config_doc *d)
{
    struct ck_json list = ck_json_member(top, "history");
    CK_TRY(ck_json_array(&list, CK_LIMIT_HISTORY, &d->n_history));
    d->history = ck_arena_alloc(a, d->n_history, sizeof *d->history);
    for (size_t i = 0; i < d->n_history; i++) {
        struct ck_json item = ck_json_at(&list, i);
        CK_TRY(read_history_line(&item, a, &d->history[i]));
    }
    if (d->n_history && !ck_history_fits(d)) {
        d->history = NULL;
        d->n_history = 0;
        d->history_ignored = true;
    }
    return NULL;
}

ck_err *ck_image_config(ck_view json, struct ck_arena *a, struct ck_config_doc *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_config_doc d = { 0 };
    CK_TRY(ck_json_load(json, "config", &top));
    CK_TRY(ck_json_object(&top, config_keys));
    CK_TRY(read_own_platform(&top, a, &d.platform));
    CK_TRY(read_time(&top, a, &d.created));
    CK_TRY(read_execution(&top, a, &d));
    CK_TRY(read_diff_ids(&top, a, &d));
    CK_TRY(read_history(&top, a, &d));
    *ret = d;
    return NULL;
}

static ck_err *read_archive_path(const struct ck_json *j, struct ck_arena *a, ck_view *ret)
{
    CK_TRY(ck_json_string(j, CK_LIMIT_PATH, a, ret));
    return ck_json_judge(j, ck_bad_archive_path(*ret));
}

static ck_err *read_docker_image(const struct ck_json *j, struct ck_arena *a,
                                 struct ck_docker_image *d)
{
    struct ck_json config = ck_json_member(j, "Config"), tags = ck_json_member(j, "RepoTags"),
                   layers = ck_json_member(j, "Layers");
    CK_TRY(ck_json_object(j, docker_keys));
    CK_TRY(read_archive_path(&config, a, &d->config));
    CK_TRY(ck_json_array(&tags, CK_LIMIT_TAGS, &d->n_tags));
    CK_TRY(ck_json_array(&layers, CK_LIMIT_LAYERS, &d->n_layers));
    d->tags = ck_arena_alloc(a, d->n_tags, sizeof *d->tags);
    d->layers = ck_arena_alloc(a, d->n_layers, sizeof *d->layers);
    for (size_t i = 0; i < d->n_tags; i++) {
        struct ck_json item = ck_json_at(&tags, i);
        CK_TRY(ck_json_string(&item, CK_LIMIT_REFERENCE, a, &d->tags[i]));
    }
    for (size_t i = 0; i < d->n_layers; i++) {
        struct ck_json item = ck_json_at(&layers, i);
        CK_TRY(read_archive_path(&item, a, &d->layers[i]));
    }
    return NULL;
}

ck_err *ck_image_docker_manifest(ck_view json, struct ck_arena *a, struct ck_docker_doc *ret)
{
    ck_autojson struct ck_json top = { 0 };
    struct ck_docker_doc d = { 0 };
    CK_TRY(ck_json_load(json, "manifest.json", &top));
    CK_TRY(ck_json_array(&top, CK_LIMIT_MANIFESTS, &d.n));
    d.images = ck_arena_alloc(a, d.n, sizeof *d.images);
    for (size_t i = 0; i < d.n; i++) {
        struct ck_json item = ck_json_at(&top, i);
        CK_TRY(read_docker_image(&item, a, &d.images[i]));
    }
    CK_TRY(ck_docker_tags_differ(&d));
    *ret = d;
    return NULL;
}

ck_err *ck_image_layout(ck_view json)
{
    ck_autojson struct ck_json top = { 0 };
    ck_autoarena struct ck_arena scratch = { 0 };
    ck_view version;
    CK_TRY(ck_json_load(json, "oci-layout", &top));
    CK_TRY(ck_json_object(&top, layout_keys));
    struct ck_json v = ck_json_member(&top, "imageLayoutVersion");
    CK_TRY(ck_json_string(&v, CK_LIMIT_REFERENCE, &scratch, &version));
    if (!ck_view_eq(version, CK_V("1.0.0")))
        return ck_json_refuse(&v, CK_ERR_HOSTILE,
                              "must be \"1.0.0\" (OCI image-spec, image-layout)");
    return NULL;
}
