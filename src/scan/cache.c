#include "scan/cache.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "detect/facts.h"

#include <stdlib.h>

static const char magic[8] = "ckfacts1";
enum { SUM = 32, HEAD = sizeof magic + SUM };

struct ck_cache ck_cache_open(bool enabled)
{
    return (struct ck_cache){ .dir = enabled ? ck_xdg_path(CK_XDG_CACHE, "layers") : NULL };
}

void ck_cache_close(struct ck_cache *c)
{
    free(c->dir);
    c->dir = NULL;
}

static char *entry_path(const struct ck_cache *c, const struct ck_digest *diff_id,
                        const struct ck_digest *blob)
{
    char a[129], b[129];
    ck_hex(diff_id->bytes, ck_digest_size(diff_id->alg), a);
    ck_hex(blob->bytes, ck_digest_size(blob->alg), b);
    return ck_format("%s/%.2s/%s-%s.v%d", c->dir, a, a, b, CK_DETECTORS_VERSION);
}

ck_err *ck_cache_get(const struct ck_cache *c, const struct ck_digest *diff_id,
                     const struct ck_digest *blob, struct ck_buf *ret, bool *ret_found)
{
    *ret_found = false;
    if (!c->dir)
        return NULL;
    ck_autofree char *path = entry_path(c, diff_id, blob);
    ck_autobuf struct ck_buf file = ck_buf_new(CK_LIMIT_CACHE_ENTRY);
    ck_err *e = ck_file_read(path, &file);
    if (e) { /* absent, unreadable: as good as none */
        ck_err_free(e);
        return NULL;
    }
    ck_cur cur = ck_cur_of(ck_buf_view(&file));
    ck_view head = ck_cur_take(&cur, sizeof magic), sum = ck_cur_take(&cur, SUM);
    ck_view facts = ck_cur_take(&cur, ck_cur_left(&cur));
    struct ck_digest got;
    if (!ck_cur_ok(&cur) || !ck_view_eq(head, ck_view_of(magic, sizeof magic)))
        return NULL;
    ck_hash_of(CK_DIGEST_SHA256, facts, &got);
    if (!ck_view_eq(sum, ck_view_of(got.bytes, SUM)))
        return NULL;
    ck_buf_clear(ret);
    CK_TRY(ck_buf_add(ret, facts));
    *ret_found = true;
    return NULL;
}

void ck_cache_put(const struct ck_cache *c, const struct ck_digest *diff_id,
                  const struct ck_digest *blob, ck_view facts)
{
    if (!c->dir)
        return;
    struct ck_digest sum;
    ck_autofree char *path = entry_path(c, diff_id, blob);
    ck_autobuf struct ck_buf file = ck_buf_new(CK_LIMIT_NONE);
    ck_hash_of(CK_DIGEST_SHA256, facts, &sum);
    ck_put_bytes(&file, ck_view_of(magic, sizeof magic));
    ck_put_bytes(&file, ck_view_of(sum.bytes, SUM));
    ck_put_bytes(&file, facts);
    ck_err_free(ck_file_write(path, ck_buf_view(&file), CK_FILE_PARENTS));
}
