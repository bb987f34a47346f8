/* Which rules are for whom, and what is excepted from them. */
#include "policy/unit_policy.h"

#define DIGEST "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static bool matches(const char *match, const struct ck_policy_subject *s)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *yaml = ck_format("version: 1\ndefault: quarantine\nrules:\n  - name: r\n"
                                       "    match: { %s }\n    decision: deny\n", match);
    struct ck_policy *p = unit_policy(yaml);
    struct ck_policy_answer r = unit_decide(p, s, &a);
    ck_policy_free(p);
    return r.decision == CK_DENY;
}

static bool name_matches(const char *pattern, const char *name)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autofree char *match = ck_format("images: \"%s\"", pattern);
    struct ck_policy_subject s = { .now = UNIT_NOW };
    struct ck_name n;
    if (name) {
        assert_ok(ck_name_parse(ck_view_str(name), &a, &n));
        s.name = &n;
    }
    return matches(match, &s);
}

static void names_are_matched_as_a_whole(void **state)
{
    (void)state;
    assert_true(name_matches("docker.io/library/*", "alpine"));
    assert_true(name_matches("docker.io/library/*", "alpine:3@" DIGEST));
    assert_false(name_matches("docker.io/library/*", "grafana/grafana"));
    assert_true(name_matches("docker.io/**", "grafana/grafana"));
    assert_true(name_matches("ghcr.io/acme/**:v*", "ghcr.io/acme/a/b:v1"));
    assert_false(name_matches("ghcr.io/acme/**:v*", "ghcr.io/acme/a/b:w1"));
    assert_false(name_matches("ghcr.io/acme/**:v*", "ghcr.io/acme/a/b"));
    assert_true(name_matches("localhost:5000/*", "localhost:5000/x:1"));
    assert_false(name_matches("localhost:5000/*", "localhost:5001/x:1"));
    assert_true(name_matches("*:5000/x:V1", "a.example:5000/x:V1"));
    assert_true(name_matches("**@" DIGEST, "alpine@" DIGEST));
    assert_false(name_matches("**@" DIGEST, "alpine@" OTHER));
    assert_false(name_matches("**@" DIGEST, "alpine"));
    assert_true(name_matches("evil.example/**", "EVIL.example/x"));
    assert_true(name_matches("**", NULL));
    assert_false(name_matches("docker.io/**", NULL));
}

/* The images of an index are asked for by digest; a rule for tags is for them all the same. */
static void who_asks_by_digest_asks_for_the_tags_that_mean_it(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    const ck_view tags[] = { CK_V("dev"), CK_V("v2") };
    struct ck_name n;
    struct ck_policy_subject s = { .now = UNIT_NOW, .name = &n };
    assert_ok(ck_name_parse(CK_V("ghcr.io/acme/a@" DIGEST), &a, &n));
    assert_false(matches("images: \"ghcr.io/acme/**:v*\"", &s));
    s.tags = tags, s.n_tags = 1;
    assert_false(matches("images: \"ghcr.io/acme/**:v*\"", &s));
    s.n_tags = 2;
    assert_true(matches("images: \"ghcr.io/acme/**:v*\"", &s));
    assert_ok(ck_name_parse(CK_V("ghcr.io/acme/a:w@" DIGEST), &a, &n));
    assert_false(matches("images: \"ghcr.io/acme/**:v*\"", &s));
}

static bool client_matches(const char *clients, const char *user, const char *address)
{
    ck_autofree char *match = ck_format("clients: [%s]", clients);
    struct ck_policy_subject s = { .now = UNIT_NOW, .user = ck_view_str(user),
                                   .address = ck_view_str(address) };
    return matches(match, &s);
}

static void clients_are_users_or_networks(void **state)
{
    (void)state;
    assert_true(client_matches("ci-*", "ci-1", ""));
    assert_false(client_matches("ci-*", "", "192.0.2.1"));
    assert_false(client_matches("\"*\"", "", "192.0.2.1"));
    assert_true(client_matches("10.0.0.0/8", "", "10.255.0.1"));
    assert_true(client_matches("10.0.0.0/8", "", "::ffff:10.255.0.1"));
    assert_false(client_matches("10.0.0.0/8", "", "11.0.0.0"));
    assert_false(client_matches("10.0.0.0/8", "10.0.0.0/8", ""));
    assert_true(client_matches("192.0.2.128/25", "", "192.0.2.128"));
    assert_false(client_matches("192.0.2.128/25", "", "192.0.2.127"));
    assert_true(client_matches("192.0.2.1", "", "192.0.2.1"));
    assert_false(client_matches("192.0.2.1", "", "192.0.2.2"));
    assert_true(client_matches("0.0.0.0/0", "", "192.0.2.2"));
    assert_false(client_matches("0.0.0.0/0", "", "2001:db8::1"));
    assert_true(client_matches("\"2001:db8::/33\"", "", "2001:db8:7fff::1"));
    assert_false(client_matches("\"2001:db8::/33\"", "", "2001:db8:8000::1"));
    assert_false(client_matches("10.0.0.0/8", "", "no address"));
    assert_true(client_matches("a, \"::1\", b", "b", ""));
}

static void all_conditions_of_a_rule_must_hold(void **state)
{
    (void)state;
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    s.namespace_ = CK_V("prod-1");
    assert_true(matches("", &s));
    assert_true(matches("namespaces: [prod-*], images: docker.io/**, platforms: linux/amd64", &s));
    assert_false(matches("namespaces: [prod-*], images: quay.io/**", &s));
    assert_false(matches("namespaces: [prod], images: docker.io/**", &s));
    assert_false(matches("platforms: linux/arm64", &s));
    assert_true(matches("platforms: linux/*", &s));
    assert_true(matches("platforms: linux/x86_64", &s));
    s.platform = CK_V("linux/aarch64");
    assert_true(matches("platforms: linux/arm64", &s));
    s.namespace_ = CK_V("");
    assert_false(matches("namespaces: \"**\"", &s));
}

/* --- exceptions ------------------------------------------------------------------------------- */

#define RULES                                                                         \
    "version: 1\ndefault: allow\nrules:\n"                                            \
    "  - name: a\n    require: { severity: medium, user: non-root }\n"                \
    "  - name: b\n    require: { known-exploited: { is: none, otherwise: quarantine } }\n" \
    "exceptions:\n"

struct excepted {
    struct ck_fact_finding x[2];
    ck_view alias;
    struct ck_facts f;
    struct ck_policy_subject s;
};

static void set_up(struct excepted *e)
{
    *e = (struct excepted){ .x = { unit_finding("CVE-1", CK_SEVERITY_CRITICAL),
                                   unit_finding("CVE-2", CK_SEVERITY_HIGH) },
                            .alias = CK_V("GHSA-1"),
                            .f = unit_facts() };
    e->x[0].aliases = &e->alias;
    e->x[0].n_aliases = 1;
    e->f.findings = e->x;
    e->f.n_findings = 2;
    e->s = unit_subject(&e->f);
}

static void findings_are_excepted_by_any_of_their_names(void **state)
{
    (void)state;
    struct excepted e;
    set_up(&e);
    assert_decides(unit_policy(RULES "  - { id: [CVE-1, CVE-2], owner: o, reason: not reachable, "
                                     "expires: 2027-01-31 }"),
                   &e.s, CK_ALLOW,
                   "allow: exceptions: CVE-1, CVE-2, until 2027-01-31 by o: not reachable");
    assert_decides(unit_policy(RULES "  - { id: GHSA-1, owner: o, reason: r, expires: 2027-01-31 "
                                     "}"),
                   &e.s, CK_DENY,
                   "deny: a: 1 finding above medium: CVE-2 (high, openssl 3.0.1)\n"
                   "allow: exceptions: GHSA-1, until 2027-01-31 by o: r");
    assert_decides(unit_policy(RULES "  - { id: [GHSA-1, CVE-2], packages: [open*], images: "
                                     "[quay.io/**, docker.io/library/*], owner: o, reason: r, "
                                     "expires: 2027-01-31 }"),
                   &e.s, CK_ALLOW, "allow: exceptions: GHSA-1, CVE-2, until 2027-01-31 by o: r");
    static const char all[] = "deny: a: 2 findings above medium: CVE-1 (critical, openssl 3.0.1), "
                              "CVE-2 (high, openssl 3.0.1)";
    assert_decides(unit_policy(RULES "  - { id: [GHSA-1, CVE-2], packages: zlib, owner: o, reason: "
                                     "r, expires: 2027-01-31 }"),
                   &e.s, CK_DENY, all);
    assert_decides(unit_policy(RULES "  - { id: [GHSA-1, CVE-2], images: quay.io/**, owner: o, "
                                     "reason: r, expires: 2027-01-31 }"),
                   &e.s, CK_DENY, all);
    assert_decides(unit_policy(RULES "  - { id: [CVE-10, CVE], owner: o, reason: r, expires: "
                                     "2027-01-31 }"),
                   &e.s, CK_DENY, all);
}

static void an_exception_holds_for_every_rule(void **state)
{
    (void)state;
    struct excepted e;
    set_up(&e);
    e.x[0].kev = true;
    e.f.n_findings = 1;
    assert_decides(unit_policy(RULES "  - { id: CVE-1, owner: o, reason: r, expires: 2027-01-31 }"),
                   &e.s, CK_ALLOW, "allow: exceptions: CVE-1, until 2027-01-31 by o: r");
    e.f.n_findings = 0;
    assert_decides(unit_policy(RULES "  - { id: CVE-1, owner: o, reason: r, expires: 2027-01-31 }"),
                   &e.s, CK_ALLOW, "");
}

static void exceptions_end_at_their_second(void **state)
{
    (void)state;
    struct excepted e;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p = unit_policy(
        RULES "  - { id: CVE-1, owner: team, reason: r, expires: 2027-01-15T08:00:00Z }\n"
              "  - { demand: user, owner: team, reason: r, expires: 2027-01-14 }\n");
    set_up(&e);
    e.f.n_findings = 1;
    e.s.now = UNIT_NOW - 1;
    struct ck_policy_answer r = unit_decide(p, &e.s, &a);
    assert_reasons(&r, "allow: exceptions: CVE-1, until 2027-01-15 by team: r");
    assert_int_equal(r.until, UNIT_NOW);
    e.s.now = UNIT_NOW;
    r = unit_decide(p, &e.s, &a);
    assert_reasons(&r, "deny: a: 1 finding above medium: CVE-1 (critical, openssl 3.0.1)\n"
                       "deny: a: the exception for CVE-1 by team expired on 2027-01-15");
    assert_int_equal(r.until, 0);
    e.f.user = CK_V("root");
    e.f.n_findings = 0;
    e.s.now = UNIT_NOW - 8 * 3600 - 1; /* the last second of the 14th */
    r = unit_decide(p, &e.s, &a);
    assert_reasons(&r, "allow: exceptions: user, until 2027-01-14 by team: r");
    assert_int_equal(r.until, e.s.now + 1);
    e.s.now++;
    r = unit_decide(p, &e.s, &a);
    assert_reasons(&r, "deny: a: it runs as root (user root)\n"
                       "deny: a: the exception for user by team expired on 2027-01-14");
    ck_policy_free(p);
}

static void of_two_exceptions_the_longer_counts(void **state)
{
    (void)state;
    struct excepted e;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p = unit_policy(
        RULES "  - { id: CVE-1, owner: x, reason: r, expires: 2027-01-14 }\n"
              "  - { id: GHSA-1, owner: yy, reason: r, expires: 2027-03-01 }\n"
              "  - { id: CVE-1, owner: z, reason: r, expires: 2027-02-01 }\n");
    set_up(&e);
    e.f.n_findings = 1;
    struct ck_policy_answer r = unit_decide(p, &e.s, &a);
    assert_reasons(&r, "allow: exceptions: GHSA-1, until 2027-03-01 by yy: r");
    ck_policy_free(p);
}

/* Neither the end of the grace nor that of the exception alone changes anything. */
static void grace_and_exception_end_one_after_the_other(void **state)
{
    (void)state;
    struct ck_fact_finding x[] = { unit_fixed("CVE-1", CK_SEVERITY_HIGH, UNIT_NOW) };
    struct ck_facts f = unit_facts();
    struct ck_policy_subject s = unit_subject(&f);
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy *p = unit_policy(
        "version: 1\ndefault: allow\nrules:\n  - name: a\n"
        "    require: { severity: { fixable: low, grace: 14d } }\nexceptions:\n"
        "  - { id: CVE-1, owner: x, reason: r, expires: 2027-01-20 }\n");
    f.findings = x, f.n_findings = 1;
    struct ck_policy_answer r = unit_decide(p, &s, &a);
    assert_reasons(&r, "");
    assert_int_equal(r.until, UNIT_NOW + 14 * UNIT_DAY);
    x[0].fixed_since = UNIT_NOW - 13 * UNIT_DAY;
    r = unit_decide(p, &s, &a);
    assert_reasons(&r, "");
    assert_int_equal(r.until, UNIT_NOW - 8 * 3600 + 6 * UNIT_DAY);
    ck_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_matched_as_a_whole),
        cmocka_unit_test(who_asks_by_digest_asks_for_the_tags_that_mean_it),
        cmocka_unit_test(clients_are_users_or_networks),
        cmocka_unit_test(all_conditions_of_a_rule_must_hold),
        cmocka_unit_test(findings_are_excepted_by_any_of_their_names),
        cmocka_unit_test(an_exception_holds_for_every_rule),
        cmocka_unit_test(exceptions_end_at_their_second),
        cmocka_unit_test(of_two_exceptions_the_longer_counts),
        cmocka_unit_test(grace_and_exception_end_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
