/* Images by the ids of container runtimes. */
#include "store/unit_fixture.h"

static size_t by_id(struct fixture *f, const char *hex, struct ck_digest **ret)
{
    size_t n = 99;
    assert_ok(ck_store_by_id(f->s, ck_view_str(hex), &f->arena, ret, &n));
    return n;
}

static void config_and_manifest_are_ids_and_layers_are_none(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = unit_image(1, 100), b = unit_image(2, 100);
    struct ck_digest *v = NULL;
    char text[CK_DIGEST_TEXT];
    assert_ok(unit_fetch(f->l, &a, CK_V("")));
    assert_ok(unit_fetch(f->l, &b, CK_V("")));
    for (unsigned digits = 6; digits <= 64; digits += 29) {
        ck_digest_text(&a.parts[0].digest, text);
        text[7 + digits] = 0;
        assert_int_equal(by_id(f, text + 7, &v), 1);
        assert_true(ck_digest_eq(&v[0], &a.image.digest));
        ck_digest_text(&b.image.digest, text);
        text[7 + digits] = 0;
        assert_int_equal(by_id(f, text + 7, &v), 1);
        assert_true(ck_digest_eq(&v[0], &b.image.digest));
    }
    ck_digest_text(&a.parts[1].digest, text);
    assert_int_equal(by_id(f, text + 7, &v), 0);
    unit_image_free(&a);
    unit_image_free(&b);
}

static void images_of_one_config_are_all_found(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = unit_image(1, 100), b = unit_image(2, 100);
    struct ck_digest *v = NULL;
    char text[CK_DIGEST_TEXT];
    free(b.texts[0]);
    b.texts[0] = ck_strndup(a.texts[0], strlen(a.texts[0]));
    b.parts[0] = a.parts[0];
    assert_ok(unit_fetch(f->l, &a, CK_V("")));
    assert_ok(unit_fetch(f->l, &b, CK_V("")));
    ck_digest_text(&a.parts[0].digest, text);
    assert_int_equal(by_id(f, text + 7, &v), 2);
    unit_image_free(&a);
    unit_image_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(config_and_manifest_are_ids_and_layers_are_none, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(images_of_one_config_are_all_found, setup, teardown),
    };
    return cmocka_run_group_tests_name("store_ids", tests, NULL, NULL);
}
