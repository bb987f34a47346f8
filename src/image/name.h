/* Names of images at a registry (the grammar of distribution-spec, "Pulling manifests", with
 * Docker's defaults): HOST/PATH[:TAG][@DIGEST].
 */
#ifndef CK_IMAGE_NAME_H
#define CK_IMAGE_NAME_H

#include "base/arena.h"
#include "base/err.h"
#include "image/digest.h"

struct ck_name {
    ck_view host; /* "docker.io", "localhost:5000", "[::1]:5000"; never empty once normalised */
    ck_view path; /* "library/alpine" */
    ck_view tag;  /* empty where only a digest was given */
    bool has_digest;
    struct ck_digest digest;
    /* What was typed, before the defaults came in: */
    bool host_given; /* else docker.io, or what a short-name alias says */
    ck_view typed;   /* where no host was given: the path before library/ came in */
    bool tag_given;  /* else "latest", or nothing where there is a digest */
};

/* Takes "alpine", "alpine:3", "ghcr.io/x/y@sha256:...", with "docker://" in front or not.
 * Normalised as docker does: docker.io and library/ where they were left out, tag "latest" where
 * neither tag nor digest stands there, index.docker.io is docker.io. Views live in `a`. Class
 * USAGE. */
CK_MUST ck_err *ck_name_parse(ck_view text, struct ck_arena *a, struct ck_name *ret);

/* "docker.io/library/alpine:3.20", with "@sha256:..." behind where there is a digest. In `a`. */
const char *ck_name_text(const struct ck_name *n, struct ck_arena *a);
/* The same without tag and digest: "docker.io/library/alpine". */
const char *ck_name_repository(const struct ck_name *n, struct ck_arena *a);
/* As a person would type it: without docker.io/ and library/. */
const char *ck_name_short(const struct ck_name *n, struct ck_arena *a);

#endif
