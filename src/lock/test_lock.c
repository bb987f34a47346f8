/* Inputs in testdata/, each with what is found (NAME.found) and the file pinned (NAME.pinned).
 * COCKET_GOLDEN=write writes the expectations anew; read the difference.
 */
#include "base/file.h"
#include "base/unit.h"
#include "lock/docker_args.h"
#include "lock/lock.h"

static const char *const corpus[] = {
    "simple.Dockerfile", "args.Dockerfile",   "heredoc.Dockerfile", "continuation.Dockerfile",
    "escape.Dockerfile", "mounts.Dockerfile", "compose.yaml",       "compose.anchors.yaml",
    "kinds.yaml",        "pod.json",
};
enum { CORPUS = sizeof corpus / sizeof *corpus };

static char *data_path(const char *name, const char *suffix)
{
    const char *source = getenv("COCKET_SOURCE");
    return ck_format("%s/src/lock/testdata/%s%s", source ? source : ".", name, suffix);
}

static struct ck_buf data(const char *name, const char *suffix)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_LOCK_FILE);
    char *path = data_path(name, suffix);
    assert_ok(ck_file_read(path, &b));
    free(path);
    return b;
}

static void expect_data(const char *name, const char *suffix, ck_view got)
{
    char *path = data_path(name, suffix);
    const char *mode = getenv("COCKET_GOLDEN");
    if (mode && strcmp(mode, "write") == 0)
        assert_ok(ck_file_write(path, got, CK_FILE_PLAIN));
    struct ck_buf want = data(name, suffix);
    if (!ck_view_eq(got, ck_buf_view(&want)))
        print_error("%s is not:\n%.*s", path, CK_VF(got));
    assert_true(ck_view_eq(got, ck_buf_view(&want)));
    ck_buf_free(&want);
    free(path);
}

static struct ck_lock_reference *references(enum ck_lock_file_kind kind, ck_view content,
                                            struct ck_arena *a, size_t *ret_n)
{
    struct ck_lock_reference *r;
    assert_ok(ck_lock_references(kind, content, a, &r, ret_n));
    for (size_t i = 0; i < *ret_n; i++) {
        assert_true(r[i].begin <= r[i].end && r[i].end <= content.n);
        assert_true(i == 0 || r[i].begin >= r[i - 1].begin);
        assert_true(r[i].skipped == (r[i].why.n > 0));
        assert_true(r[i].named || r[i].skipped);
        if (!r[i].skipped)
            assert_true(ck_view_eq(r[i].text, ck_view_of(content.p + r[i].begin,
                                                         r[i].end - r[i].begin)));
    }
    return r;
}

/* "3: alpine:3.20 = docker.io/library/alpine:3.20" */
static void list(const struct ck_lock_reference *r, size_t n, struct ck_arena *a,
                 struct ck_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        ck_buf_format(out, "%u: ", r[i].line);
        ck_buf_escape(out, r[i].text);
        if (r[i].platform.n)
            ck_buf_format(out, " [%.*s]", CK_VF(r[i].platform));
        if (r[i].named)
            ck_buf_format(out, " = %s", ck_name_text(&r[i].name, a));
        if (r[i].skipped)
            ck_buf_format(out, " - %.*s", CK_VF(r[i].why));
        ck_put_u8(out, '\n');
    }
}

/* Every reference that can be pinned is, to the digest of its text before the "@". */
static void pin(ck_view content, const struct ck_lock_reference *r, size_t n, struct ck_arena *a,
                struct ck_buf *out)
{
    struct ck_digest *digests = ck_arena_alloc(a, n, sizeof *digests);
    const struct ck_digest **pins = ck_arena_alloc(a, n, sizeof *pins);
    for (size_t i = 0; i < n; i++) {
        ck_view rest;
        ck_hash_of(CK_DIGEST_SHA256, ck_view_split(r[i].text, '@', &rest), &digests[i]);
        pins[i] = r[i].skipped ? NULL : &digests[i];
    }
    assert_ok(ck_lock_pin(content, r, n, pins, out));
}

static void the_corpus_is_read_and_pinned(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORPUS; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf in = data(corpus[i], ""), found = ck_buf_new(CK_LIMIT_NONE),
                                 pinned = ck_buf_new(CK_LIMIT_NONE);
        enum ck_lock_file_kind kind;
        size_t n;
        assert_ok(ck_lock_kind(corpus[i], ck_buf_view(&in), &kind));
        struct ck_lock_reference *r = references(kind, ck_buf_view(&in), &a, &n);
        list(r, n, &a, &found);
        expect_data(corpus[i], ".found", ck_buf_view(&found));
        pin(ck_buf_view(&in), r, n, &a, &pinned);
        expect_data(corpus[i], ".pinned", ck_buf_view(&pinned));
    }
}

/* What was pinned is found again with its digest, and pinning it again changes nothing. */
static void pinning_is_stable(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORPUS; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf in = data(corpus[i], ".pinned"), again = ck_buf_new(CK_LIMIT_NONE);
        enum ck_lock_file_kind kind;
        size_t n;
        assert_ok(ck_lock_kind(corpus[i], ck_buf_view(&in), &kind));
        struct ck_lock_reference *r = references(kind, ck_buf_view(&in), &a, &n);
        for (size_t k = 0; k < n; k++)
            assert_true(r[k].skipped || r[k].name.has_digest);
        pin(ck_buf_view(&in), r, n, &a, &again);
        assert_true(ck_view_eq(ck_buf_view(&in), ck_buf_view(&again)));
    }
}

static void to_crlf(ck_view v, bool bom, struct ck_buf *out)
{
    if (bom)
        ck_put_bytes(out, CK_V("\xEF\xBB\xBF"));
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '\n')
            ck_put_u8(out, '\r');
        ck_put_u8(out, v.p[i]);
    }
}

/* The same with a byte order mark and the line ends of Windows: the same references, the same pins,
 * and the line ends stay. */
static void line_ends_and_marks_of_windows_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORPUS; i++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf plain = data(corpus[i], ""), in = ck_buf_new(CK_LIMIT_NONE),
                                 got = ck_buf_new(CK_LIMIT_NONE), want = data(corpus[i], ".pinned"),
                                 want_crlf = ck_buf_new(CK_LIMIT_NONE);
        enum ck_lock_file_kind kind;
        size_t n;
        to_crlf(ck_buf_view(&plain), true, &in);
        to_crlf(ck_buf_view(&want), true, &want_crlf);
        assert_ok(ck_lock_kind(corpus[i], ck_buf_view(&in), &kind));
        struct ck_lock_reference *r = references(kind, ck_buf_view(&in), &a, &n);
        pin(ck_buf_view(&in), r, n, &a, &got);
        if (!ck_view_eq(ck_buf_view(&got), ck_buf_view(&want_crlf)))
            print_error("%s:\n%.*s", corpus[i], CK_VF(ck_buf_view(&got)));
        assert_true(ck_view_eq(ck_buf_view(&got), ck_buf_view(&want_crlf)));
    }
}

/* --- kinds of files --------------------------------------------------------------------------- */

static void files_are_told_by_name_and_content(void **state)
{
    (void)state;
    static const struct {
        const char *path, *content;
        enum ck_lock_file_kind want;
    } cases[] = {
        { "a/Dockerfile", "", CK_LOCK_DOCKERFILE },
        { "Dockerfile.web", "", CK_LOCK_DOCKERFILE },
        { "web.dockerfile", "", CK_LOCK_DOCKERFILE },
        { "Containerfile", "", CK_LOCK_DOCKERFILE },
        { "x.Containerfile", "", CK_LOCK_DOCKERFILE },
        { "base", "# note\n\nfrom x\n", CK_LOCK_DOCKERFILE },
        { "base.df", "ARG A\n", CK_LOCK_DOCKERFILE },
        { "compose.yml", "", CK_LOCK_COMPOSE },
        { "docker-compose.prod.yaml", "", CK_LOCK_COMPOSE },
        { "stack.yml", "services: {}\n", CK_LOCK_COMPOSE },
        { "deploy.yaml", "---\n---\napiVersion: v1\nkind: Pod\n", CK_LOCK_KUBERNETES },
        { "deploy.json", "{\"kind\": \"Pod\", \"apiVersion\": \"v1\"}", CK_LOCK_KUBERNETES },
    };
    enum ck_lock_file_kind kind = CK_LOCK_FILE_KIND_COUNT_;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(ck_lock_kind(cases[i].path, ck_view_str(cases[i].content), &kind));
        assert_int_equal(kind, cases[i].want);
    }
    kind = CK_LOCK_FILE_KIND_COUNT_;
    assert_fails(ck_lock_kind("values.yaml", CK_V("image: a\n"), &kind), CK_ERR_USAGE,
                 "no Dockerfile");
    assert_fails(ck_lock_kind("README.md", CK_V("# FROM\ntext\n"), &kind), CK_ERR_USAGE,
                 "no Dockerfile");
    assert_fails(ck_lock_kind("x.yaml", CK_V("a: [\n"), &kind), CK_ERR_HOSTILE, "line 2");
    assert_fails(ck_lock_kind("Dockerfiles", CK_V(""), &kind), CK_ERR_USAGE, "no Dockerfile");
    assert_int_equal(kind, CK_LOCK_FILE_KIND_COUNT_);
}

/* --- attacks ---------------------------------------------------------------------------------- */

static void refuse(enum ck_lock_file_kind kind, ck_view content, enum ck_err_class cls,
                   const char *why)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_lock_reference *r = NULL;
    size_t n = 77;
    assert_fails(ck_lock_references(kind, content, &a, &r, &n), cls, why);
    assert_null(r);
    assert_int_equal(n, 77);
}

static void no_dockerfiles_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *content, *why;
    } cases[] = {
        { "", "no FROM" },
        { "# FROM alpine\n", "no FROM" },
        { "ARG A=1\n", "no FROM" },
        { "RUN x\nFROM alpine\n", "line 1: only ARG" },
        { "services:\n  a: {image: alpine}\n", "line 1: only ARG" },
        { "FROM\n", "line 1: FROM is not followed" },
        { "FROM --platform=linux/amd64\n", "line 1: FROM is not followed" },
        { "FROM a b\n", "line 1: FROM is not followed" },
        { "FROM a AS\n", "line 1: FROM is not followed" },
        { "FROM a AS b c\n", "line 1: FROM is not followed" },
        { "FROM a\nRUN <<EOF\nFROM evil\n", "line 2: the heredoc EOF does not end" },
        { "FROM a\nRUN <<-EOF <<\"B\"\n\tEOF\nEOF\n", "line 2: the heredoc B does not end" },
        { "# escape=x\nFROM a\n", "line 1: the escape directive" },
        { "# escape=`\n# escape=`\nFROM a\n", "line 2: the escape directive" },
        { "# syntax=a\n# syntax=b\nFROM a\n", "line 2: the syntax directive" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(CK_LOCK_DOCKERFILE, ck_view_str(cases[i].content), CK_ERR_HOSTILE, cases[i].why);
    refuse(CK_LOCK_DOCKERFILE, CK_V("FROM a\n\0FROM b\n"), CK_ERR_HOSTILE, "a NUL byte");
}

static void no_yaml_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *content, *why;
    } cases[] = {
        { "services:\n  a: {image: x\n", "line 3: no valid YAML" },
        { "services:\n\ta: b\n", "line 2: no valid YAML" },
        { "- a\n", "no mapping with services" },
        { "services: [a]\n", "services is no mapping" },
        { "services: {a: {image: x, image: y}}\n", "line 1: the key image stands twice" },
        { "services: {}\nservices: {}\n", "line 2: the key services stands twice" },
        { "services: {a: *b}\n", "line 1: *b is the alias of no anchor" },
        { "a: &b 1\n---\nservices: {a: *b}\n", "line 3: *b is the alias of no anchor" },
        { "a: \"\xFF\"\n", "no valid YAML" },
        { "a: \x01\n", "no valid YAML" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(CK_LOCK_COMPOSE, ck_view_str(cases[i].content), CK_ERR_HOSTILE, cases[i].why);
    refuse(CK_LOCK_COMPOSE, CK_V("\xFF\xFE" "a\0:\0 \0b\0"), CK_ERR_HOSTILE, "no valid YAML");
}

static void aliases_that_multiply_or_go_in_circles_end(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    size_t n;
    ck_buf_format(&b, "x0: &a0 {image: alpine}\n");
    for (int i = 1; i <= 300; i++) { /* 9^300 mappings, were they copied */
        ck_buf_format(&b, "x%d: &a%d {<<: [", i, i);
        for (int k = 0; k < 9; k++)
            ck_buf_format(&b, "*a%d%s", i - 1, k < 8 ? ", " : "]}\n");
    }
    ck_buf_format(&b, "services: {a: *a300, b: {<<: *a299}}\n");
    references(CK_LOCK_COMPOSE, ck_buf_view(&b), &a, &n);
    assert_int_equal(n, 1);
    references(CK_LOCK_KUBERNETES, ck_buf_view(&b), &a, &n); /* walks all of it */
    assert_int_equal(n, 1);
    references(CK_LOCK_COMPOSE, CK_V("services: &s {a: &a {<<: *a}, b: *s, c: {<<: [*s, *a]}}\n"),
               &a, &n);
    assert_int_equal(n, 0);
    references(CK_LOCK_KUBERNETES,
               CK_V("&l {apiVersion: v1, kind: List, items: [*l, &m {image: *m, x: *l}]}\n"), &a,
               &n);
    assert_int_equal(n, 0);
    references(CK_LOCK_KUBERNETES, CK_V("kind: List\napiVersion: v1\nitems:\n"
                                        "- &a {kind: Pod, spec: {containers: [{image: *a}]}}\n"),
               &a, &n);
    assert_int_equal(n, 1);
}

static void repeat(struct ck_buf *b, const char *what, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_put_bytes(b, ck_view_str(what));
}

/* At the limit it is read, one past it refused: HEAD ITEM*n TAIL, n items being the limit. */
static void limit(enum ck_lock_file_kind kind, const char *head, const char *item, const char *tail,
                  const char *end, size_t most, const char *name)
{
    for (size_t past = 0; past < 2; past++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_lock_reference *r;
        size_t n;
        repeat(&b, head, 1);
        repeat(&b, item, most + past);
        repeat(&b, tail, 1);
        repeat(&b, end, *end ? most + past : 0);
        ck_err *e = ck_lock_references(kind, ck_buf_view(&b), &a, &r, &n);
        if (past)
            assert_fails(e, CK_ERR_LIMIT, name);
        else
            assert_ok(e);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    const size_t refs = CK_MAX_LOCK_REFERENCES, stages = CK_MAX_LOCK_STAGES;
    limit(CK_LOCK_DOCKERFILE, "", "FROM a\n", "", "", stages, "LOCK_STAGES");
    limit(CK_LOCK_DOCKERFILE, "", "ARG A=1\n", "FROM a\n", "", CK_MAX_LOCK_ARGS, "LOCK_ARGS");
    limit(CK_LOCK_DOCKERFILE, "FROM a\n", "COPY --from=x /a /b\n", "", "", refs - 1,
          "LOCK_REFERENCES");
    limit(CK_LOCK_DOCKERFILE, "FROM a\n", "#", "", "", CK_MAX_LOCK_FILE - 7, "LOCK_FILE");
    limit(CK_LOCK_KUBERNETES, "kind: Pod\nspec: {containers: [", "{image: a},", "]}\n", "", refs,
          "LOCK_REFERENCES");
    limit(CK_LOCK_KUBERNETES, "", "[", "", "]", CK_MAX_YAML_DEPTH, "YAML_DEPTH");
    limit(CK_LOCK_KUBERNETES, "[", "&a 1,", "]", "", CK_MAX_YAML_ANCHORS, "YAML_ANCHORS");
    limit(CK_LOCK_KUBERNETES, "[", "1,", "]", "", CK_MAX_YAML_NODES - 1, "YAML_NODES");
}

/* Merge keys over wide mappings: the steps are counted. */
static void merges_of_wide_mappings_reach_the_limit(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&b, "wide: &w {");
    for (int i = 0; i < 20000; i++)
        ck_buf_format(&b, "k%d: 1, ", i);
    ck_buf_format(&b, "}\nservices:\n");
    for (int i = 0; i < 1000; i++)
        ck_buf_format(&b, "  s%d: {<<: *w}\n", i);
    refuse(CK_LOCK_COMPOSE, ck_buf_view(&b), CK_ERR_LIMIT, "YAML_STEPS");
}

static void arguments_do_not_grow(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_docker_args args = { .a = &a };
    ck_view v;
    assert_ok(ck_docker_args_add(&args, CK_V("A=xxxxxxxxxx"), '\\'));
    for (int i = 0; i < 40; i++)
        assert_ok(ck_docker_args_add(&args, CK_V("A=$A$A"), '\\'));
    assert_false(ck_docker_expand(&args, CK_V("$A"), '\\', &v));
    assert_true(ck_docker_expand(&args, CK_V("${A:-${B-${C-x}}}"), '\\', &v));
    assert_view(v, "x");
    assert_false(ck_docker_expand(&args, CK_V("${A-${B-${C-${D-${E-${F-${G-${H-${I-}}}}}}}}}"),
                                  '\\', &v));
    assert_true(ck_docker_expand(&args, CK_V("a\\$A'$A'\"b'\""), '\\', &v));
    assert_view(v, "a$A$Ab'");
    static const char *const bad[] = { "$", "${", "${}", "${A", "'a", "\"a", "$1", "${A:?x}",
                                       "${A#x}", "${A:}", "$B" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(ck_docker_expand(&args, ck_view_str(bad[i]), '\\', &v));
    free(args.v);
}

static void what_is_not_there_is_not_pinned(void **state)
{
    (void)state;
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_digest d;
    const struct ck_digest *pins[2] = { &d, &d };
    size_t n;
    ck_view content = CK_V("FROM alpine\nFROM scratch\n");
    struct ck_lock_reference *r = references(CK_LOCK_DOCKERFILE, content, &a, &n);
    ck_hash_of(CK_DIGEST_SHA256, CK_V("x"), &d);
    assert_fails(ck_lock_pin(content, r, n, pins, &out), CK_ERR_OURS, "line 2");
    assert_fails(ck_lock_pin(CK_V("FROM debian\n"), r, 1, pins, &out), CK_ERR_OURS, "line 1");
    assert_fails(ck_lock_pin(CK_V("FROM"), r, 1, pins, &out), CK_ERR_OURS, "line 1");
    r[1] = r[0];
    assert_fails(ck_lock_pin(content, r, 2, pins, &out), CK_ERR_OURS, "line 1");
}

/* --- images.lock ------------------------------------------------------------------------------ */

#define EMPTY_SHA "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void the_lock_is_written_sorted_and_read_again(void **state)
{
    (void)state;
    static const char want[] =
        "{\n  \"version\": 1,\n  \"images\": [\n    {\n"
        "      \"reference\": \"docker.io/library/alpine:3.20\",\n"
        "      \"digest\": \"sha256:" EMPTY_SHA "\",\n"
        "      \"platforms\": [\"linux/amd64\", \"linux/arm64/v8\"],\n"
        "      \"firstSeen\": \"2026-01-02T03:04:05Z\",\n"
        "      \"files\": [\"Dockerfile\", \"a \\\"b\\\"\"]\n    },\n    {\n"
        "      \"reference\": \"ghcr.io/acme/app@sha256:" EMPTY_SHA "\",\n"
        "      \"digest\": \"sha256:" EMPTY_SHA "\",\n      \"platforms\": [],\n"
        "      \"firstSeen\": \"1970-01-01T00:00:00Z\",\n      \"files\": []\n    }\n  ]\n}\n";
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE), again = ck_buf_new(CK_LIMIT_NONE);
    ck_view platforms[] = { CK_V("linux/arm64/v8"), CK_V("linux/amd64"), CK_V("linux/amd64") };
    ck_view files[] = { CK_V("a \"b\""), CK_V("Dockerfile") };
    struct ck_lock_entry v[2] = {
        { .reference = CK_V("ghcr.io/acme/app@sha256:" EMPTY_SHA) },
        { .reference = CK_V("docker.io/library/alpine:3.20"), .platforms = platforms,
          .n_platforms = 3, .first_seen = 1767323045, .files = files, .n_files = 2 },
    }, *got;
    size_t n;
    for (size_t i = 0; i < 2; i++)
        ck_hash_of(CK_DIGEST_SHA256, CK_V(""), &v[i].digest);
    ck_lock_encode(v, 2, &out);
    assert_view(ck_buf_view(&out), want);
    assert_ok(ck_lock_decode(ck_buf_view(&out), &a, &got, &n));
    assert_int_equal(n, 2);
    assert_int_equal(got[0].first_seen, 1767323045);
    assert_int_equal(got[0].n_platforms, 2);
    assert_view(got[0].files[1], "a \"b\"");
    ck_lock_encode(got, n, &again);
    assert_view(ck_buf_view(&again), want);
    ck_buf_clear(&out);
    ck_lock_encode(NULL, 0, &out);
    assert_view(ck_buf_view(&out), "{\n  \"version\": 1,\n  \"images\": []\n}\n");
    assert_ok(ck_lock_decode(ck_buf_view(&out), &a, &got, &n));
    assert_int_equal(n, 0);
}

#define ENTRY(reference, digest, rest)                                                   \
    "{\"reference\": \"" reference "\", \"digest\": \"" digest "\", \"firstSeen\": " \
    "\"2026-01-02T03:04:05Z\"" rest "}"
#define LOCK(images) "{\"version\": 1, \"images\": [" images "]}"

static void locks_that_were_not_written_so_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *why;
    } cases[] = {
        { "", "images.lock" },
        { "[]", "must be an object" },
        { "{\"images\": []}", "version: is missing" },
        { "{\"version\": 2, \"images\": []}", "version: 1 is what this version reads" },
        { "{\"version\": 1, \"version\": 1}", "duplicate" },
        { "{\"version\": 1, \"Images\": []}", "in another case" },
        { "{\"version\": 1, \"images\": {}}", "images: must be an array" },
        { LOCK("{}"), "digest: is missing" },
        { LOCK(ENTRY("docker.io/library/a:1", "sha256:00", "")), "images[0].digest" },
        { LOCK(ENTRY("docker.io/library/a:1", "md5:00", "")), "images[0].digest" },
        { LOCK(ENTRY("a:1", "sha256:" EMPTY_SHA, "")), "must be written as docker.io/library/a:1" },
        { LOCK(ENTRY("docker.io/library/A:1", "sha256:" EMPTY_SHA, "")), "images[0].reference" },
        { LOCK(ENTRY("docker.io/library/a:1@sha256:" EMPTY_SHA, "sha256:" EMPTY_SHA, "")),
          "must have a tag, or the digest" },
        { LOCK(ENTRY("docker.io/library/a@sha256:" EMPTY_SHA,
                     "sha256:0000000000000000000000000000000000000000000000000000000000000000",
                     "")), "must have a tag, or the digest" },
        { LOCK(ENTRY("docker.io/library/a:1", "sha256:" EMPTY_SHA, "") ","
               ENTRY("docker.io/library/a:1", "sha256:" EMPTY_SHA, "")), "stands there twice" },
        { LOCK(ENTRY("docker.io/library/a:1", "sha256:" EMPTY_SHA, ", \"files\": [1]")),
          "files[0]: must be a string" },
        { LOCK(ENTRY("docker.io/library/a:1", "sha256:" EMPTY_SHA, ", \"files\": [\"a\\nb\"]")),
          "files[0]: must be text without control" },
        { LOCK(ENTRY("docker.io/library/a:1", "sha256:" EMPTY_SHA, ", \"platforms\": [\"\"]")),
          "platforms[0]: must be text" },
    };
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_lock_entry *v = NULL;
    size_t n = 77;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(ck_lock_decode(ck_view_str(cases[i].json), &a, &v, &n), CK_ERR_HOSTILE,
                     cases[i].why);
    assert_null(v);
    assert_int_equal(n, 77);
}

static void the_lock_holds_limits(void **state)
{
    (void)state;
    for (size_t past = 0; past < 2; past++) {
        ck_autoarena struct ck_arena a = { 0 };
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_lock_entry *v;
        size_t n, most = CK_MAX_LOCK_REFERENCES + past;
        ck_buf_format(&b, "{\"version\": 1, \"images\": [");
        for (size_t i = 0; i < most; i++)
            ck_buf_format(&b, "%s{\"reference\": \"docker.io/library/a:%zu\", \"digest\": "
                          "\"sha256:" EMPTY_SHA "\", \"firstSeen\": \"2026-01-02T03:04:05Z\"}",
                          i ? "," : "", i);
        ck_buf_format(&b, "]}");
        ck_err *e = ck_lock_decode(ck_buf_view(&b), &a, &v, &n);
        if (past)
            assert_fails(e, CK_ERR_LIMIT, "LOCK_REFERENCES");
        else
            assert_ok(e);
        ck_buf_clear(&b);
        ck_buf_format(&b, "{\"version\": 1, \"images\": [{\"reference\": \"docker.io/library/a:1\","
                      "\"digest\": \"sha256:" EMPTY_SHA "\", \"firstSeen\": "
                      "\"2026-01-02T03:04:05Z\", \"files\": [\"a\"");
        repeat(&b, ",\"a\"", CK_MAX_LOCK_FILES - 1 + past);
        ck_buf_format(&b, "]}]}");
        e = ck_lock_decode(ck_buf_view(&b), &a, &v, &n);
        if (past)
            assert_fails(e, CK_ERR_LIMIT, "LOCK_FILES");
        else
            assert_ok(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corpus_is_read_and_pinned),
        cmocka_unit_test(pinning_is_stable),
        cmocka_unit_test(line_ends_and_marks_of_windows_stay),
        cmocka_unit_test(files_are_told_by_name_and_content),
        cmocka_unit_test(no_dockerfiles_are_refused),
        cmocka_unit_test(no_yaml_is_refused),
        cmocka_unit_test(aliases_that_multiply_or_go_in_circles_end),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(merges_of_wide_mappings_reach_the_limit),
        cmocka_unit_test(arguments_do_not_grow),
        cmocka_unit_test(what_is_not_there_is_not_pinned),
        cmocka_unit_test(the_lock_is_written_sorted_and_read_again),
        cmocka_unit_test(locks_that_were_not_written_so_are_refused),
        cmocka_unit_test(the_lock_holds_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
