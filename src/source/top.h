/* What a name means, brought into the store with all that is needed to say what it is: for those
 * who decide only then what else to fetch.
 */
#ifndef CK_SOURCE_TOP_H
#define CK_SOURCE_TOP_H

#include "source/source.h"

enum ck_top_kind {
    CK_TOP_INDEX,
    CK_TOP_IMAGE,    /* entered with its config; its layers may be missing */
    CK_TOP_ARTIFACT, /* a signature, attestation, SBOM: whole */
};

struct ck_top {
    enum ck_top_kind kind;
    struct ck_digest digest;
    struct ck_index_doc children; /* of an index */
};

/* Who wants to know the digest before anything else is asked for; may be NULL. */
struct ck_top_hook {
    void (*known)(void *ctx, const struct ck_digest *d);
    void *ctx;
};

/* docker:// references only; the name itself is not entered. An artifact no layer of which can be
 * taken for an image's is cleared; another stays in quarantine. The registry is asked for the
 * manifest also where the store has it: another may have given it. Views live in `a`. Classes as
 * ck_source_open's. */
CK_MUST ck_err *ck_top_fetch(const struct ck_reference *ref, const struct ck_source_options *o,
                             const struct ck_top_hook *hook, struct ck_arena *a,
                             struct ck_top *ret);

/* What refers to a manifest (NAME@DIGEST) that is in the store: brought there too. */
CK_MUST ck_err *ck_top_referrers(const struct ck_reference *ref,
                                 const struct ck_source_options *o);

#endif
