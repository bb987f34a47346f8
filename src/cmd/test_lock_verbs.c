/* The verbs lock and verify, with a registry that is a table: this file defines what
 * source/resolve.c does in the program.
 */
#include "base/file.h"
#include "base/unit.h"
#include "cmd/cmd.h"
#include "cmd/lock_file.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the registry ----------------------------------------------------------------------------- */

enum { WORLD = 8 };
struct ck_resolver {
    int unused;
};

/* References that exist, and the text whose hash is their digest. NULL: ends the list. */
static struct {
    const char *reference, *content;
} world[WORLD];
static unsigned asked;
static const char *touch; /* a file that somebody else changes while the registry is asked */

static void world_is(const char *const (*pairs)[2], size_t n)
{
    memset(world, 0, sizeof world);
    for (size_t i = 0; i < n; i++) {
        world[i].reference = pairs[i][0];
        world[i].content = pairs[i][1];
    }
    asked = 0;
    touch = NULL;
}

ck_err *ck_resolver_new(const struct ck_resolve_options *o, struct ck_resolver **ret)
{
    (void)o;
    *ret = calloc(1, sizeof **ret);
    return NULL;
}

void ck_resolver_free(struct ck_resolver *r) { free(r); }

static void put_file(const char *path, const char *content)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(content, f);
    fclose(f);
}

ck_err *ck_resolve_name(struct ck_resolver *r, const struct ck_name *n, struct ck_arena *a,
                        struct ck_resolved *ret)
{
    const ck_view platforms[] = { CK_V("linux/amd64"), CK_V("linux/arm/v7"),
                                  CK_V("linux/arm64/v8") };
    (void)r;
    const char *text = ck_name_text(n, a);
    asked++;
    assert_true(n->host_given);
    if (touch)
        put_file(touch, "FROM changed\n");
    for (size_t i = 0; i < WORLD && world[i].reference; i++) {
        struct ck_resolved v = { .name = *n, .media_type = CK_V("x"), .n_platforms = 3 };
        ck_hash_of(CK_DIGEST_SHA256, ck_view_str(world[i].content), &v.digest);
        bool by_digest = n->has_digest && !n->tag.n && ck_digest_eq(&v.digest, &n->digest);
        if (strcmp(text, world[i].reference) != 0 && !by_digest)
            continue;
        v.platforms = ck_arena_alloc(a, 3, sizeof *v.platforms);
        memcpy(v.platforms, platforms, sizeof platforms);
        *ret = v;
        return NULL;
    }
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s: not found (404)", text);
}

/* --- running a verb --------------------------------------------------------------------------- */

static char *out, *err;

static char *slurp(const char *path)
{
    struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_file_read(path, &b));
    return ck_buf_steal_str(&b);
}

static int redirect(FILE *stream, const char *path)
{
    fflush(stream);
    int old = dup(fileno(stream));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, fileno(stream));
    close(fd);
    return old;
}

static void restore(FILE *stream, int old)
{
    fflush(stream);
    dup2(old, fileno(stream));
    close(old);
}

/* The exit status of "lock --write Dockerfile"; what was printed is in out and err. */
static int run(const char *line)
{
    char copy[512], *argv[32] = { NULL }, *rest = copy;
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word; (word = strsep(&rest, " "));)
        argv[argc++] = word;
    free(out);
    free(err);
    int o = redirect(stdout, ".out"), e = redirect(stderr, ".err");
    optind = 0;
    int status = strcmp(argv[0], "lock") == 0 ? ck_cmd_lock(argc, argv)
                                              : ck_cmd_verify(argc, argv);
    restore(stdout, o);
    restore(stderr, e);
    out = slurp(".out");
    err = slurp(".err");
    return status;
}

static void expect_run(int want, const char *line)
{
    int got = run(line);
    if (got != want)
        print_error("%s: status %d\n%s%s", line, got, out, err);
    assert_int_equal(got, want);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        print_error("not there: %s\nin: %s\n", part, text);
    assert_non_null(strstr(text, part));
}

static void hasnt(const char *text, const char *part)
{
    if (strstr(text, part))
        print_error("there: %s\nin: %s\n", part, text);
    assert_null(strstr(text, part));
}

static void file_has(const char *path, const char *part)
{
    char *text = slurp(path);
    has(text, part);
    free(text);
}

static void file_is(const char *path, const char *want)
{
    char *text = slurp(path);
    assert_string_equal(text, want);
    free(text);
}

/* "sha256:..." of a content. */
static const char *digest(const char *content)
{
    static char text[2][CK_DIGEST_TEXT];
    static unsigned turn;
    struct ck_digest d;
    ck_hash_of(CK_DIGEST_SHA256, ck_view_str(content), &d);
    return ck_digest_text(&d, text[turn++ % 2]);
}

static char home[] = "/tmp/lock-verbs-XXXXXX";
static char before[4096];

static int set_up(void **state)
{
    (void)state;
    memcpy(home + sizeof home - 7, "XXXXXX", 6);
    assert_non_null(getcwd(before, sizeof before));
    assert_non_null(mkdtemp(home));
    assert_int_equal(chdir(home), 0);
    setenv("XDG_DATA_HOME", home, 1);
    setenv("SOURCE_DATE_EPOCH", "1767323045", 1);
    unsetenv("COCKET_STORE");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[64];
    assert_int_equal(chdir(before), 0);
    snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command);
}

static const char *const usual[][2] = {
    { "docker.io/library/alpine:3.20", "alpine" },
    { "docker.io/library/nginx:1.27", "nginx" },
    { "ghcr.io/acme/app:latest", "app" },
    { "docker.io/library/alpinne:3.20.1", "evil" },
};

/* --- lock ------------------------------------------------------------------------------------- */

static void lock_writes_the_lock_and_nothing_else(void **state)
{
    (void)state;
    static const char dockerfile[] = "ARG V=3.20\nFROM alpine:3.20 AS a\r\nFROM alpine:$V\n"
                                     "FROM scratch\nCOPY --from=ghcr.io/acme/app /a /a\n";
    world_is(usual, 4);
    put_file("Dockerfile", dockerfile);
    put_file("compose.yaml", "services: {w: {image: nginx:1.27}, v: {image: 'alpine:3.20'}}\n");
    expect_run(0, "lock ./Dockerfile compose.yaml Dockerfile");
    assert_int_equal(asked, 3); /* each meaning once */
    file_is("Dockerfile", dockerfile);
    file_has("images.lock", "\"reference\": \"docker.io/library/alpine:3.20\"");
    file_has("images.lock", digest("alpine"));
    file_has("images.lock", "\"files\": [\"Dockerfile\", \"compose.yaml\"]");
    file_has("images.lock",
             "\"platforms\": [\"linux/amd64\", \"linux/arm/v7\", \"linux/arm64/v8\"]");
    file_has("images.lock", "2026-01-02T03:04:05Z");
    has(out, "./Dockerfile\n     2  alpine:3.20 ");
    has(out, "locked, not pinned: holds a variable");
    has(out, "skipped: scratch");
    has(out, "linux/amd64, linux/arm/v7 +1");
    has(err, "warning: ./Dockerfile:2: alpine:3.20: the tag 3.20 is a minor version");
    has(err, "ghcr.io/acme/app: no tag means latest");
    expect_run(0, "lock -q Dockerfile");
    assert_string_equal(out, "");
}

static void write_pins_in_place_and_again_changes_nothing(void **state)
{
    (void)state;
    char want[512];
    struct stat first, second;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20 \t\r\nRUN x  \n");
    snprintf(want, sizeof want, "FROM alpine:3.20@%s \t\r\nRUN x  \n", digest("alpine"));
    expect_run(1, "lock --check --write Dockerfile");
    has(err, "images.lock would change");
    has(err, "Dockerfile would change");
    assert_int_not_equal(access("images.lock", F_OK), 0);
    expect_run(0, "lock --write Dockerfile");
    has(out, " pinned\n");
    file_is("Dockerfile", want);
    assert_int_equal(stat("Dockerfile", &first), 0);
    expect_run(0, "lock --check --write Dockerfile");
    expect_run(0, "lock --write Dockerfile");
    has(out, "is pinned to it");
    assert_int_equal(stat("Dockerfile", &second), 0);
    assert_true(first.st_ino == second.st_ino);
    /* the tag moves: the older digest is replaced */
    world[0].content = "alpine, rebuilt";
    expect_run(0, "lock Dockerfile");
    has(out, "locked; the file has another digest");
    file_is("Dockerfile", want);
    expect_run(0, "lock --write Dockerfile");
    has(out, "pinned anew");
    snprintf(want, sizeof want, "FROM alpine:3.20@%s \t\r\nRUN x  \n", digest("alpine, rebuilt"));
    file_is("Dockerfile", want);
}

static void first_seen_stays_until_the_tag_moves(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20\n");
    expect_run(0, "lock Dockerfile");
    setenv("SOURCE_DATE_EPOCH", "1800000000", 1);
    expect_run(0, "lock Dockerfile");
    file_has("images.lock", "2026-01-02T03:04:05Z");
    hasnt(err, "moved");
    world[0].content = "other";
    expect_run(0, "lock Dockerfile");
    has(err, "docker.io/library/alpine:3.20 has moved: it was sha256:");
    file_has("images.lock", "2027-01-15T08:00:00Z");
    setenv("SOURCE_DATE_EPOCH", "soon", 1);
    expect_run(2, "lock Dockerfile");
    has(err, "SOURCE_DATE_EPOCH");
}

static void entries_of_other_files_stay(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20\nFROM nginx:1.27\n");
    put_file("web.Dockerfile", "FROM nginx:1.27\n");
    expect_run(0, "lock --lock-file l Dockerfile web.Dockerfile");
    put_file("Dockerfile", "FROM ghcr.io/acme/app:latest\n");
    expect_run(0, "lock --lock-file l Dockerfile");
    char *text = slurp("l");
    hasnt(text, "alpine"); /* no file names it any more */
    has(text, "\"files\": [\"web.Dockerfile\"]");
    has(text, "ghcr.io/acme/app:latest");
    free(text);
    assert_int_not_equal(access("images.lock", F_OK), 0);
}

static void what_cannot_be_had_is_named_and_nothing_written(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20\nFROM gone:1\nFROM gone:2\n");
    expect_run(3, "lock --write Dockerfile");
    has(err, "docker.io/library/gone:1: not found (404)");
    has(err, "docker.io/library/gone:2: not found (404)");
    has(err, "nothing was written");
    assert_int_not_equal(access("images.lock", F_OK), 0);
    file_is("Dockerfile", "FROM alpine:3.20\nFROM gone:1\nFROM gone:2\n");
    assert_int_equal(asked, 3);
}

static void names_that_look_like_others_are_warned_of(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpinne:3.20.1\nFROM alpinne:3.20.1\n");
    expect_run(0, "lock Dockerfile");
    has(err, "warning: Dockerfile:1: alpinne:3.20.1: alpinne is one letter away from the official "
             "image alpine");
    hasnt(err, "Dockerfile:2");
    assert_int_not_equal(access("store", F_OK), 0); /* none is made for this */
}

/* A store at hand: names seen there count. */
static void names_seen_by_the_store_are_compared(void **state)
{
    (void)state;
    static const char *const pairs[][2] = { { "ghcr.io/acme/biling:1.2.3", "x" } };
    struct ck_store *s;
    struct ck_lease *l;
    struct ck_digest d;
    const ck_view json = CK_V("{}");
    world_is(pairs, 1);
    ck_hash_of(CK_DIGEST_SHA256, json, &d);
    assert_ok(ck_store_open("a-store", &s));
    assert_ok(ck_lease_new(s, &l));
    assert_ok(ck_store_put(l, &d, json));
    struct ck_store_image image = {
        .digest = d, .size = json.n,
        .media_type = CK_V("application/vnd.oci.image.manifest.v1+json"),
    };
    bool moved;
    struct ck_digest from;
    assert_ok(ck_store_add_image(l, &image, false));
    assert_ok(ck_store_set_name(l, CK_V("ghcr.io/acme/billing:1"), &d, &moved, &from));
    ck_lease_end(l);
    ck_store_close(s);
    put_file("Dockerfile", "FROM ghcr.io/acme/biling:1.2.3\n");
    expect_run(0, "lock --store a-store Dockerfile");
    has(err, "ghcr.io/acme/biling is one letter away from the repository seen here before, "
             "ghcr.io/acme/billing");
}

static void a_platform_that_is_not_offered_is_said(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM --platform=linux/arm64 alpine:3.20\n"
                           "FROM --platform=linux/s390x alpine:3.20\n");
    expect_run(0, "lock Dockerfile");
    has(err, "Dockerfile:2: alpine:3.20 is not offered for linux/s390x");
    hasnt(err, "linux/arm64");
}

/* --- files ------------------------------------------------------------------------------------ */

static void mode_owner_and_links_are_kept(void **state)
{
    (void)state;
    struct stat st;
    world_is(usual, 4);
    assert_int_equal(mkdir("d", 0700), 0);
    put_file("d/real.Dockerfile", "FROM alpine:3.20\n");
    assert_int_equal(chmod("d/real.Dockerfile", 0640), 0);
    if (geteuid() == 0)
        assert_int_equal(chown("d/real.Dockerfile", 12345, 23456), 0);
    assert_int_equal(symlink("d/real.Dockerfile", "Dockerfile"), 0);
    expect_run(0, "lock --write Dockerfile");
    assert_int_equal(lstat("Dockerfile", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat("Dockerfile", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    if (geteuid() == 0) {
        assert_int_equal(st.st_uid, 12345);
        assert_int_equal(st.st_gid, 23456);
    }
    file_has("d/real.Dockerfile", digest("alpine"));
    assert_int_equal(system("test $(ls -A d | wc -l) = 1"), 0); /* nothing left beside it */
}

static void files_with_several_names_are_left_alone(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20\n");
    assert_int_equal(link("Dockerfile", "other"), 0);
    expect_run(5, "lock --write Dockerfile");
    has(err, "has 2 names (hard links)");
    file_is("other", "FROM alpine:3.20\n");
}

static void a_file_that_changes_meanwhile_is_left_alone(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20\n");
    put_file("web.Dockerfile", "FROM nginx:1.27\n");
    touch = "web.Dockerfile";
    expect_run(5, "lock --write Dockerfile web.Dockerfile");
    has(err, "web.Dockerfile has changed since it was read: left alone");
    file_is("Dockerfile", "FROM alpine:3.20\n");
    file_is("web.Dockerfile", "FROM changed\n");
    assert_int_not_equal(access("images.lock", F_OK), 0);
}

static void wrong_files_and_options_are_refused(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("notes.txt", "hello\n");
    put_file("bad.Dockerfile", "FROM a\nFROM\n");
    put_file("Dockerfile", "FROM alpine:3.20\n");
    expect_run(2, "lock");
    expect_run(2, "lock notes.txt");
    has(err, "notes.txt: it is no Dockerfile");
    expect_run(2, "lock .");
    has(err, "no regular file");
    expect_run(3, "lock nowhere");
    expect_run(4, "lock bad.Dockerfile");
    has(err, "bad.Dockerfile: line 2: FROM");
    expect_run(2, "lock --frobnicate Dockerfile");
    expect_run(2, "lock -o x Dockerfile");
    put_file("images.lock", "{\"version\": 7, \"images\": []}");
    expect_run(4, "lock Dockerfile");
    has(err, "images.lock: images.lock: version: 1 is what this version reads");
    file_is("images.lock", "{\"version\": 7, \"images\": []}");
    assert_int_equal(asked, 0);
    expect_run(0, "lock --help");
    has(out, "--check");
}

static void what_files_say_is_escaped(void **state)
{
    (void)state;
    world_is(usual, 4);
    put_file("Dockerfile", "FROM alpine:3.20\nFROM \033[31m\n");
    put_file("\033[31m.Dockerfile", "FROM alpine:3.20\n");
    expect_run(0, "lock Dockerfile");
    hasnt(out, "\033");
    has(out, "\\x1b[31m ");
    expect_run(2, "lock \033[31m.Dockerfile");
    hasnt(err, "\033");
    has(err, "images.lock can hold no such name");
}

/* --- verify ----------------------------------------------------------------------------------- */

static void verify_tells_what_moved(void **state)
{
    (void)state;
    char line[256];
    world_is(usual, 4);
    snprintf(line, sizeof line, "FROM alpine:3.20\nFROM nginx:1.27\nFROM ghcr.io/acme/app@%s\n",
             digest("app"));
    put_file("Dockerfile", line);
    expect_run(0, "lock Dockerfile");
    asked = 0;
    expect_run(0, "verify --lock");
    has(out, "same       docker.io/library/alpine:3.20\n");
    has(out, "no tag     ghcr.io/acme/app@sha256:");
    has(out, "3 references, 0 moved, 0 not asked\n");
    assert_int_equal(asked, 2);

    world[0].content = "moved";
    expect_run(1, "verify --lock -q");
    has(out, "MOVED      docker.io/library/alpine:3.20\n");
    hasnt(out, "nginx");
    expect_run(1, "verify --lock --format json");
    has(out, "\"moved\": 1,");
    has(out, "\"state\": \"moved\"");
    has(out, digest("moved"));
    has(out, "\"error\": null");

    world[1].reference = "nothing";
    expect_run(1, "verify --lock"); /* what moved counts more than what is not known */
    has(out, "not asked  docker.io/library/nginx:1.27\n"
             "           docker.io/library/nginx:1.27: not found (404)\n");
    world[0].content = "alpine";
    expect_run(3, "verify --lock --format json");
    has(out, "\"state\": \"unavailable\"");
    has(out, "\"error\": \"docker.io/library/nginx:1.27: not found (404)\"");
    file_has("images.lock", digest("nginx")); /* verifying writes nothing */
}

static void verify_says_what_it_cannot_do(void **state)
{
    (void)state;
    world_is(usual, 4);
    expect_run(2, "verify alpine:3.20");
    has(err, "cocket verify --lock");
    expect_run(2, "verify --lock alpine:3.20");
    expect_run(2, "verify --lock --format xml");
    expect_run(3, "verify --lock");
    has(err, "images.lock");
    put_file("l", "[]");
    expect_run(4, "verify --lock --lock-file l");
    expect_run(0, "verify --help");
    has(out, "--lock-file");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(lock_writes_the_lock_and_nothing_else),
        T(write_pins_in_place_and_again_changes_nothing),
        T(first_seen_stays_until_the_tag_moves),
        T(entries_of_other_files_stay),
        T(what_cannot_be_had_is_named_and_nothing_written),
        T(names_that_look_like_others_are_warned_of),
        T(names_seen_by_the_store_are_compared),
        T(a_platform_that_is_not_offered_is_said),
        T(mode_owner_and_links_are_kept),
        T(files_with_several_names_are_left_alone),
        T(a_file_that_changes_meanwhile_is_left_alone),
        T(wrong_files_and_options_are_refused),
        T(what_files_say_is_escaped),
        T(verify_tells_what_moved),
        T(verify_says_what_it_cannot_do),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(out);
    free(err);
    return failed;
}
