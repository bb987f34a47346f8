#include "cmd/secret.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Up to the end of a line; more than a password may have is cut, and refused by its length. */
static ck_err *read_line(int fd, struct ck_arena *a, ck_view *ret)
{
    const size_t most = CK_MAX_PASSWORD + 1;
    ck_autofree char *line = ck_calloc(most, 1);
    size_t n = 0;
    ssize_t got = 1;
    while (n < most && (got = read(fd, line + n, 1)) == 1 && line[n] != '\n')
        n++;
    if (got < 0)
        return ck_err_errno(CK_ERR_OURS, "reading the password");
    *ret = ck_arena_dup(a, ck_view_of(line, n));
    explicit_bzero(line, most);
    return NULL;
}

ck_err *ck_secret_read_stdin(struct ck_arena *a, ck_view *ret)
{
    return read_line(STDIN_FILENO, a, ret);
}

static ck_err *ask_once(int tty, const char *who, const char *again, struct ck_arena *a,
                        ck_view *ret)
{
    const char *prompt = ck_arena_format(a, "Password of %s%s: ", who, again);
    CK_TRY(ck_write_all(tty, ck_view_str(prompt)));
    ck_err *e = read_line(tty, a, ret);
    ck_err_free(ck_write_all(tty, CK_V("\n"))); /* what was typed has ended no line */
    return e;
}

static ck_err *ask_twice(int tty, const char *who, struct ck_arena *a, ck_view *ret)
{
    ck_view first, second;
    CK_TRY(ask_once(tty, who, "", a, &first));
    CK_TRY(ask_once(tty, who, ", once more", a, &second));
    if (!ck_view_eq(first, second))
        return ck_err_new(CK_ERR_USAGE, "these were two different passwords");
    *ret = first;
    return NULL;
}

ck_err *ck_secret_ask(const char *who, struct ck_arena *a, ck_view *ret)
{
    struct termios was, quiet;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0 || tcgetattr(tty, &was) != 0) {
        if (tty >= 0)
            close(tty);
        return ck_err_new(CK_ERR_USAGE, "there is no terminal to ask for a password: give it with "
                          "--password-stdin");
    }
    quiet = was;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    ck_err *e = NULL;
    if (tcsetattr(tty, TCSAFLUSH, &quiet) != 0)
        e = ck_err_errno(CK_ERR_OURS, "the terminal");
    if (!e)
        e = ask_twice(tty, who, a, ret);
    tcsetattr(tty, TCSAFLUSH, &was);
    close(tty);
    return e;
}
