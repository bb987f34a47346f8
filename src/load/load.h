/* Handing an image of the store on to those who run it. Only what the policy allows when it is
 * handed on, or a person has released, is; or what a person forces, with a reason that goes into
 * the log first.
 */
#ifndef CK_LOAD_LOAD_H
#define CK_LOAD_LOAD_H

#include "image/image.h"
#include "room/unpack_jobs.h"
#include "store/store.h"

enum ck_load_kind {
    CK_LOAD_DOCKER,
    CK_LOAD_PODMAN,
    CK_LOAD_CONTAINERD,
    CK_LOAD_OCI,            /* oci:DIR[:TAG] */
    CK_LOAD_OCI_ARCHIVE,    /* oci-archive:FILE[:TAG] */
    CK_LOAD_DOCKER_ARCHIVE, /* docker-archive:FILE[:NAME] */
    CK_LOAD_KIND_COUNT_
};

struct ck_load_target {
    enum ck_load_kind kind;
    const char *path; /* of the last three */
    ck_view name;     /* TAG or NAME, checked; or empty */
    const char *text; /* as given */
};
/* Class USAGE. Everything lives in `a`. */
CK_MUST ck_err *ck_load_target_parse(const char *text, struct ck_arena *a,
                                     struct ck_load_target *ret);

struct ck_load_options {
    const char *store; /* NULL: ck_store_open's own */
    const char *policy; /* file; NULL: ck_policy_load's own */
    const char *name;  /* at the target; NULL: the one it was fetched under */
    const char *force; /* why it is handed on although it is not cleared; NULL: it is not */
    const struct ck_platform *platform; /* NULL: the host's */
    bool platform_asked;
    bool all_platforms; /* the whole index */
    bool no_sandbox;
    const char *address, *space; /* containerd's socket and namespace; NULL: ctr's own */
    bool setuid;                 /* unpack: keep set user id and set group id */
    void (*progress)(void *ctx, uint64_t done, uint64_t total); /* from any thread; may be NULL */
    void *ctx;
};

struct ck_loaded {
    bool refused; /* nothing was done; `state` and `reason` say why */
    enum ck_state_of_image state; /* by the policy that holds now, and by people */
    ck_view reason;               /* escaped */
    struct ck_digest digest; /* of what was handed on, or was not */
    ck_view name;            /* at the target, or empty */
    uint64_t bytes;
    struct ck_unpacked tree; /* of ck_unpack */
};

/* `ref`: as ck_store_find takes it, names may be short; "store:" may stand before. Views live in
 * `a`. */
CK_MUST ck_err *ck_load(const char *ref, const struct ck_load_target *t,
                        const struct ck_load_options *o, struct ck_arena *a,
                        struct ck_loaded *ret);

/* Writes the image's files below `dir`, which must be empty or not there; until all of it is
 * there it has another name, beside it. A failure leaves nothing. */
CK_MUST ck_err *ck_unpack(const char *ref, const char *dir, const struct ck_load_options *o,
                          struct ck_arena *a, struct ck_loaded *ret);

#endif
