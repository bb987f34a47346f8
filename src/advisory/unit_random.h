/* Random databases and packages for the tests of keys and changes: few names and ids, so that much
 * meets. Only tests include it. */
#ifndef CK_ADVISORY_UNIT_RANDOM_H
#define CK_ADVISORY_UNIT_RANDOM_H

#include "advisory/unit_match.h"

enum { RECORDS_MAX = 24, FEEDS = 3 };

/* What a database is made of: record i belongs to feed i % FEEDS. */
struct recipe {
    struct says says[RECORDS_MAX];
    size_t n;
    int64_t built;
    const char *failure;
};

static inline unsigned draw(uint64_t *seed, unsigned n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % n;
}

#define PICK(seed, ...)                                                              \
    (((const char *const[]){ __VA_ARGS__ })[draw(                                    \
        seed, sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *))])

static inline struct says random_says(uint64_t *seed)
{
    bool fixed = draw(seed, 4);
    struct says s = {
        .id = PICK(seed, "CVE-2024-1", "CVE-2024-2", "CVE-2024-3", "DSA-1", "DSA-2", "GHSA-x"),
        .fixes = PICK(seed, NULL, NULL, NULL, "CVE-2024-1", "CVE-2024-2 CVE-2024-3"),
        .alias = PICK(seed, NULL, NULL, "CVE-2024-2", "GHSA-x", "GHSA-y"),
        .name = PICK(seed, "a", "b", "c", "d", "e", "f", "libb", "linux"),
        .ecosystem = PICK(seed, "Debian:12", "Debian:12", "Debian:12", "Debian:13", "npm"),
        .kind = (enum ck_name_kind)draw(seed, CK_NAME_KIND_COUNT_),
        .state = draw(seed, 5) ? CK_FIX_FIXED : CK_FIX_NOT_AFFECTED,
        .from = PICK(seed, NULL, NULL, "0", "2"),
        .fixed = fixed ? PICK(seed, "2", "3", "4") : NULL,
        .note = PICK(seed, NULL, NULL, "minor"),
        .cvss = PICK(seed, NULL, NULL, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        .version = PICK(seed, NULL, NULL, "1", "3-x"),
        .severity = (enum ck_severity)draw(seed, CK_SEVERITY_COUNT_),
        .package_severity = (enum ck_severity)(draw(seed, 3) ? 0 : draw(seed, 6)),
        .published = draw(seed, 2) ? 1700000000 : 1710000000,
        .unimportant = draw(seed, 8) == 0,
        .withdrawn = draw(seed, 8) == 0,
    };
    if (draw(seed, 8) == 0) {
        s.kev = true;
        s.name = NULL;
    }
    return s;
}

static inline struct recipe random_recipe(uint64_t *seed)
{
    struct recipe r = { .n = draw(seed, RECORDS_MAX), .built = 1790000000 };
    for (size_t i = 0; i < r.n; i++)
        r.says[i] = random_says(seed);
    return r;
}

static inline struct ck_db *cook(const struct recipe *r)
{
    static const char *const kinds[FEEDS] = { "debian-tracker", "debian-archive", "osv" };
    struct world w = { .w = ck_db_writer_new(r->built) };
    for (size_t f = 0; f < FEEDS; f++) {
        feed(&w, kinds[f], "bookworm-security", f == 0 ? r->failure : NULL);
        for (size_t i = f; i < r->n; i += FEEDS)
            say(&w, r->says[i]);
    }
    open_db(&w);
    ck_db_writer_free(w.w);
    return w.db;
}

static inline struct ck_package random_package(uint64_t *seed)
{
    struct ck_package p = deb(PICK(seed, "a", "b", "d", "e", "f", "libb", "linux-libc-dev", "z"),
                              PICK(seed, "1", "2", "3-x", "5"),
                              PICK(seed, "", "b", "c", "linux", "linux-signed-amd64"),
                              PICK(seed, "", "1", "2+1", "4"));
    if (draw(seed, 10) == 0)
        p.type = CK_PACKAGE_APK;
    return p;
}

static inline void assert_same_match(const struct ck_match *a, const struct ck_match *b)
{
    assert_int_equal(a->n_findings, b->n_findings);
    for (size_t i = 0; i < a->n_findings; i++) {
        const struct ck_finding *x = &a->findings[i], *y = &b->findings[i];
        assert_true(ck_view_eq(x->id, y->id) && x->package == y->package && x->kev == y->kev);
        assert_true(x->severity == y->severity && x->cvss_tenths == y->cvss_tenths);
        assert_true(ck_view_eq(x->cvss, y->cvss) && ck_view_eq(x->fix_version, y->fix_version));
        assert_true(x->fix_state == y->fix_state && x->fixed_since == y->fixed_since);
        assert_true(ck_view_eq(x->advisory_source, y->advisory_source));
        assert_true(ck_view_eq(x->advisory_id, y->advisory_id) && ck_view_eq(x->why, y->why));
        assert_true(ck_view_eq(x->advisory_url, y->advisory_url));
        assert_int_equal(x->n_aliases, y->n_aliases);
        for (size_t k = 0; k < x->n_aliases; k++)
            assert_true(ck_view_eq(x->aliases[k], y->aliases[k]));
    }
    assert_int_equal(a->n_suppressed, b->n_suppressed);
    for (size_t i = 0; i < a->n_suppressed; i++) {
        const struct ck_suppressed *x = &a->suppressed[i], *y = &b->suppressed[i];
        assert_true(ck_view_eq(x->id, y->id) && x->package == y->package);
        assert_true(ck_view_eq(x->rule, y->rule) && ck_view_eq(x->why, y->why));
    }
    assert_int_equal(a->n_gaps, b->n_gaps);
    for (size_t i = 0; i < a->n_gaps; i++)
        assert_true(ck_view_eq(a->gaps[i].what, b->gaps[i].what) &&
                    ck_view_eq(a->gaps[i].why, b->gaps[i].why));
}

static inline bool holds(const ck_view *v, size_t n, ck_view what)
{
    for (size_t i = 0; i < n; i++)
        if (ck_view_eq(v[i], what))
            return true;
    return false;
}

#endif
