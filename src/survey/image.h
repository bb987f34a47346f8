/* What a survey keeps of one image that was scanned, as bytes of the store. */
#ifndef CK_SURVEY_IMAGE_H
#define CK_SURVEY_IMAGE_H

#include "report/report.h"

struct ck_survey_cause {
    ck_view package; /* the source package */
    ck_view id;
    enum ck_severity severity;
};
struct ck_survey_image {
    bool complete; /* nothing is left that could not be assessed */
    uint32_t severities[CK_SEVERITY_COUNT_], fixable, kev, packages;
    int64_t created; /* 0: the config does not say */
    ck_view distro;  /* "Debian GNU/Linux 12 (bookworm)", or empty */
    ck_view why;     /* not complete: the first gap; not scanned: the error */
    struct ck_survey_cause *causes; /* critical and high ones, each once; at most SURVEY_CAUSES */
    size_t n_causes;
};

/* Lives in `a`, and as long as the report. */
void ck_survey_image_of(const struct ck_report *r, struct ck_arena *a,
                        struct ck_survey_image *ret);
enum ck_severity ck_survey_worst(const struct ck_survey_image *v); /* UNKNOWN: or nothing */
bool ck_survey_clean(const struct ck_survey_image *v);

void ck_survey_image_encode(const struct ck_survey_image *v, struct ck_buf *out);
/* Views point into `bytes`. Class OURS: the store is damaged. */
CK_MUST ck_err *ck_survey_image_decode(ck_view bytes, struct ck_arena *a,
                                       struct ck_survey_image *ret);

#endif
