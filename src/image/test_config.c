#include "base/unit.h"
#include "base/mem.h"
#include "image/image.h"

#define ID1 "\"sha256:12f0fc65b01f2b025457f0517f9a5f1cddc9bd617e3f26f17f006ee54205eb8a\""
#define ID2 "\"sha256:48fa6767a82f90675aa6efada7f224f5c364d2cfbaf2febbcb8d943910c7693b\""
#define HEAD "{\"os\":\"linux\",\"architecture\":\"amd64\""
#define ROOTFS(ids) ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[" ids "]}"

static ck_err *config(const char *json)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_config_doc d;
    return ck_image_config(ck_view_str(json), &a, &d);
}

static ck_err *docker(const char *json)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_docker_doc d;
    return ck_image_docker_manifest(ck_view_str(json), &a, &d);
}

static void a_config_is_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_config_doc d;
    assert_ok(ck_image_config(
        CK_V(HEAD ",\"variant\":\"v2\",\"os.version\":\"1\","
             "\"created\":\"2022-05-25T16:00:58.08Z\","
             "\"config\":{\"User\":\"1000:app\",\"Labels\":{\"a\":\"1\",\"A\":\"2\"}}"
             ROOTFS(ID1 "," ID2) ",\"history\":[{\"created_by\":\"FROM\",\"created\":"
             "\"2021-01-01T00:00:00Z\"},{\"created_by\":\"ENV\",\"empty_layer\":true},"
             "{\"created_by\":\"COPY\",\"comment\":\"buildkit\"}]}"), &a, &d));
    assert_view(d.platform.os, "linux");
    assert_view(d.platform.architecture, "amd64");
    assert_view(d.platform.variant, "v2");
    assert_view(d.platform.os_version, "1");
    assert_view(d.created, "2022-05-25T16:00:58.08Z");
    assert_int_equal(d.n_diff_ids, 2);
    assert_int_equal(d.diff_ids[1].bytes[0], 0x48);
    assert_int_equal(d.n_history, 3);
    assert_false(d.history_ignored);
    assert_true(d.history[1].empty_layer);
    assert_view(d.history[2].created_by, "COPY");
    assert_view(d.history[2].comment, "buildkit");
    assert_view(d.history[0].created, "2021-01-01T00:00:00Z");
}

static void an_image_from_scratch_has_no_layers(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_config_doc d;
    assert_ok(ck_image_config(CK_V("{\"os\":\"\",\"architecture\":\"\",\"config\":null,\"history\":"
                                   "null,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}"),
                              &a, &d));
    assert_int_equal(d.n_diff_ids, 0);
    assert_int_equal(d.n_history, 0);
    assert_false(d.history_ignored);
}

static void history_that_does_not_fit_the_layers_is_left_out(void **state)
{
    (void)state;
    static const char *const cases[] = {
        HEAD ROOTFS(ID1 "," ID2) ",\"history\":[{\"created_by\":\"a\"}]}",
        HEAD ROOTFS(ID1) ",\"history\":[{},{}]}",
        HEAD ROOTFS(ID1) ",\"history\":[{\"empty_layer\":true}]}",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_config_doc d;
        assert_ok(ck_image_config(ck_view_str(cases[i]), &a, &d));
        assert_int_equal(d.n_history, 0);
        assert_true(d.history_ignored);
    }
}

static void what_the_specification_requires_is_required(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        { "{\"architecture\":\"amd64\"" ROOTFS("") "}", "config: os: is missing" },
        { "{\"os\":\"linux\"" ROOTFS("") "}", "config: architecture: is missing" },
        { HEAD "}", "config: rootfs: must be an object" },
        { HEAD ",\"rootfs\":{\"diff_ids\":[]}}", "config: rootfs.type: is missing" },
        { HEAD ",\"rootfs\":{\"type\":\"Layers\",\"diff_ids\":[]}}",
          "config: rootfs.type: must be \"layers\"" },
        { HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":{}}}",
          "config: rootfs.diff_ids: must be an array" },
        { HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[null]}}",
          "config: rootfs.diff_ids[0]: is missing" },
        { HEAD ROOTFS("\"sha256:../../x\"") "}", "config: rootfs.diff_ids[0]: digest \"sha256:.." },
        { HEAD ",\"created\":\"yesterday\"" ROOTFS("") "}", "config: created: must be a time" },
        { HEAD ROOTFS("") ",\"history\":[{\"created\":7}]}",
          "config: history[0].created: must be a string" },
        { HEAD ROOTFS("") ",\"history\":[{\"empty_layer\":\"true\"}]}",
          "config: history[0].empty_layer: must be true or false" },
        { HEAD ROOTFS("") ",\"history\":[7]}", "config: history[0]: must be an object" },
        { "{\"os\":\"Linux\",\"architecture\":\"amd64\"" ROOTFS("") "}", "config: os: must be" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(config(cases[i].json), CK_ERR_HOSTILE, cases[i].why);
}

static void attack_keys_that_readers_read_differently(void **state)
{
    (void)state;
    assert_fails(config(HEAD ROOTFS(ID1) ",\"rootfs\":{}}"), CK_ERR_HOSTILE,
                 "duplicate object key");
    assert_fails(config(HEAD ROOTFS(ID1) ",\"RootFS\":{}}"), CK_ERR_HOSTILE, "only in case");
    assert_fails(config(HEAD ROOTFS(ID1) ",\"Config\":{\"User\":\"0\"}}"), CK_ERR_HOSTILE,
                 "config: key \"config\" is written in another case");
    assert_fails(config(HEAD ",\"config\":{\"User\":\"1000\",\"user\":\"0\"}" ROOTFS("") "}"),
                 CK_ERR_HOSTILE, "config: config: key \"");
    assert_fails(config(HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[],\"diff_IDs\":[" ID1
                        "]}}"), CK_ERR_HOSTILE, "config: rootfs: key \"");
}

static void attack_user_that_overflows_or_looks_like_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *user, *why;
    } bad[] = {
        { "4294967296", "at most 2147483647" }, { "2147483648", "at most 2147483647" },
        { "99999999999999999999999", "at most 2147483647" },
        { "-1", "no sign" },   { "+0", "no sign" },       { "007", "no leading zero" },
        { "00", "no leading zero" }, { "1000:-1", "no sign" }, { "app:4294967296", "at most" },
        { "a:b:c", "USER or USER:GROUP" }, { " 0", "blank" },  { "0 ", "blank" },
        { "0\\n", "control characters" },  { "-", "a sign is no name" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_autofree char *json = ck_format(HEAD ",\"config\":{\"User\":\"%s\"}" ROOTFS("") "}",
                                           bad[i].user);
        assert_fails(config(json), CK_ERR_HOSTILE, "config: config.User: ");
        assert_fails(config(json), CK_ERR_HOSTILE, bad[i].why);
    }
    static const char *const good[] = { "", "0", "root", "1000", "2147483647", "1000:1000",
                                        "app:staff", ":0", "NT AUTHORITY\\\\SYSTEM" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_autofree char *json = ck_format(HEAD ",\"config\":{\"User\":\"%s\"}" ROOTFS("") "}",
                                           good[i]);
        assert_ok(config(json));
    }
}

#define EXECUTION(members) HEAD ",\"config\":{" members "}" ROOTFS("") "}"

static void what_a_container_starts_with_is_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_config_doc d;
    assert_ok(ck_image_config(
        CK_V(EXECUTION("\"User\":\"app\",\"Env\":[\"PATH=/bin\",\"A=b=c\",\"BARE\",\"A=\"],"
                       "\"Labels\":{\"b\":\"2\",\"a\":null,\"B\":\"1\"},"
                       "\"Volumes\":{\"/z\":{},\"/data\":null},"
                       "\"ExposedPorts\":{\"80/tcp\":{}},\"Entrypoint\":\"x\"")), &a, &d));
    assert_view(d.user, "app");
    assert_int_equal(d.n_env, 4);
    assert_view(d.env[1].key, "A");
    assert_view(d.env[1].value, "b=c");
    assert_view(d.env[2].key, "BARE");
    assert_view(d.env[2].value, "");
    assert_view(d.env[3].key, "A");
    assert_int_equal(d.n_labels, 3);
    assert_view(d.labels[0].key, "B");
    assert_view(d.labels[1].value, "");
    assert_view(d.labels[2].value, "2");
    assert_int_equal(d.n_volumes, 2);
    assert_view(d.volumes[0], "/data");
    assert_int_equal(d.n_ports, 1);
    assert_view(d.ports[0], "80/tcp");
    assert_ok(ck_image_config(CK_V(EXECUTION("\"Env\":null,\"Labels\":null,\"Volumes\":null,"
                                             "\"ExposedPorts\":null")), &a, &d));
    assert_int_equal(d.n_env + d.n_labels + d.n_volumes + d.n_ports, 0);
}

static void attack_execution_of_bad_form(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        { EXECUTION("\"Env\":{\"PATH\":\"/bin\"}"), "config: config.Env: must be an array" },
        { EXECUTION("\"Env\":[7]"), "config: config.Env[0]: must be a string" },
        { EXECUTION("\"Env\":[null]"), "config: config.Env[0]: is missing" },
        { EXECUTION("\"Env\":[\"A=\\u0000\"]"), "a NUL in a string" },
        { EXECUTION("\"Env\":[],\"env\":[\"LD_PRELOAD=/x\"]"), "only in case" },
        { EXECUTION("\"Labels\":[\"a\"]"), "config: config.Labels: must be an object" },
        { EXECUTION("\"Labels\":{\"a\":{}}"), "config: config.Labels.a: must be a string" },
        { EXECUTION("\"Labels\":{\"a\":\"1\",\"a\":\"2\"}"), "duplicate object key" },
        { EXECUTION("\"Volumes\":[\"/x\"]"), "config: config.Volumes: must be an object" },
        { EXECUTION("\"ExposedPorts\":{\"80\":1}"),
          "config: config.ExposedPorts.80: must be an object" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(config(cases[i].json), CK_ERR_HOSTILE, cases[i].why);
}

static void attack_other_number_of_diff_ids_than_layers(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_config_doc d;
    assert_ok(ck_image_config(CK_V(HEAD ROOTFS(ID1) "}"), &a, &d));
    assert_ok(ck_image_layers_fit(&d, 1));
    assert_fails(ck_image_layers_fit(&d, 2), CK_ERR_HOSTILE,
                 "config: rootfs.diff_ids: has 1 entries, the manifest 2 layers");
    assert_fails(ck_image_layers_fit(&d, 0), CK_ERR_HOSTILE, "the manifest 0 layers");
}

/* `head`, n times `item` with commas, `tail`. Free with free(). */
static char *many(const char *head, const char *item, size_t n, const char *tail)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(head));
    for (size_t i = 0; i < n; i++)
        ck_buf_format(&b, "%s%s", i ? "," : "", item);
    ck_put_bytes(&b, ck_view_str(tail));
    return ck_buf_steal_str(&b);
}

static void counts_and_strings_stop_at_their_limits(void **state)
{
    (void)state;
    static const char history[] = HEAD ROOTFS("") ",\"history\":[";
    ck_autofree char *most = many(history, "{\"empty_layer\":true}", CK_MAX_HISTORY, "]}");
    assert_ok(config(most));
    ck_autofree char *more = many(history, "{\"empty_layer\":true}", CK_MAX_HISTORY + 1, "]}");
    assert_fails(config(more), CK_ERR_LIMIT, "config: history: 2049 entries (limit HISTORY");

    static const char ids[] = HEAD ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[";
    ck_autofree char *most_ids = many(ids, ID1, CK_MAX_LAYERS, "]}}");
    assert_ok(config(most_ids));
    ck_autofree char *more_ids = many(ids, ID1, CK_MAX_LAYERS + 1, "]}}");
    assert_fails(config(more_ids), CK_ERR_LIMIT,
                 "config: rootfs.diff_ids: 513 layers (limit LAYERS");

    ck_autofree char *line = ck_calloc(CK_MAX_STRING + 2, 1);
    memset(line, 'x', CK_MAX_STRING);
    ck_autofree char *fits = ck_format("%s{\"created_by\":\"%s\"}]}", history, line);
    assert_ok(config(fits));
    line[CK_MAX_STRING] = 'x';
    ck_autofree char *past = ck_format("%s{\"created_by\":\"%s\"}]}", history, line);
    assert_fails(config(past), CK_ERR_LIMIT,
                 "config: history[0].created_by: 65537 bytes (limit STRING");

    ck_autofree char *most_tags = many("[{\"Config\":\"c\",\"RepoTags\":[", "\"a:b\"", CK_MAX_TAGS,
                                       "],\"Layers\":[]}]");
    assert_ok(docker(most_tags));
    ck_autofree char *more_tags = many("[{\"Config\":\"c\",\"RepoTags\":[\"c:d\"],\"Layers\":[]},"
                                       "{\"Config\":\"c\",\"RepoTags\":[", "\"a:b\"", CK_MAX_TAGS,
                                       "],\"Layers\":[]}]");
    assert_fails(docker(more_tags), CK_ERR_LIMIT, "manifest.json: 1025 tags (limit TAGS");
}

/* `head`, then n members with keys of their own, `tail`. Free with free(). */
static char *many_keys(const char *head, const char *value, size_t n, const char *tail)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(head));
    for (size_t i = 0; i < n; i++)
        ck_buf_format(&b, "%s\"k%zu\":%s", i ? "," : "", i, value);
    ck_put_bytes(&b, ck_view_str(tail));
    return ck_buf_steal_str(&b);
}

static char *long_text(const char *head, size_t n, const char *tail)
{
    ck_autofree char *line = ck_calloc(n + 1, 1);
    memset(line, 'x', n);
    return ck_format("%s%s%s", head, line, tail);
}

static void the_parts_of_an_execution_stop_at_their_limits(void **state)
{
    (void)state;
    static const char tail[] = "}}" ROOTFS("") "}", end[] = "]}" ROOTFS("") "}";
    static const struct {
        const char *head, *value;
        uint64_t most;
        const char *why;
    } maps[] = {
        { HEAD ",\"config\":{\"Labels\":{", "\"v\"", CK_MAX_CONFIG_LABELS, "limit CONFIG_LABELS" },
        { HEAD ",\"config\":{\"Volumes\":{", "{}", CK_MAX_CONFIG_PATHS, "limit CONFIG_PATHS" },
        { HEAD ",\"config\":{\"ExposedPorts\":{", "{}", CK_MAX_CONFIG_PATHS, "limit CONFIG_PATHS" },
    };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        ck_autofree char *most = many_keys(maps[i].head, maps[i].value, maps[i].most, tail);
        assert_ok(config(most));
        ck_autofree char *more = many_keys(maps[i].head, maps[i].value, maps[i].most + 1, tail);
        assert_fails(config(more), CK_ERR_LIMIT, maps[i].why);
    }
    static const char env[] = HEAD ",\"config\":{\"Env\":[";
    ck_autofree char *most = many(env, "\"A=1\"", CK_MAX_CONFIG_VARIABLES, end);
    assert_ok(config(most));
    ck_autofree char *more = many(env, "\"A=1\"", CK_MAX_CONFIG_VARIABLES + 1, end);
    assert_fails(config(more), CK_ERR_LIMIT, "limit CONFIG_VARIABLES");
    static const struct {
        const char *head, *tail;
        uint64_t most;
        const char *why;
    } texts[] = {
        { HEAD ",\"config\":{\"Env\":[\"", "\"]}" ROOTFS("") "}", CK_MAX_CONFIG_VARIABLE,
          "limit CONFIG_VARIABLE" },
        { HEAD ",\"config\":{\"Labels\":{\"a\":\"", "\"}}" ROOTFS("") "}", CK_MAX_CONFIG_LABEL,
          "limit CONFIG_LABEL" },
        { HEAD ",\"config\":{\"Labels\":{\"", "\":\"\"}}" ROOTFS("") "}", CK_MAX_REFERENCE,
          "limit REFERENCE" },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_autofree char *fits = long_text(texts[i].head, texts[i].most, texts[i].tail);
        assert_ok(config(fits));
        ck_autofree char *past = long_text(texts[i].head, texts[i].most + 1, texts[i].tail);
        assert_fails(config(past), CK_ERR_LIMIT, texts[i].why);
    }
}

static void a_docker_manifest_is_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_docker_doc d;
    assert_ok(ck_image_docker_manifest(
        CK_V("[{\"Config\":\"c.json\",\"RepoTags\":[\"a:1\",\"b:1\"],\"Layers\":[\"x/layer.tar\","
             "\"blobs/sha256/y\"],\"LayerSources\":{\"k\":{},\"K\":{}}},"
             "{\"Config\":\"d.json\",\"RepoTags\":null,\"Layers\":null}]"), &a, &d));
    assert_int_equal(d.n, 2);
    assert_view(d.images[0].config, "c.json");
    assert_int_equal(d.images[0].n_tags, 2);
    assert_view(d.images[0].tags[1], "b:1");
    assert_int_equal(d.images[0].n_layers, 2);
    assert_view(d.images[0].layers[1], "blobs/sha256/y");
    assert_int_equal(d.images[1].n_tags + d.images[1].n_layers, 0);
}

static void attack_image_id_that_is_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *path, *why;
    } bad[] = {
        { "../../etc/x", "must not leave the archive (CVE-2014-9358)" },
        { "a/../../x", "must not leave the archive" },
        { "..", "must not leave the archive" },
        { "/etc/passwd", "must be relative" },
        { "a//b", "must be normalised" },
        { "./a", "must be normalised" },
        { "a/.", "must be normalised" },
        { "a/", "must name a file" },
        { "", "must be a path of 1 to 4096 bytes" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_autofree char *c = ck_format("[{\"Config\":\"%s\",\"Layers\":[]}]", bad[i].path);
        assert_fails(docker(c), CK_ERR_HOSTILE, "manifest.json: [0].Config: ");
        assert_fails(docker(c), CK_ERR_HOSTILE, bad[i].why);
        ck_autofree char *l = ck_format("[{\"Config\":\"c\",\"Layers\":[\"a\",\"%s\"]}]",
                                        bad[i].path);
        assert_fails(docker(l), CK_ERR_HOSTILE, "manifest.json: [0].Layers[1]: ");
    }
    assert_ok(docker("[{\"Config\":\"..a/b..\",\"Layers\":[]}]"));
}

static void attack_two_images_with_one_tag(void **state)
{
    (void)state;
    assert_fails(docker("[{\"Config\":\"good\",\"RepoTags\":[\"alpine:latest\"],\"Layers\":[]},"
                        "{\"Config\":\"bad\",\"RepoTags\":[\"x:1\",\"docker.io/library/alpine\"],"
                        "\"Layers\":[]}]"), CK_ERR_HOSTILE,
                 "manifest.json: [1].RepoTags: [0] has the tag \"alpine:latest\" too");
}

static void docker_manifests_of_bad_form(void **state)
{
    (void)state;
    assert_fails(docker("{}"), CK_ERR_HOSTILE, "manifest.json: must be an array");
    assert_fails(docker("[7]"), CK_ERR_HOSTILE, "manifest.json: [0]: must be an object");
    assert_fails(docker("[{\"Layers\":[]}]"), CK_ERR_HOSTILE,
                 "manifest.json: [0].Config: is missing");
    assert_fails(docker("[{\"Config\":\"a\",\"config\":\"b\",\"Layers\":[]}]"), CK_ERR_HOSTILE,
                 "only in case");
    assert_fails(docker("[{\"config\":\"b\",\"Layers\":[]}]"), CK_ERR_HOSTILE,
                 "manifest.json: [0]: key \"Config\" is written in another case");
}

static void layouts(void **state)
{
    (void)state;
    assert_ok(ck_image_layout(CK_V("{\"imageLayoutVersion\": \"1.0.0\"}\n")));
    assert_fails(ck_image_layout(CK_V("{\"imageLayoutVersion\":\"2.0.0\"}")), CK_ERR_HOSTILE,
                 "oci-layout: imageLayoutVersion: must be \"1.0.0\"");
    assert_fails(ck_image_layout(CK_V("{}")), CK_ERR_HOSTILE, "is missing");
    assert_fails(ck_image_layout(CK_V("[]")), CK_ERR_HOSTILE, "must be an object");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_read),
        cmocka_unit_test(an_image_from_scratch_has_no_layers),
        cmocka_unit_test(history_that_does_not_fit_the_layers_is_left_out),
        cmocka_unit_test(what_the_specification_requires_is_required),
        cmocka_unit_test(attack_keys_that_readers_read_differently),
        cmocka_unit_test(attack_user_that_overflows_or_looks_like_a_number),
        cmocka_unit_test(what_a_container_starts_with_is_read),
        cmocka_unit_test(attack_execution_of_bad_form),
        cmocka_unit_test(the_parts_of_an_execution_stop_at_their_limits),
        cmocka_unit_test(attack_other_number_of_diff_ids_than_layers),
        cmocka_unit_test(counts_and_strings_stop_at_their_limits),
        cmocka_unit_test(a_docker_manifest_is_read),
        cmocka_unit_test(attack_image_id_that_is_a_path),
        cmocka_unit_test(attack_two_images_with_one_tag),
        cmocka_unit_test(docker_manifests_of_bad_form),
        cmocka_unit_test(layouts),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
