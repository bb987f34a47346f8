<<<<<<< HEAD
/* Running a program of the operator's own (podman, ctr, a credential helper): found in PATH, without
 * a shell, with the caller's environment.
=======
/* Running a program of the system: a credential helper, podman, ctr. No shell is involved: argv[0]
 * is a path with a '/', or a name that is looked up in the absolute folders of PATH.
 *
 * The program gets its three standard descriptors and no other, a process group of its own,
 * default signals and the environment of this process. It is told to end (SIGTERM) when the thread
 * that started it ends.
>>>>>>> lead
 */
#ifndef CK_BASE_PROGRAM_H
#define CK_BASE_PROGRAM_H

#include "base/buf.h"

<<<<<<< HEAD
struct ck_program;

/* Starts argv[0] with `in` as its standard input and `out` as its standard output; -1: /dev/null.
 * Both stay the caller's; no other descriptor is handed on. What it says on standard error is kept.
 * Class UNAVAILABLE where there is no such program. */
CK_MUST ck_err *ck_program_start(const char *const argv[], int in, int out,
                                 struct ck_program **ret);

/* Waits for its end and frees it in any case. *ret_status is as of exit(3), or 128 and the signal
 * that ended it. `tail` (may be NULL) gets the last of standard error, at most PROGRAM_SAID bytes,
 * foreign text: escape it. */
CK_MUST ck_err *ck_program_wait(struct ck_program *p, int *ret_status, struct ck_buf *tail);

/* Ends it if it still runs, and frees it. NULL is fine. */
void ck_program_kill(struct ck_program *p);

/* Runs it to its end: what it wrote goes to `out` (whose limit holds; the program is ended when it
 * says more). A status other than 0 is an error of class UNAVAILABLE with what it said. */
CK_MUST ck_err *ck_program_run(const char *const argv[], int in, struct ck_buf *out);

/* The error for a status other than 0: "podman load: status 125: what it said". */
CK_MUST ck_err *ck_program_failed(const char *what, int status, ck_view said);
=======
struct ck_program; /* one that runs */

/* The last bytes of what a program wrote to stderr, in lines. Escape it before it is shown. */
enum { CK_PROGRAM_TAIL = 2048 };

/* Starts argv (NULL ends it). in_fd and out_fd become its stdin and stdout and stay the caller's;
 * -1 is /dev/null. Its stderr is read and its end kept. Class USAGE where there is no such
 * program, UNAVAILABLE where it cannot be executed, else OURS. */
CK_MUST ck_err *ck_program_start(const char *const argv[], int in_fd, int out_fd,
                                 struct ck_program **ret);

/* Waits until it ends and frees it. *ret_status is its exit status, or 128 plus the signal that
 * ended it. ret_tail may be NULL; the caller frees *ret_tail. What it left running in its process
 * group is killed. */
void ck_program_wait(struct ck_program *p, int *ret_status, char **ret_tail);

/* Kills its process group and frees it. NULL is fine. */
void ck_program_stop(struct ck_program *p);

/* All in one: `in` to its stdin, its stdout to `out`, whose ceiling holds. It is killed when the
 * ceiling is reached (class LIMIT) or when `timeout_ms` have passed (class UNAVAILABLE; 0: it has
 * all the time). A program that does not read all of its input is no error. */
CK_MUST ck_err *ck_program_run(const char *const argv[], ck_view in, struct ck_buf *out,
                               int timeout_ms, int *ret_status, char **ret_tail);
>>>>>>> lead

#endif
