#include "store/unit_fixture.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

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
          "UPDATE name SET digest=(SELECT digest FROM image); INSERT INTO place SELECT"
          " listing.number, name.name, repository.number, digest FROM name, listing, repository",
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(gc_takes_what_nothing_needs),
        T(gc_keeps_what_was_asked_for),
        T(leases_end_with_their_process),
        T(gc_takes_leftovers),
        T(fsck_finds_what_is_wrong),
        T(threads_share_a_store),
        T(processes_share_a_store),
    };
    return cmocka_run_group_tests_name("store house", tests, NULL, NULL);
}
