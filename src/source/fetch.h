/* Fetching: an image with what refers to it, from a registry into the store, verified and not
 * decompressed. It stays in quarantine there until somebody has looked at it.
 */
#ifndef CK_SOURCE_FETCH_H
#define CK_SOURCE_FETCH_H

#include "source/source.h"

struct ck_fetch_options {
    struct ck_source_options source;
    bool all_platforms; /* every manifest of an index, attestations too */
    bool no_referrers;  /* signatures, attestations and SBOMs stay where they are */
    /* Called from the calling thread, about ten times a second; may be NULL. */
    void (*progress)(void *ctx, struct ck_arrivals *a);
    /* What a person should know, one line; may hold hostile text. */
    void (*note)(void *ctx, const char *text);
    void *ctx;
};

struct ck_fetched {
    ck_view name;            /* "docker.io/library/alpine:3" */
    struct ck_digest digest; /* of what the name means: index or manifest */
    struct ck_digest manifest; /* of the platform's image; all_platforms: as `digest` */
    ck_view platform;        /* of the image, or empty */
    uint64_t bytes;          /* of its layers */
    size_t images, referrers;
    bool moved; /* the name meant another digest before: */
    struct ck_digest moved_from;
    struct ck_name_warning *warnings;
    size_t n_warnings;
};

/* docker:// references only. When it returns without an error the image is whole, durable and
 * entered. Views live in `a`. */
CK_MUST ck_err *ck_fetch(const struct ck_reference *ref, const struct ck_fetch_options *o,
                         struct ck_arena *a, struct ck_fetched *ret);

#endif
