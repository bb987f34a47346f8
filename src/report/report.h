/* The report of one scan, and its formats. A value: nothing here opens, reads or asks a clock, and
 * equal reports give equal bytes. Strings may be hostile; every format escapes what it writes.
 */
#ifndef CK_REPORT_REPORT_H
#define CK_REPORT_REPORT_H

#include "advisory/match.h"
#include "trust/near_miss.h"

struct ck_report_layer {
    ck_view digest, diff_id, media_type; /* text; digest empty for rootfs */
    uint64_t size;
    ck_view created_by; /* the history line that made it, or empty */
};

struct ck_report_package {
    struct ck_package p;
    size_t layer;       /* index into layers: brought its present version; SIZE_MAX for rootfs */
    ck_view *locations; /* files that list it */
    size_t n_locations;
};

/* What the packages were matched against. */
struct ck_report_database {
    int64_t built;
    struct ck_db_feed *feeds;
    size_t n_feeds;
};
/* Views live as long as `db`, the array in `a`. */
CK_MUST ck_err *ck_report_database_of(const struct ck_db *db, struct ck_arena *a,
                                      struct ck_report_database *ret);

struct ck_report {
    ck_view reference, digest, os, architecture, created;
    struct ck_report_layer *layers;
    size_t n_layers;
    struct ck_os_release os_release; /* all empty where there is none */
    struct ck_distro distro;
    struct ck_report_package *packages; /* sorted by name, version, type */
    size_t n_packages;
    const struct ck_match *match; /* its `package` indexes point into packages; NULL: not matched */
    struct ck_gap *gaps;          /* all of them, the match's too; empty: complete */
    size_t n_gaps;
    ck_view decision; /* "allow", "quarantine", "deny" */
    ck_view *reasons;
    size_t n_reasons;
    const struct ck_report_database *database; /* NULL: scanned without one */
    const struct ck_name_warning *warnings; /* of the name that it was fetched under */
    size_t n_warnings;
    ck_view platforms; /* "linux/arm64, linux/s390x": what else the index offers, or empty */
};

/* Package URL (purl-spec), appended:
 * pkg:deb/debian/libssl3@3.0.15-1~deb12u1?arch=amd64&distro=debian-12&upstream=openssl Namespace
 * is the distribution's id, none where that is not known or holds a slash. An rpm's epoch is a
 * qualifier, as the spec's rpm type wants it; a deb's stays in the version. `upstream` (name, or
 * name@version where that differs; for rpm the source package's file name) and `rpmmod` carry what
 * matching needs, spelled as syft and grype do. */
void ck_report_purl(const struct ck_report *r, const struct ck_package *p, struct ck_buf *out);

/* All appends fail (class OURS) where an index of the report points nowhere. */

/* JSON, schema version 1 (doc/report.schema.json), two blanks of indentation, a newline at the
 * end. */
CK_MUST ck_err *ck_report_json(const struct ck_report *r, struct ck_buf *out);

/* One finding or suppressed candidate of it, as the document has it; for pages of them. */
void ck_report_json_finding(const struct ck_report *r, const struct ck_finding *f,
                            struct ck_buf *out);
void ck_report_json_suppressed(const struct ck_report *r, const struct ck_suppressed *s,
                               struct ck_buf *out);

/* The same as software bills of materials: CycloneDX 1.5 and SPDX 2.3, both JSON. Licences are left
 * out, as no package database that is read states them for certain. */
CK_MUST ck_err *ck_report_cyclonedx(const struct ck_report *r, struct ck_buf *out);
CK_MUST ck_err *ck_report_spdx(const struct ck_report *r, struct ck_buf *out);

/* For people. `columns`: fewer than 40 count as 40; colour: ANSI colours. */
struct ck_table_options {
    unsigned columns;
    bool colour;
};
CK_MUST ck_err *ck_report_table(const struct ck_report *r, const struct ck_table_options *o,
                                struct ck_buf *out);

#endif
