/* What clients write: targets, forms, places, ranges, and what the page makes of a text. What is
 * taken must hold what handlers rely on. */
#include "serve/names.h"
#include "serve/page.h"
#include "serve/range.h"
#include "serve/route.h"
#include "serve/uri.h"

#include <stdlib.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_path(ck_view path)
{
    must(path.n && path.p[0] == '/');
    for (size_t i = 0; i < path.n; i++)
        must(path.p[i] >= ' ' && path.p[i] <= '~');
    struct ck_at at = ck_route_of(path);
    must(at.error || !at.repository.n || ck_is_repository(at.repository));
    if (!at.error && at.kind == CK_AT_BLOB)
        must(ck_is_digest(at.reference));
    if (!at.error && at.kind == CK_AT_MANIFEST)
        must(ck_is_digest(at.reference) || ck_is_tag(at.reference));
}

static void check_range(ck_view v, uint64_t size)
{
    uint64_t first = 0, length = 0;
    if (ck_range_parse(v, size, &first, &length) == CK_RANGE_PART)
        must(length && first < size && length <= size - first);
    if (ck_content_range_parse(v, &first, &length))
        must(length && first + (length - 1) >= first);
}

static void check_page(ck_view v)
{
    ck_autobuf struct ck_buf b = ck_buf_new(CK_LIMIT_NONE);
    ck_page_put(&b, v, v);
    must(!memmem(b.p, b.n, "<script", 7));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ck_params p;
    ck_view path;
    uint8_t *copy = malloc(size + 1);
    if (size)
        memcpy(copy, data, size);
    if (!ck_uri_parse(copy, size, &path, &p))
        check_path(path);
    must(p.n <= CK_URI_PARAMS);
    if (size)
        memcpy(copy, data, size);
    if (!ck_form_parse(copy, size, &p))
        must(p.n <= CK_URI_PARAMS);
    check_range(ck_view_of(data, size), size ? data[0] * 1000ull : 0);
    check_page(ck_view_of(data, size));
    free(copy);
    return 0;
}
