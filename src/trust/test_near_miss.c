#include "base/unit.h"
#include "trust/look.h"
#include "trust/moving_tag.h"
#include "trust/near_miss.h"

#include <time.h>

/* The warnings of one name, as typed. */
struct found {
    struct ck_name_warning *v;
    size_t n;
};

static struct found warnings(const char *text, const ck_view *seen, size_t n_seen,
                             struct ck_arena *a)
{
    struct found f;
    struct ck_name n;
    assert_ok(ck_name_parse(ck_view_str(text), a, &n));
    ck_name_warnings(&n, seen, n_seen, a, &f.v, &f.n);
    assert_true(f.n <= 8);
    return f;
}

static bool about_tags(const struct ck_name_warning *w)
{
    return w->kind == CK_TAG_MOVES || w->kind == CK_TAG_MINOR;
}

/* The worst warning that is not about the tag, or NULL. */
static const struct ck_name_warning *worst(const struct found *f)
{
    return f->n && !about_tags(&f->v[0]) ? &f->v[0] : NULL;
}

static void expect(const char *text, enum ck_name_warning_kind kind, const char *like)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct found f = warnings(text, NULL, 0, &a);
    const struct ck_name_warning *w = worst(&f);
    if (!w)
        print_error("%s: no warning\n", text);
    assert_non_null(w);
    if (w->kind != kind)
        print_error("%s: %s: %.*s\n", text, ck_name_warning_name(w->kind), CK_VF(w->text));
    assert_int_equal(w->kind, kind);
    assert_view(w->like, like);
    assert_true(w->text.n > w->like.n);
}

static void expect_nothing(const char *text, const ck_view *seen, size_t n)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct found f = warnings(text, seen, n, &a);
    const struct ck_name_warning *w = worst(&f);
    if (w)
        print_error("%s: %s: %.*s\n", text, ck_name_warning_name(w->kind), CK_VF(w->text));
    assert_null(w);
}

/* --- official images -------------------------------------------------------------------------- */

static void the_table_is_sorted_and_found(void **state)
{
    (void)state;
    size_t n = 0;
    for (const char *const *o = ck_official_names(); *o; o++, n++) {
        assert_true(ck_name_is_official(ck_view_str(*o)));
        if (n)
            assert_true(strcmp(o[-1], *o) < 0);
    }
    assert_true(n > 170);
    assert_false(ck_name_is_official(CK_V("alpinne")));
    assert_false(ck_name_is_official(CK_V("")));
    assert_false(ck_name_is_official(CK_V("aaaa")));
    assert_false(ck_name_is_official(CK_V("zzzz")));
}

static void no_official_image_is_warned_of(void **state)
{
    (void)state;
    for (const char *const *o = ck_official_names(); *o; o++) {
        char text[64];
        expect_nothing(*o, NULL, 0);
        snprintf(text, sizeof text, "library/%s:1.2.3", *o);
        expect_nothing(text, NULL, 0);
        snprintf(text, sizeof text, "index.docker.io/library/%s", *o);
        expect_nothing(text, NULL, 0);
    }
}

/* Official images that would be near misses of each other, were they not official: counted, so that
 * a change of the budgets is seen. */
static void official_images_are_rarely_near_each_other(void **state)
{
    (void)state;
    unsigned near = 0;
    for (const char *const *x = ck_official_names(); *x; x++)
        for (const char *const *y = x + 1; *y; y++)
            if (ck_edit_between(ck_view_str(*x), ck_view_str(*y), CK_EDIT_REPOSITORY).cost <
                CK_EDIT_FAR) {
                print_message("near: %s %s\n", *x, *y);
                near++;
            }
    assert_true(near <= 2);
}

static const struct {
    const char *text;
    enum ck_name_warning_kind kind;
    const char *like;
} squats[] = {
    { "alpinne", CK_NAME_NEAR_MISS, "alpine" },
    { "alpin", CK_NAME_NEAR_MISS, "alpine" },
    { "apline:3.20", CK_NAME_NEAR_MISS, "alpine" },
    { "ngnix", CK_NAME_NEAR_MISS, "nginx" },
    { "niginx", CK_NAME_NEAR_MISS, "nginx" },
    { "nginxx", CK_NAME_NEAR_MISS, "nginx" },
    { "nginz", CK_NAME_NEAR_MISS, "nginx" },
    { "docker.io/library/nignx", CK_NAME_NEAR_MISS, "nginx" },
    { "pyhton", CK_NAME_NEAR_MISS, "python" },
    { "pyton", CK_NAME_NEAR_MISS, "python" },
    { "postgress", CK_NAME_NEAR_MISS, "postgres" },
    { "postgre", CK_NAME_NEAR_MISS, "postgres" },
    { "reddis", CK_NAME_NEAR_MISS, "redis" },
    { "ubunto", CK_NAME_NEAR_MISS, "ubuntu" },
    { "ubunut", CK_NAME_NEAR_MISS, "ubuntu" },
    { "debain", CK_NAME_NEAR_MISS, "debian" },
    { "ndoe", CK_NAME_NEAR_MISS, "node" },
    { "mogno", CK_NAME_NEAR_MISS, "mongo" },
    { "mongoexpress", CK_NAME_NEAR_MISS, "mongo-express" },
    { "hello_world", CK_NAME_NEAR_MISS, "hello-world" },
    { "wordpres", CK_NAME_NEAR_MISS, "wordpress" },
    { "wrodpress", CK_NAME_NEAR_MISS, "wordpress" },
    { "elasticsaerch", CK_NAME_NEAR_MISS, "elasticsearch" },
    { "rabitmq", CK_NAME_NEAR_MISS, "rabbitmq" },
    { "eclipse-termurin", CK_NAME_NEAR_MISS, "eclipse-temurin" },
    { "alpinne@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      CK_NAME_NEAR_MISS, "alpine" },
    { "rnysql", CK_NAME_HOMOGLYPH, "mysql" },
    { "n0de", CK_NAME_HOMOGLYPH, "node" },
    { "busyb0x", CK_NAME_HOMOGLYPH, "busybox" },
    { "a1pine", CK_NAME_HOMOGLYPH, "alpine" },
    { "aipine", CK_NAME_HOMOGLYPH, "alpine" },
    { "ng1nx", CK_NAME_HOMOGLYPH, "nginx" },
    { "php-zend5erver", CK_NAME_HOMOGLYPH, "php-zendserver" },
    { "vvordpress", CK_NAME_HOMOGLYPH, "wordpress" },
    { "g0lang", CK_NAME_HOMOGLYPH, "golang" },
    { "r0s", CK_NAME_HOMOGLYPH, "ros" },
    { "libary/nginx", CK_NAME_LIBRARY, "nginx" },
    { "librairy/nginx", CK_NAME_LIBRARY, "nginx" },
    { "1ibrary/nginx", CK_NAME_LIBRARY, "nginx" },
    { "library-nginx", CK_NAME_LIBRARY, "nginx" },
    { "librarynginx", CK_NAME_LIBRARY, "nginx" },
    { "library-nginx/nginx", CK_NAME_LIBRARY, "nginx" },
    { "nginx/nginx", CK_NAME_LIBRARY, "nginx" },
    { "redis/redis", CK_NAME_LIBRARY, "redis" },
    { "nginx/library", CK_NAME_LIBRARY, "nginx" },
    { "official/nginx", CK_NAME_LIBRARY, "nginx" },
    { "dokcer.io/library/nginx", CK_NAME_HOST, "docker.io" },
    { "doker.io/library/nginx", CK_NAME_HOST, "docker.io" },
    { "docker.com/library/nginx", CK_NAME_HOST, "docker.io" },
    { "docker.io.evil.example.net/library/nginx", CK_NAME_HOST, "docker.io" },
    { "dokcer.io:443/library/nginx", CK_NAME_HOST, "docker.io" },
    { "ghrc.io/x/y", CK_NAME_HOST, "ghcr.io" },
    { "gchr.io/x/y", CK_NAME_HOST, "ghcr.io" },
    { "GHRC.io/x/y", CK_NAME_HOST, "ghcr.io" },
    { "quai.io/x/y", CK_NAME_HOST, "quay.io" },
    { "quay.com/x/y", CK_NAME_HOST, "quay.io" },
    { "gccr.io/x/y", CK_NAME_HOST, "gcr.io" },
    { "registery.k8s.io/pause", CK_NAME_HOST, "registry.k8s.io" },
    { "mcr.mircosoft.com/dotnet/sdk", CK_NAME_HOST, "mcr.microsoft.com" },
    { "publc.ecr.aws/x/y", CK_NAME_HOST, "public.ecr.aws" },
    { "d0cker.io/library/nginx", CK_NAME_HOMOGLYPH, "docker.io" },
    { "mcr.rnicrosoft.com/x", CK_NAME_HOMOGLYPH, "mcr.microsoft.com" },
    { "pubIic.ecr.aws/x/y", CK_NAME_HOMOGLYPH, "public.ecr.aws" },
};

static void squatters_are_warned_of(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof squats / sizeof *squats; i++)
        expect(squats[i].text, squats[i].kind, squats[i].like);
}

/* Hosts in Cyrillic, Greek and accented letters, made by an encoder that is not ours. */
static const struct {
    const char *host, *like;
} foreign_hosts[] = {
#include "trust/test_hosts.inc"
};

static void hosts_of_other_scripts_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof foreign_hosts / sizeof *foreign_hosts; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s/library/nginx:1.2.3", foreign_hosts[i].host);
        expect(text, CK_NAME_HOMOGLYPH, foreign_hosts[i].like);
    }
    /* a name of its own, though not in ASCII: "bücher.example", "例え.jp" */
    expect_nothing("xn--bcher-kva.example/x/y:1.2.3", NULL, 0);
    expect_nothing("xn--r8jz45g.jp/x/y:1.2.3", NULL, 0);
    expect("xn--99999999.io/x:1.2.3", CK_NAME_HOST, "");
}

/* --- names that are what they are ------------------------------------------------------------- */

static const char *const popular[] = {
#include "trust/test_popular.inc"
};
enum { POPULAR = sizeof popular / sizeof *popular };

static void popular_names_are_not_warned_of(void **state)
{
    (void)state;
    assert_true(POPULAR >= 150);
    for (size_t i = 0; i < POPULAR; i++)
        expect_nothing(popular[i], NULL, 0);
}

/* Nor where the store has seen all the others. */
static void popular_names_are_not_near_each_other(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view seen[POPULAR];
    for (size_t i = 0; i < POPULAR; i++) {
        struct ck_name n;
        assert_ok(ck_name_parse(ck_view_str(popular[i]), &a, &n));
        seen[i] = ck_view_str(ck_name_repository(&n, &a));
    }
    for (size_t i = 0; i < POPULAR; i++) {
        ck_view own = seen[i];
        seen[i] = CK_V("");
        expect_nothing(popular[i], seen, POPULAR);
        seen[i] = own;
    }
}

static void short_and_own_names_are_left_alone(void **state)
{
    (void)state;
    static const char *const quiet[] = {
        "mode", "code", "nose", "gdc", "ros2", "ls", "app", "web", "db", "api", "my-app",
        "debian12", "alpine3", "python3", "myproject_web", "mynginx", "nginx-custom",
        "localhost/nginx", "localhost:5000/ngimx/app", "docker.lan/nginx", "registry.lan:5000/x",
        "192.168.1.10:5000/team/app", "[::1]:5000/team/app", "registry.example.com/team/app",
        "docker.example.com/app", "harbor.acme.dev/library/nginx", "registry:5000/app",
        "123456789012.dkr.ecr.eu-central-1.amazonaws.com/app", "acme.azurecr.io/app",
        "europe-west3-docker.pkg.dev/p/r/app", "traefik/traefik", "kong/kong",
        "ghcr.io/ngimx/ngimx", "DOCKER.IO/library/nginx",
    };
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
        expect_nothing(quiet[i], NULL, 0);
}

/* --- names seen ------------------------------------------------------------------------------- */

static void names_seen_here_are_compared(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    const ck_view seen[] = { CK_V("ghcr.io/acme/billing"), CK_V("docker.io/acme/app1"),
                             CK_V("docker.io/library/alpinne"), CK_V("ghcr.io/acme/app-a") };
    struct found f = warnings("ghcr.io/acme/biling:1.2.3", seen, 4, &a);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.v[0].kind, CK_NAME_NEAR_MISS);
    assert_view(f.v[0].like, "ghcr.io/acme/billing");
    f = warnings("ghcr.io/acrne/billing:1.2.3", seen, 4, &a);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.v[0].kind, CK_NAME_HOMOGLYPH);
    f = warnings("gchr.io/acme/billing:1.2.3", seen, 4, &a);
    assert_int_equal(f.n, 2); /* a host and, with it, a repository */
    assert_int_equal(f.v[0].kind, CK_NAME_HOST);
    expect_nothing("acme/app2", seen, 4);          /* digits tell things apart */
    expect_nothing("ghcr.io/acme/app-b", seen, 4); /* so do words of one letter */
    expect_nothing("alpinne", seen, 4);            /* was seen: is what it is */
    expect_nothing("ghcr.io/acme/billing", seen, 4);
}

static void one_name_gets_one_warning(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    const ck_view seen[] = { CK_V("docker.io/library/alpine") };
    struct found f = warnings("alpinne:3.20.1", seen, 1, &a);
    assert_int_equal(f.n, 1);
    assert_view(f.v[0].text, "alpinne is one letter away from the official image alpine");
}

static void at_most_eight_and_the_worst_of_them(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_view seen[27];
    for (size_t i = 0; i < 26; i++)
        seen[i] = ck_view_str(ck_arena_format(&a, "ghcr.io/acme/billing%c", (char)('a' + i)));
    seen[26] = CK_V("ghcr.io/acme/b1lling");
    struct found f = warnings("ghcr.io/acme/billing", seen, 27, &a);
    assert_int_equal(f.n, 8);
    assert_int_equal(f.v[0].kind, CK_NAME_HOMOGLYPH);
    assert_view(f.v[1].like, "ghcr.io/acme/billingg"); /* the letter twice: the nearest */
}

/* --- tags ------------------------------------------------------------------------------------- */

static void tags_that_move_are_told_from_others(void **state)
{
    (void)state;
    static const struct {
        const char *tag;
        enum ck_tag_moves want;
    } cases[] = {
        { "latest", CK_TAG_NAMES_NEWEST },      { "stable", CK_TAG_NAMES_NEWEST },
        { "edge", CK_TAG_NAMES_NEWEST },        { "main", CK_TAG_NAMES_NEWEST },
        { "stable-slim", CK_TAG_NAMES_NEWEST }, { "latest-amd64", CK_TAG_NAMES_NEWEST },
        { "alpine", CK_TAG_NAMES_NEWEST },      { "bookworm-slim", CK_TAG_NAMES_NEWEST },
        { "jdk", CK_TAG_NAMES_NEWEST },         { "nightly-alpine3.20", CK_TAG_NAMES_NEWEST },
        { "3", CK_TAG_MAJOR },                  { "v2", CK_TAG_MAJOR },
        { "16-alpine", CK_TAG_MAJOR },          { "21_jre", CK_TAG_MAJOR },
        { "3.20", CK_TAG_MINOR_ONLY },          { "v1.31", CK_TAG_MINOR_ONLY },
        { "8.0-apache", CK_TAG_MINOR_ONLY },    { "22.04", CK_TAG_MINOR_ONLY },
        { "3.20.1", CK_TAG_STAYS },             { "1.27.0-alpine3.19-slim", CK_TAG_STAYS },
        { "bookworm-20240722", CK_TAG_STAYS },  { "20240722", CK_TAG_STAYS },
        { "sha-1f2e3d4", CK_TAG_STAYS },        { "main-1f2e3d4", CK_TAG_STAYS },
        { "3.20rc1", CK_TAG_STAYS },            { "edge-1.2.3", CK_TAG_STAYS },
        { "", CK_TAG_STAYS },                   { "alpine3.20", CK_TAG_STAYS },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (ck_tag_moves(ck_view_str(cases[i].tag)) != cases[i].want)
            print_error("tag %s\n", cases[i].tag);
        assert_int_equal(ck_tag_moves(ck_view_str(cases[i].tag)), cases[i].want);
    }
}

static void tags_are_warned_of_unless_a_digest_stands_there(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct found f = warnings("alpine", NULL, 0, &a);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.v[0].kind, CK_TAG_MOVES);
    assert_view(f.v[0].text, "no tag means latest, which moves with every release");
    f = warnings("alpine:3.20", NULL, 0, &a);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.v[0].kind, CK_TAG_MINOR);
    f = warnings("alpinne:3", NULL, 0, &a);
    assert_int_equal(f.n, 2);
    assert_int_equal(f.v[1].kind, CK_TAG_MOVES);
    f = warnings("alpine:3.20.1", NULL, 0, &a);
    assert_int_equal(f.n, 0);
    f = warnings("alpine:latest@sha256:"
                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", NULL, 0, &a);
    assert_int_equal(f.n, 0);
    assert_string_equal(ck_name_warning_name(CK_TAG_MINOR), "minor-tag");
}

/* --- parts ------------------------------------------------------------------------------------ */

/* RFC 3492, 7.1. The case of letters there is an annotation that decoding keeps. */
static const struct {
    const char *encoded;
    uint32_t want[CK_PUNYCODE_MAX];
} vectors[] = {
#include "trust/test_punycode.inc"
};

static void punycode_reads_the_rfcs_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t got[CK_PUNYCODE_MAX];
        size_t n, want = 0;
        while (want < CK_PUNYCODE_MAX && vectors[i].want[want])
            want++;
        assert_true(ck_punycode_decode(ck_view_str(vectors[i].encoded), got, &n));
        assert_int_equal(n, want);
        assert_memory_equal(got, vectors[i].want, n * sizeof *got);
    }
}

static void punycode_refuses_what_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "99999999", "a!", "abc-\xC3\xBC", "\xFF-a", "a-9",
                                       "zzzzzzzzzzzzzzzzzzzz" };
    uint32_t out[CK_PUNYCODE_MAX];
    size_t n = 77;
    char longest[66];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ck_punycode_decode(ck_view_str(bad[i]), out, &n));
    assert_int_equal(n, 77);
    memset(longest, 'a', sizeof longest);
    longest[62] = '-';
    assert_true(ck_punycode_decode(ck_view_of(longest, 63), out, &n));
    assert_int_equal(n, 62);
    longest[62] = 'a';
    longest[63] = '-';
    assert_false(ck_punycode_decode(ck_view_of(longest, 64), out, &n)); /* one past a label */
}

static unsigned cost(const char *a, const char *b)
{
    unsigned x = ck_edit_between(ck_view_str(a), ck_view_str(b), CK_EDIT_REPOSITORY).cost;
    unsigned y = ck_edit_between(ck_view_str(b), ck_view_str(a), CK_EDIT_REPOSITORY).cost;
    assert_int_equal(x, y);
    return x;
}

static void distances_are_weighted(void **state)
{
    (void)state;
    assert_int_equal(cost("ndoe", "node"), CK_EDIT_SLIP);
    assert_int_equal(cost("postgress", "postgres"), CK_EDIT_SLIP);
    assert_int_equal(cost("ppostgres", "postgres"), CK_EDIT_SLIP);
    assert_int_equal(cost("hello_world", "hello-world"), CK_EDIT_SLIP);
    assert_int_equal(cost("redia", "redis"), CK_EDIT_KEY);
    assert_int_equal(cost("redip", "redis"), CK_EDIT_ANY);
    assert_int_equal(cost("postgrea", "postgrwa"), CK_EDIT_KEY);
    assert_int_equal(cost("elastcseacrh", "elasticsearch"), CK_EDIT_ANY + CK_EDIT_SLIP);
    assert_int_equal(cost("mode", "node"), CK_EDIT_FAR);
    assert_int_equal(cost("ros", "rso"), CK_EDIT_FAR);
    assert_int_equal(cost("app1", "app2"), CK_EDIT_FAR);
    assert_int_equal(cost("billing1", "billing"), CK_EDIT_FAR);
    assert_int_equal(cost("same", "same"), CK_EDIT_FAR);
    assert_int_equal(cost("", "a"), CK_EDIT_FAR);
}

static void foreign_bytes_do_no_harm(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    uint8_t bytes[2000];
    struct ck_name n = { .tag = ck_view_of(bytes, 100), .tag_given = true };
    struct ck_name_warning *v;
    size_t got;
    for (unsigned fill = 0; fill < 256; fill++) {
        memset(bytes, (int)fill, sizeof bytes);
        for (size_t len = 0; len <= sizeof bytes; len += 250) {
            ck_view seen[2] = { ck_view_of(bytes, len), ck_view_of(bytes, len ? len - 1 : 0) };
            n.host = ck_view_of(bytes, len);
            n.path = ck_view_of(bytes, sizeof bytes - len);
            ck_name_warnings(&n, seen, 2, &a, &v, &got);
            n.host = CK_V("docker.io");
            ck_name_warnings(&n, seen, 2, &a, &v, &got);
        }
    }
}

/* --- time ------------------------------------------------------------------------------------- */

/* Names of one registry and few publishers: the part that the early outs see least of. */
static void ten_thousand_names_are_compared_quickly(void **state)
{
    (void)state;
    enum { N = 10000, ROUNDS = 20 };
    static const char *const words[] = { "billing", "frontend", "backend", "gateway", "worker",
                                         "metrics", "storage", "importer", "exporter", "ledger" };
    ck_autoarena struct ck_arena a = { 0 };
    ck_view *seen = ck_arena_alloc(&a, N, sizeof *seen);
    for (size_t i = 0; i < N; i++)
        seen[i] = ck_view_str(ck_arena_format(&a, "ghcr.io/%s-team/%s-%s-%c%c", words[i % 10],
                                              words[i / 10 % 10], words[i / 100 % 10],
                                              (char)('a' + i / 1000), (char)('a' + i % 7)));
    struct timespec from, to;
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        clock_gettime(CLOCK_MONOTONIC, &from);
        struct found f = warnings("ghcr.io/billing-team/gatewya-wroker-aa:1.2", seen, N, &a);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 +
                    (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        best = ms < best ? ms : best;
        assert_true(f.n > 1);
    }
    print_message("one name against %d seen: %.2f ms\n", N, best);
#if !defined CK_SANITIZED
    assert_true(best < 5);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_sorted_and_found),
        cmocka_unit_test(no_official_image_is_warned_of),
        cmocka_unit_test(official_images_are_rarely_near_each_other),
        cmocka_unit_test(squatters_are_warned_of),
        cmocka_unit_test(hosts_of_other_scripts_are_read),
        cmocka_unit_test(popular_names_are_not_warned_of),
        cmocka_unit_test(popular_names_are_not_near_each_other),
        cmocka_unit_test(short_and_own_names_are_left_alone),
        cmocka_unit_test(names_seen_here_are_compared),
        cmocka_unit_test(one_name_gets_one_warning),
        cmocka_unit_test(at_most_eight_and_the_worst_of_them),
        cmocka_unit_test(tags_that_move_are_told_from_others),
        cmocka_unit_test(tags_are_warned_of_unless_a_digest_stands_there),
        cmocka_unit_test(punycode_reads_the_rfcs_vectors),
        cmocka_unit_test(punycode_refuses_what_is_none),
        cmocka_unit_test(distances_are_weighted),
        cmocka_unit_test(foreign_bytes_do_no_harm),
        cmocka_unit_test(ten_thousand_names_are_compared_quickly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
