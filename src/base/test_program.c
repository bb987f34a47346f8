#include "base/unit.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SH(script) ((const char *const[]){ "/bin/sh", "-c", script, NULL })

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void expect(const char *script, const char *in, const char *out, int status,
                   const char *tail)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_HELPER_OUTPUT);
    ck_autofree char *said = NULL;
    int got = -1;
    assert_ok(ck_program_run(SH(script), ck_view_str(in), &b, 20000, &got, &said));
    assert_view(ck_buf_view(&b), out);
    assert_int_equal(got, status);
    assert_string_equal(said, tail);
}

static void programs_are_run(void **state)
{
    (void)state;
    expect("cat", "hello", "hello", 0, "");
    expect("cat; echo oops >&2; exit 3", "x", "x", 3, "oops");
    expect("exit 0", "never read", "", 0, "");
    expect("cat", "", "", 0, "");
    expect("kill -9 $$", "", "", 128 + 9, "");
    expect("exec 1>&-; sleep 0.2; exit 4", "", "", 4, "");
}

static void much_input_and_output_at_once(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf in = ck_buf_new(CK_LIMIT_NONE), out = ck_buf_new(CK_LIMIT_NONE);
    for (int i = 0; i < 100000; i++)
        ck_buf_format(&in, "line %d of many\n", i);
    int status = -1;
    assert_ok(ck_program_run(SH("tee /dev/stderr"), ck_buf_view(&in), &out, 60000, &status, NULL));
    assert_int_equal(status, 0);
    assert_true(ck_view_eq(ck_buf_view(&in), ck_buf_view(&out)));
}

static void the_end_of_stderr_is_kept(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *tail = NULL;
    int status = -1;
    assert_ok(ck_program_run(SH("seq 100000 >&2; printf 'the \\000 end' >&2"), CK_V(""), &out,
                             20000, &status, &tail));
    assert_int_equal(strlen(tail), CK_PROGRAM_TAIL);
    assert_string_equal(tail + strlen(tail) - 17, "\n100000\nthe   end");
}

static void no_program_is_no_accident(void **state)
{
    (void)state;
    static const char *const names[] = { "cocket-no-such-program", "/no/such/program",
                                         "/etc/passwd" };
    struct ck_program *p = NULL;
    for (size_t i = 0; i < 3; i++) {
        const char *const argv[] = { names[i], NULL };
        assert_fails(ck_program_start(argv, -1, -1, &p),
                     i < 2 ? CK_ERR_USAGE : CK_ERR_UNAVAILABLE, names[i]);
        assert_null(p);
    }
}

static void attack_program_in_the_current_directory(void **state)
{
    (void)state;
    char dir[] = "/tmp/cocket-program-XXXXXX", here[4096];
    ck_autofree char *old = ck_format("%s", getenv("PATH"));
    const char *const argv[] = { "cocket-evil", NULL };
    struct ck_program *p = NULL;
    assert_non_null(mkdtemp(dir));
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(dir), 0);
    FILE *f = fopen("cocket-evil", "w");
    fputs("#!/bin/sh\n", f);
    fclose(f);
    chmod("cocket-evil", 0700);
    setenv("PATH", ".::bin:", 1);
    ck_err *e = ck_program_start(argv, -1, -1, &p);
    setenv("PATH", old, 1);
    unlink("cocket-evil");
    assert_int_equal(chdir(here), 0);
    rmdir(dir);
    assert_fails(e, CK_ERR_USAGE, "there is no program cocket-evil in PATH");
}

/* execvp would hand such a file to /bin/sh. */
static void attack_script_without_interpreter(void **state)
{
    (void)state;
    char path[] = "/tmp/cocket-program-XXXXXX";
    int fd = mkstemp(path);
    assert_ok(ck_write_all(fd, CK_V("touch /tmp/cocket-was-here\n")));
    fchmod(fd, 0700);
    close(fd);
    const char *const argv[] = { path, NULL };
    struct ck_program *p = NULL;
    ck_err *e = ck_program_start(argv, -1, -1, &p);
    unlink(path);
    assert_fails(e, CK_ERR_UNAVAILABLE, "Exec format error");
}

static void attack_endless_output(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_HELPER_OUTPUT);
    int status = -1;
    assert_fails(ck_program_run(SH("yes"), CK_V(""), &b, 20000, &status, NULL), CK_ERR_LIMIT,
                 "the answer of /bin/sh: ");
    assert_int_equal(status, -1);
    struct ck_buf fits = ck_buf_new(CK_LIMIT_HELPER_OUTPUT);
    assert_ok(ck_program_run(SH("head -c 65536 /dev/zero"), CK_V(""), &fits, 20000, &status, NULL));
    assert_int_equal(fits.n, CK_MAX_HELPER_OUTPUT);
    ck_buf_clear(&fits);
    assert_fails(ck_program_run(SH("head -c 65537 /dev/zero"), CK_V(""), &fits, 20000, &status,
                                NULL), CK_ERR_LIMIT, "limit HELPER_OUTPUT");
    ck_buf_free(&fits);
}

static void attack_program_that_never_ends(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "sleep 1000",
        "exec 1>&- 2>&-; sleep 1000",
        "sleep 1000 & sleep 1000",
        "trap '' TERM INT HUP; while :; do sleep 1; done",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_HELPER_OUTPUT);
        int64_t start = now_ms();
        int status = -1;
        assert_fails(ck_program_run(SH(scripts[i]), CK_V("x"), &b, 300, &status, NULL),
                     CK_ERR_UNAVAILABLE, "/bin/sh did not end within 0 s and was stopped");
        assert_true(now_ms() - start < 5000);
    }
}

/* A daemon keeps stdout and stderr open; the answer is complete all the same. */
static void attack_program_that_leaves_a_daemon(void **state)
{
    (void)state;
    int64_t start = now_ms();
    expect("setsid sleep 3 & echo done; exit 0", "", "done\n", 0, "");
    expect("sleep 1000 & echo done", "", "done\n", 0, "");
    assert_true(now_ms() - start < 2500);
}

static void what_runs_on_in_the_group_is_killed(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    uint64_t pid = 0;
    int status = -1;
    assert_ok(ck_program_run(SH("sleep 1000 & printf %s $!"), CK_V(""), &out, 20000, &status,
                             NULL));
    assert_true(ck_view_u64(ck_buf_view(&out), &pid));
    for (int i = 0; i < 100 && kill((pid_t)pid, 0) == 0; i++) {
        ck_autofree char *stat = ck_format("/proc/%d/stat", (int)pid);
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        ck_err *e = ck_file_read(stat, &b);
        bool zombie = e || memmem(b.p, b.n, ") Z", 3); /* where nobody reaps orphans */
        ck_err_free(e);
        if (zombie)
            return;
        usleep(20000);
    }
    assert_int_not_equal(kill((pid_t)pid, 0), 0);
}

static void only_the_standard_descriptors_are_inherited(void **state)
{
    (void)state;
    int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
    int high = fcntl(leak, F_DUPFD, 100);
    expect("ls /proc/self/fd | tr '\\n' ' '", "", "0 1 2 3 ", 0, ""); /* 3: the folder itself */
    close(leak);
    close(high);
}

static void signals_are_as_usual_again(void **state)
{
    (void)state;
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    struct sigaction ign = { .sa_handler = SIG_IGN }, was;
    sigaction(SIGPIPE, &ign, &was);
    sigprocmask(SIG_BLOCK, &set, &old);
    /* sed: gawk ignores SIGPIPE by itself. */
    expect("sed -n 's/^Sig\\(Blk\\|Ign\\):[[:space:]]*//p' /proc/self/status", "",
           "0000000000000000\n0000000000000000\n", 0, "");
    sigprocmask(SIG_SETMASK, &old, NULL);
    sigaction(SIGPIPE, &was, NULL);
}

static void descriptors_of_the_caller(void **state)
{
    (void)state;
    int in[2], out[2];
    char got[64] = "";
    struct ck_program *p = NULL;
    ck_autofree char *tail = NULL;
    int status = -1;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_ok(ck_program_start(SH("cat; seq 50000 >&2; exit 7"), in[0], out[1], &p));
    close(in[0]);
    close(out[1]);
    assert_ok(ck_write_all(in[1], CK_V("through")));
    close(in[1]);
    assert_int_equal(read(out[0], got, sizeof got), 7);
    assert_string_equal(got, "through");
    ck_program_wait(p, &status, &tail);
    assert_int_equal(status, 7);
    assert_string_equal(tail + strlen(tail) - 12, "\n49999\n50000");
    close(out[0]);
}

static void a_program_can_be_stopped(void **state)
{
    (void)state;
    struct ck_program *p = NULL;
    int64_t start = now_ms();
    assert_ok(ck_program_start(SH("sleep 1000"), -1, -1, &p));
    ck_program_stop(p);
    ck_program_stop(NULL);
    assert_true(now_ms() - start < 5000);
}

static void a_bare_program_knows_nothing_of_ours(void **state)
{
    (void)state;
    static const char *const env[] = { "ONLY=this", NULL };
    struct ck_program *p = NULL;
    ck_autofree char *tail = NULL;
    int status = -1;
    setenv("OURS", "secret", 1);
    assert_ok(ck_program_start_bare(SH("echo $ONLY $OURS >&2;"
                                       "[ \"$(cut -d' ' -f6 /proc/$$/stat)\" = $$ ]"),
                                    env, -1, -1, &p));
    unsetenv("OURS");
    assert_true(ck_program_ended(p, 20000));
    ck_program_wait(p, &status, &tail);
    assert_int_equal(status, 0); /* it leads a session */
    assert_string_equal(tail, "this");

    assert_ok(ck_program_start_bare(SH("sleep 100 & sleep 100"), env, -1, -1, &p));
    assert_false(ck_program_ended(p, 10));
    ck_program_stop(p);
}

static void standard_descriptors_may_be_closed_here(void **state)
{
    (void)state;
    int saved = fcntl(0, F_DUPFD_CLOEXEC, 50);
    close(0);
    expect("cat; echo e >&2", "x", "x", 0, "e");
    dup2(saved, 0);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_run),
        cmocka_unit_test(much_input_and_output_at_once),
        cmocka_unit_test(the_end_of_stderr_is_kept),
        cmocka_unit_test(no_program_is_no_accident),
        cmocka_unit_test(attack_program_in_the_current_directory),
        cmocka_unit_test(attack_script_without_interpreter),
        cmocka_unit_test(attack_endless_output),
        cmocka_unit_test(attack_program_that_never_ends),
        cmocka_unit_test(attack_program_that_leaves_a_daemon),
        cmocka_unit_test(what_runs_on_in_the_group_is_killed),
        cmocka_unit_test(only_the_standard_descriptors_are_inherited),
        cmocka_unit_test(signals_are_as_usual_again),
        cmocka_unit_test(descriptors_of_the_caller),
        cmocka_unit_test(a_program_can_be_stopped),
        cmocka_unit_test(a_bare_program_knows_nothing_of_ours),
        cmocka_unit_test(standard_descriptors_may_be_closed_here),
    };
    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
