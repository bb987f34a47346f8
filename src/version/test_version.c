#include "base/buf.h"
#include "base/mem.h"
#include "base/unit.h"
#include "version/version.h"

typedef int (*cmp_fn)(ck_view a, ck_view b);

static int sign(int c) { return c < 0 ? -1 : c > 0; }

static char mark(int c) { return c < 0 ? '<' : c > 0 ? '>' : '='; }

/* One "a OP b"; false, saying so, where the order differs in either direction. */
static bool vector_holds(cmp_fn cmp, ck_view a, ck_view op, ck_view b)
{
    char want = (char)op.p[0];
    char got = mark(cmp(a, b)), back = mark(cmp(b, a));
    char mirrored = want == '<' ? '>' : want == '>' ? '<' : '=';
    if (got == want && back == mirrored)
        return true;
    print_error("%.*s %c %.*s, but: %c, and reversed %c\n", CK_VF(a), want, CK_VF(b), got, back);
    return false;
}

static ck_view word(ck_view *line)
{
    while (line->n && (line->p[0] == ' ' || line->p[0] == '\t'))
        *line = ck_view_from(*line, 1);
    size_t n = 0;
    while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
        n++;
    ck_view out = ck_view_head(*line, n);
    *line = ck_view_from(*line, n);
    return out;
}

/* Counts the vectors of a file; every one must hold. */
static void vectors(const char *name, cmp_fn cmp, size_t at_least)
{
    ck_view file = unit_shared(name);
    ck_cur c = ck_cur_of(file);
    size_t n = 0, failed = 0;
    while (!ck_cur_end(&c)) {
        ck_view line = ck_cur_line(&c);
        if (ck_view_trim(line).n == 0 || line.p[0] == '#')
            continue;
        ck_view a = word(&line), op = word(&line), b = word(&line);
        n++;
        failed += !vector_holds(cmp, a, op, b);
    }
    free((void *)(uintptr_t)file.p);
    assert_int_equal(failed, 0);
    assert_true(n >= at_least);
}

static void debian_vectors(void **state)
{
    (void)state;
    vectors("fixtures/versions/debian-versions.txt", ck_dpkg_cmp, 20);
}

static void debian_generated_vectors(void **state)
{
    (void)state;
    vectors("fixtures/versions/debian-versions-generated.txt", ck_dpkg_cmp, 10000);
}

static void rpm_vectors(void **state)
{
    (void)state;
    vectors("fixtures/versions/rpmvercmp.txt", ck_rpmvercmp, 100);
}

static void redhat_vectors(void **state)
{
    (void)state;
    vectors("fixtures/versions/redhat-versions.txt", ck_rpm_cmp, 150);
}

static void alpine_vectors(void **state)
{
    (void)state;
    vectors("fixtures/versions/alpine-versions.txt", ck_apk_cmp, 700);
}

static void alpine_generated_vectors(void **state)
{
    (void)state;
    vectors("fixtures/versions/alpine-versions-generated.txt", ck_apk_cmp, 10000);
}

/* "a OP b" with the operators of apk, "!a" for an invalid version, "a" for a valid one. */
static bool apk_line_holds(ck_view line)
{
    ck_view a = word(&line), op = word(&line), b = word(&line);
    if (op.n == 0) {
        bool invalid = a.p[0] == '!';
        return ck_apk_valid(ck_view_from(a, invalid)) == !invalid;
    }
    bool inverse = op.p[0] == '!';
    op = ck_view_from(op, inverse);
    if (ck_view_find(op, '~') == op.n)
        return vector_holds(ck_apk_cmp, a, op, b);
    int c = ck_apk_cmp_prefix(a, b);
    bool holds = c == 0 || (c < 0 && op.p[0] == '<') || (c > 0 && op.p[0] == '>');
    return holds != inverse;
}

static void apk_tools_vectors(void **state)
{
    (void)state;
    ck_view file = unit_shared("fixtures/versions/apk-tools-version.data");
    ck_cur c = ck_cur_of(file);
    size_t n = 0, failed = 0;
    while (!ck_cur_end(&c)) {
        ck_view line = ck_cur_line(&c);
        line = ck_view_trim(ck_view_head(line, ck_view_find(line, '#')));
        if (line.n == 0)
            continue;
        n++;
        if (!apk_line_holds(line)) {
            print_error("fails: %.*s\n", CK_VF(line));
            failed++;
        }
    }
    free((void *)(uintptr_t)file.p);
    assert_int_equal(failed, 0);
    assert_true(n > 750);
}

struct pair {
    const char *a, *b;
    int want;
};

static void pairs_hold(cmp_fn cmp, const struct pair *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ck_view a = ck_view_str(p[i].a), b = ck_view_str(p[i].b);
        if (sign(cmp(a, b)) != p[i].want || sign(cmp(b, a)) != -p[i].want)
            print_error("%s against %s\n", p[i].a, p[i].b);
        assert_int_equal(sign(cmp(a, b)), p[i].want);
        assert_int_equal(sign(cmp(b, a)), -p[i].want);
    }
}
#define PAIRS_HOLD(cmp, ...) \
    pairs_hold(cmp, (const struct pair[]){ __VA_ARGS__ }, \
               sizeof((const struct pair[]){ __VA_ARGS__ }) / sizeof(struct pair))

/* The examples of deb-version(7) and Debian policy 5.6.12, and what bounded integers get wrong. */
static void dpkg_rules(void **state)
{
    (void)state;
    PAIRS_HOLD(ck_dpkg_cmp, { "1.0~rc1", "1.0", -1 }, { "1.0~~", "1.0~~a", -1 },
               { "1.0~~a", "1.0~", -1 }, { "1.0", "1.0a", -1 }, { "1.0a", "1.0+", -1 },
               { "1:0", "2", 1 }, { "0:1.0-0", "1.0", 0 }, { "1.0-1", "1.0-1+b1", -1 },
               { "1.2-3-4", "1.2-3-5", -1 }, { "1.09", "1.9", 0 },
               { "99999999999999999999998", "99999999999999999999999", -1 },
               { "9999999999999999999999:1", "10000000000000000000000:1", -1 },
               { " 1.0 ", "1.0", 0 }, { "", "0", 0 }, { "a:1", "0:1", 1 });
    assert_true(ck_dpkg_valid(CK_V("1:2.3+dfsg-4~deb12u1")));
    assert_true(ck_dpkg_valid(CK_V("1.2:3-4")) == false);
    assert_false(ck_dpkg_valid(CK_V("")));
    assert_false(ck_dpkg_valid(CK_V("1:")));
    assert_false(ck_dpkg_valid(CK_V("1.0-")));
    assert_false(ck_dpkg_valid(CK_V("v1.0")));
    assert_false(ck_dpkg_valid(CK_V("1.0_1")));
    assert_false(ck_dpkg_valid(CK_V("2147483648:1")));
}

static void rpm_rules(void **state)
{
    (void)state;
    PAIRS_HOLD(ck_rpm_cmp, { "1.0-1", "0:1.0-1", 0 }, { "1:1.0-1", "2.0-1", 1 },
               { "1.0", "1.0-1", -1 }, { "1.0^1", "1.0.1", -1 }, { "1.0~^", "1.0~", 1 },
               { "00000000000000000000000000001", "1", 0 },
               { "18446744073709551617", "18446744073709551616", 1 });
    assert_true(ck_rpm_valid(CK_V("0:2.32.1-42.el8_8")));
    assert_true(ck_rpm_valid(CK_V("1.0~rc1^git1")));
    assert_false(ck_rpm_valid(CK_V("x:1-1")));
    assert_false(ck_rpm_valid(CK_V("1-")));
    assert_false(ck_rpm_valid(CK_V("")));
}

static void apk_rules(void **state)
{
    (void)state;
    PAIRS_HOLD(ck_apk_cmp, { "1.0_rc1-r9", "1.0-r0", -1 }, { "1.0_p1", "1.0", 1 },
               { "1.10", "1.9", 1 }, { "1.10", "1.09", 1 }, { "1.0-r10", "1.0-r9", 1 },
               { "1.2_git20240101", "1.2_git20231231", 1 }, { "0", "1.2-r0", -1 },
               { "1.0_rc1", "1.0_blah", -1 }, { "6.6.2p1", "6.6.2p2", -1 },
               { "18446744073709551617", "18446744073709551616", 1 }, { "", "", 0 });
    assert_true(ck_apk_valid(CK_V("3.4.6_p1_git20240101~0aF-r2")));
    assert_false(ck_apk_valid(CK_V("1.0-r1 ")));
    assert_false(ck_apk_valid(ck_view_of("1.0\0", 4)));
}

static void schemes_by_number(void **state)
{
    (void)state;
    assert_true(ck_version_cmp(CK_VERSION_DPKG, CK_V("1~"), CK_V("1")) < 0);
    assert_true(ck_version_cmp(CK_VERSION_RPM, CK_V("1^"), CK_V("1")) > 0);
    assert_true(ck_version_cmp(CK_VERSION_APK, CK_V("1_p"), CK_V("1")) > 0);
    assert_int_equal(ck_version_cmp(CK_VERSION_UNKNOWN, CK_V("1.0"), CK_V("1.0")), 0);
    assert_int_not_equal(ck_version_cmp(CK_VERSION_UNKNOWN, CK_V("1.0"), CK_V("1.00")), 0);
    assert_string_equal(ck_version_scheme_name(CK_VERSION_APK), "apk");
    assert_string_equal(ck_version_scheme_name((enum ck_version_scheme)77), "unknown");
    assert_true(ck_version_valid(CK_VERSION_UNKNOWN, CK_V("x")));
}

/* A small generator of our own, so that a printed seed gives the same pairs everywhere. */
static uint32_t roll(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*seed >> 33) % below;
}

static size_t random_version(uint64_t *seed, const char *alphabet, char *out, size_t max)
{
    size_t n = 1 + roll(seed, (uint32_t)max - 1);
    size_t kinds = strlen(alphabet);
    out[0] = (char)('0' + roll(seed, 4));
    for (size_t i = 1; i < n; i++)
        out[i] = alphabet[roll(seed, (uint32_t)kinds)];
    out[n] = 0;
    return n;
}

/* Half of the pairs differ in few places only: there the rules meet. */
static void random_pair(uint64_t *seed, const char *alphabet, char a[16], char b[16])
{
    random_version(seed, alphabet, a, 12);
    if (roll(seed, 2)) {
        memcpy(b, a, 16);
        b[roll(seed, (uint32_t)strlen(a))] = alphabet[roll(seed, (uint32_t)strlen(alphabet))];
    } else {
        random_version(seed, alphabet, b, 12);
    }
}

static void orders_are_total(void **state)
{
    (void)state;
    static const struct {
        enum ck_version_scheme scheme;
        const char *alphabet;
    } of[] = {
        { CK_VERSION_DPKG, "0019az~+-.:" },
        { CK_VERSION_RPM, "0019az~^-.:\xb1" },
        { CK_VERSION_APK, "0019.._arcp-r~" },
    };
    uint64_t seed = 2;
    for (int i = 0; i < 300000; i++) {
        char s[3][16];
        ck_view v[3];
        random_pair(&seed, of[i % 3].alphabet, s[0], s[1]);
        random_version(&seed, of[i % 3].alphabet, s[2], 6);
        for (int k = 0; k < 3; k++)
            v[k] = ck_view_str(s[k]);
        int ab = sign(ck_version_cmp(of[i % 3].scheme, v[0], v[1]));
        int bc = sign(ck_version_cmp(of[i % 3].scheme, v[1], v[2]));
        int ac = sign(ck_version_cmp(of[i % 3].scheme, v[0], v[2]));
        bool holds = ab == -sign(ck_version_cmp(of[i % 3].scheme, v[1], v[0])) &&
                     (ab != bc || ac == ab) && (ab != 0 || ac == bc) && (bc != 0 || ac == ab);
        if (!holds)
            print_error("no order: \"%s\" \"%s\" \"%s\"\n", s[0], s[1], s[2]);
        assert_true(holds);
    }
}

enum { DIFFERENTIAL_PAIRS = 2000, PAIRS_A_SHELL = 500 };

/* Runs the shell script that `b` holds; one line of output for each pair. */
static void ask_dpkg(struct ck_buf *script, const int *ours, char (*shown)[64], size_t n)
{
    ck_put_u8(script, 0);
    FILE *p = popen((const char *)script->p, "r");
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        char line[8] = "";
        assert_non_null(fgets(line, sizeof line, p));
        if (line[0] != mark(ours[i]))
            print_error("%s: dpkg says %c, we say %c\n", shown[i], line[0], mark(ours[i]));
        assert_int_equal(line[0], mark(ours[i]));
    }
    assert_int_equal(pclose(p), 0);
    ck_buf_clear(script);
}

static void dpkg_itself_agrees(void **state)
{
    (void)state;
    if (system("command -v dpkg >/dev/null 2>&1") != 0) {
        print_message("skipped: dpkg is not installed\n");
        skip();
    }
    const char *given = getenv("COCKET_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 20260801;
    print_message("seed %llu, %d pairs (COCKET_SEED chooses another)\n", (unsigned long long)seed,
                  DIFFERENTIAL_PAIRS);
    ck_autobuf struct ck_buf script = ck_buf_new(CK_LIMIT_NONE);
    static char shown[PAIRS_A_SHELL][64];
    static int ours[PAIRS_A_SHELL];
    for (size_t done = 0; done < DIFFERENTIAL_PAIRS; done += PAIRS_A_SHELL) {
        ck_buf_format(&script, "c() { dpkg --compare-versions \"$1\" lt \"$2\" && echo '<' && "
                               "return; dpkg --compare-versions \"$1\" gt \"$2\" && echo '>' && "
                               "return; echo =; }; exec 2>/dev/null\n");
        for (size_t i = 0; i < PAIRS_A_SHELL; i++) {
            char a[16], b[16];
            random_pair(&seed, "0019az~~+-.", a, b);
            uint32_t epoch = roll(&seed, 8);
            snprintf(shown[i], sizeof shown[i], "'%s%s-1' '%s%s-1'", epoch == 0 ? "1:" : "", a,
                     epoch == 1 ? "0:" : "", b);
            ck_autofree char *left = ck_format("%s%s-1", epoch == 0 ? "1:" : "", a);
            ck_autofree char *right = ck_format("%s%s-1", epoch == 1 ? "0:" : "", b);
            ours[i] = ck_dpkg_cmp(ck_view_str(left), ck_view_str(right));
            ck_buf_format(&script, "c %s\n", shown[i]);
        }
        ask_dpkg(&script, ours, shown, PAIRS_A_SHELL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debian_vectors),
        cmocka_unit_test(debian_generated_vectors),
        cmocka_unit_test(rpm_vectors),
        cmocka_unit_test(redhat_vectors),
        cmocka_unit_test(alpine_vectors),
        cmocka_unit_test(alpine_generated_vectors),
        cmocka_unit_test(apk_tools_vectors),
        cmocka_unit_test(dpkg_rules),
        cmocka_unit_test(rpm_rules),
        cmocka_unit_test(apk_rules),
        cmocka_unit_test(schemes_by_number),
        cmocka_unit_test(orders_are_total),
        cmocka_unit_test(dpkg_itself_agrees),
    };
    return cmocka_run_group_tests_name("version", tests, NULL, NULL);
}
