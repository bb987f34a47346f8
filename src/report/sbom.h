/* What the two SBOM formats share. */
#ifndef CK_REPORT_SBOM_H
#define CK_REPORT_SBOM_H

#include "base/json_write.h"
#include "report/parts.h"

/* The image as a package URL of type oci, appended; nothing where it is not known by a repository's
 * name and a digest. */
void ck_sbom_image_purl(const struct ck_report *r, struct ck_buf *out);

/* "xxxxxxxx-xxxx-8xxx-xxxx-xxxxxxxxxxxx" (RFC 9562, version 8) from the SHA-256 of `content`:
 * documents that say the same have the same name, others another. */
void ck_sbom_uuid(ck_view content, char out[37]);

/* A document whose name is that of its body (ck_sbom_uuid): `head` and `body` write the members of
 * one object. Fails as ck_report_check does. */
CK_MUST ck_err *ck_sbom_document(const struct ck_report *r,
                                 void (*head)(struct ck_json_out *j, const struct ck_report *r,
                                              const char *uuid),
                                 void (*body)(struct ck_json_out *j, const struct ck_report *r),
                                 struct ck_buf *out);

/* "sha256" and the hex of the image's digest; false where there is none. */
bool ck_sbom_digest(const struct ck_report *r, ck_view *ret_algorithm, ck_view *ret_hex);

#endif
