/* What a name means now at its registry, without fetching the image. */
#ifndef CK_SOURCE_RESOLVE_H
#define CK_SOURCE_RESOLVE_H

#include "image/name.h"
#include "source/remote.h"

struct ck_resolve_options {
    struct ck_remote_options remote;
};

struct ck_resolver;
CK_MUST ck_err *ck_resolver_new(const struct ck_resolve_options *o, struct ck_resolver **ret);
void ck_resolver_free(struct ck_resolver *r);

struct ck_resolved {
    struct ck_name name;     /* with what short-name aliases made of it */
    struct ck_digest digest; /* of the index or manifest */
    ck_view media_type;
    ck_view *platforms; /* "linux/amd64": what an index offers, or the image's own; sorted */
    size_t n_platforms;
};
/* Asks the registry. Everything lives in `a`. Classes as ck_remote_manifest's. */
CK_MUST ck_err *ck_resolve_name(struct ck_resolver *r, const struct ck_name *n, struct ck_arena *a,
                                struct ck_resolved *ret);

/* Only the digest, by HEAD: what the registry says of itself, which nothing vouches for. Where it
 * does not say it, or by an algorithm of its own choice, the manifest is fetched and hashed. */
CK_MUST ck_err *ck_resolve_digest(struct ck_resolver *r, const struct ck_name *n,
                                  struct ck_arena *a, struct ck_digest *ret);

#endif
