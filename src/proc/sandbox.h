/* Makes a row of the rights table true for the calling process, for good: rlimits, no capabilities,
 * no_new_privs, landlock, then seccomp with "kill the process" for everything that is not listed.
 * Fails closed: an error means that the room must not start.
 */
#ifndef CK_PROC_SANDBOX_H
#define CK_PROC_SANDBOX_H

#include "base/err.h"
#include "proc/rights.h"

/* First half: all but seccomp. Threads that the room needs are started after this. `argument` is
 * the directory for `read_argument`, else NULL. */
CK_MUST ck_err *ck_sandbox_enter(enum ck_room room, const char *argument);
/* Second half: the system call filter, on all threads. */
CK_MUST ck_err *ck_sandbox_seal(enum ck_room room);

#endif
