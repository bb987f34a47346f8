#include "base/unit.h"
#include "base/file.h"
#include "base/mem.h"
#include "registry/config_parts.h"

#include <sys/stat.h>
#include <unistd.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* A home of its own, so that the files of whoever runs the tests are not read. */
struct home {
    char dir[64];
};

static const char *const variables[] = {
    "CONTAINERS_REGISTRIES_CONF", "REGISTRY_AUTH_FILE", "XDG_CONFIG_HOME", "DOCKER_CONFIG",
    "XDG_CACHE_HOME",
};

static int make_home(void **state)
{
    struct home *h = ck_new(struct home);
    snprintf(h->dir, sizeof h->dir, "/tmp/cocket-config-XXXXXX");
    if (!mkdtemp(h->dir))
        return -1;
    setenv("HOME", h->dir, 1);
    setenv("XDG_RUNTIME_DIR", h->dir, 1);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        unsetenv(variables[i]);
    *state = h;
    return 0;
}

static int drop_home(void **state)
{
    struct home *h = *state;
    ck_autofree char *command = ck_format("rm -r '%s'", h->dir);
    int rc = system(command);
    free(h);
    return rc;
}

/* Writes a file below the home; its path, in `a`. */
static const char *put(const struct home *h, const char *name, const char *text,
                       struct ck_arena *a)
{
    const char *path = ck_arena_format(a, "%s/%s", h->dir, name);
    assert_ok(ck_file_write(path, ck_view_str(text), CK_FILE_PARENTS));
    return path;
}

static const char user_conf[] = ".config/containers/registries.conf";

/* What `conf` alone makes of a name: "host/repository" of each place, with "!" behind insecure ones
 * and "m:" before mirrors. */
static ck_err *plan_of(const struct ck_registry_config *c, const char *name, struct ck_buf *b)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_name typed, n;
    struct ck_registry_plan p = { 0 };
    CK_TRY(ck_name_parse(ck_view_str(name), &a, &typed));
    CK_TRY(ck_registry_expand(c, &typed, &a, &n));
    CK_TRY(ck_registry_plan_for(c, &n, &a, &p));
    for (size_t i = 0; i < p.n; i++)
        ck_buf_format(b, "%s%s%s/%s%s", i ? " " : "", p.v[i].mirror ? "m:" : "", p.v[i].host,
                      p.v[i].repository, p.v[i].plain_http ? "!" : "");
    return NULL;
}

static ck_err *load_and_plan(const struct ck_registry_paths *p, const char *name, struct ck_buf *b)
{
    struct ck_registry_config *c = NULL;
    CK_TRY(ck_registry_config_load(p, &c));
    ck_err *e = plan_of(c, name, b);
    ck_registry_config_free(c);
    return e;
}

static ck_err *plan_with(const struct home *h, const char *conf, const char *name, struct ck_buf *b)
{
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_registry_paths p = { .registries_conf = put(h, "only.conf", conf, &a) };
    return load_and_plan(&p, name, b);
}

static void expect(const struct home *h, const char *conf, const char *name, const char *plan)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(plan_with(h, conf, name, &b));
    assert_view(ck_buf_view(&b), plan);
}

static void refuse(const struct home *h, const char *conf, const char *name, const char *why)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_fails(plan_with(h, conf, name, &b), CK_ERR_USAGE, why);
    assert_int_equal(b.n, 0);
}

/* --- [[registry]] ----------------------------------------------------------------------------- */

static void without_settings_the_name_says_it(void **state)
{
    const struct home *h = *state;
    expect(h, "", "alpine", "registry-1.docker.io/library/alpine");
    expect(h, "", "docker.io/a/b", "registry-1.docker.io/a/b");
    expect(h, "", "localhost:5000/x:1", "localhost:5000/x");
    expect(h, "", "[::1]:5000/x@sha256:" HEX, "[::1]:5000/x");
    expect(h, "# unknown keys are podman's business\nfuture = {x = 1}\n", "q.io/x", "q.io/x");
}

static void the_longest_prefix_wins(void **state)
{
    const struct home *h = *state;
    static const char conf[] =
        "[[registry]]\nprefix='a.org'\nlocation='1.net'\n"
        "[[registry]]\nprefix='a.org/x'\nlocation='2.net/y'\n"
        "[[registry]]\nprefix='a.org/x/z'\nlocation='3.net'\n"
        "[[registry]]\nprefix='a.org/x'\nlocation='never.net/the-first-counts'\n"
        "[[registry]]\nprefix='t.org/x:1'\nlocation='never.net/tags-are-not-looked-at'\n"
        "[[registry]]\nprefix='docker.io'\nlocation='hub.net'\n"
        "[[registry]]\nlocation='docker.io/library/b/'\ninsecure=true\n";
    static const char *const cases[][2] = {
        { "a.org/q", "1.net/q" },
        { "a.org/xx", "1.net/xx" },
        { "a.org/x", "2.net/y" },
        { "a.org/x/w:1", "2.net/y/w" },
        { "a.org/x/z/w", "3.net/w" },
        { "a.orgx/x", "a.orgx/x" },
        { "xa.org/x", "xa.org/x" },
        { "t.org/x:1", "t.org/x" },
        { "a.org:5000/x", "1.net:5000/x" }, /* as podman does, and warns of */
        { "alpine", "hub.net/library/alpine" },
        { "b", "registry-1.docker.io/library/b!" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(h, conf, cases[i][0], cases[i][1]);
}

static void wildcards_match_any_number_of_labels(void **state)
{
    const struct home *h = *state;
    static const char conf[] = "[[registry]]\nprefix='*.e.org'\nlocation='w.net/x'\n"
                               "[[registry]]\nprefix='*.as.is'\ninsecure=true\n"
                               "[[registry]]\nprefix='b.a.e.org'\nlocation='s.net'\n"
                               "[[registry]]\nprefix='q.e.org'\nlocation='same-length.net'\n";
    static const char *const cases[][2] = {
        { "a.e.org/i", "w.net/x/i" },
        { "c.b.a.e.org/i", "w.net/x/i" },
        { "b.a.e.org/i", "s.net/i" },
        { "q.e.org/i", "w.net/x/i" },
        { "e.org/i", "e.org/i" },
        { "xe.org/i", "xe.org/i" },
        { "a.e.orgx/i", "a.e.orgx/i" },
        { "x.org/a.e.org/i", "x.org/a.e.org/i" },
        { "z.as.is:99/i", "z.as.is:99/i!" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(h, conf, cases[i][0], cases[i][1]);
}

static void mirrors_come_first(void **state)
{
    const struct home *h = *state;
    static const char conf[] =
        "[[registry]]\nlocation='a.org'\n"
        "[[registry.mirror]]\nlocation='m1.net/p'\ninsecure=true\n"
        "[[registry.mirror]]\nlocation='m2.net'\npull-from-mirror='digest-only'\n"
        "[[registry.mirror]]\nlocation='m3.net'\npull-from-mirror='tag-only'\n"
        "[[registry.mirror]]\nlocation='m4.net'\npull-from-mirror='all'\n"
        "[[registry]]\nlocation='d.org'\nmirror-by-digest-only=true\n"
        "mirror=[{location='docker.io/d/x'}]\n";
    expect(h, conf, "a.org/i:1", "m:m1.net/p/i! m:m3.net/i m:m4.net/i a.org/i");
    expect(h, conf, "a.org/i@sha256:" HEX, "m:m1.net/p/i! m:m2.net/i m:m4.net/i a.org/i");
    expect(h, conf, "a.org/i:1@sha256:" HEX, "m:m1.net/p/i! m:m2.net/i m:m4.net/i a.org/i");
    expect(h, conf, "d.org/i", "d.org/i");
    expect(h, conf, "d.org/i@sha256:" HEX, "m:registry-1.docker.io/d/x/i d.org/i");
}

static void blocked_registries_are_not_asked(void **state)
{
    const struct home *h = *state;
    static const char conf[] =
        "[[registry]]\nlocation='b.org'\nblocked=true\n"
        "[[registry]]\nlocation='b.org/but'\n"
        "[[registry]]\nprefix='r.org'\nlocation='free.net'\nblocked=true\n"
        "[[registry]]\nlocation='m.org'\nblocked=true\n"
        "[[registry.mirror]]\nlocation='b.org/x'\n"
        "[[registry.mirror]]\nlocation='free.net'\n"
        "[[registry]]\nprefix='to.org'\nlocation='b.org/z'\n"
        "[[registry]]\nlocation='docker.io/evil'\nblocked=true\n";
    refuse(h, conf, "b.org/x/y", "b.org/x/y is blocked by ");
    refuse(h, conf, "b.org/x", "only.conf:1");
    expect(h, conf, "b.org/but/x", "b.org/but/x");
    refuse(h, conf, "r.org/x", "r.org/x is blocked by "); /* wherever it would lead */
    expect(h, conf, "m.org/x", "m:free.net/x");           /* only the source is closed */
    refuse(h, conf, "to.org/x", "to.org/x is blocked by ");
    refuse(h, conf, "evil/x", "docker.io/evil/x is blocked by ");
    expect(h, conf, "evil", "registry-1.docker.io/library/evil");
}

static void attack_rewriting_to_another_image(void **state)
{
    const struct home *h = *state;
    refuse(h, "[[registry]]\nprefix='a.org'\nlocation='docker.io'\n", "a.org/x",
           "only.conf:1: a.org/x becomes docker.io/x: docker.io needs library/");
    refuse(h, "[[registry]]\nprefix='a.org'\nlocation='nodots'\n", "a.org/x",
           "does not begin with a registry");
    refuse(h, "[[registry]]\nprefix='a.org/x'\nlocation='b.net/y:1'\n", "a.org/x",
           "cannot have a tag");
    refuse(h, "[[registry]]\nprefix='*.a.org'\nlocation='b.net/y'\n", "z.a.org:50/x",
           "b.net/y:50/x: no name of a repository");
    refuse(h, "[[registry]]\nprefix='a.org'\nlocation='user:pass@b.net'\n", "a.org/x",
           "no name of a repository");
    refuse(h, "[[registry]]\nprefix='a.org'\nlocation='B.net/../x'\n", "a.org/x",
           "no name of a repository");
}

static void broken_settings_are_refused(void **state)
{
    const struct home *h = *state;
    static const char *const cases[][2] = {
        { "[registries.search]\nregistries=['a']\n", "only.conf:1: [registries...] is version 1" },
        { "\n[[registry]]\nblocked=true\n", "only.conf:2: a registry without prefix and location" },
        { "[[registry]]\nprefix='a'\n", "a registry without location" },
        { "[[registry]]\nlocation='https://a'\n", "\"https://a\": HOST[:PORT][/PATH] is wanted" },
        { "[[registry]]\nlocation='a'\nblocked='true'\n",
          "only.conf:3: blocked must be true or false, and is a string" },
        { "[[registry]]\nlocation=1\n", "location must be a string, and is an integer" },
        { "[registry]\nlocation='a'\n", "registry must be an array, and is a table" },
        { "registry=[1]\n", "registry must hold tables" },
        { "[[registry]]\nlocation='a'\nBlocked=true\n",
          "only.conf:3: the key \"Blocked\": must be written in lower case" },
        { "[[Registry]]\nlocation='a'\n", "the key \"Registry\"" },
        { "[[registry]]\nlocation='a'\n[[registry.mirror]]\ninsecure=true\n",
          "only.conf:3: a mirror without location" },
        { "[[registry]]\nlocation='a'\nmirror=['b']\n", "mirror must hold tables" },
        { "[[registry]]\nlocation='a'\n[[registry.mirror]]\nlocation='b'\npull-from-mirror='x'\n",
          "only.conf:5: pull-from-mirror \"x\": may be all, digest-only or tag-only" },
        { "[[registry]]\nlocation='a'\nmirror-by-digest-only=true\n"
          "mirror=[{location='b',pull-from-mirror='all'}]\n", "cannot be set below" },
        { "[[registry]]\nlocation='a'\nblocked=true\n[[registry]]\nprefix='b'\nlocation='a'\n",
          "only.conf:4: \"a\" stands in line 1 too, with another \"blocked\"" },
        { "[[registry]]\nlocation='a'\ninsecure=true\n[[registry]]\nlocation='a'\n",
          "with another \"insecure\"" },
        { "unqualified-search-registries='a'\n", "must be an array" },
        { "unqualified-search-registries=['a',\n1]\n", "only.conf:2: unqualified-search-registries "
                                                       "must hold strings, and has an integer" },
        { "short-name-mode='strict'\n", "may be enforcing, permissive or disabled" },
        { "[aliases]\n'a.org/x'='b.org/x'\n", "is no short name" },
        { "[aliases]\n'x:1'='b.org/x'\n", "is no short name" },
        { "[aliases]\nx='y'\n", "\"y\": must name a registry and a repository" },
        { "[aliases]\nx='y.org/x:1'\n", "no tag or digest" },
        { "[aliases]\nx='y.org/X'\n", "only.conf:2: the alias: y.org/X: no name of an image" },
        { "[aliases]\nx=1\n", "the alias \"x\": must be a string" },
        { "aliases=1\n", "aliases must be a table, and is an integer" },
        { "x", "only.conf:1: no \"=\" behind the key" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refuse(h, cases[i][0], "q.io/x", cases[i][1]);
}

/* --- short names ------------------------------------------------------------------------------ */

static void short_names_have_one_meaning(void **state)
{
    const struct home *h = *state;
    static const char aliases[] = "unqualified-search-registries=['a.org','b.org']\n[aliases]\n"
                                  "alpine='q.io/a/alpine'\n'library/x'='q.io/x'\n"
                                  "hub='docker.io/hub'\n";
    expect(h, aliases, "alpine:3", "q.io/a/alpine");
    expect(h, aliases, "library/x", "q.io/x");
    expect(h, aliases, "hub", "registry-1.docker.io/library/hub");
    expect(h, aliases, "docker.io/alpine", "registry-1.docker.io/library/alpine");
    refuse(h, aliases, "x", "\"x\" may mean a.org/x, b.org/x (");
    refuse(h, aliases, "library/alpine", "a.org/library/alpine, b.org/library/alpine (");
    expect(h, "unqualified-search-registries=['a.org:50']\n", "x/y:1", "a.org:50/x/y");
    refuse(h, "unqualified-search-registries=['a.org/ns']\n", "q.io/x", "may only be HOST[:PORT]");
    refuse(h, "unqualified-search-registries=['']\n", "q.io/x", "may only be HOST[:PORT]");
    expect(h, "unqualified-search-registries=['a.org']\n", "library/x", "a.org/library/x");
    expect(h, "unqualified-search-registries=['docker.io']\nshort-name-mode='disabled'\n", "x",
           "registry-1.docker.io/library/x");
    refuse(h, "short-name-mode='permissive'\nunqualified-search-registries=['a.org','b.org']\n",
           "x", "may mean");
    refuse(h, "unqualified-search-registries=[]\n", "x", "only.conf:1 lists none to search");
    refuse(h, "unqualified-search-registries=['nodots']\n", "x", "does not begin with a registry");
    refuse(h, "unqualified-search-registries=['A b']\n", "x", "may only be HOST[:PORT]");
}

static void tags_and_digests_stay(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    const struct ck_registry_paths p = {
        .registries_conf = put(h, "t.conf", "[aliases]\nx='q.io/y'\n", &a),
    };
    static const char *const cases[][2] = {
        { "x", "q.io/y:latest" },
        { "x:1", "q.io/y:1" },
        { "x@sha256:" HEX, "q.io/y@sha256:" HEX },
        { "x:1@sha256:" HEX, "q.io/y:1@sha256:" HEX },
    };
    struct ck_registry_config *c = NULL;
    assert_ok(ck_registry_config_load(&p, &c));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ck_name n, full;
        assert_ok(ck_name_parse(ck_view_str(cases[i][0]), &a, &n));
        assert_ok(ck_registry_expand(c, &n, &a, &full));
        assert_string_equal(ck_name_text(&full, &a), cases[i][1]);
        assert_false(full.host_given);
    }
    ck_registry_config_free(c);
}

static void recorded_names_come_before_others(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_registry_paths p = {
        .registries_conf = put(h, "r.conf", "unqualified-search-registries=['s.org']\n"
                                            "[aliases]\nx='q.io/y'\nz='q.io/z'\n", &a),
        .short_name_aliases = put(h, "rec.conf", "[aliases]\nx='rec.org/x'\nz=''\n", &a),
    };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(load_and_plan(&p, "x", &b));
    assert_view(ck_buf_view(&b), "rec.org/x");
    ck_buf_clear(&b);
    assert_ok(load_and_plan(&p, "z", &b)); /* erased */
    assert_view(ck_buf_view(&b), "s.org/z");
    p.short_name_aliases = "/nonexistent/x.conf";
    assert_fails(load_and_plan(&p, "z", &b), CK_ERR_USAGE, "there is no such file");
}

/* --- which files ------------------------------------------------------------------------------ */

static void expect_usual(const char *name, const char *plan)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(load_and_plan(&(struct ck_registry_paths){ 0 }, name, &b));
    assert_view(ck_buf_view(&b), plan);
}

static void later_files_override(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    put(h, user_conf, "unqualified-search-registries=['s1.org']\n"
                      "[[registry]]\nlocation='a.org'\nblocked=true\n"
                      "[[registry]]\nprefix='c.org'\nlocation='1.net'\n"
                      "[aliases]\nx='q.io/1'\ny='q.io/y'\nz='q.io/z'\n", &a);
    put(h, ".config/containers/registries.conf.d/10-b.conf",
        "[[registry]]\nprefix='c.org'\nlocation='2.net'\n[aliases]\nx='q.io/2'\nz=''\n", &a);
    put(h, ".config/containers/registries.conf.d/09-a.conf",
        "unqualified-search-registries=['s2.org']\n[[registry]]\nlocation='a.org'\n"
        "[aliases]\nx='q.io/3'\n", &a);
    put(h, ".config/containers/registries.conf.d/no.config", "broken", &a);
    put(h, ".config/containers/registries.conf.d/sub.conf/x.conf", "broken", &a);
    expect_usual("a.org/i", "a.org/i"); /* no longer blocked */
    expect_usual("c.org/i", "2.net/i");
    expect_usual("x", "q.io/2");
    expect_usual("y", "q.io/y");
    expect_usual("z", "s2.org/z");
    expect_usual("w", "s2.org/w");
}

static void the_environment_names_another_file(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    put(h, user_conf, "broken", &a);
    put(h, ".config/containers/registries.conf.d/x.conf", "[[registry]]\nlocation='b.org'\n"
                                                          "insecure=true\n", &a);
    setenv("CONTAINERS_REGISTRIES_CONF", put(h, "env.conf", "[[registry]]\nlocation='a.org'\n"
                                                            "insecure=true\n", &a), 1);
    expect_usual("a.org/i", "a.org/i!");
    expect_usual("b.org/i", "b.org/i!"); /* drop-ins are read beside it */
    setenv("CONTAINERS_REGISTRIES_CONF", "/nonexistent/x.conf", 1);
    assert_fails(load_and_plan(&(struct ck_registry_paths){ 0 }, "x", &b), CK_ERR_USAGE,
                 "/nonexistent/x.conf: there is no such file");
    unsetenv("CONTAINERS_REGISTRIES_CONF");
    assert_fails(load_and_plan(&(struct ck_registry_paths){ 0 }, "x", &b), CK_ERR_USAGE,
                 ".config/containers/registries.conf:1: no \"=\"");
}

static void attack_endless_settings(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_registry_paths p = { .registries_conf = "/dev/zero" };
    assert_fails(load_and_plan(&p, "x", &b), CK_ERR_LIMIT, "limit CONFIG_FILE");
    put(h, user_conf, "", &a);
    for (unsigned i = 0; i < CK_MAX_CONFIG_FILES; i++)
        put(h, ck_arena_format(&a, ".config/containers/registries.conf.d/%u.conf", i), "", &a);
    expect_usual("q.io/x", "q.io/x");
    put(h, ".config/containers/registries.conf.d/more.conf", "", &a);
    assert_fails(load_and_plan(&(struct ck_registry_paths){ 0 }, "x", &b), CK_ERR_LIMIT,
                 "registries.conf.d (limit CONFIG_FILES");
}

/* --- certificates ----------------------------------------------------------------------------- */

#define PEM(name) "-----BEGIN CERTIFICATE-----\n" name "\n-----END CERTIFICATE-----"

static ck_err *certs_of(const char *host, const char *dir, struct ck_arena *a,
                        struct ck_endpoint *e)
{
    struct ck_registry_config c = { .certs_dir = dir };
    return ck_certs_find(&c, ck_view_str(host), a, e);
}

static void certificates_are_found(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_endpoint e = { 0 };
    put(h, ".config/containers/certs.d/r.org:5000/b.crt", PEM("two"), &a);
    put(h, ".config/containers/certs.d/r.org:5000/a.crt", PEM("one"), &a);
    put(h, ".config/containers/certs.d/r.org:5000/client.cert", PEM("client"), &a);
    put(h, ".config/containers/certs.d/r.org:5000/client.key", PEM("key"), &a);
    assert_ok(certs_of("r.org:5000", NULL, &a, &e));
    assert_view(e.ca, PEM("one") "\n" PEM("two") "\n");
    assert_view(e.client_cert, PEM("client") "\n");
    assert_view(e.client_key, PEM("key") "\n");
    struct ck_endpoint none = { 0 };
    assert_ok(certs_of("r.org", NULL, &a, &none)); /* another port is another registry */
    assert_int_equal(none.ca.n + none.client_cert.n + none.client_key.n, 0);
}

static void broken_certificates_are_refused(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_endpoint e = { 0 };
    const char *dir = ck_arena_format(&a, "%s/c", h->dir);
    put(h, "c/1/ca.cert", PEM("x"), &a);
    assert_fails(certs_of("1", dir, &a, &e), CK_ERR_USAGE,
                 "/c/1/ca.cert: there is no ca.key beside it (a CA's file ends in .crt)");
    put(h, "c/2/client.key", PEM("x"), &a);
    assert_fails(certs_of("2", dir, &a, &e), CK_ERR_USAGE, "there is no client.cert beside it");
    put(h, "c/3/ca.crt", "\x30\x82", &a);
    assert_fails(certs_of("3", dir, &a, &e), CK_ERR_USAGE, "/c/3/ca.crt: not in PEM format");
    put(h, "c/4/a.cert", PEM("x"), &a);
    put(h, "c/4/a.key", PEM("x"), &a);
    put(h, "c/4/b.cert", PEM("x"), &a);
    put(h, "c/4/b.key", PEM("x"), &a);
    assert_fails(certs_of("4", dir, &a, &e), CK_ERR_USAGE, "a.cert and b.cert: only one");
    put(h, "c/5/x", "", &a);
    assert_int_equal(symlink("nowhere", ck_arena_format(&a, "%s/5/ca.crt", dir)), 0);
    assert_fails(certs_of("5", dir, &a, &e), CK_ERR_USAGE, "a link that leads nowhere?");
}

static void attack_host_that_leaves_the_folder(void **state)
{
    const struct home *h = *state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_endpoint e = { 0 };
    put(h, "ca.crt", PEM("outside"), &a);
    put(h, "c/x", "", &a);
    const char *dir = ck_arena_format(&a, "%s/c", h->dir);
    assert_ok(certs_of("..", dir, &a, &e));
    assert_ok(certs_of(".", dir, &a, &e));
    assert_ok(certs_of("", dir, &a, &e));
    assert_ok(certs_of("../c", dir, &a, &e));
    assert_int_equal(e.ca.n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, drop_home)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_settings_the_name_says_it),
        TEST(the_longest_prefix_wins),
        TEST(wildcards_match_any_number_of_labels),
        TEST(mirrors_come_first),
        TEST(blocked_registries_are_not_asked),
        TEST(attack_rewriting_to_another_image),
        TEST(broken_settings_are_refused),
        TEST(short_names_have_one_meaning),
        TEST(tags_and_digests_stay),
        TEST(recorded_names_come_before_others),
        TEST(later_files_override),
        TEST(the_environment_names_another_file),
        TEST(attack_endless_settings),
        TEST(certificates_are_found),
        TEST(broken_certificates_are_refused),
        TEST(attack_host_that_leaves_the_folder),
    };
    return cmocka_run_group_tests_name("registry config", tests, NULL, NULL);
}
