#include "gateway/unit_push.h"

#include <signal.h>

#define TEXT CK_V("what is pushed here")

/* --- uploads ---------------------------------------------------------------------------------- */

static void a_blob_comes_in_and_is_claimed(void **state)
{
    struct rig *r = *state;
    char upload[64];
    begin(r, upload);
    struct answered a = send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT);
    assert_answer(a, 202, NONE);
    assert_int_equal(a.w.offset, TEXT.n);
    assert_string_equal(a.upload, upload);
    struct ck_digest d = unit_digest(TEXT);
    assert_false(ck_upload_claimed(&r->g, CK_V("gate.internal/hosted/app"), &d));
    a = finish(r, upload, TEXT, CK_DIGEST_SHA256);
    assert_answer(a, 201, NONE);
    assert_true(a.w.has_digest && ck_digest_eq(&a.w.digest, &d));
    assert_true(has(r->f, &d));
    assert_true(ck_upload_claimed(&r->g, CK_V("gate.internal/hosted/app"), &d));
    assert_false(ck_upload_claimed(&r->g, CK_V("gate.internal/hosted/other"), &d));
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA256), 404, BLOB_UPLOAD_UNKNOWN);
    push_blob(r, "", TEXT); /* once more is fine */
    assert_int_equal(files_in(r->f, "partial"), 0);
}

static void chunks_must_follow_each_other(void **state)
{
    struct rig *r = *state;
    char upload[64];
    begin(r, upload);
    struct ck_ask range = { .has_range = true, .first = 0 };
    assert_answer(send_bytes(r, upload, range, ck_view_head(TEXT, 5)), 202, NONE);
    range.first = 6;
    struct answered a = send_bytes(r, upload, range, TEXT);
    assert_answer(a, 416, BLOB_UPLOAD_INVALID);
    assert_int_equal(a.w.offset, 5);
    assert_string_equal(a.upload, upload);
    range.first = 0;
    assert_answer(send_bytes(r, upload, range, TEXT), 416, BLOB_UPLOAD_INVALID);
    a = ASK(r, UPLOAD_STATUS, .upload = ck_view_str(upload));
    assert_answer(a, 204, NONE);
    assert_int_equal(a.w.offset, 5);
    range.first = 5;
    assert_answer(send_bytes(r, upload, range, ck_view_from(TEXT, 5)), 202, NONE);
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA256), 201, NONE);
}

static void any_algorithm_may_end_it(void **state)
{
    struct rig *r = *state;
    char upload[64];
    struct ck_digest d;
    ck_hash_of(CK_DIGEST_SHA512, TEXT, &d);
    begin(r, upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT), 202, NONE);
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA512), 201, NONE);
    assert_true(has(r->f, &d));
    ck_view said = CK_V("sha512"), more = CK_V("more");
    struct answered a = ASK(r, UPLOAD_START, .words = &said, .n_words = 1);
    snprintf(upload, sizeof upload, "%s", a.upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, more), 202, NONE);
    assert_answer(finish(r, upload, more, CK_DIGEST_SHA512), 201, NONE);
    begin(r, upload); /* nothing at all */
    assert_answer(finish(r, upload, CK_V(""), CK_DIGEST_SHA256), 201, NONE);
}

static void attack_bytes_of_another_digest_are_gone(void **state)
{
    struct rig *r = *state;
    char upload[64];
    begin(r, upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT), 202, NONE);
    assert_answer(finish(r, upload, CK_V("other"), CK_DIGEST_SHA256), 400, DIGEST_INVALID);
    assert_answer(ASK(r, UPLOAD_STATUS, .upload = ck_view_str(upload)), 404, BLOB_UPLOAD_UNKNOWN);
    struct ck_digest d = unit_digest(TEXT), other = unit_digest(CK_V("other"));
    assert_false(has(r->f, &d) || has(r->f, &other));
    assert_int_equal(files_in(r->f, "partial"), 0);
    begin(r, upload);
    assert_answer(ASK(r, UPLOAD_FINISH, .upload = ck_view_str(upload),
                      .reference = CK_V("sha256:baddigeststring")), 400, DIGEST_INVALID);
}

static void what_a_client_broke_off_does_not_count(void **state)
{
    struct rig *r = *state;
    char upload[64];
    ck_view abort_it = CK_V("abort");
    begin(r, upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, ck_view_head(TEXT, 7)), 202, NONE);
    struct answered a = send_bytes(r, upload, (struct ck_ask){ .words = &abort_it, .n_words = 1 },
                                   CK_V("half of something"));
    assert_answer(a, 202, NONE);
    assert_int_equal(a.w.offset, 7);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, ck_view_from(TEXT, 7)), 202, NONE);
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA256), 201, NONE);
}

static void attack_fewer_bytes_than_were_said(void **state)
{
    struct rig *r = *state;
    char upload[64];
    begin(r, upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ .length = TEXT.n + 1 }, TEXT), 400,
                  BLOB_UPLOAD_INVALID);
    assert_answer(ASK(r, UPLOAD_STATUS, .upload = ck_view_str(upload)), 404, BLOB_UPLOAD_UNKNOWN);
    begin(r, upload);
    assert_answer(ASK(r, UPLOAD_END, .upload = ck_view_str(upload)), 400, BLOB_UPLOAD_INVALID);
}

/* The room that sent is gone and another asks: what was sent is taken back. */
static void a_room_that_died_leaves_an_upload_that_goes_on(void **state)
{
    struct rig *r = *state;
    char upload[64];
    begin(r, upload);
    struct answered a = ASK(r, UPLOAD_DATA, .upload = ck_view_str(upload));
    assert_answer(a, 100, NONE);
    assert_answer(ASK(r, UPLOAD_DATA, .upload = ck_view_str(upload)), 400, BLOB_UPLOAD_INVALID);
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA256), 400, BLOB_UPLOAD_INVALID);
    assert_ok(ck_write_all(a.w.fd, CK_V("lost")));
    close(a.w.fd);
    for (int i = 0; i < 1000; i++) {
        struct answered again = send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT);
        if (again.w.status == 202)
            break;
        usleep(10000);
    }
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA256), 201, NONE);
}

static void attack_an_upload_of_somebody_else(void **state)
{
    struct rig *r = *state;
    char upload[64];
    begin(r, upload);
    r->user = "eve";
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT), 404, BLOB_UPLOAD_UNKNOWN);
    assert_answer(ASK(r, UPLOAD_CANCEL, .upload = ck_view_str(upload)), 404, BLOB_UPLOAD_UNKNOWN);
    r->user = "alice";
    assert_answer(ASK(r, UPLOAD_STATUS, .upload = ck_view_str(upload),
                      .repository = CK_V("hosted/other")), 404, BLOB_UPLOAD_UNKNOWN);
    assert_answer(ASK(r, UPLOAD_CANCEL, .upload = ck_view_str(upload)), 204, NONE);
    assert_answer(ASK(r, UPLOAD_CANCEL, .upload = ck_view_str(upload)), 404, BLOB_UPLOAD_UNKNOWN);
}

static void attack_as_many_uploads_as_one_likes(void **state)
{
    struct rig *r = *state;
    char upload[64];
    static const char *const users[] = { "a", "b", "c", "d" };
    for (size_t u = 0; u < 4; u++) {
        r->user = users[u];
        for (unsigned i = 0; i < CK_MAX_USER_UPLOADS; i++)
            begin(r, upload);
        assert_answer(ASK(r, UPLOAD_START), 429, TOOMANYREQUESTS);
    }
    r->user = "e";
    assert_answer(ASK(r, UPLOAD_START), 429, TOOMANYREQUESTS);
    r->user = "d";
    assert_answer(ASK(r, UPLOAD_CANCEL, .upload = ck_view_str(upload)), 204, NONE);
    begin(r, upload);
}

static void uploads_that_nobody_goes_on_with_end(void **state)
{
    struct rig *r = *state;
    struct ck_upload *up;
    char idle[64], sending[64];
    begin(r, idle);
    begin(r, sending);
    struct answered a = ASK(r, UPLOAD_DATA, .upload = ck_view_str(sending));
    for (up = r->g.uploads->first; up; up = up->next)
        up->touched = ck_push_now() - (int64_t)CK_MAX_UPLOAD_IDLE + 5;
    ck_uploads_tick(&r->g);
    assert_int_equal(r->g.uploads->n, 2);
    for (up = r->g.uploads->first; up; up = up->next)
        up->touched = ck_push_now() - (int64_t)CK_MAX_UPLOAD_IDLE;
    ck_uploads_tick(&r->g);
    assert_int_equal(r->g.uploads->n, 1); /* the other is slow */
    close(a.w.fd);
    assert_answer(ASK(r, UPLOAD_END, .upload = ck_view_str(sending)), 202, NONE);
    assert_answer(ASK(r, UPLOAD_STATUS, .upload = ck_view_str(idle)), 404, BLOB_UPLOAD_UNKNOWN);
    assert_int_equal(files_in(r->f, "partial"), 1);
}

static void attack_a_blob_that_never_ends(void **state)
{
    struct rig *r = *state;
    char upload[64];
    r->o.scan.max_size = TEXT.n;
    begin(r, upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT), 202, NONE);
    assert_answer(finish(r, upload, TEXT, CK_DIGEST_SHA256), 201, NONE);
    begin(r, upload);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, TEXT), 202, NONE);
    assert_answer(send_bytes(r, upload, (struct ck_ask){ 0 }, CK_V("x")), 413, SIZE_INVALID);
    assert_answer(ASK(r, UPLOAD_STATUS, .upload = ck_view_str(upload)), 404, BLOB_UPLOAD_UNKNOWN);
    assert_int_equal(files_in(r->f, "partial"), 0);
}

static void only_the_hosted_area_takes_anything(void **state)
{
    struct rig *r = *state;
    struct answered a = ASK(r, UPLOAD_START, .repository = CK_V("library/debian"));
    assert_answer(a, 403, DENIED);
    assert_string_equal(a.message, "this is docker.io, seen through the gate; push below hosted/");
    assert_answer(ASK(r, MANIFEST_DELETE, .repository = CK_V("library/debian"),
                      .reference = CK_V("1")), 405, UNSUPPORTED);
    r->roles = CK_ROLE_PULL;
    assert_answer(ASK(r, UPLOAD_START), 403, DENIED);
}

/* --- claims ----------------------------------------------------------------------------------- */

static void claims_are_bounded_and_end(void **state)
{
    struct rig *r = *state;
    struct ck_claims *c = &r->g.uploads->claims;
    struct ck_hold *h = NULL;
    struct ck_digest d = unit_digest(CK_V("first"));
    char name[32];
    assert_ok(ck_hold_get(&r->g, c, 1, &h));
    ck_claim_add(c, CK_V("first"), &d, h, 1);
    for (unsigned i = 1; i < CK_MAX_CLAIMS; i++) {
        snprintf(name, sizeof name, "r%u", i);
        d.bytes[0] = (uint8_t)i;
        d.bytes[1] = (uint8_t)(i >> 8);
        ck_claim_add(c, ck_view_str(name), &d, h, 2);
    }
    struct ck_digest first = unit_digest(CK_V("first"));
    assert_int_equal(c->n, CK_MAX_CLAIMS);
    assert_true(ck_claim_has(c, CK_V("first"), &first));
    ck_claim_add(c, CK_V("last"), &first, h, 3);
    assert_int_equal(c->n, CK_MAX_CLAIMS);
    assert_false(ck_claim_has(c, CK_V("first"), &first));
    assert_true(ck_claim_has(c, CK_V("last"), &first));
    ck_claims_expire(c, 1 + (int64_t)CK_MAX_CLAIM_SECONDS);
    assert_int_equal(c->n, CK_MAX_CLAIMS);
    ck_claims_expire(c, 2 + (int64_t)CK_MAX_CLAIM_SECONDS);
    assert_int_equal(c->n, 1);
    ck_hold_put(c, h);
}

static void what_is_claimed_survives_a_collection_until_the_claim_ends(void **state)
{
    struct rig *r = *state;
    struct ck_claims *c = &r->g.uploads->claims;
    struct ck_digest d = push_blob(r, "", TEXT);
    struct ck_gc_result gone;
    struct ck_hold *h = NULL;
    assert_ok(ck_store_gc(r->f->s, false, &gone));
    assert_true(has(r->f, &d));
    new_lease(r->f); /* has() has put it under the test's own */
    assert_ok(ck_hold_get(&r->g, c, ck_push_now() + 100000, &h)); /* the next hold */
    ck_hold_put(c, h);
    ck_claims_expire(c, ck_push_now() + (int64_t)CK_MAX_CLAIM_SECONDS);
    assert_ok(ck_store_gc(r->f->s, false, &gone));
    assert_false(has(r->f, &d));
}

static void a_blob_is_mounted_from_where_one_may_pull(void **state)
{
    struct rig *r = *state;
    char text[CK_DIGEST_TEXT];
    struct ck_user u = { .name = CK_V("alice"), .roles = r->roles,
                         .repository = CK_V("hosted/a*") };
    assert_ok(ck_store_put_user(r->f->s, &u));
    struct ck_digest d = push_blob(r, "hosted/a/b", TEXT);
    struct ck_digest other = push_blob(r, "hosted/b", CK_V("b"));
    ck_view open = ck_view_str(ck_digest_text(&d, text));
    struct answered a = ASK(r, UPLOAD_START, .reference = open, .from = CK_V("hosted/a/b"));
    assert_answer(a, 201, NONE);
    assert_true(ck_digest_eq(&a.w.digest, &d));
    assert_true(ck_upload_claimed(&r->g, CK_V("gate.internal/hosted/app"), &d));
    assert_answer(ASK(r, BLOB_DELETE, .reference = open), 202, NONE);
    assert_answer(ASK(r, UPLOAD_START, .reference = open), 201, NONE); /* wherever it is */
    /* Where nothing of it is, where one may not pull, and what is not of here. */
    assert_answer(ASK(r, UPLOAD_START, .reference = open, .from = CK_V("hosted/a/c")), 202, NONE);
    assert_answer(ASK(r, UPLOAD_START, .reference = open, .from = CK_V("library/debian")), 202,
                  NONE);
    ck_view closed = ck_view_str(ck_digest_text(&other, text));
    assert_answer(ASK(r, UPLOAD_START, .reference = closed, .from = CK_V("hosted/b")), 202, NONE);
    assert_answer(ASK(r, UPLOAD_START, .reference = closed), 202, NONE);
    assert_false(ck_upload_claimed(&r->g, CK_V("gate.internal/hosted/app"), &other));
}

static void unjudged_repositories_are_named_by_pattern(void **state)
{
    struct rig *r = *state;
    static const char *const patterns[] = { "hosted/charts/*", "hosted/one",
                                            "docker.io/library/debian" };
    assert_false(ck_is_unjudged(&r->g, CK_V("gate.internal/hosted/one")));
    r->o.unjudged = patterns;
    r->o.n_unjudged = 3;
    assert_true(ck_is_unjudged(&r->g, CK_V("gate.internal/hosted/one")));
    assert_true(ck_is_unjudged(&r->g, CK_V("gate.internal/hosted/charts/x")));
    assert_false(ck_is_unjudged(&r->g, CK_V("gate.internal/hosted/one/more")));
    assert_false(ck_is_unjudged(&r->g, CK_V("docker.io/hosted/one"))); /* of an upstream */
    assert_false(ck_is_unjudged(&r->g, CK_V("docker.io/library/debian")));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
        TEST(a_blob_comes_in_and_is_claimed),
        TEST(chunks_must_follow_each_other),
        TEST(any_algorithm_may_end_it),
        TEST(attack_bytes_of_another_digest_are_gone),
        TEST(what_a_client_broke_off_does_not_count),
        TEST(attack_fewer_bytes_than_were_said),
        TEST(a_room_that_died_leaves_an_upload_that_goes_on),
        TEST(attack_an_upload_of_somebody_else),
        TEST(attack_as_many_uploads_as_one_likes),
        TEST(uploads_that_nobody_goes_on_with_end),
        TEST(attack_a_blob_that_never_ends),
        TEST(only_the_hosted_area_takes_anything),
        TEST(claims_are_bounded_and_end),
        TEST(what_is_claimed_survives_a_collection_until_the_claim_ends),
        TEST(a_blob_is_mounted_from_where_one_may_pull),
        TEST(unjudged_repositories_are_named_by_pattern),
    };
    ck_room_main(argc, argv, ck_room_bodies);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
