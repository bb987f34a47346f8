/* recall as it is called, on a store with facts and pulls; what it prints is read from a file. */
#include "cmd/cmd.h"
#include "policy/facts.h"
#include "store/unit_fixture.h"

#include <getopt.h>
#include <time.h>

static void found_in(struct fixture *f, const struct unit_image *u, const char *id,
                     const char *alias, enum ck_severity severity)
{
    ck_view aliases[] = { ck_view_str(alias) }, ids[] = { ck_view_str(id), ck_view_str(alias) };
    struct ck_fact_finding x = { .id = ids[0], .aliases = aliases, .n_aliases = 1,
                                 .package = CK_V("xz"), .version = CK_V("5"),
                                 .severity = severity };
    struct ck_digest chain = unit_digest(CK_V("chain"));
    struct ck_facts facts = { .platform = CK_V("linux/amd64"), .findings = &x, .n_findings = 1,
                              .scanned = 1, .chain = &chain, .n_chain = 1 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_facts_encode(&facts, &out);
    assert_ok(ck_store_put_facts(f->s, &u->image.digest, ck_buf_view(&out), ids, 2, CK_V("")));
}

static char *recall(struct fixture *f, const char *id, const char *format)
{
    ck_autofree char *path = ck_format("%s/out", f->dir);
    char *argv[] = { (char[]){ "recall" }, (char[]){ "--store" }, f->dir, (char[]){ "--format" },
                     ck_strndup(format, strlen(format)), ck_strndup(id, strlen(id)), NULL };
    struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    fflush(stdout);
    int saved = dup(1), fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    dup2(fd, 1);
    optind = 0;
    int status = ck_cmd_recall(6, argv);
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    close(fd);
    free(argv[4]);
    free(argv[5]);
    assert_int_equal(status, 0);
    assert_ok(ck_file_read(path, &out));
    return ck_buf_steal_str(&out);
}

static struct ck_pull pull(const char *who, int64_t time, const struct ck_digest *d)
{
    return (struct ck_pull){ .who = ck_view_str(who), .client = CK_V("192.0.2.7"),
                             .agent = CK_V("x"), .name = CK_V("docker.io/library/a:1"),
                             .digest = *d, .time = time, .count = 2 };
}

static void what_nobody_has_is_said_so(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *text = recall(f, "CVE-2024-3094", "text"),
                     *json = recall(f, "CVE-2024-3094", "json");
    assert_string_equal(text, "CVE-2024-3094 is in no image of the store that was scanned\n");
    assert_string_equal(json, "{\"id\": \"CVE-2024-3094\", \"images\": []}\n");
}

static void images_and_who_pulled_them(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "docker.io/library/a:1"), b = fetch(f, 2, ""),
                      c = fetch(f, 3, "docker.io/library/c:1");
    struct ck_digest index = add_index(f, "index", &b), from;
    bool moved;
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/b\x1b:1"), &index, &moved, &from));
    found_in(f, &a, "CVE-2024-3094", "GHSA-x", CK_SEVERITY_CRITICAL);
    found_in(f, &b, "DSA-5649-1", "CVE-2024-3094", CK_SEVERITY_LOW);
    found_in(f, &c, "CVE-2024-1", "GHSA-y", CK_SEVERITY_HIGH);
    decide(f, &a.image.digest, CK_CLEARED, CK_BY_PERSON);
    struct ck_pull p[] = { pull("ann", 86400, &a.image.digest), pull("bob", 90000, &a.image.digest),
                           pull("ann", 172800, &a.image.digest),
                           pull("eve", 172800, &a.image.digest) };
    p[3].result = CK_PULL_DENIED;
    assert_ok(ck_store_add_pulls(f->s, p, 4));
    ck_autofree char *text = recall(f, "cve-2024-3094", "text"),
                     *json = recall(f, "CVE-2024-3094", "json");
    assert_non_null(strstr(text, "CVE-2024-3094 is in 2 images of the store\n"));
    assert_non_null(strstr(text, "  docker.io/library/a:1\n  critical in xz, cleared by a person\n"
                                 "  pulled by ann from 192.0.2.7, 4 times, last "
                                 "1970-01-03T00:00:00Z as docker.io/library/a:1\n"
                                 "  pulled by bob from 192.0.2.7, 2 times, last "
                                 "1970-01-02T01:00:00Z"));
    assert_non_null(strstr(text, "  docker.io/library/b\\x1b:1\n  low in xz, quarantined\n"
                                 "  never pulled through the gate\n"));
    assert_null(strstr(text, "by eve"));
    assert_null(strstr(text, "library/c"));
    assert_non_null(strstr(json, "\"names\": [\"docker.io/library/a:1\"], \"severity\": "
                                 "\"critical\", \"package\": \"xz\", \"state\": \"cleared\", "
                                 "\"byPerson\": true, \"pulls\": [{\"user\": \"ann\", "));
    assert_non_null(strstr(json, "\"name\": \"docker.io/library/a:1\", \"count\": 4, \"first\": "
                                 "\"1970-01-02T00:00:00Z\", \"last\": "
                                 "\"1970-01-03T00:00:00Z\"}"));
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static void facts_that_cannot_be_read_hide_no_image(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "docker.io/library/a:1");
    const ck_view id = CK_V("CVE-2024-3094");
    assert_ok(ck_store_put_facts(f->s, &a.image.digest, CK_V("older"), &id, 1, CK_V("")));
    ck_autofree char *text = recall(f, "CVE-2024-3094", "text"),
                     *json = recall(f, "CVE-2024-3094", "json");
    assert_non_null(strstr(text, "  severity not known, quarantined\n"));
    assert_non_null(strstr(json, "\"severity\": null, \"package\": null"));
    unit_image_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_nobody_has_is_said_so),
        T(images_and_who_pulled_them),
        T(facts_that_cannot_be_read_hide_no_image),
    };
    return cmocka_run_group_tests_name("recall", tests, NULL, NULL);
}
