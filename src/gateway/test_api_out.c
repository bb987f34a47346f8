#include "base/unit.h"
#include "gateway/api_out.h"
#include "image/json.h"

static void commas_stand_where_they_belong(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const ck_view two[] = { { (const uint8_t *)"{", 1 }, { (const uint8_t *)"[", 1 } };
    ck_out_open(&b, NULL, '{');
    ck_out_open(&b, "empty", '[');
    ck_out_close(&b, ']');
    ck_out_open(&b, "objects", '[');
    for (int i = 0; i < 2; i++) {
        ck_out_open(&b, NULL, '{');
        ck_out_u64(&b, "n", UINT64_MAX);
        ck_out_bool(&b, "yes", i == 0);
        ck_out_close(&b, '}');
    }
    ck_out_close(&b, ']');
    ck_out_texts(&b, "texts", two, 2);
    ck_out_texts(&b, "none", NULL, 0);
    ck_out_text(&b, "bracket", CK_V("{"));
    ck_out_text_or_null(&b, "null", CK_V(""));
    ck_out_word(&b, "word", NULL);
    ck_out_time(&b, "never", 0);
    ck_out_time(&b, "time", 86400);
    ck_out_raw(&b, "raw", CK_V("{\"a\":[1]}"));
    ck_out_raw(&b, "nothing", CK_V(""));
    ck_out_close(&b, '}');
    assert_view(ck_buf_view(&b),
                "{\"empty\":[],\"objects\":[{\"n\":18446744073709551615,\"yes\":true},"
                "{\"n\":18446744073709551615,\"yes\":false}],\"texts\":[\"{\",\"[\"],\"none\":[],"
                "\"bracket\":\"{\",\"null\":null,\"word\":null,\"never\":null,"
                "\"time\":\"1970-01-02T00:00:00Z\",\"raw\":{\"a\":[1]},\"nothing\":null}");
}

static void attack_texts_stay_texts(void **state)
{
    (void)state;
    static const char *const texts[] = { "\",\"admin\":true,\"", "\\", "</script>", "\xff\xfe",
                                         "\x01\n\x7f", "\xe2\x80\xae", "[", "{", "\"" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_autojson struct ck_json doc = { 0 };
        ck_out_open(&b, NULL, '{');
        ck_out_text(&b, "a", ck_view_str(texts[i]));
        ck_out_text(&b, "b", ck_view_str(texts[i]));
        ck_out_close(&b, '}');
        assert_ok(ck_json_load(ck_buf_view(&b), "out", &doc));
        assert_int_equal(json_object_size(doc.v), 2);
        assert_true(json_is_string(json_object_get(doc.v, "b")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_where_they_belong),
        cmocka_unit_test(attack_texts_stay_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
