/* Where requests lead: place.c alone, with what it asks of others defined here. */
#include "gateway/gateway_int.h"

#include "base/unit.h"

static struct {
    uint16_t status;
    enum ck_oci_error code;
} said;

void ck_call_refuse(struct ck_call *c, uint16_t status, enum ck_oci_error code, const char *fmt,
                    ...)
{
    (void)c;
    (void)fmt;
    said.status = status;
    said.code = code;
}

void ck_call_fail(struct ck_call *c, ck_err *e)
{
    (void)c;
    ck_err_free(e);
    said.status = 500;
}

const char *ck_gateway_url(const struct ck_gateway *g)
{
    (void)g;
    return "https://gate.example:5443";
}

/* maria may use hosted/team/ only, jan docker.io/library/alpine only. */
ck_err *ck_store_get_user(struct ck_store *s, ck_view name, struct ck_arena *a,
                          struct ck_user *ret, bool *ret_found)
{
    (void)s;
    (void)a;
    *ret_found = ck_view_eq(name, CK_V("maria")) || ck_view_eq(name, CK_V("jan"));
    *ret = (struct ck_user){ .repository = name.p[0] == 'm' ? CK_V("hosted/team/*")
                                                            : CK_V("docker.io/library/alpine") };
    return NULL;
}

struct fixture {
    struct ck_gateway_options o;
    struct ck_gateway g;
    struct ck_call c;
    struct ck_place p;
};

static bool go(struct fixture *f, const char *path, const char *ns, const char *host)
{
    f->g.o = &f->o;
    f->c.g = &f->g;
    f->c.ask.repository = ck_view_str(path);
    f->c.ask.ns = ck_view_str(ns);
    f->c.ask.host = ck_view_str(host);
    said.status = 0;
    return ck_place_of(&f->c, &f->p);
}

#define leads(f, path, ns, host, want, where)                        \
    do {                                                             \
        assert_true(go(f, path, ns, host));                          \
        assert_string_equal((f)->p.repository, want);                \
        assert_string_equal((f)->p.upstream, where);                 \
        assert_int_equal((f)->p.hosted, !strcmp(where, CK_HOSTED_HOST)); \
    } while (0)

#define refused(f, path, ns, host, want)            \
    do {                                            \
        assert_false(go(f, path, ns, host));        \
        assert_int_equal(said.status, want);        \
    } while (0)

static void by_path(void **state)
{
    struct fixture f = { 0 };
    (void)state;
    leads(&f, "debian", "", "gate.example", "docker.io/library/debian", "docker.io");
    leads(&f, "grafana/grafana", "", "gate.example", "docker.io/grafana/grafana", "docker.io");
    leads(&f, "docker.io/debian", "", "", "docker.io/library/debian", "docker.io");
    leads(&f, "index.docker.io/library/debian", "", "", "docker.io/library/debian", "docker.io");
    leads(&f, "ghcr.io/a/b/c", "", "", "ghcr.io/a/b/c", "ghcr.io");
    leads(&f, "hosted/app", "", "", "gate.internal/hosted/app", CK_HOSTED_HOST);
    leads(&f, "gate.internal/hosted/app", "", "", "gate.internal/hosted/app", CK_HOSTED_HOST);
    refused(&f, "gate.internal/other/app", "", "", 404);
    refused(&f, "gate.internal/hosted", "", "", 404);
    refused(&f, "hosted", "", "", 404);
    refused(&f, "ghcr.io/UPPER", "", "", 400);
    f.o.hosted = "ours";
    leads(&f, "ours/app", "", "", "gate.internal/ours/app", CK_HOSTED_HOST);
    leads(&f, "hosted/app", "", "", "docker.io/hosted/app", "docker.io");
    ck_arena_free(&f.c.arena);
}

/* containerd says which registry it means; a path that looks like the hosted area is then one of
 * that registry: nobody gets an image of ours for one of theirs, or the other way round. */
static void by_ns(void **state)
{
    struct fixture f = { 0 };
    (void)state;
    leads(&f, "library/debian", "docker.io", "gate.example", "docker.io/library/debian",
          "docker.io");
    leads(&f, "a/b", "quay.io", "gate.example", "quay.io/a/b", "quay.io");
    leads(&f, "hosted/app", "docker.io", "gate.example", "docker.io/hosted/app", "docker.io");
    leads(&f, "hosted/app", "gate.example:5443", "", "gate.internal/hosted/app", CK_HOSTED_HOST);
    leads(&f, "hosted/app", "alias.example", "alias.example", "gate.internal/hosted/app",
          CK_HOSTED_HOST);
    refused(&f, "a/b", "gate.internal", "gate.example", 403);
    refused(&f, "a/b", "evil.example/x", "gate.example", 400);
    ck_arena_free(&f.c.arena);
}

static void by_host(void **state)
{
    static const char *const upstreams[] = { "docker.io", "quay.io" };
    struct fixture f = { 0 };
    (void)state;
    leads(&f, "library/debian", "", "registry-1.docker.io", "docker.io/library/debian",
          "docker.io");
    leads(&f, "a/b", "", "quay.io", "docker.io/a/b", "docker.io"); /* nobody has named it */
    f.o.upstreams = upstreams;
    f.o.n_upstreams = 2;
    leads(&f, "a/b", "", "quay.io", "quay.io/a/b", "quay.io");
    ck_arena_free(&f.c.arena);
}

/* Without a list nobody has the gate ask what is not public. */
static void upstreams_are_bounded(void **state)
{
    static const char *const upstreams[] = { "docker.io", "registry.internal:5000" };
    static const char *const inside[] = { "127.0.0.1", "169.254.169.254", "localhost",
                                          "metadata.google.internal", "printer.local", "10.0.0.1",
                                          "[::1]:5000", "registry:5000", "127.0.0.1:80", "0x7f.1" };
    struct fixture f = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        assert_false(go(&f, "a/b", inside[i], "gate.example"));
        assert_true(said.status == 403 || said.status == 400);
    }
    refused(&f, "localhost/a", "", "gate.example", 403);
    refused(&f, "169.254.169.254/a", "", "gate.example", 403);
    leads(&f, "a/b", "registry.example:5000", "gate.example", "registry.example:5000/a/b",
          "registry.example:5000");
    f.o.upstreams = upstreams;
    f.o.n_upstreams = 2;
    refused(&f, "ghcr.io/a/b", "", "gate.example", 403);
    assert_int_equal(said.code, CK_OCI_DENIED);
    leads(&f, "a/b", "registry.internal:5000", "gate.example", "registry.internal:5000/a/b",
          "registry.internal:5000");
    leads(&f, "debian", "", "", "docker.io/library/debian", "docker.io");
    ck_arena_free(&f.c.arena);
}

static void users_are_bounded(void **state)
{
    struct fixture f = { 0 };
    (void)state;
    f.c.ask.session = 7;
    f.c.user = CK_V("maria");
    leads(&f, "hosted/team/app", "", "", "gate.internal/hosted/team/app", CK_HOSTED_HOST);
    refused(&f, "hosted/teams/app", "", "", 403);
    refused(&f, "hosted/team", "", "", 403);
    refused(&f, "debian", "", "", 403);
    f.c.user = CK_V("jan");
    leads(&f, "alpine", "", "", "docker.io/library/alpine", "docker.io");
    leads(&f, "docker.io/library/alpine", "", "", "docker.io/library/alpine", "docker.io");
    refused(&f, "alpine2", "", "", 403);
    f.c.user = CK_V("somebody");
    leads(&f, "debian", "", "", "docker.io/library/debian", "docker.io");
    ck_arena_free(&f.c.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_path),
        cmocka_unit_test(by_ns),
        cmocka_unit_test(by_host),
        cmocka_unit_test(upstreams_are_bounded),
        cmocka_unit_test(users_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
