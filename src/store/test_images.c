#include "store/unit_fixture.h"

/* --- images ----------------------------------------------------------------------------------- */

static void an_image_is_complete_when_its_parts_are_there(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = unit_image(1, 10);
    struct ck_store_entry e;
    u.image.parts = u.parts;
    assert_fails(ck_store_add_image(f->l, &u.image, false), CK_ERR_UNAVAILABLE, "manifest sha256:");
    assert_ok(ck_store_put(f->l, &u.image.digest, ck_view_str(u.texts[3])));
    assert_ok(ck_store_add_image(f->l, &u.image, false));
    e = get(f, &u.image.digest);
    assert_false(e.complete);
    assert_int_equal(e.state, CK_QUARANTINED);
    assert_view(e.reason, "not examined");
    assert_int_equal(e.image.n_parts, 3);
    assert_int_equal(e.image.parts[0].role, CK_PART_CONFIG);
    assert_view(e.image.parts[1].media_type, UNIT_OCI "layer.v1.tar");
    assert_fails(ck_store_add_image(f->l, &u.image, true), CK_ERR_UNAVAILABLE,
                 "config sha256:");
    assert_ok(unit_fetch(f->l, &u, CK_V("")));
    e = get(f, &u.image.digest);
    assert_true(e.complete);
    assert_int_equal(e.total, strlen(u.texts[0]) + strlen(u.texts[1]) + strlen(u.texts[2]) +
                              strlen(u.texts[3]));
    unit_image_free(&u);
}

static void attack_a_descriptor_that_lies_about_the_size(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = unit_image(1, 10);
    u.parts[1].size++;
    assert_fails(unit_fetch(f->l, &u, CK_V("")), CK_ERR_HOSTILE, "its descriptor says");
    assert_false(get(f, &u.image.digest).complete);
    unit_image_free(&u);
}

static void names_move_and_are_remembered(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "docker.io/library/x:1"), b = fetch(f, 2, "");
    struct ck_digest from, none = unit_digest(CK_V("none"));
    bool moved = true;
    int64_t first = 0;
    ck_view *repositories;
    size_t n = 0;
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/x:1"), &a.image.digest, &moved,
                                &from));
    assert_false(moved);
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/x:1"), &b.image.digest, &moved,
                                &from));
    assert_true(moved);
    assert_true(ck_digest_eq(&from, &a.image.digest));
    assert_int_equal(get(f, &a.image.digest).n_names, 0);
    assert_view(get(f, &b.image.digest).names[0], "docker.io/library/x:1");
    assert_ok(ck_store_first_seen(f->s, CK_V("docker.io/library/x:1"), &a.image.digest, &first));
    assert_true(first > 1700000000);
    assert_ok(ck_store_first_seen(f->s, CK_V("docker.io/library/x:2"), &a.image.digest, &first));
    assert_int_equal(first, 0);
    assert_fails(ck_store_set_name(f->l, CK_V("x"), &none, &moved, &from), CK_ERR_UNAVAILABLE,
                 "is no image of the store");
    assert_ok(ck_store_set_name(f->l, CK_V("[::1]:5000/y@sha256:0"), &a.image.digest, &moved,
                                &from));
    assert_ok(ck_store_set_name(f->l, CK_V("[::1]:5000/y"), &a.image.digest, &moved, &from));
    assert_ok(ck_store_repositories(f->s, &f->arena, &repositories, &n));
    assert_int_equal(n, 2);
    assert_view(repositories[0], "[::1]:5000/y");
    assert_view(repositories[1], "docker.io/library/x");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void lists_are_by_name_and_hide_what_belongs_to_others(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, ""), b = fetch(f, 2, "b:1"), c = fetch(f, 3, "a:1");
    struct ck_digest index = add_index(f, "index", &a);
    struct ck_digest sbom = add_referrer(f, "sbom", &a.image.digest);
    struct ck_store_entry *e;
    size_t n = 0;
    assert_ok(ck_store_list(f->s, false, &f->arena, &e, &n));
    assert_int_equal(n, 3);
    assert_true(ck_digest_eq(&e[0].image.digest, &c.image.digest));
    assert_true(ck_digest_eq(&e[1].image.digest, &b.image.digest));
    assert_true(ck_digest_eq(&e[2].image.digest, &index));
    assert_true(e[2].image.index);
    assert_true(e[2].total > e[0].total);
    assert_ok(ck_store_list(f->s, true, &f->arena, &e, &n));
    assert_int_equal(n, 5);
    assert_ok(ck_store_referrers(f->s, &a.image.digest, &f->arena, &e, &n));
    assert_int_equal(n, 1);
    assert_true(ck_digest_eq(&e[0].image.digest, &sbom));
    assert_true(ck_digest_eq(&e[0].image.subject, &a.image.digest));
    assert_view(e[0].image.artifact_type, "application/sbom");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static ck_err *find(struct fixture *f, const char *what, struct ck_store_entry *e)
{
    return ck_store_find(f->s, ck_view_str(what), &f->arena, e);
}

static void images_are_found_by_name_and_digest(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "docker.io/library/x:1");
    struct ck_digest index = add_index(f, "index", &u), from;
    struct ck_store_entry e;
    char text[CK_DIGEST_TEXT];
    bool moved;
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/y:1"), &index, &moved, &from));
    assert_ok(find(f, "docker.io/library/x:1", &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_int_equal(e.image.n_parts, 3);
    ck_digest_text(&u.image.digest, text);
    assert_ok(find(f, text, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    ck_autofree char *short_ = ck_strndup(text + 7, 6), *prefixed = ck_strndup(text, 13),
                     *few = ck_strndup(text + 7, 5),
                     *pinned = ck_format("docker.io/library/x:old@%s", text),
                     *child = ck_format("docker.io/library/y@%s", text),
                     *other = ck_format("docker.io/library/z@%s", text);
    assert_ok(find(f, short_, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_ok(find(f, prefixed, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_fails(find(f, few, &e), CK_ERR_UNAVAILABLE, "the store has no image");
    assert_ok(find(f, pinned, &e));
    assert_ok(find(f, child, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_fails(find(f, "x:1", &e), CK_ERR_UNAVAILABLE, "no image");
    static const char *const typed[] = { "x:1", "docker://x:1", "store:x:1", "docker.io/x:1" };
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        assert_ok(ck_store_find_typed(f->s, ck_view_str(typed[i]), &f->arena, &e));
        assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    }
    assert_fails(ck_store_find_typed(f->s, CK_V("x"), &f->arena, &e), CK_ERR_UNAVAILABLE,
                 "no image docker.io/library/x:latest");
    assert_fails(ck_store_find_typed(f->s, CK_V("X Y"), &f->arena, &e), CK_ERR_UNAVAILABLE,
                 "no image X Y");
    assert_fails(find(f, other, &e), CK_ERR_UNAVAILABLE, "the store has no image");
    assert_fails(find(f, "docker.io/library/x:2", &e), CK_ERR_UNAVAILABLE, "see cocket ls");
    assert_fails(find(f, "x@nonsense", &e), CK_ERR_UNAVAILABLE, "see cocket ls");
    assert_fails(find(f, "", &e), CK_ERR_UNAVAILABLE, "see cocket ls");
    unit_image_free(&u);
}

static void digits_that_mean_several_are_a_usage_error(void **state)
{
    struct fixture *f = *state;
    struct ck_store_entry e;
    tamper(f, "INSERT INTO blob VALUES('sha256:abcdef" /* two of 64 digits */
              "0000000000000000000000000000000000000000000000000000000000',1),"
              "('sha256:abcdef"
              "1000000000000000000000000000000000000000000000000000000000',1);"
              "INSERT INTO image SELECT digest,'',1,0,'',NULL,'',0,0,'','',0,0,0 FROM blob");
    assert_fails(find(f, "abcdef", &e), CK_ERR_USAGE, "say more digits");
    assert_ok(find(f, "abcdef1", &e));
    assert_ok(find(f, "sha256:abcdef0", &e));
    assert_fails(find(f, "sha512:abcdef0", &e), CK_ERR_UNAVAILABLE, "no image");
    assert_fails(find(f, "abcdef2", &e), CK_ERR_UNAVAILABLE, "no image");
}

/* --- decisions -------------------------------------------------------------------------------- */

static void a_scan_does_not_undo_a_person(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x:1");
    const struct ck_digest *d = &u.image.digest;
    static const struct {
        enum ck_state_of_image person, scan, after;
    } cases[] = {
        { CK_DENIED, CK_CLEARED, CK_DENIED },
        { CK_DENIED, CK_QUARANTINED, CK_DENIED },
        { CK_CLEARED, CK_QUARANTINED, CK_CLEARED },
        { CK_CLEARED, CK_CLEARED, CK_CLEARED },
        { CK_CLEARED, CK_DENIED, CK_DENIED },
        { CK_QUARANTINED, CK_CLEARED, CK_CLEARED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decide(f, d, cases[i].person, CK_BY_PERSON), cases[i].person);
        assert_true(get(f, d).by_person);
        assert_int_equal(decide(f, d, cases[i].scan, CK_BY_SCAN), cases[i].after);
    }
    /* scans among themselves, and a person over a scan */
    assert_int_equal(decide(f, d, CK_QUARANTINED, CK_BY_SCAN), CK_QUARANTINED);
    assert_int_equal(decide(f, d, CK_DENIED, CK_BY_SCAN), CK_DENIED);
    assert_int_equal(decide(f, d, CK_CLEARED, CK_BY_SCAN), CK_CLEARED);
    assert_false(get(f, d).by_person);
    assert_int_equal(decide(f, d, CK_DENIED, CK_BY_PERSON), CK_DENIED);
    assert_view(get(f, d).reason, "because");
    assert_true(get(f, d).who.n > 0);
    assert_true(get(f, d).decided > 1700000000);
    struct ck_digest none = unit_digest(CK_V("none"));
    assert_fails(ck_store_decide(f->s, &none, CK_CLEARED, CK_V(""), CK_BY_SCAN, NULL),
                 CK_ERR_UNAVAILABLE, "is no image of the store");
    unit_image_free(&u);
}

static void what_a_person_denied_comes_back_denied(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x:1");
    const struct ck_digest *d = &u.image.digest;
    decide(f, d, CK_DENIED, CK_BY_PERSON);
    assert_ok(ck_store_remove(f->s, d, CK_V("")));
    new_lease(f);
    assert_int_equal(gc(f, false).images, 1);
    assert_ok(unit_fetch(f->l, &u, CK_V("x:1")));
    assert_int_equal(get(f, d).state, CK_DENIED);
    assert_view(get(f, d).reason, "because");
    assert_int_equal(decide(f, d, CK_CLEARED, CK_BY_SCAN), CK_DENIED);
    /* what one cleared is examined again */
    decide(f, d, CK_CLEARED, CK_BY_PERSON);
    assert_ok(ck_store_remove(f->s, d, CK_V("x:1")));
    new_lease(f);
    gc(f, false);
    assert_ok(unit_fetch(f->l, &u, CK_V("x:1")));
    assert_int_equal(get(f, d).state, CK_QUARANTINED);
    assert_view(get(f, d).reason, "not examined");
    unit_image_free(&u);
}

static void reports_are_kept_with_their_image(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x:1");
    struct ck_digest none = unit_digest(CK_V("none"));
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_DOCUMENT);
    bool found = true;
    assert_ok(ck_store_get_report(f->s, &u.image.digest, &out, &found));
    assert_false(found);
    assert_ok(ck_store_put_report(f->s, &u.image.digest, CK_V("{}")));
    assert_ok(ck_store_put_report(f->s, &u.image.digest, CK_V("{\"a\":1}")));
    assert_ok(ck_store_get_report(f->s, &u.image.digest, &out, &found));
    assert_true(found);
    assert_view(ck_buf_view(&out), "{\"a\":1}");
    assert_fails(ck_store_put_report(f->s, &none, CK_V("{}")), CK_ERR_UNAVAILABLE, "no image");
    unit_image_free(&u);
}

/* --- the log ---------------------------------------------------------------------------------- */

static ck_err *remember(void *ctx, const struct ck_log_record *r)
{
    ck_buf_format(ctx, "%llu %.*s %.*s %.*s\n", (unsigned long long)r->number, CK_VF(r->event),
                  CK_VF(r->name), CK_VF(r->text));
    return NULL;
}

static void the_log_is_a_chain(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "x:1"), b = fetch(f, 2, "x:1");
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    uint8_t head[32], later[32];
    uint64_t n = 7;
    decide(f, &b.image.digest, CK_DENIED, CK_BY_PERSON);
    decide(f, &b.image.digest, CK_CLEARED, CK_BY_SCAN);
    assert_ok(ck_log_append(f->s, CK_V("load"), &b.image.digest, CK_V("x:1"), CK_V("to docker")));
    assert_ok(ck_store_remove(f->s, &b.image.digest, CK_V("")));
    assert_ok(ck_log_read(f->s, 2, remember, &said));
    ck_put_u8(&said, 0);
    assert_string_equal((char *)said.p,
                        "2 decide  denied by a person: because\n"
                        "3 decide  cleared by a scan: because; a person's denied stands\n"
                        "4 load x:1 to docker\n5 remove x:1 \n");
    assert_ok(ck_log_verify(f->s, &n, head));
    assert_int_equal(n, 5);
    assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V(""), CK_V("")));
    assert_ok(ck_log_verify(f->s, &n, later));
    assert_int_equal(n, 6);
    assert_memory_not_equal(head, later, 32);
    unit_image_free(&a);
    unit_image_free(&b);
}

static void a_long_log_is_read_whole(void **state)
{
    struct fixture *f = *state;
    uint8_t head[32];
    uint64_t n = 0;
    for (int i = 0; i < 515; i++)
        assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V(""), CK_V("x")));
    assert_ok(ck_log_verify(f->s, &n, head));
    assert_int_equal(n, 515);
    assert_ok(ck_log_last(f->s, &n));
    assert_int_equal(n, 515);
}

static void attack_every_change_of_the_log_is_seen(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql, *why;
    } cases[] = {
        { "UPDATE log SET text='cleared' WHERE number=2", "log record 2 does not fit" },
        { "UPDATE log SET who='somebody' WHERE number=1", "log record 1 does not fit" },
        { "UPDATE log SET time=time+1 WHERE number=3", "log record 3 does not fit" },
        { "UPDATE log SET event='lo', digest='ad' WHERE number=3", "log record 3 does not fit" },
        { "UPDATE log SET name='ab', text='c' WHERE number=4", "log record 4 does not fit" },
        { "UPDATE log SET hash=zeroblob(32) WHERE number=2", "log record 2 does not fit" },
        { "UPDATE log SET hash='short' WHERE number=2", "log record 2: its hash" },
        { "DELETE FROM log WHERE number=2", "log record 2 is missing" },
        { "DELETE FROM log WHERE number=1", "log record 1 is missing" },
        { "INSERT INTO log VALUES(0,0,'','','','','',zeroblob(32))", "log record 1 is missing" },
        { "INSERT INTO log VALUES(6,0,'','','','','',zeroblob(32))", "record 6 does not fit" },
    };
    uint8_t head[32];
    uint64_t n;
    for (int i = 0; i < 5; i++)
        assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V("a"), CK_V("bc")));
    tamper(f, "CREATE TABLE copy AS SELECT * FROM log; DROP TRIGGER log_is_not_changed;"
              "DROP TRIGGER log_is_not_deleted");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tamper(f, cases[i].sql);
        assert_fails(ck_log_verify(f->s, &n, head), CK_ERR_HOSTILE, cases[i].why);
        assert_fsck(f, true, cases[i].why);
        tamper(f, "DELETE FROM log; INSERT INTO log SELECT * FROM copy");
        assert_ok(ck_log_verify(f->s, &n, head));
    }
}

static void the_log_cannot_be_changed_by_mistake(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *path = ck_format("%s/state.db", f->dir);
    sqlite3 *db = NULL;
    assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V(""), CK_V("x")));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM log", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE log SET text='y'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_image_is_complete_when_its_parts_are_there),
        T(attack_a_descriptor_that_lies_about_the_size),
        T(names_move_and_are_remembered),
        T(lists_are_by_name_and_hide_what_belongs_to_others),
        T(images_are_found_by_name_and_digest),
        T(digits_that_mean_several_are_a_usage_error),
        T(a_scan_does_not_undo_a_person),
        T(what_a_person_denied_comes_back_denied),
        T(reports_are_kept_with_their_image),
        T(the_log_is_a_chain),
        T(a_long_log_is_read_whole),
        T(attack_every_change_of_the_log_is_seen),
        T(the_log_cannot_be_changed_by_mistake),
    };
    return cmocka_run_group_tests_name("store images", tests, NULL, NULL);
}
