#include "serve/range.h"

enum ck_range ck_range_parse(ck_view header, uint64_t size, uint64_t *ret_first,
                             uint64_t *ret_length)
{
    ck_view to, v = ck_view_trim(header);
    uint64_t first = 0, last = 0;
    if (!ck_view_starts(v, CK_V("bytes=")) || ck_view_find(v, ',') < v.n)
        return CK_RANGE_WHOLE;
    v = ck_view_from(v, 6);
    if (ck_view_find(v, '-') == v.n)
        return CK_RANGE_WHOLE;
    ck_view from = ck_view_split(v, '-', &to);
    bool has_from = from.n > 0, has_to = to.n > 0;
    if ((has_from && !ck_view_u64(from, &first)) || (has_to && !ck_view_u64(to, &last)) ||
        (!has_from && !has_to))
        return CK_RANGE_WHOLE;
    if (!has_from) { /* the last so many */
        if (!last || !size)
            return CK_RANGE_NONE;
        first = last < size ? size - last : 0;
        last = size - 1;
    } else if (first >= size || (has_to && last < first)) {
        return CK_RANGE_NONE;
    }
    if (!has_to || last >= size)
        last = size - 1;
    *ret_first = first;
    *ret_length = last - first + 1;
    return CK_RANGE_PART;
}

bool ck_content_range_parse(ck_view header, uint64_t *ret_first, uint64_t *ret_length)
{
    ck_view total, to, v = ck_view_trim(header);
    uint64_t first, last;
    if (ck_view_starts(v, CK_V("bytes ")))
        v = ck_view_from(v, 6);
    v = ck_view_split(v, '/', &total);
    ck_view from = ck_view_split(v, '-', &to);
    if (!ck_view_u64(from, &first) || !ck_view_u64(to, &last) || last < first ||
        last - first == UINT64_MAX)
        return false;
    *ret_first = first;
    *ret_length = last - first + 1;
    return true;
}
