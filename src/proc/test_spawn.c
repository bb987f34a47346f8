/* Rooms that crash, hog, lie or try what they must not: each costs its job an error with the
 * reason, and never the hub. This program is both: executed again, it is the room, as cocket is. */
#include "base/mem.h"
#include "base/unit.h"
#include "proc/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile uint8_t sink;

static void hog(void)
{
    for (;;) {
        uint8_t *p = ck_calloc(1, CK_MIB);
        for (size_t i = 0; i < CK_MIB; i += 4096)
            p[i] = 1;
        sink = p[4096];
    }
}

static void lie(struct ck_channel *ch, const char *frame, size_t n)
{
    if (write(ch->fd, frame, n) < 0)
        _exit(1);
}

/* The job says what to do. */
static ck_err *misbehave(void *state, struct ck_channel *ch, ck_view job, int in, int out)
{
    (void)state;
    (void)out;
    if (ck_view_eq(job, CK_V("echo")))
        return ck_room_send(ch, job);
    if (ck_view_eq(job, CK_V("read"))) {
        uint8_t b[64];
        ssize_t n = read(in, b, sizeof b);
        return ck_room_send(ch, ck_view_of(b, n > 0 ? (size_t)n : 0));
    }
    if (ck_view_eq(job, CK_V("fail")))
        return ck_err_limit(CK_LIMIT_LAYERS, "entry 7");
    if (ck_view_eq(job, CK_V("crash")))
        raise(SIGKILL);
    if (ck_view_eq(job, CK_V("leave")))
        _exit(9);
    if (ck_view_eq(job, CK_V("spin")))
        for (;;)
            sink++;
    if (ck_view_eq(job, CK_V("hog")))
        hog();
    if (ck_view_eq(job, CK_V("open")))
        return open("/etc/passwd", O_RDONLY) < 0 ? NULL : ck_room_send(ch, CK_V("got it"));
    if (ck_view_eq(job, CK_V("ready")))
        lie(ch, "\1\0\0\0\1\0\0\0x", 9);
    if (ck_view_eq(job, CK_V("garbage")))
        lie(ch, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    if (ck_view_eq(job, CK_V("flood")))
        for (uint64_t n = 0; n <= CK_MAX_FACTS; n += 32768) {
            static const uint8_t zeros[32768];
            CK_TRY(ck_room_send(ch, ck_view_of(zeros, sizeof zeros)));
        }
    return NULL;
}

static struct ck_room_proc *start(void)
{
    struct ck_room_options o = { 0 };
    struct ck_room_proc *r = NULL;
    assert_ok(ck_room_start(CK_ROOM_DOCUMENT, &o, &r));
    return r;
}

static ck_err *call(const char *job, struct ck_buf *out)
{
    struct ck_room_proc *r = start();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_err *e = ck_room_call(r, ck_view_str(job), null, out);
    close(null);
    ck_room_stop(r);
    return e;
}

static void jobs_are_answered_one_after_the_other(void **state)
{
    (void)state;
    struct ck_room_proc *r = start();
    int memory = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(memory, "hello", 5), 5);
    for (int i = 0; i < 3; i++) {
        ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_DOCUMENT);
        assert_ok(ck_room_call(r, CK_V("echo"), memory, &out));
        assert_view(ck_buf_view(&out), "echo");
        assert_int_equal(lseek(memory, 0, SEEK_SET), 0);
        ck_buf_clear(&out);
        assert_ok(ck_room_call(r, CK_V("read"), memory, &out));
        assert_view(ck_buf_view(&out), "hello");
        assert_fails(ck_room_call(r, CK_V("fail"), memory, &out), CK_ERR_LIMIT, "entry 7");
    }
    close(memory);
    ck_room_stop(r);
}

static void a_room_that_goes_wrong_costs_its_job_only(void **state)
{
    (void)state;
    static const struct {
        const char *job;
        enum ck_err_class cls;
        const char *reason;
    } wrongs[] = {
        { "crash", CK_ERR_HOSTILE, "document room was killed (Killed)" },
        { "leave", CK_ERR_HOSTILE, "document room ended without an answer (status 9)" },
        { "ready", CK_ERR_HOSTILE, "message READY out of turn" },
        { "garbage", CK_ERR_HOSTILE, "broken frame" },
        { "flood", CK_ERR_LIMIT, "says too much (limit FACTS" },
#ifndef CK_SANITIZED /* no memory limit, and open is refused instead of killed */
        { "hog", CK_ERR_LIMIT, "document room ran out of memory (limit ROOM_MEMORY" },
        { "open", CK_ERR_HOSTILE, "document room tried a forbidden system call" },
#endif
    };
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
        assert_fails(call(wrongs[i].job, &out), wrongs[i].cls, wrongs[i].reason);
    }
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
    assert_ok(call("echo", &out)); /* the next one is not touched by it */
    assert_view(ck_buf_view(&out), "echo");
}

static void a_silent_room_is_stuck_and_ended(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
    struct ck_room_options o = { .patience_ms = 2000 };
    struct ck_room_proc *r = NULL;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_ok(ck_room_start(CK_ROOM_DOCUMENT, &o, &r));
    assert_fails(ck_room_call(r, CK_V("spin"), null, &out), CK_ERR_LIMIT,
                 "the document room is stuck (limit ROOM_IDLE");
    close(null);
    ck_room_stop(r); /* returns: the room is ended by force */
}

/* In a child, whose own low limit its rooms inherit. */
static void a_room_that_computes_too_long_is_ended(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit rl = { 1, 4 };
        ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_FACTS);
        ck_err *e = setrlimit(RLIMIT_CPU, &rl) == 0 ? call("spin", &out) : NULL;
        _exit(e && ck_err_limit_of(e) == CK_LIMIT_ROOM_CPU ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static ck_err *no_load(void **ret_state)
{
    (void)ret_state;
    return ck_err_new(CK_ERR_UNAVAILABLE, "the library is missing");
}

static void what_cannot_be_prepared_does_not_start(void **state)
{
    (void)state;
    struct ck_room_options o = { 0 };
    struct ck_room_proc *r = NULL;
    assert_fails(ck_room_start(CK_ROOM_FETCH, &o, &r), CK_ERR_OURS, "the library is missing");
    assert_null(r);
}

int main(int argc, char **argv)
{
    static const struct ck_room_body bodies[CK_ROOM_COUNT_] = {
        [CK_ROOM_DOCUMENT] = { .run = misbehave },
        [CK_ROOM_FETCH] = { .load = no_load, .run = misbehave },
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_answered_one_after_the_other),
        cmocka_unit_test(a_room_that_goes_wrong_costs_its_job_only),
        cmocka_unit_test(a_silent_room_is_stuck_and_ended),
        cmocka_unit_test(a_room_that_computes_too_long_is_ended),
        cmocka_unit_test(what_cannot_be_prepared_does_not_start),
    };
    ck_room_main(argc, argv, bodies);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("spawn", tests, NULL, NULL);
}
