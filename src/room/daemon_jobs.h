/* What the hub asks of the daemon room: one HTTP request over a unix socket (the API of dockerd, or
 * of podman where it speaks Docker's), and what comes back. The room has no network; it can talk to
 * unix sockets only.
 */
#ifndef CK_ROOM_DAEMON_JOBS_H
#define CK_ROOM_DAEMON_JOBS_H

#include "base/arena.h"
#include "base/buf.h"

enum ck_daemon_method { CK_DAEMON_GET, CK_DAEMON_POST, CK_DAEMON_DELETE, CK_DAEMON_METHOD_COUNT_ };

/* GET, DELETE: the job's `in` is not read (hand any descriptor). POST: `in` is read to its end,
 * from where it stands, as the body of the request, in chunks; /dev/null sends an empty one. The
 * body of a successful answer (2xx) goes to `out`, a pipe; its reader sees the end when the job is
 * done and the hub has closed its own copy. `out` may be -1 (CK_MSG_JOB): then such a body is
 * dropped. */
struct ck_job_daemon {
    enum ck_daemon_method method;
    ck_view socket;       /* absolute path; at most 107 bytes (sun_path), without NUL */
    ck_view target;       /* from '/' on, with the query, percent-encoded already: visible ASCII */
    ck_view content_type; /* of the body of a POST; empty: application/octet-stream */
    ck_view accept;       /* empty: none is sent */
    uint64_t max;         /* most bytes of a body of the answer; more is class LIMIT */
};
void ck_job_daemon_encode(const struct ck_job_daemon *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_daemon_decode(ck_view job, struct ck_job_daemon *ret);

/* What the daemon answered, whatever its status. A socket that is not there or refuses, and a
 * connection that breaks, come as FAILED, class UNAVAILABLE, with the socket's path in the text.
 * PROGRESS counts the bytes of both bodies, and comes at least every ten seconds while the daemon
 * is silent (loading a large image takes it minutes) - for at most CK_MAX_DAEMON_SILENCE seconds.
 */
struct ck_daemon_answer {
    unsigned status;      /* HTTP: 200, 404, 500, ... */
    ck_view content_type; /* without parameters, lower case, or empty */
    ck_view message;      /* not 2xx: the first CK_MAX_DAEMON_MESSAGE bytes of the body, as they
                             came ({"message":"..."}); escape it */
    uint64_t length;      /* bytes written to `out` */
};
void ck_daemon_answer_encode(const struct ck_daemon_answer *r, struct ck_buf *out);
CK_MUST ck_err *ck_daemon_answer_decode(ck_view bytes, struct ck_daemon_answer *ret);

#endif
