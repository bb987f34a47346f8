#include "update/segment.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "image/digest.h"

static const char magic[8] = "ckseg001";

char *ck_segment_path(const char *dir, const struct ck_feed_spec *spec)
{
    struct ck_hash *h = ck_hash_new(CK_DIGEST_SHA256);
    struct ck_digest d;
    char hex[65];
    ck_hash_add(h, ck_view_str(spec->source));
    for (size_t i = 0; i < spec->n_suites; i++) {
        ck_hash_add(h, CK_V(","));
        ck_hash_add(h, ck_view_str(spec->suites[i]));
    }
    ck_hash_finish(h, &d);
    ck_hash_free(h);
    ck_hex(d.bytes, 32, hex);
    return ck_format("%s/%s-%.16s.segment", dir, ck_feed_kind_name(spec->kind), hex);
}

ck_err *ck_segment_save(const char *path, const struct ck_segment *s)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    struct ck_digest sum;
    ck_hash_of(CK_DIGEST_SHA256, ck_buf_view(&s->records), &sum);
    ck_put_bytes(&b, ck_view_of(magic, sizeof magic));
    ck_put_bytes(&b, ck_view_of(sum.bytes, 32));
    ck_put_str(&b, s->feed.kind);
    ck_put_str(&b, s->feed.source);
    ck_put_str(&b, s->feed.detail);
    ck_put_u64(&b, (uint64_t)s->feed.time);
    ck_put_str(&b, s->feed.digest);
    ck_put_u64(&b, s->feed.records);
    ck_put_bytes(&b, ck_buf_view(&s->records));
    return ck_file_write(path, ck_buf_view(&b), CK_FILE_PARENTS | CK_FILE_DURABLE);
}

ck_err *ck_segment_load(const char *path, struct ck_arena *a, struct ck_segment *ret)
{
    ck_autobuf struct ck_buf file = ck_buf_new(CK_LIMIT_DATABASE);
    struct ck_segment s = { .records = ck_buf_new(CK_LIMIT_NONE) };
    struct ck_digest sum;
    CK_TRY(ck_file_read(path, &file));
    ck_cur c = ck_cur_of(ck_buf_view(&file));
    ck_view head = ck_cur_take(&c, sizeof magic), want = ck_cur_take(&c, 32);
    s.feed.kind = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_FIELD));
    s.feed.source = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_REFERENCE));
    s.feed.detail = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_REFERENCE));
    s.feed.time = (int64_t)ck_cur_le64(&c);
    s.feed.digest = ck_arena_dup(a, ck_cur_str(&c, CK_MAX_FIELD));
    s.feed.records = ck_cur_le64(&c);
    ck_view records = ck_cur_take(&c, ck_cur_left(&c));
    ck_hash_of(CK_DIGEST_SHA256, records, &sum);
    if (!ck_cur_ok(&c) || !ck_view_eq(head, ck_view_of(magic, sizeof magic)) ||
        !ck_view_eq(want, ck_view_of(sum.bytes, 32)))
        return ck_err_new(CK_ERR_OURS, "%s is damaged", path);
    ck_put_bytes(&s.records, records);
    *ret = s;
    return NULL;
}
