#include "proc/msg.h"

#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct rule {
    const char *name;
    enum ck_side sender;
    enum ck_state before, after;
    uint32_t min, max;
    int fds;
} rules[CK_MSG_COUNT_] = {
#define X(type, sender, before, after, min, max, fds) \
    [CK_MSG_##type] = { #type, sender, before, after, min, max, fds },
    CK_MESSAGES(X)
#undef X
};

const char *ck_msg_name(enum ck_msg_type t)
{
    return t > CK_MSG_NONE && t < CK_MSG_COUNT_ ? rules[t].name : "?";
}

void ck_channel_init(struct ck_channel *c, int fd, enum ck_side side)
{
    c->fd = fd;
    c->side = side;
    c->state = CK_STARTING;
}

void ck_channel_close(struct ck_channel *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void attach(struct msghdr *mh, const int *fds, int n)
{
    mh->msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n);
    struct cmsghdr *cm = CMSG_FIRSTHDR(mh);
    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n);
    memcpy(CMSG_DATA(cm), fds, sizeof(int) * (size_t)n);
}

ck_err *ck_channel_send(struct ck_channel *c, enum ck_msg_type type, ck_view payload,
                        const int *fds)
{
    if (type <= CK_MSG_NONE || type >= CK_MSG_COUNT_)
        abort();
    const struct rule *r = &rules[type];
    if (r->sender != c->side || r->before != c->state || payload.n < r->min || payload.n > r->max)
        abort();

    uint32_t length = (uint32_t)payload.n;
    uint16_t head[4] = { (uint16_t)length, (uint16_t)(length >> 16), (uint16_t)type, 0 };
    struct iovec iov[2] = { { head, sizeof head }, { (void *)(uintptr_t)payload.p, payload.n } };
    union {
        char space[CMSG_SPACE(sizeof(int) * CK_FRAME_FDS)];
        struct cmsghdr align;
    } control = { { 0 } };
    struct msghdr mh = { .msg_iov = iov, .msg_iovlen = payload.n ? 2 : 1,
                         .msg_control = r->fds ? control.space : NULL };
    if (r->fds)
        attach(&mh, fds, r->fds);
    ssize_t n;
    do
        n = sendmsg(c->fd, &mh, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return ck_err_errno(CK_ERR_OURS, "sending %s", r->name);
    c->state = r->after;
    return NULL;
}

/* Collects the descriptors of a received message; closes all and says false where there are more
 * than a frame may carry. */
static bool detach(struct msghdr *mh, int *fds, int *ret_n)
{
    int n = 0;
    bool ok = !(mh->msg_flags & (MSG_CTRUNC | MSG_TRUNC));
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm; cm = CMSG_NXTHDR(mh, cm)) {
        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(cm) + i * sizeof fd, sizeof fd);
            if (n < CK_FRAME_FDS)
                fds[n++] = fd;
            else {
                close(fd);
                ok = false;
            }
        }
    }
    *ret_n = n;
    return ok;
}

static ck_err *check(struct ck_channel *c, ck_view frame, bool intact, int n_fds,
                     enum ck_msg_type *ret_type)
{
    ck_cur cur = ck_cur_of(frame);
    uint32_t length = ck_cur_le32(&cur);
    uint16_t type = ck_cur_le16(&cur), zero = ck_cur_le16(&cur);
    if (!intact || !ck_cur_ok(&cur) || length != ck_cur_left(&cur) || zero != 0)
        return ck_err_new(CK_ERR_HOSTILE, "message with a broken frame");
    if (type == CK_MSG_NONE || type >= CK_MSG_COUNT_)
        return ck_err_new(CK_ERR_HOSTILE, "message of unknown type %u", type);
    const struct rule *r = &rules[type];
    if (r->sender == c->side || r->before != c->state)
        return ck_err_new(CK_ERR_HOSTILE, "message %s out of turn", r->name);
    if (length < r->min || length > r->max || n_fds != r->fds)
        return ck_err_new(CK_ERR_HOSTILE, "message %s of %u bytes with %d descriptors", r->name,
                          length, n_fds);
    c->state = r->after;
    *ret_type = type;
    return NULL;
}

ck_err *ck_channel_recv(struct ck_channel *c, struct ck_msg *ret, bool *ret_end)
{
    union {
        char space[CMSG_SPACE(sizeof(int) * CK_FRAME_FDS)];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec iov = { c->frame, sizeof c->frame };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                         .msg_controllen = sizeof control.space };
    ssize_t n;
    do
        n = recvmsg(c->fd, &mh, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != ECONNRESET)
        return ck_err_errno(CK_ERR_OURS, "receiving");
    if (n <= 0) {
        *ret_end = true;
        return NULL;
    }
    int fds[CK_FRAME_FDS] = { -1, -1 }, n_fds = 0;
    bool intact = detach(&mh, fds, &n_fds);
    enum ck_msg_type type = CK_MSG_NONE;
    ck_err *e = check(c, ck_view_of(c->frame, (size_t)n), intact, n_fds, &type);
    if (e) {
        for (int i = 0; i < n_fds; i++)
            close(fds[i]);
        return e;
    }
    ret->type = type;
    ret->payload = ck_view_of(c->frame + CK_FRAME_HEADER, (size_t)n - CK_FRAME_HEADER);
    memcpy(ret->fds, fds, sizeof fds);
    *ret_end = false;
    return NULL;
}

void ck_msg_put_error(struct ck_buf *out, const ck_err *e)
{
    ck_put_u8(out, (uint8_t)ck_err_class(e));
    ck_put_u32(out, (uint32_t)ck_err_limit_of(e));
    ck_put_bytes(out, ck_view_head(ck_view_str(ck_err_text(e)), 4 * CK_MAX_ERROR_TEXT));
}

ck_err *ck_msg_get_error(ck_view payload)
{
    ck_cur c = ck_cur_of(payload);
    uint8_t cls = ck_cur_u8(&c);
    uint32_t limit = ck_cur_le32(&c);
    ck_view text = ck_cur_take(&c, ck_cur_left(&c));
    if (!ck_cur_ok(&c) || cls >= CK_ERR_CLASS_COUNT_ || limit >= CK_LIMIT_COUNT_)
        return ck_err_new(CK_ERR_HOSTILE, "the room reported a malformed error");
    return ck_err_restore((enum ck_err_class)cls, (enum ck_limit)limit, text);
}
