/* Tags that are given to another image with the next release. */
#ifndef CK_TRUST_MOVING_TAG_H
#define CK_TRUST_MOVING_TAG_H

#include "base/view.h"

enum ck_tag_moves {
    CK_TAG_STAYS,        /* as far as its text says: "3.20.1", "bookworm-20240722", "sha-1f2e3d4" */
    CK_TAG_NAMES_NEWEST, /* "latest", "stable-slim"; "alpine", "jdk": no version in it */
    CK_TAG_MAJOR,        /* "3", "v2", "16-alpine" */
    CK_TAG_MINOR_ONLY,   /* "3.20", "8.0-apache" */
};
enum ck_tag_moves ck_tag_moves(ck_view tag);

#endif
