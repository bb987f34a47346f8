/* What refers to an image: signatures, attestations, SBOMs. Brought into the store as they are, and
 * believed in nothing. Shared by the files of source/ only.
 */
#ifndef CK_SOURCE_REFERRERS_H
#define CK_SOURCE_REFERRERS_H

#include "source/fetch.h"

/* By the referrers API (OCI distribution-spec, "Listing Referrers") with its tag fallback, and by
 * cosign's tags. At most REFERRERS in all, each at most REFERRER_SIZE. Adds to *count. */
CK_MUST ck_err *ck_referrers_fetch(struct ck_source *s, const struct ck_fetch_options *o,
                                   const struct ck_digest *subject, size_t *count);
/* One manifest by its descriptor; `subject` may be NULL. */
CK_MUST ck_err *ck_referrers_fetch_one(struct ck_source *s, const struct ck_fetch_options *o,
                                       const struct ck_descriptor *d,
                                       const struct ck_digest *subject);

/* Waits for what was wanted; shows progress. */
CK_MUST ck_err *ck_fetch_wait(struct ck_source *s, const struct ck_fetch_options *o);

#endif
