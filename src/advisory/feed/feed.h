/* Feeds in their native formats, as parsers over bytes in memory: no I/O, so that they run in the
 * feed room, in tests and in fuzz targets. Broken documents are refused with their place; a feed
 * with a broken record is refused as a whole (the last good state stays). Containers are told by
 * the configured kind and the file's name, not by looking at the bytes.
 */
#ifndef CK_ADVISORY_FEED_FEED_H
#define CK_ADVISORY_FEED_FEED_H

#include "advisory/record.h"

/* One OSV record (schema 1.7): ecosystems kept as they are. Aliases to `aliases`; `upstream`
 * and, in the ecosystems of errata (AlmaLinux, Rocky Linux, Red Hat, SUSE, openSUSE, Ubuntu USN,
 * Debian DSA/DLA, Mageia, openEuler, Azure Linux, ...), CVE ids in `related` to `fixes`.
 * Withdrawn records are put with `withdrawn` set. GIT ranges are skipped. Events are sorted
 * where the ecosystem's order is known. */
CK_MUST ck_err *ck_feed_osv(ck_view json, const struct ck_advisory_sink *sink);
/* A zip of OSV records ("all.zip"): every member that ends in .json. */
CK_MUST ck_err *ck_feed_osv_zip(ck_view zip, const struct ck_advisory_sink *sink);

/* Alpine secdb (vX/main.json, community.json), and Wolfi's and Chainguard's security.json of the
 * same form. Names are origins. "0" is NOT_AFFECTED. Ids may carry several aliases in one string
 * ("CVE-2019-1 GHSA-x", "CVE-2017-2616 (+ regression fix)"); one advisory per id. */
CK_MUST ck_err *ck_feed_alpine_secdb(ck_view json, const struct ck_advisory_sink *sink);

/* The Debian security tracker's JSON: source -> CVE -> release -> status. Every state is kept. It
 * is read a source at a time: an id that several sources carry is put once for each of them. */
CK_MUST ck_err *ck_feed_debian_tracker(ck_view json, const struct ck_advisory_sink *sink);

/* CISA's known exploited vulnerabilities: records with `kev` set. */
CK_MUST ck_err *ck_feed_kev(ck_view json, const struct ck_advisory_sink *sink);

/* --- The Debian archive ----------------------------------------------------------------------- */

/* An entry of the SHA256 section of a Release file. */
struct ck_release_file {
    ck_view path;
    uint64_t size;
    uint8_t sha256[32];
};
struct ck_release {
    ck_view suite, codename, version; /* "oldstable-security", "bookworm-security", "12" */
    int64_t date, valid_until;        /* 0: not given */
    struct ck_release_file *files;
    size_t n_files;
};
/* The text of a Release file whose signature was verified (gpgv's output, never the raw
 * clear-signed file). Arrays in `a`, views into `text`. */
CK_MUST ck_err *ck_debian_release(ck_view text, struct ck_arena *a, struct ck_release *ret);

/* A source package of a Packages index: its highest version there, and at most 4 of the binary
 * packages built from it, in the order in which to look for its changelog: first those whose
 * documentation cannot be a link to another package's (Debian policy 12.3), then the smaller. */
struct ck_archive_deb {
    ck_view name;     /* binary package */
    ck_view filename; /* relative to the archive's root; checked: no "..", no leading "/" */
    uint64_t size;
    uint8_t sha256[32];
};
struct ck_archive_source {
    ck_view name, version;
    struct ck_archive_deb debs[4];
    size_t n_debs;
};
CK_MUST ck_err *ck_debian_packages(ck_view text,
                                   ck_err *(*put)(void *ctx, const struct ck_archive_source *s),
                                   void *ctx);

/* The Debian changelog inside a binary package: ar, data.tar.{gz,xz,zst,},
 * usr/share/doc/NAME/changelog.Debian.gz or changelog.gz (native packages); "*.amd64.gz" binNMU
 * logs are not it. *ret_found is false where the package has none of its own (its doc directory
 * is a link). Limits DEB, CHANGELOG. */
CK_MUST ck_err *ck_debian_deb_changelog(ck_view deb, ck_view package, struct ck_buf *ret_text,
                                        bool *ret_found);

/* An entry of a Debian changelog (Debian policy 4.4) and the vulnerability ids that it names.
 * Entries of other source names (a renamed source) are given too. Ids are those that stand as
 * CVE-YYYY-N{4,} in the text, each once per entry, sorted. */
struct ck_changelog_entry {
    ck_view source, version;
    int64_t date; /* of the trailer; 0 where it is broken */
    ck_view *ids;
    size_t n_ids;
};
CK_MUST ck_err *ck_debian_changelog(ck_view text,
                                    ck_err *(*put)(void *ctx, const struct ck_changelog_entry *e),
                                    void *ctx);

#endif
