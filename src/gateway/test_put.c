#include "gateway/unit_push.h"

#include <signal.h>

#define CONFIG "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\"," \
               "\"diff_ids\":[]}}"
#define MANIFEST UNIT_OCI "manifest.v1+json"
#define INDEX UNIT_OCI "index.v1+json"
#define REPOSITORY CK_V("gate.internal/hosted/app")

/* All texts live as long as the test. */
static const char *descriptor(struct rig *r, const char *type, const struct ck_digest *d, size_t n)
{
    char text[CK_DIGEST_TEXT];
    return ck_arena_format(&r->f->arena, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%zu}",
                           type, ck_digest_text(d, text), n);
}

/* A manifest over a config and a layer, neither of which it pushes. */
static const char *manifest_of(struct rig *r, const char *config, const char *layer,
                               const char *more)
{
    struct ck_digest c = unit_digest(ck_view_str(config)), l = unit_digest(ck_view_str(layer));
    return ck_arena_format(
        &r->f->arena, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST "\",\"config\":%s,"
        "\"layers\":[%s]%s}", descriptor(r, UNIT_OCI "config.v1+json", &c, strlen(config)),
        descriptor(r, UNIT_OCI "layer.v1.tar", &l, strlen(layer)), more);
}

static const char *artifact_of(struct rig *r, const char *content, const char *more)
{
    struct ck_digest c = unit_digest(CK_V("{}")), l = unit_digest(ck_view_str(content));
    return ck_arena_format(
        &r->f->arena, "{\"schemaVersion\":2,\"artifactType\":\"application/x\",\"config\":%s,"
        "\"layers\":[%s]%s}", descriptor(r, "application/vnd.oci.empty.v1+json", &c, 2),
        descriptor(r, "text/plain", &l, strlen(content)), more);
}

static const char *index_of(struct rig *r, const char *child, const char *type)
{
    struct ck_digest d = unit_digest(ck_view_str(child));
    return ck_arena_format(&r->f->arena, "{\"schemaVersion\":2,\"manifests\":[%s]}",
                           descriptor(r, type, &d, strlen(child)));
}

/* An image that is pushed whole; its text. */
static const char *push_image(struct rig *r, const char *repository, const char *tag)
{
    push_blob(r, repository, CK_V(CONFIG));
    push_blob(r, repository, CK_V("layer"));
    const char *text = manifest_of(r, CONFIG, "layer", "");
    assert_answer(PUT(r, text, .repository = ck_view_str(repository),
                      .reference = ck_view_str(tag)), 201, NONE);
    return text;
}

static const char *digest_text(struct rig *r, const char *json)
{
    char text[CK_DIGEST_TEXT];
    struct ck_digest d = unit_digest(ck_view_str(json));
    return ck_arena_format(&r->f->arena, "%s", ck_digest_text(&d, text));
}

static bool means(struct rig *r, const char *name, const char *json)
{
    struct ck_store_name n;
    struct ck_digest d = unit_digest(ck_view_str(json));
    bool found = false;
    assert_ok(ck_store_name_of(r->f->s, ck_view_str(name), &n, &found));
    return found && ck_digest_eq(&n.digest, &d);
}

static bool linked(struct rig *r, const char *json)
{
    struct ck_digest d = unit_digest(ck_view_str(json));
    bool yes = false;
    assert_ok(ck_store_linked(r->f->s, REPOSITORY, &d, &yes));
    return yes;
}

static ck_err *keep_last(void *ctx, const struct ck_log_record *l)
{
    (void)ctx;
    snprintf(got.message, sizeof got.message, "%.*s %.*s %.*s", CK_VF(l->who), CK_VF(l->event),
             CK_VF(l->name));
    return NULL;
}

static void an_image_is_taken_and_scanned_at_once(void **state)
{
    struct rig *r = *state;
    const char *text = push_image(r, "hosted/app", "v1");
    struct ck_digest d = unit_digest(ck_view_str(text));
    assert_true(got.w.has_digest && ck_digest_eq(&got.w.digest, &d));
    assert_false(got.w.has_subject);
    struct ck_store_entry e = get(r->f, &d);
    assert_true(e.complete);
    assert_int_equal(e.state, CK_QUARANTINED);
    assert_view(e.image.platform, "linux/amd64");
    assert_view(e.image.media_type, MANIFEST);
    assert_int_equal(e.image.n_parts, 2);
    assert_int_equal(e.image.artifact_type.n, 0);
    assert_true(linked(r, text) && means(r, "gate.internal/hosted/app:v1", text));
    assert_int_equal(r->scans, 1);
    assert_int_equal(r->forgotten, 1);
    assert_ok(ck_log_read(r->f->s, 0, keep_last, r));
    assert_string_equal(got.message, "alice push gate.internal/hosted/app:v1");
    /* By digest, with tags beside it. */
    ck_view tags[] = { CK_V("v2"), CK_V("v3") };
    assert_answer(PUT(r, text, .reference = ck_view_str(digest_text(r, text)), .words = tags,
                      .n_words = 2), 201, NONE);
    assert_true(means(r, "gate.internal/hosted/app:v3", text));
}

static void attack_parts_that_another_repository_has(void **state)
{
    struct rig *r = *state;
    const char *secret = push_image(r, "hosted/secret", "v1");
    struct answered a = PUT(r, manifest_of(r, CONFIG, "layer", ""), .reference = CK_V("v1"));
    assert_answer(a, 404, MANIFEST_BLOB_UNKNOWN);
    assert_non_null(strstr(a.message, "was not pushed to this repository"));
    /* An index that names somebody else's image, or one that may yet come. */
    a = PUT(r, index_of(r, secret, MANIFEST), .reference = CK_V("v1"), .content_type = CK_V(INDEX));
    assert_answer(a, 404, MANIFEST_BLOB_UNKNOWN);
    a = PUT(r, index_of(r, "not there", MANIFEST), .reference = CK_V("v1"),
            .content_type = CK_V(INDEX));
    assert_answer(a, 404, MANIFEST_BLOB_UNKNOWN);
    assert_false(linked(r, secret));
    const char *own = push_image(r, "hosted/app", "v1");
    a = PUT(r, index_of(r, own, MANIFEST), .reference = CK_V("v2"), .content_type = CK_V(INDEX));
    assert_answer(a, 201, NONE);
    a = PUT(r, index_of(r, own, INDEX), .reference = CK_V("v3"), .content_type = CK_V(INDEX));
    assert_answer(a, 400, MANIFEST_INVALID); /* it is none */
}

static void attack_documents_that_are_not_what_they_seem(void **state)
{
    struct rig *r = *state;
    push_blob(r, "", CK_V(CONFIG));
    push_blob(r, "", CK_V("layer"));
    const char *good = manifest_of(r, CONFIG, "layer", "");
    struct ck_ask q = { .reference = CK_V("x") };
    assert_answer(put(r, q, "not json"), 400, MANIFEST_INVALID);
    assert_answer(put(r, q, ""), 400, MANIFEST_INVALID);
    assert_answer(put(r, q, manifest_of(r, CONFIG, "layer", ",\"manifests\":[]")), 400,
                  MANIFEST_INVALID); /* CVE-2021-41190 */
    q.content_type = CK_V(INDEX);
    assert_answer(put(r, q, good), 400, MANIFEST_INVALID);
    q.content_type = CK_V("application/vnd.docker.distribution.manifest.v2+json");
    assert_answer(put(r, q, good), 400, MANIFEST_INVALID);
    q.content_type = CK_V("text/plain");
    assert_answer(put(r, q, good), 400, MANIFEST_INVALID);
    q.content_type = CK_V("application/vnd.docker.distribution.manifest.v1+prettyjws");
    assert_answer(put(r, q, "{\"schemaVersion\":1,\"fsLayers\":[]}"), 400, MANIFEST_INVALID);
    q.content_type = CK_V(MANIFEST "; charset=utf-8");
    q.reference = ck_view_str(digest_text(r, "other"));
    assert_answer(put(r, q, good), 400, DIGEST_INVALID);
    q.reference = CK_V("sha256:baddigeststring");
    assert_answer(put(r, q, good), 400, DIGEST_INVALID);
    assert_int_equal(r->scans, 0);
    assert_false(linked(r, good));
    q.reference = CK_V("x");
    assert_answer(put(r, q, good), 201, NONE);
}

static void attack_a_size_that_is_not_the_blobs(void **state)
{
    struct rig *r = *state;
    struct ck_digest c = push_blob(r, "", CK_V(CONFIG));
    const char *text = ck_arena_format(
        &r->f->arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[]}",
        descriptor(r, UNIT_OCI "config.v1+json", &c, strlen(CONFIG) + 1));
    assert_answer(PUT(r, text, .reference = CK_V("x")), 400, MANIFEST_INVALID);
}

/* Blanks before the brace: a document of any size. */
static struct answered put_padded(struct rig *r, const char *json, size_t size)
{
    char *text = ck_calloc(size + 1, 1);
    memset(text, ' ', size);
    memcpy(text, json, strlen(json));
    struct answered a = put(r, (struct ck_ask){ .reference = CK_V("x") }, text);
    free(text);
    return a;
}

static void a_manifest_may_have_four_mebibytes(void **state)
{
    struct rig *r = *state;
    push_blob(r, "", CK_V("{}"));
    push_blob(r, "", CK_V("content"));
    const char *text = artifact_of(r, "content", "");
    assert_answer(put_padded(r, text, CK_MAX_DOCUMENT), 201, NONE);
    assert_answer(put_padded(r, text, CK_MAX_DOCUMENT + 1), 413, SIZE_INVALID);
}

static void tags_of_one_push_are_counted(void **state)
{
    struct rig *r = *state;
    ck_view *tags = ck_arena_alloc(&r->f->arena, CK_MAX_PUSH_TAGS + 1, sizeof *tags);
    for (size_t i = 0; i <= CK_MAX_PUSH_TAGS; i++)
        tags[i] = ck_view_str(ck_arena_format(&r->f->arena, "t%zu", i));
    const char *text = push_image(r, "hosted/app", "v1");
    struct ck_ask q = { .reference = ck_view_str(digest_text(r, text)), .words = tags,
                        .n_words = CK_MAX_PUSH_TAGS };
    assert_answer(put(r, q, text), 201, NONE);
    q.n_words++;
    assert_answer(put(r, q, text), 400, MANIFEST_INVALID);
}

static void artifacts_and_subjects(void **state)
{
    struct rig *r = *state;
    const char *image = push_image(r, "hosted/app", "v1");
    struct ck_digest subject = unit_digest(ck_view_str(image));
    const char *more = ck_arena_format(&r->f->arena, ",\"subject\":%s",
                                       descriptor(r, MANIFEST, &subject, strlen(image)));
    push_blob(r, "", CK_V("{}"));
    push_blob(r, "", CK_V("sbom"));
    const char *text = artifact_of(r, "sbom", more);
    struct answered a = PUT(r, text, .reference = ck_view_str(digest_text(r, text)));
    assert_answer(a, 201, NONE);
    assert_true(a.w.has_subject && ck_digest_eq(&a.w.subject, &subject));
    struct ck_digest d = unit_digest(ck_view_str(text));
    assert_view(get(r->f, &d).image.artifact_type, "application/x");
    assert_true(get(r->f, &d).image.has_subject);
    assert_int_equal(r->scans, 1); /* of the image */
    /* A subject that is not there (yet) is no error; an index may have one too. */
    struct ck_digest nowhere = unit_digest(CK_V("nowhere"));
    text = ck_arena_format(&r->f->arena, "{\"schemaVersion\":2,\"manifests\":[],\"subject\":%s}",
                           descriptor(r, MANIFEST, &nowhere, 7));
    a = PUT(r, text, .reference = CK_V("i"), .content_type = CK_V(INDEX));
    assert_answer(a, 201, NONE);
    assert_true(a.w.has_subject && ck_digest_eq(&a.w.subject, &nowhere));
}

static void layers_that_may_not_be_handed_on_need_not_be_there(void **state)
{
    struct rig *r = *state;
    struct ck_digest c = push_blob(r, "", CK_V(CONFIG)), l = push_blob(r, "", CK_V("layer")),
                     far = unit_digest(CK_V("elsewhere"));
    const char *text = ck_arena_format(
        &r->f->arena, "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s,%s]}",
        descriptor(r, UNIT_OCI "config.v1+json", &c, strlen(CONFIG)),
        descriptor(r, UNIT_OCI "layer.nondistributable.v1.tar+gzip", &far, 123456),
        descriptor(r, UNIT_OCI "layer.v1.tar", &l, 5));
    assert_answer(PUT(r, text, .reference = CK_V("windows")), 201, NONE);
    struct ck_digest d = unit_digest(ck_view_str(text)), *by;
    size_t n = 0;
    assert_int_equal(get(r->f, &d).image.n_parts, 2);
    assert_ok(ck_store_reaching(r->f->s, REPOSITORY, &l, &r->f->arena, &by, &n));
    assert_int_equal(n, 1);
}

static void immutable_tags_stay(void **state)
{
    struct rig *r = *state;
    const char *text = push_image(r, "hosted/app", "v1");
    r->o.immutable_tags = true;
    assert_answer(PUT(r, text, .reference = CK_V("v1")), 201, NONE); /* the same again */
    const char *other = manifest_of(r, CONFIG, "layer", ",\"annotations\":{\"a\":\"b\"}");
    struct answered a = PUT(r, other, .reference = CK_V("v1"));
    assert_answer(a, 403, DENIED);
    assert_non_null(strstr(a.message, "tags are immutable here"));
    assert_false(linked(r, other));
    assert_answer(PUT(r, other, .reference = CK_V("v2")), 201, NONE);
    assert_answer(ASK(r, MANIFEST_DELETE, .reference = CK_V("v1")), 403, DENIED);
    assert_true(means(r, "gate.internal/hosted/app:v1", text));
    r->o.immutable_tags = false;
    assert_answer(PUT(r, other, .reference = CK_V("v1")), 201, NONE);
    assert_true(means(r, "gate.internal/hosted/app:v1", other));
}

static void tags_manifests_and_blobs_are_deleted(void **state)
{
    struct rig *r = *state;
    const char *text = push_image(r, "hosted/app", "v1");
    ck_view digest = ck_view_str(digest_text(r, text)),
            layer = ck_view_str(digest_text(r, "layer"));
    assert_answer(PUT(r, text, .reference = CK_V("v2")), 201, NONE);
    assert_answer(ASK(r, MANIFEST_DELETE, .reference = CK_V("v1")), 202, NONE);
    assert_answer(ASK(r, MANIFEST_DELETE, .reference = CK_V("v1")), 404, MANIFEST_UNKNOWN);
    assert_true(linked(r, text) && means(r, "gate.internal/hosted/app:v2", text));
    struct answered a = ASK(r, BLOB_DELETE, .reference = layer);
    assert_answer(a, 405, UNSUPPORTED);
    assert_non_null(strstr(a.message, "needs it"));
    assert_answer(ASK(r, MANIFEST_DELETE, .reference = digest), 202, NONE);
    assert_false(linked(r, text) || means(r, "gate.internal/hosted/app:v2", text));
    assert_ok(ck_log_read(r->f->s, 0, keep_last, r));
    assert_string_equal(got.message, "alice delete gate.internal/hosted/app");
    assert_answer(ASK(r, MANIFEST_DELETE, .reference = digest), 404, MANIFEST_UNKNOWN);
    assert_answer(ASK(r, BLOB_DELETE, .reference = layer), 202, NONE);
    assert_answer(ASK(r, BLOB_DELETE, .reference = layer), 404, BLOB_UNKNOWN);
    assert_answer(PUT(r, text, .reference = CK_V("v1")), 404, MANIFEST_BLOB_UNKNOWN);
}

static void what_is_unjudged_is_not_scanned(void **state)
{
    struct rig *r = *state;
    static const char *const patterns[] = { "hosted/*" };
    r->o.unjudged = patterns;
    r->o.n_unjudged = 1;
    push_image(r, "hosted/app", "v1");
    assert_int_equal(r->scans, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
        TEST(an_image_is_taken_and_scanned_at_once),
        TEST(attack_parts_that_another_repository_has),
        TEST(attack_documents_that_are_not_what_they_seem),
        TEST(attack_a_size_that_is_not_the_blobs),
        TEST(a_manifest_may_have_four_mebibytes),
        TEST(tags_of_one_push_are_counted),
        TEST(artifacts_and_subjects),
        TEST(layers_that_may_not_be_handed_on_need_not_be_there),
        TEST(immutable_tags_stay),
        TEST(tags_manifests_and_blobs_are_deleted),
        TEST(what_is_unjudged_is_not_scanned),
    };
    ck_room_main(argc, argv, ck_room_bodies);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("put", tests, NULL, NULL);
}
