/* Any bytes as a policy: what is read decides, twice the same, and as its reasons say. */
#include "policy/policy.h"
#include "policy/unit_facts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void judge(const struct ck_policy *p, const struct ck_policy_subject *s, bool whole)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_policy_answer r, again;
    ck_policy_decide(p, s, &a, &r);
    ck_policy_decide(p, s, &a, &again);
    check(r.decision == again.decision && r.n_reasons == again.n_reasons && r.until == again.until);
    check(r.until == 0 || r.until > s->now);
    check(r.decision == CK_ALLOW || (r.n_reasons && r.reasons[0].decision == r.decision));
    check(whole || r.decision != CK_ALLOW);
    for (size_t i = 0; i < r.n_reasons; i++) {
        check(r.reasons[i].decision <= r.decision && r.reasons[i].text.n);
        check(i == 0 || r.reasons[i].decision <= r.reasons[i - 1].decision);
        check(ck_view_eq(r.reasons[i].text, again.reasons[i].text));
    }
}

static void judge_all(const struct ck_policy *p)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view alias = CK_V("GHSA-1"), volume = CK_V("/data"), port = CK_V("22/tcp");
    struct ck_fact_pair pair = { CK_V("a"), CK_V("b/c") };
    struct ck_fact_finding x[] = { unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW),
                                   unit_finding("CVE-2", CK_SEVERITY_UNKNOWN) };
    struct ck_facts f = unit_facts();
    struct ck_name n = { 0 };
    x[0].aliases = &alias, x[0].n_aliases = 1, x[0].kev = true;
    f.findings = x, f.n_findings = 2;
    f.volumes = &volume, f.n_volumes = 1;
    f.ports = &port, f.n_ports = 1;
    f.labels = f.secrets = f.gaps = &pair;
    f.n_labels = f.n_secrets = f.n_gaps = 1;
    ck_err *e = ck_name_parse(CK_V("debian:12"), &a, &n);
    check(!e);
    struct ck_policy_subject s = { .name = &n, .facts = &f, .upstream = CK_V("docker.io"),
                                   .user = CK_V("ci-1"), .address = CK_V("10.1.2.3"),
                                   .namespace_ = CK_V("prod-1"), .now = UNIT_NOW,
                                   .bases = &alias, .n_bases = 1 };
    judge(p, &s, true);
    s.now += 400 * (int64_t)UNIT_DAY;
    judge(p, &s, true);
    s.facts = NULL;
    judge(p, &s, false);
    s.index = true;
    judge(p, &s, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autobuf struct ck_buf words = ck_buf_new(CK_LIMIT_NONE);
    struct ck_policy *p;
    ck_err *e = ck_policy_parse(ck_view_of(data, size), "p.yaml", &p);
    if (e) {
        check(ck_err_class(e) == CK_ERR_USAGE);
        check(strncmp(ck_err_text(e), "p.yaml:", 7) == 0);
        ck_err_free(e);
        return 0;
    }
    judge_all(p);
    ck_policy_describe(p, UNIT_NOW, &words);
    check(words.n > 0);
    ck_policy_free(p);
    return 0;
}
