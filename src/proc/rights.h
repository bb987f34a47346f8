/* The rights of every room, on one screen. The table is in rights.c; sandbox.c makes it true;
 * test_sandbox.c tries to break it. */
#ifndef CK_PROC_RIGHTS_H
#define CK_PROC_RIGHTS_H

#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum ck_room {
    CK_ROOM_DOCUMENT, /* index, manifest, config */
    CK_ROOM_ARCHIVE,  /* the outer tar of docker-archive and oci-archive */
    CK_ROOM_INSPECT,  /* one layer */
    CK_ROOM_ROOTFS,   /* one directory tree */
    CK_ROOM_FEED,     /* one feed's bytes */
    CK_ROOM_FETCH,    /* the network: feeds */
    CK_ROOM_REGISTRY, /* the network: images */
    CK_ROOM_DAEMON,   /* one unix socket: the API of a container engine */
    CK_ROOM_UNPACK,   /* layers into one directory */
    CK_ROOM_VERIFY,   /* gpgv on a Release file */
    CK_ROOM_SERVE,    /* clients of the gate: HTTP and TLS */
    CK_ROOM_NOTIFY,   /* the network: webhooks and mail */
    CK_ROOM_COUNT_
};

/* Sets of system calls; sandbox.c lists them. */
enum {
    CK_CALLS_CORE = 0,         /* memory, time, read, write, exit, the channel; always */
    CK_CALLS_THREADS = 1 << 0, /* futex and what a thread needs to end */
    CK_CALLS_SPAWN_THREADS = 1 << 1, /* clone, for threads only */
    CK_CALLS_FILES = 1 << 2,   /* open, stat, read directories: where landlock allows */
    CK_CALLS_NETWORK = 1 << 3, /* sockets, but no unix socket: engines listen there */
    CK_CALLS_TREE = 1 << 5,    /* make and remove files where landlock allows */
    CK_CALLS_EXEC = 1 << 4,    /* become another program, of the paths named here only */
    CK_CALLS_UNIX = 1 << 6,    /* unix sockets and no others */
    CK_CALLS_SERVE = 1 << 7,   /* connections of sockets that it was handed; it makes none */
};

struct ck_rights {
    const char *name;
    unsigned calls;         /* CK_CALLS_* */
    enum ck_limit memory;   /* RLIMIT_DATA */
    enum ck_limit cpu;      /* RLIMIT_CPU; NONE: it runs for as long as the program */
    enum ck_limit write;    /* RLIMIT_FSIZE; NONE: no file can grow */
    const char *const *read_paths; /* landlock: read-only; NULL-terminated, or NULL */
    const char *const *exec_paths; /* landlock: read and execute */
    bool read_argument;     /* landlock: read-only on the directory the hub names */
    bool write_argument;    /* landlock: make, write and remove below that directory */
    enum ck_limit result;   /* ceiling of all PIECEs of a job; NONE: the consumer limits */
};

const struct ck_rights *ck_rights_of(enum ck_room room);

#endif
