/* What is kept of an image, damaged: the head, and one item behind it. What decodes and is not of
 * another version is encoded to the same bytes again. */
#include "scan/inventory_codec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_cur c = ck_cur_of(ck_view_of(data, size));
    struct ck_store_item item = { .package = ck_cur_str(&c, size), .location = CK_V("var/lib") };
    struct ck_store_inventory v = { .items = &item, .n = 1 }, again;
    struct ck_seen s;
    bool stale = false;
    v.head = ck_cur_take(&c, ck_cur_left(&c));
    item.layer = size % 2 ? UINT32_MAX : 0;
    ck_autoerr ck_err *e = ck_seen_decode(&v, &a, &s, &stale);
    if (e || stale)
        return 0;
    ck_seen_encode(&s, &a, &again);
    if (!ck_view_eq(again.head, v.head))
        abort();
    if (s.n_packages && !ck_view_eq(again.items[0].package, item.package))
        abort();
    return 0;
}
