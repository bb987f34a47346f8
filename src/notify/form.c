/* What is sent: CloudEvents for programs, text for chats. Strings may be an image's. */
#include "advisory/record.h"
#include "base/mem.h"
#include "base/text.h"
#include "notify/notify_int.h"

const char *ck_form_severity(const struct ck_event *e)
{
    return e->severity >= 0 && e->severity < CK_SEVERITY_COUNT_
               ? ck_severity_name((enum ck_severity)e->severity)
               : NULL;
}

/* --- CloudEvents 1.0 (JSON event format, batches) --------------------------------------------- */

static void put_member(struct ck_buf *out, const char *key, ck_view v)
{
    ck_buf_format(out, ",\"%s\":", key);
    ck_buf_json_or_null(out, v);
}

/* Long details are left to those who ask for them: a notification must fit. */
static void put_details(struct ck_buf *out, ck_view data)
{
    bool fits = data.n <= CK_MAX_NOTIFY_DETAILS && out->n < CK_MAX_NOTIFY_BODY / 2;
    ck_put_bytes(out, CK_V(",\"details\":"));
    ck_put_bytes(out, data.n && fits ? data : CK_V("null"));
    if (data.n && !fits)
        ck_put_bytes(out, CK_V(",\"details_left_out\":true"));
}

static void put_data(const struct ck_event *e, struct ck_buf *out)
{
    const char *severity = ck_form_severity(e);
    ck_autofree char *summary = ck_escape(e->summary);
    ck_buf_format(out, "{\"number\":%llu", (unsigned long long)e->number);
    put_member(out, "kind", e->kind);
    put_member(out, "severity", ck_view_str(severity ? severity : ""));
    put_member(out, "image", e->image);
    put_member(out, "name", e->name);
    put_member(out, "repository", e->repository);
    put_member(out, "summary", ck_view_str(summary));
    put_details(out, e->data);
    ck_put_u8(out, '}');
}

static void put_event(const struct ck_notice *n, const struct ck_event *e, struct ck_buf *out)
{
    char when[32];
    ck_format_time(when, e->time);
    ck_buf_format(out, "{\"specversion\":\"1.0\",\"id\":\"%s/%llu\",\"source\":\"urn:uuid:%s\"",
                  n->store, (unsigned long long)e->number, n->store);
    ck_buf_format(out, ",\"type\":\"cocket.%.*s.v1\"", CK_VF(e->kind));
    if (e->name.n || e->image.n)
        put_member(out, "subject", e->name.n ? e->name : e->image);
    ck_buf_format(out, ",\"time\":\"%s\",\"datacontenttype\":\"application/json\",\"data\":", when);
    put_data(e, out);
    ck_put_u8(out, '}');
}

void ck_form_cloudevents(const struct ck_notice *n, struct ck_buf *out)
{
    if (n->n == 1) {
        put_event(n, &n->events[0], out);
        return;
    }
    for (size_t i = 0; i < n->n; i++) {
        ck_put_u8(out, i ? ',' : '[');
        put_event(n, &n->events[i], out);
    }
    ck_put_u8(out, ']');
}

/* --- chats ------------------------------------------------------------------------------------ */

enum { SHOWN = 300 };

/* Between backticks nothing is a link, a mention or an image, neither in Slack's mrkdwn nor in
 * Markdown; &, < and > are escaped there too. */
static void put_quoted(struct ck_buf *out, ck_view v)
{
    ck_autofree char *plain = ck_escape(ck_view_head(v, SHOWN));
    ck_put_u8(out, '`');
    for (const char *p = plain; *p; p++)
        switch (*p) {
        case '&': ck_put_bytes(out, CK_V("&amp;")); break;
        case '<': ck_put_bytes(out, CK_V("&lt;")); break;
        case '>': ck_put_bytes(out, CK_V("&gt;")); break;
        case '`': ck_put_u8(out, '\''); break;
        default: ck_put_u8(out, (uint8_t)*p);
        }
    ck_put_bytes(out, v.n > SHOWN ? CK_V("...`") : CK_V("`"));
}

static void put_line(const struct ck_event *e, struct ck_buf *out)
{
    const char *severity = ck_form_severity(e);
    ck_view what = e->name.n ? e->name : e->image;
    ck_buf_format(out, "*%.*s*%s%s%s", CK_VF(e->kind), severity ? " (" : "",
                  severity ? severity : "", severity ? ")" : "");
    if (what.n) {
        ck_put_u8(out, ' ');
        put_quoted(out, what);
    }
    if (e->summary.n) {
        ck_put_u8(out, ' ');
        put_quoted(out, e->summary);
    }
}

void ck_form_slack(const struct ck_notice *n, struct ck_buf *out)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    if (n->n > 1)
        ck_buf_format(&text, "cocket: %zu events", n->n);
    for (size_t i = 0; i < n->n; i++) {
        ck_put_bytes(&text, n->n > 1 ? CK_V("\n") : CK_V("cocket: "));
        put_line(&n->events[i], &text);
    }
    ck_put_bytes(out, CK_V("{\"text\":"));
    ck_buf_json_str(out, ck_buf_view(&text));
    ck_put_bytes(out, CK_V(",\"mrkdwn\":true,\"unfurl_links\":false,\"unfurl_media\":false}"));
}
