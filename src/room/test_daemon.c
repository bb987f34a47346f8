/* The daemon room against tests/registry/engine.py. This program is the hub and, executed again,
 * the room.
 */
#include "room/daemon_jobs.h"
#include "room/unit_registry.h"

#include <sys/mman.h>

static struct rig rig;
static char socket_path[128];

struct talk {
    struct got got;
    struct ck_buf result;
    struct ck_daemon_answer answer;
};

static void talk_free(struct talk *t)
{
    got_free(&t->got);
    ck_buf_free(&t->result);
}
#define auto_talk __attribute__((cleanup(talk_free)))

static ck_err *talk_in(struct ck_room_proc *room, const struct ck_job_daemon *j, int in,
                       struct talk *t)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    ck_job_daemon_encode(j, &job);
    ck_buf_free(&t->result);
    CK_TRY(rig_run(room, ck_buf_view(&job), in, &t->got, &t->result));
    return ck_daemon_answer_decode(ck_buf_view(&t->result), &t->answer);
}

static ck_err *talk(const struct ck_job_daemon *j, int in, struct talk *t)
{
    struct ck_room_proc *room = rig_room(CK_ROOM_DAEMON);
    ck_err *e = talk_in(room, j, in, t);
    ck_room_stop(room);
    return e;
}

static struct ck_job_daemon wish(enum ck_daemon_method method, const char *target)
{
    return (struct ck_job_daemon){ .method = method, .socket = ck_view_str(socket_path),
                                   .target = ck_view_str(target), .max = 1 << 20 };
}

static int null_input(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int file_of(size_t n)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    memset(ck_buf_room(&b, n), 'z', n);
    b.n = n;
    assert_ok(ck_write_all(fd, ck_buf_view(&b)));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static void answers_are_passed_on(void **state)
{
    (void)state;
    auto_talk struct talk t = { 0 };
    struct ck_room_proc *room = rig_room(CK_ROOM_DAEMON);
    int null = null_input();
    struct ck_job_daemon j = wish(CK_DAEMON_GET, "/give/1048576");
    j.accept = CK_V("application/x-tar");
    for (int i = 0; i < 2; i++) {
        assert_ok(talk_in(room, &j, null, &t));
        assert_int_equal(t.answer.status, 200);
        assert_view(t.answer.content_type, "application/x-tar");
        assert_int_equal(t.answer.length, 1 << 20);
        assert_int_equal(t.got.body.n, 1 << 20);
        assert_view(t.answer.message, "");
    }
    assert_int_equal(rig_saw(&rig, "/give/1048576", "\"accept\": \"application/x-tar\""), 2);
    j.target = CK_V("/give/1048577"); /* one past the ceiling */
    assert_fails(talk_in(room, &j, null, &t), CK_ERR_LIMIT, "longer than 1048576 bytes");
    ck_room_stop(room);
    close(null);
}

static void bodies_are_sent_in_chunks(void **state)
{
    (void)state;
    auto_talk struct talk t = { 0 };
    struct ck_job_daemon j = wish(CK_DAEMON_POST, "/take");
    j.content_type = CK_V("application/x-tar");
    int body = file_of(3 << 20);
    assert_ok(talk(&j, body, &t));
    assert_int_equal(t.answer.status, 200);
    assert_non_null(memmem(t.got.body.p, t.got.body.n, "[3145728, \"sha256:", 18));
    assert_true(t.got.progress >= 2 << 20);
    assert_int_equal(rig_saw(&rig, "\"content-type\": \"application/x-tar\"", "chunked"), 1);
    close(body);

    int null = null_input();
    assert_ok(talk(&j, null, &t));
    assert_non_null(memmem(t.got.body.p, t.got.body.n, "[0, ", 4));
    close(null);
}

struct writer {
    int fd;
    unsigned pause_ms;
};

static void *write_slowly(void *ctx)
{
    struct writer *w = ctx;
    for (int i = 0; i < 3; i++) {
        struct timespec ts = { w->pause_ms / 1000, w->pause_ms % 1000 * 1000000l };
        nanosleep(&ts, NULL);
        if (write(w->fd, "abcd", 4) != 4)
            break;
    }
    close(w->fd);
    return NULL;
}

static void waiting_is_no_silence(void **state)
{
    (void)state;
    auto_talk struct talk t = { 0 };
    int fds[2];
    pthread_t thread;
    struct ck_room_proc *room = NULL;
    struct ck_room_options o = { .patience_ms = 1600 };
    assert_ok(ck_room_start(CK_ROOM_DAEMON, &o, &room));
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct writer w = { fds[1], 900 };
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &w), 0);
    struct ck_job_daemon j = wish(CK_DAEMON_POST, "/take");
    assert_ok(talk_in(room, &j, fds[0], &t)); /* the hub is slow */
    assert_non_null(memmem(t.got.body.p, t.got.body.n, "[12, ", 5));
    pthread_join(thread, NULL);

    int null = null_input();
    j = wish(CK_DAEMON_GET, "/silent/3");
    assert_ok(talk_in(room, &j, null, &t)); /* the daemon is */
    assert_int_equal(t.answer.status, 200);
    ck_room_stop(room);
    close(null);
    close(fds[0]);
}

static void failures_come_with_their_words(void **state)
{
    (void)state;
    auto_talk struct talk t = { 0 };
    int null = null_input();
    struct ck_job_daemon j = wish(CK_DAEMON_GET, "/status/404");
    assert_ok(talk(&j, null, &t));
    assert_int_equal(t.answer.status, 404);
    assert_view(t.answer.content_type, "application/json");
    assert_int_equal(t.answer.message.n, CK_MAX_DAEMON_MESSAGE);
    assert_true(ck_view_starts(t.answer.message, CK_V("{\"message\": \"yyy")));
    assert_int_equal(t.got.body.n, 0);

    j = wish(CK_DAEMON_GET, "/elsewhere/0"); /* nothing is followed */
    assert_ok(talk(&j, null, &t));
    assert_int_equal(t.answer.status, 307);

    j = wish(CK_DAEMON_GET, "/cut/1000");
    assert_fails(talk(&j, null, &t), CK_ERR_UNAVAILABLE, "engine.sock: ");
    j.socket = CK_V("/nowhere/engine.sock");
    assert_fails(talk(&j, null, &t), CK_ERR_UNAVAILABLE, "/nowhere/engine.sock: ");
    close(null);
}

/* The daemon had its say before it had the body. */
static void an_early_answer_is_heard(void **state)
{
    (void)state;
    auto_talk struct talk t = { 0 };
    int body = file_of(8 << 20);
    struct ck_job_daemon j = wish(CK_DAEMON_POST, "/early/500");
    assert_ok(talk(&j, body, &t));
    assert_int_equal(t.answer.status, 500);
    assert_view(t.answer.message, "{\"message\":\"no space left\"}");
    close(body);
}

static void jobs_that_make_no_request_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *socket, *target, *accept, *why;
    } rows[] = {
        { "run/docker.sock", "/x", "", "socket" },
        { "", "/x", "", "socket" },
        { "/s", "x", "", "target" },
        { "/s", "", "", "target" },
        { "/s", "/x y", "", "target" },
        { "/s", "/x#y", "", "target" },
        { "/s", "/x\r\nHost: y", "", "target" },
        { "/s", "/x", "a\r\nHost: y", "header" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
        struct ck_job_daemon j = { .socket = ck_view_str(rows[i].socket),
                                   .target = ck_view_str(rows[i].target),
                                   .accept = ck_view_str(rows[i].accept) }, back;
        ck_job_daemon_encode(&j, &b);
        assert_fails(ck_job_daemon_decode(ck_buf_view(&b), &back), CK_ERR_HOSTILE, rows[i].why);
    }
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_job_daemon j = { .method = CK_DAEMON_POST, .socket = CK_V("/s"),
                               .target = CK_V("/t?u=%20"), .content_type = CK_V("a/b"),
                               .accept = CK_V("c/d"), .max = 7 }, back;
    ck_job_daemon_encode(&j, &b);
    assert_ok(ck_job_daemon_decode(ck_buf_view(&b), &back));
    assert_int_equal(back.method, CK_DAEMON_POST);
    assert_view(back.target, "/t?u=%20");
    assert_view(back.content_type, "a/b");
    assert_int_equal(back.max, 7);
    b.n--;
    assert_fails(ck_job_daemon_decode(ck_buf_view(&b), &back), CK_ERR_HOSTILE, "daemon job");
    b.n++;
    b.p[0] = CK_DAEMON_METHOD_COUNT_;
    assert_fails(ck_job_daemon_decode(ck_buf_view(&b), &back), CK_ERR_HOSTILE, "daemon job");
}

static void answers_are_checked(void **state)
{
    (void)state;
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_daemon_answer r = { .status = 200, .content_type = CK_V("a/b"), .length = 9 }, back;
    ck_daemon_answer_encode(&r, &b);
    assert_ok(ck_daemon_answer_decode(ck_buf_view(&b), &back));
    assert_int_equal(back.length, 9);
    b.p[0] = 99;
    assert_fails(ck_daemon_answer_decode(ck_buf_view(&b), &back), CK_ERR_HOSTILE, "daemon answer");
    ck_buf_clear(&b);
    static const uint8_t much[CK_KIB * 4 + 1] = { 0 };
    r.message = ck_view_of(much, CK_MAX_DAEMON_MESSAGE + 1);
    ck_daemon_answer_encode(&r, &b);
    assert_fails(ck_daemon_answer_decode(ck_buf_view(&b), &back), CK_ERR_HOSTILE, "daemon answer");
}

static int start(void **state)
{
    (void)state;
    rig_start(&rig, "engine.py");
    snprintf(socket_path, sizeof socket_path, "%s/engine.sock", rig.dir);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_passed_on),
        cmocka_unit_test(bodies_are_sent_in_chunks),
        cmocka_unit_test(waiting_is_no_silence),
        cmocka_unit_test(failures_come_with_their_words),
        cmocka_unit_test(an_early_answer_is_heard),
        cmocka_unit_test(jobs_that_make_no_request_are_refused),
        cmocka_unit_test(answers_are_checked),
    };
    ck_room_main(argc, argv, ck_room_bodies);
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("daemon", tests, start, stop);
}
