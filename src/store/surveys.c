/* Surveys of registries, and what came of each image that was drawn. */
#include "store/store_int.h"
#include "store/surveys.h"

#include "base/mem.h"

#include <stdlib.h>

/* --- beginning -------------------------------------------------------------------------------- */

static ck_err *check_result(ck_view v)
{
    return v.n <= CK_MAX_SURVEY_RESULT
               ? NULL
               : ck_err_limit(CK_LIMIT_SURVEY_RESULT, "a result of a survey: %zu bytes", v.n);
}

static ck_err *check_item(const struct ck_survey_item *it)
{
    if (it->name.n == 0 || it->name.n > CK_MAX_REFERENCE)
        return ck_err_limit(CK_LIMIT_REFERENCE, "a name of %zu bytes", it->name.n);
    if ((unsigned)it->state >= CK_SURVEY_ITEM_STATE_COUNT_)
        return ck_err_new(CK_ERR_USAGE, "there is no such state of an image of a survey");
    return check_result(it->result);
}

static ck_err *insert_survey(struct ck_store *s, const struct ck_survey_row *v, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO survey(registry, options, seed, begun, ended, state,"
                           " result) VALUES(?,?,?,?,?,?,?)", &q));
    ck_bind_text(&q, v->registry);
    ck_bind_blob(&q, v->options);
    ck_bind_int(&q, (int64_t)v->seed);
    ck_bind_int(&q, v->begun);
    ck_bind_int(&q, v->ended);
    ck_bind_int(&q, v->state);
    ck_bind_blob(&q, v->result);
    CK_TRY(ck_query_run(&q));
    *ret = (uint64_t)sqlite3_last_insert_rowid(s->db);
    return NULL;
}

static ck_err *insert_item(struct ck_store *s, uint64_t survey, const struct ck_survey_item *it)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT INTO survey_item(survey, position, official, name, state,"
                           " digest, result) VALUES(?,?,?,?,?,?,?)", &q));
    ck_bind_int(&q, (int64_t)survey);
    ck_bind_int(&q, (int64_t)it->position);
    ck_bind_int(&q, it->official);
    ck_bind_text(&q, it->name);
    ck_bind_int(&q, it->state);
    ck_bind_text(&q, it->digest);
    ck_bind_blob(&q, it->result);
    return ck_query_run(&q);
}

static ck_err *begin_survey(struct ck_store *s, const struct ck_survey_row *v,
                            const struct ck_survey_item *items, size_t n, uint64_t *ret_number)
{
    CK_TRY(insert_survey(s, v, ret_number));
    for (size_t i = 0; i < n; i++)
        CK_TRY(insert_item(s, *ret_number, &items[i]));
    return ck_log_add(s, CK_V("survey"), NULL, v->registry, CK_V("begun"));
}

ck_err *ck_store_begin_survey(struct ck_store *s, const struct ck_survey_row *v,
                              const struct ck_survey_item *items, size_t n, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (n > CK_MAX_SURVEY_ITEMS)
        return ck_err_limit(CK_LIMIT_SURVEY_ITEMS, "a survey of %zu images", n);
    if ((unsigned)v->state >= CK_SURVEY_STATE_COUNT_)
        return ck_err_new(CK_ERR_USAGE, "there is no such state of a survey");
    CK_TRY(check_result(v->result));
    CK_TRY(check_result(v->options));
    for (size_t i = 0; i < n; i++)
        CK_TRY(check_item(&items[i]));
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, begin_survey(s, v, items, n, &number)));
    *ret_number = number;
    return NULL;
}

/* --- going on --------------------------------------------------------------------------------- */

static ck_err *must_be_there(struct ck_store *s, uint64_t survey)
{
    return sqlite3_changes(s->db) > 0
               ? NULL
               : ck_err_new(CK_ERR_UNAVAILABLE, "there is no such survey, or no such image of it: "
                            "%llu", (unsigned long long)survey);
}

static ck_err *update_item(struct ck_store *s, uint64_t survey, const struct ck_survey_item *it)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE survey_item SET official=?, name=?, state=?, digest=?, result=?"
                           " WHERE survey=? AND position=?", &q));
    ck_bind_int(&q, it->official);
    ck_bind_text(&q, it->name);
    ck_bind_int(&q, it->state);
    ck_bind_text(&q, it->digest);
    ck_bind_blob(&q, it->result);
    ck_bind_int(&q, (int64_t)survey);
    ck_bind_int(&q, (int64_t)it->position);
    CK_TRY(ck_query_run(&q));
    return must_be_there(s, survey);
}

ck_err *ck_store_survey_item(struct ck_store *s, uint64_t survey, const struct ck_survey_item *it)
{
    CK_TRY(check_item(it));
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, update_item(s, survey, it));
}

static ck_err *end_survey(struct ck_store *s, uint64_t survey, enum ck_survey_state state,
                          int64_t ended, ck_view result)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE survey SET state=?, ended=?, result=? WHERE number=?", &q));
    ck_bind_int(&q, state);
    ck_bind_int(&q, ended);
    ck_bind_blob(&q, result);
    ck_bind_int(&q, (int64_t)survey);
    CK_TRY(ck_query_run(&q));
    return must_be_there(s, survey);
}

ck_err *ck_store_end_survey(struct ck_store *s, uint64_t survey, enum ck_survey_state state,
                            int64_t ended, ck_view result)
{
    if ((unsigned)state >= CK_SURVEY_STATE_COUNT_)
        return ck_err_new(CK_ERR_USAGE, "there is no such state of a survey");
    CK_TRY(check_result(result));
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, end_survey(s, survey, state, ended, result));
}

/* --- reading ---------------------------------------------------------------------------------- */

static ck_err *read_survey(struct ck_query *q, struct ck_arena *a, struct ck_survey_row *ret)
{
    int64_t state = ck_column_int(q, 6);
    if (state < 0 || state >= CK_SURVEY_STATE_COUNT_)
        return ck_err_new(CK_ERR_OURS, "store %s: a survey has a state that there is not",
                          q->s->dir);
    *ret = (struct ck_survey_row){
        .number = (uint64_t)ck_column_int(q, 0),
        .registry = ck_arena_dup(a, ck_column_text(q, 1)),
        .options = ck_arena_dup(a, ck_column_text(q, 2)),
        .seed = (uint64_t)ck_column_int(q, 3),
        .begun = ck_column_int(q, 4),
        .ended = ck_column_int(q, 5),
        .state = (enum ck_survey_state)state,
        .result = ck_arena_dup(a, ck_column_text(q, 7)),
    };
    return NULL;
}

static ck_err *count(struct ck_store *s, const char *sql, uint64_t survey, uint64_t *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, sql, &q));
    ck_bind_int(&q, (int64_t)survey);
    return ck_query_count(&q, ret);
}

static ck_err *surveys(struct ck_store *s, uint64_t number, size_t max, struct ck_arena *a,
                       struct ck_survey_row **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t most = 0;
    size_t n = 0;
    bool row = true;
    CK_TRY(count(s, "SELECT count(*) FROM survey WHERE ?1=0 OR number=?1", number, &most));
    if (most > max)
        most = max;
    CK_TRY(ck_query_new(s, "SELECT number, registry, options, seed, begun, ended, state, result"
                           " FROM survey WHERE ?1=0 OR number=?1 ORDER BY number DESC", &q));
    ck_bind_int(&q, (int64_t)number);
    struct ck_survey_row *all = ck_arena_alloc(a, most + 1, sizeof *all);
    for (; n < most; n++) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_survey(&q, a, &all[n]));
    }
    *ret = all;
    *ret_n = n;
    return NULL;
}

ck_err *ck_store_surveys(struct ck_store *s, uint64_t number, size_t max, struct ck_arena *a,
                         struct ck_survey_row **ret, size_t *ret_n)
{
    struct ck_survey_row *all = NULL;
    size_t n = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, surveys(s, number, max, a, &all, &n)));
    *ret = all;
    *ret_n = n;
    return NULL;
}

static ck_err *read_item(struct ck_query *q, struct ck_arena *a, struct ck_survey_item *ret)
{
    int64_t state = ck_column_int(q, 3);
    if (state < 0 || state >= CK_SURVEY_ITEM_STATE_COUNT_)
        return ck_err_new(CK_ERR_OURS, "store %s: an image of a survey has a state that there is "
                          "not", q->s->dir);
    *ret = (struct ck_survey_item){
        .position = (uint64_t)ck_column_int(q, 0),
        .official = ck_column_int(q, 1),
        .name = ck_arena_dup(a, ck_column_text(q, 2)),
        .state = (enum ck_survey_item_state)state,
        .digest = ck_arena_dup(a, ck_column_text(q, 4)),
        .result = ck_arena_dup(a, ck_column_text(q, 5)),
    };
    return NULL;
}

static ck_err *survey_items(struct ck_store *s, uint64_t survey, struct ck_arena *a,
                            struct ck_survey_item **ret, size_t *ret_n)
{
    ck_autoquery struct ck_query q = { 0 };
    uint64_t most = 0;
    size_t n = 0;
    bool row = true;
    CK_TRY(count(s, "SELECT count(*) FROM survey_item WHERE survey=?", survey, &most));
    CK_TRY(ck_query_new(s, "SELECT position, official, name, state, digest, result FROM survey_item"
                           " WHERE survey=? ORDER BY position", &q));
    ck_bind_int(&q, (int64_t)survey);
    struct ck_survey_item *all = ck_arena_alloc(a, most + 1, sizeof *all);
    for (; n < most; n++) {
        CK_TRY(ck_query_step(&q, &row));
        if (!row)
            break;
        CK_TRY(read_item(&q, a, &all[n]));
    }
    *ret = all;
    *ret_n = n;
    return NULL;
}

ck_err *ck_store_survey_items(struct ck_store *s, uint64_t survey, struct ck_arena *a,
                              struct ck_survey_item **ret, size_t *ret_n)
{
    struct ck_survey_item *all = NULL;
    size_t n = 0;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, survey_items(s, survey, a, &all, &n)));
    *ret = all;
    *ret_n = n;
    return NULL;
}
