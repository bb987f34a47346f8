/* What is told of decisions (events.h: decision, quarantined), in the transaction that makes
 * them. */
#include "store/store_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <time.h>

static ck_err *name_of(struct ck_store *s, const struct ck_digest *d, struct ck_arena *a,
                       ck_view *ret)
{
    ck_autoquery struct ck_query q = { 0 };
    bool row = false;
    CK_TRY(ck_query_new(s, "SELECT name FROM name WHERE digest=? ORDER BY name LIMIT 1", &q));
    ck_bind_digest(&q, d);
    CK_TRY(ck_query_step(&q, &row));
    *ret = row ? ck_arena_dup(a, ck_column_text(&q, 0)) : CK_V("");
    return NULL;
}

static ck_err *add(struct ck_store *s, const struct ck_digest *d, const char *kind, ck_view summary,
                   ck_view data)
{
    ck_autoarena struct ck_arena a = { 0 };
    char digest[CK_DIGEST_TEXT];
    struct ck_event e = { .time = time(NULL), .kind = ck_view_str(kind), .severity = -1,
                          .image = ck_view_str(ck_digest_text(d, digest)), .summary = summary,
                          .data = data };
    CK_TRY(name_of(s, d, &a, &e.name));
    e.repository = ck_repository_of(e.name);
    return ck_events_add(s, &e, 1);
}

ck_err *ck_event_of_person(struct ck_store *s, const char *who, const struct ck_digest *d,
                           enum ck_state_of_image state, ck_view reason)
{
    static const char *const verbs[CK_STATE_OF_IMAGE_COUNT_] = { "put back into quarantine",
                                                                 "released", "denied" };
    ck_view head = ck_view_head(reason, CK_MAX_ERROR_TEXT);
    ck_autofree char *shown = ck_escape(head);
    ck_autofree char *summary = ck_format("%s by %s: %s", verbs[state], who, shown);
    ck_autobuf struct ck_buf data = ck_buf_new(CK_LIMIT_NONE);
    ck_buf_format(&data, "{\"state\":\"%s\",\"who\":", ck_state_name(state));
    ck_buf_json_str(&data, ck_view_str(who));
    ck_put_bytes(&data, CK_V(",\"reason\":"));
    ck_buf_json_str(&data, head);
    ck_put_u8(&data, '}');
    return add(s, d, "decision", ck_view_str(summary), ck_buf_view(&data));
}

ck_err *ck_event_of_quarantine(struct ck_store *s, const struct ck_digest *d, ck_view reason)
{
    ck_view head = ck_view_head(reason, CK_MAX_ERROR_TEXT);
    ck_autofree char *shown = ck_escape(head);
    ck_autofree char *summary = ck_format("waits for a person: %s", shown);
    ck_autobuf struct ck_buf data = ck_buf_new(CK_LIMIT_NONE);
    ck_put_bytes(&data, CK_V("{\"reason\":"));
    ck_buf_json_str(&data, head);
    ck_put_u8(&data, '}');
    return add(s, d, "quarantined", ck_view_str(summary), ck_buf_view(&data));
}
