/* Mails: RFC 5322, text/plain in UTF-8, quoted-printable. No string from outside reaches a header
 * but escaped, in one line. */
#include "base/base64.h"
#include "base/mem.h"
#include "base/text.h"
#include "notify/notify_int.h"

#include <time.h>

enum { LINE = 76, SUBJECT = 160 };

/* --- the header ------------------------------------------------------------------------------- */

/* At most n bytes, whole characters. */
static ck_view utf8_head(ck_view v, size_t n)
{
    size_t at = 0;
    for (size_t step = 1; step && at < v.n; at += step) {
        uint32_t unused;
        step = ck_utf8_next(ck_view_from(v, at), &unused);
        if (at + step > n)
            break;
    }
    return ck_view_head(v, at);
}

static bool plain(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] > '~' || (v.p[i] == '=' && i + 1 < v.n && v.p[i + 1] == '?'))
            return false;
    return true;
}

/* RFC 2047: words of at most 75 characters, each of whole characters. */
static void put_words(struct ck_buf *out, ck_view v)
{
    enum { WORD = 36 }; /* with "Subject: " in front they fit a line */
    while (v.n) {
        ck_view word = utf8_head(v, WORD);
        ck_put_bytes(out, CK_V("=?UTF-8?B?"));
        ck_base64_put(out, word);
        ck_put_bytes(out, CK_V("?="));
        v = ck_view_from(v, word.n);
        if (v.n)
            ck_put_bytes(out, CK_V("\r\n "));
    }
}

static void put_subject(const struct ck_notice *n, struct ck_buf *out)
{
    const struct ck_event *e = &n->events[0];
    ck_view what = e->name.n ? e->name : e->image.n ? e->image : e->summary;
    ck_autofree char *shown = ck_escape(ck_view_head(what, CK_MAX_FIELD));
    ck_autofree char *text =
        n->n > 1 ? ck_format("cocket: %zu events", n->n)
                 : ck_format("cocket: %.*s: %s", CK_VF(e->kind), shown);
    ck_view v = utf8_head(ck_view_str(text), SUBJECT);
    ck_put_bytes(out, CK_V("Subject: "));
    if (plain(v))
        ck_put_bytes(out, v);
    else
        put_words(out, v);
    ck_put_bytes(out, CK_V("\r\n"));
}

static void put_date(int64_t when, struct ck_buf *out)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm t = { 0 };
    time_t seconds = (time_t)when;
    if (!gmtime_r(&seconds, &t))
        return;
    ck_buf_format(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
                  months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static void put_header(const struct ck_notice *n, const struct ck_mail_target *t,
                       struct ck_buf *out)
{
    ck_view domain;
    ck_view_split(t->from, '@', &domain);
    ck_buf_format(out, "From: cocket <%.*s>\r\n", CK_VF(t->from));
    for (size_t i = 0; i < t->n_to; i++)
        ck_buf_format(out, "%s%.*s", i ? ",\r\n " : "To: ", CK_VF(t->to[i]));
    ck_put_bytes(out, CK_V("\r\n"));
    put_subject(n, out);
    put_date(n->time, out);
    ck_buf_format(out, "Message-ID: <%.*s@%.*s>\r\n", CK_VF(n->key), CK_VF(domain));
    ck_put_bytes(out, CK_V("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n"
                           "Auto-Submitted: auto-generated\r\n\r\n"));
}

/* --- the body --------------------------------------------------------------------------------- */

/* RFC 2045, section 6.7. What was escaped has no line breaks but ours. */
static void put_quoted_printable(struct ck_buf *out, ck_view v)
{
    size_t column = 0;
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool last = i + 1 == v.n || v.p[i + 1] == '\n';
        bool raw = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !last);
        if (c == '\n') {
            ck_put_bytes(out, CK_V("\r\n"));
            column = 0;
            continue;
        }
        if (column + (raw ? 1 : 3) > LINE - 1) {
            ck_put_bytes(out, CK_V("=\r\n"));
            column = 0;
        }
        if (raw)
            ck_put_u8(out, c);
        else
            ck_buf_format(out, "=%02X", c);
        column += raw ? 1 : 3;
    }
}

static void put_row(struct ck_buf *out, const char *key, ck_view v)
{
    ck_autofree char *shown = ck_escape(v);
    if (v.n)
        ck_buf_format(out, "  %-11s %s\n", key, shown);
}

static void put_event(const struct ck_event *e, struct ck_buf *out)
{
    const char *severity = ck_form_severity(e);
    ck_autofree char *summary = ck_escape(e->summary);
    char when[32];
    ck_format_time(when, e->time);
    ck_buf_format(out, "%.*s: %s\n", CK_VF(e->kind), summary);
    put_row(out, "name", e->name);
    put_row(out, "image", e->image);
    put_row(out, "severity", ck_view_str(severity ? severity : ""));
    ck_buf_format(out, "  %-11s %s\n  %-11s %llu\n\n", "time", when, "event",
                  (unsigned long long)e->number);
}

void ck_form_mail(const struct ck_notice *n, const struct ck_mail_target *t, struct ck_buf *out)
{
    ck_autobuf struct ck_buf text = ck_buf_new(CK_LIMIT_NONE);
    put_header(n, t, out);
    for (size_t i = 0; i < n->n; i++)
        put_event(&n->events[i], &text);
    put_quoted_printable(out, ck_buf_view(&text));
}
