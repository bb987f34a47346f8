/* The report of one scan, and its formats. */
#ifndef CK_REPORT_REPORT_H
#define CK_REPORT_REPORT_H

#include "advisory/match.h"

struct ck_report_layer {
    ck_view digest, diff_id, media_type; /* text; digest empty for rootfs */
    uint64_t size;
    ck_view created_by; /* the history line that made it, or empty */
};

struct ck_report_package {
    struct ck_package p;
    size_t layer;        /* index into layers: brought its present version; SIZE_MAX for rootfs */
    ck_view *locations;  /* files that list it */
    size_t n_locations;
};

struct ck_report {
    ck_view reference, digest, os, architecture, created;
    struct ck_report_layer *layers;
    size_t n_layers;
    struct ck_os_release os_release; /* all empty where there is none */
    struct ck_distro distro;
    struct ck_report_package *packages; /* sorted by name, version, type */
    size_t n_packages;
    const struct ck_match *match; /* its `package` indexes point into packages */
    struct ck_gap *gaps;          /* all of them, the match's too; empty: complete */
    size_t n_gaps;
    ck_view decision; /* "allow", "quarantine", "deny" */
    ck_view *reasons;
    size_t n_reasons;
    const struct ck_db *db; /* NULL: scanned without a database */
    ck_view platforms;      /* "linux/arm64, linux/s390x": what else the index offers, or empty */
};

/* Package URL (purl-spec): pkg:deb/debian/openssl@3.0.15-1~deb12u1?arch=amd64&distro=debian-12 ... Appends. */
void ck_report_purl(const struct ck_report *r, const struct ck_package *p, struct ck_buf *out);

/* JSON, schema version 1 (doc/report.schema.json), two blanks of indentation, a newline at the end. */
CK_MUST ck_err *ck_report_json(const struct ck_report *r, struct ck_buf *out);

/* For people. `columns` >= 40; colour: ANSI colours. */
struct ck_table_options {
    unsigned columns;
    bool colour;
};
CK_MUST ck_err *ck_report_table(const struct ck_report *r, const struct ck_table_options *o, struct ck_buf *out);

#endif
