/* The hub on layer facts that a room which was taken over has written: two layers of hostile bytes.
 */
#include "scan/inventory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    struct ck_layer_facts facts[2] = { { .bytes = ck_buf_new(CK_LIMIT_NONE) },
                                       { .bytes = ck_buf_new(CK_LIMIT_NONE) } };
    struct ck_layer_wants wants[2] = { { 0 } };
    struct ck_inventory inv;
    bool any = false;
    size_t half = size / 2;
    ck_put_bytes(&facts[0].bytes, ck_view_of(data, half));
    ck_put_bytes(&facts[1].bytes, ck_view_of(data + half, size - half));
    ck_err *e = ck_index_open(ck_buf_view(&facts[0].bytes), &facts[0].index);
    if (!e)
        e = ck_index_open(ck_buf_view(&facts[1].bytes), &facts[1].index);
    if (!e)
        e = ck_inventory_wants(facts, 2, &a, wants, &any);
    if (!e && !(e = ck_inventory_build(facts, 2, &inv)))
        ck_inventory_free(&inv);
    ck_err_free(e);
    ck_buf_free(&facts[0].bytes);
    ck_buf_free(&facts[1].bytes);
    return 0;
}
