#include "room/feed_codec.h"

enum { MAX_FILES = 100000 };

static ck_err *finish(const ck_cur *c, const char *what)
{
    if (ck_cur_ok(c) && ck_cur_end(c))
        return NULL;
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: %s", what);
}

static void put_sha256(struct ck_buf *out, const uint8_t sha256[32])
{
    ck_put_bytes(out, ck_view_of(sha256, 32));
}

static void get_sha256(ck_cur *c, uint8_t sha256[32])
{
    ck_view v = ck_cur_take(c, 32);
    if (v.n)
        memcpy(sha256, v.p, v.n);
}

void ck_release_encode(const struct ck_release *r, struct ck_buf *out)
{
    ck_put_str(out, r->suite);
    ck_put_str(out, r->codename);
    ck_put_str(out, r->version);
    ck_put_u64(out, (uint64_t)r->date);
    ck_put_u64(out, (uint64_t)r->valid_until);
    ck_put_u32(out, (uint32_t)r->n_files);
    for (size_t i = 0; i < r->n_files; i++) {
        ck_put_str(out, r->files[i].path);
        ck_put_u64(out, r->files[i].size);
        put_sha256(out, r->files[i].sha256);
    }
}

ck_err *ck_release_decode(ck_view bytes, struct ck_arena *a, struct ck_release *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_release r = { .suite = ck_cur_str(&c, CK_MAX_FIELD) };
    r.codename = ck_cur_str(&c, CK_MAX_FIELD);
    r.version = ck_cur_str(&c, CK_MAX_FIELD);
    r.date = (int64_t)ck_cur_le64(&c);
    r.valid_until = (int64_t)ck_cur_le64(&c);
    r.n_files = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || r.n_files > MAX_FILES)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: release");
    r.files = ck_arena_alloc(a, r.n_files + 1, sizeof *r.files);
    for (size_t i = 0; i < r.n_files; i++) {
        r.files[i].path = ck_cur_str(&c, CK_MAX_PATH);
        r.files[i].size = ck_cur_le64(&c);
        get_sha256(&c, r.files[i].sha256);
    }
    CK_TRY(finish(&c, "release"));
    *ret = r;
    return NULL;
}

void ck_archive_source_encode(const struct ck_archive_source *s, struct ck_buf *out)
{
    ck_put_str(out, s->name);
    ck_put_str(out, s->version);
    ck_put_u8(out, (uint8_t)s->n_debs);
    for (size_t i = 0; i < s->n_debs; i++) {
        ck_put_str(out, s->debs[i].name);
        ck_put_str(out, s->debs[i].filename);
        ck_put_u64(out, s->debs[i].size);
        put_sha256(out, s->debs[i].sha256);
    }
}

ck_err *ck_archive_source_decode(ck_view bytes, struct ck_archive_source *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_archive_source s = { .name = ck_cur_str(&c, CK_MAX_FIELD) };
    s.version = ck_cur_str(&c, CK_MAX_FIELD);
    s.n_debs = ck_cur_u8(&c);
    if (s.n_debs > sizeof s.debs / sizeof s.debs[0])
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: archive source");
    for (size_t i = 0; i < s.n_debs; i++) {
        s.debs[i].name = ck_cur_str(&c, CK_MAX_FIELD);
        s.debs[i].filename = ck_cur_str(&c, CK_MAX_PATH);
        s.debs[i].size = ck_cur_le64(&c);
        get_sha256(&c, s.debs[i].sha256);
    }
    CK_TRY(finish(&c, "archive source"));
    *ret = s;
    return NULL;
}

void ck_changelog_entry_encode(const struct ck_changelog_entry *e, struct ck_buf *out)
{
    ck_put_str(out, e->source);
    ck_put_str(out, e->version);
    ck_put_u64(out, (uint64_t)e->date);
    ck_put_u32(out, (uint32_t)e->n_ids);
    for (size_t i = 0; i < e->n_ids; i++)
        ck_put_str(out, e->ids[i]);
}

ck_err *ck_changelog_entry_decode(ck_view bytes, struct ck_arena *a, struct ck_changelog_entry *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_changelog_entry e = { .source = ck_cur_str(&c, CK_MAX_FIELD) };
    e.version = ck_cur_str(&c, CK_MAX_FIELD);
    e.date = (int64_t)ck_cur_le64(&c);
    e.n_ids = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || e.n_ids > bytes.n / 4)
        return ck_err_new(CK_ERR_HOSTILE, "malformed message: changelog entry");
    e.ids = ck_arena_alloc(a, e.n_ids + 1, sizeof *e.ids);
    for (size_t i = 0; i < e.n_ids; i++)
        e.ids[i] = ck_cur_str(&c, CK_MAX_FIELD);
    CK_TRY(finish(&c, "changelog entry"));
    *ret = e;
    return NULL;
}
