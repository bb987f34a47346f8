/* One scan from reference to report: source, layers, inventory, matching, verdict. */
#ifndef CK_SCAN_SCAN_H
#define CK_SCAN_SCAN_H

#include "policy/policy.h"
#include "report/report.h"
#include "scan/layers.h"

struct ck_scan_options {
    const struct ck_platform *platform; /* NULL: the host's */
    const struct ck_db *db;             /* NULL: packages only, and a gap that says so */
    const struct ck_policy *policy; /* that decides; NULL: ck_policy_load's own */
    const char *user;               /* who is asked for; NULL: nobody */
    const char *address, *namespace_; /* where from; NULL: nowhere that is known */
    bool has_fail_on; /* beyond the policy: findings of this severity or above deny */
    enum ck_severity fail_on; /* UNKNOWN: any finding */
    bool no_cache, no_sandbox;
    struct ck_progress progress;
    /* Of docker:// and store: (source.h). What the policy makes of it under the name that it was
     * scanned under becomes the image's state; what was seen is kept, and judged anew whenever
     * somebody asks (verdict/verdict.h). */
    const char *store;
    struct ck_remote_options remote;
    bool refetch;
    bool whole; /* all layers are in the store afterwards, also those whose facts were known */
    uint64_t max_size;
};

struct ck_scan; /* owns all that the report points to */
CK_MUST ck_err *ck_scan_image(const struct ck_reference *ref, const struct ck_scan_options *o,
                              struct ck_scan **ret);
void ck_scan_free(struct ck_scan *s);
const struct ck_report *ck_scan_report(const struct ck_scan *s);

/* What the store has made of the verdict: the state that holds, or NULL where the image is in no
 * store. */
const char *ck_scan_state(const struct ck_scan *s);

/* The derivation for one id, as lines. */
CK_MUST ck_err *ck_scan_explain(const struct ck_scan *s, ck_view id, struct ck_buf *out);

#endif
