#include "source/engine.h"

#include "base/mem.h"
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ck_engine {
    struct ck_room_proc *room;
    const char *socket; /* in the environment, or static */
};

ck_err *ck_engine_open(bool no_sandbox, struct ck_engine **ret)
{
    static const char scheme[] = "unix://";
    const char *host = getenv("DOCKER_HOST"), *socket = "/var/run/docker.sock";
    struct ck_room_options o = { .no_sandbox = no_sandbox };
    if (host && *host) {
        if (strncmp(host, scheme, strlen(scheme)) != 0)
            return ck_err_new(CK_ERR_UNAVAILABLE, "DOCKER_HOST=%s: only unix:// sockets are spoken "
                                                  "to", host);
        socket = host + strlen(scheme);
    }
    struct ck_engine *e = ck_new(struct ck_engine);
    e->socket = socket;
    ck_err *err = ck_room_start(CK_ROOM_DAEMON, &o, &e->room);
    if (err) {
        free(e);
        return err;
    }
    *ret = e;
    return NULL;
}

void ck_engine_close(struct ck_engine *e)
{
    if (!e)
        return;
    ck_room_stop(e->room);
    free(e);
}

ck_err *ck_engine_collect(void *ctx, ck_view piece) { return ck_buf_add(ctx, piece); }

ck_err *ck_engine_refused(const char *what, unsigned status, ck_view message)
{
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s: HTTP status %u%s%.*s", what, status,
                      message.n ? ": " : "", CK_VF(message));
}

/* --- the body of the answer ------------------------------------------------------------------- */

struct pump {
    int fd;
    const struct ck_engine_request *request;
    pthread_t thread;
    ck_err *e;
};

/* Reads on after an error: the room must not be kept from its end. */
static void *run_pump(void *arg)
{
    struct pump *p = arg;
    enum { PIECE = 64 * 1024 };
    ck_autofree uint8_t *piece = ck_calloc(PIECE, 1);
    for (;;) {
        ssize_t n = read(p->fd, piece, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && !p->e)
            p->e = ck_err_errno(CK_ERR_OURS, "reading a pipe");
        if (n <= 0)
            return NULL;
        if (!p->e && p->request->put)
            p->e = p->request->put(p->request->ctx, ck_view_of(piece, (size_t)n));
    }
}

/* --- a request -------------------------------------------------------------------------------- */

static ck_err *run_job(struct ck_engine *e, ck_view job, int in, int out, struct ck_buf *answer)
{
    const struct ck_room_consumer c = { .piece = ck_engine_collect, .ctx = answer };
    ck_err *err = ck_room_job(e->room, job, in, out);
    close(out); /* its reader ends with the room's copy */
    return err ? err : ck_room_finish(e->room, &c);
}

static ck_err *exchange(struct ck_engine *e, const struct ck_engine_request *r, ck_view job, int in,
                        struct ck_buf *answer)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    struct pump p = { .fd = ends[0], .request = r };
    if (pthread_create(&p.thread, NULL, run_pump, &p) != 0) {
        close(ends[0]);
        close(ends[1]);
        return ck_err_new(CK_ERR_OURS, "no thread could be started");
    }
    ck_err *theirs = run_job(e, job, in, ends[1], answer);
    if (theirs) { /* a room that was lost in the middle may live on with the pipe */
        ck_room_stop(e->room);
        e->room = NULL;
    }
    pthread_join(p.thread, NULL);
    close(ends[0]);
    if (!theirs)
        return p.e;
    ck_err_free(p.e);
    return theirs;
}

ck_err *ck_engine_request(struct ck_engine *e, const struct ck_engine_request *r,
                          struct ck_arena *a, unsigned *ret_status, ck_view *ret_message)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE),
                             bytes = ck_buf_new(CK_LIMIT_ANSWER);
    struct ck_daemon_answer answer;
    struct ck_job_daemon j = { .method = r->method,
                               .socket = ck_view_str(e->socket),
                               .target = ck_view_str(r->target),
                               .content_type = CK_V("application/x-tar"),
                               .max = r->max };
    if (!e->room)
        return ck_err_new(CK_ERR_UNAVAILABLE, "the daemon room is gone");
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0)
        return ck_err_errno(CK_ERR_OURS, "/dev/null");
    ck_job_daemon_encode(&j, &job);
    ck_err *err = exchange(e, r, ck_buf_view(&job), r->in >= 0 ? r->in : null, &bytes);
    close(null);
    if (err)
        return err;
    CK_TRY(ck_daemon_answer_decode(ck_buf_view(&bytes), &answer));
    *ret_status = answer.status;
    *ret_message = ck_arena_dup(a, answer.message);
    return NULL;
}
