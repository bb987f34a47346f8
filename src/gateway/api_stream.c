/* GET stream: events as they come, and how far long work is. The call is kept, and answered from
 * the clock, when there is something to say or it is time; the client asks again.
 */
#include "gateway/api_events.h"
#include "gateway/flights.h"
#include "gateway/surveying.h"
#include "gateway/watching.h"

#include "base/clock.h"
#include "base/text.h"
#include "image/digest.h"

#include <stdlib.h>

enum { LASTS_MS = 15000, AT_ONCE_MAX = 200, RETRY_MS = 500 };

struct stream {
    struct ck_api *r;
    uint64_t after;
    bool knows;        /* what was under way when it was last told */
    uint32_t progress; /* by its hash */
    int64_t until;     /* ms */
    struct stream *next;
};

struct ck_streams {
    pthread_mutex_t mutex;
    struct stream *first;
    size_t n;
    bool ending;
};

struct ck_streams *ck_streams_new(void)
{
    struct ck_streams *s = ck_new(struct ck_streams);
    pthread_mutex_init(&s->mutex, NULL);
    return s;
}

/* --- progress --------------------------------------------------------------------------------- */

struct work {
    const struct ck_api *r;
    struct ck_buf *out;
};

/* A total of 0 is not known. */
static void put_item(struct ck_buf *out, const char *kind, ck_view what, uint64_t done,
                     uint64_t total)
{
    ck_out_open(out, NULL, '{');
    ck_out_word(out, "kind", kind);
    ck_out_text(out, "what", what);
    ck_out_u64(out, "done", done);
    if (total)
        ck_out_u64(out, "total", total);
    else
        ck_out_raw(out, "total", CK_V(""));
    ck_out_close(out, '}');
}

static void put_flight(void *ctx, enum ck_flight_kind kind, const char *name, bool running,
                       unsigned percent)
{
    const struct work *w = ctx;
    if (kind == CK_FLIGHT_REFERRERS || !ck_api_sees(w->r, ck_view_str(name)))
        return;
    put_item(w->out, kind == CK_FLIGHT_SCAN ? "scan" : "fetch", ck_view_str(name),
             running ? percent : 0, running ? 100 : 0);
}

/* Of a whole registry: not for those who are bound to a part. */
static void put_survey(const struct ck_api *r, struct ck_buf *out)
{
    ck_autobuf struct ck_buf registry = ck_buf_new(CK_LIMIT_NONE);
    uint64_t done = 0, total = 0;
    if (r->bound.n || !ck_surveying_look(r->g, &registry, &done, &total))
        return;
    put_item(out, "survey", ck_buf_view(&registry), done, total);
}

static void put_counts(const struct ck_watching_state *st, struct ck_buf *out)
{
    const struct { const char *name; uint64_t n; } counts[] = {
        { "rounds", st->rounds },            { "matched", st->counts.matched },
        { "judged", st->counts.judged },     { "changed", st->counts.changed },
        { "verdicts", st->counts.verdicts }, { "withdrawn", st->counts.withdrawn },
        { "tags_asked", st->counts.asked },  { "tags_not_had", st->counts.unasked },
        { "tags_moved", st->counts.moved },  { "bases", st->counts.bases },
        { "feeds_failed", st->counts.feeds_failed },
        { "without_inventory", st->counts.without }, { "other_version", st->counts.stale },
    };
    ck_out_open(out, "watched", '{');
    ck_out_time(out, "ended", st->ended);
    ck_out_bool(out, "failed", st->failed);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        ck_out_u64(out, counts[i].name, counts[i].n);
    ck_out_close(out, '}');
}

static uint32_t put_progress(const struct ck_api *r, struct ck_buf *out)
{
    struct work w = { r, out };
    struct ck_watching_state st;
    struct ck_digest d;
    uint32_t hash;
    ck_watching_look(r->g, &st);
    ck_out_open(out, NULL, '{');
    ck_out_open(out, "work", '[');
    ck_flights_each(r->g->flights, put_flight, &w);
    put_survey(r, out);
    if (st.running && !r->bound.n) /* it is of the whole store */
        put_item(out, "watch", ck_view_str(st.phase), st.done, st.total);
    ck_out_close(out, ']');
    if (st.rounds && !r->bound.n)
        put_counts(&st, out);
    else
        ck_out_raw(out, "watched", CK_V(""));
    ck_out_close(out, '}');
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(out), &d);
    memcpy(&hash, d.bytes, sizeof hash);
    return hash;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* Numbers are followed by the hash of what was under way. */
static void put_head(struct ck_buf *out, uint64_t number, uint32_t hash, const char *event)
{
    ck_buf_format(out, "id: %llu-%08x\nevent: %s\ndata: ", (unsigned long long)number, hash,
                  event);
}

/* A line break of JSON is a blank, since one in a string is escaped; in a stream it ends the data.
 */
static void put_in_one_line(struct ck_buf *out, const struct ck_buf *json)
{
    for (size_t i = 0; i < json->n; i++)
        ck_put_u8(out, json->p[i] < ' ' ? ' ' : json->p[i]);
}

struct telling {
    struct stream *s;
    uint32_t hash;
};

static ck_err *tell(void *ctx, const struct ck_event *e)
{
    struct telling *t = ctx;
    struct ck_api *r = t->s->r;
    ck_autobuf struct ck_buf json = ck_buf_new(CK_LIMIT_NONE);
    t->s->after = e->number;
    if (!ck_api_sees_event(r, e))
        return NULL;
    ck_api_put_event(&json, NULL, e);
    put_head(&r->out, e->number, t->hash, "event");
    put_in_one_line(&r->out, &json);
    ck_put_bytes(&r->out, CK_V("\n\n"));
    return NULL;
}

/* Takes over the stream. */
static void answer(struct stream *s, ck_view progress, uint32_t hash)
{
    struct ck_api *r = s->r;
    struct telling t = { s, hash };
    const struct ck_event_filter f = { .after = s->after, .max = AT_ONCE_MAX };
    ck_buf_format(&r->out, "retry: %d\n", RETRY_MS);
    put_head(&r->out, s->after, hash, "progress");
    ck_put_bytes(&r->out, progress);
    ck_put_bytes(&r->out, CK_V("\n\n"));
    ck_err *e = ck_store_events(r->store, &f, tell, &t);
    if (!e && s->after != f.after) /* also behind what was not for these eyes */
        ck_buf_format(&r->out, "id: %llu-%08x\n\n", (unsigned long long)s->after, hash);
    r->content_type = "text/event-stream";
    free(s);
    ck_api_finish(r, e);
}

static bool is_due(const struct stream *s, uint64_t last, uint32_t hash, int64_t now)
{
    return last > s->after || !s->knows || s->progress != hash || now >= s->until;
}

/* Those that there is something to say to, taken out of the list. */
static struct stream *take_due(struct ck_streams *all, uint64_t last, int64_t now)
{
    struct stream *due = NULL;
    for (struct stream **at = &all->first; *at;) {
        ck_autobuf struct ck_buf progress = ck_buf_new(CK_LIMIT_NONE);
        struct stream *s = *at;
        if (!all->ending && !is_due(s, last, put_progress(s->r, &progress), now)) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        all->n--;
        s->next = due;
        due = s;
    }
    return due;
}

static void turn(struct ck_gateway *g, bool ending)
{
    struct ck_streams *all = g->core->streams;
    uint64_t last = 0;
    pthread_mutex_lock(&all->mutex);
    all->ending |= ending;
    bool any = all->first != NULL;
    pthread_mutex_unlock(&all->mutex);
    if (!any)
        return;
    ck_err_free(ck_store_last_event(g->store, &last)); /* else it ends when it is time */
    pthread_mutex_lock(&all->mutex);
    struct stream *due = take_due(all, last, ck_clock_ms());
    pthread_mutex_unlock(&all->mutex);
    while (due) {
        ck_autobuf struct ck_buf progress = ck_buf_new(CK_LIMIT_NONE);
        struct stream *s = due;
        due = s->next;
        uint32_t hash = put_progress(s->r, &progress);
        answer(s, ck_buf_view(&progress), hash);
    }
}

void ck_streams_tick(struct ck_gateway *g) { turn(g, false); }

void ck_streams_end(struct ck_gateway *g) { turn(g, true); }

void ck_streams_free(struct ck_gateway *g)
{
    if (!g->core->streams)
        return;
    turn(g, true);
    pthread_mutex_destroy(&g->core->streams->mutex);
    free(g->core->streams);
    g->core->streams = NULL;
}

/* --- a new one -------------------------------------------------------------------------------- */

static bool take_hash(ck_view text, uint32_t *ret)
{
    enum { DIGITS = 8 };
    static const char digits[] = "0123456789abcdef";
    uint32_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *at = text.p[i] ? strchr(digits, text.p[i]) : NULL;
        if (!at)
            return false;
        n = n << 4 | (uint32_t)(at - digits);
    }
    *ret = n;
    return text.n == DIGITS;
}

/* "NUMBER" or "NUMBER-HASH"; without it events count from now on. */
static ck_err *take_last(struct ck_api *r, struct stream *s)
{
    const struct ck_api_value *v = ck_api_get(r, "last_event_id");
    ck_view hash, number = ck_view_split(v->text, '-', &hash);
    if (!v->has)
        return ck_store_last_event(r->store, &s->after);
    s->knows = hash.n > 0;
    if (!ck_view_u64(number, &s->after) || s->after > INT64_MAX ||
        (s->knows && !take_hash(hash, &s->progress)))
        return ck_api_error(400, "Last-Event-ID: it is none of ours");
    return NULL;
}

static ck_err *stream(struct ck_api *r)
{
    struct ck_streams *all = r->g->core->streams;
    struct stream s = { .r = r, .until = ck_clock_ms() + LASTS_MS };
    CK_TRY(take_last(r, &s));
    struct stream *kept = ck_new(struct stream);
    pthread_mutex_lock(&all->mutex);
    bool room = all->n < CK_MAX_API_STREAMS && !all->ending;
    if (room) {
        s.next = all->first;
        *kept = s;
        all->first = kept;
        all->n++;
    }
    pthread_mutex_unlock(&all->mutex);
    if (room)
        return NULL;
    free(kept);
    return ck_api_error(503, "too many listen already; try again");
}

const struct ck_api_route ck_api_stream_routes[] = {
    { "GET", "stream", CK_ROLE_PULL, CK_API_KEPT, stream,
      { { "last_event_id", CK_API_TEXT, 1, 40, NULL, false } } },
    { .method = NULL },
};
