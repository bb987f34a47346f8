#include "base/mem.h"
#include "base/program.h"
#include "base/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static void what_it_writes_and_says(void **state)
{
    (void)state;
    static const char *const good[] = { "sh", "-c", "echo out; echo err >&2", NULL };
    static const char *const bad[] = { "sh", "-c", "printf 'no \\033[31mluck\\n' >&2; exit 7", NULL };
    static const char *const none[] = { "/nonexistent/program", NULL };
    static const char *const shot[] = { "sh", "-c", "kill -9 $$", NULL };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    assert_ok(ck_program_run(good, -1, &out));
    assert_view(ck_buf_view(&out), "out\n");
    assert_fails(ck_program_run(bad, -1, &out), CK_ERR_UNAVAILABLE,
                 "sh: status 7: no \\x1b[31mluck");
    assert_fails(ck_program_run(none, -1, &out), CK_ERR_UNAVAILABLE, "cannot be run");
    assert_fails(ck_program_run(shot, -1, &out), CK_ERR_UNAVAILABLE, "status 137");
}

static void its_input_is_ours_and_nothing_else(void **state)
{
    (void)state;
    static const char *const cat[] = { "cat", NULL };
    static const char *const fds[] = { "sh", "-c", "ls /proc/self/fd | tr '\\n' ' '", NULL };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    int ends[2], leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "hello", 5), 5);
    close(ends[1]);
    assert_ok(ck_program_run(cat, ends[0], &out));
    assert_view(ck_buf_view(&out), "hello");
    ck_buf_clear(&out);
    assert_ok(ck_program_run(cat, -1, &out));
    assert_view(ck_buf_view(&out), "");
    assert_ok(ck_program_run(fds, -1, &out));
    assert_view(ck_buf_view(&out), "0 1 2 3 "); /* 3 is ls's own */
    close(ends[0]);
    close(leak);
}

static void who_says_too_much_is_ended(void **state)
{
    (void)state;
    static const char *const yes[] = { "yes", NULL };
    static const char *const loud[] = { "sh", "-c", "yes | head -c 100000 >&2; echo end >&2; exit 1",
                                        NULL };
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_ANSWER), tail = ck_buf_new(CK_LIMIT_NONE);
    struct ck_program *p = NULL;
    int status = 0;
    ck_err *e = ck_program_run(yes, -1, &out);
    assert_int_equal(ck_err_limit_of(e), CK_LIMIT_ANSWER);
    ck_err_free(e);
    assert_ok(ck_program_start(loud, -1, -1, &p));
    assert_ok(ck_program_wait(p, &status, &tail));
    assert_int_equal(status, 1);
    assert_int_equal(tail.n, CK_MAX_PROGRAM_SAID);
    assert_true(ck_view_ends(ck_buf_view(&tail), CK_V("y\nend\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_writes_and_says),
        cmocka_unit_test(its_input_is_ours_and_nothing_else),
        cmocka_unit_test(who_says_too_much_is_ended),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
