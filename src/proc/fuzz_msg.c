/* The hub's view of a room that sends whatever it likes: frames are split off the input. */
#include "base/mem.h"
#include "proc/msg.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return 0;
    struct ck_channel *hub = ck_new(struct ck_channel);
    ck_channel_init(hub, pair[0], CK_HUB);
    ck_cur c = ck_cur_of(ck_view_of(data, size));
    if (ck_cur_u8(&c) & 1)
        hub->state = CK_BUSY;
    while (!ck_cur_end(&c)) {
        size_t n = ck_cur_u8(&c);
        ck_view frame = ck_cur_take(&c, n < ck_cur_left(&c) ? n : ck_cur_left(&c));
        if (frame.n == 0 || send(pair[1], frame.p, frame.n, MSG_DONTWAIT) < 0)
            break;
        struct ck_msg m;
        bool end = false;
        ck_err *e = ck_channel_recv(hub, &m, &end);
        if (!e && m.type == CK_MSG_FAILED)
            e = ck_msg_get_error(m.payload);
        ck_err_free(e);
    }
    ck_channel_close(hub);
    close(pair[1]);
    free(hub);
    return 0;
}
