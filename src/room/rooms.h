/* The bodies of the rooms: what runs inside the sandbox. */
#ifndef CK_ROOM_ROOMS_H
#define CK_ROOM_ROOMS_H

#include "proc/spawn.h"

/* One row a room; for ck_room_main. */
extern const struct ck_room_body ck_room_bodies[CK_ROOM_COUNT_];

ck_err *ck_room_document(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_archive(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_inspect_prepare(void **ret_state);
ck_err *ck_room_inspect(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_rootfs(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_feed(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_fetch(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_unpack_prepare(void **ret_state);
ck_err *ck_room_unpack(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_registry_load(void **ret_state);
ck_err *ck_room_registry(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_daemon(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_notify(void *state, struct ck_channel *ch, ck_view job, int in, int out);
ck_err *ck_room_verify(void *state, struct ck_channel *ch, ck_view job, int in, int out);

#endif
