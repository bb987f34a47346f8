/* Pages of the log against a walk through all of it. */
#include "store/unit_fixture.h"

enum { RECORDS = 400, DIGESTS = 5 };

static const char *const events[] = { "decide", "approve", "fetch", "scan" };
static const char *const people[] = { "eve", "adam", "" };

struct past {
    struct unit_image seen, hidden; /* in r/x, in q/y */
    struct ck_digest digests[DIGESTS]; /* of both, of one that is not there, and two alike */
    struct ck_log_record *all;
    size_t n;
    struct ck_arena arena;
};

static ck_err *keep(void *ctx, const struct ck_log_record *r)
{
    struct past *p = ctx;
    struct ck_log_record *kept = &p->all[p->n++];
    *kept = *r;
    kept->who = ck_arena_dup(&p->arena, r->who);
    kept->event = ck_arena_dup(&p->arena, r->event);
    kept->digest = ck_arena_dup(&p->arena, r->digest);
    kept->text = ck_arena_dup(&p->arena, r->text);
    return NULL;
}

static void make(struct fixture *f, struct past *p)
{
    uint64_t last = 0;
    p->seen = fetch(f, 1, "r/x:1");
    p->hidden = fetch(f, 2, "q/y:1");
    p->digests[0] = p->seen.image.digest;
    p->digests[1] = p->hidden.image.digest;
    p->digests[2] = unit_digest(CK_V("gone"));
    p->digests[3] = p->digests[4] = unit_digest(CK_V("alike")); /* in the piece that is the key */
    p->digests[4].bytes[31] ^= 1;
    for (unsigned i = 0; i < RECORDS; i++) {
        unsigned x = i * 2654435761u >> 8;
        const char *who = people[x % 3];
        const struct ck_digest *d = x / 16 % 6 < DIGESTS ? &p->digests[x / 16 % 6] : NULL;
        assert_ok(ck_log_append_as(f->s, who[0] ? who : NULL, ck_view_str(events[x / 4 % 4]), d,
                                   CK_V("r/x:1"), CK_V("why")));
    }
    assert_ok(ck_log_last(f->s, &last));
    p->all = ck_calloc(last, sizeof *p->all);
    assert_ok(ck_log_read(f->s, 0, keep, p));
    assert_int_equal(p->n, last);
}

static void end(struct past *p)
{
    free(p->all);
    ck_arena_free(&p->arena);
    unit_image_free(&p->seen);
    unit_image_free(&p->hidden);
}

static bool is_of(ck_view digest, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    return ck_view_eq(digest, ck_view_str(ck_digest_text(d, text)));
}

static bool fits(const struct past *p, const struct ck_log_filter *f,
                 const struct ck_log_record *r)
{
    return (!f->event.n || ck_view_eq(r->event, f->event) || ck_view_eq(r->event, f->or_event)) &&
           (!f->who.n || ck_view_eq(r->who, f->who)) &&
           (!f->digest || is_of(r->digest, f->digest)) &&
           (!f->bound.n || is_of(r->digest, &p->seen.image.digest));
}

static void assert_page(struct fixture *f, const struct past *p, const struct ck_log_filter *filter)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_log_record *v = NULL;
    size_t n = 0, at = 0, shown = 0;
    uint64_t total = 0;
    assert_ok(ck_log_page(f->s, filter, &a, &v, &n, &total));
    for (size_t i = p->n; i-- > 0;) {
        if (!fits(p, filter, &p->all[i]) || at++ < filter->from || shown == filter->max)
            continue;
        assert_true(shown < n);
        assert_int_equal(v[shown].number, p->all[i].number);
        assert_true(ck_view_eq(v[shown].who, p->all[i].who));
        assert_true(ck_view_eq(v[shown].event, p->all[i].event));
        assert_true(ck_view_eq(v[shown].digest, p->all[i].digest));
        assert_true(ck_view_eq(v[shown].text, p->all[i].text));
        assert_memory_equal(v[shown].hash, p->all[i].hash, 32);
        shown++;
    }
    assert_int_equal(n, shown);
    assert_int_equal(total, at);
}

static void each_page_is_what_a_walk_finds(void **state)
{
    static const char *const whats[] = { "", "decide", "fetch", "nonesuch" };
    static const char *const whos[] = { "", "eve", "nobody" };
    struct fixture *f = *state;
    struct past p = { 0 };
    make(f, &p);
    for (unsigned i = 0; i < 4 * 2 * 3 * (DIGESTS + 1) * 2 * 4; i++) {
        unsigned k = i, digest;
        struct ck_log_filter filter = { .event = ck_view_str(whats[k % 4]) };
        k /= 4;
        filter.or_event = k % 2 && filter.event.n ? CK_V("approve") : CK_V("");
        k /= 2;
        filter.who = ck_view_str(whos[k % 3]);
        k /= 3;
        digest = k % (DIGESTS + 1);
        filter.digest = digest < DIGESTS ? &p.digests[digest] : NULL;
        k /= DIGESTS + 1;
        filter.bound = k % 2 ? CK_V("r/*") : CK_V("");
        k /= 2;
        filter.from = (size_t[]){ 0, 1, 7, 100000 }[k % 4];
        filter.max = k % 2 ? 3 : 50;
        assert_page(f, &p, &filter);
    }
    end(&p);
}

static void a_page_has_its_most_rows(void **state)
{
    struct fixture *f = *state;
    struct past p = { 0 };
    struct ck_log_record *v = NULL;
    struct ck_log_filter filter = { .max = CK_MAX_PAGE_ROWS + 1 };
    size_t n = 0;
    uint64_t total = 0;
    make(f, &p);
    assert_ok(ck_log_page(f->s, &filter, &f->arena, &v, &n, &total));
    assert_int_equal(n, CK_MAX_PAGE_ROWS);
    assert_int_equal(total, p.n);
    filter.from = SIZE_MAX;
    assert_ok(ck_log_page(f->s, &filter, &f->arena, &v, &n, &total));
    assert_int_equal(n, 0);
    end(&p);
}

static void a_log_without_records_has_an_empty_page(void **state)
{
    struct fixture *f = *state;
    const struct ck_log_filter filter = { .max = 9 };
    struct ck_log_record *v = NULL;
    size_t n = 7;
    uint64_t total = 7;
    assert_ok(ck_log_page(f->s, &filter, &f->arena, &v, &n, &total));
    assert_int_equal(n, 0);
    assert_int_equal(total, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_page_is_what_a_walk_finds),
        T(a_page_has_its_most_rows),
        T(a_log_without_records_has_an_empty_page),
    };
    return cmocka_run_group_tests_name("store log pages", tests, NULL, NULL);
}
