/* METRICS and READY. */
#include "gateway/core.h"
#include "gateway/flights.h"

#include "advisory/db.h"
#include "base/file.h"
#include "base/text.h"

#include <time.h>

static void put_gauges(struct ck_gateway *g, struct ck_buf *out)
{
    struct ck_flights_counts f = ck_flights_count(g->flights);
    struct ck_rules *r = ck_rules_get(g);
    struct { const char *name; long long value; } gauges[] = {
        { "cocket_calls_open", ck_dispatch_open(g->core->dispatch) },
        { "cocket_flights_running", (long long)f.running },
        { "cocket_flights_queued", (long long)f.queued },
        { "cocket_flights_waiters", (long long)f.waiters },
        { "cocket_store_ok", atomic_load(&g->core->store_ok) },
        { "cocket_database_age_seconds", r->db ? time(NULL) - ck_db_built(r->db) : -1 },
    };
    ck_rules_put(r);
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        ck_buf_format(out, "# TYPE %s gauge\n%s %lld\n", gauges[i].name, gauges[i].name,
                      gauges[i].value);
}

/* More than fits into a packet goes through memory that the room can only read. */
void ck_answer_bytes(struct ck_call *c, struct ck_answer *w, ck_view bytes)
{
    w->fd = -1;
    if (bytes.n <= CK_WIRE_BODY) {
        w->body = bytes;
        w->size = bytes.n;
        ck_call_answer(c, w);
        return;
    }
    ck_err *e = ck_sealed_copy(bytes, &w->fd);
    if (e) {
        ck_call_fail(c, e);
        return;
    }
    w->size = bytes.n;
    ck_call_answer(c, w);
}

static void answer_metrics(struct ck_call *c)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_answer w = { .status = 200, .content_type = CK_V("text/plain; version=0.0.4") };
    put_gauges(c->g, &b);
    ck_notes_metrics(c->g->core->notes, &b);
    ck_answer_bytes(c, &w, ck_buf_view(&b));
}

/* Whether a new image could be judged; what is cleared is served in any case. */
static const char *why_not_ready(struct ck_call *c)
{
    struct ck_gateway *g = c->g;
    struct ck_rules *r = ck_rules_get(g);
    bool db = r->db != NULL;
    ck_rules_put(r);
    struct ck_lease *l = NULL;
    ck_err *e = atomic_load(&g->core->store_ok) ? ck_lease_new(g->store, &l) : NULL;
    if (l)
        ck_lease_end(l);
    bool writable = l != NULL;
    ck_err_free(e);
    if (!writable)
        return "the store cannot be written to";
    return db ? NULL : "there is no advisory database (cocket db update, cocket db build)";
}

static void answer_ready(struct ck_call *c)
{
    struct ck_rules *r = ck_rules_get(c->g);
    long long age = r->db ? time(NULL) - ck_db_built(r->db) : 0;
    ck_rules_put(r);
    const char *why = why_not_ready(c);
    struct ck_answer w = { .status = why ? 503 : 200, .fd = -1 };
    w.message = ck_view_str(why ? why : ck_arena_format(&c->arena, "ready; the advisory database "
                                                        "is %lld hours old", age / 3600));
    ck_call_answer(c, &w);
}

void ck_health_ask(struct ck_call *c)
{
    if (c->ask.kind == CK_ASK_METRICS)
        answer_metrics(c);
    else
        answer_ready(c);
}
