/* Image references with a transport, as in containers-transports(5). */
#ifndef CK_IMAGE_REFERENCE_H
#define CK_IMAGE_REFERENCE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/view.h"
#include "image/name.h"

enum ck_transport {
    CK_TRANSPORT_DOCKER_ARCHIVE, /* docker-archive:PATH[:REF] (REF may be name:tag or @INDEX) */
    CK_TRANSPORT_OCI,            /* oci:DIR[:TAG] */
    CK_TRANSPORT_OCI_ARCHIVE,    /* oci-archive:PATH[:TAG] */
    CK_TRANSPORT_ROOTFS,         /* rootfs:DIR */
    CK_TRANSPORT_DOCKER,         /* docker://NAME, and a bare name: at a registry */
    CK_TRANSPORT_STORE,          /* store:NAME or store:DIGEST: what was fetched */
    CK_TRANSPORT_DOCKER_DAEMON,  /* docker-daemon:NAME */
    CK_TRANSPORT_CONTAINERS_STORAGE, /* containers-storage:NAME: podman's */
    CK_TRANSPORT_CONTAINERD,     /* containerd:NAME */
    CK_TRANSPORT_COUNT_
};
const char *ck_transport_name(enum ck_transport t); /* "docker-archive" */
bool ck_transport_has_path(enum ck_transport t);

struct ck_reference {
    enum ck_transport transport;
    const char *path; /* as given, not empty; "" for transports without one */
    ck_view name;     /* REF or TAG, checked, or empty; "@N" for the Nth image of an archive or
                         layout; NAME of transports without a path */
    struct ck_name image; /* docker:// only */
    const char *text; /* as given */
};

/* Transports that are known but not built in (dir:, sbom:) give a usage error that says so and what
 * to do instead (skopeo copy ... oci:DIR). A bare name means docker://; an existing file, or what
 * starts like a path, needs its transport. For paths and tags that hold colons: where the whole
 * exists it is the path; else it is split at the first ':' before which something exists; else at
 * the first ':', as podman does. At most REFERENCE bytes. Everything but `transport` lives in
 * `a`. */
CK_MUST ck_err *ck_reference_parse(const char *text, struct ck_arena *a, struct ck_reference *ret);

/* The N of a name "@N"; false where the name is no index. */
bool ck_reference_index(ck_view name, uint64_t *ret);

/* Whether two names mean the same image as Docker normalises them: "alpine", "alpine:latest" and
 * "docker.io/library/alpine:latest" do. */
bool ck_reference_same(ck_view a, ck_view b);

/* NAME[:TAG] of the Docker reference grammar (distribution-spec, "Pulling manifests"; a registry
 * host may stand before); no digest. */
bool ck_reference_is_docker_name(ck_view v);
/* org.opencontainers.image.ref.name (OCI image-spec, annotations). */
bool ck_reference_is_oci_name(ck_view v);

#endif
