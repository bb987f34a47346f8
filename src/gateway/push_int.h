/* Shared by push.c, upload.c, transfer.c, claims.c and put.c only. */
#ifndef CK_GATEWAY_PUSH_INT_H
#define CK_GATEWAY_PUSH_INT_H

#include "gateway/gateway_int.h"

#include <pthread.h>

/* --- claims.c: blobs that were pushed and may be in no manifest yet --------------------------- */

/* One lease for all that comes in within a while; it ends with the last that needs it. */
struct ck_hold {
    struct ck_lease *lease;
    int64_t since;
    size_t users;
};

struct ck_claim;
struct ck_claims {
    struct ck_claim **buckets;
    size_t n;
    struct ck_claim *oldest, *newest; /* in the order in which they were made */
    struct ck_hold *current;
};
/* All under the mutex of ck_uploads. `now`: seconds of a clock that only goes on. */
CK_MUST ck_err *ck_hold_get(struct ck_gateway *g, struct ck_claims *c, int64_t now,
                            struct ck_hold **ret);
void ck_hold_put(struct ck_claims *c, struct ck_hold *h);
/* Keeps `h` in use. Where there are too many, the oldest goes. */
void ck_claim_add(struct ck_claims *c, ck_view repository, const struct ck_digest *d,
                  struct ck_hold *h, int64_t now);
bool ck_claim_has(const struct ck_claims *c, ck_view repository, const struct ck_digest *d);
bool ck_claim_drop(struct ck_claims *c, ck_view repository, const struct ck_digest *d);
/* Repositories where it is claimed, one after the other: `after` NULL for the first; NULL ends. */
const struct ck_claim *ck_claim_next(const struct ck_claims *c, const struct ck_digest *d,
                                     const struct ck_claim *after);
ck_view ck_claim_repository(const struct ck_claim *c);
void ck_claims_expire(struct ck_claims *c, int64_t now);
void ck_claims_free(struct ck_claims *c);

/* --- upload.c --------------------------------------------------------------------------------- */

struct ck_transfer; /* transfer.c */

struct ck_upload {
    struct ck_upload *next;
    char id[33];
    char *repository, *user;
    struct ck_hold *hold;
    struct ck_incoming *in;
    enum ck_digest_algorithm alg;
    struct ck_hash *hash;  /* of the first `offset` bytes; NULL: to be read again at the end */
    uint64_t offset;       /* that count */
    int64_t touched;
    bool busy;             /* a transfer or its end is at work on it: nobody else frees it */
    struct ck_transfer *transfer;
};

struct ck_uploads {
    pthread_mutex_t mutex;
    pthread_mutex_t naming; /* over look and leap of immutable tags */
    pthread_cond_t quiet;
    struct ck_upload *first;
    size_t n;
    unsigned threads;
    atomic_bool ending;
    struct ck_claims claims;
};

int64_t ck_push_now(void);
/* Out of the list, and freed. Under the mutex. */
void ck_upload_end(struct ck_uploads *u, struct ck_upload *up);

/* What a call will be answered, once the mutex is free. */
struct ck_outcome {
    struct ck_call *call;
    uint16_t status;
    ck_err *error;
    enum ck_oci_error code; /* of an error that is the client's */
    const char *id;         /* in the call's arena; NULL: the upload is gone */
    uint64_t offset;
    int fd;
};
struct ck_outcome ck_outcome_of(struct ck_call *c, const struct ck_upload *up, uint16_t status);
void ck_outcome_say(const struct ck_outcome *o);

void ck_upload_start(struct ck_call *c, const struct ck_place *p);
void ck_upload_data(struct ck_call *c, const struct ck_place *p);
void ck_upload_data_end(struct ck_call *c, const struct ck_place *p);
void ck_upload_status(struct ck_call *c, const struct ck_place *p);
void ck_upload_finish(struct ck_call *c, const struct ck_place *p);
void ck_upload_cancel(struct ck_call *c, const struct ck_place *p);

/* --- transfer.c: bytes of an upload, from a pipe to the file ---------------------------------- */

/* All under the mutex. Starts it; *ret_fd is the end to write to. The upload is busy until the
 * transfer is ended. */
CK_MUST ck_err *ck_transfer_start(struct ck_gateway *g, struct ck_upload *up, int *ret_fd);
/* The call says how many bytes there were, and whether they count. True: *ret is its answer; else
 * the thread answers once it has them all. */
bool ck_transfer_end(struct ck_uploads *u, struct ck_upload *up, struct ck_call *c,
                     struct ck_outcome *ret);
/* Where all bytes are through and nobody said that they count (the room that sent them is gone),
 * they are taken back, and the upload is not busy any more. */
void ck_transfer_forget(struct ck_upload *up);

/* --- put.c: manifests ------------------------------------------------------------------------- */

void ck_manifest_put(struct ck_call *c, const struct ck_place *p);
void ck_manifest_delete(struct ck_call *c, const struct ck_place *p);

/* Whether the repository has the blob: pushed there, mounted, or reached by a manifest of it. */
CK_MUST ck_err *ck_push_has(struct ck_gateway *g, ck_view repository, const struct ck_digest *d,
                            struct ck_arena *a, bool *ret);
/* A document of the store, into a buffer without a ceiling: more than DOCUMENT bytes are an
 * error. */
CK_MUST ck_err *ck_document_of(struct ck_gateway *g, const struct ck_digest *d,
                               struct ck_buf *out);
/* As ck_call_fail, where what the client sent is at fault: 400 with this code. */
void ck_push_fail(struct ck_call *c, ck_err *e, enum ck_oci_error code);

#endif
