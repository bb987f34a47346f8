#include "room/registry_jobs.h"

static ck_err *malformed(const char *what)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: %s", what);
}

/* Absent and empty differ: a password may be empty. */
static void put_text(struct ck_buf *out, const char *text)
{
    ck_put_u8(out, text != NULL);
    if (text)
        ck_put_str(out, ck_view_str(text));
}

static const char *get_text(ck_cur *c, struct ck_arena *a)
{
    bool there = ck_cur_u8(c);
    if (!there)
        return NULL;
    ck_view v = ck_cur_str(c, CK_MAX_FRAME);
    return (const char *)ck_arena_dup(a, v).p;
}

static void put_endpoint(struct ck_buf *out, const struct ck_endpoint *e)
{
    put_text(out, e->host);
    put_text(out, e->repository);
    ck_put_u8(out, e->plain_http);
    ck_put_u8(out, e->mirror);
    put_text(out, e->username);
    put_text(out, e->password);
    put_text(out, e->identity_token);
    ck_put_str(out, e->ca);
    ck_put_str(out, e->client_cert);
    ck_put_str(out, e->client_key);
}

static struct ck_endpoint get_endpoint(ck_cur *c, struct ck_arena *a)
{
    struct ck_endpoint e = { .host = get_text(c, a) };
    e.repository = get_text(c, a);
    e.plain_http = ck_cur_u8(c);
    e.mirror = ck_cur_u8(c);
    e.username = get_text(c, a);
    e.password = get_text(c, a);
    e.identity_token = get_text(c, a);
    e.ca = ck_cur_str(c, CK_MAX_FRAME);
    e.client_cert = ck_cur_str(c, CK_MAX_FRAME);
    e.client_key = ck_cur_str(c, CK_MAX_FRAME);
    return e;
}

void ck_job_registry_encode(const struct ck_job_registry *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->op);
    put_endpoint(out, &j->endpoint);
    ck_put_str(out, j->reference);
    ck_put_str(out, j->next);
    ck_put_u64(out, j->offset);
    ck_put_u64(out, j->max);
    ck_put_u8(out, j->exact);
    ck_put_u8(out, j->allow_private);
    ck_put_u32(out, j->tries);
}

ck_err *ck_job_registry_decode(ck_view job, struct ck_arena *a, struct ck_job_registry *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_registry j = { .op = (enum ck_registry_op)ck_cur_u8(&c) };
    j.endpoint = get_endpoint(&c, a);
    j.reference = ck_cur_str(&c, CK_MAX_REFERENCE);
    j.next = ck_cur_str(&c, CK_MAX_HTTP_FIELD);
    j.offset = ck_cur_le64(&c);
    j.max = ck_cur_le64(&c);
    j.exact = ck_cur_u8(&c);
    j.allow_private = ck_cur_u8(&c);
    j.tries = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || j.op >= CK_REGISTRY_OP_COUNT_ || !j.endpoint.host ||
        !j.endpoint.repository || j.offset > j.max)
        return malformed("registry job");
    *ret = j;
    return NULL;
}

void ck_registry_answer_encode(const struct ck_registry_answer *r, struct ck_buf *out)
{
    ck_put_u32(out, r->status);
    ck_put_str(out, r->content_type);
    ck_put_str(out, r->digest);
    ck_put_str(out, r->next);
    ck_put_str(out, r->message);
    ck_put_str(out, r->warning);
    ck_put_u64(out, r->length);
    ck_put_u64(out, r->resumed_at);
    ck_put_u8(out, r->filtered);
}

ck_err *ck_registry_answer_decode(ck_view bytes, struct ck_arena *a, struct ck_registry_answer *ret)
{
    ck_cur c = ck_cur_of(ck_arena_dup(a, bytes));
    struct ck_registry_answer r = { .status = ck_cur_le32(&c) };
    r.content_type = ck_cur_str(&c, CK_MAX_FIELD);
    r.digest = ck_cur_str(&c, CK_MAX_FIELD);
    r.next = ck_cur_str(&c, CK_MAX_HTTP_FIELD);
    r.message = ck_cur_str(&c, CK_MAX_FIELD);
    r.warning = ck_cur_str(&c, CK_MAX_FIELD);
    r.length = ck_cur_le64(&c);
    r.resumed_at = ck_cur_le64(&c);
    r.filtered = ck_cur_u8(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || r.status < 100 || r.status > 599)
        return malformed("registry answer");
    *ret = r;
    return NULL;
}
