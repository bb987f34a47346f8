/* One document or blob from one endpoint of a registry: authentication, redirects, retries,
 * resuming.
 */
#ifndef CK_ROOM_REGISTRY_GET_H
#define CK_ROOM_REGISTRY_GET_H

#include "room/registry_auth.h"
#include "room/registry_jobs.h"

enum { CK_PLAIN_HOSTS = 16 };

/* What the room keeps from job to job. */
struct ck_registry_room {
    struct ck_net *net;
    struct ck_auth auth;
    char *plain[CK_PLAIN_HOSTS]; /* hosts that were found to speak HTTP only */
    size_t next_plain;
};

struct ck_get {
    struct ck_registry_room *room;
    const struct ck_job_registry *job;
    struct ck_stream *stream;
    /* What is asked for: */
    enum ck_http_method method;
    const char *target; /* "/v2/..." */
    const char *accept;
    bool stream_body; /* a blob: passed on as it comes; else collected in `document` */
    bool redirects;   /* may be followed */
    /* What came: */
    struct ck_buf document;
    uint64_t at;       /* the blob's next byte to be passed on */
    uint64_t began_at; /* where the first body began */
    bool began;
    bool secure; /* how the registry was spoken to at last */
};

/* *ret: the last answer, in `a`; its status is one that a job answers with. 200 means that the body
 * is whole. *ret_denied: why a 401 is final, where it is the token server that said so, else NULL.
 */
CK_MUST ck_err *ck_registry_get(struct ck_get *g, struct ck_arena *a, struct ck_http_answer *ret,
                                const char **ret_denied);

#endif
