/* Surveys of registries, and what came of each image that was drawn. */
#ifndef CK_STORE_SURVEYS_H
#define CK_STORE_SURVEYS_H

#include "store/store.h"

enum ck_survey_state { CK_SURVEY_RUNNING, CK_SURVEY_DONE, CK_SURVEY_GIVEN_UP,
                       CK_SURVEY_STATE_COUNT_ };
struct ck_survey_row {
    uint64_t number;
    ck_view registry;
    ck_view options; /* opaque: survey's own encoding */
    uint64_t seed;
    int64_t begun, ended;
    enum ck_survey_state state;
    ck_view result; /* JSON, or empty */
};
enum ck_survey_item_state { CK_SURVEY_WAITING, CK_SURVEY_SCANNED, CK_SURVEY_FAILED,
                            CK_SURVEY_ITEM_STATE_COUNT_ };
struct ck_survey_item {
    uint64_t position;
    bool official;
    ck_view name;
    enum ck_survey_item_state state;
    ck_view digest; /* or empty */
    ck_view result; /* opaque */
};
/* With its whole sample, in one transaction. */
CK_MUST ck_err *ck_store_begin_survey(struct ck_store *s, const struct ck_survey_row *v,
                                      const struct ck_survey_item *items, size_t n,
                                      uint64_t *ret_number);
/* By its position; UNAVAILABLE: there is none. */
CK_MUST ck_err *ck_store_survey_item(struct ck_store *s, uint64_t survey,
                                     const struct ck_survey_item *item);
CK_MUST ck_err *ck_store_end_survey(struct ck_store *s, uint64_t survey, enum ck_survey_state state,
                                    int64_t ended, ck_view result);
/* Newest first; `number` 0: all, at most max. */
CK_MUST ck_err *ck_store_surveys(struct ck_store *s, uint64_t number, size_t max,
                                 struct ck_arena *a, struct ck_survey_row **ret, size_t *ret_n);
CK_MUST ck_err *ck_store_survey_items(struct ck_store *s, uint64_t survey, struct ck_arena *a,
                                      struct ck_survey_item **ret, size_t *ret_n);

#endif
