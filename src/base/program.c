#include "base/clock.h"
#include "base/program.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct ck_program {
    pid_t pid;
    int pidfd;
    int err_fd;      /* where its stderr comes out */
    int stop_fds[2]; /* closing [1] tells the reader that no more is to be waited for */
    pthread_t reader;
    bool reading;
    char *name;
    char tail[CK_PROGRAM_TAIL]; /* a ring */
    size_t written;             /* bytes of stderr in all */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* --- starting --------------------------------------------------------------------------------- */

/* The path to execute, or NULL with errno. Relative folders of PATH are passed over: what lies in
 * the current directory is not a program of the system. */
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");
    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? ck_format("%s", name) : NULL;
    ck_view rest = ck_view_str(path ? path : "/usr/local/bin:/usr/bin:/bin");
    while (rest.n) {
        ck_view dir = ck_view_split(rest, ':', &rest);
        if (dir.n == 0 || dir.p[0] != '/')
            continue;
        char *full = ck_format("%.*s/%s", CK_VF(dir), name);
        if (access(full, X_OK) == 0)
            return full;
        free(full);
    }
    errno = ENOENT;
    return NULL;
}

struct child {
    const char *path;
    char *const *argv, *const *env;
    bool bare; /* in a session of its own */
    int in, out, err, failed; /* failed: where errno goes if the program cannot be executed */
};

static _Noreturn void give_up(int fd)
{
    int e = errno;
    ssize_t n = write(fd, &e, sizeof e);
    _exit(n == sizeof e ? 127 : 126);
}

/* Between fork and exec, in a process that may have had threads: system calls only. The
 * descriptors lie above 2, so that no dup2 overwrites one that is still needed. */
static _Noreturn void become(const struct child *c)
{
    sigset_t none;
    struct sigaction dfl = { .sa_handler = SIG_DFL };
    if (c->bare)
        setsid();
    else
        setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    for (int s = 1; s < NSIG; s++)
        sigaction(s, &dfl, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(c->in, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->err, 2) < 0 ||
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
        give_up(c->failed);
    execve(c->path, c->argv, c->env);
    give_up(c->failed);
}

/* A copy above the standard descriptors; -1 with errno. */
static int above_standard(int fd)
{
    if (fd >= 0)
        return fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int high = null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, 3);
    close_fd(&null);
    return high;
}

/* Reads what give_up() wrote; 0 where the program was executed. */
static int exec_errno(int fd)
{
    int e = 0;
    ssize_t n;
    do
        n = read(fd, &e, sizeof e);
    while (n < 0 && errno == EINTR);
    return n == sizeof e ? e : 0;
}

static void reap(struct ck_program *p, int *ret_status)
{
    while (waitpid(p->pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    p->pid = -1;
}

static ck_err *fork_it(struct ck_program *p, struct child *c, int failed_read)
{
    pid_t pid = fork();
    if (pid == 0)
        become(c);
    int saved = errno;
    close_fd(&c->failed);
    if (pid < 0) {
        errno = saved;
        return ck_err_errno(CK_ERR_OURS, "fork");
    }
    if (!c->bare)
        setpgid(pid, pid); /* here too: whoever is first */
    p->pid = pid;
    int e = exec_errno(failed_read);
    if (e) {
        int status;
        reap(p, &status);
        errno = e;
        return ck_err_errno(CK_ERR_UNAVAILABLE, "starting %s", c->path);
    }
    p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0u);
    return p->pidfd < 0 ? ck_err_errno(CK_ERR_OURS, "pidfd_open") : NULL;
}

/* --- stderr ----------------------------------------------------------------------------------- */

/* False at the end, or where nothing is there yet. */
static bool read_some(struct ck_program *p)
{
    char piece[4096];
    ssize_t n = read(p->err_fd, piece, sizeof piece);
    for (ssize_t i = 0; i < n; i++)
        p->tail[p->written++ % sizeof p->tail] = piece[i];
    return n > 0 || (n < 0 && errno == EINTR);
}

/* A thread: whoever feeds the program may wait for it, which must never wait for us to read what
 * it has to say. Ends with the last writer, or when it is told to and nothing is left. */
static void *read_stderr(void *ctx)
{
    struct ck_program *p = ctx;
    struct pollfd fds[2] = { { .fd = p->err_fd, .events = POLLIN },
                             { .fd = p->stop_fds[0], .events = POLLIN } };
    for (;;) {
        int n = poll(fds, 2, -1);
        if (n < 0 && errno != EINTR)
            return NULL;
        if (n > 0 && fds[0].revents && !read_some(p) && errno != EAGAIN)
            return NULL;
        if (n > 0 && !fds[0].revents && fds[1].revents)
            return NULL;
    }
}

static void free_it(struct ck_program *p)
{
    close_fd(&p->stop_fds[1]);
    if (p->reading)
        pthread_join(p->reader, NULL);
    close_fd(&p->stop_fds[0]);
    close_fd(&p->err_fd);
    close_fd(&p->pidfd);
    free(p->name);
    free(p);
}

static char *tail_of(struct ck_program *p)
{
    size_t n = p->written < sizeof p->tail ? p->written : sizeof p->tail;
    char *s = ck_calloc(n + 1, 1);
    for (size_t i = 0; i < n; i++) {
        char c = p->tail[(p->written - n + i) % sizeof p->tail];
        s[i] = c ? c : ' ';
    }
    while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
        s[--n] = 0;
    return s;
}

static ck_err *start_reader(struct ck_program *p)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are for the threads that expect them */
    errno = pthread_create(&p->reader, NULL, read_stderr, p);
    p->reading = errno == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return p->reading ? NULL : ck_err_errno(CK_ERR_OURS, "starting a thread");
}

static ck_err *start_with(struct ck_program *p, struct child *c, int in_fd, int out_fd)
{
    int err[2], failed[2] = { -1, -1 };
    if (pipe2(p->stop_fds, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    p->err_fd = err[0];
    fcntl(p->err_fd, F_SETFL, O_NONBLOCK);
    if (pipe2(failed, O_CLOEXEC) == 0) {
        c->in = above_standard(in_fd);
        c->out = above_standard(out_fd);
        c->err = above_standard(err[1]);
        c->failed = above_standard(failed[1]);
    }
    close_fd(&err[1]);
    close_fd(&failed[1]);
    ck_err *e = c->in < 0 || c->out < 0 || c->err < 0 || c->failed < 0
                    ? ck_err_errno(CK_ERR_OURS, "descriptors for %s", c->path)
                    : fork_it(p, c, failed[0]);
    close_fd(&failed[0]);
    close_fd(&c->in);
    close_fd(&c->out);
    close_fd(&c->err);
    close_fd(&c->failed);
    return e ? e : start_reader(p);
}

static ck_err *start(const char *const argv[], const char *const env[], int in_fd, int out_fd,
                     struct ck_program **ret)
{
    ck_autofree char *path = find_program(argv[0]);
    if (!path && errno == ENOENT)
        return ck_err_new(CK_ERR_USAGE, "there is no program %s%s", argv[0],
                          strchr(argv[0], '/') ? "" : " in PATH");
    if (!path)
        return ck_err_errno(CK_ERR_UNAVAILABLE, "starting %s", argv[0]);
    struct ck_program *p = ck_new(struct ck_program);
    *p = (struct ck_program){ .pid = -1, .pidfd = -1, .err_fd = -1, .stop_fds = { -1, -1 } };
    p->name = ck_format("%s", argv[0]);
    struct child c = { .path = path, .env = environ, .bare = env != NULL,
                       .in = -1, .out = -1, .err = -1, .failed = -1 };
    memcpy(&c.argv, &argv, sizeof c.argv); /* execve does not write to it, whatever its type says */
    if (env)
        memcpy(&c.env, &env, sizeof c.env);
    ck_err *e = start_with(p, &c, in_fd, out_fd);
    if (e) {
        ck_program_stop(p);
        return e;
    }
    *ret = p;
    return NULL;
}

ck_err *ck_program_start(const char *const argv[], int in_fd, int out_fd, struct ck_program **ret)
{
    return start(argv, NULL, in_fd, out_fd, ret);
}

ck_err *ck_program_start_bare(const char *const argv[], const char *const env[], int in_fd,
                              int out_fd, struct ck_program **ret)
{
    return start(argv, env, in_fd, out_fd, ret);
}

/* --- ending ----------------------------------------------------------------------------------- */

void ck_program_stop(struct ck_program *p)
{
    int status;
    if (!p)
        return;
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        kill(p->pid, SIGKILL); /* it may have gone to another group */
        reap(p, &status);
    }
    free_it(p);
}

/* Until it has ended; false when the time is over (deadline 0: never). */
static bool await_end(struct ck_program *p, int64_t deadline)
{
    struct pollfd end = { .fd = p->pidfd, .events = POLLIN };
    for (;;) {
        int64_t left = deadline ? deadline - ck_clock_ms() : -1;
        if (deadline && left <= 0)
            return false;
        int n = poll(&end, 1, (int)(left > 60000 ? 60000 : left));
        if (n > 0)
            return true;
    }
}

/* It has ended, but was not reaped: its process group cannot be anybody else's yet. */
static void finish(struct ck_program *p, int *ret_status, char **ret_tail)
{
    int status = 0;
    kill(-p->pid, SIGKILL);
    reap(p, &status);
    close_fd(&p->stop_fds[1]);
    pthread_join(p->reader, NULL);
    p->reading = false;
    *ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (ret_tail)
        *ret_tail = tail_of(p);
    free_it(p);
}

static ck_err *out_of_time(struct ck_program *p, int64_t seconds)
{
    ck_err *e = ck_err_new(CK_ERR_UNAVAILABLE, "%s did not end within %lld s and was stopped",
                           p->name, (long long)seconds);
    ck_program_stop(p);
    return e;
}

bool ck_program_ended(struct ck_program *p, int timeout_ms)
{
    return await_end(p, ck_clock_ms() + timeout_ms);
}

void ck_program_wait(struct ck_program *p, int *ret_status, char **ret_tail)
{
    await_end(p, 0);
    finish(p, ret_status, ret_tail);
}

/* --- all in one ------------------------------------------------------------------------------- */

struct talk {
    int in, out; /* our ends; -1 when done */
    ck_view left;
    struct ck_buf *reply;
};

static void feed(struct talk *t)
{
    ssize_t n = write(t->in, t->left.p, t->left.n);
    if (n > 0)
        t->left = ck_view_from(t->left, (size_t)n);
    if ((n < 0 && errno != EINTR && errno != EAGAIN) || t->left.n == 0)
        close_fd(&t->in);
}

static ck_err *hear(struct talk *t)
{
    uint8_t piece[16384];
    ssize_t n = read(t->out, piece, sizeof piece);
    if (n > 0)
        return ck_buf_add(t->reply, ck_view_of(piece, (size_t)n));
    if (n == 0 || (errno != EINTR && errno != EAGAIN))
        close_fd(&t->out);
    return NULL;
}

/* Until its stdout is closed or it has ended; *ret_late where the time was over before. */
static ck_err *converse(struct ck_program *p, struct talk *t, int64_t deadline, bool *ret_late)
{
    bool ended = false;
    while (t->out >= 0 && !ended) {
        struct pollfd fds[3] = { { .fd = t->out, .events = POLLIN },
                                 { .fd = t->in, .events = POLLOUT },
                                 { .fd = p->pidfd, .events = POLLIN } };
        int64_t left = deadline ? deadline - ck_clock_ms() : 60000;
        *ret_late = left <= 0;
        if (*ret_late)
            return NULL;
        if (poll(fds, 3, (int)(left > 60000 ? 60000 : left)) <= 0)
            continue;
        if (fds[1].revents)
            feed(t);
        if (fds[0].revents)
            CK_TRY(hear(t));
        ended = fds[2].revents && !fds[0].revents; /* what it started may still hold stdout */
    }
    return NULL;
}

/* Writing to a program that has ended must not end us: for this thread and this time only. */
struct sigpipe {
    sigset_t old;
    bool was_pending;
};

static void hold_sigpipe(struct sigpipe *s)
{
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigpending(&pending);
    s->was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, &s->old);
}

static void release_sigpipe(const struct sigpipe *s)
{
    sigset_t set;
    struct timespec none = { 0 };
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    if (!s->was_pending)
        while (sigtimedwait(&set, NULL, &none) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &s->old, NULL);
}

/* Starts it with pipes; t gets our ends. */
static ck_err *start_talk(const char *const argv[], struct talk *t, struct ck_program **ret)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 };
    ck_err *e = NULL;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
        e = ck_err_errno(CK_ERR_OURS, "pipe");
    if (!e)
        e = ck_program_start(argv, in[0], out[1], ret);
    close_fd(&in[0]);
    close_fd(&out[1]);
    t->in = in[1];
    t->out = out[0];
    if (!e) {
        fcntl(t->in, F_SETFL, O_NONBLOCK);
        fcntl(t->out, F_SETFL, O_NONBLOCK);
    }
    return e;
}

static ck_err *talk_to(struct ck_program *p, struct talk *t, int timeout_ms, int *ret_status,
                       char **ret_tail)
{
    int64_t deadline = timeout_ms > 0 ? ck_clock_ms() + timeout_ms : 0;
    struct sigpipe held;
    bool late = false;
    if (t->left.n == 0)
        close_fd(&t->in);
    hold_sigpipe(&held);
    ck_err *e = converse(p, t, deadline, &late);
    release_sigpipe(&held);
    close_fd(&t->in);
    close_fd(&t->out);
    if (e) {
        e = ck_err_wrap(e, "the answer of %s", p->name);
        ck_program_stop(p);
        return e;
    }
    if (late || !await_end(p, deadline))
        return out_of_time(p, timeout_ms / 1000);
    finish(p, ret_status, ret_tail);
    return NULL;
}

ck_err *ck_program_run(const char *const argv[], ck_view in, struct ck_buf *out, int timeout_ms,
                       int *ret_status, char **ret_tail)
{
    struct talk t = { .in = -1, .out = -1, .left = in, .reply = out };
    struct ck_program *p = NULL;
    ck_err *e = start_talk(argv, &t, &p);
    if (!e && p)
        return talk_to(p, &t, timeout_ms, ret_status, ret_tail);
    close_fd(&t.in);
    close_fd(&t.out);
    return e;
}
