/* The body of the serve room. Its job is struct ck_serve_config, its descriptor the wire; it runs
 * until it is told to drain or the wire is closed, and sends PROGRESS every ten seconds.
 */
#ifndef CK_SERVE_ROOM_H
#define CK_SERVE_ROOM_H

#include "proc/spawn.h"

CK_MUST ck_err *ck_room_serve_load(void **ret_state);
CK_MUST ck_err *ck_room_serve(void *state, struct ck_channel *ch, ck_view job, int in, int out);

#endif
