#include "gateway/core.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS = 4, MESSAGE = 2048, RETRY_SECONDS = 5 };

/* A call with what only this file knows of it. */
struct open_call {
    struct ck_call call;
    struct ck_front *front;
    struct open_call *next;
};

struct ck_dispatch {
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct open_call *first, **last;
    atomic_uint open;
    bool ending;
    pthread_t workers[WORKERS];
    unsigned n_workers;
};

static const struct kind {
    void (*handle)(struct ck_call *c);
    bool silent;   /* is not answered */
    bool stranger; /* needs no session: it is about to get one, or asks nothing that is secret */
} kinds[CK_ASK_KIND_COUNT_] = {
    [CK_ASK_AUTH] = { .handle = ck_auth_ask, .stranger = true },
    [CK_ASK_TOKEN] = { .handle = ck_auth_ask, .stranger = true },
    [CK_ASK_MANIFEST] = { .handle = ck_manifest_ask },
    [CK_ASK_BLOB] = { .handle = ck_blob_ask },
    [CK_ASK_TAGS] = { .handle = ck_listing_ask },
    [CK_ASK_REFERRERS] = { .handle = ck_listing_ask },
    [CK_ASK_CATALOG] = { .handle = ck_listing_ask },
    [CK_ASK_UPLOAD_START] = { .handle = ck_push_ask },
    [CK_ASK_UPLOAD_DATA] = { .handle = ck_push_ask },
    [CK_ASK_UPLOAD_END] = { .handle = ck_push_ask },
    [CK_ASK_UPLOAD_STATUS] = { .handle = ck_push_ask },
    [CK_ASK_UPLOAD_FINISH] = { .handle = ck_push_ask },
    [CK_ASK_UPLOAD_CANCEL] = { .handle = ck_push_ask },
    [CK_ASK_MANIFEST_PUT] = { .handle = ck_push_ask },
    [CK_ASK_MANIFEST_DELETE] = { .handle = ck_push_ask },
    [CK_ASK_BLOB_DELETE] = { .handle = ck_push_ask },
    [CK_ASK_EXPLAIN] = { .handle = ck_explain_ask },
    [CK_ASK_VERDICTS] = { .handle = ck_admit_ask },
    [CK_ASK_HARBOR_SCAN] = { .handle = ck_harbor_ask },
    [CK_ASK_HARBOR_REPORT] = { .handle = ck_harbor_ask },
    [CK_ASK_API] = { .handle = ck_api_ask },
    [CK_ASK_METRICS] = { .handle = ck_health_ask, .stranger = true },
    [CK_ASK_READY] = { .handle = ck_health_ask, .stranger = true },
    [CK_ASK_PULLED] = { .handle = ck_pulled_ask, .silent = true },
};

/* --- answers ---------------------------------------------------------------------------------- */

static void end_call(struct ck_call *c)
{
    struct open_call *o = (struct open_call *)c; /* its first member */
    struct ck_front *f = o->front;
    atomic_fetch_sub(&c->g->core->dispatch->open, 1);
    atomic_fetch_sub(&f->open, 1);
    if (c->ask.fd >= 0)
        close(c->ask.fd);
    ck_arena_free(&c->arena);
    free(o);
    ck_front_put(f);
}

void ck_call_answer(struct ck_call *c, struct ck_answer *w)
{
    struct open_call *o = (struct open_call *)c;
    if (!kinds[c->ask.kind].silent) {
        ck_autobuf struct ck_buf packet = ck_buf_new(CK_LIMIT_NONE);
        w->id = c->ask.id;
        w->message = ck_view_head(w->message, MESSAGE);
        ck_answer_encode(w, &packet);
        ck_front_send(o->front, ck_buf_view(&packet), w->fd);
    }
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    end_call(c);
}

void ck_call_refuse(struct ck_call *c, uint16_t status, enum ck_oci_error code, const char *fmt,
                    ...)
{
    char text[MESSAGE + 1];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    ck_autofree char *safe = ck_escape(ck_view_str(text));
    struct ck_answer w = { .status = status, .code = code, .message = ck_view_str(safe), .fd = -1 };
    if (status == 429 || status == 503)
        w.retry_after = RETRY_SECONDS;
    ck_call_answer(c, &w);
}

void ck_call_fail(struct ck_call *c, ck_err *e)
{
    static const struct {
        uint16_t status;
        enum ck_oci_error code;
    } by_class[CK_ERR_CLASS_COUNT_] = {
        [CK_ERR_USAGE] = { 400, CK_OCI_UNSUPPORTED },
        [CK_ERR_UNAVAILABLE] = { 404, CK_OCI_MANIFEST_UNKNOWN },
        [CK_ERR_HOSTILE] = { 400, CK_OCI_MANIFEST_INVALID },
        [CK_ERR_LIMIT] = { 413, CK_OCI_SIZE_INVALID },
        [CK_ERR_OURS] = { 500, CK_OCI_UNKNOWN },
    };
    enum ck_err_class cls = ck_err_class(e);
    if (cls == CK_ERR_OURS) {
        ck_gateway_count(c->g, "cocket_failures_total", 1);
        ck_gateway_say(c->g, "failed", "error", ck_err_text(e), NULL);
        ck_call_refuse(c, 500, CK_OCI_UNKNOWN, "the gate has failed; its log says why");
    } else if (ck_err_limit_of(e) == CK_LIMIT_GATE_FLIGHTS) {
        ck_call_refuse(c, 429, CK_OCI_TOOMANYREQUESTS, "%s", ck_err_text(e));
    } else {
        ck_call_refuse(c, by_class[cls].status, by_class[cls].code, "%s", ck_err_text(e));
    }
    ck_err_free(e);
}

/* --- the workers ------------------------------------------------------------------------------ */

/* Who asks. False: it has answered. */
static bool identify(struct ck_call *c)
{
    c->user = CK_V("anonymous");
    c->roles = c->g->o->anonymous_pull ? CK_ROLE_PULL : 0;
    if (!c->ask.session || c->ask.kind == CK_ASK_AUTH)
        return true;
    if (ck_session_of(c->g, c->ask.session, &c->arena, &c->user, &c->roles))
        return true;
    if (kinds[c->ask.kind].stranger || kinds[c->ask.kind].silent)
        return true;
    ck_call_refuse(c, 401, CK_OCI_UNAUTHORIZED, "the session has ended: log in again");
    return false;
}

static void *worker_main(void *arg)
{
    struct ck_dispatch *d = arg;
    for (;;) {
        pthread_mutex_lock(&d->mutex);
        while (!d->first && !d->ending)
            pthread_cond_wait(&d->more, &d->mutex);
        struct open_call *o = d->ending ? NULL : d->first;
        if (o && !(d->first = o->next))
            d->last = &d->first;
        pthread_mutex_unlock(&d->mutex);
        if (!o)
            return NULL;
        if (identify(&o->call))
            kinds[o->call.ask.kind].handle(&o->call);
    }
}

struct ck_dispatch *ck_dispatch_new(void)
{
    struct ck_dispatch *d = ck_new(struct ck_dispatch);
    pthread_mutex_init(&d->mutex, NULL);
    pthread_cond_init(&d->more, NULL);
    d->last = &d->first;
    while (d->n_workers < WORKERS &&
           pthread_create(&d->workers[d->n_workers], NULL, worker_main, d) == 0)
        d->n_workers++;
    if (!d->n_workers)
        abort(); /* not one thread to be had */
    return d;
}

void ck_dispatch_end(struct ck_dispatch *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->mutex);
    d->ending = true;
    pthread_cond_broadcast(&d->more);
    pthread_mutex_unlock(&d->mutex);
    for (unsigned i = 0; i < d->n_workers; i++)
        pthread_join(d->workers[i], NULL);
    d->n_workers = 0;
}

void ck_dispatch_free(struct ck_dispatch *d)
{
    if (!d)
        return;
    ck_dispatch_end(d);
    while (d->first) {
        struct open_call *o = d->first;
        d->first = o->next;
        end_call(&o->call);
    }
    pthread_cond_destroy(&d->more);
    pthread_mutex_destroy(&d->mutex);
    free(d);
}

unsigned ck_dispatch_open(struct ck_dispatch *d)
{
    return atomic_load(&d->open);
}

static void queue(struct ck_dispatch *d, struct open_call *o)
{
    pthread_mutex_lock(&d->mutex);
    *d->last = o;
    d->last = &o->next;
    pthread_cond_signal(&d->more);
    pthread_mutex_unlock(&d->mutex);
}

ck_err *ck_dispatch_take(struct ck_front *f, ck_view packet, int fd)
{
    struct ck_dispatch *d = f->g->core->dispatch;
    struct open_call *o = ck_new(struct open_call);
    o->call.g = f->g;
    o->front = f;
    atomic_fetch_add(&f->users, 1);
    atomic_fetch_add(&d->open, 1);
    unsigned open = atomic_fetch_add(&f->open, 1);
    ck_err *e = ck_ask_decode(ck_arena_dup(&o->call.arena, packet), &o->call.arena, &o->call.ask);
    o->call.ask.fd = fd;
    if (e) {
        end_call(&o->call);
        return e;
    }
    if (open >= CK_MAX_GATE_CALLS && !kinds[o->call.ask.kind].silent)
        ck_call_refuse(&o->call, 503, CK_OCI_TOOMANYREQUESTS,
                       "the gate has too much to do; try again");
    else
        queue(d, o);
    return NULL;
}
