/* "May these run?" (VERDICTS): from the store's books where the image is known, else from a flight,
 * for as long as whoever asks can wait.
 */
#include "gateway/gateway_int.h"

#include "base/mem.h"
#include "base/text.h"
#include "gateway/admit_judge.h"
#include "gateway/serving.h"
#include "image/name.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG_MS = 60000, ANSWER_MS = 200 };

/* One image of the question, and its flight. */
struct entry {
    struct admission *m;
    struct ck_admit_image image;
    bool flies, pending;
    struct ck_digest landed; /* what the flight says that the name means */
    bool has_landed;
    char *failed; /* why the flight has brought nothing, or NULL */
};

struct admission {
    struct ck_call *call;
    struct entry *v;
    size_t n;
    atomic_uint left; /* flights, and whoever starts them */
};

/* --- the answer ------------------------------------------------------------------------------- */

static void put_lines(struct ck_buf *out, const char *key, const ck_view *v, size_t n)
{
    ck_buf_format(out, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        ck_put_bytes(out, i ? CK_V(",") : CK_V(""));
        ck_buf_json_str(out, v[i]);
    }
    ck_put_u8(out, ']');
}

static void put_entry(struct ck_buf *out, const struct ck_admit_image *im)
{
    char text[CK_DIGEST_TEXT] = "";
    ck_put_bytes(out, CK_V("{\"image\":"));
    ck_buf_json_str(out, im->word);
    if (im->has_digest)
        ck_digest_text(&im->digest, text);
    ck_buf_format(out, ",\"decision\":\"%s\",\"digest\":\"%s\"", ck_decision_name(im->decision),
                  text);
    put_lines(out, "reasons", im->reasons, im->n_reasons);
    put_lines(out, "warnings", im->warnings, im->n_warnings);
    ck_put_u8(out, '}');
}

static void answer(struct ck_call *c, const struct admission *m)
{
    ck_autobuf struct ck_buf out = ck_buf_new(CK_LIMIT_NONE);
    struct ck_answer w = { .status = 200, .content_type = CK_V("application/json"), .fd = -1 };
    ck_put_u8(&out, '[');
    for (size_t i = 0; i < m->n; i++) {
        ck_put_bytes(&out, i ? CK_V(",") : CK_V(""));
        put_entry(&out, &m->v[i].image);
    }
    ck_put_u8(&out, ']');
    ck_answer_bytes(c, &w, ck_buf_view(&out));
}

/* --- flights ---------------------------------------------------------------------------------- */

static void take_landing(struct ck_call *c, struct entry *e)
{
    struct ck_admit_image *im = &e->image;
    if (e->pending) {
        ck_admit_settle(c, im, CK_QUARANTINE, "being examined; try again");
    } else if (e->failed && !im->has_digest) {
        ck_admit_settle(c, im, CK_DENY, ck_arena_format(&c->arena, "could not be examined: %s",
                                                        e->failed));
    } else {
        if (e->failed)
            ck_admit_warn(c, im, ck_arena_format(&c->arena, "judged as last seen: %s", e->failed));
        if (e->has_landed && !im->pinned) {
            im->digest = e->landed;
            im->has_digest = true;
        }
        if (!ck_admit_judge(c, im))
            ck_admit_settle(c, im, CK_QUARANTINE, "not examined");
    }
    free(e->failed);
}

static void finish(struct admission *m)
{
    struct ck_call *c = m->call;
    for (size_t i = 0; i < m->n; i++) {
        if (m->v[i].flies)
            take_landing(c, &m->v[i]);
    }
    ck_gateway_count(c->g, "cocket_admissions_total", 1);
    answer(c, m);
}

static void leave(struct admission *m)
{
    if (atomic_fetch_sub(&m->left, 1) == 1)
        finish(m);
}

/* In any thread: the call's arena is for the last one only. */
static void landed(void *ctx, ck_err *error, const struct ck_flight_result *r)
{
    struct entry *e = ctx;
    if (error) {
        e->failed = ck_format("%.900s", ck_err_text(error));
        ck_err_free(error);
    } else if (r->pending) {
        e->pending = true;
    } else {
        e->landed = r->digest;
        e->has_landed = true;
    }
    leave(e->m);
}

static unsigned time_left(const struct ck_call *c)
{
    uint64_t most = c->g->o->wait_ms ? c->g->o->wait_ms : 60000;
    uint64_t ms = c->ask.first > ANSWER_MS ? c->ask.first - ANSWER_MS : 0;
    return (unsigned)(ms < most ? ms : most);
}

static void fly(struct admission *m, struct entry *e)
{
    struct ck_call *c = m->call;
    struct ck_admit_image *im = &e->image;
    unsigned ms = time_left(c);
    ck_err *error;
    e->flies = true;
    atomic_fetch_add(&m->left, 1);
    if (im->hosted)
        error = ck_flight_scan(c->g, &im->digest, ms, landed, e);
    else
        error = ck_flight_join(c->g, im->name, ms, landed, e);
    if (error)
        landed(e, error, NULL);
}

/* --- what is known ---------------------------------------------------------------------------- */

/* Whether the tag's digest is as new as clients of the gate get it. */
static ck_err *look_up_tag(struct ck_call *c, struct ck_admit_image *im, bool *ret_fresh)
{
    int64_t trust = c->g->o->tag_ms ? c->g->o->tag_ms : TAG_MS;
    struct ck_store_name known;
    bool found = false;
    CK_TRY(ck_store_name_of(c->g->store, ck_view_str(im->name), &known, &found));
    if (found) {
        im->digest = known.digest;
        im->has_digest = true;
    }
    *ret_fresh = found && (im->hosted || (time(NULL) - known.checked) * 1000 <= trust);
    return NULL;
}

static void begin_one(struct admission *m, struct entry *e)
{
    struct ck_call *c = m->call;
    struct ck_admit_image *im = &e->image;
    bool fresh = true;
    if (!ck_admit_read(c, im))
        return;
    if (!im->pinned && !im->by_id) {
        ck_err *error = look_up_tag(c, im, &fresh);
        if (error) {
            ck_admit_settle(c, im, CK_DENY, ck_arena_format(&c->arena, "%s", ck_err_text(error)));
            ck_err_free(error);
            return;
        }
    }
    if (fresh && ck_admit_judge(c, im))
        return;
    if (im->hosted && !im->has_digest)
        ck_admit_settle(c, im, CK_DENY, "nothing of that name was pushed here");
    else
        fly(m, e);
}

void ck_admit_ask(struct ck_call *c)
{
    /* dockerd comes through a socket of the machine, and has no name. */
    if (c->ask.client.n && !ck_call_may(c, CK_ROLE_PULL))
        return;
    struct admission *m = ck_arena_alloc(&c->arena, 1, sizeof *m);
    m->call = c;
    m->n = c->ask.n_words;
    m->v = ck_arena_alloc(&c->arena, m->n + 1, sizeof *m->v);
    atomic_store(&m->left, 1);
    for (size_t i = 0; i < m->n; i++) {
        m->v[i].m = m;
        m->v[i].image.word = c->ask.words[i];
        begin_one(m, &m->v[i]);
    }
    leave(m);
}
