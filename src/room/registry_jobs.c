#include "room/registry_jobs.h"

static ck_err *malformed(const char *what)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: %s", what);
}

/* --- the words of a job ----------------------------------------------------------------------- */

/* What stands in a line of HTTP between blanks. */
static bool is_word(ck_view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~')
            return false;
    return true;
}

/* What may stand in a path as it is. */
static bool is_path(ck_view v)
{
    static const char others[] = "._-/:+@";
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (!c || !strchr(others, c)))
            return false;
    }
    return v.n > 0;
}

static bool sound(const struct ck_job_registry *j)
{
    const struct ck_endpoint *e = &j->endpoint;
    bool paged = j->op >= CK_REGISTRY_REFERRERS;
    return j->op < CK_REGISTRY_OP_COUNT_ && j->tries <= 100 && e->host[0] &&
           is_word(ck_view_str(e->host)) && is_word(ck_view_str(e->bearer ? e->bearer : "")) &&
           is_path(ck_view_str(e->repository)) && is_path(j->reference) &&
           is_word(j->next) &&
           (!j->next.n || (paged && j->next.p[0] == '/' && !ck_view_starts(j->next, CK_V("//"))));
}

/* --- encoding --------------------------------------------------------------------------------- */

static ck_err *put(struct ck_buf *out, ck_view v, enum ck_limit limit, const char *what)
{
    if (v.n > ck_limit_value(limit))
        return ck_err_reclass(ck_err_limit(limit, "%s: %zu bytes", what, v.n), CK_ERR_USAGE);
    ck_put_str(out, v);
    return NULL;
}

/* NULL and "" are told apart. */
static ck_err *put_opt(struct ck_buf *out, const char *s, enum ck_limit limit, const char *what)
{
    ck_put_u8(out, s != NULL);
    return put(out, ck_view_str(s ? s : ""), limit, what);
}

static ck_err *put_endpoint(struct ck_buf *out, const struct ck_endpoint *e)
{
    const enum ck_limit name = CK_LIMIT_REGISTRY_NAME, secret = CK_LIMIT_REGISTRY_SECRET,
                        pem = CK_LIMIT_REGISTRY_CA;
    CK_TRY(put(out, ck_view_str(e->host), name, "host"));
    CK_TRY(put(out, ck_view_str(e->repository), name, "repository"));
    ck_put_u8(out, e->plain_http);
    ck_put_u8(out, e->mirror);
    ck_put_u8(out, e->stranger);
    CK_TRY(put_opt(out, e->username, secret, "user name"));
    CK_TRY(put_opt(out, e->password, secret, "password"));
    CK_TRY(put_opt(out, e->identity_token, secret, "identity token"));
    CK_TRY(put_opt(out, e->bearer, secret, "access token"));
    if (e->ca.n + e->client_cert.n + e->client_key.n > CK_MAX_REGISTRY_CA)
        return ck_err_reclass(ck_err_limit(pem, "certificates of %s", e->host), CK_ERR_USAGE);
    CK_TRY(put(out, e->ca, pem, "CA certificates"));
    CK_TRY(put(out, e->client_cert, pem, "client certificate"));
    return put(out, e->client_key, pem, "client key");
}

ck_err *ck_job_registry_encode(const struct ck_job_registry *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->op);
    CK_TRY(put_endpoint(out, &j->endpoint));
    CK_TRY(put(out, j->reference, CK_LIMIT_REGISTRY_NAME, "reference"));
    CK_TRY(put(out, j->next, CK_LIMIT_REGISTRY_NEXT, "page"));
    ck_put_u64(out, j->offset);
    ck_put_u64(out, j->max);
    ck_put_u8(out, j->exact);
    ck_put_u8(out, j->allow_private);
    ck_put_u32(out, j->tries);
    return NULL;
}

static const char *get_str(ck_cur *c, struct ck_arena *a, enum ck_limit limit)
{
    ck_view v = ck_cur_str(c, ck_limit_value(limit));
    if (v.n && memchr(v.p, 0, v.n))
        c->bad = true;
    return (const char *)ck_arena_dup(a, v).p;
}

static const char *get_opt(ck_cur *c, struct ck_arena *a, enum ck_limit limit)
{
    bool there = ck_cur_u8(c);
    const char *s = get_str(c, a, limit);
    return there ? s : NULL;
}

static struct ck_endpoint get_endpoint(ck_cur *c, struct ck_arena *a)
{
    const enum ck_limit secret = CK_LIMIT_REGISTRY_SECRET;
    struct ck_endpoint e = { .host = get_str(c, a, CK_LIMIT_REGISTRY_NAME) };
    e.repository = get_str(c, a, CK_LIMIT_REGISTRY_NAME);
    e.plain_http = ck_cur_u8(c);
    e.mirror = ck_cur_u8(c);
    e.stranger = ck_cur_u8(c);
    e.username = get_opt(c, a, secret);
    e.password = get_opt(c, a, secret);
    e.identity_token = get_opt(c, a, secret);
    e.bearer = get_opt(c, a, secret);
    e.ca = ck_cur_str(c, CK_MAX_REGISTRY_CA);
    e.client_cert = ck_cur_str(c, CK_MAX_REGISTRY_CA);
    e.client_key = ck_cur_str(c, CK_MAX_REGISTRY_CA);
    return e;
}

ck_err *ck_job_registry_decode(ck_view job, struct ck_arena *a, struct ck_job_registry *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_registry j = { .op = (enum ck_registry_op)ck_cur_u8(&c) };
    j.endpoint = get_endpoint(&c, a);
    j.reference = ck_cur_str(&c, CK_MAX_REGISTRY_NAME);
    j.next = ck_cur_str(&c, CK_MAX_REGISTRY_NEXT);
    j.offset = ck_cur_le64(&c);
    j.max = ck_cur_le64(&c);
    j.exact = ck_cur_u8(&c);
    j.allow_private = ck_cur_u8(&c);
    j.tries = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || !sound(&j))
        return malformed("registry job");
    *ret = j;
    return NULL;
}

/* --- the answer ------------------------------------------------------------------------------- */

void ck_registry_answer_encode(const struct ck_registry_answer *r, struct ck_buf *out)
{
    ck_put_u16(out, (uint16_t)r->status);
    ck_put_str(out, r->content_type);
    ck_put_str(out, r->digest);
    ck_put_str(out, r->next);
    ck_put_str(out, r->message);
    ck_put_str(out, r->warning);
    ck_put_u64(out, r->length);
    ck_put_u64(out, r->resumed_at);
    ck_put_u8(out, r->filtered);
}

ck_err *ck_registry_answer_decode(ck_view bytes, struct ck_arena *a,
                                  struct ck_registry_answer *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_registry_answer r = { .status = ck_cur_le16(&c) };
    r.content_type = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_REGISTRY_NAME));
    r.digest = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_REGISTRY_NAME));
    r.next = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_REGISTRY_NEXT));
    r.message = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_ERROR_TEXT));
    r.warning = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_REGISTRY_WARNING));
    r.length = ck_cur_le64(&c);
    r.resumed_at = ck_cur_le64(&c);
    r.filtered = ck_cur_u8(&c);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c) || r.status < 100 || r.status > 599 ||
        !is_word(r.content_type) || !is_word(r.digest) || !is_word(r.next) ||
        (r.next.n && (r.next.p[0] != '/' || ck_view_starts(r.next, CK_V("//")))))
        return malformed("registry answer");
    *ret = r;
    return NULL;
}
