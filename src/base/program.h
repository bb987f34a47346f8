/* Running a program of the system: a credential helper, podman, ctr. No shell is involved: argv[0]
 * is a path with a '/', or a name that is looked up in the absolute folders of PATH.
 *
 * The program gets its three standard descriptors and no other, a process group of its own,
 * default signals and the environment of this process. It is told to end (SIGTERM) when the thread
 * that started it ends.
 */
#ifndef CK_BASE_PROGRAM_H
#define CK_BASE_PROGRAM_H

#include "base/buf.h"

struct ck_program; /* one that runs */

/* The last bytes of what a program wrote to stderr, in lines. Escape it before it is shown. */
enum { CK_PROGRAM_TAIL = 2048 };

/* Starts argv (NULL ends it). in_fd and out_fd become its stdin and stdout and stay the caller's;
 * -1 is /dev/null. Its stderr is read and its end kept. Class USAGE where there is no such
 * program, UNAVAILABLE where it cannot be executed, else OURS. */
CK_MUST ck_err *ck_program_start(const char *const argv[], int in_fd, int out_fd,
                                 struct ck_program **ret);

/* The same for a program of the user's own that is to know nothing of ours: a session of its own,
 * and `env` (NULL ends it) instead of our environment. */
CK_MUST ck_err *ck_program_start_bare(const char *const argv[], const char *const env[], int in_fd,
                                      int out_fd, struct ck_program **ret);

/* Whether it has ended; waits for it for at most so long. It is there to be waited for (or stopped)
 * afterwards. */
bool ck_program_ended(struct ck_program *p, int timeout_ms);

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

#endif
