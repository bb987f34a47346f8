#include "policy/unit_policy.h"

#define HEAD "version: 1\ndefault: deny\n"
#define RULE HEAD "rules:\n  - name: r\n"
#define REQUIRE RULE "    require:\n"
#define EXCEPTION HEAD "exceptions:\n  - "
#define OWNED "\n    owner: o\n    reason: r\n    expires: 2027-01-31\n"

/* Everything that the manual names, once. */
static const char full[] =
    "version: 1\ndefault: quarantine\nrelease: nobody\nrules:\n"
    "  - name: production\n    match:\n"
    "      images: [\"docker.io/library/*\", \"ghcr.io/acme/**:v*\"]\n"
    "      namespaces: [prod-*]\n      clients: [ci-*, 10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1]\n"
    "      platforms: [linux/amd64, linux/aarch64, \"windows/*\"]\n"
    "    require:\n"
    "      severity: { at-most: medium, fixable: low, grace: 14d, unknown: high, otherwise: deny }"
    "\n"
    "      known-exploited: none\n      assessment: { is: complete, otherwise: quarantine }\n"
    "      distribution: [debian:12, alpine:*]\n      base: [docker.io/library/debian]\n"
    "      max-age: 180d\n      tags: immutable\n      user: numeric\n"
    "      environment: no-secrets\n      labels: { forbidden: [a, b=*], required: [c] }\n"
    "      volumes: { forbidden: /var/run/** }\n      ports: { forbidden: [22/tcp] }\n"
    "      upstreams: docker.io\n      near-miss: refused\n      signers: [someone]\n"
    "    otherwise: quarantine\n    release: { persons: 2, reason: false }\n"
    "  - name: never\n    match: { images: evil.example/** }\n    decision: deny\n"
    "exceptions:\n"
    "  - id: [CVE-2024-1234, DSA-1]\n    images: [docker.io/library/debian:12]\n"
    "    packages: openssl\n    owner: platform team\n    reason: not reachable\n"
    "    expires: 2027-01-31\n"
    "  - demand: [user, tags]\n    owner: o\n    reason: r\n    expires: 2026-01-31T12:00:00Z\n";

static void a_policy_with_everything_is_read(void **state)
{
    (void)state;
    static const char want[] =
        "default: quarantine\n"
        "\nrule production\n"
        "  for images: docker.io/library/*, ghcr.io/acme/**:v*\n"
        "  in namespaces: prod-*\n"
        "  on platforms: linux/amd64, linux/arm64, windows/*\n"
        "  asked for by: ci-*, 10.0.0.0/8, 2001:db8::/32, 192.0.2.1\n"
        "  requires severity: at most medium; with a fix at most low, 14 days after the fix came "
        "out; unknown counts as high; otherwise deny\n"
        "  requires known-exploited: none; otherwise quarantine\n"
        "  requires assessment: complete; otherwise quarantine\n"
        "  requires distribution: known and supported, one of debian:12, alpine:*; otherwise "
        "quarantine\n"
        "  requires base: one of docker.io/library/debian; otherwise quarantine\n"
        "  requires max-age: 180 days; otherwise quarantine\n"
        "  requires user: a number other than 0; otherwise quarantine\n"
        "  requires environment: no secrets; otherwise quarantine\n"
        "  requires labels: forbidden a, b=*; required c; otherwise quarantine\n"
        "  requires volumes: forbidden /var/run/**; otherwise quarantine\n"
        "  requires ports: forbidden 22/tcp; otherwise quarantine\n"
        "  requires tags: immutable; otherwise quarantine\n"
        "  requires upstreams: one of docker.io; otherwise quarantine\n"
        "  requires near-miss: refused; otherwise quarantine\n"
        "  requires signers: one of someone; otherwise quarantine\n"
        "  released by 2 different persons\n"
        "\nrule never\n  for images: evil.example/**\n  decides: deny\n"
        "\nexception CVE-2024-1234, DSA-1\n  for images: docker.io/library/debian:12\n"
        "  in packages: openssl\n  until 2027-01-31, by platform team: not reachable\n"
        "\nexception from user, tags\n  for all images\n  EXPIRED on 2026-01-31, by o: r\n";
    struct ck_policy *p = unit_policy(full);
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_policy_describe(p, UNIT_NOW, &out);
    ck_autofree char *text = ck_buf_steal_str(&out);
    const char *behind = strstr(text, "default");
    assert_string_equal(behind, want);
    assert_memory_equal(text, "policy p.yaml, sha256:", 22);
    assert_int_equal(strlen(ck_policy_digest(p)), 7 + 64);
    ck_policy_free(p);
}

static void refused(const char *yaml, const char *error)
{
    struct ck_policy *p = NULL;
    ck_err *e = ck_policy_parse(ck_view_str(yaml), "p.yaml", &p);
    if (!e)
        fail_msg("accepted:\n%s", yaml);
    assert_string_equal(ck_err_text(e), error);
    assert_int_equal(ck_err_class(e), CK_ERR_USAGE);
    assert_null(p);
    ck_err_free(e);
}

static const struct {
    const char *yaml, *error;
} mistakes[] = {
    { "", "p.yaml:1:1: it is empty" },
    { "a: [", "p.yaml:2:1: no valid YAML: did not find expected node content" },
    { "- a", "p.yaml:1:1: a policy must be a mapping with the keys version, default, release, "
             "rules, exceptions; this is a list" },
    { "version: 2\ndefault: deny", "p.yaml:1:10: version: \"2\" is no number from 1 to 1" },
    { "version: \"1\"\ndefault: deny", "p.yaml:1:10: version: \"1\" is no number from 1 to 1" },
    { "default: deny", "p.yaml:1:1: a policy must have \"version\"" },
    { "version: 1", "p.yaml:1:1: a policy must have \"default\"" },
    { "version: 1\ndefault: maybe",
      "p.yaml:2:10: default: \"maybe\" is none of allow, quarantine, deny" },
    { HEAD "default: deny", "p.yaml:3:1: \"default\" stands there twice" },
    { HEAD "rule: []", "p.yaml:3:1: \"rule\" is no key of a policy; there are: version, "
                       "default, release, rules, exceptions" },
    { HEAD "rules: []", "p.yaml:3:8: rules is an empty list; leave it out instead" },
    { HEAD "---\n" HEAD, "p.yaml:4:1: a second document; there must be one" },
    { HEAD "rules: &a\n", "p.yaml:3:8: anchors are not read here" },
    { HEAD "rules: *a\n", "p.yaml:3:8: aliases are not read here" },
    { HEAD "rules: !!set {}\n", "p.yaml:3:8: tags are not read here" },
    { HEAD "<<: {}\n", "p.yaml:3:1: \"<<\" is no key of a policy; there are: version, default, "
                       "release, rules, exceptions" },
    { HEAD "? [a]\n: b\n", "p.yaml:3:3: a key of a policy must be a word" },
    { HEAD "release: { persons: 11 }",
      "p.yaml:3:21: persons: \"11\" is no number from 1 to 10" },
    { HEAD "release: { reason: yes }", "p.yaml:3:20: reason: \"yes\" is not true or false" },
    { HEAD "release: anybody", "p.yaml:3:10: release: \"anybody\" is not nobody" },
    { RULE, "p.yaml:4:5: a rule must have \"require\" or \"decision\"" },
    { HEAD "rules:\n  - decision: deny", "p.yaml:4:5: a rule must have \"name\"" },
    { HEAD "rules:\n  - name: 7", "p.yaml:4:11: name must be text: write \"7\", in quotes" },
    { HEAD "rules:\n  - name: no", "p.yaml:4:11: name must be text: write \"no\", in quotes" },
    { HEAD "rules:\n  - name: default",
      "p.yaml:4:11: name: \"default\" means something already" },
    { HEAD "rules:\n  - name: \"a: b\"", "p.yaml:4:11: name: \"a: b\" may have letters, "
                                         "digits, blanks and . _ - only" },
    { HEAD "rules:\n  - {name: a, decision: deny}\n  - {name: a, decision: deny}",
      "p.yaml:5:12: name: there is a rule \"a\" already" },
    { RULE "    decision: deny\n    require: { user: non-root }",
      "p.yaml:5:15: a rule has \"require\" or \"decision\", not both" },
    { RULE "    decision: deny\n    otherwise: deny",
      "p.yaml:6:16: \"otherwise\" is for a rule with \"require\"" },
    { RULE "    require: {}",
      "p.yaml:5:14: require is empty; leave it out, and write \"decision: allow\"" },
    { RULE "    otherwise: allow",
      "p.yaml:5:16: otherwise: \"allow\" is none of quarantine, deny" },
    { REQUIRE "      severity: hihg",
      "p.yaml:6:17: severity: \"hihg\" is none of none, negligible, low, medium, high, "
      "critical" },
    { REQUIRE "      severity: { grace: 1d }",
      "p.yaml:6:17: severity must have \"at-most\" or \"fixable\"" },
    { REQUIRE "      severity: { at-most: low, grace: 1d }",
      "p.yaml:6:40: \"grace\" is for what \"fixable\" asks; there is none" },
    { REQUIRE "      severity: { at-most: low, fixable: high }",
      "p.yaml:6:42: \"fixable\" must not be higher than \"at-most\"" },
    { REQUIRE "      severity: { at-most: low, unknown: none }",
      "p.yaml:6:42: unknown: \"none\" is none of negligible, low, medium, high, critical" },
    { REQUIRE "      severity: [low]",
      "p.yaml:6:17: severity must be a mapping with the keys at-most, fixable, grace, unknown, "
      "otherwise; this is a list" },
    { REQUIRE "      known-exploited: some",
      "p.yaml:6:24: known-exploited: \"some\" is not none" },
    { REQUIRE "      max-age: 180", "p.yaml:6:16: max-age: \"180\" is no duration: write 12h, "
                                    "14d or 2w, at most 99999 of them" },
    { REQUIRE "      max-age: 0d", "p.yaml:6:16: max-age: \"0d\" is no duration: write 12h, "
                                   "14d or 2w, at most 99999 of them" },
    { REQUIRE "      max-age: 100000d", "p.yaml:6:16: max-age: \"100000d\" is no duration: "
                                        "write 12h, 14d or 2w, at most 99999 of them" },
    { REQUIRE "      labels: [a]", "p.yaml:6:15: labels must be a mapping with the keys "
                                   "forbidden, required, otherwise; this is a list" },
    { REQUIRE "      labels: { otherwise: deny }",
      "p.yaml:6:15: labels must have \"forbidden\" or \"required\"" },
    { REQUIRE "      labels: { forbidden: [1] }",
      "p.yaml:6:29: forbidden must be text: write \"1\", in quotes" },
    { REQUIRE "      volumes: { otherwise: deny }",
      "p.yaml:6:16: volumes must have \"forbidden\"" },
    { REQUIRE "      distribution: { otherwise: deny }",
      "p.yaml:6:21: distribution must have \"is\" or \"any\"" },
    { REQUIRE "      user: { otherwise: deny }", "p.yaml:6:13: user must have \"is\"" },
    { REQUIRE "      user: \"\"", "p.yaml:6:13: user: \"\" is none of non-root, numeric" },
    { REQUIRE "      base: \"\"", "p.yaml:6:13: base must be text, and is empty" },
    { REQUIRE "      base: [\"a\\nb\"]",
      "p.yaml:6:14: base must be one line of text without control characters" },
    { RULE "    match: { images: alpine }",
      "p.yaml:5:22: images: \"alpine\": names are matched as a whole, with their registry: "
      "docker.io/library/alpine, ghcr.io/acme/**, **/alpine" },
    { RULE "    match: { images: library/alpine }",
      "p.yaml:5:22: images: \"library/alpine\": names are matched as a whole, with their "
      "registry: docker.io/library/alpine, ghcr.io/acme/**, **/alpine" },
    { RULE "    match: { images: ghcr.io/Acme/x }",
      "p.yaml:5:22: images: \"ghcr.io/Acme/x\": hosts and repositories are written in lower "
      "case" },
    { RULE "    match: { images: \"ghcr.io/a b\" }",
      "p.yaml:5:22: images: \"ghcr.io/a b\": names have no such characters" },
    { RULE "    match: { images: \"ghcr.io/a:\" }",
      "p.yaml:5:22: images: \"ghcr.io/a:\": the tag behind the last ':' is none" },
    { RULE "    match: { images: \"ghcr.io/a@sha256:00\" }",
      "p.yaml:5:22: images: \"ghcr.io/a@sha256:00\": what stands behind '@' must be a whole "
      "digest" },
    { RULE "    match: { clients: [10.0.0.1/8] }",
      "p.yaml:5:24: clients: \"10.0.0.1/8\" has bits set behind its network's length" },
    { RULE "    match: { clients: [10.0.0.0/33] }",
      "p.yaml:5:24: clients: \"10.0.0.0/33\" must end with /0 to /32" },
    { RULE "    match: { clients: [\"::/129\"] }",
      "p.yaml:5:24: clients: \"::/129\" must end with /0 to /128" },
    { RULE "    match: { clients: [a/b] }",
      "p.yaml:5:24: clients: \"a/b\" is no network: write 10.0.0.0/8 or 2001:db8::/32" },
    { RULE "    match: { platforms: [amd64] }",
      "p.yaml:5:26: platforms: platform \"amd64\": must be OS/ARCHITECTURE or "
      "OS/ARCHITECTURE/VARIANT, as linux/arm64" },
    { RULE "    match: { platforms: [\"*\"] }",
      "p.yaml:5:26: platforms: \"*\": write linux/amd64 or linux/*" },
    { EXCEPTION "id: CVE-1\n    owner: o\n    reason: r",
      "p.yaml:4:5: an exception must have \"expires\"" },
    { EXCEPTION "id: CVE-1\n    reason: r\n    expires: 2027-01-31",
      "p.yaml:4:5: an exception must have \"owner\"" },
    { EXCEPTION "id: CVE-1\n    owner: o\n    expires: 2027-01-31",
      "p.yaml:4:5: an exception must have \"reason\"" },
    { EXCEPTION "id: CVE-2024-*" OWNED,
      "p.yaml:4:9: id: \"CVE-2024-*\" must be one id, as CVE-2024-1234; patterns are not "
      "allowed" },
    { EXCEPTION "id: cve-2024-1" OWNED,
      "p.yaml:4:9: id: \"cve-2024-1\" must begin with CVE-" },
    { EXCEPTION "images: [\"**\"]" OWNED,
      "p.yaml:4:5: an exception has \"id\" or \"demand\", one of them" },
    { EXCEPTION "id: CVE-1\n    demand: user" OWNED,
      "p.yaml:5:13: an exception has \"id\" or \"demand\", one of them" },
    { EXCEPTION "demand: user\n    packages: a" OWNED,
      "p.yaml:5:15: \"packages\" is for an exception with \"id\"" },
    { EXCEPTION "demand: usr" OWNED,
      "p.yaml:4:13: demand: \"usr\" is none of severity, known-exploited, assessment, "
      "distribution, base, max-age, user, environment, labels, volumes, ports, tags, "
      "upstreams, near-miss, signers" },
    { EXCEPTION "id: CVE-1\n    owner: o\n    reason: r\n    expires: 2027-02-30",
      "p.yaml:7:14: expires: \"2027-02-30\" is no day: write 2027-01-31, or "
      "2027-01-31T12:00:00Z" },
    { "# \xC3\xA4\n\"\xC3\xA4\": 1", "p.yaml:2:1: \"\xC3\xA4\" is no key of a policy; there "
                                     "are: version, default, release, rules, exceptions" },
    { "version: 1 # \xC3\xA4\ndefault: { \xC3\xA4: \xC3\xA4, b }",
      "p.yaml:2:10: default must be a word; this is a mapping" },
};

static void mistakes_are_named_with_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        refused(mistakes[i].yaml, mistakes[i].error);
}

/* --- limits and attacks ----------------------------------------------------------------------- */

static char *repeated(const char *head, const char *item, size_t n, const char *tail)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&b, ck_view_str(head));
    for (size_t i = 0; i < n; i++)
        ck_put_bytes(&b, ck_view_str(item));
    ck_put_bytes(&b, ck_view_str(tail));
    return ck_buf_steal_str(&b);
}

static void parses(const char *yaml) { ck_policy_free(unit_policy(yaml)); }

static void refused_with(const char *yaml, const char *part)
{
    struct ck_policy *p = NULL;
    assert_fails(ck_policy_parse(ck_view_str(yaml), "p.yaml", &p), CK_ERR_USAGE, part);
    assert_null(p);
}

static void limit_of(const char *head, const char *item, const char *tail, uint64_t max,
                     const char *name)
{
    ck_autofree char *at = repeated(head, item, max, tail);
    ck_autofree char *past = repeated(head, item, max + 1, tail);
    parses(at);
    refused_with(past, name);
}

static void limits_hold(void **state)
{
    (void)state;
    limit_of(REQUIRE "      base: [", "a,", "]", CK_MAX_POLICY_LIST, "limit POLICY_LIST");
    limit_of(REQUIRE "      base: ", "a", "", CK_MAX_POLICY_PATTERN, "limit POLICY_PATTERN");
    limit_of(EXCEPTION "id: CVE-1\n    reason: r\n    expires: 2027-01-31\n    owner: ", "o", "",
             CK_MAX_POLICY_TEXT, "limit POLICY_TEXT");
    limit_of(HEAD "exceptions:\n",
             "- {id: CVE-1, owner: o, reason: r, expires: 2027-01-31}\n", "",
             CK_MAX_POLICY_EXCEPTIONS, "limit POLICY_EXCEPTIONS");
    limit_of(HEAD "#", "x", "", CK_MAX_POLICY - sizeof HEAD, "limit POLICY:");
    limit_of(HEAD "rules: [{name: ", "n", ", decision: deny}]", 64, "at most 64 characters");
}

static void rules_have_a_limit(void **state)
{
    (void)state;
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, HEAD "rules:\n");
    for (size_t i = 0; i < CK_MAX_POLICY_RULES; i++)
        ck_buf_format(&b, "  - { name: n%zu, decision: deny }\n", i);
    ck_autofree char *at = ck_buf_steal_str(&b);
    ck_autofree char *past = ck_format("%s  - { name: x, decision: deny }\n", at);
    parses(at);
    refused_with(past, "limit POLICY_RULES");
}

static void attacks_end_as_errors(void **state)
{
    (void)state;
    ck_autofree char *deep = repeated(HEAD "rules: ", "[", 100000, "");
    ck_autofree char *mappings = repeated(HEAD "rules: ", "{a: ", 100000, "");
    ck_autofree char *block = repeated(HEAD "rules:\n", "- ", 100000, "a");
    ck_autofree char *nodes = repeated(HEAD "rules: [", "a,", 500000, "]");
    refused_with(deep, "limit YAML_DEPTH");
    refused_with(mappings, "limit YAML_DEPTH");
    refused_with(block, "limit YAML_DEPTH");
    refused_with(nodes, "limit YAML_NODES");
    refused_with("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "1:4: anchors are not read here");
    refused_with("version: 1\ndefault: \x01", "no valid YAML");
    refused_with("\xFF\xFEv", "no valid YAML");
    refused_with("%TAG ! tag:x,2000:\n---\n!a {}", "tags are not read here");
    struct ck_policy *p = NULL;
    assert_fails(ck_policy_parse(ck_view_of("a: \0b", 5), "p.yaml", &p), CK_ERR_USAGE,
                 "p.yaml:1:");
}

static void a_file_that_was_named_must_be_there(void **state)
{
    (void)state;
    struct ck_policy *p = NULL;
    assert_fails(ck_policy_load("/nowhere/policy.yaml", &p), CK_ERR_UNAVAILABLE,
                 "/nowhere/policy.yaml");
    setenv("COCKET_POLICY", "/nowhere/2.yaml", 1);
    assert_fails(ck_policy_load(NULL, &p), CK_ERR_UNAVAILABLE, "/nowhere/2.yaml");
    unsetenv("COCKET_POLICY");
    setenv("XDG_CONFIG_HOME", "/nowhere", 1);
    assert_ok(ck_policy_load(NULL, &p));
    assert_string_equal(ck_policy_file(p), "built-in");
    ck_policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_with_everything_is_read),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(rules_have_a_limit),
        cmocka_unit_test(attacks_end_as_errors),
        cmocka_unit_test(a_file_that_was_named_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
