/* What the hub asks of the notify room: one HTTP(S) POST or one mail handed to a server, and what
 * came of it. The URL is the administrator's own: it may lead to a private address.
 */
#ifndef CK_ROOM_NOTIFY_JOBS_H
#define CK_ROOM_NOTIFY_JOBS_H

#include "base/arena.h"
#include "base/buf.h"

/* Whether a mail server's connection is encrypted; smtps:// always is. */
enum ck_notify_tls {
    CK_NOTIFY_TLS_TRY,    /* STARTTLS where it is offered */
    CK_NOTIFY_TLS_ALWAYS, /* STARTTLS or nothing */
    CK_NOTIFY_TLS_NEVER,
    CK_NOTIFY_TLS_COUNT_
};

/* `in`: sealed memory with the body, or the mail with its header. */
struct ck_job_notify {
    ck_view url;     /* http:, https:, smtp: or smtps:; visible ASCII */
    uint32_t seconds; /* 1 to NOTIFY_SECONDS, for all of it */
    const ck_view *fields; /* HTTP: header lines "Name: value"; SMTP: recipients */
    size_t n_fields;       /* 1 to NOTIFY_FIELDS */
    /* SMTP only: */
    ck_view from;           /* address of the envelope */
    ck_view user, password; /* user empty: no login */
    enum ck_notify_tls tls;
};
bool ck_job_notify_is_mail(const struct ck_job_notify *j);
void ck_job_notify_encode(const struct ck_job_notify *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_notify_decode(ck_view job, struct ck_arena *a, struct ck_job_notify *ret);

/* What the receiver said, whatever it was. One that was not reached, or broke off, comes as FAILED,
 * class UNAVAILABLE. */
struct ck_notify_answer {
    unsigned status;      /* of HTTP, or of SMTP's last reply: 100 to 599 */
    uint32_t retry_after; /* seconds; 0: not said */
    ck_view message;      /* how the body, or SMTP's reply, begins; escape it */
};
void ck_notify_answer_encode(const struct ck_notify_answer *r, struct ck_buf *out);
CK_MUST ck_err *ck_notify_answer_decode(ck_view bytes, struct ck_notify_answer *ret);

#endif
