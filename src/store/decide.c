/* Decisions about images, and the reports that they rest on. */
#include "store/store_int.h"

#include "base/text.h"

#include <time.h>

const char *ck_state_name(enum ck_state_of_image state)
{
    static const char *const names[CK_STATE_OF_IMAGE_COUNT_] = { "quarantined", "cleared",
                                                                 "denied" };
    return (unsigned)state < CK_STATE_OF_IMAGE_COUNT_ ? names[state] : "?";
}

struct standing {
    enum ck_state_of_image state;
    bool person, decided; /* decided: somebody has, ever */
};

static ck_err *not_there(const struct ck_digest *d)
{
    char text[CK_DIGEST_TEXT];
    return ck_err_new(CK_ERR_UNAVAILABLE, "%s is no image of the store", ck_digest_text(d, text));
}

static ck_err *standing_of(struct ck_store *s, const struct ck_digest *d, struct standing *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT state, person, who!='' FROM image WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, &row));
    if (!row)
        return not_there(d);
    *ret = (struct standing){ (enum ck_state_of_image)ck_column_int(&q, 0), ck_column_int(&q, 1),
                              ck_column_int(&q, 2) };
    return NULL;
}

/* A scan does not undo a person, except to deny what the person had cleared. */
static bool stands(const struct standing *was, enum ck_state_of_image state, enum ck_decider by)
{
    if (by == CK_BY_PERSON || !was->person)
        return false;
    return was->state == CK_DENIED || (was->state == CK_CLEARED && state != CK_DENIED);
}

/* What somebody wants of an image. */
struct wish {
    const char *who;
    const struct ck_digest *digest;
    enum ck_state_of_image state;
    ck_view reason;
    enum ck_decider by;
};

static ck_err *write_state(struct ck_store *s, const struct wish *w)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "UPDATE image SET state=?, reason=?, who=?, person=?, decided=?"
                           " WHERE digest=?", &q));
    ck_bind_int(&q, w->state);
    ck_bind_text(&q, w->reason);
    ck_bind_text(&q, ck_view_str(w->who));
    ck_bind_int(&q, w->by == CK_BY_PERSON);
    ck_bind_int(&q, time(NULL));
    ck_bind_digest(&q, w->digest);
    return ck_query_run(&q);
}

static ck_err *forget_denial(struct ck_store *s, const struct ck_digest *d)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "DELETE FROM denial WHERE digest=?", &q));
    ck_bind_digest(&q, d);
    return ck_query_run(&q);
}

static ck_err *note_denial(struct ck_store *s, const struct wish *w)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT OR REPLACE INTO denial VALUES(?,?,?,?)", &q));
    ck_bind_digest(&q, w->digest);
    ck_bind_text(&q, w->reason);
    ck_bind_text(&q, ck_view_str(w->who));
    ck_bind_int(&q, time(NULL));
    return ck_query_run(&q);
}

static ck_err *log_decision(struct ck_store *s, const struct wish *w, const struct standing *kept)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&text, "%s by %s: ", ck_state_name(w->state),
                  w->by == CK_BY_PERSON ? "a person" : "a scan");
    ck_put_bytes(&text, w->reason);
    if (kept)
        ck_buf_format(&text, "; a person's %s stands", ck_state_name(kept->state));
    return ck_log_add_as(s, w->who, CK_V("decide"), w->digest, CK_V(""), ck_buf_view(&text));
}

static ck_err *tell(struct ck_store *s, const struct wish *w, const struct standing *was)
{
    if (w->by == CK_BY_PERSON)
        return ck_event_of_person(s, w->who, w->digest, w->state, w->reason);
    if (w->state == CK_QUARANTINED && (was->state != CK_QUARANTINED || !was->decided))
        return ck_event_of_quarantine(s, w->digest, w->reason);
    return NULL;
}

static ck_err *decide(struct ck_store *s, const struct wish *w, enum ck_state_of_image *ret_state)
{
    struct standing was = { 0 };
    CK_TRY(standing_of(s, w->digest, &was));
    bool kept = stands(&was, w->state, w->by);
    *ret_state = kept ? was.state : w->state;
    if (!kept)
        CK_TRY(write_state(s, w));
    if (!kept)
        CK_TRY(tell(s, w, &was));
    if (*ret_state == CK_DENIED)
        CK_TRY(ck_approvals_forget(s, w->digest));
    if (w->by == CK_BY_PERSON)
        CK_TRY(w->state == CK_DENIED ? note_denial(s, w) : forget_denial(s, w->digest));
    return log_decision(s, w, kept ? &was : NULL);
}

ck_err *ck_decide_by_scan(struct ck_store *s, const struct ck_digest *d,
                          enum ck_state_of_image state, ck_view reason)
{
    const struct wish w = { s->who, d, state, reason, CK_BY_SCAN };
    enum ck_state_of_image now;
    return decide(s, &w, &now);
}

ck_err *ck_store_decide_as(struct ck_store *s, const char *who, const struct ck_digest *d,
                           enum ck_state_of_image state, ck_view reason, enum ck_decider by,
                           enum ck_state_of_image *ret_state)
{
    const struct wish w = { who ? who : s->who, d, state, reason, by };
    enum ck_state_of_image now = state;
    CK_TRY(ck_tx_write(s));
    CK_TRY(ck_tx_end(s, decide(s, &w, &now)));
    if (ret_state)
        *ret_state = now;
    return NULL;
}

ck_err *ck_store_decide(struct ck_store *s, const struct ck_digest *d, enum ck_state_of_image state,
                        ck_view reason, enum ck_decider by, enum ck_state_of_image *ret_state)
{
    return ck_store_decide_as(s, NULL, d, state, reason, by, ret_state);
}

/* --- reports ---------------------------------------------------------------------------------- */

ck_err *ck_image_known(struct ck_store *s, const struct ck_digest *d)
{
    struct standing unused;
    return standing_of(s, d, &unused);
}

static ck_err *put_report(struct ck_store *s, const struct ck_digest *d, ck_view json)
{
    CK_TRY(ck_image_known(s, d));
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "INSERT OR REPLACE INTO report VALUES(?,?)", &q));
    ck_bind_digest(&q, d);
    ck_bind_blob(&q, json);
    return ck_query_run(&q);
}

ck_err *ck_store_put_report(struct ck_store *s, const struct ck_digest *d, ck_view json)
{
    CK_TRY(ck_tx_write(s));
    return ck_tx_end(s, put_report(s, d, json));
}

static ck_err *get_report(struct ck_store *s, const struct ck_digest *d, struct ck_buf *out,
                          bool *ret_found)
{
    ck_autoquery struct ck_query q = { 0 };
    CK_TRY(ck_query_new(s, "SELECT json FROM report WHERE image=?", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, ret_found));
    return *ret_found ? ck_buf_add(out, ck_column_text(&q, 0)) : NULL;
}

ck_err *ck_store_get_report(struct ck_store *s, const struct ck_digest *d, struct ck_buf *out,
                            bool *ret_found)
{
    bool found = false;
    CK_TRY(ck_tx_read(s));
    CK_TRY(ck_tx_end(s, get_report(s, d, out, &found)));
    *ret_found = found;
    return NULL;
}
