/* The HTTP API (doc/openapi.json), as the hub sees it: a table of operations, what each takes and
 * who may ask it. Handlers write JSON and return; what they cannot do is an error with the status
 * that it stands for. Shared by gateway/api_*.c.
 */
#ifndef CK_GATEWAY_API_H
#define CK_GATEWAY_API_H

#include "gateway/api_out.h"
#include "gateway/core.h"
#include "store/events.h"
#include "store/pages.h"

/* Of a query or a body. */
struct ck_api_param {
    const char *name;
    enum ck_api_type {
        CK_API_TEXT,   /* of `max` bytes */
        CK_API_NUMBER, /* from `min` to `max` */
        CK_API_WORD,   /* one of `words` */
        CK_API_DIGEST,
        CK_API_FLAG,   /* "1" */
        CK_API_LIST,   /* of `words` */
        CK_API_YAML,   /* what travels beside the words */
    } type;
    uint64_t min, max;
    const char *const *words; /* ends with NULL */
    bool required;
};
struct ck_api_value {
    bool has;
    ck_view text;
    uint64_t number; /* a WORD's index too */
    struct ck_digest digest;
    ck_view *list;
    size_t n_list;
};

/* On which thread: the ones that answer pulls too, or one for pages that take milliseconds, or one
 * for what takes seconds. */
enum ck_api_lane {
    CK_API_AT_ONCE,
    CK_API_KEPT, /* at once; the handler takes r over, unless it fails */
    CK_API_SLOW, CK_API_LONG, CK_API_LANE_COUNT_
};

enum { CK_API_PARAMS = 10 };
struct ck_api;
struct ck_api_route {
    const char *method, *path; /* "images/{digest}/findings" */
    uint32_t role;             /* 0: anybody */
    enum ck_api_lane lane;
    ck_err *(*handle)(struct ck_api *r);
    struct ck_api_param params[CK_API_PARAMS];
};
/* Each file has a table; a NULL method ends it. api.c joins them. */
extern const struct ck_api_route ck_api_overview_routes[], ck_api_images_routes[],
    ck_api_reports_routes[], ck_api_diff_routes[], ck_api_repositories_routes[],
    ck_api_advisories_routes[], ck_api_people_routes[], ck_api_log_routes[],
    ck_api_policy_routes[], ck_api_events_routes[], ck_api_stream_routes[],
    ck_api_subscriptions_routes[], ck_api_surveys_routes[];

struct ck_api {
    struct ck_call *c;
    struct ck_gateway *g;
    struct ck_store *store; /* the lane's own connection: long questions keep nobody else */
    struct ck_arena *a;     /* the call's */
    const struct ck_api_route *route;
    struct ck_api_value values[CK_API_PARAMS];
    /* Of the path. */
    struct ck_digest digest;
    ck_view id;
    uint64_t number;
    ck_view bound; /* pattern of repositories that the asker is bound to, or empty */
    /* The answer. */
    struct ck_buf out;
    uint16_t status; /* 0: 200 */
    const char *content_type; /* NULL: JSON */
    ck_view cookie;
    struct ck_api *next;
};

/* Of the route's parameters; `has` is false where it was not given. */
const struct ck_api_value *ck_api_get(const struct ck_api *r, const char *name);
/* USAGE with a status of HTTP. */
CK_MUST ck_err *ck_api_error(unsigned status, const char *fmt, ...) CK_PRINTF(2, 3);
/* Takes over r; answers it. */
void ck_api_finish(struct ck_api *r, ck_err *e);

/* --- pages ------------------------------------------------------------------------------------ */

#define CK_API_PAGE                                          \
    { "n", CK_API_NUMBER, 1, CK_API_MOST, NULL, false },       \
    { "from", CK_API_NUMBER, 0, CK_API_FURTHEST, NULL, false }
#define CK_API_SEARCH { "q", CK_API_TEXT, 0, 256, NULL, false }
/* API_PAGE and API_FROM, which are no constant expressions. */
enum { CK_API_MOST = 200, CK_API_FURTHEST = 10000000, CK_API_USUAL = 50 };
size_t ck_api_n(const struct ck_api *r);
size_t ck_api_from(const struct ck_api *r);
/* {"items":[ ... ],"total":N,"from":F} */
void ck_api_page_begin(struct ck_api *r);
void ck_api_page_end(struct ck_api *r, uint64_t total);
extern const char *const ck_api_severities[], *const ck_api_states[], *const ck_api_event_kinds[];

/* --- what several show ------------------------------------------------------------------------ */

/* Whether the asker may see what lies under this name ("gate.internal/hosted/a:1"). */
bool ck_api_sees(const struct ck_api *r, ck_view name);
bool ck_api_is_anonymous(const struct ck_api *r);
/* The image of the path as a row; 404 where it is not there or not for the asker's eyes. */
CK_MUST ck_err *ck_api_image(struct ck_api *r, struct ck_store_row *ret);
CK_MUST ck_err *ck_api_image_of(struct ck_api *r, const struct ck_digest *d,
                                struct ck_store_row *ret);
/* As ck_call_verdict, by the lane's own connection. */
CK_MUST ck_err *ck_api_verdict(struct ck_api *r, ck_view name, const struct ck_digest *d,
                               struct ck_verdict *ret);
/* The members of a row, without braces; names: their number, unless the caller puts them. */
void ck_api_put_row(struct ck_buf *b, const struct ck_store_row *row, bool names);
void ck_api_put_severities(struct ck_buf *b, const char *key, const uint32_t counts[6]);
void ck_api_put_verdict(struct ck_buf *b, const char *key, const struct ck_verdict *v);
void ck_api_put_event(struct ck_buf *b, const char *key, const struct ck_event *e);

/* --- lanes: api_lanes.c ----------------------------------------------------------------------- */

/* False: too much waits. */
bool ck_api_lanes_put(struct ck_api_lanes *l, struct ck_api *r);
/* Runs its handler and answers. */
void ck_api_run(struct ck_api *r);

#endif
