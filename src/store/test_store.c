#include "base/unit.h"
#include "store/unit_store.h"

#include <dirent.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/wait.h>

struct fixture {
    char *dir;
    struct ck_store *s;
    struct ck_lease *l;
    struct ck_arena arena;
};

static int setup(void **state)
{
    const char *temp = getenv("TMPDIR");
    struct fixture *f = ck_new(struct fixture);
    f->dir = ck_format("%s/cocket-store.XXXXXX", temp ? temp : "/tmp");
    if (!mkdtemp(f->dir))
        return -1;
    assert_ok(ck_store_open(f->dir, &f->s));
    assert_ok(ck_lease_new(f->s, &f->l));
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    ck_lease_end(f->l);
    ck_store_close(f->s);
    ck_arena_free(&f->arena);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f->dir);
    free(f);
    return 0;
}

/* --- what a test looks at --------------------------------------------------------------------- */

static void new_lease(struct fixture *f)
{
    ck_lease_end(f->l);
    assert_ok(ck_lease_new(f->s, &f->l));
}

static bool has(struct fixture *f, const struct ck_digest *d)
{
    bool yes = false;
    assert_ok(ck_store_has(f->l, d, NULL, &yes));
    return yes;
}

static char *blob_path(struct fixture *f, const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    ck_digest_text(d, text);
    return ck_format("%s/blobs/sha256/%s", f->dir, text + 7);
}

static size_t files_in(struct fixture *f, const char *name)
{
    ck_autofree char *path = ck_format("%s/%s", f->dir, name);
    DIR *d = opendir(path);
    size_t n = 0;
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void count_problem(void *ctx, const char *text)
{
    ck_buf_format(ctx, "%s\n", text);
}

/* What fsck finds wrong, or "". */
static void assert_fsck(struct fixture *f, bool quick, const char *want)
{
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    struct ck_fsck_result r;
    assert_ok(ck_store_fsck(f->s, quick, count_problem, NULL, &said, &r));
    ck_put_u8(&said, 0);
    if (want[0] ? !strstr((char *)said.p, want) : said.n != 1)
        print_error("fsck said: %swant: %s\n", (char *)said.p, want);
    assert_true(want[0] ? strstr((char *)said.p, want) != NULL && r.problems : !r.problems);
}

static struct ck_gc_result gc(struct fixture *f, bool dry)
{
    struct ck_gc_result r;
    assert_ok(ck_store_gc(f->s, dry, &r));
    return r;
}

static struct unit_image fetch(struct fixture *f, unsigned n, const char *name)
{
    struct unit_image u = unit_image(n, 100);
    assert_ok(unit_fetch(f->l, &u, ck_view_str(name)));
    return u;
}

static struct ck_store_entry get(struct fixture *f, const struct ck_digest *d)
{
    struct ck_store_entry e = { 0 };
    bool found = false;
    assert_ok(ck_store_get(f->s, d, &f->arena, &e, &found));
    assert_true(found);
    return e;
}

/* Changes the database behind the store's back. */
static void tamper(struct fixture *f, const char *sql)
{
    ck_autofree char *path = ck_format("%s/state.db", f->dir);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc)
        print_error("%s\n", sqlite3_errmsg(db));
    assert_int_equal(rc, SQLITE_OK);
    sqlite3_close(db);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void a_store_is_made_for_its_owner_alone(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *dir = ck_format("%s/a/b/store", f->dir);
    struct ck_store *s = NULL, *again = NULL;
    struct stat st;
    assert_ok(ck_store_open(dir, &s));
    assert_string_equal(ck_store_dir(s), dir);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_ok(ck_store_open(dir, &again));
    ck_store_close(again);
    ck_store_close(s);
}

static void where_it_is(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *env = ck_format("%s/env", f->dir), *xdg = ck_format("%s/cocket/store",
                                                                           f->dir);
    struct ck_store *s = NULL;
    setenv("COCKET_STORE", env, 1);
    assert_ok(ck_store_open(NULL, &s));
    assert_string_equal(ck_store_dir(s), env);
    ck_store_close(s);
    unsetenv("COCKET_STORE");
    setenv("XDG_DATA_HOME", f->dir, 1);
    assert_ok(ck_store_open(NULL, &s));
    assert_string_equal(ck_store_dir(s), xdg);
    ck_store_close(s);
    unsetenv("XDG_DATA_HOME");
}

static void stores_of_others_are_refused(void **state)
{
    struct fixture *f = *state;
    struct ck_store *s = NULL;
    tamper(f, "PRAGMA user_version=2");
    assert_fails(ck_store_open(f->dir, &s), CK_ERR_OURS, "has version 2, this cocket knows 1");
    tamper(f, "PRAGMA user_version=1; PRAGMA application_id=7");
    assert_fails(ck_store_open(f->dir, &s), CK_ERR_OURS, "some other program's");
    ck_autofree char *file = ck_format("%s/state.db", f->dir);
    assert_fails(ck_store_open(file, &s), CK_ERR_OURS, file);
    assert_null(s);
}

static void garbage_for_a_database_is_an_error(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *dir = ck_format("%s/other", f->dir), *db = ck_format("%s/state.db", dir);
    struct ck_store *s = NULL;
    ck_autofree char *bytes = ck_calloc(8192, 1);
    memset(bytes, 'x', 8192);
    assert_ok(ck_file_write(db, ck_view_of(bytes, 8192), CK_FILE_PARENTS));
    assert_fails(ck_store_open(dir, &s), CK_ERR_OURS, "not a database");
}

static void first_creation_by_many_at_once(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 8, ROUNDS = 4 };
    for (int round = 0; round < ROUNDS; round++) {
        ck_autofree char *dir = ck_format("%s/race%d", f->dir, round);
        pid_t pids[PROCESSES];
        for (int i = 0; i < PROCESSES; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                struct ck_store *s = NULL;
                struct ck_lease *l = NULL;
                ck_err *e = ck_store_open(dir, &s);
                if (!e)
                    e = ck_lease_new(s, &l);
                if (e)
                    print_error("%s\n", ck_err_text(e));
                _exit(e ? 1 : 0);
            }
        }
        for (int i = 0; i < PROCESSES; i++) {
            int status = -1;
            waitpid(pids[i], &status, 0);
            assert_int_equal(status, 0);
        }
    }
}

/* --- blobs ------------------------------------------------------------------------------------ */

static void documents_are_kept_by_their_digest(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("hello")), other = unit_digest(CK_V("other"));
    ck_autofree char *path = blob_path(f, &d);
    struct stat st;
    uint64_t size = 0;
    int fd = -1;
    char text[8] = "";
    assert_false(has(f, &d));
    assert_fails(ck_store_open_blob(f->s, &d, &fd, &size), CK_ERR_UNAVAILABLE, "is not in");
    assert_ok(ck_store_put(f->l, &d, CK_V("hello")));
    assert_ok(ck_store_put(f->l, &d, CK_V("hello")));
    assert_true(has(f, &d));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    assert_ok(ck_store_open_blob(f->s, &d, &fd, &size));
    assert_int_equal(size, 5);
    assert_int_equal(read(fd, text, sizeof text), 5);
    assert_string_equal(text, "hello");
    close(fd);
    assert_fails(ck_store_put(f->l, &other, CK_V("hello")), CK_ERR_HOSTILE,
                 "the bytes have the digest sha256:2cf24d");
    assert_false(has(f, &other));
    assert_int_equal(files_in(f, "partial"), 0);
}

static void documents_stop_at_their_limit(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *bytes = ck_calloc(CK_MAX_DOCUMENT + 1, 1);
    ck_view most = ck_view_of(bytes, CK_MAX_DOCUMENT), more = ck_view_of(bytes, most.n + 1);
    struct ck_digest d = unit_digest(most), e = unit_digest(more);
    assert_ok(ck_store_put(f->l, &d, most));
    assert_fails(ck_store_put(f->l, &e, more), CK_ERR_LIMIT, "limit DOCUMENT");
}

static void sha512_has_a_place_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d;
    ck_hash_of(CK_DIGEST_SHA512, CK_V("x"), &d);
    assert_ok(ck_store_put(f->l, &d, CK_V("x")));
    assert_true(has(f, &d));
    assert_int_equal(files_in(f, "blobs/sha512"), 1);
    assert_fsck(f, false, "");
}

static void an_interrupted_blob_is_resumed(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("0123456789"));
    struct ck_incoming *in = NULL;
    assert_ok(ck_incoming_new(f->l, &d, &in));
    assert_int_equal(ck_incoming_have(in), 0);
    assert_ok(ck_write_all(ck_incoming_fd(in), CK_V("01234")));
    ck_incoming_drop(in, true);
    assert_false(has(f, &d));
    assert_ok(ck_incoming_new(f->l, &d, &in));
    assert_int_equal(ck_incoming_have(in), 5);
    assert_int_equal(pwrite(ck_incoming_fd(in), "56789", 5, 5), 5);
    assert_ok(ck_incoming_commit(in, &d, 10));
    assert_true(has(f, &d));
    assert_int_equal(files_in(f, "partial"), 0);
    assert_fsck(f, false, "");
}

static void giving_up_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("x"));
    struct ck_incoming *in = NULL;
    assert_ok(ck_incoming_new(f->l, &d, &in));
    assert_ok(ck_write_all(ck_incoming_fd(in), CK_V("junk")));
    assert_ok(ck_incoming_restart(in));
    assert_int_equal(lseek(ck_incoming_fd(in), 0, SEEK_END), 0);
    ck_incoming_drop(in, false);
    assert_int_equal(files_in(f, "partial"), 0);
}

static void attack_bytes_of_another_digest(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("good")), got = unit_digest(CK_V("evil"));
    struct ck_incoming *in = NULL;
    assert_ok(ck_incoming_new(f->l, &d, &in));
    assert_ok(ck_write_all(ck_incoming_fd(in), CK_V("evil")));
    assert_fails(ck_incoming_commit(in, &got, 4), CK_ERR_HOSTILE, "the bytes have the digest");
    assert_false(has(f, &d));
    assert_false(has(f, &got));
    assert_int_equal(files_in(f, "partial"), 0);
}

static void attack_more_bytes_than_were_hashed(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("good"));
    struct ck_incoming *in = NULL;
    assert_ok(ck_incoming_new(f->l, &d, &in));
    assert_ok(ck_write_all(ck_incoming_fd(in), CK_V("good and more")));
    assert_fails(ck_incoming_commit(in, &d, 4), CK_ERR_HOSTILE,
                 "13 bytes arrived, 4 were hashed");
    assert_false(has(f, &d));
    assert_int_equal(files_in(f, "partial"), 0);
}

static void attack_a_reader_that_writes(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("good"));
    struct ck_incoming *in = NULL;
    int reader = -1;
    char bytes[4];
    assert_ok(ck_incoming_new(f->l, &d, &in));
    assert_ok(ck_incoming_reader(in, &reader));
    assert_ok(ck_write_all(ck_incoming_fd(in), CK_V("good")));
    assert_int_equal(pwrite(reader, "evil", 4, 0), -1);
    assert_int_equal(ftruncate(reader, 0), -1);
    assert_int_equal(pread(reader, bytes, 4, 0), 4);
    assert_ok(ck_incoming_commit(in, &d, 4));
    assert_int_equal(pread(reader, bytes, 4, 0), 4); /* also when it has its name */
    assert_memory_equal(bytes, "good", 4);
    close(reader);
}

static void two_at_once_bring_the_same_blob(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("same"));
    struct ck_incoming *a = NULL, *b = NULL, *c = NULL;
    assert_ok(ck_incoming_new(f->l, &d, &a));
    assert_ok(ck_write_all(ck_incoming_fd(a), CK_V("sa")));
    assert_ok(ck_incoming_new(f->l, &d, &b));
    assert_int_equal(ck_incoming_have(b), 0);
    assert_int_equal(files_in(f, "partial"), 2);
    assert_ok(ck_write_all(ck_incoming_fd(b), CK_V("same")));
    assert_ok(ck_incoming_commit(b, &d, 4));
    assert_true(has(f, &d));
    assert_ok(ck_write_all(ck_incoming_fd(a), CK_V("me")));
    assert_ok(ck_incoming_commit(a, &d, 4));
    /* what was a partial file is a blob now: the next one must not write into it */
    assert_ok(ck_incoming_new(f->l, &d, &c));
    assert_int_equal(ck_incoming_have(c), 0);
    ck_incoming_drop(c, true);
    assert_true(has(f, &d));
    assert_fsck(f, false, "");
}

static void a_copy_that_cannot_be_resumed_is_not_kept(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("same"));
    struct ck_incoming *a = NULL, *b = NULL;
    assert_ok(ck_incoming_new(f->l, &d, &a));
    assert_ok(ck_incoming_new(f->l, &d, &b));
    ck_incoming_drop(b, true);
    assert_int_equal(files_in(f, "partial"), 1);
    ck_incoming_drop(a, true);
    assert_int_equal(files_in(f, "partial"), 1);
}

static void a_damaged_blob_is_not_there_and_comes_again(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("hello"));
    ck_autofree char *path = blob_path(f, &d);
    uint64_t size;
    int fd;
    assert_ok(ck_store_put(f->l, &d, CK_V("hello")));
    assert_int_equal(chmod(path, 0600) + truncate(path, 2), 0);
    assert_false(has(f, &d));
    assert_fails(ck_store_open_blob(f->s, &d, &fd, &size), CK_ERR_OURS, "fsck");
    assert_fsck(f, true, "its file has another size");
    assert_ok(unit_receive(f->l, CK_V("hello")));
    assert_true(has(f, &d));
    assert_fsck(f, false, "");
    assert_int_equal(unlink(path), 0);
    assert_false(has(f, &d));
    assert_fsck(f, true, "its file is missing");
    assert_ok(ck_store_put(f->l, &d, CK_V("hello")));
    assert_fsck(f, false, "");
}

static void a_file_without_a_row_is_no_blob_and_no_obstacle(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("hello"));
    ck_autofree char *path = blob_path(f, &d);
    assert_ok(ck_file_write(path, CK_V("jello"), CK_FILE_PLAIN));
    assert_false(has(f, &d));
    assert_fsck(f, false, "");
    assert_ok(unit_receive(f->l, CK_V("hello")));
    assert_true(has(f, &d));
    assert_fsck(f, false, "");
}

/* --- images ----------------------------------------------------------------------------------- */

static void an_image_is_complete_when_its_parts_are_there(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = unit_image(1, 10);
    struct ck_store_entry e;
    u.image.parts = u.parts;
    assert_fails(ck_store_add_image(f->l, &u.image, false), CK_ERR_UNAVAILABLE, "manifest sha256:");
    assert_ok(ck_store_put(f->l, &u.image.digest, ck_view_str(u.texts[3])));
    assert_ok(ck_store_add_image(f->l, &u.image, false));
    e = get(f, &u.image.digest);
    assert_false(e.complete);
    assert_int_equal(e.state, CK_QUARANTINED);
    assert_view(e.reason, "not examined");
    assert_int_equal(e.image.n_parts, 3);
    assert_int_equal(e.image.parts[0].role, CK_PART_CONFIG);
    assert_view(e.image.parts[1].media_type, UNIT_OCI "layer.v1.tar");
    assert_fails(ck_store_add_image(f->l, &u.image, true), CK_ERR_UNAVAILABLE,
                 "config sha256:");
    assert_ok(unit_fetch(f->l, &u, CK_V("")));
    e = get(f, &u.image.digest);
    assert_true(e.complete);
    assert_int_equal(e.total, strlen(u.texts[0]) + strlen(u.texts[1]) + strlen(u.texts[2]) +
                              strlen(u.texts[3]));
    unit_image_free(&u);
}

static void attack_a_descriptor_that_lies_about_the_size(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = unit_image(1, 10);
    u.parts[1].size++;
    assert_fails(unit_fetch(f->l, &u, CK_V("")), CK_ERR_HOSTILE, "its descriptor says");
    assert_false(get(f, &u.image.digest).complete);
    unit_image_free(&u);
}

static void names_move_and_are_remembered(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "docker.io/library/x:1"), b = fetch(f, 2, "");
    struct ck_digest from, none = unit_digest(CK_V("none"));
    bool moved = true;
    int64_t first = 0;
    ck_view *repositories;
    size_t n = 0;
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/x:1"), &a.image.digest, &moved,
                                &from));
    assert_false(moved);
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/x:1"), &b.image.digest, &moved,
                                &from));
    assert_true(moved);
    assert_true(ck_digest_eq(&from, &a.image.digest));
    assert_int_equal(get(f, &a.image.digest).n_names, 0);
    assert_view(get(f, &b.image.digest).names[0], "docker.io/library/x:1");
    assert_ok(ck_store_first_seen(f->s, CK_V("docker.io/library/x:1"), &a.image.digest, &first));
    assert_true(first > 1700000000);
    assert_ok(ck_store_first_seen(f->s, CK_V("docker.io/library/x:2"), &a.image.digest, &first));
    assert_int_equal(first, 0);
    assert_fails(ck_store_set_name(f->l, CK_V("x"), &none, &moved, &from), CK_ERR_UNAVAILABLE,
                 "is no image of the store");
    assert_ok(ck_store_set_name(f->l, CK_V("[::1]:5000/y@sha256:0"), &a.image.digest, &moved,
                                &from));
    assert_ok(ck_store_set_name(f->l, CK_V("[::1]:5000/y"), &a.image.digest, &moved, &from));
    assert_ok(ck_store_repositories(f->s, &f->arena, &repositories, &n));
    assert_int_equal(n, 2);
    assert_view(repositories[0], "[::1]:5000/y");
    assert_view(repositories[1], "docker.io/library/x");
    unit_image_free(&a);
    unit_image_free(&b);
}

/* A manifest without parts of its own kind: index, referrer. */
static struct ck_digest add_manifest(struct fixture *f, const char *text,
                                     struct ck_store_image im)
{
    im.digest = unit_digest(ck_view_str(text));
    im.size = strlen(text);
    im.media_type = CK_V(UNIT_OCI "index.v1+json");
    assert_ok(ck_store_put(f->l, &im.digest, ck_view_str(text)));
    assert_ok(ck_store_add_image(f->l, &im, true));
    return im.digest;
}

static struct ck_digest add_index(struct fixture *f, const char *text, const struct unit_image *u)
{
    struct ck_store_part child = { .digest = u->image.digest, .size = u->image.size,
                                   .media_type = u->image.media_type, .role = CK_PART_MANIFEST };
    return add_manifest(f, text, (struct ck_store_image){ .index = true, .parts = &child,
                                                          .n_parts = 1 });
}

static struct ck_digest add_referrer(struct fixture *f, const char *text,
                                     const struct ck_digest *subject)
{
    return add_manifest(f, text, (struct ck_store_image){
        .has_subject = true, .subject = *subject, .artifact_type = CK_V("application/sbom") });
}

static void lists_are_by_name_and_hide_what_belongs_to_others(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, ""), b = fetch(f, 2, "b:1"), c = fetch(f, 3, "a:1");
    struct ck_digest index = add_index(f, "index", &a);
    struct ck_digest sbom = add_referrer(f, "sbom", &a.image.digest);
    struct ck_store_entry *e;
    size_t n = 0;
    assert_ok(ck_store_list(f->s, false, &f->arena, &e, &n));
    assert_int_equal(n, 3);
    assert_true(ck_digest_eq(&e[0].image.digest, &c.image.digest));
    assert_true(ck_digest_eq(&e[1].image.digest, &b.image.digest));
    assert_true(ck_digest_eq(&e[2].image.digest, &index));
    assert_true(e[2].image.index);
    assert_true(e[2].total > e[0].total);
    assert_ok(ck_store_list(f->s, true, &f->arena, &e, &n));
    assert_int_equal(n, 5);
    assert_ok(ck_store_referrers(f->s, &a.image.digest, &f->arena, &e, &n));
    assert_int_equal(n, 1);
    assert_true(ck_digest_eq(&e[0].image.digest, &sbom));
    assert_true(ck_digest_eq(&e[0].image.subject, &a.image.digest));
    assert_view(e[0].image.artifact_type, "application/sbom");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static ck_err *find(struct fixture *f, const char *what, struct ck_store_entry *e)
{
    return ck_store_find(f->s, ck_view_str(what), &f->arena, e);
}

static void images_are_found_by_name_and_digest(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "docker.io/library/x:1");
    struct ck_digest index = add_index(f, "index", &u), from;
    struct ck_store_entry e;
    char text[CK_DIGEST_TEXT];
    bool moved;
    assert_ok(ck_store_set_name(f->l, CK_V("docker.io/library/y:1"), &index, &moved, &from));
    assert_ok(find(f, "docker.io/library/x:1", &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_int_equal(e.image.n_parts, 3);
    ck_digest_text(&u.image.digest, text);
    assert_ok(find(f, text, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    ck_autofree char *short_ = ck_strndup(text + 7, 6), *prefixed = ck_strndup(text, 13),
                     *few = ck_strndup(text + 7, 5),
                     *pinned = ck_format("docker.io/library/x:old@%s", text),
                     *child = ck_format("docker.io/library/y@%s", text),
                     *other = ck_format("docker.io/library/z@%s", text);
    assert_ok(find(f, short_, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_ok(find(f, prefixed, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_fails(find(f, few, &e), CK_ERR_UNAVAILABLE, "the store has no image");
    assert_ok(find(f, pinned, &e));
    assert_ok(find(f, child, &e));
    assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    assert_fails(find(f, other, &e), CK_ERR_UNAVAILABLE, "the store has no image");
    assert_fails(find(f, "docker.io/library/x:2", &e), CK_ERR_UNAVAILABLE, "see cocket ls");
    assert_fails(find(f, "x@nonsense", &e), CK_ERR_UNAVAILABLE, "see cocket ls");
    assert_fails(find(f, "", &e), CK_ERR_UNAVAILABLE, "see cocket ls");
    unit_image_free(&u);
}

static void digits_that_mean_several_are_a_usage_error(void **state)
{
    struct fixture *f = *state;
    struct ck_store_entry e;
    tamper(f, "INSERT INTO blob VALUES('sha256:abcdef" /* two of 64 digits */
              "0000000000000000000000000000000000000000000000000000000000',1),"
              "('sha256:abcdef"
              "1000000000000000000000000000000000000000000000000000000000',1);"
              "INSERT INTO image SELECT digest,'',1,0,'',NULL,'',0,0,'','',0,0,0 FROM blob");
    assert_fails(find(f, "abcdef", &e), CK_ERR_USAGE, "say more digits");
    assert_ok(find(f, "abcdef1", &e));
    assert_ok(find(f, "sha256:abcdef0", &e));
    assert_fails(find(f, "sha512:abcdef0", &e), CK_ERR_UNAVAILABLE, "no image");
    assert_fails(find(f, "abcdef2", &e), CK_ERR_UNAVAILABLE, "no image");
}

/* --- decisions -------------------------------------------------------------------------------- */

static enum ck_state_of_image decide(struct fixture *f, const struct ck_digest *d,
                                     enum ck_state_of_image state, enum ck_decider by)
{
    enum ck_state_of_image now = CK_STATE_OF_IMAGE_COUNT_;
    assert_ok(ck_store_decide(f->s, d, state, CK_V("because"), by, &now));
    assert_int_equal(get(f, d).state, now);
    return now;
}

static void a_scan_does_not_undo_a_person(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x:1");
    const struct ck_digest *d = &u.image.digest;
    static const struct {
        enum ck_state_of_image person, scan, after;
    } cases[] = {
        { CK_DENIED, CK_CLEARED, CK_DENIED },
        { CK_DENIED, CK_QUARANTINED, CK_DENIED },
        { CK_CLEARED, CK_QUARANTINED, CK_CLEARED },
        { CK_CLEARED, CK_CLEARED, CK_CLEARED },
        { CK_CLEARED, CK_DENIED, CK_DENIED },
        { CK_QUARANTINED, CK_CLEARED, CK_CLEARED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decide(f, d, cases[i].person, CK_BY_PERSON), cases[i].person);
        assert_true(get(f, d).by_person);
        assert_int_equal(decide(f, d, cases[i].scan, CK_BY_SCAN), cases[i].after);
    }
    /* scans among themselves, and a person over a scan */
    assert_int_equal(decide(f, d, CK_QUARANTINED, CK_BY_SCAN), CK_QUARANTINED);
    assert_int_equal(decide(f, d, CK_DENIED, CK_BY_SCAN), CK_DENIED);
    assert_int_equal(decide(f, d, CK_CLEARED, CK_BY_SCAN), CK_CLEARED);
    assert_false(get(f, d).by_person);
    assert_int_equal(decide(f, d, CK_DENIED, CK_BY_PERSON), CK_DENIED);
    assert_view(get(f, d).reason, "because");
    assert_true(get(f, d).who.n > 0);
    assert_true(get(f, d).decided > 1700000000);
    struct ck_digest none = unit_digest(CK_V("none"));
    assert_fails(ck_store_decide(f->s, &none, CK_CLEARED, CK_V(""), CK_BY_SCAN, NULL),
                 CK_ERR_UNAVAILABLE, "is no image of the store");
    unit_image_free(&u);
}

static void what_a_person_denied_comes_back_denied(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x:1");
    const struct ck_digest *d = &u.image.digest;
    decide(f, d, CK_DENIED, CK_BY_PERSON);
    assert_ok(ck_store_remove(f->s, d, CK_V("")));
    new_lease(f);
    assert_int_equal(gc(f, false).images, 1);
    assert_ok(unit_fetch(f->l, &u, CK_V("x:1")));
    assert_int_equal(get(f, d).state, CK_DENIED);
    assert_view(get(f, d).reason, "because");
    assert_int_equal(decide(f, d, CK_CLEARED, CK_BY_SCAN), CK_DENIED);
    /* what one cleared is examined again */
    decide(f, d, CK_CLEARED, CK_BY_PERSON);
    assert_ok(ck_store_remove(f->s, d, CK_V("x:1")));
    new_lease(f);
    gc(f, false);
    assert_ok(unit_fetch(f->l, &u, CK_V("x:1")));
    assert_int_equal(get(f, d).state, CK_QUARANTINED);
    assert_view(get(f, d).reason, "not examined");
    unit_image_free(&u);
}

static void reports_are_kept_with_their_image(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x:1");
    struct ck_digest none = unit_digest(CK_V("none"));
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_DOCUMENT);
    bool found = true;
    assert_ok(ck_store_get_report(f->s, &u.image.digest, &out, &found));
    assert_false(found);
    assert_ok(ck_store_put_report(f->s, &u.image.digest, CK_V("{}")));
    assert_ok(ck_store_put_report(f->s, &u.image.digest, CK_V("{\"a\":1}")));
    assert_ok(ck_store_get_report(f->s, &u.image.digest, &out, &found));
    assert_true(found);
    assert_view(ck_buf_view(&out), "{\"a\":1}");
    assert_fails(ck_store_put_report(f->s, &none, CK_V("{}")), CK_ERR_UNAVAILABLE, "no image");
    unit_image_free(&u);
}

/* --- the log ---------------------------------------------------------------------------------- */

static ck_err *remember(void *ctx, const struct ck_log_record *r)
{
    ck_buf_format(ctx, "%llu %.*s %.*s %.*s\n", (unsigned long long)r->number, CK_VF(r->event),
                  CK_VF(r->name), CK_VF(r->text));
    return NULL;
}

static void the_log_is_a_chain(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "x:1"), b = fetch(f, 2, "x:1");
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    uint8_t head[32], later[32];
    uint64_t n = 7;
    decide(f, &b.image.digest, CK_DENIED, CK_BY_PERSON);
    decide(f, &b.image.digest, CK_CLEARED, CK_BY_SCAN);
    assert_ok(ck_log_append(f->s, CK_V("load"), &b.image.digest, CK_V("x:1"), CK_V("to docker")));
    assert_ok(ck_store_remove(f->s, &b.image.digest, CK_V("")));
    assert_ok(ck_log_read(f->s, 2, remember, &said));
    ck_put_u8(&said, 0);
    assert_string_equal((char *)said.p,
                        "2 decide  denied by a person: because\n"
                        "3 decide  cleared by a scan: because; a person's denied stands\n"
                        "4 load x:1 to docker\n5 remove x:1 \n");
    assert_ok(ck_log_verify(f->s, &n, head));
    assert_int_equal(n, 5);
    assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V(""), CK_V("")));
    assert_ok(ck_log_verify(f->s, &n, later));
    assert_int_equal(n, 6);
    assert_memory_not_equal(head, later, 32);
    unit_image_free(&a);
    unit_image_free(&b);
}

static void a_long_log_is_read_whole(void **state)
{
    struct fixture *f = *state;
    uint8_t head[32];
    uint64_t n = 0;
    for (int i = 0; i < 515; i++)
        assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V(""), CK_V("x")));
    assert_ok(ck_log_verify(f->s, &n, head));
    assert_int_equal(n, 515);
}

static void attack_every_change_of_the_log_is_seen(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql, *why;
    } cases[] = {
        { "UPDATE log SET text='cleared' WHERE number=2", "log record 2 does not fit" },
        { "UPDATE log SET who='somebody' WHERE number=1", "log record 1 does not fit" },
        { "UPDATE log SET time=time+1 WHERE number=3", "log record 3 does not fit" },
        { "UPDATE log SET event='lo', digest='ad' WHERE number=3", "log record 3 does not fit" },
        { "UPDATE log SET name='ab', text='c' WHERE number=4", "log record 4 does not fit" },
        { "UPDATE log SET hash=zeroblob(32) WHERE number=2", "log record 2 does not fit" },
        { "UPDATE log SET hash='short' WHERE number=2", "log record 2: its hash" },
        { "DELETE FROM log WHERE number=2", "log record 2 is missing" },
        { "DELETE FROM log WHERE number=1", "log record 1 is missing" },
        { "INSERT INTO log VALUES(0,0,'','','','','',zeroblob(32))", "log record 1 is missing" },
        { "INSERT INTO log VALUES(6,0,'','','','','',zeroblob(32))", "record 6 does not fit" },
    };
    uint8_t head[32];
    uint64_t n;
    for (int i = 0; i < 5; i++)
        assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V("a"), CK_V("bc")));
    tamper(f, "CREATE TABLE copy AS SELECT * FROM log; DROP TRIGGER log_is_not_changed;"
              "DROP TRIGGER log_is_not_deleted");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tamper(f, cases[i].sql);
        assert_fails(ck_log_verify(f->s, &n, head), CK_ERR_HOSTILE, cases[i].why);
        assert_fsck(f, true, cases[i].why);
        tamper(f, "DELETE FROM log; INSERT INTO log SELECT * FROM copy");
        assert_ok(ck_log_verify(f->s, &n, head));
    }
}

static void the_log_cannot_be_changed_by_mistake(void **state)
{
    struct fixture *f = *state;
    ck_autofree char *path = ck_format("%s/state.db", f->dir);
    sqlite3 *db = NULL;
    assert_ok(ck_log_append(f->s, CK_V("load"), NULL, CK_V(""), CK_V("x")));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "DELETE FROM log", NULL, NULL, NULL), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, "UPDATE log SET text='y'", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* --- keeping house ---------------------------------------------------------------------------- */

static void gc_takes_what_nothing_needs(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "a:1"), b = fetch(f, 5, "b:1"), c = fetch(f, 3, "");
    struct ck_digest index = add_index(f, "index", &c), from;
    struct ck_digest sbom = add_referrer(f, "sbom", &c.image.digest);
    struct ck_digest sign = add_referrer(f, "signature of the sbom", &sbom);
    struct ck_gc_result r;
    bool moved;
    assert_ok(ck_store_set_name(f->l, CK_V("i:1"), &index, &moved, &from));
    assert_int_equal(gc(f, false).blobs, 0); /* all of it is leased */
    new_lease(f);
    assert_int_equal(gc(f, false).blobs, 0); /* all of it has a name, or belongs to what has */

    assert_ok(ck_store_remove(f->s, &a.image.digest, CK_V("a:1")));
    r = gc(f, true);
    assert_int_equal(r.images, 1);
    assert_int_equal(r.blobs, 3); /* not the layer that b has too */
    assert_int_equal(r.bytes, strlen(a.texts[0]) + strlen(a.texts[1]) + strlen(a.texts[3]));
    assert_int_equal(files_in(f, "blobs/sha256"), 4 + 3 + 4 + 3);
    r = gc(f, false);
    assert_int_equal(r.blobs, 3);
    assert_int_equal(files_in(f, "blobs/sha256"), 4 + 4 + 3);
    assert_fsck(f, false, "");

    assert_ok(ck_store_remove(f->s, &index, CK_V("")));
    r = gc(f, false);
    assert_int_equal(r.images, 4);
    assert_int_equal(files_in(f, "blobs/sha256"), 4);
    assert_false(has(f, &sign));
    assert_true(has(f, &b.parts[2].digest));
    assert_fails(ck_store_remove(f->s, &b.image.digest, CK_V("c:1")), CK_ERR_UNAVAILABLE,
                 "has no name c:1");
    assert_fsck(f, false, "");
    unit_image_free(&a);
    unit_image_free(&b);
    unit_image_free(&c);
}

static void gc_keeps_what_was_asked_for(void **state)
{
    struct fixture *f = *state;
    struct unit_image a = fetch(f, 1, "a:1");
    assert_ok(ck_store_remove(f->s, &a.image.digest, CK_V("")));
    new_lease(f);
    assert_true(has(f, &a.image.digest)); /* of the whole image */
    assert_int_equal(gc(f, false).blobs, 0);
    new_lease(f);
    assert_int_equal(gc(f, false).blobs, 4);
    unit_image_free(&a);
}

static void close_store(struct fixture *f)
{
    ck_lease_end(f->l);
    ck_store_close(f->s);
    f->l = NULL;
    f->s = NULL;
}

static void reopen_store(struct fixture *f)
{
    assert_ok(ck_store_open(f->dir, &f->s));
    assert_ok(ck_lease_new(f->s, &f->l));
}

static void leases_end_with_their_process(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("hello"));
    int ready[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    close_store(f); /* SQLite must not be carried over a fork */
    pid_t pid = fork();
    if (pid == 0) {
        struct ck_store *s = NULL;
        struct ck_lease *l = NULL;
        ck_err *e = ck_store_open(f->dir, &s);
        if (!e)
            e = ck_lease_new(s, &l);
        if (!e)
            e = ck_store_put(l, &d, CK_V("hello"));
        if (e || write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    reopen_store(f);
    assert_int_equal(gc(f, false).blobs, 0);
    assert_int_equal(files_in(f, "leases"), 2);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(gc(f, false).blobs, 1);
    assert_int_equal(files_in(f, "leases"), 1);
    close(ready[0]);
    close(ready[1]);
}

static void make_old(struct fixture *f, const char *name)
{
    ck_autofree char *path = ck_format("%s/partial/%s", f->dir, name);
    struct timespec old[2] = { { .tv_sec = time(NULL) - 25 * 60 * 60 },
                               { .tv_sec = time(NULL) - 25 * 60 * 60 } };
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
}

static void gc_takes_leftovers(void **state)
{
    struct fixture *f = *state;
    struct ck_digest d = unit_digest(CK_V("x")), e = unit_digest(CK_V("y"));
    struct ck_incoming *a = NULL, *b = NULL;
    ck_autofree char *path = blob_path(f, &d);
    assert_ok(ck_file_write(path, CK_V("x"), CK_FILE_PLAIN));
    assert_ok(ck_incoming_new(f->l, &d, &a));
    ck_incoming_drop(a, true);
    assert_ok(ck_incoming_new(f->l, &e, &b)); /* in use */
    assert_int_equal(gc(f, true).partials, 0); /* too young */
    char dt[CK_DIGEST_TEXT], et[CK_DIGEST_TEXT];
    make_old(f, ck_digest_text(&d, dt) + 7);
    make_old(f, ck_digest_text(&e, et) + 7);
    struct ck_gc_result r = gc(f, true);
    assert_int_equal(r.partials, 1);
    assert_int_equal(r.blobs, 1);
    r = gc(f, false);
    assert_int_equal(r.partials, 1);
    assert_int_equal(r.blobs, 1);
    assert_int_equal(files_in(f, "partial"), 1);
    assert_int_equal(files_in(f, "blobs/sha256"), 0);
    ck_incoming_drop(b, true);
}

static void fsck_finds_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    struct unit_image u = fetch(f, 1, "x\x1b:1");
    ck_autofree char *layer = blob_path(f, &u.parts[1].digest);
    static const struct {
        const char *sql, *undo, *why;
    } cases[] = {
        { "DELETE FROM blob WHERE digest=(SELECT digest FROM part WHERE number=0)",
          "INSERT INTO blob SELECT digest, size FROM part WHERE number=0",
          ": its part is not in the store: sha256:" },
        { "UPDATE image SET size=size+1", "UPDATE image SET size=size-1",
          ": its manifest is not in the store" },
        { "UPDATE name SET digest='sha256:0'",
          "UPDATE name SET digest=(SELECT digest FROM image)",
          "name x\\x1b:1 means what is not in the store" },
        { "INSERT INTO leased VALUES(99,'x')", "DELETE FROM leased WHERE lease=99",
          "a row of leased leads nowhere in lease" },
    };
    assert_fsck(f, false, "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tamper(f, cases[i].sql);
        assert_fsck(f, true, cases[i].why);
        tamper(f, cases[i].undo);
        assert_fsck(f, false, "");
    }
    int fd = -1;
    assert_int_equal(chmod(layer, 0600), 0);
    fd = open(layer, O_WRONLY);
    assert_int_equal(pwrite(fd, "#", 1, 3), 1);
    close(fd);
    assert_fsck(f, true, "");
    assert_fsck(f, false, "its bytes have another digest");
    assert_int_equal(unlink(layer), 0);
    assert_int_equal(symlink("/etc/passwd", layer), 0);
    assert_fsck(f, true, "its file is missing or cannot be read");
    unit_image_free(&u);
}

/* --- many at once ----------------------------------------------------------------------------- */

struct worker {
    struct fixture *f;
    unsigned number;
    ck_err *e;
};

static void *work(void *ctx)
{
    enum { IMAGES = 6 };
    struct worker *w = ctx;
    for (unsigned i = 0; i < IMAGES && !w->e; i++) {
        struct unit_image u = unit_image(w->number * 2 + i, 2000); /* they overlap */
        ck_autofree char *name = ck_format("w%u:%u", w->number, i);
        w->e = unit_fetch(w->f->l, &u, ck_view_str(name));
        unit_image_free(&u);
        struct ck_gc_result r;
        if (!w->e && i % 3 == 2)
            w->e = ck_store_gc(w->f->s, false, &r);
    }
    return NULL;
}

static void threads_share_a_store(void **state)
{
    struct fixture *f = *state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct worker w[THREADS];
    struct ck_store_entry *e;
    size_t n = 0, names = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        w[i] = (struct worker){ f, i, NULL };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_ok(w[i].e);
    }
    assert_ok(ck_store_list(f->s, false, &f->arena, &e, &n));
    for (size_t i = 0; i < n; i++)
        names += e[i].n_names;
    assert_int_equal(names, THREADS * 6);
    assert_fsck(f, false, "");
}

static void processes_share_a_store(void **state)
{
    struct fixture *f = *state;
    enum { PROCESSES = 4 };
    pid_t pids[PROCESSES];
    close_store(f);
    for (unsigned i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct fixture mine = { .dir = f->dir };
            struct worker w = { &mine, i, NULL };
            w.e = ck_store_open(f->dir, &mine.s);
            if (!w.e)
                w.e = ck_lease_new(mine.s, &mine.l);
            if (!w.e)
                work(&w);
            if (w.e)
                print_error("%s\n", ck_err_text(w.e));
            _exit(w.e ? 1 : 0);
        }
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status = -1;
        waitpid(pids[i], &status, 0);
        assert_int_equal(status, 0);
    }
    reopen_store(f);
    assert_fsck(f, false, "");
    assert_int_equal(gc(f, false).images, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_store_is_made_for_its_owner_alone),
        T(where_it_is),
        T(stores_of_others_are_refused),
        T(garbage_for_a_database_is_an_error),
        T(first_creation_by_many_at_once),
        T(documents_are_kept_by_their_digest),
        T(documents_stop_at_their_limit),
        T(sha512_has_a_place_of_its_own),
        T(an_interrupted_blob_is_resumed),
        T(giving_up_leaves_nothing),
        T(attack_bytes_of_another_digest),
        T(attack_more_bytes_than_were_hashed),
        T(attack_a_reader_that_writes),
        T(two_at_once_bring_the_same_blob),
        T(a_copy_that_cannot_be_resumed_is_not_kept),
        T(a_damaged_blob_is_not_there_and_comes_again),
        T(a_file_without_a_row_is_no_blob_and_no_obstacle),
        T(an_image_is_complete_when_its_parts_are_there),
        T(attack_a_descriptor_that_lies_about_the_size),
        T(names_move_and_are_remembered),
        T(lists_are_by_name_and_hide_what_belongs_to_others),
        T(images_are_found_by_name_and_digest),
        T(digits_that_mean_several_are_a_usage_error),
        T(a_scan_does_not_undo_a_person),
        T(what_a_person_denied_comes_back_denied),
        T(reports_are_kept_with_their_image),
        T(the_log_is_a_chain),
        T(a_long_log_is_read_whole),
        T(attack_every_change_of_the_log_is_seen),
        T(the_log_cannot_be_changed_by_mistake),
        T(gc_takes_what_nothing_needs),
        T(gc_keeps_what_was_asked_for),
        T(leases_end_with_their_process),
        T(gc_takes_leftovers),
        T(fsck_finds_what_is_wrong),
        T(threads_share_a_store),
        T(processes_share_a_store),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
