/* One delivery: what it says, whether it went through, when it is tried again. */
#include "base/mem.h"
#include "base/text.h"
#include "notify/notify_int.h"
#include "store/inventory.h"

#include <stdlib.h>
#include <sys/random.h>

enum { FIRST = 10, MOST = 3600, GIVE_UP = 3 * 86400 };

const char *ck_notify_result_name(enum ck_notify_result r)
{
    static const char *const names[CK_NOTIFY_RESULT_COUNT_] = { "delivered", "failed",
                                                                "given_up" };
    return names[r];
}

ck_err *ck_outbox_store_id(struct ck_store *s, char out[CK_UUID_TEXT])
{
    static const char key[] = "notify.store";
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NOTE);
    uint8_t random[16];
    bool found = false;
    CK_TRY(ck_store_get_note(s, key, &b, &found));
    if (found && b.n == CK_UUID_TEXT - 1) {
        memcpy(out, b.p, b.n);
        out[b.n] = 0;
        return NULL;
    }
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return ck_err_errno(CK_ERR_OURS, "random bytes");
    ck_uuid_of(random, out);
    return ck_store_put_note(s, key, ck_view_str(out));
}

int64_t ck_outbox_pause(const struct ck_notify_options *o, unsigned tries, uint32_t retry_after,
                        uint8_t random)
{
    int64_t pause = o->first_seconds ? o->first_seconds : FIRST;
    const int64_t most = o->most_seconds ? o->most_seconds : MOST;
    for (unsigned i = 0; i < tries && pause < most; i++)
        pause *= 2;
    if (pause > most)
        pause = most;
    pause += pause * (random - 128) / 512; /* a quarter more or less */
    if (pause < 1)
        pause = 1;
    int64_t asked = retry_after < CK_MAX_NOTIFY_WAIT ? retry_after : (int64_t)CK_MAX_NOTIFY_WAIT;
    return pause > asked ? pause : asked;
}

/* --- what it says ----------------------------------------------------------------------------- */

struct gathering {
    const struct ck_delivery *d;
    struct ck_arena *a;
    struct ck_event *v;
    size_t n, at; /* found; position in the delivery's list */
};

static ck_err *gather(void *ctx, const struct ck_event *e)
{
    struct gathering *g = ctx;
    while (g->at < g->d->n_events && g->d->events[g->at] < e->number)
        g->at++;
    if (g->at == g->d->n_events || g->d->events[g->at] != e->number)
        return NULL;
    struct ck_event *to = &g->v[g->n++];
    *to = *e;
    ck_view *views[] = { &to->kind,    &to->image, &to->name, &to->repository,
                         &to->summary, &to->data,  NULL };
    for (size_t i = 0; views[i]; i++)
        *views[i] = ck_arena_dup(g->a, *views[i]);
    return NULL;
}

static ck_err *read_events(struct ck_store *s, struct gathering *g)
{
    const struct ck_delivery *d = g->d;
    if (d->n_events == 0)
        return NULL;
    const struct ck_event_filter f = { .after = d->events[0] - 1,
                                       .before = d->events[d->n_events - 1] + 1 };
    g->v = ck_arena_alloc(g->a, d->n_events, sizeof *g->v);
    return ck_store_events(s, &f, gather, g);
}

/* --- what came of it -------------------------------------------------------------------------- */

static void count(const struct ck_notify_options *o, enum ck_notify_result r)
{
    if (o->counted)
        o->counted(o->ctx, r);
}

/* Said before it is written down: twice rather than never. */
static ck_err *say_given_up(struct ck_store *s, const struct ck_sender *w,
                            const struct ck_delivery *d, ck_view error, int64_t now)
{
    ck_autofree char *summary = ck_format("%zu events could not be told to %.*s: %.*s",
                                          d->n_events, CK_VF(w->s->name), CK_VF(error));
    ck_autobuf struct ck_buf data = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&data, CK_V("{\"events\":["));
    for (size_t i = 0; i < d->n_events; i++)
        ck_buf_format(&data, "%s%llu", i ? "," : "", (unsigned long long)d->events[i]);
    ck_put_bytes(&data, CK_V("],\"error\":"));
    ck_buf_json_str(&data, error);
    ck_put_u8(&data, '}');
    const struct ck_event e = { .time = now, .kind = CK_V("undelivered"), .severity = -1,
                                .name = w->s->name, .summary = ck_view_str(summary),
                                .data = ck_buf_view(&data) };
    return ck_store_add_events(s, &e, 1);
}

static ck_err *write_failure(struct ck_store *s, const struct ck_sender *w,
                             const struct ck_delivery *d, const char *error, uint32_t retry_after,
                             int64_t now)
{
    const struct ck_notify_options *o = w->o;
    uint8_t random = 128;
    bool over = now - d->made >= (o->give_up_seconds ? o->give_up_seconds : GIVE_UP);
    ck_view text = ck_view_head(ck_view_str(error), CK_MAX_ERROR_TEXT);
    if (getrandom(&random, 1, GRND_NONBLOCK) != 1)
        random = 128;
    if (over)
        CK_TRY(say_given_up(s, w, d, text, now));
    count(o, over ? CK_NOTIFY_GIVEN_UP : CK_NOTIFY_FAILED);
    if (o->failed) {
        ck_autofree char *name = ck_strndup(w->s->name.p, w->s->name.n);
        o->failed(o->ctx, name, error);
    }
    int64_t due = over ? 0 : now + ck_outbox_pause(o, d->tries, retry_after, random);
    return ck_store_delivered(s, d->number, text, now, due);
}

ck_err *ck_outbox_try(struct ck_store *s, struct ck_sender *w, const char *store_id,
                      const struct ck_delivery *d, int64_t (*clock)(void *ctx), void *ctx,
                      bool *ret_failed)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct gathering g = { .d = d, .a = &a };
    uint32_t retry_after = 0;
    bool broken_off = false;
    CK_TRY(read_events(s, &g));
    const struct ck_notice n = { .key = d->key, .store = store_id, .events = g.v, .n = g.n,
                                 .time = d->made };
    /* Events that are so old that they have gone cannot be told any more. */
    ck_autoerr ck_err *e = g.n ? ck_send(w, &n, &retry_after, &broken_off) : NULL;
    *ret_failed = e != NULL;
    if (broken_off)
        return NULL;
    if (e)
        return write_failure(s, w, d, ck_err_text(e), retry_after, clock(ctx));
    CK_TRY(ck_store_delivered(s, d->number, CK_V(""), clock(ctx), 0));
    count(w->o, CK_NOTIFY_DELIVERED);
    return NULL;
}
