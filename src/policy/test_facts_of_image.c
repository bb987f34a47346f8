#include "base/unit.h"
#include "base/mem.h"
#include "policy/unit_facts.h"

/* A value with something in each of its fields. */
struct full {
    ck_view aliases[2], volumes[1], ports[2];
    struct ck_fact_pair gaps[1], labels[2], secrets[1];
    struct ck_fact_finding findings[2];
    struct ck_digest chain[2];
    struct ck_facts f;
};

static void fill(struct full *x)
{
    *x = (struct full){
        .aliases = { CK_V("GHSA-1"), CK_V("DSA-2") },
        .volumes = { CK_V("/data") },
        .ports = { CK_V("80/tcp"), CK_V("22/tcp") },
        .gaps = { { CK_V("packages"), CK_V("a file is cut off") } },
        .labels = { { CK_V("a"), CK_V("") }, { CK_V("b"), CK_V("\xC3\xA4") } },
        .secrets = { { CK_V("DB_PASSWORD"), CK_V("its name") } },
        .findings = { unit_fixed("CVE-1", CK_SEVERITY_CRITICAL, UNIT_NOW),
                      unit_finding("CVE-2", CK_SEVERITY_UNKNOWN) },
        .f = unit_facts(),
    };
    x->findings[0].aliases = x->aliases;
    x->findings[0].n_aliases = 2;
    x->findings[0].kev = true;
    ck_hash_of(CK_DIGEST_SHA256, CK_V("1"), &x->chain[0]);
    ck_hash_of(CK_DIGEST_SHA512, CK_V("2"), &x->chain[1]);
    x->f.gaps = x->gaps, x->f.n_gaps = 1;
    x->f.labels = x->labels, x->f.n_labels = 2;
    x->f.volumes = x->volumes, x->f.n_volumes = 1;
    x->f.ports = x->ports, x->f.n_ports = 2;
    x->f.secrets = x->secrets, x->f.n_secrets = 1;
    x->f.findings = x->findings, x->f.n_findings = 2;
    x->f.chain = x->chain, x->f.n_chain = 2;
    x->f.has_fail_on = true, x->f.fail_on = CK_SEVERITY_HIGH;
}

static void encode(const struct ck_facts *f, struct ck_buf *out)
{
    *out = ck_buf_new(CK_LIMIT_NONE);
    ck_facts_encode(f, out);
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    struct full x;
    struct ck_facts f;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf once, twice;
    fill(&x);
    encode(&x.f, &once);
    assert_ok(ck_facts_decode(ck_buf_view(&once), &a, &f));
    encode(&f, &twice);
    assert_true(ck_view_eq(ck_buf_view(&once), ck_buf_view(&twice)));
    assert_view(f.findings[0].aliases[1], "DSA-2");
    assert_view(f.findings[0].fix_version, "3.0.2");
    assert_true(f.findings[0].kev);
    assert_int_equal(f.findings[1].fix_state, CK_FIX_NONE);
    assert_view(f.labels[1].key, "b");
    assert_view(f.ports[1], "22/tcp");
    assert_view(f.secrets[0].key, "DB_PASSWORD");
    assert_true(ck_digest_eq(&f.chain[1], &x.chain[1]));
    assert_int_equal(f.size, 123456);
    assert_true(f.has_fail_on);
    assert_int_equal(f.fail_on, CK_SEVERITY_HIGH);
    assert_int_equal(f.end_of_life, x.f.end_of_life);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    struct full x;
    ck_autobuf struct ck_buf b;
    fill(&x);
    encode(&x.f, &b);
    for (size_t n = 0; n < b.n; n++) {
        ck_autoarena struct ck_arena a = { 0 };
        struct ck_facts f = { .size = 7 };
        ck_autofree uint8_t *cut = ck_calloc(n + 1, 1); /* so that the sanitizer sees the end */
        memcpy(cut, b.p, n);
        ck_err *e = ck_facts_decode(ck_view_of(cut, n), &a, &f);
        assert_non_null(e);
        assert_int_equal(f.size, 7);
        ck_err_free(e);
    }
    ck_put_u8(&b, 0);
    ck_autoarena struct ck_arena a = { 0 };
    assert_fails(ck_facts_decode(ck_buf_view(&b), &a, &x.f), CK_ERR_HOSTILE, "bytes follow");
}

static void refused(const struct ck_facts *f, enum ck_err_class cls, const char *why)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b;
    struct ck_facts ret;
    encode(f, &b);
    assert_fails(ck_facts_decode(ck_buf_view(&b), &a, &ret), cls, why);
}

static void what_breaks_a_rule_is_refused(void **state)
{
    (void)state;
    struct full x;
    fill(&x), x.f.user = CK_V("a\0b");
    refused(&x.f, CK_ERR_HOSTILE, "without NUL");
    fill(&x), x.f.distro = CK_V("\xFF");
    refused(&x.f, CK_ERR_HOSTILE, "UTF-8");
    fill(&x), x.findings[1].severity = CK_SEVERITY_COUNT_;
    refused(&x.f, CK_ERR_HOSTILE, "severity");
    fill(&x), x.findings[1].fix_state = CK_FIX_STATE_COUNT_;
    refused(&x.f, CK_ERR_HOSTILE, "state of a fix");
    fill(&x), x.findings[1].fix_version = CK_V("1");
    refused(&x.f, CK_ERR_HOSTILE, "only what is fixed");
    fill(&x), x.f.created = INT64_MAX;
    refused(&x.f, CK_ERR_HOSTILE, "years 0 to 9999");
    fill(&x), x.f.created = INT64_MIN;
    refused(&x.f, CK_ERR_HOSTILE, "years 0 to 9999");
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b;
    fill(&x);
    encode(&x.f, &b);
    b.p[0]++;
    assert_fails(ck_facts_decode(ck_buf_view(&b), &a, &x.f), CK_ERR_HOSTILE, "another version");
}

static void limits_hold(void **state)
{
    (void)state;
    struct full x;
    struct ck_facts ret;
    ck_autoarena struct ck_arena a = { 0 };
    fill(&x);
    ck_autofree uint8_t *text = ck_calloc(CK_MAX_STRING + 1, 1);
    memset(text, 'x', CK_MAX_STRING + 1);
    ck_autobuf struct ck_buf at;
    x.f.user = ck_view_of(text, CK_MAX_STRING);
    encode(&x.f, &at);
    assert_ok(ck_facts_decode(ck_buf_view(&at), &a, &ret));
    x.f.user.n++;
    refused(&x.f, CK_ERR_LIMIT, "STRING");

    fill(&x);
    x.findings[0].n_aliases = CK_MAX_FACT_ALIASES + 1;
    x.findings[0].aliases = ck_arena_alloc(&a, CK_MAX_FACT_ALIASES + 1, sizeof(ck_view));
    refused(&x.f, CK_ERR_LIMIT, "FACT_ALIASES");
    x.findings[0].n_aliases--;
    ck_autobuf struct ck_buf aliases;
    encode(&x.f, &aliases);
    assert_ok(ck_facts_decode(ck_buf_view(&aliases), &a, &ret));
}

static void counts_have_limits(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_facts ret;
    const struct {
        size_t *n;
        void **v;
        size_t size, max;
        const char *name;
    } lists[] = {
        { &ret.n_findings, (void **)&ret.findings, sizeof *ret.findings, CK_MAX_FACT_FINDINGS,
          "FACT_FINDINGS" },
        { &ret.n_gaps, (void **)&ret.gaps, sizeof *ret.gaps, CK_MAX_FACT_GAPS, "FACT_GAPS" },
        { &ret.n_labels, (void **)&ret.labels, sizeof *ret.labels, CK_MAX_FACT_PAIRS,
          "FACT_PAIRS" },
        { &ret.n_secrets, (void **)&ret.secrets, sizeof *ret.secrets, CK_MAX_FACT_PAIRS,
          "FACT_PAIRS" },
        { &ret.n_volumes, (void **)&ret.volumes, sizeof *ret.volumes, CK_MAX_FACT_PAIRS,
          "FACT_PAIRS" },
        { &ret.n_ports, (void **)&ret.ports, sizeof *ret.ports, CK_MAX_FACT_PAIRS, "FACT_PAIRS" },
        { &ret.n_chain, (void **)&ret.chain, sizeof *ret.chain, CK_MAX_LAYERS, "LAYERS" },
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        ck_autobuf struct ck_buf at;
        ret = unit_facts();
        *lists[i].n = lists[i].max;
        *lists[i].v = ck_arena_alloc(&a, lists[i].max + 1, lists[i].size);
        encode(&ret, &at);
        assert_ok(ck_facts_decode(ck_buf_view(&at), &a, &ret));
        ret = unit_facts();
        *lists[i].n = lists[i].max + 1;
        *lists[i].v = ck_arena_alloc(&a, lists[i].max + 1, lists[i].size);
        refused(&ret, CK_ERR_LIMIT, lists[i].name);
    }
    ck_autofree uint8_t *big = ck_calloc(CK_MAX_FACTS_OF_IMAGE + 1, 1);
    assert_fails(ck_facts_decode(ck_view_of(big, CK_MAX_FACTS_OF_IMAGE), &a, &ret),
                 CK_ERR_HOSTILE, "version");
    assert_fails(ck_facts_decode(ck_view_of(big, CK_MAX_FACTS_OF_IMAGE + 1), &a, &ret),
                 CK_ERR_LIMIT, "FACTS_OF_IMAGE");
}

/* No count is believed before the bytes are there: 4 bytes must not make megabytes. */
static void a_count_is_not_believed(void **state)
{
    (void)state;
    struct ck_facts f = unit_facts();
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b;
    encode(&f, &b);
    const size_t behind = 4 + 3 + 5 * 4 + 1 + 8; /* user, five empty lists, fail_on, size */
    size_t at = b.n - behind - 4;
    memcpy(b.p + at, "\x40\x0d\x03\0", 4); /* FACT_FINDINGS of them */
    assert_fails(ck_facts_decode(ck_buf_view(&b), &a, &f), CK_ERR_HOSTILE, "promises more");
    assert_true(a.used < 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_encoded_is_decoded),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(what_breaks_a_rule_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(counts_have_limits),
        cmocka_unit_test(a_count_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
