/* What came of a survey so far, out of the store. */
#ifndef CK_SURVEY_RESULT_H
#define CK_SURVEY_RESULT_H

#include "survey/frame.h"
#include "survey/image.h"
#include "survey/stats.h"

struct ck_survey_shares {
    uint64_t waiting, failed, incomplete, incomplete_high; /* of what was drawn; _high: of those,
        that have high or critical ones all the same */
    uint64_t assessed; /* scanned, and complete: what the shares are of */
    struct ck_share critical, high, clean; /* high: or critical */
    uint64_t worst[CK_SEVERITY_COUNT_];    /* images whose worst it is; without the clean ones */
    uint64_t findings[CK_SEVERITY_COUNT_];
    bool has_age;
    int64_t median_age; /* seconds, at the beginning of the survey; of all that were scanned */
};
struct ck_survey_row_image {
    const struct ck_survey_item *item;
    struct ck_survey_image image;
};
struct ck_survey_common {
    ck_view package, id;
    enum ck_severity severity;
    uint64_t images;
};
struct ck_survey_distro {
    ck_view name; /* empty: none, or not known */
    uint64_t images, critical, high, clean;
};
struct ck_survey_result {
    struct ck_arena arena; /* owns all */
    struct ck_survey_row row;
    struct ck_survey_plan plan;
    struct ck_survey_shares of[CK_SURVEY_GROUP_COUNT_];
    struct ck_survey_row_image *images; /* scanned ones, worst first */
    size_t n_images;
    struct ck_survey_common *causes; /* most frequent first */
    size_t n_causes;
    struct ck_survey_distro *distros; /* most images first; of complete ones */
    size_t n_distros;
    struct ck_survey_row_image *unassessed; /* failed or incomplete, by name */
    size_t n_unassessed;
};
extern const char *const ck_survey_group_names[CK_SURVEY_GROUP_COUNT_];

CK_MUST ck_err *ck_survey_result_of(struct ck_store *s, uint64_t number,
                                    struct ck_survey_result *ret);
void ck_survey_result_free(struct ck_survey_result *r);

/* As ck_survey_json. */
void ck_survey_result_json(const struct ck_survey_result *r, struct ck_buf *out);
/* {"survey":N,"registry":...,"shares":{...}}: of the event. */
void ck_survey_event_json(const struct ck_survey_result *r, struct ck_buf *out);

#endif
