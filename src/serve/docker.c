/* The routes of Docker's authorization plugin. */
#include "serve/asking.h"
#include "serve/docker_request.h"
#include "serve/http.h"

/* What dockerd's client of plugins asks for and gives ("Docker Plugin API"). */
#define PLUGIN_TYPE "application/vnd.docker.plugins.v1.1+json"

enum { OK = 200 };

static void reply(struct ck_request *r, bool allow, ck_view message)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    ck_docker_reply(allow, message, &out);
    ck_request_reply(r, OK, PLUGIN_TYPE, ck_buf_view(&out), NULL, 0);
}

static void activate(struct ck_request *r)
{
    ck_request_reply(r, OK, PLUGIN_TYPE, CK_V("{\"Implements\":[\"authz\"]}\n"), NULL, 0);
}

static void judged(struct ck_request *r, void *ctx, const struct ck_judged *j, ck_view failed)
{
    const struct ck_docker_question *q = ctx;
    if (failed.n)
        reply(r, false, failed);
    else if (ck_judged_all_allow(j, q->n_words))
        reply(r, true, CK_V(""));
    else
        reply(r, false, ck_judged_line(j, q->n_words, CK_MAX_ADMISSION_TEXT / 4,
                                       ck_request_arena(r)));
}

static void request(struct ck_request *r)
{
    /* A pull waits as long as a person does; dockerd itself knows no limit here. */
    enum { WAIT = 60000 };
    struct ck_arena *a = ck_request_arena(r);
    struct ck_docker_question *q = ck_arena_alloc(a, 1, sizeof *q);
    ck_autoerr ck_err *e = ck_docker_question(ck_request_body(r), a, q);
    if (e) {
        reply(r, false, ck_judged_short(ck_view_str(ck_err_text(e)), CK_MAX_ADMISSION_TEXT / 4, a));
    } else if (q->what != CK_DOCKER_JUDGE) {
        reply(r, q->what == CK_DOCKER_ALLOW, q->why);
    } else {
        const struct ck_asking ask = { q->words, q->n_words, { 0 }, WAIT, judged, q };
        ck_ask_verdicts(r, &ask);
    }
}

/* Whatever the daemon answers was judged before it did. */
static void response(struct ck_request *r) { reply(r, true, CK_V("")); }

#define BODY (8 * CK_MIB) /* DOCKER_AUTHZ, which is no constant expression */

const struct ck_route ck_docker_routes[] = {
    { CK_POST, "/Plugin.Activate", true, 0, 64 * CK_KIB, activate },
    { CK_POST, "/AuthZPlugin.AuthZReq", true, 0, BODY, request },
    { CK_POST, "/AuthZPlugin.AuthZRes", true, 0, BODY, response },
    { 0, NULL, false, 0, 0, NULL },
};
