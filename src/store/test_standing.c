/* One image as looking again sees it; names that moved; names of upstreams. */
#include "store/standing.h"

#include "store/unit_fixture.h"

/* An index with these children, under a name. */
static struct ck_digest put_index(struct fixture *f, const char *text, struct unit_image *v,
                                  size_t n, ck_view name)
{
    struct ck_store_part *parts = ck_arena_alloc(&f->arena, n, sizeof *parts);
    struct ck_digest from;
    bool moved;
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct ck_store_part){ .digest = v[i].image.digest, .size = v[i].image.size,
                                           .media_type = v[i].image.media_type,
                                           .role = CK_PART_MANIFEST };
    struct ck_store_image im = { .digest = unit_digest(ck_view_str(text)), .size = strlen(text),
                                 .media_type = CK_V(UNIT_OCI "index.v1+json"), .index = true,
                                 .parts = parts, .n_parts = n };
    assert_ok(ck_store_put(f->l, &im.digest, ck_view_str(text)));
    assert_ok(ck_store_add_image(f->l, &im, true));
    assert_ok(ck_store_set_name(f->l, name, &im.digest, &moved, &from));
    return im.digest;
}

static struct ck_standing standing(struct fixture *f, const struct ck_digest *d)
{
    struct ck_standing st = { 0 };
    bool found = false;
    assert_ok(ck_store_standing(f->s, d, &f->arena, &st, &found));
    assert_true(found);
    return st;
}

static void an_image_has_the_names_of_its_indexes(void **state)
{
    struct fixture *f = *state;
    struct unit_image v[2] = { unit_image(0, 10), unit_image(1, 10) };
    bool found = true;
    struct ck_standing st = { 0 };
    assert_ok(ck_store_standing(f->s, &v[0].image.digest, &f->arena, &st, &found));
    assert_false(found);
    assert_ok(unit_fetch(f->l, &v[0], CK_V("up.test/z:own")));
    assert_ok(unit_fetch(f->l, &v[1], CK_V("")));
    assert_int_equal(standing(f, &v[1].image.digest).n_names, 0);
    assert_ok(ck_store_link(f->l, CK_V("up.test/a"), &v[1].image.digest));
    st = standing(f, &v[1].image.digest);
    assert_int_equal(st.n_names, 1);
    assert_true(ck_view_starts(st.names[0], CK_V("up.test/a@sha256:")));

    struct ck_digest index = put_index(f, "index", v, 2, CK_V("up.test/a:1"));
    st = standing(f, &v[0].image.digest);
    assert_int_equal(st.n_names, 2);
    assert_view(st.names[0], "up.test/z:own"); /* its own comes first */
    assert_view(st.names[1], "up.test/a:1");
    assert_int_equal(st.n_indexes, 1);
    assert_true(ck_digest_eq(&st.indexes[0], &index));
    assert_true(st.complete);
    assert_false(st.has_inventory);
    assert_int_equal(st.state, CK_QUARANTINED);
    assert_view(st.platform, "linux/amd64");
    st = standing(f, &v[1].image.digest);
    assert_int_equal(st.n_names, 1); /* a link is a name only where there is no other */
    assert_view(st.names[0], "up.test/a:1");
    for (int i = 0; i < 2; i++)
        unit_image_free(&v[i]);
}

static void put_chain(struct fixture *f, const struct unit_image *im, const char *chain)
{
    assert_ok(ck_store_put_facts(f->s, &im->image.digest, CK_V("x"), NULL, 0, ck_view_str(chain)));
}

static void a_moved_name_says_what_it_was_and_is(void **state)
{
    struct fixture *f = *state;
    struct unit_image v[4] = { unit_image(0, 10), unit_image(1, 10), unit_image(2, 10),
                               unit_image(3, 10) };
    struct ck_moved_name *moved = NULL;
    size_t n = 9;
    v[3].image.platform = CK_V("linux/arm64");
    for (int i = 0; i < 4; i++)
        assert_ok(unit_fetch(f->l, &v[i], i == 0 ? CK_V("up.test/base:1") : CK_V("")));
    put_chain(f, &v[0], "sha256:old");
    put_chain(f, &v[1], "sha256:new");
    put_chain(f, &v[3], "sha256:arm");
    assert_ok(ck_store_moved_names(f->s, &f->arena, &moved, &n));
    assert_int_equal(n, 0);
    /* v[2] was not examined, v[3] is for another platform */
    put_index(f, "index", v + 1, 3, CK_V("up.test/base:1"));
    assert_ok(ck_store_moved_names(f->s, &f->arena, &moved, &n));
    assert_int_equal(n, 1);
    assert_view(moved[0].name, "up.test/base:1");
    assert_view(moved[0].chain, "sha256:old");
    assert_true(ck_digest_eq(&moved[0].was, &v[0].image.digest));
    assert_true(ck_digest_eq(&moved[0].is, &v[1].image.digest));
    /* the same layers under another config are no newer build */
    put_chain(f, &v[1], "sha256:old");
    assert_ok(ck_store_moved_names(f->s, &f->arena, &moved, &n));
    assert_int_equal(n, 0);
    for (int i = 0; i < 4; i++)
        unit_image_free(&v[i]);
}

static void names_of_upstreams_are_those_with_a_tag(void **state)
{
    struct fixture *f = *state;
    struct unit_image im = unit_image(0, 10);
    struct ck_upstream_name *v = NULL;
    struct ck_digest from;
    bool was;
    size_t n = 0;
    assert_ok(unit_fetch(f->l, &im, CK_V("up.test/b:1")));
    static const char *const others[] = { "up.test:5000/a:2", "gate.internal/hosted/x:1",
                                          "gate.internal.test/x:1" };
    for (int i = 0; i < 3; i++)
        assert_ok(ck_store_set_name(f->l, ck_view_str(others[i]), &im.image.digest, &was, &from));
    assert_ok(ck_store_upstream_names(f->s, INT64_MAX, 10, &f->arena, &v, &n));
    assert_int_equal(n, 3);
    assert_view(v[0].name, "gate.internal.test/x:1");
    assert_view(v[1].name, "up.test/b:1");
    assert_view(v[2].name, "up.test:5000/a:2");
    assert_true(ck_digest_eq(&v[2].digest, &im.image.digest));
    assert_ok(ck_store_upstream_names(f->s, INT64_MAX, 2, &f->arena, &v, &n));
    assert_int_equal(n, 2);
    assert_ok(ck_store_upstream_names(f->s, v[0].checked, 10, &f->arena, &v, &n));
    assert_int_equal(n, 0); /* just checked */
    unit_image_free(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_image_has_the_names_of_its_indexes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_moved_name_says_what_it_was_and_is, setup, teardown),
        cmocka_unit_test_setup_teardown(names_of_upstreams_are_those_with_a_tag, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
