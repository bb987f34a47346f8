/* What the feed room says of the Debian archive's files, in bytes. Encoding and decoding stand
 * together; decoding checks every count and length again. Views point into the bytes, arrays into
 * `a`.
 */
#ifndef CK_ROOM_FEED_CODEC_H
#define CK_ROOM_FEED_CODEC_H

#include "advisory/feed/feed.h"

void ck_release_encode(const struct ck_release *r, struct ck_buf *out);
CK_MUST ck_err *ck_release_decode(ck_view bytes, struct ck_arena *a, struct ck_release *ret);
void ck_archive_source_encode(const struct ck_archive_source *s, struct ck_buf *out);
CK_MUST ck_err *ck_archive_source_decode(ck_view bytes, struct ck_archive_source *ret);
void ck_changelog_entry_encode(const struct ck_changelog_entry *e, struct ck_buf *out);
CK_MUST ck_err *ck_changelog_entry_decode(ck_view bytes, struct ck_arena *a,
                                          struct ck_changelog_entry *ret);

#endif
