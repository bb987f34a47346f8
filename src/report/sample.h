/* Small reports for the tests: every one is complete and says each thing at least once. */
#ifndef CK_REPORT_SAMPLE_H
#define CK_REPORT_SAMPLE_H

#include "report/report.h"

/* Debian, three layers, findings of every severity and state, hostile names. */
const struct ck_report *sample_debian(void);
/* A root directory with Alpine: nothing found, one gap. */
const struct ck_report *sample_alpine_rootfs(void);
/* An rpm distribution without a database. */
const struct ck_report *sample_rpm_unmatched(void);
/* n findings in the proportions of a neglected Debian image; free the arena. */
void sample_large(size_t n, struct ck_arena *a, struct ck_report *ret);

#endif
