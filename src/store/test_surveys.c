/* Surveys: begun with their whole sample, and gone on with. */
#include "store/unit_fixture.h"

#include "store/surveys.h"

static struct ck_survey_item item(uint64_t position, const char *name)
{
    return (struct ck_survey_item){ .position = position, .name = ck_view_str(name),
                                    .official = position % 2 };
}

static uint64_t begin(struct fixture *f, const char *registry, const struct ck_survey_item *items,
                      size_t n)
{
    const struct ck_survey_row v = { .registry = ck_view_str(registry), .options = CK_V("\0o"),
                                     .seed = UINT64_MAX - 1, .begun = 100 };
    uint64_t number = 0;
    assert_ok(ck_store_begin_survey(f->s, &v, items, n, &number));
    return number;
}

static void a_survey_is_begun_and_ended(void **state)
{
    struct fixture *f = *state;
    const struct ck_survey_item items[] = { item(2, "h/c:1"), item(0, "h/a:1"), item(1, "h/b:1") };
    struct ck_survey_item *it, done = item(1, "h/b:2");
    struct ck_survey_row *v;
    size_t n = 99;
    uint64_t log = 0;
    assert_ok(ck_store_surveys(f->s, 0, 10, &f->arena, &v, &n));
    assert_int_equal(n, 0);
    uint64_t first = begin(f, "h", items, 3), second = begin(f, "g", NULL, 0);
    assert_true(second > first);
    assert_ok(ck_log_last(f->s, &log));
    assert_int_equal(log, 2);
    assert_ok(ck_store_survey_items(f->s, first, &f->arena, &it, &n));
    assert_int_equal(n, 3);
    assert_view(it[0].name, "h/a:1");
    assert_false(it[0].official);
    assert_view(it[2].name, "h/c:1");
    assert_int_equal(it[2].state, CK_SURVEY_WAITING);
    assert_view(it[2].digest, "");
    done.state = CK_SURVEY_SCANNED;
    done.digest = CK_V("sha256:0");
    done.result = CK_V("a\0b");
    assert_ok(ck_store_survey_item(f->s, first, &done));
    assert_ok(ck_store_survey_items(f->s, first, &f->arena, &it, &n));
    assert_int_equal(n, 3);
    assert_int_equal(it[1].state, CK_SURVEY_SCANNED);
    assert_true(it[1].official);
    assert_view(it[1].name, "h/b:2");
    assert_view(it[1].digest, "sha256:0");
    assert_true(ck_view_eq(it[1].result, CK_V("a\0b")));
    assert_ok(ck_store_end_survey(f->s, first, CK_SURVEY_DONE, 200, CK_V("{}")));
    assert_ok(ck_store_surveys(f->s, 0, 10, &f->arena, &v, &n));
    assert_int_equal(n, 2);
    assert_int_equal(v[0].number, second);
    assert_int_equal(v[0].state, CK_SURVEY_RUNNING);
    assert_int_equal(v[0].ended, 0);
    assert_view(v[1].registry, "h");
    assert_true(ck_view_eq(v[1].options, CK_V("\0o")));
    assert_true(v[1].seed == UINT64_MAX - 1);
    assert_int_equal(v[1].begun, 100);
    assert_int_equal(v[1].ended, 200);
    assert_int_equal(v[1].state, CK_SURVEY_DONE);
    assert_view(v[1].result, "{}");
    assert_ok(ck_store_surveys(f->s, first, 10, &f->arena, &v, &n));
    assert_int_equal(n, 1);
    assert_int_equal(v[0].number, first);
    assert_ok(ck_store_surveys(f->s, 0, 1, &f->arena, &v, &n));
    assert_int_equal(n, 1);
    assert_int_equal(v[0].number, second);
    assert_ok(ck_store_survey_items(f->s, second, &f->arena, &it, &n));
    assert_int_equal(n, 0);
    assert_fsck(f, false, "");
}

static void what_is_not_there_is_not_gone_on_with(void **state)
{
    struct fixture *f = *state;
    const struct ck_survey_item one = item(0, "h/a:1"), twice[] = { one, one };
    const struct ck_survey_item other = item(1, "h/a:1");
    const struct ck_survey_row v = { .registry = CK_V("h") };
    struct ck_survey_row *got;
    uint64_t number = begin(f, "h", &one, 1), unused = 0;
    size_t n = 0;
    assert_fails(ck_store_survey_item(f->s, number, &other), CK_ERR_UNAVAILABLE, "no such");
    assert_fails(ck_store_survey_item(f->s, number + 1, &one), CK_ERR_UNAVAILABLE, "no such");
    assert_fails(ck_store_end_survey(f->s, number + 1, CK_SURVEY_DONE, 1, CK_V("")),
                 CK_ERR_UNAVAILABLE, "no such");
    assert_fails(ck_store_begin_survey(f->s, &v, twice, 2, &unused), CK_ERR_OURS, "UNIQUE");
    assert_ok(ck_store_surveys(f->s, 0, 10, &f->arena, &got, &n));
    assert_int_equal(n, 1); /* not half of one */
    assert_ok(ck_store_surveys(f->s, number + 1, 10, &f->arena, &got, &n));
    assert_int_equal(n, 0);
}

static void surveys_stop_at_their_limits(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *bytes = ck_calloc(CK_MAX_SURVEY_RESULT + 1, 1);
    ck_autofree struct ck_survey_item *many = ck_calloc(CK_MAX_SURVEY_ITEMS + 1, sizeof *many);
    const struct ck_survey_row v = { .registry = CK_V("h") };
    struct ck_survey_row bad = v;
    uint64_t number = 0;
    for (size_t i = 0; i <= CK_MAX_SURVEY_ITEMS; i++)
        many[i] = item(i, "h/a:1");
    assert_ok(ck_store_begin_survey(f->s, &v, many, CK_MAX_SURVEY_ITEMS, &number));
    assert_fails(ck_store_begin_survey(f->s, &v, many, CK_MAX_SURVEY_ITEMS + 1, &number),
                 CK_ERR_LIMIT, "SURVEY_ITEMS");
    struct ck_survey_item it = item(0, "h/a:1");
    it.result = ck_view_of(bytes, CK_MAX_SURVEY_RESULT);
    assert_ok(ck_store_survey_item(f->s, number, &it));
    it.result.n++;
    assert_fails(ck_store_survey_item(f->s, number, &it), CK_ERR_LIMIT, "SURVEY_RESULT");
    assert_fails(ck_store_begin_survey(f->s, &v, &it, 1, &number), CK_ERR_LIMIT, "SURVEY_RESULT");
    assert_fails(ck_store_end_survey(f->s, number, CK_SURVEY_DONE, 1, it.result), CK_ERR_LIMIT,
                 "SURVEY_RESULT");
    bad.options = it.result;
    assert_fails(ck_store_begin_survey(f->s, &bad, NULL, 0, &number), CK_ERR_LIMIT,
                 "SURVEY_RESULT");
    it = item(0, "");
    assert_fails(ck_store_survey_item(f->s, number, &it), CK_ERR_LIMIT, "REFERENCE");
    it.name = ck_view_of(bytes, CK_MAX_REFERENCE);
    assert_ok(ck_store_survey_item(f->s, number, &it));
    it.name.n++;
    assert_fails(ck_store_survey_item(f->s, number, &it), CK_ERR_LIMIT, "REFERENCE");
    it = item(0, "x");
    it.state = CK_SURVEY_ITEM_STATE_COUNT_;
    assert_fails(ck_store_survey_item(f->s, number, &it), CK_ERR_USAGE, "no such state");
    assert_fails(ck_store_end_survey(f->s, number, CK_SURVEY_STATE_COUNT_, 1, CK_V("")),
                 CK_ERR_USAGE, "no such state");
    bad = v;
    bad.state = CK_SURVEY_STATE_COUNT_;
    assert_fails(ck_store_begin_survey(f->s, &bad, NULL, 0, &number), CK_ERR_USAGE,
                 "no such state");
}

static void attack_states_that_there_are_not(void **state)
{
    struct fixture *f = *state;
    const struct ck_survey_item one = item(0, "h/a:1");
    struct ck_survey_item *it;
    struct ck_survey_row *v;
    size_t n = 0;
    uint64_t number = begin(f, "h", &one, 1);
    tamper(f, "UPDATE survey SET state=3; UPDATE survey_item SET state=-1");
    assert_fails(ck_store_surveys(f->s, 0, 1, &f->arena, &v, &n), CK_ERR_OURS, "state");
    assert_fails(ck_store_survey_items(f->s, number, &f->arena, &it, &n), CK_ERR_OURS, "state");
    assert_fsck(f, true, "it or an image of it has a state that there is not");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_survey_is_begun_and_ended),
        T(what_is_not_there_is_not_gone_on_with),
        T(surveys_stop_at_their_limits),
        T(attack_states_that_there_are_not),
    };
    return cmocka_run_group_tests_name("store surveys", tests, NULL, NULL);
}
