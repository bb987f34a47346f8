/* One try of one delivery. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/program.h"
#include "base/text.h"
#include "notify/notify_int.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TRY_SECONDS = 30, TURN_MS = 100, SLACK_MS = 5000, SHOWN = 200 };

unsigned ck_try_seconds(const struct ck_notify_options *o)
{
    unsigned n = o->try_seconds ? o->try_seconds : TRY_SECONDS;
    return n < CK_MAX_NOTIFY_SECONDS ? n : (unsigned)CK_MAX_NOTIFY_SECONDS;
}

void ck_sender_close(struct ck_sender *w)
{
    ck_room_stop(w->room);
    w->room = NULL;
}

/* --- the room --------------------------------------------------------------------------------- */

static ck_err *collect(void *ctx, ck_view bytes) { return ck_buf_add(ctx, bytes); }

/* As ck_room_finish, but for the end of the process, which waits for no receiver. */
static ck_err *await(struct ck_sender *w, struct ck_buf *out, bool *ret_broken_off)
{
    const struct ck_room_consumer c = { .piece = collect, .ctx = out };
    bool done = false;
    while (!done) {
        struct pollfd p = { .fd = ck_room_fd(w->room), .events = POLLIN };
        int n = poll(&p, 1, TURN_MS);
        *ret_broken_off = atomic_load(w->ending);
        if (*ret_broken_off)
            return ck_err_new(CK_ERR_UNAVAILABLE, "broken off");
        if (n > 0)
            CK_TRY(ck_room_step(w->room, &c, &done));
        else if (ck_room_patience(w->room) == 0)
            return ck_room_stuck(w->room);
    }
    return NULL;
}

static ck_err *ask(struct ck_sender *w, const struct ck_job_notify *j, int body,
                   struct ck_buf *out, bool *ret_broken_off)
{
    ck_autobuf struct ck_buf job = ck_buf_new(CK_LIMIT_NONE);
    const struct ck_room_options ro = { .no_sandbox = w->o->no_sandbox,
                                        .patience_ms = (int)j->seconds * 1000 + SLACK_MS };
    if (!w->room)
        CK_TRY(ck_room_start(CK_ROOM_NOTIFY, &ro, &w->room));
    ck_job_notify_encode(j, &job);
    ck_err *e = ck_room_job(w->room, ck_buf_view(&job), body, -1);
    if (!e)
        e = await(w, out, ret_broken_off);
    if (job.n)
        explicit_bzero(job.p, job.n);
    if (e && ck_err_class(e) != CK_ERR_UNAVAILABLE) /* more than no connection: start anew */
        ck_sender_close(w);
    return e;
}

/* What the receiver said that is no "yes", in one line. */
static ck_err *refused(const struct ck_job_notify *j, const struct ck_notify_answer *r)
{
    ck_view line = r->message;
    while (line.n && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
        line.n--;
    ck_autofree char *shown = ck_escape(ck_view_head(line, SHOWN));
    bool redirect = !ck_job_notify_is_mail(j) && r->status >= 300 && r->status < 400;
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s %u%s%s%s",
                      ck_job_notify_is_mail(j) ? "SMTP" : "HTTP status", r->status,
                      redirect ? " (redirects are not followed)" : "", *shown ? ": " : "", shown);
}

static ck_err *talk(struct ck_sender *w, struct ck_job_notify *j, ck_view body,
                    uint32_t *ret_retry_after, bool *ret_broken_off)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_ANSWER);
    struct ck_notify_answer r;
    int fd = -1;
    j->seconds = ck_try_seconds(w->o);
    CK_TRY(ck_sealed_copy(body, &fd));
    ck_err *e = ask(w, j, fd, &out, ret_broken_off);
    close(fd);
    CK_TRY(e);
    CK_TRY(ck_notify_answer_decode(ck_buf_view(&out), &r));
    *ret_retry_after = r.retry_after;
    return r.status >= 200 && r.status < 300 ? NULL : refused(j, &r);
}

/* --- the ways --------------------------------------------------------------------------------- */

struct attempt {
    struct ck_sender *w;
    const struct ck_notice *n;
    struct ck_arena *a;
    uint32_t *ret_retry_after;
    bool *ret_broken_off;
};

static ck_err *webhook(const struct attempt *t)
{
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_NONE), mac = ck_buf_new(CK_LIMIT_NONE);
    ck_view fields[5], secret = t->w->s->secret;
    int64_t now = time(NULL);
    size_t n = 0;
    ck_form_cloudevents(t->n, &body);
    fields[n++] = t->n->n > 1
                      ? CK_V("Content-Type: application/cloudevents-batch+json; charset=utf-8")
                      : CK_V("Content-Type: application/cloudevents+json; charset=utf-8");
    fields[n++] = ck_view_str(ck_arena_format(t->a, "Idempotency-Key: %.*s", CK_VF(t->n->key)));
    fields[n++] = ck_view_str(ck_arena_format(t->a, "webhook-id: %.*s", CK_VF(t->n->key)));
    fields[n++] = ck_view_str(ck_arena_format(t->a, "webhook-timestamp: %lld", (long long)now));
    if (secret.n) {
        CK_TRY(ck_sign(secret, t->n->key, now, ck_buf_view(&body), &mac));
        fields[n++] = ck_view_str(ck_arena_format(t->a, "webhook-signature: %.*s",
                                                  CK_VF(ck_buf_view(&mac))));
    }
    struct ck_job_notify j = { .url = t->w->s->target, .fields = fields, .n_fields = n };
    return talk(t->w, &j, ck_buf_view(&body), t->ret_retry_after, t->ret_broken_off);
}

static ck_err *slack(const struct attempt *t)
{
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_NONE);
    const ck_view fields[] = { CK_V("Content-Type: application/json; charset=utf-8") };
    struct ck_job_notify j = { .url = t->w->s->target, .fields = fields, .n_fields = 1 };
    ck_form_slack(t->n, &body);
    return talk(t->w, &j, ck_buf_view(&body), t->ret_retry_after, t->ret_broken_off);
}

static ck_err *mail(const struct attempt *t)
{
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_NONE);
    struct ck_mail_target m;
    CK_TRY(ck_mail_target_parse(t->w->s->target, t->a, &m));
    struct ck_job_notify j = { .url = m.server, .fields = m.to, .n_fields = m.n_to, .from = m.from,
                               .user = m.user, .password = t->w->s->secret, .tls = m.tls };
    ck_form_mail(t->n, &m, &body);
    return talk(t->w, &j, ck_buf_view(&body), t->ret_retry_after, t->ret_broken_off);
}

static ck_err *await_program(const struct attempt *t, struct ck_program *p)
{
    const int64_t deadline = ck_clock_ms() + (int64_t)ck_try_seconds(t->w->o) * 1000;
    ck_autofree char *tail = NULL;
    int status = 0;
    while (!ck_program_ended(p, TURN_MS)) {
        *t->ret_broken_off = atomic_load(t->w->ending);
        if (!*t->ret_broken_off && ck_clock_ms() < deadline)
            continue;
        ck_program_stop(p);
        return ck_err_new(CK_ERR_UNAVAILABLE, "it did not end within %u s and was killed",
                          ck_try_seconds(t->w->o));
    }
    ck_program_wait(p, &status, &tail);
    ck_autofree char *shown = ck_escape(ck_view_head(ck_view_str(tail), SHOWN));
    return status == 0 ? NULL
                       : ck_err_new(CK_ERR_UNAVAILABLE, "exit status %d%s%s", status,
                                    *shown ? ": " : "", shown);
}

static ck_err *command(const struct attempt *t)
{
    ck_autobuf struct ck_buf body = ck_buf_new(CK_LIMIT_NONE);
    ck_autofree char *path = ck_strndup(t->w->s->target.p, t->w->s->target.n);
    const char *const argv[] = { path, NULL };
    const char *const env[] = {
        "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",
        ck_arena_format(t->a, "COCKET_NOTIFY_KEY=%.*s", CK_VF(t->n->key)), NULL
    };
    struct ck_program *p = NULL;
    int fd = -1;
    ck_form_cloudevents(t->n, &body);
    CK_TRY(ck_sealed_copy(ck_buf_view(&body), &fd));
    lseek(fd, 0, SEEK_SET);
    ck_err *e = ck_program_start_bare(argv, env, fd, -1, &p);
    close(fd);
    CK_TRY(e);
    return await_program(t, p);
}

ck_err *ck_send(struct ck_sender *w, const struct ck_notice *n, uint32_t *ret_retry_after,
                bool *ret_broken_off)
{
    static ck_err *(*const ways[CK_WAY_COUNT_])(const struct attempt *t) = {
        [CK_WAY_WEBHOOK] = webhook,
        [CK_WAY_SLACK] = slack,
        [CK_WAY_SMTP] = mail,
        [CK_WAY_COMMAND] = command,
    };
    ck_autoarena struct ck_arena a = { 0 };
    const struct attempt t = { w, n, &a, ret_retry_after, ret_broken_off };
    enum ck_way way = ck_way_of(w->s->way);
    if (way == CK_WAY_COUNT_)
        return ck_err_new(CK_ERR_OURS, "the store names a way that this cocket does not know");
    return ways[way](&t);
}
