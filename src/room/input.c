#include "room/input.h"

#include <errno.h>
#include <unistd.h>

/* Waits until there is more than what was read. Of several ticks in the pipe the last one counts.
 * */
static ck_err *await_arrival(struct ck_input *in)
{
    uint64_t ticks[64];
    while (in->there <= in->at) {
        ssize_t n = read(in->ticks, ticks, sizeof ticks);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_UNAVAILABLE, "reading");
        if (n == 0 || n % sizeof *ticks)
            return ck_err_at(CK_ERR_UNAVAILABLE, in->at, "the blob stopped arriving");
        uint64_t last = ticks[(size_t)n / sizeof *ticks - 1];
        if (last < in->there || last > in->slice.length)
            return ck_err_new(CK_ERR_OURS, "the blob shrinks, or grows beyond its end");
        in->there = last;
    }
    return NULL;
}

ck_err *ck_input_read(struct ck_input *in, uint8_t *p, size_t n, size_t *ret_n)
{
    if (!in->slice.pipe && n > in->slice.length - in->at)
        n = in->slice.length - in->at;
    ssize_t got = 0;
    if (n && in->arriving) {
        CK_TRY(await_arrival(in));
        n = n < in->there - in->at ? n : (size_t)(in->there - in->at);
    }
    if (n) {
        do
            got = in->slice.pipe ? read(in->fd, p, n)
                                 : pread(in->fd, p, n, (off_t)(in->slice.offset + in->at));
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return ck_err_errno(CK_ERR_UNAVAILABLE, "reading");
        if (got == 0 && !in->slice.pipe)
            return ck_err_at(CK_ERR_HOSTILE, in->at, "the file is shorter than its %llu bytes",
                             (unsigned long long)in->slice.length);
    }
    in->at += (uint64_t)got;
    *ret_n = (size_t)got;
    return NULL;
}

ck_err *ck_input_all(int fd, struct ck_buf *out)
{
    uint8_t piece[16384];
    uint64_t at = 0;
    for (;;) {
        ssize_t got;
        do
            got = pread(fd, piece, sizeof piece, (off_t)at);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return ck_err_errno(CK_ERR_UNAVAILABLE, "reading");
        if (got == 0)
            return NULL;
        at += (uint64_t)got;
        CK_TRY(ck_buf_add(out, ck_view_of(piece, (size_t)got)));
    }
}
