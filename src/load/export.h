/* Images of the store as one OCI image layout (OCI image-spec, image-layout), for a machine without
 * a network: with all that refers to them, and the last report of each as an artifact of its own.
 */
#ifndef CK_LOAD_EXPORT_H
#define CK_LOAD_EXPORT_H

#include "base/err.h"

/* Of a report's artifact, and of its layer. */
#define CK_REPORT_TYPE "application/vnd.cocket.report.v1+json"

struct ck_export_options {
    const char *store;  /* NULL: ck_store_open's own */
    const char *policy; /* file; NULL: ck_policy_load's own */
    void (*note)(void *ctx, const char *text); /* escaped; what the user should know */
    void (*progress)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};

struct ck_exported {
    uint64_t images, referrers, reports, blobs, bytes;
};

/* `to` is a directory that is not there or is empty, or, where it ends in ".tar", a file. It
 * appears whole or not at all. Its index.json lists the images by the annotation
 * org.opencontainers.image.ref.name, and what refers to them as "sha256-HEX.DIGITS", like the
 * fallback tag of OCI distribution-spec: not all of it says itself what it refers to. Logged. */
CK_MUST ck_err *ck_export(char *const *refs, size_t n, const char *to,
                          const struct ck_export_options *o, struct ck_exported *ret);

#endif
