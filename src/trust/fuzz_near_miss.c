/* Names, tags and hosts of foreign spelling: nothing reads past them, distances are symmetric, and
 * what has been seen is never warned of. First line: a reference; the others: names seen.
 */
#include "trust/look.h"
#include "trust/moving_tag.h"
#include "trust/near_miss.h"

#include <stdlib.h>

enum { SEEN = 64 };

static void check_pair(ck_view a, ck_view b)
{
    struct ck_look x, y;
    struct ck_edit ab = ck_edit_between(a, b, CK_EDIT_REPOSITORY);
    struct ck_edit ba = ck_edit_between(b, a, CK_EDIT_REPOSITORY);
    if (ab.cost != ba.cost || ab.one != ba.one || ab.swap != ba.swap)
        abort();
    if (ab.cost < CK_EDIT_FAR &&
        __builtin_popcountll(ck_edit_set(a) ^ ck_edit_set(b)) > CK_EDIT_SET)
        abort(); /* the early out would have hidden it */
    if (ck_look_skeleton(a, &x) && ck_look_skeleton(b, &y) &&
        ck_view_eq(ck_look_view(&x), ck_look_view(&y)) != ck_look_has_skeleton(b, &x))
        abort();
}

static void check_warnings(const struct ck_name *n, const ck_view *seen, size_t n_seen,
                           struct ck_arena *a, bool known)
{
    struct ck_name_warning *v;
    size_t got;
    ck_name_warnings(n, seen, n_seen, a, &v, &got);
    if (got > 8)
        abort();
    for (size_t i = 0; i < got; i++) {
        bool tag = v[i].kind == CK_TAG_MOVES || v[i].kind == CK_TAG_MINOR;
        if (v[i].text.n == 0 || (tag && n->has_digest) || (!tag && known))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_autoarena struct ck_arena a = { 0 };
    ck_view rest = ck_view_of(data, size), seen[SEEN + 1], first = ck_view_split(rest, '\n', &rest);
    size_t n = 0, n_points;
    uint32_t points[CK_PUNYCODE_MAX];
    struct ck_name name;
    while (rest.n && n < SEEN)
        seen[n++] = ck_view_split(rest, '\n', &rest);
    for (size_t i = 0; i < n; i++)
        check_pair(first, seen[i]);
    if (ck_punycode_decode(first, points, &n_points))
        for (size_t i = 0; i < n_points; i++)
            if (points[i] > 0x10FFFF || n_points > CK_PUNYCODE_MAX)
                abort();
    struct ck_name raw = { .host = first, .path = n ? seen[0] : first, .tag = first,
                           .tag_given = true };
    check_warnings(&raw, seen, n, &a, false);
    ck_err *e = ck_name_parse(first, &a, &name);
    if (!e) {
        check_warnings(&name, seen, n, &a, false);
        seen[n] = ck_view_str(ck_name_repository(&name, &a));
        check_warnings(&name, seen, n + 1, &a, true);
    }
    ck_err_free(e);
    return 0;
}
