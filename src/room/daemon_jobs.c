#include "room/daemon_jobs.h"

static ck_err *malformed(const char *what)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: %s", what);
}

void ck_job_daemon_encode(const struct ck_job_daemon *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->method);
    ck_put_str(out, j->socket);
    ck_put_str(out, j->target);
    ck_put_str(out, j->content_type);
    ck_put_str(out, j->accept);
    ck_put_u64(out, j->max);
}

/* What goes into a line of HTTP. */
static bool one_line(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] > '~')
            return false;
    return true;
}

enum { SUN_PATH = 107 }; /* unix(7), without the NUL */

ck_err *ck_job_daemon_decode(ck_view job, struct ck_job_daemon *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_daemon j = { .method = (enum ck_daemon_method)ck_cur_u8(&c) };
    j.socket = ck_cur_str(&c, SUN_PATH);
    j.target = ck_cur_str(&c, CK_MAX_DAEMON_TARGET);
    j.content_type = ck_cur_str(&c, CK_MAX_FIELD);
    j.accept = ck_cur_str(&c, CK_MAX_FIELD);
    j.max = ck_cur_le64(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || j.method >= CK_DAEMON_METHOD_COUNT_)
        return malformed("daemon job");
    if (!ck_view_starts(j.socket, CK_V("/")) || memchr(j.socket.p, 0, j.socket.n))
        return malformed("daemon job: socket");
    if (!ck_view_starts(j.target, CK_V("/")) || !one_line(j.target) ||
        ck_view_find(j.target, ' ') < j.target.n || ck_view_find(j.target, '#') < j.target.n)
        return malformed("daemon job: target");
    if (!one_line(j.content_type) || !one_line(j.accept))
        return malformed("daemon job: header");
    *ret = j;
    return NULL;
}

void ck_daemon_answer_encode(const struct ck_daemon_answer *r, struct ck_buf *out)
{
    ck_put_u16(out, (uint16_t)r->status);
    ck_put_str(out, r->content_type);
    ck_put_str(out, r->message);
    ck_put_u64(out, r->length);
}

ck_err *ck_daemon_answer_decode(ck_view bytes, struct ck_daemon_answer *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_daemon_answer r = { .status = ck_cur_le16(&c) };
    r.content_type = ck_cur_str(&c, CK_MAX_FIELD);
    r.message = ck_cur_str(&c, CK_MAX_DAEMON_MESSAGE);
    r.length = ck_cur_le64(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || r.status < 100 || r.status > 599)
        return malformed("daemon answer");
    *ret = r;
    return NULL;
}
