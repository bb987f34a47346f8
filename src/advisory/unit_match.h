/* A small world for the tests of the matching; only tests include it. */
#ifndef CK_ADVISORY_UNIT_MATCH_H
#define CK_ADVISORY_UNIT_MATCH_H

#include "advisory/match.h"
#include "base/mem.h"
#include "base/unit.h"

#include <unistd.h>

/* --- A small database, written and read back -------------------------------------------------- */

struct world {
    struct ck_db_writer *w;
    struct ck_db *db;
    struct ck_distro distro;
    struct ck_match m;
};

/* One statement of one advisory. Absent strings are empty. */
struct says {
    const char *id, *fixes, *alias, *name, *ecosystem;
    enum ck_name_kind kind;
    enum ck_fix_state state;
    const char *from, *fixed, *last, *module, *note, *cvss, *version;
    enum ck_severity severity, package_severity;
    int64_t published;
    bool unimportant, withdrawn, kev, no_range;
};

static inline ck_view str(const char *s) { return s ? ck_view_str(s) : CK_V(""); }

static inline struct world begin(const char *ecosystem, enum ck_version_scheme scheme)
{
    return (struct world){
        .w = ck_db_writer_new(1790000000),
        .distro = { .ecosystem = ck_view_str(ecosystem), .name = ck_view_str(ecosystem),
                    .scheme = scheme, .known = true } };
}

static inline void feed(struct world *w, const char *kind, const char *detail, const char *failure)
{
    ck_db_writer_feed(w->w, &(struct ck_db_feed){ .kind = str(kind), .source = CK_V("/feed"),
                                                  .detail = str(detail), .time = 1780000000,
                                                  .digest = CK_V("sha256:00"),
                                                  .failure = str(failure) });
}

static inline void say(struct world *w, struct says s)
{
    ck_view fixes[4], alias = str(s.alias), cvss = str(s.cvss), version = str(s.version);
    size_t n_fixes = 0;
    for (ck_view rest = str(s.fixes); rest.n && n_fixes < 4;)
        fixes[n_fixes++] = ck_view_split(rest, ' ', &rest);
    struct ck_range r = { str(s.from),
                          s.fixed ? CK_END_FIXED : s.last ? CK_END_LAST_AFFECTED : CK_END_OPEN,
                          s.fixed ? str(s.fixed) : str(s.last) };
    struct ck_affected af = {
        .ecosystem = s.ecosystem ? str(s.ecosystem) : w->distro.ecosystem, .name = str(s.name),
        .kind = s.kind, .module = str(s.module), .state = s.state,
        .severity = s.package_severity, .unimportant = s.unimportant, .note = str(s.note),
        .ranges = &r, .n_ranges = s.no_range ? 0 : 1, .versions = &version,
        .n_versions = s.version ? 1 : 0 };
    struct ck_advisory adv = {
        .id = str(s.id), .url = CK_V(""), .summary = CK_V(""), .aliases = &alias,
        .n_aliases = s.alias ? 1 : 0, .fixes = fixes, .n_fixes = n_fixes,
        .severity = s.severity, .severity_text = CK_V(""), .cvss = &cvss,
        .n_cvss = s.cvss ? 1 : 0, .published = s.published, .withdrawn = s.withdrawn,
        .kev = s.kev, .affected = &af, .n_affected = s.name ? 1 : 0 };
    assert_ok(ck_db_writer_add(w->w, &adv));
}

static inline void open_db(struct world *w)
{
    char path[] = "/tmp/test-match-XXXXXX";
    close(mkstemp(path));
    assert_ok(ck_db_writer_finish(w->w, path));
    assert_ok(ck_db_open(path, &w->db));
    assert_ok(ck_db_verify(w->db));
    unlink(path);
}

static inline void match(struct world *w, const struct ck_package *p, size_t n)
{
    if (!w->db)
        open_db(w);
    ck_match_free(&w->m);
    assert_ok(ck_match_packages(w->db, &w->distro, p, n, &w->m));
}

static inline void end(struct world *w)
{
    ck_match_free(&w->m);
    ck_db_close(w->db);
    ck_db_writer_free(w->w);
}

static inline struct ck_package deb(const char *name, const char *version, const char *source,
                                    const char *source_version)
{
    return (struct ck_package){ CK_PACKAGE_DEB, str(name), str(version), CK_V("amd64"),
                                str(source), str(source_version), CK_V(""), CK_V("") };
}

static inline struct ck_package rpm(const char *name, const char *version, const char *source,
                                    const char *source_version, const char *module)
{
    return (struct ck_package){ CK_PACKAGE_RPM, str(name), str(version), CK_V("x86_64"),
                                str(source), str(source_version), str(module), CK_V("") };
}

static inline const struct ck_finding *only_finding(const struct world *w)
{
    for (size_t i = 0; w->m.n_findings != 1 && i < w->m.n_findings; i++)
        print_error("finding %.*s: %.*s\n", CK_VF(w->m.findings[i].id),
                    CK_VF(w->m.findings[i].why));
    assert_int_equal(w->m.n_findings, 1);
    return &w->m.findings[0];
}

static inline const struct ck_suppressed *only_suppressed(const struct world *w)
{
    assert_int_equal(w->m.n_findings, 0);
    assert_int_equal(w->m.n_suppressed, 1);
    return &w->m.suppressed[0];
}

static inline void assert_gap(const struct world *w, const char *what)
{
    for (size_t i = 0; i < w->m.n_gaps; i++)
        if (ck_view_eq(w->m.gaps[i].what, ck_view_str(what)))
            return;
    fail_msg("no gap \"%s\"", what);
}

static inline void assert_no_gap(const struct world *w, const char *what)
{
    for (size_t i = 0; i < w->m.n_gaps; i++)
        assert_false(ck_view_eq(w->m.gaps[i].what, ck_view_str(what)));
}

#endif
