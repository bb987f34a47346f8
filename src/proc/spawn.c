#include "proc/spawn.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char room_argv0[] = "cocket-room";
enum { CHANNEL_FD = 3 };

struct ck_room_proc {
    const struct ck_rights *rights;
    pid_t pid;
    int64_t heard; /* monotonic ms of its last message */
    int64_t patience; /* ms */
    uint64_t result; /* bytes of pieces of the current job */
    struct ck_channel ch;
};

/* --- starting --------------------------------------------------------------------------------- */

/* Environment that a room keeps: proxies and CA settings for fetch, options for sanitizers. */
static const char *const kept_env[] = { "http_proxy",    "https_proxy",   "HTTPS_PROXY",
                                        "no_proxy",      "NO_PROXY",      "SSL_CERT_FILE",
                                        "ASAN_OPTIONS",  "UBSAN_OPTIONS" };
enum { KEPT = sizeof kept_env / sizeof kept_env[0] };

static void room_env(char *env[KEPT + 2])
{
    size_t n = 0;
    static char locale[] = "LC_ALL=C";
    env[n++] = locale;
    for (size_t i = 0; i < KEPT; i++) {
        const char *value = getenv(kept_env[i]);
        if (value)
            env[n++] = ck_format("%s=%s", kept_env[i], value);
    }
    env[n] = NULL;
}

static int open_self(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) /* no /proc, as in a bare chroot */
        fd = open((const char *)getauxval(AT_EXECFN), O_RDONLY | O_CLOEXEC);
    return fd;
}

/* In the child, between fork and exec: only the channel and silence are left. */
static _Noreturn void become_room(int self, int channel, char *const argv[], char *const env[])
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
        _exit(127);
#ifndef CK_SANITIZED
    if (dup2(null, 2) < 0)
        _exit(127);
#endif
    if (self <= CHANNEL_FD && (self = fcntl(self, F_DUPFD_CLOEXEC, CHANNEL_FD + 1)) < 0)
        _exit(127);
    if (channel == CHANNEL_FD) {
        if (fcntl(channel, F_SETFD, 0) < 0)
            _exit(127);
    } else if (dup2(channel, CHANNEL_FD) < 0) {
        _exit(127);
    }
    if (fcntl(self, F_SETFD, FD_CLOEXEC) < 0 ||
        close_range(CHANNEL_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
        _exit(127);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    fexecve(self, argv, env);
    _exit(127);
}

static ck_err *fork_room(struct ck_room_proc *r, const struct ck_room_options *o)
{
    int pair[2];
    int self = open_self();
    if (self < 0)
        return ck_err_errno(CK_ERR_OURS, "opening the program itself");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        close(self);
        return ck_err_errno(CK_ERR_OURS, "socketpair");
    }
    char *env[KEPT + 2];
    room_env(env);
    char *argv[] = { ck_strndup(room_argv0, sizeof room_argv0 - 1),
                     ck_strndup(r->rights->name, strlen(r->rights->name)),
                     ck_format("%s", o->argument ? o->argument : ""),
                     ck_format("%s", o->no_sandbox ? "no-sandbox" : "sandbox"), NULL };
    pid_t pid = fork();
    if (pid == 0)
        become_room(self, pair[1], argv, env);
    int saved = errno;
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
    for (size_t i = 1; env[i]; i++)
        free(env[i]);
    close(self);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        errno = saved;
        return ck_err_errno(CK_ERR_OURS, "fork");
    }
    r->pid = pid;
    ck_channel_init(&r->ch, pair[0], CK_HUB);
    return NULL;
}

static ck_err *await_ready(struct ck_room_proc *r)
{
    struct ck_msg m;
    bool end = false;
    CK_TRY(ck_room_poll(r));
    CK_TRY(ck_channel_recv(&r->ch, &m, &end));
    if (end)
        return ck_err_new(CK_ERR_OURS, "it ended before its sandbox held");
    if (m.type == CK_MSG_NO_SANDBOX)
        return ck_err_wrap(ck_msg_get_error(m.payload), "its sandbox could not be built");
    return NULL;
}

ck_err *ck_room_start(enum ck_room kind, const struct ck_room_options *o,
                      struct ck_room_proc **ret)
{
    struct ck_room_proc *r = ck_new(struct ck_room_proc);
    r->rights = ck_rights_of(kind);
    r->ch.fd = -1;
    r->heard = ck_clock_ms();
    r->patience = o->patience_ms ? o->patience_ms : (int64_t)CK_MAX_ROOM_IDLE * 1000;
    ck_err *e = fork_room(r, o);
    if (!e)
        e = await_ready(r);
    if (e) {
        e = ck_err_reclass(ck_err_wrap(e, "%s room", r->rights->name), CK_ERR_OURS);
        ck_room_stop(r);
        return e;
    }
    *ret = r;
    return NULL;
}

void ck_room_stop(struct ck_room_proc *r)
{
    if (!r)
        return;
    ck_channel_close(&r->ch);
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(r);
}

/* --- talking
 * -------------------------------------------------------------------------------------- */

int ck_room_fd(const struct ck_room_proc *r)
{
    return r->ch.fd;
}

int ck_room_patience(const struct ck_room_proc *r)
{
    int64_t left = r->heard + r->patience - ck_clock_ms();
    return left > 0 ? (int)left : 0;
}

ck_err *ck_room_stuck(struct ck_room_proc *r)
{
    return ck_err_limit(CK_LIMIT_ROOM_IDLE, "the %s room is stuck", r->rights->name);
}

void ck_room_excuse(struct ck_room_proc *r)
{
    r->heard = ck_clock_ms();
}

ck_err *ck_room_poll(struct ck_room_proc *r)
{
    struct pollfd p = { .fd = r->ch.fd, .events = POLLIN };
    for (;;) {
        int n = poll(&p, 1, ck_room_patience(r));
        if (n > 0)
            return NULL;
        if (n == 0)
            return ck_room_stuck(r);
        if (errno != EINTR)
            return ck_err_errno(CK_ERR_OURS, "poll");
    }
}

ck_err *ck_room_job(struct ck_room_proc *r, ck_view job, int in, int out)
{
    int fds[CK_FRAME_FDS] = { in, out };
    r->heard = ck_clock_ms();
    r->result = 0;
    return ck_channel_send(&r->ch, out < 0 ? CK_MSG_JOB : CK_MSG_JOB_OUT, job, fds);
}

static ck_err *reap(struct ck_room_proc *r, int *ret_status)
{
    pid_t got;
    do
        got = waitpid(r->pid, ret_status, 0);
    while (got < 0 && errno == EINTR);
    r->pid = -1;
    return got < 0 ? ck_err_errno(CK_ERR_OURS, "waiting for the %s room", r->rights->name) : NULL;
}

static ck_err *killed_by(const struct ck_room_proc *r, int sig)
{
    const char *name = r->rights->name;
    if (sig == SIGXCPU)
        return ck_err_limit(r->rights->cpu, "the %s room used up its processor time", name);
    if (sig == SIGXFSZ)
        return ck_err_limit(r->rights->write, "the %s room wrote too much", name);
    if (sig == SIGSYS)
        return ck_err_new(CK_ERR_HOSTILE, "the %s room tried a forbidden system call", name);
    return ck_err_new(CK_ERR_HOSTILE, "the %s room was killed (%s)", name, strsignal(sig));
}

/* The room closed its end in the middle of a job: says why. */
static ck_err *post_mortem(struct ck_room_proc *r)
{
    int status = 0;
    const char *name = r->rights->name;
    CK_TRY(reap(r, &status));
    if (WIFSIGNALED(status))
        return killed_by(r, WTERMSIG(status));
    if (WEXITSTATUS(status) == CK_EXIT_OOM)
        return ck_err_limit(r->rights->memory, "the %s room ran out of memory", name);
    return ck_err_new(CK_ERR_HOSTILE, "the %s room ended without an answer (status %d)", name,
                      WEXITSTATUS(status));
}

ck_err *ck_room_wait_exit(struct ck_room_proc *r, int *ret_status)
{
    int status = 0;
    struct ck_msg m;
    bool end = false;
    CK_TRY(ck_room_poll(r));
    CK_TRY(ck_channel_recv(&r->ch, &m, &end));
    if (!end)
        return m.type == CK_MSG_FAILED ? ck_msg_get_error(m.payload)
                                       : ck_err_new(CK_ERR_OURS, "the room did not go on");
    CK_TRY(reap(r, &status));
    if (WIFSIGNALED(status))
        return killed_by(r, WTERMSIG(status));
    *ret_status = WEXITSTATUS(status);
    return NULL;
}

static ck_err *take_piece(struct ck_room_proc *r, const struct ck_room_consumer *c, ck_view bytes)
{
    r->result += bytes.n;
    enum ck_limit limit = r->rights->result;
    if (limit != CK_LIMIT_NONE && r->result > ck_limit_value(limit))
        return ck_err_limit(limit, "the %s room says too much", r->rights->name);
    return c->piece(c->ctx, bytes);
}

ck_err *ck_room_step(struct ck_room_proc *r, const struct ck_room_consumer *c, bool *ret_done)
{
    struct ck_msg m;
    bool end = false;
    CK_TRY_WRAP(ck_channel_recv(&r->ch, &m, &end), "the %s room", r->rights->name);
    r->heard = ck_clock_ms();
    *ret_done = false;
    if (end)
        return post_mortem(r);
    switch (m.type) {
    case CK_MSG_PIECE:
        return take_piece(r, c, m.payload);
    case CK_MSG_PROGRESS: {
        ck_cur cur = ck_cur_of(m.payload);
        if (c->progress)
            c->progress(c->ctx, ck_cur_le64(&cur));
        return NULL;
    }
    case CK_MSG_DONE:
        *ret_done = true;
        return NULL;
    case CK_MSG_FAILED:
        return ck_msg_get_error(m.payload);
    default: /* the table lets nothing else through in this state */
        return ck_err_new(CK_ERR_HOSTILE, "the %s room sent %s", r->rights->name,
                          ck_msg_name(m.type));
    }
}

static ck_err *collect(void *ctx, ck_view bytes)
{
    return ck_buf_add(ctx, bytes);
}

static ck_err *no_piece(void *ctx, ck_view bytes)
{
    const struct ck_room_proc *r = ctx;
    return ck_err_new(CK_ERR_HOSTILE, "the %s room says %zu bytes more than it should",
                      r->rights->name, bytes.n);
}

ck_err *ck_room_finish(struct ck_room_proc *r, const struct ck_room_consumer *c)
{
    const struct ck_room_consumer none = { .piece = no_piece, .ctx = r };
    bool done = false;
    while (!done) {
        CK_TRY(ck_room_poll(r));
        CK_TRY(ck_room_step(r, c ? c : &none, &done));
    }
    return NULL;
}

ck_err *ck_room_call(struct ck_room_proc *r, ck_view job, int in, struct ck_buf *out)
{
    const struct ck_room_consumer c = { .piece = collect, .ctx = out };
    CK_TRY(ck_room_job(r, job, in, -1));
    return ck_room_finish(r, &c);
}

/* --- the room's side
 * ------------------------------------------------------------------------------ */

ck_err *ck_room_send(struct ck_channel *ch, ck_view bytes)
{
    while (bytes.n) {
        ck_view piece = ck_view_head(bytes, CK_FRAME_PAYLOAD);
        CK_TRY(ck_channel_send(ch, CK_MSG_PIECE, piece, NULL));
        bytes = ck_view_from(bytes, piece.n);
    }
    return NULL;
}

ck_err *ck_room_progress(struct ck_channel *ch, uint64_t bytes_done)
{
    uint8_t space[8];
    for (int i = 0; i < 8; i++)
        space[i] = (uint8_t)(bytes_done >> (8 * i));
    return ck_channel_send(ch, CK_MSG_PROGRESS, ck_view_of(space, sizeof space), NULL);
}

static void send_error(struct ck_channel *ch, enum ck_msg_type type, ck_err *e)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_msg_put_error(&b, e);
    ck_err_free(e);
    ck_err *lost = ck_channel_send(ch, type, ck_buf_view(&b), NULL);
    if (lost) /* the hub is gone */
        _exit(1);
}

static enum ck_room room_of(const char *name)
{
    enum ck_room room = CK_ROOM_DOCUMENT;
    while (room < CK_ROOM_COUNT_ && strcmp(ck_rights_of(room)->name, name) != 0)
        room++;
    return room;
}

static void get_ready(enum ck_room room, const struct ck_room_body *body, const char *argument,
                      bool sandbox, struct ck_channel *ch, void **ret_state)
{
    ck_err *e = body->load ? body->load(ret_state) : NULL;
    if (!e && sandbox)
        e = ck_sandbox_enter(room, argument);
    if (!e && body->prepare)
        e = body->prepare(ret_state);
    if (!e && sandbox)
        e = ck_sandbox_seal(room);
    uint8_t bare = !sandbox;
    if (!e)
        e = ck_channel_send(ch, CK_MSG_READY, ck_view_of(&bare, 1), NULL);
    if (e) {
        send_error(ch, CK_MSG_NO_SANDBOX, e);
        _exit(1);
    }
}

static void serve_jobs(const struct ck_room_body *body, void *state, struct ck_channel *ch)
{
    for (;;) {
        struct ck_msg m;
        bool end = false;
        ck_err *e = ck_channel_recv(ch, &m, &end);
        if (e || end)
            _exit(e ? 1 : 0);
        ck_view job = m.payload;
        ck_autobuf struct ck_buf copy = ck_buf_new(CK_LIMIT_NONE); /* the frame will be reused */
        ck_put_bytes(&copy, job);
        e = body->run(state, ch, ck_buf_view(&copy), m.fds[0], m.fds[1]);
        for (int i = 0; i < CK_FRAME_FDS; i++)
            if (m.fds[i] >= 0)
                close(m.fds[i]);
        if (e)
            send_error(ch, CK_MSG_FAILED, e);
        else if ((e = ck_channel_send(ch, CK_MSG_DONE, CK_V(""), NULL)))
            _exit(1);
    }
}

void ck_room_main(int argc, char **argv, const struct ck_room_body bodies[CK_ROOM_COUNT_])
{
    if (argc != 4 || strcmp(argv[0], room_argv0) != 0)
        return;
    enum ck_room room = room_of(argv[1]);
    if (room == CK_ROOM_COUNT_ || !bodies[room].run)
        _exit(127);
    struct ck_channel *ch = ck_new(struct ck_channel);
    fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC);
    ck_channel_init(ch, CHANNEL_FD, CK_ROOM);
    void *state = NULL;
    get_ready(room, &bodies[room], argv[2], strcmp(argv[3], "sandbox") == 0, ch, &state);
    serve_jobs(&bodies[room], state, ch);
}
