/* The bytes that a room passes on from a connection to a pipe, and the word to the hub that it is
 * alive while it waits for either.
 */
#ifndef CK_ROOM_STREAM_H
#define CK_ROOM_STREAM_H

#include "base/err.h"
#include "base/view.h"

struct ck_channel;

struct ck_stream {
    struct ck_channel *ch;
    int out;         /* -1: there is none, what is written is dropped */
    uint64_t written; /* to `out` */
    uint64_t done;   /* what PROGRESS counts */
    uint64_t told;   /* of it, in the last PROGRESS */
    int64_t told_at; /* monotonic ms */
};

/* A pipe is made non-blocking, so that a slow reader does not look like a stuck room. */
struct ck_stream ck_stream_new(struct ck_channel *ch, int out);

/* All of `v`; counts it as written and done. A reader that has gone is class OURS. */
CK_MUST ck_err *ck_stream_write(struct ck_stream *s, ck_view v);
/* PROGRESS, where a second or a MiB has passed since the last. */
CK_MUST ck_err *ck_stream_tell(struct ck_stream *s);
/* Sleeps, and tells meanwhile. */
CK_MUST ck_err *ck_stream_pause(struct ck_stream *s, int64_t ms);

#endif
