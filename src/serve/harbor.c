/* The routes of Harbor's scanner API: /harbor is what Harbor is given as the scanner's address. */
#include "serve/asking.h"
#include "serve/harbor_request.h"
#include "serve/http.h"

#define SCAN "/harbor/api/v1/scan/"
#define METADATA_TYPE "application/vnd.scanner.adapter.metadata+json; version=1.1"
#define ACCEPTED_TYPE "application/vnd.scanner.adapter.scan.response+json; version=1.0"
#define ERROR_TYPE "application/vnd.scanner.adapter.error+json; version=1.0"

enum {
    OK = 200, ACCEPTED = 202, FOUND = 302, BAD_REQUEST = 400, NOT_FOUND = 404,
    UNPROCESSABLE = 422, FAILED = 500, NOT_IMPLEMENTED = 501,
};

static void fail(struct ck_request *r, unsigned status, ck_view why)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_harbor_error(ck_judged_short(why, CK_MAX_ADMISSION_TEXT / 4, ck_request_arena(r)), &out);
    ck_request_reply(r, status, ERROR_TYPE, ck_buf_view(&out), NULL, 0);
}

static void fail_with(struct ck_request *r, unsigned status, ck_err *e)
{
    fail(r, status, ck_view_str(ck_err_text(e)));
    ck_err_free(e);
}

/* --- metadata --------------------------------------------------------------------------------- */

static void described(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (w->status != OK) {
        fail(r, FAILED, w->message);
        return;
    }
    ck_harbor_metadata(w->message, &out);
    ck_request_reply(r, OK, METADATA_TYPE, ck_buf_view(&out), NULL, 0);
}

static void metadata(struct ck_request *r)
{
    struct ck_ask ask = { .kind = CK_ASK_HARBOR_SCAN, .fd = -1 };
    ck_request_ask(r, &ask, described, NULL);
}

/* --- scan ------------------------------------------------------------------------------------- */

static void begun(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    (void)ctx;
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    if (w->status != ACCEPTED) {
        fail(r, w->status >= BAD_REQUEST ? w->status : FAILED, w->message);
        return;
    }
    ck_harbor_accepted(w->message, &out);
    ck_request_reply(r, ACCEPTED, ACCEPTED_TYPE, ck_buf_view(&out), NULL, 0);
}

static void scan(struct ck_request *r)
{
    static const unsigned statuses[CK_ERR_CLASS_COUNT_] = {
        [CK_ERR_USAGE] = UNPROCESSABLE,  [CK_ERR_UNAVAILABLE] = NOT_IMPLEMENTED,
        [CK_ERR_HOSTILE] = BAD_REQUEST,  [CK_ERR_LIMIT] = BAD_REQUEST,
        [CK_ERR_OURS] = FAILED,
    };
    struct ck_arena *a = ck_request_arena(r);
    struct ck_harbor_request q;
    ck_err *e = ck_harbor_request(ck_request_body(r), a, &q);
    if (e) {
        fail_with(r, statuses[ck_err_class(e)], e);
        return;
    }
    ck_view words[] = { q.url, q.authorization, q.repository, q.digest };
    struct ck_ask ask = { .kind = CK_ASK_HARBOR_SCAN, .words = ck_arena_alloc(a, 4, sizeof *words),
                          .n_words = 4, .fd = -1 };
    memcpy(ask.words, words, sizeof words);
    ck_request_ask(r, &ask, begun, NULL);
}

/* --- report ----------------------------------------------------------------------------------- */

static void pending(struct ck_request *r, const struct ck_answer *w)
{
    enum { SOON = 2 };
    const char *after = ck_arena_format(ck_request_arena(r), "%u",
                                        w->retry_after ? w->retry_after : SOON);
    const struct ck_reply_header headers[] = { { "Refresh-After", ck_view_str(after) },
                                               { "Location", ck_request_path(r) } };
    ck_request_reply(r, FOUND, NULL, CK_V(""), headers, 2);
}

static void reported(struct ck_request *r, void *ctx, struct ck_answer *w)
{
    const char *type = ctx;
    ck_view body;
    if (w->status == ACCEPTED) {
        pending(r, w);
    } else if (w->status != OK) {
        fail(r, w->status == NOT_FOUND ? NOT_FOUND : FAILED, w->message);
    } else {
        ck_err *e = ck_asked_bytes(r, w, CK_LIMIT_HARBOR_REPORT, &body);
        if (e)
            fail_with(r, FAILED, e);
        else
            ck_request_reply(r, OK, type, body, NULL, 0);
    }
}

static void report(struct ck_request *r)
{
    struct ck_arena *a = ck_request_arena(r);
    ck_view accept = { 0 }, id = { 0 };
    ck_request_header(r, "Accept", &accept);
    const char *type = ck_harbor_accept(accept);
    if (!ck_harbor_report_id(ck_view_from(ck_request_path(r), sizeof SCAN - 1), &id)) {
        fail(r, NOT_FOUND, CK_V("no such scan"));
        return;
    }
    if (!type) {
        fail(r, NOT_IMPLEMENTED, CK_V("no such report is made here"));
        return;
    }
    bool raw = strcmp(type, CK_HARBOR_REPORT_RAW) == 0;
    struct ck_ask ask = { .kind = CK_ASK_HARBOR_REPORT, .n_words = 2, .fd = -1,
                          .words = ck_arena_alloc(a, 2, sizeof *ask.words) };
    ask.words[0] = id;
    ask.words[1] = raw ? CK_V("raw") : CK_V("harbor");
    ck_request_ask(r, &ask, reported, (void *)(uintptr_t)type);
}

#define BODY (64 * CK_KIB) /* HARBOR_REQUEST, which is no constant expression */

const struct ck_route ck_harbor_routes[] = {
    { CK_GET, "/harbor/api/v1/metadata", true, CK_ROLE_PULL, 0, metadata },
    { CK_POST, "/harbor/api/v1/scan", true, CK_ROLE_PULL, BODY, scan },
    { CK_GET, SCAN, false, CK_ROLE_PULL, 0, report },
    { 0, NULL, false, 0, 0, NULL },
};
