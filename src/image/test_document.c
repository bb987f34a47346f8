#include "base/unit.h"
#include "base/mem.h"
#include "image/image.h"

#define HEX "8876a860b8c40b280440ed7678ba677f5a3cb972fddde4198a9a5e159184732f"
#define DIGEST "\"digest\":\"sha256:" HEX "\""
#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."
#define TYPE(t) "\"mediaType\":\"" t "\""
#define DESC(t, more) "{" TYPE(t) "," DIGEST ",\"size\":10" more "}"
#define CONFIG DESC(OCI "config.v1+json", "")
#define LAYER DESC(OCI "layer.v1.tar+gzip", "")
#define MANIFEST_OF(config, layers) \
    "{\"schemaVersion\":2,\"config\":" config ",\"layers\":[" layers "]}"
#define INDEX_OF(manifests) "{\"schemaVersion\":2,\"manifests\":[" manifests "]}"

static const char manifest_type[] = OCI "manifest.v1+json";
static const char index_type[] = OCI "index.v1+json";

static ck_err *manifest(const char *json, const char *declared)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_manifest_doc d;
    return ck_image_manifest(ck_view_str(json), ck_view_str(declared), &a, &d);
}

static ck_err *index_of(const char *json)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_index_doc d;
    return ck_image_index(ck_view_str(json), CK_V(""), &a, &d);
}

static ck_err *kind(const char *json, const char *declared, enum ck_document_kind *ret)
{
    return ck_image_document_kind(ck_view_str(json), ck_view_str(declared), ret);
}

static void a_manifest_is_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_manifest_doc d;
    char text[CK_DIGEST_TEXT];
    assert_ok(ck_image_manifest(
        CK_V(MANIFEST_OF(CONFIG, LAYER "," DESC(OCI "layer.v1.tar", "") ","
                         DESC(OCI "layer.v1.tar+zstd", ",\"urls\":[\"http://169.254.169.254/\"]"))),
        CK_V(""), &a, &d));
    assert_view(d.media_type, OCI "manifest.v1+json");
    assert_view(d.config.media_type, OCI "config.v1+json");
    assert_int_equal(d.n, 3);
    assert_int_equal(d.layers[0].compression, CK_COMPRESSION_GZIP);
    assert_int_equal(d.layers[1].compression, CK_COMPRESSION_NONE);
    assert_int_equal(d.layers[2].compression, CK_COMPRESSION_ZSTD);
    assert_int_equal(d.layers[2].d.size, 10);
    assert_string_equal(ck_digest_text(&d.layers[2].d.digest, text), "sha256:" HEX);
}

static void layer_types_decide_the_compression(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        enum ck_compression compression;
    } cases[] = {
        { OCI "layer.v1.tar", CK_COMPRESSION_NONE },
        { OCI "layer.v1.tar+gzip", CK_COMPRESSION_GZIP },
        { OCI "layer.v1.tar+zstd", CK_COMPRESSION_ZSTD },
        { OCI "layer.nondistributable.v1.tar", CK_COMPRESSION_NONE },
        { OCI "layer.nondistributable.v1.tar+gzip", CK_COMPRESSION_GZIP },
        { OCI "layer.nondistributable.v1.tar+zstd", CK_COMPRESSION_ZSTD },
        { DOCKER "image.rootfs.diff.tar", CK_COMPRESSION_NONE },
        { DOCKER "image.rootfs.diff.tar.gzip", CK_COMPRESSION_GZIP },
        { DOCKER "image.rootfs.foreign.diff.tar.gzip", CK_COMPRESSION_GZIP },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_manifest_doc d;
        ck_autofree char *json = ck_format(
            "{\"schemaVersion\":2," TYPE(DOCKER "distribution.manifest.v2+json") ",\"config\":"
            DESC(DOCKER "container.image.v1+json", "") ",\"layers\":[{\"mediaType\":\"%s\"," DIGEST
            ",\"size\":1}]}", cases[i].type);
        assert_ok(ck_image_manifest(ck_view_str(json), CK_V(""), &a, &d));
        assert_view(d.media_type, DOCKER "distribution.manifest.v2+json");
        assert_int_equal(d.layers[0].compression, cases[i].compression);
    }
}

static void an_index_is_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_index_doc d;
    assert_ok(ck_image_index(
        CK_V(INDEX_OF(
            DESC(OCI "manifest.v1+json",
                 ",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\","
                 "\"variant\":\"v8\",\"os.version\":\"1\",\"os.features\":[\"x\"]},"
                 "\"annotations\":{"
                 "\"org.opencontainers.image.ref.name\":\"v3\",\"Free\":\"1\",\"free\":\"2\","
                 "\"io.containerd.image.name\":\"docker.io/foo/bar:v3\"}") ","
            DESC(OCI "manifest.v1+json", ",\"platform\":{\"os\":\"unknown\",\"architecture\":"
                 "\"unknown\"},\"annotations\":{\"vnd.docker.reference.type\":"
                 "\"attestation-manifest\"}") ","
            DESC("application/vnd.example.thing", ""))),
        CK_V(OCI "index.v1+json"), &a, &d));
    assert_int_equal(d.n, 3);
    assert_view(d.manifests[0].platform.variant, "v8");
    assert_view(d.manifests[0].platform.os_version, "1");
    assert_view(d.manifests[0].ref_name, "v3");
    assert_view(d.manifests[0].image_name, "docker.io/foo/bar:v3");
    assert_false(d.manifests[0].attestation);
    assert_true(d.manifests[1].attestation);
    assert_view(d.manifests[2].media_type, "application/vnd.example.thing");
    assert_view(d.manifests[2].platform.os, "");
}

static void an_empty_index_is_one(void **state)
{
    (void)state;
    assert_ok(index_of(INDEX_OF("")));
    assert_ok(index_of("{\"schemaVersion\":2,\"manifests\":null}")); /* as Go writes it */
}

static void the_kind_is_told_by_the_members(void **state)
{
    (void)state;
    enum ck_document_kind k = CK_DOC_MANIFEST;
    assert_ok(kind(INDEX_OF(""), "", &k));
    assert_int_equal(k, CK_DOC_INDEX);
    assert_ok(kind(MANIFEST_OF(CONFIG, LAYER), "", &k));
    assert_int_equal(k, CK_DOC_MANIFEST);
    assert_ok(kind(INDEX_OF(""), index_type, &k));
    assert_int_equal(k, CK_DOC_INDEX);
    assert_fails(kind("{\"schemaVersion\":2}", "", &k), CK_ERR_HOSTILE,
                 "document: has neither manifests nor layers");
    assert_fails(kind("[]", "", &k), CK_ERR_HOSTILE, "document: must be an object");
}

static void attack_manifest_that_is_both_index_and_image(void **state)
{
    (void)state;
    enum ck_document_kind k;
    static const char *const both[] = {
        "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[],\"manifests\":[]}",
        "{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}",
        "{\"schemaVersion\":2,\"config\":{},\"manifests\":[]}",
        "{\"schemaVersion\":2,\"layers\":null,\"manifests\":[]}",
    };
    for (size_t i = 0; i < sizeof both / sizeof *both; i++) {
        assert_fails(kind(both[i], "", &k), CK_ERR_HOSTILE, "CVE-2021-41190");
        assert_fails(manifest(both[i], manifest_type), CK_ERR_HOSTILE, "manifest: has both");
        assert_fails(index_of(both[i]), CK_ERR_HOSTILE, "index: has both");
    }
    /* hidden from readers that do not fold case */
    assert_fails(kind("{\"schemaVersion\":2,\"layers\":[],\"config\":{},\"Manifests\":[]}", "", &k),
                 CK_ERR_HOSTILE, "key \"manifests\" is written in another case");
    assert_fails(kind("{\"schemaVersion\":2,\"layers\":[],\"config\":{},\"manife\\u017fts\":[]}",
                      "", &k), CK_ERR_HOSTILE, "key \"manifests\" is written in another case");
}

static void attack_media_type_that_contradicts(void **state)
{
    (void)state;
    enum ck_document_kind k;
    assert_fails(manifest(MANIFEST_OF(CONFIG, LAYER), index_type), CK_ERR_HOSTILE,
                 "manifest: is no application/vnd.oci.image.index.v1+json, which its descriptor "
                 "says");
    assert_fails(kind("{\"schemaVersion\":2," TYPE(OCI "index.v1+json") ",\"config\":" CONFIG
                      ",\"layers\":[]}", "", &k), CK_ERR_HOSTILE,
                 "document: mediaType: application/vnd.oci.image.index.v1+json contradicts");
    assert_fails(manifest("{\"schemaVersion\":2," TYPE(DOCKER "distribution.manifest.v2+json")
                          ",\"config\":" CONFIG ",\"layers\":[]}", manifest_type), CK_ERR_HOSTILE,
                 "manifest: mediaType: is application/vnd.docker.distribution.manifest.v2+json, "
                 "but the descriptor says application/vnd.oci.image.manifest.v1+json");
    assert_fails(kind("{\"schemaVersion\":2," TYPE(OCI "layer.v1.tar") ",\"manifests\":[]}", "",
                      &k),
                 CK_ERR_HOSTILE, "is no index or manifest");
    assert_fails(manifest(INDEX_OF(""), ""), CK_ERR_HOSTILE, "manifest: is an index");
    assert_fails(index_of(MANIFEST_OF(CONFIG, LAYER)), CK_ERR_HOSTILE, "index: is a manifest");
    assert_fails(kind("{\"schemaVersion\":2,\"mediaType\":7,\"manifests\":[]}", "", &k),
                 CK_ERR_HOSTILE, "document: mediaType: must be a string");
}

static void attack_schema_1_is_refused_by_name(void **state)
{
    (void)state;
    enum ck_document_kind k;
    assert_fails(kind("{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[]}", "", &k),
                 CK_ERR_HOSTILE,
                 "is a Docker schema 1 manifest");
    assert_fails(kind("{\"schemaVersion\":2,\"fsLayers\":[],\"layers\":[],\"config\":{}}", "", &k),
                 CK_ERR_HOSTILE, "is a Docker schema 1 manifest");
    assert_fails(kind(MANIFEST_OF(CONFIG, ""), DOCKER "distribution.manifest.v1+prettyjws", &k),
                 CK_ERR_HOSTILE, "is Docker schema 1");
    assert_fails(kind("{\"schemaVersion\":3,\"manifests\":[]}", "", &k), CK_ERR_HOSTILE,
                 "document: schemaVersion: must be 2");
    assert_fails(kind("{\"schemaVersion\":2.0,\"manifests\":[]}", "", &k), CK_ERR_HOSTILE,
                 "document: schemaVersion: must be a whole number");
    assert_fails(kind("{\"manifests\":[]}", "", &k), CK_ERR_HOSTILE,
                 "document: schemaVersion: is missing");
}

static void artifacts_are_refused_by_name_but_not_as_hostile(void **state)
{
    (void)state;
    enum ck_document_kind k;
    assert_fails(manifest(MANIFEST_OF(DESC("application/vnd.cncf.helm.config.v1+json", ""), ""),
                          ""),
                 CK_ERR_UNAVAILABLE,
                 "manifest: config.mediaType: application/vnd.cncf.helm.config.v1"
                 "+json makes this an artifact, not an image");
    assert_fails(manifest(MANIFEST_OF(DESC("application/vnd.oci.empty.v1+json", ""), ""), ""),
                 CK_ERR_UNAVAILABLE, "makes this an artifact");
    assert_fails(kind("{\"schemaVersion\":2,\"blobs\":[]}", "", &k), CK_ERR_UNAVAILABLE,
                 "is an OCI artifact manifest");
    assert_fails(kind(INDEX_OF(""), "application/vnd.example", &k), CK_ERR_UNAVAILABLE,
                 "document: application/vnd.example is an artifact, not an image");
    /* a cosign signature has the config of an image, but no layers of one */
    assert_fails(manifest(MANIFEST_OF(CONFIG,
                                      DESC("application/vnd.dev.cosign.simplesigning.v1+json",
                                                   "")), ""),
                 CK_ERR_HOSTILE, "manifest: layers[0].mediaType: application/vnd.dev.cosign."
                 "simplesigning.v1+json is not an image layer");
}

static ck_err *artifact(const char *json, struct ck_arena *a, struct ck_artifact_doc *d)
{
    return ck_image_artifact(ck_view_str(json), ck_view_str(manifest_type), a, d);
}

#define COSIGN DESC("application/vnd.dev.cosign.simplesigning.v1+json", "")
#define EMPTY DESC("application/vnd.oci.empty.v1+json", ",\"data\":\"e30=\"")
#define ARTIFACT_OF(more) \
    "{\"schemaVersion\":2,\"config\":" EMPTY ",\"layers\":[" EMPTY "]" more "}"

static void a_referrer_is_read(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_artifact_doc d;
    char text[CK_DIGEST_TEXT];
    assert_ok(artifact(ARTIFACT_OF(",\"artifactType\":\"application/spdx+json\",\"subject\":"
                                   DESC(OCI "index.v1+json", "")), &a, &d));
    assert_view(d.media_type, OCI "manifest.v1+json");
    assert_view(d.artifact_type, "application/spdx+json");
    assert_true(d.has_subject);
    assert_string_equal(ck_digest_text(&d.subject.digest, text), "sha256:" HEX);
    assert_view(d.subject.media_type, OCI "index.v1+json");
    assert_view(d.config.media_type, "application/vnd.oci.empty.v1+json");
    assert_int_equal(d.n, 1);
    assert_false(ck_artifact_is_image(&d));

    /* as the referrers API: without artifactType it is the config's */
    assert_ok(artifact(MANIFEST_OF(DESC("application/vnd.cncf.helm.config.v1+json", ""), ""), &a,
                       &d));
    assert_view(d.artifact_type, "application/vnd.cncf.helm.config.v1+json");
    assert_false(d.has_subject);
    assert_false(ck_artifact_is_image(&d));
}

static void an_index_may_be_a_referrer(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_index_doc d;
    assert_ok(ck_image_index(CK_V("{\"schemaVersion\":2,\"manifests\":[],\"artifactType\":"
                                  "\"application/x\",\"subject\":" DESC(OCI "index.v1+json", "")
                                  "}"), CK_V(""), &a, &d));
    assert_true(d.has_subject);
    assert_view(d.artifact_type, "application/x");
    assert_view(d.subject.media_type, OCI "index.v1+json");
    assert_fails(index_of("{\"schemaVersion\":2,\"manifests\":[],\"subject\":{}}"),
                 CK_ERR_HOSTILE, "index: subject.mediaType: is missing");
    assert_fails(index_of("{\"schemaVersion\":2,\"manifests\":[],\"artifactType\":\"x y\"}"),
                 CK_ERR_HOSTILE, "index: artifactType: must be");
}

static void annotations_are_read_in_their_order(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_annotations d;
    assert_ok(ck_image_annotations(CK_V(ARTIFACT_OF("")), &a, &d));
    assert_int_equal(d.n, 0);
    assert_ok(ck_image_annotations(
        CK_V(ARTIFACT_OF(",\"annotations\":{\"b\":\"2\",\"a\":\"\"}")), &a, &d));
    assert_int_equal(d.n, 2);
    assert_view(d.v[0].key, "a");
    assert_view(d.v[1].value, "2");
    assert_fails(ck_image_annotations(CK_V(ARTIFACT_OF(",\"annotations\":{\"a\":1}")), &a, &d),
                 CK_ERR_HOSTILE, "annotations.a: must be a string");
}

static void what_is_an_image_is_told_by_all_its_media_types(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_artifact_doc d;
    assert_ok(artifact(MANIFEST_OF(CONFIG, LAYER "," LAYER), &a, &d));
    assert_true(ck_artifact_is_image(&d));
    /* cosign's tag scheme, BuildKit's attestations: an image's config, other layers */
    assert_ok(artifact(MANIFEST_OF(CONFIG, LAYER "," COSIGN), &a, &d));
    assert_false(ck_artifact_is_image(&d));
    assert_ok(artifact(MANIFEST_OF(EMPTY, LAYER), &a, &d));
    assert_false(ck_artifact_is_image(&d));
}

static void attack_artifacts_are_held_to_the_rules_of_manifests(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_artifact_doc d;
    assert_fails(artifact(ARTIFACT_OF(",\"subject\":{" TYPE(OCI "manifest.v1+json")
                                      ",\"digest\":\"sha256:../x\",\"size\":1}"), &a, &d),
                 CK_ERR_HOSTILE, "manifest: subject.digest: ");
    assert_fails(artifact(ARTIFACT_OF(",\"subject\":[]"), &a, &d), CK_ERR_HOSTILE,
                 "manifest: subject: must be an object");
    assert_fails(artifact(ARTIFACT_OF(",\"Subject\":" CONFIG), &a, &d), CK_ERR_HOSTILE,
                 "key \"subject\" is written in another case");
    assert_fails(artifact(ARTIFACT_OF(",\"artifactType\":\"\\u001b[31m\""), &a, &d),
                 CK_ERR_HOSTILE, "manifest: artifactType: must be a media type");
    assert_fails(artifact(ARTIFACT_OF(",\"manifests\":[]"), &a, &d), CK_ERR_HOSTILE,
                 "CVE-2021-41190");
    assert_fails(artifact(INDEX_OF(""), &a, &d), CK_ERR_HOSTILE, "which its descriptor says");
    assert_fails(artifact("{\"schemaVersion\":2,\"layers\":[]}", &a, &d), CK_ERR_HOSTILE,
                 "manifest: config: must be an object");
    assert_fails(artifact(MANIFEST_OF(EMPTY, DESC("application/x", ",\"annotations\":{"
                          "\"org.opencontainers.image.title\":\"../x\"}")), &a, &d),
                 CK_ERR_HOSTILE, "CVE-2021-21272");
}

static void attack_layer_that_is_none(void **state)
{
    (void)state;
    static const char *const types[] = {
        OCI "layer.v1.tar+xz", OCI "layer.v1.tar+gzip+encrypted", OCI "config.v1+json",
        "application/vnd.in-toto+json", "application/x-tar", OCI "LAYER.v1.tar",
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        ck_autofree char *json = ck_format(
            "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[" LAYER ","
            "{\"mediaType\":\"%s\","
            DIGEST ",\"size\":1}]}", types[i]);
        assert_fails(manifest(json, ""), CK_ERR_HOSTILE, "is not an image layer");
    }
    assert_fails(manifest(MANIFEST_OF(CONFIG, DESC("x", "")), ""), CK_ERR_HOSTILE,
                 "manifest: layers[0].mediaType: must be a media type");
    assert_fails(manifest(MANIFEST_OF(CONFIG, "{" DIGEST ",\"size\":1}"), ""), CK_ERR_HOSTILE,
                 "manifest: layers[0].mediaType: is missing");
}

static void attack_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *size, *why;
        enum ck_err_class cls;
    } cases[] = {
        { "-1", "manifest: layers[0].size: must not be negative", CK_ERR_HOSTILE },
        { "1.5", "manifest: layers[0].size: must be a whole number", CK_ERR_HOSTILE },
        { "1e2", "manifest: layers[0].size: must be a whole number", CK_ERR_HOSTILE },
        { "\"10\"", "manifest: layers[0].size: must be a whole number", CK_ERR_HOSTILE },
        { "null", "manifest: layers[0].size: is missing", CK_ERR_HOSTILE },
        { "9007199254740993", "is more than 9007199254740992", CK_ERR_HOSTILE },
        { "99999999999999999999", "a number that 64 bits do not hold", CK_ERR_HOSTILE },
        { "68719476737", "manifest: layers[0].size: 68719476737 bytes (limit LAYER_BLOB",
          CK_ERR_LIMIT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autofree char *json = ck_format(
            "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{" TYPE(OCI "layer.v1.tar") ","
            DIGEST ",\"size\":%s}]}", cases[i].size);
        assert_fails(manifest(json, ""), cases[i].cls, cases[i].why);
    }
    assert_ok(manifest(MANIFEST_OF(CONFIG, "{" TYPE(OCI "layer.v1.tar") "," DIGEST
                                   ",\"size\":68719476736}"), ""));
    /* CVE-2023-25153: an index that leads to a huge manifest */
    assert_fails(index_of(INDEX_OF("{" TYPE(OCI "manifest.v1+json") "," DIGEST
                                   ",\"size\":4194305}")),
                 CK_ERR_LIMIT, "index: manifests[0].size: 4194305 bytes (limit DOCUMENT");
    assert_fails(manifest(MANIFEST_OF("{" TYPE(OCI "config.v1+json") "," DIGEST
                                      ",\"size\":4194305}", ""), ""), CK_ERR_LIMIT,
                 "manifest: config.size: 4194305");
}

static void attack_digest_that_is_a_path(void **state)
{
    (void)state;
    assert_fails(index_of(INDEX_OF("{" TYPE(OCI "manifest.v1+json")
                                   ",\"digest\":\"sha256:../../x\",\"size\":1}")),
                 CK_ERR_HOSTILE,
                 "index: manifests[0].digest: digest \"sha256:../../x\": must have 64");
    assert_fails(manifest(MANIFEST_OF("{" TYPE(OCI "config.v1+json") ",\"digest\":\"md5:00\","
                                      "\"size\":1}", ""), ""), CK_ERR_HOSTILE,
                 "manifest: config.digest: digest \"md5:00\": the algorithm must be");
}

static void attack_image_dressed_up_as_attestation(void **state)
{
    (void)state;
    /* Runtimes choose by platform and would run it, a scanner that goes by the annotation would
     * not look. */
    assert_fails(index_of(INDEX_OF(
                     DESC(OCI "manifest.v1+json",
                          ",\"platform\":{\"os\":\"linux\",\"architecture\":"
                          "\"amd64\"},\"annotations\":{\"vnd.docker.reference.type\":"
                          "\"attestation-manifest\"}"))),
                 CK_ERR_HOSTILE, "index: manifests[0].annotations.vnd.docker.reference.type: an "
                 "attestation must have the platform unknown/unknown");
    assert_fails(index_of(INDEX_OF(
                     DESC(OCI "manifest.v1+json", ",\"annotations\":{\"vnd.docker.reference.type\":"
                          "\"attestation-manifest\"}"))),
                 CK_ERR_HOSTILE, "an attestation must have the platform unknown/unknown");
}

static void attack_title_that_leaves_the_directory(void **state)
{
    (void)state;
    static const char *const titles[] = { "../x", "a/../../x", "/etc/passwd", "..", "a\\\\..\\\\x",
                                          "\\\\x" };
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
        ck_autofree char *json = ck_format(
            "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[{" TYPE(OCI "layer.v1.tar") ","
            DIGEST ",\"size\":1,\"annotations\":{\"org.opencontainers.image.title\":\"%s\"}}]}",
            titles[i]);
        assert_fails(manifest(json, ""), CK_ERR_HOSTILE, "CVE-2021-21272");
    }
    assert_ok(manifest(MANIFEST_OF(CONFIG, DESC(OCI "layer.v1.tar", ",\"annotations\":{"
                                   "\"org.opencontainers.image.title\":\"a..b/c\"}")), ""));
}

static void attack_checkpoint_that_would_be_restored(void **state)
{
    (void)state;
    static const char *const keys[] = { "org.criu.checkpoint.container.name",
                                        "io.podman.annotations.checkpoint.name",
                                        "io.kubernetes.cri-o.annotations.checkpoint.name" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        ck_autofree char *top = ck_format("{\"schemaVersion\":2,\"config\":" CONFIG
                                          ",\"layers\":[" LAYER "],\"annotations\":{"
                                          "\"%s\":\"db\"}}", keys[i]);
        assert_fails(manifest(top, ""), CK_ERR_HOSTILE, "CVE-2026-50195");
        ck_autofree char *below = ck_format(
            "{\"schemaVersion\":2,\"manifests\":[{" TYPE(OCI "manifest.v1+json") "," DIGEST
            ",\"size\":1,\"annotations\":{\"%s\":\"db\"}}]}", keys[i]);
        assert_fails(index_of(below), CK_ERR_HOSTILE, "CVE-2026-50195");
    }
}

static void attack_platform_with_odd_names(void **state)
{
    (void)state;
    static const char *const words[] = { "Linux", "linux/x", "lin ux", "\\u001b[31m", "a\\u202eb" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ck_autofree char *json = ck_format(
            "{\"schemaVersion\":2,\"manifests\":[{" TYPE(OCI "manifest.v1+json") "," DIGEST
            ",\"size\":1,\"platform\":{\"os\":\"%s\",\"architecture\":\"amd64\"}}]}", words[i]);
        assert_fails(index_of(json), CK_ERR_HOSTILE, "index: manifests[0].platform.os: must be");
    }
    assert_fails(index_of(INDEX_OF(DESC(OCI "manifest.v1+json", ",\"platform\":[]"))),
                 CK_ERR_HOSTILE, "index: manifests[0].platform: must be an object");
    assert_fails(index_of(INDEX_OF(DESC(OCI "manifest.v1+json", ",\"annotations\":[]"))),
                 CK_ERR_HOSTILE, "index: manifests[0].annotations: must be an object");
    assert_fails(index_of(INDEX_OF("null")), CK_ERR_HOSTILE,
                 "index: manifests[0]: must be an object");
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

static void counts_stop_at_their_limits(void **state)
{
    (void)state;
    static const char head[] = "{\"schemaVersion\":2,\"config\":" CONFIG ",\"layers\":[";
    ck_autofree char *most = many(head, LAYER, CK_MAX_LAYERS, "]}");
    assert_ok(manifest(most, ""));
    ck_autofree char *more = many(head, LAYER, CK_MAX_LAYERS + 1, "]}");
    assert_fails(manifest(more, ""), CK_ERR_LIMIT,
                 "manifest: layers: 513 layers (limit LAYERS: 512");

    static const char list[] = "{\"schemaVersion\":2,\"manifests\":[";
    static const char item[] = DESC(OCI "manifest.v1+json", "");
    ck_autofree char *most_m = many(list, item, CK_MAX_MANIFESTS, "]}");
    assert_ok(index_of(most_m));
    ck_autofree char *more_m = many(list, item, CK_MAX_MANIFESTS + 1, "]}");
    assert_fails(index_of(more_m), CK_ERR_LIMIT, "index: manifests: 1025 entries (limit MANIFESTS");

    ck_autoarena struct ck_arena a = { 0 };
    struct ck_artifact_doc d;
    assert_ok(artifact(most, &a, &d));
    assert_int_equal(d.n, CK_MAX_LAYERS);
    assert_fails(artifact(more, &a, &d), CK_ERR_LIMIT, "manifest: layers: 513 layers");
}

static void attack_bytes_that_are_not_the_descriptors(void **state)
{
    (void)state;
    struct ck_descriptor d = { .size = 3 };
    ck_hash_of(CK_DIGEST_SHA256, CK_V("abc"), &d.digest);
    assert_ok(ck_descriptor_verify(&d, CK_V("abc")));
    assert_fails(ck_descriptor_verify(&d, CK_V("abd")), CK_ERR_HOSTILE,
                 "the bytes have the digest");
    assert_fails(ck_descriptor_verify(&d, CK_V("abcd")), CK_ERR_HOSTILE,
                 "has 4 bytes, its descriptor says 3");
    d.size = 4;
    assert_fails(ck_descriptor_verify(&d, CK_V("abc")), CK_ERR_HOSTILE,
                 "has 3 bytes, its descriptor says 4");
}

/* A file of a ustar archive; the fixtures' names are short. */
static ck_view member(ck_view tar, const char *name)
{
    while (tar.n >= 512 && tar.p[0]) {
        char field[101] = { 0 }, octal[13] = { 0 };
        memcpy(field, tar.p, 100);
        memcpy(octal, tar.p + 124, 12);
        size_t size = strtoul(octal, NULL, 8);
        if (strcmp(field, name) == 0)
            return ck_view_head(ck_view_from(tar, 512), size);
        tar = ck_view_from(tar, 512 + (size + 511) / 512 * 512);
    }
    fail_msg("no %s in the archive", name);
    return (ck_view){ 0 };
}

static ck_view blob(ck_view tar, const struct ck_descriptor *d)
{
    char text[CK_DIGEST_TEXT];
    ck_digest_text(&d->digest, text);
    ck_autofree char *name = ck_format("blobs/sha256/%s", text + 7);
    ck_view v = member(tar, name);
    assert_ok(ck_descriptor_verify(d, v));
    return v;
}

static void walk_manifest(ck_view tar, const struct ck_descriptor *m, const char *arch,
                          size_t layers)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_manifest_doc manifest_doc;
    struct ck_config_doc config;
    assert_ok(ck_image_manifest(blob(tar, m), m->media_type, &a, &manifest_doc));
    assert_ok(ck_image_config(blob(tar, &manifest_doc.config), &a, &config));
    assert_ok(ck_image_layers_fit(&config, manifest_doc.n));
    assert_int_equal(manifest_doc.n, layers);
    assert_view(config.platform.architecture, arch);
    assert_false(config.history_ignored);
    for (size_t i = 0; i < layers; i++)
        blob(tar, &manifest_doc.layers[i].d);
}

static void fixture_hello_world_of_docker_25(void **state)
{
    (void)state;
    ck_view tar = unit_shared("fixtures/images/docker-save/hello-world.tar");
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_index_doc index;
    assert_ok(ck_image_layout(member(tar, "oci-layout")));
    assert_ok(ck_image_index(member(tar, "index.json"), CK_V(""), &a, &index));
    assert_int_equal(index.n, 1);
    assert_view(index.manifests[0].ref_name, "latest");
    walk_manifest(tar, &index.manifests[0], "amd64", 1);
    struct ck_docker_doc docker;
    assert_ok(ck_image_docker_manifest(member(tar, "manifest.json"), &a, &docker));
    assert_view(docker.images[0].tags[0], "hello-world:latest");
    free((void *)(uintptr_t)tar.p);
}

static void fixture_index_with_attestation(void **state)
{
    (void)state;
    ck_view tar = unit_shared("fixtures/images/oci-archive-attestation-manifest.tar");
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_index_doc outer, inner;
    struct ck_manifest_doc attestation;
    assert_ok(ck_image_index(member(tar, "index.json"), CK_V(""), &a, &outer));
    assert_view(outer.manifests[0].image_name, "docker.io/foo/bar:v3");
    assert_ok(ck_image_index(blob(tar, &outer.manifests[0]), outer.manifests[0].media_type, &a,
                             &inner));
    assert_int_equal(inner.n, 2);
    assert_false(inner.manifests[0].attestation);
    assert_true(inner.manifests[1].attestation);
    struct ck_platform want;
    assert_ok(ck_platform_parse(CK_V("linux/arm64/v8"), &want));
    assert_true(ck_platform_match(&want, &inner.manifests[0].platform) > 0);
    assert_int_equal(ck_platform_match(&want, &inner.manifests[1].platform), 0);
    walk_manifest(tar, &inner.manifests[0], "arm64", 1);
    assert_fails(ck_image_manifest(blob(tar, &inner.manifests[1]), CK_V(""), &a, &attestation),
                 CK_ERR_HOSTILE, "application/vnd.in-toto+json is not an image layer");
    free((void *)(uintptr_t)tar.p);
}

static void fixture_legacy_docker_archives(void **state)
{
    (void)state;
    static const char *const names[] = { "java-uberjar", "war-with-3-level-jar" };
    for (size_t i = 0; i < 2; i++) {
        ck_autofree char *path = ck_format("fixtures/images/docker-save/%s.tar", names[i]);
        ck_view tar = unit_shared(path);
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_docker_doc d;
        struct ck_config_doc config;
        assert_ok(ck_image_docker_manifest(member(tar, "manifest.json"), &a, &d));
        assert_int_equal(d.n, 1);
        assert_int_equal(d.images[0].n_layers, 2);
        assert_ok(ck_image_config(member(tar, (const char *)d.images[0].config.p), &a, &config));
        assert_ok(ck_image_layers_fit(&config, 2));
        assert_false(config.history_ignored);
        assert_true(config.n_history >= 2);
        free((void *)(uintptr_t)tar.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_is_read),
        cmocka_unit_test(layer_types_decide_the_compression),
        cmocka_unit_test(an_index_is_read),
        cmocka_unit_test(an_empty_index_is_one),
        cmocka_unit_test(an_index_may_be_a_referrer),
        cmocka_unit_test(annotations_are_read_in_their_order),
        cmocka_unit_test(the_kind_is_told_by_the_members),
        cmocka_unit_test(attack_manifest_that_is_both_index_and_image),
        cmocka_unit_test(attack_media_type_that_contradicts),
        cmocka_unit_test(attack_schema_1_is_refused_by_name),
        cmocka_unit_test(artifacts_are_refused_by_name_but_not_as_hostile),
        cmocka_unit_test(a_referrer_is_read),
        cmocka_unit_test(what_is_an_image_is_told_by_all_its_media_types),
        cmocka_unit_test(attack_artifacts_are_held_to_the_rules_of_manifests),
        cmocka_unit_test(attack_layer_that_is_none),
        cmocka_unit_test(attack_sizes),
        cmocka_unit_test(attack_digest_that_is_a_path),
        cmocka_unit_test(attack_image_dressed_up_as_attestation),
        cmocka_unit_test(attack_title_that_leaves_the_directory),
        cmocka_unit_test(attack_checkpoint_that_would_be_restored),
        cmocka_unit_test(attack_platform_with_odd_names),
        cmocka_unit_test(counts_stop_at_their_limits),
        cmocka_unit_test(attack_bytes_that_are_not_the_descriptors),
        cmocka_unit_test(fixture_hello_world_of_docker_25),
        cmocka_unit_test(fixture_index_with_attestation),
        cmocka_unit_test(fixture_legacy_docker_archives),
    };
    return cmocka_run_group_tests_name("index and manifest", tests, NULL, NULL);
}
