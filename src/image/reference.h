/* Image references with a transport, as in containers-transports(5). */
#ifndef CK_IMAGE_REFERENCE_H
#define CK_IMAGE_REFERENCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"

enum ck_transport {
    CK_TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:PATH[:REF] (REF may be name:tag or @INDEX) */
    CK_TRANSPORT_OCI,            /* oci:DIR[:TAG] */
    CK_TRANSPORT_OCI_ARCHIVE,    /* oci-archive:PATH[:TAG] */
    CK_TRANSPORT_ROOTFS,         /* rootfs:DIR */
    CK_TRANSPORT_COUNT_
};
const char *ck_transport_name(enum ck_transport t); /* "docker-archive" */

struct ck_reference {
    enum ck_transport transport;
    const char *path;
    ck_view name; /* REF or TAG, or empty; "@N" for the Nth image of an archive or layout */
    const char *text; /* as given */
};

/* Transports that are known but not built into this version (docker://, docker-daemon:, containers-storage:) and bare names
 * give a usage error that says so and what to do instead (skopeo copy ... oci:DIR). For a tag that may hold colons,
 * podman's rules hold: oci: splits at the first ':' behind the path unless the path with it exists. */
CK_MUST ck_err *ck_reference_parse(const char *text, struct ck_arena *a, struct ck_reference *ret);

#endif
