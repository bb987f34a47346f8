#include "image/engine.h"

#include "image/values.h"

/* Their spelling is checked, so that no second reading of them is there. */
static const char *const image_keys[] = { "Id", "RootFS", NULL };
static const char *const rootfs_keys[] = { "Type", "Layers", NULL };
static const char *const message_keys[] = { "error", "errorDetail", NULL };

ck_err *ck_engine_image(ck_view json, struct ck_arena *a, struct ck_engine_image *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    struct ck_engine_image m = { 0 };
    CK_TRY(ck_json_load(json, "the engine's image", &doc));
    CK_TRY(ck_json_object(&doc, image_keys));
    struct ck_json id = ck_json_member(&doc, "Id"), root = ck_json_member(&doc, "RootFS");
    CK_TRY(ck_json_digest(&id, a, &m.id));
    CK_TRY(ck_json_object(&root, rootfs_keys));
    struct ck_json layers = ck_json_member(&root, "Layers");
    CK_TRY(ck_json_array(&layers, CK_LIMIT_LAYERS, &m.n));
    m.diff_ids = ck_arena_alloc(a, m.n + 1, sizeof *m.diff_ids);
    for (size_t i = 0; i < m.n; i++) {
        struct ck_json one = ck_json_at(&layers, i);
        CK_TRY(ck_json_digest(&one, a, &m.diff_ids[i]));
    }
    *ret = m;
    return NULL;
}

static void put_digest(struct ck_buf *out, const struct ck_digest *d)
{
    ck_put_u8(out, (uint8_t)d->alg);
    ck_put_bytes(out, ck_view_of(d->bytes, ck_digest_size(d->alg)));
}

static bool get_digest(ck_cur *c, struct ck_digest *ret)
{
    struct ck_digest d = { .alg = (enum ck_digest_algorithm)ck_cur_u8(c) };
    if (d.alg >= CK_DIGEST_ALGORITHM_COUNT_)
        return false;
    ck_view v = ck_cur_take(c, ck_digest_size(d.alg));
    if (!ck_cur_ok(c))
        return false;
    memcpy(d.bytes, v.p, v.n);
    *ret = d;
    return true;
}

void ck_engine_image_encode(const struct ck_engine_image *m, struct ck_buf *out)
{
    put_digest(out, &m->id);
    ck_put_u32(out, (uint32_t)m->n);
    for (size_t i = 0; i < m->n; i++)
        put_digest(out, &m->diff_ids[i]);
}

static ck_err *malformed(void)
{
    return ck_err_new(CK_ERR_HOSTILE, "malformed message: engine's image");
}

ck_err *ck_engine_image_decode(ck_view bytes, struct ck_arena *a, struct ck_engine_image *ret)
{
    ck_cur c = ck_cur_of(bytes);
    struct ck_engine_image m = { 0 };
    if (!get_digest(&c, &m.id))
        return malformed();
    m.n = ck_cur_le32(&c);
    if (!ck_cur_ok(&c) || m.n > CK_MAX_LAYERS)
        return malformed();
    m.diff_ids = ck_arena_alloc(a, m.n + 1, sizeof *m.diff_ids);
    for (size_t i = 0; i < m.n; i++)
        if (!get_digest(&c, &m.diff_ids[i]))
            return malformed();
    if (!ck_cur_end(&c))
        return malformed();
    *ret = m;
    return NULL;
}

static ck_err *message_error(ck_view line, struct ck_arena *a, ck_view *ret)
{
    ck_autojson struct ck_json doc = { 0 };
    CK_TRY(ck_json_load(line, "the engine's message", &doc));
    CK_TRY(ck_json_object(&doc, message_keys));
    struct ck_json error = ck_json_member(&doc, "error");
    return ck_json_string_opt(&error, CK_LIMIT_FIELD, a, ret);
}

ck_err *ck_engine_error(ck_view lines, struct ck_arena *a, ck_view *ret)
{
    ck_view found = { 0 };
    while (lines.n && !found.n) {
        ck_view line = ck_view_split(lines, '\n', &lines);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (ck_view_trim(line).n)
            CK_TRY(message_error(line, a, &found));
    }
    *ret = found;
    return NULL;
}
