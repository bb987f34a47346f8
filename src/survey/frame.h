/* What a survey draws from, and what it drew. */
#ifndef CK_SURVEY_FRAME_H
#define CK_SURVEY_FRAME_H

#include "source/listing.h"
#include "survey/survey.h"

enum ck_survey_group { CK_OFFICIAL, CK_OTHERS, CK_SURVEY_GROUP_COUNT_ };

/* Of each group; kept with the survey as its options. */
struct ck_survey_plan {
    ck_view official; /* the prefix, or empty: names of one component */
    uint64_t sample;  /* that was asked for; UINT64_MAX: all */
    int64_t database; /* when it was built */
    uint64_t unusable; /* listed, and no names */
    struct ck_survey_population {
        uint64_t repositories, unlisted, names, drawn;
    } of[CK_SURVEY_GROUP_COUNT_];
};
void ck_survey_plan_encode(const struct ck_survey_plan *p, struct ck_buf *out);
/* Views point into `bytes`. Class OURS. */
CK_MUST ck_err *ck_survey_plan_decode(ck_view bytes, struct ck_survey_plan *ret);

/* The group of a repository ("library/alpine"). */
enum ck_survey_group ck_survey_group_of(ck_view path, ck_view official);

/* How many of each group: half and half; what one group has not the other gives. */
void ck_survey_split(uint64_t sample, struct ck_survey_plan *p);

/* Asks the registry for all names, and draws. The items live in `a`. */
CK_MUST ck_err *ck_survey_draw(const struct ck_survey_options *o,
                               const struct ck_survey_progress *p, uint64_t seed,
                               struct ck_arena *a, struct ck_survey_plan *ret_plan,
                               struct ck_survey_item **ret, size_t *ret_n, bool *ret_stopped);

#endif
