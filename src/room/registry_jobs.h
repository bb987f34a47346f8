/* What the hub asks of the registry room, and what it answers. One job is one document or blob from
 * one endpoint; the room knows the protocol (tokens, redirects, retries, resuming by Range), holds
 * connections and tokens from job to job, and decides nothing about trust: every byte goes into the
 * descriptor it was handed, unverified.
 */
#ifndef CK_ROOM_REGISTRY_JOBS_H
#define CK_ROOM_REGISTRY_JOBS_H

#include "base/arena.h"
#include "base/buf.h"
#include "image/digest.h"
#include "registry/config.h"

enum ck_registry_op {
    CK_REGISTRY_MANIFEST,  /* GET manifests/REF; Accept lists what image/media.h knows as
                              manifests */
    CK_REGISTRY_HEAD,      /* HEAD manifests/REF: only the answer (falls back to GET on 405) */
    CK_REGISTRY_BLOB,      /* GET blobs/DIGEST */
    CK_REGISTRY_REFERRERS, /* GET referrers/DIGEST, all pages joined by the hub asking again with
                              `next` (it counts the pages: a registry may have no last one);
                              404: the tag fallback sha256-HEX, as a manifest; that 404 too: none */
    CK_REGISTRY_CATALOG,   /* GET _catalog, and */
    CK_REGISTRY_TAGS,      /* GET tags/list: the names of one page, a line each, of visible ASCII;
                              pages are joined as those of REFERRERS are */
    CK_REGISTRY_OP_COUNT_
};

/* The job's `in` is not read: hand any descriptor. `out` must be a pipe (the room may write to no
 * file); HEAD needs none. A document is written when it is complete, a blob as it arrives. */
struct ck_job_registry {
    enum ck_registry_op op;
    struct ck_endpoint endpoint;
    ck_view reference;  /* MANIFEST, HEAD: tag or digest text; BLOB, REFERRERS: digest text; else
                           anything */
    ck_view next;       /* REFERRERS, CATALOG, TAGS: the answer's `next`, or empty */
    uint64_t offset;    /* BLOB: bytes that are there already; sent as Range */
    uint64_t max;       /* most bytes of the body, counted from the blob's start: more is refused
                           (class LIMIT for documents, HOSTILE for a blob longer than its
                           descriptor); of a document at most CK_MAX_DOCUMENT */
    bool exact;         /* the body must have just `max` bytes in all */
    bool allow_private; /* redirects and realms may lead to private addresses */
    unsigned tries;     /* 0: 5; at most 100 */
};
/* A job is one frame: class USAGE where certificates or secrets of the endpoint are too large for
 * it (REGISTRY_CA, REGISTRY_SECRET, ...). */
CK_MUST ck_err *ck_job_registry_encode(const struct ck_job_registry *j, struct ck_buf *out);
CK_MUST ck_err *ck_job_registry_decode(ck_view job, struct ck_arena *a,
                                       struct ck_job_registry *ret);

/* The result: one of these. Statuses that mean "not here" (401 or 403 after authentication was
 * tried, 404) come as an answer; broken connections, 5xx and 429 that outlast the tries come as
 * FAILED, class UNAVAILABLE, with what the registry said. */
struct ck_registry_answer {
    unsigned status;      /* 200; 404, 401, 403, ... */
    ck_view content_type; /* without parameters, lower case, or empty */
    ck_view digest;       /* Docker-Content-Digest as sent, or empty: a claim, nothing more */
    ck_view next;         /* REFERRERS, CATALOG, TAGS: a further page, to be passed back */
    ck_view message;      /* of an error: what the registry says, one line */
    ck_view warning;      /* Warning: 299 headers' texts, joined by newlines, or empty */
    uint64_t length;      /* bytes written to the descriptor by this job */
    uint64_t resumed_at;  /* BLOB: where the body began: `offset`, or 0 where the registry does not
                             know ranges. The bytes before `offset` are then skipped by the room */
    bool filtered;        /* REFERRERS: by the tag fallback */
};
void ck_registry_answer_encode(const struct ck_registry_answer *r, struct ck_buf *out);
CK_MUST ck_err *ck_registry_answer_decode(ck_view bytes, struct ck_arena *a,
                                          struct ck_registry_answer *ret);

#endif
