#include "base/unit.h"
#include "base/mem.h"
#include "image/reference.h"

#include <sys/stat.h>
#include <unistd.h>

static struct ck_reference parse(const char *text, struct ck_arena *a)
{
    struct ck_reference r = { 0 };
    assert_ok(ck_reference_parse(text, a, &r));
    assert_string_equal(r.text, text);
    return r;
}

static void references_are_split_as_podman_does(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ck_transport transport;
        const char *path, *name;
    } cases[] = {
        { "docker-archive:/no/x.tar", CK_TRANSPORT_DOCKER_ARCHIVE, "/no/x.tar", "" },
        { "docker-archive:x.tar:hello-world", CK_TRANSPORT_DOCKER_ARCHIVE, "x.tar", "hello-world" },
        { "docker-archive:x.tar:reg.example:5000/a/b:1.0", CK_TRANSPORT_DOCKER_ARCHIVE, "x.tar",
          "reg.example:5000/a/b:1.0" },
        { "docker-archive:x.tar:@1", CK_TRANSPORT_DOCKER_ARCHIVE, "x.tar", "@1" },
        { "oci:no/dir", CK_TRANSPORT_OCI, "no/dir", "" },
        { "oci:no/dir:latest", CK_TRANSPORT_OCI, "no/dir", "latest" },
        { "oci:no/dir:name:with/colon@1.0", CK_TRANSPORT_OCI, "no/dir", "name:with/colon@1.0" },
        { "oci:no/dir:@0", CK_TRANSPORT_OCI, "no/dir", "@0" },
        { "oci-archive:no.tar:v3", CK_TRANSPORT_OCI_ARCHIVE, "no.tar", "v3" },
        { "rootfs:/", CK_TRANSPORT_ROOTFS, "/", "" },
        { "rootfs:/a:b", CK_TRANSPORT_ROOTFS, "/a:b", "" },
    };
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_reference r = parse(cases[i].text, &a);
        assert_int_equal(r.transport, cases[i].transport);
        assert_string_equal(r.path, cases[i].path);
        assert_view(r.name, cases[i].name);
    }
}

static void names_need_no_path(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum ck_transport transport;
        const char *name, *full;
    } cases[] = {
        { "alpine", CK_TRANSPORT_DOCKER, "alpine", "docker.io/library/alpine:latest" },
        { "docker:dind", CK_TRANSPORT_DOCKER, "docker:dind", "docker.io/library/docker:dind" },
        { "docker://ghcr.io/a/b:1", CK_TRANSPORT_DOCKER, "ghcr.io/a/b:1", "ghcr.io/a/b:1" },
        { "store:alpine:3", CK_TRANSPORT_STORE, "alpine:3", NULL },
        { "docker-daemon:a/b:1", CK_TRANSPORT_DOCKER_DAEMON, "a/b:1", NULL },
        { "containers-storage:localhost/a", CK_TRANSPORT_CONTAINERS_STORAGE, "localhost/a", NULL },
        { "containerd:docker.io/library/a:1", CK_TRANSPORT_CONTAINERD, "docker.io/library/a:1",
          NULL },
    };
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_reference r = parse(cases[i].text, &a);
        assert_int_equal(r.transport, cases[i].transport);
        assert_string_equal(r.path, "");
        assert_view(r.name, cases[i].name);
        if (cases[i].full)
            assert_string_equal(ck_name_text(&r.image, &a), cases[i].full);
    }
}

static void a_path_that_exists_may_hold_colons(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    char dir[] = "/tmp/cocket-reference-XXXXXX";
    assert_non_null(mkdtemp(dir));
    ck_autofree char *with_colon = ck_format("%s/a:b", dir);
    assert_int_equal(mkdir(with_colon, 0700), 0);

    ck_autofree char *plain = ck_format("oci:%s", with_colon);
    assert_string_equal(parse(plain, &a).path, with_colon);
    ck_autofree char *tagged = ck_format("oci:%s:v1", with_colon);
    assert_string_equal(parse(tagged, &a).path, with_colon);
    assert_view(parse(tagged, &a).name, "v1");
    rmdir(with_colon);
    ck_autofree char *gone = ck_format("%s/a", dir);
    assert_string_equal(parse(plain, &a).path, gone);
    rmdir(dir);
}

static void usage_errors_say_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        { "", "an empty reference" },
        { "ghcr.io/a/b@sha256:00", "ghcr.io/a/b@sha256:00: " },
        { "UPPER", "no name of an image" },
        { "docker://", "it is empty" },
        { "store:", "the name is missing" },
        { "docker-daemon:-rf", "no name of an image" },
        { "containers-storage:[overlay@/x]a", "no name of an image" },
        { "containerd:a b", "no name of an image" },
        { "dir:/x", "no transport dir:" },
        { "sbom:x.json", "this version has no transport sbom:" },
        { "./image.tar", "a path needs its transport" },
        { "/", "a path needs its transport" },
        { "oci:", "the path is missing" },
        { "rootfs:", "the path is missing" },
        { "oci::tag", "the path is missing" },
        { "oci:no/dir:", "is no tag" },
        { "oci:no/dir:a b", "is no tag" },
        { "oci:no/dir:../x", "is no tag" },
        { "oci:no/dir:@", "is no tag" },
        { "oci:no/dir:@-1", "is no tag" },
        { "docker-archive:x.tar:UPPER", "is no NAME[:TAG] or @INDEX" },
        { "docker-archive:x.tar:a@sha256:00", "is no NAME[:TAG] or @INDEX" },
    };
    ck_autoarena struct ck_arena a = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ck_reference r = { .path = "kept" };
        assert_fails(ck_reference_parse(cases[i].text, &a, &r), CK_ERR_USAGE, cases[i].why);
        assert_string_equal(r.path, "kept");
    }
}

static void a_reference_stops_at_its_limit(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_reference r;
    ck_autofree char *text = ck_calloc(CK_MAX_REFERENCE + 2, 1);
    memset(text, 'x', CK_MAX_REFERENCE + 1);
    memcpy(text, "rootfs:", 7);
    assert_fails(ck_reference_parse(text, &a, &r), CK_ERR_USAGE, "limit REFERENCE: 4096 bytes");
    text[CK_MAX_REFERENCE] = 0;
    assert_ok(ck_reference_parse(text, &a, &r));
}

static void docker_names(void **state)
{
    (void)state;
    static const char *const good[] = {
        "alpine", "alpine:3.20", "a/b", "u/a.b_c__d--e/f:T.1-2_", "localhost/x",
        "localhost:5000/x:y",
        "Reg.Example/x", "127.0.0.1:80/a/b/c", "[::1]:5000/x", "[fe80::1]/x",
    };
    static const char *const bad[] = {
        "", "A", "a:", "a:.x", "a:-x", "a/", "/a", "a//b", "a..b", "a___b", "-a", "a-", "a b",
        "a@b",
        "-reg.example/x", "reg.example:/x", "reg.example:5x/x", "a:b:c", "..", "../x", "a/../b",
        "a\n", "a\xc3\xa9", "[::1/x", "[]/x", "[::1]x/y", "[::1]:/y",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(ck_reference_is_docker_name(ck_view_str(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ck_reference_is_docker_name(ck_view_str(bad[i])));
    assert_false(ck_reference_is_docker_name(CK_V("a\0b")));
    assert_false(ck_reference_is_oci_name(CK_V("a\0b")));
}

static void short_and_full_names_are_the_same(void **state)
{
    (void)state;
    static const char *const same[] = {
        "alpine", "alpine:latest", "library/alpine", "docker.io/alpine",
        "docker.io/library/alpine:latest", "index.docker.io/library/alpine",
    };
    static const char *const other[] = {
        "alpine:3.20", "alpine2", "localhost/alpine", "quay.io/library/alpine", "user/alpine",
        "docker.io:443/alpine", "",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        for (size_t k = 0; k < sizeof same / sizeof *same; k++)
            assert_true(ck_reference_same(ck_view_str(same[i]), ck_view_str(same[k])));
        for (size_t k = 0; k < sizeof other / sizeof *other; k++)
            assert_false(ck_reference_same(ck_view_str(same[i]), ck_view_str(other[k])));
    }
}

static void indexes(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(ck_reference_index(CK_V("@0"), &n));
    assert_int_equal(n, 0);
    assert_false(ck_reference_index(CK_V("@"), &n));
    assert_false(ck_reference_index(CK_V("@1x"), &n));
    assert_false(ck_reference_index(CK_V("1"), &n));
    assert_false(ck_reference_index(CK_V(""), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_split_as_podman_does),
        cmocka_unit_test(names_need_no_path),
        cmocka_unit_test(a_path_that_exists_may_hold_colons),
        cmocka_unit_test(usage_errors_say_what_to_do),
        cmocka_unit_test(a_reference_stops_at_its_limit),
        cmocka_unit_test(docker_names),
        cmocka_unit_test(short_and_full_names_are_the_same),
        cmocka_unit_test(indexes),
    };
    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
