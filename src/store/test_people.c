/* Who may and who wanted: approvals, users, tokens. */
#include "store/unit_fixture.h"

/* The last line of the log. */
static ck_err *keep_last(void *ctx, const struct ck_log_record *r)
{
    ck_buf_clear(ctx);
    ck_buf_format(ctx, "%.*s %.*s %.*s: %.*s", CK_VF(r->who), CK_VF(r->event), CK_VF(r->name),
                  CK_VF(r->text));
    return NULL;
}

static void assert_logged(struct fixture *f, const char *want)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_log_read(f->s, 0, keep_last, &b));
    ck_autofree char *got = ck_buf_steal_str(&b);
    assert_non_null(got);
    if (!strstr(got, want))
        print_error("logged: %s\nwant: %s\n", got, want);
    assert_non_null(strstr(got, want));
}

/* --- decisions in another's name -------------------------------------------------------------- */

static void decisions_bear_the_name_of_who_took_them(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "r/x:1");
    enum ck_state_of_image now = CK_DENIED;
    assert_ok(ck_store_decide_as(f->s, "ann", &u.image.digest, CK_CLEARED, CK_V("read it"),
                                 CK_BY_PERSON, &now));
    assert_int_equal(now, CK_CLEARED);
    assert_view(get(f, &u.image.digest).who, "ann");
    assert_logged(f, "ann decide : cleared by a person: read it");
    assert_ok(ck_store_decide_as(f->s, "bob", &u.image.digest, CK_DENIED, CK_V("no"), CK_BY_PERSON,
                                 NULL));
    assert_ok(ck_store_remove(f->s, &u.image.digest, CK_V("")));
    new_lease(f);
    gc(f, false);
    assert_ok(unit_fetch(f->l, &u, CK_V("r/x:1")));
    assert_view(get(f, &u.image.digest).who, "bob");
    assert_ok(ck_log_append_as(f->s, "eve", CK_V("login-failed"), NULL, CK_V(""), CK_V("x")));
    assert_logged(f, "eve login-failed : x");
    unit_image_free(&u);
}

static unsigned approve(struct fixture *f, const struct ck_digest *d, const char *who)
{
    unsigned n = 99, again = 98;
    assert_ok(ck_store_approve(f->s, d, who, CK_V("why"), &n));
    assert_ok(ck_store_approvals(f->s, d, &again));
    assert_int_equal(n, again);
    return n;
}

static void a_person_counts_once(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "r/x:1"), v = fetch(f, 2, "r/y:1");
    const struct ck_digest *d = &u.image.digest;
    struct ck_digest none = unit_digest(CK_V("none"));
    uint64_t before = 0, after = 0;
    unsigned n = 99;
    assert_ok(ck_store_approvals(f->s, d, &n));
    assert_int_equal(n, 0);
    assert_int_equal(approve(f, d, "ann"), 1);
    assert_logged(f, "ann approve : why");
    assert_ok(ck_log_last(f->s, &before));
    assert_int_equal(approve(f, d, "ann"), 1);
    assert_ok(ck_log_last(f->s, &after));
    assert_int_equal(before, after);
    assert_int_equal(approve(f, d, NULL), 2);
    assert_int_equal(approve(f, &v.image.digest, "ann"), 1);
    assert_fails(ck_store_approve(f->s, &none, "ann", CK_V(""), &n), CK_ERR_UNAVAILABLE,
                 "no image");
    /* a denial forgets them, by whom ever; anything else does not */
    decide(f, d, CK_QUARANTINED, CK_BY_SCAN);
    assert_int_equal(approve(f, d, "bob"), 3);
    decide(f, d, CK_DENIED, CK_BY_SCAN);
    assert_int_equal(approve(f, d, "bob"), 1);
    decide(f, d, CK_DENIED, CK_BY_PERSON);
    assert_int_equal(approve(f, d, "ann"), 1);
    assert_ok(ck_store_approvals(f->s, &v.image.digest, &n));
    assert_int_equal(n, 1);
    /* and they go with the image */
    assert_ok(ck_store_remove(f->s, &v.image.digest, CK_V("")));
    new_lease(f);
    gc(f, false);
    assert_ok(unit_fetch(f->l, &v, CK_V("r/y:1")));
    assert_ok(ck_store_approvals(f->s, &v.image.digest, &n));
    assert_int_equal(n, 0);
    unit_image_free(&u);
    unit_image_free(&v);
}

/* --- users ------------------------------------------------------------------------------------ */

static void roles_have_names(void **state)
{
    struct fixture *f = *state;
    uint32_t roles = 0;
    assert_ok(ck_roles_parse(CK_V("push, pull"), &roles));
    assert_int_equal(roles, 3);
    assert_ok(ck_roles_parse(CK_V("release,admin"), &roles));
    assert_int_equal(roles, 12);
    assert_string_equal(ck_roles_text(15, &f->arena), "pull,push,release,admin");
    assert_string_equal(ck_roles_text(0, &f->arena), "");
    assert_fails(ck_roles_parse(CK_V("pull,root"), &roles), CK_ERR_USAGE, "\"root\" is no role");
    assert_fails(ck_roles_parse(CK_V(""), &roles), CK_ERR_USAGE, "\"\" is no role");
    assert_int_equal(roles, 12);
}

static void users_are_kept_and_changed(void **state)
{
    struct fixture *f = *state;
    struct ck_user u = { .name = CK_V("ann"), .roles = 3, .repository = CK_V("hosted/team/*"),
                         .password = CK_V("$argon2id$1"), .expires = 1800000000 };
    struct ck_user got, *all;
    bool found = true, was = false;
    size_t n = 0;
    assert_ok(ck_store_get_user(f->s, CK_V("ann"), &f->arena, &got, &found));
    assert_false(found);
    assert_ok(ck_store_put_user(f->s, &u));
    assert_logged(f, "user ann: added, roles pull,push, repository hosted/team/*, until "
                     "2027-01-15T08:00:00Z");
    assert_ok(ck_store_get_user(f->s, CK_V("ann"), &f->arena, &got, &found));
    assert_true(found);
    assert_view(got.name, "ann");
    assert_view(got.repository, "hosted/team/*");
    assert_view(got.password, "$argon2id$1");
    assert_int_equal(got.roles, 3);
    assert_int_equal(got.expires, 1800000000);
    assert_false(got.robot || got.disabled);
    got.password = CK_V("$argon2id$2");
    got.disabled = true;
    got.expires = 0;
    assert_ok(ck_store_put_user(f->s, &got));
    assert_logged(f, "changed, roles pull,push, repository hosted/team/*, another password, "
                     "disabled");
    u = (struct ck_user){ .name = CK_V("robot-ci"), .robot = true, .roles = 2 };
    assert_ok(ck_store_put_user(f->s, &u));
    assert_ok(ck_store_list_users(f->s, &f->arena, &all, &n));
    assert_int_equal(n, 2);
    assert_true(all[0].disabled);
    assert_true(all[1].robot);
    assert_ok(ck_store_remove_user(f->s, CK_V("ann"), &was));
    assert_true(was);
    assert_logged(f, "user ann: removed");
    assert_ok(ck_store_remove_user(f->s, CK_V("ann"), &was));
    assert_false(was);
}

static void attack_user_names_of_another_grammar(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *longest = ck_calloc(CK_MAX_USER_NAME + 1, 1);
    struct ck_user u = { .name = ck_view_of(longest, CK_MAX_USER_NAME) };
    static const char *const bad[] = { "", "Ann", "a:b", "a b", "\xc3\xa4", "a\n", "anonymous/x" };
    memset(longest, 'a', CK_MAX_USER_NAME + 1);
    assert_ok(ck_store_put_user(f->s, &u));
    u.name.n++;
    assert_fails(ck_store_put_user(f->s, &u), CK_ERR_USAGE, "1 to 64");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        u.name = ck_view_str(bad[i]);
        assert_fails(ck_store_put_user(f->s, &u), CK_ERR_USAGE, "is no user name");
    }
    u.name = CK_V("robot-x");
    assert_fails(ck_store_put_user(f->s, &u), CK_ERR_USAGE, "begins with \"robot-\"");
    u = (struct ck_user){ .name = CK_V("x"), .robot = true };
    assert_fails(ck_store_put_user(f->s, &u), CK_ERR_USAGE, "begins with \"robot-\"");
}

static bool has_token(struct fixture *f, uint8_t first)
{
    uint8_t hash[32] = { first };
    ck_view user;
    uint32_t roles;
    int64_t expires;
    bool found = false;
    assert_ok(ck_store_get_token(f->s, hash, &f->arena, &user, &roles, &expires, &found));
    if (found) {
        assert_view(user, "robot-ci");
        assert_int_equal(roles, 1);
    }
    return found;
}

static void put_token(struct fixture *f, uint8_t first, int64_t expires)
{
    uint8_t hash[32] = { first };
    assert_ok(ck_store_put_token(f->s, hash, CK_V("robot-ci"), 1, expires));
}

static void tokens_go_with_their_user(void **state)
{
    struct fixture *f = *state;
    struct ck_user u = { .name = CK_V("robot-ci"), .robot = true, .roles = 3 };
    uint8_t hash[32] = { 0 };
    bool was;
    assert_fails(ck_store_put_token(f->s, hash, CK_V("robot-ci"), 1, 0), CK_ERR_UNAVAILABLE,
                 "there is no user robot-ci");
    assert_ok(ck_store_put_user(f->s, &u));
    put_token(f, 1, 0);
    put_token(f, 2, 1000);
    put_token(f, 3, 4000000000);
    assert_logged(f, "user robot-ci: token for pull until 2096-");
    assert_ok(ck_store_put_user(f->s, &u)); /* a change leaves them */
    assert_true(has_token(f, 2));
    assert_ok(ck_store_drop_tokens(f->s, CK_V("")));
    assert_true(has_token(f, 1) && !has_token(f, 2) && has_token(f, 3));
    assert_ok(ck_store_drop_tokens(f->s, CK_V("robot-ci")));
    assert_logged(f, "all tokens revoked");
    assert_false(has_token(f, 1) || has_token(f, 3));
    put_token(f, 4, 0);
    assert_ok(ck_store_remove_user(f->s, CK_V("robot-ci"), &was));
    assert_false(has_token(f, 4));
    assert_fsck(f, true, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(decisions_bear_the_name_of_who_took_them),
        T(a_person_counts_once),
        T(roles_have_names),
        T(users_are_kept_and_changed),
        T(attack_user_names_of_another_grammar),
        T(tokens_go_with_their_user),
    };
    return cmocka_run_group_tests_name("store people", tests, NULL, NULL);
}
