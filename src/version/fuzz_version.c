/* Three strings, split at newlines: every order must be total over them. */
#include "base/view.h"
#include "version/version.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int sign(int c) { return c < 0 ? -1 : c > 0; }

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(enum ck_version_scheme s, ck_view a, ck_view b, ck_view c)
{
    int ab = sign(ck_version_cmp(s, a, b));
    int bc = sign(ck_version_cmp(s, b, c));
    int ac = sign(ck_version_cmp(s, a, c));
    must(ck_version_cmp(s, a, a) == 0);
    must(ab == -sign(ck_version_cmp(s, b, a)));
    if (ab == 0)
        must(ac == bc);
    if (bc == 0)
        must(ac == ab);
    if (ab == bc)
        must(ac == ab);
    (void)ck_version_valid(s, a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ck_view rest = ck_view_of(data, size);
    ck_view a = ck_view_split(rest, '\n', &rest);
    ck_view b = ck_view_split(rest, '\n', &rest);
    for (int s = CK_VERSION_DPKG; s <= CK_VERSION_UNKNOWN; s++)
        check((enum ck_version_scheme)s, a, b, rest);
    return 0;
}
