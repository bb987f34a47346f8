/* Rooms: the same program, executed again with nothing but a channel (and for rootfs the name of
 * its directory), and the hub's side of talking to them.
 */
#ifndef CK_PROC_SPAWN_H
#define CK_PROC_SPAWN_H

#include "base/buf.h"
#include "proc/msg.h"
#include "proc/rights.h"

#include <sys/types.h>

struct ck_room_proc; /* a running room, as the hub sees it */

struct ck_room_options {
    const char *argument; /* rootfs: the directory */
    bool no_sandbox;      /* --insecure-no-sandbox */
    int patience_ms;      /* how long it may be silent; 0: ROOM_IDLE */
};

/* Starts a room and waits until its sandbox holds. Class OURS where it cannot be built. */
CK_MUST ck_err *ck_room_start(enum ck_room kind, const struct ck_room_options *o,
                              struct ck_room_proc **ret);
/* Ends it, if need be by force. */
void ck_room_stop(struct ck_room_proc *r);

/* Gives it a job. `in` is what it may read; `out` -1 or what it may write (or, for a blob that is
 * still arriving, learns of its input by). */
CK_MUST ck_err *ck_room_job(struct ck_room_proc *r, ck_view job, int in, int out);

/* Where the pieces of a result go. `progress` may be NULL. */
struct ck_room_consumer {
    ck_err *(*piece)(void *ctx, ck_view bytes);
    void (*progress)(void *ctx, uint64_t bytes_done);
    void *ctx;
};

/* Handles what the room sent, one message; call it when ck_room_fd is readable (or to block).
 * *ret_done is true after DONE. The error of a room that failed, crashed, was killed by a limit or
 * spoke out of turn names what happened; the room is of no more use after one. */
CK_MUST ck_err *ck_room_step(struct ck_room_proc *r, const struct ck_room_consumer *c,
                             bool *ret_done);
int ck_room_fd(const struct ck_room_proc *r);
/* Waits for readability for at most ROOM_IDLE; class LIMIT when the room is stuck. */
CK_MUST ck_err *ck_room_poll(struct ck_room_proc *r);
/* Milliseconds until it counts as stuck; for those who poll many. 0: it is stuck. */
int ck_room_patience(const struct ck_room_proc *r);
CK_MUST ck_err *ck_room_stuck(struct ck_room_proc *r); /* the error for it */
/* It waits for something that is not its own: its silence so far does not count. */
void ck_room_excuse(struct ck_room_proc *r);

/* For a room that became another program (verify): waits for its end, *ret_status as of exit(3). A
 * death by signal or limit is an error. */
CK_MUST ck_err *ck_room_wait_exit(struct ck_room_proc *r, int *ret_status);

/* All steps of the job that was given, until DONE. `c` NULL: the job has no result, and a piece of
 * one is hostile. */
CK_MUST ck_err *ck_room_finish(struct ck_room_proc *r, const struct ck_room_consumer *c);

/* Job, all steps, result collected into `out` (whose limit holds). */
CK_MUST ck_err *ck_room_call(struct ck_room_proc *r, ck_view job, int in, struct ck_buf *out);

/* --- the room's side -------------------------------------------------------------------------- */

/* What a room does. `load` runs before the sandbox, for what has to be opened (libraries, the CA
 * store); `prepare` behind landlock and before the system call filter, for threads: both see no
 * foreign byte and may be NULL. `run` does one job: sends pieces through `ch`; its error becomes
 * FAILED. */
struct ck_room_body {
    ck_err *(*load)(void **ret_state);
    ck_err *(*prepare)(void **ret_state);
    ck_err *(*run)(void *state, struct ck_channel *ch, ck_view job, int in, int out);
};

/* If this process was started as a room (argv[0]), does its work and exits; else returns. Must be
 * the first thing in main. */
void ck_room_main(int argc, char **argv, const struct ck_room_body bodies[CK_ROOM_COUNT_]);

/* Sends `bytes` as PIECEs. */
CK_MUST ck_err *ck_room_send(struct ck_channel *ch, ck_view bytes);
CK_MUST ck_err *ck_room_progress(struct ck_channel *ch, uint64_t bytes_done);

#endif
