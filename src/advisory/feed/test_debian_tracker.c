#include "advisory/feed/feed.h"
#include "base/unit.h"

#include "advisory/feed/test_sink.h"

#include <sys/resource.h>
#include <time.h>

#define tracker(json, want) assert_feed(ck_feed_debian_tracker, CK_V(json), want)
#define RELEASE(name, facts) \
    "{\"openssl\":{\"CVE-2023-1234\":{\"releases\":{\"" name "\":{" facts "}}}}}"
#define HEAD "CVE-2023-1234\n  Debian:12 openssl source "

static void test_states(void **state)
{
    (void)state;
    tracker(RELEASE("bookworm", "\"status\":\"resolved\",\"fixed_version\":\"3.0.11-1\","
                                "\"urgency\":\"medium\""),
            HEAD "fixed severity=3 [,3.0.11-1)\n");
    tracker(RELEASE("bookworm", "\"status\":\"resolved\",\"fixed_version\":\"0\","
                                "\"urgency\":\"unimportant\""),
            HEAD "not-affected severity=1 unimportant [,0)\n");
    tracker(RELEASE("bookworm", "\"status\":\"resolved\""), HEAD "undetermined [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"open\",\"urgency\":\"not yet assigned\""), HEAD
            "none [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"open\",\"urgency\":\"low**\",\"nodsa\":\"Minor "
                                "issue\","
                                "\"nodsa_reason\":\"\""), HEAD
                                    "no-dsa severity=2 note=(Minor issue) [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"open\",\"nodsa\":\"x\","
                                "\"nodsa_reason\":\"ignored\""),
            HEAD "wont note=(x) [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"open\",\"nodsa\":\"x\","
                                "\"nodsa_reason\":\"postponed\""),
            HEAD "postponed note=(x) [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"open\",\"urgency\":\"end-of-life\","
                                "\"nodsa\":\"x\""),
            HEAD "end-of-life note=(x) [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"undetermined\",\"urgency\":\"unimportant\""),
            HEAD "undetermined severity=1 unimportant [,)\n");
    tracker(RELEASE("bookworm", "\"status\":\"open\",\"fixed_version\":\"4.0-1\""), HEAD
            "none [,4.0-1)\n");
}

static void test_releases(void **state)
{
    (void)state;
#define OPEN "{\"status\":\"open\"}"
    tracker("{\"a\":{\"TEMP-0000000-ABCDEF\":{\"description\":\"some text\\nmore\","
            "\"debianbug\":1,"
            "\"scope\":\"local\","
            "\"releases\":{\"buster\":" OPEN ",\"bullseye\":" OPEN ",\"bookworm\":" OPEN
                ",\"trixie\":" OPEN
            ",\"forky\":" OPEN ",\"sid\":" OPEN ",\"zurg\":" OPEN
                "}},\"CVE-2000-0001\":{}},\"b\":{}}",
            "TEMP-0000000-ABCDEF \"some text\"\n  Debian:10 a source none [,)\n  Debian:11 a "
            "source "
            "none [,)\n"
            "  Debian:12 a source none [,)\n  Debian:13 a source none [,)\n  Debian:14 a source "
            "none [,)\n"
            "  Debian:sid a source none [,)\n  Debian:zurg a source none [,)\nCVE-2000-0001\n");
}

static void test_attacks(void **state)
{
    (void)state;
    tracker("[]", "error: JSON: the document is no object\n");
    tracker("{\"a\":1}", "error: Debian tracker: a source is an object under a name\n");
    tracker("{\"\":{}}", "error: Debian tracker: a source is an object under a name\n");
    tracker("{\"a\":{\"CVE-1\":[]}}", "error: Debian tracker: source \"a\", \"CVE-1\": an entry "
                                      "is "
                                      "an object under an id\n");
    tracker(RELEASE("bookworm", "\"status\":\"fixed\""),
            "error: Debian tracker: source \"openssl\", \"CVE-2023-1234\": "
            "release \"bookworm\": unknown status \"fixed\"\n");
    tracker(RELEASE("bookworm", ""), "error: Debian tracker: source \"openssl\", "
                                     "\"CVE-2023-1234\": "
                                     "release "
            "\"bookworm\": \"status\" is missing or empty\n");
    tracker("{\"a\":{},\"a\":{}}", "error: JSON: the key \"a\" stands twice in one object\n");
    tracker("{\"a\":{\"CVE-1\":{\"releases\":{\"sid\":" OPEN ",\"sid\":" OPEN "}}}}",
            "error: JSON: the key \"sid\" stands twice in one object\n");
}

/* A document of the tracker's shape and size: 4,000 sources, one of them like linux. */
static void put_source(struct ck_buf *b, int source, int n_cves)
{
    static const char *const codenames[] = { "bullseye", "bookworm", "trixie", "forky", "sid" };
    ck_buf_format(b, "%s\"source-%d\": {", source ? ", " : "{", source);
    for (int c = 0; c < n_cves; c++) {
        ck_buf_format(b, "%s\"CVE-2024-%05d\": {\"description\": \"In the source number %d the "
                         "function that reads what "
                         "others wrote does not check a length, which allows remote attackers to "
                         ""
                         "read beyond "
                         "\\\"the end\\\" of a buffer, or to cause a denial of service.\", "
                         "\"scope\": \"remote\", "
                         "\"releases\": {", c ? ", " : "", c, source);
        for (int r = 0; r < 5; r++)
            ck_buf_format(b, "%s\"%s\": {\"status\": \"resolved\", \"repositories\": {\"%s\": "
                             "\"1.%d-1\", "
                             "\"%s-security\": \"1.%d-1+deb12u%d\"}, \"fixed_version\": "
                             "\"1.%d-1\", "
                             "\"urgency\": "
                             "\"not yet assigned\"}", r ? ", " : "", codenames[r], codenames[r],
                                 c,
                                 codenames[r], c, r, c);
        ck_buf_format(b, "}}");
    }
    ck_buf_format(b, "}");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_realistic_size(void **state)
{
    (void)state;
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    for (int i = 0; i < 4000; i++)
        put_source(&b, i, i == 2000 ? 12000 : 12);
    ck_buf_format(&b, "}");
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    struct seen s = { 0 };
    double t = now();
    assert_ok(ck_feed_debian_tracker(ck_buf_view(&b), &(struct ck_advisory_sink){ seen_put,
                                                                                  &s }));
    t = now() - t;
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(s.records, 3999 * 12 + 12000);
    assert_int_equal(s.affected, 5 * s.records);
    assert_int_equal(s.by_state[CK_FIX_FIXED], s.affected);
    print_message("%zu MB in %.2f s, at most %ld MB beyond the document\n", b.n / 1000000, t,
                  (after.ru_maxrss - before.ru_maxrss) / 1000);
    ck_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_releases),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_realistic_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
