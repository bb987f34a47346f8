/* Talking to a container engine over its unix socket (Docker Engine API), through the daemon room:
 * the hub opens no socket and parses no HTTP.
 */
#ifndef CK_SOURCE_ENGINE_H
#define CK_SOURCE_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "room/daemon_jobs.h"

struct ck_engine;

/* The socket is that of $DOCKER_HOST (unix://PATH), else /var/run/docker.sock. Class UNAVAILABLE
 * where $DOCKER_HOST names another kind. Asks nobody yet. */
CK_MUST ck_err *ck_engine_open(bool no_sandbox, struct ck_engine **ret);
void ck_engine_close(struct ck_engine *e);

struct ck_engine_request {
    enum ck_daemon_method method;
    const char *target; /* from '/' on */
    int in;             /* body of a POST; else -1 */
    uint64_t max;       /* bytes of the answer's body */
    /* Gets the body of a successful answer, on a thread of its own. */
    ck_err *(*put)(void *ctx, ck_view piece);
    void *ctx;
};
/* *ret_status as HTTP has it. *ret_message: what the engine says of a failure, in `a`; foreign. */
CK_MUST ck_err *ck_engine_request(struct ck_engine *e, const struct ck_engine_request *r,
                                  struct ck_arena *a, unsigned *ret_status, ck_view *ret_message);

/* For `put`: appends to the struct ck_buf `ctx`. */
CK_MUST ck_err *ck_engine_collect(void *ctx, ck_view piece);

/* The error for a status that is no success. */
CK_FAILS ck_err *ck_engine_refused(const char *what, unsigned status, ck_view message);

#endif
