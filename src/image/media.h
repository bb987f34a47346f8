/* What the documents of an image may say, in one place: the JSON decoders and the channel decoders
 * both ask here.
 */
#ifndef CK_IMAGE_MEDIA_H
#define CK_IMAGE_MEDIA_H

#include "image/image.h"

enum ck_media_kind {
    CK_MEDIA_OTHER, /* an artifact */
    CK_MEDIA_INDEX,
    CK_MEDIA_MANIFEST,
    CK_MEDIA_CONFIG,
    CK_MEDIA_LAYER,
    CK_MEDIA_SCHEMA1,  /* Docker image manifest version 2, schema 1: not content-addressed,
    refused */
    CK_MEDIA_ARTIFACT, /* the artifact manifest that OCI withdrew before image-spec v1.1 */
};

/* OCI image-spec v1.1, media-types; Docker image manifest version 2, schema 2. Layers:
 * *ret_compression too. Exact, in lower case, without parameters. */
enum ck_media_kind ck_media_find(ck_view type, enum ck_compression *ret_compression);
/* How large the thing behind a descriptor of this type may be. */
enum ck_limit ck_media_size_limit(enum ck_media_kind kind);

/* Each returns NULL, or what is wrong with the value ("must be ..."). */
const char *ck_bad_media_type(ck_view v);       /* RFC 6838 section 4.2 */
const char *ck_bad_platform_word(ck_view v);    /* os, architecture, variant; may be empty */
const char *ck_bad_platform(const struct ck_platform *p);
const char *ck_bad_archive_path(ck_view v);     /* of docker save's manifest.json */
const char *ck_bad_title(ck_view v);            /* annotation org.opencontainers.image.title */
const char *ck_bad_time(ck_view v);             /* RFC 3339, or empty */
const char *ck_bad_user(ck_view v);             /* USER of a config */

/* unknown/unknown, which BuildKit gives to attestations. */
bool ck_platform_unknown(const struct ck_platform *p);

/* Whether the layer lines of the history are as many as the layers. */
bool ck_history_fits(const struct ck_config_doc *d);
/* Two images of one archive must not claim the same tag: who loads it would decide which one is
 * meant. */
CK_MUST ck_err *ck_docker_tags_differ(const struct ck_docker_doc *d);

#endif
