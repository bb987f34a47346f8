#include "proc/rights.h"

#include <stddef.h>

/* What name resolution reads; the CA store is read before the sandbox. */
static const char *const resolver[] = {
    "/etc/resolv.conf", "/etc/hosts",     "/etc/nsswitch.conf", "/etc/host.conf",
    "/etc/gai.conf",    "/etc/services",  "/run/systemd/resolve", NULL,
};

/* gpgv, its libraries, and the keyrings it is given. */
static const char *const gpgv[] = { "/usr", "/lib", "/lib64", "/bin", NULL };
static const char *const gpgv_data[] = { "/etc/ld.so.cache", "/etc/apt/trusted.gpg.d",
                                         "/etc/apt/keyrings", "/dev/null", NULL };

static const struct ck_rights rights[CK_ROOM_COUNT_] = {
    [CK_ROOM_DOCUMENT] = { .name = "document",
                           .memory = CK_LIMIT_ROOM_MEMORY,
                           .cpu = CK_LIMIT_ROOM_CPU,
                           .result = CK_LIMIT_FACTS },
    [CK_ROOM_ARCHIVE] = { .name = "archive",
                          .memory = CK_LIMIT_XZ_ROOM_MEMORY,
                          .cpu = CK_LIMIT_ROOM_CPU,
                          .result = CK_LIMIT_FACTS },
    [CK_ROOM_INSPECT] = { .name = "inspect",
                          .calls = CK_CALLS_THREADS,
                          .memory = CK_LIMIT_ROOM_MEMORY,
                          .cpu = CK_LIMIT_ROOM_CPU,
                          .result = CK_LIMIT_FACTS },
    [CK_ROOM_ROOTFS] = { .name = "rootfs",
                         .calls = CK_CALLS_FILES,
                         .memory = CK_LIMIT_ROOM_MEMORY,
                         .cpu = CK_LIMIT_ROOM_CPU,
                         .read_argument = true,
                         .result = CK_LIMIT_FACTS },
    [CK_ROOM_FEED] = { .name = "feed",
                       .memory = CK_LIMIT_FEED_MEMORY,
                       .cpu = CK_LIMIT_ROOM_CPU,
                       .result = CK_LIMIT_NONE },
    [CK_ROOM_FETCH] = { .name = "fetch",
                        .calls = CK_CALLS_THREADS | CK_CALLS_SPAWN_THREADS | CK_CALLS_FILES |
                                 CK_CALLS_NETWORK,
                        .memory = CK_LIMIT_ROOM_MEMORY,
                        .cpu = CK_LIMIT_ROOM_CPU,
                        .write = CK_LIMIT_FEED,
                        .read_paths = resolver,
                        .result = CK_LIMIT_DOCUMENT },
    [CK_ROOM_UNPACK] = { .name = "unpack",
                         .calls = CK_CALLS_FILES | CK_CALLS_TREE,
                         .memory = CK_LIMIT_UNPACK_MEMORY,
                         .cpu = CK_LIMIT_ROOM_CPU,
                         .write = CK_LIMIT_UNPACK_TREE,
                         .read_argument = true,
                         .write_argument = true,
                         .result = CK_LIMIT_ANSWER },
    /* Writes to pipes only, which RLIMIT_FSIZE does not count. */
    [CK_ROOM_REGISTRY] = { .name = "registry",
                           .calls = CK_CALLS_THREADS | CK_CALLS_SPAWN_THREADS | CK_CALLS_FILES |
                                    CK_CALLS_NETWORK,
                           .memory = CK_LIMIT_ROOM_MEMORY,
                           .cpu = CK_LIMIT_ROOM_CPU,
                           .read_paths = resolver,
                           .result = CK_LIMIT_DOCUMENT },
    [CK_ROOM_DAEMON] = { .name = "daemon",
                         .calls = CK_CALLS_THREADS | CK_CALLS_UNIX,
                         .memory = CK_LIMIT_ROOM_MEMORY,
                         .cpu = CK_LIMIT_ROOM_CPU,
                         .result = CK_LIMIT_DOCUMENT },
    [CK_ROOM_VERIFY] = { .name = "verify",
                         .calls = CK_CALLS_FILES | CK_CALLS_EXEC,
                         .memory = CK_LIMIT_ROOM_MEMORY,
                         .cpu = CK_LIMIT_ROOM_CPU,
                         .write = CK_LIMIT_CHANGELOG,
                         .read_paths = gpgv_data,
                         .exec_paths = gpgv,
                         .read_argument = true, /* the keyring */
                         .result = CK_LIMIT_NONE },
    /* Writes sealed memory only, which holds a manifest. */
    [CK_ROOM_SERVE] = { .name = "serve",
                        .calls = CK_CALLS_THREADS | CK_CALLS_SPAWN_THREADS | CK_CALLS_SERVE,
                        .memory = CK_LIMIT_SERVE_MEMORY,
                        .write = CK_LIMIT_DOCUMENT,
                        .result = CK_LIMIT_NONE },
    [CK_ROOM_NOTIFY] = { .name = "notify",
                         .calls = CK_CALLS_THREADS | CK_CALLS_SPAWN_THREADS | CK_CALLS_FILES |
                                  CK_CALLS_NETWORK,
                         .memory = CK_LIMIT_ROOM_MEMORY,
                         .cpu = CK_LIMIT_ROOM_CPU,
                         .read_paths = resolver,
                         .result = CK_LIMIT_ANSWER },
};

const struct ck_rights *ck_rights_of(enum ck_room room)
{
    return (unsigned)room < CK_ROOM_COUNT_ ? &rights[room] : NULL;
}
