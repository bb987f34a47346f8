/* A report in Harbor's words (pluggable-scanner-spec 1.2, HarborVulnerabilityReport). */
#ifndef CK_GATEWAY_HARBOR_REPORT_H
#define CK_GATEWAY_HARBOR_REPORT_H

#include "report/report.h"

/* The artifact as it was asked for. */
struct ck_harbor_artifact {
    ck_view repository, digest;
};
/* Class OURS where an index of the report points nowhere; LIMIT past HARBOR_REPORT. */
CK_MUST ck_err *ck_harbor_report(const struct ck_report *r, const struct ck_harbor_artifact *what,
                                 int64_t now, struct ck_buf *out);

#endif
