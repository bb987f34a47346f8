#include "base/buf.h"
#include "base/mem.h"
#include "base/unit.h"
#include "proc/msg.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
    struct ck_channel *hub, *room;
};

static struct ends ends_new(void)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    struct ends e = { ck_new(struct ck_channel), ck_new(struct ck_channel) };
    ck_channel_init(e.hub, pair[0], CK_HUB);
    ck_channel_init(e.room, pair[1], CK_ROOM);
    return e;
}

static void ends_free(struct ends e)
{
    ck_channel_close(e.hub);
    ck_channel_close(e.room);
    free(e.hub);
    free(e.room);
}

static void a_job_from_start_to_end(void **state)
{
    (void)state;
    struct ends e = ends_new();
    struct ck_msg m;
    bool end = false;
    uint8_t zero = 0;
    assert_ok(ck_channel_send(e.room, CK_MSG_READY, ck_view_of(&zero, 1), NULL));
    assert_ok(ck_channel_recv(e.hub, &m, &end));
    assert_int_equal(m.type, CK_MSG_READY);

    int null = open("/dev/null", O_RDONLY);
    assert_ok(ck_channel_send(e.hub, CK_MSG_JOB, CK_V("what"), &null));
    assert_ok(ck_channel_recv(e.room, &m, &end));
    assert_view(m.payload, "what");
    assert_true(m.fds[0] >= 0 && m.fds[1] == -1);
    close(m.fds[0]);
    close(null);

    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_err *sent = ck_err_limit(CK_LIMIT_LAYERS, "too many");
    ck_msg_put_error(&b, sent);
    ck_err_free(sent);
    assert_ok(ck_channel_send(e.room, CK_MSG_FAILED, ck_buf_view(&b), NULL));
    assert_ok(ck_channel_recv(e.hub, &m, &end));
    ck_err *got = ck_msg_get_error(m.payload);
    assert_int_equal(ck_err_limit_of(got), CK_LIMIT_LAYERS);
    assert_fails(got, CK_ERR_LIMIT, "too many (limit LAYERS: 512 layers)");

    ck_channel_close(e.room);
    assert_ok(ck_channel_recv(e.hub, &m, &end));
    assert_true(end);
    ends_free(e);
}

/* A room that was taken over writes what it likes; every row is one lie. */
static void lies_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *frame;
        size_t n;
        const char *reason;
    } lies[] = {
        { "\0\0\0\0\1\0", 6, "broken frame" },
        { "\5\0\0\0\1\0\0\0x", 9, "broken frame" },         /* length past the end */
        { "\1\0\0\0\1\0\1\0x", 9, "broken frame" },         /* the zero is not zero */
        { "\0\0\0\0\0\0\0\0", 8, "unknown type 0" },
        { "\0\0\0\0\x63\0\0\0", 8, "unknown type 99" },
        { "\1\0\0\0\4\0\0\0x", 9, "PIECE out of turn" },    /* before READY */
        { "\1\0\0\0\2\0\0\0x", 9, "JOB out of turn" },      /* the hub's own message */
        { "\2\0\0\0\1\0\0\0xy", 10, "READY of 2 bytes" },   /* not its exact length */
        { "\0\0\0\0\6\0\0\0", 8, "DONE out of turn" },
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct ends e = ends_new();
        struct ck_msg m;
        bool end = false;
        assert_int_equal(send(e.room->fd, lies[i].frame, lies[i].n, 0), (ssize_t)lies[i].n);
        assert_fails(ck_channel_recv(e.hub, &m, &end), CK_ERR_HOSTILE, lies[i].reason);
        ends_free(e);
    }
}

static void a_room_cannot_pass_descriptors(void **state)
{
    (void)state;
    struct ends e = ends_new();
    char frame[] = "\1\0\0\0\1\0\0\0x";
    struct iovec iov = { frame, 9 };
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof control.space };
    struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);
    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(cm), &e.room->fd, sizeof(int));
    assert_int_equal(sendmsg(e.room->fd, &mh, 0), 9);

    struct ck_msg m;
    bool end = false;
    assert_fails(ck_channel_recv(e.hub, &m, &end), CK_ERR_HOSTILE, "READY of 1 bytes with 1");
    ends_free(e);
}

static void malformed_errors_are_hostile(void **state)
{
    (void)state;
    assert_fails(ck_msg_get_error(CK_V("\xff\0\0\0\0x")), CK_ERR_HOSTILE, "malformed error");
    assert_fails(ck_msg_get_error(CK_V("\1\xff\xff\0\0x")), CK_ERR_HOSTILE, "malformed error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_from_start_to_end),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(a_room_cannot_pass_descriptors),
        cmocka_unit_test(malformed_errors_are_hostile),
    };
    return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
