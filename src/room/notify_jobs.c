#include "room/notify_jobs.h"

static ck_err *malformed(const char *what)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: %s", what);
}

static bool is_mail(ck_view url)
{
    return ck_view_starts(url, CK_V("smtp://")) || ck_view_starts(url, CK_V("smtps://"));
}

bool ck_job_notify_is_mail(const struct ck_job_notify *j) { return is_mail(j->url); }

void ck_job_notify_encode(const struct ck_job_notify *j, struct ck_buf *out)
{
    ck_put_str(out, j->url);
    ck_put_u32(out, j->seconds);
    ck_put_u16(out, (uint16_t)j->n_fields);
    for (size_t i = 0; i < j->n_fields; i++)
        ck_put_str(out, j->fields[i]);
    ck_put_str(out, j->from);
    ck_put_str(out, j->user);
    ck_put_str(out, j->password);
    ck_put_u8(out, (uint8_t)j->tls);
}

/* What goes into a line of HTTP or SMTP. */
static bool one_line(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < ' ' || v.p[i] > '~')
            return false;
    return true;
}

static bool is_url(ck_view v)
{
    return one_line(v) && ck_view_find(v, ' ') == v.n &&
           (is_mail(v) || ck_view_starts(v, CK_V("http://")) ||
            ck_view_starts(v, CK_V("https://")));
}

/* As it stands between "<" and ">". */
static bool is_address(ck_view v)
{
    return v.n && one_line(v) && ck_view_find(v, ' ') == v.n && ck_view_find(v, '<') == v.n &&
           ck_view_find(v, '>') == v.n;
}

static bool is_header(ck_view v)
{
    size_t colon = ck_view_find(v, ':');
    return one_line(v) && colon > 0 && colon < v.n;
}

static bool is_field(const struct ck_job_notify *j, ck_view v)
{
    return is_mail(j->url) ? is_address(v) : is_header(v);
}

static ck_err *decode_fields(ck_cur *c, struct ck_arena *a, struct ck_job_notify *j)
{
    j->n_fields = ck_cur_le16(c);
    if (!ck_cur_ok(c) || j->n_fields == 0 || j->n_fields > CK_MAX_NOTIFY_FIELDS)
        return malformed("notify job: number of fields");
    ck_view *fields = ck_arena_alloc(a, j->n_fields, sizeof *fields);
    for (size_t i = 0; i < j->n_fields && ck_cur_ok(c); i++)
        fields[i] = ck_cur_str(c, CK_MAX_NOTIFY_FIELD);
    j->fields = fields;
    return NULL;
}

static ck_err *check(const struct ck_job_notify *j)
{
    if (!is_url(j->url) || !j->fields)
        return malformed("notify job: URL");
    if (j->seconds == 0 || j->seconds > CK_MAX_NOTIFY_SECONDS)
        return malformed("notify job: seconds");
    for (size_t i = 0; i < j->n_fields; i++)
        if (!is_field(j, j->fields[i]))
            return malformed("notify job: field");
    if (is_mail(j->url) != is_address(j->from))
        return malformed("notify job: sender");
    if (ck_view_find(j->user, 0) < j->user.n || ck_view_find(j->password, 0) < j->password.n)
        return malformed("notify job: login");
    return NULL;
}

ck_err *ck_job_notify_decode(ck_view job, struct ck_arena *a, struct ck_job_notify *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_notify j = { .url = ck_cur_str(&c, CK_MAX_NOTIFY_URL) };
    j.seconds = ck_cur_le32(&c);
    CK_TRY(decode_fields(&c, a, &j));
    j.from = ck_cur_str(&c, CK_MAX_NOTIFY_FIELD);
    j.user = ck_cur_str(&c, CK_MAX_NOTIFY_FIELD);
    j.password = ck_cur_str(&c, CK_MAX_NOTIFY_SECRET);
    j.tls = (enum ck_notify_tls)ck_cur_u8(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || j.tls >= CK_NOTIFY_TLS_COUNT_)
        return malformed("notify job");
    CK_TRY(check(&j));
    *ret = j;
    return NULL;
}

void ck_notify_answer_encode(const struct ck_notify_answer *r, struct ck_buf *out)
{
    ck_put_u16(out, (uint16_t)r->status);
    ck_put_u32(out, r->retry_after);
    ck_put_str(out, r->message);
}

ck_err *ck_notify_answer_decode(ck_view bytes, struct ck_notify_answer *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_notify_answer r = { .status = ck_cur_le16(&c) };
    r.retry_after = ck_cur_le32(&c);
    r.message = ck_cur_str(&c, CK_MAX_NOTIFY_ANSWER);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || r.status < 100 || r.status > 599)
        return malformed("notify answer");
    *ret = r;
    return NULL;
}
