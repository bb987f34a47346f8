/* The items of an inventory, as few bytes as they need: packages by number, each as the distance to
 * the one before; locations by their place in a list of those that there are, since thousands of
 * packages stand in one file. Numbers are varints (LEB128).
 *
 *     u8 1; n, n times: length, bytes (locations); n, n times: zigzag distance, layer + 1 or 0 for
 *     none, location
 */
#include "store/store_int.h"

#include "base/mem.h"

#include <stdlib.h>

enum { ITEMS = 1, SMALLEST = 3 /* bytes of an item */ };

/* --- varints ---------------------------------------------------------------------------------- */

static void put_varint(struct ck_buf *b, uint64_t x)
{
    for (; x >= 0x80; x >>= 7)
        ck_put_u8(b, (uint8_t)(x | 0x80));
    ck_put_u8(b, (uint8_t)x);
}

static uint64_t cur_varint(ck_cur *c)
{
    uint64_t x = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint8_t byte = ck_cur_u8(c);
        x |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return x;
    }
    c->bad = true;
    return 0;
}

static uint64_t zigzag(int64_t x) { return (uint64_t)x << 1 ^ (x < 0 ? UINT64_MAX : 0); }
static int64_t unzigzag(uint64_t x) { return (int64_t)(x >> 1) ^ -(int64_t)(x & 1); }

/* --- writing ---------------------------------------------------------------------------------- */

struct by_location {
    ck_view location;
    size_t item;
};

static int compare_locations(const void *x, const void *y)
{
    return ck_view_cmp(((const struct by_location *)x)->location,
                       ((const struct by_location *)y)->location);
}

/* Puts the list of locations, and into places[] which of it each item has. */
static void put_locations(const struct ck_item *v, size_t n, struct ck_buf *out, size_t *places)
{
    ck_autofree struct by_location *sorted = ck_calloc(n + 1, sizeof *sorted);
    size_t different = 0;
    for (size_t i = 0; i < n; i++)
        sorted[i] = (struct by_location){ v[i].location, i };
    qsort(sorted, n, sizeof *sorted, compare_locations);
    for (size_t i = 0; i < n; i++) {
        different += i == 0 || !ck_view_eq(sorted[i].location, sorted[i - 1].location);
        places[sorted[i].item] = different - 1;
    }
    put_varint(out, different);
    for (size_t i = 0; i < n; i++) {
        if (i && ck_view_eq(sorted[i].location, sorted[i - 1].location))
            continue;
        put_varint(out, sorted[i].location.n);
        ck_put_bytes(out, sorted[i].location);
    }
}

void ck_items_encode(const struct ck_item *v, size_t n, struct ck_buf *out)
{
    ck_autofree size_t *places = ck_calloc(n + 1, sizeof *places);
    int64_t before = 0;
    ck_put_u8(out, ITEMS);
    put_locations(v, n, out, places);
    put_varint(out, n);
    for (size_t i = 0; i < n; i++) {
        put_varint(out, zigzag(v[i].package - before));
        put_varint(out, v[i].layer == UINT32_MAX ? 0 : (uint64_t)v[i].layer + 1);
        put_varint(out, places[i]);
        before = v[i].package;
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static size_t read_locations(ck_cur *c, struct ck_arena *a, ck_view **ret)
{
    size_t n = cur_varint(c);
    if (n > ck_cur_left(c))
        c->bad = true;
    if (!ck_cur_ok(c))
        return 0;
    *ret = ck_arena_alloc(a, n + 1, sizeof **ret);
    for (size_t i = 0; i < n && ck_cur_ok(c); i++)
        (*ret)[i] = ck_arena_dup(a, ck_cur_take(c, cur_varint(c)));
    return n;
}

static void read_item(ck_cur *c, const ck_view *locations, size_t n_locations, int64_t *before,
                      struct ck_item *ret)
{
    int64_t distance = unzigzag(cur_varint(c));
    uint64_t layer = cur_varint(c), place = cur_varint(c);
    if (__builtin_add_overflow(*before, distance, before) || layer > UINT32_MAX ||
        place >= n_locations)
        c->bad = true;
    if (ck_cur_ok(c))
        *ret = (struct ck_item){ *before, layer ? (uint32_t)layer - 1 : UINT32_MAX,
                                 locations[place] };
}

ck_err *ck_items_decode(ck_view bytes, struct ck_arena *a, struct ck_item **ret, size_t *ret_n)
{
    ck_cur c = ck_cur_of(bytes);
    ck_view *locations = NULL;
    int64_t before = 0;
    if (ck_cur_u8(&c) != ITEMS)
        c.bad = true;
    size_t n_locations = read_locations(&c, a, &locations), n = cur_varint(&c);
    if (n > ck_cur_left(&c) / SMALLEST)
        c.bad = true;
    struct ck_item *v = ck_arena_alloc(a, ck_cur_ok(&c) ? n + 1 : 1, sizeof *v);
    for (size_t i = 0; i < n && ck_cur_ok(&c); i++)
        read_item(&c, locations, n_locations, &before, &v[i]);
    if (!ck_cur_ok(&c) || !ck_cur_end(&c))
        return ck_err_at(CK_ERR_OURS, c.at, "the items of an inventory are damaged");
    *ret = v;
    *ret_n = n;
    return NULL;
}
