/* Listings for people: what is on which page, and who sees it. */
#include "store/unit_fixture.h"

#include "store/pages.h"

#define DEBIAN "docker.io/library/debian"
#define TEAM CK_STORE_HOSTED "/hosted/team/app"
#define OTHER CK_STORE_HOSTED "/hosted/other"

static void name_it(struct fixture *f, const char *name, const struct ck_digest *d)
{
    struct ck_digest from;
    bool moved;
    assert_ok(ck_store_set_name(f->l, ck_view_str(name), d, &moved, &from));
}

static void link_to(struct fixture *f, const char *repository, const struct ck_digest *d)
{
    assert_ok(ck_store_link(f->l, ck_view_str(repository), d));
}

static void summarize(struct fixture *f, const struct unit_image *u, uint32_t critical,
                      uint32_t high, uint32_t low, bool complete)
{
    const struct ck_store_summary v = { .severities = { [5] = critical, [4] = high, [2] = low },
                                        .complete = complete, .fixable = 7, .kev = 1,
                                        .packages = 300, .scanned = 1000, .created = 900,
                                        .distro = CK_V("debian:12") };
    assert_ok(ck_store_put_summary(f->s, &u->image.digest, &v));
}

/* Times in the database are of this second: tests that ask for an order say which. */
static void added(struct fixture *f, const struct unit_image *u, int64_t when)
{
    char text[CK_DIGEST_TEXT];
    ck_autofree char *sql = ck_format("UPDATE image SET added=%lld WHERE digest='%s';"
                                      "UPDATE listing SET added=%lld WHERE image='%s'",
                                      (long long)when, ck_digest_text(&u->image.digest, text),
                                      (long long)when, text);
    tamper(f, sql);
}

/* --- images ----------------------------------------------------------------------------------- */

struct page {
    struct ck_store_row *v;
    size_t n;
    uint64_t total;
};

static struct page page(struct fixture *f, struct ck_page_filter filter)
{
    struct page p = { 0 };
    if (filter.max == 0)
        filter.max = 50;
    assert_ok(ck_store_page(f->s, &filter, &f->arena, &p.v, &p.n, &p.total));
    assert_true(p.total >= p.n);
    return p;
}

/* The names on the page, in order. */
static void assert_page(struct fixture *f, struct ck_page_filter filter, uint64_t total,
                        const char *want)
{
    struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    struct page p = page(f, filter);
    for (size_t i = 0; i < p.n; i++)
        ck_buf_format(&said, "%s%.*s", i ? " " : "", CK_VF(p.v[i].name));
    ck_autofree char *got = ck_buf_steal_str(&said);
    assert_string_equal(got, want);
    assert_int_equal(p.total, total);
}

#define FILTER(...) ((struct ck_page_filter){ .min_severity = -1, __VA_ARGS__ })

static void a_row_says_what_is_known(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:2");
    name_it(f, "r/x:1", &a.image.digest);
    struct page p = page(f, FILTER(0));
    assert_int_equal(p.n, 1);
    assert_int_equal(p.total, 1);
    assert_true(ck_digest_eq(&p.v[0].digest, &a.image.digest));
    assert_view(p.v[0].name, "r/x:1");
    assert_int_equal(p.v[0].n_names, 2);
    assert_view(p.v[0].platform, "linux/amd64");
    assert_int_equal(p.v[0].state, CK_QUARANTINED);
    assert_view(p.v[0].reason, "not examined");
    assert_false(p.v[0].has_summary);
    assert_true(p.v[0].added > 0);
    summarize(f, &a, 2, 3, 4, true);
    decide(f, &a.image.digest, CK_DENIED, CK_BY_PERSON);
    p = page(f, FILTER(0));
    assert_int_equal(p.v[0].state, CK_DENIED);
    assert_true(p.v[0].by_person);
    assert_true(p.v[0].decided > 0);
    assert_true(p.v[0].has_summary);
    const struct ck_store_summary *sum = &p.v[0].summary;
    assert_int_equal(sum->severities[5], 2);
    assert_int_equal(sum->severities[4], 3);
    assert_int_equal(sum->severities[3], 0);
    assert_int_equal(sum->severities[2], 4);
    assert_int_equal(sum->fixable, 7);
    assert_int_equal(sum->kev, 1);
    assert_int_equal(sum->packages, 300);
    assert_true(sum->complete);
    assert_int_equal(sum->scanned, 1000);
    assert_int_equal(sum->created, 900);
    assert_view(sum->distro, "debian:12");
    /* What an earlier scan saw counts no more when one breaks off. */
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V(""), NULL, 0, CK_V("")));
    assert_false(page(f, FILTER(0)).v[0].has_summary);
    assert_fsck(f, false, "");
    unit_image_free(&a);
}

static void indexes_and_referrers_are_not_listed(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "");
    struct ck_digest index = add_index(f, "index", &a);
    add_referrer(f, "sbom", &a.image.digest);
    assert_page(f, FILTER(0), 1, "");
    name_it(f, DEBIAN ":12", &index);
    assert_page(f, FILTER(0), 1, DEBIAN ":12");
    name_it(f, "r/mine:1", &a.image.digest);
    assert_int_equal(page(f, FILTER(0)).v[0].n_names, 2);
    assert_fsck(f, false, "");
    unit_image_free(&a);
}

static void names_lead_through_indexes_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = unit_image(1, 10), b = unit_image(2, 10);
    struct ck_digest inner = add_index(f, "inner", &a);
    struct ck_store_part child = { .digest = inner, .size = 5, .role = CK_PART_MANIFEST,
                                   .media_type = CK_V("") };
    struct ck_digest outer = add_manifest(f, "outer", (struct ck_store_image){
        .index = true, .parts = &child, .n_parts = 1 });
    name_it(f, DEBIAN ":12", &outer);
    link_to(f, "r/linked", &inner);
    assert_page(f, FILTER(0), 0, "");
    assert_ok(unit_fetch(f->l, &a, CK_V(""))); /* comes last */
    assert_page(f, FILTER(0), 1, DEBIAN ":12");
    assert_page(f, FILTER(.repository = CK_V("r/linked")), 1, DEBIAN ":12");
    assert_ok(unit_fetch(f->l, &b, CK_V("r/b:1")));
    name_it(f, DEBIAN ":12", &b.image.digest); /* moves */
    assert_page(f, FILTER(.order = CK_PAGE_NAME), 2, DEBIAN ":12 ");
    assert_page(f, FILTER(.repository = CK_V(DEBIAN)), 1, DEBIAN ":12");
    assert_ok(ck_store_remove(f->s, &b.image.digest, CK_V(DEBIAN ":12")));
    assert_page(f, FILTER(.order = CK_PAGE_NAME), 2, "r/b:1 ");
    assert_page(f, FILTER(.repository = CK_V(DEBIAN)), 0, "");
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void what_is_removed_is_not_listed(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/x:1"), b = fetch(f, 2, "");
    struct ck_digest index = add_index(f, "index", &b);
    bool was = false;
    name_it(f, "r/y:1", &index);
    link_to(f, "r/y", &index);
    link_to(f, "r/y", &b.image.digest);
    assert_ok(ck_store_unlink(f->s, CK_V("r/y"), &index, &was));
    assert_true(was);
    assert_page(f, FILTER(.repository = CK_V("r/y")), 1, "");
    assert_fsck(f, false, "");
    assert_ok(ck_store_unlink(f->s, CK_V("r/y"), &b.image.digest, &was));
    assert_page(f, FILTER(.repository = CK_V("r/y")), 0, "");
    new_lease(f);
    gc(f, false);
    assert_page(f, FILTER(0), 1, "r/x:1");
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void pages_have_an_order(void **state)
{
    struct fixture *f = *state;
    struct unit_image u[5];
    static const char *const names[] = { "r/c:1", "r/a:1", "r/e:1", "r/b:1", "" };
    for (unsigned i = 0; i < 5; i++) {
        u[i] = fetch(f, i, names[i]);
        added(f, &u[i], 100 + i % 3);
    }
    summarize(f, &u[0], 0, 9, 0, true);
    summarize(f, &u[1], 1, 0, 0, true);
    summarize(f, &u[2], 0, 9, 1, true);
    summarize(f, &u[3], 0, 0, 0, true);
    assert_page(f, FILTER(.order = CK_PAGE_NEWEST), 5, "r/e:1  r/a:1 r/b:1 r/c:1");
    assert_page(f, FILTER(.order = CK_PAGE_WORST), 5, "r/a:1 r/e:1 r/c:1 r/b:1 ");
    assert_page(f, FILTER(.order = CK_PAGE_NAME), 5, "r/a:1 r/b:1 r/c:1 r/e:1 ");
    assert_page(f, FILTER(.order = CK_PAGE_NAME, .from = 1, .max = 2), 5, "r/b:1 r/c:1");
    assert_page(f, FILTER(.order = CK_PAGE_NAME, .from = 5), 5, "");
    assert_page(f, FILTER(.order = CK_PAGE_NAME, .from = SIZE_MAX), 5, "");
    struct page p = { 0 };
    assert_fails(ck_store_page(f->s, &FILTER(.order = CK_PAGE_ORDER_COUNT_), &f->arena, &p.v,
                               &p.n, &p.total), CK_ERR_USAGE, "no such order");
    for (unsigned i = 0; i < 5; i++)
        unit_image_free(&u[i]);
}

static void pages_are_filtered(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:1"), b = fetch(f, 2, "r/b:1"), c = fetch(f, 3, "r/c:1"),
                      d = fetch(f, 4, "r/d:1");
    struct ck_page_filter by_name = FILTER(.order = CK_PAGE_NAME);
    summarize(f, &a, 1, 0, 0, true);
    summarize(f, &b, 0, 0, 1, false);
    summarize(f, &c, 0, 0, 0, true);
    decide(f, &a.image.digest, CK_DENIED, CK_BY_SCAN);
    decide(f, &c.image.digest, CK_CLEARED, CK_BY_SCAN);
    assert_page(f, FILTER(.has_state = true, .state = CK_DENIED), 1, "r/a:1");
    assert_page(f, FILTER(.has_state = true, .state = CK_CLEARED), 1, "r/c:1");
    assert_page(f, FILTER(.has_state = true, .order = CK_PAGE_NAME), 2, "r/b:1 r/d:1");
    assert_page(f, FILTER(.incomplete = true), 1, "r/b:1");
    static const char *const at_least[] = { "r/a:1 r/b:1", "r/a:1 r/b:1", "r/a:1 r/b:1", "r/a:1",
                                            "r/a:1", "r/a:1" };
    for (int i = 0; i < 6; i++) {
        by_name.min_severity = i;
        assert_page(f, by_name, i < 3 ? 2 : 1, at_least[i]);
    }
    assert_page(f, FILTER(.repository = CK_V("r/a")), 1, "r/a:1");
    assert_page(f, FILTER(.repository = CK_V("r/")), 0, "");
    assert_page(f, FILTER(.repository = CK_V("r/a"), .has_state = true), 0, "");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
    unit_image_free(&d);
}

static void a_search_finds_any_part(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/one_two:1"), b = fetch(f, 2, "r/onextwo:1");
    char text[CK_DIGEST_TEXT];
    ck_autofree char *long_one = ck_calloc(CK_MAX_PAGE_SEARCH + 2, 1);
    memset(long_one, 'q', CK_MAX_PAGE_SEARCH + 1);
    name_it(f, "z/other%name:1", &a.image.digest);
    summarize(f, &b, 0, 0, 0, true);
    ck_digest_text(&a.image.digest, text);
    assert_page(f, FILTER(.search = CK_V("ONE")), 2, "r/onextwo:1 r/one_two:1");
    assert_page(f, FILTER(.search = CK_V("e_t")), 1, "r/one_two:1");
    assert_page(f, FILTER(.search = CK_V("r%n")), 1, "r/one_two:1");
    assert_page(f, FILTER(.search = CK_V("%")), 1, "r/one_two:1");
    assert_page(f, FILTER(.search = CK_V("\\")), 0, "");
    assert_page(f, FILTER(.search = CK_V("' OR 1")), 0, "");
    assert_page(f, FILTER(.search = ck_view_of(text + 7, 20)), 1, "r/one_two:1");
    assert_page(f, FILTER(.search = CK_V("Debian:1")), 1, "r/onextwo:1");
    assert_page(f, FILTER(.search = ck_view_of(long_one, CK_MAX_PAGE_SEARCH)), 0, "");
    struct page p = { 0 };
    assert_fails(ck_store_page(f->s, &FILTER(.max = 1, .search = ck_view_str(long_one)), &f->arena,
                               &p.v, &p.n, &p.total), CK_ERR_LIMIT, "PAGE_SEARCH");
    unit_image_free(&a);
    unit_image_free(&b);
}

static void attack_a_reader_sees_what_he_is_bound_to(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, ""), b = fetch(f, 2, ""), c = fetch(f, 3, DEBIAN ":12");
    const ck_view bound = CK_V("hosted/team/*");
    struct ck_store_counts n = { 0 };
    struct ck_store_repository *r;
    size_t n_r = 0;
    uint64_t total = 0;
    link_to(f, TEAM, &a.image.digest);
    name_it(f, TEAM ":1", &a.image.digest);
    link_to(f, OTHER, &a.image.digest);
    name_it(f, OTHER ":secret", &a.image.digest);
    link_to(f, OTHER, &b.image.digest);
    name_it(f, OTHER ":2", &b.image.digest);
    assert_page(f, FILTER(.bound = bound), 1, TEAM ":1");
    assert_int_equal(page(f, FILTER(.bound = bound)).v[0].n_names, 1);
    assert_page(f, FILTER(.bound = bound, .search = CK_V("secret")), 0, "");
    assert_page(f, FILTER(.bound = bound, .repository = CK_V(OTHER)), 0, "");
    assert_page(f, FILTER(.bound = bound, .repository = CK_V(TEAM)), 1, TEAM ":1");
    assert_page(f, FILTER(.bound = CK_V("hosted/other")), 2, OTHER ":2 " OTHER ":secret");
    assert_page(f, FILTER(.bound = CK_V("hosted/othe")), 0, "");
    assert_page(f, FILTER(.bound = CK_V("hosted/TEAM/*")), 0, "");
    assert_page(f, FILTER(.bound = CK_V("hosted/team/%")), 0, "");
    assert_page(f, FILTER(.bound = CK_V("docker.io/library/*")), 1, DEBIAN ":12");
    assert_page(f, FILTER(.bound = CK_V("*"), .repository = CK_V(TEAM)), 1, TEAM ":1");
    assert_page(f, FILTER(.repository = CK_V(TEAM)), 1, TEAM ":1");
    assert_ok(ck_store_count(f->s, bound, &n));
    assert_int_equal(n.images, 1);
    assert_ok(ck_store_repository_page(f->s, CK_V(""), bound, 0, 9, &f->arena, &r, &n_r, &total));
    assert_int_equal(n_r, 1);
    assert_int_equal(total, 1);
    assert_view(r[0].name, TEAM);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static void a_page_has_at_most_so_many_rows(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *sql = ck_format(
        "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%llu) INSERT INTO"
        " blob SELECT 'sha256:'||printf('%%064x', i), 1 FROM n; INSERT INTO image(digest,"
        " media_type, size, is_index, platform, artifact_type, complete, state, reason, who,"
        " person, decided, added) SELECT digest,'',1,0,'','',1,0,'','',0,0,1 FROM blob",
        (unsigned long long)CK_MAX_PAGE_ROWS + 1);
    tamper(f, sql);
    struct page p = page(f, FILTER(.max = CK_MAX_PAGE_ROWS));
    assert_int_equal(p.n, CK_MAX_PAGE_ROWS);
    p = page(f, FILTER(.max = SIZE_MAX));
    assert_int_equal(p.n, CK_MAX_PAGE_ROWS);
    assert_int_equal(p.total, CK_MAX_PAGE_ROWS + 1);
}

static void images_are_counted(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:1"), b = fetch(f, 2, "r/b:1"), c = fetch(f, 3, "r/c:1"),
                      d = fetch(f, 4, "r/d:1"), e = fetch(f, 5, "r/d:2");
    struct ck_store_counts n;
    memset(&n, 0xff, sizeof n);
    summarize(f, &a, 1, 5, 0, true);
    summarize(f, &b, 0, 0, 1, false);
    summarize(f, &c, 0, 0, 0, true);
    summarize(f, &e, 0, 0, 0, false);
    decide(f, &a.image.digest, CK_DENIED, CK_BY_SCAN);
    decide(f, &c.image.digest, CK_CLEARED, CK_BY_SCAN);
    assert_ok(ck_store_count(f->s, CK_V(""), &n));
    assert_int_equal(n.images, 5);
    assert_int_equal(n.states[CK_QUARANTINED], 3);
    assert_int_equal(n.states[CK_CLEARED], 1);
    assert_int_equal(n.states[CK_DENIED], 1);
    assert_int_equal(n.incomplete, 2);
    assert_int_equal(n.unexamined, 1);
    assert_int_equal(n.with_severity[5], 1);
    assert_int_equal(n.with_severity[4], 0);
    assert_int_equal(n.with_severity[2], 1);
    assert_int_equal(n.clean, 1);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
    unit_image_free(&d);
    unit_image_free(&e);
}

static void nothing_is_counted_in_an_empty_store(void **state)
{
    struct fixture *f = *state;
    struct ck_store_counts n;
    memset(&n, 0xff, sizeof n);
    assert_ok(ck_store_count(f->s, CK_V(""), &n));
    assert_int_equal(n.images + n.states[0] + n.clean + n.with_severity[0] + n.unexamined, 0);
}

/* --- repositories ----------------------------------------------------------------------------- */

static void repositories_come_in_pages_with_counts(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:1"), b = fetch(f, 2, "r/a:2"), c = fetch(f, 3, "r/b:1");
    struct ck_store_repository *r;
    size_t n = 0;
    uint64_t total = 0;
    summarize(f, &a, 0, 8, 0, true);
    summarize(f, &b, 1, 0, 0, true);
    decide(f, &b.image.digest, CK_DENIED, CK_BY_SCAN);
    name_it(f, "r/a:3", &b.image.digest);
    name_it(f, "r/a@sha256:0", &b.image.digest);
    link_to(f, "r/c_c", &c.image.digest);
    added(f, &a, 5);
    assert_ok(ck_store_repository_page(f->s, CK_V(""), CK_V(""), 0, 9, &f->arena, &r, &n, &total));
    assert_int_equal(n, 3);
    assert_int_equal(total, 3);
    assert_view(r[0].name, "r/a");
    assert_int_equal(r[0].images, 2);
    assert_int_equal(r[0].tags, 3);
    assert_int_equal(r[0].states[CK_DENIED], 1);
    assert_int_equal(r[0].states[CK_QUARANTINED], 1);
    assert_int_equal(r[0].worst[5], 1);
    assert_int_equal(r[0].worst[4], 0);
    assert_true(r[0].last > 5);
    assert_view(r[2].name, "r/c_c");
    assert_int_equal(r[2].images, 1);
    assert_int_equal(r[2].tags, 0);
    assert_ok(ck_store_repository_page(f->s, CK_V("C_"), CK_V(""), 0, 9, &f->arena, &r, &n,
                                       &total));
    assert_int_equal(n, 1);
    assert_view(r[0].name, "r/c_c");
    assert_ok(ck_store_repository_page(f->s, CK_V(""), CK_V(""), 1, 1, &f->arena, &r, &n, &total));
    assert_int_equal(n, 1);
    assert_int_equal(total, 3);
    assert_view(r[0].name, "r/b");
    assert_ok(ck_store_remove(f->s, &c.image.digest, CK_V("")));
    assert_ok(ck_store_repository_page(f->s, CK_V("r/b"), CK_V(""), 0, 9, &f->arena, &r, &n,
                                       &total));
    assert_int_equal(total, 0);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

/* --- tags ------------------------------------------------------------------------------------- */

static void a_tag_remembers_what_it_meant(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:x"), b = fetch(f, 2, ""), c = fetch(f, 3, "");
    struct ck_store_part children[] = { b.parts[0], b.parts[0] };
    children[0].digest = b.image.digest;
    children[1].digest = c.image.digest;
    children[0].role = children[1].role = CK_PART_MANIFEST;
    struct ck_digest index = add_manifest(f, "index", (struct ck_store_image){
        .index = true, .parts = children, .n_parts = 2 });
    struct ck_store_tag *t;
    size_t n = 0;
    uint64_t total = 0;
    summarize(f, &b, 1, 0, 0, true);
    summarize(f, &c, 2, 0, 0, true);
    decide(f, &b.image.digest, CK_CLEARED, CK_BY_SCAN);
    name_it(f, "r/a:x", &index);
    name_it(f, "r/a:y", &a.image.digest);
    name_it(f, "r/a:5000/z:1", &a.image.digest); /* another registry's */
    tamper(f, "UPDATE seen SET first=first-100 WHERE digest!=(SELECT digest FROM name WHERE"
              " name=seen.name)");
    assert_ok(ck_store_tag_page(f->s, CK_V("r/a"), CK_V(""), 0, 9, &f->arena, &t, &n, &total));
    assert_int_equal(total, 2);
    assert_int_equal(n, 3);
    assert_view(t[0].tag, "x");
    assert_true(ck_digest_eq(&t[0].digest, &a.image.digest));
    assert_true(t[0].known);
    assert_false(t[0].current);
    assert_false(t[0].has_summary);
    assert_view(t[1].tag, "x");
    assert_true(ck_digest_eq(&t[1].digest, &index));
    assert_true(t[1].current);
    assert_true(t[1].first > t[0].first);
    assert_true(t[1].has_summary);
    assert_int_equal(t[1].summary.severities[5], 2);
    assert_int_equal(t[1].state, CK_QUARANTINED); /* one of them */
    assert_view(t[2].tag, "y");
    assert_ok(ck_store_tag_page(f->s, CK_V("r/a"), CK_V("Y"), 0, 9, &f->arena, &t, &n, &total));
    assert_int_equal(n, 1);
    assert_int_equal(total, 1);
    assert_ok(ck_store_tag_page(f->s, CK_V("r/a"), CK_V(""), 1, 1, &f->arena, &t, &n, &total));
    assert_int_equal(n, 1);
    assert_int_equal(total, 2);
    assert_view(t[0].tag, "y");
    assert_ok(ck_store_remove(f->s, &a.image.digest, CK_V("")));
    new_lease(f);
    gc(f, false);
    assert_ok(ck_store_tag_page(f->s, CK_V("r/a"), CK_V(""), 0, 9, &f->arena, &t, &n, &total));
    assert_int_equal(n, 2); /* y is gone, what x meant is remembered */
    assert_false(t[0].known);
    assert_ok(ck_store_tag_page(f->s, CK_V("r"), CK_V(""), 0, 9, &f->arena, &t, &n, &total));
    assert_int_equal(n + total, 0);
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static void the_newest_that_a_tag_meant_are_shown(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:x");
    struct ck_store_tag *t;
    size_t n = 0;
    uint64_t total = 0;
    for (uint64_t more = 0; more < 2; more++) {
        ck_autofree char *sql = ck_format(
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<%llu) INSERT OR"
            " IGNORE INTO seen SELECT 'r/a:x','sha256:'||printf('%%064x',i),'r/a',1000+i FROM n",
            (unsigned long long)(CK_MAX_TAG_HISTORY - 1 + more));
        tamper(f, sql);
        tamper(f, "UPDATE seen SET first=1 WHERE digest=(SELECT digest FROM name)");
        assert_ok(ck_store_tag_page(f->s, CK_V("r/a"), CK_V(""), 0, 9, &f->arena, &t, &n, &total));
        assert_int_equal(n, CK_MAX_TAG_HISTORY);
        assert_true(t[0].current); /* whenever that came */
        assert_int_equal(t[1].first, 1001 + (int64_t)more);
        assert_false(t[n - 1].known);
        assert_int_equal(t[n - 1].first, 1000 + (int64_t)(CK_MAX_TAG_HISTORY - 1 + more));
    }
    unit_image_free(&a);
}

/* --- ids -------------------------------------------------------------------------------------- */

static void ids_are_counted_by_images(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:1"), b = fetch(f, 2, "r/b:1");
    const ck_view ids[] = { CK_V("CVE-2024-3"), CK_V("CVE-2024-1"), CK_V("CVE-2024-2") };
    struct ck_store_id *v;
    size_t n = 0;
    uint64_t total = 0;
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V("x"), ids, 3, CK_V("")));
    assert_ok(ck_store_put_facts(f->s, &b.image.digest, CK_V("x"), ids + 2, 1, CK_V("")));
    assert_ok(ck_store_id_page(f->s, CK_V(""), 0, 9, &f->arena, &v, &n, &total));
    assert_int_equal(n, 3);
    assert_int_equal(total, 3);
    assert_view(v[0].id, "CVE-2024-2");
    assert_int_equal(v[0].images, 2);
    assert_view(v[1].id, "CVE-2024-1");
    assert_int_equal(v[1].images, 1);
    assert_ok(ck_store_id_page(f->s, CK_V("cve-2024-3"), 0, 9, &f->arena, &v, &n, &total));
    assert_int_equal(n, 1);
    assert_view(v[0].id, "CVE-2024-3");
    assert_ok(ck_store_id_page(f->s, CK_V(""), 1, 1, &f->arena, &v, &n, &total));
    assert_int_equal(n, 1);
    assert_int_equal(total, 3);
    assert_view(v[0].id, "CVE-2024-1");
    assert_ok(ck_store_put_facts(f->s, &b.image.digest, CK_V("x"), ids, 1, CK_V("")));
    assert_ok(ck_store_remove(f->s, &a.image.digest, CK_V("")));
    new_lease(f);
    gc(f, false);
    assert_ok(ck_store_id_page(f->s, CK_V(""), 0, 9, &f->arena, &v, &n, &total));
    assert_int_equal(n, 1);
    assert_int_equal(total, 1);
    assert_view(v[0].id, "CVE-2024-3");
    assert_int_equal(v[0].images, 1);
    unit_image_free(&a);
    unit_image_free(&b);
}

static void fsck_knows_the_listings(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "r/a:1");
    tamper(f, "UPDATE listing SET name='r/b:1'");
    assert_fsck(f, true, "listings have another name of it");
    tamper(f, "UPDATE listing SET name='r/a:1', state=2");
    assert_fsck(f, true, "listings do not show it as it is");
    tamper(f, "UPDATE listing SET state=0; UPDATE place SET name='r/a:2'");
    assert_fsck(f, true, "listings believe that it leads");
    tamper(f, "DELETE FROM place");
    assert_fsck(f, true, "listings do not know that it leads");
    unit_image_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_row_says_what_is_known),
        T(indexes_and_referrers_are_not_listed),
        T(names_lead_through_indexes_in_any_order),
        T(what_is_removed_is_not_listed),
        T(pages_have_an_order),
        T(pages_are_filtered),
        T(a_search_finds_any_part),
        T(attack_a_reader_sees_what_he_is_bound_to),
        T(a_page_has_at_most_so_many_rows),
        T(images_are_counted),
        T(nothing_is_counted_in_an_empty_store),
        T(repositories_come_in_pages_with_counts),
        T(a_tag_remembers_what_it_meant),
        T(the_newest_that_a_tag_meant_are_shown),
        T(ids_are_counted_by_images),
        T(fsck_knows_the_listings),
    };
    return cmocka_run_group_tests_name("store pages", tests, NULL, NULL);
}
