/* A process is killed before each of its system calls in turn, by the real kernel, with no help of
 * the code under test. Whatever it had acknowledged must be there, and nothing may be half-written.
 * COCKET_KILL_EVERY=1 takes every call, not each third one.
 */
#include "store/unit_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

static unsigned stride(void)
{
    const char *env = getenv("COCKET_KILL_EVERY");
    uint64_t n = 0;
    if (env && ck_view_u64(ck_view_str(env), &n) && n > 0 && n < 100)
        return (unsigned)n;
#ifdef CK_SANITIZED
    return 13; /* sanitizers make calls of their own */
#else
    return 3;
#endif
}

/* Does its work in the child; says on `ack` what is done, and exits. */
typedef ck_err *work(struct ck_store *s, struct ck_lease *l, unsigned round, int ack);

static void child(const char *dir, work *w, unsigned round, int ack)
{
    struct ck_store *s = NULL;
    struct ck_lease *l = NULL;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(77);
    raise(SIGSTOP);
    ck_err *e = ck_store_open(dir, &s);
    if (!e)
        e = ck_lease_new(s, &l);
    if (!e)
        e = w(s, l, round, ack);
    ck_lease_end(l);
    ck_store_close(s);
    _exit(e ? 1 : 0);
}

/* Lets the child run up to its `n`th call and kills it there. True: it had ended before. */
static bool run_until(pid_t pid, unsigned n)
{
    int status = 0;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("skipped: ptrace is not allowed here\n");
        skip();
    }
    ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (unsigned stops = 0; stops < 2 * n;) { /* each call stops twice */
        assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        waitpid(pid, &status, 0);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return true;
        }
        stops += WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return false;
}

/* *ret_acked: what the child had said before it died. */
static bool kill_at(struct fixture *f, work *w, unsigned n, char ret_acked[16])
{
    int ack[2];
    assert_int_equal(pipe(ack), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(ack[0]);
        child(f->dir, w, n, ack[1]);
    }
    close(ack[1]);
    bool ended = run_until(pid, n);
    ssize_t got = read(ack[0], ret_acked, 15);
    ret_acked[got > 0 ? got : 0] = 0;
    close(ack[0]);
    return ended;
}

/* --- bringing an image in --------------------------------------------------------------------- */

static ck_err *bring(struct ck_store *s, struct ck_lease *l, unsigned round, int ack)
{
    struct unit_image u = unit_image(round, 100);
    ck_autofree char *name = ck_format("n:%u", round);
    CK_TRY(unit_fetch(l, &u, ck_view_str(name)));
    CK_TRY(ck_write_all(ack, CK_V("f")));
    CK_TRY(ck_store_decide(s, &u.image.digest, CK_DENIED, CK_V("r"), CK_BY_PERSON, NULL));
    CK_TRY(ck_write_all(ack, CK_V("d")));
    unit_image_free(&u);
    return NULL;
}

static void assert_brought(struct fixture *f, unsigned round, const char *acked)
{
    struct unit_image u = unit_image(round, 100);
    ck_autofree char *name = ck_format("n:%u", round);
    struct ck_store_entry e = { 0 };
    if (strchr(acked, 'f')) {
        assert_ok(ck_store_find(f->s, ck_view_str(name), &f->arena, &e));
        assert_true(e.complete);
        assert_true(ck_digest_eq(&e.image.digest, &u.image.digest));
    }
    if (strchr(acked, 'd'))
        assert_int_equal(e.state, CK_DENIED);
    unit_image_free(&u);
}

static void killed_while_an_image_comes(void **state)
{
    struct fixture *f = *state;
    char acked[16];
    unsigned n = 1;
    for (bool ended = false; !ended; n += stride()) {
        close_store(f);
        ended = kill_at(f, bring, n, acked);
        reopen_store(f);
        assert_brought(f, n, acked);
        assert_fsck(f, false, "");
    }
    assert_true(n > 100);
    assert_string_equal(acked, "fd");
    gc(f, false);
    assert_fsck(f, false, "");
    assert_int_equal(files_in(f, "leases"), 1);
}

static void killed_while_the_first_store_is_made(void **state)
{
    struct fixture *f = *state;
    char acked[16];
    unsigned n = 1;
    ck_autofree char *base = ck_format("%s/new", f->dir);
    char *own = f->dir;
    for (bool ended = false; !ended && n < 400; n += 2 * stride()) {
        ck_autofree char *dir = ck_format("%s%u", base, n);
        close_store(f);
        f->dir = dir;
        ended = kill_at(f, bring, n, acked);
        reopen_store(f);
        assert_brought(f, n, acked);
        assert_fsck(f, false, "");
    }
    close_store(f);
    f->dir = own;
    reopen_store(f);
}

/* --- taking images away ----------------------------------------------------------------------- */

static ck_err *collect(struct ck_store *s, struct ck_lease *l, unsigned round, int ack)
{
    struct unit_image u = unit_image(round, 100);
    struct ck_gc_result r;
    (void)l;
    CK_TRY(ck_store_remove(s, &u.image.digest, CK_V("")));
    CK_TRY(ck_write_all(ack, CK_V("r")));
    CK_TRY(ck_store_gc(s, false, &r));
    CK_TRY(ck_write_all(ack, CK_V("g")));
    unit_image_free(&u);
    return NULL;
}

static void killed_while_garbage_is_collected(void **state)
{
    struct fixture *f = *state;
    struct unit_image kept = fetch(f, 1000001, "kept:1");
    struct ck_store_entry e;
    char acked[16];
    unsigned n = 1;
    for (bool ended = false; !ended; n += stride()) {
        struct unit_image u = fetch(f, n, "goes:1");
        close_store(f);
        ended = kill_at(f, collect, n, acked);
        reopen_store(f);
        assert_fsck(f, false, "");
        if (strchr(acked, 'g'))
            assert_false(has(f, &u.parts[1].digest));
        if (strchr(acked, 'r'))
            assert_fails(ck_store_find(f->s, CK_V("goes:1"), &f->arena, &e), CK_ERR_UNAVAILABLE,
                         "no image");
        gc(f, false); /* each round has the same to do */
        unit_image_free(&u);
    }
    assert_true(n > 60);
    assert_string_equal(acked, "rg");
    assert_ok(ck_store_find(f->s, CK_V("kept:1"), &f->arena, &e));
    new_lease(f);
    gc(f, false);
    assert_ok(ck_store_find(f->s, CK_V("kept:1"), &f->arena, &e));
    assert_true(e.complete);
    assert_fsck(f, false, "");
    unit_image_free(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(killed_while_an_image_comes),
        T(killed_while_the_first_store_is_made),
        T(killed_while_garbage_is_collected),
    };
    return cmocka_run_group_tests_name("store kill", tests, NULL, NULL);
}
