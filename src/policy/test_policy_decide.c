/* The demands one by one, and what comes of several. */
#include "policy/unit_policy.h"

#include <time.h>

static struct ck_facts with(struct ck_fact_finding *v, size_t n)
{
    struct ck_facts f = unit_facts();
    f.findings = v;
    f.n_findings = n;
    return f;
}

static void the_built_in_one_is_as_the_manual_says(void **state)
{
    (void)state;
    struct ck_policy *p = unit_policy((const char *)ck_policy_builtin().p);
    struct ck_fact_finding x[] = { unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW),
                                   unit_finding("CVE-2", CK_SEVERITY_CRITICAL),
                                   unit_fixed("CVE-3", CK_SEVERITY_HIGH, UNIT_NOW) };
    struct ck_facts f = with(x, 3), clean = with(x + 1, 2), none = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: built-in: 1 finding above high with a fix: CVE-1 (critical, openssl "
                       "3.0.1, fixed in 3.0.2)");
    s.facts = &clean;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "");
    assert_int_equal(r.decision, CK_ALLOW);
    x[1].kev = true;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: built-in: 1 finding known to be exploited: CVE-2 (critical, openssl "
                       "3.0.1)");
    s.facts = &none;
    none.complete = false;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "quarantine: built-in: the assessment is incomplete");
    assert_int_equal(r.persons, 1);
    assert_true(r.reason_needed);
    s.facts = NULL;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "quarantine: examination: not examined");
    assert_int_equal(r.persons, 1);
    ck_policy_free(p);
}

/* --- findings --------------------------------------------------------------------------------- */

static void severities_are_capped(void **state)
{
    (void)state;
    struct ck_fact_finding x[] = {
        unit_finding("CVE-5", CK_SEVERITY_CRITICAL),   unit_finding("CVE-5", CK_SEVERITY_CRITICAL),
        unit_finding("CVE-4", CK_SEVERITY_HIGH),       unit_finding("CVE-3", CK_SEVERITY_HIGH),
        unit_finding("CVE-2", CK_SEVERITY_HIGH),       unit_finding("CVE-1", CK_SEVERITY_MEDIUM),
        unit_finding("CVE-0", CK_SEVERITY_UNKNOWN),
    };
    struct ck_facts f = with(x, 7), unknown = with(x + 6, 1);
    struct ck_policy_subject s = unit_subject(&f);
    assert_decides(unit_require("      severity: medium"), &s, CK_DENY,
                   "deny: r: 5 findings above medium: CVE-5 (critical, openssl 3.0.1), CVE-4 (high,"
                   " openssl 3.0.1), CVE-3 (high, openssl 3.0.1), ...");
    assert_decides(unit_require("      severity: { at-most: high, otherwise: quarantine }"), &s,
                   CK_QUARANTINE,
                   "quarantine: r: 2 findings above high: CVE-5 (critical, openssl 3.0.1), ...");
    assert_decides(unit_require("      severity: critical"), &s, CK_ALLOW, "");
    s.facts = &unknown;
    assert_decides(unit_require("      severity: medium"), &s, CK_ALLOW, "");
    assert_decides(unit_require("      severity: low"), &s, CK_DENY,
                   "deny: r: 1 finding above low: CVE-0 (unknown, openssl 3.0.1)");
    assert_decides(unit_require("      severity: { at-most: medium, unknown: high }"), &s, CK_DENY,
                   "deny: r: 1 finding above medium: CVE-0 (unknown, openssl 3.0.1)");
    assert_decides(unit_require("      severity: none"), &s, CK_DENY,
                   "deny: r: 1 finding: CVE-0 (unknown, openssl 3.0.1)");
}

/* What has a fix is held to more, from the second on in which the grace ends. */
static void grace_ends_at_its_second(void **state)
{
    (void)state;
    enum { GRACE = 14 * UNIT_DAY };
    struct ck_fact_finding x[] = { unit_fixed("CVE-1", CK_SEVERITY_HIGH, UNIT_NOW - GRACE) };
    struct ck_facts f = with(x, 1);
    struct ck_policy_subject s = unit_subject(&f);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p =
        unit_require("      severity: { at-most: high, fixable: low, grace: 14d }");
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: r: 1 finding above low with a fix, which has been out for 14 days or "
                       "longer: CVE-1 (high, openssl 3.0.1, fixed in 3.0.2)");
    assert_int_equal(r.until, 0);
    x[0].fixed_since++;
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.decision, CK_ALLOW);
    assert_int_equal(r.until, UNIT_NOW + 1);
    x[0].fixed_since = 0; /* nobody knows since when */
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.decision, CK_DENY);
    x[0].fixed_since = UNIT_NOW;
    x[0].severity = CK_SEVERITY_CRITICAL; /* there is no grace above at-most */
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: r: 1 finding above high: CVE-1 (critical, openssl 3.0.1, fixed in "
                       "3.0.2)");
    x[0] = unit_finding("CVE-1", CK_SEVERITY_HIGH); /* nor is anything asked of what has no fix */
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.decision, CK_ALLOW);
    assert_int_equal(r.until, 0);
    ck_policy_free(p);
}

static void the_first_change_for_the_worse_is_said(void **state)
{
    (void)state;
    struct ck_fact_finding x[] = { unit_fixed("CVE-1", CK_SEVERITY_HIGH, UNIT_NOW) };
    struct ck_facts f = with(x, 1);
    struct ck_policy_subject s = unit_subject(&f);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p = unit_require(
        "      severity: { fixable: low, grace: 14d }\n"
        "      max-age: { is: 11d, otherwise: quarantine }\n      distribution: supported");
    f.end_of_life = UNIT_NOW + 2 * UNIT_DAY;
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_int_equal(r.until, UNIT_NOW + UNIT_DAY); /* its age */
    f.created -= UNIT_DAY;
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.decision, CK_QUARANTINE);
    assert_int_equal(r.until, f.end_of_life); /* it would be quarantined as it is */
    f.end_of_life = UNIT_NOW;
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.decision, CK_DENY);
    assert_int_equal(r.until, 0);
    ck_policy_free(p);
}

/* --- the image -------------------------------------------------------------------------------- */

static void facts_that_fail_their_demand_are_said(void **state)
{
    (void)state;
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    struct ck_fact_pair gaps[] = { { CK_V("a"), CK_V("1") }, { CK_V("b"), CK_V("2") },
                                   { CK_V("c"), CK_V("3") }, { CK_V("d"), CK_V("4") } };
    assert_decides(unit_require("      assessment: complete"), &s, CK_ALLOW, "");
    f.complete = false, f.gaps = gaps, f.n_gaps = 4;
    assert_decides(unit_require("      assessment: complete"), &s, CK_DENY,
                   "deny: r: the assessment is incomplete: a: 1, b: 2, c: 3 and 1 more");

    assert_decides(unit_require("      distribution: supported"), &s, CK_ALLOW, "");
    assert_decides(unit_require("      distribution: [\"debian:*\"]"), &s, CK_ALLOW, "");
    assert_decides(unit_require("      distribution: [\"alpine:*\"]"), &s, CK_DENY,
                   "deny: r: its distribution debian:12 is none of those allowed");
    f.end_of_life = UNIT_NOW;
    assert_decides(unit_require("      distribution: supported"), &s, CK_DENY,
                   "deny: r: its distribution debian:12 is not supported since 2027-01-15");
    f.end_of_life = UNIT_NOW + 1;
    assert_decides(unit_require("      distribution: supported"), &s, CK_ALLOW, "");
    f.end_of_life = 0;
    assert_decides(unit_require("      distribution: supported"), &s, CK_ALLOW, "");
    f.distro_known = false;
    assert_decides(unit_require("      distribution: supported"), &s, CK_DENY,
                   "deny: r: its distribution is not known: debian:12");

    f.created = UNIT_NOW - 180 * (int64_t)UNIT_DAY + 1;
    assert_decides(unit_require("      max-age: 180d"), &s, CK_ALLOW, "");
    f.created--;
    assert_decides(unit_require("      max-age: 180d"), &s, CK_DENY,
                   "deny: r: it was made on 2026-07-19, and is older than 180 days");
    f.created = UNIT_NOW + UNIT_DAY;
    assert_decides(unit_require("      max-age: 12h"), &s, CK_ALLOW, "");
    f.created++;
    assert_decides(unit_require("      max-age: 12h"), &s, CK_DENY,
                   "deny: r: it says that it was made in the future, on 2027-01-16");
    f.created = 0;
    assert_decides(unit_require("      max-age: 12h"), &s, CK_DENY,
                   "deny: r: it does not say when it was made");
}

static void bases_are_those_that_the_store_knows(void **state)
{
    (void)state;
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    const ck_view bases[] = { CK_V("docker.io/library/ubuntu"), CK_V("docker.io/library/debian") };
    assert_decides(unit_require("      base: docker.io/library/debian"), &s, CK_DENY,
                   "deny: r: no allowed image is its base; no image that is known here is");
    s.bases = bases, s.n_bases = 1;
    assert_decides(unit_require("      base: docker.io/library/debian"), &s, CK_DENY,
                   "deny: r: no allowed image is its base; it has docker.io/library/ubuntu");
    s.n_bases = 2;
    assert_decides(unit_require("      base: [a, docker.io/library/deb*]"), &s, CK_ALLOW, "");
}

static void root_has_many_names(void **state)
{
    (void)state;
    static const char *const root[] = { "0", "root", "0:0", "root:app", "00", "+0", "-0", ":5" };
    static const char *const other[] = { "1000", "app", "1000:0", "rooty", "nobody:root", "01" };
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    for (size_t i = 0; i < sizeof root / sizeof *root; i++) {
        bool group_only = root[i][0] == ':';
        ck_autofree char *want = ck_format("deny: r: it runs as root%s%s%s",
                                           group_only ? "" : " (user ", group_only ? "" : root[i],
                                           group_only ? "" : ")");
        f.user = ck_view_str(root[i]);
        assert_decides(unit_require("      user: non-root"), &s, CK_DENY, want);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        f.user = ck_view_str(other[i]);
        assert_decides(unit_require("      user: non-root"), &s, CK_ALLOW, "");
    }
    f.user = CK_V("");
    assert_decides(unit_require("      user: numeric"), &s, CK_DENY, "deny: r: it runs as root");
    f.user = CK_V("app:1");
    assert_decides(unit_require("      user: numeric"), &s, CK_DENY,
                   "deny: r: it runs as the user app, which is no number");
    f.user = CK_V("1000:app");
    assert_decides(unit_require("      user: numeric"), &s, CK_ALLOW, "");
}

static void the_configuration_is_judged(void **state)
{
    (void)state;
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    struct ck_fact_pair secrets[] = { { CK_V("DB_PASSWORD"), CK_V("its name") } };
    struct ck_fact_pair labels[] = { { CK_V("a"), CK_V("1") }, { CK_V("b"), CK_V("x/y") } };
    ck_view volumes[] = { CK_V("/data"), CK_V("/var/run/docker.sock") };
    ck_view ports[] = { CK_V("22/tcp") };
    static const char everything[] =
        "      environment: no-secrets\n"
        "      labels: { forbidden: [b=x/*, c], required: [a=1, b, d] }\n"
        "      volumes: { forbidden: [\"/var/run/**\"] }\n      ports: { forbidden: 22/* }";
    assert_decides(unit_require(everything), &s, CK_DENY, "deny: r: it lacks labels: a=1, b, d");
    f.secrets = secrets, f.n_secrets = 1;
    f.labels = labels, f.n_labels = 2;
    f.volumes = volumes, f.n_volumes = 2;
    f.ports = ports, f.n_ports = 1;
    assert_decides(unit_require(everything), &s, CK_DENY,
                   "deny: r: its environment seems to hold secrets: DB_PASSWORD (its name)\n"
                   "deny: r: it has forbidden labels: b=x/y\n"
                   "deny: r: it lacks labels: d\n"
                   "deny: r: it has forbidden volumes: /var/run/docker.sock\n"
                   "deny: r: it has forbidden ports: 22/tcp");
}

/* --- names ------------------------------------------------------------------------------------ */

static struct ck_name name_of(const char *text, struct ck_arena *a)
{
    struct ck_name n = { 0 };
    assert_ok(ck_name_parse(ck_view_str(text), a, &n));
    return n;
}

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void tags_are_pinned_or_do_not_move(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_facts f = unit_facts();
    struct ck_name pinned = name_of("debian:12@" DIGEST, &a), tag = name_of("debian:12", &a);
    struct ck_name latest = name_of("debian", &a);
    struct ck_policy_subject s = unit_subject(&f);
    assert_decides(unit_require("      tags: pinned"), &s, CK_ALLOW, "");
    s.name = &pinned;
    assert_decides(unit_require("      tags: pinned"), &s, CK_ALLOW, "");
    s.name = &tag;
    assert_decides(unit_require("      tags: pinned"), &s, CK_DENY,
                   "deny: r: it was asked for by a tag, not by its digest");
    assert_decides(unit_require("      tags: immutable"), &s, CK_ALLOW, "");
    s.tag_moved = UNIT_NOW;
    assert_decides(unit_require("      tags: immutable"), &s, CK_DENY,
                   "deny: r: the tag 12 was given to another image on 2027-01-15");
    s.name = &latest;
    assert_decides(unit_require("      tags: immutable"), &s, CK_DENY,
                   "deny: r: the tag latest is given to another image with each release");
    s.name = &pinned;
    assert_decides(unit_require("      tags: immutable"), &s, CK_ALLOW, "");
}

static void where_it_came_from_is_judged(void **state)
{
    (void)state;
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    const struct ck_name_warning warnings[] = {
        { CK_TAG_MOVES, CK_V("the tag moves"), CK_V("") },
        { CK_NAME_NEAR_MISS, CK_V("debain is a swap away from debian"), CK_V("debian") },
    };
    const ck_view signers[] = { CK_V("release@acme.example") };
    assert_decides(unit_require("      upstreams: [docker.io]"), &s, CK_ALLOW, "");
    assert_decides(unit_require("      upstreams: [quay.io]"), &s, CK_DENY,
                   "deny: r: the registry docker.io is none of those allowed");
    s.upstream = CK_V("Docker.IO");
    assert_decides(unit_require("      upstreams: [docker.io]"), &s, CK_ALLOW, "");
    s.upstream = CK_V("");
    assert_decides(unit_require("      upstreams: [\"**\"]"), &s, CK_DENY,
                   "deny: r: it is not known which registry it came from");
    assert_decides(unit_require("      near-miss: refused"), &s, CK_ALLOW, "");
    s.warnings = warnings, s.n_warnings = 2;
    assert_decides(unit_require("      near-miss: refused"), &s, CK_DENY,
                   "deny: r: debain is a swap away from debian");
    assert_decides(unit_require("      signers: [\"*@acme.example\"]"), &s, CK_DENY,
                   "deny: r: no signature of those demanded is proven; this version reads none");
    s.signers = signers, s.n_signers = 1;
    assert_decides(unit_require("      signers: [\"*@acme.example\"]"), &s, CK_ALLOW, "");
}

static void an_index_is_judged_by_its_name(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name n = name_of("debian", &a);
    struct ck_policy_subject s = unit_subject(NULL);
    static const char *const yaml =
        "version: 1\ndefault: deny\nrules:\n  - name: r\n"
        "    match: { platforms: [linux/arm64] }\n    require:\n"
        "      severity: none\n      signers: [x]\n      tags: immutable\n"
        "      upstreams: quay.io\n";
    s.index = true;
    s.name = &n;
    assert_decides(unit_policy(yaml), &s, CK_DENY,
                   "deny: r: the tag latest is given to another image with each release\n"
                   "deny: r: the registry docker.io is none of those allowed");
    s.index = false;
    s.platform = CK_V("linux/arm64");
    assert_decides(unit_policy(yaml), &s, CK_DENY,
                   "deny: r: the tag latest is given to another image with each release\n"
                   "deny: r: the registry docker.io is none of those allowed\n"
                   "deny: r: no signature of those demanded is proven; this version reads none\n"
                   "quarantine: examination: not examined");
}

/* --- several rules ---------------------------------------------------------------------------- */

static void all_rules_count_and_the_strictest_wins(void **state)
{
    (void)state;
    static const char *const yaml =
        "version: 1\ndefault: allow\nrules:\n"
        "  - name: a\n    require: { user: numeric }\n    otherwise: quarantine\n"
        "    release: { persons: 3, reason: false }\n"
        "  - name: b\n    require: { max-age: 1d, user: { is: numeric, otherwise: quarantine } }\n"
        "  - name: c\n    match: { images: quay.io/** }\n    decision: deny\n"
        "  - name: d\n    decision: quarantine\n";
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p = unit_policy(yaml);
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_reasons(&r, "deny: b: it was made on 2027-01-05, and is older than 1 day\n"
                       "quarantine: a: it runs as the user app, which is no number\n"
                       "quarantine: b: it runs as the user app, which is no number\n"
                       "quarantine: d: all that the rule is for is quarantined");
    assert_int_equal(r.persons, 0);
    f.created = UNIT_NOW;
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.decision, CK_QUARANTINE);
    assert_int_equal(r.persons, 3); /* the most that one of them wants */
    assert_true(r.reason_needed);
    s.repository = CK_V("quay.io/x/y");
    r = unit_decide(p, &s, &a);
    assert_view(r.reasons[0].text, "all that the rule is for is denied");
    ck_policy_free(p);
}

static void nobody_releases_what_one_rule_keeps(void **state)
{
    (void)state;
    static const char *const yaml =
        "version: 1\ndefault: quarantine\nrelease: { persons: 2, reason: false }\nrules:\n"
        "  - name: a\n    match: { namespaces: prod }\n    decision: quarantine\n"
        "    release: nobody\n"
        "  - name: b\n    match: { namespaces: [prod, test] }\n    decision: quarantine\n";
    struct ck_policy_subject s = unit_subject(NULL);
    struct ck_facts f = unit_facts();
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p = unit_policy(yaml);
    s.facts = &f;
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_reasons(&r, "quarantine: default: no rule is for docker.io/library/debian");
    assert_int_equal(r.persons, 2);
    assert_false(r.reason_needed);
    s.namespace_ = CK_V("prod");
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.persons, 0);
    s.namespace_ = CK_V("test");
    r = unit_decide(p, &s, &a);
    assert_int_equal(r.persons, 2);
    ck_policy_free(p);
}

/* --- time ------------------------------------------------------------------------------------- */

enum { FINDINGS = 1000, RULES = 20 };

static char *many_rules(void)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "version: 1\ndefault: deny\nrules:\n");
    for (int i = 0; i < RULES; i++)
        ck_buf_format(&b,
                      "  - name: r%d\n    match: { platforms: linux/*,"
                      " images: [\"quay.io/**\", \"docker.io/library/*\"] }\n    require:\n"
                      "      severity: { at-most: high, fixable: medium, grace: 14d }\n"
                      "      known-exploited: none\n      assessment: complete\n"
                      "      distribution: supported\n      max-age: 180d\n      user: non-root\n",
                      i);
    ck_buf_format(&b, "exceptions:\n");
    for (int i = 0; i < 100; i++)
        ck_buf_format(&b, "  - { id: CVE-2024-%d, owner: o, reason: r, expires: 2099-01-01 }\n",
                      10 * i);
    return ck_buf_steal_str(&b);
}

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void a_thousand_findings_under_twenty_rules_take_under_a_millisecond(void **state)
{
    (void)state;
    enum { TRIES = 50 };
    ck_autofree char *yaml = many_rules();
    struct ck_policy *p = unit_policy(yaml);
    ck_autoarena struct ck_arena ids = { 0 };
    struct ck_fact_finding *x = ck_arena_alloc(&ids, FINDINGS, sizeof *x);
    for (int i = 0; i < FINDINGS; i++)
        x[i] = unit_fixed(ck_arena_format(&ids, "CVE-2024-%d", i),
                          i < 100 ? CK_SEVERITY_CRITICAL : CK_SEVERITY_HIGH,
                          UNIT_NOW - i % 30 * UNIT_DAY);
    struct ck_facts f = with(x, FINDINGS);
    struct ck_policy_subject s = unit_subject(&f);
    double best = 1e9;
    for (int i = 0; i < TRIES; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        double begin = now_us();
        struct ck_policy_answer r = unit_decide(p, &s, &a);
        double took = now_us() - begin;
        best = took < best ? took : best;
        assert_int_equal(r.decision, CK_DENY);
    }
    print_message("decided %d findings under %d rules in %.0f us\n", FINDINGS, RULES, best);
#ifndef CK_SANITIZED
    assert_true(best < 1000);
#endif
    ck_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_one_is_as_the_manual_says),
        cmocka_unit_test(severities_are_capped),
        cmocka_unit_test(grace_ends_at_its_second),
        cmocka_unit_test(the_first_change_for_the_worse_is_said),
        cmocka_unit_test(facts_that_fail_their_demand_are_said),
        cmocka_unit_test(bases_are_those_that_the_store_knows),
        cmocka_unit_test(root_has_many_names),
        cmocka_unit_test(the_configuration_is_judged),
        cmocka_unit_test(tags_are_pinned_or_do_not_move),
        cmocka_unit_test(where_it_came_from_is_judged),
        cmocka_unit_test(an_index_is_judged_by_its_name),
        cmocka_unit_test(all_rules_count_and_the_strictest_wins),
        cmocka_unit_test(nobody_releases_what_one_rule_keeps),
        cmocka_unit_test(a_thousand_findings_under_twenty_rules_take_under_a_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
