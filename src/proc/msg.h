/* The messages between the hub and its rooms: one table, exact lengths, both ends hold each other
 * to it. A room that sends anything else is killed and its image is reported as hostile.
 *
 * A frame is one SOCK_SEQPACKET packet: length of the payload (32 bit), type (16 bit), zero (16
 * bit), payload. Descriptors travel only with the hub's jobs.
 */
#ifndef CK_PROC_MSG_H
#define CK_PROC_MSG_H

#include "base/err.h"
#include "base/limits.h"
#include "base/view.h"

struct ck_buf;

/* Who may send it. */
enum ck_side { CK_HUB, CK_ROOM };

/* A room is STARTING until its sandbox holds, then IDLE; a job makes it BUSY. */
enum ck_state { CK_STARTING, CK_IDLE, CK_BUSY };

enum { CK_FRAME_HEADER = 8, CK_FRAME_PAYLOAD = 65536 - CK_FRAME_HEADER, CK_FRAME_FDS = 2 };

/* X(type, sender, state before, state after, shortest, longest payload, descriptors) */
#define CK_MESSAGES(X)                                                                          \
    /* room -> hub: the sandbox holds; 1: it was switched off by --insecure-no-sandbox */       \
    X(READY, CK_ROOM, CK_STARTING, CK_IDLE, 1, 1, 0)                                            \
    /* hub -> room: what to do (room/jobs.h), with what it may read */                          \
    X(JOB, CK_HUB, CK_IDLE, CK_BUSY, 1, CK_FRAME_PAYLOAD, 1)                                    \
    /* as JOB, with a second descriptor: what it writes to, or learns of its input by */         \
    X(JOB_OUT, CK_HUB, CK_IDLE, CK_BUSY, 1, CK_FRAME_PAYLOAD, 2)                                \
    /* room -> hub: the next bytes of the job's result */                                       \
    X(PIECE, CK_ROOM, CK_BUSY, CK_BUSY, 1, CK_FRAME_PAYLOAD, 0)                                 \
    /* room -> hub: bytes of input done so far; proves that the room is alive */                \
    X(PROGRESS, CK_ROOM, CK_BUSY, CK_BUSY, 8, 8, 0)                                             \
    /* room -> hub: the result is complete */                                                   \
    X(DONE, CK_ROOM, CK_BUSY, CK_IDLE, 0, 0, 0)                                                 \
    /* room -> hub: error class, limit, text; the result so far is void */                      \
    X(FAILED, CK_ROOM, CK_BUSY, CK_IDLE, 5, 5 + 4 * 1024, 0)                                    \
    /* room -> hub: the sandbox could not be built; as FAILED */                                \
    X(NO_SANDBOX, CK_ROOM, CK_STARTING, CK_STARTING, 5, 5 + 4 * 1024, 0)

enum ck_msg_type {
    CK_MSG_NONE,
#define X(type, sender, before, after, min, max, fds) CK_MSG_##type,
    CK_MESSAGES(X)
#undef X
    CK_MSG_COUNT_
};
const char *ck_msg_name(enum ck_msg_type t);

struct ck_msg {
    enum ck_msg_type type;
    ck_view payload; /* lives until the next receive on the channel */
    int fds[CK_FRAME_FDS]; /* the receiver owns them; -1 where there is none */
};

/* One end of a connection. */
struct ck_channel {
    int fd;
    enum ck_side side; /* ours */
    enum ck_state state;
    uint8_t frame[CK_FRAME_HEADER + CK_FRAME_PAYLOAD];
};

/* Takes over `fd`. Channels are large: allocate them. */
void ck_channel_init(struct ck_channel *c, int fd, enum ck_side side);
void ck_channel_close(struct ck_channel *c);

/* Sends; breaking the table is our bug and aborts. Descriptors stay the caller's. A peer that is
 * gone gives class OURS. */
CK_MUST ck_err *ck_channel_send(struct ck_channel *c, enum ck_msg_type type, ck_view payload,
                                const int *fds);
/* Receives one message and checks it against the table: what breaks it is class HOSTILE.
 * *ret_end is true, without a message, when the peer has closed. */
CK_MUST ck_err *ck_channel_recv(struct ck_channel *c, struct ck_msg *ret, bool *ret_end);

/* FAILED's payload. Decoding gives the error itself (never NULL). */
void ck_msg_put_error(struct ck_buf *out, const ck_err *e);
ck_err *ck_msg_get_error(ck_view payload);

#endif
