/* What the formats of the report share. */
#ifndef CK_REPORT_PARTS_H
#define CK_REPORT_PARTS_H

#include "report/report.h"

/* Every index of the report points at something; else our own bug, as an error. */
CK_MUST ck_err *ck_report_check(const struct ck_report *r);

/* "fixed", "not-fixed", "wont-fix", "unknown": the four words of schema version 1. */
const char *ck_report_fix_word(enum ck_fix_state s);

/* The findings by severity, and how many of them a fixed version exists for. */
struct ck_report_counts {
    size_t by_severity[CK_SEVERITY_COUNT_];
    size_t fixable, kev;
};
struct ck_report_counts ck_report_count(const struct ck_report *r);

/* A page about the finding's advisory, a URI: the feed's own where it is http or https, else made
 * from kind and id; appends nothing where neither is known. */
void ck_report_url(const struct ck_report *r, const struct ck_finding *f, struct ck_buf *out);

/* "KIND=SOURCE", with what was chosen from it behind a comma: as in feeds.conf. Appends. */
void ck_report_feed_name(const struct ck_db_feed *f, struct ck_buf *out);

/* What the image calls its distribution, else what the matching calls it; may be empty. */
ck_view ck_report_system(const struct ck_report *r);

/* How a layer is named: its diff id, else its blob's digest. */
ck_view ck_report_layer_name(const struct ck_report_layer *l);

/* Appends v with everything but the unreserved characters of RFC 3986 and `keep` as %XX. */
void ck_report_percent(struct ck_buf *out, ck_view v, const char *keep);
/* One part of a purl: the colon is never encoded either (purl-spec, Character encoding). */
void ck_report_purl_part(struct ck_buf *out, ck_view v);

static inline size_t ck_report_findings(const struct ck_report *r)
{
    return r->match ? r->match->n_findings : 0;
}
static inline size_t ck_report_suppressed(const struct ck_report *r)
{
    return r->match ? r->match->n_suppressed : 0;
}

#endif
