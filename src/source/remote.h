/* The hub's side of a registry: which endpoints to ask, in which order, and the small documents.
 * Layers come through arrivals.h.
 */
#ifndef CK_SOURCE_REMOTE_H
#define CK_SOURCE_REMOTE_H

#include "registry/config.h"
#include "room/registry_jobs.h"

/* Of one registry, in the place of mirrors and credentials of the files: those who have something
 * examined give what it is had with. */
struct ck_remote_given {
    const char *host;  /* as in names: "core.harbor.example", "core:8080" */
    bool plain_http;   /* it is asked by plain HTTP */
    const char *username, *password, *bearer; /* NULL where there are none */
};

struct ck_remote_options {
    struct ck_registry_paths paths;
    const struct ck_remote_given *given; /* NULL: none. Must outlive the remote */
    bool no_sandbox;
    bool allow_private; /* redirects and realms may lead to private addresses */
    bool no_mirrors;    /* the registry itself is asked, and nobody else */
    bool strangers;     /* the name comes from somebody else than who runs this: what
                           registries.conf does not speak of is asked at public addresses only */
};

struct ck_remote;

/* Reads the configuration and plans; asks nobody yet. `n` may be a short name. */
CK_MUST ck_err *ck_remote_new(const struct ck_name *n, const struct ck_remote_options *o,
                              struct ck_remote **ret);
void ck_remote_free(struct ck_remote *r);

const struct ck_name *ck_remote_name(const struct ck_remote *r); /* expanded */
const struct ck_registry_plan *ck_remote_plan(const struct ck_remote *r);
const struct ck_remote_options *ck_remote_options_of(const struct ck_remote *r);

/* One document from the first endpoint that has it: what failed before is in the error's text.
 * `j` is filled but for the endpoint. The bytes in `out` are unverified. Class UNAVAILABLE where
 * nobody has it, with the statuses. The answer lives in `a`. */
CK_MUST ck_err *ck_remote_document(struct ck_remote *r, struct ck_job_registry *j,
                                   struct ck_arena *a, struct ck_buf *out,
                                   struct ck_registry_answer *ret);
/* As that, but statuses that say "not here" are an answer like any other (status >= 400), of the
 * last endpoint asked. */
CK_MUST ck_err *ck_remote_ask(struct ck_remote *r, struct ck_job_registry *j, struct ck_arena *a,
                              struct ck_buf *out, struct ck_registry_answer *ret);

/* The manifest or index that a tag or digest names now. Its digest is computed; where one was asked
 * for, or where the registry claims another than what it sent, class HOSTILE. `max` is the size
 * that a descriptor states (`exact`), or DOCUMENT. *ret_type lives in `a`. */
struct ck_descriptor;
CK_MUST ck_err *ck_remote_manifest(struct ck_remote *r, const struct ck_descriptor *d,
                                   struct ck_arena *a, struct ck_buf *out,
                                   struct ck_digest *ret_digest, ck_view *ret_type);

/* Goes on with the other's room: its connections and tokens are kept. */
void ck_remote_inherit(struct ck_remote *r, struct ck_remote *from);

/* --- for those who speak to the room themselves ------------------------------------------------
 * */

/* Starts the room where *room is NULL, and the job; *ret_body is a pipe that carries the body. */
struct ck_room_proc;
CK_MUST ck_err *ck_remote_start(const struct ck_remote *r, const struct ck_job_registry *j,
                                struct ck_room_proc **room, int *ret_body);

/* Whether it is worth asking the next endpoint after this. */
bool ck_remote_may_go_on(const ck_err *e, const struct ck_registry_answer *answer);
/* The error for an answer that is no success. */
CK_FAILS ck_err *ck_remote_refused(const struct ck_endpoint *e, const struct ck_job_registry *j,
                                  const struct ck_registry_answer *answer);

#endif
