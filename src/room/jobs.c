#include "room/jobs.h"

#include "detect/detect.h"

static ck_err *malformed(const char *what)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: %s", what);
}

/* A decoder ends here: everything was read, nothing is left. */
static ck_err *finish(const ck_cur *c, const char *what)
{
    return ck_cur_ok(c) && ck_cur_end(c) ? NULL : malformed(what);
}

/* --- document --------------------------------------------------------------------------------- */

void ck_job_document_encode(const struct ck_job_document *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->what);
    ck_put_str(out, j->declared);
}

ck_err *ck_job_document_decode(ck_view job, struct ck_job_document *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_document j = { .what = (enum ck_document)ck_cur_u8(&c) };
    j.declared = ck_cur_str(&c, CK_MAX_FIELD);
    CK_TRY(finish(&c, "document job"));
    if (j.what >= CK_DOCUMENT_COUNT_)
        return malformed("document job");
    *ret = j;
    return NULL;
}

/* --- inspect ---------------------------------------------------------------------------------- */

static void put_slice(struct ck_buf *out, const struct ck_slice *s)
{
    ck_put_u64(out, s->offset);
    ck_put_u64(out, s->length);
    ck_put_u8(out, s->pipe);
}

static struct ck_slice get_slice(ck_cur *c)
{
    struct ck_slice s = { .offset = ck_cur_le64(c), .length = ck_cur_le64(c) };
    s.pipe = ck_cur_u8(c);
    return s;
}

void ck_job_inspect_encode(const struct ck_job_inspect *j, struct ck_buf *out)
{
    put_slice(out, &j->blob);
    ck_put_u8(out, (uint8_t)j->compression);
    ck_put_u8(out, (uint8_t)j->diff_id.alg);
    ck_put_bytes(out, ck_view_of(j->diff_id.bytes, sizeof j->diff_id.bytes));
    ck_put_u32(out, (uint32_t)j->n_wanted);
    for (size_t i = 0; i < j->n_wanted; i++) {
        ck_put_u8(out, j->wanted[i].detector);
        ck_put_str(out, j->wanted[i].path);
    }
}

ck_err *ck_job_inspect_decode(ck_view job, struct ck_arena *a, struct ck_job_inspect *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_inspect j = { .blob = get_slice(&c) };
    j.compression = (enum ck_compression)ck_cur_u8(&c);
    j.diff_id.alg = (enum ck_digest_algorithm)ck_cur_u8(&c);
    ck_view digest = ck_cur_take(&c, sizeof j.diff_id.bytes);
    j.n_wanted = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || j.compression >= CK_COMPRESSION_COUNT_ ||
        j.diff_id.alg >= CK_DIGEST_ALGORITHM_COUNT_ || j.n_wanted > CK_MAX_WANTED)
        return malformed("inspect job");
    memcpy(j.diff_id.bytes, digest.p, digest.n);
    j.wanted = ck_arena_alloc(a, j.n_wanted + 1, sizeof *j.wanted);
    for (size_t i = 0; i < j.n_wanted; i++) {
        j.wanted[i].detector = ck_cur_u8(&c);
        j.wanted[i].path = ck_cur_str(&c, CK_MAX_PATH);
        if (!ck_detector_by_id(j.wanted[i].detector))
            return malformed("inspect job");
    }
    CK_TRY(finish(&c, "inspect job"));
    *ret = j;
    return NULL;
}

/* --- archive ---------------------------------------------------------------------------------- */

void ck_job_archive_encode(const struct ck_job_archive *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->op);
    ck_put_u32(out, (uint32_t)j->n);
    for (size_t i = 0; i < j->n; i++)
        put_slice(out, &j->members[i]);
}

ck_err *ck_job_archive_decode(ck_view job, struct ck_arena *a, struct ck_job_archive *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_archive j = { .op = (enum ck_archive_op)ck_cur_u8(&c) };
    j.n = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || j.op >= CK_ARCHIVE_OP_COUNT_ || j.n > CK_MAX_LAYERS)
        return malformed("archive job");
    j.members = ck_arena_alloc(a, j.n + 1, sizeof *j.members);
    for (size_t i = 0; i < j.n; i++)
        j.members[i] = get_slice(&c);
    CK_TRY(finish(&c, "archive job"));
    *ret = j;
    return NULL;
}

void ck_member_encode(const struct ck_member *m, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)m->type);
    ck_put_str(out, m->name);
    ck_put_str(out, m->link);
    ck_put_u64(out, m->offset);
    ck_put_u64(out, m->size);
    ck_put_str(out, m->content);
}

static bool get_member(ck_cur *c, struct ck_member *ret)
{
    ret->type = (enum ck_member_type)ck_cur_u8(c);
    ret->name = ck_cur_str(c, CK_MAX_PATH);
    ret->link = ck_cur_str(c, CK_MAX_PATH);
    ret->offset = ck_cur_le64(c);
    ret->size = ck_cur_le64(c);
    ret->content = ck_cur_str(c, CK_MAX_DOCUMENT_INLINE);
    return ck_cur_ok(c) && ret->type < CK_MEMBER_TYPE_COUNT_;
}

ck_err *ck_members_decode(ck_view bytes, struct ck_arena *a, struct ck_members *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_members m = { .compressed = ck_cur_u8(&c) };
    ck_cur count = c;
    struct ck_member one;
    while (!ck_cur_end(&count) && get_member(&count, &one))
        m.n++;
    if (!ck_cur_ok(&count) || !ck_cur_end(&count) || m.n > CK_MAX_ARCHIVE_MEMBERS)
        return malformed("member table");
    m.v = ck_arena_alloc(a, m.n + 1, sizeof *m.v);
    for (size_t i = 0; i < m.n; i++)
        if (!get_member(&c, &m.v[i]))
            return malformed("member table");
    *ret = m;
    return NULL;
}

/* --- feed and fetch
 * ------------------------------------------------------------------------------- */

void ck_job_feed_encode(const struct ck_job_feed *j, struct ck_buf *out)
{
    ck_put_u8(out, (uint8_t)j->kind);
    ck_put_u8(out, (uint8_t)j->compression);
    ck_put_str(out, j->package);
}

ck_err *ck_job_feed_decode(ck_view job, struct ck_job_feed *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_feed j = { .kind = (enum ck_feed_file)ck_cur_u8(&c) };
    j.compression = (enum ck_compression)ck_cur_u8(&c);
    j.package = ck_cur_str(&c, CK_MAX_FIELD);
    CK_TRY(finish(&c, "feed job"));
    if (j.kind >= CK_FEED_FILE_COUNT_ || j.compression >= CK_COMPRESSION_COUNT_)
        return malformed("feed job");
    *ret = j;
    return NULL;
}

void ck_job_fetch_encode(const struct ck_job_fetch *j, struct ck_buf *out)
{
    ck_put_str(out, j->url);
    ck_put_u64(out, j->max);
    ck_put_str(out, j->authorization);
    ck_put_str(out, j->ca);
    ck_put_u32(out, j->seconds);
}

ck_err *ck_job_fetch_decode(ck_view job, struct ck_job_fetch *ret)
{
    ck_cur c = ck_cur_of(job);
    struct ck_job_fetch j = { .url = ck_cur_str(&c, CK_MAX_REFERENCE) };
    j.max = ck_cur_le64(&c);
    j.authorization = ck_cur_str(&c, CK_MAX_REGISTRY_SECRET);
    j.ca = ck_cur_str(&c, CK_MAX_REGISTRY_CA);
    j.seconds = ck_cur_le32(&c);
    CK_TRY(finish(&c, "fetch job"));
    for (size_t i = 0; i < j.authorization.n; i++) /* it becomes a header's line */
        if (j.authorization.p[i] < 0x20 || j.authorization.p[i] > 0x7E)
            return malformed("fetch job");
    *ret = j;
    return NULL;
}
