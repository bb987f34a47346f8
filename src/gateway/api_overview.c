/* How things stand: overview, feeds. */
#include "gateway/api.h"

#include "advisory/db.h"
#include "base/text.h"
#include "gateway/api_events.h"
#include "report/parts.h"
#include "store/surveys.h"

#include <time.h>

enum { DAY = 86400, EVENTS = 20, SURVEYS = 50 };

/* --- feeds ------------------------------------------------------------------------------------ */

static void put_feed(struct ck_buf *b, const struct ck_db_feed *f)
{
    ck_autobuf struct ck_buf name = ck_buf_new(CK_LIMIT_NONE);
    int64_t age = time(NULL) - f->time;
    ck_report_feed_name(f, &name);
    ck_out_open(b, NULL, '{');
    ck_out_text(b, "name", ck_buf_view(&name));
    ck_out_text(b, "source", f->source);
    ck_out_text(b, "kind", f->kind);
    ck_out_time(b, "time", f->time);
    ck_out_u64(b, "age_seconds", age > 0 ? (uint64_t)age : 0);
    ck_out_u64(b, "records", f->records);
    ck_out_text_or_null(b, "failure", f->failure);
    ck_out_close(b, '}');
}

static ck_err *put_feeds_of(struct ck_api *r, const struct ck_db *db, size_t from, size_t n,
                            uint64_t *ret_total)
{
    size_t all = db ? ck_db_feeds(db) : 0;
    for (size_t i = from; i < all && i - from < n; i++) {
        struct ck_db_feed f;
        CK_TRY(ck_db_feed(db, i, &f));
        put_feed(&r->out, &f);
    }
    *ret_total = all;
    return NULL;
}

static ck_err *put_feeds(struct ck_api *r, size_t from, size_t n, uint64_t *ret_total)
{
    struct ck_rules *rules = ck_rules_get(r->g);
    ck_err *e = put_feeds_of(r, rules->db, from, n, ret_total);
    ck_rules_put(rules);
    return e;
}

static ck_err *feeds(struct ck_api *r)
{
    uint64_t total = 0;
    ck_api_page_begin(r);
    CK_TRY(put_feeds(r, ck_api_from(r), ck_api_n(r), &total));
    ck_api_page_end(r, total);
    return NULL;
}

/* --- overview --------------------------------------------------------------------------------- */

static void put_counts(struct ck_buf *b, const struct ck_store_counts *k)
{
    ck_out_u64(b, "images", k->images);
    ck_out_u64(b, "cleared", k->states[CK_CLEARED]);
    ck_out_u64(b, "quarantined", k->states[CK_QUARANTINED]);
    ck_out_u64(b, "denied", k->states[CK_DENIED]);
    ck_out_u64(b, "incomplete", k->incomplete);
    ck_out_u64(b, "unexamined", k->unexamined);
    ck_out_u64(b, "clean", k->clean);
    ck_out_u64(b, "waiting", k->states[CK_QUARANTINED]);
    ck_out_open(b, "worst", '{');
    for (int i = CK_SEVERITY_COUNT_ - 1; i >= 0; i--)
        ck_out_u64(b, ck_severity_name((enum ck_severity)i), k->with_severity[i]);
    ck_out_close(b, '}');
}

static void put_database(struct ck_api *r)
{
    struct ck_rules *rules = ck_rules_get(r->g);
    ck_out_open(&r->out, "database", '{');
    ck_out_time(&r->out, "built", rules->db ? ck_db_built(rules->db) : 0);
    ck_out_close(&r->out, '}');
    ck_rules_put(rules);
}

/* Surveys are of whole registries: not for those who are bound to a part. */
static ck_err *put_surveys(struct ck_api *r)
{
    struct ck_survey_row *v = NULL;
    size_t n = 0;
    if (!r->bound.n)
        CK_TRY(ck_store_surveys(r->store, 0, SURVEYS, r->a, &v, &n));
    ck_out_open(&r->out, "surveys", '[');
    for (size_t i = 0; i < n; i++) {
        if (v[i].state != CK_SURVEY_DONE)
            continue;
        ck_out_open(&r->out, NULL, '{');
        ck_out_u64(&r->out, "number", v[i].number);
        ck_out_text(&r->out, "registry", v[i].registry);
        ck_out_time(&r->out, "ended", v[i].ended);
        ck_out_raw(&r->out, "shares", v[i].result);
        ck_out_close(&r->out, '}');
    }
    ck_out_close(&r->out, ']');
    return NULL;
}

static ck_err *overview(struct ck_api *r)
{
    struct ck_store_counts k = { 0 };
    uint64_t unused;
    const struct ck_event_filter f = { .since = time(NULL) - DAY, .newest_first = true };
    CK_TRY(ck_store_count(r->store, r->bound, &k));
    ck_out_open(&r->out, NULL, '{');
    put_counts(&r->out, &k);
    ck_out_open(&r->out, "events_since_yesterday", '[');
    CK_TRY(ck_api_put_events(r, &f, EVENTS));
    ck_out_close(&r->out, ']');
    ck_out_open(&r->out, "feeds", '[');
    CK_TRY(put_feeds(r, 0, CK_MAX_API_PAGE, &unused));
    ck_out_close(&r->out, ']');
    put_database(r);
    CK_TRY(put_surveys(r));
    ck_out_close(&r->out, '}');
    return NULL;
}

/* The room has the document itself; here it is known which methods it has. */
static ck_err *document(struct ck_api *r)
{
    (void)r;
    return ck_api_error(404, "the document is elsewhere");
}

const struct ck_api_route ck_api_overview_routes[] = {
    { "GET", "openapi.json", 0, CK_API_AT_ONCE, document, { { 0 } } },
    { "GET", "overview", CK_ROLE_PULL, CK_API_SLOW, overview, { { 0 } } },
    { "GET", "feeds", CK_ROLE_PULL, CK_API_AT_ONCE, feeds, { CK_API_PAGE } },
    { .method = NULL },
};
