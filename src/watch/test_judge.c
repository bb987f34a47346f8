/* One image judged again: what is withdrawn, what is said of it, and what is not said twice. */
#include "policy/unit_policy.h"
#include "store/unit_fixture.h"
#include "watch/pulled.h"
#include "watch/watch_int.h"

#include <jansson.h>

#define NAME "docker.io/library/alpine:3.20"
#define STRICT                                                                               \
    "version: 1\ndefault: allow\nrules:\n  - name: r\n    require:\n      severity: { fixable: "\
    "low }\n"
#define GRACE                                                                                \
    "version: 1\ndefault: allow\nrules:\n  - name: r\n    require:\n      severity: { fixable: "\
    "low, grace: 2d }\n"
#define ASK                                                                                  \
    "version: 1\ndefault: allow\nrules:\n  - name: r\n    require:\n      severity: { fixable: "\
    "low, otherwise: quarantine }\n"
#define BY_NAME                                                                              \
    "version: 1\ndefault: allow\nrules:\n  - name: r\n    match: { images: [\"up.test/**\"] }\n"\
    "    require:\n      severity: { fixable: low }\n"

static void keep(struct fixture *f, const struct ck_digest *d, const struct ck_facts *facts)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_facts_encode(facts, &b);
    assert_ok(ck_store_put_facts(f->s, d, ck_buf_view(&b), NULL, 0, CK_V("")));
}

static struct ck_judgement judge(struct fixture *f, const char *yaml, const struct ck_digest *d,
                                 const struct ck_facts *was, const struct ck_facts *is)
{
    struct ck_policy *p = unit_policy(yaml);
    struct ck_standing st = { 0 };
    struct ck_judgement v;
    bool found = false;
    assert_ok(ck_store_standing(f->s, d, &f->arena, &st, &found));
    struct ck_judging j = { .store = f->s, .policy = p, .now = UNIT_NOW, .image = d,
                            .standing = &st, .was = was, .is = is };
    assert_ok(ck_judge_again(&j, &f->arena, &v));
    ck_policy_free(p);
    return v;
}

static json_t *data(const struct ck_judgement *v)
{
    json_t *j = json_loadb((const char *)v->event.data.p, v->event.data.n, JSON_REJECT_DUPLICATES,
                           NULL);
    assert_non_null(j);
    return j;
}

static void text_is(json_t *j, const char *key, const char *want)
{
    assert_string_equal(json_string_value(json_object_get(j, key)), want);
}

/* Nothing wrong with it, and then something. */
struct change {
    struct ck_fact_finding found;
    struct ck_facts was, is;
};

static struct change change(struct ck_fact_finding found)
{
    return (struct change){ found, unit_facts(), unit_facts() };
}

static struct change *turn(struct change *c)
{
    c->is.findings = &c->found;
    c->is.n_findings = 1;
    return c;
}

static void what_was_cleared_is_withdrawn(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, NAME);
    const struct ck_digest *d = &u.image.digest;
    struct change c = change(unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW - 5));
    turn(&c);
    keep(f, d, &c.was);
    decide(f, d, CK_CLEARED, CK_BY_SCAN);
    struct ck_judgement v = judge(f, STRICT, d, &c.was, &c.was);
    assert_false(v.decide || v.withdrawn || v.has_event);
    v = judge(f, STRICT, d, &c.was, &c.is);
    assert_true(v.decide && v.withdrawn && v.has_event);
    assert_int_equal(v.state, CK_DENIED);
    assert_view(v.event.kind, "withdrawn");
    assert_view(v.event.name, NAME);
    assert_view(v.event.repository, "docker.io/library/alpine");
    json_t *j = data(&v);
    text_is(j, "from", "cleared");
    text_is(j, "to", "denied");
    assert_int_equal(json_array_size(json_object_get(j, "reasons")), 1);
    assert_int_equal(json_array_size(json_object_get(j, "pulled_by")), 0);
    assert_non_null(json_string_value(json_object_get(j, "since")));
    assert_true(json_is_null(json_object_get(j, "until")));
    json_decref(j);
    /* once it is in the books, it is no news; its way back is a verdict */
    keep(f, d, &c.is);
    decide(f, d, CK_DENIED, CK_BY_SCAN);
    v = judge(f, STRICT, d, NULL, NULL);
    assert_false(v.decide || v.withdrawn || v.has_event);
    v = judge(f, STRICT, d, &c.is, &c.was);
    assert_true(v.decide && !v.withdrawn && v.has_event);
    assert_int_equal(v.state, CK_CLEARED);
    assert_view(v.event.kind, "verdict");
    unit_image_free(&u);
}

static void grace_is_said_when_it_begins(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, NAME);
    const struct ck_digest *d = &u.image.digest;
    struct change c = change(unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW - 5));
    turn(&c);
    keep(f, d, &c.was);
    decide(f, d, CK_CLEARED, CK_BY_SCAN);
    struct ck_judgement v = judge(f, GRACE, d, &c.was, &c.is);
    assert_false(v.decide || v.withdrawn);
    assert_true(v.has_event);
    assert_view(v.event.kind, "verdict");
    json_t *j = data(&v);
    text_is(j, "to", "cleared");
    text_is(j, "until", "2027-01-17T07:59:55Z");
    json_decref(j);
    keep(f, d, &c.is);
    v = judge(f, GRACE, d, &c.is, &c.is);
    assert_false(v.has_event);
    /* time alone ends it */
    c.found.fixed_since = UNIT_NOW - 3 * UNIT_DAY;
    keep(f, d, &c.is);
    v = judge(f, GRACE, d, NULL, NULL);
    assert_true(v.decide && v.withdrawn && v.has_event);
    unit_image_free(&u);
}

static void what_a_person_decided_stands(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, NAME);
    const struct ck_digest *d = &u.image.digest;
    struct change c = change(unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW - 5));
    turn(&c);
    keep(f, d, &c.was);
    decide(f, d, CK_CLEARED, CK_BY_PERSON);
    struct ck_judgement v = judge(f, ASK, d, &c.was, &c.is); /* released */
    assert_false(v.decide || v.withdrawn || v.has_event);
    v = judge(f, STRICT, d, &c.was, &c.is); /* a release is taken back to deny */
    assert_true(v.decide && v.withdrawn);
    assert_int_equal(v.state, CK_DENIED);
    keep(f, d, &c.is);
    v = judge(f, STRICT, d, NULL, NULL); /* by policy or time alone */
    assert_true(v.decide && v.withdrawn);
    decide(f, d, CK_DENIED, CK_BY_PERSON);
    v = judge(f, ASK, d, &c.is, &c.was);
    assert_false(v.decide || v.withdrawn || v.has_event);
    unit_image_free(&u);
}

static void each_name_is_asked_about(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, NAME);
    const struct ck_digest *d = &u.image.digest;
    struct ck_digest from;
    bool moved;
    struct change c = change(unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW - 5));
    turn(&c);
    assert_ok(ck_store_set_name(f->l, CK_V("up.test/a:1"), d, &moved, &from));
    keep(f, d, &c.was);
    decide(f, d, CK_CLEARED, CK_BY_SCAN);
    struct ck_judgement v = judge(f, BY_NAME, d, &c.was, &c.is);
    assert_true(v.withdrawn && !v.decide); /* it still passes under its other name */
    assert_view(v.event.name, "up.test/a:1");
    assert_view(v.event.repository, "up.test/a");
    json_t *j = data(&v);
    assert_int_equal(json_array_size(json_object_get(j, "names")), 1);
    json_decref(j);
    keep(f, d, &c.is);
    v = judge(f, BY_NAME, d, NULL, NULL); /* not again */
    assert_false(v.withdrawn || v.decide || v.has_event);
    unit_image_free(&u);
}

static void names_without_end_are_cut(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "up.test/a:0");
    const struct ck_digest *d = &u.image.digest;
    struct ck_facts facts = unit_facts();
    struct ck_digest from;
    bool moved;
    for (unsigned i = 1; i <= CK_MAX_WATCH_NAMES; i++)
        assert_ok(ck_store_set_name(f->l, ck_view_str(ck_arena_format(&f->arena, "up.test/a:%u",
                                                                      i)), d, &moved, &from));
    keep(f, d, &facts);
    decide(f, d, CK_DENIED, CK_BY_SCAN);
    struct ck_judgement v = judge(f, STRICT, d, &facts, &facts);
    assert_true(v.decide);
    unit_image_free(&u);
}

static struct ck_pull pull(const char *who, const struct ck_digest *d, int64_t time)
{
    return (struct ck_pull){ .who = ck_view_str(who), .client = CK_V("192.0.2.7"),
                             .agent = CK_V("x"), .name = CK_V(NAME), .digest = *d,
                             .time = time, .count = 1 };
}

static void who_pulled_its_index_pulled_it(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "");
    const ck_view text = CK_V("index");
    struct ck_store_part part = { .digest = u.image.digest, .size = u.image.size,
                                  .media_type = u.image.media_type, .role = CK_PART_MANIFEST };
    struct ck_store_image index = { .digest = unit_digest(text), .size = text.n,
                                    .media_type = CK_V(UNIT_OCI "index.v1+json"), .index = true,
                                    .parts = &part, .n_parts = 1 };
    struct ck_standing st = { 0 };
    struct ck_puller *v = NULL;
    size_t n = 0;
    bool found = false;
    assert_ok(ck_store_put(f->l, &index.digest, text));
    assert_ok(ck_store_add_image(f->l, &index, true));
    struct ck_pull pulls[] = { pull("anna", &u.image.digest, 1000),
                               pull("bert", &index.digest, 5000),
                               pull("anna", &index.digest, 9000),
                               pull("carl", &u.image.digest, 7000) };
    pulls[3].result = CK_PULL_DENIED;
    assert_ok(ck_store_add_pulls(f->s, pulls, 4));
    assert_ok(ck_store_standing(f->s, &u.image.digest, &f->arena, &st, &found));
    assert_ok(ck_pullers(f->s, &u.image.digest, &st, &f->arena, &v, &n));
    assert_int_equal(n, 2);
    assert_view(v[0].who, "anna");
    assert_int_equal(v[0].first, 1000);
    assert_int_equal(v[0].last, 9000);
    assert_int_equal(v[0].count, 2);
    assert_view(v[1].who, "bert");
    unit_image_free(&u);
}

static void one_looks_at_a_time(void **state)
{
    struct fixture *f = *state;
    int first = -1, second = 0;
    assert_ok(ck_watch_lock(f->s, &first));
    assert_true(first >= 0);
    assert_ok(ck_watch_lock(f->s, &second));
    assert_int_equal(second, -1);
    close(first);
    assert_ok(ck_watch_lock(f->s, &second));
    assert_true(second >= 0);
    close(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_cleared_is_withdrawn, setup, teardown),
        cmocka_unit_test_setup_teardown(grace_is_said_when_it_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_person_decided_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(each_name_is_asked_about, setup, teardown),
        cmocka_unit_test_setup_teardown(names_without_end_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(who_pulled_its_index_pulled_it, setup, teardown),
        cmocka_unit_test_setup_teardown(one_looks_at_a_time, setup, teardown),
    };
    return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
