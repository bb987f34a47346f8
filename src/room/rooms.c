#include "room/rooms.h"

#include "room/net.h"
#include "serve/room.h"

const struct ck_room_body ck_room_bodies[CK_ROOM_COUNT_] = {
    [CK_ROOM_DOCUMENT] = { .run = ck_room_document },
    [CK_ROOM_ARCHIVE] = { .run = ck_room_archive },
    [CK_ROOM_INSPECT] = { .prepare = ck_room_inspect_prepare, .run = ck_room_inspect },
    [CK_ROOM_ROOTFS] = { .run = ck_room_rootfs },
    [CK_ROOM_FEED] = { .run = ck_room_feed },
    [CK_ROOM_FETCH] = { .load = ck_net_load, .run = ck_room_fetch },
    [CK_ROOM_UNPACK] = { .prepare = ck_room_unpack_prepare, .run = ck_room_unpack },
    [CK_ROOM_REGISTRY] = { .load = ck_room_registry_load, .run = ck_room_registry },
    [CK_ROOM_DAEMON] = { .load = ck_net_load, .run = ck_room_daemon },
    [CK_ROOM_VERIFY] = { .run = ck_room_verify },
    [CK_ROOM_NOTIFY] = { .load = ck_net_load, .run = ck_room_notify },
    [CK_ROOM_SERVE] = { .load = ck_room_serve_load, .run = ck_room_serve },
};
