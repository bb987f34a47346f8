/* A survey from the first name to the result. */
#include "survey/result.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/tree.h"
#include "store/events.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct run {
    struct ck_store *store;
    const struct ck_survey_options *o;
    const struct ck_survey_progress *p;
    uint64_t number;
    char *scratch; /* the store that images are scanned through */
    int dir;       /* where it lies; locked by who runs the survey */
    uint64_t bytes; /* that it holds at most */
};

/* --- one image -------------------------------------------------------------------------------- */

static const char images[] = "images"; /* the scratch store, below the survey's folder */

/* Facts of layers stay in the cache: what is thrown away need not be had again. */
static ck_err *clear_scratch(struct run *r)
{
    r->bytes = 0;
    return ck_tree_remove_force(r->dir, images);
}

static void weigh(struct run *r, const struct ck_report *report)
{
    for (size_t i = 0; i < report->n_layers; i++)
        r->bytes += report->layers[i].size;
}

static ck_err *keep(struct run *r, struct ck_survey_item *item, const struct ck_survey_image *v)
{
    ck_autobuf struct ck_buf bytes = ck_buf_new(CK_LIMIT_NONE);
    ck_survey_image_encode(v, &bytes);
    item->result = ck_buf_view(&bytes);
    return ck_store_survey_item(r->store, r->number, item);
}

static ck_err *keep_scanned(struct run *r, struct ck_survey_item *item, const struct ck_scan *s)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_survey_image v;
    weigh(r, ck_scan_report(s));
    ck_survey_image_of(ck_scan_report(s), &a, &v);
    item->state = CK_SURVEY_SCANNED;
    item->digest = ck_scan_report(s)->digest;
    return keep(r, item, &v);
}

/* An image that cannot be had or read is an answer too; trouble of our own is none, and ends the
 * survey until somebody has mended it. */
static ck_err *keep_failed(struct run *r, struct ck_survey_item *item, ck_err *e)
{
    if (ck_err_class(e) == CK_ERR_OURS || ck_err_class(e) == CK_ERR_USAGE)
        return e;
    struct ck_survey_image v = { .why = ck_view_head(ck_view_str(ck_err_text(e)),
                                                     CK_MAX_SURVEY_ERROR) };
    item->state = CK_SURVEY_FAILED;
    ck_err *failed = keep(r, item, &v);
    ck_err_free(e);
    return failed;
}

static ck_err *scan(struct run *r, struct ck_survey_item *item)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_scan_options o = r->o->scan;
    struct ck_reference ref;
    struct ck_scan *s = NULL;
    o.store = r->scratch;
    CK_TRY(ck_reference_parse(ck_arena_format(&a, "docker://%.*s", CK_VF(item->name)), &a, &ref));
    ck_err *e = ck_scan_image(&ref, &o, &s);
    if (e)
        return keep_failed(r, item, e);
    e = keep_scanned(r, item, s);
    ck_scan_free(s);
    if (!e && r->bytes > CK_MAX_SURVEY_SCRATCH)
        e = clear_scratch(r);
    return e;
}

static bool stops(const struct run *r)
{
    return r->p && r->p->stop && r->p->stop(r->p->ctx);
}

static ck_err *scan_all(struct run *r, bool *ret_done)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_survey_item *items = NULL;
    size_t n = 0, done = 0;
    CK_TRY(ck_store_survey_items(r->store, r->number, &a, &items, &n));
    for (size_t i = 0; i < n; i++)
        done += items[i].state != CK_SURVEY_WAITING;
    for (size_t i = 0; i < n; i++) {
        if (items[i].state != CK_SURVEY_WAITING)
            continue;
        if (stops(r))
            return NULL;
        if (r->p && r->p->report)
            r->p->report(r->p->ctx, "scanning", items[i].name, done, n);
        CK_TRY(scan(r, &items[i]));
        done++;
    }
    *ret_done = true;
    return NULL;
}

/* --- its folder ------------------------------------------------------------------------------- */

static ck_err *open_folder(struct run *r)
{
    ck_autofree char *all = ck_format("%s/surveys", ck_store_dir(r->store));
    ck_autofree char *own = ck_format("%s/%llu", all, (unsigned long long)r->number);
    if ((mkdir(all, 0700) != 0 && errno != EEXIST) || (mkdir(own, 0700) != 0 && errno != EEXIST))
        return ck_err_errno(CK_ERR_OURS, "%s", own);
    r->dir = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->dir < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", own);
    if (flock(r->dir, LOCK_EX | LOCK_NB) != 0)
        return ck_err_new(CK_ERR_USAGE, "survey %llu of %s is going on in another process",
                          (unsigned long long)r->number, r->o->registry);
    r->scratch = ck_format("%s/%s", own, images);
    return NULL;
}

static ck_err *remove_folder(struct run *r)
{
    ck_autofree char *all = ck_format("%s/surveys", ck_store_dir(r->store));
    char own[32];
    snprintf(own, sizeof own, "%llu", (unsigned long long)r->number);
    int dir = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return ck_err_errno(CK_ERR_OURS, "%s", all);
    ck_err *e = ck_tree_remove_force(dir, own);
    close(dir);
    return e;
}

/* --- beginning and end ------------------------------------------------------------------------ */

static ck_err *find_running(struct run *r)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_survey_row *rows = NULL;
    size_t n = 0;
    CK_TRY(ck_store_surveys(r->store, 0, SIZE_MAX, &a, &rows, &n));
    for (size_t i = 0; i < n && !r->number; i++)
        if (rows[i].state == CK_SURVEY_RUNNING &&
            ck_view_eq(rows[i].registry, ck_view_str(r->o->registry)))
            r->number = rows[i].number;
    return NULL;
}

static ck_err *begin(struct run *r, bool *ret_stopped)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_autobuf struct ck_buf options = ck_buf_new(CK_LIMIT_NONE);
    struct ck_survey_plan plan;
    struct ck_survey_item *items = NULL;
    size_t n = 0;
    struct ck_survey_row row = { .registry = ck_view_str(r->o->registry), .seed = r->o->seed,
                                 .begun = time(NULL) };
    if (!r->o->has_seed && getrandom(&row.seed, sizeof row.seed, 0) != sizeof row.seed)
        return ck_err_errno(CK_ERR_OURS, "random numbers");
    CK_TRY(ck_survey_draw(r->o, r->p, row.seed, &a, &plan, &items, &n, ret_stopped));
    if (*ret_stopped)
        return NULL;
    ck_survey_plan_encode(&plan, &options);
    row.options = ck_buf_view(&options);
    return ck_store_begin_survey(r->store, &row, items, n, &r->number);
}

/* Gives up what broke off: whoever still runs it is not disturbed. */
static ck_err *give_up(struct run *r)
{
    CK_TRY(open_folder(r));
    CK_TRY(ck_store_end_survey(r->store, r->number, CK_SURVEY_GIVEN_UP, time(NULL), CK_V("")));
    CK_TRY(remove_folder(r));
    close(r->dir);
    free(ck_steal(r->scratch));
    r->dir = -1;
    r->number = 0;
    return NULL;
}

struct found {
    ck_view data;
    bool yes;
};

static ck_err *see_event(void *ctx, const struct ck_event *e)
{
    struct found *f = ctx;
    f->yes = f->yes || ck_view_eq(e->data, f->data);
    return NULL;
}

/* Before the survey's end is entered: a kill between the two has it found here, and not told
 * twice. */
static ck_err *tell(struct run *r, const struct ck_survey_result *result)
{
    ck_autobuf struct ck_buf data = ck_buf_new(CK_LIMIT_NONE);
    ck_survey_event_json(result, &data);
    struct found f = { .data = ck_buf_view(&data) };
    struct ck_event_filter filter = { .kind = CK_V("survey"), .newest_first = true, .max = 64 };
    CK_TRY(ck_store_events(r->store, &filter, see_event, &f));
    if (f.yes)
        return NULL;
    ck_autofree char *summary = ck_format(
        "survey of %s: critical in %.1f %% of official and %.1f %% of other images",
        r->o->registry, 100 * result->of[CK_OFFICIAL].critical.share,
        100 * result->of[CK_OTHERS].critical.share);
    struct ck_event e = { .time = time(NULL), .kind = CK_V("survey"), .severity = -1,
                          .summary = ck_view_str(summary), .data = f.data };
    return ck_store_add_events(r->store, &e, 1);
}

static ck_err *finish(struct run *r)
{
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    struct ck_survey_result result;
    CK_TRY(ck_survey_result_of(r->store, r->number, &result));
    result.row.state = CK_SURVEY_DONE;
    result.row.ended = time(NULL);
    ck_survey_result_json(&result, &json);
    ck_err *e = tell(r, &result);
    if (!e)
        e = ck_store_end_survey(r->store, r->number, CK_SURVEY_DONE, result.row.ended,
                                ck_buf_view(&json));
    ck_survey_result_free(&result);
    return e ? e : remove_folder(r);
}

static ck_err *run(struct run *r, uint64_t *ret_number, bool *ret_done)
{
    bool stopped = false, done = false;
    if (!r->o->scan.db)
        return ck_err_new(CK_ERR_OURS, "there is no advisory database (cocket db update makes it); "
                          "a survey without one says nothing");
    CK_TRY(find_running(r));
    if (r->number && r->o->begin == CK_SURVEY_NEW)
        CK_TRY(give_up(r));
    if (!r->number && r->o->begin == CK_SURVEY_RESUME)
        return ck_err_new(CK_ERR_USAGE, "no survey of %s is waiting to go on", r->o->registry);
    if (!r->number)
        CK_TRY(begin(r, &stopped));
    *ret_number = r->number;
    *ret_done = false;
    if (stopped)
        return NULL;
    CK_TRY(open_folder(r));
    CK_TRY(clear_scratch(r));
    CK_TRY(scan_all(r, &done));
    if (done)
        CK_TRY(finish(r));
    *ret_done = done;
    return NULL;
}

ck_err *ck_survey_run(struct ck_store *s, const struct ck_survey_options *o,
                      const struct ck_survey_progress *p, uint64_t *ret_number, bool *ret_done)
{
    struct run r = { .store = s, .o = o, .p = p, .dir = -1 };
    ck_err *e = run(&r, ret_number, ret_done);
    if (r.dir >= 0)
        close(r.dir);
    free(r.scratch);
    return e ? ck_err_wrap(e, "survey") : NULL;
}

/* --- to be shown ------------------------------------------------------------------------------ */

ck_err *ck_survey_json(struct ck_store *s, uint64_t number, struct ck_buf *out)
{
    struct ck_survey_result r;
    CK_TRY(ck_survey_result_of(s, number, &r));
    ck_survey_result_json(&r, out);
    ck_survey_result_free(&r);
    return NULL;
}
