/* Where a path below /v2/ leads (distribution-spec, "Endpoints"). Pure. */
#ifndef CK_SERVE_ROUTE_H
#define CK_SERVE_ROUTE_H

#include "serve/wire.h"

enum ck_place_kind {
    CK_AT_BASE,     /* /v2/ */
    CK_AT_CATALOG,  /* /v2/_catalog */
    CK_AT_MANIFEST, /* /v2/N/manifests/REF */
    CK_AT_BLOB,     /* /v2/N/blobs/D */
    CK_AT_TAGS,     /* /v2/N/tags/list */
    CK_AT_REFERRERS, /* /v2/N/referrers/D */
    CK_AT_UPLOADS,  /* /v2/N/blobs/uploads/ */
    CK_AT_UPLOAD,   /* /v2/N/blobs/uploads/ID */
    CK_AT_NOWHERE,
    CK_AT_COUNT_
};

struct ck_at {
    enum ck_place_kind kind;
    ck_view repository, reference; /* reference: tag, digest, or the upload's ID */
    enum ck_oci_error error;       /* of a name that breaks its grammar; CK_OCI_NONE */
};

/* `path` as ck_request_path gives it, from "/v2" on. */
struct ck_at ck_route_of(ck_view path);

#endif
