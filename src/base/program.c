#include "base/program.h"

#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct ck_program {
    pid_t pid;
    int err; /* what it says: a file in memory, which no reader has to keep up with */
};

/* --- starting --------------------------------------------------------------------------------- */

/* Puts `fd` where the program looks for it, out of the way of 0, 1 and 2 first. */
static bool place(int fd, int at)
{
    return dup2(fd, at) == at;
}

/* Between fork and exec. What goes wrong is written to `report`, which exec closes. */
static _Noreturn void become(const char *const argv[], int in, int out, int err, int report)
{
    enum { ABOVE = 3 };
    int fds[3] = { in, out, err };
    signal(SIGPIPE, SIG_DFL);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++)
        fds[i] = fcntl(fds[i] >= 0 ? fds[i] : null, F_DUPFD_CLOEXEC, ABOVE);
    report = fcntl(report, F_DUPFD_CLOEXEC, ABOVE);
    bool ok = report >= 0;
    for (int i = 0; ok && i < 3; i++)
        ok = fds[i] >= 0 && place(fds[i], i);
    if (ok && close_range(ABOVE, ~0u, CLOSE_RANGE_CLOEXEC) == 0) {
        union {
            const char *const *given;
            char *const *taken; /* execvp does not write to them */
        } v = { argv };
        execvp(argv[0], v.taken);
    }
    int code = errno;
    if (write(report, &code, sizeof code) < 0)
        _exit(126);
    _exit(127);
}

/* 0 where exec succeeded. */
static int read_report(int fd)
{
    int code = 0;
    ssize_t n;
    do
        n = read(fd, &code, sizeof code);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof code ? code : 0;
}

static int reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static ck_err *launch(struct ck_program *p, const char *const argv[], int in, int out)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    p->pid = fork();
    int code = p->pid < 0 ? errno : 0;
    if (p->pid == 0)
        become(argv, in, out, p->err, report[1]);
    close(report[1]);
    if (p->pid > 0 && (code = read_report(report[0])))
        reap(p->pid);
    close(report[0]);
    errno = code;
    return code ? ck_err_errno(CK_ERR_UNAVAILABLE, "%s cannot be run", argv[0]) : NULL;
}

ck_err *ck_program_start(const char *const argv[], int in, int out, struct ck_program **ret)
{
    struct ck_program *p = ck_new(struct ck_program);
    p->err = memfd_create("said", MFD_CLOEXEC);
    ck_err *e = p->err < 0 ? ck_err_errno(CK_ERR_OURS, "memfd") : launch(p, argv, in, out);
    if (e) {
        if (p->err >= 0)
            close(p->err);
        free(p);
        return e;
    }
    *ret = p;
    return NULL;
}

/* --- ending ----------------------------------------------------------------------------------- */

static void read_tail(int fd, struct ck_buf *tail)
{
    const off_t max = (off_t)CK_MAX_PROGRAM_SAID;
    struct stat st;
    if (fstat(fd, &st) != 0)
        return;
    ck_autofree uint8_t *text = ck_calloc((size_t)max, 1);
    ssize_t n = pread(fd, text, (size_t)max, st.st_size > max ? st.st_size - max : 0);
    if (n > 0)
        ck_put_bytes(tail, ck_view_of(text, (size_t)n));
}

ck_err *ck_program_wait(struct ck_program *p, int *ret_status, struct ck_buf *tail)
{
    int status = reap(p->pid);
    if (tail)
        read_tail(p->err, tail);
    close(p->err);
    free(p);
    if (status < 0)
        return ck_err_new(CK_ERR_OURS, "a program's end was not seen");
    *ret_status = status;
    return NULL;
}

void ck_program_kill(struct ck_program *p)
{
    int status = 0;
    if (!p)
        return;
    kill(p->pid, SIGKILL);
    ck_err_free(ck_program_wait(p, &status, NULL));
}

ck_err *ck_program_failed(const char *what, int status, ck_view said)
{
    while (said.n && (said.p[said.n - 1] == '\n' || said.p[said.n - 1] == ' '))
        said.n--;
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s: status %d%s%.*s", what, status, said.n ? ": " : "",
                      CK_VF(said));
}

static ck_err *read_all(int fd, struct ck_buf *out)
{
    uint8_t piece[4096];
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ck_err_errno(CK_ERR_OURS, "reading from a program");
        if (n == 0)
            return NULL;
        CK_TRY(ck_buf_add(out, ck_view_of(piece, (size_t)n)));
    }
}

ck_err *ck_program_run(const char *const argv[], int in, struct ck_buf *out)
{
    struct ck_program *p = NULL;
    ck_autobuf struct ck_buf said = ck_buf_new(CK_LIMIT_NONE);
    int ends[2], status = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ck_err_errno(CK_ERR_OURS, "pipe");
    ck_err *e = ck_program_start(argv, in, ends[1], &p);
    close(ends[1]);
    if (!e) {
        e = read_all(ends[0], out);
        if (e)
            ck_program_kill(p);
        else
            e = ck_program_wait(p, &status, &said);
    }
    close(ends[0]);
    if (e)
        return ck_err_wrap(e, "%s", argv[0]);
    return status ? ck_program_failed(argv[0], status, ck_buf_view(&said)) : NULL;
}
