#include "policy/unit_policy.h"
#include "store/unit_fixture.h"
#include "verdict/verdict.h"

#include <time.h>

#define ALPINE "docker.io/library/alpine:3.20"
#define RULE(demands) "version: 1\ndefault: allow\nrules:\n  - name: r\n    require:\n" demands

/* --- what a test says ------------------------------------------------------------------------- */

/* Keeps the facts with the image; the last layer's ChainID may be empty. */
static void keep(struct fixture *f, const struct ck_digest *d, const struct ck_facts *facts)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    char text[CK_DIGEST_TEXT] = "";
    ck_facts_encode(facts, &b);
    if (facts->n_chain)
        ck_digest_text(&facts->chain[facts->n_chain - 1], text);
    assert_ok(ck_store_put_facts(f->s, d, ck_buf_view(&b), NULL, 0, ck_view_str(text)));
}

static struct ck_verdict verdict(struct fixture *f, const char *yaml, const struct ck_digest *d,
                                 const char *name)
{
    struct ck_verdict_question q = { .name = ck_view_str(name), .now = UNIT_NOW };
    struct ck_verdict v = { 0 };
    struct ck_policy *p = yaml ? unit_policy(yaml) : NULL;
    if (!p)
        assert_ok(ck_policy_parse(ck_policy_builtin(), "built-in", &p));
    assert_ok(ck_verdict_of(f->s, p, d, &q, &f->arena, &v));
    ck_policy_free(p);
    return v;
}

static void assert_verdict(struct fixture *f, const struct ck_verdict *v, enum ck_decision want,
                           const char *line)
{
    const char *got = ck_verdict_line(v, 4096, &f->arena);
    assert_string_equal(got, line);
    assert_int_equal(v->decision, want);
}

static void approve(struct fixture *f, const struct ck_digest *d, const char *who, unsigned want)
{
    unsigned n = 0;
    assert_ok(ck_store_approve(f->s, d, who, CK_V("ok"), &n));
    assert_int_equal(n, want);
}

/* --- facts and policy ------------------------------------------------------------------------- */

static void what_was_not_examined_is_quarantined(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_QUARANTINE, "quarantined: examination: not examined");
    assert_false(v.examined);
    assert_true(v.complete);
    assert_int_equal(v.persons, 1);
    /* facts of another version are none */
    assert_ok(ck_store_put_facts(f->s, &u.image.digest, CK_V("\xff\x01"), NULL, 0, CK_V("")));
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_QUARANTINE, "quarantined: examination: not examined");
    unit_image_free(&u);
}

static void facts_are_judged_anew_each_time(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    struct ck_fact_finding found = unit_fixed("CVE-2026-1", CK_SEVERITY_CRITICAL, UNIT_NOW - 1000);
    keep(f, &u.image.digest, &facts);
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    assert_true(v.examined);
    facts.findings = &found;
    facts.n_findings = 1;
    keep(f, &u.image.digest, &facts);
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_DENY, "denied: built-in: 1 finding above high with a fix: CVE-2026-1 "
                                   "(critical, openssl 3.0.1, fixed in 3.0.2)");
    assert_int_equal(v.persons, 0);
    v = verdict(f, RULE("      known-exploited: none\n"), &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    /* until the fix has been out for two days */
    v = verdict(f, RULE("      severity: { fixable: none, grace: 2d }\n"), &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    assert_int_equal(v.until, UNIT_NOW - 1000 + 2 * UNIT_DAY);
    unit_image_free(&u);
}

static void a_denial_of_fail_on_stays_with_the_facts(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    struct ck_fact_finding found = unit_finding("CVE-2026-1", CK_SEVERITY_LOW);
    facts.findings = &found;
    facts.n_findings = 1;
    facts.has_fail_on = true;
    facts.fail_on = CK_SEVERITY_MEDIUM;
    keep(f, &u.image.digest, &facts);
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    facts.fail_on = CK_SEVERITY_UNKNOWN;
    keep(f, &u.image.digest, &facts);
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_DENY, "denied: --fail-on: 1 finding of severity unknown or above");
    facts.has_fail_on = false;
    keep(f, &u.image.digest, &facts);
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    unit_image_free(&u);
}

static void what_a_scan_refused_is_denied(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    keep(f, &u.image.digest, &facts);
    /* with facts the state of a scan is only its memory */
    assert_ok(ck_store_decide(f->s, &u.image.digest, CK_DENIED, CK_V("old policy"), CK_BY_SCAN,
                              NULL));
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    /* the next one breaks off */
    assert_ok(ck_store_put_facts(f->s, &u.image.digest, CK_V(""), NULL, 0, CK_V("")));
    assert_ok(ck_store_decide(f->s, &u.image.digest, CK_DENIED, CK_V("layer 1: \x1b[31mtar"),
                              CK_BY_SCAN, NULL));
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_DENY);
    assert_int_equal(v.n_reasons, 2);
    assert_non_null(strstr(ck_verdict_line(&v, 4096, &f->arena), ": layer 1: \\x1b[31mtar; "));
    unit_image_free(&u);
}

/* --- people ----------------------------------------------------------------------------------- */

static void a_persons_denial_denies(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    keep(f, &u.image.digest, &facts);
    assert_ok(ck_store_decide_as(f->s, "eve\x1b", &u.image.digest, CK_DENIED, CK_V("no\n more"),
                                 CK_BY_PERSON, NULL));
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_DENY, "denied: denied by eve\\x1b: no\\x0a more");
    assert_true(v.by_person);
    assert_int_equal(v.policy, CK_ALLOW);
    unit_image_free(&u);
}

static void what_a_person_holds_back_is_held_back(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    keep(f, &u.image.digest, &facts);
    assert_ok(ck_store_decide_as(f->s, "ann", &u.image.digest, CK_QUARANTINED, CK_V("look first"),
                                 CK_BY_PERSON, NULL));
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_QUARANTINE, "quarantined: quarantined by ann: look first");
    assert_int_equal(v.persons, 1);
    approve(f, &u.image.digest, "bob", 1);
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_ALLOW);
    unit_image_free(&u);
}

static void one_person_releases_where_one_is_enough(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    struct ck_fact_pair gap = { CK_V("x"), CK_V("y") };
    facts.complete = false;
    facts.gaps = &gap;
    facts.n_gaps = 1;
    keep(f, &u.image.digest, &facts);
    struct ck_verdict v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_QUARANTINE,
                   "quarantined: built-in: the assessment is incomplete: x: y");
    assert_int_equal(v.persons, 1);
    assert_int_equal(v.released_by, 0);
    assert_ok(ck_store_decide_as(f->s, "ann", &u.image.digest, CK_CLEARED, CK_V("looked"),
                                 CK_BY_PERSON, NULL));
    v = verdict(f, NULL, &u.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed: built-in: the assessment is incomplete: x: y; "
                                    "released by ann: looked");
    assert_true(v.by_person);
    assert_int_equal(v.policy, CK_QUARANTINE);
    assert_int_equal(v.released_by, 1);
    /* never a denial of the policy */
    v = verdict(f, RULE("      assessment: complete\n"), &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_DENY);
    assert_false(v.by_person);
    unit_image_free(&u);
}

static void two_persons_release_where_two_are_wanted(void **state)
{
    static const char two[] = "version: 1\ndefault: allow\nrules:\n  - name: r\n    require:\n"
                              "      assessment: complete\n    otherwise: quarantine\n"
                              "    release: { persons: 2, reason: true }\n";
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    facts.complete = false;
    keep(f, &u.image.digest, &facts);
    assert_ok(ck_store_decide_as(f->s, "ann", &u.image.digest, CK_CLEARED, CK_V("looked"),
                                 CK_BY_PERSON, NULL));
    struct ck_verdict v = verdict(f, two, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_QUARANTINE);
    assert_int_equal(v.persons, 2);
    assert_int_equal(v.released_by, 1);
    approve(f, &u.image.digest, "ann", 1);
    approve(f, &u.image.digest, "ann", 1);
    v = verdict(f, two, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_QUARANTINE);
    approve(f, &u.image.digest, "bob", 2);
    v = verdict(f, two, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_ALLOW);
    assert_true(v.by_person);
    unit_image_free(&u);
}

static void what_nobody_may_release_stays(void **state)
{
    static const char none[] = "version: 1\ndefault: allow\nrules:\n  - name: r\n    require:\n"
                               "      assessment: complete\n    otherwise: quarantine\n"
                               "    release: nobody\n";
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    facts.complete = false;
    keep(f, &u.image.digest, &facts);
    assert_ok(ck_store_decide(f->s, &u.image.digest, CK_CLEARED, CK_V("x"), CK_BY_PERSON, NULL));
    approve(f, &u.image.digest, "ann", 1);
    struct ck_verdict v = verdict(f, none, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_QUARANTINE);
    unit_image_free(&u);
}

/* --- names ------------------------------------------------------------------------------------ */

static void an_index_is_judged_by_its_name(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "");
    struct ck_digest ix = add_index(f, "the index", &u);
    struct ck_verdict v = verdict(f, NULL, &ix, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    v = verdict(f, NULL, &ix, "docker.io/library/alpinne:3.20");
    assert_int_equal(v.decision, CK_QUARANTINE);
    assert_non_null(strstr(ck_verdict_line(&v, 4096, &f->arena), "alpinne is one letter away"));
    /* and stays one when the store has seen it */
    bool moved;
    struct ck_digest from;
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/alpinne:3.20"), &ix, &moved, &from));
    v = verdict(f, NULL, &ix, "docker.io/library/alpinne:3.20");
    assert_int_equal(v.decision, CK_QUARANTINE);
    assert_ok(ck_store_decide(f->s, &ix, CK_DENIED, CK_V("x"), CK_BY_PERSON, NULL));
    v = verdict(f, NULL, &ix, ALPINE);
    assert_int_equal(v.decision, CK_DENY);
    unit_image_free(&u);
}

static void a_tag_that_moved_is_known_for_the_images_of_its_index(void **state)
{
    static const char immutable[] = RULE("      tags: immutable\n");
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ""), other = fetch(f, 2, ALPINE);
    struct ck_digest ix = add_index(f, "the index", &u), from;
    struct ck_facts facts = unit_facts();
    bool moved;
    keep(f, &u.image.digest, &facts);
    keep(f, &other.image.digest, &facts);
    struct ck_verdict v = verdict(f, immutable, &other.image.digest, ALPINE);
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    assert_ok(ck_store_set_name(f->l, CK_V(ALPINE), &ix, &moved, &from));
    assert_true(moved);
    v = verdict(f, immutable, &ix, ALPINE);
    assert_int_equal(v.decision, CK_DENY);
    v = verdict(f, immutable, &u.image.digest, ALPINE);
    assert_int_equal(v.decision, CK_DENY);
    assert_non_null(strstr(ck_verdict_line(&v, 4096, &f->arena), "was given to another image"));
    unit_image_free(&u);
    unit_image_free(&other);
}

static void rules_for_tags_hold_for_what_is_asked_for_by_digest(void **state)
{
    static const char yaml[] = "version: 1\ndefault: allow\nrules:\n  - name: old\n"
                               "    match: { images: [\"docker.io/library/alpine:3.20\"] }\n"
                               "    decision: deny\n";
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "");
    struct ck_digest ix = add_index(f, "the index", &u), from;
    struct ck_facts facts = unit_facts();
    char text[CK_DIGEST_TEXT];
    bool moved;
    keep(f, &u.image.digest, &facts);
    const char *name = ck_arena_format(&f->arena, "docker.io/library/alpine@%s",
                                       ck_digest_text(&u.image.digest, text));
    struct ck_verdict v = verdict(f, yaml, &u.image.digest, name);
    assert_int_equal(v.decision, CK_ALLOW);
    assert_ok(ck_store_set_name(f->l, CK_V(ALPINE), &ix, &moved, &from));
    v = verdict(f, yaml, &u.image.digest, name);
    assert_int_equal(v.decision, CK_DENY);
    v = verdict(f, yaml, &u.image.digest, "docker.io/library/other:1");
    assert_int_equal(v.decision, CK_ALLOW);
    unit_image_free(&u);
}

static void bases_are_images_whose_layers_it_begins_with(void **state)
{
    static const char yaml[] = RULE("      base: [docker.io/library/debian]\n");
    struct fixture *f = *state;
    struct unit_image base = fetch(f, 1, "docker.io/library/debian:12"),
                      app = fetch(f, 2, "docker.io/team/app:1");
    struct ck_digest chain[2];
    ck_hash_of(CK_DIGEST_SHA256, CK_V("1"), &chain[0]);
    ck_hash_of(CK_DIGEST_SHA256, CK_V("2"), &chain[1]);
    struct ck_facts facts = unit_facts();
    facts.chain = &chain[1];
    facts.n_chain = 1;
    keep(f, &app.image.digest, &facts);
    struct ck_verdict v = verdict(f, yaml, &app.image.digest, "docker.io/team/app:1");
    assert_int_equal(v.decision, CK_DENY);
    facts.chain = chain;
    facts.n_chain = 2;
    keep(f, &app.image.digest, &facts);
    facts.n_chain = 1;
    keep(f, &base.image.digest, &facts);
    v = verdict(f, yaml, &app.image.digest, "docker.io/team/app:1");
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    unit_image_free(&base);
    unit_image_free(&app);
}

/* --- artifacts -------------------------------------------------------------------------------- */

/* A manifest with one config and one layer of these types. */
static struct ck_digest add_artifact(struct fixture *f, const char *text, const char *config,
                                     const char *layer)
{
    struct ck_store_part parts[2] = {
        { .digest = unit_digest(CK_V("{}")), .size = 2, .media_type = ck_view_str(config),
          .role = CK_PART_CONFIG },
        { .digest = unit_digest(CK_V("[]")), .size = 2, .media_type = ck_view_str(layer),
          .role = CK_PART_LAYER },
    };
    assert_ok(ck_store_put(f->l, &parts[0].digest, CK_V("{}")));
    assert_ok(ck_store_put(f->l, &parts[1].digest, CK_V("[]")));
    return add_manifest(f, text, (struct ck_store_image){
        .has_subject = true, .subject = unit_digest(CK_V("x")), .parts = parts, .n_parts = 2 });
}

static void attack_image_that_calls_itself_an_artifact(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *config, *layer;
        bool inert;
    } cases[] = {
        { "application/vnd.oci.empty.v1+json", "application/spdx+json", true },
        { "application/vnd.example.config", UNIT_OCI "layer.v1.tar+gzip", true },
        { UNIT_OCI "config.v1+json", UNIT_OCI "layer.v1.tar+gzip", false },
        { UNIT_OCI "config.v1+json", "application/vnd.in-toto+json", false },
        { "application/vnd.docker.container.image.v1+json", "application/spdx+json", false },
        { "application/octet-stream", "application/spdx+json", false },
        { "application/vnd.docker.plugin.v1+json", "application/spdx+json", false },
        { "", "application/spdx+json", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_autofree char *text = ck_format("artifact %zu", i);
        struct ck_digest d = add_artifact(f, text, cases[i].config, cases[i].layer);
        struct ck_verdict v = verdict(f, NULL, &d, ALPINE);
        assert_int_equal(v.decision, cases[i].inert ? CK_ALLOW : CK_QUARANTINE);
    }
}

static void an_attestation_that_was_cleared_passes(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = add_artifact(f, "attestation", UNIT_OCI "config.v1+json",
                                      "application/vnd.in-toto+json");
    decide(f, &d, CK_CLEARED, CK_BY_SCAN);
    struct ck_verdict v = verdict(f, NULL, &d, ALPINE);
    assert_int_equal(v.decision, CK_ALLOW);
    /* what could be an image must be examined as one */
    d = add_artifact(f, "image", UNIT_OCI "config.v1+json", UNIT_OCI "layer.v1.tar");
    decide(f, &d, CK_CLEARED, CK_BY_SCAN);
    v = verdict(f, NULL, &d, ALPINE);
    assert_int_equal(v.decision, CK_QUARANTINE);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void what_is_not_there_and_names_that_are_none(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_digest d = unit_digest(CK_V("nothing"));
    struct ck_verdict_question q = { .name = CK_V("a//b"), .now = UNIT_NOW };
    struct ck_verdict v;
    struct ck_policy *p = unit_require("      known-exploited: none\n");
    assert_fails(ck_verdict_of(f->s, p, &d, &q, &f->arena, &v), CK_ERR_UNAVAILABLE,
                 "is no image of the store");
    assert_fails(ck_verdict_of(f->s, p, &u.image.digest, &q, &f->arena, &v), CK_ERR_USAGE, "a//b");
    ck_policy_free(p);
    unit_image_free(&u);
}

static void what_is_in_no_store_is_judged_by_its_facts(void **state)
{
    struct fixture *f = *state;
    struct ck_verdict_question q = { .now = UNIT_NOW };
    struct ck_facts facts = unit_facts();
    struct ck_verdict v;
    struct ck_policy *p = unit_policy(RULE("      user: non-root\n"));
    assert_ok(ck_verdict_of_facts(p, &facts, &q, &f->arena, &v));
    assert_verdict(f, &v, CK_ALLOW, "allowed");
    facts.user = CK_V("");
    assert_ok(ck_verdict_of_facts(p, &facts, &q, &f->arena, &v));
    assert_verdict(f, &v, CK_DENY, "denied: r: it runs as root");
    ck_policy_free(p);
}

static void a_line_is_cut_where_it_must(void **state)
{
    struct fixture *f = *state;
    ck_view reasons[] = { CK_V("first: \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"),
                          CK_V("the second of the reasons"), CK_V("third") };
    struct ck_verdict v = { .decision = CK_DENY, .reasons = reasons, .n_reasons = 3 };
    assert_string_equal(ck_verdict_line(&v, 200, &f->arena),
                        "denied: first: \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4; the second of "
                        "the reasons; third");
    assert_string_equal(ck_verdict_line(&v, 63, &f->arena),
                        "denied: first: \xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4; and 2 more reasons");
    assert_string_equal(ck_verdict_line(&v, 60, &f->arena),
                        "denied: first: \xc3\xa4...; and 2 more reasons");
    for (size_t max = 0; max < 200; max++) {
        const char *line = ck_verdict_line(&v, max, &f->arena);
        assert_true(strlen(line) <= max);
        assert_true(ck_utf8_valid(ck_view_str(line)));
    }
    v.n_reasons = 0;
    assert_string_equal(ck_verdict_line(&v, 200, &f->arena), "denied");
}

/* Admission answers within 10 ms; of that a verdict may take less than one, with 1,000 findings. */
static void a_verdict_with_a_thousand_findings_is_quick(void **state)
{
    enum { FINDINGS = 1000, ROUNDS = 200 };
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, ALPINE);
    struct ck_facts facts = unit_facts();
    struct timespec from, to;
    facts.findings = ck_arena_alloc(&f->arena, FINDINGS, sizeof *facts.findings);
    facts.n_findings = FINDINGS;
    for (size_t i = 0; i < FINDINGS; i++)
        facts.findings[i] = unit_finding(ck_arena_format(&f->arena, "CVE-2026-%zu", 1000 + i),
                                         CK_SEVERITY_MEDIUM);
    keep(f, &u.image.digest, &facts);
    struct ck_policy *p = NULL;
    assert_ok(ck_policy_parse(ck_policy_builtin(), "built-in", &p));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < ROUNDS; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_verdict_question q = { .name = CK_V(ALPINE), .now = UNIT_NOW };
        struct ck_verdict v;
        assert_ok(ck_verdict_of(f->s, p, &u.image.digest, &q, &a, &v));
        assert_int_equal(v.decision, CK_ALLOW);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    double us = ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) /
                1e3 / ROUNDS;
    print_message("a verdict takes %.0f us of processor time\n", us);
#ifndef CK_SANITIZED
    assert_true(us < 1000);
#endif
    ck_policy_free(p);
    unit_image_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_not_examined_is_quarantined),
        T(facts_are_judged_anew_each_time),
        T(a_denial_of_fail_on_stays_with_the_facts),
        T(what_a_scan_refused_is_denied),
        T(a_persons_denial_denies),
        T(what_a_person_holds_back_is_held_back),
        T(one_person_releases_where_one_is_enough),
        T(two_persons_release_where_two_are_wanted),
        T(what_nobody_may_release_stays),
        T(an_index_is_judged_by_its_name),
        T(a_tag_that_moved_is_known_for_the_images_of_its_index),
        T(rules_for_tags_hold_for_what_is_asked_for_by_digest),
        T(bases_are_images_whose_layers_it_begins_with),
        T(attack_image_that_calls_itself_an_artifact),
        T(an_attestation_that_was_cleared_passes),
        T(what_is_not_there_and_names_that_are_none),
        T(what_is_in_no_store_is_judged_by_its_facts),
        T(a_line_is_cut_where_it_must),
        T(a_verdict_with_a_thousand_findings_is_quick),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
