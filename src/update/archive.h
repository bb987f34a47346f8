/* The Debian archive as a feed: signed Release, Packages of a security suite, changelogs. */
#ifndef CK_UPDATE_ARCHIVE_H
#define CK_UPDATE_ARCHIVE_H

#include "update/get.h"

/* Puts the advisories of all suites of the spec. *ret_time is the newest suite's date. */
CK_MUST ck_err *ck_archive_read(struct ck_getter *g, const struct ck_feed_spec *spec,
                                const struct ck_advisory_sink *sink, int64_t *ret_time);

#endif
