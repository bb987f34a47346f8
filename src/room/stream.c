#include "room/stream.h"

#include "base/clock.h"

#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Who tells may be asked but once a second (libcurl): half of that keeps the promise. */
enum { TELL_MS = 500 };

struct ck_stream ck_stream_new(struct ck_channel *ch, int out)
{
    struct stat st;
    if (out >= 0 && fstat(out, &st) == 0 && S_ISFIFO(st.st_mode)) {
        int flags = fcntl(out, F_GETFL);
        if (flags >= 0)
            fcntl(out, F_SETFL, flags | O_NONBLOCK);
    }
    return (struct ck_stream){ .ch = ch, .out = out, .told_at = ck_clock_ms() };
}

ck_err *ck_stream_tell(struct ck_stream *s)
{
    int64_t now = ck_clock_ms();
    if (now - s->told_at < TELL_MS && s->done - s->told < CK_MIB)
        return NULL;
    s->told_at = now;
    s->told = s->done;
    return ck_room_progress(s->ch, s->done);
}

ck_err *ck_stream_write(struct ck_stream *s, ck_view v)
{
    s->done += v.n;
    s->written += s->out < 0 ? 0 : v.n;
    while (v.n && s->out >= 0) {
        ssize_t n = write(s->out, v.p, v.n);
        if (n >= 0) {
            v = ck_view_from(v, (size_t)n);
        } else if (errno == EAGAIN) {
            struct pollfd p = { .fd = s->out, .events = POLLOUT };
            if (poll(&p, 1, TELL_MS) < 0 && errno != EINTR)
                return ck_err_errno(CK_ERR_OURS, "waiting for the reader of the pipe");
            CK_TRY(ck_stream_tell(s));
        } else if (errno != EINTR) {
            return ck_err_errno(CK_ERR_OURS, "writing to the pipe");
        }
    }
    return ck_stream_tell(s);
}

ck_err *ck_stream_pause(struct ck_stream *s, int64_t ms)
{
    int64_t until = ck_clock_ms() + ms, left;
    while ((left = until - ck_clock_ms()) > 0) {
        int64_t step = left < TELL_MS ? left : TELL_MS;
        struct timespec ts = { step / 1000, step % 1000 * 1000000 };
        nanosleep(&ts, NULL);
        CK_TRY(ck_stream_tell(s));
    }
    return NULL;
}
