#include "base/unit.h"
#include "base/mem.h"
#include "image/image.h"

static struct ck_descriptor descriptor(const char *type)
{
    struct ck_descriptor d = { .media_type = ck_view_str(type), .size = 10 };
    ck_hash_of(CK_DIGEST_SHA512, CK_V("x"), &d.digest);
    d.platform = (struct ck_platform){ CK_V("linux"), CK_V("arm"), CK_V("v7"), CK_V("1.0") };
    d.ref_name = CK_V("latest");
    d.image_name = CK_V("docker.io/library/x:latest");
    return d;
}

#define OCI "application/vnd.oci.image."

struct docs {
    struct ck_descriptor manifests[2];
    struct ck_layer_desc layers[2];
    struct ck_descriptor files[2];
    struct ck_digest ids[2];
    struct ck_history history[3];
    struct ck_config_pair env[2], labels[2];
    ck_view volumes[2], ports[1];
    ck_view tags[1], paths[2];
    struct ck_docker_image images[2];
    struct ck_index_doc index;
    struct ck_manifest_doc manifest;
    struct ck_config_doc config;
    struct ck_docker_doc docker;
    struct ck_artifact_doc artifact;
    struct ck_config_pair notes[2];
    struct ck_annotations annotations;
};
enum { KINDS = 6 };

/* One of each, with every field filled. */
static void fill(struct docs *s)
{
    *s = (struct docs){ 0 };
    s->manifests[0] = descriptor(OCI "manifest.v1+json");
    s->manifests[1] = descriptor("application/vnd.example");
    s->manifests[1].platform = (struct ck_platform){ .os = CK_V("unknown"),
                                                     .architecture = CK_V("unknown") };
    s->manifests[1].attestation = true;
    s->index = (struct ck_index_doc){
        .media_type = CK_V(OCI "index.v1+json"), .artifact_type = CK_V("application/sbom"),
        .has_subject = true, .subject = descriptor(OCI "index.v1+json"),
        .manifests = s->manifests, .n = 2,
    };
    s->layers[0] = (struct ck_layer_desc){ descriptor(OCI "layer.v1.tar+zstd"),
                                           CK_COMPRESSION_ZSTD };
    s->layers[1] = (struct ck_layer_desc){ descriptor(OCI "layer.v1.tar"), CK_COMPRESSION_NONE };
    s->manifest = (struct ck_manifest_doc){ CK_V(OCI "manifest.v1+json"),
                                            descriptor(OCI "config.v1+json"), s->layers, 2 };
    ck_hash_of(CK_DIGEST_SHA256, CK_V("1"), &s->ids[0]);
    ck_hash_of(CK_DIGEST_SHA256, CK_V("2"), &s->ids[1]);
    s->history[0] = (struct ck_history){ CK_V("2026-01-01T00:00:00Z"), CK_V("ADD"), CK_V("c"),
                                           false };
    s->history[1] = (struct ck_history){ .created_by = CK_V("ENV"), .empty_layer = true };
    s->env[0] = (struct ck_config_pair){ CK_V("PATH"), CK_V("/bin=x") };
    s->env[1] = (struct ck_config_pair){ CK_V("EMPTY"), CK_V("") };
    s->labels[0] = (struct ck_config_pair){ CK_V("A"), CK_V("1") };
    s->labels[1] = (struct ck_config_pair){ CK_V("a"), CK_V("2") };
    s->volumes[0] = CK_V("/a");
    s->volumes[1] = CK_V("/b");
    s->ports[0] = CK_V("80/tcp");
    s->config = (struct ck_config_doc){
        .platform = { CK_V("linux"), CK_V("amd64"), CK_V(""), CK_V("") },
        .created = CK_V("2026-01-01T00:00:00Z"), .diff_ids = s->ids, .n_diff_ids = 2,
        .history = s->history, .n_history = 3, .user = CK_V("1000:app"), .env = s->env,
        .n_env = 2, .labels = s->labels, .n_labels = 2, .volumes = s->volumes, .n_volumes = 2,
        .ports = s->ports, .n_ports = 1,
    };
    s->tags[0] = CK_V("a:1");
    s->paths[0] = CK_V("l1");
    s->paths[1] = CK_V("l2/layer.tar");
    s->images[0] = (struct ck_docker_image){ CK_V("c.json"), s->tags, 1, s->paths, 2 };
    s->images[1] = (struct ck_docker_image){ CK_V("d.json"), NULL, 0, NULL, 0 };
    s->docker = (struct ck_docker_doc){ s->images, 2 };
    s->files[0] = descriptor("application/vnd.in-toto+json");
    s->files[1] = descriptor("text/plain");
    s->artifact = (struct ck_artifact_doc){
        .media_type = CK_V(OCI "manifest.v1+json"), .artifact_type = CK_V("application/sbom"),
        .has_subject = true, .subject = descriptor(OCI "index.v1+json"),
        .config = descriptor("application/vnd.oci.empty.v1+json"), .layers = s->files, .n = 2,
    };
    s->notes[0] = (struct ck_config_pair){ CK_V("a"), CK_V("1") };
    s->notes[1] = (struct ck_config_pair){ CK_V("b"), CK_V("") };
    s->annotations = (struct ck_annotations){ s->notes, 2 };
}

static void encode(const struct docs *s, int which, struct ck_buf *out)
{
    ck_buf_clear(out);
    switch (which) {
    case 0: ck_index_doc_encode(&s->index, out); break;
    case 1: ck_manifest_doc_encode(&s->manifest, out); break;
    case 2: ck_config_doc_encode(&s->config, out); break;
    case 3: ck_docker_doc_encode(&s->docker, out); break;
    case 4: ck_artifact_doc_encode(&s->artifact, out); break;
    default: ck_annotations_encode(&s->annotations, out); break;
    }
}

static ck_err *decode(int which, ck_view v, struct ck_arena *a, struct docs *ret)
{
    switch (which) {
    case 0: return ck_index_doc_decode(v, a, &ret->index);
    case 1: return ck_manifest_doc_decode(v, a, &ret->manifest);
    case 2: return ck_config_doc_decode(v, a, &ret->config);
    case 3: return ck_docker_doc_decode(v, a, &ret->docker);
    case 4: return ck_artifact_doc_decode(v, a, &ret->artifact);
    default: return ck_annotations_decode(v, a, &ret->annotations);
    }
}

static void documents_come_back_as_they_were(void **state)
{
    (void)state;
    struct docs in, out = { 0 };
    fill(&in);
    for (int which = 0; which < KINDS; which++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf first = ck_buf_new(CK_LIMIT_NONE), again = first;
        encode(&in, which, &first);
        assert_ok(decode(which, ck_buf_view(&first), &a, &out));
        encode(&out, which, &again);
        assert_true(ck_view_eq(ck_buf_view(&first), ck_buf_view(&again)));
        if (which == 0) {
            assert_view(out.index.manifests[0].platform.variant, "v7");
            assert_true(out.index.manifests[1].attestation);
            assert_view(out.index.artifact_type, "application/sbom");
            assert_view(out.index.subject.media_type, OCI "index.v1+json");
        } else if (which == 1) {
            assert_int_equal(out.manifest.layers[0].compression, CK_COMPRESSION_ZSTD);
        } else if (which == 2) {
            assert_view(out.config.history[1].created_by, "ENV");
            assert_view(out.config.user, "1000:app");
            assert_view(out.config.env[0].value, "/bin=x");
            assert_view(out.config.labels[1].value, "2");
            assert_view(out.config.volumes[1], "/b");
            assert_view(out.config.ports[0], "80/tcp");
        } else if (which == 3) {
            assert_view(out.docker.images[0].layers[1], "l2/layer.tar");
        } else if (which == 5) {
            assert_view(out.annotations.v[1].key, "b");
        } else {
            assert_true(out.artifact.has_subject);
            assert_view(out.artifact.subject.media_type, OCI "index.v1+json");
            assert_view(out.artifact.layers[1].media_type, "text/plain");
        }
    }
}

static void what_is_decoded_does_not_point_into_the_message(void **state)
{
    (void)state;
    struct docs in, out = { 0 };
    fill(&in);
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    encode(&in, 3, &b);
    assert_ok(decode(3, ck_buf_view(&b), &a, &out));
    memset(b.p, 0xff, b.n);
    assert_view(out.docker.images[0].config, "c.json");
}

static void attack_every_truncated_message_is_refused(void **state)
{
    (void)state;
    struct docs in;
    fill(&in);
    for (int which = 0; which < KINDS; which++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        encode(&in, which, &b);
        for (size_t n = 0; n < b.n; n++) {
            ck_autoarena struct ck_arena a = { 0 };
            struct docs out;
            /* a copy of its own size, so that ASan sees a read behind it */
            ck_autofree char *cut = ck_strndup(b.p, n);
            assert_fails(decode(which, ck_view_of(cut, n), &a, &out), CK_ERR_HOSTILE, "message ");
        }
        ck_put_u8(&b, 0);
        ck_autoarena struct ck_arena a = { 0 };
        struct docs out;
        assert_fails(decode(which, ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE,
                     "bytes follow the message");
    }
}

static void refused(const struct docs *s, int which, const char *why)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct docs out;
    encode(s, which, &b);
    assert_fails(decode(which, ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE, why);
}

static void attack_lying_room_annotations(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.notes[1].key = CK_V("a");
    refused(&s, 5, "message annotations: annotations must be in the order of their keys");
    s.notes[1].key = CK_V("\xff");
    refused(&s, 5, "a string must be UTF-8");
}

static void attack_lying_room_index(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.index.artifact_type = CK_V("no type");
    refused(&s, 0, "message index: must be");
    fill(&s);
    s.index.subject.size = CK_MAX_DOCUMENT + 1;
    refused(&s, 0, "message index: a size is past its limit");
    fill(&s);
    s.manifests[0].size = CK_MAX_DOCUMENT + 1;
    refused(&s, 0, "message index: a size is past its limit");
    fill(&s);
    s.manifests[1].size = (1ull << 53) + 1;
    refused(&s, 0, "a size is past its limit");
    fill(&s);
    s.manifests[0].platform.os = CK_V("../x");
    refused(&s, 0, "must be at most 64 lower-case letters");
    fill(&s);
    s.manifests[0].attestation = true;
    refused(&s, 0, "an attestation must have the platform unknown/unknown");
    fill(&s);
    s.manifests[1].attestation = false;
    refused(&s, 0, "an attestation must have the platform unknown/unknown");
    fill(&s);
    s.manifests[0].ref_name = CK_V("a\0b");
    refused(&s, 0, "a string must be UTF-8 without NUL");
    fill(&s);
    s.manifests[0].image_name = CK_V("\xff");
    refused(&s, 0, "a string must be UTF-8 without NUL");
    fill(&s);
    s.manifests[0].media_type = CK_V("x");
    refused(&s, 0, "must be a media type");
    fill(&s);
    s.index.media_type = CK_V(OCI "manifest.v1+json");
    refused(&s, 0, "the media type is of another document");
}

static void attack_lying_room_manifest(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.layers[0].compression = CK_COMPRESSION_NONE;
    refused(&s, 1, "message manifest: a compression is not that of the media type");
    fill(&s);
    s.layers[0].compression = (enum ck_compression)99;
    refused(&s, 1, "a compression is not that of the media type");
    fill(&s);
    s.layers[1].d.media_type = CK_V("application/vnd.example");
    refused(&s, 1, "a layer has the media type of something else");
    fill(&s);
    s.layers[1].d.size = CK_MAX_LAYER_BLOB + 1;
    refused(&s, 1, "a size is past its limit");
    fill(&s);
    s.manifest.config.media_type = CK_V(OCI "layer.v1.tar");
    refused(&s, 1, "the config has the media type of something else");
}

static void attack_lying_room_config(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.history[1].empty_layer = false;
    refused(&s, 2, "message config: the history must have one line for each layer");
    fill(&s);
    s.config.history_ignored = true;
    refused(&s, 2, "the history must have one line for each layer");
    fill(&s);
    s.config.created = CK_V("now");
    refused(&s, 2, "must be a time");
    fill(&s);
    ck_autofree char *line = ck_calloc(CK_MAX_STRING + 1, 1);
    memset(line, 'x', CK_MAX_STRING + 1);
    s.history[0].created_by = ck_view_of(line, CK_MAX_STRING + 1);
    refused(&s, 2, "message config: is cut short");
}

static void attack_lying_room_execution(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.config.user = CK_V("4294967296");
    refused(&s, 2, "at most 2147483647");
    fill(&s);
    s.env[0].key = CK_V("A=B");
    refused(&s, 2, "a variable's name must not hold '='");
    fill(&s);
    s.env[0].value = CK_V("a\0b");
    refused(&s, 2, "without NUL");
    fill(&s);
    s.labels[1].key = CK_V("A");
    refused(&s, 2, "labels must be sorted");
    fill(&s);
    s.volumes[1] = CK_V("/a");
    refused(&s, 2, "a set must be sorted");
    fill(&s);
    ck_autofree char *line = ck_calloc(CK_MAX_CONFIG_VARIABLE + 1, 1);
    memset(line, 'x', CK_MAX_CONFIG_VARIABLE);
    s.env[0].value = ck_view_of(line, CK_MAX_CONFIG_VARIABLE);
    refused(&s, 2, "both must fit");
}

static void attack_lying_room_docker_archive(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.paths[1] = CK_V("../../etc/passwd");
    refused(&s, 3, "message manifest.json: must not leave the archive");
    fill(&s);
    s.images[1].config = CK_V("/etc/passwd");
    refused(&s, 3, "must be relative");
    fill(&s);
    s.images[1].tags = s.tags;
    s.images[1].n_tags = 1;
    refused(&s, 3, "message: manifest.json: [1].RepoTags: [0] has the tag \"a:1\" too");
}

static void attack_lying_room_artifact(void **state)
{
    (void)state;
    struct docs s;
    fill(&s);
    s.artifact.media_type = CK_V(OCI "index.v1+json");
    refused(&s, 4, "message artifact: the media type is of another document");
    fill(&s);
    s.artifact.artifact_type = CK_V("sbom");
    refused(&s, 4, "must be a media type");
    fill(&s);
    s.artifact.subject.size = CK_MAX_DOCUMENT + 1;
    refused(&s, 4, "a size is past its limit");
    fill(&s);
    s.files[1].size = CK_MAX_LAYER_BLOB + 1;
    refused(&s, 4, "a size is past its limit");
    fill(&s);
    s.artifact.layers = NULL;
    s.artifact.n = 0;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct docs out;
    encode(&s, 4, &b);
    assert_ok(decode(4, ck_buf_view(&b), &a, &out));
    ck_buf_clear(&b);
    s.artifact.has_subject = false;
    encode(&s, 4, &b);
    assert_ok(decode(4, ck_buf_view(&b), &a, &out));
    assert_false(out.artifact.has_subject);
}

static void attack_counts_cannot_make_the_hub_allocate(void **state)
{
    (void)state;
    static const uint32_t counts[] = { 3, 512, 1024, 1u << 20, UINT32_MAX };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct docs out;
        ck_put_u8(&b, 'D');
        ck_put_u32(&b, counts[i]);
        ck_put_u64(&b, 0);
        assert_fails(decode(3, ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE,
                     "a count is past its limit or past the message");
        assert_true(a.used < 1024);
    }
}

static void attack_a_message_for_another(void **state)
{
    (void)state;
    struct docs s, out;
    fill(&s);
    for (int which = 0; which < KINDS; which++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        encode(&s, which, &b);
        assert_fails(decode((which + 1) % KINDS, ck_buf_view(&b), &a, &out), CK_ERR_HOSTILE,
                     "is another message");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_back_as_they_were),
        cmocka_unit_test(what_is_decoded_does_not_point_into_the_message),
        cmocka_unit_test(attack_every_truncated_message_is_refused),
        cmocka_unit_test(attack_lying_room_annotations),
        cmocka_unit_test(attack_lying_room_index),
        cmocka_unit_test(attack_lying_room_manifest),
        cmocka_unit_test(attack_lying_room_config),
        cmocka_unit_test(attack_lying_room_execution),
        cmocka_unit_test(attack_lying_room_docker_archive),
        cmocka_unit_test(attack_lying_room_artifact),
        cmocka_unit_test(attack_counts_cannot_make_the_hub_allocate),
        cmocka_unit_test(attack_a_message_for_another),
    };
    return cmocka_run_group_tests_name("image codec", tests, NULL, NULL);
}
