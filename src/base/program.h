/* Running a program of the operator's own (podman, ctr, a credential helper): found in PATH, without
 * a shell, with the caller's environment.
 */
#ifndef CK_BASE_PROGRAM_H
#define CK_BASE_PROGRAM_H

#include "base/buf.h"

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

#endif
