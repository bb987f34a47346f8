#include "store/unit_fixture.h"

#include <sys/wait.h>

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
    tamper(f, "PRAGMA user_version=5");
    assert_fails(ck_store_open(f->dir, &s), CK_ERR_OURS, "has version 5, this cocket knows 4");
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
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
