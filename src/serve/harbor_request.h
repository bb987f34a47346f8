/* Harbor's pluggable scanner API 1.2 (goharbor/pluggable-scanner-spec), as bytes. */
#ifndef CK_SERVE_HARBOR_REQUEST_H
#define CK_SERVE_HARBOR_REQUEST_H

#include "base/arena.h"
#include "base/buf.h"

#define CK_HARBOR_REPORT_1_1 "application/vnd.security.vulnerability.report; version=1.1"
#define CK_HARBOR_REPORT_1_0 "application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0"
#define CK_HARBOR_REPORT_RAW "application/vnd.scanner.adapter.vuln.report.raw"

/* A scan request, checked. */
struct ck_harbor_request {
    ck_view url;           /* "https://core.harbor.example", of http or https, without user */
    ck_view authorization; /* "Basic ..." or "Bearer ...", or empty */
    ck_view repository, digest;
};
/* Classes: HOSTILE, LIMIT: no such request (400); USAGE: a field is not valid (422); UNAVAILABLE:
 * nothing of what it wants can be had here (501). */
CK_MUST ck_err *ck_harbor_request(ck_view body, struct ck_arena *a, struct ck_harbor_request *ret);

/* database: when it was built, RFC 3339; or empty. */
void ck_harbor_metadata(ck_view database, struct ck_buf *out);
void ck_harbor_accepted(ck_view id, struct ck_buf *out);
void ck_harbor_error(ck_view message, struct ck_buf *out);

/* Which report an Accept header wants; NULL: none that there is. */
const char *ck_harbor_accept(ck_view accept);
/* The id in "ID/report", what follows ".../scan/"; false where it is none. */
bool ck_harbor_report_id(ck_view rest, ck_view *ret);

#endif
